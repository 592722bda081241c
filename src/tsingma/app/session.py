"""An open house: the engine's step over a store; the one place where the two are wired."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from tsingma.basics.rejection import Rejected
from tsingma.engine.batch import step_all
from tsingma.engine.house import House
from tsingma.engine.sequencer import Sequencer
from tsingma.engine.step import step
from tsingma.journal.commands import Command
from tsingma.journal.events import Accepted, Answer, Refused
from tsingma.journal.store import Store
from tsingma.store.memory import MemoryStore
from tsingma.store.sqlite import SqliteStore

JOURNAL_NAME = "house.sqlite"
Acknowledge = Callable[[str, int], None]


def _nobody(command_id: str, sequence: int) -> None:
    """Acknowledge to nobody."""


class Session:
    """Submits commands by stable ids, so that a day that was cut off is simply run again."""

    def __init__(self, store: Store, acknowledge: Acknowledge = _nobody) -> None:
        """Recover the house from the store; ``acknowledge`` hears every durable command id and its sequence."""
        self._store = store
        self._acknowledge = acknowledge
        self.sequencer: Sequencer[House] = Sequencer(store, House, step, step_all)

    @classmethod
    def open(cls, folder: Path, acknowledge: Acknowledge = _nobody, *, read_only: bool = False) -> Session:
        """Open the house kept in ``folder``; raises Rejected when there is none (read only) or it is in use."""
        return cls(SqliteStore(folder / JOURNAL_NAME, read_only=read_only), acknowledge)

    @staticmethod
    @contextmanager
    def open_store(folder: Path) -> Iterator[Store]:
        """Yield the store of ``folder``, read only and without recovering the house from it."""
        store = SqliteStore(folder / JOURNAL_NAME, read_only=True)
        try:
            yield store
        finally:
            store.close()

    @classmethod
    def in_memory(cls) -> Session:
        """Open a house that leaves nothing behind."""
        return cls(MemoryStore())

    @property
    def house(self) -> House:
        """The state; read only."""
        return self.sequencer.state

    @property
    def store(self) -> Store:
        """The store under the house; read only."""
        return self._store

    def once(self, command_id: str, make: Callable[[], Command]) -> Accepted:
        """Carry out a command unless its id was answered before; ``make`` is called only when it is needed.

        Raises Rejected with the house's reasons when it refuses.
        """
        known = self.sequencer.answered(command_id)
        if isinstance(known, Accepted):
            return known
        return self.submit([(command_id, make())])[0]

    def submit(self, batch: Sequence[tuple[str, Command]]) -> list[Accepted]:
        """Carry out a batch that must be accepted whole, in one durable commit; raises Rejected otherwise."""
        answers = self.sequencer.submit(batch, whole=True)
        accepted = [_accepted(answer) for answer in answers]
        for command_id, _ in batch:
            self._acknowledge(command_id, self.sequencer.sequence)
        return accepted

    def close(self) -> None:
        """Let go of the store."""
        self._store.close()

    def __enter__(self) -> Self:
        """Return the session itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the store, whatever happened."""
        self.close()


def _accepted(answer: Answer) -> Accepted:
    if isinstance(answer, Refused):
        raise Rejected(*answer.rejections)
    return answer
