"""Gross instructions as structure of arrays: what is to move between two accounts, in which kind, and how far it is.

A row is a matched pair of orders; what one side has sent alone waits in :mod:`tsingma.settlement.matching`. Rules that
act on rows live beside: parties' actions in ``life``, settling in ``recycling``. Whatever proposes, only the ledger
books.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import InvariantBroken
from tsingma.settlement.growing import Growing

Int64 = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

STATUSES: tuple[str, ...] = ("matched", "on-hold", "settled", "failing", "cancelled")
MATCHED, ON_HOLD, SETTLED, FAILING, CANCELLED = range(len(STATUSES))

# from -> to; settled and cancelled are final (design, invariant 8). What was settled in part stays open.
LEGAL: frozenset[tuple[int, int]] = frozenset(
    {
        (MATCHED, ON_HOLD),
        (MATCHED, SETTLED),
        (MATCHED, FAILING),
        (MATCHED, CANCELLED),
        (ON_HOLD, MATCHED),
        (ON_HOLD, FAILING),
        (ON_HOLD, CANCELLED),
        (FAILING, SETTLED),
        (FAILING, ON_HOLD),
        (FAILING, CANCELLED),
    }
)

# Delivery versus payment, free of payment, with payment (the deliverer also pays), payment free of delivery (the
# deliverer pays), payment versus payment, delivery versus delivery. First four: T2S, Insights on matching fields (ECB,
# January 2015); all in posttrade.md, table b.
KINDS: tuple[str, ...] = ("dvp", "fop", "dwp", "pfod", "pvp", "dvd")
DVP, FOP, DWP, PFOD, PVP, DVD = range(len(KINDS))

# Reserved and top are the house's to give, parties choose between high and normal (T2S; posttrade.md A5).
PRIORITIES: tuple[str, ...] = ("reserved", "top", "high", "normal")
RESERVED, TOP, HIGH, NORMAL = range(len(PRIORITIES))

# Who may hold an instruction, each with a flag of its own; the first two are also who asks to cancel and who permits
# parts.
BY_DELIVERER, BY_RECEIVER, BY_HOUSE = 1, 2, 4
BY_BOTH = BY_DELIVERER | BY_RECEIVER

# Why an instruction did not settle when it was last tried.
REASONS: tuple[str, ...] = ("not tried", "lack of securities", "lack of cash", "waits for a linked instruction")
NOT_TRIED, LACK_OF_SECURITIES, LACK_OF_CASH, WAITS_FOR_LINK = range(len(REASONS))

# Where it came from: a trade of the exchange, two matched orders, one order sent as already matched, the house.
ORIGINS: tuple[str, ...] = ("trade", "matched", "already matched", "house")
FROM_TRADE, FROM_MATCHING, FROM_MATCHED, FROM_HOUSE = range(len(ORIGINS))

GIVEN = ("reference", "deliverer", "receiver", "security", "market", "currency", "quantity", "amount_cents",
         "intended_day")  # fmt: skip
COLUMNS: dict[str, str] = {
    **dict.fromkeys(GIVEN, "i8"),
    "status": "i8",
    "open_quantity": "i8",  # of ``quantity``, what has not settled; the second leg follows in proportion
    "released_quantity": "i8",  # of a held one, what may settle all the same
    "against_quantity": "i8",  # dvd: units of the second security
    "asset": "i4",  # what the deliverer delivers, as asset number; -1 in pfod
    "against": "i4",  # what the other leg moves, as asset number; -1 in fop
    "matched_day": "i4",
    "changed_day": "i4",  # when a party last changed something
    "settled_day": "i4",  # day of the last part
    "together": "i4",  # group of instructions that settle together or not at all; 0 is none
    "blocked_on": "i4",  # ledger row that was short when it was last tried
    "deliverer_order": "i4",
    "receiver_order": "i4",
    "kind": "i1",
    "priority": "i1",
    "holds": "i1",
    "cancels": "i1",
    "partial": "i1",
    "late": "i1",  # whose order came last when it was matched after its intended day
    "reason": "i1",
    "origin": "i1",
}
# What a column has where it is not given; 0 where nothing is said: unlinked dvp, matched, not held, not yet tried.
_DEFAULTS: dict[str, int] = {"priority": NORMAL, "blocked_on": -1, "deliverer_order": -1, "receiver_order": -1}


class Instructions(Growing):
    """Instructions as columns (types in ``COLUMNS``); an instruction's number is its place.

    ``table`` has views of the rows in use: they may be written, and are renewed when rows are added.
    ``reference`` is the trade id, or the number its sender gave.
    """

    def __init__(self) -> None:
        """Start without rows."""
        super().__init__(COLUMNS, subject="instructions")

    def add(self, **columns: npt.NDArray[np.signedinteger]) -> Int64:
        """Append instructions and return their numbers; one array per column of ``GIVEN``, others as wanted.

        What is not given is an unlinked delivery versus payment of normal priority, matched, whole and not held.
        Columns are trusted: check what comes from outside first. Raises Rejected (limit) above ROWS_MAX rows.
        """
        columns.setdefault("open_quantity", columns["quantity"])
        columns.setdefault("asset", columns["security"] + len(CURRENCIES))
        columns.setdefault("against", columns["currency"])
        numbers = self.append(columns["quantity"].size, {**_DEFAULTS, **columns})
        if "status" not in columns and "holds" in columns:
            self.table["status"][numbers[columns["holds"] != 0]] = ON_HOLD
        return numbers

    def change(self, chosen: Int64, status: int) -> None:
        """Move instructions to a status; raises InvariantBroken for a transition that is not legal.

        What is settled has nothing open any more.
        """
        now = self.table["status"][chosen]
        for before in np.unique(now).tolist():
            if (before, status) not in LEGAL:
                raise InvariantBroken(f"an instruction cannot go from {STATUSES[before]} to {STATUSES[status]}")
        self.table["status"][chosen] = status
        if status == SETTLED:
            self.table["open_quantity"][chosen] = 0

    def second_leg(self, chosen: Int64) -> Int64:
        """Return the whole amount of the other leg: cents, or units of the second security."""
        table = self.table
        return np.where(
            table["kind"][chosen] == DVD, table["against_quantity"][chosen], table["amount_cents"][chosen]
        ).astype(np.int64)

    def second_leg_of_part(self, chosen: Int64, part: Int64) -> Int64:
        """Return what the other leg moves when ``part`` of what is open settles.

        Cumulative: whole amount x settled quantity / quantity, rounded down, so that the number of parts does not
        matter and the last part takes the remainder (posttrade.md D1, 5).
        """
        quantity, whole = self.table["quantity"][chosen].astype(np.int64), self.second_leg(chosen)
        done = quantity - self.table["open_quantity"][chosen]
        return _share(whole, done + part, quantity) - _share(whole, done, quantity)

    def settled_amount(self, chosen: Int64) -> Int64:
        """Return what the other leg has moved so far."""
        table = self.table
        quantity = table["quantity"][chosen].astype(np.int64)
        part = _share(self.second_leg(chosen), quantity - table["open_quantity"][chosen], quantity)
        return np.where(table["status"][chosen] == SETTLED, self.second_leg(chosen), np.where(quantity > 0, part, 0))

    def mark_failing(self, day: int) -> int:
        """Mark what was intended for ``day`` or before and is not settled as failing; returns how many are new."""
        late = (self.table["status"] == MATCHED) & (self.table["intended_day"] <= day)
        self.change(np.flatnonzero(late), FAILING)
        return int(late.sum())

    def counts(self) -> dict[str, int]:
        """Return the number of instructions per status."""
        numbers = np.bincount(self.table["status"], minlength=len(STATUSES))
        return dict(zip(STATUSES, numbers.tolist(), strict=True))

    def check(self) -> None:
        """Raise InvariantBroken unless every row agrees with itself: status, flags and what is open."""
        table = self.table
        status, quantity, left = table["status"], table["quantity"], table["open_quantity"]
        open_rows = np.isin(status, (MATCHED, ON_HOLD, FAILING))
        for broken, message in (
            ((left < 0) | (left > quantity), "more is open than was instructed, or less than nothing"),
            ((status == SETTLED) & (left != 0), "settled, and something is open"),
            (open_rows & ((status == ON_HOLD) != (table["holds"] != 0)), "its status and its holds differ"),
            (open_rows & (quantity > 0) & (left == 0), "nothing is open, and it is not settled"),
        ):
            wrong = np.flatnonzero(broken)
            if wrong.size:
                raise InvariantBroken(f"instruction {int(wrong[0])}: {message}")


def _share(amount: Int64, part: Int64, whole: Int64) -> Int64:
    """Return amount x part / whole rounded down, none negative; a product beyond 64 bits is taken in Python."""
    whole, part = np.maximum(whole, 1), np.asarray(part, np.int64)
    safe = amount <= np.iinfo(np.int64).max // np.maximum(part, 1)
    result: Int64 = np.where(safe, amount, 0) * part // whole
    for i in np.flatnonzero(~safe).tolist():
        result[i] = int(amount[i]) * int(part[i]) // int(whole[i])
    return result
