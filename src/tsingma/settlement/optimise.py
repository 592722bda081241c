"""Which instructions settle together: one pipeline from first come first served to an exact search on what is left.

    recycling   one by one, waking what waits on a credited account: the baseline no result is below
    removal     all together, less what must go for every account to be covered: resolves gridlock
    search      exchanges between what settles and what waits, by simulated annealing, in integers
    relaxation  the linear bound; what it would settle, cut to whole instructions, is another start of the search
    exact       an integer programme on the instructions the relaxation is least sure of, more of them as time allows
    top-up      whatever still fits beside the result, also what carries no weight

Whatever proposes, every set is verified in integers before it counts, and the best so far is always bookable. Without
HiGHS the stages before the relaxation answer.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.kernels.settle import functions
from tsingma.settlement.exact import Relaxed, best_of_part, relax, require_feasible
from tsingma.settlement.instance import Problem
from tsingma.settlement.partial import end_balances, settle_parts
from tsingma.settlement.proposal import Objective, Proposal, Stage, blocking, weights

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Elapsed = Callable[[], float]

STEPS = (400, 300_000, 2_000_000)  # of a search: for each instruction that waits, at least, at most
STEPS_QUICK = (50, 50_000, 500_000)
STEPS_SMALL = 500  # for each instruction of a small instance, at least
HEAT, COLD, SLICES = 0.4, 0.02, 4
STARTS = 4  # of a search without a relaxation
SEARCH_SHARE = 0.4  # of the time that is left, for searches from all starts
CUTS = (0.5, 0.3)  # what settles whole of the relaxation: the parts above
REMOVE_ALL_MAX = 300_000  # above it, removal begins with what recycling has left
BOUND_SHARE = 0.7  # of the time that is left, for the relaxation
FREE_MIN, FREE_MAX = 3_000, 48_000  # instructions an integer programme is given at once
EXACT_SHARE = 0.7  # of the time that is left, for one of them
LAST_MOMENT = 0.02  # seconds in which no solver is started any more
NOISE = 0.3  # mean weights by which a decision counts as little, after the first of them
COOLER = 0.1  # the search after one of them begins at
WEIGHTLESS = 1e-5  # of the mean weight: what carries no money settles all the same where nothing stands against it
FRONTIER = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """A point between number and value: the share of value in the weight, and what settles then."""

    value_share: float
    settled: int
    settled_value: int


@dataclass(slots=True)
class _Run:
    """One optimisation: the best set so far, its stages and the clock; ``weight`` has mean one."""

    problem: Problem
    weight: Float64
    elapsed: Elapsed
    deadline: float
    seed: int
    steps: tuple[int, int, int] = STEPS
    slices: int = 0  # searched so far; each draws its own numbers
    best: Bools = field(init=False)
    stages: list[Stage] = field(default_factory=list)
    start: Int64 = field(init=False)
    items: Int64 = field(init=False)

    def __post_init__(self) -> None:
        """List the instructions that take from each account."""
        self.best = np.zeros(self.problem.size, np.bool_)
        self.start, self.items = items_by_account(self.problem)

    @property
    def columns(self) -> tuple[Int64, ...]:
        """Return the columns the kernels take first."""
        p = self.problem
        return p.out_stock, p.in_stock, p.out_cash, p.in_cash, p.quantity, p.cash

    @property
    def left(self) -> float:
        """Return the seconds left."""
        return self.deadline - self.elapsed()

    def offer(self, stage: str, settled: Bools, began: float) -> None:
        """Keep a set when it is verified and better, and note the stage."""
        require_feasible(self.problem, settled)
        if self.weight[settled].sum() > self.weight[self.best].sum() or not self.best.any():
            self.best = settled
        self.stages.append(
            Stage(
                stage=stage, settled=int(self.best.sum()), settled_value=int(self.problem.value[self.best].sum()),
                seconds=round(self.elapsed() - began, 4),
            )
        )  # fmt: skip

    def improve(self, settled: Bools, slack: Int64, until: float, heat: float = HEAT) -> None:
        """Let in what fits, the heaviest first, then search in slices until a time; ``settled`` changes in place."""
        waiting = np.flatnonzero(~settled)
        order = waiting[np.argsort(-self.weight[waiting], kind="stable")].astype(np.int64)
        functions().recycle(*self.columns, order, slack, settled)
        each, least, most = self.steps
        least = min(least, STEPS_SMALL * self.problem.size)
        steps = min(max(each * int((~settled).sum()), least), most) // SLICES
        ladder = np.geomspace(heat, COLD, SLICES + 1).tolist()
        for place in range(SLICES):
            if settled.all() or self.elapsed() >= until:
                return
            if place:
                slack = self.problem.end_balances(settled)  # of the best set of the slice before
            functions().search(
                *self.columns, self.weight, self.start, self.items, slack, settled, steps, ladder[place],
                ladder[place + 1], self.seed + self.slices,
            )  # fmt: skip
            self.slices += 1

    def remove(self, settled: Bools, slack: Int64) -> bool:
        """Take out what must go for every account to be covered; returns whether all could be covered."""
        return bool(functions().remove(*self.columns, self.weight, self.start, self.items, slack, settled))


def items_by_account(problem: Problem) -> tuple[Int64, Int64]:
    """Return (start, items): an account's instructions are ``items[start[a]:start[a + 1]]``."""
    account = np.concatenate([problem.out_stock, problem.out_cash])
    item = np.tile(np.arange(problem.size), 2)
    known = account >= 0
    order = np.argsort(account[known], kind="stable")
    start = np.searchsorted(account[known][order], np.arange(problem.balance.size + 1))
    return start.astype(np.int64), item[known][order].astype(np.int64)


