"""What falls due on securities: coupons, repayments, redemptions, calls and distributions, from record day to payment.

A due is announced (its record day is to come), recorded (who held at the close of the record day is written down) and
paid. Income goes to who held on record, and on from there: from the buyer of a repo to the seller (GMRA 2011, paragraph
5), from who should have delivered by then to the receiver (T2S standards on market claims). What one of them cannot
pay stays owed. Face is paid against the units themselves on the payment day, wherever they are then.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import msgspec

from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.basics.rounding import divide_half_away
from tsingma.custody.accrual import (
    clean_cents,
    coupon_days,
    interest_cents,
    interest_fraction,
    outstanding_cents,
    period_of,
)
from tsingma.custody.issuance import Issue, Register
from tsingma.custody.legs import Leg
from tsingma.custody.numbered import Numbered
from tsingma.ledger.ledger import Ledger
from tsingma.reference.terms import DEBT

ANNOUNCED, RECORDED, OWED, PAID = "announced", "recorded", "owed", "paid"
COUPON, MATURITY, CALL, DISTRIBUTION = "coupon", "maturity", "call", "distribution"
AMOUNT_ONE_E9 = 1_000_000_000
CENTS = 100

Lent = tuple[tuple[int, int, int], ...]


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """One payment on one security.

    ``face_cents``, ``rate_e9`` and ``fraction`` give the interest of a holding; ``repaid_cents`` is paid on each unit
    beside it (amortisation), ``amount_e9`` of a currency unit on each unit of a fund. A call takes ``units`` back at
    ``price_e4`` per 100 of face, a maturity every unit at its face.
    """

    kind: str
    asset: int
    record_day: int
    payment_day: int
    face_cents: int = 0
    rate_e9: int = 0
    fraction: tuple[int, int] = (0, 1)
    repaid_cents: int = 0
    amount_e9: int = 0
    units: int = 0
    price_e4: int = 0
    period: int = -1
    status: str = ANNOUNCED
    holders: tuple[tuple[int, int], ...] = ()
    lent: tuple[
        tuple[int, int, int], ...
    ] = ()  # who passes income on, to whom, on how many units: as of the record day
    excused: bool = False  # its non-payment is on record
    paid_cents: int = 0
    passing: tuple[Leg, ...] = ()  # what still has to be passed on

    def money(self, units: int) -> int:
        """Return what a holding on record receives, cents: interest and repayment, or distribution, each rounded."""
        interest = interest_cents(units, self.face_cents, self.rate_e9, Fraction(*self.fraction))
        distributed = divide_half_away(units * self.amount_e9 * CENTS, AMOUNT_ONE_E9)
        return interest + units * self.repaid_cents + distributed


class Dues(Numbered[Due]):
    """All dues of the house, in the order in which they were announced."""

    def __init__(self) -> None:
        """Start without dues."""
        super().__init__(Due, subject="due")

    def announce(self, due: Due) -> int:
        """Add a due that does not come from a schedule; raises Rejected (out-of-range) when it is paid on record."""
        if due.payment_day <= due.record_day:
            raise refuse(RejectionReason.OUT_OF_RANGE, "it is paid after the record day", field="payment_day")
        return self.add(due)

    def take_records(
        self,
        register: Register,
        ledger: Ledger,
        issuer: int,
        day: int,
        lent: Callable[[int, int], Lent] = lambda *_: (),
    ) -> int:
        """Announce what schedules make due, and write down who holds, for every record day up to ``day``.

        Called at the close of a day, and before the first command of the next for days on which nothing was open.
        ``lent`` gives what of a security's income is to be passed on, by record day. Returns how many were recorded.
        """
        self._schedule(register, day)
        taken = 0
        for number, due in enumerate(self.rows):
            if due.status == ANNOUNCED and due.record_day <= day:
                holders = holders_of(ledger, due.asset, issuer)
                self.change(number, status=RECORDED, holders=holders, lent=lent(due.asset, due.record_day))
                taken += 1
        return taken

    def overdue(self, day: int) -> list[int]:
        """Return the numbers of dues to be paid on a day or before, those on record as not paid left out."""
        return [
            number
            for number, due in enumerate(self.rows)
            if due.status in (RECORDED, OWED) and due.payment_day <= day and not due.excused
        ]

    def _schedule(self, register: Register, day: int) -> None:
        for asset, issue in sorted(register.issues.items()):
            while (due := next_due(asset, issue)) and due.record_day <= day:
                self.add(due)
                register.change(asset, next_period=issue.next_period + 1)
                issue = register.of(asset)


def next_due(asset: int, issue: Issue) -> Due | None:
    """Return what the schedule of a security makes due next, or None: no debt, all announced, beyond the calendar."""
    terms, number = issue.terms, issue.next_period
    if terms.product not in DEBT or issue.redeemed:
        return None
    days = coupon_days(terms.issue_day, terms.maturity_day, terms.months)
    if number >= len(days) - 1:
        return None
    period = period_of(terms, number)
    if period is None:
        return None
    last = number == len(days) - 2
    fraction = interest_fraction(terms, number) if terms.coupon_e9 else Fraction(0)
    return Due(
        kind=MATURITY if last else COUPON,
        asset=asset,
        record_day=period.record_day,
        payment_day=period.payment_day,
        face_cents=outstanding_cents(terms, number),
        rate_e9=terms.coupon_e9,
        fraction=(fraction.numerator, fraction.denominator),
        repaid_cents=0 if last or number >= len(terms.repaid_cents) else terms.repaid_cents[number],
        period=number,
    )


def holders_of(ledger: Ledger, asset: int, issuer: int) -> tuple[tuple[int, int], ...]:
    """Return (account, units) of everybody who holds a security, by account; the issuer's negative left out."""
    chosen = (ledger.asset == asset) & (ledger.balance > 0) & (ledger.owner != issuer)
    return tuple(sorted(zip(ledger.owner[chosen].tolist(), ledger.balance[chosen].tolist(), strict=True)))


