"""A store in memory: for tests and for what-if runs that must leave nothing behind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.journal.record import Record
from tsingma.journal.store import Snapshot


class MemoryStore:
    """Keeps records and snapshots in lists; durable as long as the process."""

    def __init__(self) -> None:
        """Start empty."""
        self._records: list[Record] = []
        self._by_id: dict[str, Record] = {}
        self._snapshots: dict[int, Snapshot] = {}

    def append(self, records: Sequence[Record]) -> None:
        """Keep the records; refuses a command id that is there already."""
        for record in records:
            if record.command_id in self._by_id:
                raise refuse(RejectionReason.DUPLICATE, "the command id is there already", subject=record.command_id)
        self._records.extend(records)
        self._by_id.update({record.command_id: record for record in records})

    def version(self) -> int:
        """Return 0: what is in memory has no schema."""
        return 0

    def head(self) -> Record | None:
        """Return the last record, or None."""
        return self._records[-1] if self._records else None

    def length(self) -> int:
        """Return the number of the last record, 0 for an empty journal."""
        return len(self._records)

    def read(self, after: int = 0) -> Iterator[Record]:
        """Yield the records above ``after``."""
        return iter(self._records[after:])

    def find(self, command_id: str) -> Record | None:
        """Return the record of a command id, or None."""
        return self._by_id.get(command_id)

    def find_all(self, command_ids: Sequence[str]) -> dict[str, Record]:
        """Return the records of those command ids that are there."""
        return {name: self._by_id[name] for name in command_ids if name in self._by_id}

    def put_snapshot(self, snapshot: Snapshot) -> None:
        """Keep a snapshot."""
        self._snapshots[snapshot.sequence] = snapshot

    def snapshots(self) -> list[int]:
        """Return the sequences of the snapshots, oldest first."""
        return sorted(self._snapshots)

    def snapshot(self, sequence: int) -> Snapshot:
        """Return one snapshot; raises Rejected (unknown)."""
        if sequence not in self._snapshots:
            raise refuse(RejectionReason.UNKNOWN, f"there is no snapshot at record {sequence}")
        return self._snapshots[sequence]

    def close(self) -> None:
        """Do nothing."""
