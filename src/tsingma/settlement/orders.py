"""Orders: what one side alone has told the house, waiting for the other side's. Two that match are one instruction.

An order names the party on the other side; its account there is an optional matching field. Whether an order is
possible at all is checked here, item by item, so that one bad order never hides the next.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import InvariantBroken
from tsingma.settlement.growing import Growing

Int64 = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

ORDER_STATUSES: tuple[str, ...] = ("waiting", "matched", "cancelled")
WAITING, PAIRED, WITHDRAWN = range(len(ORDER_STATUSES))

# Additional matching fields: opt-out of transformations, cum and ex coupon.
CONDITIONS: tuple[str, ...] = ("opt-out", "cum", "ex")
NOT_ALLEGED, ALLEGED, ALLEGEMENT_REMOVED = range(3)

REFERENCE_MAX = 2**40
AMOUNT_MAX = 2**53

# Name, type and value when left out: what a sender gives.
ORDER_COLUMNS: dict[str, tuple[str, int | None]] = {
    "reference": ("i8", None),  # unique for each participant
    "account": ("i4", None),  # the sender's own
    "counterparty": ("i4", None),  # a participant
    "delivers": ("i1", None),  # 1: the sender delivers (in pfod: pays), 0: it receives
    "trade_day": ("i4", None),
    "intended_day": ("i4", None),
    "kind": ("i1", 0),
    "security": ("i4", -1),
    "currency": ("i1", -1),  # of the money
    "paid_currency": ("i1", -1),  # pvp: the money delivered
    "against_security": ("i4", -1),  # dvd: the security given in return
    "quantity": ("i8", 0),  # units, or cents of ``paid_currency``
    "amount_cents": ("i8", 0),
    "against_quantity": ("i8", 0),
    "counterparty_account": ("i4", -1),
    "priority": ("i1", 3),
    "partial": ("i1", 1),  # 0: the sender opts out of parts
    "hold": ("i1", 0),
    "conditions": ("i1", 0),  # bits of CONDITIONS
    "common_reference": ("i8", 0),
    "client": ("i8", 0),
    "counterparty_client": ("i8", 0),
    "pool": ("i8", 0),
    "pool_size": ("i4", 0),
    "matched": ("i1", 0),  # 1: both sides agreed elsewhere; the sender speaks for both
}
_OWN: dict[str, str] = {
    "participant": "i4", "market": "i1", "asset": "i4", "against": "i4", "status": "i1", "instruction": "i4",
    "entered_day": "i4", "entered_s": "i4", "changed_day": "i4", "alleged": "i1", "key": "i8",
}  # fmt: skip
_TYPES: dict[str, str] = {**{name: kind for name, (kind, _) in ORDER_COLUMNS.items()}, **_OWN}


class Orders(Growing):
    """Orders as columns; an order's number is its place, so numbers follow the order of entry."""

    def __init__(self) -> None:
        """Start without orders."""
        super().__init__(_TYPES, subject="orders")

    def add(self, columns: dict[str, npt.NDArray[np.signedinteger]], day: int, second: int) -> Int64:
        """Append checked orders (every column of ORDER_COLUMNS, and participant, market, asset, against)."""
        own = {"instruction": -1, "entered_day": day, "entered_s": second, "changed_day": day}
        return self.append(columns["reference"].size, {**columns, **own, "key": matching_key(columns)})

    def pair(self, orders: Int64, instructions: Int64) -> int:
        """Mark orders as matched in instructions; returns how many allegements end with it."""
        self._end(orders, PAIRED)
        self.table["instruction"][orders] = instructions
        return self._remove_allegements(orders)

    def withdraw(self, orders: Int64) -> int:
        """Mark orders as cancelled; returns how many allegements end with it."""
        self._end(orders, WITHDRAWN)
        return self._remove_allegements(orders)

    def allege(self, day: int, second: int, *, delay_s: int, at_once_s: int, cut_off_s: int) -> Int64:
        """Tell parties of orders that wait for theirs, and return which are new.

        An order is alleged ``delay_s`` after its entry; at once when it came in the last ``at_once_s`` before the
        cut-off of its intended day, or after that day. Source: Delegated Regulation (EU) 2018/1229, article 11(1).
        """
        table = self.table
        waited = (table["entered_day"] < day) | (second - table["entered_s"] >= delay_s)
        pressing = (table["intended_day"] < day) | ((table["intended_day"] == day) & (second >= cut_off_s - at_once_s))
        due = (table["status"] == WAITING) & (table["alleged"] == NOT_ALLEGED) & (waited | pressing)
        fresh = np.flatnonzero(due).astype(np.int64)
        table["alleged"][fresh] = ALLEGED
        return fresh

    def expire(self, oldest_day: int) -> Int64:
        """Cancel what waits since before ``oldest_day`` (intended day or last change, the later) and return it."""
        table = self.table
        since = np.maximum(table["intended_day"], table["changed_day"])
        old = np.flatnonzero((table["status"] == WAITING) & (since < oldest_day)).astype(np.int64)
        self.withdraw(old)
        return old

    def seen(self, participant: npt.NDArray[np.signedinteger], reference: npt.NDArray[np.signedinteger]) -> Bools:
        """Return which (participant, reference) the orders have already, or have twice among themselves."""
        fresh = _sender_key(participant, reference)
        repeated = np.zeros(fresh.size, np.bool_)
        order = np.sort(fresh)
        if (order[1:] == order[:-1]).any():
            repeated[:] = True
            repeated[np.unique(fresh, return_index=True)[1]] = False
        last = np.full(max(int(participant.max(initial=0)), int(self.table["participant"].max(initial=0))) + 1, -1)
        np.maximum.at(last, self.table["participant"], self.table["reference"])
        if (reference <= last[participant]).any():  # not all of them count on from what came before
            repeated |= np.isin(fresh, _sender_key(self.table["participant"], self.table["reference"]))
        return repeated

    def counts(self) -> dict[str, int]:
        """Return the number of orders per status."""
        numbers = np.bincount(self.table["status"], minlength=len(ORDER_STATUSES))
        return dict(zip(ORDER_STATUSES, numbers.tolist(), strict=True))

    def check(self) -> None:
        """Raise InvariantBroken unless an order has an instruction exactly when it is matched."""
        table = self.table
        wrong = np.flatnonzero((table["status"] == PAIRED) != (table["instruction"] >= 0))
        if wrong.size:
            raise InvariantBroken(f"order {int(wrong[0])}: its status and its instruction differ")

    def _end(self, orders: Int64, status: int) -> None:
        if (self.table["status"][orders] != WAITING).any():
            raise InvariantBroken("an order ends only once")
        self.table["status"][orders] = status

    def _remove_allegements(self, orders: Int64) -> int:
        ended = orders[self.table["alleged"][orders] == ALLEGED]
        self.table["alleged"][ended] = ALLEGEMENT_REMOVED
        return int(ended.size)


