"""Scan risk and tail sums of many books.

Goal: the compiled kernels are the plain ones, to the last unit. Method: random books, empty ones among them; sums too
large for floats; scenarios that tie, that round alike and that differ by less than single precision can see.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsingma.kernels import scenario_compiled
from tsingma.kernels.scan import scan_plain, scan_risk
from tsingma.kernels.scan_compiled import scan_compiled
from tsingma.kernels.scenario import COARSE_MAX, LANES, screen_returns, tail_sums, tail_sums_plain
from tsingma.kernels.scenario_compiled import tail_sums_compiled


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


def check_tails(start: np.ndarray, row: np.ndarray, value: np.ndarray, returns_e10: np.ndarray, count: int) -> None:
    """Assert that both twins give the same sums."""
    found = tail_sums_compiled(start, row, value, screen_returns(returns_e10), count)
    assert found.tolist() == tail_sums_plain(start, row, value, returns_e10, count).tolist()


@given(
    seed=st.integers(0, 10**6),
    scenarios=st.integers(1, 5 * LANES),
    count=st.integers(0, 6 * LANES),
    value_max=st.sampled_from([1, 3, 1_000, 10**7, 10**13]),
    return_max=st.sampled_from([0, 2, 5 * 10**9, 10**11]),
    grain=st.sampled_from([1, 10**9, 5 * 10**9]),
)
def test_tail_twins(seed: int, scenarios: int, count: int, value_max: int, return_max: int, grain: int) -> None:
    """Goal: one integer for both. Method: random books of 0 to 9 entries; coarse grains make ties and halves."""
    rng = np.random.default_rng(seed)
    start = random_starts(rng, 20, 9)
    row = rng.integers(0, 30, start[-1])
    value = rng.integers(-value_max, value_max + 1, start[-1])
    returns_e10 = np.clip(
        rng.integers(-return_max, return_max + 1, (30, scenarios)) // grain * grain, -(10**11), 10**11
    )
    check_tails(start, row, value, returns_e10, count)


@given(st.integers(0, 10**6), st.integers(1, 40))
def test_tails_closer_than_single_precision(seed: int, count: int) -> None:
    """Goal: the worst are chosen by the exact sums. Method: big offsetting positions leave a few dollars to rank."""
    rng = np.random.default_rng(seed)
    common = rng.integers(-(10**11), 10**11 + 1, (1, 100))
    returns_e10 = np.clip(common + rng.integers(-3, 4, (10, 100)) * 10**4, -(10**11), 10**11)
    value = np.tile(np.array([10**9 + 1, -(10**9)]), 25)
    check_tails(np.arange(0, 51, 10), rng.integers(0, 10, 50), value, returns_e10, count)


@given(st.integers(0, 10**6))
def test_coarse_sums_keep_their_bound(seed: int) -> None:
    """Goal: the proved bound holds, and is not idle. Method: coarse sums against whole-number sums, worst of many."""
    rng = np.random.default_rng(seed)
    held, scenarios = int(rng.integers(1, 60)), 3 * LANES
    returns_e10 = rng.integers(-(10**10), 10**10, (held, scenarios))
    value, row = rng.integers(-(10**8), 10**8, held), np.arange(held)
    screen = screen_returns(returns_e10)
    weight = (value * screen.step).astype(np.float32)
    coarse = np.empty((1, scenarios), np.float32)
    scenario_compiled._sum_coarsely(np.array([0, held]), row.astype(np.uint32), weight, screen.coarse, coarse)
    off = np.abs(coarse[0] - tail_profits(row, value, returns_e10)).max()
    bound = scenario_compiled._bound(weight)
    assert off <= bound <= np.abs(weight).sum(dtype=np.float64) * (1.0 + COARSE_MAX * (held + 5) * 2.0**-23) + held


def tail_profits(row: np.ndarray, value: np.ndarray, returns_e10: np.ndarray) -> np.ndarray:
    """Return the exact profits of one book, as tails of one scenario each."""
    start = np.array([0, row.size])
    columns = [tail_sums_plain(start, row, value, returns_e10[:, s : s + 1], 1) for s in range(returns_e10.shape[1])]
    return np.concatenate(columns)


def test_chunks_and_threads_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Goal: sums do not depend on how work is cut. Method: chunks of one portfolio, of three, of all."""
    rng = np.random.default_rng(4)
    start = random_starts(rng, 40, 60)
    row, value = rng.integers(0, 500, start[-1]), rng.integers(-(10**7), 10**7, start[-1])
    returns_e10 = rng.integers(-(10**9), 10**9, (500, 250))
    expected = tail_sums_plain(start, row, value, returns_e10, 3).tolist()
    for sums in (1, 800, 10**7):
        monkeypatch.setattr(scenario_compiled, "_CHUNK_SUMS", sums)
        assert tail_sums_compiled(start, row, value, screen_returns(returns_e10), 3).tolist() == expected


def test_long_books_and_the_choice_of_twin() -> None:
    """Goal: a book of many entries is exact, and both ways of calling agree. Method: 20,000 entries, with a screen."""
    rng = np.random.default_rng(8)
    start = np.array([0, 20_000, 20_000, 20_300])
    row, value = rng.integers(0, 900, start[-1]), rng.integers(-(10**7), 10**7, start[-1])
    returns_e10 = rng.integers(-(10**9), 10**9, (900, 300))
    expected = tail_sums_plain(start, row, value, returns_e10, 7).tolist()
    assert tail_sums(start, row, value, returns_e10, 7).tolist() == expected
    assert tail_sums(start, row, value, returns_e10, 7, screen_returns(returns_e10)).tolist() == expected


def test_a_row_outside_the_screen_is_refused() -> None:
    """Goal: no memory is read outside the screen. Method: rows below and beyond."""
    screen = screen_returns(np.ones((3, 10), np.int64))
    for wrong in (-1, 3):
        with pytest.raises(IndexError, match="the screen has 3"):
            tail_sums_compiled(np.array([0, 1]), np.array([wrong]), np.array([1]), screen, 1)
