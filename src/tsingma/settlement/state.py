"""All state of settlement: net positions and gross instructions, with the proof of the day."""

from __future__ import annotations

import hashlib

import numpy as np

from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import InvariantBroken
from tsingma.settlement.instruction import STATUSES, Instructions
from tsingma.settlement.links import Links
from tsingma.settlement.positions import CnsPositions


class SettlementState:
    """Positions of continuous net settlement and gross instructions."""

    def __init__(self) -> None:
        """Start empty."""
        self.positions = CnsPositions()
        self.instructions = Instructions()
        self.links = Links()

    def check_day(self) -> dict[str, int]:
        """Prove due = settled + open, in number and amount, and return the totals.

        Raises InvariantBroken when a sum does not close (design, invariant 8).
        """
        positions = self.positions
        totals: dict[str, int] = {}
        positions.check()
        due, moved, left = (int(np.abs(column).sum()) for column in (positions.due, positions.moved, positions.open))
        totals.update(stock_due=due, stock_settled=moved, stock_open=left)
        if due != moved + left:
            raise InvariantBroken(f"stock due {due} is not settled {moved} + open {left}")
        owing = positions.due != 0
        totals["positions_due"] = int(owing.sum())
        totals["positions_open"] = int((positions.open != 0).sum())
        for unit, currency in enumerate(CURRENCIES):
            here = positions.money_currency == unit
            settled, left = positions.settled_cents[here], (positions.due_cents - positions.settled_cents)[here]
            totals[f"money_lines_{currency}"] = int(here.sum())
            totals[f"money_lines_open_{currency}"] = int((left != 0).sum())
            totals[f"money_settled_{currency}_cents"] = int(np.abs(settled).sum())
            totals[f"money_open_{currency}_cents"] = int(np.abs(left).sum())
            totals[f"money_open_net_{currency}_cents"] = int(left.sum())
        totals.update(self._check_instructions())
        return totals

    def _check_instructions(self) -> dict[str, int]:
        self.instructions.check()
        counts = self.instructions.counts()
        if sum(counts.values()) != len(self.instructions):
            raise InvariantBroken("instructions submitted are not open + settled + cancelled")
        return {f"instructions_{status.replace('-', '_')}": counts[status] for status in STATUSES}

    def digest(self) -> bytes:
        """Return SHA-256 over the dump, parts in name order (32 bytes)."""
        total = hashlib.sha256()
        for name, value in sorted(self.dump().items()):
            total.update(name.encode() + len(value).to_bytes(8, "little") + value)
        return total.digest()

    def dump(self) -> dict[str, bytes]:
        """Return the state as named byte strings."""
        return {f"{name}.{key}": value for name, room in self._rooms().items() for key, value in room.dump().items()}

    def load(self, parts: dict[str, bytes]) -> None:
        """Take back a dump."""
        for name, room in self._rooms().items():
            prefix = f"{name}."
            room.load({key[len(prefix) :]: value for key, value in parts.items() if key.startswith(prefix)})

    def _rooms(self) -> dict[str, CnsPositions | Instructions | Links]:
        return {"positions": self.positions, "instructions": self.instructions, "links": self.links}
