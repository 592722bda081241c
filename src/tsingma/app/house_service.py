"""A house that serves many at once: one writer behind the door of group commit, and reads that never hold it up.

How reads are answered while commands are carried out is told in ``two_houses``. Records of the journal are read over a
connection of their own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from datetime import date
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from tsingma.app.commit_watch import Watch, WatchedSubmits
from tsingma.app.group_commit import GroupCommit, Listener, Receipt
from tsingma.app.order_intake import Intake
from tsingma.app.session import Session, open_store
from tsingma.app.two_houses import TwoHouses
from tsingma.basics.clock import SystemClock
from tsingma.basics.dates import to_day
from tsingma.basics.rejection import InvariantBroken, Rejected
from tsingma.engine.house import House
from tsingma.journal.commands import OpenDay, Submitted
from tsingma.journal.record import Record
from tsingma.journal.store import Snapshot, Store
from tsingma.reference.book import ResolvedBook
from tsingma.store.lease import LEASE_SECONDS

T = TypeVar("T")


class HouseService:
    """Reads and writes of an open house, from any thread."""

    def __init__(self, writer: Session, copy: Session, store: Store) -> None:
        """Take over both sessions and a store for reading records: they are closed with the service.

        Nobody else may submit to the writer. Raises Rejected (missing) when the house has no reference book yet.
        """
        self.book: ResolvedBook = writer.house.resolved  # installed once, before the first day: it never changes
        self._writer, self._store = writer, store
        self._reading = threading.Lock()
        self.place: Path | str | None = None  # where others open it too; None for one in memory
        self.intake = Intake(self.book)
        self._houses = TwoHouses(writer, copy)
        self._watched = WatchedSubmits(self._houses, SystemClock())
        self._door = GroupCommit(self._watched)

    @classmethod
    def open(cls, house: Path | str, day: date | None = None, *, lease_seconds: float = LEASE_SECONDS) -> Self:
        """Open a house in a folder or at a URL as its writer, and a business day in it unless that was opened before.

        Raises Rejected: another process writes it, the house has no book, or the day cannot be opened now.
        """
        with ExitStack() as opened:
            writer = opened.enter_context(Session.open(house, lease_seconds=lease_seconds))
            open_day(writer, day)
            copy = opened.enter_context(writer.beside(house))
            store = opened.enter_context(closing(open_store(house, read_only=True)))
            service = cls(writer, copy, store)
            opened.pop_all()  # the service closes them
        service.place = house
        return service

    def read(self, question: Callable[[House, int], T]) -> T:
        """Return what ``question`` finds in the house as of its last durable record, whose number it is given too.

        Raises what the question raises, Rejected when the house has stopped, InvariantBroken for a broken journal.
        """
        return self._houses.consult(lambda session: question(session.house, session.sequencer.sequence))

    def consult(self, question: Callable[[Session], T]) -> T:
        """Return what ``question`` finds in a session, as of the last durable record of the house; as ``read``.

        For what asks the journal as well as the house; it may change neither.
        """
        return self._houses.consult(question)

    def submit(self, command_id: str, command: Submitted) -> Receipt:
        """Put a command to the writer and return the receipt of its answer; raises Rejected as GroupCommit does."""
        return self._door.submit(command_id, command)

    def submit_told(self, command_id: str, command: Submitted, listener: Listener, mark: object) -> None:
        """Put a command to the writer; ``listener`` hears of its answer with all others of its group."""
        self._door.submit_told(command_id, command, listener, mark)

    def require_open(self) -> None:
        """Raise InvariantBroken when the writer has stopped after a failure."""
        try:
            _ = self._writer.house
        except Rejected as stopped:
            raise InvariantBroken(str(stopped)) from None

    def stopped(self) -> str:
        """Return why the house takes no more commands: a failure, or a lease that was lost; "" while it does."""
        try:
            self.require_open()
        except InvariantBroken as stopped:
            return str(stopped)
        return "another process has taken over this house" if self._writer.lost() else ""

    def second(self) -> int:
        """Return the second of the day at which the house stands; nothing that is served moves it.

        Raises InvariantBroken when the writer has stopped.
        """
        self.require_open()
        return self._writer.house.settlement.clock_s

    def find(self, command_id: str) -> Record | None:
        """Return the record of a command id, or None when it was never accepted."""
        with self._reading:
            return self._store.find(command_id)

    def find_all(self, command_ids: Sequence[str]) -> dict[str, Record]:
        """Return the records of command ids, by id, of those that were accepted."""
        with self._reading:
            return self._store.find_all(command_ids)

    def records(self, after: int, limit: int) -> list[Record]:
        """Return up to ``limit`` records behind number ``after``."""
        with self._reading:
            return list(islice(self._store.read(after), limit))

    def replay_start(self, records_max: int, rows_max: int) -> int | None:
        """Return the number of the snapshot from which ``since_snapshot`` would begin, 0 for the whole journal."""
        if self.read(lambda house, _at: house.ledger.count + len(house.settlement.instructions)) > rows_max:
            return None
        with self._reading:
            return next(iter(self._starts(records_max)), None)

    def since_snapshot(self, records_max: int, rows_max: int) -> tuple[Snapshot | None, list[Record]] | None:
        """Return a whole snapshot and the records behind it: the oldest that at most ``records_max`` follow.

        The snapshot is None where it is the whole journal. None for all of it where the newest snapshot is too old, or
        the house has more than ``rows_max`` rows in ledger and instructions: too much to load for one question.
        """
        if self.replay_start(records_max, rows_max) is None:
            return None
        with self._reading:
            for start in self._starts(records_max):
                try:
                    snapshot = self._store.snapshot(start) if start else None
                except Rejected:
                    continue  # a damaged snapshot is passed over
                return snapshot, list(self._store.read(start))
            return None

    def _starts(self, records_max: int) -> list[int]:
        """Return where a replay of at most ``records_max`` records could begin, the earliest first."""
        length = self._store.length()
        return [start for start in (0, *self._store.snapshots()) if length - start <= records_max]

    def length(self) -> int:
        """Return the number of the last durable record."""
        return self._writer.sequencer.sequence

    def watch(self, watch: Watch) -> None:
        """Tell ``watch`` of every batch from now on, in the writer's thread."""
        self._watched.watches.append(watch)

    def waiting(self) -> int:
        """Return how many commands wait for the writer."""
        return self._door.waiting()

    def lag(self) -> int:
        """Return by how many records the copy that answers reads is behind the writer."""
        return self._houses.behind()

    def close(self) -> None:
        """Answer what waits, then let go of the journal."""
        self._door.close()
        self._store.close()
        self._houses.close()

    def __enter__(self) -> Self:
        """Return the service itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close, whatever happened."""
        self.close()


def open_day(writer: Session, day: date | None) -> None:
    """Open a business day unless it was opened before, or is None; raises Rejected when it cannot be opened now.

    It may have been opened under another id: by hand, or as an act that was approved.
    """
    if day is not None and writer.house.position.day != to_day(day):
        writer.once(f"{day}/open", lambda: OpenDay(to_day(day)))
