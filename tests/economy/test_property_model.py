"""Stocks and homes simulated: rest points, closed forms, duty on volume, partings, scenarios, bounds and refusals."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from tsingma.basics.rejection import Rejected
from tsingma.economy.draws import replication_seeds
from tsingma.economy.path import HOME_PRICE, HSI, from_toml, to_toml
from tsingma.economy.property.duty_response import band_volume_change, retimed_volume, total_volume_change
from tsingma.economy.property.model import INDICATORS, MonthInputs, simulate
from tsingma.economy.property.parameters import (
    Coefficients,
    coefficients,
    levers,
    require_levers,
    rows,
    shifters_of_2026,
    start_on,
    with_columns,
)
from tsingma.economy.property.run import in_units, run
from tsingma.economy.scenario import LeverSetting, Scenario, ScenarioShock, shipped_scenarios
from tsingma.economy.sensitivity import sobol

START = start_on(date(2026, 6, 30))
PLACE = {name: place for place, name in enumerate(INDICATORS)}
NOISE = ("price_noise", "rent_noise", "stocks_noise", "rate_noise", "sales_noise")


def _quiet(**changes: float) -> Coefficients:
    return replace(coefficients(), **dict.fromkeys(NOISE, 0.0), **changes)  # type: ignore[arg-type]


def _simulate(given: Coefficients, months: int = 12, batch: int = 1, **inputs: float) -> np.ndarray:
    done = [MonthInputs(**inputs)] + [MonthInputs()] * (months - 1)  # type: ignore[arg-type]
    return simulate(START, given, done, replication_seeds(1, batch))


def _scenario(**changes: object) -> Scenario:
    fields = {
        "name": "x", "english": "x", "chinese": "甲", "model": "property", "start": date(2026, 6, 30), "months": 12,
        "replications": 2_000, "by": HSI,
    }  # fmt: skip
    return Scenario(**{**fields, **changes})  # type: ignore[arg-type]


def _shock(name: str, size: float, day: date = date(2026, 8, 3), months: int = 1) -> ScenarioShock:
    return ScenarioShock(name=name, day=day, size=size, unit="u", months=months, why="w", source="s")


def test_every_coefficient_is_inside_its_range_and_has_a_source() -> None:
    """Goal: no bare number. Method: value within low and high, a source that says estimate, assumed or a paper."""
    for row in rows():
        assert row.low <= row.value <= row.high, row.name
        assert len(row.source) > 10, row.name


def test_rent_follows_vacancy_in_closed_form() -> None:
    """Goal: the rent equation. Method: the first month's change is 3.61 x (natural less actual vacancy) / 12."""
    found = _simulate(_quiet(), 1)[0, PLACE["home_rent.RVD"]]
    assert found[1] == pytest.approx(3.61 * (0.056 - START.vacancy) / 12.0, rel=1e-9)


def test_the_stock_of_homes_adds_up() -> None:
    """Goal: stock and flow. Method: a year of completions at the start's pace less demolition, homes counted."""
    homes = _simulate(_quiet(), 12)[0, PLACE["housing.stock"]]
    expected = 1_280_000.0
    for _ in range(12):
        expected = expected * (1 - 0.002 / 12) + START.completions_a_year / 12
    assert homes[12] == pytest.approx(expected, rel=1e-12)


def test_starts_are_completed_after_three_to_five_years() -> None:
    """Goal: the lag of supply. Method: a supply lever in month 1 changes the stock from month 37 to month 61 only."""
    base, more = (
        _simulate(_quiet(starts_of_price=0.0), 70, supply=supply)[0, PLACE["housing.stock"]] for supply in (0.0, 0.5)
    )
    added = np.diff(more - base)
    assert np.abs(added[:36]).max() < 1e-6
    monthly = START.completions_a_year / 12 * np.expm1(0.5) / 25
    assert added[37:61] == pytest.approx(np.full(24, monthly), rel=0.02)
    assert np.abs(added[64:]).max() < 1.0


def test_stocks_reach_homes_a_month_later() -> None:
    """Goal: the lead of S5. Method: the index falls 10 % in month 1; homes of month 2 move by the coefficient."""
    base, hit = (_simulate(_quiet(), 4, stocks=stocks)[0, PLACE[HOME_PRICE]] for stocks in (0.0, -0.1))
    moved = hit - base
    assert moved[1] == pytest.approx(-0.0045 * -0.1, abs=1e-6)
    assert moved[2] - moved[1] == pytest.approx(0.0973 * -0.1 + 0.3735 * moved[1], abs=5e-4)


