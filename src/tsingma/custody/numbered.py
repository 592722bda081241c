"""A table of frozen rows numbered from 0 in order of arrival; rows are replaced, never removed."""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

from tsingma.basics.rejection import RejectionReason, refuse

Row = TypeVar("Row", bound=msgspec.Struct)


class Numbered(Generic[Row]):
    """Rows of one type; ``subject`` names them in refusals."""

    def __init__(self, kind: type[Row], *, subject: str) -> None:
        """Start without rows."""
        self._kind = kind
        self._subject = subject
        self.rows: list[Row] = []

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.rows)

    def __getitem__(self, number: int) -> Row:
        """Return a row; raises Rejected (unknown) when there is none of that number."""
        if not 0 <= number < len(self.rows):
            raise refuse(RejectionReason.UNKNOWN, f"there is no {self._subject} {number}", field=self._subject)
        return self.rows[number]

    def add(self, row: Row) -> int:
        """Append a row and return its number."""
        self.rows.append(row)
        return len(self.rows) - 1

    def change(self, number: int, **changes: object) -> Row:
        """Replace fields of a row and return the new one; raises Rejected (unknown) when there is none."""
        self.rows[number] = msgspec.structs.replace(self[number], **changes)
        return self.rows[number]

    def dump(self) -> dict[str, bytes]:
        """Return the rows as one named byte string, nothing when there are none."""
        return {"rows": msgspec.msgpack.encode(self.rows)} if self.rows else {}

    def load(self, parts: dict[str, bytes]) -> None:
        """Take back a dump; a missing one is an empty table."""
        self.rows = msgspec.msgpack.decode(parts["rows"], type=list[self._kind]) if parts else []  # type: ignore[name-defined]
