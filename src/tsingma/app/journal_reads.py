"""The journal as people read it, newest first: what each record was, who told it with which key, and its hash.

A participant sees what the event feed tells it, and of others' commands neither who told them nor their ids.
"""

from __future__ import annotations

import msgspec

from tsingma.app.house_feed import Told, tell
from tsingma.app.house_service import HouseService
from tsingma.journal.carried_out import carried_out
from tsingma.journal.origin import origin_of
from tsingma.journal.record import Record

LOOKED_AT_MAX = 5_000  # records behind one page, where a filter passes most of them over
_A_LOOK = 200


class Entry(msgspec.Struct, frozen=True):
    """One record; ``actor``, ``key``, ``request`` (SHA-256, hex) are empty where nobody signed it or one may not know.

    ``hash`` covers the record and, through ``previous``, all before it.
    """

    sequence: int
    command: str
    step: str
    action: str
    participant: str
    instructions: tuple[int, ...]
    orders: tuple[int, ...]
    command_id: str
    actor: str
    key: str
    request: str
    previous: str
    hash: str


class Entries(msgspec.Struct, frozen=True):
    """A page of the journal, newest first; ``next`` is the record before which the page after it begins."""

    items: list[Entry]
    next: int | None
    at: int


def entries_of(service: HouseService, participant: str, before: int, limit: int, *, who: str = "") -> Entries:
    """Return up to ``limit`` records before number ``before`` (0: from the end) that a reader sees, newest first.

    ``participant`` is who reads, "" for overseers; ``who`` keeps the records of one actor, key or participant.
    """
    at = service.length()
    upper = min(before - 1, at) if before else at
    lowest, found = max(0, upper - LOOKED_AT_MAX), list[Entry]()
    while upper > lowest and len(found) < limit:
        start = max(lowest, upper - _A_LOOK)
        told = {one.sequence: one for one in tell(service, start, upper - start, participant)[1]}
        for record in reversed(service.records(start, upper - start)):
            if record.sequence in told and len(found) < limit:
                entry = _entry(record, told[record.sequence], participant)
                if not who or who in (entry.actor, entry.key, entry.participant):
                    found.append(entry)
                upper = record.sequence - 1
            elif len(found) < limit:
                upper = record.sequence - 1
    return Entries(found, upper + 1 if upper > 0 else None, at)


def _entry(record: Record, told: Told, reader: str) -> Entry:
    command = carried_out(record)
    sender = str(getattr(command, "participant", ""))
    origin = origin_of(record.body) if reader in ("", sender) else None
    return Entry(
        sequence=record.sequence, command=told.command, step=told.step,
        action=str(getattr(command, "action", "")), participant=sender if reader in ("", sender) else "",
        instructions=told.instructions, orders=told.orders,
        command_id=record.command_id if reader in ("", sender) else "",
        actor=origin.actor if origin else "", key=origin.key if origin else "",
        request=origin.request.hex() if origin else "", previous=record.previous.hex(), hash=record.hash.hex(),
    )  # fmt: skip
