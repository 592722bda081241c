"""Spillovers between markets: forecast-error variance of a vector autoregression, by where the shocks came from.

Vector autoregression by least squares; decomposition generalised (Pesaran-Shin 1998, rows scaled to 100 as in
Diebold-Yilmaz 2012) or by Cholesky factor in the order of the columns (Diebold-Yilmaz 2009). Horizon H counts the
responses at 0 to H - 1, as the published tables do.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import RejectionReason, refuse

Floats = npt.NDArray[np.float64]
VARIABLES_MAX = 200
HORIZON_MAX = 1_000
CONDITION_MAX = 1e12


class Decomposition(StrEnum):
    """How correlated shocks are told apart."""

    GENERALISED = "generalised"  # does not depend on the order of the columns
    CHOLESKY = "cholesky"  # a column is hit only by those before it at once


@dataclass(frozen=True, slots=True)
class Autoregression:
    """A fitted vector autoregression: coefficients [lag, to, from], residual covariance, largest root of its map."""

    coefficients: Floats
    intercept: Floats
    covariance: Floats
    observations: int
    largest_root: float


@dataclass(frozen=True, slots=True)
class Spillovers:
    """A spillover table in percent: ``table[i, j]`` of the forecast-error variance of i comes from j; rows sum to 100.

    ``to_others`` and ``from_others`` leave the diagonal out; ``total`` is the mean of ``from_others``.
    """

    names: tuple[str, ...]
    table: Floats
    lags: int
    horizon: int
    decomposition: Decomposition
    largest_root: float

    @property
    def from_others(self) -> Floats:
        """Return, for each row, the percent that comes from the others [variables]."""
        return np.asarray(self.table.sum(1) - np.diag(self.table))

    @property
    def to_others(self) -> Floats:
        """Return, for each column, the sum of percents it gives to the others [variables]."""
        return np.asarray(self.table.sum(0) - np.diag(self.table))

    @property
    def net(self) -> Floats:
        """Return what each gives less what it receives [variables]."""
        return self.to_others - self.from_others

    @property
    def total(self) -> float:
        """Return the spillover index: the mean percent that comes from others."""
        return float(self.from_others.mean())


def fit(data: npt.ArrayLike, lags: int) -> Autoregression:
    """Return the least-squares autoregression of ``data`` [time, variables] with an intercept.

    Raises Rejected: missing numbers, too few rows, a constant or repeated column (condition number in the message).
    """
    values = np.asarray(data, np.float64)
    if values.ndim != 2 or not 1 <= values.shape[1] <= VARIABLES_MAX:
        message = f"shape {values.shape}: rows of 1 to {VARIABLES_MAX} variables are needed"
        raise refuse(RejectionReason.MALFORMED, message, field="data")
    if not np.isfinite(values).all():
        row, column = np.argwhere(~np.isfinite(values))[0]
        message = f"row {row + 1}, column {column + 1} has no number"
        raise refuse(RejectionReason.MISSING, message, field="data", remedy="fill or drop it first")
    rows, width = values.shape
    if lags < 1 or rows - lags <= width * lags + 1:
        message = f"{rows} rows do not carry {lags} lags of {width} variables"
        raise refuse(RejectionReason.INSUFFICIENT, message, field="lags")
    known = np.hstack([np.ones((rows - lags, 1)), *(values[lags - lag : rows - lag] for lag in range(1, lags + 1))])
    orthogonal, triangle = np.linalg.qr(known)
    scale = np.linalg.norm(known, axis=0)
    condition = np.linalg.cond(triangle / np.where(scale > 0, scale, 1.0))
    if not condition < CONDITION_MAX:
        message = f"columns are constant or repeat each other (condition number {condition:.3g})"
        raise refuse(RejectionReason.CONFLICT, message, field="data")
    solved = np.linalg.solve(triangle, orthogonal.T @ values[lags:])
    rest = values[lags:] - known @ solved
    coefficients = np.ascontiguousarray(solved[1:].reshape(lags, width, width).swapaxes(1, 2))
    covariance = rest.T @ rest / (rows - lags - width * lags - 1)
    return Autoregression(coefficients, solved[0], covariance, rows - lags, _largest_root(coefficients))


def responses(model: Autoregression, horizon: int) -> Floats:
    """Return the moving-average matrices at 0 to horizon - 1, float64 [horizon, to, from]."""
    lags, width, _ = model.coefficients.shape
    found = np.zeros((horizon, width, width))
    found[0] = np.eye(width)
    for step in range(1, horizon):
        for lag in range(1, min(lags, step) + 1):
            found[step] += model.coefficients[lag - 1] @ found[step - lag]
    return found


def decompose(model: Autoregression, horizon: int, decomposition: Decomposition) -> Floats:
    """Return the share of each variable's forecast-error variance by source, rows summing to one."""
    if not 1 <= horizon <= HORIZON_MAX:
        message = f"horizon {horizon} is not between 1 and {HORIZON_MAX}"
        raise refuse(RejectionReason.OUT_OF_RANGE, message, field="horizon")
    moving = responses(model, horizon)
    if decomposition is Decomposition.CHOLESKY:
        impact = moving @ np.linalg.cholesky(model.covariance)
    else:
        impact = moving @ model.covariance / np.sqrt(np.diag(model.covariance))
    shares = (impact**2).sum(0)
    return np.asarray(shares / shares.sum(1, keepdims=True))


def spillovers(
    data: npt.ArrayLike,
    names: tuple[str, ...],
    *,
    lags: int,
    horizon: int = 10,
    decomposition: Decomposition = Decomposition.GENERALISED,
) -> Spillovers:
    """Return the spillover table of ``data`` [time, variables]; raises Rejected as :func:`fit` and for odd names."""
    model = fit(data, lags)
    if len(names) != len(model.intercept):
        message = f"{len(names)} names for {len(model.intercept)} columns"
        raise refuse(RejectionReason.CONFLICT, message, field="names")
    table = 100.0 * decompose(model, horizon, decomposition)
    return Spillovers(names, table, lags, horizon, decomposition, model.largest_root)


def _largest_root(coefficients: Floats) -> float:
    """Return the largest absolute eigenvalue of the companion matrix; shocks die out below one."""
    lags, width, _ = coefficients.shape
    companion = np.eye(lags * width, k=-width)
    companion[:width] = np.hstack(list(coefficients))
    return float(np.abs(np.linalg.eigvals(companion)).max())
