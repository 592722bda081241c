"""The renminbi: published vectors and fixed points, adoption recovered, books that balance, levers and their bounds."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsingma.basics.rejection import InvariantBroken, Rejected
from tsingma.economy.path import CNH_RATE, POOL, USDCNH, from_json, to_json
from tsingma.economy.renminbi import pool
from tsingma.economy.renminbi.adoption import line_effect_on_payments, simulate_panel, treatment
from tsingma.economy.renminbi.parameters import LeverGroup, inertia_set, lever_effects, parameters
from tsingma.economy.renminbi.run import run
from tsingma.economy.renminbi.shares import (
    estimate_inertia,
    half_life_years,
    logit,
    mean_elsewhere,
    network_fixed_points,
    published_step,
    share_model,
    step,
)
from tsingma.economy.scenario import LeverSetting, Scenario, ScenarioShock, parse_scenario, shipped_scenarios
from tsingma.messages.economic_files import Dates, read_columns

COFER = ("cofer", "cofer_world_quarterly.csv")
RESERVES = "allocated|Chinese yuan renminbi|share_pct"


def test_reserves_as_published(shared: Path) -> None:
    """Goal: R1. Method: the renminbi's share of allocated reserves on six dates, percent to three decimals."""
    (series,) = read_columns(shared.joinpath("data", "econ", *COFER), Dates.QUARTER, "quarter", (RESERVES,))
    points = {
        "2016-12": 1.078,
        "2019-12": 1.937,
        "2022-03": 2.839,
        "2023-12": 2.289,
        "2024-12": 2.175,
        "2025-03": 2.116,
    }
    for month, share in points.items():
        assert series.at(date.fromisoformat(f"{month}-01")) == pytest.approx(share, abs=5e-4)
    assert series.values.max() == pytest.approx(2.839, abs=5e-4)


def test_inertia_of_reserves(shared: Path) -> None:
    """Goal: R2. Method: least squares of the quarterly logit on its last value; slope, error, constant, long run."""
    (series,) = read_columns(shared.joinpath("data", "econ", *COFER), Dates.QUARTER, "quarter", (RESERVES,))
    slope, error, constant, long_run = estimate_inertia(series.values / 100.0)
    assert (slope, error, constant) == pytest.approx((0.9067, 0.0340, -0.3422), abs=1e-4)
    assert long_run == pytest.approx(0.025, abs=5e-4)


def test_payments_and_trade_finance_as_published(shared: Path) -> None:
    """Goal: R4 and R5. Method: points of the tracker, percent; months without a figure stay without one."""
    file = shared / "data" / "econ" / "rmb" / "swift_rmb_share.csv"
    columns = ("global_share_pct", "trade_finance_share_pct")
    payments, finance = read_columns(file, Dates.MONTH, "month", columns)
    for month, share in {"2023-11": 4.61, "2025-05": 2.89, "2025-10": 2.47, "2026-05": 2.75}.items():
        assert payments.at(date.fromisoformat(f"{month}-01")) == share
    assert finance.values.tolist() == [4.25, 3.61, 4.30, 4.47, 4.72, 5.07, 7.0]


@pytest.mark.parametrize(
    ("strength", "points"),
    [
        (1.0, (0.5,)),
        (2.0, (0.5,)),
        (2.5, (0.14479, 0.5, 0.85521)),
        (4.0, (0.02125, 0.5, 0.97875)),
    ],
)
def test_network_fixed_points(strength: float, points: tuple[float, ...]) -> None:
    """Goal: R7, one point up to 2 and three above. Method: the printed points; each is a fixed point of the map."""
    found = network_fixed_points(strength)
    assert found == pytest.approx(points, abs=5e-6)
    for s in found:
        assert 1.0 / (1.0 + np.exp(-strength * (2 * s - 1))) == pytest.approx(s, abs=1e-12)


def test_half_lives() -> None:
    """Goal: R8. Method: 5.8 years at 0.888 and 2.5 at 0.758; the simulated share agrees with the closed form."""
    assert half_life_years(inertia_set("fixed effects 1947-2018").lagged.value) == pytest.approx(5.8, abs=0.05)
    assert half_life_years(inertia_set("fixed effects 1999-2018").lagged.value) == pytest.approx(2.5, abs=0.05)
    model = share_model(np.array([0.888]), np.array([0.0]), np.array([[0.02, 0.98]]))
    shares = np.array([[0.03, 0.97]])
    before = logit(shares)[0, 0] - model.anchor[0, 0]
    after = step(model, shares, years=half_life_years(0.888))
    assert logit(after)[0, 0] - model.anchor[0, 0] == pytest.approx(before / 2, rel=1e-3)


