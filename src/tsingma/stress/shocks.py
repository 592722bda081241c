"""From a path of the economy to what happens to every instrument within the houses' holding period.

return of a name = beta x return of the index + part x pass-through x change of its layer's value added + residual

Betas and residuals are estimated on a price history; what has none takes the dated assumption of ``assumptions.toml``.
Which names live off which layer is a table too (``layers.csv``). A path runs over months, a close-out over days: the
market is taken to price the path's largest step at once (``arrival`` 1), which is severe and a named input.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.economy.path import HSI, USDCNH, Path, Unit
from tsingma.margin.house.holdings import CONTRACTS, INDEX, Holding
from tsingma.margin.house.revaluation import Moves
from tsingma.stress.rates import CurveMove, RatesNow, path_moves

Float64 = npt.NDArray[np.float64]

RETURN_MIN = -0.99
VOLATILITY_RATIO_MAX = 10.0
DAYS_MIN = 60  # joint days with the index below which a beta is not estimated
VALUE_ADDED = "value_added."


class Assumptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What prices do not tell: see ``data/assumptions.toml`` for the source of each."""

    beta_without_history: float
    mainland_beta: float
    structured_gearing: float
    pass_through: float
    arrival: float
    volatility_without_history: float


class MarketShock(msgspec.Struct, frozen=True, kw_only=True):
    """What happens within ``horizon_days`` trading days, as parts of one.

    ``layers`` log changes of value added by layer (``KOR.memory``); ``names`` returns that replace the model's for
    single factors; ``volatility_ratio`` implied volatility after / before; ``correlation`` how far what betas leave
    unexplained moves as one (0 as in history, 1 all names together, each by its own size); ``rates`` moves of zero
    curves by currency or curve.
    """

    horizon_days: int
    index_return: float = 0.0
    volatility_ratio: float = 1.0
    renminbi_return: float = 0.0  # of CNH in HKD
    correlation: float = 0.0
    layers: dict[str, float] = {}
    names: dict[str, float] = {}
    rates: dict[str, CurveMove] = {}

    def __post_init__(self) -> None:
        """Refuse impossible moves."""
        if not 1 <= self.horizon_days <= 20:
            raise refuse(RejectionReason.OUT_OF_RANGE, f"{self.horizon_days} is not 1 to 20", field="horizon_days")
        moves = {"index_return": self.index_return, "renminbi_return": self.renminbi_return, **self.names}
        for field, value in moves.items():
            if not RETURN_MIN <= value <= 5.0:
                raise refuse(RejectionReason.OUT_OF_RANGE, f"{value} is no return", field=field)
        if not 0.1 <= self.volatility_ratio <= VOLATILITY_RATIO_MAX:
            message = f"{self.volatility_ratio} is not 0.1 to {VOLATILITY_RATIO_MAX}"
            raise refuse(RejectionReason.OUT_OF_RANGE, message, field="volatility_ratio")
        if not 0.0 <= self.correlation <= 1.0:
            raise refuse(RejectionReason.OUT_OF_RANGE, f"{self.correlation} is not 0 to 1", field="correlation")
        for field, value in self.layers.items():
            if not -10.0 <= value <= 10.0:
                raise refuse(RejectionReason.OUT_OF_RANGE, f"{value} is no log change", field=f"layers.{field}")


class LayerPart(msgspec.Struct, frozen=True):
    """How much of a listed name lives off a layer: ``part`` of one."""

    counter: str
    layer: str
    part: float


