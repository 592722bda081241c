"""What one account owes another under the rules of settlement until it is paid: penalties, buy-in, compensation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tsingma.basics.money import CURRENCIES
from tsingma.ledger.ledger import Ledger
from tsingma.settlement.growing import Growing

Int64 = npt.NDArray[np.int64]

CLAIM_KINDS: tuple[str, ...] = (
    "settlement fail penalty",
    "late matching fail penalty",
    "buy-in price difference",
    "buy-in costs",
    "cash compensation",
)
FAIL_PENALTY, LATE_MATCHING_PENALTY, PRICE_DIFFERENCE, BUY_IN_COSTS, COMPENSATION = range(len(CLAIM_KINDS))


@dataclass(frozen=True, slots=True)
class Collected:
    """What one collection did, per house currency: cents paid, cents still owed."""

    paid_cents: tuple[int, ...]
    open_cents: tuple[int, ...]

    def figures(self) -> dict[str, int]:
        """Return the figures by name, for the event."""
        figures = {}
        for unit, currency in enumerate(CURRENCIES):
            figures[f"claims_paid_{currency}_cents"] = self.paid_cents[unit]
            figures[f"claims_open_{currency}_cents"] = self.open_cents[unit]
        return figures


class Claims(Growing):
    """Claims as columns; ``paid_day`` is 0 until a claim is paid, whole or not at all."""

    def __init__(self) -> None:
        """Start without claims."""
        types = {
            "payer": "i4", "payee": "i4", "currency": "i1", "cents": "i8", "kind": "i1", "instruction": "i4",
            "day": "i4", "paid_day": "i4",
        }  # fmt: skip
        super().__init__(types, subject="claims")

    def owe(self, kind: int, payer: int, payee: int, currency: int, cents: int, *, instruction: int, day: int) -> int:
        """Add one claim and return its cents; what is nothing, or owed to oneself, is no claim."""
        if cents <= 0 or payer == payee:
            return 0
        row = {"kind": kind, "payer": payer, "payee": payee, "currency": currency, "cents": cents,
               "instruction": instruction, "day": day}  # fmt: skip
        self.append(1, row)
        return cents

    def collect(self, ledger: Ledger, day: int) -> Collected:
        """Pay every open claim its payer has the money for, oldest first."""
        table = self.table
        due = np.flatnonzero(table["paid_day"] == 0)
        currency = table["currency"][due].astype(np.int32)
        debit, credit = ledger.rows(table["payer"][due], currency), ledger.rows(table["payee"][due], currency)
        paid = ledger.post(debit, credit, table["cents"][due].astype(np.int64)) == 0
        table["paid_day"][due[paid]] = day
        return Collected(self._sum(due[paid]), self._sum(due[~paid]))

    def _sum(self, rows: Int64) -> tuple[int, ...]:
        currency, cents = self.table["currency"][rows], self.table["cents"][rows]
        return tuple(int(cents[currency == unit].sum()) for unit in range(len(CURRENCIES)))
