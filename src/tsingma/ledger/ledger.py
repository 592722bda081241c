"""The books: balances, holds and pledges of every account in every asset, as structure of arrays.

A row is one (owner, asset). A transfer debits one row and credits another of the same asset, so the sum over
all rows of an asset never changes from zero. What is held or pledged is not available, and nobody goes below
the floor of the row: ``balance - held - pledged >= floor`` at every instant (design, section 1).
"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import InvariantBroken, RejectionReason, refuse
from tsingma.kernels import postings

Int64 = npt.NDArray[np.int64]
Int32 = npt.NDArray[np.int32]
Int8 = npt.NDArray[np.int8]

NO_FLOOR = -(2**62)
ROWS_MAX = 2**31 - 1
TABLE_FROM, TABLE_MAX = 4_096, 1 << 22  # items from which on, and pairs up to which, rows are found through a table
_COLUMNS = ("balance", "held", "pledged", "floor")


class Ledger:
    """Rows grow by doubling and are never removed; every change goes through a checked kernel."""

    def __init__(self, *, rows_max: int = ROWS_MAX) -> None:
        """Start without rows; ``rows_max`` is the documented bound on them."""
        self._rows_max = rows_max
        self._count = 0
        self._key: Int64 = np.zeros(16, np.int64)
        self._numbers: Int64 = np.zeros((4, 16), np.int64)
        self._sorted_key: Int64 = np.zeros(0, np.int64)
        self._sorted_row: Int64 = np.zeros(0, np.int64)

    @property
    def count(self) -> int:
        """Number of rows."""
        return self._count

    @property
    def owner(self) -> Int32:
        """Owner (account index) per row."""
        return (self._key[: self._count] >> 32).astype(np.int32)

    @property
    def asset(self) -> Int32:
        """Asset per row."""
        return (self._key[: self._count] & 0xFFFFFFFF).astype(np.int32)

    @property
    def balance(self) -> Int64:
        """Balance per row (shares, or cents); a view."""
        return self._numbers[0, : self._count]

    @property
    def held(self) -> Int64:
        """Amount on hold per row; a view."""
        return self._numbers[1, : self._count]

    @property
    def pledged(self) -> Int64:
        """Amount pledged per row; a view."""
        return self._numbers[2, : self._count]

    @property
    def floor(self) -> Int64:
        """Lowest allowed ``balance - held - pledged`` per row; a view."""
        return self._numbers[3, : self._count]

    def rows(self, owner: Int32, asset: Int32, *, floor: int = 0) -> Int64:
        """Return the row of each (owner, asset), i8[n]; missing rows are opened with ``floor``, in key order.

        Raises Rejected (out-of-range) for negative indices and Rejected (limit) above the bound on rows.
        """
        key = _pack(owner, asset)
        width = int(asset.max()) + 1 if key.size > TABLE_FROM else 0
        if width and (int(owner.max()) + 1) * width <= TABLE_MAX:  # many items on few rows: look each pair up once
            code = owner.astype(np.int64) * width + asset
            used = np.zeros((int(owner.max()) + 1) * width, np.bool_)
            used[code] = True
            pairs = np.flatnonzero(used)
            table = np.zeros(used.size, np.int64)
            table[pairs] = self._find((pairs // width << 32) | pairs % width, floor)
            found: Int64 = table[code]
            return found
        return self._find(key, floor)

    def _find(self, key: Int64, floor: int) -> Int64:
        place = np.searchsorted(self._sorted_key, key)
        known = self._known(key, place)
        if not known.all():
            self._open(np.unique(key[~known]), floor)
            place = np.searchsorted(self._sorted_key, key)
        return self._sorted_row[place]

    def close_rows(self, count: int) -> None:
        """Close the rows opened since there were ``count``: a command that opened them was refused.

        Raises InvariantBroken when something stands on one of them.
        """
        if self._numbers[:3, count : self._count].any():
            raise InvariantBroken("a row that was opened for a refused command holds something")
        keep = self._sorted_row < count
        self._sorted_key, self._sorted_row, self._count = self._sorted_key[keep], self._sorted_row[keep], count

    def row(self, owner: int, asset: int, *, floor: int = 0) -> int:
        """Return the row of one (owner, asset), opened with ``floor`` when missing."""
        return int(self.rows(np.array([owner], np.int32), np.array([asset], np.int32), floor=floor)[0])

    def find(self, owner: int, asset: int) -> int:
        """Return the row of one (owner, asset), or -1 when it was never opened."""
        key = (owner << 32) | asset
        place = int(np.searchsorted(self._sorted_key, key))
        known = place < self._sorted_key.size and int(self._sorted_key[place]) == key
        return int(self._sorted_row[place]) if known else -1

    def find_all(self, owners: Int32, assets: Int32) -> Int64:
        """Return the row of each (owner, asset), or -1 where it was never opened; opens none."""
        key = _pack(owners, assets)
        place = np.searchsorted(self._sorted_key, key)
        if not self._count:
            return np.full(key.size, -1, np.int64)
        return np.where(self._known(key, place), self._sorted_row[np.minimum(place, self._count - 1)], -1)

    def available(self, rows: Int64) -> Int64:
        """Return balance - held - pledged - floor per row; rows without a floor answer what 64 bits hold."""
        return self.balance[rows] - self.held[rows] - self.pledged[rows] - self.floor[rows]

    def post(self, debit: Int64, credit: Int64, amount: Int64, linked: npt.NDArray[np.bool_] | None = None) -> Int8:
        """Carry out transfers in order and return one result code each (see ``kernels.postings``; 0 is booked).

        ``linked[i]`` joins transfer i to i+1: such a chain is booked whole or not at all.
        """
        chain = np.zeros(debit.size, np.bool_) if linked is None else linked
        return postings.transfer(self._key, self._numbers, *self._checked(debit, credit, amount), chain)

    def post_all(self, debit: Int64, credit: Int64, amount: Int64) -> int | None:
        """Book the whole batch, or nothing and return the index of the first transfer that failed."""
        chain = np.ones(debit.size, np.bool_)
        if chain.size:
            chain[-1] = False
        failed = np.flatnonzero(self.post(debit, credit, amount, chain) != postings.BOOKED)
        if not failed.size:
            return None
        result = postings.first_failure(self._key, self._numbers, *self._checked(debit, credit, amount))
        return int(failed[0]) if result < 0 else result

    def post_together(self, debit: Int64, credit: Int64, amount: Int64) -> int | None:
        """Book transfers at one instant, so that only the net change of each row must be covered.

        Returns the first row that would be short (nothing is booked then), or None. Raises Rejected (out-of-range) for
        amounts that are not positive, could overflow, or would change the asset.
        """
        debit, credit, amount = self._checked(debit, credit, amount)
        low, high = int((amount & 0x7FFFFFFF).sum()), int((amount >> 31).sum())
        other = ((self._key[debit] ^ self._key[credit]) & 0xFFFFFFFF) != 0
        if ((amount <= 0) | other).any() or (high << 31) + low > -NO_FLOOR:
            raise refuse(RejectionReason.OUT_OF_RANGE, "an amount that cannot be booked together", field="amount")
        rows, place = np.arange(self._count), np.concatenate([debit, credit])
        if place.size < self._count:  # few rows: leave the others alone
            rows, place = np.unique(place, return_inverse=True)
        change = np.zeros(rows.size, np.int64)
        np.add.at(change, place, np.concatenate([-amount, amount]))
        short = (change < 0) & (self.available(rows) + change < 0)
        if short.any():
            return int(rows[int(np.flatnonzero(short)[0])])
        after = self.balance[rows] + change
        if (np.abs(after) > -NO_FLOOR).any():
            raise refuse(RejectionReason.OUT_OF_RANGE, "a balance would leave 62 bits", field="amount")
        self.balance[rows] = after
        return None

    def hold(self, rows: Int64, amounts: Int64) -> Int8:
        """Put amounts on hold where available; one result code each."""
        return postings.reserve(self._numbers, 1, self._bound(rows), amounts)

    def release(self, rows: Int64, amounts: Int64) -> Int8:
        """Take amounts off hold; one result code each."""
        return postings.free(self._numbers, 1, self._bound(rows), amounts)

    def pledge(self, rows: Int64, amounts: Int64) -> Int8:
        """Pledge amounts where available; one result code each."""
        return postings.reserve(self._numbers, 2, self._bound(rows), amounts)

    def unpledge(self, rows: Int64, amounts: Int64) -> Int8:
        """Give pledged amounts back; one result code each."""
        return postings.free(self._numbers, 2, self._bound(rows), amounts)

    def set_floor(self, rows: Int64, floors: Int64) -> None:
        """Set how far rows may go down; raises InvariantBroken for a row that is lower already."""
        if (self.balance[rows] - self.held[rows] - self.pledged[rows] < floors).any():
            raise InvariantBroken("a floor above what is there")
        self.floor[self._bound(rows)] = floors

    def check(self) -> None:
        """Raise InvariantBroken unless every asset sums to zero and every row is at or above its floor."""
        balance, held, pledged = self.balance, self.held, self.pledged
        total = np.zeros(int(self.asset.max()) + 1 if self._count else 0, np.int64)
        np.add.at(total, self.asset, balance)
        broken = np.flatnonzero(total)
        if broken.size:
            raise InvariantBroken(f"asset {int(broken[0])} sums to {int(total[broken[0]])}, not to zero")
        if (held < 0).any() or (pledged < 0).any():
            raise InvariantBroken("a hold or a pledge is negative")
        below = np.flatnonzero(balance - held - pledged < self.floor)
        if below.size:
            row = int(below[0])
            raise InvariantBroken(
                f"account {int(self.owner[row])}, asset {int(self.asset[row])} is below its floor: balance "
                f"{int(balance[row])}, held {int(held[row])}, pledged {int(pledged[row])}, floor {int(self.floor[row])}"
            )

    def dump(self) -> dict[str, bytes]:
        """Return the rows as little-endian columns."""
        parts = {"key": self._key[: self._count].astype("<i8").tobytes()}
        for place, name in enumerate(_COLUMNS):
            parts[name] = self._numbers[place, : self._count].astype("<i8").tobytes()
        return parts

    def load(self, parts: dict[str, bytes]) -> None:
        """Take back a dump and check it; raises InvariantBroken when it is not whole."""
        key = np.frombuffer(parts["key"], "<i8").astype(np.int64)
        columns = [np.frombuffer(parts[name], "<i8").astype(np.int64) for name in _COLUMNS]
        if any(column.size != key.size for column in columns):
            raise InvariantBroken("the columns of a ledger dump differ in length")
        self._key, self._numbers, self._count = key, np.ascontiguousarray(np.stack(columns)), key.size
        order = np.argsort(key, kind="stable")
        self._sorted_key, self._sorted_row = key[order], order.astype(np.int64)
        self.check()

    def digest(self) -> bytes:
        """Return SHA-256 over all rows in key order (32 bytes): the order of opening does not matter."""
        total = hashlib.sha256(self._sorted_key.astype("<i8").tobytes())
        for place in range(len(_COLUMNS)):
            total.update(self._numbers[place][self._sorted_row].astype("<i8").tobytes())
        return total.digest()

    def _known(self, key: Int64, place: npt.NDArray[np.intp]) -> npt.NDArray[np.bool_]:
        if not self._count:
            return np.zeros(key.size, np.bool_)
        known: npt.NDArray[np.bool_] = self._sorted_key[np.minimum(place, self._count - 1)] == key
        return known

    def _open(self, key: Int64, floor: int) -> None:
        count = self._count + key.size
        if count > self._rows_max:
            raise refuse(RejectionReason.LIMIT, f"{count} ledger rows, {self._rows_max} at most", subject="ledger")
        if count > self._key.size:
            room = max(count, 2 * self._key.size)
            self._key = np.concatenate([self._key, np.zeros(room - self._key.size, np.int64)])
            self._numbers = np.concatenate([self._numbers, np.zeros((4, room - self._numbers.shape[1]), np.int64)], 1)
        self._key[self._count : count] = key
        self._numbers[3, self._count : count] = floor
        merged = np.concatenate([self._sorted_key, key])
        order = np.argsort(merged, kind="stable")
        row = np.concatenate([self._sorted_row, np.arange(self._count, count, dtype=np.int64)])
        self._sorted_key, self._sorted_row, self._count = merged[order], row[order], count

    def _bound(self, rows: Int64) -> Int64:
        if rows.size and int(rows.view(np.uint64).max()) >= self._count:  # a negative number reads as a huge one
            raise refuse(RejectionReason.UNKNOWN, "a ledger row that was never opened", field="row")
        return rows

    def _checked(self, debit: Int64, credit: Int64, amount: Int64) -> tuple[Int64, Int64, Int64]:
        if not debit.size == credit.size == amount.size:
            raise refuse(RejectionReason.MALFORMED, "the columns of a transfer batch differ in length")
        return self._bound(debit), self._bound(credit), amount


def _pack(owner: Int32, asset: Int32) -> Int64:
    if owner.size and int((owner | asset).min()) < 0:
        raise refuse(RejectionReason.OUT_OF_RANGE, "an account or asset number is negative", field="owner, asset")
    return (owner.astype(np.int64) << 32) | asset.astype(np.int64)