@pytest.mark.parametrize("one", parameters().inertia, ids=lambda one: one.name)
def test_published_columns(one: object) -> None:
    """Goal: the six columns of the table act as printed. Method: next year's share by hand."""
    given = inertia_set(one.name)  # type: ignore[attr-defined]
    wanted = given.lagged.value * 2.0 + given.credibility.value * 1.0 + given.gdp_share.value * 3.0
    assert published_step(given, 2.0, credibility=1.0, gdp_share=3.0) == pytest.approx(wanted)
    assert 0.7 < given.lagged.value < 1.0


def test_dollar_terms_count_for_the_dollar_only() -> None:
    """Goal: the last column. Method: credibility 0.069 for others, -0.034 for the dollar."""
    given = inertia_set("fixed effects with dollar terms")
    assert published_step(given, 0.0, credibility=1.0) == pytest.approx(0.069)
    assert published_step(given, 0.0, credibility=1.0, dollar=True) == pytest.approx(0.069 - 0.103)


def test_shares_stand_still_without_a_cause() -> None:
    """Goal: the anchor. Method: three currencies, network on, a hundred years without shocks."""
    start = np.array([[0.6, 0.3, 0.1], [0.5, 0.25, 0.25]])
    model = share_model(np.array([0.9, 0.8]), np.array([3.0, 2.0]), start)
    assert step(model, start, years=100.0) == pytest.approx(start, abs=1e-12)
    assert mean_elsewhere(start)[0] == pytest.approx(start[1])


@given(st.lists(st.floats(0.01, 0.9), min_size=4, max_size=4), st.floats(-3, 3), st.floats(0.01, 20))
def test_shares_always_sum_to_one(raw: list[float], pull: float, years: float) -> None:
    """Goal: shares stay shares. Method: random starts, pulls and spans; sums are one to 1e-9."""
    start = np.array([raw, raw[::-1]]) / sum(raw)
    model = share_model(np.array([0.9, 0.7]), np.array([4.0, 4.0]), start)
    moved = step(model, start, years=years, pull=pull * np.array([1.0, 0.0, 0.0, 0.0]))
    assert np.abs(moved.sum(-1) - 1.0).max() < 1e-9
    assert (moved > 0).all()
    assert (moved - start)[0, 0] * pull >= -1e-12


@pytest.mark.parametrize(
    ("start", "words"),
    [([[-0.1, 1.1]], "share -0.1 of cell"), ([[0.5, 0.4]], "off by 0.1"), ([[float("nan"), 1.0]], "not between")],
)
def test_wrong_shares_are_refused(start: list[list[float]], words: str) -> None:
    """Goal: a negative share never enters. Method: a negative share, a sum short of one, no number."""
    with pytest.raises(Rejected, match=words):
        share_model(np.array([0.9]), np.array([0.0]), np.array(start))


def test_swap_lines_are_recovered() -> None:
    """Goal: 0.12 and fourfold within sampling error. Method: 114 countries, 21 treated, 11,058 rows, 40 panels."""
    given_panel = parameters().adoption
    panels = [simulate_panel(given_panel, seed) for seed in range(40)]
    assert panels[0].uses.size == given_panel.observations == 11_058
    assert panels[0].line.any(0).sum() == 21
    found = [treatment(panel) for panel in panels]
    use, error = np.array([[one.use, one.use_error] for one in found]).T
    value, value_error = np.array([[one.log_payments, one.log_payments_error] for one in found]).T
    assert use.mean() == pytest.approx(0.12, abs=3 * use.std() / np.sqrt(40))
    assert np.exp(value.mean()) == pytest.approx(4.0, rel=0.05)
    assert error.mean() == pytest.approx(use.std(), rel=0.3)
    covered = np.mean(np.abs(value - np.log(4.0)) < 1.96 * value_error)
    assert covered >= 0.85
    assert line_effect_on_payments(given_panel) == pytest.approx(0.0404, abs=1e-4)