class FactorModel(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """Betas of factors to the index, and what the index leaves unexplained.

    ``beta``, ``volatility`` (a year) and ``fit`` (R squared; 0 where assumed) float64 [factors]; ``residual`` float64
    [windows, factors], unexplained returns over the horizon, row by row of the same days; ``days`` the first day of
    each window.
    """

    factors: tuple[str, ...]
    beta: Float64
    fit: Float64
    volatility: Float64
    residual: Float64
    days: npt.NDArray[np.int32]
    horizon_days: int
    renminbi: tuple[str, ...] = ()  # factors priced in renminbi: their value in HKD moves with the currency too


def estimate_factors(
    factors: Sequence[str],
    closes: Mapping[str, Float64],
    index: Float64,
    days: npt.NDArray[np.int32],
    horizon_days: int,
    assumed_beta: Mapping[str, float],
    assumptions: Assumptions,
) -> FactorModel:
    """Return betas by least squares on returns over overlapping windows of ``horizon_days``.

    ``closes`` float64 [days] by factor, NaN where missing; ``index`` float64 [days]. A factor with fewer than 60 joint
    windows takes ``assumed_beta`` and has no residual. Raises Rejected (missing) when the index is too short.
    """
    moves = _window_returns(index, horizon_days)
    if np.isfinite(moves).sum() < DAYS_MIN:
        raise refuse(RejectionReason.MISSING, f"fewer than {DAYS_MIN} windows of the index", field="index")
    beta, fit = np.ones(len(factors)), np.zeros(len(factors))
    volatility = np.full(len(factors), assumptions.volatility_without_history)
    residual = np.zeros((moves.size, len(factors)))
    for place, factor in enumerate(factors):
        own = moves if factor == INDEX else _window_returns(closes[factor], horizon_days) if factor in closes else None
        both = np.isfinite(moves) & np.isfinite(own) if own is not None else np.zeros(moves.size, np.bool_)
        if own is None or both.sum() < DAYS_MIN:
            beta[place] = assumed_beta.get(factor, assumptions.beta_without_history)
            continue
        x, y = moves[both] - moves[both].mean(), own[both] - own[both].mean()
        beta[place] = float(x @ y / (x @ x))
        left = y - beta[place] * x
        residual[both, place] = left
        fit[place] = 1.0 - float(left @ left / (y @ y)) if float(y @ y) else 0.0
        volatility[place] = max(float(own[both].std()) * (252.0 / horizon_days) ** 0.5, 0.05)
    kept = np.isfinite(moves)
    return FactorModel(
        factors=tuple(factors), beta=beta, fit=fit, volatility=volatility, residual=residual[kept],
        days=days[: moves.size][kept], horizon_days=horizon_days,
    )  # fmt: skip


def _window_returns(closes: Float64, horizon_days: int) -> Float64:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(closes[horizon_days:] / closes[:-horizon_days] - 1.0)


def path_shock(path: Path, shock: MarketShock, assumptions: Assumptions) -> MarketShock:
    """Return the shock with what the path says: index, renminbi, rates where it has them, and layers' value added.

    What counts is the largest step between two dates of the path in the direction in which it goes as a whole; of a
    rate see :func:`tsingma.stress.rates.path_moves`.
    """
    index, fx = shock.index_return, shock.renminbi_return
    if HSI in path.names():
        index = math.expm1(_largest_step(path.log_change(HSI))) * assumptions.arrival
    if USDCNH in path.names():  # renminbi for a dollar: more of them is a fall
        fx = math.expm1(-_largest_step(path.log_change(USDCNH))) * assumptions.arrival
    layers = dict(shock.layers)
    for name in path.names():
        if name.startswith(VALUE_ADDED) and path.indicator(name).unit in (Unit.RATIO, Unit.INDEX):
            layers[name.removeprefix(VALUE_ADDED)] = _largest_step(path.log_change(name)) * assumptions.arrival
    rates = {**shock.rates, **path_moves(path, assumptions.arrival)}
    return msgspec.structs.replace(shock, index_return=index, renminbi_return=fx, layers=layers, rates=rates)


def _largest_step(changes: Float64) -> float:
    """Return the largest log change with the sign of their sum; 0 without a change."""
    sign = 1.0 if float(changes.sum()) >= 0 else -1.0
    return sign * max(float((sign * changes).max(initial=0.0)), 0.0)


def chain_returns(
    factors: Sequence[str], shock: MarketShock, parts: Sequence[LayerPart], assumptions: Assumptions
) -> Float64:
    """Return what the chain does to each factor, float64 [factors]; a layer the shock does not name does nothing."""
    found = np.zeros(len(factors))
    place = {factor: number for number, factor in enumerate(factors)}
    for part in parts:
        if part.counter in place and part.layer in shock.layers:
            found[place[part.counter]] += part.part * assumptions.pass_through * shock.layers[part.layer]
    return np.asarray(np.expm1(found))


def together(residual: Float64, correlation: float) -> Float64:
    """Return residuals [windows, factors] that move more as one: u' = a (root(1 - c) u + root(c) z), in own size.

    u is a name's residual in units of its own deviation, z the mean of all names in units of its own; a keeps the
    deviation of every name what it was. Names without residuals stay without. ``correlation`` c is 0 to 1.
    """
    deviation = residual.std(0)
    known = deviation > 0
    if correlation == 0.0 or not known.any():
        return residual
    own = residual[:, known] / deviation[known]
    common = own.mean(1)
    common = common / max(float(common.std()), np.finfo(np.float64).tiny)
    mixed = np.sqrt(1.0 - correlation) * own + np.sqrt(correlation) * common[:, None]
    moved = residual.copy()
    moved[:, known] = mixed / mixed.std(0) * deviation[known]
    return moved


def shock_moves(
    model: FactorModel,
    shock: MarketShock,
    parts: Sequence[LayerPart],
    assumptions: Assumptions,
    draws: npt.NDArray[np.intp] | None = None,
    rates: RatesNow | None = None,
) -> Moves:
    """Return the moves of every factor: scenario 0 without residuals, then one for each drawn row of residuals.

    What is priced in renminbi moves with the currency as well, since amounts are HKD.

    ``draws`` are rows of ``model.residual``: all names move as they did together in that window. ``rates`` are the
    contracts on curves, which move as told in every scenario.
    """
    residual = np.zeros((1, len(model.factors)))
    if draws is not None:
        residual = np.concatenate([residual, together(model.residual, shock.correlation)[draws]])
    chain = chain_returns(model.factors, shock, parts, assumptions)
    returns = model.beta * shock.index_return + chain + residual
    if INDEX in model.factors:  # the index moves as told: it has no residual and no chain effect of its own
        returns[:, model.factors.index(INDEX)] = shock.index_return
    for place, factor in enumerate(model.factors):
        if factor in shock.names:
            returns[:, place] = shock.names[factor]
    for factor in model.renminbi:
        place = model.factors.index(factor)
        returns[:, place] = (1.0 + returns[:, place]) * (1.0 + shock.renminbi_return) - 1.0
    returns = np.maximum(returns, RETURN_MIN)
    ones = np.full(returns.shape[0], shock.volatility_ratio)
    gains = rates.gains(shock.rates, shock.renminbi_return) if rates is not None else {}
    return Moves(
        horizon_days=shock.horizon_days,
        returns={factor: returns[:, place] for place, factor in enumerate(model.factors)},
        volatility_ratio=dict.fromkeys(model.factors, ones),
        volatility={factor: float(model.volatility[place]) for place, factor in enumerate(model.factors)},
        contracts={name: np.full(returns.shape[0], gain) for name, gain in gains.items()},
    )


def needed_factors(lines: Sequence[Holding]) -> tuple[str, ...]:
    """Return the factors of lines in order of name, the index among them; contracts have curves in place of one."""
    return tuple(sorted({line.factor for line in lines if line.product not in CONTRACTS} | {INDEX}))
