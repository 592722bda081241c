"""The equilibrium, one limit at a time: nothing shocked, Caliendo-Parro, Hulten, Cobb-Douglas networks, then CES and
wedges.

Goal: V1, V10, the chokepoint table and the identities of the reference; results that do not converge are errors.
Method: published tables from the shared folder; closed forms; made-up worlds; pins of a pilot solver, which are no
published facts.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chain_tables import made_up_table, made_up_world
from tsingma.basics.rejection import Rejected
from tsingma.economy.chain.caliendo_parro import nafta
from tsingma.economy.chain.equilibrium import Equilibrium, Shock, base_flows, rebased, solve
from tsingma.economy.chain.network import aggregate_volatility, influence, output_after_cut
from tsingma.economy.chain.published import cp2015_rows
from tsingma.economy.chain.table import checked_table
from tsingma.economy.chain.welfare import welfare
from tsingma.economy.chain.world import World, checked_world, world_of
from tsingma.messages.cp2015_files import read_cp2015


def _balanced(world: World, found: Equilibrium) -> float:
    """Return the largest gap of goods and factor markets over world income: recomputed from shares, not by the
    solver.
    """
    income = world.factor_income.sum()
    gap = 0.0
    for case in range(found.wage.shape[0]):
        net = found.trade_share[case] / (1 + found.tariff[case])
        output = np.einsum("kni,nk->ik", net, found.spending[case])
        paid = (found.value_added_share[case] * output / found.markup[case]).sum(axis=1)
        inputs = np.einsum("nkj,nj->nk", found.input_share[case] * ((1 - found.value_added_share[case])
                           / found.markup[case])[:, None, :], output)  # fmt: skip
        uses = inputs + found.final_share[case] * found.income[case][:, None]
        gap = max(gap, np.abs(output - found.output[case]).max(), np.abs(paid - found.factor_income[case]).max(),
                  np.abs(uses - found.spending[case]).max())  # fmt: skip
    return float(gap / income)


@given(st.integers(0, 1000), st.floats(0.05, 3), st.floats(0.05, 3))
@settings(max_examples=25)
def test_nothing_shocked_nothing_changes(seed: int, sigma: float, epsilon: float) -> None:
    """Goal: all hats are 1 at any elasticity. Method: made-up worlds, no shock."""
    world = made_up_world(seed, sigma=sigma, epsilon=epsilon)
    found = solve(world)
    assert np.abs(found.wage - 1).max() < 1e-9
    assert np.abs(found.price - 1).max() < 1e-9
    assert np.abs(found.real_income - 1).max() < 1e-9
    assert found.trade_share[0] == pytest.approx(world.trade_share, abs=1e-9)


def test_v1_nafta(shared: Path) -> None:
    """Goal: V1, all of Table 2, to 0.005 points of what is printed. Method: the supplement's files, two equilibria."""
    found = nafta(read_cp2015(shared / "data/econ/cp2015"))
    rows = {row.region: row for row in found.welfare}
    for published in cp2015_rows():
        row = rows[published.region]
        assert found.imports_from_bloc[published.region] == pytest.approx(published.imports_from_bloc, abs=0.5)
        for name in ("welfare", "terms_of_trade", "volume_of_trade", "real_wage"):
            assert getattr(row, name) == pytest.approx(getattr(published, name), abs=0.005), (row.region, name)
    assert found.residual < 1e-9
    assert _balanced(found.baseline, found.counterfactual) < 1e-9


def test_hulten() -> None:
    """Goal: to first order world output rises by the Domar weight. Method: productivity of one cell up by 0.001 %."""
    table, world = made_up_table(5), made_up_world(5, sigma=0.6, epsilon=0.3)
    better = np.ones((3, 4))
    better[1, 2] = 1.00001
    found = solve(world, Shock(productivity=better))
    income = base_flows(world)[1]
    growth = (income * np.log(found.real_income[0])).sum() / income.sum() / np.log(1.00001)
    assert growth == pytest.approx(table.output[table.row("JPN", "apps")] / table.value_added.sum(), rel=1e-4)