def money_legs(due: Due, issue: Issue) -> list[Leg]:
    """Return the payments to holders on record: interest, repayments, distributions."""
    currency = CURRENCIES.index(issue.terms.currency)
    return [Leg(issue.terms.payer, account, currency, due.money(units)) for account, units in due.holders]


def manufactured_legs(due: Due, issue: Issue) -> list[Leg]:
    """Return what is passed on beside: by buyers of repos, and by who should have delivered before the record day."""
    currency = CURRENCIES.index(issue.terms.currency)
    return [Leg(giver, taker, currency, due.money(units)) for giver, taker, units in due.lent]


def redemption_legs(due: Due, issue: Issue, ledger: Ledger, issuer: int) -> list[Leg]:
    """Return, holder by holder, units back to the issuer's account and their face (or call price) in money.

    A call takes the same share of every holding on record, rounded down, the units left over one each from the largest
    remainder (then the lower account); units that have moved since are called where they were on record.
    """
    terms, legs = issue.terms, []
    currency = CURRENCIES.index(terms.currency)
    if due.kind == MATURITY:
        taken = holders_of(ledger, due.asset, issuer)
        price_e4 = 100 * 10_000
    elif due.kind == CALL:
        taken, price_e4 = shared(due.units, due.holders), due.price_e4
    else:
        return []
    face = due.face_cents
    for account, units in taken:
        legs.append(Leg(account, issuer, due.asset, units))
        legs.append(Leg(terms.payer, account, currency, clean_cents(units, face, price_e4)))
    return legs


def shared(units: int, holders: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
    """Return ``units`` shared out in proportion to holdings: rounded down, the rest by largest remainder, then account.

    Raises Rejected (out-of-range) when there are not so many.
    """
    total = sum(held for _, held in holders)
    if not 0 < units <= total:
        raise refuse(RejectionReason.OUT_OF_RANGE, f"{units} of {total} units", field="units")
    parts = {account: units * held // total for account, held in holders}
    rest = units - sum(parts.values())
    order = sorted(holders, key=lambda holder: (-(units * holder[1] % total), holder[0]))
    for account, _ in order[:rest]:
        parts[account] += 1
    return tuple((account, part) for account, part in parts.items() if part)
