"""What a house calls by revalued history: expected shortfall, a stressed part, floors and what closing out costs.

    base          = shortfall of filtered or plain scenarios, or the larger of the two
    market risk   = the larger of (1 - stress weight) x base + stress weight x stressed shortfall, and the floor
    liquidity     = half of the bid-ask spread on what is held of each curve, currency and metal
    concentration = shortfall of a group x (square root of days to close out over the holding period, less one)
    total         = market risk + liquidity + concentration

A group is a curve, a currency or a metal. Its size is HKD a basis point of a parallel move, or HKD of notional. Value
at risk is shown beside every shortfall. Parameters are dated rows of ``house_margin.toml`` with their source.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum
from math import ceil, sqrt
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import InvariantBroken, RejectionReason, refuse
from tsingma.margin.house.holdings import House, Product
from tsingma.margin.joint.allocation import tail_loss
from tsingma.margin.measures import Quantile, Shortfall, quantile, tail_count
from tsingma.reference.tables import read_table, row_on

Int64 = npt.NDArray[np.int64]

TABLE = "house_margin.toml"
E4 = 10_000


class Kind(StrEnum):
    """Which stretch of the past, and at which volatility."""

    FILTERED = "filtered"
    PLAIN = "plain"
    STRESSED = "stressed"


class Family(StrEnum):
    """What a group's floor, spread and capacity are stated for."""

    RATES = "rates"
    CURRENCY = "currency"
    GOLD = "gold"


class HistoricalSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The model of one house on a day."""

    house: str
    level: str
    scenarios: str  # filtered, plain or larger
    stress_weight_e4: int
    holding_days: dict[str, int]  # by product
    floor: dict[str, float]  # by family: basis points, or a part of the notional
    half_spread: dict[str, float]  # likewise
    capacity: dict[str, float]  # by family: size that can be closed out a day

    def period(self, product: Product) -> int:
        """Return the holding period of a product in trading days; raises Rejected when it has none."""
        if product not in self.holding_days:
            message = f"{self.house} has no holding period for a {product}"
            raise refuse(RejectionReason.MISSING, message, field="product", remedy=f"add the dated row to {TABLE}")
        return self.holding_days[product]


def historical_settings(house: House, day: date) -> HistoricalSettings:
    """Return the model of a house on a day; raises Rejected (unknown, beyond-horizon) when the table has none."""
    rows = [row for row in read_table(TABLE)["row"] if row["house"] == house]
    if not rows:
        raise refuse(RejectionReason.UNKNOWN, f"{TABLE} has no rows for '{house}'", field="house")

    def value(name: str) -> Any:
        return row_on([row for row in rows if row["name"] == name], day, table=f"{TABLE}: {house} {name}")["value"]

    def group(prefix: str) -> dict[str, Any]:
        names = {row["name"] for row in rows if row["name"].startswith(prefix)}
        return {name.removeprefix(prefix): value(name) for name in sorted(names)}

    return HistoricalSettings(
        house=str(house),
        level=str(value("level")),
        scenarios=value("scenarios"),
        stress_weight_e4=int(Decimal(value("stress_weight")) * E4),
        holding_days={name: int(days) for name, days in group("holding_days.").items()},
        floor={name: float(each) for name, each in group("floor.").items()},
        half_spread={name: float(each) for name, each in group("half_spread.").items()},
        capacity={name: float(each) for name, each in group("capacity.").items()},
    )


class GroupRisk(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """One curve, currency or metal in a book: its signed size and profits int64 [scenarios] by kind, whole HKD."""

    group: str
    family: Family
    size: float
    days: int
    profit: Mapping[Kind, Int64]


class Tail(msgspec.Struct, frozen=True, kw_only=True):
    """Value at risk and expected shortfall of one set of scenarios, whole HKD, losses positive; the tail's numbers."""

    kind: Kind
    scenarios: int
    value_at_risk: int
    expected_shortfall: int
    tail: tuple[int, ...]


