"""Shares of currencies by function: logistic partial adjustment with inertia, a network term, policy and noise.

logit s' = rho logit s + (1 - rho) (a + b x + network x mean share in the other functions + policy) + noise, after
Chinn-Frankel 2007; then shares are scaled so that the currencies of each function sum to one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.economy.renminbi.parameters import InertiaSet

Floats = npt.NDArray[np.float64]
SUM_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class ShareModel:
    """Coefficients by function and currency; ``anchor`` is the constant that makes the starting shares stand still.

    ``inertia`` and ``network`` are float64 [functions]; ``start`` and ``anchor`` float64 [functions, currencies].
    """

    inertia: Floats
    network: Floats
    start: Floats
    anchor: Floats


def share_model(inertia: Floats, network: Floats, start: Floats) -> ShareModel:
    """Return the model anchored at ``start`` [functions, currencies]; raises Rejected for shares that are none."""
    require_shares(start)
    if not ((inertia >= 0) & (inertia < 1)).all():
        raise refuse(RejectionReason.OUT_OF_RANGE, f"inertia {inertia} is not from 0 to 1", field="inertia")
    return ShareModel(inertia, network, start, logit(start) - network[:, None] * mean_elsewhere(start))


def require_shares(shares: Floats) -> None:
    """Refuse shares [..., functions, currencies] that are not above zero or do not sum to one over currencies."""
    if not np.isfinite(shares).all() or (shares <= 0).any() or (shares >= 1).any():
        worst = np.unravel_index(int(np.argmin(np.where(np.isfinite(shares), shares, -np.inf))), shares.shape)
        message = f"share {shares[worst]} of cell {tuple(map(int, worst))} is not between 0 and 1"
        raise refuse(RejectionReason.OUT_OF_RANGE, message, field="shares")
    gap = np.abs(shares.sum(-1) - 1.0).max()
    if gap > SUM_TOLERANCE:
        message = f"shares of a function sum to one, off by {gap:.3g}"
        raise refuse(RejectionReason.CONFLICT, message, field="shares")


def logit(shares: Floats) -> Floats:
    """Return ln(s / (1 - s))."""
    return np.asarray(np.log(shares) - np.log1p(-shares))


def mean_elsewhere(shares: Floats) -> Floats:
    """Return, for each function and currency, the mean share in the other functions (the network term)."""
    functions = shares.shape[-2]
    return np.asarray((shares.sum(-2, keepdims=True) - shares) / max(functions - 1, 1))


def step(
    model: ShareModel, shares: Floats, *, years: float, pull: Floats | float = 0.0, noise: Floats | float = 0.0
) -> Floats:
    """Return the shares ``years`` later, float64 [..., functions, currencies].

    ``pull`` moves the long-run logit (covariates and policy), ``noise`` the logit itself. Inertia is by the year.
    """
    kept = model.inertia[:, None] ** years
    long_run = model.anchor + model.network[:, None] * mean_elsewhere(shares) + pull
    moved = kept * logit(shares) + (1.0 - kept) * long_run + noise
    found = 1.0 / (1.0 + np.exp(-moved))
    return np.asarray(found / found.sum(-1, keepdims=True))


def published_step(
    published: InertiaSet, share: float, *, credibility: float = 0.0, gdp_share: float = 0.0, dollar: bool = False
) -> float:
    """Return the share of reserves next year from the published regression, net of its time effect.

    The table's column decides the coefficients; the dollar's own terms count where the column has them.
    """
    credible, size = published.credibility.value, published.gdp_share.value
    if dollar and published.credibility_dollar and published.gdp_share_dollar:
        credible += published.credibility_dollar.value
        size += published.gdp_share_dollar.value
    return published.lagged.value * share + credible * credibility + size * gdp_share


def half_life_years(inertia: float) -> float:
    """Return the years until half of a disturbance is gone: ln 0.5 / ln inertia, inertia between 0 and 1."""
    if not 0.0 < inertia < 1.0:
        raise refuse(RejectionReason.OUT_OF_RANGE, f"inertia {inertia} is not between 0 and 1", field="inertia")
    return math.log(0.5) / math.log(inertia)


def network_fixed_points(strength: float) -> tuple[float, ...]:
    """Return where s = 1 / (1 + exp(-strength (2 s - 1))), lowest first: one point up to strength 2, three above.

    The map is that of adoption when the gain from a currency rises with the part of others that use it.
    """
    if not 0.0 <= strength <= 100.0:
        raise refuse(RejectionReason.OUT_OF_RANGE, f"strength {strength} is not from 0 to 100", field="strength")
    if strength <= 2.0:
        return (0.5,)
    low, high = 0.0, 0.5 - 0.5 * math.sqrt(1.0 - 2.0 / strength)  # the map's slope is one at the upper end

    def excess(s: float) -> float:
        return 1.0 / (1.0 + math.exp(-strength * (2.0 * s - 1.0))) - s

    while high - low > 1e-15:
        middle = 0.5 * (low + high)
        if middle in (low, high):
            break
        low, high = (middle, high) if excess(middle) > 0 else (low, middle)
    return low, 0.5, 1.0 - low


def estimate_inertia(shares: Floats) -> tuple[float, float, float, float]:
    """Return slope, its standard error, constant and long-run share of logit s on its own last value.

    ``shares`` is float64 [time], at least ten. Least squares with an intercept.
    """
    if shares.ndim != 1 or len(shares) < 10:
        raise refuse(RejectionReason.INSUFFICIENT, f"{len(shares)} shares, ten are needed", field="shares")
    series = logit(shares)
    known = np.column_stack([np.ones(len(series) - 1), series[:-1]])
    (constant, slope), *_ = np.linalg.lstsq(known, series[1:], rcond=None)
    rest = series[1:] - known @ np.array([constant, slope])
    error = math.sqrt(rest @ rest / (len(rest) - 2) * np.linalg.inv(known.T @ known)[1, 1])
    return float(slope), error, float(constant), 1.0 / (1.0 + math.exp(-constant / (1.0 - slope)))
