"""Scan risk and tail means of many books.

Goal: the compiled kernels are the plain ones. Method: random books, empty ones among them; sums too large for floats.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsingma.kernels.scan import scan_plain, scan_risk
from tsingma.kernels.scan_compiled import scan_compiled
from tsingma.kernels.tails import block_moves, tail_means, tail_means_plain
from tsingma.kernels.tails_compiled import tails_compiled


def random_starts(rng: np.random.Generator, books: int, most: int) -> np.ndarray:
    """Return starts of books of 0 to ``most`` entries."""
    return np.concatenate([[0], np.cumsum(rng.integers(0, most + 1, books))]).astype(np.int64)


@given(st.integers(0, 10**6))
def test_scan_twins(seed: int) -> None:
    """Goal: one integer for both. Method: random accounts over five commodities."""
    rng = np.random.default_rng(seed)
    start = random_starts(rng, 30, 12)
    commodity = np.sort(rng.integers(0, 5, 40)).astype(np.int32)
    arrays = rng.integers(-100_000, 100_000, (40, 16)).astype(np.int32)
    contract = np.concatenate([np.sort(rng.integers(0, 40, stop - first)) for first, stop in pairwise(start)]).astype(
        np.int32
    )
    quantity = rng.integers(-500, 500, contract.size)
    book = (start, contract, quantity, commodity, arrays)
    assert (scan_compiled(*book) == scan_plain(*book)).all()
    assert (scan_risk(*book) == scan_plain(*book)).all()


def test_scan_by_hand_and_beyond_floats() -> None:
    """Goal: two commodities add, and large sums stay exact. Method: by hand; quantities near 2**31."""
    arrays = np.array([[5] * 16, [-3] * 16, [7] * 16], np.int32)
    commodity, start = np.array([0, 0, 1], np.int32), np.array([0, 3], np.int64)
    contract = np.array([0, 1, 2], np.int32)
    assert scan_risk(start, contract, np.array([1, 1, -1]), commodity, arrays).tolist() == [2]
    huge = np.array([2**60 + 1, 0, 0])
    assert scan_risk(start, contract, huge, commodity, np.ones((3, 16), np.int32)).tolist() == [2**60 + 1]


@given(st.integers(0, 10**6), st.integers(1, 9))
def test_tail_twins(seed: int, count: int) -> None:
    """Goal: the same mean to float32 ranking. Method: random books of 1 to 9 entries, 150 scenarios."""
    rng = np.random.default_rng(seed)
    start = np.concatenate([[0], np.cumsum(rng.integers(1, 10, 20))]).astype(np.int64)
    row = rng.integers(0, 30, start[-1]).astype(np.int32)
    value = rng.integers(-1000, 1000, start[-1]).astype(np.float64)
    moves = rng.standard_normal((30, 150)).astype(np.float32)
    plain = tail_means_plain(start, row, value, moves, count)
    found = tails_compiled(start, row, value, block_moves(moves), 150, count)
    assert found == pytest.approx(plain, rel=1e-5, abs=1e-2)
    screened = tails_compiled(start, row, value, block_moves(moves), 150, count, exact=False)
    assert screened == pytest.approx(plain, rel=1e-4, abs=1e-1)
    assert tail_means(start, row, value, moves, count) == pytest.approx(plain)
