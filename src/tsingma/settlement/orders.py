"""Orders: what one side alone has told the house, waiting for the other side's. Two that match are one instruction.

An order names the party on the other side; its account there is an optional matching field. Whether an order is
possible at all is checked here, item by item, so that one bad order never hides the next.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import InvariantBroken
from tsingma.settlement.growing import Growing
from tsingma.settlement.key_index import KeyIndex

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


@dataclass(frozen=True, slots=True)
class Delays:
    """When an order is alleged: so long after its entry; at once in the last seconds before a cut-off. All seconds."""

    after_s: int
    at_once_s: int
    cut_off_s: int


_FACING = np.int64(0x5851F42D4C957F2D)  # tells the keys of the two sides apart
_NEVER = 2**62


class Orders(Growing):
    """Orders as columns; an order's number is its place, so numbers follow the order of entry.

    Beside them stand indices by sender's reference and by what must match, and the second until which nobody needs to
    be alleged: all of it follows from the columns.
    """

    def __init__(self) -> None:
        """Start without orders."""
        super().__init__(_TYPES, subject="orders")
        self._forget()

    def load(self, parts: Mapping[str, bytes]) -> None:
        """Take back a dump."""
        super().load(parts)
        self._forget()

    def _forget(self) -> None:
        """Start the indices anew: they are filled when they are next asked."""
        self._last = np.full(1, -1, np.int64)  # greatest reference, by participant
        self._last_to = 0
        self._senders = KeyIndex()
        self._senders_to = 0  # orders in the index
        self._sides = KeyIndex(keep=lambda orders: self.table["status"][orders] == WAITING)
        self._sides_to = 0
        self._quiet: tuple[int, Delays] | None = None  # day and rules for which nothing is due before ``_quiet_until``
        self._quiet_until = 0
        self._quiet_to = 0  # orders judged by then

    def add(self, columns: dict[str, npt.NDArray[np.signedinteger]], day: int, second: int) -> Int64:
        """Append checked orders (every column of ORDER_COLUMNS, and participant, market, asset, against)."""
        own = {"instruction": -1, "entered_day": day, "entered_s": second, "changed_day": day}
        return self.append(columns["reference"].size, {**columns, **own, "key": matching_key(columns)})

    def pair(self, orders: Int64, instructions: Int64) -> Int64:
        """Mark orders as matched in instructions; returns the places among ``orders`` whose allegement ends with it."""
        self._end(orders, PAIRED)
        self.table["instruction"][orders] = instructions
        return self._remove_allegements(orders)

    def withdraw(self, orders: Int64) -> int:
        """Mark orders as cancelled; returns how many allegements end with it."""
        self._end(orders, WITHDRAWN)
        return int(self._remove_allegements(orders).size)

    def allege(self, day: int, second: int, delays: Delays) -> Int64:
        """Tell parties of orders that wait for theirs, and return which are new.

        An order is alleged some time after its entry; at once when it came in shortly before the cut-off of its
        intended day, or after that day. Source: Delegated Regulation (EU) 2018/1229, article 11(1).
        """
        known = self._quiet == (day, delays) and second < self._quiet_until
        start = self._quiet_to if known else 0
        due_s = self._due_s(slice(start, None), day, delays)
        due = due_s <= second
        fresh = start + np.flatnonzero(due).astype(np.int64)
        self.table["alleged"][fresh] = ALLEGED
        later = int(due_s[~due].min(initial=_NEVER))
        self._quiet_until = min(self._quiet_until, later) if known else later
        self._quiet, self._quiet_to = (day, delays), len(self)
        return fresh

    def allege_entered(self, orders: Int64, day: int, second: int, delays: Delays) -> None:
        """Allege those of some orders, entered this second, that are due at once."""
        self.table["alleged"][orders[self._due_s(orders, day, delays) <= second]] = ALLEGED

    def _due_s(self, orders: Int64 | slice, day: int, delays: Delays) -> Int64:
        """Return the second of the day at which each order is to be alleged, a very late one for those that are not."""
        names = ("status", "alleged", "entered_day", "entered_s", "intended_day")
        status, alleged, entered_day, entered_s, intended = (self.table[name][orders] for name in names)
        waited = np.where(entered_day < day, 0, entered_s.astype(np.int64) + delays.after_s)
        pressing_s = delays.cut_off_s - delays.at_once_s
        pressing = np.where(intended < day, 0, np.where(intended == day, pressing_s, _NEVER))
        asked = (status == WAITING) & (alleged == NOT_ALLEGED)
        return np.where(asked, np.minimum(waited, pressing), _NEVER)

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
        if (reference > self._last_of(participant)).all():  # all of them count on from what came before
            return repeated
        if self._senders_to < len(self):
            senders = _sender_key(*(self.table[name][self._senders_to :] for name in ("participant", "reference")))
            self._senders.add(senders, np.arange(self._senders_to, len(self)))
            self._senders_to = len(self)
        return repeated | self._senders.has(fresh)

    def _last_of(self, participant: npt.NDArray[np.signedinteger]) -> Int64:
        """Return the greatest reference of each participant so far, -1 for none."""
        fresh = self.table["participant"][self._last_to :]
        most = max(int(participant.max(initial=0)), int(fresh.max(initial=0)))
        if most >= self._last.size:
            self._last = np.concatenate([self._last, np.full(most + 1 - self._last.size, -1)])
        if fresh.size:
            np.maximum.at(self._last, fresh, self.table["reference"][self._last_to :])
            self._last_to = len(self)
        last: Int64 = self._last[participant]
        return last

    def facing(self, orders: Int64) -> Int64:
        """Return the waiting orders that may match one of ``orders``, by what must agree; in rising order."""
        if self._sides_to < len(self):
            rows = self._sides_to + np.flatnonzero(self.table["status"][self._sides_to :] == WAITING)
            self._sides.add(_side_key(self.table["key"][rows], self.table["delivers"][rows]), rows)
            self._sides_to = len(self)
        found = self._sides.find(_side_key(self.table["key"][orders], self.table["delivers"][orders] == 0))
        facing: Int64 = found[self.table["status"][found] == WAITING]
        return facing

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

    def _remove_allegements(self, orders: Int64) -> Int64:
        ended = np.flatnonzero(self.table["alleged"][orders] == ALLEGED).astype(np.int64)
        self.table["alleged"][orders[ended]] = ALLEGEMENT_REMOVED
        return ended


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


def _side_key(key: Int64, delivers: npt.NDArray[np.signedinteger] | Bools) -> Int64:
    return np.where(delivers != 0, key ^ _FACING, key)


def assets_of(columns: dict[str, npt.NDArray[np.signedinteger]]) -> tuple[Int64, Int64]:
    """Return what is delivered and what comes back as asset numbers (-1 for none)."""
    base = len(CURRENCIES)
    security, second = columns["security"].astype(np.int64), columns["against_security"].astype(np.int64)
    paid, money = columns["paid_currency"].astype(np.int64), columns["currency"].astype(np.int64)
    asset = np.where(security >= 0, security + base, paid)
    return asset, np.where(second >= 0, second + base, money)
