"""The embedded store: one SQLite file in WAL mode with full synchronisation, one writer, a batch a transaction.

Beside the file stands the mark of its head (see ``head_mark``), moved after every commit: a file that lost the end of
its journal is refused.
"""

from __future__ import annotations

import fcntl
import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Protocol, Self, TextIO

import msgspec

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.journal.record import GENESIS, Record
from tsingma.journal.store import Snapshot, snapshot_checksum
from tsingma.store.head_mark import HeadMark, Mark, MarkBeside, MarkFile, lost_records, mark_path, other_record
from tsingma.store.migrations import Migration, pending

BUSY_TIMEOUT_MS = 5_000
WAL_PAGES = 8_000  # 32 MB before pages go back to the file: the same index pages change again and again
_FIELDS = "sequence, command_id, body, answer, previous, hash"
_TYPES = (int, str, bytes, bytes, bytes, bytes)
_INSERT = f"INSERT INTO journal ({_FIELDS}) VALUES (?, ?, ?, ?, ?, ?)"


class Connection(Protocol):
    """What the store needs of a connection to SQLite; every statement is its own transaction unless one is begun."""

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        ...

    def execute(self, statement: str, parameters: Sequence[object] = ..., /) -> Any:
        """Run one statement and return its cursor."""
        ...

    def executemany(self, statement: str, rows: Sequence[Sequence[object]], /) -> Any:
        """Run one statement for every row."""
        ...

    def close(self) -> None:
        """Let go of the file; closing twice is harmless."""
        ...


