"""The parameters of the simulated market, read from its table."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files

import msgspec

from tsingma.basics.rejection import RejectionReason, refuse


class ParticipantShape(msgspec.Struct, frozen=True):
    """Who takes part and how activity is spread."""

    count: int
    zipf_exponent: float
    client_share: float
    custodians: int


class InstrumentShape(msgspec.Struct, frozen=True):
    """How many instruments of each kind, and how turnover is spread."""

    equities: int
    etfs: int
    reits: int
    warrants: int
    cbbcs: int
    rights: int
    bonds: int
    dual_counters: int
    mainland: int
    zipf_exponent: float
    dual_counter_share: float


class ReturnShape(msgspec.Struct, frozen=True):
    """How prices move, per day."""

    market_volatility_daily: float
    beta_low: float
    beta_high: float
    own_volatility_low: float
    own_volatility_high: float
    tail_degrees_of_freedom: float
    cluster_persistence: float
    cluster_reaction: float
    history_days: int


class TradingShape(msgspec.Struct, frozen=True):
    """How trades are made up, and what is short at settlement; shares from 0 to 1."""

    median_lots: float
    size_sigma: float
    cross_share: float
    isolated_share: float
    bond_share: float
    northbound_share: float
    southbound_share: float
    maker_share: float
    stock_shortage: float
    money_shortage: float


class Tick(msgspec.Struct, frozen=True):
    """Prices below ``below_e4`` step by ``tick_e4``."""

    below_e4: int
    tick_e4: int


class MarketShape(msgspec.Struct, frozen=True):
    """Everything the generator is told beside its seed."""

    participants: ParticipantShape
    instruments: InstrumentShape
    returns: ReturnShape
    trading: TradingShape
    rates: dict[str, int]
    tick: tuple[Tick, ...]

    def tick_e4(self, price_e4: int) -> int:
        """Return the price step at a price; raises Rejected (out-of-range) above the table."""
        for row in self.tick:
            if price_e4 < row.below_e4:
                return row.tick_e4
        raise refuse(RejectionReason.OUT_OF_RANGE, f"no price step for {price_e4} ten-thousandths", field="price")


@cache
def default_shape() -> MarketShape:
    """Return the shape of ``data/market.toml``."""
    text = files("tsingma.simulate").joinpath("data", "market.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), MarketShape)
