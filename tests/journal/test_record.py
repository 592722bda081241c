"""The hash chain of the journal.

Goal: no byte of a journal can change, vanish or move unnoticed, and the place is named. Method: every byte of every
field of a small journal is flipped in turn; records are dropped, swapped and repeated.
"""

from __future__ import annotations

import msgspec
import pytest

from tsingma.basics.columns import pack
from tsingma.basics.rejection import Rejection, RejectionReason
from tsingma.journal import record as journal_record
from tsingma.journal.commands import CallMargin, CloseDay, OpenDay, PostTransfers, RunStep, Signed, decode, encode
from tsingma.journal.events import Accepted, DayOpened, Refused, decode_answer, encode_answer
from tsingma.journal.origin import ENVELOPE_BYTES_MAX, NAME_LENGTH_MAX, Origin
from tsingma.journal.record import (
    BODY_BYTES_MAX,
    COMMAND_BYTES_MAX,
    COMMAND_ID_LENGTH_MAX,
    GENESIS,
    Record,
    beyond_limits,
    chain,
    faults,
)


def journal() -> list[Record]:
    """Return a journal of four real commands."""
    commands = (OpenDay(20_458), RunStep("batch-settlement-run-1"), CallMargin("basis", b"", b""), CloseDay())
    previous, made = GENESIS, []
    for number, command in enumerate(commands, start=1):
        answer = encode_answer(Accepted((DayOpened(number, 0, 0),)))
        made.append(chain(number, f"day/{number}", encode(command), answer, previous))
        previous = made[-1].hash
    return made


def test_whole_journal_has_no_faults() -> None:
    """Goal: no false alarm. Method: the untouched journal, and an empty one."""
    assert list(faults(journal())) == []
    assert list(faults([])) == []


@pytest.mark.parametrize("field", ["command_id", "body", "answer", "previous", "hash"])
def test_every_byte_counts(field: str) -> None:
    """Goal: each flipped byte is found at its record. Method: flip every byte of the field in every record."""
    whole = journal()
    for place, record in enumerate(whole):
        value = getattr(record, field)
        data = value.encode() if isinstance(value, str) else value
        for byte in range(len(data)):
            changed = data[:byte] + bytes([data[byte] ^ 1]) + data[byte + 1 :]
            spoilt = msgspec.structs.replace(record, **{field: changed.decode() if isinstance(value, str) else changed})
            found = list(faults([*whole[:place], spoilt, *whole[place + 1 :]]))
            assert found, (field, place, byte)
            assert found[0].sequence == place + 1


def test_lost_moved_and_repeated_records_are_named() -> None:
    """Goal: gaps and order. Method: drop the second, swap the second and third, repeat the third."""
    one, two, three, four = journal()
    assert next(faults([one, three, four])).message == "expected record 2, found 3: records are missing or moved"
    assert next(faults([one, three, two, four])).sequence == 3 - 1
    assert next(faults([one, two, three, three, four])).message.startswith("expected record 4, found 3")


def test_limits_of_id_and_body() -> None:
    """Goal: what is too large is refused before it is journalled. Method: at the bound and one above."""
    assert beyond_limits("x" * COMMAND_ID_LENGTH_MAX, b"") is None
    for bad in ("", "x" * (COMMAND_ID_LENGTH_MAX + 1)):
        rejection = beyond_limits(bad, b"")
        assert rejection is not None
        assert rejection.field == "command_id"

    class Huge(bytes):
        def __len__(self) -> int:
            return BODY_BYTES_MAX + 1

    rejection = beyond_limits("id", Huge())
    assert rejection is not None
    assert rejection.remedy == "split it"


def test_a_command_fits_whoever_tells_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Goal: one limit of commands, with and without origin. Method: at the bound and above, the longest names.

    The limit is lowered; what an origin may add is not.
    """
    origin = Origin("\U00020000" * NAME_LENGTH_MAX, "\U00020000" * NAME_LENGTH_MAX, bytes(32))
    size = 5_000
    monkeypatch.setattr(journal_record, "COMMAND_BYTES_MAX", size)
    monkeypatch.setattr(journal_record, "BODY_BYTES_MAX", size + ENVELOPE_BYTES_MAX)
    head = len(encode(RunStep("x" * 4_000))) - 4_000
    for length, fits in ((size - head, True), (size - head + 1, False)):
        command = RunStep("x" * length)
        assert len(encode(command)) == head + length
        assert (beyond_limits("a", encode(command)) is None) is fits
        assert (beyond_limits("a", encode(Signed(command, origin))) is None) is fits
    assert len(encode(Signed(RunStep("x" * 4_000), origin))) - head - 4_000 <= ENVELOPE_BYTES_MAX
    assert BODY_BYTES_MAX == COMMAND_BYTES_MAX + ENVELOPE_BYTES_MAX


def test_commands_and_answers_survive_encoding() -> None:
    """Goal: the stored form is the command. Method: round trips; an unknown tag and an unknown field are refused."""
    column = pack([1, 2], "i4")
    for command in (OpenDay(3), PostTransfers(column, column, column, pack([1, 2], "i8"), b"\x00\x01")):
        assert decode(encode(command)) == command
    refusal = Refused((Rejection(reason=RejectionReason.UNKNOWN, message="no such account"),))
    assert decode_answer(encode_answer(refusal)) == refusal
    for wrong in ({"type": "pay-everyone"}, {"type": "open-day", "day": 3, "hour": 4}):
        with pytest.raises(msgspec.ValidationError):
            decode(msgspec.msgpack.encode(wrong))
