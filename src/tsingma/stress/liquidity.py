"""What the house must find in money when participants default: by currency and day.

On the day of the default the house pays gains that the fallen should have paid for; on each settlement day it takes up
what they were to pay for securities. Margin and fund are worth something only once they are turned into money, so they
are shown beside the need and not taken off it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from math import ceil

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.money import MINOR_SCALE
from tsingma.stress.book import Int64, StressBook
from tsingma.stress.rates import RENMINBI


class LiquidityNeed(msgspec.Struct, frozen=True, kw_only=True):
    """Money to find on a day, whole units of a currency: for gains of others, and for securities due."""

    day: date
    currency: str
    gains: int
    securities: int

    @property
    def total(self) -> int:
        """Return both."""
        return self.gains + self.securities


def liquidity_needs(
    book: StressBook,
    profit: Int64,
    defaulted: npt.NDArray[np.bool_],
    by_currency: Mapping[str, Int64] | None = None,
    renminbi_return: float = 0.0,
) -> tuple[LiquidityNeed, ...]:
    """Return the needs that defaults leave, in order of day and currency; none without a default.

    ``profit`` int64 [accounts, houses], whole HKD; ``defaulted`` bool [participants]. ``by_currency`` is the part of it
    that is paid in another money (variation margin of swaps in renminbi): what a defaulter owes there must be found in
    that money, and its gains in another do not help.
    """
    if not defaulted.any():
        return ()
    down = defaulted[book.account_participant]
    other = dict(by_currency or {})
    at_home = profit - sum(other.values(), np.zeros_like(profit))
    needs = {(book.day, "HKD"): [int(np.maximum(-at_home[down], 0).sum()), 0]}
    for currency, part in sorted(other.items()):
        unpaid = int(np.maximum(-part[down], 0).sum())
        if unpaid and book.rates is not None:
            rate = book.rates.hkd[currency] * (1.0 + renminbi_return if currency in RENMINBI else 1.0)
            needs.setdefault((book.day, currency), [0, 0])[0] += ceil(unpaid / rate)
    for due in book.due:
        owed = sum(amount for place, amount in due.amount.items() if defaulted[place] and amount > 0)
        if owed:
            needs.setdefault((due.day, due.currency), [0, 0])[1] += -(-owed // MINOR_SCALE)
    return tuple(
        LiquidityNeed(day=day, currency=currency, gains=gains, securities=securities)
        for (day, currency), (gains, securities) in sorted(needs.items())
    )
