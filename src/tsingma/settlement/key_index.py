"""Numbers of rows by a key: found without going through all rows, however few or many come in at once.

What came in bulk lies sorted; what came in a few at a time lies in a dictionary until that is worth sorting in. It is
derived from the rows, so nothing of it is dumped.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Int64 = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

FEW_MAX = 4_096  # rows at once that go into the dictionary
LOOSE_MAX = 65_536  # rows in the dictionary before they are sorted in


class KeyIndex:
    """Rows by key, several of one key allowed; a row stays until it is forgotten in sorting in."""

    def __init__(self, keep: Callable[[Int64], Bools] | None = None) -> None:
        """Start without rows; ``keep`` tells of row numbers which are still wanted (default: all)."""
        self._keep = keep
        self._key: Int64 = np.zeros(0, np.int64)
        self._row: Int64 = np.zeros(0, np.int64)
        self._loose: dict[int, list[int]] = {}
        self._loose_count = 0

    def add(self, keys: Int64, rows: Int64) -> None:
        """Put rows under their keys, i8[n] both."""
        if keys.size > FEW_MAX:
            self._sort_in(keys, rows)
            return
        for key, row in zip(keys.tolist(), rows.tolist(), strict=True):
            self._loose.setdefault(key, []).append(row)
        self._loose_count += keys.size
        if self._loose_count > LOOSE_MAX:
            self._sort_in(keys[:0], rows[:0])

    def find(self, keys: Int64) -> Int64:
        """Return the rows under any of the keys, each once, in rising order."""
        wanted = np.unique(keys)
        low, high = (np.searchsorted(self._key, wanted, side) for side in ("left", "right"))
        sizes = high - low
        starts = np.repeat(low - np.cumsum(sizes) + sizes, sizes)  # of each key's rows, less the rows before it
        sorted_rows = self._row[starts + np.arange(starts.size)]
        loose = [self._loose[key] for key in wanted.tolist() if key in self._loose]
        loose_rows = np.array([row for rows in loose for row in rows], np.int64)
        return np.sort(np.concatenate([sorted_rows, loose_rows]))

    def has(self, keys: Int64) -> Bools:
        """Return for each key whether a row is under it."""
        place = np.searchsorted(self._key, keys)
        found = np.zeros(keys.size, np.bool_)
        if self._key.size:
            found = self._key[np.minimum(place, self._key.size - 1)] == keys
        if self._loose:
            loose = self._loose
            found |= np.fromiter((key in loose for key in keys.tolist()), np.bool_, keys.size)
        return found

    def _sort_in(self, keys: Int64, rows: Int64) -> None:
        loose_rows = np.array([row for held in self._loose.values() for row in held], np.int64)
        loose_keys = np.repeat(
            np.fromiter(self._loose, np.int64, len(self._loose)),
            np.fromiter(map(len, self._loose.values()), np.int64, len(self._loose)),
        )
        key = np.concatenate([self._key, loose_keys, keys])
        row = np.concatenate([self._row, loose_rows, rows])
        if self._keep is not None:
            wanted = self._keep(row)
            key, row = key[wanted], row[wanted]
        order = np.argsort(key, kind="stable")
        self._key, self._row = key[order], row[order]
        self._loose, self._loose_count = {}, 0
