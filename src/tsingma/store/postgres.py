"""The server store: journal and snapshots in PostgreSQL 15 or later, one leased writer, any number of readers.

A house is the tables of the first schema on the connection's search path: one database, or one schema, per house.
Small batches are one statement and so one round trip; large ones are a COPY. Both hold the lease row while they
write (see ``lease``). Reading goes over a connection of its own, so it never stands in the writer's way.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import msgspec

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.journal.record import Record
from tsingma.journal.store import Snapshot, snapshot_checksum
from tsingma.store import lease
from tsingma.store.migrations import pending

if TYPE_CHECKING:
    import psycopg

PREFIXES = ("postgresql://", "postgres://")
VERSION_MIN = 150_000
COPY_ABOVE_RECORDS = 64
_MIGRATION_LOCK = 0x7473696E676D61  # "tsingma": two first openings do not migrate at once
_FIELDS = "sequence, command_id, body, answer, previous, hash"
_TYPES = ("int8", "text", "bytea", "bytea", "bytea", "bytea", "int8")
_HELD = "SELECT epoch FROM lease WHERE epoch = %s FOR SHARE"
_APPEND_ONE = f"""
WITH held AS MATERIALIZED ({_HELD})
INSERT INTO journal ({_FIELDS}, epoch) SELECT %b, %b, %b, %b, %b, %b, held.epoch FROM held
"""
_APPEND = f"""
WITH held AS MATERIALIZED ({_HELD})
INSERT INTO journal ({_FIELDS}, epoch)
SELECT item.*, held.epoch FROM held CROSS JOIN unnest(
    %b::bigint[], %b::text[], %b::bytea[], %b::bytea[], %b::bytea[], %b::bytea[]
) AS item
"""
_COPY = f"COPY journal ({_FIELDS}, epoch) FROM STDIN (FORMAT BINARY)"
_PUT_SNAPSHOT = f"""
WITH held AS MATERIALIZED ({_HELD})
INSERT INTO snapshot (sequence, state_hash, checksum, parts)
SELECT %b, %b, %b, %b FROM held
ON CONFLICT (sequence) DO UPDATE
SET state_hash = excluded.state_hash, checksum = excluded.checksum, parts = excluded.parts
"""
Connect = Callable[[str], "psycopg.Connection[tuple[Any, ...]]"]


class PostgresStore:
    """A house on a server. Opened for writing it takes the lease; while another writer holds it, it is refused."""

    def __init__(
        self,
        url: str,
        *,
        read_only: bool = False,
        lease_seconds: float = lease.LEASE_SECONDS,
        copy_above: int = COPY_ABOVE_RECORDS,
        connect: Connect | None = None,
    ) -> None:
        """Connect, bring the schema forward (for writing) and take the lease.

        ``connect`` opens a connection in autocommit mode, by default with psycopg. Raises Rejected: missing (no
        server, no house to read, psycopg not installed), not-allowed (another writer), malformed (another version).
        """
        self._url = url
        self._place = without_password(url)
        self._connect = connect or _connect
        self._lease_seconds = lease_seconds
        self._copy_above = copy_above
        self._epoch: int | None = None
        self._renewing: psycopg.Connection | None = None
        self._connection = self._connect(url)
        try:
            _prepare(self._connection, read_only=read_only, place=self._place)
            if not read_only and not self.take_lease():
                raise refuse(
                    RejectionReason.NOT_ALLOWED,
                    "another process writes this house",
                    file=self._place,
                    remedy="wait for it, open the house read only, or start a standby",
                )
        except BaseException:
            self.close()
            raise

    @property
    def epoch(self) -> int | None:
        """Number of this writer among all writers the house had; None when it only reads."""
        return self._epoch

    @property
    def lease_seconds(self) -> float:
        """How long the lease lasts without being renewed."""
        return self._lease_seconds

    def take_lease(self) -> bool:
        """Become the writer; False while another holds the lease."""
        holder = f"{socket.gethostname()}/{os.getpid()}"
        with self._connected():
            self._epoch = lease.take(self._connection, holder, self._lease_seconds)
        return self._epoch is not None

    def renew_lease(self) -> bool:
        """Renew the lease over a connection of its own, from any one thread; False when it is lost."""
        import psycopg

        if self._epoch is None:
            return False
        try:
            if self._renewing is None:
                self._renewing = self._connect(self._url)
                self._renewing.execute("SET synchronous_commit = off")  # a lost renewal costs nothing but time
            return lease.renew(self._renewing, self._epoch)
        except psycopg.OperationalError:
            return False

    def append(self, records: Sequence[Record]) -> None:
        """Write the records in one transaction, flushed to disk before this returns.

        Raises Rejected (not-allowed) when the house was opened to read, another process has taken over, or the
        connection broke: then it is not known whether the batch is durable, and opening the house again tells.
        """
        epoch = self._writing()
        if not records:
            return
        with self._connected():
            if len(records) > self._copy_above:
                written = self._copy(epoch, records)
            elif len(records) == 1:
                written = self._connection.execute(_APPEND_ONE, (epoch, *_row(records[0]))).rowcount
            else:
                columns = [list(column) for column in zip(*map(_row, records), strict=True)]
                written = self._connection.execute(_APPEND, (epoch, *columns)).rowcount
        if written != len(records):
            raise lease.taken_over(self._place)

    def fill(self, records: Iterable[Record], snapshots: Iterable[Snapshot]) -> None:
        """Write a whole journal and its snapshots in one transaction; raises Rejected like ``append``."""
        epoch = self._writing()
        with self._connected():
            self._copy(epoch, records, snapshots)

    def version(self) -> int:
        """Return the version of the journal's schema: the number of the last step it was brought to."""
        with self._connected():
            return _version(self._connection)

    def head(self) -> Record | None:
        """Return the last record, or None for an empty journal."""
        rows = self._rows(f"SELECT {_FIELDS} FROM journal ORDER BY sequence DESC LIMIT 1")
        return Record(*rows[0]) if rows else None

    def length(self) -> int:
        """Return the number of the last record, 0 for an empty journal."""
        return int(self._rows("SELECT coalesce(max(sequence), 0) FROM journal")[0][0])

    def read(self, after: int = 0) -> Iterator[Record]:
        """Yield the records above ``after``, in order, as they stood when the reading began."""
        reader = self._connect(self._url)
        try:
            query = f"SELECT {_FIELDS} FROM journal WHERE sequence > %s ORDER BY sequence"
            with self._connected():
                for row in reader.cursor(binary=True).stream(query, (after,)):
                    yield Record(*row)
        finally:
            reader.close()

    def find(self, command_id: str) -> Record | None:
        """Return the record of a command id, or None."""
        return self.find_all([command_id]).get(command_id)

    def find_all(self, command_ids: Sequence[str]) -> dict[str, Record]:
        """Return the records of those command ids that are there."""
        rows = self._rows(f"SELECT {_FIELDS} FROM journal WHERE command_id = ANY(%s)", list(command_ids))
        return {row[1]: Record(*row) for row in rows}

    def put_snapshot(self, snapshot: Snapshot) -> None:
        """Keep a snapshot with a checksum over its bytes, durably; raises Rejected like ``append``."""
        row = _snapshot_row(snapshot)
        with self._connected():
            written = self._connection.execute(_PUT_SNAPSHOT, (self._writing(), *row)).rowcount
        if written != 1:
            raise lease.taken_over(self._place)

    def snapshots(self) -> list[int]:
        """Return the sequences at which snapshots stand, oldest first."""
        return [row[0] for row in self._rows("SELECT sequence FROM snapshot ORDER BY sequence")]

    def snapshot(self, sequence: int) -> Snapshot:
        """Return one snapshot; raises Rejected (unknown, or malformed when its bytes were changed)."""
        row = next(
            iter(self._rows("SELECT state_hash, checksum, parts FROM snapshot WHERE sequence = %s", sequence)), None
        )
        if row is None:
            raise refuse(RejectionReason.UNKNOWN, f"there is no snapshot at record {sequence}", file=self._place)
        if snapshot_checksum(sequence, row[0], row[2]) != row[1]:
            raise refuse(
                RejectionReason.MALFORMED,
                f"the snapshot at record {sequence} was changed",
                file=self._place,
                remedy="it is passed over: an older one, or the journal from zero, is used",
            )
        return Snapshot(sequence, row[0], msgspec.msgpack.decode(row[2], type=dict[str, bytes]))

    def close(self) -> None:
        """Let the lease go and close the connections."""
        import psycopg

        if self._epoch is not None and not self._connection.closed:
            with suppress(psycopg.OperationalError):  # a lost connection has let go of the lease already
                lease.release(self._connection, self._epoch)
        self._epoch = None
        self._connection.close()
        if self._renewing is not None:
            self._renewing.close()

    def _rows(self, query: str, *arguments: object) -> list[tuple[Any, ...]]:
        with self._connected():
            return self._connection.cursor(binary=True).execute(query.encode(), arguments).fetchall()

    def _copy(self, epoch: int, records: Iterable[Record], snapshots: Iterable[Snapshot] = ()) -> int:
        """Append by COPY in one transaction and return the number written: none when the lease is another's."""
        connection, written = self._connection, 0
        connection.execute("BEGIN")
        try:
            if connection.execute(_HELD, (epoch,)).fetchone() is None:
                connection.execute("ROLLBACK")
                return 0
            with connection.cursor().copy(_COPY) as copy:
                copy.set_types(_TYPES)
                for written, record in enumerate(records, 1):  # noqa: B007 - counts what an iterator gave
                    copy.write_row((*_row(record), epoch))
            for snapshot in snapshots:
                connection.execute(_PUT_SNAPSHOT, (epoch, *_snapshot_row(snapshot)))
            connection.execute("COMMIT")
        except BaseException:
            if not connection.closed:
                connection.execute("ROLLBACK")
            raise
        return written

    def _writing(self) -> int:
        if self._epoch is None:
            raise refuse(RejectionReason.NOT_ALLOWED, "the house is open for reading only", file=self._place)
        return self._epoch

    @contextmanager
    def _connected(self) -> Iterator[None]:
        """Turn a broken connection into a refusal that says what is not known."""
        import psycopg

        try:
            yield
        except psycopg.OperationalError as error:
            raise refuse(
                RejectionReason.NOT_ALLOWED,
                f"the connection broke before the server confirmed: {error}",
                file=self._place,
                remedy="open the house again: its journal says what is there",
            ) from error


