"""Read models: tables derived from a journal, in a SQLite file of their own, thrown away and built again at will.

A view keeps every change of every line with the record that made it, so that it answers as of any record. The file
says which version of the projection wrote it and at which record it stands. Reading it never meets the house's writer.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.store.sqlite import take_lock

BUSY_TIMEOUT_MS = 5_000


class View(msgspec.Struct, frozen=True):
    """One table: the columns that name a line, and its figures (all 64-bit integers)."""

    name: str
    keys: tuple[str, ...]
    figures: tuple[str, ...]


class Standing(msgspec.Struct, frozen=True):
    """Which projection wrote the views, and the record they stand at: its number and hash."""

    version: int
    sequence: int
    head: bytes


class Told(msgspec.Struct, frozen=True):
    """A record as the views know it."""

    sequence: int
    day: int
    command_id: str


Changes = Mapping[str, Sequence[tuple[int, ...]]]  # view name -> rows of (keys, sequence, figures)


class ViewStore:
    """The file of a house's views. Opened for writing it takes a lock; any number of processes may read."""

    def __init__(self, path: Path, views: Sequence[View], *, read_only: bool = False) -> None:
        """Open or create the file; raises Rejected: missing (read only), not-allowed (another process projects)."""
        self._views = {view.name: view for view in views}
        if read_only and not path.is_file():
            raise refuse(RejectionReason.MISSING, "there are no views", file=str(path), remedy="build them first")
        self._lock = None if read_only else take_lock(path)
        mode = "ro" if read_only else "rwc"
        self._connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None, check_same_thread=False
        )
        self._connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        if not read_only:
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")  # what a power cut takes is projected again

    def standing(self) -> Standing | None:
        """Return where the views stand, or None when nothing was projected."""
        there = self._connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'standing'").fetchone()[0]
        row = self._connection.execute("SELECT version, sequence, head FROM standing").fetchone() if there else None
        return Standing(*row) if row else None

    def rebuild(self, standing: Standing) -> None:
        """Drop every table and start again, empty, at a standing."""
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            connection.execute(f'DROP TABLE "{name}"')
        connection.execute("CREATE TABLE standing (version INTEGER, sequence INTEGER, head BLOB) STRICT")
        connection.execute("CREATE TABLE record (sequence INTEGER PRIMARY KEY, day INTEGER, command_id TEXT) STRICT")
        for view in self._views.values():
            columns = ", ".join(f"{name} INTEGER NOT NULL" for name in (*view.keys, "sequence", *view.figures))
            key = ", ".join((*view.keys, "sequence"))
            connection.execute(f"CREATE TABLE {view.name} ({columns}, PRIMARY KEY ({key})) STRICT, WITHOUT ROWID")
        connection.execute("INSERT INTO standing VALUES (?, ?, ?)", msgspec.structs.astuple(standing))
        connection.execute("COMMIT")

    def write(self, told: Iterable[Told], changes: Changes, standing: Standing) -> None:
        """Add what records changed and move the standing, in one transaction."""
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.executemany("INSERT INTO record VALUES (?, ?, ?)", map(msgspec.structs.astuple, told))
            for name, rows in changes.items():
                view = self._views[name]
                marks = ", ".join("?" * (len(view.keys) + 1 + len(view.figures)))
                connection.executemany(f"INSERT INTO {name} VALUES ({marks})", rows)
            connection.execute(
                "UPDATE standing SET version = ?, sequence = ?, head = ?", msgspec.structs.astuple(standing)
            )
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise

    def lines(self, name: str, at: int, where: Mapping[str, int] | None = None) -> list[tuple[int, ...]]:
        """Return the lines of a view as of a record: keys, the record that last changed it, figures.

        ``where`` asks for given values of key columns. Lines whose figures are all zero are left out.
        """
        view = self._views[name]
        same = " AND ".join(f"later.{key} = line.{key}" for key in view.keys)
        some = " OR ".join(f"{figure} <> 0" for figure in view.figures)
        chosen, values = self._chosen(view, where)
        query = (
            f"SELECT * FROM {name} AS line WHERE ({some}) AND {chosen} AND sequence = "
            f"(SELECT max(sequence) FROM {name} AS later WHERE {same} AND later.sequence <= ?) "
            f"ORDER BY {', '.join(view.keys)}"
        )
        return self._connection.execute(query, (*values, at)).fetchall()

    def history(
        self, name: str, figure: str, after: int, until: int, where: Mapping[str, int] | None = None
    ) -> list[tuple[object, ...]]:
        """Return every change of a figure in records after .. until: keys, record, day, command, change, new value."""
        view = self._views[name]
        if figure not in view.figures:
            raise refuse(RejectionReason.UNKNOWN, f"{name} has no figure {figure}", field="figure")
        chosen, values = self._chosen(view, where)
        keys = ", ".join(view.keys)
        changes = (
            f"SELECT *, {figure} - lag({figure}, 1, 0) OVER (PARTITION BY {keys} ORDER BY sequence) AS change "
            f"FROM {name} AS line WHERE {chosen}"
        )
        query = (
            f"SELECT {keys}, sequence, day, command_id, change, {figure} FROM ({changes}) JOIN record USING (sequence) "
            f"WHERE change <> 0 AND sequence > ? AND sequence <= ? ORDER BY sequence, {keys}"
        )
        return self._connection.execute(query, (*values, after, until)).fetchall()

    def close(self) -> None:
        """Close the file and give up the lock."""
        self._connection.close()
        if self._lock is not None:
            self._lock.close()

    def _chosen(self, view: View, where: Mapping[str, int] | None) -> tuple[str, list[int]]:
        asked = where or {}
        unknown = [key for key in asked if key not in view.keys]
        if unknown:
            raise refuse(RejectionReason.UNKNOWN, f"{view.name} has no key {unknown[0]}", field="where")
        return " AND ".join(["true", *(f"line.{key} = ?" for key in asked)]), list(asked.values())
