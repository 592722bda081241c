"""Many producers, one writer: what waits together becomes durable together.

Any thread submits a command and gets a receipt, a future of its answer. One writer thread gathers what is waiting, up
to a whole batch, carries it out in one durable commit and answers in order. While a commit waits for the disk the next
group gathers, and before each the writer gives way as long as more arrives; no timer is needed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Protocol, Self

from tsingma.basics.rejection import InvariantBroken, RejectionReason, refuse
from tsingma.journal.commands import Command
from tsingma.journal.events import Answer
from tsingma.journal.record import BATCH_COMMANDS_MAX

WAITING_MAX = 8 * BATCH_COMMANDS_MAX


class Submits(Protocol):
    """What the writer thread drives: a sequencer."""

    def submit(self, batch: Sequence[tuple[str, Command]], /) -> list[Answer]:
        """Carry out a batch in one durable commit and answer each command, in order."""
        ...


class Receipt:
    """The future of one answer: a lock that the writer thread opens (a fifth of the work of a ``Future``)."""

    __slots__ = ("_answer", "_failure", "_pending")

    def __init__(self) -> None:
        """Start without an answer."""
        self._pending = threading.Lock()
        self._pending.acquire()
        self._answer: Answer | None = None
        self._failure: BaseException | None = None

    def done(self) -> bool:
        """Return whether the answer, or a failure, is there."""
        return not self._pending.locked()

    def result(self, timeout_seconds: float = -1) -> Answer:
        """Wait for the answer and return it: the command is durable then, or refused.

        Raises what stopped the house, TimeoutError when ``timeout_seconds`` pass first.
        """
        if not self._pending.acquire(timeout=timeout_seconds):
            raise TimeoutError(f"no answer in {timeout_seconds} s")
        self._pending.release()
        if self._answer is None:
            raise self._failure or InvariantBroken("a receipt was opened without an answer")
        return self._answer

    def _set(self, answer: Answer | None, failure: BaseException | None = None) -> None:
        self._answer, self._failure = answer, failure
        self._pending.release()


_Entry = tuple[str, Command, Receipt]


class GroupCommit:
    """A thread-safe door to a sequencer; between opening and closing nothing else may submit to it."""

    def __init__(self, sequencer: Submits, *, waiting_max: int = WAITING_MAX) -> None:
        """Start the writer thread; at most ``waiting_max`` commands wait for it."""
        self._sequencer = sequencer
        self._waiting_max = waiting_max
        self._waiting: SimpleQueue[_Entry | None] = SimpleQueue()
        self._closing = threading.Lock()
        self._closed = False
        self._failure: BaseException | None = None
        self._writer = threading.Thread(target=self._write, name="group-commit", daemon=True)
        self._writer.start()

    def submit(self, command_id: str, command: Command) -> Receipt:
        """Return the receipt of the command; its answer is set once it is durable.

        A receipt fails with what stopped the house, and then it is not known whether the command is durable: opening
        the house again tells. Raises Rejected: limit (too many wait), not-allowed (closed, or the house stopped).
        """
        if self._failure is not None:
            raise refuse(
                RejectionReason.NOT_ALLOWED,
                f"the house stopped after a failure ({self._failure})",
                subject=command_id,
                remedy="open it again: it recovers from its journal",
            )
        if self._waiting.qsize() >= self._waiting_max:
            raise refuse(
                RejectionReason.LIMIT,
                f"{self._waiting_max} commands are waiting",
                subject=command_id,
                remedy="wait for answers before sending more, or send larger commands",
            )
        receipt = Receipt()
        with self._closing:  # so that nothing is put behind the mark that ends the queue
            if self._closed:
                raise refuse(RejectionReason.NOT_ALLOWED, "the house is closing", subject=command_id)
            self._waiting.put((command_id, command, receipt))
        return receipt

    def close(self) -> None:
        """Take no more commands, answer all that wait, and end the writer thread; closing twice is harmless."""
        with self._closing:
            if not self._closed:
                self._closed = True
                self._waiting.put(None)
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
        last = False
        while not last:
            group, last = self._gather()
            if group:
                self._commit(group)

    def _gather(self) -> tuple[list[_Entry], bool]:
        """Wait for a command and return it with all that wait behind it; True when the end mark was among them."""
        entry = self._waiting.get()
        self._let_arrive()
        group: list[_Entry] = []
        while entry is not None:
            group.append(entry)
            if len(group) == BATCH_COMMANDS_MAX:
                return group, False
            try:
                entry = self._waiting.get_nowait()
            except Empty:
                return group, False
        return group, True

    def _let_arrive(self) -> None:
        """Give way to other threads while each turn brings more commands: a producer just answered sends its next."""
        seen = -1
        while seen < self._waiting.qsize() < BATCH_COMMANDS_MAX:
            seen = self._waiting.qsize()
            time.sleep(0)

    def _commit(self, group: list[_Entry]) -> None:
        try:
            if self._failure is not None:
                raise self._failure
            answers = self._sequencer.submit([(command_id, command) for command_id, command, _ in group])
        except BaseException as error:  # noqa: BLE001 - whatever it was, it is what every waiting producer is told
            self._failure = error
            for _, _, receipt in group:
                receipt._set(None, error)
            return
        for (_, _, receipt), answer in zip(group, answers, strict=True):
            receipt._set(answer)
