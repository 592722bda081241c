"""The writer's house and its copy for reading: a read asks the one that is at rest, and never waits for a long command.

The copy is a second session on the same journal. Before it answers it carries out what the writer made durable since,
so a read sees every answer given before it began; and however long it takes, it never holds the writer up. Some
commands take long (a run of the day, orders in bulk). Before the writer begins one the copy is brought up to date, and
answers meanwhile. While the copy then carries it out itself, reads ask the writer's house between two batches: what is
there is durable, and nothing is half carried out.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TypeVar

from tsingma.app.as_of import rows_as_they_were
from tsingma.app.session import Session
from tsingma.basics.rejection import InvariantBroken, Rejected
from tsingma.journal.commands import (
    ChangeInstruction,
    ChangeOrder,
    LinkInstructions,
    SubmitInstructions,
    Submitted,
    command_of,
)
from tsingma.journal.events import Answer

T = TypeVar("T")

SHORT_ORDERS_BYTES = 8 * 4_096  # of the column of references of a command that does not take long
BEHIND_MAX = 1_000  # records that a read lets the copy carry out first
IDLE_SECONDS = 0.2  # without a batch before the copy is brought up to date for no reader
AT_REST_SECONDS = 0.01  # for which a read waits for one house before it asks the other
_SHORT = (ChangeInstruction, ChangeOrder, LinkInstructions)


class TwoHouses:
    """Drives the writer's session, and answers reads from it or from its copy; both are used from any thread."""

    def __init__(self, writer: Session, copy: Session) -> None:
        """Take over two sessions on one journal, and start to keep the copy up."""
        self._writer, self._copy = writer, copy
        self._writing, self._copying = threading.Lock(), threading.Lock()
        self._long_at = 0  # last record of a batch that took long
        self._lagging = False  # a read found the copy far behind
        self._committed, self._ended = threading.Event(), False
        self._keeper = threading.Thread(target=self._keep_up, name="house-copy", daemon=True)
        self._keeper.start()

    def submit(self, batch: Sequence[tuple[str, Submitted]], /) -> list[Answer]:
        """Carry a batch out on the writer's house, as its sequencer does; for the writer's thread alone."""
        takes_long = any(_takes_long(submitted) for _, submitted in batch)
        if takes_long:
            with suppress(Rejected, InvariantBroken):  # the next read tells
                self._bring_up()
        sequencer = self._writer.sequencer
        with self._writing:
            try:
                return sequencer.submit(batch)
            finally:
                if takes_long:
                    self._long_at = sequencer.sequence
                self._committed.set()

    def consult(self, question: Callable[[Session], T]) -> T:
        """Return what ``question`` finds in the house as of its last durable record; it may change nothing.

        Raises what the question raises, Rejected when the house has stopped, InvariantBroken for a broken journal.
        """
        wanted = self._writer.sequencer.sequence
        while self._is_sound():
            if self._is_near(wanted):
                if self._copying.acquire(timeout=AT_REST_SECONDS):
                    with _released(self._copying):
                        return self._ask_copy(question, wanted)
            else:
                self._lagging = True
                self._committed.set()
            if self._writing.acquire(timeout=AT_REST_SECONDS):
                with _released(self._writing):
                    if self._is_sound():
                        with rows_as_they_were(self._writer.house):
                            return question(self._writer)
        with self._copying:
            return self._ask_copy(question, wanted)

    def behind(self) -> int:
        """Return by how many records the copy is behind the writer."""
        return self._writer.sequencer.sequence - self._copy.sequencer.sequence

    def close(self) -> None:
        """Let both sessions go; nothing may be submitted any more."""
        self._ended = True
        self._committed.set()
        self._keeper.join()
        self._copy.close()
        self._writer.close()

    def _is_near(self, wanted: int) -> bool:
        """Return whether the copy can soon stand at a record: not much is missing, and nothing that took long."""
        stands = self._copy.sequencer.sequence
        return stands >= max(wanted - BEHIND_MAX, min(self._long_at, wanted))

    def _ask_copy(self, question: Callable[[Session], T], wanted: int) -> T:
        self._copy.sequencer.catch_up(wanted)
        with rows_as_they_were(self._copy.house):
            return question(self._copy)

    def _is_sound(self) -> bool:
        """Return whether the writer's house is what its journal says: it is not after a failure."""
        try:
            _ = self._writer.house
        except Rejected:
            return False
        return True

    def _bring_up(self) -> None:
        with self._copying:
            self._copy.sequencer.catch_up()

    def _keep_up(self) -> None:
        """Bring the copy up to date after what took long, when a read found it far behind, and when nobody sends."""
        while not self._ended:
            self._committed.wait()
            self._committed.clear()
            while not (self._ended or self._lagging or self._copy.sequencer.sequence < self._long_at):
                if not self._committed.wait(IDLE_SECONDS):
                    break
                self._committed.clear()
            self._lagging = False
            if not self._ended:
                try:
                    self._bring_up()
                except (Rejected, InvariantBroken):
                    return  # the next read tells


@contextmanager
def _released(lock: threading.Lock) -> Iterator[None]:
    """Release a lock that was acquired, whatever happens."""
    try:
        yield
    finally:
        lock.release()


def _takes_long(submitted: Submitted) -> bool:
    command = command_of(submitted)
    if isinstance(command, SubmitInstructions):
        return len(command.columns.get("reference", b"")) > SHORT_ORDERS_BYTES
    return not isinstance(command, _SHORT)
