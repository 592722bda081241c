"""What a record did: of an approval, the act that it carried out.

Whoever reads the journal for days, steps or changes asks here, so that an act is found whether it came as a command of
its own or was approved by a second person.
"""

from __future__ import annotations

from tsingma.journal.act_commands import DecideAct
from tsingma.journal.act_events import ActDecided
from tsingma.journal.commands import Command, decode
from tsingma.journal.events import Accepted, decode_answer
from tsingma.journal.record import Record

_APPROVAL = str(DecideAct.__struct_config__.tag).encode()


def carried_out(record: Record) -> Command:
    """Return the command of a record, of an approval the act; raises msgspec.DecodeError when there is none."""
    return decode(act_body(record) or record.body)


def act_body(record: Record) -> bytes:
    """Return the journal body of the act that a record's approval carried out, b"" for every other record."""
    if _APPROVAL not in record.body[:64]:
        return b""
    answer = decode_answer(record.answer)
    first = answer.events[0] if isinstance(answer, Accepted) else None
    return first.body if isinstance(first, ActDecided) else b""
