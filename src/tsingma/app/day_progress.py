"""How far a day is in its plan: which steps are done, by which record, and what may be done next."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from tsingma.app.session import Session
from tsingma.engine.day_plan import DayStep, PlanKind, day_plan, step_id
from tsingma.engine.house import House
from tsingma.journal.act_commands import DecideAct
from tsingma.journal.commands import decode
from tsingma.journal.record import Record

StepStanding = Literal["done", "next", "open", "later", "passed"]
FindAll = Callable[[Sequence[str]], Mapping[str, Record]]


class PlannedStep(msgspec.Struct, frozen=True):
    """A step of a day's plan and how it stands.

    ``state`` is done, next (of those that must be done in turn), open (may be done now), later, or passed: the day goes
    on without it. ``record`` is the journal's where the step has its own id, ``act`` the act that did it.
    """

    step: str
    id: str
    kind: str
    time: str
    needs: tuple[str, ...]
    optional: bool
    state: StepStanding
    record: int | None = None
    act: int | None = None


def steps_of_day(house: House, find_all: FindAll) -> tuple[PlannedStep, ...]:
    """Return the plan of the house's day with how each step stands; ``find_all`` reads the journal by command ids.

    Before the first day nothing is done, and the ids have no day.
    """
    day, plan = house.position.day, day_plan(None if house.book is None else house.resolved.markets)
    known = find_all([step_id(day, step.name) for step in plan]) if day else {}
    records = {step.name: known.get(step_id(day, step.name)) if day else None for step in plan}
    done = {step.name for step in plan if records[step.name] is not None or _was_done(house, step)}
    found = []
    for step in plan:
        record = records[step.name]
        found.append(
            PlannedStep(
                step=step.name, id=step_id(day, step.name) if day else "", kind=str(step.kind), time=step.time,
                needs=step.needs, optional=step.optional, state=_state(house, step, done),
                record=None if record is None else record.sequence, act=None if record is None else _act(record),
            )
        )  # fmt: skip
    return tuple(found)


def plan_of_house(place: Path | str) -> tuple[PlannedStep, ...]:
    """Return the plan of the day at which a house stands; raises Rejected when there is none."""
    with Session.open(place, read_only=True) as session:
        return steps_of_day(session.house, session.store.find_all)


def _was_done(house: House, step: DayStep) -> bool:
    """Return whether the state tells that a step was done, under whatever id."""
    position = house.position
    match step.kind:
        case PlanKind.OPEN:
            return position.day > 0
        case PlanKind.TIMETABLE:
            return step.name in position.steps_run
        case PlanKind.TRADES:
            return bool(house.obligations.seen_ids(position.day).size)
        case PlanKind.CLOSE:
            return position.day > 0 and not position.is_open
        case _:
            return False


def _state(house: House, step: DayStep, done: set[str]) -> StepStanding:
    if step.name in done:
        return "done"
    position = house.position
    if not position.day:
        return "next" if step.kind is PlanKind.OPEN else "later"
    if not position.is_open or (step.until and step.until in done):
        return "passed"
    actions = house.corporate_actions
    if step.kind is PlanKind.CORPORATE_ACTIONS and not (any(actions.live()) or actions.owed):
        return "passed"
    if step.kind is PlanKind.TOGETHER:
        after = step.entry is not None and position.steps_run[-1:] == (step.entry.name,)
        return "open" if after else "passed" if step.needs[0] in done else "later"
    if not set(step.needs) <= done:
        return "later"
    return "open" if step.optional else "next"


def _act(record: Record) -> int | None:
    command = decode(record.body)
    return command.act if isinstance(command, DecideAct) else None
