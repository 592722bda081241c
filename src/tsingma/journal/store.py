"""What the engine asks of a store: append durably, read in order, find by command id, keep snapshots."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Protocol

import msgspec

from tsingma.journal.record import Record


class Snapshot(msgspec.Struct, frozen=True):
    """State after record ``sequence``: the state hash and the dump it was taken from."""

    sequence: int
    state_hash: bytes
    parts: dict[str, bytes]


def snapshot_checksum(sequence: int, state_hash: bytes, parts: bytes) -> bytes:
    """Return SHA-256 over all that is stored of a snapshot: its place in the journal counts as much as its bytes."""
    return hashlib.sha256(sequence.to_bytes(8, "little") + state_hash + parts).digest()


class Store(Protocol):
    """One writer. Every method raises Rejected for refused input and lets storage errors through."""

    def append(self, records: Sequence[Record]) -> None:
        """Write the records in one atomic transaction; on return they survive a crash."""
        ...

    def version(self) -> int:
        """Return the version of the store's schema, 0 where there is none."""
        ...

    def head(self) -> Record | None:
        """Return the last record, or None for an empty journal."""
        ...

    def length(self) -> int:
        """Return the number of the last record, 0 for an empty journal."""
        ...

    def read(self, after: int = 0) -> Iterator[Record]:
        """Yield the records with a sequence above ``after``, in order."""
        ...

    def find(self, command_id: str) -> Record | None:
        """Return the record of a command id, or None."""
        ...

    def find_all(self, command_ids: Sequence[str]) -> dict[str, Record]:
        """Return the records of those of the command ids that are there, by id."""
        ...

    def put_snapshot(self, snapshot: Snapshot) -> None:
        """Keep a snapshot durably."""
        ...

    def snapshots(self) -> list[int]:
        """Return the sequences at which snapshots stand, oldest first."""
        ...

    def snapshot(self, sequence: int) -> Snapshot:
        """Return one snapshot; raises Rejected (unknown, or malformed when its bytes were changed)."""
        ...

    def close(self) -> None:
        """Let go of the store; closing twice is harmless."""
        ...
