"""Coupons, repayments, redemptions, calls and distributions of registered securities, as seev.035 and .036 tell them.

A due is an event of its own, D0 the house's first. What holders pass on to each other (repo, late delivery) is between
them, and not told here.
"""

from __future__ import annotations

from collections.abc import Iterator

from tsingma.basics.dates import to_date
from tsingma.basics.money import CURRENCIES
from tsingma.custody.dues import CALL, COUPON, DISTRIBUTION, MATURITY, RECORDED, Due, money_legs, redemption_legs
from tsingma.engine.house import House
from tsingma.messages.iso20022.event_movements import CashMoved, Movements, SharesMoved

# CAEV: interest, redemption at maturity, distribution of a fund; a call is of all units or of a part. Assumed: a
# repayment beside interest (amortisation) is told with it.
_KINDS = {COUPON: "INTR", MATURITY: "REDM", DISTRIBUTION: "DVCA"}


def due_movements(house: House, number: int, identifier: str, member: int, day: int = 0) -> Iterator[Movements]:
    """Return what a recorded due moves on the accounts of a member; nothing for one that is not recorded, or is paid.

    ``day`` is when it is booked (0: when it is due).
    """
    due = house.custody.dues[number]
    if due.status != RECORDED:
        return
    book, issue = house.resolved, house.custody.register.of(due.asset)
    legs = [*money_legs(due, issue), *redemption_legs(due, issue, house.ledger, house.internal.issuer)]
    held = dict(due.holders)
    for account in sorted({account for leg in legs for account in (leg.giver, leg.taker)}):
        if book.account_participant[account] != member or account == house.internal.issuer:
            continue
        shares = [SharesMoved(issue.terms.isin, -leg.amount) for leg in legs
                  if leg.giver == account and leg.asset == due.asset and leg.amount]  # fmt: skip
        cash = [CashMoved(CURRENCIES[leg.asset], leg.amount) for leg in legs
                if leg.taker == account and leg.asset < len(CURRENCIES) and leg.amount]  # fmt: skip
        if shares or cash:
            yield Movements(
                identifier=f"{identifier}-{account}", reference=f"D{number}", kind=_kind(due, issue.issued),
                choice="MAND", isin=issue.terms.isin, account=book.account_name(account),
                units=held.get(account, sum(-one.units for one in shares)), option=0, code="CASH",
                date=str(to_date(day or due.payment_day)), is_default=True, shares=tuple(shares), cash=tuple(cash),
            )  # fmt: skip


def _kind(due: Due, issued: int) -> str:
    if due.kind == CALL:
        return "MCAL" if due.units == issued else "PCAL"
    return _KINDS[due.kind]
