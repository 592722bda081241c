"""Which instructions settle together: one pipeline from first come first served to an exact search on what is left.

    recycling   one by one, waking what waits on a credited account: the baseline no result is below
    removal     all together, less what must go for every account to be covered: resolves gridlock
    search      exchanges between what settles and what waits, by simulated annealing, in integers
    relaxation  the linear bound; what it would settle, cut to whole instructions, is another start of the search
    exact       an integer programme on the instructions the relaxation is least sure of, more of them as time allows
    top-up      whatever still fits beside the result, also what carries no weight

The stages work on items and rows (:mod:`tsingma.settlement.model`): instructions that settle together are one item,
links and credit are rows beside the accounts. Whatever proposes, every set is verified in integers, from the
instructions alone, before it counts, and the best so far is always bookable. Without HiGHS the stages before the
relaxation answer.
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
from tsingma.settlement.model import Model, model_of
from tsingma.settlement.partial import settle_parts
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
    """One optimisation: the best set of items so far, its stages and the clock; ``weight`` has mean one."""

    model: Model
    weight: Float64
    elapsed: Elapsed
    deadline: float
    seed: int
    steps: tuple[int, int, int] = STEPS
    slices: int = 0  # searched so far; each draws its own numbers
    best: Bools = field(init=False)
    stages: list[Stage] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Begin with nothing settled."""
        self.best = np.zeros(self.model.size, np.bool_)

    @property
    def left(self) -> float:
        """Return the seconds left."""
        return self.deadline - self.elapsed()

    def offer(self, stage: str, settled: Bools, began: float) -> None:
        """Keep a set when it is verified and better, and note the stage."""
        problem = self.model.problem
        require_feasible(problem, self.model.instructions(settled))
        if self.weight[settled].sum() > self.weight[self.best].sum() or not self.best.any():
            self.best = settled
        chosen = self.model.instructions(self.best)
        self.stages.append(
            Stage(
                stage=stage, settled=int(chosen.sum()), settled_value=int(problem.value[chosen].sum()),
                seconds=round(self.elapsed() - began, 4),
            )
        )  # fmt: skip

    def improve(self, settled: Bools, slack: Int64, until: float, heat: float = HEAT) -> None:
        """Let in what fits, the heaviest first, then search in slices until a time; ``settled`` changes in place."""
        waiting = np.flatnonzero(~settled)
        order = waiting[np.argsort(-self.weight[waiting], kind="stable")].astype(np.int64)
        functions().recycle(*self.model.legs, order, slack, settled)
        each, least, most = self.steps
        least = min(least, STEPS_SMALL * self.model.size)
        steps = min(max(each * int((~settled).sum()), least), most) // SLICES
        ladder = np.geomspace(heat, COLD, SLICES + 1).tolist()
        for place in range(SLICES):
            if settled.all() or self.elapsed() >= until:
                return
            if place:
                slack = self.model.slack(settled)  # of the best set of the slice before
            functions().search(
                *self.model.legs, self.weight, *self.model.takers, slack, settled, steps, ladder[place],
                ladder[place + 1], self.seed + self.slices,
            )  # fmt: skip
            self.slices += 1

    def remove(self, settled: Bools, slack: Int64) -> bool:
        """Take out what must go for every account to be covered; returns whether all could be covered."""
        return bool(functions().remove(*self.model.legs, self.weight, *self.model.takers, slack, settled))


def optimise(problem: Problem, objective: Objective, time_limit: float, elapsed: Elapsed, *, seed: int = 1) -> Proposal:
    """Return the best set found within about ``time_limit`` seconds of ``elapsed``.

    Raises Rejected (out-of-range) for a time limit that is not positive, (missing) for no instruction.
    """
    if not time_limit > 0:
        raise refuse(RejectionReason.OUT_OF_RANGE, f"{time_limit} is not positive", field="time_limit")
    _require_some(problem)
    weight, began = weights(problem, objective), elapsed()
    run, relaxed = _best(problem, weight, began + time_limit, elapsed, seed)
    settled = run.model.instructions(run.best)
    reached = float(weight[settled].sum())
    bound = float(weight.sum()) if settled.all() else relaxed.bound if relaxed else None
    return Proposal(
        objective=objective,
        submitted=problem.size,
        submitted_value=int(problem.value.sum()),
        settled=int(settled.sum()),
        settled_value=int(problem.value[settled].sum()),
        lp_bound=bound,
        gap=_gap(reached, bound),
        seconds=round(elapsed() - began, 4),
        by_stage=tuple(run.stages),
        blocking=blocking(problem, problem.end_balances(settled), settled, _worth(run.model, relaxed)),
        chosen=tuple(np.flatnonzero(settled).tolist()),
    )


def optimise_parts(
    problem: Problem, objective: Objective, time_limit: float, elapsed: Elapsed, *, least_share_e4: int = 0
) -> Proposal:
    """Return what settles when every instruction that is not linked may settle in part, money in proportion.

    Raises Rejected (missing) for no instruction, (limit) when the relaxation is not solved in time.
    """
    _require_some(problem)
    began, weight = elapsed(), weights(problem, objective)
    model, scale = model_of(problem), _scale(weight)
    relaxed = _scaled(relax(model, _items_weight(model, weight, scale), time_limit), scale)
    if relaxed is None:
        message = f"the relaxation is not solved within {time_limit} seconds"
        raise refuse(RejectionReason.LIMIT, message, field="time_limit", remedy="allow more time")
    solved = elapsed()
    found = settle_parts(model, relaxed, least_share_e4)
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
        blocking=blocking(rest, problem.end_of(found.quantity, found.cash), whole, _worth(model, relaxed)),
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
        settled = run.model.instructions(run.best)
        money = int(problem.value[settled].sum())
        points.append(Point(value_share=share, settled=int(settled.sum()), settled_value=money))
    return tuple(points)


