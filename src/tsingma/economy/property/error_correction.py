"""Home prices by error correction on quarters: the long run, the short run, and its forecasts beside no change.

ln P = k + b1 ln R + b2 ln H in the long run (Engle-Granger 1987, two steps by least squares); the short run explains
the change of ln P by its own past, changes of rents and stocks and the gap a quarter ago.
"""

from __future__ import annotations

from datetime import date

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.economy.draws import normals, replication_seeds
from tsingma.economy.series import Series, align

Floats = npt.NDArray[np.float64]
ROWS_MIN = 30
SHORT_RUN = ("constant", "own change before", "rents", "stocks", "stocks before", "correction")


class ErrorCorrection(msgspec.Struct, frozen=True, kw_only=True):
    """Estimates of both steps; ``unit_root_p`` is the probability of such a stationary gap among unrelated walks."""

    first: date
    last: date
    quarters: int
    long_run: tuple[float, float, float]  # constant, rents, stocks
    short_run: dict[str, float]
    t_values: dict[str, float]
    r_squared: float
    residual_deviation: float
    unit_root_lags: int
    unit_root_t: float
    unit_root_p: float


class OutOfSample(msgspec.Struct, frozen=True, kw_only=True):
    """One-quarter forecasts, estimated anew each quarter on what was known, beside no change; percent a quarter."""

    first: date
    last: date
    quarters: int
    error: float
    error_of_no_change: float
    better_than_no_change: bool


def quarterly_logs(prices: Series, rents: Series, stocks: Series) -> tuple[npt.NDArray[np.datetime64], Floats]:
    """Return the quarters all three have and their logs [quarters, 3]; stocks are taken at quarter ends."""
    days, values = align((prices, rents, stocks.quarterly()))
    if (np.diff(days.astype("datetime64[M]").astype(np.int64)) != 3).any():
        gap = days[int(np.argmax(np.diff(days.astype("datetime64[M]").astype(np.int64)) != 3))]
        raise refuse(RejectionReason.MISSING, f"the quarter after {gap} is missing", field="quarters")
    return days, np.asarray(np.log(values))


def estimate(prices: Series, rents: Series, stocks: Series, *, draws: int = 2_000, seed: int = 1) -> ErrorCorrection:
    """Return both steps on quarterly levels; ``draws`` random walks give the probability of the gap's unit root.

    Raises Rejected: a missing quarter, or fewer than thirty.
    """
    days, logs = quarterly_logs(prices, rents, stocks)
    long_run, short_run, rest, known = _fit(logs)
    free = len(rest) - known.shape[1]
    variance = float(rest @ rest) / free
    errors = np.sqrt(variance * np.diag(np.linalg.inv(known.T @ known)))
    wanted = np.diff(logs[:, 0])[1:]
    lags = unit_root_lags(logs)
    t = float(unit_root_t(logs[None], lags)[0])
    walks = normals(replication_seeds(seed, draws), 0, 3 * len(logs)).reshape(draws, len(logs), 3).cumsum(1)
    return ErrorCorrection(
        first=days[0].astype(object),
        last=days[-1].astype(object),
        quarters=len(logs),
        long_run=tuple(map(float, long_run)),  # type: ignore[arg-type]
        short_run=dict(zip(SHORT_RUN, map(float, short_run), strict=True)),
        t_values=dict(zip(SHORT_RUN, map(float, short_run / errors), strict=True)),
        r_squared=1.0 - float(rest @ rest) / float(((wanted - wanted.mean()) ** 2).sum()),
        residual_deviation=float(np.sqrt(variance)),
        unit_root_lags=lags,
        unit_root_t=t,
        unit_root_p=float(np.mean(unit_root_t(walks, lags) <= t)),
    )


def unit_root_t(logs: Floats, lags: int) -> Floats:
    """Return the augmented Dickey-Fuller t of the gap of the first column to the others, [batch].

    ``logs`` is float64 [batch, time, columns]; the regression has no constant, for the gap has mean zero.
    """
    return _dickey_fuller(_gaps(logs), lags, skip=lags)[0]


def unit_root_lags(logs: Floats) -> int:
    """Return the lags by Akaike's criterion on one common sample, up to 12 (time / 100)^(1/4) (Schwert 1989)."""
    gap = _gaps(logs[None])
    most = int(np.ceil(12.0 * (len(logs) / 100.0) ** 0.25))
    criterion = [float(_dickey_fuller(gap, lags, skip=most)[1][0]) for lags in range(most + 1)]
    return int(np.argmin(criterion))


def _gaps(logs: Floats) -> Floats:
    batch, rows, _ = logs.shape
    known = np.concatenate([np.ones((batch, rows, 1)), logs[:, :, 1:]], axis=2)
    return np.asarray(logs[:, :, 0] - np.einsum("btk,bk->bt", known, _solve(known, logs[:, :, 0])))


