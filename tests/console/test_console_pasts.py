"""Pasts of instructions that are kept: what a fresh replay would tell, at once, and with every record since."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from console_house import Served
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tsingma.app import instruction_past
from tsingma.app.house_service import HouseService
from tsingma.app.instruction_past import KeptPasts, past_of
from tsingma.journal.commands import ChangeInstruction, RunStep

HELD, OTHERS = 1, (0, 2)  # of C, whose holds no other instruction feels


def hold(served: Served, name: str, action: str = "hold") -> None:
    """Let the custodian change its instruction under a command id."""
    answer = served.service.submit(name, ChangeInstruction(HELD, action, "C", 0)).result()
    assert type(answer).__name__ == "Accepted"


@pytest.fixture
def replayed(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Every command that replays for stories carried out."""
    found: list[object] = []
    step = instruction_past.step

    def watched(house: Any, command: Any) -> Any:
        found.append(command)
        return step(house, command)

    monkeypatch.setattr(instruction_past, "step", watched)
    return found


def test_kept_and_fresh_are_equal_and_a_record_ends_what_was_known(
    changing_console: Served, replayed: list[object]
) -> None:
    """Goal: a kept past is the past. Method: every instruction twice, a hold, all again; commands carried out each."""
    service = changing_console.service
    pasts = KeptPasts(service)
    fresh = {number: past_of(service, number) for number in (HELD, *OTHERS)}
    assert {number: pasts.past(number) for number in fresh} == fresh
    replayed.clear()
    assert all(pasts.known(number) == fresh[number] and pasts.past(number) == fresh[number] for number in fresh)
    assert replayed == []
    hold(changing_console, "h-1")
    assert all(pasts.known(number) is None for number in fresh)
    after = pasts.past(HELD)
    assert len(replayed) == 1  # the record since, on the house that stayed aside
    assert after == past_of(service, HELD)
    assert after is not None
    assert (after.moments[-1].action, after.moments[-1].outcome) == ("hold", "changes")
    assert {number: pasts.past(number) for number in OTHERS} == {number: fresh[number] for number in OTHERS}


def test_what_is_kept_ends_where_a_replay_would_begin_later(
    changing_console: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Goal: no answer depends on who asked before. Method: a snapshot becomes the beginning between two questions."""
    service = changing_console.service
    monkeypatch.setattr(instruction_past, "RECORDS_MAX", service.length() + 1)
    pasts = KeptPasts(service)
    before = pasts.past(HELD)
    assert before is not None
    assert before.after == 0
    service._writer.sequencer.snapshot()
    stands = service.length()
    for number, action in enumerate(("hold", "release", "hold")):
        hold(changing_console, f"s-{number}", action)
    after = pasts.past(HELD)
    assert after == past_of(service, HELD)
    assert after is not None
    assert (after.after, len(after.moments)) == (stands, 3)


def test_a_page_asked_for_again_replays_nothing(changing_console: Served, replayed: list[object]) -> None:
    """Goal: the second visit costs reads alone. Method: a page twice, commands carried out for each; then a record."""
    path = f"/console/instructions/{HELD}?lang=en"
    first = changing_console.get("custodian", path).text
    assert len(replayed) == changing_console.service.length()
    replayed.clear()
    second = changing_console.get("operator", path).text
    assert replayed == []
    assert first.count("<tr>") == second.count("<tr>") - 1  # the operator reads the other side's order too
    hold(changing_console, "h-2")
    assert changing_console.get("operator", path).text.count("<tr>") == second.count("<tr>") + 1
    assert len(replayed) == 1


def test_a_replay_does_not_hold_the_writer(changing_console: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Goal: a story that takes long stops nobody. Method: a replay that waits while a command is answered."""
    service, step = changing_console.service, instruction_past.step
    begun, answered = threading.Event(), threading.Event()

    def slow(house: Any, command: Any) -> Any:
        begun.set()
        assert answered.wait(30)
        return step(house, command)

    monkeypatch.setattr(instruction_past, "step", slow)
    found: list[object] = []
    pasts = KeptPasts(service)
    asking = threading.Thread(target=lambda: found.append(pasts.past(HELD)))
    asking.start()
    assert begun.wait(30)
    hold(changing_console, "h-3")  # answered while the replay stands still
    assert service.read(lambda house, _at: len(house.settlement.instructions)) == 3
    answered.set()
    asking.join(30)
    assert pasts.past(HELD) == past_of(service, HELD)
    assert found != [past_of(service, HELD)]  # as of its beginning


@pytest.fixture(scope="module")
def open_house(written_console: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HouseService]:
    """A copy of the house whose records only grow."""
    with HouseService.open(shutil.copytree(written_console, tmp_path_factory.mktemp("pasts") / "house")) as service:
        yield service


DOINGS = st.lists(
    st.sampled_from(["hold", "release", "prioritise", "permit-parts", "run", "snapshot", 0, 1, 2]),
    min_size=4,
    max_size=14,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(doings=[0, "hold", 1, "release", 1], kept=3, records_max=2_000)
@given(doings=DOINGS, kept=st.integers(1, 3), records_max=st.sampled_from([5, 40, 2_000]))
def test_any_order_of_questions_and_commands(
    open_house: HouseService, monkeypatch: pytest.MonkeyPatch, doings: list[str | int], kept: int, records_max: int
) -> None:
    """Goal: whatever was asked before, whatever came between, snapshots too, however few are kept: the same.

    Method: hypothesis orders questions (numbers) and commands, also refused ones, against a fresh replay each time.
    """
    monkeypatch.setattr(instruction_past, "RECORDS_MAX", records_max)
    pasts = KeptPasts(open_house, kept)
    for one in doings:
        if isinstance(one, int):
            assert pasts.past(one) == past_of(open_house, one)
            continue
        if one == "snapshot":
            open_house._writer.sequencer.snapshot()
            continue
        value = 2 if one == "prioritise" else 0
        command = RunStep("night-1-everything") if one == "run" else ChangeInstruction(HELD, one, "C", value)
        open_house.submit(f"x-{open_house.length()}-{one}", command).result()
    for number in (0, 1, 2, 99):
        assert pasts.past(number) == past_of(open_house, number)
