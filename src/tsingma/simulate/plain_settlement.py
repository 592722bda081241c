"""Settlement once more, in plain dictionaries: net positions and gross instructions as the auditor keeps them.

A stock line is keyed (account, security), a money line (account, security, currency). Of a stock line ``opened`` is
still to receive + or deliver -, ``whole`` is what was open when something was last added to it. Of a money line
``rest`` had not fallen due then, ``fallen`` is the part of it that fell due since, ``pending`` fell due and is not
confirmed. So money falls due as rest x (whole - opened) / whole, cut to the cent.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field, fields

from tsingma.basics.money import CURRENCIES
from tsingma.simulate.plain_ledger import INSUFFICIENT, Key, PlainLedger, Transfer

MoneyKey = tuple[int, int, int]
CURRENCY_COUNT = len(CURRENCIES)  # assets are the currencies first, then the securities
Due = dict[tuple[int, int], list[int]]  # (account, counter) -> quantity, cents


@dataclass(slots=True)
class PlainPositions:
    """Every number by key; all dictionaries of one kind of line have the same keys."""

    market: dict[Key, int] = field(default_factory=dict)
    since: dict[Key, int] = field(default_factory=dict)
    due: dict[Key, int] = field(default_factory=dict)
    opened: dict[Key, int] = field(default_factory=dict)
    whole: dict[Key, int] = field(default_factory=dict)
    on_hold: dict[Key, int] = field(default_factory=dict)
    owed: dict[MoneyKey, int] = field(default_factory=dict)
    rest: dict[MoneyKey, int] = field(default_factory=dict)
    fallen: dict[MoneyKey, int] = field(default_factory=dict)
    pending: dict[MoneyKey, int] = field(default_factory=dict)
    confirmed: dict[MoneyKey, int] = field(default_factory=dict)

    def copy(self) -> PlainPositions:
        """Return an independent copy."""
        return PlainPositions(*(dict(getattr(self, one.name)) for one in fields(self)))

    def roll(self) -> None:
        """Begin a new day: what is open, unpaid or on hold opens it, everything else is forgotten."""
        for money in list(self.owed):
            self.owed[money] -= self.confirmed[money]
            self._measure_money(money)
            self.confirmed[money] = 0
            if not self.owed[money] and not self.pending[money]:
                for column in (self.owed, self.rest, self.fallen, self.pending, self.confirmed):
                    del column[money]
        waiting = {money[:2] for money in self.owed}
        for line in list(self.opened):
            self.due[line] = self.whole[line] = self.opened[line]
            if not self.opened[line] and not self.on_hold[line] and line not in waiting:
                for stock in (self.market, self.since, self.due, self.opened, self.whole, self.on_hold):
                    del stock[line]

    def add(self, day: int, due: Due, counters: list[tuple[int, int, int]]) -> None:
        """Add what is due today; ``counters`` gives (security, currency, market) of each counter."""
        before = dict(self.opened)
        touched = set()
        for (account, counter), (quantity, cents) in sorted(due.items()):
            security, currency, market = counters[counter]
            line, money = (account, security), (account, security, currency)
            if line not in self.opened:
                self.since[line] = self.due[line] = self.opened[line] = self.whole[line] = self.on_hold[line] = 0
            if line not in touched:
                touched.add(line)
                for known in [one for one in self.owed if one[:2] == line]:
                    self._measure_money(known)
            if money not in self.owed:
                for column in (self.owed, self.rest, self.fallen, self.pending, self.confirmed):
                    column[money] = 0
            self.market[line] = market
            self.due[line] += quantity
            self.opened[line] += quantity
            self.owed[money] += cents
            self.rest[money] += cents
        for line in touched:
            self.whole[line] = self.opened[line]
        for line, quantity in self.opened.items():
            if before.get(line, 0) * quantity <= 0:  # new, turned around, or waiting for money only
                self.since[line] = day
        for money in self.owed:
            if not self.opened[money[:2]]:
                self._fall(money, self.rest[money])

    def move(self, line: Key, quantity: int) -> dict[int, int]:
        """Let stock of a line move (signed like what is open); returns the cents its owner now owes, by currency."""
        self.opened[line] -= quantity
        newly: dict[int, int] = defaultdict(int)
        for money in [one for one in self.owed if one[:2] == line]:
            moved, rest = abs(self.whole[line] - self.opened[line]), self.rest[money]
            cents = abs(rest) * moved // abs(self.whole[line])
            change = self._fall(money, cents if rest >= 0 else -cents)
            newly[money[2]] += max(change, 0)
        return newly

    def _fall(self, money: MoneyKey, fallen: int) -> int:
        change = fallen - self.fallen[money]
        self.fallen[money] = fallen
        self.pending[money] += change
        return change

    def _measure_money(self, money: MoneyKey) -> None:
        self.rest[money] -= self.fallen[money]
        self.fallen[money] = 0


def batch_run(positions: PlainPositions, ledger: PlainLedger, central: int, markets: Collection[int]) -> dict[str, int]:
    """Deliver what is there, fill receipts oldest first, put them on hold; returns figures as the house names them."""
    here = sorted(line for line in positions.opened if positions.market[line] in markets)
    short = [line for line in here if positions.opened[line] < 0]
    supply: dict[int, int] = defaultdict(int)
    payable: dict[int, int] = defaultdict(int)
    deliveries = receipts = 0
    moves: list[tuple[Key, int]] = []
    for account, security in short:
        row = (account, security + CURRENCY_COUNT)
        quantity = min(max(ledger.available(row), 0), -positions.opened[account, security])
        if quantity:
            deliveries += 1
            supply[security] += quantity
            ledger.transfer(row, (central, row[1]), quantity)
            moves.append(((account, security), -quantity))
    shares = sum(supply.values())
    waiting = [line for line in here if positions.opened[line] > 0]
    for account, security in sorted(waiting, key=lambda line: (line[1], positions.since[line], line[0])):
        row, line = (account, security + CURRENCY_COUNT), (account, security)
        quantity = min(supply[security], positions.opened[line])
        if quantity:
            receipts += 1
            supply[security] -= quantity
            ledger.transfer((central, row[1]), row, quantity)
            ledger.held[row] = ledger.held.get(row, 0) + quantity
            positions.on_hold[line] += quantity
            moves.append((line, quantity))
    for line, quantity in moves:
        for currency, cents in positions.move(line, quantity).items():
            payable[currency] += cents
    left = sum(positions.opened[line] < 0 for line in short)
    figures = {"deliveries": deliveries, "receipts": receipts, "shares": shares, "open_deliveries": left}
    return figures | {f"payable_{name}_cents": payable[unit] for unit, name in enumerate(CURRENCIES)}


def settle_money(
    positions: PlainPositions, ledger: PlainLedger, central: int, markets: Collection[int]
) -> dict[str, int]:
    """Take net payers' money, pay net receivers, release what is paid; returns figures."""
    net: dict[tuple[int, int], int] = defaultdict(int)
    chosen = [one for one, cents in positions.pending.items() if cents and positions.market[one[:2]] in markets]
    for account, security, currency in chosen:
        net[account, currency] += positions.pending[account, security, currency]
    figures: dict[str, int] = defaultdict(int)
    unpaid = set()
    for key, cents in sorted(net.items()):
        if cents > 0 and ledger.transfer(key, (central, key[1]), cents):
            unpaid.add(key)
            figures[f"unpaid_{CURRENCIES[key[1]]}_cents"] += cents
        elif cents > 0:
            figures[f"paid_in_{CURRENCIES[key[1]]}_cents"] += cents
    for key, cents in sorted(net.items()):
        if cents < 0:
            ledger.transfer((central, key[1]), key, -cents)
            figures[f"paid_out_{CURRENCIES[key[1]]}_cents"] -= cents
    for money in chosen:
        if (money[0], money[2]) not in unpaid:
            positions.confirmed[money] += positions.pending[money]
            positions.pending[money] = 0
    figures["payment_failures"] = len(unpaid)
    figures["released_shares"] = _release(positions, ledger, markets)
    return dict(figures)