def test_a_gap_to_the_long_run_closes() -> None:
    """Goal: error correction. Method: nothing but the correction acts; the gap shrinks by it every month."""
    still = _quiet(
        price_drift=0.0, price_momentum_1=0.0, price_momentum_2=0.0, price_of_rent=0.0, price_of_stocks_0=0.0,
        price_of_stocks_1=0.0, price_of_stocks_2=0.0, price_of_buyers=0.0, user_cost_weight=0.0, long_run_rent=0.0,
        long_run_stocks=0.0,
    )  # fmt: skip
    price = _simulate(still, 24)[0, PLACE[HOME_PRICE]]
    gap = START.gap + price
    assert gap[1:] / gap[:-1] == pytest.approx(np.full(24, 1.0 - 0.0145))


def test_new_shares_press_the_index() -> None:
    """Goal: flow less supply moves stocks. Method: ten points bought and ten points issued leave the index alone."""
    base, both, supply = (
        _simulate(_quiet(), 2, **inputs)[0, PLACE[HSI], 1]
        for inputs in ({}, {"southbound": 10.0, "share_supply": 10.0}, {"share_supply": 10.0})
    )
    assert both == pytest.approx(base)
    assert supply - base == pytest.approx(-10 * 0.006)


def test_duty_on_volume() -> None:
    """Goal: the worked change of 2026. Method: 2.25 points: -36 % in the band, -0.11 % of all deals, re-timed 40 %."""
    assert band_volume_change(2.25) == pytest.approx(-0.36, abs=0.003)
    assert total_volume_change(2.25, 0.003) == pytest.approx(-0.0011, abs=5e-5)
    before, after, lasting = retimed_volume(2.25, reversed_part=0.4)
    assert before - 1 == pytest.approx(lasting - after) == pytest.approx(0.4 * (1 - lasting))
    with pytest.raises(Rejected):
        total_volume_change(1.0, 1.5)
    with pytest.raises(Rejected):
        retimed_volume(1.0, reversed_part=-0.1)


def test_duty_lowers_volume_and_leaves_prices() -> None:
    """Goal: the sign of the Hong Kong studies. Method: four points on all homes; fewer agreements, the same prices."""
    lever = (LeverSetting(name="duty_points", value=4.0), LeverSetting(name="duty_part", value=1.0))
    base, taxed = run(_scenario()), run(_scenario(lever=lever))
    ratio = np.median(taxed.of("volume.home_sales") / base.of("volume.home_sales"), axis=0)
    assert ratio[2:] == pytest.approx(np.full(11, np.exp(-0.8)))
    assert np.array_equal(base.of(HOME_PRICE), taxed.of(HOME_PRICE))


def test_an_announced_duty_is_outrun() -> None:
    """Goal: re-timing. Method: four points from month 4; deals of month 3 rise by 40 % of what is lost for good."""
    lever = (LeverSetting(name="duty_points", value=4.0, from_month=4), LeverSetting(name="duty_part", value=1.0))
    base, taxed = run(_scenario()), run(_scenario(lever=lever))
    ratio = np.median(taxed.of("volume.home_sales") / base.of("volume.home_sales"), axis=0)
    lasting = np.exp(-0.8)
    pulled = 0.4 * (1 - lasting)
    assert ratio[[2, 3, 4, 5]] == pytest.approx([1.0, 1 + pulled, lasting - pulled, lasting])


def test_a_parting_as_wide_as_june_2026_is_rare_without_flows() -> None:
    """Goal: near one in twelve with shifters off. Method: all six-month gaps of 20 years x 1,000 replications."""
    found = run(_scenario(months=240, replications=1_000)).of("gap.six_months")[:, 12:]
    assert 0.06 < np.mean(found >= 0.212) < 0.11


def test_flow_shifters_make_june_2026_the_middle() -> None:
    """Goal: central with shifters on. Method: from December 2025; the medians are the index and price that came."""
    given = shifters_of_2026()
    day = date(2026, 1, 2)
    shocks = (
        _shock("flow.southbound", given.southbound, day, given.months),
        _shock("flow.mainland_buying", given.mainland_buying, day, given.months),
    )
    chosen = {"start": date(2025, 12, 31), "months": 6, "replications": 10_000}
    off, on = run(_scenario(**chosen)), run(_scenario(**chosen, shock=shocks))
    assert np.median(on.of(HSI)[:, -1]) == pytest.approx(22_881, rel=0.01)
    assert np.median(on.of(HOME_PRICE)[:, -1]) == pytest.approx(321.0, rel=0.01)
    gap = 0.212
    assert 0.35 < np.mean(on.of("gap.six_months")[:, -1] >= gap) < 0.65
    assert np.mean(off.of("gap.six_months")[:, -1] >= gap) < 0.15


