"""Novation and continuous net settlement.

Goal: what each account owes is the plain sum of its trades, whatever their order, and the house is flat (design,
invariant 5). Method: a dictionary of Python integers beside the kernel on random trades; obligations by day, dumped.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from clearing_book import A_CLIENT, B_OMNIBUS, MONDAY, A, B, resolved, trades
from hypothesis import given
from hypothesis import strategies as st

from tsingma.basics.rejection import InvariantBroken
from tsingma.clearing.netting import NetLegs, net, require_flat
from tsingma.clearing.obligations import Obligations, gross_obligations
from tsingma.clearing.trades import MODE_DVP, MODE_ISOLATED
from tsingma.reference.book import Market

members = st.sampled_from([A, A_CLIENT, B, B_OMNIBUS])
rows = st.lists(
    st.tuples(st.integers(0, 2), members, members, st.integers(1, 10**6), st.integers(1, 10**8)),
    min_size=1,
    max_size=40,
)
DAYS = {Market.XHKG: (MONDAY + 2, MONDAY + 2), Market.XSHG: (MONDAY, MONDAY + 1), Market.CMU: (MONDAY, MONDAY)}


def plain(batch: list[tuple[int, int, int, int, int]]) -> dict[tuple[int, int], tuple[int, int, int]]:
    """Return (quantity, amount, legs) per (account, counter) in plain Python."""
    sums: dict[tuple[int, int], list[int]] = defaultdict(lambda: [0, 0, 0])
    for counter, buyer, seller, quantity, price in batch:
        amount = (quantity * price + 50) // 100
        for account, sign in ((buyer, 1), (seller, -1)):
            entry = sums[account, counter]
            entry[0] += sign * quantity
            entry[1] += sign * amount
            entry[2] += 1
    return {key: (entry[0], entry[1], entry[2]) for key, entry in sums.items()}


@given(rows, st.randoms(use_true_random=False))
def test_net_is_the_plain_sum_in_any_order(batch: list[tuple[int, int, int, int, int]], chance: object) -> None:
    """Goal: kernel = plain sums = any order. Method: random trades, shuffled."""
    legs = net(trades(batch), 8, 4)
    got = {
        (account, counter): (quantity, amount, count)
        for account, counter, quantity, amount, count in zip(
            *(column.tolist() for column in (legs.account, legs.counter, legs.quantity, legs.amount_cents, legs.legs)),
            strict=True,
        )
    }
    assert got == plain(batch)
    chance.shuffle(batch)  # type: ignore[attr-defined]
    again = net(trades(batch), 8, 4)
    assert again.quantity.tolist() == legs.quantity.tolist()
    assert again.amount_cents.tolist() == legs.amount_cents.tolist()


def test_a_house_that_is_not_flat_stops() -> None:
    """Goal: the invariant is asserted in production code. Method: legs that leave a share, and a cent."""
    account, counter = np.array([A, B], np.int32), np.array([2, 2], np.int32)
    balanced = np.array([5, -5])
    with pytest.raises(InvariantBroken, match="quantity 1 open in counter 2"):
        require_flat(NetLegs(account, counter, np.array([5, -4]), balanced, balanced), 4)
    with pytest.raises(InvariantBroken, match="amount -1 open in counter 2"):
        require_flat(NetLegs(account, counter, balanced, np.array([5, -6]), balanced), 4)


def test_obligations_fall_due_on_their_markets_day() -> None:
    """Goal: Hong Kong and Mainland cycles apart, files add up. Method: two files, dues by day, a dump taken back."""
    book, owed = resolved(), Obligations()
    files = [[(0, A, B, 100, 10_000), (2, B, A, 300, 20_000)], [(0, B, A, 40, 10_000), (1, A, B, 7, 10_000)]]
    for number, file in enumerate(files):
        batch = trades(file, first_id=10 * number + 1)
        owed.add(net(batch, 8, 4), book, DAYS)
        owed.remember_ids(MONDAY, batch.trade_id)
    assert owed.days == [MONDAY, MONDAY + 2]
    assert owed.seen_ids(MONDAY).tolist() == [1, 2, 11, 12]
    assert owed.seen_ids(MONDAY + 1).size == 0
    again = Obligations()
    again.load(owed.dump())
    for book_of in (owed, again):
        due = book_of.due(MONDAY + 2)
        assert list(zip(due.account.tolist(), due.counter.tolist(), due.quantity.tolist(), strict=True)) == [
            (A, 0, 60),
            (A, 1, 7),
            (B, 0, -60),
            (B, 1, -7),
        ]
        assert due.amount_cents.tolist() == [6_000, 700, -6_000, -700]
        assert len(book_of.due(MONDAY)) == 2
    owed.drop(MONDAY)
    owed.drop(MONDAY)
    assert (owed.days, len(owed.due(MONDAY))) == ([MONDAY + 2], 0)


def test_gross_trades_keep_their_parties() -> None:
    """Goal: isolated trades and bonds settle one by one. Method: one of each among netted trades."""
    book = resolved()
    isolated = trades([(0, A, B, 100, 10_000)], mode=MODE_ISOLATED)
    bond = trades([(3, B_OMNIBUS, A_CLIENT, 1_000, 1_000_000)], mode=MODE_DVP)
    assert gross_obligations(trades([(0, A, B, 1, 100)]), book, DAYS) == []
    (stock,) = gross_obligations(isolated, book, DAYS)
    (debt,) = gross_obligations(bond, book, DAYS)
    assert (stock.deliverer.tolist(), stock.receiver.tolist(), stock.stock_day) == ([B], [A], MONDAY + 2)
    assert (debt.deliverer.tolist(), debt.receiver.tolist(), debt.stock_day) == ([A_CLIENT], [B_OMNIBUS], MONDAY)
    assert (stock.amount_cents.tolist(), len(stock), len(debt)) == ([10_000], 1, 1)
