"""Linear and integer programmes over items (HiGHS): the bound, and the best of a part.

Solvers work in floating point, so nothing from here is booked: sets are verified in integers first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import InvariantBroken
from tsingma.kernels.highs import highs_solver
from tsingma.settlement.instance import Problem
from tsingma.settlement.model import Model, model_of

Float64 = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Relaxed:
    """The relaxed problem: its value (no set settles more), the part of each item, the worth of each row.

    ``worth`` float64 [rows] is what one more unit on a row would add to the objective (the dual), ``certainty`` float64
    [items] how much weight the other decision on an item would cost (its reduced cost).
    """

    bound: float
    part: Float64
    worth: Float64
    certainty: Float64


def _matrix(model: Model) -> Any:
    """Return what every item takes from (plus) and gives to (minus) every row, sparse [rows, items]."""
    import scipy.sparse as sparse

    triple = (-model.change.astype(np.float64), model.row, model.start)
    return sparse.csc_matrix(triple, shape=(model.opening.size, model.size))


def _solver(matrix: Any, ceiling: Float64, weight: Float64, time_limit: float) -> Any:
    """Return HiGHS with the problem: parts 0 to 1, rows at most their ceiling, weight as large as possible."""
    import highspy

    problem = highspy.HighsLp()
    rows, columns = matrix.shape
    problem.num_col_, problem.num_row_ = columns, rows
    problem.col_cost_ = -weight
    problem.col_lower_, problem.col_upper_ = np.zeros(columns), np.ones(columns)
    problem.row_lower_, problem.row_upper_ = np.full(rows, -highspy.kHighsInf), ceiling
    problem.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    problem.a_matrix_.start_, problem.a_matrix_.index_ = matrix.indptr, matrix.indices
    problem.a_matrix_.value_ = matrix.data
    solver = highs_solver()
    solver.setOptionValue("time_limit", max(time_limit, 0.01))
    solver.passModel(problem)
    return solver


def relax(model: Model, weight: Float64, time_limit: float) -> Relaxed | None:
    """Return the linear relaxation, or None when it is not solved within ``time_limit`` seconds."""
    import highspy

    solver = _solver(_matrix(model), model.opening.astype(np.float64), weight, time_limit)
    solver.setOptionValue("solver", "simplex")  # few rows bind: the dual simplex is done sooner than any presolve
    solver.setOptionValue("presolve", "off")
    solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    found = solver.getSolution()
    worth = np.maximum(-np.asarray(found.row_dual), 0.0)
    certainty = np.abs(np.asarray(found.col_dual))
    return Relaxed(-float(solver.getObjectiveValue()), np.asarray(found.col_value), worth, certainty)


def best_of_part(
    model: Model, weight: Float64, settled: Bools, free: Bools, time_limit: float, gap: float = 1e-4
) -> Bools:
    """Return the best set of items that differs from ``settled`` only where ``free``; ``settled`` if none is better.

    The rest stays as it is, and the search starts from what there is. The answer is checked in integers: the solver
    works with tolerances.
    """
    import highspy

    columns = np.flatnonzero(free)
    if not columns.size or time_limit <= 0:
        return settled
    fixed = settled & ~free
    matrix = _matrix(model)[:, columns].tocsr()
    rows = np.flatnonzero(np.diff(matrix.indptr) > 0)
    rest = model.slack(fixed)[rows].astype(np.float64)
    solver = _solver(matrix[rows].tocsc(), rest, weight[columns], time_limit)
    solver.setOptionValue("mip_rel_gap", gap)
    numbers = np.arange(columns.size, dtype=np.int32)
    solver.changeColsIntegrality(columns.size, numbers, np.array([highspy.HighsVarType.kInteger] * columns.size))
    start = highspy.HighsSolution()
    start.col_value = settled[columns].astype(np.float64).tolist()
    solver.setSolution(start)
    solver.run()
    found = np.asarray(solver.getSolution().col_value)
    if found.size != columns.size:
        return settled
    better = fixed.copy()
    better[columns[found > 0.5]] = True
    if weight[better].sum() <= weight[settled].sum() or (model.slack(better) < 0).any():
        return settled
    return better


def solve_whole(problem: Problem, weight: Float64, time_limit: float, gap: float = 1e-4) -> tuple[float, float]:
    """Return (weight reached, bound) of the integer programme over all instructions at once, without a start.

    What the pipeline is measured against; raises InvariantBroken when the answer overdraws an account in integers.
    """
    import highspy

    model, scale = model_of(problem), float(weight.mean()) or 1.0
    of_item, size = model.of_items(weight), model.size
    solver = _solver(_matrix(model), model.opening.astype(np.float64), of_item / scale, time_limit)
    solver.setOptionValue("mip_rel_gap", gap)
    kinds = np.array([highspy.HighsVarType.kInteger] * size)
    solver.changeColsIntegrality(size, np.arange(size, dtype=np.int32), kinds)
    solver.run()
    chosen = np.asarray(solver.getSolution().col_value) > 0.5
    require_feasible(problem, model.instructions(chosen))
    return float(of_item[chosen].sum()), -float(solver.getInfo().mip_dual_bound) * scale


def require_feasible(problem: Problem, settled: Bools) -> None:
    """Raise InvariantBroken when a proposed set would overdraw an account or part what is linked.

    An optimiser only proposes: this is computed from the instructions alone, not from what the optimiser worked with.
    """
    quantity = np.where(settled, problem.quantity, 0)
    lack = problem.lacks(quantity, np.where(settled, problem.cash, 0))
    if lack.any():
        place = int(np.flatnonzero(lack)[0])
        raise InvariantBroken(f"a proposed set overdraws {problem.accounts[place]} by {int(lack[place])}")
    parted = problem.parted(settled, settled)
    if parted >= 0:
        raise InvariantBroken(f"a proposed set parts instruction {parted} from what it is linked to")
