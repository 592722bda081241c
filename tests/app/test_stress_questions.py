"""Questions of a supervisor's desk: houses side by side, and moves that are set by hand."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[1] / "api"))

from api_house import write_house, write_prices

from tsingma.app.house_market import HouseMarket
from tsingma.app.house_reads import calls_of
from tsingma.app.house_service import HouseService
from tsingma.app.stress_figures import stress_figures
from tsingma.app.stress_questions import CHOSEN, DRAWS, SEED, RiskDesk, StressQuestion, ask_stress
from tsingma.app.stress_run import StressSource, simulated_source, stress
from tsingma.basics.clock import FixedClock
from tsingma.basics.rejection import Rejected, RejectionReason
from tsingma.journal.commands import RunStep
from tsingma.stress.scenario import shipped_scenarios


class Quiet:
    """Progress that nobody watches."""

    def stage(self, name: str, done: int, total: int) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def source() -> StressSource:
    """A book after a day of a small simulated market."""
    return simulated_source(1, 1_000, 1, FixedClock(0), Quiet())


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A written house, and prices for it."""
    place = tmp_path_factory.mktemp("desk")
    return Path(write_house(place / "house")), write_prices(place / "market")


@pytest.fixture
def service(folders: tuple[Path, Path], tmp_path: Path) -> Iterator[HouseService]:
    """A served copy of the house."""
    with HouseService.open(Path(shutil.copytree(folders[0], tmp_path / "house"))) as running:
        yield running


@pytest.mark.parametrize("scenario", [one.id for one in shipped_scenarios()])
def test_a_scenario_of_its_own_is_the_run_of_the_command_line(source: StressSource, scenario: str) -> None:
    """Goal: the desk is no second model. Method: each shipped scenario, nothing moved, against ``stress``."""
    shipped = next(one for one in shipped_scenarios() if one.id == scenario)
    (run,) = stress(source, (shipped,), draws=DRAWS, seed=SEED)
    assert ask_stress(source, StressQuestion(scenario=scenario)) == stress_figures(source.book, run)


def test_moves_that_are_given_count_and_the_rest_stays(source: StressSource) -> None:
    """Goal: a slider replaces one move. Method: the index of 1987 halved: its volatility and horizon stay."""
    asked = ask_stress(source, StressQuestion(scenario="replay-1987", index_return=-0.16))
    own = ask_stress(source, StressQuestion(scenario="replay-1987"))
    assert (asked.index_return, asked.volatility_ratio, asked.horizon_days) == (-0.16, own.volatility_ratio, 1)
    assert 0 < asked.called < own.called


def test_a_move_by_hand_is_nothing_but_that_move(source: StressSource) -> None:
    """Goal: no scenario behind it. Method: nothing moved, nothing lost but the time of options; an index that is given
    counts over that of an economy's run.
    """
    still = ask_stress(source, StressQuestion(scenario=CHOSEN))
    assert {one.house: one.losses for one in still.houses}["HKSCC"] == 0  # it clears no options
    behind = ask_stress(source, StressQuestion(scenario="reunion-down", index_return=0.0))
    assert behind.index_return == 0.0


def test_less_money_fails_more(source: StressSource) -> None:
    """Goal: the multiple of free money. Method: as booked against half the margin."""
    rich, poor = (
        ask_stress(source, StressQuestion(scenario="replay-1987", liquid_times=times)) for times in (0.0, 0.5)
    )
    assert poor.defaults > rich.defaults


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"index_return": -1.5}, "index_return"),
        ({"volatility_ratio": 0.0}, "volatility_ratio"),
        ({"correlation": 1.5}, "correlation"),
        ({"horizon_days": 0}, "horizon_days"),
        ({"liquid_times": -1.0}, "liquid_times"),
        ({"scenario": "no-such"}, "scenario"),
    ],
)
def test_impossible_questions_are_refused(source: StressSource, changes: dict[str, object], field: str) -> None:
    """Goal: refused with the field. Method: one thing wrong at a time."""
    with pytest.raises(Rejected) as refused:
        ask_stress(source, StressQuestion(**changes))
    assert refused.value.rejections[0].field == field


def test_houses_side_by_side_add_up(service: HouseService, folders: tuple[Path, Path]) -> None:
    """Goal: one portfolio is the margin less what it saves, funds are made of their parts, calls are the house's.
    Method: identities of each column; the calls against the books.
    """
    found = RiskDesk(service, HouseMarket(folders[1])).standing()
    assert [one.house for one in found.sides] == ["HKSCC", "HKCC", "SEOCH", "OTC Clear"]
    for one in found.sides:
        assert one.joint == one.margin - one.credit
        assert 0 <= one.credit <= one.margin
        assert 0 <= one.house_part <= one.fund
        assert (one.members == 0) == (one.fund == 0)
    calls = service.read(lambda house, at: calls_of(house, at, "", 0, 100)).items
    assert found.required == sum(one.requirement_cents for one in calls) // 100 == 600
    assert found.pledged == sum(one.pledged_cents for one in calls) // 100
    assert found.day == "2026-01-05"


def test_what_was_made_is_kept_until_the_house_moves(service: HouseService, folders: tuple[Path, Path]) -> None:
    """Goal: a question is answered as of the last record, and made once. Method: twice; a step of the day; again."""
    desk = RiskDesk(service, HouseMarket(folders[1]))
    first = desk.standing()
    assert desk.standing() is first
    service.submit("step", RunStep("night-1-free-of-payment")).result(10.0)
    assert desk.standing().at == first.at + 1


def test_without_a_market_it_says_what_to_do(service: HouseService) -> None:
    """Goal: no figure without its data. Method: a desk without prices."""
    with pytest.raises(Rejected) as refused:
        RiskDesk(service, None).standing()
    assert refused.value.rejections[0].reason is RejectionReason.MISSING
    assert refused.value.rejections[0].remedy
