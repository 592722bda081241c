"""An open house: the engine's step over a store; the one place where the two are wired.

A house is a folder with a journal file, or a ``postgresql://`` URL.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tsingma.app.lease_keeper import LeaseKeeper
from tsingma.basics.rejection import Rejected, RejectionReason, refuse
from tsingma.engine.batch import step_all
from tsingma.engine.house import House
from tsingma.engine.sequencer import Sequencer, Standing
from tsingma.engine.step import step
from tsingma.journal.commands import Command
from tsingma.journal.events import Accepted, Answer, Refused
from tsingma.journal.store import Store
from tsingma.store.lease import LEASE_SECONDS
from tsingma.store.memory import MemoryStore
from tsingma.store.postgres import PREFIXES, PostgresStore
from tsingma.store.sqlite import SqliteStore

JOURNAL_NAME = "house.sqlite"
Acknowledge = Callable[[str, int], None]


def _nobody(command_id: str, sequence: int) -> None:
    """Acknowledge to nobody."""


def on_a_server(house: Path | str) -> bool:
    """Return whether the house is a URL of a PostgreSQL database."""
    return isinstance(house, str) and house.startswith(PREFIXES)


def open_store(house: Path | str, *, read_only: bool = False, lease_seconds: float = LEASE_SECONDS) -> Store:
    """Open the store of a house; raises Rejected when there is none (read only) or another process writes it."""
    if on_a_server(house):
        return PostgresStore(str(house), read_only=read_only, lease_seconds=lease_seconds)
    return SqliteStore(Path(house) / JOURNAL_NAME, read_only=read_only)


class Session:
    """Submits commands by stable ids, so that a day that was cut off is simply run again."""

    def __init__(
        self, store: Store, acknowledge: Acknowledge = _nobody, standing: Standing[House] | None = None
    ) -> None:
        """Recover the house from the store; ``acknowledge`` hears every durable command id and its sequence.

        With ``standing`` nothing is recovered: it is where another session on the same journal stands.
        """
        self._store = store
        self._acknowledge = acknowledge
        self._keeper: LeaseKeeper | None = None
        if isinstance(store, PostgresStore) and store.epoch is not None:
            self._keeper = LeaseKeeper(store)  # before the recovery, which may take longer than the lease
        try:
            self.sequencer: Sequencer[House] = Sequencer(store, House, step, step_all, standing)
        except BaseException:
            self.close()
            raise

    @classmethod
    def open(
        cls,
        house: Path | str,
        acknowledge: Acknowledge = _nobody,
        *,
        read_only: bool = False,
        lease_seconds: float = LEASE_SECONDS,
    ) -> Session:
        """Open the house in a folder or at a URL; raises Rejected when there is none (read only) or it is in use."""
        return cls(open_store(house, read_only=read_only, lease_seconds=lease_seconds), acknowledge)

    def beside(self, house: Path | str) -> Session:
        """Open the house read only beside this session, which wrote it last, at the record where it stands."""
        return Session(open_store(house, read_only=True), standing=self.sequencer.standing())

    @classmethod
    def in_memory(cls) -> Session:
        """Open a house that leaves nothing behind."""
        return cls(MemoryStore())

    @property
    def epoch(self) -> int | None:
        """Number of this writer among all the house had; None when it only reads or the house is in a folder."""
        return self._store.epoch if isinstance(self._store, PostgresStore) else None

    def become_writer(self) -> bool:
        """Take the lease of a house on a server that was opened read only; False while another holds it.

        Afterwards the sequencer must catch up before it submits. Raises Rejected (not-allowed) for other houses.
        """
        if not isinstance(self._store, PostgresStore):
            raise refuse(RejectionReason.NOT_ALLOWED, "only a house on PostgreSQL changes its writer")
        if not self._store.take_lease():
            return False
        self._keeper = LeaseKeeper(self._store)
        return True

    def lost(self) -> bool:
        """Return whether this writer lost its lease: the house is another's then, whatever this one submits."""
        return self._keeper is not None and self._keeper.lost()

    def hold(self) -> None:
        """Keep the lease until it is lost or the session is closed."""
        if self._keeper is not None:
            self._keeper.wait()

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
        """Let go of the lease and of the store."""
        if self._keeper is not None:
            self._keeper.close()
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


def name_of_file(data: bytes, sender: str) -> str:
    """Return 16 hex digits that name what a participant sends ("": the house for all), so that it is sent only once.

    The same bytes of another sender are another file: nobody learns the answers to another's, or takes its place.
    """
    return hashlib.sha256(data if not sender else sender.encode() + b"\0" + data).hexdigest()[:16]
