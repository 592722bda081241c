"""What the economy's briefs are made of: plain rows with nothing left to look up, checked to add up before drawing."""

from __future__ import annotations

from datetime import date

import msgspec

from tsingma.basics.rejection import InvariantBroken

TOLERANCE = 1e-6  # of the figure: sums of the same numbers in another order


class FlowRow(msgspec.Struct, frozen=True, kw_only=True):
    """Sales of a layer of a country to a use in a country, before and after, in the unit of the brief."""

    seller: str
    layer: str
    buyer: str
    use: str
    before: float
    after: float


class DividendRow(msgspec.Struct, frozen=True, kw_only=True):
    """Value added of a country, layer, zone and tier of firms, before and after."""

    country: str
    layer: str
    zone: str
    tier: str
    before: float
    after: float


class CountryRow(msgspec.Struct, frozen=True, kw_only=True):
    """One country, percent of base; ``low``, ``median`` and ``high`` over draws, or None where none were drawn."""

    country: str
    real_income: float
    real_wage: float
    chain_dividends: float
    low: float | None = None
    median: float | None = None
    high: float | None = None


class ReasonRow(msgspec.Struct, frozen=True, kw_only=True):
    """Why a region's real income moves, log points x 100: the parts add up to it."""

    region: str
    real_income: float
    factor_income: float
    rent: dict[str, float]
    prices: dict[str, float]


class LeakRow(msgspec.Struct, frozen=True, kw_only=True):
    """Foreign share of value in a country's output of a layer, 0 to 1."""

    country: str
    layer: str
    before: float
    after: float


class SpreadRow(msgspec.Struct, frozen=True, kw_only=True):
    """How uneven the chain is inside a country, measure by measure (before, after), and both arms of its K (logs)."""

    country: str
    measures: dict[str, tuple[float, float]]
    upper: float
    lower: float
    k: float


class LeverRow(msgspec.Struct, frozen=True, kw_only=True):
    """One lever of a scenario, its words in both languages, its value and unit, and whom it is for (names)."""

    english: str
    chinese: str
    value: float
    unit: str
    sector: str
    sellers: tuple[str, ...]
    buyers: tuple[str, ...]


class LayerRow(msgspec.Struct, frozen=True, kw_only=True):
    """Concentration of a layer's dividends over countries and tiers."""

    layer: str
    hhi_before: float
    hhi_after: float


class DaysRows(msgspec.Struct, frozen=True, kw_only=True):
    """The short run: days lost by country, and the makers that fall furthest (name, percent of base, day)."""

    world_lost_days: float
    unmet_final_days: float
    lost_days: dict[str, float]
    worst: tuple[tuple[str, float, int], ...]


class Grounds(msgspec.Struct, frozen=True, kw_only=True):
    """What every figure of a brief stands on; printed below each."""

    model: str
    calibration: str
    data: tuple[str, ...]
    uncertainty: str
    seed: int | None


class ChainFigures(msgspec.Struct, frozen=True, kw_only=True):
    """One scenario of the chain; amounts in ``unit``."""

    name: str
    title: str
    title_zh: str
    unit: str
    grounds: Grounds
    description: str
    levers: tuple[LeverRow, ...]
    notes: tuple[str, ...]
    draws: int
    countries: tuple[CountryRow, ...]
    flows: tuple[FlowRow, ...]
    dividends: tuple[DividendRow, ...]
    leaks: tuple[LeakRow, ...]
    rent_leakage: dict[str, tuple[float, float]]
    reasons: tuple[ReasonRow, ...]
    spread: tuple[SpreadRow, ...]
    concentration: tuple[LayerRow, ...]
    days: DaysRows | None = None


class FanRow(msgspec.Struct, frozen=True, kw_only=True):
    """One indicator: quantiles [levels][dates], the path that stands for the run, and what came after (day, value)."""

    indicator: str
    unit: str
    dates: tuple[date, ...]
    levels: tuple[float, ...]
    values: tuple[tuple[float, ...], ...]
    path: tuple[float, ...]
    observed: tuple[tuple[date, float], ...] = ()