def _release(positions: PlainPositions, ledger: PlainLedger, markets: Collection[int]) -> int:
    waiting = {money[:2] for money, cents in positions.pending.items() if cents}
    released = 0
    for line, shares in positions.on_hold.items():
        if shares and line not in waiting and positions.market[line] in markets:
            ledger.held[line[0], line[1] + CURRENCY_COUNT] -= shares
            released += shares
            positions.on_hold[line] = 0
    return released


@dataclass(slots=True)
class PlainInstruction:
    """One gross instruction."""

    deliverer: int
    receiver: int
    security: int
    market: int
    currency: int
    quantity: int
    cents: int
    intended_day: int
    status: str = "matched"
    priority: int = 3
    holds: frozenset[str] = frozenset()  # who holds it: deliverer, receiver, house
    cancels: frozenset[str] = frozenset()  # who asked to cancel it
    blocked_on: Key | None = None  # what was short when it was last tried

    def legs(self) -> list[Transfer]:
        """Return its transfers: a leg within one account, or without an amount, moves nothing."""
        asset = self.security + CURRENCY_COUNT
        stock = ((self.deliverer, asset), (self.receiver, asset), self.quantity)
        money = ((self.receiver, self.currency), (self.deliverer, self.currency), self.cents)
        return [leg for leg in (stock, money) if leg[0] != leg[1] and leg[2] > 0]


