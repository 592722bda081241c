"""What a stress brief is made of: plain rows, whole HKD, with nothing left to look up."""

from __future__ import annotations

import msgspec


class LayerRow(msgspec.Struct, frozen=True, kw_only=True):
    """One layer of a waterfall."""

    kind: str
    available: int
    used: int


class HouseRow(msgspec.Struct, frozen=True, kw_only=True):
    """One house: what accounts lose there, what margin does not cover, and how far its fund is used (1: empty)."""

    house: str
    losses: int
    over_margin: int
    accounts_over: int
    fund: int
    fund_used: int
    fund_use: float
    gains_cut: int
    layers: tuple[LayerRow, ...]


class ParticipantRow(msgspec.Struct, frozen=True, kw_only=True):
    """One participant: what it is called for and has; ``default_round`` 0 pays."""

    participant: str
    losses: int
    more_margin: int
    for_clients: int
    replenishment: int
    needed: int
    liquid: int
    default_round: int


class LiquidityRow(msgspec.Struct, frozen=True, kw_only=True):
    """What the house must find on a day, whole units of a currency."""

    day: str
    currency: str
    gains: int
    securities: int


class RegimeRow(msgspec.Struct, frozen=True, kw_only=True):
    """The same path under one margin regime."""

    regime: str
    margin: int
    over_margin: int
    accounts_over: int
    defaults: int
    fund_used: int
    uncovered: int


class RateRow(msgspec.Struct, frozen=True, kw_only=True):
    """How the zero curves of a currency move, basis points: parallel, at the short end and at the long end."""

    currency: str
    parallel: float
    short: float
    long: float


class StressFigures(msgspec.Struct, frozen=True, kw_only=True):
    """One scenario through the house."""

    id: str
    title: str
    title_zh: str
    story: str
    story_zh: str
    source: str
    source_zh: str
    assumed: bool
    day: str
    horizon_days: int
    index_return: float
    volatility_ratio: float
    renminbi_return: float
    correlation: float = 0.0
    layers: dict[str, float]
    plausibility: str
    plausibility_zh: str
    rank: float
    windows: int
    distance: float
    houses: tuple[HouseRow, ...]
    participants: tuple[ParticipantRow, ...]
    defaults: int
    rounds: int
    contagion: tuple[str, ...]
    called: int
    liquidity: tuple[LiquidityRow, ...]
    regimes: tuple[RegimeRow, ...]
    over_margin_low: int
    over_margin_high: int
    defaults_low: int
    defaults_high: int
    draws: int
    seed: int
    rates: tuple[RateRow, ...] = ()