def _snapshot_row(snapshot: Snapshot) -> tuple[int, bytes, bytes, bytes]:
    parts = msgspec.msgpack.encode(snapshot.parts)
    checksum = snapshot_checksum(snapshot.sequence, snapshot.state_hash, parts)
    return (snapshot.sequence, snapshot.state_hash, checksum, parts)


def _row(record: Record) -> tuple[int, str, bytes, bytes, bytes, bytes]:
    return (record.sequence, record.command_id, record.body, record.answer, record.previous, record.hash)


def _connect(url: str) -> psycopg.Connection[tuple[Any, ...]]:
    try:
        import psycopg
    except ImportError:
        raise refuse(
            RejectionReason.MISSING,
            "a house on PostgreSQL needs psycopg",
            remedy="pip install 'tsingma[postgres]'",
        ) from None
    try:
        connection = psycopg.connect(url, autocommit=True)
    except psycopg.Error as error:
        raise refuse(
            RejectionReason.MISSING,
            f"no connection to the database: {error}",
            file=without_password(url),
            remedy="check --house",
        ) from None
    return connection


def without_password(url: str) -> str:
    """Return the URL for messages, without its password."""
    before, at, after = url.rpartition("@")
    scheme, _, user = before.partition("://")
    return f"{scheme}://{user.partition(':')[0]}@{after}" if at else url


