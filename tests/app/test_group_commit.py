"""Many producers behind one writer.

Goal: the answers are those of one by one, in order, durable; nothing waits without bound; a failure reaches everybody.
Method: hypothesis over commands with repeated ids against a plain sequencer; threads; a store that breaks; a full
queue; producers that give up waiting, wait for one answer together, or send once and never again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsingma.app.group_commit import GroupCommit, Receipt, _Chain
from tsingma.basics.rejection import Rejected, Rejection, RejectionReason
from tsingma.engine.sequencer import Sequencer
from tsingma.journal.commands import Command, OpenDay
from tsingma.journal.events import Accepted, Answer, DayOpened, Refused
from tsingma.journal.record import BATCH_COMMANDS_MAX, Record
from tsingma.store.memory import MemoryStore

PRODUCERS = 16
EACH = 50


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
    """Add an even number and answer the new total; refuse odd ones."""
    assert isinstance(command, OpenDay)
    if command.day % 2:
        return Refused((Rejection(reason=RejectionReason.NOT_ALLOWED, message="odd"),))
    state.value += command.day
    return Accepted((DayOpened(state.value, 0, 0),))


def opened(store: MemoryStore) -> Sequencer[Total]:
    """Return a sequencer over the store."""
    return Sequencer(store, Total, add)


class SlowStore(MemoryStore):
    """A store that waits for a gate before each append, keeps the size of each, and breaks when told to."""

    def __init__(self) -> None:
        """Start with the gate open."""
        super().__init__()
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()
        self.sizes: list[int] = []
        self.broken = False

    def append(self, records: Sequence[Record]) -> None:
        """Append when the gate is open."""
        self.entered.set()
        self.gate.wait()
        if self.broken:
            raise OSError("no space left on device")
        super().append(records)
        self.sizes.append(len(records))


@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 9)), max_size=40))
def test_answers_are_those_of_one_by_one(commands: list[tuple[str, int]]) -> None:
    """Goal: grouping is not seen. Method: the same commands one by one on another sequencer; journals compared."""
    grouped, alone = MemoryStore(), MemoryStore()
    with GroupCommit(opened(grouped)) as door:
        receipts = [door.submit(name, OpenDay(day)) for name, day in commands]
    plain = opened(alone)
    assert [receipt.result() for receipt in receipts] == [
        plain.submit([(name, OpenDay(day))])[0] for name, day in commands
    ]
    assert list(grouped.read()) == list(alone.read())


def test_threads_get_their_own_answers_in_their_own_order() -> None:
    """Goal: each producer's commands keep their order and their answers. Method: threads; totals never fall."""
    store = SlowStore()
    sequencer, told = opened(store), [[] for _ in range(PRODUCERS)]  # type: ignore[var-annotated]
    with GroupCommit(sequencer) as door:

        def produce(producer: int) -> None:
            for number in range(EACH):
                answer = door.submit(f"{producer}/{number}", OpenDay(2)).result()
                told[producer].append(answer.events[0].day)  # type: ignore[union-attr]

        threads = [threading.Thread(target=produce, args=(producer,)) for producer in range(PRODUCERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sequencer.state.value == 2 * PRODUCERS * EACH
    assert sorted(total for totals in told for total in totals) == list(range(2, 2 * PRODUCERS * EACH + 1, 2))
    assert all(totals == sorted(totals) for totals in told)


def test_what_waits_together_is_one_commit_of_at_most_a_batch() -> None:
    """Goal: groups form while the disk is busy, and are bounded. Method: hold the first commit, send many, let go."""
    store = SlowStore()
    with GroupCommit(opened(store)) as door:
        store.gate.clear()
        first = door.submit("first", OpenDay(2))
        store.entered.wait()
        rest = [door.submit(str(number), OpenDay(2)) for number in range(BATCH_COMMANDS_MAX + 10)]
        assert not first.done()
        with pytest.raises(TimeoutError, match=r"no answer in 0\.01 s"):
            first.result(0.01)
        store.gate.set()
        assert isinstance(rest[-1].result(), Accepted)
        assert first.done()
    assert store.sizes == [1, BATCH_COMMANDS_MAX, 10]


def test_closing_answers_what_waits_and_takes_no_more() -> None:
    """Goal: an orderly end loses nothing. Method: close while a commit is held; submit afterwards."""
    store = SlowStore()
    door = GroupCommit(opened(store))
    store.gate.clear()
    receipts = [door.submit(str(number), OpenDay(2)) for number in range(5)]
    closing = threading.Thread(target=door.close)
    closing.start()
    store.gate.set()
    closing.join()
    door.close()
    assert [receipt.done() for receipt in receipts] == [True] * 5
    with pytest.raises(Rejected, match="late: the house is closing"):
        door.submit("late", OpenDay(2))
    assert store.length() == 5


def test_full_queue_is_refused() -> None:
    """Goal: everything has a limit. Method: hold the commit, fill the queue, send one more; it is accepted later."""
    store = SlowStore()
    with GroupCommit(opened(store), waiting_max=3) as door:
        store.gate.clear()
        door.submit("first", OpenDay(2))
        store.entered.wait()
        receipts = [door.submit(str(number), OpenDay(2)) for number in range(3)]
        with pytest.raises(Rejected, match=r"4: 3 commands are waiting \(wait for answers before sending more"):
            door.submit("4", OpenDay(2))
        store.gate.set()
        receipts[-1].result()
        assert isinstance(door.submit("4", OpenDay(2)).result(), Accepted)


def test_failure_reaches_everybody_and_the_journal_decides() -> None:
    """Goal: nobody waits for ever, nothing is acknowledged that is not durable. Method: a disk that breaks."""
    store = SlowStore()
    with GroupCommit(opened(store)) as door:
        door.submit("good", OpenDay(2)).result()
        store.gate.clear()
        store.entered.clear()
        receipts = [door.submit("bad", OpenDay(2))]
        store.entered.wait()
        receipts.append(door.submit("behind", OpenDay(2)))
        store.broken = True
        store.gate.set()
        for receipt in receipts:
            with pytest.raises(OSError, match="no space left"):
                receipt.result()
        with pytest.raises(Rejected, match=r"later: the house stopped after a failure .*open it again"):
            door.submit("later", OpenDay(2))
    assert [record.command_id for record in store.read()] == ["good"]


def test_failure_reaches_producers_that_wait_in_threads() -> None:
    """Goal: the chain in which producers wake one another carries a failure. Method: threads wait; a disk breaks."""
    store, told = SlowStore(), []
    with GroupCommit(opened(store)) as door:
        store.gate.clear()
        door.submit("first", OpenDay(2))
        store.entered.wait()

        def produce(name: str) -> None:
            try:
                door.submit(name, OpenDay(2)).result()
            except OSError as error:
                told.append(str(error))

        threads = [threading.Thread(target=produce, args=(str(number),)) for number in range(PRODUCERS)]
        for thread in threads:
            thread.start()
        store.broken = True
        store.gate.set()
        for thread in threads:
            thread.join()
    assert told == ["no space left on device"] * PRODUCERS


@pytest.mark.parametrize("patience", [0.0, 0.001, 0.005], ids=["none", "short", "longer"])
def test_who_gives_up_waiting_holds_up_nobody(patience: float) -> None:
    """Goal: a chain goes on past producers that left it. Method: every other one gives up about when it is answered."""
    store, gave_up = MemoryStore(), []
    with GroupCommit(opened(store)) as door:

        def produce(producer: int) -> None:
            for number in range(EACH):
                receipt = door.submit(f"{producer}/{number}", OpenDay(2))
                try:
                    receipt.result(patience if producer % 2 else -1)
                except TimeoutError:
                    gave_up.append(receipt)

        threads = [threading.Thread(target=produce, args=(producer,)) for producer in range(PRODUCERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in threads)
    assert store.length() == PRODUCERS * EACH
    assert all(isinstance(receipt.result(), Accepted) for receipt in gave_up)


class LateLock:
    """A lock that is opened in the very moment in which the one who waits for it gives up."""

    def __init__(self, opened: Callable[[], None]) -> None:
        """Call ``opened`` when somebody waits."""
        self._opened = opened

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Be opened, and tell the one who waited that time was up."""
        if blocking:
            self._opened()
        return False

    def release(self) -> None:
        """Be opened by the chain."""


def test_who_gives_up_as_the_answer_comes_wakes_the_next() -> None:
    """Goal: no link is lost between two threads. Method: the chain wakes a producer just as its time runs out."""
    chain, leaving, next_one = _Chain(), Receipt(), Receipt()
    next_one._awaited = True  # a thread waits for it

    def open_both() -> None:
        assert chain.answer(leaving, Accepted(()), None) + chain.answer(next_one, Accepted(()), None) == 2
        chain.wake_next()
        assert not next_one.done()

    leaving._pending = LateLock(open_both)  # type: ignore[assignment]

    def give_up() -> None:
        with pytest.raises(TimeoutError):
            leaving.result(0.01)

    thread = threading.Thread(target=give_up)
    thread.start()
    thread.join()
    assert next_one.done()


def test_a_receipt_is_for_any_number_of_threads() -> None:
    """Goal: all that wait for one answer get it. Method: threads wait for the same two receipts; the main one too."""
    store, told = SlowStore(), []
    with GroupCommit(opened(store)) as door:
        store.gate.clear()
        receipts = [door.submit("one", OpenDay(2)), door.submit("two", OpenDay(2))]

        def wait() -> None:
            told.extend(receipt.result() for receipt in receipts)

        threads = [threading.Thread(target=wait) for _ in range(PRODUCERS)]
        for thread in threads:
            thread.start()
        store.gate.set()
        wait()
        for thread in threads:
            thread.join(60)
    assert len(told) == 2 * (PRODUCERS + 1)
    assert set(told) == {receipt.result() for receipt in receipts}


def test_producers_that_send_once_hold_up_nobody() -> None:
    """Goal: the writer waits for the last group's producers only for a moment. Method: a crowd sends once, one goes on.

    Half a minute for what takes milliseconds: the bound is against waiting for ever, not a measurement.
    """
    store = MemoryStore()
    with GroupCommit(opened(store)) as door:
        for turn in range(3):
            crowd = [
                threading.Thread(target=lambda name=f"{turn}/{one}": door.submit(name, OpenDay(2)).result())  # type: ignore[misc]
                for one in range(PRODUCERS)
            ]
            for thread in crowd:
                thread.start()
            for thread in crowd:
                thread.join()
            assert isinstance(door.submit(f"alone/{turn}", OpenDay(2)).result(30), Accepted)
    assert store.length() == 3 * (PRODUCERS + 1)
