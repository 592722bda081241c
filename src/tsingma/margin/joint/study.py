"""Books through time: each house's margin alone, the joint figure, and whether losses that came were covered.

On every day the book is taken as it is written, at that day's prices, with nothing known of later days; what it then
lost over each house's holding period is held against what that house would have called. A house whose own cover has
worn thin gives less credit, or none, until its cover is back (:class:`CoverageControl`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.dates import to_date
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.margin.hkscc.history_scenarios import ScenarioSource, scenario_source
from tsingma.margin.house.holdings import BASKET, FX, INDEX, Book, Holding, House
from tsingma.margin.house.models import HouseModels, otc_margin, scan_arrays, scan_margins, securities_margin
from tsingma.margin.house.revaluation import TRADING_DAYS, Moves, profits
from tsingma.margin.joint.allocation import Allocation
from tsingma.margin.joint.requirement import HouseRisk, JointMargin, JointSettings, joint_margin
from tsingma.market.history import PriceHistory

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

VOLATILITY_MIN, VOLATILITY_MAX = 0.05, 2.0  # a year
RATIO_MAX = 3.0


class CoverageControl(msgspec.Struct, frozen=True, kw_only=True):
    """How realised cover governs credit.

    Each day a house gives the largest part of its credit with which at most ``tolerance_e4`` ten-thousandths of all
    days known by then would have been uncovered; parts are multiples of 1 / ``steps``. There is no
    credit before ``minimum`` outcomes are known.
    """

    minimum: int = 250
    tolerance_e4: int = 50
    steps: int = 20


class HouseCoverage(msgspec.Struct, frozen=True, kw_only=True):
    """One house over the days of a study: mean margin before and after, and the days it did not cover.

    ``credit_factor`` is the mean part of its credit that the house gave; ``last_factor`` that of the last day.
    """

    house: str
    mean_standalone: int
    mean_called: int
    credit_factor: float
    last_factor: float
    uncovered_before: int
    uncovered_after: int


class BookStudy(msgspec.Struct, frozen=True, kw_only=True):
    """One book: the joint margin of the last day, and coverage over all days under each allocation."""

    book: str
    days: int
    first_row: int
    last_row: int
    last: JointMargin
    mean_saving: int
    coverage: dict[str, tuple[HouseCoverage, ...]]
    uncovered_joint: int  # days on which the whole book lost more than all houses together called (Euler)


class MarketPast:
    """A price history with its scenarios at every holding period that the houses use."""

    def __init__(self, history: PriceHistory, models: HouseModels) -> None:
        """Prepare the scenarios; raises Rejected when the history is too short."""
        self.history, self.models = history, models
        extras = (INDEX, FX)
        self._counters = [k for k, name in enumerate(history.instruments) if name not in extras]
        self._column = {name: k for k, name in enumerate(history.instruments)}
        periods = sorted(set(models.holding_days.values()))
        self._sources = {
            days: scenario_source(history, msgspec.structs.replace(models.filter, holding_period_days=days))
            for days in periods
        }
        self.longest = max(periods)

    @property
    def first_row(self) -> int:
        """Return the first day with a full look-back and a stress window."""
        settings = self.models.filter
        return max(settings.look_back_days, settings.stress_days + 2) + 2 * self.longest + 1

    @property
    def last_row(self) -> int:
        """Return the last day whose outcome is known."""
        return self.history.days - self.longest - 1

    def require(self, holdings: Sequence[Holding], *, file: str = "") -> None:
        """Raise Rejected naming the line of a factor that the history does not have."""
        for holding in holdings:
            known = holding.factor in self._column or (holding.factor == INDEX) or holding.factor == BASKET
            if not known:
                remedy = "give its prices, or take the line out"
                raise refuse(
                    RejectionReason.MISSING, f"'{holding.factor}' is not in the price history", file=file,
                    line=holding.line, field="factor", remedy=remedy,
                )  # fmt: skip

    def scenarios(self, row: int, days: int, factors: set[str], *, stressed: bool = False) -> Moves:
        """Return the scenarios of a day over a holding period, known at its close."""
        source = self._sources[days]
        found = source.svar(row, source.stress_window(row)) if stressed else source.hvar(row)
        first, count = found.first_row, found.returns.shape[0]
        return self._moves(source, days, row, factors, found.returns, np.arange(first, first + count))

    def day(self, row: int) -> date:
        """Return the day of a row."""
        return to_date(int(self.history.dates[row]))

    def scenario_days(self, row: int, days: int) -> list[date]:
        """Return the day on which each scenario of :meth:`scenarios` began."""
        found = self._sources[days].hvar(row)
        return [self.day(found.first_row + k) for k in range(found.returns.shape[0])]

    def price_ratio(self, row: int, later: int, factor: str) -> float:
        """Return a factor's price at a later row over that at a row; the basket's is the mean of its counters'."""
        close = self.history.close_e4[:, self._columns(factor)].astype(np.float64)
        known = (close[row] > 0) & (close[later] > 0)
        if not known.any():
            raise refuse(RejectionReason.MISSING, f"'{factor}' has no price on one of the days", field="prices")
        return float(np.mean(close[later][known] / close[row][known]))

    def outcome(self, row: int, days: int, factors: set[str]) -> Moves:
        """Return what happened over the holding period after a day; a suspended counter stands still."""
        source = self._sources[days]
        known = np.nan_to_num(source.returns[row : row + 1], nan=0.0)
        return self._moves(source, days, row, factors, known, np.array([row]))

    def _moves(
        self, source: ScenarioSource, days: int, row: int, factors: set[str], returns: Float64, starts: Int64
    ) -> Moves:
        ratio = source.volatility[np.minimum(starts + days, self.history.days - 1)] / np.maximum(
            source.volatility[starts], 1e-6
        )
        ratio = np.clip(np.nan_to_num(ratio, nan=1.0), 1.0 / RATIO_MAX, RATIO_MAX)
        columns = {factor: self._columns(factor) for factor in factors}
        return Moves(
            horizon_days=days,
            returns={factor: returns[:, chosen].mean(axis=1) for factor, chosen in columns.items()},
            volatility_ratio={factor: ratio[:, chosen].mean(axis=1) for factor, chosen in columns.items()},
            volatility={factor: self.volatility(row, factor) for factor in factors},
        )

    def volatility(self, row: int, factor: str) -> float:
        """Return a factor's EWMA volatility a year at a close, between 5 % and 200 %."""
        source = self._sources[min(self._sources)]
        daily = float(np.nanmean(source.sigma(row)[self._columns(factor)]))
        return float(min(max(daily * TRADING_DAYS**0.5, VOLATILITY_MIN), VOLATILITY_MAX))

    def _columns(self, factor: str) -> list[int]:
        if factor in self._column:
            return [self._column[factor]]
        return self._counters  # the basket, and the index of a history that brings none


