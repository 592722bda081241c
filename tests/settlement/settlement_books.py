"""A small house for settlement tests: issuer, bank and central counterparty that may go below zero."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tsingma.ledger.ledger import NO_FLOOR, Ledger
from tsingma.settlement.positions import CnsPositions

CNS, ISSUER, BANK = 90, 91, 92
SECURITY_BASE = 4
HKEX, SSE = 0, 1


def i4(*values: int) -> np.ndarray:
    """Return the values as an i4 column."""
    return np.array(values, np.int32)


def i8(*values: int) -> np.ndarray:
    """Return the values as an i8 column."""
    return np.array(values, np.int64)


class Books:
    """A ledger and the net positions on it, filled and read in the words of a test."""

    def __init__(self, *, house_line: bool = True) -> None:
        """Open the rows that may go below zero; the house's money rows only with ``house_line``."""
        self.ledger, self.positions = Ledger(), CnsPositions()
        for unit in range(SECURITY_BASE):
            self.ledger.row(CNS, unit, floor=NO_FLOOR if house_line else 0)
            self.ledger.row(BANK, unit, floor=NO_FLOOR)

    def give(self, account: int, asset: int, amount: int) -> None:
        """Bring an amount of an asset in: money from the bank, stock from the issuer."""
        source = BANK if asset < SECURITY_BASE else ISSUER
        debit = self.ledger.row(source, asset, floor=NO_FLOOR)
        assert self.ledger.post(i8(debit), i8(self.ledger.row(account, asset)), i8(amount))[0] == 0

    def balance(self, account: int, asset: int) -> int:
        """Return the balance of an account in an asset."""
        row = self.ledger.row(account, asset)  # first: a new row may move the columns
        return int(self.ledger.balance[row])

    def held(self, account: int, asset: int) -> int:
        """Return what is on hold of an account in an asset."""
        row = self.ledger.row(account, asset)  # first: a new row may move the columns
        return int(self.ledger.held[row])

    def due(self, day: int, *lines: Sequence[int], market: int = HKEX, roll: bool = True) -> None:
        """Begin a day; each line is (account, security, currency, quantity, amount_cents)."""
        columns = np.array(lines, np.int64).reshape(-1, 5).T
        account, security, currency = (columns[place].astype(np.int32) for place in range(3))
        markets = np.full(account.size, market, np.int32)
        self.positions.begin_day(day, account, security, currency, markets, columns[3], columns[4], roll=roll)