def optimise(problem: Problem, objective: Objective, time_limit: float, elapsed: Elapsed, *, seed: int = 1) -> Proposal:
    """Return the best set found within about ``time_limit`` seconds of ``elapsed``.

    Raises Rejected (out-of-range) for a time limit that is not positive, (missing) for no instruction.
    """
    if not time_limit > 0:
        raise refuse(RejectionReason.OUT_OF_RANGE, f"{time_limit} is not positive", field="time_limit")
    _require_some(problem)
    weight, began = weights(problem, objective), elapsed()
    run, relaxed = _best(problem, weight, began + time_limit, elapsed, seed)
    reached = float(weight[run.best].sum())
    bound = float(weight.sum()) if run.best.all() else relaxed.bound if relaxed else None
    return Proposal(
        objective=objective,
        submitted=problem.size,
        submitted_value=int(problem.value.sum()),
        settled=int(run.best.sum()),
        settled_value=int(problem.value[run.best].sum()),
        lp_bound=bound,
        gap=_gap(reached, bound),
        seconds=round(elapsed() - began, 4),
        by_stage=tuple(run.stages),
        blocking=blocking(problem, problem.end_balances(run.best), run.best, relaxed),
        chosen=tuple(np.flatnonzero(run.best).tolist()),
    )


def optimise_parts(
    problem: Problem, objective: Objective, time_limit: float, elapsed: Elapsed, *, least_share_e4: int = 0
) -> Proposal:
    """Return what settles when every instruction may settle in part, money in proportion.

    Raises Rejected (missing) for no instruction, (limit) when the relaxation is not solved in time.
    """
    _require_some(problem)
    began, weight = elapsed(), weights(problem, objective)
    relaxed = _scaled(relax(problem, np.maximum(weight / _scale(weight), WEIGHTLESS), time_limit), _scale(weight))
    if relaxed is None:
        message = f"the relaxation is not solved within {time_limit} seconds"
        raise refuse(RejectionReason.LIMIT, message, field="time_limit", remedy="allow more time")
    solved = elapsed()
    found = settle_parts(problem, relaxed, least_share_e4)
    whole, some = found.quantity == problem.quantity, found.quantity > 0
    share = found.quantity / np.maximum(problem.quantity, 1)
    value = int(problem.value[whole].sum()) + int((problem.value * share)[some & ~whole].astype(np.int64).sum())
    parts = np.flatnonzero(some & ~whole)
    rest = problem.of_open(problem.quantity - found.quantity, problem.cash - found.cash)
    stages = (("relaxation", solved - began), ("parts", elapsed() - solved))
    return Proposal(
        objective=objective,
        submitted=problem.size,
        submitted_value=int(problem.value.sum()),
        settled=int(whole.sum()),
        settled_value=value,
        lp_bound=relaxed.bound,
        gap=_gap(float((weight * share).sum()), relaxed.bound),
        seconds=round(elapsed() - began, 4),
        by_stage=tuple(
            Stage(stage=name, settled=int(whole.sum()) * last, settled_value=value * last, seconds=round(spent, 4))
            for last, (name, spent) in enumerate(stages)
        ),
        blocking=blocking(rest, end_balances(problem, found), whole, relaxed),
        chosen=tuple(np.flatnonzero(whole).tolist()),
        parts=tuple(zip(parts.tolist(), found.quantity[parts].tolist(), strict=True)),
    )


