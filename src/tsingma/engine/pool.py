"""Commands on the pool of collateral: no command but a call or a price may leave a taker less covered than it was."""

from __future__ import annotations

import numpy as np

from tsingma.basics.columns import unpack
from tsingma.basics.rejection import InvariantBroken, Rejected, RejectionReason, refuse
from tsingma.engine.house import Handlers, House
from tsingma.engine.pooling import (
    AMOUNT_MAX,
    covered_as_before,
    eligible,
    give_back,
    known_asset,
    known_taker,
    not_there,
    positive,
    take_in,
    valuation,
)
from tsingma.engine.resources import require_account
from tsingma.journal import pool_commands as do
from tsingma.journal import pool_events as told
from tsingma.margin.pool.book import Held
from tsingma.margin.pool.terms import Listing, kinds, takers


def check(house: House) -> dict[str, int]:
    """Prove the pool at the close and return its figures; raises InvariantBroken when the books do not carry it."""
    house.pool.check()
    for (account, asset), amount in house.pool.pledged.items():
        row = house.ledger.find(account, asset)
        if row < 0 or int(house.ledger.pledged[row]) < amount:
            raise InvariantBroken(
                f"account {account}: {amount} of asset {asset} in the pool is not pledged in the books"
            )
    if not house.pool.required and not house.pool.loans:
        return {}
    short = house.pool.shortfalls(valuation(house))
    owed = sum(loan.hkd_cents for loan in house.pool.loans.values())
    return {"pool_shortfall_HKD_cents": sum(short.values()), "pool_credit_open_HKD_cents": owed}


def list_collateral(house: House, command: do.ListCollateral) -> told.CollateralListed:
    """List assets as collateral; a listed asset keeps its kind."""
    for asset, kind, custodian in command.listings:
        known_asset(house, asset)
        if kind not in kinds():
            remedy = f"one of {', '.join(kinds())}"
            raise refuse(RejectionReason.UNKNOWN, f"no taker takes '{kind}'", field="kind", remedy=remedy)
        if not custodian:
            raise refuse(RejectionReason.MISSING, "who holds it is not said", field="custodian", subject=str(asset))
        known = house.pool.listed.get(asset)
        if known is not None and known != Listing(kind, custodian):
            raise refuse(RejectionReason.CONFLICT, f"asset {asset} is {known.kind} at {known.custodian}", field="kind")
    for asset, kind, custodian in command.listings:
        house.pool.listed[asset] = Listing(kind, custodian)
    return told.CollateralListed(len(command.listings))


def pledge_collateral(house: House, command: do.PledgeCollateral) -> told.PoolChanged:
    """Pledge to the pool what an account has available."""
    require_account(house, command.account, "account")
    known_asset(house, command.asset)
    house.pool.listing(command.asset)
    valuation(house).market_cents(command.asset, positive(command.amount))
    take_in(house, command.account, command.asset, command.amount)
    return _changed(house, command.account, command.asset)


def return_collateral(house: House, command: do.ReturnCollateral) -> told.PoolChanged:
    """Give back what no taker was allotted."""
    free = house.pool.free(command.account, command.asset)
    if positive(command.amount) > free:
        raise not_there(command.amount, free, "is free in the pool", "arrange the pool anew, or substitute")
    give_back(house, command.account, command.asset, command.amount)
    return _changed(house, command.account, command.asset)


def set_pool_calls(house: House, command: do.SetPoolCalls) -> told.PoolCalled:
    """Set the calls of one taker; earlier calls of accounts not named stay."""
    known_taker(command.taker)
    account = unpack(command.account, "i4", field="account")
    required = unpack(command.required_cents, "i8", field="required_cents")
    if account.size != required.size or np.unique(account).size != account.size:
        raise refuse(
            RejectionReason.MALFORMED, "columns differ in length, or an account is called twice", field="account"
        )
    for number, cents in zip(account.tolist(), required.tolist(), strict=True):
        require_account(house, number, "account")
        if not 0 <= cents <= AMOUNT_MAX:
            raise refuse(RejectionReason.OUT_OF_RANGE, f"a call of {cents} cents", field="required_cents")
    before = dict(house.pool.required)
    for number, cents in zip(account.tolist(), required.tolist(), strict=True):
        house.pool.required.pop((number, command.taker), None)
        if cents:
            house.pool.required[number, command.taker] = cents
    try:
        found = house.pool.shortfalls(valuation(house))
    except Rejected:  # no rules of the taker, or no price, on this day
        house.pool.required = before
        raise
    short = {key: value for key, value in found.items() if key[1] == command.taker}
    return told.PoolCalled(command.taker, int(account.size), int(required.sum()), len(short), sum(short.values()))


def arrange_pool(house: House, command: do.ArrangePool) -> told.PoolArranged:
    """Replace an account's allotments by others, at one instant; refused when a call would be covered less."""
    require_account(house, command.account, "account")
    wanted: dict[Held, int] = {}
    for taker, asset, amount in command.allotments:
        held = Held(command.account, asset, (known_taker(taker),))
        if held in wanted:
            raise refuse(RejectionReason.DUPLICATE, f"asset {asset} stands twice for {taker}", field="allotments")
        eligible(house, taker, asset)
        wanted[held] = positive(amount)
    pool = house.pool
    now = {
        held: amount
        for held, amount in pool.allotted.items()
        if held.account == command.account and len(held.chain) == 1
    }
    for held, amount in now.items():
        reused = amount - pool.unreused(held)
        if wanted.get(held, 0) < reused:
            raise not_there(
                wanted.get(held, 0), reused, f"of asset {held.asset} is reused by {held.chain[0]}", "recall it"
            )
    for asset in sorted({held.asset for held in wanted}):
        total = sum(amount for held, amount in wanted.items() if held.asset == asset)
        if total > pool.pledged.get((command.account, asset), 0):
            raise not_there(
                total, pool.pledged.get((command.account, asset), 0), f"of asset {asset} is pledged", "pledge it"
            )
    concerned = sorted({held.chain[0] for held in (*now, *wanted)})

    def change() -> None:
        for held, amount in now.items():
            pool.allot(held, -amount)
        for held, amount in wanted.items():
            pool.allot(held, amount)

    def undo() -> None:
        for held, amount in wanted.items():
            pool.allot(held, -amount)
        for held, amount in now.items():
            pool.allot(held, amount)

    covered_as_before(house, command.account, concerned, change, undo)
    moment = valuation(house)
    covered = sum(pool.covered(command.account, taker, moment) for taker in takers())
    short = sum(value for key, value in pool.shortfalls(moment).items() if key[0] == command.account)
    return told.PoolArranged(command.account, len(wanted), covered, short)


def _changed(house: House, account: int, asset: int) -> told.PoolChanged:
    pool = house.pool
    return told.PoolChanged(account, asset, pool.pledged.get((account, asset), 0), pool.free(account, asset))


HANDLERS: Handlers = {
    do.ListCollateral: list_collateral,
    do.PledgeCollateral: pledge_collateral,
    do.ReturnCollateral: return_collateral,
    do.SetPoolCalls: set_pool_calls,
    do.ArrangePool: arrange_pool,
}
