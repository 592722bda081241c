"""The Cox-Ross-Rubinstein tree for many American options abreast: one row a contract, one column a node."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Float64 = npt.NDArray[np.float64]


def american_tree(
    sign: Float64, spot: Float64, strike: Float64, years: Float64, volatility: Float64, rate: Float64, steps: int
) -> Float64:
    """Return prices of American options on a spot without dividends, float64 [n].

    Source: J. Cox, S. Ross and M. Rubinstein, Option pricing: a simplified approach, Journal of Financial Economics 7,
    1979. The caller has made sure that volatility x sqrt(step) exceeds |rate| x step, so probabilities are in (0, 1).
    """
    step = years / steps
    up = np.exp(volatility * np.sqrt(step))
    grown = np.exp(rate * step)
    probability = (grown - 1.0 / up) / (up - 1.0 / up)
    power = np.arange(-steps, steps + 1, 1.0)
    prices = spot[:, None] * up[:, None] ** power  # every price of the tree: node j of level i is column steps - i + 2j
    payoff = np.maximum(sign[:, None] * (prices - strike[:, None]), 0.0)
    value = payoff[:, ::2].copy()
    rise, fall = (probability / grown)[:, None], ((1.0 - probability) / grown)[:, None]
    for level in range(steps - 1, -1, -1):
        value = rise * value[:, 1:] + fall * value[:, :-1]
        np.maximum(value, payoff[:, steps - level : steps + level + 1 : 2], out=value)
    result: Float64 = value[:, 0]
    return result
