"""Carving sectors out of parents and regions out of countries.

Goal: re-aggregation returns the table exactly; a good larger than its parent is refused by cell. Method: made-up
tables, one or several carvings in a row, faults.
"""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain_tables import made_up_table
from tsingma.basics.rejection import Rejected
from tsingma.economy.chain.balance import balanced
from tsingma.economy.chain.carve import Carving, carve, split_region
from tsingma.economy.chain.equilibrium import Shock, solve
from tsingma.economy.chain.table import Table, aggregate
from tsingma.economy.chain.world import world_of

HBM = Carving(
    name="hbm", parent="chips", size=4.0, suppliers={"KOR": 0.79, "JPN": 0.21}, users={"models": 0.7, "apps": 0.3},
    theta=1.5, user_epsilon=0.1,
)  # fmt: skip


def _same(one: Table, other: Table) -> None:
    assert (one.regions, one.sectors) == (other.regions, other.sectors)
    for part in ("intermediate", "final", "output", "value_added"):
        assert getattr(one, part) == pytest.approx(getattr(other, part), rel=1e-12, abs=1e-12), part


@given(st.integers(0, 500), st.floats(0.1, 5), st.floats(0.2, 0.8) | st.none())
def test_a_carved_table_adds_up_to_its_parent(seed: int, size: float, share: float | None) -> None:
    """Goal: exact re-aggregation, twice over. Method: carve HBM, then a material for it, and add both back."""
    table = made_up_table(seed)
    once = carve(table, msgspec.structs.replace(HBM, size=size, value_added_share=share))
    _same(aggregate(once, sectors={"hbm": "chips"}), table)
    resist = Carving(
        name="resist", parent="rest", size=0.001, suppliers={"JPN": 1.0}, users={"hbm": 0.4, "chips": 0.6}, theta=1.0,
        user_epsilon=0.1,
    )  # fmt: skip
    _same(aggregate(carve(once, resist), sectors={"hbm": "chips", "resist": "rest"}), table)


def test_a_carved_good_is_where_it_was_put() -> None:
    """Goal: suppliers, users and buyers as given. Method: sums of rows and columns."""
    table = carve(made_up_table(), msgspec.structs.replace(HBM, buyers={"CHN": 0.6, "KOR": 0.4}, size=2.0))
    rows = [table.row(region, "hbm") for region in table.regions]
    assert table.output[rows] == pytest.approx([0.0, 0.42, 1.58])
    sold = table.intermediate[rows].sum(axis=0).reshape(table.shape)
    assert sold.sum(axis=0) == pytest.approx([0, 1.4, 0.6, 0, 0])
    assert sold.sum(axis=1) == pytest.approx([1.2, 0, 0.8])


@pytest.mark.parametrize(("change", "message"), [
    ({"size": 5000.0}, "KOR chips makes"),
    ({"size": 60.0}, "hbm leaves -"),
    ({"suppliers": {"KOR": 0.79}}, "shares sum to 0.79"),
    ({"suppliers": {"XXX": 1.0}}, "'XXX' is not in the table"),
    ({"users": {"trains": 1.0}}, "'trains' is not in the table"),
    ({"users": {"models": -0.5, "apps": 1.5}}, "a share of -0.5"),
    ({"name": "apps"}, "'apps' is a sector already"),
    ({"parent": "trains"}, "'trains' is not in the table"),
    ({"value_added_share": 1.4}, "outside 0 to 1"),
])  # fmt: skip
def test_carvings_that_do_not_fit_are_refused(change: dict[str, object], message: str) -> None:
    """Goal: the cell and the shortage are named. Method: one fault each."""
    with pytest.raises(Rejected, match=message):
        carve(made_up_table(), msgspec.structs.replace(HBM, **change))


def test_a_stop_of_a_carved_good_costs_more_than_one_of_its_parent_suggests() -> None:
    """Goal: the chokepoint shows only once it is carved and hard to replace. Method: same cost shock, two
    elasticities.
    """
    losses = {}
    for epsilon in (1.0, 0.1):
        table = carve(made_up_table(), HBM)
        theta = np.array([4.0, 4.0, 4.0, 4.0, HBM.theta])
        world = world_of(table, theta, epsilon=np.array([1.0, epsilon, epsilon, 1.0, 1.0]))
        cost = np.ones((5, 3, 3))
        cost[4, :2, 2] = 20.0
        losses[epsilon] = 1 - solve(world, Shock(trade_cost=cost)).real_income[0, 0]
    assert 0 < losses[1.0] < losses[0.1]


@given(st.integers(0, 500), st.floats(0.1, 0.9), st.floats(0.1, 0.9))
def test_a_split_country_adds_up(seed: int, core: float, chips: float) -> None:
    """Goal: core and periphery are the country. Method: split two countries, aggregate back."""
    table = made_up_table(seed)
    parts = {"CHN core": {"*": core, "chips": chips}, "CHN periphery": {"*": 1 - core, "chips": 1 - chips}}
    wide = split_region(table, "CHN", parts)
    assert wide.regions[:2] == ("CHN core", "CHN periphery")
    _same(aggregate(wide, {"CHN core": "CHN", "CHN periphery": "CHN"}), table)


def test_shares_of_parts_must_sum_to_one() -> None:
    """Goal: the sector is named. Method: parts that leave a tenth out."""
    with pytest.raises(Rejected, match=r"shares of chips sum to 0\.9"):
        split_region(made_up_table(), "CHN", {"a": {"*": 0.5, "chips": 0.4}, "b": {"*": 0.5}})


def test_balancing_reaches_its_totals_and_says_when_it_cannot() -> None:
    """Goal: RAS to 1e-12, or the row and gap. Method: scaled totals; then totals that contradict a zero."""
    chance = np.random.default_rng(1)
    prior = chance.uniform(0.1, 1, (5, 7))
    rows, columns = prior.sum(axis=1) * 1.3, prior.sum(axis=0)
    columns = columns * rows.sum() / columns.sum() * chance.uniform(0.8, 1.2, 7)
    columns *= rows.sum() / columns.sum()
    found = balanced(prior, rows, columns)
    assert found.sum(axis=1) == pytest.approx(rows, rel=1e-11)
    assert found.sum(axis=0) == pytest.approx(columns, rel=1e-11)
    prior[0, :] = 0.0
    with pytest.raises(Rejected, match="row 0"):
        balanced(prior, rows, columns)
    with pytest.raises(Rejected, match="totals"):
        balanced(prior, rows * 2, columns)