def test_v10_star_and_regular_networks() -> None:
    """Goal: V10. Method: closed form; a star's volatility does not vanish, a ring's falls as n to the -1/2."""
    sizes = (10, 100, 1000)
    star, ring = [], []
    for n in sizes:
        centre = np.zeros((n, n))
        centre[:, 0] = 1.0
        around = np.roll(np.eye(n), 1, axis=1)
        star.append(aggregate_volatility(centre, 0.4))
        ring.append(aggregate_volatility(around, 0.4))
    slope = np.diff(np.log(ring)) / np.diff(np.log(sizes))
    assert slope == pytest.approx([-0.5, -0.5], abs=1e-12)
    assert star[-1] == pytest.approx(0.6, abs=0.02)  # one minus the labour share, whatever n
    assert influence(np.full((5, 5), 0.2), 0.4).sum() == pytest.approx(1.0)


def test_v10_influence_is_what_the_model_does() -> None:
    """Goal: in a closed Cobb-Douglas economy log output moves by the influence vector, exactly. Method: big shocks."""
    chance = np.random.default_rng(3)
    n, labour = 5, 0.4
    inputs = chance.dirichlet(np.ones(n), n)
    weights = influence(inputs, labour)
    output = weights / weights.sum() * 100 / labour
    table = checked_table(
        ["A"], [f"s{k}" for k in range(n)], (inputs * ((1 - labour) * output)[:, None]).T,
        np.full((n, 1), labour * output.sum() / n), output, unit="unit", year=1, source="closed economy",
    )  # fmt: skip
    shocks = chance.uniform(0.5, 2.0, (1, n))
    found = solve(world_of(table, np.full(n, 4.0)), Shock(productivity=shocks))
    # In the paper's normalisation value added is not shocked twice: log y = v' (log A) / labour share.
    assert np.log(found.real_income[0, 0]) == pytest.approx(float(weights @ np.log(shocks[0]) / labour), abs=1e-9)


CHOKEPOINTS = {
    (0.04, 0.10): (-1.569, -1.193, -0.679, -0.517, -0.442, -0.421, -0.410),
    (0.012, 0.30): (-15.890, -12.069, -2.751, -0.928, -0.512, -0.427, -0.392),
    (0.01, 0.50): (-39.424, -36.287, -18.217, -3.434, -0.990, -0.691, -0.585),
    (0.005, 0.50): (-37.649, -33.920, -13.145, -1.792, -0.498, -0.346, -0.293),
}
ELASTICITIES = (0.04, 0.05, 0.1, 0.2, 0.5, 1, 2)


@pytest.mark.parametrize(("share", "cut"), CHOKEPOINTS)
def test_chokepoint_table(share: float, cut: float) -> None:
    """Goal: every cell of the chokepoint table to 0.001 points. Method: closed form."""
    found = [100 * (output_after_cut(share, cut, s) - 1) for s in ELASTICITIES]
    assert found == pytest.approx(CHOKEPOINTS[share, cut], abs=6e-4)


@pytest.mark.parametrize(("share", "cut", "elasticity"), [
    (0.04, 0.10, 0.04), (0.04, 0.10, 0.05), (0.04, 0.10, 0.2), (0.04, 0.10, 1.0), (0.012, 0.30, 0.1),
    (0.012, 0.30, 0.5),
    (0.01, 0.50, 0.2), (0.01, 0.50, 2.0), (0.005, 0.50, 0.2),
])  # fmt: skip
def test_chokepoint_in_the_model(share: float, cut: float, elasticity: float) -> None:
    """Goal: the CES nest does what the closed form says. Method: A buys B's critical input."""
    flows = np.zeros((4, 4))
    flows[3, 0] = share * 100
    final = np.zeros((4, 2))
    final[0] = (1 - share) * 100, share * 100
    output = flows.sum(axis=1) + final.sum(axis=1)
    table = checked_table(
        ["A", "B"], ["good", "critical"], flows, final, output, unit="unit", year=1, source="chokepoint"
    )
    world = world_of(table, np.array([4.0, 4.0]), sigma=np.array([elasticity, 1.0]))
    found = solve(world, Shock(factor_supply=np.array([1.0, 1.0 - cut])))
    quantity = found.output[0, 0, 0] / found.price[0, 0, 0] / 100
    assert quantity == pytest.approx(output_after_cut(share, cut, elasticity), rel=1e-8)