def frontier(problem: Problem, time_limit: float, elapsed: Elapsed, *, seed: int = 1) -> tuple[Point, ...]:
    """Return what settles as the weight moves from number to value, ``time_limit`` seconds a point."""
    _require_some(problem)
    number, value = weights(problem, Objective.NUMBER), weights(problem, Objective.VALUE)
    points = []
    for share in FRONTIER:
        weight = (1 - share) * number / _scale(number) + share * value / _scale(value)
        run, _ = _best(problem, weight, elapsed() + time_limit, elapsed, seed)
        settled, money = int(run.best.sum()), int(problem.value[run.best].sum())
        points.append(Point(value_share=share, settled=settled, settled_value=money))
    return tuple(points)


def quick(problem: Problem, objective: Objective, elapsed: Elapsed, *, seed: int = 1) -> tuple[Bools, list[Stage]]:
    """Return a set from the stages that no clock cuts, and the stages: the same problem gives the same set.

    Recycling, removal of what is left and a search of a fixed number of steps.
    """
    weight = weights(problem, objective)
    run = _Run(problem, np.maximum(weight / _scale(weight), WEIGHTLESS), elapsed, float("inf"), seed, STEPS_QUICK)
    _recycling(run)
    if not run.best.all():
        _removal(run)
        _search(run, None, starts=1)
        _top_up(run)
    return run.best, run.stages


def _best(
    problem: Problem, weight: Float64, deadline: float, elapsed: Elapsed, seed: int
) -> tuple[_Run, Relaxed | None]:
    scale = _scale(weight)
    run = _Run(problem, np.maximum(weight / scale, WEIGHTLESS), elapsed, deadline, seed)
    _recycling(run)
    relaxed = None
    if not run.best.all() and run.left > 0:
        _removal(run)
    if not run.best.all() and run.left > 0:
        relaxed = _relaxation(run)
        _search(run, relaxed)
        _exact(run, relaxed)
    _top_up(run)
    return run, _scaled(relaxed, scale)


def _scale(weight: Float64) -> float:
    return float(weight.mean()) or 1.0


def _scaled(relaxed: Relaxed | None, scale: float) -> Relaxed | None:
    """Return a relaxation in the unit of the objective."""
    if relaxed is None:
        return None
    return Relaxed(relaxed.bound * scale, relaxed.part, relaxed.worth * scale, relaxed.certainty)


def _gap(reached: float, bound: float | None) -> float | None:
    return None if bound is None else max(1.0 - reached / bound, 0.0) if bound else 0.0


def _require_some(problem: Problem) -> None:
    if not problem.size:
        raise refuse(RejectionReason.MISSING, "there is no instruction", field="instance")


def _recycling(run: _Run) -> None:
    began, problem = run.elapsed(), run.problem
    settled, slack = np.zeros(problem.size, np.bool_), problem.balance.copy()
    order = np.lexsort((np.arange(problem.size), problem.priority)).astype(np.int64)
    functions().recycle(*run.columns, order, slack, settled)
    run.offer("recycling", settled, began)


