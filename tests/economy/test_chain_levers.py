"""The levers, each with the direction the reference gives it (A1.3), and their ranges.

Goal: signs and orderings on the stylised chain; a value out of range is refused. Method: one lever at a time, base
beside.
"""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from tsingma.basics.rejection import Rejected, RejectionReason
from tsingma.economy.chain.dividends import (
    TRIO,
    Dividends,
    base_dividends,
    by_layer,
    divergence,
    dividends,
    layer_concentration,
)
from tsingma.economy.chain.equilibrium import Equilibrium, solve
from tsingma.economy.chain.levers import LEVERS, Setting, home_share, plan_of, share_after_entry
from tsingma.economy.chain.scenario import foreign_shares, table_after
from tsingma.economy.chain.stylised import Chain, stylised_chain
from tsingma.economy.chain.tiers import Market

CHAIN = stylised_chain()
BASE = base_dividends(CHAIN)


def _run(*settings: Setting, chain: Chain = CHAIN) -> tuple[Equilibrium, Dividends]:
    plan = plan_of(chain, settings)
    found = solve(chain.world(), plan.shock)
    return found, dividends(chain, found, leaders=plan.leaders)


def test_interior_compute_narrows_the_gap_between_regions() -> None:
    """Goal: between-region Theil of China falls. Method: data centres of the interior a tenth better."""
    _, after = _run(Setting(lever="interior_compute", value=0.1))
    assert divergence(CHAIN, "CHN", BASE, after).theil_between < divergence(CHAIN, "CHN", BASE, BASE).theil_between


def test_home_chips_cut_leakage_and_concentration() -> None:
    """Goal: foreign value in Chinese chips and the HHI of the layer fall. Method: home share to 45 %."""
    found, after = _run(Setting(lever="home_chips", value=0.45))
    world = CHAIN.world()
    before, then = foreign_shares(CHAIN, CHAIN.table), foreign_shares(CHAIN, table_after(CHAIN, world, found))
    assert then["CHN", "upstream"] < before["CHN", "upstream"]
    assert layer_concentration(CHAIN, after, "upstream") < layer_concentration(CHAIN, BASE, "upstream")
    chips, china = CHAIN.table.sector("chips"), CHAIN.regions_of("CHN")
    bought = found.trade_share[0, chips][china][:, china].sum(axis=1)
    assert (bought > home_share(CHAIN, "CHN", "chips")).all()


@pytest.mark.parametrize(("sector", "seller", "buyer"), [("hbm", "KOR", ""), ("design_tools", "USA", "CHN"),
                                                         ("photoresist", "JPN", "KOR")])  # fmt: skip
def test_controls_cost_more_where_inputs_are_hard_to_replace(sector: str, seller: str, buyer: str) -> None:
    """Goal: loss of the buyer rises as epsilon falls; the leading edge falls first. Method: three elasticities."""
    setting = Setting(
        lever="export_control", value=1000.0, sector=sector, sellers=(seller,), buyers=(buyer,) if buyer else ()
    )
    struck = CHAIN.regions_of(buyer or "TWN")
    losses = []
    for epsilon in (0.8, 0.3, 0.1):
        chain = msgspec.structs.replace(CHAIN, epsilon=np.full(len(CHAIN.table.sectors), epsilon))
        found, _ = _run(setting, chain=chain)
        losses.append(1.0 - found.real_income[0, struck].mean())
    assert losses[0] < losses[1] < losses[2]


def test_plural_suppliers_lower_rents() -> None:
    """Goal: the rent of the layer falls with the number of suppliers. Method: three, five, twenty makers of HBM."""
    hbm = CHAIN.table.sector("hbm")
    after = [_run(Setting(lever="plural_suppliers", value=count, sector="hbm"))[1] for count in (5, 20)]
    rents = [float(one.rent[:, hbm].sum()) for one in (BASE, *after)]
    assert rents[0] > rents[1] > rents[2]


def test_open_source_lowers_concentration_and_inequality_within() -> None:
    """Goal: HHI of the middle layer and Theil within fall with o, for all three. Method: two openness levels."""
    last = (
        layer_concentration(CHAIN, BASE, "midstream"),
        [divergence(CHAIN, n, BASE, BASE).theil_within for n in TRIO],
    )
    for openness in (0.3, 0.9):
        _, after = _run(Setting(lever="open_source", value=openness))
        now = layer_concentration(CHAIN, after, "midstream"), [
            divergence(CHAIN, n, BASE, after).theil_within for n in TRIO
        ]  # fmt: skip
        assert now[0] < last[0]
        assert all(a < b for a, b in zip(now[1], last[1], strict=True))
        last = now


