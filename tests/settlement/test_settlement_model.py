"""Random days of net settlement against a plain model of dictionaries, conserving every share and cent."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from settlement_books import CNS, SECURITY_BASE, Books

from tsingma.settlement.cns import batch_run
from tsingma.settlement.money import settle_money

ACCOUNTS, SECURITIES = 4, 2
Key = tuple[int, int]

trades = st.lists(
    st.tuples(
        st.integers(0, ACCOUNTS - 1),
        st.integers(0, ACCOUNTS - 1),
        st.integers(0, SECURITIES - 1),
        st.integers(0, 1),
        st.integers(1, 50),
        st.integers(0, 10_000),
    ),
    max_size=12,
)
deposits = st.lists(
    st.tuples(st.integers(0, ACCOUNTS - 1), st.integers(0, SECURITY_BASE + SECURITIES - 1), st.integers(1, 5_000)),
    max_size=6,
).map(lambda rows: [row for row in rows if row[1] not in (2, 3)])
days = st.lists(st.tuples(deposits, trades, deposits), min_size=1, max_size=4)


class Model:
    """Open stock per line and open money per line and currency, kept the slow way."""

    def __init__(self) -> None:
        """Start with nothing owed."""
        self.stock: dict[Key, int] = {}
        self.money: dict[tuple[int, int, int], int] = {}

    def trade(self, rows: list[tuple[int, int, int, int, int, int]]) -> list[list[int]]:
        """Add trades; returns the netted due lines (account, security, currency, quantity, cents)."""
        lines: dict[tuple[int, int, int], list[int]] = {}
        for buyer, seller, security, unit, quantity, cents in rows:
            for account, sign in ((buyer, 1), (seller, -1)):
                total = lines.setdefault((account, security, unit), [0, 0])
                total[0] += sign * quantity
                total[1] += sign * cents
        for (account, security, unit), (quantity, cents) in lines.items():
            self.stock[account, security] = self.stock.get((account, security), 0) + quantity
            self.money[account, security, unit] = self.money.get((account, security, unit), 0) + cents
        return [[*key, *total] for key, total in lines.items()]


def _open_stock(books: Books) -> dict[Key, int]:
    lines = books.positions
    rows = zip(lines.account.tolist(), lines.security.tolist(), lines.open.tolist(), strict=True)
    return {(account, security): quantity for account, security, quantity in rows if quantity}


def _run(books: Books, model: Model) -> None:
    """Run once and follow it in the model: what a deliverer has, it delivers; the shares arrive on the other side."""
    wanted = dict(model.stock)
    available = {
        key: max(0, books.balance(key[0], SECURITY_BASE + key[1]) - books.held(key[0], SECURITY_BASE + key[1]))
        for key in wanted
    }
    batch_run(books.positions, books.ledger, CNS, (0,))
    now = _open_stock(books)
    for key, quantity in wanted.items():
        left = now.get(key, 0)
        if quantity < 0:
            assert left == quantity + min(-quantity, available[key])
        assert 0 <= left * (1 if quantity >= 0 else -1) <= abs(quantity)
        model.stock[key] = left
    for security in range(SECURITIES):
        assert sum(left for (_, line), left in now.items() if line == security) == 0
        assert books.balance(CNS, SECURITY_BASE + security) == 0


def _check_money(books: Books, paid: dict[tuple[int, int, int], int], model: Model) -> None:
    """Money settled so far + money still open = money of the trades, to the cent, per line and currency."""
    lines = books.positions
    still: dict[Any, int] = {}
    for place, line in enumerate(lines.money_line.tolist()):
        key = (int(lines.account[line]), int(lines.security[line]), int(lines.money_currency[place]))
        still[key] = int(lines.due_cents[place] - lines.settled_cents[place])
        today = int(lines.settled_cents[place])
        paid[key] = paid.get(key, 0) + today
    for key, cents in model.money.items():
        assert paid.get(key, 0) + still.get(key, 0) == cents


@settings(max_examples=80, deadline=None)
@given(days)
def test_days_of_net_settlement_follow_the_model(story: list[Any]) -> None:
    """Goal: due = settled + open in shares and cents over many days. Method: random days against dictionaries."""
    books, model = Books(), Model()
    paid: dict[tuple[int, int, int], int] = {}
    for number, (morning, rows, noon) in enumerate(story):
        for account, asset, amount in morning:
            books.give(account, asset, amount)
        books.due(number + 1, *model.trade(rows))
        assert _open_stock(books) == {key: left for key, left in model.stock.items() if left}
        _run(books, model)
        for account, asset, amount in noon:
            books.give(account, asset, amount)
        _run(books, model)
        settle_money(books.positions, books.ledger, CNS, (0,))
        _check_money(books, paid, model)
        books.positions.check()
        books.ledger.check()
        for unit in range(2):  # the house's line is exactly what it has advanced for payers that failed
            total = sum(cents - paid.get(key, 0) for key, cents in model.money.items() if key[2] == unit)
            assert books.balance(CNS, unit) == -total


@settings(max_examples=80, deadline=None)
@given(st.integers(1, 2**45), st.integers(-(2**61), 2**61), st.lists(st.integers(1, 2**44), max_size=8))
def test_money_of_any_parts_sums_to_the_cent(quantity: int, cents: int, parts: list[int]) -> None:
    """Goal: pro rata is exact and does not depend on the parts. Method: random parts against Python's integers."""
    books, moved = Books(), 0
    books.due(1, (0, 0, 0, -quantity, -cents), (1, 0, 0, quantity, cents))
    for part in [*parts, quantity]:
        step = min(part, quantity - moved)
        if not step:
            continue
        moved += step
        books.due(1, roll=False)  # an empty addition changes nothing
        books.positions.move(np.array([0, 1]), np.array([-step, step]))
        expected = abs(cents) * moved // quantity * (1 if cents >= 0 else -1)
        assert books.positions.moved_cents.tolist() == [-expected, expected]
    assert books.positions.moved_cents.tolist() == [-cents, cents]
