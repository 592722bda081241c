"""Columns that grow by doubling: the table under instructions, orders, claims and reservations."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from tsingma.basics.columns import narrow, widen
from tsingma.basics.rejection import RejectionReason, refuse

Int64 = npt.NDArray[np.int64]
Column = npt.NDArray[np.signedinteger]

ROWS_MAX = 2**31 - 1


class Growing:
    """Named columns of fixed types; ``table`` has views of the rows in use, renewed when rows are added."""

    def __init__(self, types: Mapping[str, str], *, subject: str) -> None:
        """Start without rows; ``subject`` names them when there are too many."""
        self._types = dict(types)
        self._subject = subject
        self._room: dict[str, Column] = {name: np.zeros(0, kind) for name, kind in self._types.items()}
        self._use(0)

    def __len__(self) -> int:
        """Return the number of rows."""
        return self._count

    def append(self, count: int, columns: Mapping[str, npt.ArrayLike]) -> Int64:
        """Add rows and return their numbers; a column may be an array or one value, and is 0 where it is not given.

        Raises Rejected (limit) above ROWS_MAX rows.
        """
        start, stop = self._count, self._count + count
        if stop > ROWS_MAX:
            raise refuse(RejectionReason.LIMIT, f"{stop} {self._subject}, {ROWS_MAX} at most")
        self._grow(stop)
        for name, room in self._room.items():
            room[start:stop] = columns.get(name, 0)
        self._use(stop)
        return np.arange(start, stop, dtype=np.int64)

    def shorten(self, count: int) -> None:
        """Keep the first ``count`` rows; what stood behind them is forgotten."""
        for room in self._room.values():
            room[count : self._count] = 0
        self._use(min(count, self._count))

    def dump(self) -> dict[str, bytes]:
        """Return the columns as named byte strings."""
        return {name: narrow(column) for name, column in self.table.items()}

    def load(self, parts: Mapping[str, bytes]) -> None:
        """Take back a dump."""
        self._room = {name: widen(parts[name]).astype(kind) for name, kind in self._types.items()}
        self._use(next(iter(self._room.values())).size)

    def _grow(self, count: int) -> None:
        size = next(iter(self._room.values())).size
        if count <= size:
            return
        more = max(count, 2 * size)
        for name, column in self._room.items():
            larger = np.zeros(more, column.dtype)
            larger[: self._count] = column[: self._count]
            self._room[name] = larger

    def _use(self, count: int) -> None:
        self._count = count
        self.table = {name: column[:count] for name, column in self._room.items()}
