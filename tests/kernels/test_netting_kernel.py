"""Exact sums by key.

Goal: the compiled netting kernel equals its plain twin and polars, whatever the order of the trades.
Method: random legs through all three; a permutation of the legs; an empty day.
"""

from __future__ import annotations

import sys

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsingma.kernels import netting


def legs(seed: int, count: int) -> tuple[np.ndarray, ...]:
    """Return random (account, counter, quantity, amount) of 50 accounts and 30 counters."""
    chance = np.random.default_rng(seed)
    return (
        chance.integers(0, 50, count).astype(np.int32),
        chance.integers(0, 30, count).astype(np.int32),
        chance.integers(-(10**9), 10**9, count),
        chance.integers(-(10**12), 10**12, count),
    )


@given(st.integers(0, 2**32), st.integers(0, 3_000))
def test_compiled_equals_plain(seed: int, count: int) -> None:
    """Goal: the twins agree. Method: random legs, every column compared, dtype too."""
    columns = legs(seed, count)
    fast = netting.net_legs(*columns, 50, 30)
    plain = netting.net_legs_plain(*columns, 30)
    for one, other in zip(fast, plain, strict=True):
        assert one.dtype == other.dtype
        assert one.tolist() == other.tolist()


def test_equals_polars() -> None:
    """Goal: an outside oracle agrees. Method: 200,000 legs grouped by polars."""
    account, counter, quantity, amount = legs(3, 200_000)
    frame = pl.DataFrame({"account": account, "counter": counter, "quantity": quantity, "amount": amount})
    grouped = frame.group_by("account", "counter").agg(
        pl.col("quantity").sum(), pl.col("amount").sum(), pl.len().alias("legs")
    )
    wanted = grouped.sort("account", "counter").rows()
    assert (
        list(
            zip(
                *(column.tolist() for column in netting.net_legs(account, counter, quantity, amount, 50, 30)),
                strict=True,
            )
        )
        == wanted
    )


def test_order_of_trades_does_not_matter() -> None:
    """Goal: netting depends on the set of trades only (design, invariant 5). Method: shuffle the legs."""
    columns = legs(5, 100_000)
    shuffled = [column[np.random.default_rng(1).permutation(100_000)] for column in columns]
    one, other = netting.net_legs(*columns, 50, 30), netting.net_legs(*shuffled, 50, 30)
    assert all((a == b).all() for a, b in zip(one, other, strict=True))


def test_plain_answers_without_numba(monkeypatch: pytest.MonkeyPatch) -> None:
    """Goal: the compiled extra may be missing. Method: make its import fail, net again."""
    columns = legs(9, 1_000)
    wanted = netting.net_legs(*columns, 50, 30)
    monkeypatch.setitem(sys.modules, "tsingma.kernels.netting_compiled", None)
    monkeypatch.delattr("tsingma.kernels.netting_compiled", raising=False)
    netting._compiled.cache_clear()
    try:
        assert netting._compiled() is None
        got = netting.net_legs(*columns, 50, 30)
    finally:
        netting._compiled.cache_clear()
    assert all((a == b).all() for a, b in zip(wanted, got, strict=True))
