"""Draws for the workload: reservations, futures and options, sets that settle together, legal or not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tsingma.basics.columns import pack
from tsingma.journal.commands import (
    CaptureDerivatives,
    Command,
    EndReservation,
    ListSeries,
    MarkDerivatives,
    ReserveAssets,
    SettleTogether,
)
from tsingma.simulate.plain_house import PlainHouse

INDEX_E4 = 250_000_000
_SERIES_MAX = 12
_KINDS = ("future", "call", "put")


class ResourceDraws:
    """Draws one command at a time from the generator of the workload; accounts are those of the firms."""

    def __init__(self, chance: np.random.Generator, accounts: Sequence[int]) -> None:
        """Keep generator and accounts."""
        self._chance, self._accounts = chance, accounts
        self._trade_id = 0

    def _number(self, low: int, high: int) -> int:
        return int(self._chance.integers(low, high))

    def _account(self) -> int:
        return self._number(self._accounts[0], self._accounts[-1] + 1)

    def reserve(self, house: PlainHouse) -> Command:
        """Reserve a part of what somebody has; now and then of what is another's, or more than there is."""
        rich = [key for key in house.ledger.balance if key[0] in self._accounts and house.ledger.available(key) > 0]
        account, asset = rich[self._number(0, len(rich))] if rich else (self._account(), 0)
        much = max(house.ledger.available((account, asset)), 1)
        owner = house.known.participants[house.known.account_owner[account]]
        amount = self._number(1, much + 1) if self._chance.random() < 0.8 else self._number(-1, 2 * much + 2)
        asker = owner if self._chance.random() < 0.9 else ("HKSCC", "NOBODY", "F1")[self._number(0, 3)]
        return ReserveAssets(asker, account, asset, amount, house.day + self._number(-1, 4))

    def end_reservation(self, house: PlainHouse) -> Command:
        """End one, by its owner or the house; it may have ended."""
        if not house.reservations:
            return EndReservation(0, "HKSCC")
        active = [n for n, one in enumerate(house.reservations) if one.status == "active"]
        number = self._number(0, len(house.reservations) + 1)
        if active and self._chance.random() < 0.8:
            number = active[self._number(0, len(active))]
        account = house.reservations[min(number, len(house.reservations) - 1)].account
        owner = house.known.participants[house.known.account_owner[account]]
        return EndReservation(number, owner if self._chance.random() < 0.7 else "HKSCC")

    def together(self, house: PlainHouse) -> Command:
        """Propose a set of instructions to settle at one instant, mostly such as could."""
        waiting = [n for n, one in enumerate(house.instructions) if one.status in ("matched", "failing")]
        chosen = sorted(n for n in waiting if self._chance.random() < 0.5)
        if self._chance.random() < 0.1:
            chosen = [*chosen, *chosen[-1:]] if self._chance.random() < 0.5 else [len(house.instructions)]
        return SettleTogether("simulated", pack(chosen, "i4"))

    def series(self, house: PlainHouse) -> Command:
        """List one or two series on a share or the index; names may be taken, days over."""
        if len(house.contracts.series) >= _SERIES_MAX:
            return self.contracts(house)
        rows = []
        for place in range(self._number(1, 3)):
            kind = _KINDS[self._number(0, 3)]
            number = len(house.contracts.series) + place - int(self._chance.random() < 0.05)
            underlying = ("INDEX", "00001", "02800")[self._number(0, 3)]
            strike = 0 if kind == "future" else self._number(1, 40) * 10_000
            days = self._number(0, 4) - int(self._chance.random() < 0.1)
            houses = ("HKCC", "SEOCH")[int(underlying != "INDEX")]
            multiplier = (1, 10, 50, 100)[self._number(0, 4)]
            rows.append((f"S{number}", houses, kind, underlying, multiplier, strike, house.day + days))
        return ListSeries(tuple(rows))

    def contracts(self, house: PlainHouse) -> Command:
        """Trade listed series between firms; some trades are bad."""
        if not house.contracts.series:
            return self.series(house)
        rows: list[tuple[int, ...]] = []
        for _ in range(self._number(1, 5)):
            self._trade_id += 1
            series = self._number(0, len(house.contracts.series))
            price = 100 * self._number(1, 4_000)
            rows.append((self._trade_id, series, self._account(), self._account(), self._number(1, 20), price))
        if self._chance.random() < 0.15:
            faults = ((1, -1), (1, 99), (2, 99), (4, 0), (5, -100), (0, rows[-1][0]), (4, 10**8))
            place, value = faults[self._number(0, len(faults))]
            rows[0] = (*rows[0][:place], value, *rows[0][place + 1 :])
        names = {"trade_id": "i8", "series": "i4", "buyer": "i4", "seller": "i4", "quantity": "i8", "price_e4": "i8"}
        packed = {name: pack([row[k] for row in rows], kind) for k, (name, kind) in enumerate(names.items())}
        return CaptureDerivatives(source="simulated", **packed)

    def mark(self, house: PlainHouse) -> Command:
        """Mark every series; now and then one is left out, or a price is no price."""
        numbers = [n for n in range(len(house.contracts.series)) if self._chance.random() < 0.98]
        prices = [100 * self._number(1, 4_000) for _ in numbers]
        if numbers and self._chance.random() < 0.05:
            prices[0] = -100
        index = INDEX_E4 + 10_000 * self._number(-500, 500)
        return MarkDerivatives(pack(numbers, "i4"), pack(prices, "i8"), index)
