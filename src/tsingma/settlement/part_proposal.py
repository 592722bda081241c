"""Parts of gross instructions beside whole ones, proposed for one instant: what an optimiser does in a window.

A set of whole instructions comes first. Of what then lacks securities, and may settle in part, as much settles as its
deliverer has left, by priority and entry; what that brings to others may let whole ones in, and so on until nothing
more does. The rules are those of :mod:`tsingma.settlement.parts`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tsingma.kernels.settle import functions
from tsingma.settlement.instance import Problem
from tsingma.settlement.instruction import LACK_OF_SECURITIES
from tsingma.settlement.model import Model, model_of
from tsingma.settlement.parts import divisible, is_worth_it
from tsingma.settlement.settling import Now
from tsingma.settlement.state import SettlementState

Int64 = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def with_parts(
    state: SettlementState, now: Now, problem: Problem, numbers: Int64, settled: Bools
) -> tuple[Bools, Int64]:
    """Return which of the ``numbers`` settle whole, at least ``settled``, and the units that settle of the others.

    ``problem`` is theirs (:func:`waiting_problem`); both answers are in its order. Changes nothing.
    """
    instructions, table = state.instructions, state.instructions.table
    model = model_of(problem)
    items = np.zeros(model.size, np.bool_)
    items[model.item[settled]] = True
    slack, units = model.slack(items), np.zeros(problem.size, np.int64)
    may = divisible(instructions, state.links, numbers) & (table["reason"][numbers] == LACK_OF_SECURITIES)
    order = np.lexsort((numbers, table["priority"][numbers]))
    while True:
        before = (int(items.sum()), int((units > 0).sum()))
        for k in order[(may & ~items[model.item] & (units == 0))[order]].tolist():
            units[k] = _part(state, now, model, slack, int(numbers[k]), k)
        waiting = np.unique(model.item[~items[model.item] & (units == 0)])
        waiting = waiting[np.argsort(model.priority[waiting], kind="stable")].astype(np.int64)
        functions().recycle(*model.legs, waiting, slack, items)
        if before == (int(items.sum()), int((units > 0).sum())):
            return model.instructions(items), units


def _part(state: SettlementState, now: Now, model: Model, slack: Int64, number: int, k: int) -> int:
    """Take the largest part of an instruction that its deliverer has and its buyer can pay; returns its units or 0."""
    table, problem = state.instructions.table, model.problem
    there, open_ = int(slack[problem.out_stock[k]]), int(table["open_quantity"][number])
    unit = max(int(now.values.unit[int(table["security"][number])]), 1)
    part = min(there, open_ - 1) // unit * unit
    one = np.array([number], np.int64)
    if part <= 0 or there >= open_ or not is_worth_it(state.instructions, now.values, now.rules, one, part):
        return 0
    money = int(problem.out_cash[k]) >= 0
    cents = int(state.instructions.second_leg_of_part(one, np.array([part], np.int64))[0]) if money else 0
    changes = model.changes(k, part, cents)
    if any(change < 0 and slack[row] + change < 0 for row, change in changes):
        return 0
    for row, change in changes:
        slack[row] += change
    return part
