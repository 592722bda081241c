"""Matched instructions on their way into the books: a batch as columns, accounts and securities as book indices."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tsingma.basics.columns import pack
from tsingma.journal.commands import CaptureInstructions

Int64 = npt.NDArray[np.int64]

CHUNK_INSTRUCTIONS = 500_000  # a command; some 19 MB
COLUMN_TYPES: dict[str, str] = {
    "reference": "i8",
    "deliverer": "i4",
    "receiver": "i4",
    "security": "i4",
    "quantity": "i8",
    "currency": "i1",
    "amount_cents": "i8",
    "priority": "i1",
}


@dataclass(frozen=True, slots=True)
class Batch:
    """Instructions in order of entry, columns int64 [n] as in ``CaptureInstructions``, and when each arrives.

    ``arrival`` is 0 for what is in the books before the night, else the wave of the night it arrives in.
    """

    reference: Int64
    deliverer: Int64
    receiver: Int64
    security: Int64
    quantity: Int64
    currency: Int64
    amount_cents: Int64
    priority: Int64
    arrival: Int64

    @property
    def size(self) -> int:
        """Return the number of instructions."""
        return int(self.reference.size)

    def commands(
        self, wave: int, source: str, intended_day: int, chunk: int = CHUNK_INSTRUCTIONS
    ) -> Iterator[CaptureInstructions]:
        """Yield the commands that take one wave into the books, ``chunk`` instructions each."""
        chosen = np.flatnonzero(self.arrival == wave)
        for start in range(0, chosen.size, chunk):
            part = chosen[start : start + chunk]
            columns = {name: pack(getattr(self, name)[part], kind) for name, kind in COLUMN_TYPES.items()}
            yield CaptureInstructions(source=source, intended_day=intended_day, **columns)
