"""What is owed on which day: net due positions of the central counterparty's trades, and gross trades beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.clearing.netting import NetLegs
from tsingma.clearing.trades import MODE_CNS, Trades
from tsingma.reference.book import ResolvedBook

Int64 = npt.NDArray[np.int64]
Int32 = npt.NDArray[np.int32]
SettlementDays = Mapping[str, tuple[int, int]]  # market -> (day of stock, day of money)

_COUNTER_BITS = 24  # counters of one house: up to 16,777,216
_COLUMNS = ("quantity", "amount_cents", "legs")


@dataclass(frozen=True, slots=True)
class DuePositions:
    """Net obligations per (account, counter), sorted: quantity to receive +, to deliver -; amount_cents to pay +."""

    account: Int32
    counter: Int32
    quantity: Int64
    amount_cents: Int64
    legs: Int64

    def __len__(self) -> int:
        """Return the number of positions."""
        return int(self.account.size)


@dataclass(frozen=True, slots=True)
class GrossObligations:
    """Trades that settle one by one between their parties: isolated trades and bonds."""

    trade_id: Int64
    deliverer: Int32
    receiver: Int32
    counter: Int32
    quantity: Int64
    amount_cents: Int64
    mode: npt.NDArray[np.int8]
    stock_day: int

    def __len__(self) -> int:
        """Return the number of obligations."""
        return int(self.trade_id.size)


class Obligations:
    """Due positions by day, kept as sorted keys with sums, so that the order of files never matters."""

    def __init__(self) -> None:
        """Start with nothing owed."""
        self._key: dict[int, Int64] = {}
        self._sums: dict[int, Int64] = {}  # [3, positions]: quantity, amount_cents, legs
        self._ids_day = 0
        self._ids: Int64 = np.zeros(0, np.int64)

    @property
    def days(self) -> list[int]:
        """Days on which something is due, in order."""
        return sorted(self._key)

    def seen_ids(self, day: int) -> Int64:
        """Return the sorted trade ids captured on ``day`` (only the open day is kept)."""
        return self._ids if day == self._ids_day else np.zeros(0, np.int64)

    def remember_ids(self, day: int, ids: Int64) -> None:
        """Keep the ids of captured trades; a new day forgets the day before."""
        self._ids = np.sort(np.concatenate([self.seen_ids(day), ids]))
        self._ids_day = day

    def add(self, legs: NetLegs, book: ResolvedBook, settlement_days: SettlementDays) -> None:
        """Add net legs to the positions due on their market's day."""
        market = book.counter_market[legs.counter]
        for number, name in enumerate(book.markets.codes):
            here = market == number
            if here.any():
                self._add(settlement_days[name][0], legs, here)

    def due(self, day: int) -> DuePositions:
        """Return the positions due on a day (empty when there are none)."""
        key = self._key.get(day, np.zeros(0, np.int64))
        sums = self._sums.get(day, np.zeros((3, 0), np.int64))
        account, counter = key >> _COUNTER_BITS, key & ((1 << _COUNTER_BITS) - 1)
        return DuePositions(account.astype(np.int32), counter.astype(np.int32), sums[0], sums[1], sums[2])

    def drop(self, day: int) -> None:
        """Forget the positions of a day: settlement has taken them over."""
        self._key.pop(day, None)
        self._sums.pop(day, None)

    def restate(self, day: int, due: DuePositions) -> None:
        """Replace the positions of a day that has some: a corporate action changed what they are in."""
        key = (due.account.astype(np.int64) << _COUNTER_BITS) | due.counter
        fresh = np.stack([due.quantity, due.amount_cents, due.legs])
        keys, place = np.unique(key, return_inverse=True)
        sums = np.zeros((len(_COLUMNS), keys.size), np.int64)
        for row in range(len(_COLUMNS)):
            np.add.at(sums[row], place, fresh[row])
        self._key[day], self._sums[day] = keys, sums

    def dump(self) -> dict[str, bytes]:
        """Return the state as named byte strings."""
        parts = {
            "days": msgspec.msgpack.encode(self.days),
            "ids_day": msgspec.msgpack.encode(self._ids_day),
            "ids": self._ids.tobytes(),
        }
        for day in self.days:
            parts[f"key.{day}"] = self._key[day].tobytes()
            parts[f"sums.{day}"] = np.ascontiguousarray(self._sums[day]).tobytes()
        return parts

    def load(self, parts: dict[str, bytes]) -> None:
        """Take back a dump."""
        self._ids_day = msgspec.msgpack.decode(parts["ids_day"], type=int)
        self._ids = np.frombuffer(parts["ids"], np.int64).copy()
        for day in msgspec.msgpack.decode(parts["days"], type=list[int]):
            self._key[day] = np.frombuffer(parts[f"key.{day}"], np.int64).copy()
            self._sums[day] = np.frombuffer(parts[f"sums.{day}"], np.int64).reshape(len(_COLUMNS), -1).copy()

    def _add(self, day: int, legs: NetLegs, here: npt.NDArray[np.bool_]) -> None:
        key = (legs.account[here].astype(np.int64) << _COUNTER_BITS) | legs.counter[here]
        fresh = np.stack([legs.quantity[here], legs.amount_cents[here], legs.legs[here]])
        if day in self._key:
            key = np.concatenate([self._key[day], key])
            fresh = np.concatenate([self._sums[day], fresh], axis=1)
        keys, place = np.unique(key, return_inverse=True)
        sums = np.zeros((len(_COLUMNS), keys.size), np.int64)
        for row in range(len(_COLUMNS)):
            np.add.at(sums[row], place, fresh[row])
        self._key[day], self._sums[day] = keys, sums


def gross_obligations(trades: Trades, book: ResolvedBook, settlement_days: SettlementDays) -> list[GrossObligations]:
    """Return the trades that do not net, one group per day on which their stock is due."""
    chosen = trades.select(trades.mode != MODE_CNS)
    market = book.counter_market[chosen.counter]
    groups = []
    for number, name in enumerate(book.markets.codes):
        part = chosen.select(market == number)
        if len(part):
            groups.append(
                GrossObligations(
                    trade_id=part.trade_id,
                    deliverer=part.seller,
                    receiver=part.buyer,
                    counter=part.counter,
                    quantity=part.quantity,
                    amount_cents=part.amount_cents(),
                    mode=part.mode,
                    stock_day=settlement_days[name][0],
                )
            )
    return groups
