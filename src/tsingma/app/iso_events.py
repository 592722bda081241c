"""Reports of corporate actions: what is announced, what is about to move, and what has moved since a record."""

from __future__ import annotations

from collections.abc import Iterator

from tsingma.app.iso_journal import walk
from tsingma.app.session import Session
from tsingma.engine.claiming import collect_owed
from tsingma.engine.corporate_actions import due_step
from tsingma.engine.house import House
from tsingma.journal.corporate_action_commands import RunCorporateActions
from tsingma.journal.custody_commands import PayDue
from tsingma.messages.iso20022.due_movements import due_movements
from tsingma.messages.iso20022.event_movements import Movements, is_known, movements_of
from tsingma.settlement.timetable import timetable

BOOKED = ("paid", "converted")  # steps of an event that book what it gives and takes


def to_come(house: House, member: str, identifier: str) -> Iterator[Movements]:
    """Return what live events, and dues on record, are about to move on accounts of a member, as announced."""
    index = house.resolved.participant_index[member]
    for place, action in enumerate(house.corporate_actions.live(), 1):
        if is_known(action):
            yield from movements_of(house, action, f"{identifier}-{place}", index)
    for number in range(len(house.custody.dues.rows)):
        yield from due_movements(house, number, f"{identifier}-D{number}", index)


def moved_since(session: Session, member: str, since: int) -> Iterator[Movements]:
    """Return what events have moved on accounts of a member after a record of the journal, in the order it happened."""
    index = session.house.resolved.participant_index[member]
    for before in walk(session, since):
        if isinstance(before.command, RunCorporateActions) and next(before.house.corporate_actions.live(), None):
            yield from _run(before.house, index, f"{before.sequence}")
        elif isinstance(before.command, PayDue):
            number, day = before.command.due, before.house.position.day
            yield from due_movements(before.house, number, f"{before.sequence}-D{number}", index, day)


def _run(house: House, member: int, identifier: str) -> Iterator[Movements]:
    """Carry out what is due on a copy of the house, as ``engine.corporate_actions.run_due`` does, and tell each event.

    An event is told from the state in which it was carried out: one before it in the same run may have changed it.
    """
    copy = House.load(house.dump())
    collect_owed(copy)
    evening, day = len(copy.position.steps_run) == len(timetable()), copy.position.day
    for place, action in enumerate(copy.corporate_actions.live(), 1):
        due = due_step(copy, action)
        if due is None or not (evening or due[0] == "payment"):
            continue
        told = list(movements_of(copy, action, f"{identifier}-{place}", member, day))
        if due[1](copy, action).step in BOOKED:
            yield from told
