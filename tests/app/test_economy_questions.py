"""Questions of an economist's desk: what they change, what they leave, what they refuse."""

from __future__ import annotations

from datetime import date

import pytest

from tsingma.app import economy_questions as ask
from tsingma.app.economy_briefs import chain_figures
from tsingma.app.economy_chain import read_scenario, scenario_names
from tsingma.app.economy_run import find_scenario, run_scenario
from tsingma.basics.rejection import Rejected
from tsingma.economy.chain.scenario import run_scenario as run_chain_scenario
from tsingma.economy.chain.stylised import stylised_chain
from tsingma.economy.scenario import shipped_scenarios


@pytest.mark.parametrize("name", scenario_names())
def test_a_shipped_scenario_is_the_scenario(name: str) -> None:
    """Goal: the desk is no second model. Method: the answer against the same scenario run as the brief runs it."""
    _, scenario = read_scenario(name)
    direct = run_chain_scenario(stylised_chain(), name, scenario, draws=ask.DRAWS, seed=ask.SEED)
    assert ask.ask_chain(ask.ChainQuestion(scenario=name)) == chain_figures(scenario, direct)


def test_the_form_can_say_what_a_shipped_scenario_says() -> None:
    """Goal: months and part mean what the files mean. Method: all HBM of Korea for one month against ``hbm-stop``."""
    shipped = ask.ask_chain(ask.ChainQuestion(scenario="hbm-stop"))
    asked = ask.ask_chain(ask.ChainQuestion(scenario="choke", sector="hbm", country="KOR", months=1, part=1.0))
    for field in ("countries", "flows", "dividends", "leaks", "reasons", "spread", "days"):
        assert getattr(asked, field) == getattr(shipped, field), field


def test_a_longer_stop_loses_more_days_and_a_smaller_part_less_income() -> None:
    """Goal: each slider does what it is called. Method: months twice, part halved, all else the same."""
    one, two, half = (
        ask.ask_chain(ask.ChainQuestion(scenario="choke", sector="hbm", country="KOR", months=months, part=part))
        for months, part in ((1, 1.0), (2, 1.0), (1, 0.5))
    )
    assert one.days is not None
    assert two.days is not None
    assert two.days.world_lost_days > one.days.world_lost_days > 0
    korea = [next(row.real_income for row in found.countries if row.country == "KOR") for found in (one, half)]
    assert korea[0] < korea[1] < 0


def test_makers_are_those_of_the_table() -> None:
    """Goal: only who makes a thing can stop making it. Method: parts of a sector, largest first, at most the whole."""
    points = {point.sector: point for point in ask.choke_points()}
    assert "rest" not in points
    assert points["hbm"].makers[0][0] == "KOR"
    assert points["advanced_logic"].makers[0][0] == "TWN"
    for point in points.values():
        parts = [part for _, part in point.makers]
        assert parts == sorted(parts, reverse=True)
        assert parts[-1] >= ask.MAKES_LEAST
        assert sum(parts) <= 1.0 + 1e-9


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"scenario": "../secrets.toml"}, "scenario"),
        ({"sector": "bricks"}, "sector"),
        ({"country": "JPN"}, "country"),
        ({"months": 0}, "months"),
        ({"months": 25}, "months"),
        ({"part": 0.01}, "part"),
        ({"part": float("nan")}, "part"),
    ],
)
def test_a_choke_point_that_cannot_be_is_refused(changes: dict[str, object], field: str) -> None:
    """Goal: refused whole, with the field. Method: one thing wrong at a time; a file's name is no scenario."""
    good = {"scenario": "choke", "sector": "hbm", "country": "KOR", "months": 1, "part": 1.0}
    with pytest.raises(Rejected) as refused:
        ask.ask_chain(ask.ChainQuestion(**{**good, **changes}))
    assert refused.value.rejections[0].field == field


