"""What history says of stocks and homes: who leads, how they moved together, how rare a parting is, what came next."""

from __future__ import annotations

from datetime import date

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.economy.series import Series, align, require_months

Floats = npt.NDArray[np.float64]
HALF_YEAR = 6
FALL, RISE = -0.10, 0.08  # log over six months; chosen to bracket June 2026, so what follows is a base rate, not a test


class Causality(msgspec.Struct, frozen=True, kw_only=True):
    """Granger causality: the F statistic that the cause's past helps, with its degrees of freedom."""

    cause: str
    effect: str
    lags: int
    f: float
    degrees: tuple[int, int]


class LeadLag(msgspec.Struct, frozen=True, kw_only=True):
    """How two monthly log changes moved together between two days; deviations in percent."""

    first: date
    last: date
    same_month: float
    stocks_a_month_before: float
    stocks_deviation: float
    homes_deviation: float


class Episode(msgspec.Struct, frozen=True, kw_only=True):
    """One parting (stocks down, homes up over six months) and the percent changes after it; None: not yet known."""

    month: date
    gap: float
    stocks_next_6: float | None
    homes_next_6: float | None
    homes_next_12: float | None


class Divergence(msgspec.Struct, frozen=True, kw_only=True):
    """The gap of six-month log growth, homes less stocks: where it stands, how rare it is, what followed such gaps."""

    month: date
    gap: float
    percentile: float
    opposite_signs: float
    months: int
    episodes: tuple[Episode, ...]
    homes_after_a_fall: float
    falls: int
    homes_on_average: float


def monthly_pair(stocks: Series, homes: Series) -> tuple[npt.NDArray[np.datetime64], Floats]:
    """Return the months both series have and their month-end logs [months, 2]; refuses a month that is missing."""
    days, values = align((stocks.monthly(), homes.monthly()))
    require_months(days, name=f"{stocks.name} and {homes.name}")
    return days, np.asarray(np.log(values))


def granger(effect: Floats, cause: Floats, lags: int, *, names: tuple[str, str]) -> Causality:
    """Return whether the past of ``cause`` helps to explain ``effect`` (both [time]); names are (cause, effect).

    Raises Rejected when there are not more rows than coefficients.
    """
    rows = len(effect) - lags
    if lags < 1 or len(cause) != len(effect) or rows <= 2 * lags + 1:
        message = f"{len(effect)} and {len(cause)} rows do not carry {lags} lags"
        raise refuse(RejectionReason.INSUFFICIENT, message, field="lags")

    def lagged(series: Floats) -> Floats:
        return np.column_stack([series[lags - lag : len(series) - lag] for lag in range(1, lags + 1)])

    own = np.column_stack([np.ones(rows), lagged(effect)])
    both = np.column_stack([own, lagged(cause)])
    alone, together = (_rest(known, effect[lags:]) for known in (own, both))
    free = rows - both.shape[1]
    f = (alone - together) / lags / (together / free)
    return Causality(cause=names[0], effect=names[1], lags=lags, f=float(f), degrees=(lags, free))


def _rest(known: Floats, wanted: Floats) -> float:
    rest = wanted - known @ np.linalg.lstsq(known, wanted, rcond=None)[0]
    return float(rest @ rest)


def lead_lag(stocks: Series, homes: Series, first: date, last: date) -> LeadLag:
    """Return how log changes of the months ``first`` to ``last`` (any day of them) moved together."""
    days, logs = monthly_pair(stocks, homes)
    change, months = np.diff(logs, axis=0), days[1:].astype("datetime64[M]")
    place = np.flatnonzero((months >= np.datetime64(first, "M")) & (months <= np.datetime64(last, "M")))
    if len(place) < 3:
        message = f"{len(place)} months from {first} to {last}"
        raise refuse(RejectionReason.INSUFFICIENT, message, field="months")
    inside, later = change[place], place[place > 0]
    return LeadLag(
        first=first,
        last=last,
        same_month=_correlation(inside[:, 0], inside[:, 1]),
        stocks_a_month_before=_correlation(change[later, 1], change[later - 1, 0]),
        stocks_deviation=100.0 * float(inside[:, 0].std(ddof=1)),
        homes_deviation=100.0 * float(inside[:, 1].std(ddof=1)),
    )


def _correlation(left: Floats, right: Floats) -> float:
    a, b = left - left.mean(), right - right.mean()
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))


def divergence(stocks: Series, homes: Series) -> Divergence:
    """Return the parting of the last month, its rank among all six-month gaps, earlier episodes and what followed."""
    days, logs = monthly_pair(stocks, homes)
    growth = logs[HALF_YEAR:] - logs[:-HALF_YEAR]
    gap = growth[:, 1] - growth[:, 0]
    months = days[HALF_YEAR:]
    fell = growth[:, 0] < FALL
    later = growth[HALF_YEAR:, 1]
    after = later[fell[:-HALF_YEAR]]
    return Divergence(
        month=months[-1].astype(object),
        gap=float(gap[-1]),
        percentile=100.0 * float(np.mean(gap < gap[-1])),
        opposite_signs=float(np.mean(growth[:, 0] * growth[:, 1] < 0)),
        months=len(gap),
        episodes=_episodes(days, logs, fell & (growth[:, 1] > RISE), gap),
        homes_after_a_fall=100.0 * float(after.mean()) if after.size else 0.0,
        falls=len(after),
        homes_on_average=100.0 * float(growth[:, 1].mean()),
    )


def _episodes(
    days: npt.NDArray[np.datetime64], logs: Floats, parted: npt.NDArray[np.bool_], gap: Floats
) -> tuple[Episode, ...]:
    """Return the last month of each run of parted months, with what followed in percent."""
    found = []
    for place in np.flatnonzero(parted):
        if place + 1 < len(parted) and parted[place + 1]:
            continue
        now = int(place) + HALF_YEAR

        def percent(series: int, months: int, now: int = now) -> float | None:
            then = now + months
            return 100.0 * float(np.expm1(logs[then, series] - logs[now, series])) if then < len(logs) else None

        found.append(
            Episode(
                month=days[now].astype(object),
                gap=float(gap[place]),
                stocks_next_6=percent(0, HALF_YEAR),
                homes_next_6=percent(1, HALF_YEAR),
                homes_next_12=percent(1, 2 * HALF_YEAR),
            )
        )
    return tuple(found)
