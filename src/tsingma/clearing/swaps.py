"""Cleared interest rate swaps in the books: novation, one position an account and series, daily variation margin.

Trades of a series differ in their fixed rate alone, so a position is two integers: net notional N (plus pays fixed) and
W, the sum of notional times fixed rate. At a floating leg worth F and an annuity A of a notional of one it is worth

    N x F - W x A

and trades of one account and series compress by themselves. Each evening pays what that changed by, with the coupons
that fell due; price alignment interest is not paid. Whole cents: what rounding leaves of a series goes, cent by cent,
to the positions with the largest fractions, so that every series' flows add up to zero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import InvariantBroken, Rejected, Rejection, RejectionReason
from tsingma.journal.swap_commands import SwapTerms

Int64 = npt.NDArray[np.int64]
Fault = tuple[RejectionReason, str, str]

SERIES_MAX = 2**20
NOTIONAL_MAX_CENTS = 10**13
RATE_MAX_E6 = 10**6
SUM_MAX = 2**60
LEG_MAX_E12 = 100 * 10**12
SCALE = 10**18  # a value in e12 times a rate in e6
DAYS_MAX = 60 * 366


@dataclass(frozen=True, slots=True)
class SwapTrades:
    """Executed swaps as columns int64; ``series`` and the accounts are indices, ``rate_e6`` the fixed rate a year."""

    trade_id: Int64
    series: Int64
    payer: Int64
    receiver: Int64
    notional_cents: Int64
    rate_e6: Int64


class SwapMark(msgspec.Struct, frozen=True):
    """A series on an evening, of a notional of one x 10^12: both legs, what fell due, and the running fixing."""

    floating_e12: int
    annuity_e12: int
    floating_paid_e12: int = 0
    fixed_paid_e12: int = 0
    fixing_e6: int = 0
    reset_day: int = 0


class SwapPosition(msgspec.Struct, frozen=True):
    """Net notional in cents (plus pays fixed), notional times fixed rate x 10^6, and the value paid for so far."""

    notional_cents: int
    weighted_e6: int
    settled_cents: int


class SwapBook:
    """Series, positions by account and series, the last marks, and money that accounts still owe."""

    def __init__(self) -> None:
        """Start empty."""
        self.series: tuple[SwapTerms, ...] = ()
        self.positions: dict[int, SwapPosition] = {}  # account x 2**20 + series
        self.seen: set[int] = set()  # trade ids of the day
        self.marks: dict[int, SwapMark] = {}
        self.marked_day = 0
        self.owed: dict[int, dict[int, int]] = {}  # by currency: cents by account

    def add_series(self, more: tuple[SwapTerms, ...], day: int) -> None:
        """Add series; raises Rejected with every one that is a duplicate, over or impossible."""
        known = {one.id for one in self.series}
        faults = []
        for one in more:
            wrong = _series_fault(one, known, day)
            if wrong:
                faults.append(Rejection(reason=wrong[0], field=wrong[1], subject=f"swap {one.id}", message=wrong[2]))
            known.add(one.id)
        if len(self.series) + len(more) > SERIES_MAX:
            faults.append(Rejection(reason=RejectionReason.LIMIT, field="series", message=f"more than {SERIES_MAX}"))
        if faults:
            raise Rejected(*faults)
        self.series = (*self.series, *more)

    def check(self, trades: SwapTrades, accounts: int, day: int) -> list[Rejection]:
        """Return what is wrong with a batch of trades, the first fault of each; changes nothing."""
        faults, seen, sums = [], set(self.seen), dict[int, tuple[int, int]]()
        for place in range(trades.trade_id.size):
            row = [int(getattr(trades, name)[place]) for name in SwapTrades.__slots__]
            wrong = self._trade_fault(row, accounts, day, seen) or self._too_large(row, sums)
            if wrong:
                subject = f"swap trade {row[0]}"
                faults.append(Rejection(reason=wrong[0], field=wrong[1], subject=subject, message=wrong[2]))
            seen.add(row[0])
        return faults

    def _trade_fault(self, row: list[int], accounts: int, day: int, seen: set[int]) -> Fault | None:
        trade_id, series, payer, receiver, notional, rate = row
        if trade_id in seen:
            return RejectionReason.DUPLICATE, "trade_id", "was registered today already"
        if not 0 <= series < len(self.series):
            return RejectionReason.UNKNOWN, "series", f"number {series} is not listed"
        if not (0 <= payer < accounts and 0 <= receiver < accounts):
            return RejectionReason.UNKNOWN, "account", "payer or receiver is not known"
        if payer == receiver:
            return RejectionReason.NOT_ALLOWED, "account", "an account cannot trade with itself"
        if self.series[series].end_day <= day:
            return RejectionReason.NOT_ALLOWED, "series", "the swap is over"
        if not 0 < notional <= NOTIONAL_MAX_CENTS:
            return RejectionReason.OUT_OF_RANGE, "notional_cents", f"{notional} is not 1 to {NOTIONAL_MAX_CENTS}"
        if abs(rate) > RATE_MAX_E6:
            return RejectionReason.OUT_OF_RANGE, "rate_e6", f"{rate} millionths is no rate a year"
        return None

    def _too_large(self, row: list[int], sums: dict[int, tuple[int, int]]) -> Fault | None:
        """Say that a position would not fit, its trades of the batch before this one counted."""
        _, series, payer, receiver, notional, rate = row
        for account, sign in ((payer, 1), (receiver, -1)):
            key = account * SERIES_MAX + series
            held = self.positions.get(key, _NOTHING)
            before = sums.get(key, (held.notional_cents, held.weighted_e6))
            sums[key] = before[0] + sign * notional, before[1] + sign * notional * rate
            if max(abs(each) for each in sums[key]) > SUM_MAX:
                return RejectionReason.LIMIT, "notional_cents", "the position would not fit"
        return None

    def register(self, trades: SwapTrades) -> None:
        """Novate checked trades: the payer pays fixed to the clearing house, which pays it to the receiver."""
        columns = (getattr(trades, name).tolist() for name in SwapTrades.__slots__)
        for trade_id, series, payer, receiver, notional, rate in zip(*columns, strict=True):
            for account, sign in ((payer, 1), (receiver, -1)):
                key = account * SERIES_MAX + series
                held = self.positions.get(key, _NOTHING)
                self.positions[key] = SwapPosition(
                    held.notional_cents + sign * notional, held.weighted_e6 + sign * notional * rate, held.settled_cents
                )
            self.seen.add(trade_id)

    def position(self, account: int, series: int) -> SwapPosition | None:
        """Return what an account has in a series, or None."""
        return self.positions.get(account * SERIES_MAX + series)

    def carry_over(self, account: int, to: int, series: int = -1) -> int:
        """Move positions of an account (of one series; -1: all, with its debts) to another, as they stand.

        Returns how many positions. What was paid for them goes along: the next mark pays what changed since the last.
        """
        keys = [key for key in sorted(self.positions) if key // SERIES_MAX == account]
        mine = [key for key in keys if series in (-1, key % SERIES_MAX)]
        for key in mine:
            one, place = self.positions.pop(key), to * SERIES_MAX + key % SERIES_MAX
            held = self.positions.get(place, _NOTHING)
            both = zip(msgspec.structs.astuple(held), msgspec.structs.astuple(one), strict=True)
            self.positions[place] = SwapPosition(*(before + more for before, more in both))
        for unit in list(self.owed) if series < 0 else ():
            owed = dict(self.owed_in(unit))
            if cents := owed.pop(account, 0):
                self.owe(unit, {**owed, to: owed.get(to, 0) + cents})
        return len(mine)

    def held(self) -> set[int]:
        """Return the series in which somebody has a position."""
        return {key % SERIES_MAX for key in self.positions}

    def mark_fault(self, marks: Mapping[int, SwapMark], day: int) -> Rejection | None:
        """Return what is wrong with an evening's marks, or None; changes nothing."""
        for place, mark in marks.items():
            if not 0 <= place < len(self.series):
                return Rejection(
                    reason=RejectionReason.UNKNOWN, field="series", message=f"number {place} is not listed"
                )
            legs = (mark.floating_e12, mark.annuity_e12, mark.floating_paid_e12, mark.fixed_paid_e12)
            over = self.series[place].end_day <= day
            if max(abs(each) for each in legs) > LEG_MAX_E12 or (over and any(legs[:2])):
                message = "a leg is no value of a notional of one, or the swap is over and still worth something"
                subject = f"swap {self.series[place].id}"
                return Rejection(
                    reason=RejectionReason.OUT_OF_RANGE, field="floating_e12", subject=subject, message=message
                )
        missing = sorted(self.held() - set(marks))
        if missing:
            names = ", ".join(self.series[place].id for place in missing[:10])
            remedy = "mark every series that is held"
            return Rejection(
                reason=RejectionReason.MISSING, field="series", message=f"no mark for {names}", remedy=remedy
            )
        return None

    def mark(self, marks: Mapping[int, SwapMark], day: int) -> dict[int, dict[int, int]]:
        """Return by currency cents by account (plus is received) at checked marks; series that are over leave.

        Raises InvariantBroken when the flows of a series do not add up to zero.
        """
        flows: dict[int, dict[int, int]] = {}
        for place in sorted(self.held()):
            mark, terms = marks[place], self.series[place]
            keys = sorted(key for key in self.positions if key % SERIES_MAX == place)
            held = [self.positions[key] for key in keys]
            worth = _cents(held, mark.floating_e12, mark.annuity_e12)
            paid = _cents(held, mark.floating_paid_e12, mark.fixed_paid_e12)
            mine = flows.setdefault(CURRENCIES.index(terms.currency), {})
            for key, one, value, coupon in zip(keys, held, worth, paid, strict=True):
                account = key // SERIES_MAX
                mine[account] = mine.get(account, 0) + value + coupon - one.settled_cents
                if terms.end_day <= day or not (one.notional_cents or one.weighted_e6):
                    del self.positions[key]
                else:
                    self.positions[key] = SwapPosition(one.notional_cents, one.weighted_e6, value)
        for unit, mine in flows.items():
            if sum(mine.values()) != 0:
                raise InvariantBroken(f"flows of swaps in {CURRENCIES[unit]} add up to {sum(mine.values())} cents")
        self.marks.update(marks)
        self.marked_day, self.seen = day, set()
        return {unit: {account: cents for account, cents in mine.items() if cents} for unit, mine in flows.items()}

    def owed_in(self, currency: int) -> dict[int, int]:
        """Return what accounts still owe in a currency, cents by account."""
        return self.owed.get(currency, {})

    def owe(self, currency: int, owed: dict[int, int]) -> None:
        """Set what accounts still owe in a currency."""
        self.owed = {**self.owed, currency: owed} if owed or currency in self.owed else self.owed

    def check_flat(self) -> None:
        """Raise InvariantBroken when payers and receivers of a series do not cancel, in notional or in fixed money."""
        for place in self.held():
            rows = [one for key, one in self.positions.items() if key % SERIES_MAX == place]
            sums = [sum(getattr(one, name) for one in rows) for name in SwapPosition.__struct_fields__]
            if any(sums):
                raise InvariantBroken(f"swap {self.series[place].id}: payers and receivers do not cancel")

    def dump(self) -> dict[str, bytes]:
        """Return the state as named byte strings; nothing before a series is listed."""
        if not self.series:
            return {}
        encode = msgspec.msgpack.encode
        return {
            "series": encode(self.series),
            "positions": encode(sorted(self.positions.items())),
            "seen": encode(sorted(self.seen)),
            "marks": encode(sorted(self.marks.items())),
            "marked_day": encode(self.marked_day),
            "owed": encode([(unit, sorted(owed.items())) for unit, owed in sorted(self.owed.items())]),
        }

    def load(self, parts: dict[str, bytes]) -> None:
        """Take back the state of :meth:`dump`; a dump without parts is an empty book."""
        if not parts:
            return
        decode = msgspec.msgpack.decode
        self.series = decode(parts["series"], type=tuple[SwapTerms, ...])
        self.positions = dict(decode(parts["positions"], type=list[tuple[int, SwapPosition]]))
        self.seen = set(decode(parts["seen"], type=list[int]))
        self.marks = dict(decode(parts["marks"], type=list[tuple[int, SwapMark]]))
        self.marked_day = decode(parts["marked_day"], type=int)
        rows = decode(parts["owed"], type=list[tuple[int, list[tuple[int, int]]]])
        self.owed = {unit: dict(owed) for unit, owed in rows}


