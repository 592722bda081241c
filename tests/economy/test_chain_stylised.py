"""The stylised table that ships, and the dividends computed from it.

Goal: it balances, says what it is, adds up by every cut; V11 on it. Method: sums against the figures it is built from.
"""

from __future__ import annotations

import numpy as np
import pytest

from tsingma.basics.rejection import Rejected
from tsingma.economy.chain.accounting import chain_dividends
from tsingma.economy.chain.dividends import (
    base_dividends,
    by_layer,
    divergence,
    dividend_rows,
    dividends,
    layer_concentration,
    rent_leakage,
)
from tsingma.economy.chain.equilibrium import Shock, solve
from tsingma.economy.chain.stylised import stylised_chain
from tsingma.economy.chain.table import aggregate


def test_it_balances_and_carries_its_figures() -> None:
    """Goal: sizes and shares as cited. Method: sum rows."""
    chain = stylised_chain()
    table = chain.table
    assert table.value_added.sum() == pytest.approx(table.final.sum(), rel=1e-9) == pytest.approx(117_170, rel=1e-9)
    output = table.output.reshape(table.shape)
    hbm, korea = table.sector("hbm"), chain.regions_of("KOR")
    assert output[:, hbm].sum() == pytest.approx(38)
    assert output[korea, hbm].sum() / 38 == pytest.approx(0.79)
    resist = table.sector("photoresist")
    assert output[chain.regions_of("JPN"), resist].sum() / output[:, resist].sum() == pytest.approx(0.91)
    assert chain.figures > 80
    assert chain.assumptions < chain.figures / 3


def test_carved_and_split_add_up_to_whole_countries() -> None:
    """Goal: re-aggregation. Method: merge zones and carved sectors; chips are 772 again, Korea 1,780."""
    chain = stylised_chain()
    parents = {"hbm": "chips", "photoresist": "materials", "advanced_logic": "foundry", "design_tools": "rest"}
    whole = aggregate(chain.table, chain.country_of, parents)
    assert whole.shape == (6, 11)
    assert whole.output.reshape(whole.shape)[:, whole.sector("chips")].sum() == pytest.approx(772)
    assert whole.value_added.reshape(whole.shape)[whole.region("KOR")].sum() == pytest.approx(1780)


def test_dividends_add_up_by_every_cut() -> None:
    """Goal: country x layer x zone x tier = world value added to 1e-9, before and after. Method: sum; accounting
    twin.
    """
    chain = stylised_chain()
    world = chain.world()
    cost = np.ones((15, 9, 9))
    cost[chain.table.sector("hbm"), :, chain.regions_of("KOR")] = 3.0
    found = solve(world, Shock(trade_cost=cost))
    base, after = base_dividends(chain), dividends(chain, found)
    rows = dividend_rows(chain, base, after)
    assert sum(row.base for row in rows) == pytest.approx(chain.table.value_added.sum(), rel=1e-9)
    earned = found.factor_income.sum() + found.profit.sum()
    assert sum(row.after for row in rows) == pytest.approx(earned, rel=1e-9)
    assert dividends(chain, solve(world)).total == pytest.approx(base.total, rel=1e-9, abs=1e-9)
    assert base.total.sum(axis=2).reshape(-1) == pytest.approx(
        chain_dividends(chain.table, chain.table.final.sum(axis=1)), rel=1e-9, abs=1e-9
    )
    assert sum(by_layer(chain, base).values()) == pytest.approx(chain.table.value_added.sum())


def test_measures_of_a_country() -> None:
    """Goal: exact Theil parts; no K without a change; a lead of the leaders widens it. Method: tier shares."""
    chain = stylised_chain()
    base = base_dividends(chain)
    still = divergence(chain, "KOR", base, base)
    assert still.theil == pytest.approx(still.theil_within + still.theil_between)
    assert still.k == pytest.approx(0.0, abs=1e-12)
    wider = divergence(chain, "KOR", base, base_dividends(chain, {"upstream": 0.95}))
    assert wider.k > 0 > wider.lower
    assert wider.theil > still.theil
    assert 0 < layer_concentration(chain, base, "downstream") < layer_concentration(chain, base, "upstream") < 1
    assert rent_leakage(chain, base, {"KOR": 0.5})["KOR"] == pytest.approx(
        0.5 * base.rent[chain.regions_of("KOR")].sum()
    )


def test_unknown_names_are_refused() -> None:
    """Goal: the known ones are listed. Method: a wrong country and layer."""
    with pytest.raises(Rejected, match=r"no country 'FRA' \(one of CHN, JPN, KOR"):
        stylised_chain().regions_of("FRA")
    with pytest.raises(Rejected, match="no layer 'sky'"):
        stylised_chain().sectors_of("sky")
