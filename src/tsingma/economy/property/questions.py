"""Two questions to the model of stocks and homes: which flows make a given end, and what an end hangs on."""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.economy.calibration import Calibration, Target, calibrate
from tsingma.economy.draws import replication_seeds
from tsingma.economy.property.model import INDICATORS, MonthInputs, simulate
from tsingma.economy.property.parameters import coefficients, rows, start_on, with_columns
from tsingma.economy.property.run import in_units
from tsingma.economy.sensitivity import SobolIndex, sobol

Floats = npt.NDArray[np.float64]
SHIFTERS = ("southbound", "mainland_buying")
BOUNDS = (-30.0, 30.0)  # points
REPLICATIONS = 2_000


def calibrate_flows(
    start: date, months: int, *, home_price: float, hsi: float, gap: float | None = None, seed: int = 1
) -> Calibration:
    """Return the steady flow shifters (points) whose medians after ``months`` are the given price and index.

    The loss is in logs. ``gap`` is the log gap of homes to stocks that came; it is held out, with a gap of zero as the
    benchmark of no change. Raises Rejected: an unknown start, a level not above zero, no convergence.
    """
    if not (home_price > 0 and hsi > 0 and months >= 1):
        message = f"price {home_price} and index {hsi} after {months} months"
        raise refuse(RejectionReason.OUT_OF_RANGE, message, field="targets", remedy="levels above zero")
    begun, seeds = start_on(start), replication_seeds(seed, REPLICATIONS)

    def ends(points: Floats) -> Floats:
        found = []
        for southbound, buying in points:
            done = MonthInputs(southbound=float(southbound), mainland_buying=float(buying))
            logs = simulate(begun, coefficients(), [done] * months, seeds)[:, :, -1]
            price, index = np.median(logs[:, 0]), np.median(logs[:, 2])
            row = [price + np.log(begun.home_price), index + np.log(begun.hsi)]
            found.append(row if gap is None else [*row, float(np.median(logs[:, 9]))])
        return np.array(found)

    targets = [
        Target(id="home price", observed=float(np.log(home_price))),
        Target(id="HSI", observed=float(np.log(hsi))),
    ]
    if gap is not None:
        targets.append(Target(id="gap of homes to stocks", observed=gap, held_out=True, last_known=0.0))
    return calibrate(ends, SHIFTERS, (0.0, 0.0), (BOUNDS, BOUNDS), targets)


def drivers(of: str, months: int, *, samples: int = 256, seed: int = 1) -> tuple[SobolIndex, ...]:
    """Return the Sobol indices of an indicator's end over the ranges of every coefficient, largest total first.

    The run starts on 30 June 2026; noise is the same in every row, so that only coefficients differ. Raises Rejected
    for an unknown indicator, or without SALib.
    """
    if of not in INDICATORS:
        remedy = f"there are: {', '.join(INDICATORS)}"
        raise refuse(RejectionReason.UNKNOWN, f"no indicator '{of}'", field="of", remedy=remedy)
    start = start_on(date(2026, 6, 30))
    varied = [row for row in rows() if row.low < row.high]
    names = [row.name for row in varied]
    seed_of_all = replication_seeds(seed, 1)

    def end(points: Floats) -> Floats:
        seeds = np.repeat(seed_of_all, len(points))
        given = with_columns(coefficients(), names, points)
        logs = simulate(start, given, [MonthInputs()] * months, seeds)
        return np.asarray(in_units(logs, start)[:, INDICATORS.index(of), -1])

    found = sobol(end, names, [(row.low, row.high) for row in varied], samples=samples, seed=seed)
    return tuple(sorted(found, key=lambda index: -index.total))
