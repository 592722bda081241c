"""One writer: sequence, step, journal, answer.

Goal: what is acknowledged is durable, the same id is the same answer, and after any failure the journal decides.
Method: a toy state (it refuses odd numbers) behind the production sequencer, a store that can fail, and random
batches with repeated ids against a plain model.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsingma.basics.rejection import InvariantBroken, Rejected, Rejection, RejectionReason
from tsingma.engine.sequencer import Sequencer
from tsingma.journal.commands import Command, OpenDay
from tsingma.journal.events import Accepted, Answer, DayOpened, Refused
from tsingma.journal.record import BATCH_COMMANDS_MAX, Record, chain, faults
from tsingma.journal.store import Snapshot
from tsingma.store.memory import MemoryStore
from tsingma.store.sqlite import SqliteStore


class Total:
    """A state that is one number."""

    def __init__(self) -> None:
        """Start at zero."""
        self.value = 0

    def digest(self) -> bytes:
        """Return the number as bytes."""
        return str(self.value).encode()

    def dump(self) -> dict[str, bytes]:
        """Return the number as the only part."""
        return {"value": self.digest()}

    @classmethod
    def load(cls, parts: dict[str, bytes]) -> Total:
        """Take back a dump."""
        state = cls()
        state.value = int(parts["value"])
        return state


def add(state: Total, command: Command) -> Answer:
    """Add an even number to the state; refuse odd ones; break above a million."""
    assert isinstance(command, OpenDay)
    if command.day % 2:
        return Refused((Rejection(reason=RejectionReason.NOT_ALLOWED, message="odd"),))
    if command.day > 1_000_000:
        raise InvariantBroken("too much")
    state.value += command.day
    return Accepted((DayOpened(state.value, 0, 0),))


class FailingStore(MemoryStore):
    """A store whose disk is full from a chosen append on."""

    def __init__(self, good: int) -> None:
        """Let ``good`` appends through."""
        super().__init__()
        self.good = good

    def append(self, records: Sequence[Record]) -> None:
        """Append, or fail like a full disk."""
        self.good -= 1
        if self.good < 0:
            raise sqlite3.OperationalError("database or disk is full")
        super().append(records)


def opened(store: MemoryStore | SqliteStore) -> Sequencer[Total]:
    """Return a sequencer over the store."""
    return Sequencer(store, Total, add)


def test_same_id_same_answer_and_other_content_is_refused() -> None:
    """Goal: idempotence (design, invariant 7). Method: repeat within a batch, in a later batch, with another body."""
    sequencer = opened(MemoryStore())
    first, second = sequencer.submit([("a", OpenDay(2)), ("a", OpenDay(2))])
    assert first == second == sequencer.answered("a")
    assert sequencer.submit([("a", OpenDay(2))]) == [first]
    (conflict,) = sequencer.submit([("a", OpenDay(4))])
    assert isinstance(conflict, Refused)
    assert conflict.rejections[0].reason is RejectionReason.CONFLICT
    assert (sequencer.state.value, sequencer.sequence) == (2, 1)
    assert sequencer.answered("b") is None


def test_one_bad_command_never_hides_the_next() -> None:
    """Goal: a refusal stands beside acceptances and is judged again later. Method: good, odd, oversized id, good."""
    sequencer = opened(MemoryStore())
    answers = sequencer.submit([("a", OpenDay(2)), ("b", OpenDay(3)), ("x" * 500, OpenDay(2)), ("c", OpenDay(4))])
    assert [isinstance(answer, Accepted) for answer in answers] == [True, False, False, True]
    assert sequencer.answered("b") is None
    assert isinstance(sequencer.submit([("b", OpenDay(6))])[0], Accepted)
    assert sequencer.state.value == 12


def test_whole_batches() -> None:
    """Goal: a batch that must be accepted whole leaves nothing behind. Method: refusal first, refusal after."""
    store = MemoryStore()
    sequencer = opened(store)
    assert isinstance(sequencer.submit([("a", OpenDay(3)), ("b", OpenDay(2))], whole=True)[0], Refused)
    assert sequencer.sequence == 0
    with pytest.raises(Rejected, match="odd"):
        sequencer.submit([("c", OpenDay(2)), ("d", OpenDay(3))], whole=True)
    with pytest.raises(Rejected, match="the house stopped after a failure"):
        _ = sequencer.state
    assert opened(store).state.value == 0


def test_too_large_a_batch_is_refused() -> None:
    """Goal: everything has a limit. Method: one command more than a batch may have."""
    sequencer = opened(MemoryStore())
    with pytest.raises(Rejected, match="8191 commands in a batch, 8190 at most"):
        sequencer.submit([(str(number), OpenDay(2)) for number in range(BATCH_COMMANDS_MAX + 1)])
    assert sequencer.state.value == 0


@pytest.mark.parametrize("failure", ["disk", "rule"])
def test_after_a_failure_the_journal_decides(failure: str) -> None:
    """Goal: nothing is answered that is not durable. Method: a full disk, a broken invariant; then open again."""
    store = FailingStore(good=1 if failure == "disk" else 9)
    sequencer = opened(store)
    sequencer.submit([("a", OpenDay(2))])
    with pytest.raises((sqlite3.OperationalError, InvariantBroken)):
        sequencer.submit([("b", OpenDay(4)), ("c", OpenDay(4 if failure == "disk" else 2_000_000))])
    with pytest.raises(Rejected, match="open it again"):
        sequencer.submit([("d", OpenDay(2))])
    again = opened(store)
    assert (again.state.value, again.sequence) == (2, 1)
    assert again.answered("b") is None


def test_recovery_uses_the_newest_whole_snapshot(tmp_path: Path) -> None:
    """Goal: snapshot plus tail is zero plus everything; damage is passed over. Method: spoil the newest snapshot."""
    store = SqliteStore(tmp_path / "journal.sqlite")
    sequencer = opened(store)
    for number in range(6):
        sequencer.submit([(str(number), OpenDay(2 * number))])
        if number in (2, 4):
            sequencer.snapshot()
    assert store.snapshots() == [3, 5]
    states = [sequencer.replay(start).value for start in (0, 3, 5)]
    assert states == [30, 30, 30]
    assert sequencer.replay(0, until=3).value == 6
    store.put_snapshot(Snapshot(5, bytes(32), {"value": b"30"}))
    store.close()
    store = SqliteStore(tmp_path / "journal.sqlite")
    again = opened(store)
    assert again.state.value == 30
    with pytest.raises(Rejected, match="the snapshot at record 5 does not match its state hash"):
        again.replay(5)
    store.close()


def test_changed_answer_is_found_by_replay_and_by_the_chain() -> None:
    """Goal: a journal that tells another story is found. Method: one answer replaced, chain broken or rebuilt."""
    store = MemoryStore()
    sequencer = opened(store)
    sequencer.submit([("a", OpenDay(2)), ("b", OpenDay(4))])
    assert list(faults(store.read())) == []
    first, second = store.read()
    forged = MemoryStore()
    forged.append([first, Record(2, "b", second.body, first.answer, first.hash, second.hash)])
    assert [(fault.sequence, fault.message[:11]) for fault in faults(forged.read())] == [(2, "the content")]
    rebuilt = MemoryStore()
    rebuilt.append([first, chain(2, "b", second.body, first.answer, first.hash)])
    assert list(faults(rebuilt.read())) == []
    with pytest.raises(InvariantBroken, match=r"record 2 \(b\): replay gives another answer"):
        opened(rebuilt)


def test_repeat_after_a_refusal_in_one_batch_is_judged_again() -> None:
    """Goal: a refusal keeps no id. Method: the same id refused, then accepted, then repeated, in one batch."""
    sequencer = opened(MemoryStore())
    refused, accepted, repeat = sequencer.submit([("a", OpenDay(3)), ("a", OpenDay(2)), ("a", OpenDay(2))])
    assert isinstance(refused, Refused)
    assert accepted == repeat == sequencer.answered("a")
    assert (sequencer.state.value, sequencer.sequence) == (2, 1)


def test_reader_catches_up_and_refuses_another_story() -> None:
    """Goal: a standby has the writer's state and chain. Method: follow a writer; then a record that does not follow."""
    store = MemoryStore()
    writer, reader = opened(store), opened(store)
    assert reader.catch_up() == 0
    writer.submit([("a", OpenDay(2)), ("b", OpenDay(4))])
    writer.submit([("c", OpenDay(6))])
    assert reader.catch_up() == 3
    assert (reader.state.value, reader.sequence, reader.head) == (12, 3, writer.head)
    stranger = chain(4, "d", b"", b"", bytes(32))
    store.append([stranger])
    with pytest.raises(InvariantBroken, match="record 4 does not follow record 3"):
        reader.catch_up()
    with pytest.raises(Rejected, match="the house stopped after a failure"):
        reader.catch_up()


