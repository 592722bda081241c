"""Intraday credit: how far an account's money may go below nothing, how far below where it stood this morning.

A line has three amounts: unsecured credit, a cap on the day's net debit, and credit against securities (``collateral``,
used in :mod:`tsingma.settlement.auto_collateral`). The first two are the floor of the ledger row while the day runs;
whatever pays, also an optimiser's proposal, meets them. At the end of the day credit is due: what is still below
nothing can go no lower, and is reported.
Sources: DTC, Risk Management Controls (a transaction that would take the net debit beyond the cap waits until credits
come in; money wired in counts); T2S credit lines are intraday only (T2S Special Series 2, October 2012).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.ledger.ledger import Ledger
from tsingma.settlement.growing import Growing

Int64 = npt.NDArray[np.int64]

NO_CAP = -1
CENTS_MAX = 2**60


class CreditLines(Growing):
    """Lines as columns, one an account and currency; ``opening_cents`` is what stood on the account this morning."""

    def __init__(self) -> None:
        """Start without lines."""
        types = {"account": "i4", "currency": "i4", "credit_cents": "i8", "cap_cents": "i8", "collateral_cents": "i8",
                 "opening_cents": "i8"}  # fmt: skip
        super().__init__(types, subject="credit lines")

    def grant(self, ledger: Ledger, account: int, currency: int, *, credit: int, cap: int, collateral: int) -> int:
        """Set an account's line and return the floor of its money now; raises Rejected (out-of-range)."""
        if not 0 <= credit <= CENTS_MAX or not NO_CAP <= cap <= CENTS_MAX or not 0 <= collateral <= CENTS_MAX:
            raise refuse(
                RejectionReason.OUT_OF_RANGE,
                f"credit {credit}, cap {cap}, collateral {collateral} cents",
                field="credit_cents, cap_cents, collateral_cents",
                remedy="amounts from 0; a cap of -1 is none",
            )
        row = ledger.row(account, currency)
        place = self.find(account, currency)
        if place < 0:
            opening = int(ledger.balance[row])
            first = {"account": account, "currency": currency, "opening_cents": opening}
            place = int(self.append(1, first)[0])
        for name, value in (("credit_cents", credit), ("cap_cents", cap), ("collateral_cents", collateral)):
            self.table[name][place] = value
        return int(self._apply(ledger, np.array([place], np.int64))[0])

    def find(self, account: int, currency: int) -> int:
        """Return the place of an account's line, or -1."""
        mine = np.flatnonzero((self.table["account"] == account) & (self.table["currency"] == currency))
        return int(mine[0]) if mine.size else -1

    def begin_day(self, ledger: Ledger) -> None:
        """Note where every account stands and open the day's credit."""
        self.table["opening_cents"][:] = ledger.balance[self._rows(ledger)]
        self._apply(ledger, np.arange(len(self), dtype=np.int64))

    def end_day(self, ledger: Ledger) -> tuple[int, int]:
        """Close the day's credit; returns how many accounts are below nothing, and their cents (over currencies)."""
        rows = self._rows(ledger)
        ledger.set_floor(rows, np.minimum(_free(ledger, rows), 0))
        debt = np.maximum(-ledger.balance[rows], 0)
        return int((debt > 0).sum()), int(debt.sum())

    def _apply(self, ledger: Ledger, lines: Int64) -> Int64:
        """Set the floor of lines: no more than the credit below nothing, than the cap below this morning.

        Where an account is lower than that already, it may go no lower.
        """
        table, rows = self.table, self._rows(ledger)[lines]
        floor = -table["credit_cents"][lines]
        capped = table["cap_cents"][lines] != NO_CAP
        floor = np.where(capped, np.maximum(floor, table["opening_cents"][lines] - table["cap_cents"][lines]), floor)
        floor = np.minimum(floor, _free(ledger, rows)).astype(np.int64)
        ledger.set_floor(rows, floor)
        return floor

    def _rows(self, ledger: Ledger) -> Int64:
        return ledger.rows(self.table["account"], self.table["currency"])


def _free(ledger: Ledger, rows: Int64) -> Int64:
    """Return what is neither on hold nor pledged."""
    return ledger.balance[rows] - ledger.held[rows] - ledger.pledged[rows]
