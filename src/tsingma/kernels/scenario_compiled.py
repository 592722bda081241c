"""The compiled twin of :func:`tsingma.kernels.scenario.tail_sums_plain`; import it only when it is needed.

Portfolios pass in chunks. A chunk is summed coarsely, one block of scenarios of all instruments after another, so that
the block stays in cache; then each portfolio names the scenarios that may be among its worst; then those are summed
exactly, one scenario after another, for the same reason.

How far a coarse sum is off. Let w = value x step, and W the sum of |w| over the n entries of a portfolio. Rounding
returns to steps moves a sum by at most W / 2; whole dollars move it by n / 2; arithmetic in float32 (unit roundoff
u = 2**-24: n products, n sums, w itself, the limit) moves it by at most g / (1 - g) x 32767 W with g = (n + 4) u,
whatever the order (N. Higham, Accuracy and Stability of Numerical Algorithms, 2nd edition, 2002, section 4.2). If t is
the coarse sum at rank ``count`` and e the bound, the exact sum at that rank is at most t + e, so a scenario among the
worst has a coarse sum of at most t + 2e.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from tsingma.kernels.scenario import COARSE_MAX, LANES, RETURN_SCALE, Screen

_CHUNK_SUMS = 20_971_520  # coarse sums that a thread holds at once: 16,384 portfolios of 1,250 scenarios, 84 MB
_GROUP = LANES // 2  # scenarios whose least profit is taken
_SCALE, _HALF, _ONE = np.int64(RETURN_SCALE), np.int64(RETURN_SCALE // 2), np.int64(1)
_UNIT = 2.0**-24
_LONGEST = 2**20  # entries; a longer portfolio is summed exactly in every scenario
_FAR = np.float32(3e38)


@intrinsic  # type: ignore[untyped-decorator]
def _add_lines(_typing: Any, total: Any, lines: Any, weights: Any) -> Any:
    """Add weight x line, for a tuple of each, to the LANES float32 at an address; a line is LANES int16.

    Written in LLVM's vectors because its loop vectoriser, wary of the address, leaves three quarters of the speed.
    """
    width = len(lines)
    sums, halves = ir.VectorType(ir.FloatType(), LANES), ir.VectorType(ir.IntType(16), LANES)
    zero = ir.Constant(ir.IntType(32), 0)
    everywhere = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)

    def build(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        place = builder.inttoptr(arguments[0], sums.as_pointer())
        added = builder.load(place, align=4)
        for k in range(width):
            line = builder.inttoptr(builder.extract_value(arguments[1], k), halves.as_pointer())
            moves = builder.sitofp(builder.load(line, align=2), sums)
            first = builder.insert_element(
                ir.Constant(sums, ir.Undefined), builder.extract_value(arguments[2], k), zero
            )
            weight = builder.shuffle_vector(first, first, everywhere)
            added = builder.fadd(builder.fmul(weight, moves, flags=("contract",)), added, flags=("contract",))
        builder.store(added, place).align = 4
        return context.get_dummy_value()

    return types.void(total, lines, weights), build


@numba.njit(cache=True)
def _sum_coarsely(start, row, weight, coarse, profit):  # type: ignore[no-untyped-def]
    """Fill profit float32 [portfolios, blocks x LANES], in dollars; four entries a pass."""
    line, total = np.uintp(2 * LANES), np.empty(LANES, np.float32)
    to = total.ctypes.data
    for block in range(coarse.shape[0]):
        base = coarse[block].ctypes.data
        for b in range(start.size - 1):
            r, w = row[start[b] : start[b + 1]], weight[start[b] : start[b + 1]]
            passes = r.size // 4
            total[:] = np.float32(0.0)
            for i in range(0, 4 * passes, 4):
                lines = (base + line * r[i], base + line * r[i + 1], base + line * r[i + 2], base + line * r[i + 3])
                _add_lines(to, lines, (w[i], w[i + 1], w[i + 2], w[i + 3]))
            for i in range(4 * passes, r.size):
                _add_lines(to, (base + line * r[i],), (w[i],))
            profit[b, block * LANES : (block + 1) * LANES] = total


@numba.njit(cache=True)
def _bound(weight):  # type: ignore[no-untyped-def]
    """Return how far a coarse sum of these entries can be from the exact one, in dollars."""
    gross, growth = 0.0, (weight.size + 4) * _UNIT
    for w in weight:
        gross += abs(np.float64(w))
    return gross * (0.501 + COARSE_MAX * growth / (1.0 - growth)) + 0.5 * weight.size


@numba.njit(cache=True)
def _at_rank(values, lowest):  # type: ignore[no-untyped-def]
    """Return the value at rank ``lowest.size``, counted from the least; ``lowest`` is room for the values up to it."""
    held, last = 0, lowest.size - 1
    for value in values:
        if held <= last or value < lowest[last]:
            place = min(held, last)
            while place > 0 and lowest[place - 1] > value:
                lowest[place] = lowest[place - 1]
                place -= 1
            lowest[place] = value
            held = min(held + 1, lowest.size)
    return lowest[last]


@numba.njit(cache=True, fastmath=True)
def _choose(profit, scenarios, bound, near, lowest, place):  # type: ignore[no-untyped-def]
    """Fill ``place`` with the scenarios that may be among the ``lowest.size`` worst; return how many there are.

    First by the least profits of groups of scenarios, whose value at that rank is not below the one looked for; so few
    scenarios need a second look.
    """
    profit[scenarios:] = _FAR
    groups, limit, found = profit.size // _GROUP, _FAR, 0
    for group in range(groups):
        least = _FAR
        for s in range(group * _GROUP, (group + 1) * _GROUP):
            least = min(least, profit[s])
        near[group] = least
    if groups >= lowest.size:
        limit = np.float32(_at_rank(near[:groups], lowest) + 2.0 * bound)
    for group in range(groups):
        if near[group] <= limit:
            for s in range(group * _GROUP, min((group + 1) * _GROUP, scenarios)):
                if profit[s] <= limit:
                    place[found] = s
                    found += 1
    for k in range(found):
        near[k] = profit[place[k]]
    limit = np.float32(_at_rank(near[:found], lowest) + 2.0 * bound)
    kept = 0
    for k in range(found):
        if near[k] <= limit:
            place[kept] = place[k]
            kept += 1
    return kept


@numba.njit(cache=True)
def _sum_exactly(row, value, returns_e10):  # type: ignore[no-untyped-def]
    """Return the profit of one portfolio in one scenario, each product rounded to a whole dollar."""
    total = np.int64(0)
    for i in range(row.size):
        amount, move = value[i], returns_e10[row[i]]
        # The estimate is at most 1 off (|product| <= 1e15), so the remainder, computed modulo 2**64, is exact.
        nearest = np.int64(np.rint(np.float64(amount) * 1e-10 * np.float64(move)))
        remainder = amount * move - nearest * _SCALE
        up = remainder >= _HALF + _ONE - np.int64(nearest >= 0)
        down = remainder <= np.int64(nearest <= 0) - _HALF - _ONE
        total += nearest + np.int64(up) - np.int64(down)
    return total


@numba.njit(cache=True)
def _settle(start, row, value, exact_e10, chosen, ends, sums):  # type: ignore[no-untyped-def]
    """Fill ``sums`` with the exact profits of the scenarios chosen: portfolio b has those up to ``ends[b]``."""
    scenarios = exact_e10.shape[0]
    heads = np.zeros(scenarios + 1, np.int64)
    owner, slot = np.empty(sums.size, np.int32), np.empty(sums.size, np.int64)
    for b in range(ends.size - 1):
        for k in range(ends[b + 1] - ends[b]):
            heads[chosen[b, k] + 1] += 1
    heads = np.cumsum(heads)
    for b in range(ends.size - 1):
        for k in range(ends[b + 1] - ends[b]):
            place = heads[chosen[b, k]]
            owner[place], slot[place] = b, ends[b] + k
            heads[chosen[b, k]] += 1
    first = 0
    for s in range(scenarios):
        for place in range(first, heads[s]):
            entries = slice(start[owner[place]], start[owner[place] + 1])
            sums[slot[place]] = _sum_exactly(row[entries], value[entries], exact_e10[s])
        first = heads[s]


@numba.njit(cache=True)
def _chunk(start, row, weight, value, coarse, exact_e10, count, profit, tail):  # type: ignore[no-untyped-def]
    """Fill ``tail`` for the portfolios of one chunk."""
    scenarios = exact_e10.shape[0]
    _sum_coarsely(start, row, weight, coarse, profit)
    chosen = profit.view(np.int32)  # a portfolio's coarse sums make room for the scenarios it chose
    near, lowest = np.empty(profit.shape[1], np.float32), np.empty(count, np.float32)
    place, ends = np.empty(scenarios, np.int32), np.zeros(tail.size + 1, np.int64)
    for b in range(tail.size):
        entries = weight[start[b] : start[b + 1]]
        found = scenarios
        if entries.size > _LONGEST:
            place[:] = np.arange(scenarios)
        else:
            found = _choose(profit[b], scenarios, _bound(entries), near, lowest, place)
        chosen[b, :found] = place[:found]
        ends[b + 1] = ends[b] + found
    sums = np.empty(ends[-1], np.int64)
    _settle(start, row, value, exact_e10, chosen, ends, sums)
    for b in range(tail.size):
        mine = sums[ends[b] : ends[b + 1]]
        if mine.size > count:
            mine = np.sort(mine)[:count]
        tail[b] = mine.sum()


@numba.njit(cache=True, parallel=True)
def _run(start, row, value, coarse, step, exact_e10, count, profit, tail):  # type: ignore[no-untyped-def]
    """Share chunks among threads; ``profit`` float32 [threads, chunk, blocks x LANES] is their room to work."""
    weight = np.empty(row.size, np.float32)
    for i in numba.prange(row.size):
        weight[i] = np.float32(np.float64(value[i]) * step[row[i]])
    size = profit.shape[1]
    for chunk in numba.prange((tail.size + size - 1) // size):
        first, last = chunk * size, min((chunk + 1) * size, tail.size)
        mine = profit[numba.get_thread_id(), : last - first]
        _chunk(start[first : last + 1], row, weight, value, coarse, exact_e10, count, mine, tail[first:last])


def tail_sums_compiled(
    start: npt.NDArray[np.int64],
    row: npt.NDArray[np.int64],
    value: npt.NDArray[np.int64],
    screen: Screen,
    count: int,
) -> npt.NDArray[np.int64]:
    """Return the sums of :func:`tsingma.kernels.scenario.tail_sums_plain`, on as many threads as numba is set to.

    Raises IndexError for a row that the screen does not have, as the plain twin does.
    """
    portfolios, blocks, (scenarios, instruments) = start.size - 1, screen.coarse.shape[0], screen.exact_e10.shape
    if row.size and not 0 <= row.min() <= row.max() < instruments:
        raise IndexError(f"rows reach from {row.min()} to {row.max()}, the screen has {instruments}")
    tail = np.zeros(portfolios, np.int64)
    worst = min(count, scenarios)
    if portfolios == 0 or worst < 1:
        return tail
    threads = numba.get_num_threads()
    size = max(min(_CHUNK_SUMS // (blocks * LANES), -(-portfolios // threads)), 1)
    profit = np.empty((threads, size, blocks * LANES), np.float32)
    _run(start, row.astype(np.uint32), value, screen.coarse, screen.step, screen.exact_e10, worst, profit, tail)
    return tail
