"""The world after a shock, in exact hats: nested CES with wedges, whose limit is Caliendo and Parro (2015).

Unknowns are factor prices; given them, prices solve a contraction and spending a linear system, both by sweeps; factor
markets are then cleared by Anderson's method. All arrays may carry a batch of B worlds in front. Sources: Caliendo and
Parro 2015, REStud 82(1), for sigma = epsilon = 1 and no markup; Baqaee and Farhi 2019 (ECTA15202) for the CES nests and
wedges; equations as in reference A1.2. Hats are new over old; the numeraire is the world's factor income.
"""

from __future__ import annotations

import msgspec
import numpy as np

from tsingma.basics.rejection import Rejected, RejectionReason, refuse
from tsingma.economy.chain.nests import Nests
from tsingma.economy.chain.table import Float64
from tsingma.economy.chain.world import World

TOLERANCE = 1e-10  # of each region's factor income: excess demand for factors
SWEEP_TOLERANCE = 1e-13
STEPS_MAX, SWEEPS_MAX, MEMORY = 400, 2_000, 7
STEP_MAX = 0.5  # log points of a factor price in one step
HAT_MAX = 1e6


class Shock(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What changes; None leaves a thing as it is. All may have a leading batch axis.

    ``trade_cost`` [J, N, N] iceberg hat by sector, buyer, seller; ``tariff`` [J, N, N] the new rates;
    ``productivity`` and ``markup`` [N, J] hats; ``factor_supply`` [N] hat; ``taste`` [N, J] weights on final shares;
    ``deficit`` [N] the new deficits in the unit of the world. ``theta``, ``sigma``, ``epsilon`` [B, J] replace the
    world's elasticities.
    """

    trade_cost: Float64 | None = None
    tariff: Float64 | None = None
    productivity: Float64 | None = None
    markup: Float64 | None = None
    factor_supply: Float64 | None = None
    taste: Float64 | None = None
    deficit: Float64 | None = None
    theta: Float64 | None = None
    sigma: Float64 | None = None
    epsilon: Float64 | None = None


class Equilibrium(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A solved world, batch axis B in front of every array (1 for a single shock).

    Hats: ``wage`` [B, N], ``price`` and ``cost`` [B, N, J] (cost with markup, before trade costs), ``price_index``
    [B, N] of final use, ``real_income`` [B, N], ``real_wage`` [B, N]. Levels: ``output``, ``spending``, ``profit``
    [B, N, J], ``income`` and ``tariff_revenue`` [B, N]. New shares as in :class:`~tsingma.economy.chain.world.World`.
    ``residual`` [B] is the largest excess demand for factors over factor income; ``steps`` the number of outer steps.
    """

    wage: Float64
    price: Float64
    cost: Float64
    price_index: Float64
    real_income: Float64
    real_wage: Float64
    output: Float64
    spending: Float64
    profit: Float64
    income: Float64
    tariff_revenue: Float64
    trade_share: Float64
    input_share: Float64
    value_added_share: Float64
    final_share: Float64
    tariff: Float64
    markup: Float64
    factor_income: Float64
    deficit: Float64
    residual: Float64
    steps: int


def solve(world: World, shock: Shock | None = None, *, tolerance: float = TOLERANCE) -> Equilibrium:
    """Return the equilibrium after a shock; raises Rejected where it does not converge (residual and cell), never a
    half-converged result, and for a hat that is not positive or not finite.
    """
    model = _Model(world, shock or Shock())
    wage = np.zeros((model.batch, len(world.regions)))  # logs
    history = _Anderson(MEMORY)
    residual = np.full(model.batch, np.inf)
    for step in range(1, STEPS_MAX + 1):
        excess = model.excess(wage, float(residual.max()))
        residual = np.abs(excess).max(axis=1)
        if residual.max() <= tolerance and model.settled:
            return model.result(wage, residual, step)
        if not np.isfinite(residual).all():
            break
        wage = model.normalised(wage + np.clip(history.step(wage, excess), -STEP_MAX, STEP_MAX))
    worst = np.abs(np.nan_to_num(excess, nan=np.inf))
    which, region = (int(place) for place in np.unravel_index(int(worst.argmax()), worst.shape))
    message = (
        f"no equilibrium after {step} steps: excess demand for factors of {world.regions[region]} is "
        f"{excess[which, region]:.3g} of its income, {tolerance:g} allowed (case {which})"
    )
    remedy = "a smaller shock, higher elasticities, or the shock in parts"
    raise refuse(RejectionReason.LIMIT, message, field=world.regions[region], remedy=remedy)


class _Anderson:
    """Anderson's mixing over the last steps, each case of the batch by itself; a case that gets worse starts again."""

    def __init__(self, memory: int) -> None:
        self._memory = memory
        self._points: list[Float64] = []
        self._values: list[Float64] = []

    def step(self, point: Float64, value: Float64, mixing: float = 0.3) -> Float64:
        """Return the step from a point whose excess is ``value``."""
        if self._values and (np.abs(value).max(axis=1) > 3.0 * np.abs(self._values[-1]).max(axis=1)).any():
            self._points, self._values = [], []
        self._points = [*self._points[-self._memory :], point]
        self._values = [*self._values[-self._memory :], value]
        if len(self._values) < 2:
            return mixing * value
        values = np.stack(self._values, axis=2)
        points = np.stack(self._points, axis=2)
        change, moved = np.diff(values, axis=2), np.diff(points, axis=2)
        gram = change.transpose(0, 2, 1) @ change
        ridge = 1e-14 * np.trace(gram, axis1=1, axis2=2)[:, None, None] + 1e-300
        weights = np.linalg.solve(gram + ridge * np.eye(gram.shape[1]), change.transpose(0, 2, 1) @ value[:, :, None])
        return mixing * value - ((moved + mixing * change) @ weights)[:, :, 0]


class _Model:
    """Arrays of one batch of shocks, made once; excess demand for factors as a function of their prices."""

    def __init__(self, world: World, shock: Shock) -> None:
        self._world = world
        regions, sectors = world.shape
        given = {name: getattr(shock, name) for name in shock.__struct_fields__}
        ranks = {"trade_cost": 3, "tariff": 3, "productivity": 2, "markup": 2, "taste": 2}
        self.batch = max(
            (value.shape[0] for name, value in given.items() if value is not None and value.ndim > ranks.get(name, 1)),
            default=1,
        )
        pair, cell, nation = (sectors, regions, regions), (regions, sectors), (regions,)
        cost = _hat(shock.trade_cost, pair, self.batch, "trade_cost")
        self.tariff = _full(world.tariff if shock.tariff is None else shock.tariff, pair, self.batch, "tariff")
        if (self.tariff <= -1).any():
            raise refuse(RejectionReason.OUT_OF_RANGE, f"a tariff of {self.tariff.min():g}", field="tariff")
        self.markup = world.markup * _hat(shock.markup, cell, self.batch, "markup")
        self._supply = _hat(shock.factor_supply, nation, self.batch, "factor_supply")
        taste = world.final_share * _hat(shock.taste, cell, self.batch, "taste")
        self.final = taste / taste.sum(axis=2, keepdims=True)
        self.deficit = _full(world.deficit if shock.deficit is None else shock.deficit, nation, self.batch, "deficit")
        self._theta = _elasticity(world.theta, shock.theta, self.batch, "theta")
        self._nests = Nests(
            world.input_share,
            world.value_added_share,
            _elasticity(world.sigma, shock.sigma, self.batch, "sigma"),
            _elasticity(world.epsilon, shock.epsilon, self.batch, "epsilon"),
        )
        productivity = _hat(shock.productivity, cell, self.batch, "productivity")
        self._push = np.log(_hat(shock.markup, cell, self.batch, "markup")) - np.log(productivity)
        kappa = cost * (1.0 + self.tariff) / (1.0 + world.tariff)
        self._reach = world.trade_share * kappa ** (-self._theta[:, :, None, None])
        self._payroll = world.factor_income * self._supply  # at old factor prices
        self._log_price = np.zeros((self.batch, regions, sectors))
        spending, self._base_income = base_flows(world)
        self._spending = np.broadcast_to(spending, (self.batch, regions, sectors))
        self.settled = False

    def normalised(self, wage: Float64) -> Float64:
        """Return log factor prices at which the world's factor income is the base year's."""
        income = (np.exp(wage) * self._payroll).sum(axis=1, keepdims=True)
        scaled: Float64 = wage - np.log(income / self._world.factor_income.sum())
        return scaled

    def excess(self, wage: Float64, residual: float) -> Float64:
        """Return log demand for factors over their income [B, N]; sweeps go as far as the last residual asks."""
        aim = max(SWEEP_TOLERANCE, min(1e-6, 1e-4 * residual))
        with np.errstate(divide="ignore"):  # a price nobody can pay is infinite, and refused as not settled
            self._solve_prices(wage, aim)
        self._solve_spending(wage, aim)
        self.settled = aim <= max(SWEEP_TOLERANCE, 1e-3 * TOLERANCE)
        paid = (self._labour * self._output).sum(axis=2)
        tiny = 1e-300
        logs: Float64 = np.log(np.maximum(paid, tiny)) - wage - np.log(self._payroll)
        return logs

    def _solve_prices(self, wage: Float64, aim: float) -> None:
        log_price = self._log_price
        theta = self._theta[:, None, :]
        for _ in range(SWEEPS_MAX):
            cost = self._push + self._nests.log_unit_cost(wage, log_price)
            appeal = np.exp(-theta * cost).transpose(0, 2, 1)[..., None]  # B, J, N, 1
            index = (self._reach @ appeal)[..., 0].transpose(0, 2, 1)
            new = -np.log(index) / theta
            change = float(np.abs(new - log_price).max())
            log_price = new
            if not change > aim:
                break
        else:
            raise self._unsettled("prices", change)
        self._log_price, self._log_cost, self._appeal, self._index = log_price, cost, appeal, index

    def _solve_spending(self, wage: Float64, aim: float) -> None:
        index = self._index.transpose(0, 2, 1)[..., None]
        self._trade = self._reach * self._appeal.transpose(0, 1, 3, 2) / index
        sold = self._trade / (1.0 + self.tariff)
        revenue_share = (sold * self.tariff).sum(axis=3).transpose(0, 2, 1)  # B, N, J: of spending
        sold_to = np.ascontiguousarray(sold.transpose(0, 1, 3, 2))
        inputs, added = self._nests.shares(wage, self._log_price)
        self._labour = added / self.markup
        self._inputs, self._added = inputs, added
        bought = inputs * ((1.0 - added) / self.markup)[:, :, None, :]
        profit_share = 1.0 - 1.0 / self.markup
        earned = np.exp(wage) * self._payroll + self.deficit
        spending = self._spending
        scale = float(self._world.factor_income.sum())
        for _ in range(SWEEPS_MAX):
            output = (sold_to @ spending.transpose(0, 2, 1)[..., None])[..., 0].transpose(0, 2, 1)
            income = earned + (profit_share * output).sum(axis=2) + (revenue_share * spending).sum(axis=2)
            new = (bought @ output[..., None])[..., 0] + self.final * income[:, :, None]
            change = float(np.abs(new - spending).max()) / scale
            spending = new
            if not change > aim:
                break
        else:
            raise self._unsettled("spending", change)
        self._spending, self._output, self._income = spending, output, income
        self._revenue = (revenue_share * spending).sum(axis=2)

    def _unsettled(self, what: str, change: float) -> Rejected:
        message = f"{what} do not settle: still moving by {change:.3g} after {SWEEPS_MAX} sweeps"
        remedy = "a sector that buys almost only from itself, or profits that pay for themselves: lower the markup"
        return refuse(RejectionReason.LIMIT, message, field=what, remedy=remedy)

    def result(self, wage: Float64, residual: Float64, steps: int) -> Equilibrium:
        """Return the equilibrium at solved factor prices."""
        world = self._world
        if (self._income <= 0).any():
            case, region = (int(place) for place in np.argwhere(self._income <= 0)[0])
            message = f"{world.regions[region]} has income of {self._income[case, region]:g} (case {case})"
            remedy = "a smaller surplus: it lends more than it earns"
            raise refuse(RejectionReason.OUT_OF_RANGE, message, field="deficit", remedy=remedy)
        index = np.exp((self.final * self._log_price).sum(axis=2))
        return Equilibrium(
            wage=np.exp(wage),
            price=np.exp(self._log_price),
            cost=np.exp(self._log_cost),
            price_index=index,
            real_income=self._income / self._base_income / index,
            real_wage=np.exp(wage) / index,
            output=self._output,
            spending=self._spending,
            profit=(1.0 - 1.0 / self.markup) * self._output,
            income=self._income,
            tariff_revenue=self._revenue,
            trade_share=self._trade,
            input_share=self._inputs,
            value_added_share=self._added,
            final_share=self.final,
            tariff=self.tariff,
            markup=self.markup,
            factor_income=np.exp(wage) * self._payroll,
            deficit=self.deficit,
            residual=residual,
            steps=steps,
        )


def base_flows(world: World) -> tuple[Float64, Float64]:
    """Return spending [N, J] and income [N] that the base shares imply (all hats 1), by linear algebra."""
    regions, sectors = world.shape
    size = regions * sectors
    sold = world.trade_share / (1.0 + world.tariff)
    revenue = (sold * world.tariff).sum(axis=2).T.reshape(-1)
    bought = world.input_share * ((1.0 - world.value_added_share) / world.markup)[:, None, :]
    profit = 1.0 - 1.0 / world.markup
    inputs = np.empty((regions, sectors, regions, sectors))  # spending of n on k that spending of m on j brings about
    income_of = np.empty((regions, regions, sectors))
    owner = np.zeros((regions, size))
    for n in range(regions):
        output_of = sold[:, :, n].T  # m, j: output of n's sector j from spending of m on it
        inputs[n] = bought[n][:, None, :] * output_of[None, :, :]
        income_of[n] = profit[n] * output_of
        owner[n, n * sectors : (n + 1) * sectors] = 1.0
    earns = income_of.reshape(regions, size) + owner * revenue
    final = world.final_share.reshape(-1)
    system = inputs.reshape(size, size) + (final * owner).T @ earns
    earned = world.factor_income + world.deficit
    spending = np.linalg.solve(np.eye(size) - system, final * (owner.T @ earned))
    income: Float64 = earned + earns @ spending
    return spending.reshape(regions, sectors), income


def rebased(world: World, found: Equilibrium, case: int = 0) -> World:
    """Return the world whose base year is a solved equilibrium, to shock it again."""
    return msgspec.structs.replace(
        world,
        trade_share=found.trade_share[case],
        input_share=found.input_share[case],
        value_added_share=found.value_added_share[case],
        final_share=found.final_share[case],
        tariff=found.tariff[case],
        markup=found.markup[case],
        factor_income=found.factor_income[case],
        deficit=found.deficit[case],
    )


def _full(values: Float64, shape: tuple[int, ...], batch: int, field: str) -> Float64:
    values = np.asarray(values, np.float64)
    try:
        return np.broadcast_to(values, (batch, *shape))
    except ValueError:
        message = f"shape is {values.shape}, {shape} expected (or a batch of them)"
        raise refuse(RejectionReason.MALFORMED, message, field=field) from None


def _hat(values: Float64 | None, shape: tuple[int, ...], batch: int, field: str) -> Float64:
    full = _full(np.ones(shape) if values is None else values, shape, batch, field)
    if not ((full > 0) & (full <= HAT_MAX)).all():
        message = f"a hat between {full.min():g} and {full.max():g}, over 0 and at most {HAT_MAX:g} allowed"
        raise refuse(RejectionReason.OUT_OF_RANGE, message, field=field)
    return full


def _elasticity(base: Float64, given: Float64 | None, batch: int, field: str) -> Float64:
    return _hat(base if given is None else given, base.shape, batch, field)