def test_changed_record_is_neither_replayed_nor_answered_from() -> None:
    """Goal: damage stops the house, even where the answer stays the same. Method: another hash, another id."""
    store = MemoryStore()
    opened(store).submit([("a", OpenDay(2)), ("b", OpenDay(4))])
    first, second = store.read()
    for changed in (
        Record(2, "b", second.body, second.answer, second.previous, bytes(32)),
        Record(2, "c", second.body, second.answer, second.previous, second.hash),
    ):
        forged = MemoryStore()
        forged.append([first, changed])
        with pytest.raises(InvariantBroken, match=r"record 2 \([bc]\) was changed: restore the house"):
            opened(forged)
    sequencer = opened(store)
    store._by_id["b"] = Record(2, "b", second.body, first.answer, second.previous, second.hash)
    for ask in (lambda: sequencer.answered("b"), lambda: sequencer.submit([("b", OpenDay(4))])):
        with pytest.raises(InvariantBroken, match="was changed"):
            ask()


class GrowingStore(MemoryStore):
    """A store to which another process appends as soon as a reader has read it all."""

    def read(self, after: int = 0) -> Iterator[Record]:
        """Yield what is there, then let it grow by one record."""
        yield from list(super().read(after))
        head = self.head()
        if head is not None and head.sequence < 5:
            writer = Sequencer(plain := MemoryStore(), Total, add)
            writer.submit([(str(number), OpenDay(2)) for number in range(head.sequence + 1)])
            self.append(list(plain.read(head.sequence)))


