"""Reservations: securities or money set aside until used, given back or past their day, exactly one of the three.

What is reserved is on hold in the ledger. A reservation for an instruction counts as available when that instruction
is tried, and for nothing else (posttrade.md, table b and D1, 6; T2S: blocking, reservation, earmarking).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import InvariantBroken, RejectionReason, refuse
from tsingma.ledger.ledger import Ledger
from tsingma.settlement.growing import Growing

Int64 = npt.NDArray[np.int64]

RESERVATION_STATUSES: tuple[str, ...] = ("active", "used", "released", "expired")
ACTIVE, USED, RELEASED, EXPIRED = range(len(RESERVATION_STATUSES))


class Reservations(Growing):
    """Reservations as columns; ``instruction`` is -1 where it serves none, ``last_day`` the last it holds on."""

    def __init__(self) -> None:
        """Start without reservations."""
        types = {"account": "i4", "asset": "i4", "amount": "i8", "last_day": "i4", "instruction": "i4", "status": "i1",
                 "ended_day": "i4"}  # fmt: skip
        super().__init__(types, subject="reservations")

    def reserve(
        self, ledger: Ledger, account: int, asset: int, amount: int, *, last_day: int, instruction: int = -1
    ) -> int:
        """Set an amount aside and return the reservation's number; raises Rejected (insufficient, out-of-range)."""
        if amount <= 0:
            raise refuse(RejectionReason.OUT_OF_RANGE, f"{amount} to reserve", field="amount", remedy="above 0")
        row = np.array([ledger.find(account, asset)], np.int64)
        there = int(ledger.available(row)[0]) if row[0] >= 0 else 0
        if there < amount or ledger.hold(row, np.array([amount], np.int64))[0]:
            raise refuse(
                RejectionReason.INSUFFICIENT,
                f"{amount} to reserve, {there} available",
                field="amount",
                remedy="reserve what is there, or deposit first",
            )
        values = {"account": account, "asset": asset, "amount": amount, "last_day": last_day,
                  "instruction": instruction}  # fmt: skip
        return int(self.append(1, values)[0])

    def of(self, instructions: Int64) -> Int64:
        """Return the active reservations that serve any of these instructions."""
        table = self.table
        mine = (table["status"] == ACTIVE) & np.isin(table["instruction"], instructions)
        return np.flatnonzero(mine & (table["instruction"] >= 0)).astype(np.int64)

    def free(self, ledger: Ledger, reservations: Int64) -> None:
        """Take what they hold off hold, to be used at once or put back."""
        if ledger.release(*self._rows(ledger, reservations)).any():
            raise InvariantBroken("a reservation is not on hold in the books")

    def put_back(self, ledger: Ledger, reservations: Int64) -> None:
        """Hold again what was freed and not used."""
        if ledger.hold(*self._rows(ledger, reservations)).any():
            raise InvariantBroken("a freed reservation could not be put back")

    def end(self, reservations: Int64, status: int, day: int) -> None:
        """Mark reservations as ended; raises InvariantBroken for one that has ended before."""
        if (self.table["status"][reservations] != ACTIVE).any():
            raise InvariantBroken("a reservation ends only once")
        self.table["status"][reservations] = status
        self.table["ended_day"][reservations] = day

    def give_back(self, ledger: Ledger, reservation: int, day: int) -> None:
        """End one before its time; raises Rejected when it is unknown or has ended."""
        if not 0 <= reservation < len(self):
            raise refuse(RejectionReason.UNKNOWN, f"there is no reservation {reservation}", field="reservation")
        status = int(self.table["status"][reservation])
        if status != ACTIVE:
            raise refuse(
                RejectionReason.NOT_ALLOWED, f"it is {RESERVATION_STATUSES[status]} already", subject=str(reservation)
            )
        one = np.array([reservation], np.int64)
        self.free(ledger, one)
        self.end(one, RELEASED, day)

    def close_day(self, ledger: Ledger, day: int, ended: npt.NDArray[np.bool_]) -> tuple[int, int]:
        """End what holds until ``day`` or before, and give back what serves an instruction that has ``ended``.

        ``ended`` says so for every instruction. Returns how many expired and how many were given back.
        """
        table = self.table
        active, number = table["status"] == ACTIVE, table["instruction"]
        over = np.flatnonzero(active & (table["last_day"] <= day)).astype(np.int64)
        idle = active & (table["last_day"] > day) & (number >= 0)
        idle[idle] = ended[number[idle]]
        back = np.flatnonzero(idle).astype(np.int64)
        self.free(ledger, np.concatenate([over, back]))
        self.end(over, EXPIRED, day)
        self.end(back, RELEASED, day)
        return int(over.size), int(back.size)

    def held_from(self, first_asset: int) -> int:
        """Return how much active reservations hold of assets from ``first_asset`` on."""
        active = (self.table["status"] == ACTIVE) & (self.table["asset"] >= first_asset)
        return int(self.table["amount"][active].sum())

    def _rows(self, ledger: Ledger, reservations: Int64) -> tuple[Int64, Int64]:
        table = self.table
        rows = ledger.rows(table["account"][reservations], table["asset"][reservations])
        return rows, table["amount"][reservations].astype(np.int64)
