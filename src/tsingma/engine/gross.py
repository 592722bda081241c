"""Commands on gross instructions in bulk: take matched ones into the books, settle a set of them at one instant."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tsingma.basics.columns import unpack
from tsingma.basics.dates import to_date
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.engine.house import Handlers, House
from tsingma.engine.settling import in_window, now, open_kinds
from tsingma.journal.commands import CaptureInstructions, SettleTogether
from tsingma.journal.events import InstructionsCaptured, SettledTogether
from tsingma.reference.book import ACCOUNT_CLASSES, AccountClass
from tsingma.settlement.batch import COLUMN_TYPES
from tsingma.settlement.instruction import DVP, FOP, FROM_MATCHED, PFOD
from tsingma.settlement.together import Chosen
from tsingma.settlement.together import settle_together as settle

Int64 = npt.NDArray[np.int64]

AMOUNT_MAX = 2**53
PRIORITY_MAX = 3  # reserved, top, high, normal (T2S)


def capture_instructions(house: House, command: CaptureInstructions) -> InstructionsCaptured:
    """Append matched instructions of an open day; refused whole, naming the first item that is bad."""
    _require_open(house)
    to_date(command.intended_day)  # refuses what is no day
    columns = {
        name: unpack(getattr(command, name), kind, field=name).astype(np.int64) for name, kind in COLUMN_TYPES.items()
    }
    if len({column.size for column in columns.values()}) != 1:
        raise refuse(RejectionReason.MALFORMED, "the columns differ in length", field=", ".join(columns))
    _check(house, columns)
    book, instructions = house.resolved, house.settlement.instructions
    first, security = len(instructions), columns["security"]
    market = book.counter_market[book.settlement_counter[np.maximum(security, 0)]]
    stock, money = security >= 0, columns["amount_cents"] > 0
    instructions.add(
        **columns, market=market, intended_day=np.full(security.size, command.intended_day, np.int64),
        asset=np.where(stock, security + len(CURRENCIES), -1), against=np.where(money, columns["currency"], -1),
        kind=np.where(stock, np.where(money, DVP, FOP), PFOD), origin=np.full(security.size, FROM_MATCHED),
        matched_day=np.full(security.size, house.position.day),
    )  # fmt: skip
    cents = tuple(
        int(columns["amount_cents"][columns["currency"] == unit].sum(dtype=np.int64)) for unit in range(len(CURRENCIES))
    )
    return InstructionsCaptured(first, int(security.size), cents)


def settle_together(house: House, command: SettleTogether) -> SettledTogether:
    """Settle a proposed set at one instant by the ledger's own rules; all of it or nothing."""
    _require_open(house)
    chosen = Chosen(
        whole=unpack(command.instruction, "i4", field="instruction").astype(np.int64),
        part=unpack(command.part, "i4", field="part").astype(np.int64),
        units=unpack(command.part_units, "i8", field="part_units").astype(np.int64),
    )
    done = settle(house.settlement, now(house), open_kinds(house), chosen, window=in_window(house))
    lent = done.lent_cents if done.loans else ()
    return SettledTogether(done.settled, done.shares, done.amount_cents, done.parts, done.loans, lent)


def _require_open(house: House) -> None:
    if not house.position.is_open:
        raise refuse(RejectionReason.NOT_ALLOWED, "no day is open", remedy="open the day first")


def _check(house: House, columns: dict[str, Int64]) -> None:
    book = house.resolved
    accounts = book.account_participant.size
    stock, money = columns["security"] >= 0, columns["amount_cents"] > 0
    for field, low, high in (
        ("deliverer", 0, accounts - 1), ("receiver", 0, accounts - 1), ("security", -1, len(book.securities) - 1),
        ("currency", 0, len(CURRENCIES) - 1), ("quantity", 0, AMOUNT_MAX), ("amount_cents", 0, AMOUNT_MAX),
        ("priority", 0, PRIORITY_MAX),
    ):  # fmt: skip
        _refuse_first((columns[field] < low) | (columns[field] > high), columns[field], field)
    own = [ACCOUNT_CLASSES.index(name) for name in (AccountClass.CNS, AccountClass.ISSUANCE)]
    for field in ("deliverer", "receiver"):  # the house's bookkeeping accounts have no floor to hold a set back
        _refuse_first(np.isin(book.account_class[columns[field]], own), columns[field], field)
    _refuse_first(stock != (columns["quantity"] > 0), columns["quantity"], "quantity")
    _refuse_first(~stock & ~money, columns["amount_cents"], "amount_cents")


def _refuse_first(bad: npt.NDArray[np.bool_], column: Int64, field: str) -> None:
    if bad.any():
        place = int(np.flatnonzero(bad)[0])
        message = f"item {place + 1}: {int(column[place])} is not possible here"
        raise refuse(RejectionReason.OUT_OF_RANGE, message, field=field)


HANDLERS: Handlers = {
    CaptureInstructions: capture_instructions,
    SettleTogether: settle_together,
}
