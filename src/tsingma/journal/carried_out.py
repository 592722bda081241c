"""What a record did: of an approval, what it carried out.

Whoever reads the journal for days, steps or changes asks here, so that an act is found whether it came as a command of
its own or was approved by a second person.
"""

from __future__ import annotations

from tsingma.journal.act_commands import DecideAct, RunDayStep
from tsingma.journal.act_events import ActDecided
from tsingma.journal.commands import Command, decode
from tsingma.journal.events import Accepted, Answer, Event, decode_answer
from tsingma.journal.record import Record

_APPROVAL = str(DecideAct.__struct_config__.tag).encode()
_STEP = str(RunDayStep.__struct_config__.tag).encode()


def carried_out(record: Record) -> Command:
    """Return the (first) command of a record, of an approval that of the act; raises msgspec.DecodeError for none."""
    return decode(act_body(record) or record.body)


def all_carried_out(record: Record) -> tuple[Command, ...]:
    """Return every command of a record: an approval of trades brings as many as they fill."""
    return tuple(decode(body) for body in _act_bodies(record) or (record.body,))


def act_body(record: Record) -> bytes:
    """Return the journal body of the (first) command that a record's approval carried out, b"" for other records."""
    return (_act_bodies(record) or (b"",))[0]


def events_of(answer: Answer | None) -> tuple[Event, ...]:
    """Return the events of what was carried out, without the decision that did it; none of a refusal."""
    events = answer.events if isinstance(answer, Accepted) else ()
    return events[1:] if events and isinstance(events[0], ActDecided) else events


def _act_bodies(record: Record) -> tuple[bytes, ...]:
    if _APPROVAL not in record.body[:64]:
        return ()
    answer = decode_answer(record.answer)
    first = answer.events[0] if isinstance(answer, Accepted) else None
    if not isinstance(first, ActDecided) or not first.body:
        return ()
    if _STEP in first.body[:32]:
        decision = decode(record.body)
        return decision.bodies if isinstance(decision, DecideAct) else ()
    return (first.body,)