def test_reader_that_opens_while_another_writes_is_not_ahead_of_its_state() -> None:
    """Goal: state, sequence and head belong together. Method: the journal grows between reading it and its end."""
    store = GrowingStore()
    opened(store).submit([("0", OpenDay(2))])
    for snapshot in (False, True):
        reader = opened(store)
        assert reader.state.value == 2 * reader.sequence < 2 * store.length()
        if snapshot:
            while reader.catch_up():
                assert reader.state.value == 2 * reader.sequence
        else:
            store.put_snapshot(Snapshot(1, b"2", {"value": b"2"}))
    assert reader.head == store.head().hash  # type: ignore[union-attr]


def test_snapshot_beyond_the_journal_is_passed_over() -> None:
    """Goal: the journal decides. Method: a snapshot whose record was lost."""
    store = MemoryStore()
    opened(store).submit([("a", OpenDay(2))])
    store.put_snapshot(Snapshot(9, b"4", {"value": b"4"}))
    again = opened(store)
    assert (again.state.value, again.sequence) == (2, 1)


steps = st.tuples(st.sampled_from("abcdef"), st.integers(0, 9))


@given(st.lists(st.lists(steps, max_size=6), max_size=8))
def test_any_order_of_repeats_equals_a_plain_model(batches: list[list[tuple[str, int]]]) -> None:
    """Goal: no repeat counts twice, nothing accepted is lost. Method: random ids and bodies beside a dictionary."""
    store = MemoryStore()
    sequencer = opened(store)
    accepted: dict[str, int] = {}
    for batch in batches:
        answers = sequencer.submit([(name, OpenDay(day)) for name, day in batch])
        for (name, day), answer in zip(batch, answers, strict=True):
            legal = accepted[name] == day if name in accepted else day % 2 == 0
            assert isinstance(answer, Accepted) == legal
            if legal:
                accepted[name] = day
    assert sequencer.state.value == sum(accepted.values())
    assert sequencer.sequence == len(accepted)
    assert opened(store).state.value == sequencer.state.value
    assert sequencer.head == opened(store).head
    assert list(faults(store.read())) == []


def test_a_follower_notices_that_the_journal_became_shorter() -> None:
    """Goal: a standby takes over no store that lost what it saw. Method: take the last record from under a follower."""
    store = MemoryStore()
    writer, follower = opened(store), opened(store)
    for number in range(3):
        writer.submit([(str(number), OpenDay(2))])
    assert follower.catch_up() == 3
    store._records.pop()
    with pytest.raises(InvariantBroken, match="record 3 was carried out, the journal now ends at record 2"):
        follower.catch_up()
    with pytest.raises(Rejected, match="the house stopped after a failure"):
        follower.submit([("more", OpenDay(2))])