def matching_key(columns: dict[str, npt.NDArray[np.signedinteger]]) -> Int64:
    """Return a number that is the same for orders whose mandatory fields agree (amounts apart).

    It only gathers candidates: who matches is decided on the fields themselves.
    """
    delivers = columns["delivers"] != 0
    deliverer = np.where(delivers, columns["participant"], columns["counterparty"])
    receiver = np.where(delivers, columns["counterparty"], columns["participant"])
    key = np.full(delivers.size, 1469598103934665603, np.int64)
    names = ("kind", "asset", "against", "quantity", "against_quantity", "trade_day", "intended_day")
    for part in (deliverer, receiver, *(columns[name] for name in names)):
        key = (key ^ part.astype(np.int64)) * np.int64(1099511628211)
        key ^= key >> 29
    return key


def _sender_key(
    participant: npt.NDArray[np.signedinteger], reference: npt.NDArray[np.signedinteger]
) -> Int64:  # references are below 2^40, participants far below 2^23
    return (participant.astype(np.int64) << 40) | reference.astype(np.int64)


def assets_of(columns: dict[str, npt.NDArray[np.signedinteger]]) -> tuple[Int64, Int64]:
    """Return what is delivered and what comes back as asset numbers (-1 for none)."""
    base = len(CURRENCIES)
    security, second = columns["security"].astype(np.int64), columns["against_security"].astype(np.int64)
    paid, money = columns["paid_currency"].astype(np.int64), columns["currency"].astype(np.int64)
    asset = np.where(security >= 0, security + base, paid)
    return asset, np.where(second >= 0, second + base, money)