class SqliteStore:
    """A journal file. Opened for writing it takes a lock beside the file; a second writer is refused."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """Open (or, for writing, create) the file.

        Raises Rejected: missing (read only and no file), not-allowed (another writer), malformed (no journal, or
        a version this program does not know, or a journal that lost records that were acknowledged).
        """
        self._path = path
        self._mark: HeadMark | None = None
        self._lock: TextIO | None = None
        if read_only and not path.is_file():
            raise refuse(RejectionReason.MISSING, "there is no journal", file=str(path), remedy="check --house")
        if not read_only:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = take_lock(path)
        try:
            mark = HeadMark(MarkBeside(path), mark_path(path))
            self._connection: Connection = _connect(path, mark.last, read_only=read_only)
        except BaseException:
            self._unlock()
            raise
        try:
            if not read_only:
                self._take_mark(mark)
        except BaseException:
            self.close()
            raise

    @classmethod
    def over(cls, connection: Connection, path: Path, mark_file: MarkFile) -> Self:
        """Return a store over an open connection, whose owner keeps other writers out; ``path`` names it in errors.

        Raises Rejected (malformed) when it holds no journal, one of a version this program does not know, or one that
        lost records that were acknowledged.
        """
        store = cls.__new__(cls)
        store._path, store._lock = path, None
        mark = HeadMark(mark_file, mark_path(path))
        _prepare(connection, path, mark.last, read_only=False)
        store._connection = connection
        store._take_mark(mark)
        return store

    def append(self, records: Sequence[Record]) -> None:
        """Write the records in one transaction and move the mark, both synchronised to disk before this returns."""
        if not records:
            return
        with _taken_by_the_disk(self._path):
            self._write(records)
            if self._mark is not None:
                self._mark.keep(Mark(records[-1].sequence, records[-1].hash))

    def _write(self, records: Sequence[Record]) -> None:
        rows = [
            (record.sequence, record.command_id, record.body, record.answer, record.previous, record.hash)
            for record in records
        ]
        connection = self._connection
        if len(rows) == 1:  # one statement is its own transaction
            connection.execute(_INSERT, rows[0])
            return
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.executemany(_INSERT, rows)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def version(self) -> int:
        """Return the version of the journal's schema: the number of the last step it was brought to."""
        return int(self._connection.execute("PRAGMA user_version").fetchone()[0])

    def head(self) -> Record | None:
        """Return the last record, or None for an empty journal."""
        row = self._connection.execute(f"SELECT {_FIELDS} FROM journal ORDER BY sequence DESC LIMIT 1").fetchone()
        return self._record(row) if row else None

    def length(self) -> int:
        """Return the number of the last record, 0 for an empty journal."""
        return int(self._connection.execute("SELECT coalesce(max(sequence), 0) FROM journal").fetchone()[0])

    def read(self, after: int = 0) -> Iterator[Record]:
        """Yield the records above ``after``, in order, without reading them all at once."""
        query = f"SELECT {_FIELDS} FROM journal WHERE sequence > ? ORDER BY sequence"
        try:
            for row in self._connection.execute(query, (after,)):
                yield self._record(row)
        except sqlite3.DatabaseError as error:
            raise refuse(RejectionReason.MALFORMED, f"the file is damaged: {error}", file=str(self._path)) from error

    def find(self, command_id: str) -> Record | None:
        """Return the record of a command id, or None."""
        row = self._connection.execute(f"SELECT {_FIELDS} FROM journal WHERE command_id = ?", (command_id,)).fetchone()
        return self._record(row) if row else None

    def find_all(self, command_ids: Sequence[str]) -> dict[str, Record]:
        """Return the records of those command ids that are there."""
        rows = self._connection.execute(
            f"SELECT {_FIELDS} FROM journal WHERE command_id IN (SELECT value FROM json_each(?))",
            (json.dumps(command_ids),),
        )
        return {row[1]: self._record(row) for row in rows}

    def put_snapshot(self, snapshot: Snapshot) -> None:
        """Keep a snapshot with a checksum over its bytes, durably."""
        parts = msgspec.msgpack.encode(snapshot.parts)
        checksum = snapshot_checksum(snapshot.sequence, snapshot.state_hash, parts)
        with _taken_by_the_disk(self._path):
            self._connection.execute(
                "INSERT OR REPLACE INTO snapshot (sequence, state_hash, checksum, parts) VALUES (?, ?, ?, ?)",
                (snapshot.sequence, snapshot.state_hash, checksum, parts),
            )

    def snapshots(self) -> list[int]:
        """Return the sequences at which snapshots stand, oldest first."""
        return [row[0] for row in self._connection.execute("SELECT sequence FROM snapshot ORDER BY sequence")]

    def snapshot(self, sequence: int) -> Snapshot:
        """Return one snapshot; raises Rejected (unknown, or malformed when its bytes were changed)."""
        row = self._connection.execute(
            "SELECT state_hash, checksum, parts FROM snapshot WHERE sequence = ?", (sequence,)
        ).fetchone()
        if row is None:
            raise refuse(RejectionReason.UNKNOWN, f"there is no snapshot at record {sequence}", file=str(self._path))
        whole = all(isinstance(column, bytes) for column in row)  # damage can give a column another type
        if not whole or snapshot_checksum(sequence, row[0], row[2]) != row[1]:
            raise refuse(
                RejectionReason.MALFORMED,
                f"the snapshot at record {sequence} was changed",
                file=str(self._path),
                remedy="it is passed over: an older one, or the journal from zero, is used",
            )
        return Snapshot(sequence, row[0], msgspec.msgpack.decode(row[2], type=dict[str, bytes]))

    def drop_snapshot(self, sequence: int) -> None:
        """Forget a snapshot; the journal has everything it had."""
        self._connection.execute("DELETE FROM snapshot WHERE sequence = ?", (sequence,))

    def seal(self) -> None:
        """Make the journal one file that can be moved and read anywhere; writing opens it up again."""
        self._connection.execute("PRAGMA journal_mode = DELETE")

    def close(self) -> None:
        """Close the files and give up the lock."""
        self._connection.close()
        if self._mark is not None:
            self._mark.close()
        self._unlock()

    def _take_mark(self, mark: HeadMark) -> None:
        """Move the mark to the head: what a process left that died before it did counts as acknowledged from now on."""
        head = _head(self._connection)
        if mark.last != head:
            mark.keep(head)
        self._mark = mark

    def _record(self, row: tuple[object, ...]) -> Record:
        """Return the record of a row; raises Rejected (malformed) when damage gave a column another type."""
        if tuple(map(type, row)) != _TYPES:
            raise refuse(
                RejectionReason.MALFORMED,
                f"record {row[0]!r} was changed: a column has another type",
                file=str(self._path),
                remedy="restore the house from a backup",
            )
        return Record(*row)  # type: ignore[arg-type]

    def _unlock(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None


@contextmanager
def _taken_by_the_disk(path: Path) -> Iterator[None]:
    """Turn what a full or failing disk says into a refusal that says what is known."""
    try:
        yield
    except (sqlite3.OperationalError, OSError) as error:
        raise refuse(
            RejectionReason.NOT_ALLOWED,
            f"the disk did not take it ({error}): nothing of this batch was acknowledged",
            file=str(path),
            remedy="make room, then open the house again: its journal says what is there",
        ) from error


def copy_journal(source: Path, target: Path) -> None:
    """Copy a journal file as it stands at one moment, while others read and write it (SQLite's online backup).

    Raises Rejected: missing (no such file), malformed (no SQLite file, or one that lost what was acknowledged).
    """
    if not source.is_file():
        raise refuse(RejectionReason.MISSING, "there is no journal", file=str(source), remedy="check --house")
    mark = HeadMark(MarkBeside(source), mark_path(source)).last  # before the journal, which may go on meanwhile
    from_file = f"{source.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(from_file, uri=True)) as reader, closing(sqlite3.connect(target)) as writer:
        try:
            reader.backup(writer)
            _compare(writer, mark, source)
        except sqlite3.DatabaseError as error:
            raise refuse(RejectionReason.MALFORMED, f"this is no journal: {error}", file=str(source)) from None


def beside(path: Path) -> tuple[Path, ...]:
    """Return the files that belong to a journal file, and would be taken for those of another put in its place."""
    return path.with_name(path.name + "-wal"), mark_path(path)


def take_lock(path: Path) -> TextIO:
    """Lock the file beside the journal; the operating system gives it up when the process dies."""
    lock = path.with_name(path.name + ".lock").open("w", encoding="ascii")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise refuse(
            RejectionReason.NOT_ALLOWED,
            "another process writes this house",
            file=str(path),
            remedy="wait for it, or open the house read only",
        ) from None
    return lock


def _connect(path: Path, mark: Mark | None, *, read_only: bool) -> sqlite3.Connection:
    mode = "ro" if read_only else "rwc"
    try:
        if mark is not None and path.is_file() and not read_only:
            _look_first(path, mark)
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}",
            uri=True,
            isolation_level=None,
            check_same_thread=False,  # one thread at a time, which need not be the one that opened it
        )
        connection.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")
        _prepare(connection, path, mark, read_only=read_only)
    except sqlite3.DatabaseError as error:
        raise refuse(RejectionReason.MALFORMED, f"this is no journal: {error}", file=str(path)) from None
    return connection


