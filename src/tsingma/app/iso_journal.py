"""The journal gone through again, command by command, for reports of what happened since a record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tsingma.app.session import Session
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.engine.house import House
from tsingma.engine.step import step
from tsingma.journal.carried_out import act_body, carried_out
from tsingma.journal.commands import Command, OpenDay, decode

_OPENING = str(OpenDay.__struct_config__.tag).encode()


@dataclass(frozen=True, slots=True)
class Before:
    """A command of the journal (of an approval the act), and the house as it was before it.

    Read the house before the next one is asked for.
    """

    sequence: int
    command: Command
    house: House


def opening_record(session: Session) -> int:
    """Return the record before the one that opened the house's last day; raises Rejected (missing) before any day."""
    found = 0
    for record in session.store.read():
        body = act_body(record) or record.body
        if _OPENING in body[:32] and isinstance(decode(body), OpenDay):
            found = record.sequence
    if not found:
        raise refuse(RejectionReason.MISSING, "no day was opened", remedy="open a day first")
    return found - 1


def walk(session: Session, since: int) -> Iterator[Before]:
    """Yield each command after a record with the house before it; raises Rejected (unknown) for no such record.

    The house starts from the newest snapshot up to that record, and changes from one command to the next.
    """
    if not 0 <= since <= session.sequencer.sequence:
        raise refuse(RejectionReason.UNKNOWN, f"no record {since}", field="since",
                     remedy=f"0 to {session.sequencer.sequence}")  # fmt: skip
    start = max((one for one in session.store.snapshots() if one <= since), default=0)
    house = session.sequencer.replay(start, until=since)
    for record in session.store.read(since):
        if record.sequence > session.sequencer.sequence:
            break
        yield Before(record.sequence, carried_out(record), house)
        step(house, decode(record.body))