def house_risks(book: Book, past: MarketPast, row: int) -> list[HouseRisk]:
    """Return the risk of a book at each of its houses on one day: stand-alone margin and scenario profits."""
    models = past.models
    horizon = max(models.holding_days[house] for house in book.houses)
    factors = {holding.factor for holding in book.holdings}
    joint = past.scenarios(row, horizon, factors)
    risks = []
    for house in book.houses:
        holdings = [holding for holding in book.holdings if holding.house is house]
        own = past.scenarios(row, models.holding_days[house], factors)
        risks.append(
            HouseRisk(
                house=str(house),
                standalone=_standalone(house, holdings, own, past, row),
                profit=profits(holdings, joint),
                own_profit=profits(holdings, own),
            )
        )
    return risks


def _standalone(house: House, holdings: Sequence[Holding], own: Moves, past: MarketPast, row: int) -> int:
    if house is House.HKSCC:
        factors = {holding.factor for holding in holdings}
        stress = past.scenarios(row, past.models.holding_days[house], factors, stressed=True)
        return securities_margin(holdings, own, stress, past.models)
    if house is House.OTC_CLEAR:
        return otc_margin(holdings, own, past.models)
    volatility = [past.volatility(row, holding.factor) for holding in holdings]
    return scan_margins(holdings, scan_arrays(holdings, volatility, past.models.scan))


