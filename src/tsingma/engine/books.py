"""Commands on the books: the reference book, deposits, transfers and margin calls."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tsingma.basics.columns import unpack
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import InvariantBroken, RejectionReason, refuse
from tsingma.engine.house import Handlers, House, Margin
from tsingma.journal.commands import CallMargin, DepositAssets, LoadReference, PostTransfers
from tsingma.journal.events import AssetsDeposited, MarginCalled, ReferenceLoaded, TransfersPosted
from tsingma.ledger.ledger import NO_FLOOR

Int64 = npt.NDArray[np.int64]
HKD = CURRENCIES.index("HKD")


def load_reference(house: House, command: LoadReference) -> ReferenceLoaded:
    """Install the book; refused when one is there or the book has faults."""
    if house.book is not None:
        raise refuse(RejectionReason.NOT_ALLOWED, "a reference book is loaded already", remedy="start a new house")
    house.install(command.book)
    house.open_own_rows()
    book = command.book
    return ReferenceLoaded(len(book.counters), len(book.participants), len(book.accounts))


def deposit_assets(house: House, command: DepositAssets) -> AssetsDeposited:
    """Book securities from the issuer and money from the settlement bank; the whole command or nothing."""
    owner, asset, amount = _columns(
        {"owner": (command.owner, "i4"), "asset": (command.asset, "i4"), "amount": (command.amount, "i8")}
    )
    _known(house, owner, asset)
    _not_central(house, owner)
    _not_registered(house, asset)
    rows_before = house.ledger.count
    source = np.where(asset < len(CURRENCIES), house.internal.bank, house.internal.issuer)
    debit = house.ledger.rows(source.astype(np.int32), asset.astype(np.int32), floor=NO_FLOOR)
    credit = house.ledger.rows(owner.astype(np.int32), asset.astype(np.int32))
    failed = house.ledger.post_all(debit, credit, amount)
    if failed is not None:
        house.ledger.close_rows(rows_before)
        raise refuse(
            RejectionReason.OUT_OF_RANGE,
            f"deposit {failed + 1}: amount {int(amount[failed])} cannot be booked",
            field="amount",
            remedy="deposits are positive and stay below 2^62",
        )
    return AssetsDeposited(int(amount.size))


def post_transfers(house: House, command: PostTransfers) -> TransfersPosted:
    """Carry out transfers in order; each answers with its own result code, chains are all or nothing."""
    debit, credit, asset, amount, linked = _columns(
        {
            "debit": (command.debit, "i4"),
            "credit": (command.credit, "i4"),
            "asset": (command.asset, "i4"),
            "amount": (command.amount, "i8"),
            "linked": (command.linked, "i1"),
        }
    )
    owner = np.concatenate([debit, credit])
    _known(house, owner, asset)
    _not_central(house, owner)
    _not_into_register(house, owner, np.concatenate([asset, asset]))
    kind = asset.astype(np.int32)
    rows = house.ledger.rows(owner.astype(np.int32), np.concatenate([kind, kind]))
    results = house.ledger.post(rows[: debit.size], rows[debit.size :], amount, linked.astype(np.bool_))
    return TransfersPosted(int((results == 0).sum()), results.tobytes())


def call_margin(house: House, command: CallMargin) -> MarginCalled:
    """Set the requirements: give back what was pledged before, pledge HKD up to the new requirement."""
    account, requirement = _columns(
        {"account": (command.account, "i4"), "requirement_cents": (command.requirement_cents, "i8")}
    )
    _known(house, account, np.zeros(account.size, np.int64))
    if np.unique(account).size != account.size or (requirement < 0).any():
        raise refuse(
            RejectionReason.CONFLICT,
            "an account is called twice, or a requirement is negative",
            field="account, requirement_cents",
        )
    _give_back(house)
    owner = account.astype(np.int32)
    rows = house.ledger.rows(owner, np.full(owner.size, HKD, np.int32))
    pledged = np.minimum(requirement, np.maximum(house.ledger.available(rows), 0))
    chosen = pledged > 0
    if house.ledger.pledge(rows[chosen], pledged[chosen]).any():
        raise InvariantBroken("available money could not be pledged")
    house.margin = Margin(owner, requirement, pledged)
    return MarginCalled(
        accounts=int(owner.size),
        requirement_cents=int(requirement.sum()),
        pledged_cents=int(pledged.sum()),
        shortfall_cents=int((requirement - pledged).sum()),
    )


def _give_back(house: House) -> None:
    margin = house.margin
    chosen = margin.pledged_cents > 0
    rows = house.ledger.rows(margin.account[chosen], np.full(int(chosen.sum()), HKD, np.int32))
    if house.ledger.unpledge(rows, margin.pledged_cents[chosen]).any():
        raise InvariantBroken("pledged margin is not where it was pledged")


def _columns(columns: dict[str, tuple[bytes, str]]) -> list[Int64]:
    arrays = [unpack(data, kind, field=name).astype(np.int64) for name, (data, kind) in columns.items()]
    if len({array.size for array in arrays}) != 1:
        raise refuse(RejectionReason.MALFORMED, "the columns differ in length", field=", ".join(columns))
    return arrays


def _known(house: House, account: Int64, asset: Int64) -> None:
    accounts, assets = house.resolved.account_participant.size, house.resolved.asset_count
    for field, column, size in (("account", account, accounts), ("asset", asset, assets)):
        if column.size and int(column.view(np.uint64).max()) >= size:  # a negative number reads as a huge one
            place = int(np.flatnonzero((column < 0) | (column >= size))[0])
            raise refuse(RejectionReason.UNKNOWN, f"item {place + 1}: number {int(column[place])}", field=field)


def _not_central(house: House, account: Int64) -> None:
    """Refuse the central counterparty's account: its money is what members owe it, and only settlement moves it."""
    place = np.flatnonzero(account == house.internal.cns)
    if place.size:
        raise refuse(
            RejectionReason.NOT_ALLOWED,
            f"item {int(place[0]) + 1}: only settlement moves what the central counterparty holds",
            field="account",
        )


def _not_into_register(house: House, account: Int64, asset: Int64) -> None:
    """Refuse to move registered securities from or to the issuer: that is an issue or a cancellation."""
    registered = house.custody.register.issues
    if not registered:
        return
    for place in np.flatnonzero(account == house.internal.issuer).tolist():
        if int(asset[place]) in registered:
            raise refuse(
                RejectionReason.NOT_ALLOWED,
                f"{registered[int(asset[place])].terms.isin} comes from and goes back to its register",
                field="debit, credit",
                remedy="issue or cancel units",
            )


def _not_registered(house: House, asset: Int64) -> None:
    """Refuse securities whose register the house keeps: they come in by issue alone, or issued is not held."""
    registered = house.custody.register.issues
    for place, number in enumerate(asset.tolist() if registered else ()):
        if number in registered:
            raise refuse(
                RejectionReason.NOT_ALLOWED,
                f"deposit {place + 1}: {registered[number].terms.isin} is registered here",
                field="asset",
                remedy="issue it, or deliver it from an account that holds it",
            )


HANDLERS: Handlers = {
    LoadReference: load_reference,
    DepositAssets: deposit_assets,
    PostTransfers: post_transfers,
    CallMargin: call_margin,
}