class CauseRow(msgspec.Struct, frozen=True, kw_only=True):
    """What one lever or shock alone does: its name (``duty`` for the levers of duty), value, and the day of a shock."""

    name: str
    size: str
    day: date | None
    effect: float


class ShockRow(msgspec.Struct, frozen=True, kw_only=True):
    """One shock of a scenario as its file has it."""

    name: str
    day: date
    size: float
    unit: str
    why: str
    source: str


class ClaimRow(msgspec.Struct, frozen=True, kw_only=True):
    """One claim that the model tests: its words, the result and the figure."""

    id: str
    english: str
    chinese: str
    result: str
    figure: str


class RunFigures(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a model in time; ``without + causes + together = with_all`` at the end of ``indicator``, median."""

    name: str
    model: str
    title: str
    title_zh: str
    grounds: Grounds
    replications: int
    rank: float
    indicator: str
    unit: str
    fans: tuple[FanRow, ...]
    shocks: tuple[ShockRow, ...]
    causes: tuple[CauseRow, ...]
    without: float
    with_all: float
    together: float
    claims: tuple[ClaimRow, ...] = ()


class SpilloverFigures(msgspec.Struct, frozen=True, kw_only=True):
    """One spillover table in percent, rows of forecast errors, beside what the paper prints (empty: total alone)."""

    paper: str
    source: str
    names: tuple[str, ...]
    table: tuple[tuple[float, ...], ...]
    from_others: tuple[float, ...]
    to_others: tuple[float, ...]
    net: tuple[float, ...]
    total: float
    published_total: float
    published_table: tuple[tuple[float, ...], ...]
    largest_gap: float
    tolerance: float
    agrees: bool
    lags: int
    horizon: int
    decomposition: str
    observations: int


def check_chain(figures: ChainFigures) -> ChainFigures:
    """Return the figures, or raise InvariantBroken naming the first that is not the sum of its parts."""
    for one in figures.reasons:
        parts = one.factor_income + sum(one.rent.values()) + sum(one.prices.values())
        _same(f"real income of {one.region}", one.real_income, parts, 100.0)
    for arm in figures.spread:
        _same(f"K of {arm.country}", arm.k, arm.upper - arm.lower, 1.0)
        for place in (0, 1):
            parts = arm.measures["theil_within"][place] + arm.measures["theil_between"][place]
            _same(f"Theil of {arm.country}", arm.measures["theil"][place], parts, 1.0)
    return figures


def check_run(figures: RunFigures) -> RunFigures:
    """Return the figures; raise InvariantBroken for a band out of order, a missing date or causes that do not add."""
    for fan in figures.fans:
        if len(fan.path) != len(fan.dates) or any(len(row) != len(fan.dates) for row in fan.values):
            raise InvariantBroken(f"brief: {fan.indicator} has not a number for each of {len(fan.dates)} dates")
        for below, above in zip(fan.values, fan.values[1:], strict=False):
            if any(low > high for low, high in zip(below, above, strict=True)):
                raise InvariantBroken(f"brief: the bands of {fan.indicator} are out of order")
    parts = figures.without + sum(one.effect for one in figures.causes) + figures.together
    _same(f"{figures.indicator} at the end", figures.with_all, parts, abs(figures.without))
    return figures


def check_spillover(figures: SpilloverFigures) -> SpilloverFigures:
    """Return the figures, or raise InvariantBroken where a row is not 100 %, or its margins do not add up."""
    for place, (name, row) in enumerate(zip(figures.names, figures.table, strict=True)):
        _same(f"row of {name}", 100.0, sum(row), 100.0)
        _same(f"{name} from others", figures.from_others[place], sum(row) - row[place], 100.0)
        _same(f"{name} net", figures.net[place], figures.to_others[place] - figures.from_others[place], 100.0)
    _same("total spillover", figures.total, sum(figures.from_others) / len(figures.names), 100.0)
    return figures


def _same(what: str, figure: float, parts: float, scale: float) -> None:
    if not abs(figure - parts) <= TOLERANCE * max(scale, abs(figure)):
        raise InvariantBroken(f"brief: {what} is {figure:g} but its parts add up to {parts:g}")