@given(st.integers(0, 1000), st.floats(0.1, 2), st.floats(0.1, 2))
@settings(max_examples=15)
def test_markets_clear_after_any_shock(seed: int, sigma: float, epsilon: float) -> None:
    """Goal: every market clears to 1e-9 with wedges of every kind. Method: recomputed from the new shares."""
    chance = np.random.default_rng(seed)
    table = made_up_table(seed)
    markup = 1 + chance.uniform(0, 0.2, (3, 4)) * table.value_added.reshape(3, 4) / table.output.reshape(3, 4)
    world = world_of(table, np.linspace(2, 6, 4), sigma=sigma, epsilon=epsilon, markup=markup)
    shock = Shock(
        trade_cost=np.exp(chance.normal(0, 0.3, (4, 3, 3))),
        tariff=chance.uniform(0, 0.3, (4, 3, 3)),
        productivity=np.exp(chance.normal(0, 0.2, (3, 4))),
        markup=np.exp(chance.uniform(0, 0.05, (3, 4))),
        factor_supply=np.exp(chance.normal(0, 0.1, 3)),
        taste=np.exp(chance.normal(0, 0.2, (3, 4))),
    )
    found = solve(world, shock)
    assert _balanced(world, found) < 1e-9
    assert found.income.sum() == pytest.approx(
        found.factor_income.sum() + found.profit.sum() + found.tariff_revenue.sum(), rel=1e-9
    )
    checked_world(rebased(world, found))


@pytest.mark.parametrize(("sigma", "epsilon"), [(1.0, 1.0), (0.5, 0.2), (1.6, 0.7)])
def test_prices_and_shares_are_the_equations(sigma: float, epsilon: float) -> None:
    """Goal: the equations of A1.2 hold one by one. Method: written out in loops from the solution's factor prices."""
    chance = np.random.default_rng(8)
    table = made_up_table(8)
    markup = 1 + 0.1 * table.value_added.reshape(3, 4) / table.output.reshape(3, 4)
    world = world_of(table, np.linspace(2, 6, 4), sigma=sigma, epsilon=epsilon, markup=markup)
    cost, better = np.exp(chance.normal(0, 0.3, (4, 3, 3))), np.exp(chance.normal(0, 0.2, (3, 4)))
    dearer, tariff = np.exp(chance.uniform(0, 0.05, (3, 4))), chance.uniform(0, 0.2, (4, 3, 3))
    found = solve(world, Shock(trade_cost=cost, productivity=better, markup=dearer, tariff=tariff))
    wage, price = found.wage[0], found.price[0]

    def mean(shares: np.ndarray, values: np.ndarray, elasticity: float) -> float:
        if elasticity == 1.0:
            return float(np.prod(values**shares))
        return float((shares @ values ** (1 - elasticity)) ** (1 / (1 - elasticity)))

    for n in range(3):
        for j in range(4):
            bundle = mean(world.input_share[n, :, j], price[n], epsilon)
            v = world.value_added_share[n, j]
            unit = mean(np.array([v, 1 - v]), np.array([wage[n], bundle]), sigma) * dearer[n, j] / better[n, j]
            assert found.cost[0, n, j] == pytest.approx(unit, rel=1e-8)
            inputs = world.input_share[n, :, j] * (price[n] / bundle) ** (1 - epsilon)
            assert found.input_share[0, n, :, j] == pytest.approx(inputs, rel=1e-8)
        for k in range(4):
            reach = (1 + tariff[k, n]) * cost[k, n] * found.cost[0, :, k]
            weight = world.trade_share[k, n] * reach ** -world.theta[k]
            assert price[n, k] == pytest.approx(weight.sum() ** (-1 / world.theta[k]), rel=1e-8)
            assert found.trade_share[0, k, n] == pytest.approx(weight / weight.sum(), rel=1e-8)


