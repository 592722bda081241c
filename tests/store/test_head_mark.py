"""The mark of a journal's head.

Goal: a journal that lost its end is refused, whatever took it; one that is ahead of its mark is not; nothing is
answered before its mark is kept. Method: the files of a killed house with bytes flipped or cut in the log; a mark whose
file fails; hypothesis over torn writes against a plain list of marks; files of another time put in place.
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsingma.app.backup import back_up, restore
from tsingma.app.session import JOURNAL_NAME
from tsingma.basics.rejection import Rejected
from tsingma.cli.main import main
from tsingma.journal.record import GENESIS, Record, chain
from tsingma.store.head_mark import SLOT_DISTANCE, HeadMark, Mark, MarkBeside, mark_path
from tsingma.store.sqlite import SqliteStore

RECORDS = 5
LOST = r"record 5 was acknowledged, the journal ends at record \d: \d are lost \(restore the newest backup"


def records(number: int) -> list[Record]:
    """Return a chain of records."""
    made: list[Record] = []
    for sequence in range(1, number + 1):
        made.append(chain(sequence, f"id/{sequence}", b"body", b"answer", made[-1].hash if made else GENESIS))
    return made


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """Return the folder of a house whose process was killed after five commits: its log is still there."""
    store = SqliteStore(tmp_path / "running" / JOURNAL_NAME)
    for record in records(RECORDS):
        store.append([record])
    shutil.copytree(tmp_path / "running", tmp_path / "killed")
    store.close()
    return tmp_path / "killed"


def length(folder: Path, *, read_only: bool = False) -> int:
    """Open, return the number of the last record, close."""
    with closing(SqliteStore(folder / JOURNAL_NAME, read_only=read_only)) as store:
        return store.length()


def contents(folder: Path) -> dict[str, bytes]:
    """Return the files that hold the house."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix not in (".sqlite-shm", ".lock")}


def test_a_byte_of_the_log_changed(killed: Path, tmp_path: Path) -> None:
    """Goal: a log whose end is not read is noticed, and left as it is. Method: bytes all over the log, in turn."""
    log = (killed / f"{JOURNAL_NAME}-wal").read_bytes()
    for offset in range(32, len(log), 2_003):
        folder = tmp_path / str(offset)
        shutil.copytree(killed, folder)
        (folder / f"{JOURNAL_NAME}-wal").write_bytes(log[:offset] + bytes([log[offset] ^ 1]) + log[offset + 1 :])
        before = contents(folder)
        for read_only in (True, False):
            with pytest.raises(Rejected, match=LOST):
                length(folder, read_only=read_only)
        assert contents(folder) == before
        shutil.rmtree(folder)
    assert length(killed) == RECORDS


