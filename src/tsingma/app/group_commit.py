"""Many producers, one writer: what waits together becomes durable together.

Any thread submits a command and gets a receipt, a future of its answer. One writer thread gathers what is waiting, up
to a whole batch, carries it out in one durable commit and answers in order. While a commit waits for the disk the next
group gathers.

Threads of one interpreter take turns, so what an acknowledgement costs is threads woken in vain. Two rules keep that
low. The producers of a group are not woken all at once, to queue for their turn, but in a few chains: the writer wakes
the first ones, each wakes the next as it goes. And the writer sleeps until as many commands wait as it has just
answered, or until for a moment no more arrive.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, NamedTuple, Protocol, Self

from tsingma.basics.rejection import InvariantBroken, RejectionReason, refuse
from tsingma.journal.commands import Submitted
from tsingma.journal.events import Answer
from tsingma.journal.record import BATCH_COMMANDS_MAX

WAITING_MAX = 8 * BATCH_COMMANDS_MAX
CHAINS = 2  # in which the producers of a group are woken: of 1, 2, 3, 4, 8 and all at once the fewest switches
LULL_SECONDS = 0.000_5  # without a new command before a group smaller than the last is committed: a few flushes


class Submits(Protocol):
    """What the writer thread drives: a sequencer."""

    def submit(self, batch: Sequence[tuple[str, Submitted]], /) -> list[Answer]:
        """Carry out a batch in one durable commit and answer each command, in order."""
        ...


class Receipt:
    """The future of one answer: a lock that is opened once the answer is there."""

    __slots__ = ("_answer", "_awaited", "_chain", "_failure", "_pending")

    def __init__(self) -> None:
        """Start without an answer."""
        self._pending = threading.Lock()
        self._pending.acquire()
        self._answer: Answer | None = None
        self._failure: BaseException | None = None
        self._chain: _Chain | None = None
        self._awaited = False  # by a thread that will wake the next one of the chain

    def done(self) -> bool:
        """Return whether the answer, or a failure, is there."""
        return not self._pending.locked()

    def result(self, timeout_seconds: float = -1) -> Answer:
        """Wait for the answer and return it: the command is durable then, or refused.

        Raises what stopped the house, TimeoutError when ``timeout_seconds`` pass first.
        """
        if not self._pending.acquire(blocking=False):
            self._wait(timeout_seconds)
        self._pending.release()
        if self._answer is None:
            raise self._failure or InvariantBroken("a receipt was opened without an answer")
        return self._answer

    def _wait(self, timeout_seconds: float) -> None:
        """Acquire the lock as a link of a chain; however the waiting ends, the next link is woken.

        A signal may interrupt the main thread anywhere, so that one is no link: the writer wakes it itself.
        """
        linked = threading.get_ident() != _MAIN
        self._awaited = self._awaited or linked
        try:
            if not self._pending.acquire(timeout=timeout_seconds):
                raise TimeoutError(f"no answer in {timeout_seconds} s")
        finally:
            if linked:
                self._awaited = False  # before the chain is looked at: see _Chain.answer
                if self._chain is not None:
                    self._chain.wake_next()


class Told(NamedTuple):
    """What became of one command: the mark it was sent with, and its answer or what stopped the house."""

    mark: Any
    answer: Answer | None
    failure: BaseException | None


Listener = Callable[[list[Told]], None]  # hears of all commands of a group at once, in the writer's thread


class _Notice(NamedTuple):
    """Stands for a producer that no thread waits for: it is told with all others of its group."""

    listener: Listener
    mark: Any


_MAIN = threading.main_thread().ident


class _Chain:
    """Receipts of one group whose producers wake one another; every operation on it is atomic or may be repeated.

    A link that is woken, or that leaves after its answer is there, wakes the next. So a chain ends only when it is
    empty; waking once too often does no harm.
    """

    __slots__ = ("_links",)

    def __init__(self) -> None:
        self._links: deque[Receipt] = deque()

    def answer(self, receipt: Receipt, answer: Answer | None, failure: BaseException | None) -> int:
        """Set an answer and make the receipt a link, or open it at once when nobody waits; returns links added.

        The chain is set before it is asked whether somebody waits, and a leaving thread looks in the opposite order:
        either it is seen here that it has left, or it sees the chain and wakes the next link.
        """
        receipt._answer, receipt._failure, receipt._chain = answer, failure, self
        if receipt._awaited:
            self._links.append(receipt)
            return 1
        receipt._pending.release()
        return 0

    def wake_next(self) -> None:
        """Open receipts up to the first that is awaited: its thread goes on from there."""
        while self._links:
            try:
                receipt = self._links.popleft()
            except IndexError:  # another thread was faster
                return
            awaited = receipt._awaited
            receipt._pending.release()
            if awaited:
                return


_Entry = tuple[str, Submitted, Receipt | _Notice]


class GroupCommit:
    """A thread-safe door to a sequencer; between opening and closing nothing else may submit to it."""

    def __init__(self, sequencer: Submits, *, waiting_max: int = WAITING_MAX) -> None:
        """Start the writer thread; at most ``waiting_max`` commands wait for it."""
        self._sequencer = sequencer
        self._waiting_max = waiting_max
        self._waiting: deque[_Entry] = deque()
        self._bell = _Bell()
        self._expected = 1  # commands for which the writer is woken
        self._closing = threading.Lock()
        self._closed = False
        self._failure: BaseException | None = None
        self._writer = threading.Thread(target=self._write, name="group-commit", daemon=True)
        self._writer.start()

    def submit(self, command_id: str, command: Submitted) -> Receipt:
        """Return the receipt of the command; its answer is set once it is durable.

        A receipt fails with what stopped the house, and then it is not known whether the command is durable: opening
        the house again tells. Raises Rejected: limit (too many wait), not-allowed (closed, or the house stopped).
        """
        receipt = Receipt()
        self._enter((command_id, command, receipt))
        return receipt

    def submit_told(self, command_id: str, command: Submitted, listener: Listener, mark: object) -> None:
        """Submit a command for which no thread waits: ``listener`` is called once a group, with each one's ``mark``.

        It is called in the writer's thread, must be quick and must not raise. Raises Rejected as ``submit`` does.
        """
        self._enter((command_id, command, _Notice(listener, mark)))

    def _enter(self, entry: _Entry) -> None:
        command_id = entry[0]
        if self._failure is not None:
            raise refuse(
                RejectionReason.NOT_ALLOWED,
                f"the house stopped after a failure ({self._failure})",
                subject=command_id,
                remedy="open it again: it recovers from its journal",
            )
        if len(self._waiting) >= self._waiting_max:
            raise refuse(
                RejectionReason.LIMIT,
                f"{self._waiting_max} commands are waiting",
                subject=command_id,
                remedy="wait for answers before sending more, or send larger commands",
            )
        with self._closing:  # so that nothing is put behind what the writer takes last
            if self._closed:
                raise refuse(RejectionReason.NOT_ALLOWED, "the house is closing", subject=command_id)
            self._waiting.append(entry)
        if len(self._waiting) >= self._expected:
            self._bell.ring()

    def waiting(self) -> int:
        """Return how many commands wait for the writer now."""
        return len(self._waiting)

    def close(self) -> None:
        """Take no more commands, answer all that wait, and end the writer thread; closing twice is harmless."""
        with self._closing:
            self._closed = True
        self._bell.ring()
        self._writer.join()

    def __enter__(self) -> Self:
        """Return the door itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Drain and close, whatever happened."""
        self.close()

    def _write(self) -> None:
        while self._gather():
            group = [self._waiting.popleft() for _ in range(min(len(self._waiting), BATCH_COMMANDS_MAX))]
            self._expected = max(self._commit(group), 1)

    def _gather(self) -> bool:
        """Wait for as many commands as are expected, for fewer when there is a lull; False at the end."""
        seen = -1
        while not self._closed and len(self._waiting) < self._expected:
            if self._expected > 1 and len(self._waiting) == seen:
                if seen:
                    break
                self._expected = 1  # nobody sends: sleep until somebody does
            seen = len(self._waiting)
            lull = LULL_SECONDS if self._expected > 1 else -1
            self._bell.wait(lambda: self._closed or len(self._waiting) >= self._expected, lull)
        return bool(self._waiting)

    def _commit(self, group: list[_Entry]) -> int:
        """Make a group durable and answer it; returns how many producers were waiting for their answer."""
        answers: Sequence[Answer | None]
        try:
            if self._failure is not None:
                raise self._failure
            answers = self._sequencer.submit([(command_id, command) for command_id, command, _ in group])
            if len(answers) != len(group):
                raise InvariantBroken(f"{len(answers)} answers to {len(group)} commands")
        except BaseException as error:  # noqa: BLE001 - whatever it was, it is what every waiting producer is told
            self._failure = error
            answers = [None] * len(group)
        return _tell(group, answers, self._failure)


def _tell(group: list[_Entry], answers: Sequence[Answer | None], failure: BaseException | None) -> int:
    """Tell everybody of a group what became of their commands; returns how many were waiting for it."""
    chain, waited = _Chain(), 0
    told: dict[Listener, list[Told]] = {}
    for (_, _, producer), answer in zip(group, answers, strict=True):
        if isinstance(producer, _Notice):
            told.setdefault(producer.listener, []).append(Told(producer.mark, answer, failure))
            waited += 1
        else:
            waited += chain.answer(producer, answer, failure)
    for listener, those in told.items():
        listener(those)
    for _ in range(CHAINS):
        chain.wake_next()
    return waited


class _Bell:
    """Wakes one sleeper, at no cost while it is awake."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lock.acquire()
        self._asleep: list[bool] = []  # one item while somebody sleeps; who takes it opens the lock

    def ring(self) -> None:
        """Wake the sleeper, if there is one; from any thread, as often as one likes."""
        if self._asleep and self._take():
            self._lock.release()

    def wait(self, woken_by: Callable[[], bool], timeout_seconds: float) -> None:
        """Sleep until it rings, unless what it rings for is there already, or until time is up."""
        self._asleep.append(True)
        if not woken_by() and self._lock.acquire(timeout=timeout_seconds):
            return
        if not self._take():  # it rang just now
            self._lock.acquire()

    def _take(self) -> bool:
        try:
            return self._asleep.pop()
        except IndexError:
            return False
