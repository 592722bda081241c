"""Partial settlement: how much of each instruction settles when parts are allowed, in whole units.

The relaxation says what part of each would be best; quantities are cut to whole units, money follows in proportion, and
where cutting left a row short, what takes from it is cut further until every row is covered. What then fits beside the
rest is let in, until nothing more does. An instruction whose money is no whole amount a unit settles whole or not at
all, and so does what is linked.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import InvariantBroken
from tsingma.settlement.exact import Relaxed
from tsingma.settlement.instance import Problem
from tsingma.settlement.model import Model

Int64 = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


class Parts(msgspec.Struct, frozen=True, eq=False):
    """Units that settle of every instruction (int64 [n]) and their money."""

    quantity: Int64
    cash: Int64


@dataclass(slots=True)
class _Cut:
    """Units of every item: how many it has (1: whole or not at all), how many settle, what the rows have left then."""

    model: Model
    units: Int64
    taken: Int64
    slack: Int64
    least_share_e4: int

    def of(self, k: int) -> list[tuple[int, int]]:
        """Return (row, change) of one unit of an item."""
        legs = slice(int(self.model.start[k]), int(self.model.start[k + 1]))
        units = int(self.units[k])
        return [
            (row, change // units)
            for row, change in zip(self.model.row[legs].tolist(), self.model.change[legs].tolist(), strict=True)
        ]

    def is_small(self, k: int, units: int) -> bool:
        """Return whether so much of an item is less than the least share."""
        return units * 10_000 < self.least_share_e4 * int(self.units[k])


def settle_parts(model: Model, relaxed: Relaxed, least_share_e4: int = 0) -> Parts:
    """Return whole-unit parts near the relaxation, verified; a part below ``least_share_e4`` of its whole is dropped.

    Source of the rule: T2S partial settlement, money in proportion to the quantity (UDFS, section 1.6.1.7).
    """
    problem = model.problem
    units = _units(model)
    taken = np.clip(np.floor(relaxed.part * units + 1e-9).astype(np.int64), 0, units)
    taken[(taken * 10_000 < least_share_e4 * units) & (taken < units)] = 0
    slack = model.opening.copy()
    of_leg = np.repeat(np.arange(model.size), np.diff(model.start))
    np.add.at(slack, model.row, model.change // units[of_leg] * taken[of_leg])
    cut = _Cut(model, units, taken, slack, least_share_e4)
    _cover(cut)
    _fill(cut, of_leg)
    quantity = problem.quantity // units[model.item] * taken[model.item]
    parts = parts_of(problem, quantity)
    whole = parts.quantity == problem.quantity
    if problem.lacks(parts.quantity, parts.cash).any() or problem.parted(whole, parts.quantity > 0) >= 0:
        raise InvariantBroken("parts overdraw an account or part what is linked")
    return parts


def parts_of(problem: Problem, quantity: Int64) -> Parts:
    """Return units with the money that goes with them."""
    divisible = _divisible(problem)
    price = np.where(divisible, problem.cash // np.maximum(problem.quantity, 1), 0)
    return Parts(quantity, np.where(divisible, quantity * price, np.where(quantity > 0, problem.cash, 0)))


def _divisible(problem: Problem) -> Bools:
    """Return which instructions have a whole amount of money a unit and are not linked."""
    divisible: Bools = (problem.cash % np.maximum(problem.quantity, 1) == 0) & (problem.quantity > 0) & ~problem.linked
    return divisible


def _units(model: Model) -> Int64:
    """Return the units of every item; an item of several instructions is linked, and has one."""
    units = np.ones(model.size, np.int64)
    single = np.flatnonzero(_divisible(model.problem))
    units[model.item[single]] = model.problem.quantity[single]
    return units


def _cover(cut: _Cut) -> None:
    """Cut until every row is covered; cuts spread to those who would have received."""
    first, taker, slack, model = cut.model.first, cut.model.taker, cut.slack, cut.model
    queue = np.flatnonzero(slack < 0).tolist()
    while queue:
        a = queue.pop()
        for place in range(int(first[a]), int(first[a + 1])):
            if slack[a] >= 0:
                break
            k = int(taker[place])
            if not cut.taken[k]:
                continue
            unit = int(model.taken[place]) // int(cut.units[k])
            less = min(int(cut.taken[k]), -(int(slack[a]) // max(unit, 1)))
            if cut.is_small(k, int(cut.taken[k]) - less):
                less = int(cut.taken[k])
            cut.taken[k] -= less
            for row, change in cut.of(k):
                slack[row] -= change * less
                if change > 0 and slack[row] < 0 and row != a:
                    queue.append(row)


def _fill(cut: _Cut, of_leg: Int64) -> None:
    """Raise what settles by what the rows still spare, in order of priority, until nothing changes."""
    model = cut.model
    one = model.change // cut.units[of_leg]
    waiting = np.flatnonzero(cut.taken < cut.units)
    waiting = waiting[np.lexsort((waiting, model.priority[waiting]))]
    changed = True
    while changed:
        changed = False
        held_up = np.zeros(model.size, np.bool_)
        held_up[of_leg[(one < 0) & (cut.slack[model.row] + one < 0)]] = True
        may = ~held_up[waiting] & (cut.taken[waiting] < cut.units[waiting])
        for k in waiting[may].tolist():
            changed |= _raise(cut, k)


def _raise(cut: _Cut, k: int) -> bool:
    """Let in as much of one item as fits; returns whether that was anything."""
    legs = cut.of(k)
    more = int(cut.units[k] - cut.taken[k])
    for row, change in legs:
        if change < 0:
            more = min(more, int(cut.slack[row]) // -change)
    if more <= 0 or cut.is_small(k, int(cut.taken[k]) + more):
        return False
    cut.taken[k] += more
    for row, change in legs:
        cut.slack[row] += change * more
    return True
