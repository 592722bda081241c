"""The mark beside a journal file: number and hash of the record that was acknowledged last.

A write-ahead log ends at the first frame whose checksum fails. A byte changed there leaves a shorter journal that is
whole in itself, as a power loss before the last flush does, and the file alone cannot tell the two apart. So after
every commit, and before it is answered, the journal's head is flushed into a file of its own. The journal may be ahead
of the mark (the process stopped between the two: nobody was answered), never behind it.

The file has two slots, each with a checksum, far enough apart to share no sector; they are written in turn, so that a
torn write leaves the mark before it.
"""

from __future__ import annotations

import hashlib
import os
import struct
from pathlib import Path
from typing import NamedTuple, Protocol

from tsingma.basics.rejection import Rejected, RejectionReason, refuse

SLOT_DISTANCE = 4_096  # bytes: the sector of a disk, and the page of a cache, at most
_SLOT = struct.Struct("<8sq32s")
_MAGIC = b"tsingma\x01"
_SLOT_BYTES = _SLOT.size + hashlib.sha256().digest_size
_SYNC = getattr(os, "fdatasync", os.fsync)  # the file keeps its size, so that its data is all there is to flush


class Mark(NamedTuple):
    """Number and hash of a record; 0 and the hash before the first record when there is none."""

    sequence: int
    hash: bytes


class MarkFile(Protocol):
    """Where a mark is kept."""

    def read(self) -> bytes:
        """Return all there is: nothing when there is no file."""
        ...

    def write(self, data: bytes, offset: int) -> None:
        """Write, making the file when there is none; on return the bytes survive a power loss."""
        ...

    def close(self) -> None:
        """Let go of the file; closing twice is harmless."""
        ...


class HeadMark:
    """The mark of one journal."""

    def __init__(self, file: MarkFile, place: Path) -> None:
        """Read the mark; raises Rejected (malformed) when both slots were changed. ``place`` names the file."""
        self._file = file
        data = file.read()
        slots = [_decode(data[start : start + _SLOT_BYTES]) for start in (0, SLOT_DISTANCE)]
        marks = [mark for mark in slots if mark is not None]
        if any(data) and not marks:  # zeros only: the machine stopped while the file was made
            raise refuse(
                RejectionReason.MALFORMED,
                "both copies of the journal's head were changed",
                file=str(place),
                remedy="restore a backup; or remove this file, when the journal is known to be complete",
            )
        self._last = max(marks, default=None, key=lambda mark: mark.sequence)
        self._slot = slots.index(self._last)

    @property
    def last(self) -> Mark | None:
        """The mark that was kept last; None for a house that has none yet."""
        return self._last

    def keep(self, mark: Mark) -> None:
        """Keep a mark durably, over the older of the two."""
        data = _encode(mark)
        if self._last is None:
            self._file.write(data.ljust(SLOT_DISTANCE, b"\0") + data, 0)
        else:
            self._file.write(data, (1 - self._slot) * SLOT_DISTANCE)
            self._slot = 1 - self._slot
        self._last = mark

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


class MarkBeside:
    """The file of a mark beside a journal file."""

    def __init__(self, journal: Path) -> None:
        """Name it; nothing is opened before it is written."""
        self.path = mark_path(journal)
        self._descriptor: int | None = None

    def read(self) -> bytes:
        """Return all there is: nothing when there is no file."""
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return b""

    def write(self, data: bytes, offset: int) -> None:
        """Write and flush; a new file is flushed with its folder."""
        if self._descriptor is None:
            self._descriptor = self._open()
        if os.pwrite(self._descriptor, data, offset) != len(data):
            raise OSError(f"{self.path}: the head of the journal was written in part")
        _SYNC(self._descriptor)

    def close(self) -> None:
        """Let go of the file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _open(self) -> int:
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return descriptor


def mark_path(journal: Path) -> Path:
    """Return the path of the mark of a journal file."""
    return journal.with_name(journal.name + ".head")


def lost_records(mark: Mark, end: int, place: Path) -> Rejected:
    """Return the refusal of a journal that ends before what was acknowledged."""
    return refuse(
        RejectionReason.MALFORMED,
        f"record {mark.sequence} was acknowledged, the journal ends at record {end}: {mark.sequence - end} are lost",
        file=str(place),
        remedy=f"restore the newest backup and send again what came after it; {mark_path(place).name} holds the mark",
    )


def other_record(mark: Mark, place: Path) -> Rejected:
    """Return the refusal of a journal that holds another record than was acknowledged."""
    return refuse(
        RejectionReason.MALFORMED,
        f"record {mark.sequence} is not the one that was acknowledged: its hash was changed, or it is another journal",
        file=str(place),
        remedy=f"restore the newest backup and send again what came after it; {mark_path(place).name} holds the mark",
    )


def _encode(mark: Mark) -> bytes:
    content = _SLOT.pack(_MAGIC, *mark)
    return content + hashlib.sha256(content).digest()


def _decode(data: bytes) -> Mark | None:
    content, checksum = data[: _SLOT.size], data[_SLOT.size :]
    if len(content) < _SLOT.size or hashlib.sha256(content).digest() != checksum:
        return None
    magic, sequence, head = _SLOT.unpack(content)
    return Mark(sequence, head) if magic == _MAGIC else None
