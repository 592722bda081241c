"""Clearing vectors.

Goal: the published networks exactly, with and without costs of default. Method: vectors of the R package systemicrisk
and of a three-bank ring, a plain fixed-point iteration as differential twin, refusals.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsingma.basics.rejection import Rejected
from tsingma.margin.contagion import clearing_vector

HALF = [[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]


def fractions(*texts: str) -> list[float]:
    """Return fractions as floats."""
    return [float(Fraction(text)) for text in texts]


def test_published_vectors() -> None:
    """Goal: systemicrisk's default_clearing example. Method: exact fractions."""
    network = (HALF, fractions("1/2", "5/8", "3/4"), fractions("3/2", "1/2", "1/2"))
    plain = clearing_vector(*network)
    assert plain.payment == pytest.approx(fractions("165/112", "159/112", "3/2"), abs=1e-14)
    assert plain.default_round.tolist() == [1, 2, 0]
    costly = clearing_vector(*network, recovery_assets=0.5, recovery_claims=0.7)
    assert costly.payment == pytest.approx(fractions("4225/8416", "160275/311392", "176055/311392"), abs=1e-14)
    assert costly.defaulted.all()
    assert costly.residual < 1e-14


def test_ring() -> None:
    """Goal: bank 1 alone defaults, paying 20 of 21. Method: the ring 1 to 2 to 3 after a 10 % shock."""
    owed = [[0, 4, 0], [0, 0, 3], [2, 0, 0]]
    found = clearing_vector(owed, [18, 18, 9], [17, 18, 8])
    assert found.payment == pytest.approx([20, 21, 10], abs=1e-12)
    assert found.default_round.tolist() == [1, 0, 0]


@given(st.integers(0, 10_000), st.sampled_from([(1.0, 1.0), (0.5, 0.7)]))
def test_twin_agrees(seed: int, recovery: tuple[float, float]) -> None:
    """Goal: the rounds give the greatest fixed point. Method: small random networks against plain iteration."""
    rng = np.random.default_rng(seed)
    size = int(rng.integers(2, 5))
    owed = rng.uniform(0, 10, (size, size)) * (rng.random((size, size)) < 0.7)
    np.fill_diagonal(owed, 0)
    assets, outside = rng.uniform(0, 10, size), rng.uniform(0.5, 5, size)
    found = clearing_vector(owed, assets, outside, recovery_assets=recovery[0], recovery_claims=recovery[1])
    total = owed.sum(axis=1) + outside
    assert (found.payment <= total + 1e-9).all()
    assert (found.payment >= -1e-9).all()
    payment = total.copy()
    for _ in range(3000):
        claims = (owed / total[:, None]).T @ payment
        payment = np.where(assets + claims >= total * (1 - 1e-12), total, recovery[0] * assets + recovery[1] * claims)
    assert found.payment == pytest.approx(payment, abs=1e-6)


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (([[0, 1]], [1], [1]), "not square"),
        (([[0, 1], [1, 0]], [1], [1, 1]), "external_assets: shape"),
        (([[0, -1], [1, 0]], [1, 1], [1, 1]), "owed: entry 1, 2 is negative"),
        (([[0, 1], [1, 0]], [1, float("nan")], [1, 1]), "external_assets: entry 2"),
        (([[1, 1], [1, 0]], [1, 1], [1, 1]), "entry 1 owes itself"),
    ],
)
def test_bad_networks_are_refused(network: tuple[list[object], list[float], list[float]], message: str) -> None:
    """Goal: refusals name entry and field. Method: one fault each."""
    with pytest.raises(Rejected, match=message):
        clearing_vector(*network)
    with pytest.raises(Rejected, match="recovery_assets"):
        clearing_vector([[0]], [1], [1], recovery_assets=0)
