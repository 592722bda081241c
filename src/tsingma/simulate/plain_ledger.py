"""The books once more, in plain dictionaries: the auditor's own account of balances, holds and pledges.

Nothing here shares code with the ledger it is compared with: no arrays, no kernels, Python's unbounded integers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tsingma.basics.rejection import RejectionReason

Key = tuple[int, int]  # (account, asset)
Transfer = tuple[Key, Key, int]  # debit, credit, amount

BOOKED, INSUFFICIENT, OVERFLOW, NOT_POSITIVE, SAME_ROW, CHAIN_FAILED = 0, 1, 2, 4, 5, 6
LOWEST = -(2**62)
HIGHEST = 2**62


class Refusal(Exception):
    """The house must refuse, with exactly these reasons."""

    def __init__(self, *reasons: RejectionReason) -> None:
        """Keep the reasons."""
        self.reasons = frozenset(reasons)
        super().__init__(", ".join(sorted(self.reasons)))


@dataclass(slots=True)
class PlainLedger:
    """Amounts by (account, asset); absent is nothing. ``unlimited`` rows may go below zero."""

    balance: dict[Key, int] = field(default_factory=dict)
    held: dict[Key, int] = field(default_factory=dict)
    pledged: dict[Key, int] = field(default_factory=dict)
    unlimited: set[Key] = field(default_factory=set)

    def copy(self) -> PlainLedger:
        """Return an independent copy."""
        return PlainLedger(dict(self.balance), dict(self.held), dict(self.pledged), set(self.unlimited))

    def available(self, key: Key) -> int:
        """Return what may leave a row."""
        floor = LOWEST if key in self.unlimited else 0
        return self.balance.get(key, 0) - self.held.get(key, 0) - self.pledged.get(key, 0) - floor

    def transfer(self, debit: Key, credit: Key, amount: int) -> int:
        """Move an amount and return the result code; nothing moves unless it is 0."""
        if amount <= 0:
            return NOT_POSITIVE
        if debit == credit:
            return SAME_ROW
        if self.available(debit) < amount:
            return INSUFFICIENT
        if self.balance.get(credit, 0) + amount > HIGHEST or self.balance.get(debit, 0) - amount < LOWEST:
            return OVERFLOW
        self.balance[debit] = self.balance.get(debit, 0) - amount
        self.balance[credit] = self.balance.get(credit, 0) + amount
        return BOOKED

    def chain(self, transfers: Sequence[Transfer]) -> list[int]:
        """Carry out all or none and return the codes: the one that failed has its own, the others ``CHAIN_FAILED``."""
        before = dict(self.balance)
        for place, transfer in enumerate(transfers):
            code = self.transfer(*transfer)
            if code:
                self.balance = before
                codes = [CHAIN_FAILED] * len(transfers)
                codes[place] = code
                return codes
        return [BOOKED] * len(transfers)

    def post(self, transfers: Sequence[Transfer], linked: Sequence[int]) -> list[int]:
        """Carry out transfers in order; ``linked[i]`` joins transfer i to i + 1."""
        codes: list[int] = []
        start = 0
        for place in range(len(transfers)):
            if place == len(transfers) - 1 or not linked[place]:
                codes += self.chain(transfers[start : place + 1])
                start = place + 1
        return codes

    def contents(self) -> dict[Key, tuple[int, int, int]]:
        """Return balance, held and pledged of every row that has any."""
        keys = {*self.balance, *self.held, *self.pledged}
        every = {key: (self.balance.get(key, 0), self.held.get(key, 0), self.pledged.get(key, 0)) for key in keys}
        return {key: numbers for key, numbers in every.items() if any(numbers)}
