"""A served house as it stood after an earlier record of its journal: from the newest snapshot before it, and a tail.

What is read is the state itself, so every read model answers as of any record. A state costs a snapshot and the records
behind it: that tail is bounded, the last states are kept, and one question at a time is worked on.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path
from typing import TypeVar

from tsingma.app.session import open_store
from tsingma.basics.rejection import InvariantBroken, Rejected, RejectionReason, refuse
from tsingma.engine.batch import step_all
from tsingma.engine.house import House
from tsingma.engine.sequencer import parts
from tsingma.journal.commands import decode
from tsingma.journal.events import encode_answer
from tsingma.journal.record import Record
from tsingma.journal.store import Store

T = TypeVar("T")

RECORDS_MAX = 10_000  # carried out for one question
STATES_KEPT = 4


class AsOf:
    """Answers questions about earlier states of one house, from any thread; opens its journal at the first one."""

    def __init__(self, place: Path | str | None, *, records_max: int = RECORDS_MAX, kept: int = STATES_KEPT) -> None:
        """Keep where the house is; None for one in memory, of which nothing earlier can be told."""
        self._place, self._records_max, self._kept = place, records_max, kept
        self._lock = threading.Lock()
        self._store: Store | None = None
        self._states: dict[int, House] = {}  # by record, the least recently asked first

    def read(self, at: int, question: Callable[[House, int], T]) -> T:
        """Return what ``question`` finds in the house as it stood after record ``at``.

        Raises Rejected: beyond-horizon (the journal has no such record), limit (too many records behind the nearest
        snapshot), missing (no reference book yet), not-allowed (a house in memory).
        """
        with self._lock:
            house = self._states.pop(at, None) or self._state(self._opened(), at)
            self._states[at] = house
            while len(self._states) > self._kept:
                del self._states[next(iter(self._states))]
            with rows_as_they_were(house):
                return question(house, at)

    def close(self) -> None:
        """Let go of the journal."""
        with self._lock:
            if self._store is not None:
                self._store.close()
            self._store, self._place = None, None
            self._states.clear()

    def _opened(self) -> Store:
        if self._store is None:
            if self._place is None:
                raise refuse(RejectionReason.NOT_ALLOWED, "nothing earlier is kept of this house", field="at")
            self._store = open_store(self._place, read_only=True)
        return self._store

    def _state(self, store: Store, at: int) -> House:
        length = store.length()
        if not 1 <= at <= length:
            remedy = f"a record from 1 to {length}"
            raise refuse(RejectionReason.BEYOND_HORIZON, f"the journal has no record {at}", field="at", remedy=remedy)
        start = max((one for one in store.snapshots() if one <= at), default=0)
        base = max((one for one in self._states if one <= at), default=-1)
        if at - max(start, base) > self._records_max:
            message = f"{at - max(start, base)} records follow the nearest snapshot, {self._records_max} at most"
            remedy = "ask for a record nearer to the close of a day, or use tsingma view"
            raise refuse(RejectionReason.LIMIT, message, field="at", remedy=remedy)
        if base >= start:
            return _carried_on(self._states.pop(base), store, base, at)  # it is not asked for at ``base`` any more
        try:
            house = House.load(store.snapshot(start).parts) if start else House()
        except Rejected:  # a damaged snapshot: the journal has everything
            house, start = House(), 0
        return _carried_on(house, store, start, at)


@contextmanager
def rows_as_they_were(house: House) -> Iterator[None]:
    """Close the ledger rows again that a question opened to count with, so that replay finds none of them."""
    ledger = house.ledger
    rows = ledger.count
    try:
        yield
    finally:
        if ledger.count != rows:
            ledger.close_rows(rows)


def _carried_on(house: House, store: Store, after: int, until: int) -> House:
    """Return the house after the records behind ``after`` up to ``until``; every answer must be the journal's."""
    for part in parts(_tail(store, after, until)):
        answers = step_all(house, [decode(record.body) for record in part])
        for record, answer in zip(part, answers, strict=True):
            if encode_answer(answer) != record.answer:
                raise InvariantBroken(f"record {record.sequence} ({record.command_id}): replay gives another answer")
    return house


def _tail(store: Store, after: int, until: int) -> Iterator[Record]:
    return takewhile(lambda record: record.sequence <= until, store.read(after))