def _dickey_fuller(gap: Floats, lags: int, *, skip: int) -> tuple[Floats, Floats]:
    """Return t values and Akaike's criterion [batch] of the regression on changes from the ``skip``-th on."""
    change = np.diff(gap, axis=1)
    before = [change[:, skip - lag : change.shape[1] - lag] for lag in range(1, lags + 1)]
    known = np.stack([gap[:, skip:-1], *before], axis=2)
    wanted = change[:, skip:]
    found = _solve(known, wanted)
    squares = ((wanted - np.einsum("btk,bk->bt", known, found)) ** 2).sum(1)
    rows = wanted.shape[1]
    inverse = np.linalg.inv(np.einsum("btk,btl->bkl", known, known))
    error = np.sqrt(squares / (rows - known.shape[2]) * inverse[:, 0, 0])
    return np.asarray(found[:, 0] / error), np.asarray(rows * np.log(squares / rows) + 2 * known.shape[2])


def _solve(known: Floats, wanted: Floats) -> Floats:
    normal = np.einsum("btk,btl->bkl", known, known)
    return np.asarray(np.linalg.solve(normal, np.einsum("btk,bt->bk", known, wanted)[..., None])[..., 0])


def _fit(logs: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Return long run [3], short run [6], residuals and regressors of the short run."""
    if len(logs) < ROWS_MIN:
        message = f"{len(logs)} quarters, {ROWS_MIN} are needed"
        raise refuse(RejectionReason.INSUFFICIENT, message, field="quarters")
    levels = np.column_stack([np.ones(len(logs)), logs[:, 1:]])
    long_run = np.linalg.lstsq(levels, logs[:, 0], rcond=None)[0]
    gap = logs[:, 0] - levels @ long_run
    change = np.diff(logs, axis=0)
    known = np.column_stack(
        [np.ones(len(change) - 1), change[:-1, 0], change[1:, 1], change[1:, 2], change[:-1, 2], gap[1:-1]]
    )
    short_run = np.linalg.lstsq(known, change[1:, 0], rcond=None)[0]
    rest = change[1:, 0] - known @ short_run
    return np.asarray(long_run, np.float64), np.asarray(short_run, np.float64), rest, np.asarray(known)


def out_of_sample(prices: Series, rents: Series, stocks: Series, first: date) -> OutOfSample:
    """Return the root mean square of one-quarter errors from the quarter of ``first`` on, beside no change.

    Each quarter is estimated on the quarters before it; rents and stocks of the quarter itself are taken as known.
    """
    days, logs = quarterly_logs(prices, rents, stocks)
    start = int(np.searchsorted(days, np.datetime64(first)))
    if start >= len(logs):
        raise refuse(RejectionReason.BEYOND_HORIZON, f"no quarter from {first} on", field="first")
    errors = []
    for now in range(start, len(logs)):
        long_run, short_run, _, _ = _fit(logs[:now])
        change = np.diff(logs[: now + 1], axis=0)
        gap = logs[now - 1, 0] - long_run @ np.array([1.0, *logs[now - 1, 1:]])
        known = np.array([1.0, change[-2, 0], change[-1, 1], change[-1, 2], change[-2, 2], gap])
        errors.append((change[-1, 0] - known @ short_run, change[-1, 0]))
    ours, still = 100.0 * np.sqrt(np.mean(np.square(errors), axis=0))
    return OutOfSample(
        first=days[start].astype(object),
        last=days[-1].astype(object),
        quarters=len(errors),
        error=float(ours),
        error_of_no_change=float(still),
        better_than_no_change=bool(ours < still),
    )


def quarterly_forecast(prices: Series, rents: Series, stocks: Series) -> float:
    """Return the price index of the quarter after the last of ``prices``: its stocks are known, its rents stand still.

    Estimated on the quarters that prices have; raises Rejected when stocks do not reach the quarter.
    """
    days, logs = quarterly_logs(prices, rents, stocks)
    ahead = stocks.quarterly()
    place = int(np.searchsorted(ahead.days, days[-1])) + 1
    if place >= len(ahead.days):
        raise refuse(RejectionReason.BEYOND_HORIZON, "stocks end with the prices", field="stocks")
    long_run, short_run, _, _ = _fit(logs)
    change = np.diff(logs, axis=0)
    gap = logs[-1, 0] - long_run @ np.array([1.0, *logs[-1, 1:]])
    moved = float(np.log(ahead.values[place]) - logs[-1, 2])
    known = np.array([1.0, change[-1, 0], 0.0, moved, change[-1, 2], gap])
    return float(np.exp(logs[-1, 0] + known @ short_run))