class GroupFigure(msgspec.Struct, frozen=True, kw_only=True):
    """One group's size and what it adds, whole HKD."""

    group: str
    family: Family
    size: float
    holding_days: int
    expected_shortfall: int
    floor: int
    liquidity: int
    concentration: int


class HistoricalFigure(msgspec.Struct, frozen=True, kw_only=True):
    """The figure of a house by revalued history; components add up to the total."""

    level: str
    convention: str
    scenarios: str
    tails: tuple[Tail, ...]
    stress_weight_e4: int
    floor: int
    market_risk: int
    liquidity: int
    concentration: int
    total: int
    groups: tuple[GroupFigure, ...]


def historical_figure(groups: Sequence[GroupRisk], settings: HistoricalSettings) -> HistoricalFigure:
    """Return the figure of groups with common scenarios by kind.

    Raises Rejected for no group, no scenarios, or an unknown choice of scenarios.
    """
    if not groups:
        raise refuse(RejectionReason.MISSING, "there is nothing to margin", field="holdings")
    if settings.scenarios not in ("filtered", "plain", "larger"):
        message = f"'{settings.scenarios}' is none of filtered, plain, larger"
        raise refuse(RejectionReason.UNKNOWN, message, field="scenarios", subject=settings.house)
    tails = {kind: _tail(kind, _netted(groups, kind), settings.level) for kind in Kind}
    filtered, plain = tails[Kind.FILTERED].expected_shortfall, tails[Kind.PLAIN].expected_shortfall
    base = {"filtered": filtered, "plain": plain, "larger": max(filtered, plain)}[settings.scenarios]
    weight, stressed = settings.stress_weight_e4, tails[Kind.STRESSED].expected_shortfall
    figures = tuple(_group(one, settings) for one in groups)
    floor = sum(one.floor for one in figures)
    market_risk = max(-(-((E4 - weight) * base + weight * stressed) // E4), floor)
    liquidity, concentration = sum(one.liquidity for one in figures), sum(one.concentration for one in figures)
    return HistoricalFigure(
        level=settings.level,
        convention=str(Shortfall.DISCRETE_TAIL),
        scenarios=settings.scenarios,
        tails=tuple(tails.values()),
        stress_weight_e4=weight,
        floor=floor,
        market_risk=market_risk,
        liquidity=liquidity,
        concentration=concentration,
        total=market_risk + liquidity + concentration,
        groups=figures,
    )


def _netted(groups: Sequence[GroupRisk], kind: Kind) -> Int64:
    if len({one.profit[kind].size for one in groups}) != 1:
        raise InvariantBroken(f"the groups' {kind} scenarios are not the same")
    total: Int64 = np.sum(np.stack([one.profit[kind] for one in groups]), axis=0)
    return total


def _tail(kind: Kind, profit: Int64, level: str) -> Tail:
    value_at_risk = -round(quantile(profit, level, Quantile.INDEX_ABOVE, extrapolate=True).value)
    count = tail_count(level, profit.size)
    return Tail(
        kind=kind,
        scenarios=profit.size,
        value_at_risk=max(value_at_risk, 0),
        expected_shortfall=-(-tail_loss(profit, count) // count),
        tail=tuple(int(place) + 1 for place in np.argsort(profit, kind="stable")[:count]),
    )


def _group(one: GroupRisk, settings: HistoricalSettings) -> GroupFigure:
    shortfall = _tail(Kind.FILTERED, one.profit[Kind.FILTERED], settings.level).expected_shortfall
    size = abs(one.size)
    stretch = sqrt(size / (settings.capacity[one.family] * one.days))  # days to close out over the holding period
    return GroupFigure(
        group=one.group,
        family=one.family,
        size=one.size,
        holding_days=one.days,
        expected_shortfall=shortfall,
        floor=ceil(size * settings.floor[one.family]),
        liquidity=ceil(size * settings.half_spread[one.family]),
        concentration=ceil(shortfall * max(stretch - 1.0, 0.0)),
    )
