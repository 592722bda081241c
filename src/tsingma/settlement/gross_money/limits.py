"""Limits that payers set on what leaves them net, to one payee or to all without one of its own.

A limit holds normal payments that are no leg of a pair: what settled of them to the payee in the day, less what settled
of them from it, may not pass it; urgent and high ones are neither held nor counted. What a limit holds is overtaken by
what it does not hold. Payments at one instant count on their net, in offsetting too. A limit stands from day to day
until it is changed; what it has let out begins anew each day.

Source: ECB/2007/7 of 24 July 2007, conditions of TARGET2-ECB: bilateral and multilateral limits, and in appendix I the
algorithms that hold queues to both. That normal payments alone are held is the rule of T2; that pairs are not, since
what leaves comes back at the same instant in another money, is assumed.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.kernels.payments import LEVELS, SETTLED

Int64 = npt.NDArray[np.int64]
Table = Mapping[str, npt.NDArray[np.signedinteger]]

ALL_OTHERS = -1  # in place of a payee's row
NONE = -1
LIMITS_MAX = 1_000_000


class PaymentLimits:
    """Limits by (payer's ledger row, payee's or ALL_OTHERS), in cents."""

    def __init__(self) -> None:
        """Start without limits."""
        self.caps: dict[tuple[int, int], int] = {}
        self._place: dict[tuple[int, int], int] = {}
        self._rows: npt.NDArray[np.int64] = np.zeros(0, np.int64)
        self._known = 0  # payments whose limits are in the columns
        self.sends: npt.NDArray[np.int32] = np.zeros(0, np.int32)
        self.returns: npt.NDArray[np.int32] = np.zeros(0, np.int32)
        self.used = self.cap = self.owner = np.zeros(0, np.int64)

    def set(self, payer: int, payee: int, cents: int) -> None:
        """Set a limit, or take it away (cents below zero)."""
        if cents < 0:
            self.caps.pop((payer, payee), None)
        else:
            self.caps[payer, payee] = cents
        self.forget()

    def forget(self) -> None:
        """Begin anew: a day has begun, or the limits are others; what they let out is taken from the payments again."""
        keys = sorted(self.caps)
        self._place = {key: place for place, key in enumerate(keys)}
        self._rows = np.unique(np.array([payer for payer, _ in keys], np.int64))
        self._known, self.sends, self.returns = 0, np.zeros(0, np.int32), np.zeros(0, np.int32)
        self.cap = np.array([self.caps[key] for key in keys], np.int64)
        self.owner = np.array([payer for payer, _ in keys], np.int64)
        self.used = np.zeros(len(keys), np.int64)

    def follow(self, table: Table) -> None:
        """Have the limits of all payments in the columns, and what of those that settled before they were let out."""
        size = table["amount"].size
        if not self.caps or self._known == size:
            return
        first = self._known
        fresh = slice(first, size)
        sends, returns = np.full(size - first, NONE, np.int32), np.full(size - first, NONE, np.int32)
        debit, credit = table["debit"][fresh], table["credit"][fresh]
        held = (table["priority"][fresh] == LEVELS - 1) & (table["pair"][fresh] < 0)
        for side, here, there in ((sends, debit, credit), (returns, credit, debit)):
            for place in np.flatnonzero(held & np.isin(here, self._rows)).tolist():
                side[place] = self._of(int(here[place]), int(there[place]))
        self.sends, self.returns = np.concatenate([self.sends, sends]), np.concatenate([self.returns, returns])
        self._known = size
        done = np.flatnonzero(table["status"][fresh] == SETTLED)
        for side, sign in ((sends, 1), (returns, -1)):
            counted = done[side[done] >= 0]
            np.add.at(self.used, side[counted], sign * table["amount"][fresh][counted])

    def place(self, payer: int, payee: int) -> int:
        """Return the place of a limit in the columns, -1 where there is none."""
        return self._place.get((payer, payee), NONE)

    def _of(self, payer: int, payee: int) -> int:
        found = self._place.get((payer, payee))
        return self._place.get((payer, ALL_OTHERS), NONE) if found is None else found

    def passed(self, numbers: Int64, amount: Int64) -> Int64:
        """Return the payers (rows) whose limits a set of payments, settled at one instant, would pass."""
        if not self.caps:
            return np.zeros(0, np.int64)
        after = self.used.copy()
        for side, sign in ((self.sends, 1), (self.returns, -1)):
            counted = side[numbers] >= 0
            np.add.at(after, side[numbers][counted], sign * amount[counted])
        touched = np.unique(self.sends[numbers][self.sends[numbers] >= 0])
        over = touched[after[touched] > self.cap[touched]]
        return np.unique(self.owner[over])

    def count(self, numbers: Int64, amount: Int64) -> None:
        """Count payments that settled other than by the kernel."""
        if not self.caps:
            return
        for side, sign in ((self.sends, 1), (self.returns, -1)):
            counted = side[numbers] >= 0
            np.add.at(self.used, side[numbers][counted], sign * amount[counted])

    def dump(self) -> dict[str, bytes]:
        """Return the limits; nothing without any. What they let out follows from the payments."""
        return {"caps": msgspec.msgpack.encode(sorted(self.caps.items()))} if self.caps else {}

    def load(self, parts: Mapping[str, bytes]) -> None:
        """Take back a dump; one without limits is of a house that has none."""
        if "caps" in parts:
            self.caps = dict(msgspec.msgpack.decode(parts["caps"], type=list[tuple[tuple[int, int], int]]))
        self.forget()
