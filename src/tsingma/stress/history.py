"""What the past says of the factors a reverse stress moves: their returns over windows, and how they move together."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.stress.shocks import Assumptions, FactorModel, LayerPart, MarketShock

Float64 = npt.NDArray[np.float64]

DECAY = 0.94  # of squared daily returns, RiskMetrics 1996
WINDOWS_MIN = 60
INDEX_RETURN, VOLATILITY = "index return", "log volatility ratio"


class FactorPast(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """Moves of the factors over windows, float64 [windows, factors], and their covariance."""

    factors: tuple[str, ...]
    moves: Float64
    covariance: Float64


def factor_past(index: Float64, model: FactorModel, parts: Sequence[LayerPart], assumptions: Assumptions) -> FactorPast:
    """Return the past of index, volatility and every layer with listed names of its own.

    ``index`` float64 [days] closes. A layer's move is the mean unexplained return of its names over the pass-through.
    Raises Rejected (missing) for fewer than 60 windows.
    """
    horizon = model.horizon_days
    daily = np.diff(np.log(index))
    variance = np.empty(daily.size)
    level = float(np.mean(daily[:20] ** 2))
    for place, value in enumerate(daily):
        level = DECAY * level + (1.0 - DECAY) * value * value
        variance[place] = level
    returns = index[horizon:] / index[:-horizon] - 1.0
    ratio = np.zeros(returns.size)
    ratio[1:] = 0.5 * np.log(variance[horizon:] / variance[:-horizon])
    columns, names = [returns, ratio], [INDEX_RETURN, VOLATILITY]
    for layer in sorted({part.layer for part in parts}):
        chosen = [
            (model.factors.index(p.counter), p.part) for p in parts if p.layer == layer and p.counter in model.factors
        ]
        if chosen and model.residual.shape[0] == returns.size:
            columns.append(
                np.mean([model.residual[:, place] / part for place, part in chosen], axis=0) / assumptions.pass_through
            )
            names.append(layer)
    moves = np.column_stack(columns)
    if moves.shape[0] < WINDOWS_MIN:
        raise refuse(RejectionReason.MISSING, f"{moves.shape[0]} windows, {WINDOWS_MIN} needed", field="history")
    return FactorPast(factors=tuple(names), moves=moves, covariance=np.cov(moves, rowvar=False))


def shock_of_point(factors: Sequence[str], point: Float64, horizon_days: int) -> MarketShock:
    """Return the market's moves at a point of the factors; moves beyond what is possible are cut to the possible."""
    named = dict(zip(factors, point.tolist(), strict=True))
    index = float(np.clip(named.pop(INDEX_RETURN), -0.95, 3.0))
    ratio = float(np.clip(np.exp(np.clip(named.pop(VOLATILITY), -2.0, 2.3)), 0.1, 10.0))
    layers = {name: float(np.clip(value, -5.0, 5.0)) for name, value in named.items()}
    return MarketShock(horizon_days=horizon_days, index_return=index, volatility_ratio=ratio, layers=layers)