@pytest.mark.parametrize("model", ["renminbi", "property"])
def test_without_levers_a_run_is_the_shipped_one(model: str) -> None:
    """Goal: nothing set, nothing changed. Method: fans and path of every shipped scenario at as many replications."""
    for name in shipped_scenarios(model):
        direct = run_scenario(find_scenario(name, model), model, replications=ask.REPLICATIONS)
        found = ask.ask_run(model, ask.RunQuestion(scenario=name))
        for fan, row in zip(direct.fans, found.fans, strict=True):
            assert (fan.indicator, tuple(map(tuple, fan.values))) == (row.indicator, row.values)


def test_a_doubled_pool_starts_twice_as_large_and_nothing_else_does() -> None:
    """Goal: "the pool doubles" is what it says. Method: first and later values of each indicator, once and twice."""
    once, twice = (
        ask.ask_run("renminbi", ask.RunQuestion(scenario="renminbi-opening", pool_times=times)) for times in (1.0, 2.0)
    )
    doubled = {"pool.deposits", "pool.loans"}
    for before, after in zip(once.fans, twice.fans, strict=True):
        factor = 2.0 if before.indicator in doubled else 1.0
        assert after.values[0][0] == pytest.approx(factor * before.values[0][0], rel=1e-6, abs=1e-9), before.indicator
    assert once.fans != twice.fans


def test_stocks_moved_by_hand_move_by_that_much() -> None:
    """Goal: the shock is the slider. Method: the median of the index a month on, with and without a fifth off."""
    plain, moved = (
        ask.ask_run("property", ask.RunQuestion(scenario="homes-baseline", stocks_percent=percent))
        for percent in (0.0, -20.0)
    )

    def index(found: object) -> tuple[float, ...]:
        fan = next(one for one in found.fans if one.indicator == "equity.HSI")  # type: ignore[attr-defined]
        return tuple(row[fan.dates.index(date(2026, 7, 31))] for row in fan.values)

    assert index(moved) == pytest.approx([0.8 * value for value in index(plain)], rel=1e-9)


def test_levers_are_set_as_given() -> None:
    """Goal: a lever of the form replaces those of the scenario. Method: all at nil is the run without; one alone; what
    the scenario sets is what the form shows.
    """
    nil = ask.ask_run("renminbi", ask.RunQuestion(scenario="renminbi-opening", levers=(("swap_lines", 0.0),)))
    assert nil.causes == ()
    one = ask.ask_run("renminbi", ask.RunQuestion(scenario="renminbi-opening", levers=(("capital_controls", 1.0),)))
    assert [cause.name for cause in one.causes] == ["capital_controls"]
    assert one.causes[0].effect < 0  # restriction lowers the share of payments
    assert ask.levers_of("renminbi", "renminbi-opening")["sovereign_issuance"] == 250


@pytest.mark.parametrize(
    ("model", "changes", "field"),
    [
        ("renminbi", {"levers": (("swap_lines", 11.0),)}, "lever"),
        ("renminbi", {"levers": (("printing", 1.0),)}, "lever"),
        ("renminbi", {"pool_times": 5.0}, "pool_times"),
        ("renminbi", {"stocks_percent": -10.0}, "stocks_percent"),
        ("property", {"pool_times": 2.0}, "pool_times"),
        ("property", {"stocks_percent": -90.0}, "stocks_percent"),
        ("property", {"scenario": "/etc/passwd"}, "scenario"),
        ("weather", {}, "model"),
    ],
)
def test_a_run_that_cannot_be_is_refused(model: str, changes: dict[str, object], field: str) -> None:
    """Goal: refused whole, with the field. Method: one thing wrong at a time."""
    good = {"scenario": "homes-baseline" if model == "property" else "renminbi-opening"}
    with pytest.raises(Rejected) as refused:
        ask.ask_run(model, ask.RunQuestion(**{**good, **changes}))
    assert refused.value.rejections[0].field == field


def test_duty_on_a_home() -> None:
    """Goal: the schedule of a day. Method: HKD 12 m bears 3.75 % on 1 March 2026 (Budget 2026-27: HKD 450,000)."""
    found = ask.duty_of_home(12_000_000, date(2026, 3, 1))
    assert (found.duty_hkd, found.average_bp, found.valid_from) == (450_000, 375, date(2026, 2, 26))
