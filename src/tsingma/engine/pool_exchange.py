"""Commands that exchange what takers hold: substitution, reuse and recall, intraday credit from the pool.

A substitution brings the new asset in first and gives the old one back after, so that at no instant between the two,
whatever else happens, the taker is covered less than it was. Reuse moves nothing of the account's: it says who holds
it.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import numpy as np

from tsingma.basics.dates import to_date
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import InvariantBroken, RejectionReason, refuse
from tsingma.engine.house import FX_UNIT_E6, Handlers, House
from tsingma.engine.pooling import (
    AMOUNT_MAX,
    covered_as_before,
    eligible,
    give_back,
    known_chain,
    known_taker,
    not_there,
    positive,
    take_in,
    valuation,
)
from tsingma.engine.resources import require_account
from tsingma.journal import pool_commands as do
from tsingma.journal import pool_events as told
from tsingma.margin.pool.book import Held, PoolLoan, Substitution
from tsingma.margin.pool.terms import BANK, Listing, reuses_max


def propose_substitution(house: House, command: do.ProposeSubstitution) -> told.SubstitutionChanged:
    """Take up the wish to exchange one asset for another; nothing moves yet."""
    require_account(house, command.account, "account")
    known_taker(command.taker)
    eligible(house, command.taker, command.in_asset)
    held = Held(command.account, command.out_asset, (command.taker,))
    there = house.pool.unreused(held)
    if positive(command.out_amount) > there:
        raise not_there(command.out_amount, there, f"is with {command.taker} and not reused", "recall it first")
    positive(command.in_amount)
    if command.in_asset == command.out_asset:
        raise refuse(RejectionReason.CONFLICT, "the two assets are the same", field="in_asset")
    if command.last_day < house.position.day:
        raise refuse(RejectionReason.OUT_OF_RANGE, "its last day is over", field="last_day")
    number = house.pool.next_number()
    house.pool.substitutions[number] = Substitution(
        number=number, account=command.account, taker=command.taker, out_asset=command.out_asset,
        out_amount=command.out_amount, in_asset=command.in_asset, in_amount=command.in_amount,
        last_day=command.last_day,
    )  # fmt: skip
    return _substitution(house, house.pool.substitutions[number], "proposed")


def deliver_substitute(house: House, command: do.DeliverSubstitute) -> told.SubstitutionChanged:
    """Pledge what comes in and allot it to the taker; refused past the last day or when it is not available."""
    one = _under_way(house, command.substitution, delivered=False)
    if house.position.day > one.last_day:
        raise refuse(
            RejectionReason.NOT_ALLOWED, "its last day is over", subject=str(one.number), remedy="propose it again"
        )
    valuation(house).market_cents(one.in_asset, one.in_amount)
    take_in(house, one.account, one.in_asset, one.in_amount)
    house.pool.allot(Held(one.account, one.in_asset, (one.taker,)), one.in_amount)
    delivered = msgspec.structs.replace(one, delivered=True)
    house.pool.substitutions[one.number] = delivered
    return _substitution(house, delivered, "delivered")


def release_substituted(house: House, command: do.ReleaseSubstituted) -> told.SubstitutionChanged:
    """Give the outgoing asset back; refused while the call would be covered less by that."""
    one = _under_way(house, command.substitution, delivered=True)
    _take_out(house, one, one.out_asset, one.out_amount)
    del house.pool.substitutions[one.number]
    return _substitution(house, one, "released")


def cancel_substitution(house: House, command: do.CancelSubstitution) -> told.SubstitutionChanged:
    """Undo a substitution that has not been released; what came in goes back where the call allows it."""
    one = _under_way(house, command.substitution, delivered=None)
    if one.delivered:
        _take_out(house, one, one.in_asset, one.in_amount)
    del house.pool.substitutions[one.number]
    return _substitution(house, one, "cancelled")


def _take_out(house: House, one: Substitution, asset: int, amount: int) -> None:
    """Take an amount from the taker and out of the pool, if it is there and the call stays covered."""
    held = Held(one.account, asset, (one.taker,))
    there = house.pool.unreused(held)
    if amount > there:
        raise not_there(amount, there, f"is with {one.taker} and not reused", "recall it first")

    def change() -> None:
        house.pool.allot(held, -amount)

    def undo() -> None:
        house.pool.allot(held, amount)

    covered_as_before(house, one.account, (one.taker,), change, undo)
    give_back(house, one.account, asset, amount)


def _under_way(house: House, number: int, *, delivered: bool | None) -> Substitution:
    one = house.pool.substitutions.get(number)
    if one is None:
        raise refuse(RejectionReason.UNKNOWN, f"no substitution {number} is under way", field="substitution")
    if delivered is not None and one.delivered != delivered:
        state = "delivered" if one.delivered else "only proposed"
        remedy = "release or cancel it" if one.delivered else "deliver the incoming asset first"
        raise refuse(RejectionReason.NOT_ALLOWED, f"it is {state}", subject=str(number), remedy=remedy)
    return one


def _substitution(house: House, one: Substitution, status: str) -> told.SubstitutionChanged:
    covered = house.pool.covered(one.account, one.taker, valuation(house))
    return told.SubstitutionChanged(one.number, status, covered)


def set_lodgement(house: House, command: do.SetLodgement) -> told.LodgementSet:
    """Set what one house must lodge with another."""
    known_taker(command.house)
    known_taker(command.other)
    if command.house == command.other or not 0 <= command.required_cents <= AMOUNT_MAX:
        message = f"{command.required_cents} cents of {command.house} at {command.other}"
        raise refuse(RejectionReason.OUT_OF_RANGE, message, field="required_cents")
    house.pool.lodged.pop((command.house, command.other), None)
    if command.required_cents:
        house.pool.lodged[command.house, command.other] = command.required_cents
    value = house.pool.lodged_value(command.house, command.other, valuation(house))
    return told.LodgementSet(command.house, command.other, command.required_cents, value)


def reuse_collateral(house: House, command: do.ReuseCollateral) -> told.CollateralReused:
    """Lodge onwards what a house holds; refused above the limit of hops, in a circle, or where it is not taken."""
    chain = known_chain(command.chain)
    held = Held(command.account, command.asset, chain)
    known_taker(command.other)
    if command.other in chain:
        raise refuse(RejectionReason.NOT_ALLOWED, f"{command.other} is in the chain already", field="other")
    longer = held._replace(chain=(*chain, command.other))
    most = reuses_max(to_date(house.position.day))
    if len(longer.chain) > most + 1:
        raise refuse(
            RejectionReason.LIMIT,
            f"it is reused {most} times already",
            field="chain",
            remedy="lodge another asset",
        )
    eligible(house, command.other, command.asset)
    there = house.pool.unreused(held)
    if positive(command.amount) > there:
        raise not_there(command.amount, there, f"is with {chain[-1]} and not reused", "reuse less")
    house.pool.allot(longer, command.amount)
    value = house.pool.lodged_value(chain[-1], command.other, valuation(house))
    return told.CollateralReused(longer.chain, house.pool.allotted[longer], value)


def recall_collateral(house: House, command: do.RecallCollateral) -> told.CollateralReused:
    """Take back what was lodged onwards; refused where the lodgement would fall below what is asked for."""
    chain = known_chain(command.chain)
    held = Held(command.account, command.asset, chain)
    there = house.pool.unreused(held) if len(chain) > 1 else 0
    if positive(command.amount) > there:
        raise not_there(command.amount, there, "can be recalled", "recall what it was reused for first")
    moment, pair = valuation(house), (chain[-2], chain[-1])
    before = house.pool.lodged_value(*pair, moment)
    house.pool.allot(held, -command.amount)
    after = house.pool.lodged_value(*pair, moment)
    if after < min(before, house.pool.lodged.get(pair, 0)):
        house.pool.allot(held, command.amount)
        raise refuse(
            RejectionReason.INSUFFICIENT,
            f"{pair[0]} would have {after} of {house.pool.lodged[pair]} HKD cents with {pair[1]}",
            remedy="lodge another asset first",
        )
    return told.CollateralReused(chain, house.pool.allotted.get(held, 0), after)


def draw_pool_credit(house: House, command: do.DrawPoolCredit) -> told.PoolCreditChanged:
    """Lend money of the settlement bank against what is free in the account's pool, in order of asset."""
    require_account(house, command.account, "account")
    if not 0 <= command.currency < len(CURRENCIES):
        raise refuse(RejectionReason.UNKNOWN, f"no currency {command.currency}", field="currency")
    moment = valuation(house)
    hkd = -(-positive(command.cents) * house.fx_e6[command.currency] // FX_UNIT_E6)
    if hkd <= 0:
        raise refuse(RejectionReason.MISSING, "the currency has no rate", field="currency", remedy="set rates first")
    taken = _enough(house, command.account, hkd)
    ledger, currency = house.ledger, np.array([command.currency], np.int32)
    debit = ledger.rows(np.array([house.internal.bank], np.int32), currency)
    credit = ledger.rows(np.array([command.account], np.int32), currency)
    if ledger.post_all(debit, credit, np.array([command.cents], np.int64)) is not None:
        raise InvariantBroken("the settlement bank could not lend")
    for asset, amount in taken.items():
        house.pool.allot(Held(command.account, asset, (BANK,)), amount)
    number = house.pool.next_number()
    house.pool.loans[number] = PoolLoan(
        number=number, account=command.account, currency=command.currency, cents=command.cents, hkd_cents=hkd
    )
    if house.pool.covered(command.account, BANK, moment) < house.pool.call(command.account, BANK):
        raise InvariantBroken("a loan against the pool is not covered")
    return told.PoolCreditChanged(number, "drawn", command.cents)


def _enough(house: House, account: int, hkd_cents: int) -> dict[int, int]:
    """Return free assets that count for at least so much more with the settlement bank than it is owed already."""
    moment, pool = valuation(house), house.pool
    missing = hkd_cents - (pool.covered(account, BANK, moment) - pool.call(account, BANK))
    taken: dict[int, int] = {}
    for owner, asset in sorted(pool.pledged):
        if owner != account or missing <= 0:
            continue
        free = pool.free(account, asset)
        most = moment.lendable_cents(BANK, asset, pool.listed[asset], free)
        if free <= 0 or most <= 0:
            continue
        amount = free if most <= missing else _least(moment.lendable_cents, asset, pool.listed[asset], missing, free)
        taken[asset] = amount
        missing -= moment.lendable_cents(BANK, asset, pool.listed[asset], amount)
    if missing > 0:
        raise refuse(
            RejectionReason.INSUFFICIENT,
            f"what is free in the pool counts for {hkd_cents - missing} of {hkd_cents} HKD cents with the bank",
            subject=house.resolved.account_name(account),
            remedy="pledge more that it takes, or draw less",
        )
    return taken


def _least(worth: Callable[[str, int, Listing, int], int], asset: int, listing: Listing, needed: int, most: int) -> int:
    """Return the smallest amount of an asset that counts for ``needed`` cents with the settlement bank (bisection)."""
    low, high = 1, most
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if worth(BANK, asset, listing, middle) >= needed else (middle + 1, high)
    return low


def repay_pool_credit(house: House, command: do.RepayPoolCredit) -> told.PoolCreditChanged:
    """Repay a loan whole; with the last one, what was allotted to the bank is free again."""
    loan = house.pool.loans.get(command.loan)
    if loan is None:
        raise refuse(RejectionReason.UNKNOWN, f"no loan {command.loan} stands", field="loan")
    ledger, currency = house.ledger, np.array([loan.currency], np.int32)
    debit = ledger.rows(np.array([loan.account], np.int32), currency)
    credit = ledger.rows(np.array([house.internal.bank], np.int32), currency)
    if ledger.post_all(debit, credit, np.array([loan.cents], np.int64)) is not None:
        there = int(ledger.available(debit)[0])
        raise not_there(loan.cents, there, f"in {CURRENCIES[loan.currency]} is available", "bring the money in first")
    del house.pool.loans[loan.number]
    if not house.pool.call(loan.account, BANK):
        for held in [held for held in house.pool.allotted if held[0] == loan.account and held.chain == (BANK,)]:
            house.pool.allot(held, -house.pool.unreused(held))
    return told.PoolCreditChanged(loan.number, "repaid", loan.cents)


HANDLERS: Handlers = {
    do.ProposeSubstitution: propose_substitution,
    do.DeliverSubstitute: deliver_substitute,
    do.ReleaseSubstituted: release_substituted,
    do.CancelSubstitution: cancel_substitution,
    do.SetLodgement: set_lodgement,
    do.ReuseCollateral: reuse_collateral,
    do.RecallCollateral: recall_collateral,
    do.DrawPoolCredit: draw_pool_credit,
    do.RepayPoolCredit: repay_pool_credit,
}