def test_levers_have_bounds_and_restriction_outweighs_promotion() -> None:
    """Goal: Eichengreen-Chitu-Mehl's asymmetry. Method: over full ranges, by function, the largest of each kind."""
    rows = parameters().lever
    assert {row.name for row in rows} >= {
        "swap_lines", "clearing_banks", "links", "dual_counters", "duty_waiver", "product_depth",
        "tokenised_issuance", "sovereign_issuance", "futures_hedging",
    }  # fmt: skip
    for function in [one.name for one in parameters().function]:
        promote = max(abs(row.effects.get(function, 0)) for row in rows if row.group is not LeverGroup.RESTRICTION)
        restrict = max(-row.effects.get(function, 0) for row in rows if row.group is LeverGroup.RESTRICTION)
        assert promote < restrict, function
    assert lever_effects({"swap_lines": 5})["payments"] == pytest.approx(0.20)
    with pytest.raises(Rejected, match="outside 0"):
        lever_effects({"swap_lines": 11})
    with pytest.raises(Rejected, match="no lever 'tariff'"):
        lever_effects({"tariff": 1})


def test_every_flow_has_legs_that_sum_to_zero() -> None:
    """Goal: double entry. Method: each flow alone; instruments sum to zero and banks' worth moves by interest only."""
    for name in pool.FLOWS:
        balances = pool.opening(parameters().pool, 3)
        worth = balances.sum(2)
        pool.post(balances, name, np.array([0, 7, 123_457], np.int64))
        assert not balances.sum(1).any(), name
        moved = (balances.sum(2) - worth)[:, pool.SECTORS.index("banks")]
        assert moved.tolist() == ([0, -7, -123_457] if name == "interest" else [0, 0, 0]), name
    with pytest.raises(Rejected, match="negative"):
        pool.post(balances, "lending", np.array([-1, 0, 0], np.int64))
    with pytest.raises(Rejected, match="no flow"):
        pool.post(balances, "gift", np.array([1, 0, 0], np.int64))


@given(
    st.dictionaries(st.sampled_from(sorted(pool.FLOWS)[:]), st.floats(0, 5_000), max_size=8),
    st.floats(0, 500),
    st.integers(1, 6),
)
def test_books_balance_whatever_flows(flows: dict[str, float], quota: float, months: int) -> None:
    """Goal: zero to the yuan million, nothing below zero. Method: random flows far beyond the pool, by month."""
    chosen = {name: value for name, value in flows.items() if not name.startswith(("facility", "bond_sale"))}
    balances = pool.opening(parameters().pool, 2)
    for _ in range(months):
        before = balances.copy()
        done = pool.month(
            balances, {name: np.array([value, value / 3]) for name, value in chosen.items()}, quota=quota,
            liquid_least=0.1,
        )  # fmt: skip
        assert np.array_equal(before, balances)
        balances = done.balances
        assert not balances.sum(1).any()
        assert (pool.of(balances, "banks", "clearing") >= 0).all()
        assert (pool.of(balances, "residents", "deposits") >= 0).all()
        assert (pool.of(balances, "offshore", "deposits") >= 0).all()
        assert (pool.of(balances, "hkma", "facility") <= round(quota * 1000)).all()
        assert (done.refused >= 0).all()


def test_books_that_do_not_balance_stop_the_run() -> None:
    """Goal: an invariant, not a warning. Method: a million yuan from nowhere."""
    balances = pool.opening(parameters().pool, 1)
    balances[0, 0, 0] += 1
    with pytest.raises(InvariantBroken, match="deposits of replication 0 sum to 1"):
        pool.require_balanced(balances)


def _scenario(**changes: object) -> Scenario:
    fields = {
        "name": "x", "english": "x", "chinese": "甲", "model": "renminbi", "start": date(2026, 6, 30), "months": 36,
        "replications": 500,
    }  # fmt: skip
    return Scenario(**{**fields, **changes})  # type: ignore[arg-type]


def _shock(name: str, size: float, months: int = 1) -> ScenarioShock:
    return ScenarioShock(name=name, day=date(2026, 8, 3), size=size, unit="u", months=months, why="w", source="s")


def test_indicators_part_ways() -> None:
    """Goal: R6, payments and reserves down while trade finance is up. Method: limits on conversion, dear dollars."""
    chosen = _scenario(
        lever=(LeverSetting(name="conversion_limits", value=0.6),), shock=(_shock("rate.dollar", 2.0, 35),)
    )
    ensemble = run(chosen)
    middle = {
        name: np.median(ensemble.of(f"share.{name}"), axis=0) for name in ("payments", "reserves", "trade_finance")
    }
    assert middle["payments"][24] < middle["payments"][0]
    assert middle["reserves"][24] < middle["reserves"][0]
    assert middle["trade_finance"][24] > middle["trade_finance"][0]


