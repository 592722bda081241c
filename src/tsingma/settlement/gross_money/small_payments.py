"""Fast payments around the clock, one by one at once or not at all, and what a person has sent within the limits.

Source: HKMA, Faster Payment System (24 hours, seven days, HKD and renminbi); HKMA, Payment Connect (limits a person and
participating institution). Institutions pay each other at once on their settlement accounts; persons are numbers.
"""

from __future__ import annotations

from datetime import date

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.dates import to_date
from tsingma.ledger.ledger import Ledger
from tsingma.settlement.gross_money.moves import pay_at_once
from tsingma.settlement.gross_money.systems import TransferLimit

Int64 = npt.NDArray[np.int64]

PAID, NO_MONEY, DAY_LIMIT, YEAR_LIMIT, PAYMENT_LIMIT, BALANCE_LIMIT = range(6)
RESULTS: tuple[str, ...] = (
    "paid", "not enough money", "above the day's limit", "above the year's limit", "above the limit of a payment",
    "above the limit of a balance",
)  # fmt: skip


class Sent(msgspec.Struct):
    """What a person sent on its last day, and in that day's year."""

    day: int
    day_cents: int
    year_cents: int


class SmallPayments:
    """What persons sent: by person, purpose and institution (-1 where limits count over all institutions)."""

    def __init__(self) -> None:
        """Start with nothing sent."""
        self.sent: dict[tuple[int, int, int], Sent] = {}
        self.across_cents: dict[int, int] = {}  # by currency: what went to the mainland

    def pay(
        self,
        ledger: Ledger,
        limit: TransferLimit,
        key: tuple[int, int, int],
        rows: tuple[int, int],
        cents: int,
        day: int,
    ) -> int:
        """Pay at once, within the limits; returns a code of RESULTS, and changes nothing unless it is PAID."""
        before = self.sent.get(key)
        now = sent_on(before, day)
        if limit.day_cents and now.day_cents + cents > limit.day_cents:
            return DAY_LIMIT
        if limit.year_cents and now.year_cents + cents > limit.year_cents:
            return YEAR_LIMIT
        if not pay_at_once(ledger, rows[0], rows[1], cents):
            return NO_MONEY
        if limit.day_cents or limit.year_cents:
            self.sent[key] = Sent(day, now.day_cents + cents, now.year_cents + cents)
        return PAID

    def dump(self) -> dict[str, bytes]:
        """Return what was sent as named byte strings."""
        rows = [(*key, sent.day, sent.day_cents, sent.year_cents) for key, sent in sorted(self.sent.items())]
        across = sorted(self.across_cents.items())
        return {"sent": np.array(rows, "<i8").tobytes(), "across": np.array(across, "<i8").tobytes()}

    def load(self, parts: dict[str, bytes]) -> None:
        """Take back a dump."""
        rows = np.frombuffer(parts["sent"], "<i8").reshape(-1, 6).tolist()
        self.sent = {(person, purpose, place): Sent(*rest) for person, purpose, place, *rest in rows}
        across = np.frombuffer(parts["across"], "<i8").reshape(-1, 2).tolist()
        self.across_cents = dict(across)


def sent_on(before: Sent | None, day: int) -> Sent:
    """Return what counts on a day: nothing of another day, nothing of another year."""
    if before is None or _year(before.day) != _year(day):
        return Sent(day, 0, 0)
    return Sent(day, before.day_cents if before.day == day else 0, before.year_cents)


def _year(day: int) -> int:
    found: date = to_date(day)
    return found.year
