"""Discounting every cash flow of a book once per scenario: one sorted time axis, one sparse product."""

from __future__ import annotations

import importlib.util

import numpy as np
import numpy.typing as npt

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]


def discount_axis(years: Float64, node_years: Float64, zero_rates: Float64) -> Float64:
    """Return discount factors float64 [scenarios, times]: zero rates linear in time, flat outside the nodes.

    ``zero_rates`` float64 [scenarios, nodes], continuously compounded; ``years`` [times] ascending.
    """
    inside = np.clip(years, node_years[0], node_years[-1])
    if node_years.size == 1:
        zero = np.repeat(zero_rates, years.size, axis=1)
    else:
        left = np.clip(np.searchsorted(node_years, inside, side="right") - 1, 0, node_years.size - 2)
        weight = (inside - node_years[left]) / (node_years[left + 1] - node_years[left])
        zero = zero_rates[:, left] * (1.0 - weight) + zero_rates[:, left + 1] * weight
    factors: Float64 = np.exp(-zero * years)
    return factors


def book_values(start: Int64, place: Int64, amount: Float64, factors: Float64) -> Float64:
    """Return values float64 [scenarios, contracts]: amounts times the factor of their place on the axis.

    Contract k holds flows ``start[k]:start[k + 1]`` of ``place`` and ``amount``.
    """
    if importlib.util.find_spec("scipy") is not None:
        import scipy.sparse as sparse

        book = sparse.csr_matrix((amount, place, start), shape=(start.size - 1, factors.shape[1]))
        product: Float64 = np.asarray((book @ factors.T).T)
        return product
    return book_values_plain(start, place, amount, factors)


def book_values_plain(start: Int64, place: Int64, amount: Float64, factors: Float64) -> Float64:
    """Return what :func:`book_values` does, contract by contract."""
    values = np.zeros((factors.shape[0], start.size - 1))
    for contract in range(start.size - 1):
        flows = slice(int(start[contract]), int(start[contract + 1]))
        values[:, contract] = factors[:, place[flows]] @ amount[flows]
    return values
