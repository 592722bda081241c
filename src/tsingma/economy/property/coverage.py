"""Are the fans wide enough? Starts taken from the series at past month ends, run forward, and set beside what came."""

from __future__ import annotations

from datetime import date

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.economy.draws import replication_seeds
from tsingma.economy.observations import EconomicData
from tsingma.economy.property.model import INDICATORS, MonthInputs, simulate
from tsingma.economy.property.parameters import Start, coefficients
from tsingma.economy.scenario import month_end
from tsingma.economy.series import Series, align

Floats = npt.NDArray[np.float64]
LEVELS = (0.5, 0.8, 0.9)
REPLICATIONS = 1_000
YEAR = 12
COMPARED = {"home_price.RVD": "ccl", "equity.HSI": "hsi"}


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """How often what came lay inside the middle part of the fan, and where the median was on average (log)."""

    indicator: str
    months_ahead: int
    origins: int
    first: date
    last: date
    inside: dict[float, float]
    bias: float


def start_from(data: EconomicData, day: date) -> Start:
    """Return where the market stood at the month end of ``day``, from what was known then but for RVD's lag.

    Prices are Centaline's, for they come by month; the gap is to the model's long run with the constant that made the
    gap zero on average until then. Raises Rejected before the first year of every series.
    """
    month = month_end(day, 0)
    _, logs = _monthly_logs(data, month)
    if len(logs) < YEAR + 3:
        raise refuse(RejectionReason.BEYOND_HORIZON, f"no year of every series before {day}", field="start")
    given = coefficients()
    gap = logs[:, 0] - given.long_run_rent * logs[:, 1] - given.long_run_stocks * logs[:, 2]
    change = np.diff(logs, axis=0)
    year = date(month.year - (month.month < 12), 12, 1)
    return Start(
        day=month,
        home_price=float(np.exp(logs[-1, 0])),
        home_rent=float(np.exp(logs[-1, 1])),
        hsi=float(np.exp(logs[-1, 2])),
        hibor=float(data.hibor.between(month.replace(day=1), month).values.mean()),
        home_sales=data.home_sales.at(month),
        price_change=float(change[-1, 0]),
        price_change_before=float(change[-2, 0]),
        stocks_change=float(change[-1, 2]),
        stocks_change_before=float(change[-2, 2]),
        gap=float(gap[-1] - gap.mean()),
        vacancy=data.vacancy.at(year),
        completions_a_year=data.completions.at(year),
        expected_growth=float(logs[-1, 0] - logs[-1 - YEAR, 0]),
        expected_stocks_growth=float(logs[-1, 2] - logs[-1 - YEAR, 2]),
        source=f"public series at the end of {month:%Y-%m}",
    )


def fan_coverage(
    data: EconomicData, first: date, last: date, *, months_ahead: int = YEAR, every: int = 3, seed: int = 1
) -> tuple[Coverage, ...]:
    """Return the coverage of prices and index over origins from ``first`` to ``last``, every ``every`` months.

    Coefficients are those of the whole sample and origins overlap, so this flatters the model a little and is no test
    of size; it is a check that fans are neither narrow nor idle. Raises Rejected when there is no origin.
    """
    months = range(0, 12 * (last.year - first.year) + last.month - first.month + 1, every)
    origins = [month_end(first, ahead) for ahead in months]
    if not origins:
        raise refuse(RejectionReason.OUT_OF_RANGE, f"no origin from {first} to {last}", field="origins")
    ranks: dict[str, list[float]] = {name: [] for name in COMPARED}
    misses: dict[str, list[float]] = {name: [] for name in COMPARED}
    inputs = [MonthInputs()] * months_ahead
    for place, origin in enumerate(origins):
        seeds = replication_seeds(seed + place, REPLICATIONS)
        ends = simulate(start_from(data, origin), coefficients(), inputs, seeds)[:, :, -1]
        for name, source in COMPARED.items():
            series: Series = getattr(data, source)
            came = float(np.log(series.at(month_end(origin, months_ahead)) / series.at(origin)))
            drawn = ends[:, INDICATORS.index(name)]
            ranks[name].append(float(np.mean(drawn <= came)))
            misses[name].append(float(np.median(drawn)) - came)
    return tuple(
        Coverage(
            indicator=name,
            months_ahead=months_ahead,
            origins=len(origins),
            first=origins[0],
            last=origins[-1],
            inside={level: float(np.mean(np.abs(np.array(ranks[name]) - 0.5) <= level / 2)) for level in LEVELS},
            bias=float(np.mean(misses[name])),
        )
        for name in COMPARED
    )


def _monthly_logs(data: EconomicData, last: date) -> tuple[npt.NDArray[np.datetime64], Floats]:
    """Return months and logs of price, rent (between quarters) and index up to a month [months, 3]."""
    prices, stocks = data.ccl.monthly(), data.hsi.monthly()
    days, values = align((prices, stocks))
    kept = days <= np.datetime64(last)
    days, values = days[kept], values[kept]
    quarters = data.home_rent.days.astype("datetime64[M]").astype(np.int64)
    rents = np.interp(days.astype("datetime64[M]").astype(np.int64), quarters, np.log(data.home_rent.values))
    return days, np.column_stack([np.log(values[:, 0]), rents, np.log(values[:, 1])])
