"""Executed trades as columns: the form in which they are checked, novated and netted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from tsingma.basics.columns import pack, unpack
from tsingma.basics.money import INT64_MAX, MINOR_SCALE, PRICE_SCALE
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.journal.commands import CaptureTrades

Int64 = npt.NDArray[np.int64]
Int32 = npt.NDArray[np.int32]
Int8 = npt.NDArray[np.int8]

MODE_CNS = 0
MODE_ISOLATED = 1
MODE_DVP = 2
MAKER_BUYER = 1
MAKER_SELLER = 2
CHUNK_TRADES = 262_144

COLUMN_TYPES: dict[str, str] = {
    "trade_id": "i8",
    "time_s": "i4",
    "counter": "i4",
    "buyer": "i4",
    "seller": "i4",
    "quantity": "i8",
    "price_e4": "i8",
    "mode": "i1",
    "maker": "i1",
}


@dataclass(frozen=True, slots=True)
class Trades:
    """Trades of one day; columns as in the ``CaptureTrades`` command, all of the same length."""

    source: str
    trade_day: int
    trade_id: Int64
    time_s: Int32
    counter: Int32
    buyer: Int32
    seller: Int32
    quantity: Int64
    price_e4: Int64
    mode: Int8
    maker: Int8

    def __len__(self) -> int:
        """Return the number of trades."""
        return int(self.trade_id.size)

    def part(self, start: int, stop: int) -> Trades:
        """Return the trades from ``start`` up to ``stop``."""
        return Trades(self.source, self.trade_day, *(column[start:stop] for column in self._columns()))

    def select(self, chosen: npt.NDArray[np.bool_]) -> Trades:
        """Return the trades where ``chosen`` holds."""
        return Trades(self.source, self.trade_day, *(column[chosen] for column in self._columns()))

    def amount_cents(self) -> Int64:
        """Return quantity x price per trade in cents, half a cent up; raises Rejected (out-of-range) on overflow."""
        limit = INT64_MAX // 2
        if self.quantity.size and bool((self.quantity > limit // np.maximum(self.price_e4, 1)).any()):
            raise refuse(RejectionReason.OUT_OF_RANGE, "quantity x price does not fit 64 bits", field="quantity, price")
        unit = PRICE_SCALE // MINOR_SCALE
        amounts: Int64 = (self.quantity * self.price_e4 + unit // 2) // unit
        return amounts

    def commands(self, chunk: int = CHUNK_TRADES) -> Iterator[CaptureTrades]:
        """Yield the commands that register these trades, ``chunk`` at a time."""
        for start in range(0, len(self), chunk):
            part = self.part(start, start + chunk)
            columns = {name: pack(getattr(part, name), kind) for name, kind in COLUMN_TYPES.items()}
            yield CaptureTrades(source=self.source, trade_day=self.trade_day, **columns)

    def _columns(self) -> list[npt.NDArray[np.signedinteger]]:
        return [getattr(self, field.name) for field in fields(self)[2:]]


def from_command(command: CaptureTrades) -> Trades:
    """Return the trades of a command; raises Rejected (malformed) when its columns differ in length."""
    columns = {name: unpack(getattr(command, name), kind, field=name) for name, kind in COLUMN_TYPES.items()}
    sizes = {name: column.size for name, column in columns.items()}
    if len(set(sizes.values())) != 1:
        raise refuse(RejectionReason.MALFORMED, f"the columns differ in length: {sizes}", subject=command.source)
    native = {name: column.astype(column.dtype.newbyteorder("="), copy=False) for name, column in columns.items()}
    return Trades(command.source, command.trade_day, **native)
