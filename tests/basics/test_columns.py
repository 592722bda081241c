"""Columns as bytes.

Goal: what is written narrow comes back whole, in as few bytes as its values need.
Method: hypothesis over the borders of every size; damaged bytes.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsingma.basics.columns import narrow, widen
from tsingma.basics.rejection import Rejected


@given(st.lists(st.integers(-(2**63), 2**63 - 1)), st.sampled_from([8, 16, 32, 64]))
def test_narrow_columns_come_back(values: list[int], bits: int) -> None:
    """Goal: the same column, no item larger than it must be. Method: values cut to a number of bits."""
    column = np.array(values, np.int64) >> (64 - bits)
    data = narrow(column)
    assert (widen(data) == column).all()
    assert len(data) <= 1 + column.size * bits // 8


def test_borders_of_every_size() -> None:
    """Goal: the smallest size that holds a value. Method: both borders, and one beyond."""
    for size in (1, 2, 4):
        low, high = -(1 << (8 * size - 1)), (1 << (8 * size - 1)) - 1
        assert len(narrow(np.array([low, high]))) == 1 + 2 * size
        assert len(narrow(np.array([low - 1]))) == len(narrow(np.array([high + 1]))) == 1 + 2 * size
    assert narrow(np.zeros(0, np.int64)) == b"\x01"


@pytest.mark.parametrize("data", [b"", b"\x03abc", b"\x04abc"])
def test_damaged_columns_are_refused(data: bytes) -> None:
    """Goal: no column out of other bytes. Method: no size, an unknown size, a cut item."""
    with pytest.raises(Rejected, match="no narrow column"):
        widen(data)
