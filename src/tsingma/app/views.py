"""Projects a house's journal into views that can be read while the house settles, as of any record.

The projector is a reader of the journal with a state of its own; the writer neither knows nor waits. Change what a view
holds and raise ``PROJECTION_VERSION``: the next refresh drops the tables and builds them again.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import InvariantBroken, Rejected
from tsingma.engine.house import House
from tsingma.engine.step import step
from tsingma.journal.commands import decode
from tsingma.journal.events import encode_answer
from tsingma.journal.record import GENESIS, Record
from tsingma.journal.store import Store
from tsingma.store.views import Standing, Told, View, ViewStore

PROJECTION_VERSION = 1
VIEWS_NAME = "views.sqlite"
RECORDS_PER_WRITE = 500
ROWS_PER_WRITE = 50_000

BALANCES = View("balances", ("account", "asset"), ("balance", "held", "pledged"))
POSITIONS = View("positions", ("account", "security"), ("due", "moved", "on_hold"))
INSTRUCTIONS = View(
    "instructions",
    ("instruction",),
    ("deliverer", "receiver", "asset", "quantity", "open_quantity", "amount_cents", "intended_day", "status", "reason"),
)
VIEWS = (BALANCES, POSITIONS, INSTRUCTIONS)
Int64 = npt.NDArray[np.int64]


def open_views(path: Path, *, read_only: bool = False) -> ViewStore:
    """Open the views at a path; raises Rejected: missing (read only), not-allowed (another process projects)."""
    return ViewStore(path, VIEWS, read_only=read_only)


class Projector:
    """Follows a journal and keeps its views."""

    def __init__(self, store: Store, views: ViewStore) -> None:
        """Take up the views where they stand; drop them when version or journal is another."""
        self._store, self._views = store, views
        standing = views.standing()
        if standing is None or standing.version != PROJECTION_VERSION or not _is_of(standing, store):
            standing = Standing(PROJECTION_VERSION, 0, GENESIS)
            views.rebuild(standing)
        self._standing = standing
        self._house = _house_at(store, standing.sequence)
        self._seen = {view.name: _lines(self._house, view) for view in VIEWS}

    @property
    def house(self) -> House:
        """The state at the record where the views stand; read only."""
        return self._house

    def refresh(self) -> Standing:
        """Project what was appended since the last time, and return where the views stand."""
        told: list[Told] = []
        rows: dict[str, list[tuple[int, ...]]] = {view.name: [] for view in VIEWS}
        for record in self._store.read(self._standing.sequence):
            _carry_out(self._house, record)
            told.append(Told(record.sequence, self._house.position.day, record.command_id))
            for view in VIEWS:
                rows[view.name] += self._changes(view, record.sequence)
            self._standing = Standing(PROJECTION_VERSION, record.sequence, record.hash)
            if len(told) >= RECORDS_PER_WRITE or sum(map(len, rows.values())) >= ROWS_PER_WRITE:
                self._views.write(told, rows, self._standing)
                told, rows = [], {view.name: [] for view in VIEWS}
        if told:
            self._views.write(told, rows, self._standing)
        return self._standing

    def _changes(self, view: View, sequence: int) -> list[tuple[int, ...]]:
        """Return the lines that a record changed, (keys, sequence, figures); a line that is gone has zeros."""
        before, now = self._seen[view.name], _lines(self._house, view)
        if before.key is now.key or np.array_equal(before.key, now.key):
            changed = np.flatnonzero((before.figures != now.figures).any(axis=0))
            key, figures = now.key[changed], now.figures[:, changed]
        else:
            key = np.union1d(before.key, now.key)
            old, figures = before.at(key), now.at(key)
            changed = np.flatnonzero((old != figures).any(axis=0))
            key, figures = key[changed], figures[:, changed]
        self._seen[view.name] = now
        keys = _SPLIT[view.name](key)
        columns = [*(column.tolist() for column in keys), [sequence] * key.size, *figures.tolist()]
        return list(zip(*columns, strict=True))


class _Lines:
    """The lines of a view at one moment: ``key`` i8[n], ``figures`` i8[figures, n]."""

    def __init__(self, key: Int64, figures: list[Int64]) -> None:
        self.key = key.copy()
        self.figures = np.stack([figure.astype(np.int64) for figure in figures])

    def at(self, key: Int64) -> Int64:
        """Return the figures of given keys, zero where there is no such line."""
        found = np.zeros((self.figures.shape[0], key.size), np.int64)
        if self.key.size:
            order = np.argsort(self.key, kind="stable")
            place = order[np.minimum(np.searchsorted(self.key, key, sorter=order), self.key.size - 1)]
            known = self.key[place] == key
            found[:, known] = self.figures[:, place[known]]
        return found


def _balances(house: House, view: View) -> _Lines:
    ledger = house.ledger
    key = (ledger.owner.astype(np.int64) << 32) | ledger.asset
    return _Lines(key, [getattr(ledger, name) for name in view.figures])


def _positions(house: House, view: View) -> _Lines:
    positions = house.settlement.positions
    key = (positions.account.astype(np.int64) << 32) | positions.security
    return _Lines(key, [getattr(positions, name) for name in view.figures])


def _instructions(house: House, view: View) -> _Lines:
    table = house.settlement.instructions.table
    return _Lines(np.arange(table["status"].size), [table[name] for name in view.figures])


_TAKE: dict[str, Callable[[House, View], _Lines]] = {
    "balances": _balances,
    "positions": _positions,
    "instructions": _instructions,
}


def _halves(key: Int64) -> tuple[Int64, ...]:
    return key >> 32, key & 0xFFFFFFFF


_SPLIT: dict[str, Callable[[Int64], tuple[Int64, ...]]] = {
    "balances": _halves,
    "positions": _halves,
    "instructions": lambda key: (key,),
}


def _lines(house: House, view: View) -> _Lines:
    return _TAKE[view.name](house, view)


def _carry_out(house: House, record: Record) -> None:
    if encode_answer(step(house, decode(record.body))) != record.answer:
        raise InvariantBroken(f"record {record.sequence} ({record.command_id}): replay gives another answer")


def _is_of(standing: Standing, store: Store) -> bool:
    """Return whether the views stand at a record that this journal has."""
    record = next(store.read(standing.sequence - 1), None) if standing.sequence else None
    return standing.sequence == 0 or (record is not None and record.hash == standing.head)


def _house_at(store: Store, sequence: int) -> House:
    """Return the state after a record, from the newest whole snapshot before it."""
    house, start = House(), 0
    for snapshot in reversed([one for one in store.snapshots() if one <= sequence]):
        try:
            house, start = House.load(store.snapshot(snapshot).parts), snapshot
        except (Rejected, InvariantBroken):
            continue  # a damaged snapshot is passed over; the journal has everything
        break
    for record in store.read(start):
        if record.sequence > sequence:
            break
        _carry_out(house, record)
    return house