def test_a_replication_alone_is_the_same() -> None:
    """Goal: seeds are recorded and enough. Method: replication 41 of a hundred run alone by its seed."""
    seeds = replication_seeds(9, 100)
    together = simulate(START, coefficients(), [MonthInputs()] * 24, seeds)
    alone = simulate(START, coefficients(), [MonthInputs()] * 24, seeds[41:42])
    assert np.array_equal(together[41], alone[0])


def test_crashes_come_on_their_day() -> None:
    """Goal: the replay of 1987. Method: dates of the two days, each fall on the day, homes lower a year on."""
    found = run(shipped_scenarios()["replay-1987"])
    first, second = (found.dates.index(day) for day in (date(2026, 10, 19), date(2026, 10, 26)))
    index = found.of(HSI)
    assert index[:, first] / index[:, first - 1] == pytest.approx(np.full(len(index), 1 - 0.1112))
    assert index[:, second] / index[:, first] == pytest.approx(np.full(len(index), 1 - 0.3333))
    base = run(shipped_scenarios()["homes-baseline"])
    assert np.median(found.of(HOME_PRICE)[:, -1]) < 0.9 * np.median(base.of(HOME_PRICE)[:, -1])
    path = found.path_at(0.5, by=HSI)
    assert path.worst_fall(HSI) < -0.40
    assert from_toml(to_toml(path)) == path


@pytest.mark.parametrize("name", sorted(shipped_scenarios("property")))
def test_every_shipped_scenario_runs(name: str) -> None:
    """Goal: no scenario that only exists. Method: each one's median end beside the baseline's has the stated sign."""
    chosen = shipped_scenarios()[name]
    few = Scenario(**{key: getattr(chosen, key) for key in chosen.__struct_fields__} | {"replications": 500})
    found = run(few)
    base = run(_scenario(months=few.months, replications=500, start=few.start))
    moved = {key: np.median(found.of(key)[:, -1]) / np.median(base.of(key)[:, -1]) for key in (HSI, HOME_PRICE)}
    signs = {
        "homes-baseline": (0, 0), "duty-luxury-2026": (0, 0), "reunion-up": (1, 1), "reunion-down": (-1, -1),
        "replay-1987": (-1, -1), "replay-1997": (-1, -1), "replay-2008": (-1, -1), "replay-2025": (0, 0),
    }  # fmt: skip
    for key, sign in zip((HSI, HOME_PRICE), signs[name], strict=True):
        assert sign == 0 or np.sign(moved[key] - 1) == sign, (key, moved[key])


def test_what_home_prices_hang_on() -> None:
    """Goal: Sobol indices of the model itself. Method: price after three years over four coefficients' ranges."""
    names = ("price_drift", "price_momentum_1", "correction", "price_of_stocks_1")
    bounds = [(row.low, row.high) for name in names for row in rows() if row.name == name]

    def price(points: np.ndarray) -> np.ndarray:
        given = with_columns(_quiet(), names, points)
        seeds = replication_seeds(1, len(points))
        return in_units(simulate(START, given, [MonthInputs()] * 36, seeds), START)[:, 0, -1]

    found = {index.name: index.total for index in sobol(price, names, bounds, samples=256, seed=1)}
    assert found["price_drift"] > found["price_of_stocks_1"]
    assert sum(found.values()) > 0.9


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"start": date(2026, 5, 31)}, "no start on 2026-05-31"),
        ({"shock": (_shock("rate.CNH", 1.0),)}, "no shock 'rate.CNH'"),
        ({"lever": (LeverSetting(name="duty_points", value=16.0),)}, "outside -4.25 to 15"),
        ({"lever": (LeverSetting(name="moon", value=1.0),)}, "no lever 'moon'"),
        ({"model": "renminbi"}, "not of 'property'"),
    ],
)
def test_wrong_runs_are_refused(changes: dict[str, object], words: str) -> None:
    """Goal: clear refusals. Method: an unknown start, shock, lever, a lever out of range, another model."""
    with pytest.raises(Rejected, match=words):
        run(_scenario(**changes))
    with pytest.raises(Rejected, match="no coefficient"):
        with_columns(coefficients(), ("moon",), np.ones((1, 1)))


def test_levers_name_unit_and_range() -> None:
    """Goal: named levers. Method: each has a unit and a range that holds zero, which is today."""
    for lever in levers().values():
        assert lever.low <= 0 <= lever.high
        assert lever.unit
    assert require_levers({}) == dict.fromkeys(levers(), 0.0)