def quick(problem: Problem, objective: Objective, elapsed: Elapsed, *, seed: int = 1) -> tuple[Bools, list[Stage]]:
    """Return a set from the stages that no clock cuts, and the stages: the same problem gives the same set.

    Recycling, removal of what is left and a search of a fixed number of steps.
    """
    weight, model = weights(problem, objective), model_of(problem)
    run = _Run(model, _items_weight(model, weight, _scale(weight)), elapsed, float("inf"), seed, STEPS_QUICK)
    _recycling(run)
    if not run.best.all():
        _removal(run)
        _search(run, None, starts=1)
        _top_up(run)
    return model.instructions(run.best), run.stages


def _best(
    problem: Problem, weight: Float64, deadline: float, elapsed: Elapsed, seed: int
) -> tuple[_Run, Relaxed | None]:
    model, scale = model_of(problem), _scale(weight)
    run = _Run(model, _items_weight(model, weight, scale), elapsed, deadline, seed)
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


def _items_weight(model: Model, weight: Float64, scale: float) -> Float64:
    """Return the weight of every item where that of the instructions has mean one."""
    return np.maximum(model.of_items(weight / scale), WEIGHTLESS)


def _worth(model: Model, relaxed: Relaxed | None) -> Float64 | None:
    return None if relaxed is None else model.worth_of_accounts(relaxed.worth)


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
    began, model = run.elapsed(), run.model
    settled, slack = np.zeros(model.size, np.bool_), model.opening.copy()
    order = np.lexsort((np.arange(model.size), model.priority)).astype(np.int64)
    functions().recycle(*model.legs, order, slack, settled)
    run.offer("recycling", settled, began)


def _removal(run: _Run) -> None:
    """Settle all, or above a size all that recycling left, less what must go for every row to be covered."""
    began, model = run.elapsed(), run.model
    together = np.ones(model.size, np.bool_)
    slack = model.slack(together)
    whole = model.size <= REMOVE_ALL_MAX or bool((slack >= 0).all())
    if run.remove(together, slack) if whole else _remove_of_rest(run, together, slack):
        run.offer("removal", together, began)


def _remove_of_rest(run: _Run, together: Bools, slack: Int64) -> bool:
    """Remove only of what recycling left: its items alone, between the rows as recycling left them."""
    first, taker, taken = run.model.takers
    kept = ~run.best[taker]
    before = np.concatenate([[0], np.cumsum(kept)])[first].astype(np.int64)
    return bool(functions().remove(*run.model.legs, run.weight, before, taker[kept], taken[kept], slack, together))


def _relaxation(run: _Run) -> Relaxed | None:
    """Return the relaxation, or None without HiGHS or when it is not solved in time."""
    if importlib.util.find_spec("highspy") is None:
        return None
    began = run.elapsed()
    relaxed = relax(run.model, run.weight, run.left * BOUND_SHARE)
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
        slack = run.model.slack(settled)
        if run.remove(settled, slack):
            run.improve(settled, slack, until)
            run.offer("search", settled, began)


def _exact(run: _Run, relaxed: Relaxed | None) -> None:
    """Search exactly where relaxation and best set disagree and where the relaxation decided by little.

    Then among others, drawn by how little, each time from the best set, let in what fits and exchanged.
    """
    if relaxed is None:
        return
    size, noise, model = FREE_MIN, 0.0, run.model
    chance = np.random.Generator(np.random.PCG64(run.seed))
    while run.left > LAST_MOMENT:
        began, whole = run.elapsed(), size >= model.size
        certainty = np.where(np.abs(relaxed.part - run.best) > 1e-6, 0.0, relaxed.certainty)
        certainty += noise * chance.standard_exponential(model.size)
        free = np.full(model.size, whole)
        if not whole:
            free[np.argpartition(certainty, size)[:size]] = True
        found = best_of_part(model, run.weight, run.best, free, run.left * (1.0 if whole else EXACT_SHARE))
        run.offer("exact", found, began)
        if whole:
            return
        began, quickly = run.elapsed(), run.elapsed() - began < run.left * EXACT_SHARE / 4
        settled = run.best.copy()
        run.improve(settled, model.slack(settled), run.deadline, COOLER)
        run.offer("search", settled, began)
        size, noise = min(2 * size, FREE_MAX) if quickly or not noise else size, NOISE


def _top_up(run: _Run) -> None:
    """Let everything in that fits beside the best set, also what carries no weight, alone or with what it waits for."""
    began, model = run.elapsed(), run.model
    settled = run.best.copy()
    slack = model.slack(settled)
    while True:
        waiting = np.flatnonzero(~settled)
        order = waiting[np.argsort(model.priority[waiting], kind="stable")].astype(np.int64)
        functions().recycle(*model.legs, order, slack, settled)
        if not _let_in_with_earlier(model, settled, slack):
            break
    if settled.sum() > run.best.sum():
        require_feasible(model.problem, model.instructions(settled))
        run.best = settled
        run.offer("top-up", settled, began)


def _let_in_with_earlier(model: Model, settled: Bools, slack: Int64) -> bool:
    """Let in what fits together with the earlier ones it waits for; returns whether anything did."""
    changed = False
    for k in np.unique(model.pairs[:, 1]).tolist():
        if settled[k]:
            continue
        members = model.earlier(k, settled)
        if len(members) < 2:
            continue
        chosen = np.zeros(model.size, np.bool_)
        chosen[members] = True
        after = slack + model.slack(chosen) - model.opening
        if (after >= 0).all():
            slack[:] = after
            settled |= chosen
            changed = True
    return changed
