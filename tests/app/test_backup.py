"""Backup and restore, within and across stores.

Goal: a backup is the house at one moment, whatever its writer does; restored anywhere it has the same head and the same
state; a damaged one is never installed. Method: a house on each store restored into each store; a copy taken while
a thread appends; spoilt files; targets that exist.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path

import psycopg
import pytest

from tsingma.app.backup import Backup, back_up, restore
from tsingma.app.inspect import house_status, verify_house
from tsingma.app.session import JOURNAL_NAME, Session, open_store
from tsingma.basics.columns import pack
from tsingma.basics.dates import to_day
from tsingma.basics.rejection import Rejected
from tsingma.cli.main import main
from tsingma.journal.commands import LoadReference, OpenDay, PostTransfers
from tsingma.simulate.market import simulate_market
from tsingma.store.migrations import migrations

Place = Callable[[], Path | str]


@pytest.fixture
def places(tmp_path: Path, request: pytest.FixtureRequest) -> Callable[[str], Path | str]:
    """Where a new house of a kind goes: a folder, or the URL of an empty database."""
    made: list[Path] = []

    def place(kind: str) -> Path | str:
        if kind == "postgres":
            return str(request.getfixturevalue("new_database")())
        made.append(tmp_path / f"house-{len(made)}")
        return made[-1]

    return place


def fill(house: Path | str) -> None:
    """Make a house with a book, deposits, a snapshot, an open day and a few transfers."""
    market = simulate_market(5, date(2026, 1, 5), 1, 100)
    with Session.open(house) as session:
        session.once("reference", lambda: LoadReference(market.book))
        session.once("deposits", market.deposits)
        session.sequencer.snapshot()
        session.once("open", lambda: OpenDay(to_day(date(2026, 1, 5))))
        for number in range(20):
            session.once(f"transfer/{number}", lambda number=number: transfer(number))  # type: ignore[misc]


def transfer(number: int) -> PostTransfers:
    """Return one transfer; booked or not, it is answered."""
    columns = ((3, "i4"), (4 + number % 5, "i4"), (0, "i4"), (1, "i8"), (0, "i1"))
    return PostTransfers(*(pack([value], kind) for value, kind in columns))


@pytest.mark.parametrize("target", ["sqlite", "postgres"])
@pytest.mark.parametrize("source", ["sqlite", "postgres"])
def test_house_is_the_same_after_restoring_anywhere(
    source: str, target: str, places: Callable[[str], Path | str], tmp_path: Path
) -> None:
    """Goal: stores cross. Method: back up, restore, compare head, state and every record; then go on writing."""
    house, other = places(source), places(target)
    fill(house)
    made = back_up(house, tmp_path / "out" / "house.backup")
    proof = restore(tmp_path / "out" / "house.backup", other)
    before, after = house_status(house), house_status(other)
    assert before == after
    assert (made.records, made.head, made.snapshots, made.snapshots_left_out) == (23, before["journal_hash"], 1, 0)
    assert (proof.records, proof.head, proof.state_hash) == (23, before["journal_hash"], before["state_hash"])
    with closing(open_store(house, read_only=True)) as one, closing(open_store(other, read_only=True)) as two:
        assert list(one.read()) == list(two.read())
    with Session.open(other) as session:
        session.once("more", lambda: transfer(1))
    assert verify_house(other).faults == []
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["house.backup"]


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_backup_while_the_writer_runs(kind: str, places: Callable[[str], Path | str], tmp_path: Path) -> None:
    """Goal: online and consistent. Method: a thread appends all the time; each backup is a whole prefix that proves."""
    house, stop, wrote = places(kind), threading.Event(), threading.Event()
    fill(house)

    def write() -> None:
        with Session.open(house) as session:
            number = 0
            while not stop.is_set():
                session.sequencer.submit([(f"live/{number}/{item}", transfer(item)) for item in range(50)])
                number += 1
                wrote.set()

    def next_backup(number: int) -> Backup:
        wrote.clear()
        assert wrote.wait(60)  # something was appended since the backup before
        return back_up(house, tmp_path / f"{number}.backup")

    writer = threading.Thread(target=write)
    writer.start()
    made = [next_backup(number) for number in range(4)]
    stop.set()
    writer.join()
    assert made[0].records < made[-1].records
    for backup in made[::3]:
        proof = restore(Path(backup.file), places("sqlite"))
        assert (proof.records, proof.head, proof.faults) == (backup.records, backup.head, [])
    with closing(open_store(house, read_only=True)) as store:
        hashes = {record.sequence: record.hash.hex() for record in store.read()}
    assert [hashes[backup.records] for backup in made] == [backup.head for backup in made]


def test_nothing_is_overwritten(places: Callable[[str], Path | str], tmp_path: Path) -> None:
    """Goal: no backup and no house is lost to another. Method: existing targets of every kind."""
    house, server = places("sqlite"), places("postgres")
    fill(house)
    file = tmp_path / "house.backup"
    back_up(house, file)
    before = file.read_bytes()
    with pytest.raises(Rejected, match="the file exists"):
        back_up(house, file)
    restore(file, server)
    for target in (house, server):
        with pytest.raises(Rejected, match="there is a house already"):
            restore(file, target)
    assert file.read_bytes() == before
    with pytest.raises(Rejected, match="there is no such backup"):
        restore(tmp_path / "none.backup", places("sqlite"))
    with pytest.raises(Rejected, match="there is no journal"):
        back_up(tmp_path / "nowhere", tmp_path / "other.backup")
    assert not (tmp_path / "other.backup").exists()


SPOILS = (
    "UPDATE journal SET body = CAST(body || x'00' AS BLOB) WHERE sequence = 9",
    "UPDATE journal SET answer = (SELECT answer FROM journal WHERE sequence = 1) WHERE sequence = 9",
    "DELETE FROM journal WHERE sequence = 9",
    "UPDATE snapshot SET state_hash = x'00'",
    "UPDATE snapshot SET parts = x'00'",
    "UPDATE snapshot SET sequence = 4",
    "UPDATE snapshot SET sequence = 99",
)


@pytest.mark.parametrize("spoil", SPOILS)
def test_damaged_backup_is_not_installed(
    spoil: str, places: Callable[[str], Path | str], tmp_path: Path, new_database: Callable[[], str]
) -> None:
    """Goal: what is installed was proved. Method: change the file; neither a folder nor a database gets anything."""
    house, file, url = places("sqlite"), tmp_path / "house.backup", new_database()
    fill(house)
    back_up(house, file)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(spoil)
        connection.commit()
    for target in (tmp_path / "restored", url):
        with pytest.raises(Rejected, match=r"(record|snapshot) \d+.*nothing was installed"):
            restore(file, target)
    assert list((tmp_path / "restored").iterdir()) == []
    with psycopg.connect(url) as empty:
        assert empty.execute("SELECT to_regclass('journal')").fetchone() == (None,)
    assert main(["restore", "--file", str(file), "--house", str(tmp_path / "again")]) == 2


def test_broken_journal_is_not_backed_up_and_a_damaged_snapshot_is_left_out(
    places: Callable[[str], Path | str], tmp_path: Path
) -> None:
    """Goal: a backup can be relied on. Method: spoil a snapshot, then a record, of a house."""
    house = Path(places("sqlite"))
    fill(house)
    with closing(sqlite3.connect(house / JOURNAL_NAME)) as connection:
        connection.execute(SPOILS[4])
        connection.commit()
        made = back_up(house, tmp_path / "one.backup")
        assert (made.snapshots, made.snapshots_left_out) == (0, 1)
        assert restore(tmp_path / "one.backup", places("sqlite")).records == made.records
        connection.execute(SPOILS[0])
        connection.commit()
    with pytest.raises(Rejected, match="record 9: the content does not match its hash"):
        back_up(house, tmp_path / "two.backup")
    assert not (tmp_path / "two.backup").exists()


def test_files_that_are_no_backup(tmp_path: Path) -> None:
    """Goal: a clear refusal. Method: text, and a database of something else."""
    (tmp_path / "text").write_text("trade_id,trade_date\n" * 1_000, encoding="ascii")
    with closing(sqlite3.connect(tmp_path / "other")) as connection:
        connection.execute("CREATE TABLE t (a)")
    for name in ("text", "other"):
        with pytest.raises(Rejected, match="this is no journal"):
            restore(tmp_path / name, tmp_path / "house")


def test_backup_of_the_first_release_is_restored(places: Callable[[str], Path | str], tmp_path: Path) -> None:
    """Goal: old backups stay good. Method: a file of schema version 1 with the records of a house."""
    house, file = places("sqlite"), tmp_path / "old.backup"
    fill(house)
    with closing(open_store(house, read_only=True)) as store, closing(sqlite3.connect(file)) as connection:
        for statement in migrations("sqlite")[0].statements:
            connection.execute(statement)
        for record in store.read():
            row = (record.sequence, record.command_id, record.body, record.answer, record.previous, record.hash)
            connection.execute("INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?)", row)
        connection.execute("PRAGMA user_version = 1")
        connection.commit()
    other = places("sqlite")
    assert restore(file, other).state_hash == house_status(other)["state_hash"] == house_status(house)["state_hash"]


def test_the_commands(places: Callable[[str], Path | str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: what people type. Method: verify, backup, restore and verify again, on a folder and a database."""
    house, url, file = places("sqlite"), places("postgres"), tmp_path / "house.backup"
    fill(house)
    assert main(["verify", "--house", str(house)]) == 0
    assert main(["backup", "--house", str(house), "--out", str(file)]) == 0
    assert main(["restore", "--file", str(file), "--house", str(url)]) == 0
    assert main(["verify", "--house", str(url), "--json"]) == 0
    assert main(["day", "status", "--house", str(url)]) == 0
    told = capsys.readouterr().out
    assert told.count(verify_house(house).state_hash) == 4
    assert main(["verify", "--house", str(file)]) == 2
    assert "a house is a folder or a postgresql:// URL" in capsys.readouterr().err
    with psycopg.connect(str(url), autocommit=True) as connection:
        connection.execute("UPDATE journal SET answer = answer || '\\x00' WHERE sequence = 7")
    assert main(["verify", "--house", str(url)]) == 1
    assert "record 7: the content does not match its hash" in capsys.readouterr().out
