"""All state of settlement: net positions and gross instructions, with the proof of the day."""

from __future__ import annotations

import numpy as np

from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import InvariantBroken
from tsingma.settlement.instruction import STATUSES, Instructions
from tsingma.settlement.positions import CnsPositions


class SettlementState:
    """Positions of continuous net settlement and gross instructions."""

    def __init__(self) -> None:
        """Start empty."""
        self.positions = CnsPositions()
        self.instructions = Instructions()

    def check_day(self) -> dict[str, int]:
        """Prove due = settled + open, in number and amount, and return the totals.

        Raises InvariantBroken when a sum does not close (design, invariant 8).
        """
        positions, totals = self.positions, {}
        positions.check()
        due, moved, left = (int(np.abs(column).sum()) for column in (positions.due, positions.moved, positions.open))
        totals.update(stock_due=due, stock_settled=moved, stock_open=left)
        if due != moved + left:
            raise InvariantBroken(f"stock due {due} is not settled {moved} + open {left}")
        for unit, currency in enumerate(CURRENCIES):
            here = positions.money_currency == unit
            owed = int(positions.due_cents[here].sum())
            settled = int(positions.settled_cents[here].sum())
            if owed - settled != int((positions.due_cents - positions.settled_cents)[here].sum()):
                raise InvariantBroken(f"{currency}: money due is not settled + open")
            totals[f"money_due_{currency}_cents"] = int(np.abs(positions.due_cents[here]).sum())
            totals[f"money_settled_{currency}_cents"] = int(np.abs(positions.settled_cents[here]).sum())
            totals[f"money_pending_{currency}_cents"] = int(np.abs(positions.pending_cents[here]).sum())
        totals.update(self._check_instructions())
        return totals

    def _check_instructions(self) -> dict[str, int]:
        counts = self.instructions.counts()
        if sum(counts.values()) != len(self.instructions):
            raise InvariantBroken("instructions submitted are not open + settled + cancelled")
        return {f"instructions_{status.replace('-', '_')}": counts[status] for status in STATUSES}

    def dump(self) -> dict[str, bytes]:
        """Return the state as named byte strings."""
        return {
            **{f"positions.{name}": value for name, value in self.positions.dump().items()},
            **{f"instructions.{name}": value for name, value in self.instructions.dump().items()},
        }

    def load(self, parts: dict[str, bytes]) -> None:
        """Take back a dump."""
        for room, prefix in ((self.positions, "positions."), (self.instructions, "instructions.")):
            room.load({name[len(prefix) :]: value for name, value in parts.items() if name.startswith(prefix)})