def test_filing_rules_widen_the_adoption_gap_and_waiving_narrows_it() -> None:
    """Goal: Japan's tiers move apart with the cost, together without it. Method: cost up, and waived."""
    up = plan_of(CHAIN, [Setting(lever="filing_cost", value=0.3, country="JPN")]).leaders["JPN downstream"]
    waived = plan_of(CHAIN, [Setting(lever="filing_cost", value=-0.2, country="JPN")]).leaders["JPN downstream"]
    assert waived < CHAIN.leaders["downstream"] < up


def test_a_subsidy_needs_orders() -> None:
    """Goal: start-ups gain little until the demand constraint is lifted. Method: the same subsidy, two order books."""
    tight = plan_of(CHAIN, [Setting(lever="chip_subsidy", value=0.5, country="KOR", orders=1.02)])
    loose = plan_of(CHAIN, [Setting(lever="chip_subsidy", value=0.5, country="KOR", orders=9.0)])
    base = CHAIN.leaders["upstream"]
    assert 0 < base - tight.leaders["KOR upstream"] < 0.1 * (base - loose.leaders["KOR upstream"])


def test_entry_does_not_move_a_tipped_market() -> None:
    """Goal: the incumbents keep all above tipping, unless entry is large; below they lose. Method: three pulls."""
    # Above tipping incumbents hold while log(share odds) > log(entrants) / (pull - 1).
    assert share_after_entry(Market(elasticity=2.0, feedback=1.5), 0.9, 2.0) > 0.999
    assert share_after_entry(Market(elasticity=2.0, feedback=1.2), 0.9, 2.0) < 0.001
    assert share_after_entry(Market(elasticity=2.0, feedback=0.3), 0.9, 2.0) < 0.5
    plan = plan_of(CHAIN, [Setting(lever="entry_opening", value=0.5, country="KOR")])
    assert plan.leaders["KOR midstream"] < CHAIN.leaders["midstream"]


def test_adoption_downstream_is_inclusive() -> None:
    """Goal: the downstream share of dividends rises, Theil falls in all three. Method: benefit up everywhere."""
    _, after = _run(Setting(lever="full_adoption", value=0.3))
    shares = [by_layer(CHAIN, one) for one in (BASE, after)]
    parts = [one["downstream"] / (one["upstream"] + one["midstream"] + one["downstream"]) for one in shares]
    assert parts[1] > parts[0]
    for country in TRIO:
        assert divergence(CHAIN, country, BASE, after).theil < divergence(CHAIN, country, BASE, BASE).theil


def test_trilateral_opening_lifts_all_three() -> None:
    """Goal: real income of all three rises, chain rents diversify. Method: trade cost down a tenth."""
    found, after = _run(Setting(lever="trilateral_opening", value=0.9))
    for country in TRIO:
        assert (found.real_income[0, CHAIN.regions_of(country)] > 1).all()
    assert layer_concentration(CHAIN, after, "upstream") < layer_concentration(CHAIN, BASE, "upstream")


def test_a_bust_falls_on_who_builds() -> None:
    """Goal: demand for servers down hits Taiwan and Korea first. Method: halve it."""
    found, _ = _run(Setting(lever="final_demand", value=0.5, sector="servers"))
    change = {country: found.real_income[0, CHAIN.regions_of(country)].mean() - 1 for country in (*TRIO, "TWN", "USA")}
    assert min(change, key=lambda name: change[name]) == "TWN"
    assert change["KOR"] < change["USA"]


@pytest.mark.parametrize("name", LEVERS)
def test_values_out_of_range_are_refused(name: str) -> None:
    """Goal: both ends of every lever, with unit and range. Method: just outside."""
    lever = LEVERS[name]
    given = {"sector": "hbm", "sellers": ("KOR",), "country": "KOR"}
    for value in (lever.low - 1e-3 * max(1.0, abs(lever.low)) - 1e-6, lever.high * 1.01 + 1e-3):
        with pytest.raises(Rejected, match=f"{name} of .* is outside") as caught:
            plan_of(CHAIN, [Setting(lever=name, value=value, **given)])
        assert caught.value.rejections[0].reason is RejectionReason.OUT_OF_RANGE


@pytest.mark.parametrize(("setting", "message"), [
    (Setting(lever="magic", value=1.0), "no lever 'magic'"),
    (Setting(lever="outage", value=0.5, sector="hbm"), "outage needs country"),
    (Setting(lever="outage", value=0.5, sector="hbm", country="XXX"), "no country 'XXX'"),
    (Setting(lever="export_control", value=2.0, sector="tea", sellers=("CHN",)), "'tea' is not in the table"),
])  # fmt: skip
def test_unknown_and_missing_are_refused(setting: Setting, message: str) -> None:
    """Goal: what is known is listed. Method: one fault each."""
    with pytest.raises(Rejected, match=message):
        plan_of(CHAIN, [setting])