@pytest.mark.parametrize("epsilon", [0.05, 0.2, 1.0, 2.0])
def test_the_nest_of_inputs_has_its_closed_form(epsilon: float) -> None:
    """Goal: two inputs and nothing else: the same CES formula, by epsilon. Method: B's input cut by 30 %, share 4 %."""
    names = ["A", "B", "C"], ["good", "critical", "plain", "home"]
    flows, final = np.zeros((12, 12)), np.zeros((12, 3))
    flows[1 * 4 + 1, 0], flows[2 * 4 + 2, 0] = 4.0, 96.0
    final[0] = 0.0, 4.0, 96.0
    final[3, 0] = 50.0
    output = flows.sum(axis=1) + final.sum(axis=1)
    table = checked_table(*names, flows, final, output, unit="unit", year=1, source="two inputs")
    world = world_of(table, np.full(4, 4.0), epsilon=np.array([epsilon, 1.0, 1.0, 1.0]))
    found = solve(world, Shock(factor_supply=np.array([1.0, 0.7, 1.0])))
    assert found.output[0, 0, 0] / found.price[0, 1, 0] / 100 == pytest.approx(
        output_after_cut(0.04, 0.3, epsilon), rel=1e-8
    )


def test_a_markup_moves_income_from_wages_to_profit() -> None:
    """Goal: closed form of the wedge: real wage down by the markup, real income as before. Method: one sector."""
    table = checked_table(
        ["A"], ["x"], np.zeros((1, 1)), np.array([[100.0]]), np.array([100.0]), unit="unit", year=1, source="one"
    )
    found = solve(world_of(table, np.array([4.0])), Shock(markup=np.array([[1.25]])))
    assert found.real_wage[0, 0] == pytest.approx(1 / 1.25)
    assert found.real_income[0, 0] == pytest.approx(1.0)
    assert found.profit[0, 0, 0] / found.income[0, 0] == pytest.approx(0.2)


def test_a_batch_is_its_cases() -> None:
    """Goal: the batch axis changes nothing. Method: three shocks and elasticities together and one by one."""
    world = made_up_world(2, sigma=0.5, epsilon=0.4)
    chance = np.random.default_rng(1)
    cost, epsilon = np.exp(chance.normal(0, 0.4, (3, 4, 3, 3))), np.abs(chance.normal(0.5, 0.2, (3, 4))) + 0.1
    together = solve(world, Shock(trade_cost=cost, epsilon=epsilon))
    for case in range(3):
        alone = solve(world, Shock(trade_cost=cost[case], epsilon=epsilon[case : case + 1]))
        assert together.real_income[case] == pytest.approx(alone.real_income[0], rel=1e-9)


def test_rebasing_undone() -> None:
    """Goal: a shock and its inverse lead back. Method: trade costs up, rebase, down again."""
    world = made_up_world(4)
    cost = np.ones((4, 3, 3))
    cost[0, 1, 2] = 1.7
    there = solve(world, Shock(trade_cost=cost))
    back = solve(rebased(world, there), Shock(trade_cost=1 / cost))
    assert there.real_income[0] * back.real_income[0] == pytest.approx(np.ones(3), abs=1e-9)


def test_an_embargo_has_a_limit() -> None:
    """Goal: a cost of a thousand is an embargo, and costs more at low elasticity. Method: Korea's chips stop."""
    losses = []
    for epsilon in (1.0, 0.2, 0.05):
        world = made_up_world(1, epsilon=epsilon)
        world = msgspec.structs.replace(world, theta=np.array([1.0, 4.0, 4.0, 4.0]))
        cost = np.ones((4, 3, 3))
        cost[0, [0, 1], 2] = 1000.0
        losses.append(1 - solve(world, Shock(trade_cost=cost)).real_income[0, 0])
    assert losses[0] < losses[1] < losses[2]


