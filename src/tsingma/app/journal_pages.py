"""The journal as people read it: which command each record is, under which id, and who told it with which key."""

from __future__ import annotations

import msgspec

from tsingma.journal.commands import decode
from tsingma.journal.origin import origin_of
from tsingma.journal.store import Store

COLUMNS = ("record", "command", "id", "actor", "key", "request")


class RecordLine(msgspec.Struct, frozen=True):
    """One record; ``actor``, ``key`` and ``request`` (SHA-256, hexadecimal) are "" where nobody signed the command."""

    record: int
    command: str
    id: str
    actor: str
    key: str
    request: str


def record_lines(store: Store, until: int, actor: str = "") -> list[RecordLine]:
    """Return the records up to number ``until``, in order; with ``actor`` only those that it told."""
    lines = []
    for record in store.read():
        if record.sequence > until:
            break
        origin = origin_of(record.body)
        if actor and (origin is None or origin.actor != actor):
            continue
        tag = str(decode(record.body).__struct_config__.tag)
        who = ("", "", "") if origin is None else (origin.actor, origin.key, origin.request.hex())
        lines.append(RecordLine(record.sequence, tag, record.command_id, *who))
    return lines
