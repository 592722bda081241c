"""The compiled twin of :func:`tsingma.kernels.tails.tail_means_plain`; import it only when it is needed."""

from __future__ import annotations

import numba
import numpy as np

from tsingma.kernels.tails import BLOCK, Float32, Float64, Int32, Int64

CHUNK = 1_024  # books whose profits are held at once by a thread


@numba.njit(inline="always")
def _sink(heap, place, i):  # type: ignore[no-untyped-def]
    """Restore the largest-on-top heap from node i downwards."""
    while True:
        child = 2 * i + 1
        if child >= heap.size:
            break
        if child + 1 < heap.size and heap[child + 1] > heap[child]:
            child += 1
        if heap[child] <= heap[i]:
            break
        heap[i], heap[child] = heap[child], heap[i]
        place[i], place[child] = place[child], place[i]
        i = child


@numba.njit(cache=True)
def _worst(profit, heap, place):  # type: ignore[no-untyped-def]
    """Fill ``place`` with the scenarios of the lowest profits."""
    for i in range(heap.size):
        heap[i], place[i] = profit[i], i
    for i in range(heap.size // 2 - 1, -1, -1):
        _sink(heap, place, i)
    top = heap[0]
    for s in range(heap.size, profit.size):
        if profit[s] < top:
            heap[0], place[0] = profit[s], s
            _sink(heap, place, 0)
            top = heap[0]


@numba.njit(fastmath=True, parallel=True, cache=True)
def _run(start, row, value, moves, scenarios, count, exact, means):  # type: ignore[no-untyped-def]
    books, blocks = start.size - 1, moves.shape[0]
    for chunk in numba.prange((books + CHUNK - 1) // CHUNK):
        first = chunk * CHUNK
        size = min(CHUNK, books - first)
        profit = np.empty((size, blocks * BLOCK), np.float32)
        for block in range(blocks):
            for b in range(size):
                total = profit[b, block * BLOCK : (block + 1) * BLOCK]
                for s in range(BLOCK):
                    total[s] = 0.0
                i, stop = start[first + b], start[first + b + 1]
                while i + 3 < stop:  # four instruments a pass: the sums are loaded and stored a quarter as often
                    w, v = np.float32(value[i]), np.float32(value[i + 1])
                    x, y = np.float32(value[i + 2]), np.float32(value[i + 3])
                    one, two = moves[block, row[i]], moves[block, row[i + 1]]
                    three, four = moves[block, row[i + 2]], moves[block, row[i + 3]]
                    for s in range(BLOCK):
                        total[s] += (w * one[s] + v * two[s]) + (x * three[s] + y * four[s])
                    i += 4
                while i < stop:
                    w, one = np.float32(value[i]), moves[block, row[i]]
                    for s in range(BLOCK):
                        total[s] += w * one[s]
                    i += 1
        heap, place = np.empty(count, np.float32), np.empty(count, np.int64)
        for b in range(size):
            _worst(profit[b, :scenarios], heap, place)
            summed = 0.0
            if not exact:
                for k in range(count):
                    summed += np.float64(heap[k])
                means[first + b] = summed / count
                continue
            for i in range(start[first + b], start[first + b + 1]):
                part = 0.0
                for k in range(count):
                    part += np.float64(moves[place[k] // BLOCK, row[i], place[k] % BLOCK])
                summed += value[i] * part
            means[first + b] = summed / count


def tails_compiled(
    start: Int64, row: Int32, value: Float64, blocked: Float32, scenarios: int, count: int, *, exact: bool = True
) -> Float64:
    """Return what :func:`tsingma.kernels.tails.tail_means_plain` does; ``blocked`` [blocks, instruments, 128]."""
    means = np.zeros(start.size - 1)
    _run(start, row, value, blocked, scenarios, count, exact, means)
    return means
