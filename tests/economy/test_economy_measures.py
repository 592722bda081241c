"""Measures of inequality and polarisation.

Goal: the vectors of the reference (A1.2) to six digits, exact decomposition. Method: published small vectors;
properties on drawn incomes.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsingma.basics.rejection import Rejected
from tsingma.economy.measures import (
    esteban_ray,
    gini,
    herfindahl,
    k_shape,
    lorenz,
    palma,
    theil,
    wolfson,
)

INCOMES = st.lists(st.floats(0.01, 1000), min_size=2, max_size=12)


def test_vectors_of_two_incomes() -> None:
    """Goal: y = (1, 3): Theil, Gini, Esteban-Ray. Method: the stated figures."""
    y = np.array([1.0, 3.0])
    assert theil(y).total == pytest.approx(0.130812, abs=5e-7)
    assert gini(y) == pytest.approx(0.25)
    assert esteban_ray(y, alpha=1.3) == pytest.approx(0.203063, abs=5e-7)
    assert esteban_ray(y, alpha=0.0) == pytest.approx(2 * gini(y)) == 0.5


def test_vector_of_theil_within_and_between() -> None:
    """Goal: total = within + between. Method: four incomes in two groups."""
    found = theil(np.array([1.0, 9.0, 2.0, 4.0]), np.array([0.4, 0.1, 0.3, 0.2]), (1, 1, 2, 2))
    assert (found.total, found.within, found.between) == pytest.approx((0.303943, 0.303257, 0.000686), abs=5e-7)


def test_vector_of_concentration() -> None:
    """Goal: HHI of HBM shipments. Method: 62, 21 and 17 percent."""
    assert herfindahl(np.array([62.0, 21.0, 17.0])) == pytest.approx(0.4574)


@given(INCOMES, st.integers(1, 4))
def test_theil_splits_exactly(incomes: list[float], groups: int) -> None:
    """Goal: within is the income-weighted mean of the groups' own Theils. Method: computed apart."""
    y = np.array(incomes)
    labels = [k % groups for k in range(y.size)]
    found = theil(y, None, labels)
    apart = 0.0
    for label in set(labels):
        own = y[[one == label for one in labels]]
        apart += own.sum() / y.sum() * theil(own).total
    assert found.within == pytest.approx(apart, abs=1e-9)


@given(INCOMES)
def test_equal_incomes_are_zero_and_scale_is_nothing(incomes: list[float]) -> None:
    """Goal: all measures know equality and no unit. Method: a constant, then incomes times 7."""
    y = np.array(incomes)
    same = np.full(y.size, 3.0)
    for measure in (lambda one: theil(one).total, gini, esteban_ray, wolfson):
        assert measure(same) == pytest.approx(0.0, abs=1e-12)
        assert measure(7 * y) == pytest.approx(measure(y), abs=1e-9)
    assert palma(same) == pytest.approx(0.25)
    assert lorenz(y, None, 1.0) == pytest.approx(1.0)


def test_polarisation_is_not_inequality() -> None:
    """Goal: two camps polarise more than a spread of the same Gini would. Method: Wolfson of camps and of a ladder."""
    camps, ladder = np.array([1.0, 1, 1, 5, 5, 5]), np.array([1.0, 2, 3, 4, 5, 6])
    assert wolfson(camps) > wolfson(ladder)


def test_both_arms_of_a_k() -> None:
    """Goal: arms and gap. Method: the top doubles, the rest halves."""
    found = k_shape(np.array([10.0, 1, 1]), np.array([20.0, 0.5, 0.5]), (True, False, False))
    assert (found.upper, found.lower, found.gap) == pytest.approx((np.log(2), -np.log(2), 2 * np.log(2)))


@pytest.mark.parametrize(("call", "message"), [
    (lambda: theil(np.array([1.0, -1.0])), "negative"),
    (lambda: theil(np.array([1.0, 2.0]), np.array([1.0])), "two equal rows"),
    (lambda: gini(np.array([0.0, 0.0])), "nothing to distribute"),
    (lambda: esteban_ray(np.array([1.0, 2.0]), alpha=2.0), "outside 0 to 1.6"),
    (lambda: k_shape(np.array([1.0, 2.0]), np.array([1.0, 2.0]), (False, False)), "has no income"),
])  # fmt: skip
def test_bad_input_is_refused(call: object, message: str) -> None:
    """Goal: no measure of nonsense. Method: one fault each."""
    with pytest.raises(Rejected, match=message):
        call()
