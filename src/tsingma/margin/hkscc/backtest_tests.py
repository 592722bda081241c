"""Tests of a margin model's exceedances: Kupiec, Christoffersen and the Basel traffic light.

P. Kupiec, "Techniques for verifying the accuracy of risk measurement models", Journal of Derivatives 3(2), 1995;
P. Christoffersen, "Evaluating interval forecasts", International Economic Review 39(4), 1998; Basel Committee,
"Supervisory framework for the use of backtesting", January 1996, table 2. 0 ln 0 is taken as 0.
"""

from __future__ import annotations

import math
from enum import StrEnum

import numpy as np
import numpy.typing as npt


class Zone(StrEnum):
    """Basel traffic light of a count of exceedances."""

    GREEN = "green"  # the chance of at most so many is below 95%
    YELLOW = "yellow"  # from 95%
    RED = "red"  # from 99.99%


def _log_likelihood(hits: int, misses: int, rate: float) -> float:
    """Return hits ln(rate) + misses ln(1 - rate), with 0 ln 0 = 0."""
    left = hits * math.log(rate) if hits else 0.0
    return left + (misses * math.log1p(-rate) if misses else 0.0)


def kupiec_statistic(days: int, exceedances: int, rate: float) -> float:
    """Return LR_uc, chi-squared with one degree of freedom when ``rate`` is the true exceedance rate."""
    if not days:
        return 0.0
    expected = _log_likelihood(exceedances, days - exceedances, rate)
    return max(-2.0 * (expected - _log_likelihood(exceedances, days - exceedances, exceedances / days)), 0.0)


def christoffersen_statistic(exceeded: npt.NDArray[np.bool_]) -> float:
    """Return LR_ind of a series of exceedances bool [n], chi-squared (1) when they come independently of each other."""
    before, after = exceeded[:-1], exceeded[1:]
    n00, n01 = int((~before & ~after).sum()), int((~before & after).sum())
    n10, n11 = int((before & ~after).sum()), int((before & after).sum())
    if not n00 + n01 or not n10 + n11:
        return 0.0
    one_rate = (n01 + n11) / (n00 + n01 + n10 + n11)
    together = _log_likelihood(n01 + n11, n00 + n10, one_rate)
    apart = _log_likelihood(n01, n00, n01 / (n00 + n01)) + _log_likelihood(n11, n10, n11 / (n10 + n11))
    return max(-2.0 * (together - apart), 0.0)


def p_value_one(statistic: float) -> float:
    """Return the chance of a chi-squared value with one degree of freedom at or above ``statistic``."""
    return math.erfc(math.sqrt(statistic / 2.0))


def p_value_two(statistic: float) -> float:
    """Return the chance of a chi-squared value with two degrees of freedom at or above ``statistic``."""
    return math.exp(-statistic / 2.0)


def binomial_at_most(days: int, exceedances: int, rate: float) -> float:
    """Return the chance of at most ``exceedances`` in ``days`` independent days."""
    logs = (
        math.lgamma(days + 1) - math.lgamma(k + 1) - math.lgamma(days - k + 1) + _log_likelihood(k, days - k, rate)
        for k in range(exceedances + 1)
    )
    return min(math.fsum(math.exp(each) for each in logs), 1.0)


def traffic_light(days: int, exceedances: int, rate: float) -> Zone:
    """Return the Basel zone: for 250 days at 1%, green up to 4 exceedances, yellow up to 9, red from 10."""
    chance = binomial_at_most(days, exceedances, rate)
    if chance >= 0.9999:
        return Zone.RED
    return Zone.YELLOW if chance >= 0.95 else Zone.GREEN
