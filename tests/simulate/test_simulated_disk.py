"""The disk that fails.

Goal: what was synchronised survives, nothing else is promised, and the same seed loses the same sectors. Method: small
files by hand; then the production store on the disk through SQLite.
"""

from __future__ import annotations

import numpy as np
import pytest

from tsingma.basics.clock import FixedClock
from tsingma.journal.record import GENESIS, Record, chain
from tsingma.simulate.disk import SECTOR, DiskError, Fault, SimulatedDisk, Survival

pytest.importorskip("apsw")

from tsingma.simulate.disk_store import JOURNAL, DiskConnection


def disk(seed: int = 1) -> SimulatedDisk:
    """Return an empty disk."""
    return SimulatedDisk(np.random.default_rng(seed), FixedClock())


def records(count: int) -> list[Record]:
    """Return a chain of records."""
    made: list[Record] = []
    for number in range(1, count + 1):
        made.append(chain(number, f"command/{number}", b"body", b"answer", made[-1].hash if made else GENESIS))
    return made


@pytest.mark.parametrize("survival", list(Survival))
def test_what_was_synchronised_survives(survival: Survival) -> None:
    """Goal: durability is what a synchronisation gives. Method: write, synchronise, overwrite, lose power."""
    made = disk()
    made.create("a")
    made.write("a", b"x" * 3 * SECTOR, 0)
    made.sync("a")
    made.write("a", b"y" * 3 * SECTOR, 100)
    made.power_loss(survival)
    content = made.read("a", 10_000, 0)
    assert content[:100] == b"x" * 100
    changed = {content[start : start + 1] for start in (100, SECTOR, 2 * SECTOR, 3 * SECTOR)}
    wanted = {Survival.NOTHING: [{b"x", b""}], Survival.EVERYTHING: [{b"y"}]}
    assert changed in wanted.get(survival, [changed])


def test_any_sector_may_be_torn_away() -> None:
    """Goal: torn, dropped and reordered writes occur. Method: two writes over the same file, many seeds."""
    seen = set()
    for seed in range(200):
        made = disk(seed)
        made.create("a")
        made.write("a", bytes(4 * SECTOR), 0)
        made.sync("a")
        made.write("a", b"1" * 2 * SECTOR, 0)
        made.write("a", b"2" * 2 * SECTOR, 2 * SECTOR)
        made.power_loss(Survival.ANY)
        seen.add(made.read("a", 4 * SECTOR, 0)[::SECTOR])
    assert len(seen) == 16  # every combination of four sectors: the second write without the first is among them


def test_same_seed_loses_the_same() -> None:
    """Goal: a run can be repeated. Method: the same writes on two disks of one seed."""
    images = []
    for _ in range(2):
        made = disk(7)
        made.create("a")
        for place in range(20):
            made.write("a", bytes([place]) * 700, place * 600)
        made.sync("a")
        made.write("a", b"z" * 9_000, 0)
        made.power_loss(Survival.ANY)
        images.append(made.image())
    assert images[0] == images[1]


def test_faults_strike_when_planned() -> None:
    """Goal: each fault at its operation. Method: plan, count, and see that the disk goes on or not."""
    made = disk()
    made.create("a")
    made.plan(Fault.FAILED_WRITE, 1)
    made.write("a", b"1", 0)
    with pytest.raises(DiskError, match="failed-write"):
        made.write("a", b"2", 1)
    made.plan(Fault.FULL, 0)
    for _ in range(2):
        with pytest.raises(DiskError, match="disk-full"):
            made.write("a", b"2", 1)
    made.heal()
    made.write("a", b"2", 1)
    made.plan(Fault.KILL, 0)
    for act in (lambda: made.sync("a"), lambda: made.write("a", b"3", 2), lambda: made.truncate("a", 0)):
        with pytest.raises(DiskError, match="kill"):
            act()
    made.kill()
    assert made.read("a", 9, 0) == b"12"
    made.power_loss(Survival.NOTHING)
    assert not made.exists("a")  # never synchronised, nor was its name


def test_a_slow_disk_takes_its_time() -> None:
    """Goal: slowness is simulated, not waited for. Method: read the injected clock around a synchronisation."""
    clock = FixedClock()
    made = SimulatedDisk(np.random.default_rng(1), clock)
    made.create("a")
    made.sync("a")
    assert clock.now_ns() == 200_000


def test_deletion_may_be_undone_until_the_folder_is_synchronised() -> None:
    """Goal: names are not durable by themselves. Method: lose power after a deletion, or after a new file."""
    found = set()
    for seed in range(20):
        made = disk(seed)
        made.create("a")
        made.sync("a")
        made.delete("a", durably=False)
        if seed % 2:
            made.create("b")
            made.sync("b")
        made.power_loss(Survival.NOTHING)
        found.add((seed % 2, made.exists("a")))
    assert found == {(0, True), (0, False), (1, False)}


@pytest.mark.parametrize("page_size", [512, 4_096])
def test_appended_records_survive_a_power_loss(page_size: int) -> None:
    """Goal: the store's promise. Method: append, lose power at once with nothing but what was synchronised."""
    made, every = disk(), records(30)
    connection = DiskConnection(made, page_size)
    store = connection.store()
    for record in every:
        store.append([record])
    made.stop(Fault.POWER_LOSS)
    connection.close()
    made.power_loss(Survival.NOTHING)
    again = DiskConnection(made).store()
    assert list(again.read()) == every


def test_what_a_new_process_reads_is_durable() -> None:
    """Goal: nobody is answered from a cache that a power loss may still take.

    Method: kill the process between writing a commit and synchronising it; the next process finds the commit in the
    cache of the operating system and may answer from it; then lose power.
    """
    made, every = disk(), records(2)
    connection = DiskConnection(made)
    store = connection.store()
    store.append(every[:1])
    for distance in range(20):  # until the frames are written and the synchronisation is not reached
        made.plan(Fault.KILL, distance)
        with pytest.raises(DiskConnection.errors()):
            store.append(every[1:])
        connection.close()
        made.kill()
        connection = DiskConnection(made)
        store = connection.store()
        if len(list(store.read())) == len(every):
            break
    assert list(store.read()) == every
    made.stop(Fault.POWER_LOSS)
    connection.close()
    made.power_loss(Survival.NOTHING)
    assert list(DiskConnection(made).store().read()) == every


def test_full_disk_leaves_the_journal_as_it_was() -> None:
    """Goal: a failed append changes nothing. Method: no space at each write of an append in turn."""
    made, every = disk(), records(3)
    store = DiskConnection(made, 512).store()
    store.append(every[:1])
    refused = 0
    for distance in range(4):
        made.plan(Fault.FULL, distance)
        with pytest.raises(DiskConnection.errors(), match="disk-full"):
            store.append(every[1:])
        refused += 1
        made.heal()
        assert list(store.read()) == every[:1]
    store.append(every[1:])
    assert (refused, list(store.read())) == (4, every)
    assert JOURNAL in made.names
