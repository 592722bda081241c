"""Transfers, holds and pledges on arrays.

Goal: the compiled kernels and their plain twins answer the same, and both keep the rules of a row.
Method: random batches (hypothesis) through both; hand-made batches for each result code.
"""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsingma.kernels import postings

ROWS = 6  # rows 0-3 hold asset 0, rows 4-5 hold asset 1
KEY = (np.arange(ROWS, dtype=np.int64) << 32) | (np.arange(ROWS) >= 4)


def numbers(balance: list[int], held: list[int] | None = None, floor: list[int] | None = None) -> np.ndarray:
    """Return the four columns of the rows: balance, held, pledged (zero), floor."""
    zeros = [0] * ROWS
    return np.array([balance, held or zeros, zeros, floor or zeros], np.int64)


def post(state: np.ndarray, items: list[tuple[int, int, int]], linked: list[bool] | None = None) -> list[int]:
    """Carry out (debit, credit, amount) items and return their codes."""
    debit, credit, amount = (np.array(column, np.int64) for column in zip(*items, strict=True))
    return postings.transfer(KEY, state, debit, credit, amount, np.array(linked or [False] * len(items))).tolist()


@pytest.mark.parametrize(
    ("item", "code"),
    [
        ((0, 1, 10), postings.BOOKED),
        ((0, 1, 101), postings.INSUFFICIENT),
        ((0, 1, 0), postings.NOT_POSITIVE),
        ((0, 1, -5), postings.NOT_POSITIVE),
        ((0, 0, 5), postings.SAME_ROW),
        ((0, 4, 5), postings.OTHER_ASSET),
        ((2, 3, 90), postings.OVERFLOW),
        ((1, 0, 41), postings.INSUFFICIENT),  # 100 less 60 on hold
    ],
)
@pytest.mark.parametrize("compiled", [True, False])
def test_each_code(item: tuple[int, int, int], code: int, compiled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Goal: every refusal has its code and changes nothing. Method: one transfer each, compiled and plain."""
    if not compiled:
        monkeypatch.setattr(postings, "_compiled", lambda: None)
    state = numbers([100, 100, 100, 2**62 - 50, 7, 7], held=[0, 60, 0, 0, 0, 0])
    before = state.copy()
    assert post(state, [item]) == [code]
    assert (state == before).all() == (code != postings.BOOKED)
    assert state[0].sum() == before[0].sum()


@pytest.mark.parametrize("compiled", [True, False])
def test_chain_is_all_or_nothing(compiled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Goal: a failing leg undoes its chain only. Method: a chain of three with a bad middle."""
    if not compiled:
        monkeypatch.setattr(postings, "_compiled", lambda: None)
    state = numbers([100, 0, 0, 0, 50, 0])
    codes = post(
        state,
        [(0, 1, 10), (0, 1, 20), (4, 5, 51), (0, 2, 1), (4, 5, 50)],
        [False, True, True, False, False],
    )
    failed = postings.CHAIN_FAILED
    assert codes == [postings.BOOKED, failed, postings.INSUFFICIENT, failed, postings.BOOKED]
    assert state[0].tolist() == [90, 10, 0, 0, 0, 50]


def test_first_failure_is_found_on_a_copy() -> None:
    """Goal: the caller learns which transfer fails. Method: second of three is too large; the state must not move."""
    state = numbers([100, 0, 0, 0, 0, 0])
    before = state.copy()
    columns = (np.array([0, 0, 0]), np.array([1, 2, 3]), np.array([60, 60, 40]))
    assert postings.first_failure(KEY, state, *columns) == 1
    assert postings.first_failure(KEY, state, *(column[:1] for column in columns)) == -1
    assert (state == before).all()


@pytest.mark.parametrize("balance", [-(2**62), -5, 0, 5, 2**62])
@pytest.mark.parametrize("amount", [2**62 - 1, 2**62, 2**62 + 1, 2**63 - 1])
def test_twins_agree_at_the_edge_of_64_bits(balance: int, amount: int) -> None:
    """Goal: no amount wraps around. Method: the largest amounts from rows without a floor, compiled beside plain."""
    for credit in (-(2**62), 0, 2**62):
        states = [numbers([balance, credit, 0, 0, 0, 0], floor=[-(2**62)] * ROWS) for _ in range(2)]
        columns = (np.array([0]), np.array([2]), np.array([amount]), np.array([False]))
        states[0][0, 2] = states[1][0, 2] = credit
        fast = postings.transfer(KEY, states[0], *columns)
        assert fast.tolist() == postings.transfer_plain(KEY, states[1], *columns).tolist()
        assert (states[0] == states[1]).all()


items = st.tuples(st.integers(0, ROWS - 1), st.integers(0, ROWS - 1), st.integers(-2, 60), st.booleans())


@given(st.lists(st.integers(0, 100), min_size=ROWS, max_size=ROWS), st.lists(items, min_size=1, max_size=20))
def test_twins_agree(balance: list[int], batch: list[tuple[int, int, int, bool]]) -> None:
    """Goal: compiled equals plain. Method: random batches with random chains, compare codes and state."""
    debit, credit, amount = (np.array([item[place] for item in batch], np.int64) for place in range(3))
    linked = np.array([item[3] for item in batch])
    fast, plain = numbers(balance), numbers(balance)
    codes = postings.transfer(KEY, fast, debit, credit, amount, linked)
    assert codes.tolist() == postings.transfer_plain(KEY, plain, debit, credit, amount, linked).tolist()
    assert (fast == plain).all()
    for asset in (0, 1):
        here = (KEY & 1 == 1) == bool(asset)
        assert fast[0][here].sum() == sum(np.array(balance)[here])
    assert (fast[0] >= 0).all()


@given(st.lists(st.tuples(st.booleans(), st.integers(0, ROWS - 1), st.integers(-1, 40)), max_size=20))
def test_holds_agree_with_plain(batch: list[tuple[bool, int, int]]) -> None:
    """Goal: holds never exceed what is available; compiled equals plain. Method: random holds and releases."""
    fast, plain = numbers([50] * ROWS), numbers([50] * ROWS)
    for reserve, row, amount in batch:
        act = postings.reserve if reserve else postings.free
        rows, amounts = np.array([row]), np.array([amount])
        code = act(fast, 1, rows, amounts)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(postings, "_compiled", lambda: None)
            assert act(plain, 1, rows, amounts).tolist() == code.tolist()
        assert (fast == plain).all()
        assert ((fast[1] >= 0) & (fast[1] <= 50)).all()


def test_missing_numba_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Goal: the house runs without the compiled extra. Method: make the import fail, ask for the compiled module."""
    monkeypatch.setitem(sys.modules, "tsingma.kernels.postings_compiled", None)
    monkeypatch.delattr("tsingma.kernels.postings_compiled", raising=False)
    postings._compiled.cache_clear()
    try:
        assert postings._compiled() is None
        state = numbers([5, 0, 0, 0, 0, 0])
        assert post(state, [(0, 1, 5)]) == [postings.BOOKED]
    finally:
        postings._compiled.cache_clear()
