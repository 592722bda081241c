"""Price paths of the simulated market: one market factor, own moves, fat tails, volatility in clusters."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tsingma.simulate.shape import ReturnShape

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]


def daily_returns(shape: ReturnShape, days: int, counters: int, chance: np.random.Generator) -> Float64:
    """Return simulated daily log returns [days, counters].

    Return = beta x market + own move; both are Student-t with unit variance, scaled by a variance that clusters:
    v[t] = (1 - persistence) x v + reaction x r[t-1]^2 + (persistence - reaction) x v[t-1].
    """
    freedom = shape.tail_degrees_of_freedom
    unit = np.sqrt((freedom - 2) / freedom)
    beta = chance.uniform(shape.beta_low, shape.beta_high, counters)
    own = chance.uniform(shape.own_volatility_low, shape.own_volatility_high, counters)
    shocks = chance.standard_t(freedom, (days, counters + 1)) * unit
    level = np.concatenate([[shape.market_volatility_daily], own]) ** 2
    variance, moves = level.copy(), np.empty((days, counters + 1))
    for day in range(days):
        moves[day] = shocks[day] * np.sqrt(variance)
        variance = (
            (1 - shape.cluster_persistence) * level
            + shape.cluster_reaction * np.minimum(moves[day] ** 2, 25 * level)
            + (shape.cluster_persistence - shape.cluster_reaction) * variance
        )
    returns: Float64 = moves[:, :1] * beta + moves[:, 1:]
    return returns


def closes_ending_at(last_e4: Int64, returns: Float64) -> Int64:
    """Return closes [days + 1, counters] whose last row is ``last_e4``; at least one ten-thousandth."""
    from_end = np.concatenate([np.cumsum(returns[::-1], axis=0)[::-1], np.zeros((1, returns.shape[1]))])
    closes: Int64 = np.maximum(np.rint(last_e4 * np.exp(-from_end)), 1).astype(np.int64)
    return closes


def closes_after(first_e4: Int64, returns: Float64) -> Int64:
    """Return closes [days, counters] that follow ``first_e4``; at least one ten-thousandth."""
    closes: Int64 = np.maximum(np.rint(first_e4 * np.exp(np.cumsum(returns, axis=0))), 1).astype(np.int64)
    return closes