def test_more_use_cases_raise_the_share_less_than_restriction_lowers_it() -> None:
    """Goal: sign and asymmetry of levers. Method: all promotion at full range beside one restriction, after 3 years."""
    promote = tuple(LeverSetting(name=row.name, value=row.high) for row in parameters().lever
                    if row.group is not LeverGroup.RESTRICTION)  # fmt: skip
    still, up, down = (
        np.median(run(_scenario(lever=levers)).of("share.payments")[:, -1])
        for levers in ((), promote, (LeverSetting(name="capital_controls", value=1.0),))
    )
    assert down < still < up
    assert logit(still) - logit(down) > logit(up) - logit(still)


def test_a_larger_economy_is_held_more() -> None:
    """Goal: the published coefficient on GDP share acts. Method: 2 points more for 30 years; 0.209 / 0.242 of them."""
    chosen = _scenario(months=360, replications=400, shock=(_shock("economy.gdp_share", 2.0, 359),))
    base, more = (np.median(run(one).of("share.reserves")[:, -1]) for one in (_scenario(months=360), chosen))
    share = 0.0195
    wanted = 0.209 / (1 - 0.758) * 0.02 / (share * (1 - share))
    network = 0.02 * 5  # a larger share of reserves pulls the other functions a little, and they pull back
    assert logit(more) - logit(base) == pytest.approx(wanted, abs=0.15 + network)
    assert more > base


def test_a_squeeze_raises_the_rate_and_empties_the_facility() -> None:
    """Goal: the mechanism of the scenario. Method: the shipped squeeze beside a quiet year, medians by month."""
    squeezed, quiet = run(shipped_scenarios()["offshore-squeeze"]), run(_scenario(months=12))
    rate, deposits = (np.median(squeezed.of(name), axis=0) for name in (CNH_RATE, POOL))
    assert rate.max() > np.median(quiet.of(CNH_RATE)) + 3.0
    assert deposits.min() < 0.85 * deposits[0]
    drawn = squeezed.of("pool.facility_drawn")
    assert drawn[:, 2:8].max() == 100.0
    assert drawn.max() <= 200.0


def test_a_jump_is_in_the_exchange_rate() -> None:
    """Goal: the shock arrives. Method: the shipped jump: 3 percent up in August against the same draws without it."""
    jumped = shipped_scenarios()["renminbi-jump"]
    base = _scenario(months=12, replications=jumped.replications)
    hit = run(jumped)
    assert [str(day) for day in hit.dates[1:4]] == ["2026-07-31", "2026-08-11", "2026-08-31"]
    assert hit.of(USDCNH)[:, 2] == pytest.approx(hit.of(USDCNH)[:, 1] * 1.03)
    ratio = hit.of(USDCNH)[:, 3] / run(base).of(USDCNH)[:, 2]
    assert ratio == pytest.approx(np.full(len(ratio), 1.03))


def test_runs_repeat_and_give_paths() -> None:
    """Goal: determinism and the contract. Method: the same scenario twice; its path through JSON."""
    chosen = _scenario(months=6)
    first, second = run(chosen), run(chosen)
    assert np.array_equal(first.values, second.values)
    path = first.path_at(0.1, by=POOL)
    assert from_json(to_json(path)) == path
    assert path.dates[-1] == date(2026, 12, 31)
    assert 0.09 < path.likelihood.value < 0.11


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"shock": (_shock("equity.HSI", 1.0),)}, "no shock 'equity.HSI'"),
        ({"model": "property"}, "not of 'renminbi'"),
        ({"lever": (LeverSetting(name="links", value=101),)}, "outside 0"),
    ],
)
def test_wrong_runs_are_refused(changes: dict[str, object], words: str) -> None:
    """Goal: clear refusals. Method: an unknown shock, another model, a lever out of range."""
    with pytest.raises(Rejected, match=words):
        run(_scenario(**changes))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"months": 0}, "0 months"),
        ({"shock": (_shock("rate.CNH", 1.0),), "months": 1}, "outside the run"),
        ({"lever": (LeverSetting(name="links", value=1, from_month=99),)}, "outside the run"),
    ],
)
def test_wrong_scenarios_are_refused(changes: dict[str, object], words: str) -> None:
    """Goal: refused whole. Method: a run of no month, a shock and a lever outside of it, and broken TOML."""
    with pytest.raises(Rejected, match=words):
        _scenario(**changes)
    with pytest.raises(Rejected, match=r"s\.toml"):
        parse_scenario("name = 3", file="s.toml")