def _removal(run: _Run) -> None:
    """Settle all, or above a size all that recycling left, less what must go for every account to be covered."""
    began, problem = run.elapsed(), run.problem
    together = np.ones(problem.size, np.bool_)
    slack = problem.end_balances(together)
    whole = problem.size <= REMOVE_ALL_MAX or bool((slack >= 0).all())
    if run.remove(together, slack) if whole else _remove_of_rest(run, together, slack):
        run.offer("removal", together, began)


def _remove_of_rest(run: _Run, together: Bools, slack: Int64) -> bool:
    """Remove only of what recycling left: its instructions alone, between the accounts as recycling left them."""
    rest = np.flatnonzero(~run.best)
    account = np.concatenate([run.problem.out_stock[rest], run.problem.out_cash[rest]])
    known = account >= 0
    order = np.argsort(account[known], kind="stable")
    start = np.searchsorted(account[known][order], np.arange(slack.size + 1)).astype(np.int64)
    items = np.tile(rest, 2)[known][order].astype(np.int64)
    return bool(functions().remove(*run.columns, run.weight, start, items, slack, together))


def _relaxation(run: _Run) -> Relaxed | None:
    """Return the relaxation, or None without HiGHS or when it is not solved in time."""
    if importlib.util.find_spec("highspy") is None:
        return None
    began = run.elapsed()
    relaxed = relax(run.problem, run.weight, run.left * BOUND_SHARE)
    run.offer("relaxation", run.best, began)
    return relaxed


def _search(run: _Run, relaxed: Relaxed | None, *, starts: int = STARTS) -> None:
    """Search from what the relaxation would settle, cut at several parts, and from the best set so far."""
    until = run.elapsed() + max(run.left, 0.0) * (SEARCH_SHARE if relaxed else 1.0)
    for cut in (*CUTS, None) if relaxed else (None,) * starts:
        began = run.elapsed()
        if began >= until:
            return
        settled = run.best.copy() if cut is None or relaxed is None else relaxed.part >= cut
        slack = run.problem.end_balances(settled)
        if run.remove(settled, slack):
            run.improve(settled, slack, until)
            run.offer("search", settled, began)


def _exact(run: _Run, relaxed: Relaxed | None) -> None:
    """Search exactly where relaxation and best set disagree and where the relaxation decided by little.

    Then among others, drawn by how little, each time from the best set, let in what fits and exchanged.
    """
    if relaxed is None:
        return
    size, noise, problem = FREE_MIN, 0.0, run.problem
    chance = np.random.Generator(np.random.PCG64(run.seed))
    while run.left > LAST_MOMENT:
        began, whole = run.elapsed(), size >= problem.size
        certainty = np.where(np.abs(relaxed.part - run.best) > 1e-6, 0.0, relaxed.certainty)
        certainty += noise * chance.standard_exponential(problem.size)
        free = np.full(problem.size, whole)
        if not whole:
            free[np.argpartition(certainty, size)[:size]] = True
        found = best_of_part(problem, run.weight, run.best, free, run.left * (1.0 if whole else EXACT_SHARE))
        run.offer("exact", found, began)
        if whole:
            return
        began, quickly = run.elapsed(), run.elapsed() - began < run.left * EXACT_SHARE / 4
        settled = run.best.copy()
        run.improve(settled, problem.end_balances(settled), run.deadline, COOLER)
        run.offer("search", settled, began)
        size, noise = min(2 * size, FREE_MAX) if quickly or not noise else size, NOISE


def _top_up(run: _Run) -> None:
    """Let everything in that fits beside the best set, also what carries no weight."""
    began, problem = run.elapsed(), run.problem
    settled = run.best.copy()
    slack = problem.end_balances(settled)
    waiting = np.flatnonzero(~settled)
    order = waiting[np.argsort(problem.priority[waiting], kind="stable")].astype(np.int64)
    functions().recycle(*run.columns, order, slack, settled)
    if settled.sum() > run.best.sum():
        require_feasible(problem, settled)
        run.best = settled
        run.offer("top-up", settled, began)
