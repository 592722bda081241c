"""Cross-border e-CNY wallets: topped up from an account, spent at merchants, cashed again, within their tier's bounds.

Every cent in a wallet stands on hold on its operator's renminbi account, so wallets are always covered one to one.
Source: HKMA, e-CNY (wallets opened by telephone number at four operators, topped up by fast payment, retail payments
only: no transfers from person to person).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import InvariantBroken, RejectionReason, refuse
from tsingma.ledger.ledger import Ledger
from tsingma.settlement.gross_money.moves import pay_at_once
from tsingma.settlement.gross_money.small_payments import (
    BALANCE_LIMIT,
    DAY_LIMIT,
    NO_MONEY,
    PAID,
    PAYMENT_LIMIT,
    YEAR_LIMIT,
    Sent,
    sent_on,
)
from tsingma.settlement.gross_money.systems import WalletTier
from tsingma.settlement.growing import Growing

Int64 = npt.NDArray[np.int64]

CNY = CURRENCIES.index("CNY")
MOVES: tuple[str, ...] = ("top-up", "pay", "cash")


class Wallets(Growing):
    """Wallets as columns; ``day_cents`` and ``year_cents`` are what was paid on ``day`` and in its year."""

    def __init__(self) -> None:
        """Start without wallets."""
        types = {"person": "i8", "operator": "i4", "tier": "i1", "balance": "i8", "day": "i4", "day_cents": "i8",
                 "year_cents": "i8"}  # fmt: skip
        super().__init__(types, subject="wallets")
        self._number: dict[tuple[int, int], int] = {}

    def open(self, person: int, operator: int, tier: int) -> int:
        """Open a person's wallet at an operator (an account), or move it to another tier; returns its number.

        A balance above the bounds of a new tier stays; it may only be spent.
        """
        known = self._number.get((person, operator))
        if known is not None:
            self.table["tier"][known] = tier
            return known
        number = int(self.append(1, {"person": person, "operator": operator, "tier": tier})[0])
        self._number[person, operator] = number
        return number

    def find(self, person: int, operator: int) -> int:
        """Return the number of a person's wallet at an operator, or -1."""
        return self._number.get((person, operator), -1)

    def require(self, number: int) -> None:
        """Raise Rejected (unknown) unless there is such a wallet."""
        if not 0 <= number < len(self):
            raise refuse(RejectionReason.UNKNOWN, f"there is no wallet {number}", field="wallet")

    def top_up(self, ledger: Ledger, number: int, payer: int, cents: int, tier: WalletTier) -> int:
        """Fill a wallet from an account; returns a code of RESULTS."""
        balance = int(self.table["balance"][number])
        if tier.balance_cents and balance + cents > tier.balance_cents:
            return BALANCE_LIMIT
        row = self._row(ledger, number)
        if payer != int(self.table["operator"][number]) and not pay_at_once(ledger, ledger.row(payer, CNY), row, cents):
            return NO_MONEY
        if ledger.hold(np.array([row], np.int64), np.array([cents], np.int64))[0]:
            return NO_MONEY  # the operator's own customer pays, and the operator has not got the cover
        self.table["balance"][number] = balance + cents
        return PAID

    def pay(self, ledger: Ledger, number: int, payee: int, cents: int, tier: WalletTier, day: int) -> int:
        """Pay a merchant's bank (an account) from a wallet; returns a code of RESULTS."""
        table = self.table
        now = sent_on(Sent(*(int(table[name][number]) for name in ("day", "day_cents", "year_cents"))), day)
        if tier.payment_cents and cents > tier.payment_cents:
            return PAYMENT_LIMIT
        if tier.day_cents and now.day_cents + cents > tier.day_cents:
            return DAY_LIMIT
        if tier.year_cents and now.year_cents + cents > tier.year_cents:
            return YEAR_LIMIT
        code = self.cash(ledger, number, payee, cents)
        if code == PAID:
            table["day"][number] = day
            table["day_cents"][number], table["year_cents"][number] = now.day_cents + cents, now.year_cents + cents
        return code

    def cash(self, ledger: Ledger, number: int, payee: int, cents: int) -> int:
        """Move money out of a wallet to an account; returns a code of RESULTS."""
        if int(self.table["balance"][number]) < cents:
            return NO_MONEY
        row = self._row(ledger, number)
        if ledger.release(np.array([row], np.int64), np.array([cents], np.int64))[0]:
            raise InvariantBroken("a wallet is not covered on its operator's account")
        if payee != int(self.table["operator"][number]) and not pay_at_once(ledger, row, ledger.row(payee, CNY), cents):
            raise InvariantBroken("money of a wallet could not be moved")
        self.table["balance"][number] -= cents
        return PAID

    def check(self, ledger: Ledger) -> None:
        """Raise InvariantBroken unless every operator holds at least what its wallets have."""
        covered = np.zeros(ledger.count, np.int64)
        if len(self):
            np.add.at(
                covered, ledger.rows(self.table["operator"], np.full(len(self), CNY, np.int32)), self.table["balance"]
            )
        if (ledger.held < covered).any():
            raise InvariantBroken("wallets are not covered by what their operator has on hold")

    def load(self, parts: Mapping[str, bytes]) -> None:
        """Take back a dump."""
        super().load(parts)
        pairs = zip(self.table["person"].tolist(), self.table["operator"].tolist(), strict=True)
        self._number = {pair: number for number, pair in enumerate(pairs)}

    def _row(self, ledger: Ledger, number: int) -> int:
        return ledger.row(int(self.table["operator"][number]), CNY)
