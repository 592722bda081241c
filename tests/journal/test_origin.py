"""Who told a command stands in its record, under its hash, and changes nothing else."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsingma.engine.sequencer import Sequencer
from tsingma.journal.commands import CloseDay, Command, OpenDay, RunStep, Signed, decode, encode
from tsingma.journal.events import Accepted, Answer, DayOpened, Refused
from tsingma.journal.origin import REQUEST_BYTES, Origin, command_bytes, origin_of
from tsingma.journal.record import GENESIS, chain, faults
from tsingma.store.memory import MemoryStore

COMMANDS = st.one_of(st.builds(OpenDay, st.integers(0, 2**40)), st.builds(RunStep, st.text()), st.just(CloseDay()))
ORIGINS = st.builds(Origin, st.text(), st.text(), st.binary(min_size=REQUEST_BYTES, max_size=REQUEST_BYTES))


@given(COMMANDS, ORIGINS)
def test_a_signed_command_is_the_command_and_who_told_it(command: Command, origin: Origin) -> None:
    """Goal: readers of commands need not know. Method: encode with and without; both decode to the same command."""
    signed, plain = encode(Signed(command, origin)), encode(command)
    assert decode(signed) == decode(plain) == command
    assert command_bytes(signed) == command_bytes(plain) == plain
    assert (origin_of(signed), origin_of(plain)) == (origin, None)


def test_the_hash_of_a_record_covers_who_told_it() -> None:
    """Goal: nobody is put in another's place. Method: the same record with another actor, key and request; none."""
    origin = Origin("chan", "op-1", bytes(32))
    body = encode(Signed(OpenDay(5), origin))
    record = chain(1, "a", body, b"answer", GENESIS)
    assert list(faults([record])) == []
    for other in (
        Origin("wong", "op-1", bytes(32)),
        Origin("chan", "op-2", bytes(32)),
        Origin("chan", "op-1", b"\1" * 32),
    ):
        changed = msgspec.structs.replace(record, body=encode(Signed(OpenDay(5), other)))
        assert [fault.sequence for fault in faults([changed])] == [1]
    assert list(faults([msgspec.structs.replace(record, body=encode(OpenDay(5)))]))


@pytest.mark.parametrize("body", [b"", b"\x90", b"\x91\xc4\x00", b"\x92\xc4\x00\x93\xa0\xa0\xa0", b"\x93\x01\x02\x03"])
def test_broken_bodies_are_no_commands(body: bytes) -> None:
    """Goal: refused, never half read. Method: empty, cut and strange arrays."""
    with pytest.raises(msgspec.DecodeError):
        decode(body)


def test_older_bodies_are_commands_alone() -> None:
    """Goal: journals from before open as they are. Method: the bytes that earlier versions wrote, as literals."""
    old = bytes.fromhex("82a474797065a86f70656e2d646179a3646179cd4e9b")  # {"type": "open-day", "day": 20123}
    assert decode(old) == OpenDay(20123)
    assert encode(OpenDay(20123)) == old
    assert origin_of(old) is None


class Nothing:
    """A state that never changes."""

    def digest(self) -> bytes:
        """Return nothing."""
        return b""

    def dump(self) -> dict[str, bytes]:
        """Return no parts."""
        return {}

    @classmethod
    def load(cls, parts: dict[str, bytes]) -> Nothing:
        """Take back a dump."""
        return cls()


def answers(_state: object, command: Command) -> Answer:
    """Answer with the day."""
    return Accepted((DayOpened(command.day if isinstance(command, OpenDay) else 0, 0, 0),))


def test_a_repeat_is_the_same_change_whoever_tells_it() -> None:
    """Goal: keys rotate between two attempts. Method: one id told by two people and by the house; another command."""
    store = MemoryStore()
    sequencer = Sequencer(store, Nothing, answers)
    chan, wong = Origin("chan", "k1", bytes(32)), Origin("wong", "k2", b"\2" * 32)
    first, same = sequencer.submit([("a", Signed(OpenDay(2), chan)), ("a", Signed(OpenDay(2), wong))])
    assert first == same
    assert sequencer.submit([("a", OpenDay(2)), ("a", Signed(OpenDay(2), wong))]) == [first, first]
    assert isinstance(sequencer.submit([("a", Signed(OpenDay(3), chan))])[0], Refused)
    (record,) = store.read()
    assert origin_of(record.body) == chan
    assert list(faults(store.read())) == []
    assert Sequencer(store, Nothing, answers).sequence == 1