def ready(instructions: Iterable[PlainInstruction], day: int, markets: Collection[int]) -> list[PlainInstruction]:
    """Return what may be tried, in order of priority and number."""
    waiting = [
        one
        for one in instructions
        if one.status in ("matched", "failing") and one.intended_day <= day and one.market in markets
    ]
    return sorted(waiting, key=lambda one: one.priority)


def attempt(numbers: list[PlainInstruction], ledger: PlainLedger) -> tuple[dict[str, int], set[Key]]:
    """Settle what can be settled, again for those whose blocking row got something; returns figures and rows."""
    figures: dict[str, int] = defaultdict(int)
    everything: set[Key] = set()
    blocked: dict[int, Key] = {}
    trying = numbers
    while trying:
        figures["passes"] += 1
        credited: set[Key] = set()
        for one in trying:
            legs = one.legs()
            codes = ledger.chain(legs)
            blocked.pop(id(one), None)
            if any(codes):
                blocked |= {id(one): leg[0] for leg, code in zip(legs, codes, strict=True) if code == INSUFFICIENT}
                continue
            one.status = "settled"
            credited.update(leg[1] for leg in legs)
            figures["settled"] += 1
            figures["shares"] += one.quantity
            figures[f"settled_{CURRENCIES[one.currency]}_cents"] += one.cents
        everything |= credited
        trying = [one for one in numbers if one.status != "settled" and blocked.get(id(one)) in credited]
    for one in numbers:
        if one.status != "settled":
            one.blocked_on = blocked.get(id(one))
    figures["open"] = sum(one.status != "settled" for one in numbers)
    return dict(figures), everything


def settle_woken(
    waiting: Callable[[], list[PlainInstruction]],
    ledger: PlainLedger,
    chosen: Collection[int],
    credited: Collection[Key],
) -> dict[str, int]:
    """Settle at once what was ``chosen`` (by identity) or waits on rows just credited, and what that wakes.

    Returns figures, empty when nothing settled.
    """
    total: dict[str, int] = defaultdict(int)
    while woken := [one for one in waiting() if id(one) in chosen or one.blocked_on in credited]:
        figures, credited = attempt(woken, ledger)
        for name, value in figures.items():
            total[name] += value
        chosen = ()
        if not figures.get("settled"):
            break
    total.pop("open", None)
    return dict(total) if total.get("settled") else {}
