"""Spillovers: the published tables, closed forms, a plain twin, the off-by-one of a peer, and refusals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsingma.app.economy_replicate import replicate_spillovers
from tsingma.basics.rejection import Rejected
from tsingma.economy.property.spillover import (
    Autoregression,
    Decomposition,
    decompose,
    fit,
    responses,
    spillovers,
)
from tsingma.messages.economic_files import Dates, read_columns

CHOLESKY, GENERALISED = Decomposition.CHOLESKY, Decomposition.GENERALISED


def _data(seed: int, rows: int = 120, width: int = 3) -> np.ndarray:
    noise = np.random.default_rng(seed).standard_normal((rows, width))
    noise[1:, 1] += 0.6 * noise[:-1, 0]
    return noise.cumsum(0) * 0.1 + noise


def test_diebold_yilmaz_2012(shared: Path) -> None:
    """Goal: S1, every cell within 0.005. Method: VAR(4), horizon 10, generalised, on the paper's own data."""
    found = replicate_spillovers("dy2012", shared / "data" / "econ")
    assert found.agrees
    assert found.largest_gap < 0.005
    assert found.total == pytest.approx(12.592, abs=5e-4)


def test_diebold_yilmaz_2009(shared: Path) -> None:
    """Goal: S2, total within 0.05 of 35.5, 19 x 19 cells. Method: VAR(2), horizon 10, Cholesky in file order."""
    found = replicate_spillovers("dy2009", shared / "data" / "econ")
    assert found.total == pytest.approx(35.53, abs=0.005)
    assert np.shape(found.table) == (19, 19)
    assert found.agrees


def test_horizon_counts_the_first_response(shared: Path) -> None:
    """Goal: S3, no off-by-one. Method: 9 gives another total; a peer agrees at both from our responses."""
    file = shared / "data" / "econ" / "spillover" / "dy2012.csv.gz"
    series = read_columns(file, Dates.DAY, "Date")
    values = np.column_stack([one.values for one in series])
    totals = [spillovers(values, ("a", "b", "c", "d"), lags=4, horizon=horizon).total for horizon in (9, 10)]
    assert totals == pytest.approx([12.166, 12.592], abs=5e-4)
    peer = pytest.importorskip("diebold_yilmaz", reason="the peer is an extra of the benchmarks")
    model = fit(values, 4)
    for horizon, total in zip((9, 10), totals, strict=True):
        found = peer.connectedness(responses(model, 12), model.covariance, horizon=horizon)
        assert found.total_index == pytest.approx(total, abs=1e-6)


def test_uncorrelated_markets_do_not_spill() -> None:
    """Goal: closed form. Method: diagonal map and covariance give the identity, whatever the horizon."""
    still = Autoregression(np.diag([0.9, 0.5])[None], np.zeros(2), np.diag([1.0, 4.0]), 100, 0.9)
    for kind in Decomposition:
        assert decompose(still, 12, kind) == pytest.approx(np.eye(2))


def test_one_step_ahead_is_the_correlation() -> None:
    """Goal: closed form. Method: at horizon 1 a correlation r gives r^2 to the first (Cholesky), r^2/(1+r^2) else."""
    r = 0.6
    model = Autoregression(np.zeros((1, 2, 2)), np.zeros(2), np.array([[1.0, r], [r, 1.0]]), 100, 0.0)
    assert decompose(model, 1, CHOLESKY) == pytest.approx(np.array([[1.0, 0.0], [r * r, 1 - r * r]]))
    share = r * r / (1 + r * r)
    assert decompose(model, 1, GENERALISED) == pytest.approx(np.array([[1 - share, share], [share, 1 - share]]))


def test_responses_equal_powers_of_the_map() -> None:
    """Goal: the moving average. Method: with one lag the response at h is the h-th power."""
    model = fit(_data(3), 1)
    power = np.linalg.matrix_power(model.coefficients[0], 7)
    assert responses(model, 8)[7] == pytest.approx(power)


@given(st.integers(0, 10_000), st.integers(1, 3), st.integers(1, 12))
def test_rows_are_whole_and_order_does_not_matter(seed: int, lags: int, horizon: int) -> None:
    """Goal: a table of shares. Method: rows sum to 100; a permutation of columns permutes the generalised table."""
    data, order = _data(seed), [2, 0, 1]
    table = spillovers(data, ("a", "b", "c"), lags=lags, horizon=horizon).table
    again = spillovers(data[:, order], ("c", "a", "b"), lags=lags, horizon=horizon).table
    assert table.sum(1) == pytest.approx(np.full(3, 100.0))
    assert again == pytest.approx(table[np.ix_(order, order)], abs=1e-6)
    chosen = spillovers(data, ("a", "b", "c"), lags=lags, horizon=horizon, decomposition=CHOLESKY)
    assert chosen.table.sum(1) == pytest.approx(np.full(3, 100.0))
    assert chosen.net.sum() == pytest.approx(0.0, abs=1e-9)


def test_a_plain_twin_agrees() -> None:
    """Goal: the algebra. Method: loops over least squares and responses, cell by cell, against the arrays."""
    data, lags, horizon = _data(11), 2, 6
    known = np.array([[1.0, *data[t - 1], *data[t - 2]] for t in range(lags, len(data))])
    solved = np.linalg.lstsq(known, data[lags:], rcond=None)[0]
    rest = data[lags:] - known @ solved
    covariance = rest.T @ rest / (len(rest) - known.shape[1])
    maps = [solved[1 + 3 * lag : 4 + 3 * lag].T for lag in range(lags)]
    moving = [np.eye(3), maps[0]]
    for h in range(2, horizon):
        moving.append(maps[0] @ moving[h - 1] + maps[1] @ moving[h - 2])
    shares = np.zeros((3, 3))
    for i in range(3):
        for j in range(3):
            shares[i, j] = sum((m[i] @ covariance[:, j]) ** 2 / covariance[j, j] for m in moving)
    wanted = 100 * shares / shares.sum(1, keepdims=True)
    assert spillovers(data, ("a", "b", "c"), lags=lags, horizon=horizon).table == pytest.approx(wanted, abs=1e-8)


@pytest.mark.parametrize(
    ("data", "lags", "horizon", "words"),
    [
        (np.where(np.eye(40, 3) > 0, np.nan, 1.0), 1, 10, "row 1, column 1 has no number"),
        (_data(1, 8), 3, 10, "do not carry"),
        (np.ones((50, 2)), 1, 10, "constant"),
        (_data(1)[:, [0, 0]], 1, 10, "repeat each other"),
        (_data(1), 0, 10, "do not carry"),
        (_data(1), 1, 0, "horizon 0"),
        (np.ones(5), 1, 10, "shape"),
    ],
)
def test_wrong_data_are_refused(data: np.ndarray, lags: int, horizon: int, words: str) -> None:
    """Goal: never a half answer. Method: one fault at a time, with the cell or the condition number named."""
    with pytest.raises(Rejected, match=words):
        spillovers(data, tuple("abc"[: np.shape(data)[-1]]), lags=lags, horizon=horizon)
    with pytest.raises(Rejected, match="no paper"):
        replicate_spillovers("dy2014", Path())