def _prepare(connection: psycopg.Connection, *, read_only: bool, place: str) -> None:
    """Bring the schema forward, a transaction a step, and make every commit wait for the disk."""
    if connection.info.server_version < VERSION_MIN:
        raise refuse(
            RejectionReason.MALFORMED,
            f"PostgreSQL {connection.info.server_version // 10_000}, 15 or later is needed",
            file=place,
        )
    connection.execute("SET synchronous_commit = on")
    version = _version(connection)
    if read_only:
        if version == 0:
            raise refuse(RejectionReason.MISSING, "there is no journal", file=place, remedy="check --house")
        pending("postgres", version, read_only=True, place=place)
        return
    for step in pending("postgres", version, read_only=False, place=place):
        connection.execute("BEGIN")
        try:
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (_MIGRATION_LOCK,))
            if _version(connection) < step.version:
                for statement in step.statements:
                    connection.execute(statement.encode())
                row = (step.version, step.title)
                connection.execute("INSERT INTO schema_version (version, title) VALUES (%s, %s)", row)
            connection.execute("COMMIT")
        except BaseException:
            if not connection.closed:
                connection.execute("ROLLBACK")
            raise


def _version(connection: psycopg.Connection) -> int:
    found = connection.execute("SELECT to_regclass('schema_version') IS NOT NULL").fetchone()
    if found is None or not found[0]:
        return 0
    row = connection.execute("SELECT coalesce(max(version), 0) FROM schema_version").fetchone()
    return 0 if row is None else int(row[0])
