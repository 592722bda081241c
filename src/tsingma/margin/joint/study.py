"""Books through time: each house's margin alone, the joint figure, and whether losses that came were covered.

On every day the book is taken as it is written, at that day's prices, with nothing known of later days; what it then
lost over each house's holding period is held against what that house would have called. A house whose own cover has
worn thin gives less credit, or none, until its cover is back (:class:`CoverageControl`).
"""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.margin.house.historical import Kind
from tsingma.margin.house.holdings import Book, House
from tsingma.margin.house.past import MarketPast
from tsingma.margin.house.revaluation import profits
from tsingma.margin.house.standalone import house_figure
from tsingma.margin.joint.allocation import Allocation
from tsingma.margin.joint.requirement import HouseRisk, JointMargin, JointSettings, joint_margin, reduction_seen
from tsingma.margin.joint.two_pot import TwoPots, two_pots

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

# names of whole-book margins beside the allocations
ALONE, ONE_POT, ONE_POT_GOVERNED = "alone", "one pot", "one pot governed"


class CoverageControl(msgspec.Struct, frozen=True, kw_only=True):
    """How realised cover governs credit.

    Each day a house gives the largest part of its credit with which at most ``tolerance_e4`` ten-thousandths of all
    days known by then would have been uncovered; parts are multiples of 1 / ``steps``. There is no credit before the
    outcomes of ``minimum`` trading days are known.
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


class WholeBook(msgspec.Struct, frozen=True, kw_only=True):
    """A way to margin the whole book: the mean over days, and the days on which the book lost more in all."""

    mean_margin: int
    uncovered: int


class BookStudy(msgspec.Struct, frozen=True, kw_only=True):
    """One book: the joint margin of the last day, and coverage over all days under each allocation.

    ``whole`` holds the whole book alone (houses added up), in one pot, in one pot with its saving governed by cover as
    credits are, and as called under each allocation; losses are those over the longest holding period. ``two_pots`` is
    the last day by two further rules.
    """

    book: str
    days: int
    first_row: int
    last_row: int
    last: JointMargin
    coverage: dict[str, tuple[HouseCoverage, ...]]
    whole: dict[str, WholeBook]
    two_pots: TwoPots


def joint_horizon(book: Book, past: MarketPast, row: int) -> int:
    """Return the longest holding period of a book's houses, in trading days."""
    return max(past.period(holding, row) for holding in book.holdings)


def house_risks(book: Book, past: MarketPast, row: int) -> list[HouseRisk]:
    """Return the risk of a book at each of its houses on one day: stand-alone margin and scenario profits.

    Each house also runs its own scenarios, at its own holding period, over everything: what it would find if it saw
    the combined portfolio.
    """
    factors = {holding.factor for holding in book.holdings}
    horizon = joint_horizon(book, past, row)
    by_house = {house: [one for one in book.holdings if one.house is house] for house in book.houses}
    stress = past.stress(row, horizon, factors)
    known: dict[int, dict[House, Int64]] = {}

    def all_over(days: int) -> dict[House, Int64]:
        """Return what each house's holdings gain in the scenarios of a holding period, revalued once."""
        if days not in known:
            moves = past.scenarios(row, days, factors)
            known[days] = {house: profits(own, moves) for house, own in by_house.items()}
        return known[days]

    risks = []
    for house, holdings in by_house.items():
        periods = {past.period(one, row) for one in holdings}
        days = max(periods)
        own = all_over(days)[house] if len(periods) == 1 else past.own_profits(holdings, row, Kind.FILTERED)
        risks.append(
            HouseRisk(
                house=str(house),
                standalone=house_figure(house, holdings, past, row).total,
                profit=all_over(horizon)[house],
                own_profit=own,
                stress_profit=profits(holdings, stress),
                reduction=reduction_seen(list(all_over(days).values())),
            )
        )
    return risks