class BookSeries(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """A book day by day: joint margins, what each house then lost over its holding period, and the whole book."""

    book: Book
    rows: tuple[int, ...]
    margins: tuple[JointMargin, ...]
    losses: Int64  # [days, houses], plus is a loss
    joint_losses: Int64  # [days], over the longest holding period
    lag: int  # days until an outcome is known


def book_series(book: Book, past: MarketPast, settings: JointSettings | None = None, *, every: int = 1) -> BookSeries:
    """Return a book's margins and losses on every ``every``-th day.

    Raises Rejected when the history is too short, or a factor is missing.
    """
    past.require(book.holdings)
    rows = range(past.first_row, past.last_row + 1, every)
    if not rows:
        message = f"{past.history.days} days of prices, more than {past.first_row + past.longest} are needed"
        raise refuse(RejectionReason.MISSING, message, field="prices")
    factors = {holding.factor for holding in book.holdings}
    horizon = max(past.models.holding_days[house] for house in book.houses)
    by_house = [[one for one in book.holdings if one.house is house] for house in book.houses]
    margins, losses, joint_losses = [], [], []
    for row in rows:
        margins.append(joint_margin(book.name, house_risks(book, past, row), settings))
        outcomes = [past.outcome(row, past.models.holding_days[house], factors) for house in book.houses]
        losses.append([-int(profits(one, outcome)[0]) for one, outcome in zip(by_house, outcomes, strict=True)])
        joint_losses.append(-int(profits(book.holdings, past.outcome(row, horizon, factors))[0]))
    return BookSeries(
        book=book,
        rows=tuple(rows),
        margins=tuple(margins),
        losses=np.array(losses, np.int64),
        joint_losses=np.array(joint_losses, np.int64),
        lag=-(-past.longest // every),
    )


def study_book(
    book: Book,
    past: MarketPast,
    settings: JointSettings | None = None,
    *,
    every: int = 1,
    control: CoverageControl | None = None,
) -> BookStudy:
    """Return a book's joint margin through time, on every ``every``-th day; raises Rejected as :func:`book_series`."""
    return summarise(book_series(book, past, settings, every=every), control)


def summarise(series: BookSeries, control: CoverageControl | None = None) -> BookStudy:
    """Return margins and coverage of a book over its days."""
    outcomes = Outcomes(series, control)
    called = outcomes.called(Allocation.EULER).sum(axis=1)
    margins = series.margins
    return BookStudy(
        book=series.book.name,
        days=len(series.rows),
        first_row=series.rows[0],
        last_row=series.rows[-1],
        last=margins[-1],
        mean_saving=int(sum(margin.standalone for margin in margins) - called.sum()) // len(margins),
        coverage={str(name): outcomes.of(name) for name in Allocation},
        uncovered_joint=int((series.joint_losses > called).sum()),
    )


class Outcomes:
    """Margins and losses of a book side by side: what was called and what was covered."""

    def __init__(self, series: BookSeries, control: CoverageControl | None = None) -> None:
        """Keep the series; credits follow the control as outcomes become known."""
        self._book, self._margins, self._losses = series.book, series.margins, series.losses
        self._control, self._lag = control or CoverageControl(), series.lag
        self._factors: dict[Allocation, Float64] = {}
        self.standalone = np.array(
            [[each.standalone for each in one.shares[0].houses] for one in series.margins], np.int64
        )

    def credit(self, allocation: Allocation) -> Int64:
        """Return the credit of every day and house before control, int64 [days, houses]."""
        return np.array([[each.credit for each in one.by(allocation).houses] for one in self._margins], np.int64)

    def called(self, allocation: Allocation) -> Int64:
        """Return what every house called on every day, int64 [days, houses]."""
        given = np.floor(self.credit(allocation) * self.factors(allocation)).astype(np.int64)
        called: Int64 = self.standalone - given
        return called

    def factors(self, allocation: Allocation) -> Float64:
        """Return the part of its credit that each house gives on each day, float64 [days, houses]."""
        if allocation not in self._factors:
            control, credit = self._control, self.credit(allocation)
            parts = np.arange(control.steps + 1) / control.steps
            breach = self._losses[:, :, None] > self.standalone[:, :, None] - credit[:, :, None] * parts
            known = np.concatenate([np.zeros((1, *breach.shape[1:]), np.int64), np.cumsum(breach, axis=0)])
            stop = np.maximum(np.arange(len(self._margins)) - self._lag + 1, 0)  # outcomes known on each day
            allowed = stop * control.tolerance_e4 // 10_000
            fits = known[stop] <= allowed[:, None, None]
            # Breaches grow with the part given: the last part of the run of fits from zero is the largest that fits.
            count = np.cumprod(fits, axis=2).sum(axis=2)
            seasoned = (stop >= control.minimum)[:, None]
            self._factors[allocation] = np.where(seasoned, np.maximum(count - 1, 0), 0) / control.steps
        return self._factors[allocation]

    def of(self, allocation: Allocation) -> tuple[HouseCoverage, ...]:
        """Return the coverage of every house under an allocation."""
        called, factors = self.called(allocation), self.factors(allocation)
        return tuple(
            HouseCoverage(
                house=str(house),
                mean_standalone=int(self.standalone[:, place].sum()) // len(self._margins),
                mean_called=int(called[:, place].sum()) // len(self._margins),
                credit_factor=round(float(factors[:, place].mean()), 4),
                last_factor=float(factors[-1, place]),
                uncovered_before=int((self._losses[:, place] > self.standalone[:, place]).sum()),
                uncovered_after=int((self._losses[:, place] > called[:, place]).sum()),
            )
            for place, house in enumerate(self._book.houses)
        )
