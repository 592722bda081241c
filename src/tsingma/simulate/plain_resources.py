"""Reservations and futures and options once more, in plain dictionaries, for the auditor.

Nothing here shares code with the rooms it is compared with; the rules are those of ``settlement.reservation`` and
``clearing.derivatives``, written again for clarity.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import RejectionReason
from tsingma.simulate.plain_ledger import Key, PlainLedger, Refusal

HKD = CURRENCIES.index("HKD")
CENT_E4 = 100
QUANTITY_MAX = 10**7


@dataclass(slots=True)
class PlainReservation:
    """One amount set aside; ``status`` is active, released or expired."""

    account: int
    asset: int
    amount: int
    last_day: int
    status: str = "active"


def reserve(ledger: PlainLedger, one: PlainReservation) -> None:
    """Hold the amount; raises Refusal: out-of-range, insufficient."""
    if one.amount <= 0:
        raise Refusal(RejectionReason.OUT_OF_RANGE)
    key = (one.account, one.asset)
    if ledger.available(key) < one.amount:
        raise Refusal(RejectionReason.INSUFFICIENT)
    ledger.held[key] = ledger.held.get(key, 0) + one.amount


def give_back(ledger: PlainLedger, one: PlainReservation, status: str) -> None:
    """Take the amount off hold."""
    ledger.held[one.account, one.asset] -= one.amount
    one.status = status


@dataclass(slots=True)
class PlainContract:
    """One listed series; ``underlying`` is a counter index, or -1 for the index."""

    id: str
    kind: str
    underlying: int
    multiplier: int
    strike_e4: int
    expiry_day: int


@dataclass(slots=True)
class PlainContracts:
    """Series, positions and their cost (ten-thousandths of HKD) by (account, series), and cents that accounts owe."""

    series: list[PlainContract] = field(default_factory=list)
    quantity: dict[Key, int] = field(default_factory=dict)
    cost_e4: dict[Key, int] = field(default_factory=dict)
    seen: frozenset[int] = frozenset()
    owed: dict[int, int] = field(default_factory=dict)

    def copy(self) -> PlainContracts:
        """Return an independent copy."""
        return replace(
            self,
            series=list(self.series),
            quantity=dict(self.quantity),
            cost_e4=dict(self.cost_e4),
            owed=dict(self.owed),
        )

    def trade_fault(self, row: tuple[int, ...], accounts: int, day: int, seen: set[int]) -> RejectionReason | None:
        """Return why one trade (id, series, buyer, seller, quantity, price) cannot be taken; the first reason."""
        trade_id, series, buyer, seller, quantity, price = row
        if trade_id in seen:
            return RejectionReason.DUPLICATE
        if not 0 <= series < len(self.series) or not (0 <= buyer < accounts and 0 <= seller < accounts):
            return RejectionReason.UNKNOWN
        one = self.series[series]
        if one.expiry_day < day:
            return RejectionReason.NOT_ALLOWED
        priceless = price < 0 or (price == 0 and one.kind == "future")
        whole = price * one.multiplier % CENT_E4 == 0
        if not 0 < quantity <= QUANTITY_MAX or priceless or price * one.multiplier * quantity > 2**60 or not whole:
            return RejectionReason.OUT_OF_RANGE
        return None

    def take(self, rows: list[tuple[int, ...]]) -> None:
        """Novate trades: the buyer is long, the seller short, at the trade's price."""
        for _, series, buyer, seller, quantity, price in rows:
            for account, sign in ((buyer, 1), (seller, -1)):
                key = (account, series)
                self.quantity[key] = self.quantity.get(key, 0) + sign * quantity
                value = sign * quantity * price * self.series[series].multiplier
                self.cost_e4[key] = self.cost_e4.get(key, 0) + value
        self.seen |= {row[0] for row in rows}

    def mark(self, prices: dict[int, int], underlying: dict[int, int], day: int) -> dict[int, int]:
        """Return cents by account at the day's prices, and take expired series out."""
        flows_e4: dict[int, int] = {}
        for key in sorted(self.quantity):
            account, number = key
            one, quantity = self.series[number], self.quantity[key]
            worth = quantity * prices[number] * one.multiplier
            flow = (worth if one.kind == "future" else 0) - self.cost_e4[key]
            self.cost_e4[key] = worth if one.kind == "future" else 0
            if one.expiry_day <= day:
                if one.kind != "future":
                    gain = underlying[number] - one.strike_e4
                    flow += quantity * max(gain if one.kind == "call" else -gain, 0) * one.multiplier
                self.quantity[key] = self.cost_e4[key] = 0
            flows_e4[account] = flows_e4.get(account, 0) + flow
            if not self.quantity[key] and not self.cost_e4[key]:
                del self.quantity[key], self.cost_e4[key]
        self.seen = frozenset()
        return {account: value // CENT_E4 for account, value in flows_e4.items() if value}

    def move(self, flows: dict[int, int], ledger: PlainLedger, central: int) -> tuple[int, int]:
        """Take from losers what they have and pay winners through the central counterparty; returns both sums."""
        due = {who: flows.get(who, 0) - self.owed.get(who, 0) for who in sorted({*flows, *self.owed})}
        free = {who: max(ledger.available((who, HKD)), 0) for who in due}
        taken = {who: min(-cents, free[who]) for who, cents in due.items() if cents < 0}
        given = {who: cents for who, cents in due.items() if cents > 0}
        for who, cents in taken.items():
            ledger.transfer((who, HKD), (central, HKD), cents)
        for who, cents in given.items():
            ledger.transfer((central, HKD), (who, HKD), cents)
        self.owed = {who: -due[who] - cents for who, cents in taken.items() if -due[who] > cents}
        return sum(taken.values()), sum(given.values())
