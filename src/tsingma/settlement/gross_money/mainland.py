"""The link to the mainland: what left for it and what came from it, and two accounts that mirror each other.

The clearing bank keeps the offshore accounts here and has an account of its own on the other side. Money that leaves is
taken from a payer here and paid there from that account; money that comes arrives there first and is paid out here.
What cannot be paid before the day ends, or is refused there, is returned, once (CIPS business rules: queues, returns).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import InvariantBroken, RejectionReason, refuse
from tsingma.kernels.payments import CANCELLED, SETTLED
from tsingma.settlement.growing import Growing

Int64 = npt.NDArray[np.int64]

STATUSES: tuple[str, ...] = ("waiting", "sent", "confirmed", "credited", "returned", "cancelled")
WAITING, SENT, CONFIRMED, CREDITED, RETURNED, TAKEN_BACK = range(len(STATUSES))


class MainlandLink(Growing):
    """Transfers as columns; ``payment`` is the day's payment of one that leaves, -1 for one that comes in."""

    def __init__(self) -> None:
        """Start with nothing on either side."""
        types = {"reference": "i8", "payment": "i4", "account": "i4", "cents": "i8", "inward": "i1", "status": "i1",
                 "day": "i4", "ended_day": "i4"}  # fmt: skip
        super().__init__(types, subject="transfers over the link")
        self.offshore_cents = 0  # what the link has taken in here, less what it has paid out
        self.onshore_cents = 0  # the same on the clearing bank's account there

    def leave(self, payments: Int64, accounts: Int64, cents: Int64, references: Int64, day: int) -> None:
        """Note payments that are to leave once they settle here."""
        day_column = np.full(payments.size, day)
        columns = {"payment": payments, "account": accounts, "cents": cents, "reference": references, "day": day_column}
        self.append(payments.size, columns)

    def arrive(self, accounts: Int64, cents: Int64, references: Int64, day: int) -> Int64:
        """Note what has arrived there for accounts here; returns the numbers."""
        self.onshore_cents += int(cents.sum())
        same = {name: np.full(cents.size, value) for name, value in (("payment", -1), ("inward", 1), ("day", day))}
        columns = {**same, "account": accounts, "cents": cents, "reference": references}
        return self.append(cents.size, columns)

    def follow(self, statuses: npt.NDArray[np.signedinteger], day: int) -> int:
        """Take over what became of the day's payments, by payment number; returns how many were sent."""
        waiting = np.flatnonzero((self.table["status"] == WAITING) & (self.table["inward"] == 0))
        now = statuses[self.table["payment"][waiting]]
        sent, back = waiting[now == SETTLED], waiting[now == CANCELLED]
        cents = int(self.table["cents"][sent].sum())
        self.offshore_cents += cents
        self.onshore_cents -= cents
        self.table["status"][sent] = SENT
        self._end(back, TAKEN_BACK, day)
        return int(sent.size)

    def waiting_inward(self) -> Int64:
        """Return what has arrived there and is not credited here."""
        return np.flatnonzero((self.table["status"] == WAITING) & (self.table["inward"] == 1)).astype(np.int64)

    def credited(self, numbers: Int64, day: int) -> None:
        """Note that inward transfers were paid out here."""
        self.offshore_cents -= int(self.table["cents"][numbers].sum())
        self._end(numbers, CREDITED, day)

    def sent_back(self, numbers: Int64, day: int) -> None:
        """Return inward transfers to their senders there."""
        self.onshore_cents -= int(self.table["cents"][numbers].sum())
        self._end(numbers, RETURNED, day)

    def require_sent(self, numbers: Int64) -> None:
        """Raise Rejected unless all are different transfers that were sent and are not answered yet."""
        if not numbers.size or np.unique(numbers).size != numbers.size:
            raise refuse(RejectionReason.MALFORMED, "no transfer, or one twice", field="transfer")
        bad = np.flatnonzero((numbers < 0) | (numbers >= len(self)))
        if bad.size:
            raise refuse(RejectionReason.UNKNOWN, f"there is no transfer {int(numbers[bad[0]])}", field="transfer")
        other = np.flatnonzero(self.table["status"][numbers] != SENT)
        if other.size:
            number = int(numbers[other[0]])
            message = f"it is {STATUSES[int(self.table['status'][number])]}"
            raise refuse(RejectionReason.NOT_ALLOWED, message, field="transfer", subject=str(number))

    def answered(self, confirmed: Int64, returned: Int64, day: int) -> None:
        """Note what the other side confirmed and what it returned; what is returned was paid back here."""
        self._end(confirmed, CONFIRMED, day)
        cents = int(self.table["cents"][returned].sum())
        self.offshore_cents -= cents
        self.onshore_cents += cents
        self._end(returned, RETURNED, day)

    def check(self) -> None:
        """Raise InvariantBroken unless both accounts mirror each other and are what the transfers say."""
        table = self.table
        inward = table["inward"] == 1
        arrived = int(table["cents"][inward & np.isin(table["status"], (WAITING, CREDITED))].sum())
        paid_out = int(table["cents"][inward & (table["status"] == CREDITED)].sum())
        left = int(table["cents"][~inward & np.isin(table["status"], (SENT, CONFIRMED))].sum())
        if (self.onshore_cents, self.offshore_cents) != (arrived - left, left - paid_out):
            raise InvariantBroken("the accounts of the mainland link do not mirror each other")

    def dump(self) -> dict[str, bytes]:
        """Return the transfers and both accounts as named byte strings."""
        totals = np.array([self.offshore_cents, self.onshore_cents], "<i8").tobytes()
        return {**super().dump(), "totals": totals}

    def load(self, parts: dict[str, bytes]) -> None:  # type: ignore[override]
        """Take back a dump."""
        super().load(parts)
        self.offshore_cents, self.onshore_cents = np.frombuffer(parts["totals"], "<i8").tolist()

    def _end(self, numbers: Int64, status: int, day: int) -> None:
        self.table["status"][numbers], self.table["ended_day"][numbers] = status, day
