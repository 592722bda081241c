"""Profits of sparse books in many scenarios, and the mean of each book's worst: historical expected shortfall.

Moves are float32 (seven digits of a return are enough to say which scenarios are worst); the figure itself is summed in
float64 over the scenarios chosen, in the order of the book, so it does not depend on how the work was cut.
"""

from __future__ import annotations

import importlib.util

import numpy as np
import numpy.typing as npt

Float64 = npt.NDArray[np.float64]
Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]
Int32 = npt.NDArray[np.int32]

BLOCK = 128  # scenarios a pass; a block of all instruments stays in cache
COMPILED_FROM_PRODUCTS = 2_000_000


def block_moves(moves: Float32) -> Float32:
    """Return moves float32 [instruments, scenarios] as [blocks, instruments, 128], zero where padded."""
    instruments, scenarios = moves.shape
    blocks = -(-scenarios // BLOCK)
    padded = np.zeros((instruments, blocks * BLOCK), np.float32)
    padded[:, :scenarios] = moves
    return np.ascontiguousarray(padded.reshape(instruments, blocks, BLOCK).transpose(1, 0, 2))


def tail_means(
    start: Int64,
    row: Int32,
    value: Float64,
    moves: Float32,
    count: int,
    blocked: Float32 | None = None,
    *,
    exact: bool = True,
) -> Float64:
    """Return per book the mean profit of its ``count`` worst scenarios, float64 [books]; minus is a loss.

    Book b holds entries ``start[b]:start[b + 1]`` of ``row`` (of ``moves`` float32 [instruments, scenarios]) and
    ``value``; ``blocked`` is :func:`block_moves` of the moves when the caller has it already. Without ``exact`` the
    compiled kernel averages its float32 profits, a third faster and good to about six digits: for screening, not for
    a call.
    """
    if row.size * moves.shape[1] >= COMPILED_FROM_PRODUCTS and importlib.util.find_spec("numba") is not None:
        from tsingma.kernels.tails_compiled import tails_compiled

        shaped = block_moves(moves) if blocked is None else blocked
        return tails_compiled(start, row, value, shaped, moves.shape[1], count, exact=exact)
    return tail_means_plain(start, row, value, moves, count)


def tail_means_plain(start: Int64, row: Int32, value: Float64, moves: Float32, count: int) -> Float64:
    """Return what :func:`tail_means` does, book by book in float64."""
    means = np.zeros(start.size - 1)
    for book in range(start.size - 1):
        entries = slice(int(start[book]), int(start[book + 1]))
        profit = value[entries] @ moves[row[entries]].astype(np.float64)
        means[book] = np.sort(profit)[:count].mean()
    return means
