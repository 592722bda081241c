"""One changed bit in the files of a house: it is found, or the house reads exactly what it wrote.

Outcomes that are allowed: ``found``, an error when the house is opened or a fault that its proof names.
``found-on-write``: everything reads as it was, and the next append fails or its proof names a fault (counters and free
lists of the file format). ``harmless``: state hash, every record, every answer by id and every snapshot there is are
what they were, and so they are after one more append (unused space, and the older of the two marks of the head).
Anything else is a violation, a shorter journal too: SQLite ends its log at the first frame whose checksum fails, and
the mark of the head tells that from a power loss before the last synchronisation.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from tsingma.basics.rejection import InvariantBroken, Rejected
from tsingma.engine.batch import step_all
from tsingma.engine.house import House
from tsingma.engine.proof import prove
from tsingma.engine.sequencer import Sequencer
from tsingma.engine.step import step
from tsingma.journal.record import GENESIS, Record, chain, faults
from tsingma.journal.store import Store
from tsingma.simulate.auditor import Auditor, Violation
from tsingma.simulate.disk import Fault, SimulatedDisk
from tsingma.simulate.disk_store import DiskConnection

FOUND, FOUND_ON_WRITE, HARMLESS = "found", "found-on-write", "harmless"


def flip_one(disk: SimulatedDisk, auditor: Auditor[Any], state_hash: bytes, chance: np.random.Generator) -> str:
    """Flip one bit of a random byte, see what the house makes of it, and put the files back; returns the outcome."""
    image = disk.image()
    names = [name for name, data in image.items() if data]
    name = names[int(chance.integers(len(names)))]
    offset, mask = int(chance.integers(len(image[name]))), 1 << int(chance.integers(8))
    disk.flip(name, offset, mask)
    try:
        return judge(disk, auditor, state_hash, f"{name}, byte {offset}, mask {mask}")
    finally:
        disk.restore(image)


def judge(disk: SimulatedDisk, auditor: Auditor[Any], state_hash: bytes, place: str) -> str:
    """Return what became of a changed byte at ``place``; raises Violation when it was believed.

    ``state_hash`` is what the house had before; the files are changed by opening them, so put them back after.
    """
    try:
        connection = DiskConnection(disk)
    except DiskConnection.errors():
        return FOUND
    try:
        read = _read_everything(connection.store())
        outcome = _outcome(read, auditor, state_hash)
        if outcome == HARMLESS:
            outcome = _after_one_more(connection.store(), read.records)
    except _DAMAGE:
        outcome = FOUND
    except DiskConnection.errors():
        outcome = FOUND
    finally:
        disk.stop(Fault.KILL, marked=False)
        connection.close()
        disk.kill()
    if not outcome:
        raise Violation(f"a changed bit was believed: {place}")
    return outcome


_DAMAGE = (Rejected, InvariantBroken, msgspec.DecodeError, UnicodeDecodeError)


@dataclass(frozen=True, slots=True)
class _Read:
    """All that a store gave: what its proof found wrong, its records, its state, and whether every id leads back."""

    faults: list[str]
    records: list[Record]
    state: bytes = b""
    same: bool = False


def _read_everything(store: Store) -> _Read:
    """Prove, recover, and read every record and every answer by id."""
    proof = prove(store)  # replays from zero, compares every snapshot and finds every record by its id
    if proof.faults:
        return _Read(proof.faults, [])
    house = Sequencer(store, House, step, step_all)
    state, records = house.state.digest(), list(store.read())
    same = all(store.find(record.command_id) == record for record in records)
    return _Read([], records, state, same and proof.state_hash == state.hex())


def _outcome(read: _Read, auditor: Auditor[Any], state_hash: bytes) -> str:
    """Return the outcome of a reading, or nothing when the house believed something else than it wrote."""
    if read.faults:
        return FOUND
    whole = len(read.records) == len(auditor.acknowledged) and auditor.is_prefix(read.records)
    return HARMLESS if whole and read.same and read.state == state_hash else ""


def _after_one_more(store: Store, records: list[Record]) -> str:
    """Append a record and read all again: what looked harmless may have been a counter or a free list."""
    last = records[-1] if records else None
    more = chain(len(records) + 1, "one more", b"", b"", last.hash if last else GENESIS)
    try:
        store.append([more])
        found = list(store.read())
        broken = any(True for _ in faults(found)) or any(store.find(one.command_id) != one for one in found)
    except _DAMAGE:
        return FOUND_ON_WRITE
    except DiskConnection.errors():
        return FOUND_ON_WRITE
    if broken:
        return FOUND_ON_WRITE
    return HARMLESS if found == [*records, more] else ""


def flip_bytes(
    auditor: Auditor[Any],
    disk: SimulatedDisk,
    state_hash: bytes,
    masks: Sequence[int],
    *,
    stride: int = 1,
    text: bytes = b"",
) -> Counter[str]:
    """Flip a mask's bits in every byte (or every ``stride``-th) of every file of a stopped house; counts the outcomes.

    ``masks`` are taken in turn. With ``text``, only the first byte of each place where it stands is flipped. Raises
    Violation naming the byte.
    """
    image, outcomes = disk.image(), Counter[str]()
    for name, data in image.items():
        for offset in range(0, len(data), stride):
            if not data.startswith(text, offset):
                continue
            mask = masks[offset // stride % len(masks)]
            disk.flip(name, offset, mask)
            place = f"{name}, byte {offset}, mask {mask}"
            outcomes[judge(disk, auditor, state_hash, place)] += 1
            disk.restore(image)
    return outcomes
