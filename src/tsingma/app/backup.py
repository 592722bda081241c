"""A house in one portable file, and back: online, verified, and across stores.

The file is a journal like that of a house in a folder, whatever store the house is kept in, so that each store's
backup restores into the other with the same head and the same state hash.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import closing
from pathlib import Path

import msgspec

from tsingma.app.session import JOURNAL_NAME, on_a_server
from tsingma.basics.rejection import Rejected, Rejection, RejectionReason, refuse
from tsingma.engine.proof import Proof, prove
from tsingma.engine.sequencer import parts
from tsingma.journal.record import faults
from tsingma.store.postgres import PostgresStore
from tsingma.store.sqlite import SqliteStore, beside, copy_journal

FAULTS_TOLD_MAX = 20


class Backup(msgspec.Struct, frozen=True):
    """What a backup file holds: its last record and that record's hash, whole snapshots, damaged ones left out."""

    file: str
    records: int
    head: str
    snapshots: int
    snapshots_left_out: int
    bytes: int


def back_up(house: Path | str, out: Path) -> Backup:
    """Write the house as it stands into a new file, while its writer runs; readers and writer do not wait.

    The chain of the copy is checked before the file gets its name. Raises Rejected: conflict (``out`` exists), missing
    (no house), malformed (the journal's chain is broken; nothing is left behind).
    """
    if out.exists():
        raise refuse(RejectionReason.CONFLICT, "the file exists", file=str(out), remedy="choose another name")
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as scratch:
        copy = Path(scratch) / JOURNAL_NAME
        left_out = _copy(house, copy)
        with closing(SqliteStore(copy)) as store:
            broken = next(faults(store.read()), None)
            if broken is not None:
                raise refuse(
                    RejectionReason.MALFORMED,
                    f"record {broken.sequence}: {broken.message}",
                    file=str(house),
                    remedy="look at it with tsingma verify; restore an older backup",
                )
            left_out += _leave_out_damaged(store)
            head, snapshots = store.head(), len(store.snapshots())
            store.seal()
        _install(copy, out)
    return Backup(
        str(out),
        0 if head is None else head.sequence,
        "" if head is None else head.hash.hex(),
        snapshots,
        left_out,
        out.stat().st_size,
    )


def restore(file: Path, house: Path | str) -> Proof:
    """Install a backup as a new house, after the whole of it was proved; returns the proof.

    Raises Rejected: missing (no file), malformed (no journal, or a fault is in it), conflict (there is a house
    already); nothing is installed then.
    """
    if not file.is_file():
        raise refuse(RejectionReason.MISSING, "there is no such backup", file=str(file))
    if not on_a_server(house):
        _refuse_existing_folder(Path(house))
        Path(house).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".restore-", dir=None if on_a_server(house) else house) as scratch:
        copy = Path(scratch) / JOURNAL_NAME
        copy_journal(file, copy)
        with closing(SqliteStore(copy)) as store:
            proof = prove(store)
            if proof.faults:
                raise Rejected(*(_fault(file, fault) for fault in proof.faults[:FAULTS_TOLD_MAX]))
            if on_a_server(house):
                _fill(str(house), store)
            store.seal()
        if not on_a_server(house):
            _install(copy, Path(house) / JOURNAL_NAME)
    return proof


def _copy(house: Path | str, copy: Path) -> int:
    """Write records and snapshots of a house into a new journal file; returns how many snapshots were damaged."""
    if not on_a_server(house):
        copy_journal(Path(house) / JOURNAL_NAME, copy)
        return 0
    damaged = 0
    with closing(PostgresStore(str(house), read_only=True)) as source, closing(SqliteStore(copy)) as target:
        snapshots = source.snapshots()  # before the records: none of them stands after the last record read
        for part in parts(source.read()):
            target.append(part)
        for sequence in snapshots:
            try:
                target.put_snapshot(source.snapshot(sequence))
            except Rejected:
                damaged += 1
    return damaged


def _leave_out_damaged(store: SqliteStore) -> int:
    damaged = 0
    for sequence in store.snapshots():
        try:
            store.snapshot(sequence)
        except Rejected:
            store.drop_snapshot(sequence)
            damaged += 1
    return damaged


def _fill(url: str, source: SqliteStore) -> None:
    with closing(PostgresStore(url)) as target:
        if target.length():
            raise refuse(
                RejectionReason.CONFLICT, "there is a house already", file=url, remedy="restore into an empty database"
            )
        target.fill(source.read(), (source.snapshot(sequence) for sequence in source.snapshots()))


def _fault(file: Path, fault: str) -> Rejection:
    return Rejection(
        reason=RejectionReason.MALFORMED,
        message=fault,
        file=str(file),
        remedy="nothing was installed; use another backup",
    )


def _refuse_existing_folder(folder: Path) -> None:
    if (folder / JOURNAL_NAME).exists():
        raise refuse(
            RejectionReason.CONFLICT, "there is a house already", file=str(folder), remedy="choose an empty folder"
        )
    for left in beside(folder / JOURNAL_NAME):
        if left.exists():
            raise refuse(
                RejectionReason.CONFLICT,
                "this is of another house",
                file=str(left),
                remedy="move it away, or choose an empty folder",
            )


def _install(copy: Path, target: Path) -> None:
    """Give a finished file its name: flushed, atomic, and never over another file."""
    with copy.open("rb") as data:
        os.fsync(data.fileno())
    try:
        os.link(copy, target)
    except FileExistsError:
        raise refuse(RejectionReason.CONFLICT, "the file exists", file=str(target)) from None
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