_NOTHING = SwapPosition(0, 0, 0)


def _cents(held: Sequence[SwapPosition], floating_e12: int, fixed_e12: int) -> list[int]:
    """Return N x floating - W x fixed of positions of one series in whole cents that add up to zero."""
    exact = [one.notional_cents * floating_e12 * 10**6 - one.weighted_e6 * fixed_e12 for one in held]
    cents = [value // SCALE for value in exact]
    left = -sum(cents)  # the exact values add up to zero, the floors to minus what is left over
    order = sorted(range(len(held)), key=lambda place: (-(exact[place] % SCALE), place))
    for place in order[:left]:
        cents[place] += 1
    return cents


def _series_fault(one: SwapTerms, known: set[str], day: int) -> Fault | None:
    if not one.id or one.id in known:
        return RejectionReason.DUPLICATE, "id", "is listed already" if one.id else "is empty"
    if one.currency not in CURRENCIES or not one.curve.startswith(f"{one.currency}."):
        return RejectionReason.UNKNOWN, "currency", f"{one.currency} with {one.curve}: one of {', '.join(CURRENCIES)}"
    if not day < one.end_day or not one.start_day < one.end_day <= one.start_day + DAYS_MAX:
        return RejectionReason.OUT_OF_RANGE, "end_day", "it is over, or has no term up to sixty years"
    if not (1 <= one.fixed_months <= 12 and 1 <= one.floating_months <= 12):
        return RejectionReason.OUT_OF_RANGE, "fixed_months", "periods are one to twelve months"
    return None