def test_welfare_parts_explain_small_shocks() -> None:
    """Goal: parts add up to the exact change to first order. Method: small cost, tariff and productivity changes."""
    world = made_up_world(6)
    world = rebased(world, solve(world, Shock(tariff=np.full((4, 3, 3), 0.1) * (1 - np.eye(3)))))
    shock = Shock(
        trade_cost=np.full((4, 3, 3), 1.0) + 1e-5 * (1 - np.eye(3)),
        tariff=world.tariff * (1 - 1e-4),
        productivity=np.full((3, 4), 1.00002),
    )
    for row in welfare(world, solve(world, shock), shock):
        assert row.welfare == pytest.approx(row.real_income, abs=2e-6), row.region


def test_no_convergence_is_an_error_with_residual_and_cell() -> None:
    """Goal: never a half-converged result. Method: ask for what cannot be given."""
    cost = np.ones((4, 3, 3))
    cost[0, 1, 2] = 3.0
    with pytest.raises(Rejected, match=r"no equilibrium after 400 steps: excess demand for factors of \w+ is -?\d"):
        solve(made_up_world(), Shock(trade_cost=cost), tolerance=-1.0)


@pytest.mark.parametrize(("shock", "message"), [
    (Shock(trade_cost=np.zeros((4, 3, 3))), "a hat between 0 and 0"),
    (Shock(tariff=np.full((4, 3, 3), -1.0)), "a tariff of -1"),
    (Shock(productivity=np.ones((4, 3))), "shape is"),
    (Shock(factor_supply=np.array([1.0, np.nan, 1.0])), "a hat between nan"),
    (Shock(deficit=np.array([9e3, 0.0, -9e3])), "KOR has income of -"),
])  # fmt: skip
def test_bad_shocks_are_refused(shock: Shock, message: str) -> None:
    """Goal: no equilibrium of nonsense. Method: zero, missing, misshaped."""
    with pytest.raises(Rejected, match=message):
        solve(made_up_world(), shock)


THETA = (9.11, 13.53, 2.62, 8.10, 8.10, 11.5, 16.52, 64.85, 3.13, 1.67, 2.41, 5.135, 1.45, 9.63, 8.22, 3.98)
PILOT = {  # real wage of CHN, JPN, KOR, TWN in percent: pins of a pilot solver, not published
    "-10 % among CHN, JPN, KOR in c14": (0.253, 0.214, 0.884, -0.192),
    "c9 of JPN to KOR x3": (-0.003, -0.010, -0.173, 0.0),
    "c14 of KOR x2": (-0.040, -0.003, -1.036, -0.032),
    "c14 of TWN x5": (-0.043, -0.010, -0.021, -1.978),
}


def test_pilot_runs_on_wiod(shared: Path) -> None:
    """Goal: regression pins of A1.5 to 0.001 points. Method: WIOD 2011, 7 x 35, negatives 0, output as row sums."""
    with np.load(shared / "data/econ/wiod2013/wiod_agg7x35_1995_2011.npz") as held:
        flows, final = (np.maximum(held[name].astype(float), 0) for name in ("Z2011", "Y2011"))
        names = [[str(name) for name in held[part]] for part in ("regions", "sectors")]
    table = checked_table(*names, flows, final, flows.sum(1) + final.sum(1), unit="m USD", year=2011, source="WIOD")
    world = world_of(table, np.array(THETA + (8.22,) * 19))
    cost = np.ones((4, 35, 7, 7))
    chips, chemicals = 13, 8
    for a in range(3):
        for b in range(3):
            cost[0, chips, a, b] = 1.0 if a == b else 0.9
    cost[1, chemicals, 2, 1] = 3.0
    cost[2, chips, :, 2] = 2.0
    cost[2, chips, 2, 2] = 1.0
    cost[3, chips, :, 3] = 5.0
    cost[3, chips, 3, 3] = 1.0
    found = solve(world, Shock(trade_cost=cost))
    for case, expected in enumerate(PILOT.values()):
        assert 100 * (found.real_wage[case, :4] - 1) == pytest.approx(expected, abs=1e-3)
    added = (found.value_added_share * found.output)[:, :, chips] / table.value_added.reshape(7, 35)[:, chips] - 1
    assert 100 * added[0, :3] == pytest.approx((0.05, 10.3, 29.2), abs=0.06)
    assert 100 * added[2, 2] == pytest.approx(-67.5, abs=0.06)
