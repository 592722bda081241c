"""Tables that balance, and those that do not.

Goal: a table that is wrong is refused whole, with the residual and the cell. Method: a balanced made-up table, one
fault at a time; aggregation against sums; vector V11 on made-up tables.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain_tables import made_up_table, made_up_world
from tsingma.basics.rejection import Rejected, RejectionReason
from tsingma.economy.chain.accounting import downstreamness, upstreamness
from tsingma.economy.chain.table import Table, aggregate, checked_table, without_negatives
from tsingma.economy.chain.world import world_of


def _again(table: Table, **changes: np.ndarray) -> Table:
    parts = {name: getattr(table, name) for name in ("intermediate", "final", "output", "value_added")}
    return checked_table(table.regions, table.sectors, **(parts | changes), unit="unit", year=2025, source="test")


def test_a_table_that_does_not_balance_names_cell_and_residual() -> None:
    """Goal: residual and cell in the message. Method: take 7 from the output of one cell."""
    table = made_up_table()
    output = table.output.copy()
    output[table.row("JPN", "apps")] -= 7.0
    with pytest.raises(Rejected, match=r"JPN apps does not balance: residual 7 "):
        _again(table, output=output, value_added=output - table.intermediate.sum(axis=0))
    added = table.value_added.copy()
    added[0] += 3.0
    with pytest.raises(Rejected, match=r"column: CHN chips does not balance: residual 3 "):
        _again(table, value_added=added)


def test_negative_sales_and_numbers_that_are_none_are_refused() -> None:
    """Goal: no negative flow, no NaN. Method: plant one."""
    table = made_up_table()
    flows = table.intermediate.copy()
    flows[3, 5] = -1.0
    with pytest.raises(Rejected, match=r"-1 sold by CHN rest to JPN models is negative") as caught:
        _again(table, intermediate=flows)
    assert caught.value.rejections[0].reason is RejectionReason.OUT_OF_RANGE
    flows[3, 5] = np.nan
    with pytest.raises(Rejected, match="not finite"):
        _again(table, intermediate=flows)
    with pytest.raises(Rejected, match="shape"):
        _again(table, final=table.final[:, :2])


def test_unknown_names_and_names_twice_are_refused() -> None:
    """Goal: an unknown country or sector is told what is known. Method: ask for one; build a table with one twice."""
    table = made_up_table()
    with pytest.raises(Rejected, match=r"'XXX' is not in the table \(one of CHN, JPN, KOR\)"):
        table.row("XXX", "apps")
    with pytest.raises(Rejected, match="'hbm' is not in the table"):
        aggregate(table, sectors={"hbm": "chips"})
    with pytest.raises(Rejected, match="CHN stands twice"):
        checked_table(
            ["CHN", "CHN", "KOR"], table.sectors, table.intermediate, table.final, table.output, unit="unit", year=1,
            source="test",
        )  # fmt: skip


def test_a_table_has_a_limit() -> None:
    """Goal: past the bound a clear error before anything is computed. Method: 150 regions of 100 sectors."""
    none = np.zeros((1, 1))
    names = [f"R{k}" for k in range(150)], [f"s{k}" for k in range(100)]
    with pytest.raises(Rejected, match="15000 cells, at most 10000"):
        checked_table(*names, none, none, none[0], unit="unit", year=1, source="test")


def test_a_negative_share_is_refused_until_negatives_are_set_to_zero() -> None:
    """Goal: models take no negative share. Method: a fall of stocks in one cell."""
    table = made_up_table()
    final = table.final.copy()
    final[2, 1] = -5.0
    output = table.intermediate.sum(axis=1) + final.sum(axis=1)
    odd = _again(table, final=final, output=output, value_added=output - table.intermediate.sum(axis=0))
    with pytest.raises(Rejected, match="final sales of CHN apps are negative"):
        world_of(odd, np.full(4, 5.0))
    mended = without_negatives(odd)
    assert "negative final sales of 5 unit set to 0" in mended.notes[-1]
    assert world_of(mended, np.full(4, 5.0)).final_share.min() >= 0


def test_a_markup_above_value_added_is_refused() -> None:
    """Goal: profit is part of value added. Method: a markup of 20 on one cell."""
    table, markup = made_up_table(), np.ones((3, 4))
    markup[1, 2] = 20.0
    with pytest.raises(Rejected, match="JPN apps pays its factors"):
        world_of(table, np.full(4, 5.0), markup=markup)


def test_shares_that_do_not_add_up_are_refused() -> None:
    """Goal: a world is checked like a table. Method: spoil one trade share, then one input share."""
    import msgspec

    from tsingma.economy.chain.world import checked_world

    world = made_up_world()
    spoiled = world.trade_share.copy()
    spoiled[1, 2, 0] += 0.01
    with pytest.raises(Rejected, match=r"shares of models KOR sum to 1\.0100"):
        checked_world(msgspec.structs.replace(world, trade_share=spoiled))
    spoiled = world.input_share.copy()
    spoiled[0, 1, 1] = -0.1
    with pytest.raises(Rejected, match=r"a share of -0\.1 at CHN models models"):
        checked_world(msgspec.structs.replace(world, input_share=spoiled))


@given(st.integers(0, 10_000), st.integers(1, 4), st.integers(1, 5))
def test_identities_of_every_table(seed: int, regions: int, sectors: int) -> None:
    """Goal: vector V11 to 1e-9. Method: value added = final demand; weighted upstreamness = downstreamness."""
    table = made_up_table(seed, regions, sectors)
    world = table.output.sum()
    assert table.value_added.sum() == pytest.approx(table.final.sum(), rel=1e-9)
    assert upstreamness(table) @ table.output / world == pytest.approx(
        downstreamness(table) @ table.output / world, rel=1e-9
    )


def test_aggregation_keeps_every_sum() -> None:
    """Goal: an aggregate is balanced and its cells are sums. Method: two regions into one, two sectors into one."""
    table = made_up_table()
    merged = aggregate(table, {"JPN": "East", "KOR": "East"}, {"apps": "use", "rest": "use"})
    assert (merged.regions, merged.sectors) == (("CHN", "East"), ("chips", "models", "use"))
    rows, columns = [4, 8], [6, 7, 10, 11]  # chips of JPN and KOR to use of JPN and KOR
    expected = table.intermediate[np.ix_(rows, columns)].sum()
    assert merged.intermediate[merged.row("East", "chips"), merged.row("East", "use")] == pytest.approx(expected)
    _again(merged)