@pytest.mark.parametrize("keep", [0, 32, 0.5, -1])
def test_a_log_that_is_gone_or_cut(killed: Path, keep: float, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: verify and backup say so as well. Method: the log taken away, cut after its header, in half, by a byte."""
    path = killed / f"{JOURNAL_NAME}-wal"
    log = path.read_bytes()
    path.write_bytes(log[: int(len(log) * keep) if keep == 0.5 else int(keep)])
    with pytest.raises(Rejected, match=LOST):
        back_up(killed, killed.parent / "one.backup")
    assert not (killed.parent / "one.backup").exists()
    assert main(["verify", "--house", str(killed)]) == 2
    assert "record 5 was acknowledged" in capsys.readouterr().err


def test_a_journal_ahead_of_its_mark_is_whole(killed: Path) -> None:
    """Goal: a process that died between commit and mark loses nothing. Method: an older mark, or none, put in place."""
    mark, made = mark_path(killed / JOURNAL_NAME), records(RECORDS)
    whole = mark.read_bytes()
    mark.unlink()  # as a house had it before there were marks
    assert length(killed, read_only=True) == RECORDS
    assert not mark.exists()
    assert length(killed) == RECORDS
    assert HeadMark(MarkBeside(killed / JOURNAL_NAME), mark).last == Mark(RECORDS, made[-1].hash)
    mark.unlink()
    HeadMark(MarkBeside(killed / JOURNAL_NAME), mark).keep(Mark(3, made[2].hash))
    assert length(killed) == RECORDS  # and what was there without a mark counts as acknowledged from now on
    assert HeadMark(MarkBeside(killed / JOURNAL_NAME), mark).last == Mark(RECORDS, made[-1].hash)
    mark.write_bytes(bytes(len(whole)))  # the machine stopped while the file was made
    assert length(killed) == RECORDS


def test_another_journal_is_refused(killed: Path) -> None:
    """Goal: an older or another file put in place is noticed. Method: another chain of the same length and longer."""
    (killed / f"{JOURNAL_NAME}-wal").unlink()
    (killed / JOURNAL_NAME).unlink()
    (killed / JOURNAL_NAME).touch()
    other = killed.parent / "other"
    store = SqliteStore(other / JOURNAL_NAME)
    store.append(records(1))
    store.append([chain(2, "another", b"body", b"answer", records(1)[0].hash)])
    store.close()
    shutil.copy(other / JOURNAL_NAME, killed / JOURNAL_NAME)
    with pytest.raises(Rejected, match="record 5 was acknowledged, the journal ends at record 2: 3 are lost"):
        length(killed)
    mark = mark_path(killed / JOURNAL_NAME)
    mark.unlink()
    HeadMark(MarkBeside(killed / JOURNAL_NAME), mark).keep(Mark(2, records(2)[1].hash))
    with pytest.raises(Rejected, match="record 2 is not the one that was acknowledged"):
        length(killed)


def test_both_copies_changed(killed: Path) -> None:
    """Goal: a damaged mark is no missing one. Method: a byte of each copy; of one, the other is read."""
    mark = mark_path(killed / JOURNAL_NAME)
    data = bytearray(mark.read_bytes())
    data[20] ^= 1
    mark.write_bytes(data)
    assert HeadMark(MarkBeside(killed / JOURNAL_NAME), mark).last in [Mark(n, records(n)[-1].hash) for n in (4, 5)]
    data[SLOT_DISTANCE + 20] ^= 1
    mark.write_bytes(data)
    with pytest.raises(Rejected, match="both copies of the journal's head were changed"):
        length(killed)


def test_nothing_is_answered_before_its_mark_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Goal: commit, mark, answer. Method: a mark that cannot be written; the commit is there when opened again."""
    path, made = tmp_path / JOURNAL_NAME, records(2)
    store = SqliteStore(path)
    store.append(made[:1])

    def full(self: MarkBeside, data: bytes, offset: int) -> None:
        with closing(sqlite3.connect(path)) as reader:
            assert reader.execute("SELECT max(sequence) FROM journal").fetchone() == (2,)  # committed before
        raise OSError("no space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(MarkBeside, "write", full)
        with pytest.raises(Rejected, match="no space left"):
            store.append(made[1:])
        store.close()
    assert HeadMark(MarkBeside(path), mark_path(path)).last == Mark(1, made[0].hash)
    assert length(tmp_path) == 2


class TornFile:
    """A file in memory whose last write reaches the disk in part: each sector of 512 bytes or not."""

    def __init__(self) -> None:
        """Start without a file."""
        self.data = bytearray()
        self.kept: tuple[bool, ...] | None = None

    def read(self) -> bytes:
        """Return what is there."""
        return bytes(self.data)

    def write(self, data: bytes, offset: int) -> None:
        """Write the sectors that are kept."""
        for start in range(0, len(data), 512):
            if self.kept is None or self.kept[start // 512 % len(self.kept)]:
                part = data[start : start + 512]
                self.data.extend(bytes(max(0, offset + start + len(part) - len(self.data))))
                self.data[offset + start : offset + start + len(part)] = part

    def close(self) -> None:
        """Do nothing."""


@given(st.lists(st.integers(1, 3), max_size=8), st.lists(st.booleans(), min_size=1, max_size=9), st.booleans())
def test_a_torn_write_leaves_the_mark_before_it(steps: list[int], kept: list[bool], reopened: bool) -> None:
    """Goal: there is always a mark, the last or the one before. Method: marks in turn, the last write torn."""
    file, sequence, told = TornFile(), 0, [None]
    mark = HeadMark(file, Path("mark"))
    for place, step in enumerate(steps):
        sequence += step
        if place == len(steps) - 1:
            file.kept = tuple(kept)
        told.append(Mark(sequence, sequence.to_bytes(32, "little")))  # type: ignore[arg-type]
        if reopened:
            mark = HeadMark(file, Path("mark"))
        mark.keep(told[-1])  # type: ignore[arg-type]
    assert HeadMark(file, Path("mark")).last in told[-2:]


def test_restoring_beside_what_is_left_of_a_house_is_refused(killed: Path, tmp_path: Path) -> None:
    """Goal: a log or mark of another house is not taken for that of a restored one. Method: leave one there."""
    store = SqliteStore(tmp_path / "empty" / JOURNAL_NAME)
    store.close()
    back_up(tmp_path / "empty", tmp_path / "one.backup")
    (killed / JOURNAL_NAME).unlink()
    for left in (f"{JOURNAL_NAME}-wal", f"{JOURNAL_NAME}.head"):
        with pytest.raises(Rejected, match=rf"{left}: this is of another house \(move it away, or choose an empty"):
            restore(tmp_path / "one.backup", killed)
        (killed / left).unlink()
    assert restore(tmp_path / "one.backup", killed).records == 0
