"""Positions of continuous net settlement: what is open, what moved, which money waits for confirmation.

Stock nets across the counters of one security, money never across currencies (hk-markets, dual counter, 30 May
2025). What failed yesterday joins today's netting with its contract amounts: nothing is ever re-priced.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import InvariantBroken

Int64 = npt.NDArray[np.int64]
Int32 = npt.NDArray[np.int32]
Int8 = npt.NDArray[np.int8]

_SECURITY_BITS = 24
_CURRENCY_BITS = 3


def _empty() -> Int64:
    return np.zeros(0, np.int64)


@dataclass(slots=True)
class CnsPositions:
    """Stock lines keyed (account, security), money lines keyed (account, security, currency); both sorted.

    Stock: ``due`` (to receive +, to deliver -) stood at the opening, ``moved`` of it has settled, ``on_hold`` is
    received and not yet paid for. Money, in cents, to pay +: ``due_cents`` stood at the opening, ``moved_cents`` of
    it fell due with the stock that moved, ``settled_cents`` of that is confirmed. The parts of a line are measured
    from ``base_moved`` and ``base_moved_cents``, where it stood when something was last added to it.
    """

    key: Int64 = field(default_factory=_empty)
    market: Int64 = field(default_factory=_empty)
    since_day: Int64 = field(default_factory=_empty)
    due: Int64 = field(default_factory=_empty)
    moved: Int64 = field(default_factory=_empty)
    on_hold: Int64 = field(default_factory=_empty)
    money_key: Int64 = field(default_factory=_empty)
    due_cents: Int64 = field(default_factory=_empty)
    moved_cents: Int64 = field(default_factory=_empty)
    settled_cents: Int64 = field(default_factory=_empty)
    base_moved: Int64 = field(default_factory=_empty)
    base_moved_cents: Int64 = field(default_factory=_empty)

    @property
    def account(self) -> Int32:
        """Account per stock line."""
        return (self.key >> _SECURITY_BITS).astype(np.int32)

    @property
    def security(self) -> Int32:
        """Security per stock line."""
        return (self.key & ((1 << _SECURITY_BITS) - 1)).astype(np.int32)

    @property
    def open(self) -> Int64:
        """Stock still to receive + or deliver - per stock line."""
        return self.due - self.moved

    @property
    def money_account(self) -> Int32:
        """Account per money line."""
        return (self.money_key >> (_SECURITY_BITS + _CURRENCY_BITS)).astype(np.int32)

    @property
    def money_currency(self) -> Int32:
        """Currency per money line."""
        return (self.money_key & ((1 << _CURRENCY_BITS) - 1)).astype(np.int32)

    @property
    def money_line(self) -> Int64:
        """Place of each money line's stock line."""
        return np.searchsorted(self.key, self.money_key >> _CURRENCY_BITS).astype(np.int64)

    @property
    def pending_cents(self) -> Int64:
        """Money that fell due and is not confirmed, per money line."""
        return self.moved_cents - self.settled_cents

    def begin_day(
        self,
        day: int,
        account: Int32,
        security: Int32,
        currency: Int32,
        market: Int32,
        quantity: Int64,
        amount_cents: Int64,
        *,
        roll: bool = True,
    ) -> None:
        """Roll what is open and add what is due today; columns have one item per (account, counter).

        A line whose stock nets to nothing has its money due at once. Without ``roll`` the day goes on and its own
        positions are added: the China Connect trades of the day, whose stock is due the same day.
        """
        if roll:
            self._roll()
        key = (account.astype(np.int64) << _SECURITY_BITS) | security
        joined, place = _union(self.key, key)
        old, new = place[: self.key.size], place[self.key.size :]
        before = _scatter(joined.size, old, self.open)
        self.due = _scatter(joined.size, old, self.due) + _scatter(joined.size, new, quantity)
        self.moved = _scatter(joined.size, old, self.moved)
        self.base_moved = _scatter(joined.size, old, self.base_moved)
        self.base_moved[new] = self.moved[new]
        self.on_hold = _scatter(joined.size, old, self.on_hold)
        markets, since = np.zeros(joined.size, np.int64), np.full(joined.size, day, np.int64)
        markets[new] = market
        markets[old] = self.market
        since[old] = self.since_day
        # A line is as old as its oldest open stock: what waits for money only, or turned around, starts today.
        since[np.sign(before) * np.sign(self.open) <= 0] = day
        self.key, self.market, self.since_day = joined, markets, since
        money = (key << _CURRENCY_BITS) | currency
        joined, place = _union(self.money_key, money)
        old, new = place[: self.money_key.size], place[self.money_key.size :]
        self.due_cents = _scatter(joined.size, old, self.due_cents) + _scatter(joined.size, new, amount_cents)
        self.moved_cents = _scatter(joined.size, old, self.moved_cents)
        self.settled_cents = _scatter(joined.size, old, self.settled_cents)
        self.base_moved_cents = _scatter(joined.size, old, self.base_moved_cents)
        self.money_key = joined
        changed = np.zeros(self.key.size, np.bool_)
        changed[np.searchsorted(self.key, key)] = True
        touched = changed[self.money_line]  # in all currencies: the stock they are paid for has changed
        self.base_moved_cents[touched] = self.moved_cents[touched]
        flat = self.open[self.money_line] == 0
        self.moved_cents[flat] = self.due_cents[flat]
        self.check()

    def move(self, line: Int64, quantity: Int64) -> None:
        """Book stock that moved on stock lines (signed like ``due``) and let the money fall due pro rata.

        ``line`` i8[n] without repeats. Cumulative: trunc(due money x moved stock / due stock), so that the number of
        parts does not matter, and the last part takes the remainder.
        """
        opened = self.open[line]
        if ((np.abs(quantity) > np.abs(opened)) | (quantity * np.sign(opened) < 0)).any():
            raise InvariantBroken("more stock moved than was open")
        self.moved[line] += quantity
        changed = np.zeros(self.key.size, np.bool_)
        changed[line] = quantity != 0
        stock = self.money_line
        money = np.flatnonzero(changed[stock])
        stock, base = stock[money], self.base_moved_cents[money]
        total, part = self.due[stock] - self.base_moved[stock], self.moved[stock] - self.base_moved[stock]
        cents = self.due_cents[money] - base
        self.moved_cents[money] = base + np.sign(cents) * _part(np.abs(cents), np.abs(part), np.abs(total))

    def carry_over(self, account: int, to: int) -> int:
        """Move all lines of an account to another, as they stand; returns how many stock lines.

        Lines of one security become one, as old as the older; their parts are measured anew.
        """
        mine = self.account == account
        moved = np.where(mine, (np.int64(to) << _SECURITY_BITS) | self.security, self.key)
        joined, place = np.unique(moved, return_inverse=True)
        changed = np.zeros(joined.size, np.bool_)
        changed[place[mine]] = True
        since, markets = np.full(joined.size, np.iinfo(np.int64).max), np.zeros(joined.size, np.int64)
        np.minimum.at(since, place, self.since_day)
        markets[place] = self.market
        line = self.money_line
        money = (moved[line] << _CURRENCY_BITS) | self.money_currency
        for name in ("due", "moved", "on_hold", "base_moved"):
            setattr(self, name, _scatter(joined.size, place, getattr(self, name)))
        self.key, self.market, self.since_day = joined, markets, since
        self.base_moved[changed] = self.moved[changed]
        self.money_key, place = np.unique(money, return_inverse=True)
        for name in ("due_cents", "moved_cents", "settled_cents", "base_moved_cents"):
            setattr(self, name, _scatter(self.money_key.size, place, getattr(self, name)))
        touched = changed[self.money_line]
        self.base_moved_cents[touched] = self.moved_cents[touched]
        flat = self.open[self.money_line] == 0
        self.moved_cents[flat] = self.due_cents[flat]
        self.check()
        return int(mine.sum())

    def check(self) -> None:
        """Raise InvariantBroken unless every security is flat over all accounts and money agrees with stock."""
        total = np.zeros(int(self.security.max()) + 1 if self.key.size else 0, np.int64)
        np.add.at(total, self.security, self.open)
        broken = np.flatnonzero(total)
        if broken.size:
            raise InvariantBroken(f"security {int(broken[0])}: open deliveries and receipts differ")
        part, whole = self.moved - self.base_moved, self.due - self.base_moved
        if (self.on_hold < 0).any() or (np.abs(part) > np.abs(whole)).any():
            raise InvariantBroken("a stock line moved more than was due, or holds less than nothing")
        done = self.open[self.money_line] == 0
        if (self.moved_cents[done] != self.due_cents[done]).any():
            raise InvariantBroken("all stock of a line moved, and not all of its money fell due")

    def dump(self) -> dict[str, bytes]:
        """Return the lines as named byte strings."""
        return {name: np.ascontiguousarray(getattr(self, name)).tobytes() for name in self.__slots__}

    def load(self, parts: dict[str, bytes]) -> None:
        """Take back a dump."""
        for name in self.__slots__:
            setattr(self, name, np.frombuffer(parts[name], np.int64).copy())

    def _roll(self) -> None:
        """Keep what is still open, unpaid or on hold, as the opening of the next day."""
        pending = self.pending_cents
        self.due_cents = self.due_cents - self.settled_cents
        self.moved_cents = pending
        keep = (self.due_cents != 0) | (pending != 0)
        self.money_key, self.due_cents = self.money_key[keep], self.due_cents[keep]
        self.moved_cents = self.moved_cents[keep]
        self.base_moved_cents = self.moved_cents.copy()
        self.settled_cents = np.zeros(self.money_key.size, np.int64)
        self.due = self.open
        alive = (self.due != 0) | (self.on_hold != 0)
        alive[np.searchsorted(self.key, self.money_key >> _CURRENCY_BITS)] = True
        self.key, self.market, self.since_day = self.key[alive], self.market[alive], self.since_day[alive]
        self.due, self.on_hold = self.due[alive], self.on_hold[alive]
        self.moved = np.zeros(self.key.size, np.int64)
        self.base_moved = np.zeros(self.key.size, np.int64)


def _part(amount: Int64, part: Int64, total: Int64) -> Int64:
    """Return amount * part // total, none negative, total > 0; a product beyond 64 bits is taken in Python."""
    safe = amount <= np.iinfo(np.int64).max // np.maximum(part, 1)
    result = np.where(safe, amount, 0) * part // total
    for i in np.flatnonzero(~safe).tolist():
        result[i] = int(amount[i]) * int(part[i]) // int(total[i])
    return result


def _union(old: Int64, new: Int64) -> tuple[Int64, Int64]:
    joined, place = np.unique(np.concatenate([old, new]), return_inverse=True)
    return joined, place.astype(np.int64)


def _scatter(size: int, place: Int64, values: Int64) -> Int64:
    total = np.zeros(size, np.int64)
    np.add.at(total, place, values)
    return total
