"""Porting: a client account of a defaulter goes to a survivor with everything that is its, or stays.

Net positions, contracts due later, futures and options, margin and its call, pledges in the pool, stock and money go
over as they stand: nothing is re-priced and the defaulter loses nothing by it. Source: HKCC rule 510(f) and its
circular of 20 July 2023 on individual client accounts (all of a client's accounts with all their margin, or none).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import InvariantBroken, Rejected, RejectionReason, refuse
from tsingma.clearing.default_book import Case
from tsingma.clearing.obligations import DuePositions
from tsingma.custody.repo import OPEN
from tsingma.engine.default_sums import HKD, bank_postings, declared, require_mine, require_taker
from tsingma.engine.house import Handlers, House, Margin
from tsingma.journal.default_commands import PortAccount
from tsingma.journal.default_events import AccountPorted
from tsingma.margin.pool.book import Held
from tsingma.reference.book import ACCOUNT_CLASSES, AccountClass

Int64 = npt.NDArray[np.int64]

_CLIENT = tuple(
    ACCOUNT_CLASSES.index(one) for one in (AccountClass.CLIENT, AccountClass.OMNIBUS, AccountClass.SEGREGATED)
)


def port_account(house: House, command: PortAccount) -> AccountPorted:
    """Move a client account whole; raises Rejected: unknown, not-allowed (whose and which accounts, what binds it)."""
    case = declared(house, command.default)
    account, to = command.account, command.to
    require_mine(house, case, account)
    require_taker(house, to, "to")
    for number, field in ((account, "account"), (to, "to")):
        if int(house.resolved.account_class[number]) not in _CLIENT:
            raise refuse(
                RejectionReason.NOT_ALLOWED, f"{house.resolved.account_name(number)} is no account of clients",
                field=field, remedy="clients are ported; what is the participant's own is closed out",
            )  # fmt: skip
    _require_unbound(house, case, account)
    held = _take_off_hold(house, account)
    pledged = _take_off_pledge(house, account)
    moved = _move_assets(house, account, to)
    positions = _move_positions(house, account, to)
    series = house.derivatives.carry_over(account, to) + house.swaps.carry_over(account, to)
    _put_on(house, to, held, pledged)
    _move_margin(house, account, to)
    _move_pool(house, account, to)
    return AccountPorted(case.number, account, to, positions, series, moved)


def _require_unbound(house: House, case: Case, account: int) -> None:
    """Refuse where something binds assets of the account that cannot go over with it."""
    ledger, pool, owed = house.ledger, house.pool, house.defaults.owed_by(case.number)
    rows = np.flatnonzero(ledger.owner == account)
    held, pledged = _held(house, account), _pledged(house, account)
    for row in rows.tolist():
        asset, name = int(ledger.asset[row]), house.resolved.account_name(account)
        if int(ledger.balance[row]) < 0:
            raise _bound(f"its money in {CURRENCIES[asset]} is below zero", name)
        if int(ledger.held[row]) != held.get(asset, 0):
            raise _bound(f"{house.resolved.asset_name(asset)} is on hold for something else", name)
        if int(ledger.pledged[row]) != pledged.get(asset, 0):
            raise _bound(f"{house.resolved.asset_name(asset)} is pledged for something else", name)
    repos, claims = house.custody.repos.rows, house.settlement.claims.table
    if any(one.status == OPEN and account in (one.seller, one.buyer) for one in repos):
        raise _bound("a repo of it is open", house.resolved.account_name(account))
    if ((claims["paid_day"] == 0) & (claims["payer"] == account)).any():
        raise _bound("it owes a claim of settlement", house.resolved.account_name(account))
    reused = any(one.account == account and len(one.chain) > 1 for one in pool.allotted)
    exchanged = any(one.account == account for one in pool.substitutions.values())
    lent = any(one.account == account for one in pool.loans.values())
    if reused or exchanged or lent or any(key[2] == account for key, _ in owed):
        said = "its pledges are reused, exchanged or lent on, or part of it is closed out"
        raise _bound(said, house.resolved.account_name(account))


def _bound(said: str, name: str) -> Rejected:
    return refuse(RejectionReason.NOT_ALLOWED, said, field="account", subject=name, remedy="end that, or close it out")


def _held(house: House, account: int) -> dict[int, int]:
    """Return by asset what settlement holds of an account for stock that is not paid for."""
    lines = house.settlement.positions
    mine = (lines.account == account) & (lines.on_hold != 0)
    assets = lines.security[mine].astype(np.int64) + len(CURRENCIES)
    return dict(zip(assets.tolist(), lines.on_hold[mine].tolist(), strict=True))


def _pledged(house: House, account: int) -> dict[int, int]:
    """Return by asset what an account has pledged for margin in money and in the pool."""
    found = {asset: amount for (owner, asset), amount in house.pool.pledged.items() if owner == account}
    margin = int(house.margin.pledged_cents[house.margin.account == account].sum())
    if margin:
        found[HKD] = found.get(HKD, 0) + margin
    return found


def _take_off_hold(house: House, account: int) -> dict[int, int]:
    held = _held(house, account)
    _each(house, account, held, "release")
    return held


def _take_off_pledge(house: House, account: int) -> dict[int, int]:
    pledged = _pledged(house, account)
    _each(house, account, pledged, "unpledge")
    return pledged


def _put_on(house: House, to: int, held: dict[int, int], pledged: dict[int, int]) -> None:
    _each(house, to, held, "hold")
    _each(house, to, pledged, "pledge")


def _each(house: House, account: int, amounts: dict[int, int], move: str) -> None:
    for asset, amount in sorted(amounts.items()):
        row = np.array([house.ledger.row(account, asset)])
        if getattr(house.ledger, move)(row, np.array([amount], np.int64)).any():
            raise InvariantBroken(f"account {account}: a checked {move} of asset {asset} could not be booked")


def _move_assets(house: House, account: int, to: int) -> int:
    ledger = house.ledger
    rows = np.flatnonzero((ledger.owner == account) & (ledger.balance > 0)).tolist()
    bank_postings(house, [(account, to, int(ledger.asset[row]), int(ledger.balance[row])) for row in rows])
    return len(rows)


def _move_positions(house: House, account: int, to: int) -> int:
    count = house.settlement.positions.carry_over(account, to)
    for day in house.obligations.days:
        due = house.obligations.due(day)
        mine = due.account == account
        if mine.any():
            owner = np.where(mine, np.int32(to), due.account).astype(np.int32)
            count += int(mine.sum())
            house.obligations.restate(
                day, DuePositions(owner, due.counter, due.quantity, due.amount_cents, due.legs)
            )  # fmt: skip
    return count


def _move_margin(house: House, account: int, to: int) -> None:
    """Move the call with what is pledged for it: a survivor's own call of the same account grows by it."""
    margin = house.margin
    called = {
        int(owner): (int(required), int(pledged))
        for owner, required, pledged in zip(
            margin.account.tolist(), margin.requirement_cents.tolist(), margin.pledged_cents.tolist(), strict=True
        )
    }
    required, pledged = called.pop(account, (0, 0))
    if not required and not pledged:
        return
    before = called.get(to, (0, 0))
    called[to] = (before[0] + required, before[1] + pledged)
    house.margin = Margin(
        np.array(list(called), np.int32),
        np.array([one for one, _ in called.values()], np.int64),
        np.array([one for _, one in called.values()], np.int64),
    )


def _move_pool(house: House, account: int, to: int) -> None:
    pool = house.pool
    for held, amount in [(held, amount) for held, amount in pool.allotted.items() if held.account == account]:
        pool.allot(held, -amount)
        pool.allot(Held(to, held.asset, held.chain), amount)
    for (owner, asset), amount in [item for item in pool.pledged.items() if item[0][0] == account]:
        pool.pledge(owner, asset, -amount)
        pool.pledge(to, asset, amount)
    for owner, taker in [key for key in pool.required if key[0] == account]:
        pool.required[to, taker] = pool.required.get((to, taker), 0) + pool.required.pop((owner, taker))


HANDLERS: Handlers = {PortAccount: port_account}
