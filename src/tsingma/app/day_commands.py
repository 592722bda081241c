"""The commands of a day's steps, made of what it brings: the batch submits them, acts of the operator propose them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from tsingma.app.house_derivatives import DerivativeMargin
from tsingma.app.house_margin import HouseMargin, house_margin
from tsingma.basics.columns import pack
from tsingma.clearing.derivatives import DerivativeTrades
from tsingma.clearing.trades import COLUMN_TYPES, Trades
from tsingma.engine.house import House
from tsingma.journal.commands import CallMargin, CaptureDerivatives, MarkDerivatives, SetClosingPrices
from tsingma.margin.hkscc.parameters import Parameters

Int64 = npt.NDArray[np.int64]

_DERIVATIVE_COLUMNS = {
    "trade_id": "i8", "series": "i4", "buyer": "i4", "seller": "i4", "quantity": "i8", "price_e4": "i8",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class DayInput:
    """What a day brings: trades, the close of every counter (e4) and HKD per unit of each currency (e6)."""

    date: date
    trades: Trades
    close_e4: Int64
    fx_e6: tuple[int, ...]
    derivatives: DerivativeInput | None = None


@dataclass(frozen=True, slots=True)
class DerivativeInput:
    """What a day brings in futures and options: trades, the settlement price of every series (e4), the index (e4)."""

    source: str
    trades: DerivativeTrades
    price_e4: Int64
    index_e4: int


def trades_digest(trades: Trades) -> str:
    """Return SHA-256 over all columns in hex: the same trades have the same command ids."""
    total = hashlib.sha256(trades.trade_day.to_bytes(4, "little"))
    for name, kind in COLUMN_TYPES.items():
        total.update(pack(getattr(trades, name), kind))
    return total.hexdigest()


def prices_command(close_e4: Int64, fx_e6: tuple[int, ...]) -> SetClosingPrices:
    """Return the command that fixes the close of every counter (e4) and the rates (e6)."""
    return SetClosingPrices(pack(np.arange(close_e4.size), "i4"), pack(close_e4, "i8"), fx_e6)


def derivative_trades_command(source: str, trades: DerivativeTrades) -> CaptureDerivatives:
    """Return the command that takes in trades in futures and options."""
    packed = {name: pack(getattr(trades, name), kind) for name, kind in _DERIVATIVE_COLUMNS.items()}
    return CaptureDerivatives(source=source, **packed)


def marks_command(price_e4: Int64, index_e4: int) -> MarkDerivatives:
    """Return the command that marks every series (e4), exercising on an index (e4)."""
    return MarkDerivatives(pack(np.arange(price_e4.size), "i4"), pack(price_e4, "i8"), index_e4)


def margin_command(house: House, parameters: Parameters) -> tuple[CallMargin, HouseMargin]:
    """Return the command that calls what every account needs now, and the figures of securities it comes from.

    Raises Rejected (missing) when an open position has no price.
    """
    margin = house_margin(house, parameters)
    return margin.call(DerivativeMargin(house, parameters).totals()), margin
