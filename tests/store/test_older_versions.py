"""Journals that older programs wrote: opened, brought forward, replayed and proved by this one.

Goal: an upgrade loses nothing and changes no answer; where rules changed before any release, it says at which record.
Method: houses written by the programs of earlier days (``older/DAY-COMMIT.xz``: small days of four participants,
the first a simulated market day in schema 1), each opened here, on SQLite and by restoring it into PostgreSQL.
A change of the schema must add a house of its version here: ``docs/upgrade.md`` says how.
"""

from __future__ import annotations

import lzma
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tsingma.app.backup import back_up, restore
from tsingma.app.inspect import journal_version, replay_house, verify_house
from tsingma.app.session import JOURNAL_NAME, Session
from tsingma.basics.rejection import InvariantBroken, Rejected
from tsingma.cli.main import main
from tsingma.journal.record import faults
from tsingma.store.migrations import migrations
from tsingma.store.sqlite import SqliteStore

OLDER = Path(__file__).with_name("older")
STATE = "49c09533273bb1fcae78bc9d27f29e323fc4a21f27fb51e971e78f8dc732535e"  # of the same day, whoever wrote it
SIGNED = "2026-11-30-signed"  # a day told over HTTP: who sent each command, with which key and request
SAME = {
    "2026-11-25-c5d806b": STATE, "2026-11-30-4e67edc": STATE, "2026-11-30-8026b3e": STATE,
    "2026-11-30-449290a": STATE, "2026-11-30-094bd49": STATE,
    SIGNED: "58c469a592c5b25f83803a43171008127043ebd2c305b40258b101b055cfe544",
}  # fmt: skip
# Before the first release some rules still changed: the first record that is answered otherwise today.
CHANGED = {"2026-11-24-42f4766": 4, "2026-11-24-1eed891": 40, "2026-11-30-7780aa5": 41}
VERSIONS = {"2026-11-24-42f4766": 1}  # of the schema; all others have the second


def written(name: str, folder: Path) -> Path:
    """Put an older house into a folder, as its program left it, and return the folder."""
    folder.mkdir()
    (folder / JOURNAL_NAME).write_bytes(lzma.decompress((OLDER / f"{name}.xz").read_bytes()))
    return folder


def version_of(house: Path) -> int:
    """Return the schema version of a journal file, read without the program under test."""
    with closing(sqlite3.connect(house / JOURNAL_NAME)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def test_every_older_house_is_in_the_table() -> None:
    """Goal: none is forgotten, and the newest schema has one. Method: files against the tables, versions in them."""
    names = {path.stem for path in OLDER.glob("*.xz")}
    assert names == {*SAME, *CHANGED}
    assert max([2, *VERSIONS.values()]) == len(migrations("sqlite")), (
        "add a house of the new version, see docs/upgrade.md"
    )


@pytest.mark.parametrize("name", sorted(SAME))
def test_an_older_house_is_opened_replayed_and_proved(name: str, tmp_path: Path) -> None:
    """Goal: the same answers and state. Method: prove as it is; open to write, from its own snapshot; prove again."""
    house = written(name, tmp_path / "house")
    assert version_of(house) == VERSIONS.get(name, 2)
    proof = verify_house(house)
    assert (proof.faults, proof.state_hash) == ([], SAME[name])
    with Session.open(house) as session:
        assert session.house.digest().hex() == SAME[name]
        assert session.sequencer.sequence == proof.records
    replayed = replay_house(house)
    assert (replayed["same"], replayed["state_hash"]) == (True, SAME[name])
    assert journal_version(house) == len(migrations("sqlite"))


@pytest.mark.parametrize("name", sorted(CHANGED))
def test_a_house_from_before_a_rule_changed_is_whole_and_says_where(name: str, tmp_path: Path) -> None:
    """Goal: no silent change. Method: the chain is whole; the proof names the one record; nothing is written anew."""
    house = written(name, tmp_path / "house")
    assert version_of(house) == VERSIONS.get(name, 2)
    with closing(SqliteStore(house / JOURNAL_NAME)) as store:  # opening to write brings the schema forward
        assert store.version() == len(migrations("sqlite"))
        assert not list(faults(store.read()))
        before = store.head()
    (fault,) = verify_house(house).faults
    assert fault.startswith(f"record {CHANGED[name]} (")
    assert fault.endswith("replay gives another answer")
    with closing(SqliteStore(house / JOURNAL_NAME, read_only=True)) as store:
        assert store.head() == before
    with pytest.raises(Rejected, match="replay gives another answer"):
        restore(_backup(house, tmp_path), tmp_path / "new")


def test_the_first_schema_is_not_read_before_it_is_brought_forward(tmp_path: Path) -> None:
    """Goal: a reader never changes a house. Method: schema 1 to read: refused with the remedy; to write: stopped."""
    house = written("2026-11-24-42f4766", tmp_path / "house")
    with pytest.raises(Rejected, match="journal version 1, reading needs version 2"):
        verify_house(house)
    with pytest.raises(InvariantBroken, match="record 4"):
        Session.open(house)


def test_a_backup_in_the_first_schema_is_proved_elsewhere(tmp_path: Path) -> None:
    """Goal: an upgrade is tried on a copy. Method: a house taken back to schema 1; restored whole, itself untouched."""
    name = "2026-11-25-c5d806b"
    house = written(name, tmp_path / "house")
    with closing(sqlite3.connect(house / JOURNAL_NAME)) as connection:
        connection.execute("DROP TABLE schema_version")
        connection.execute("PRAGMA user_version = 1")
        connection.commit()
    proof = restore(house / JOURNAL_NAME, tmp_path / "proof")
    assert (proof.state_hash, proof.faults) == (SAME[name], [])
    assert (version_of(house), version_of(tmp_path / "proof")) == (1, len(migrations("sqlite")))


@pytest.mark.parametrize("name", ["2026-11-25-c5d806b", SIGNED])
def test_an_older_house_goes_on_on_a_server(name: str, new_database: Callable[[], str], tmp_path: Path) -> None:
    """Goal: the other store takes it too. Method: backup, restored into PostgreSQL; proved, same head and state."""
    house = written(name, tmp_path / "house")
    proof = restore(_backup(house, tmp_path), url := new_database())
    assert (proof.state_hash, proof.faults) == (SAME[name], [])
    assert journal_version(url) == len(migrations("postgres"))
    assert verify_house(url).head == verify_house(house).head


def test_verify_says_the_version(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: an operator sees what a house is kept in. Method: the command."""
    house = written("2026-11-30-449290a", tmp_path / "house")
    capsys.readouterr()
    assert main(["verify", "--house", str(house)]) == 0
    assert capsys.readouterr().out.split()[:2] == ["version", "2"]


def _backup(house: Path, folder: Path) -> Path:
    back_up(house, folder / "copy.backup")
    return folder / "copy.backup"
