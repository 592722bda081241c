"""How much a margin swings: measures reported next to coverage.

Common practice (CPMI-IOSCO, "Transparency and responsiveness of initial margin", 2025): peak to trough, the largest
rise over n days, the volatility of daily changes, the share of days on a floor.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import RejectionReason, refuse

HORIZONS = (1, 5, 30)


class Procyclicality(msgspec.Struct, frozen=True, kw_only=True):
    """Swings of a margin path: ratios are plain numbers, rises by horizon in days as parts of the margin before."""

    peak_to_trough: float
    largest_rise: dict[int, float]
    change_deviation: float
    floor_share: float


def procyclicality(
    margin: npt.ArrayLike, floor: npt.ArrayLike = 0, horizons: Sequence[int] = HORIZONS
) -> Procyclicality:
    """Return the measures of a path of margins [days] of one unchanged book; ``floor`` is a number or a path.

    Raises Rejected for fewer than two days, or a margin that is not positive.
    """
    path = np.asarray(margin, np.float64)
    if path.ndim != 1 or path.size < 2:
        raise refuse(RejectionReason.MISSING, f"{path.size} days of margin, two are needed", field="margin")
    if not (np.isfinite(path).all() and (path > 0).all()):
        raise refuse(RejectionReason.OUT_OF_RANGE, "a margin is not positive", field="margin")
    rises = {days: float(np.max(path[days:] / path[:-days] - 1.0)) if path.size > days else 0.0 for days in horizons}
    return Procyclicality(
        peak_to_trough=float(path.max() / path.min()),
        largest_rise=rises,
        change_deviation=float(np.std(np.diff(np.log(path)))),
        floor_share=float(np.mean(path <= np.asarray(floor, np.float64) * (1 + 1e-12))),
    )
