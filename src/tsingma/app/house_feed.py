"""The journal as a feed: what each record was and which instructions and orders it touched, as far as a reader may see.

A participant sees the steps of the day, its own orders and actions, and whatever touched an instruction to which it is
party. It is told that something happened and to what; how things stand then is read. Everything else is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import msgspec
import numpy as np

from tsingma.app.house_service import HouseService
from tsingma.app.instruction_reads import parties_of_instruction
from tsingma.engine.house import House
from tsingma.journal.carried_out import carried_out
from tsingma.journal.commands import (
    ChangeInstruction,
    ChangeOrder,
    CloseDay,
    Command,
    OpenDay,
    RunStep,
    SubmitInstructions,
)
from tsingma.journal.events import Accepted, InstructionsSubmitted, decode_answer
from tsingma.journal.record import Record
from tsingma.settlement.submission import MATCHES, WAITS


class Told(msgspec.Struct, frozen=True):
    """One record: its sequence, command, step of the day ("" for none), and the numbers of what it touched."""

    sequence: int
    command: str
    step: str
    instructions: tuple[int, ...]
    orders: tuple[int, ...]


def tell(service: HouseService, after: int, limit: int, participant: str) -> tuple[int, list[Told]]:
    """Return up to which record was looked (at most ``limit`` behind ``after``), and what a reader sees of them.

    ``participant`` is who reads, "" for somebody who may see everything.
    """
    at, found = tell_all(service, after, limit, frozenset((participant,)))
    return at, found[participant]


def tell_all(
    service: HouseService, after: int, limit: int, participants: frozenset[str]
) -> tuple[int, dict[str, list[Told]]]:
    """Return up to which record was looked and what each of several readers sees, as ``tell`` does for one."""
    records = service.records(after, limit)
    touched = [_Touched.by(record) for record in records]
    found: dict[str, list[Told]] = {participant: [] for participant in participants}
    if records:  # the house stands at least as far as the records
        service.read(lambda house, _at: _fill(house, touched, found))
    return (records[-1].sequence if records else after), found


@dataclass(frozen=True, slots=True)
class _Touched:
    """A record, its command, and the numbers of instructions and of orders that it was about."""

    record: Record
    command: Command
    instructions: tuple[int, ...]
    orders: tuple[int, ...]

    @classmethod
    def by(cls, record: Record) -> Self:
        command = carried_out(record)
        return cls(record, command, *_touched(command, record))


def _fill(house: House, touched: Sequence[_Touched], found: dict[str, list[Told]]) -> None:
    for one in touched:
        parties = [parties_of_instruction(house, number) for number in one.instructions] if any(found) else []
        for participant, seen in found.items():
            told = _told(one, parties, participant)
            if told is not None:
                seen.append(told)


def _told(one: _Touched, parties: Sequence[frozenset[str]], participant: str) -> Told | None:
    """Return what a participant ("": everybody's overseer) sees of a record, or None."""
    command, sequence = one.command, one.record.sequence
    tag = str(command.__struct_config__.tag)
    step = command.step if isinstance(command, RunStep) else ""
    if not participant:
        return Told(sequence, tag, step, one.instructions, one.orders)
    if isinstance(command, OpenDay | RunStep | CloseDay):
        return Told(sequence, tag, step, (), ())
    mine = tuple(number for number, both in zip(one.instructions, parties, strict=True) if participant in both)
    own = one.orders if getattr(command, "participant", "") == participant else ()
    return Told(sequence, tag, "", mine, own) if mine or own else None


def _touched(command: Command, record: Record) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the numbers of instructions and of orders that a command was about."""
    if isinstance(command, ChangeInstruction):
        return (command.instruction,), ()
    if isinstance(command, ChangeOrder):
        return (), (command.order,)
    if not isinstance(command, SubmitInstructions):
        return (), ()
    answer = decode_answer(record.answer)
    first = answer.events[0] if isinstance(answer, Accepted) else None
    if not isinstance(first, InstructionsSubmitted):
        return (), ()
    results, numbers = np.frombuffer(first.results, np.int8), np.frombuffer(first.numbers, "<i8")
    matched, waiting = (numbers[results == result].tolist() for result in (MATCHES, WAITS))
    return tuple(matched), tuple(waiting)
