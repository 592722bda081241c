"""A changed byte in the files of a house.

Goal: damage is found, or nothing that is read differs: a state hash, a record, an answer by its id. Method: every byte
of a small journal with a snapshot flipped in turn, opened, proved, read whole and written to once more (a part of the
bytes here, every one with ``-m soak``); the same in its write-ahead log; then checks taken away, which must be noticed.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

pytest.importorskip("apsw")

from tsingma.basics.clock import FixedClock
from tsingma.engine import proof, sequencer
from tsingma.engine.batch import step_all
from tsingma.engine.house import House
from tsingma.engine.sequencer import Sequencer
from tsingma.engine.step import step
from tsingma.simulate.auditor import Auditor, Sent, Violation
from tsingma.simulate.disk import Fault, SimulatedDisk
from tsingma.simulate.disk_store import JOURNAL, MARK, DiskConnection, unheard_errors_ignored
from tsingma.simulate.every_write import day_of
from tsingma.simulate.flips import FOUND, FOUND_ON_WRITE, HARMLESS, flip_bytes
from tsingma.simulate.plain_house import PlainHouse
from tsingma.store import sqlite

RECORDS = 12
BITS = tuple(1 << bit for bit in range(8))


def small_house(*, closed: bool, snapshot: bool = True) -> tuple[Auditor, SimulatedDisk, bytes]:
    """Return the witness, the disk and the state hash of a house of twelve records, closed in order or killed."""
    auditor, disk = Auditor(1, PlainHouse()), SimulatedDisk(np.random.default_rng(1), FixedClock())
    connection = DiskConnection(disk, 512)
    house: Sequencer[House] = Sequencer(connection.store(), House, step, step_all)
    for command_id, command in day_of(RECORDS, 1):
        draft = auditor.house.copy()
        sent = [Sent(command_id, command, auditor.foretell(draft, command))]
        auditor.adopt(draft, sent, house.submit([(command_id, command)]))
        if snapshot and len(auditor.acknowledged) == RECORDS - 3:
            house.snapshot()
    state_hash = house.state.digest()
    if not closed:
        disk.stop(Fault.KILL)
    connection.close()
    disk.kill()
    assert set(disk.names) == {JOURNAL, MARK} | (set() if closed else {f"{JOURNAL}-wal"})
    return auditor, disk, state_hash


def outcomes(masks: tuple[int, ...], *, closed: bool = True, stride: int = 1) -> Counter[str]:
    """Flip and count."""
    with unheard_errors_ignored():
        return flip_bytes(*small_house(closed=closed), masks, stride=stride)


@pytest.mark.parametrize(("closed", "stride"), [(True, 127), (False, 251)], ids=["file", "file and log"])
def test_a_part_of_the_bytes(closed: bool, stride: int) -> None:
    """Goal: the claim on every CI run. Method: one byte in 127 or 251, with another bit each time."""
    counts = outcomes(BITS, closed=closed, stride=stride)
    assert set(counts) <= {FOUND, FOUND_ON_WRITE, HARMLESS}
    assert counts[FOUND] > counts[HARMLESS] > 0


@pytest.mark.soak
@pytest.mark.parametrize("masks", [(0xFF,), BITS], ids=["all bits", "one bit"])
@pytest.mark.parametrize("closed", [True, False], ids=["file", "file and log"])
def test_every_byte(masks: tuple[int, ...], closed: bool) -> None:
    """Goal: no byte is left out. Method: all bits of each, one bit of each; a closed journal, a killed one's log."""
    counts = outcomes(masks, closed=closed)
    print(dict(counts))
    assert set(counts) <= {FOUND, FOUND_ON_WRITE, HARMLESS}


def test_a_mark_that_is_not_looked_at_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Goal: the test can fail. Method: nobody compares the journal's end with the mark beside it."""
    monkeypatch.setattr(sqlite, "_compare", lambda *rest: None)
    with pytest.raises(Violation, match=r"a changed bit was believed: house\.sqlite-wal"):
        flip_bytes(*small_house(closed=False, snapshot=False), (1,), stride=499)


@pytest.mark.parametrize("taken", ["chain", "index"])
def test_a_check_taken_away_is_noticed(taken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Goal: the test can fail. Method: no hashes are looked at, or no record is looked up by its id."""
    text = b"F1"  # a name in the first command's body
    if taken == "chain":
        monkeypatch.setattr(sequencer, "is_whole", lambda record: True)
        monkeypatch.setattr(proof, "faults", lambda *rest: iter(()))
    else:
        text = b"1/0003/"  # an id, in its record and in the index of ids
        monkeypatch.setattr(proof._Replay, "follow_chain", lambda self, part: _followed(self, len(part)))
    with pytest.raises(Violation, match="a changed bit was believed"):
        flip_bytes(*small_house(closed=True, snapshot=False), (1,), text=text)


def _followed(replay: proof._Replay, records: int) -> None:
    replay.sequence += records
