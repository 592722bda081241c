"""One changed bit in the files of a house: it is found, or the house reads exactly what it wrote.

Three outcomes are allowed. ``found``: an error when the house is opened, or a fault that its proof names.
``harmless``: state hash, every record, every answer by id and every snapshot are what they were (unused space,
counters, caches of the file format). ``tail-cut``, in the write-ahead log only: SQLite ends its log at the first frame
whose checksum fails, so that the journal is a shorter, whole chain; the house alone cannot tell that from a power loss
before the last synchronisation, whoever kept acknowledgements can. Anything else is a violation.
"""

from __future__ import annotations

import msgspec
import numpy as np

from tsingma.basics.rejection import InvariantBroken, Rejected
from tsingma.engine.batch import step_all
from tsingma.engine.house import House
from tsingma.engine.proof import prove
from tsingma.engine.sequencer import Sequencer
from tsingma.engine.step import step
from tsingma.journal.record import Record
from tsingma.journal.store import Store
from tsingma.simulate.auditor import Auditor, Violation
from tsingma.simulate.disk import Fault, SimulatedDisk
from tsingma.simulate.disk_store import DiskConnection

FOUND, HARMLESS, TAIL_CUT = "found", "harmless", "tail-cut"


def flip_one(disk: SimulatedDisk, auditor: Auditor, state_hash: bytes, chance: np.random.Generator) -> str:
    """Flip one bit of a random byte, see what the house makes of it, and put the files back; returns the outcome."""
    image = disk.image()
    names = [name for name, data in image.items() if data]
    name = names[int(chance.integers(len(names)))]
    offset, mask = int(chance.integers(len(image[name]))), 1 << int(chance.integers(8))
    disk.flip(name, offset, mask)
    try:
        return judge(disk, auditor, state_hash, f"{name}, byte {offset}, mask {mask}", is_log=name.endswith("-wal"))
    finally:
        disk.restore(image)


def judge(disk: SimulatedDisk, auditor: Auditor, state_hash: bytes, place: str, *, is_log: bool) -> str:
    """Return what became of a changed byte at ``place``; raises Violation when it was believed.

    ``state_hash`` is what the house had before; the files are changed by opening them, so put them back after.
    """
    connection = None
    try:
        connection = DiskConnection(disk)
        records, state, reread = _read_everything(connection.store())
    except (DiskConnection.errors(), Rejected, InvariantBroken, msgspec.DecodeError, UnicodeDecodeError):
        return FOUND
    finally:
        if connection is not None:
            disk.stop(Fault.KILL, marked=False)
            connection.close()
            disk.kill()
    if records is None:
        return FOUND
    whole = len(records) == len(auditor.acknowledged)
    if whole and reread and state == state_hash and auditor.is_prefix(records):
        return HARMLESS
    if is_log and not whole and reread and auditor.is_prefix(records):
        return TAIL_CUT
    raise Violation(f"a changed bit was believed: {place}; {len(records)} records read")


def _read_everything(store: Store) -> tuple[list[Record] | None, bytes, bool]:
    """Verify, recover, and read every record, answer and snapshot; records are None when a fault was found."""
    proof = prove(store)  # replays from zero, compares every snapshot and finds every record by its id
    if proof.faults:
        return None, b"", False
    house = Sequencer(store, House, step, step_all)
    state = house.state.digest()
    records = list(store.read())
    same = all(store.find(record.command_id) == record for record in records)
    return records, state, same and proof.state_hash == state.hex()
