"""Closed forms of propagation: one critical input, and the influence of each sector on the whole.

Sources: constant elasticity of substitution (Arrow, Chenery, Minhas and Solow 1961) for one input cut; Acemoglu,
Carvalho, Ozdaglar and Tahbaz-Salehi 2012, Econometrica 80(5), for the influence vector of a Cobb-Douglas economy.
"""

from __future__ import annotations

import numpy as np

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.economy.chain.table import Float64


def output_after_cut(share: float, cut: float, elasticity: float) -> float:
    """Return output over base when one input of a cost share is cut by a part, all else fixed.

    ``Y = [share (1-cut)^((s-1)/s) + (1-share)]^(s/(s-1))``; Cobb-Douglas at s = 1. Raises Rejected: share or cut
    outside 0 to 1, or an elasticity that is not positive.
    """
    for name, value in (("share", share), ("cut", cut)):
        if not 0 <= value < 1:
            raise refuse(RejectionReason.OUT_OF_RANGE, f"{value:g} is outside 0 to 1", field=name)
    if elasticity <= 0:
        raise refuse(RejectionReason.OUT_OF_RANGE, f"{elasticity:g} is not positive", field="elasticity")
    if abs(elasticity - 1.0) < 1e-9:
        return float((1.0 - cut) ** share)
    power = (elasticity - 1.0) / elasticity
    return float((share * (1.0 - cut) ** power + (1.0 - share)) ** (1.0 / power))


def influence(inputs: Float64, labour_share: float) -> Float64:
    """Return the influence of each sector on log output [n]: ``v = (alpha/n) [I - (1-alpha) W']^-1 1``.

    ``inputs`` [n, n] is W, row j the input shares of sector j (each sums to 1). Raises Rejected for other shares.
    """
    if not 0 < labour_share <= 1:
        raise refuse(RejectionReason.OUT_OF_RANGE, f"{labour_share:g} is outside 0 to 1", field="labour_share")
    if (inputs < 0).any() or np.abs(inputs.sum(axis=1) - 1.0).max() > 1e-9:
        raise refuse(RejectionReason.CONFLICT, "input shares are negative or do not sum to 1", field="inputs")
    n = inputs.shape[0]
    system = np.eye(n) - (1.0 - labour_share) * inputs.T
    found: Float64 = np.linalg.solve(system, np.full(n, labour_share / n))
    return found


def aggregate_volatility(inputs: Float64, labour_share: float, sigma: float = 1.0) -> float:
    """Return the standard deviation of log output when every sector has independent shocks of ``sigma``."""
    return sigma * float(np.linalg.norm(influence(inputs, labour_share)))
