"""Futures and options in the books.

Goal: money and positions by hand, flat series, flows that cancel, state that survives, refusals that change nothing.
Method: worked days, a plain dictionary model under random trades, dump and load.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsingma.basics.rejection import Rejected
from tsingma.clearing.derivatives import SERIES_MAX, DerivativeBook, DerivativeTrades, Series

FUTURE = Series("F", "HKCC", "future", "INDEX", 50, 0, 30)
CALL = Series("C", "SEOCH", "call", "00700", 500, 3_000_000, 12)
PUT = Series("P", "HKCC", "put", "INDEX", 50, 200_000_000, 30)
ALL = (FUTURE, CALL, PUT)


def trades(*rows: tuple[int, int, int, int, int, int]) -> DerivativeTrades:
    """Return trades of (id, series, buyer, seller, quantity, price e4)."""
    return DerivativeTrades(*(np.array(column, np.int64) for column in zip(*rows, strict=True)))


def listed() -> DerivativeBook:
    """Return a book with the three series."""
    book = DerivativeBook()
    book.add_series(ALL, 10)
    return book


def capture(book: DerivativeBook, *rows: tuple[int, int, int, int, int, int], day: int = 10) -> None:
    """Check and capture trades."""
    batch = trades(*rows)
    assert not book.check(batch, 9, day)
    book.capture(batch)
    book.check_flat()


def test_a_future_pays_its_moves() -> None:
    """Goal: variation margin from trade to settlement, then from settlement to settlement.

    Method: three days by hand.
    """
    book = listed()
    capture(book, (1, 0, 1, 2, 2, 20_000_0000))
    prices = {0: 20_100_0000, 1: 0, 2: 0}
    assert book.mark(prices, {}, 10) == {1: 2 * 100 * 50 * 100, 2: -2 * 100 * 50 * 100}
    assert book.mark({**prices, 0: 20_050_0000}, {}, 11) == {1: -2 * 50 * 50 * 100, 2: 2 * 50 * 50 * 100}
    capture(book, (1, 0, 2, 1, 2, 20_060_0000), day=12)  # closed out; ids count by day
    assert book.mark({**prices, 0: 20_000_0000}, {}, 12) == {1: 2 * 10 * 50 * 100, 2: -2 * 10 * 50 * 100}
    assert not book.key.size


def test_an_option_pays_premium_and_exercise() -> None:
    """Goal: premium on the evening of the trade, intrinsic value at expiry, and the position is gone.

    Method: by hand.
    """
    book = listed()
    capture(book, (7, 1, 3, 4, 10, 12_5000))
    assert book.mark({0: 0, 1: 11_0000, 2: 0}, {}, 10) == {3: -10 * 500 * 1250, 4: 10 * 500 * 1250}
    assert book.mark({0: 0, 1: 9_0000, 2: 0}, {}, 11) == {}
    assert book.mark({0: 0, 1: 0, 2: 0}, {1: 3_100_000}, 12) == {3: 10 * 500 * 1000, 4: -10 * 500 * 1000}
    assert not book.key.size
    capture(book, (8, 1, 3, 4, 1, 100), day=12)
    assert book.mark({0: 0, 1: 0, 2: 0}, {1: 2_900_000}, 12) == {3: -500, 4: 500}  # out of the money


rows = st.lists(
    st.tuples(st.sampled_from([0, 2]), st.integers(0, 8), st.integers(0, 8), st.integers(1, 50), st.integers(1, 9_000)),
    max_size=25,
)


@given(st.lists(st.tuples(rows, st.integers(1, 9_000)), min_size=1, max_size=4))
def test_a_plain_model_agrees(days: list[tuple[list[tuple[int, int, int, int, int]], int]]) -> None:
    """Goal: positions and money under random trades. Method: dictionaries; flows add up to zero every day."""
    book = listed()
    held: dict[tuple[int, int], int] = {}
    value: dict[tuple[int, int], int] = {}
    for number, (batch, close) in enumerate(days):
        if batch:
            capture(
                book, *((k + 1, s, b, x, q, p * 10_000) for k, (s, b, x, q, p) in enumerate(batch)), day=10 + number
            )
        due: dict[int, int] = {}
        for series, buyer, seller, quantity, price in batch:
            for account, sign in ((buyer, 1), (seller, -1)):
                key = (account, series)
                held[key] = held.get(key, 0) + sign * quantity
                value[key] = value.get(key, 0) + sign * quantity * price * 50 * 100
        for (account, series), paid in value.items():
            worth = held[account, series] * close * 50 * 100 if series == 0 else 0
            due[account] = due.get(account, 0) + worth - paid
            value[account, series] = worth
        flows = book.mark({0: close * 10_000, 1: 0, 2: 5_0000}, {}, 10 + number)
        assert flows == {account: cents for account, cents in sorted(due.items()) if cents}
        assert sum(flows.values()) == 0
        mine = dict(zip(book.key.tolist(), book.quantity.tolist(), strict=True))
        assert {key: q for key, q in mine.items() if q} == {a * SERIES_MAX + s: q for (a, s), q in held.items() if q}


def test_state_survives() -> None:
    """Goal: dump and load give the same book. Method: a book with positions, money owed and prices."""
    book = listed()
    capture(book, (1, 0, 1, 2, 2, 20_000_0000))
    book.mark({0: 20_100_0000, 1: 0, 2: 0}, {}, 10)
    book.owed = {2: 77}
    other = DerivativeBook()
    other.load(book.dump())
    assert other.dump() == book.dump()
    assert other.series == ALL


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ((1, 9, 1, 2, 1, 100), "number 9 is not listed"),
        ((1, 0, 99, 2, 1, 100), "buyer or seller"),
        ((1, 0, 1, 2, 0, 100), "quantity: 0"),
        ((1, 0, 1, 2, 1, 0), "price: 0"),
        ((1, 0, 1, 2, 1, 1), "no whole cent"),
        ((1, 0, 1, 2, 10**7, 10**12), "price"),
    ],
)
def test_bad_trades_are_named(row: tuple[int, int, int, int, int, int], message: str) -> None:
    """Goal: every fault by field. Method: one each; a duplicate in one batch; an expired series."""
    (fault,) = listed().check(trades(row), 9, 10)
    assert message in str(fault)
    twice = listed().check(trades((1, 0, 1, 2, 1, 100), (1, 0, 1, 2, 1, 100)), 9, 10)
    assert "captured today already" in str(twice[0])
    assert "expired" in str(listed().check(trades((1, 1, 1, 2, 1, 100)), 9, 13)[0])


@pytest.mark.parametrize(
    ("series", "message"),
    [
        (FUTURE, "is listed already"),
        (Series("X", "LCH", "future", "INDEX", 50, 0, 30), "LCH future"),
        (Series("X", "HKCC", "future", "INDEX", 0, 0, 30), "multiplier: 0"),
        (Series("X", "HKCC", "call", "INDEX", 50, 0, 30), "strike_e4: 0"),
        (Series("X", "HKCC", "future", "INDEX", 50, 0, 9), "expired"),
    ],
)
def test_bad_series_are_refused_whole(series: Series, message: str) -> None:
    """Goal: nothing is listed when one is wrong. Method: a good one beside each bad one."""
    book = listed()
    with pytest.raises(Rejected, match=message):
        book.add_series((Series("new", "HKCC", "future", "INDEX", 50, 0, 30), series), 10)
    assert book.series == ALL
