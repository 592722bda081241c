"""All state of settlement: net positions, orders, instructions and what hangs on them, with the proof of the day."""

from __future__ import annotations

import hashlib
from typing import Protocol

import numpy as np

from tsingma.basics.columns import by_room
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import InvariantBroken
from tsingma.settlement.auto_collateral import Loans
from tsingma.settlement.buy_in import BuyIns
from tsingma.settlement.claims import Claims
from tsingma.settlement.credit import CreditLines
from tsingma.settlement.instruction import CANCELLED, SETTLED, STATUSES, Instructions
from tsingma.settlement.links import Links
from tsingma.settlement.orders import ORDER_STATUSES, Orders
from tsingma.settlement.positions import CnsPositions
from tsingma.settlement.reservation import Reservations


class _Room(Protocol):
    def dump(self) -> dict[str, bytes]: ...
    def load(self, parts: dict[str, bytes]) -> None: ...


class SettlementState:
    """Positions of continuous net settlement, gross instructions and the orders, claims, credit ... around them.

    ``clock_s`` is the time of day (seconds) at which something last came in or ran.
    """

    def __init__(self) -> None:
        """Start empty."""
        self.positions = CnsPositions()
        self.instructions = Instructions()
        self.links = Links()
        self.orders = Orders()
        self.claims = Claims()
        self.reservations = Reservations()
        self.credit_lines = CreditLines()
        self.loans = Loans()
        self.buy_ins = BuyIns()
        self.clock_s = 0

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
        """Prove submitted = open + settled + cancelled, in number and amount, for instructions and orders."""
        instructions, table = self.instructions, self.instructions.table
        instructions.check()
        self.orders.check()
        counts = instructions.counts()
        if sum(counts.values()) != len(instructions):
            raise InvariantBroken("instructions submitted are not open + settled + cancelled")
        figures = {f"instructions_{status.replace('-', '_')}": counts[status] for status in STATUSES}
        everything = np.arange(len(instructions), dtype=np.int64)
        settled = instructions.settled_amount(everything)
        left = instructions.second_leg(everything) - settled
        done = np.isin(table["status"], (SETTLED, CANCELLED))
        if (settled < 0).any() or (left < 0).any() or left[table["status"] == SETTLED].any():
            raise InvariantBroken("an instruction settled more than its amount, or is settled and owes")
        for unit, currency in enumerate(CURRENCIES):
            here = table["against"] == unit
            figures[f"instructions_settled_{currency}_cents"] = int(settled[here].sum())
            figures[f"instructions_open_{currency}_cents"] = int(left[here & ~done].sum())
            figures[f"instructions_cancelled_{currency}_cents"] = int(left[here & (table["status"] == CANCELLED)].sum())
        orders = self.orders.counts()
        if sum(orders.values()) != len(self.orders) or orders["matched"] % 2:
            raise InvariantBroken("orders submitted are not waiting + matched in pairs + cancelled")
        return {**figures, **{f"orders_{status}": orders[status] for status in ORDER_STATUSES}}

    def digest(self) -> bytes:
        """Return SHA-256 over the dump, parts in name order (32 bytes)."""
        total = hashlib.sha256()
        for name, value in sorted(self.dump().items()):
            total.update(name.encode() + len(value).to_bytes(8, "little") + value)
        return total.digest()

    def dump(self) -> dict[str, bytes]:
        """Return the state as named byte strings."""
        parts = {f"{name}.{key}": value for name, room in self._rooms().items() for key, value in room.dump().items()}
        return {**parts, "clock_s": self.clock_s.to_bytes(8, "little")}

    def load(self, parts: dict[str, bytes]) -> None:
        """Take back a dump."""
        mine = by_room(parts)
        for name, room in self._rooms().items():
            room.load(mine.get(name, {}))
        self.clock_s = int.from_bytes(parts["clock_s"], "little")

    def _rooms(self) -> dict[str, _Room]:
        return {
            "positions": self.positions,
            "instructions": self.instructions,
            "links": self.links,
            "orders": self.orders,
            "claims": self.claims,
            "reservations": self.reservations,
            "credit_lines": self.credit_lines,
            "loans": self.loans,
            "buy_ins": self.buy_ins,
        }
