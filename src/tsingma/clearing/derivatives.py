"""Futures and options in the books: who holds what, what was paid for it, and the money of each day.

Novation leaves the clearing house flat in every series. Futures pay variation margin: what a position is worth at the
settlement price less what was paid or settled for it before. Options pay their premium on the evening of the trade, and
at expiry what they are in the money. Values are money x 10**4 (price x 10**4 x multiplier x contracts), in HKD unless
the series was listed in another currency, whole cents by the rule that a price times its multiplier is one; all flows
of a day add up to zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import InvariantBroken, Rejected, Rejection, RejectionReason

Int64 = npt.NDArray[np.int64]
Fault = tuple[RejectionReason, str, str]

HKD = CURRENCIES.index("HKD")
CENT_E4 = 100
SERIES_MAX = 2**20
QUANTITY_MAX = 10**7
VALUE_MAX_E4 = 2**60
KINDS = ("future", "call", "put")
HOUSES = ("HKCC", "SEOCH")


class Series(msgspec.Struct, frozen=True):
    """One series: where it is cleared, what it is on (``counter`` code, or "INDEX") and when it ends (day number)."""

    id: str
    house: str
    kind: str
    underlying: str
    multiplier: int
    strike_e4: int
    expiry_day: int


@dataclass(frozen=True, slots=True)
class DerivativeTrades:
    """Executed trades as columns; ``series`` and the accounts are indices."""

    trade_id: Int64
    series: Int64
    buyer: Int64
    seller: Int64
    quantity: Int64
    price_e4: Int64


class DerivativeBook:
    """Positions by account and series, what was paid for them, and money that accounts still owe."""

    def __init__(self) -> None:
        """Start empty."""
        self.series: tuple[Series, ...] = ()
        self.key: Int64 = np.zeros(0, np.int64)  # account x 2**20 + series, ascending
        self.quantity: Int64 = np.zeros(0, np.int64)
        self.cost_e4: Int64 = np.zeros(0, np.int64)
        self.seen: Int64 = np.zeros(0, np.int64)  # trade ids of the day
        self.owed: dict[int, int] = {}  # HKD cents by account
        self.currency: dict[int, int] = {}  # of series in another money than HKD: number to currency
        self.owed_other: dict[int, dict[int, int]] = {}  # by currency: cents by account
        self.prices_e4: dict[int, int] = {}  # settlement prices of the last mark, by series
        self.index_e4 = 0  # the index of the last mark

    def add_series(self, more: tuple[Series, ...], day: int) -> None:
        """Add series; raises Rejected with every one that is a duplicate, expired or impossible."""
        known = {one.id for one in self.series}
        faults = []
        for one in more:
            wrong = _series_fault(one, known, day)
            if wrong:
                faults.append(Rejection(reason=wrong[0], field=wrong[1], subject=f"series {one.id}", message=wrong[2]))
            known.add(one.id)
        if len(self.series) + len(more) > SERIES_MAX:
            faults.append(Rejection(reason=RejectionReason.LIMIT, field="series", message=f"more than {SERIES_MAX}"))
        if faults:
            raise Rejected(*faults)
        self.series = (*self.series, *more)

    def check(self, trades: DerivativeTrades, accounts: int, day: int) -> list[Rejection]:
        """Return what is wrong with a batch of trades, the first fault of each; changes nothing."""
        faults = []
        seen = set(self.seen.tolist())
        for place in range(trades.trade_id.size):
            row = [int(getattr(trades, name)[place]) for name in DerivativeTrades.__slots__]
            wrong = self._trade_fault(row, accounts, day, seen)
            if wrong:
                faults.append(
                    Rejection(reason=wrong[0], field=wrong[1], subject=f"derivative trade {row[0]}", message=wrong[2])
                )
            seen.add(row[0])
        return faults

    def _trade_fault(self, row: list[int], accounts: int, day: int, seen: set[int]) -> Fault | None:
        trade_id, series, buyer, seller, quantity, price = row
        if trade_id in seen:
            return RejectionReason.DUPLICATE, "trade_id", "was captured today already"
        if not 0 <= series < len(self.series):
            return RejectionReason.UNKNOWN, "series", f"number {series} is not listed"
        if not (0 <= buyer < accounts and 0 <= seller < accounts):
            return RejectionReason.UNKNOWN, "account", "buyer or seller is not known"
        one = self.series[series]
        if one.expiry_day < day:
            return RejectionReason.NOT_ALLOWED, "series", "the contract has expired"
        if not 0 < quantity <= QUANTITY_MAX:
            return RejectionReason.OUT_OF_RANGE, "quantity", f"{quantity} is not 1 to {QUANTITY_MAX}"
        if price < 0 or (price == 0 and one.kind == "future") or price * one.multiplier * quantity > VALUE_MAX_E4:
            return RejectionReason.OUT_OF_RANGE, "price", f"{price} ten-thousandths"
        if price * one.multiplier % CENT_E4:
            return RejectionReason.OUT_OF_RANGE, "price", "price times multiplier is no whole cent"
        return None

    def capture(self, trades: DerivativeTrades) -> None:
        """Novate checked trades: the buyer is long and the seller short to the clearing house, at the trade's price."""
        multiplier = np.array([one.multiplier for one in self.series], np.int64)[trades.series]
        value = trades.quantity * trades.price_e4 * multiplier
        self._add(
            np.concatenate([trades.buyer, trades.seller]) * SERIES_MAX + np.tile(trades.series, 2),
            np.concatenate([trades.quantity, -trades.quantity]),
            np.concatenate([value, -value]),
        )
        self.seen = np.sort(np.concatenate([self.seen, trades.trade_id]))

    def _add(self, key: Int64, quantity: Int64, cost_e4: Int64) -> None:
        keys, place = np.unique(np.concatenate([self.key, key]), return_inverse=True)
        sums = np.zeros((2, keys.size), np.int64)
        np.add.at(sums[0], place, np.concatenate([self.quantity, quantity]))
        np.add.at(sums[1], place, np.concatenate([self.cost_e4, cost_e4]))
        self.key, self.quantity, self.cost_e4 = keys, sums[0], sums[1]

    def holding(self, account: int, series: int) -> tuple[int, int]:
        """Return what an account holds of a series: contracts, and what was paid or settled for them (e4)."""
        place = np.flatnonzero(self.key == account * SERIES_MAX + series)
        return (int(self.quantity[place[0]]), int(self.cost_e4[place[0]])) if place.size else (0, 0)

    def hand_over(self, account: int, taker: int, series: int, value_e4: int) -> None:
        """Have a taker trade all that an account holds of a series, at a value (e4, with the sign of the position)."""
        units, _ = self.holding(account, series)
        keys = np.array([account, taker], np.int64) * SERIES_MAX + series
        self._add(keys, np.array([-units, units], np.int64), np.array([-value_e4, value_e4], np.int64))

    def carry_over(self, account: int, to: int) -> int:
        """Move all positions and debts of an account to another, as they stand; returns how many positions."""
        mine = self.key // SERIES_MAX == account
        key, quantity, cost = self.key[mine] % SERIES_MAX + to * SERIES_MAX, self.quantity[mine], self.cost_e4[mine]
        self.key, self.quantity, self.cost_e4 = self.key[~mine], self.quantity[~mine], self.cost_e4[~mine]
        self._add(key, quantity, cost)
        for unit in range(len(CURRENCIES)):
            owed = dict(self.owed_in(unit))
            if cents := owed.pop(account, 0):
                owed[to] = owed.get(to, 0) + cents
                self.owe(unit, owed)
        return int(mine.sum())

    def unpriced(self, prices: Mapping[int, int]) -> list[str]:
        """Return the ids of series with a position and no settlement price."""
        held = np.unique(self.key % SERIES_MAX).tolist()
        return [self.series[number].id for number in held if number not in prices]

    def mark(self, prices: Mapping[int, int], underlying: Mapping[int, int], day: int) -> dict[int, int]:
        """Return what ``mark_all`` does for the series in HKD."""
        return self.mark_all(prices, underlying, day).get(HKD, {})

    def owed_in(self, currency: int) -> dict[int, int]:
        """Return what accounts still owe in a currency, cents by account."""
        return self.owed if currency == HKD else self.owed_other.get(currency, {})

    def owe(self, currency: int, owed: dict[int, int]) -> None:
        """Set what accounts still owe in a currency."""
        if currency == HKD:
            self.owed = owed
        else:
            self.owed_other = {**self.owed_other, currency: owed}

    def mark_all(self, prices: Mapping[int, int], underlying: Mapping[int, int], day: int) -> dict[int, dict[int, int]]:
        """Return by currency cents by account (plus is received) at the day's settlement prices (e4).

        Expired series are taken out.

        ``underlying`` gives the price (e4) on which an expiring option is exercised. Raises InvariantBroken when the
        flows of all accounts do not add up to zero.
        """
        flow_e4 = np.zeros(self.key.size, np.int64)
        number = self.key % SERIES_MAX
        gone = np.zeros(self.key.size, np.bool_)
        for place in np.unique(number).tolist():
            one, rows = self.series[place], number == place
            worth = self.quantity[rows] * (prices[place] * one.multiplier)
            if one.kind == "future":
                flow_e4[rows] = worth - self.cost_e4[rows]
                self.cost_e4[rows] = worth
            else:
                flow_e4[rows] = -self.cost_e4[rows]
                self.cost_e4[rows] = 0
            if one.expiry_day <= day:
                gone |= rows
                if one.kind != "future":
                    flow_e4[rows] += self.quantity[rows] * (_in_the_money(one, underlying[place]) * one.multiplier)
        if int(flow_e4.sum()) != 0:
            raise InvariantBroken(f"flows of futures and options add up to {int(flow_e4.sum())} ten-thousandths")
        flows: dict[int, dict[int, int]] = {}
        for key, value in zip(self.key.tolist(), flow_e4.tolist(), strict=True):
            account, place = divmod(key, SERIES_MAX)
            mine = flows.setdefault(self.currency.get(place, HKD), {})
            mine[account] = mine.get(account, 0) + value
        kept = ~gone & ((self.quantity != 0) | (self.cost_e4 != 0))
        self.key, self.quantity, self.cost_e4 = self.key[kept], self.quantity[kept], self.cost_e4[kept]
        self.seen = np.zeros(0, np.int64)
        self.prices_e4 = dict(prices)
        return {
            unit: {account: value // CENT_E4 for account, value in sorted(mine.items()) if value}
            for unit, mine in sorted(flows.items())
        }

    def check_flat(self) -> None:
        """Raise InvariantBroken when longs and shorts of a series do not cancel."""
        net = np.zeros(len(self.series), np.int64)
        np.add.at(net, self.key % SERIES_MAX, self.quantity)
        open_net = np.flatnonzero(net)
        if open_net.size:
            raise InvariantBroken(f"series {self.series[int(open_net[0])].id}: longs and shorts do not cancel")

    def dump(self) -> dict[str, bytes]:
        """Return the state as named byte strings; other monies than HKD only where there is a series in one."""
        other = (
            {
                "currency": msgspec.msgpack.encode(sorted(self.currency.items())),
                "owed_other": msgspec.msgpack.encode(
                    [(u, sorted(o.items())) for u, o in sorted(self.owed_other.items())]
                ),
            }
            if self.currency
            else {}
        )
        return {
            **other,
            "series": msgspec.msgpack.encode(self.series),
            "key": self.key.astype("<i8").tobytes(),
            "quantity": self.quantity.astype("<i8").tobytes(),
            "cost_e4": self.cost_e4.astype("<i8").tobytes(),
            "seen": self.seen.astype("<i8").tobytes(),
            "owed": msgspec.msgpack.encode(sorted(self.owed.items())),
            "prices_e4": msgspec.msgpack.encode(sorted(self.prices_e4.items())),
            "index_e4": msgspec.msgpack.encode(self.index_e4),
        }

    def load(self, parts: dict[str, bytes]) -> None:
        """Take back the state of :meth:`dump`."""
        self.series = msgspec.msgpack.decode(parts["series"], type=tuple[Series, ...])
        for name in ("key", "quantity", "cost_e4", "seen"):
            setattr(self, name, np.frombuffer(parts[name], "<i8").astype(np.int64))
        self.owed = dict(msgspec.msgpack.decode(parts["owed"], type=list[tuple[int, int]]))
        self.prices_e4 = dict(msgspec.msgpack.decode(parts["prices_e4"], type=list[tuple[int, int]]))
        self.index_e4 = msgspec.msgpack.decode(parts["index_e4"], type=int)
        if "currency" in parts:
            self.currency = dict(msgspec.msgpack.decode(parts["currency"], type=list[tuple[int, int]]))
            rows = msgspec.msgpack.decode(parts["owed_other"], type=list[tuple[int, list[tuple[int, int]]]])
            self.owed_other = {unit: dict(owed) for unit, owed in rows}


def _in_the_money(one: Series, price_e4: int) -> int:
    gain = price_e4 - one.strike_e4 if one.kind == "call" else one.strike_e4 - price_e4
    return max(gain, 0)


def _series_fault(one: Series, known: set[str], day: int) -> Fault | None:
    if not one.id or one.id in known:
        return RejectionReason.DUPLICATE, "id", "is listed already" if one.id else "is empty"
    if one.house not in HOUSES or one.kind not in KINDS:
        return RejectionReason.UNKNOWN, "kind", f"{one.house} {one.kind}: houses {HOUSES}, kinds {KINDS}"
    if not 0 < one.multiplier <= 10**6:
        return RejectionReason.OUT_OF_RANGE, "multiplier", f"{one.multiplier} is not 1 to 1,000,000"
    if one.kind != "future" and not 0 < one.strike_e4 <= 10**12:
        return RejectionReason.OUT_OF_RANGE, "strike_e4", f"{one.strike_e4} is no strike"
    if one.expiry_day < day:
        return RejectionReason.NOT_ALLOWED, "expiry_day", "the contract has expired"
    return None
