"""Scenarios of zero curves: what they moved over a holding period, as it was or at today's volatility.

A scenario shifts today's zero rates by the absolute change of each node over the days of the past; filtered, the whole
curve's change is scaled by its EWMA volatility of today over that of then, so that the shape of a move stays as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from tsingma.basics.dates import to_date
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.kernels.ewma import ewma_variance
from tsingma.margin.hkscc.history_settings import FilterSettings
from tsingma.margin.house.contracts import Contract, CurveBook
from tsingma.market.curve_history import CurveSeries

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

BASIS_POINT = 1e-4
VOLATILITY_FLOOR = 1e-5  # a tenth of a basis point a day: a curve that stood still must not blow up its own past
BOOKS_KEPT = 16


class RatesPast:
    """Curves on the days of a history, and the contracts that are valued on them."""

    def __init__(
        self, curves: Sequence[CurveSeries], contracts: Mapping[str, Contract], settings: FilterSettings
    ) -> None:
        """Prepare volatilities; the curves stand on the same days. Raises Rejected for a contract without its curve."""
        self.contracts, self.curves, self._settings = contracts, tuple(curves), settings
        self._curves = {curve.name: curve for curve in curves}
        for one in contracts.values():
            if one.curve not in self._curves:
                names = ", ".join(sorted(self._curves)) or "none"
                raise refuse(
                    RejectionReason.MISSING, f"there is no curve '{one.curve}'", subject=f"contract {one.id}",
                    line=one.line, field="curve", remedy=f"there are: {names}",
                )  # fmt: skip
        self._moves = {name: np.diff(curve.rates, axis=0) for name, curve in self._curves.items()}
        self._volatility = {name: self._ewma(moves) for name, moves in self._moves.items()}
        self._books: dict[tuple[tuple[str, ...], int], CurveBook] = {}

    def _ewma(self, moves: Float64) -> Float64:
        """Return the volatility of a curve at each close, float64 [n]: the root of the mean square over nodes."""
        seed = (moves[: self._settings.seed_days] ** 2).mean(axis=0)
        variance = ewma_variance(moves, seed, self._settings.decay_e4 / 10_000).mean(axis=1)
        volatility: Float64 = np.sqrt(np.concatenate([[seed.mean()], variance]))
        return np.maximum(volatility, VOLATILITY_FLOOR)

    def squares(self) -> Float64:
        """Return the mean over curves of squared one-day moves, each in units of its own mean, float64 [n - 1]."""
        each = [(moves**2).mean(axis=1) for moves in self._moves.values()]
        found: Float64 = np.mean([one / max(float(one.mean()), VOLATILITY_FLOOR**2) for one in each], axis=0)
        return found

    def currency(self, name: str) -> str:
        """Return the currency of a contract."""
        return self._curves[self.contracts[name].curve].currency

    def profits(
        self, names: Sequence[str], row: int, starts: Int64, days: int, *, filtered: bool
    ) -> dict[str, Float64]:
        """Return what a face of one of each contract gains in its own currency when the past comes again.

        ``starts`` int64 [scenarios] rows on which the moves began; they last ``days`` rows.
        """

        def moved(curve: CurveSeries) -> Float64:
            shift = curve.rates[starts + days] - curve.rates[starts]
            if filtered:
                volatility = self._volatility[curve.name]
                scale = np.minimum(volatility[row] / volatility[starts], self._settings.rescale_cap_e2 / 100)
                shift = shift * scale[:, None]
            return shift

        return self._profits(names, row, moved)

    def profits_of_a_basis_point(self, names: Sequence[str], row: int) -> dict[str, float]:
        """Return what a face of one of each contract gains when its whole curve rises by a basis point."""
        found = self._profits(names, row, lambda curve: np.full((1, curve.years.size), BASIS_POINT))
        return {name: float(profit[0]) for name, profit in found.items()}

    def _profits(self, names: Sequence[str], row: int, moved: Callable[[CurveSeries], Float64]) -> dict[str, Float64]:
        found: dict[str, Float64] = {}
        for name in sorted({self.contracts[one].curve for one in names}):
            curve, chosen = self._curves[name], tuple(one for one in names if self.contracts[one].curve == name)
            today = curve.rates[row]
            values = self._book(curve, chosen, row).values(np.vstack([today, today + moved(curve)]))
            found.update({one: values[one][1:] - values[one][0] for one in chosen})
        return found

    def _book(self, curve: CurveSeries, names: tuple[str, ...], row: int) -> CurveBook:
        """Return contracts on a curve at the close of a row, written once."""
        key = (names, row)
        if key not in self._books:
            if len(self._books) >= BOOKS_KEPT:
                self._books.clear()
            chosen, day = [self.contracts[name] for name in names], to_date(int(curve.dates[row]))
            self._books[key] = CurveBook(chosen, self.contracts, day, curve.years, curve.rates[row : row + 1])
        return self._books[key]
