"""One set of tests for every store.

Goal: memory and SQLite keep the same promises: order, uniqueness, atomic batches, snapshots. Method: the same tests on
both; then what only a file can suffer: two writers, a foreign file, another version, changed bytes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tsingma.basics.rejection import Rejected
from tsingma.journal.record import GENESIS, Record, chain
from tsingma.journal.store import Snapshot, Store
from tsingma.store.memory import MemoryStore
from tsingma.store.sqlite import SqliteStore

MAKERS: dict[str, Callable[[Path], Store]] = {
    "memory": lambda folder: MemoryStore(),
    "sqlite": lambda folder: SqliteStore(folder / "journal.sqlite"),
}


@pytest.fixture(params=sorted(MAKERS))
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store of each kind."""
    opened = MAKERS[request.param](tmp_path)
    yield opened
    opened.close()


def records(count: int, start: int = 1, previous: bytes = GENESIS) -> list[Record]:
    """Return a chain of records."""
    made: list[Record] = []
    for number in range(start, start + count):
        made.append(chain(number, f"command/{number}", b"body", b"answer", previous))
        previous = made[-1].hash
    return made


def test_what_was_appended_is_read_in_order(store: Store) -> None:
    """Goal: reading gives back what was written. Method: two batches, read whole, from the middle and by id."""
    every = records(5)
    assert store.head() is None
    assert list(store.read()) == []
    store.append(every[:1])
    store.append(every[1:])
    assert list(store.read()) == every
    assert list(store.read(3)) == every[3:]
    assert store.head() == every[-1]
    assert store.find("command/2") == every[1]
    assert store.find("command/9") is None


def test_a_batch_is_written_whole_or_not_at_all(store: Store) -> None:
    """Goal: atomic batches. Method: the second record of a batch repeats an id that is there."""
    every = records(2)
    store.append(every)
    fresh = records(1, 3, every[-1].hash)[0]
    again = chain(4, "command/1", b"other", b"answer", fresh.hash)
    with pytest.raises((Rejected, sqlite3.IntegrityError)):
        store.append([fresh, again])
    assert list(store.read()) == every
    store.append([fresh])
    assert store.head() == fresh


def test_snapshots_are_kept_and_replaced(store: Store) -> None:
    """Goal: snapshots by record. Method: put two and one of them again, read, ask for a missing one."""
    for sequence, content in ((4, b"old"), (2, b"two"), (4, b"new")):
        store.put_snapshot(Snapshot(sequence, b"hash", {"part": content}))
    assert store.snapshots() == [2, 4]
    assert store.snapshot(4) == Snapshot(4, b"hash", {"part": b"new"})
    with pytest.raises(Rejected, match="no snapshot at record 3"):
        store.snapshot(3)


def test_file_survives_closing(tmp_path: Path) -> None:
    """Goal: durability past the process. Method: write, close twice, open read only and for writing again."""
    path = tmp_path / "deep" / "journal.sqlite"
    every = records(3)
    first = SqliteStore(path)
    first.append(every)
    first.close()
    first.close()
    reader = SqliteStore(path, read_only=True)
    assert list(reader.read()) == every
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader.append(records(1, 4, every[-1].hash))
    writer = SqliteStore(path)  # a reader does not keep a writer out
    writer.append(records(1, 4, every[-1].hash))
    assert reader.head() == writer.head()
    reader.close()
    writer.close()


def test_second_writer_is_refused(tmp_path: Path) -> None:
    """Goal: one writer. Method: open twice, close the first, open again."""
    first = SqliteStore(tmp_path / "journal.sqlite")
    with pytest.raises(Rejected, match="another process writes this house"):
        SqliteStore(tmp_path / "journal.sqlite")
    first.close()
    SqliteStore(tmp_path / "journal.sqlite").close()


def test_foreign_files_are_refused(tmp_path: Path) -> None:
    """Goal: nothing but a journal is opened. Method: no file, text, another schema, a later version."""
    with pytest.raises(Rejected, match="there is no journal"):
        SqliteStore(tmp_path / "none.sqlite", read_only=True)
    text = tmp_path / "text.sqlite"
    text.write_text("trade_id,trade_date\n" * 100, encoding="utf-8")
    with pytest.raises(Rejected, match="this is no journal"):
        SqliteStore(text)
    for name, script in (("other", "CREATE TABLE t (a)"), ("later", "PRAGMA user_version = 99")):
        connection = sqlite3.connect(tmp_path / f"{name}.sqlite")
        connection.executescript(script)
        connection.close()
        with pytest.raises(Rejected, match="this program knows 1"):
            SqliteStore(tmp_path / f"{name}.sqlite")
    text.unlink()
    SqliteStore(text).close()  # a refused open leaves no lock behind


def test_changed_snapshot_is_found(tmp_path: Path) -> None:
    """Goal: a snapshot is believed only whole. Method: change one byte of it in the file."""
    path = tmp_path / "journal.sqlite"
    store = SqliteStore(path)
    store.put_snapshot(Snapshot(1, b"hash", {"part": b"content"}))
    store.close()
    connection = sqlite3.connect(path)
    connection.execute("UPDATE snapshot SET parts = CAST(replace(parts, 'content', 'c0ntent') AS BLOB)")
    connection.commit()
    connection.close()
    store = SqliteStore(path)
    with pytest.raises(Rejected, match="the snapshot at record 1 was changed"):
        store.snapshot(1)
    store.close()