def _look_first(path: Path, mark: Mark) -> None:
    """Refuse a journal that lost its end before it is opened for writing, which would clear its log away."""
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as reader:
        _compare(reader, mark, path)


def _compare(connection: Connection, mark: Mark | None, path: Path) -> None:
    """Refuse a journal without the record that was acknowledged last."""
    if mark is None or mark.sequence == 0:
        return
    if not connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'journal'").fetchone()[0]:
        raise lost_records(mark, 0, path)
    row = connection.execute("SELECT hash FROM journal WHERE sequence = ?", (mark.sequence,)).fetchone()
    if row is None:
        raise lost_records(mark, _head(connection).sequence, path)
    if row[0] != mark.hash:
        raise other_record(mark, path)


def _head(connection: Connection) -> Mark:
    row = connection.execute("SELECT sequence, hash FROM journal ORDER BY sequence DESC LIMIT 1").fetchone()
    return Mark(*row) if row else Mark(0, GENESIS)


def _prepare(connection: Connection, path: Path, mark: Mark | None, *, read_only: bool) -> None:
    """Bring the schema forward, a transaction a step, and make every commit wait for the disk."""
    try:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if version == 0 and (read_only or tables):
            raise refuse(RejectionReason.MALFORMED, "this is no journal: it has other tables, or none", file=str(path))
        _compare(connection, mark, path)
        steps = pending("sqlite", version, read_only=read_only, place=str(path))
        if not read_only:
            connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        for step in steps:
            _migrate(connection, step)
        if not read_only:
            # A process that died may have left commits that no disk has yet, only the cache of the operating system:
            # they are read like any other. Writing them back makes them durable before anyone is answered from them.
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    except BaseException:
        connection.close()
        raise


def _migrate(connection: Connection, step: Migration) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement in step.statements:
            connection.execute(statement)
        if step.version > 1:  # the first step is older than the table of versions
            connection.execute("INSERT INTO schema_version (version, title) VALUES (?, ?)", (step.version, step.title))
        connection.execute(f"PRAGMA user_version = {step.version}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
