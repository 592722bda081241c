"""A house's own figure for what an account holds there, component by component, whole HKD."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import InvariantBroken
from tsingma.margin.house.historical import (
    Family,
    GroupRisk,
    HistoricalFigure,
    Kind,
    historical_figure,
)
from tsingma.margin.house.holdings import CONTRACTS, GOLD, Holding, House, by_history
from tsingma.margin.house.models import scan_arrays, scan_margins, securities_margin
from tsingma.margin.house.past import MarketPast
from tsingma.margin.house.revaluation import profits
from tsingma.margin.measures import Shortfall

Int64 = npt.NDArray[np.int64]


class HouseFigure(msgspec.Struct, frozen=True, kw_only=True):
    """What one house calls alone; ``components`` by name add up to the total."""

    house: str
    day: str
    model: str
    convention: str  # which scenarios the figure is made of
    components: dict[str, int]
    historical: HistoricalFigure | None
    total: int


class TailDay(msgspec.Struct, frozen=True, kw_only=True):
    """A scenario of a tail: the set it belongs to, when it began, and its profit in whole HKD."""

    kind: Kind
    day: str
    profit: int


def house_figure(house: House, holdings: Sequence[Holding], past: MarketPast, row: int) -> HouseFigure:
    """Return what a house calls for holdings at the close of a row; every holding is held there.

    Raises Rejected for a factor or contract without scenarios, or a history that is too short.
    """
    components: dict[str, int] = {}
    historical = None
    if house is House.HKSCC:
        factors, days = {one.factor for one in holdings}, past.models.holding_days[house]
        own, stress = past.scenarios(row, days, factors), past.stress(row, days, factors)
        components["portfolio margin"] = securities_margin(holdings, own, stress, past.models)
    else:
        revalued = [one for one in holdings if by_history(one)]
        scanned = [one for one in holdings if not by_history(one)]
        if scanned:
            volatility = [past.volatility(row, one.factor) for one in scanned]
            components["scan risk"] = scan_margins(scanned, scan_arrays(scanned, volatility, past.models.scan))
        if revalued:
            historical = historical_figure(group_risks(revalued, past, row), past.historical(house, row))
            components["market risk"] = historical.market_risk
            components["liquidity"] = historical.liquidity
            components["concentration"] = historical.concentration
    total = sum(components.values())
    if historical is not None and total != historical.total + components.get("scan risk", 0):
        raise InvariantBroken(f"the components of {house} do not add up")
    models = ["sixteen scenarios, PRiME"] if "scan risk" in components else []
    models += ["revalued history"] if historical else []
    model = "; ".join(models) or "filtered history, HKSCC VaR Platform"
    return HouseFigure(
        house=str(house), day=str(past.day(row)), model=model,
convention=_convention(components, historical, past), components=components, historical=historical,
        total=total,
    )  # fmt: skip


def _convention(components: dict[str, int], historical: HistoricalFigure | None, past: MarketPast) -> str:
    """Return which scenarios a figure is made of."""
    words = []
    if "portfolio margin" in components:
        words.append(f"{Shortfall.DISCRETE_TAIL} at {past.models.hvar_level}, stressed at {past.models.svar_level}")
    if "scan risk" in components:
        words.append("largest loss of sixteen scenarios by factor")
    if historical is not None:
        words.append(f"{historical.convention} at {historical.level}")
    return "; ".join(words)


def group_of(holding: Holding, past: MarketPast) -> tuple[str, Family]:
    """Return the curve, currency or metal that a holding depends on, and its family."""
    if holding.product in CONTRACTS and past.rates is not None:
        return past.rates.contracts[holding.factor].curve, Family.RATES
    return holding.factor, Family.GOLD if holding.factor.startswith(GOLD) else Family.CURRENCY


def group_risks(holdings: Sequence[Holding], past: MarketPast, row: int) -> list[GroupRisk]:
    """Return holdings by group, each holding at its own holding period, scenarios with common first days."""
    longest = max(past.period(one, row) for one in holdings)
    starts = {kind: past.starts(row, longest, kind) for kind in Kind}
    found = []
    for name, family in sorted({group_of(one, past) for one in holdings}):
        own = [one for one in holdings if group_of(one, past) == (name, family)]
        profit = {kind: _profit(own, past, row, kind, starts[kind]) for kind in Kind}
        days, size = max(past.period(one, row) for one in own), _size(own, family, past, row)
        found.append(GroupRisk(group=name, family=family, size=size, days=days, profit=profit))
    return found


def _profit(holdings: Sequence[Holding], past: MarketPast, row: int, kind: Kind, starts: Int64) -> Int64:
    parts = [profits([one], past.moves(row, past.period(one, row), {one.factor}, kind, starts)) for one in holdings]
    total: Int64 = np.sum(parts, axis=0)
    return total


def _size(holdings: Sequence[Holding], family: Family, past: MarketPast, row: int) -> float:
    """Return HKD a basis point of a parallel move, or HKD of notional."""
    if family is not Family.RATES or past.rates is None:
        return float(sum(one.notional for one in holdings))
    points = past.rates.profits_of_a_basis_point(sorted({one.factor for one in holdings}), row)
    return float(sum(one.notional * points[one.factor] for one in holdings))


def tail_days(figure: HouseFigure, holdings: Sequence[Holding], past: MarketPast, row: int) -> tuple[TailDay, ...]:
    """Return the tail scenarios of a figure by revalued history with their days and profits, worst first."""
    if figure.historical is None:
        return ()
    revalued = [one for one in holdings if by_history(one)]
    longest = max(past.period(one, row) for one in revalued)
    found = []
    for tail in figure.historical.tails:
        profit, starts = past.own_profits(revalued, row, tail.kind), past.starts(row, longest, tail.kind)
        found += [
            TailDay(kind=tail.kind, day=str(past.day(int(starts[number - 1]))), profit=int(profit[number - 1]))
            for number in tail.tail
        ]
    return tuple(found)
