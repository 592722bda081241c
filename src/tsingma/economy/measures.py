"""How uneven a distribution is: Theil, Gini, HHI, Palma, Wolfson, Esteban-Ray, and the two arms of a K.

``y`` is income by unit and ``w`` its weight (people, firms); weights need not sum to 1. Sources: Theil 1967 and its
decomposition; Wolfson 1994 and Esteban and Ray 1994 for polarisation; reference A1.2 for the definition of K.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import RejectionReason, refuse

Float64 = npt.NDArray[np.float64]

ALPHA_MAX = 1.6  # Esteban and Ray: above it their axioms do not hold


class Theil(msgspec.Struct, frozen=True, kw_only=True):
    """Theil's T and its exact parts: ``total = within + between``."""

    total: float
    within: float
    between: float


class KShape(msgspec.Struct, frozen=True, kw_only=True):
    """The two arms of a K: log change of the mean income of each against the base, and the widening between them."""

    upper: float
    lower: float
    gap: float  # upper - lower: positive where the arms move apart


def _checked(y: Float64, w: Float64 | None) -> tuple[Float64, Float64]:
    y = np.asarray(y, np.float64)
    w = np.ones_like(y) if w is None else np.asarray(w, np.float64)
    if y.ndim != 1 or not y.size or w.shape != y.shape:
        message = f"incomes {y.shape} and weights {w.shape}: two equal rows expected"
        raise refuse(RejectionReason.MALFORMED, message, field="y")
    if not (np.isfinite(y).all() and np.isfinite(w).all()) or (y < 0).any() or (w < 0).any():
        raise refuse(RejectionReason.OUT_OF_RANGE, "an income or weight is negative or not finite", field="y")
    if w.sum() <= 0 or (w * y).sum() <= 0:
        raise refuse(RejectionReason.OUT_OF_RANGE, "there is nothing to distribute", field="y")
    return y, w / w.sum()


def theil(y: Float64, w: Float64 | None = None, groups: Sequence[object] | None = None) -> Theil:
    """Return Theil's T, ``sum w (y/m) ln(y/m)``, split within and between groups (one group: all within).

    Raises Rejected for negative numbers or rows of unequal length.
    """
    y, w = _checked(y, w)
    labels = [0] * y.size if groups is None else list(groups)
    if len(labels) != y.size:
        raise refuse(RejectionReason.MALFORMED, f"{len(labels)} groups for {y.size} incomes", field="groups")
    mean = float(w @ y)
    total = float(w @ _entropy(y / mean))
    between = 0.0
    for label in dict.fromkeys(labels):
        chosen = np.array([one == label for one in labels])
        weight = float(w[chosen].sum())
        if weight > 0:
            between += weight * float(_entropy(np.array([(w[chosen] @ y[chosen]) / weight / mean]))[0])
    return Theil(total=total, within=total - between, between=between)


def _entropy(ratio: Float64) -> Float64:
    """Return r ln r, 0 at 0."""
    found: Float64 = ratio * np.log(np.where(ratio > 0, ratio, 1.0))
    return found


def gini(y: Float64, w: Float64 | None = None) -> float:
    """Return the Gini coefficient: mean absolute difference over twice the mean."""
    y, w = _checked(y, w)
    return float(w @ np.abs(y[:, None] - y) @ w / (2.0 * (w @ y)))


def herfindahl(shares: Float64) -> float:
    """Return the Herfindahl-Hirschman index, 0 to 1, of amounts that are made shares first."""
    shares, _ = _checked(shares, None)
    return float(((shares / shares.sum()) ** 2).sum())


def lorenz(y: Float64, w: Float64 | None, part: float) -> float:
    """Return the share of income of the poorest ``part``, linear between units."""
    y, w = _checked(y, w)
    order = np.argsort(y, kind="stable")
    people = np.concatenate([[0.0], np.cumsum(w[order])])
    income = np.concatenate([[0.0], np.cumsum((w * y)[order])]) / float(w @ y)
    return float(np.interp(part, people, income))


def palma(y: Float64, w: Float64 | None = None) -> float:
    """Return the income of the top tenth over that of the bottom four tenths; infinite where those have nothing."""
    bottom = lorenz(y, w, 0.4)
    return (1.0 - lorenz(y, w, 0.9)) / bottom if bottom > 0 else float("inf")


def wolfson(y: Float64, w: Float64 | None = None) -> float:
    """Return Wolfson's polarisation: ``2 (2 (0.5 - L(0.5)) - Gini) / (median / mean)``."""
    values, weights = _checked(y, w)
    order = np.argsort(values, kind="stable")
    reached = np.searchsorted(np.cumsum(weights[order]), 0.5 - 1e-12)
    median = float(values[order][reached])
    if median <= 0:
        raise refuse(RejectionReason.OUT_OF_RANGE, "the median income is 0", field="y")
    spread = 2.0 * (0.5 - lorenz(values, weights, 0.5))
    return 2.0 * (spread - gini(values, weights)) * float(weights @ values) / median


def esteban_ray(y: Float64, w: Float64 | None = None, alpha: float = 1.3) -> float:
    """Return Esteban and Ray's polarisation of y over its mean: ``sum_i sum_j w_i^(1+a) w_j |y_i - y_j|``.

    At alpha 0 it is twice the Gini. Raises Rejected for alpha outside 0 to 1.6.
    """
    if not 0 <= alpha <= ALPHA_MAX:
        raise refuse(RejectionReason.OUT_OF_RANGE, f"{alpha:g} is outside 0 to {ALPHA_MAX}", field="alpha")
    y, w = _checked(y, w)
    ratio = y / float(w @ y)
    return float(w ** (1.0 + alpha) @ np.abs(ratio[:, None] - ratio) @ w)


def k_shape(before: Float64, after: Float64, upper: Sequence[bool], w: Float64 | None = None) -> KShape:
    """Return both arms: log change of the mean income of the units in ``upper`` and of the rest.

    Raises Rejected where an arm is empty or has no income.
    """
    old, weights = _checked(before, w)
    new, _ = _checked(after, w)
    chosen = np.asarray(upper, np.bool_)
    arms = []
    for arm in (chosen, ~chosen):
        was, now = float(weights[arm] @ old[arm]), float(weights[arm] @ new[arm])
        if was <= 0 or now <= 0:
            raise refuse(RejectionReason.OUT_OF_RANGE, "an arm of the K has no income", field="upper")
        arms.append(float(np.log(now / was)))
    return KShape(upper=arms[0], lower=arms[1], gap=arms[0] - arms[1])