class BookSeries(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """A book day by day: joint margins, what each house then lost over its holding period, and the whole book."""

    book: Book
    rows: tuple[int, ...]
    margins: tuple[JointMargin, ...]
    losses: Int64  # [days, houses], plus is a loss
    joint_losses: Int64  # [days], over the longest holding period
    every: int  # days from one to the next
    lag: int  # steps until an outcome is known


def book_series(book: Book, past: MarketPast, settings: JointSettings | None = None, *, every: int = 1) -> BookSeries:
    """Return a book's margins and losses on every ``every``-th day.

    Raises Rejected when the history is too short, or a factor is missing.
    """
    past.require(book.holdings)
    rows = range(past.first_row, past.last_row + 1, every)
    if not rows:
        message = f"{past.history.days} days of prices, more than {past.first_row + past.longest} are needed"
        raise refuse(RejectionReason.MISSING, message, field="prices")
    by_house = [[one for one in book.holdings if one.house is house] for house in book.houses]
    margins, losses, joint_losses = [], [], []
    for row in rows:
        margins.append(joint_margin(book.name, house_risks(book, past, row), settings))
        losses.append([-past.own_outcome(own, row) for own in by_house])
        joint_losses.append(-past.total(book.holdings, row, joint_horizon(book, past, row)))
    return BookSeries(
        book=book,
        rows=tuple(rows),
        margins=tuple(margins),
        losses=np.array(losses, np.int64),
        joint_losses=np.array(joint_losses, np.int64),
        every=every,
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
    series = book_series(book, past, settings, every=every)
    outcomes = Outcomes(series, control)
    margins, last = series.margins, series.rows[-1]
    paths = {
        ALONE: outcomes.standalone.sum(axis=1),
        ONE_POT: outcomes.one_pot(governed=False),
        ONE_POT_GOVERNED: outcomes.one_pot(governed=True),
    }
    paths.update({str(name): outcomes.called(name).sum(axis=1) for name in Allocation})
    return BookStudy(
        book=book.name,
        days=len(series.rows),
        first_row=series.rows[0],
        last_row=last,
        last=margins[-1],
        coverage={str(name): outcomes.of(name) for name in Allocation},
        whole={
            name: WholeBook(mean_margin=int(path.sum()) // path.size, uncovered=int((series.joint_losses > path).sum()))
            for name, path in paths.items()
        },
        two_pots=two_pots(book, house_risks(book, past, last), past, last, settings),
    )


class Outcomes:
    """Margins and losses of a book side by side: what was called and what was covered."""

    def __init__(self, series: BookSeries, control: CoverageControl | None = None) -> None:
        """Keep the series; credits follow the control as outcomes become known."""
        self._book, self._margins, self._losses = series.book, series.margins, series.losses
        self._joint_losses = series.joint_losses
        self._control, self._lag, self._every = control or CoverageControl(), series.lag, series.every
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
            self._factors[allocation] = self._parts(self._losses, self.standalone, self.credit(allocation))
        return self._factors[allocation]

    def one_pot(self, *, governed: bool) -> Int64:
        """Return the margin in one pot by day, int64 [days]: as computed, or with its saving governed by cover.

        Governed as a house's credit is: the pool holds the stand-alone sum until its own cover is known, and gives
        the largest part of the saving that the losses of the whole book have allowed.
        """
        pot = np.array([one.one_pot for one in self._margins], np.int64)
        if not governed:
            return pot
        alone = self.standalone.sum(axis=1)
        parts = self._parts(self._joint_losses[:, None], alone[:, None], (alone - pot)[:, None])[:, 0]
        given: Int64 = np.floor((alone - pot) * parts).astype(np.int64)
        called: Int64 = alone - given
        return called

    def _parts(self, losses: Int64, standalone: Int64, credit: Int64) -> Float64:
        """Return the part of each credit that realised cover allows, float64 [days, k] of int64 [days, k] each."""
        control = self._control
        parts = np.arange(control.steps + 1) / control.steps
        breach = losses[:, :, None] > standalone[:, :, None] - credit[:, :, None] * parts
        known = np.concatenate([np.zeros((1, *breach.shape[1:]), np.int64), np.cumsum(breach, axis=0)])
        stop = np.maximum(np.arange(len(self._margins)) - self._lag + 1, 0)  # outcomes known on each day
        allowed = stop * control.tolerance_e4 // 10_000
        fits = known[stop] <= allowed[:, None, None]
        # Breaches grow with the part given: the last part of the run of fits from zero is the largest that fits.
        count = np.cumprod(fits, axis=2).sum(axis=2)
        seasoned = (stop * self._every >= control.minimum)[:, None]
        found: Float64 = np.where(seasoned, np.maximum(count - 1, 0), 0) / control.steps
        return found

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
