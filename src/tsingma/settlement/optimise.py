"""Which instructions settle together: one pipeline from first come first served to an exact search on what is left.

    recycling   one by one, waking what waits on a credited account: the baseline no result is below
    removal     all together, less what must go for every account to be covered: resolves gridlock
    search      exchanges between what settles and what waits, by simulated annealing from several starts
    relaxation  the bound; then an integer programme where relaxation and set disagree
    exact       an integer programme on the instructions that compete for short accounts
    top-up      whatever still fits beside the result, also what carries no weight

Whatever proposes, every set is verified in integers before it counts, and the best so far is always bookable.
Objectives
are weights: number, value (money), priority (ten times for the first), lexicographic (the first priority before all
else).
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.kernels.settle import functions
from tsingma.settlement.exact import Relaxed, best_of_part, relax, require_feasible
from tsingma.settlement.instance import Account, Problem
from tsingma.settlement.partial import settle_parts

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Elapsed = Callable[[], float]

STEPS_PER_INSTRUCTION, STEPS_MIN = 20, 300_000
STARTS = 4
HEAT = {"number": (0.4, 0.1), "value": (0.6, 0.02)}
BOUND_SHARE = 0.7  # of the time that is left, for the relaxation
EXACT_MAX = 30_000  # instructions an integer programme is given at once
BLOCKING_SHOWN = 20
WEIGHTLESS = 1e-7  # free of payment carries no money; it settles all the same where nothing stands against it


class Objective(StrEnum):
    """What is made as large as possible."""

    NUMBER = "number"
    VALUE = "value"
    PRIORITY = "priority"
    LEXICOGRAPHIC = "lexicographic"


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """What had settled after one stage, and how long it took."""

    stage: str
    settled: int
    settled_value: int
    seconds: float


class Blocking(msgspec.Struct, frozen=True, kw_only=True):
    """An account that holds instructions up: how many wait on it, the least lack, and what a unit more is worth."""

    account: str
    waiting: int
    shortage: int
    worth: float


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """A set that may settle at once, and everything known of how good it is."""

    objective: Objective
    submitted: int
    submitted_value: int
    settled: int
    settled_value: int
    lp_bound: float | None  # in the unit of the objective (number, or money)
    gap: float | None  # 1 - reached / bound
    seconds: float
    by_stage: tuple[Stage, ...]
    blocking: tuple[Blocking, ...]
    chosen: tuple[int, ...]  # numbers of what settles, from 0


class PartialProposal(msgspec.Struct, frozen=True, kw_only=True):
    """Parts that may settle at once when parts are allowed: whole units of each instruction, and how near the bound."""

    submitted: int
    submitted_value: int
    settled_whole: int
    settled_in_part: int
    settled_value: int
    lp_bound: float
    gap: float
    seconds: float
    parts: tuple[tuple[int, int], ...]  # (instruction, units) of what settles


class Remedy(msgspec.Struct, frozen=True, kw_only=True):
    """Why an instruction does not settle beside the others, and what would free it: amounts on named accounts."""

    instruction: int
    settles: bool
    needs: tuple[tuple[str, int], ...]
    sentence: str


def weights(problem: Problem, objective: Objective) -> Float64:
    """Return the weight of every instruction; value is in money, everything else in instructions."""
    if objective is Objective.VALUE:
        return problem.cash.astype(np.float64)
    if objective is Objective.PRIORITY:
        return np.where(problem.priority == problem.priority.min(initial=1), 10.0, 1.0)
    if objective is Objective.LEXICOGRAPHIC:
        return np.where(problem.priority == problem.priority.min(initial=1), float(problem.size + 1), 1.0)
    return np.ones(problem.size)


def account_name(account: Account) -> str:
    """Return ``stock PARTY/ISIN`` or ``money PARTY``."""
    return f"stock {account[1]}/{account[2]}" if len(account) == 3 else f"money {account[1]}"


class _Run:
    """One optimisation: the best set so far, its stages and the clock."""

    def __init__(self, problem: Problem, weight: Float64, elapsed: Elapsed) -> None:
        self.problem, self.weight, self.elapsed = problem, weight, elapsed
        self.best = np.zeros(problem.size, np.bool_)
        self.stages: list[Stage] = []
        self._began = elapsed()
        account = np.concatenate([problem.out_stock, problem.out_cash])
        item = np.tile(np.arange(problem.size), 2)
        known = account >= 0
        order = np.argsort(account[known], kind="stable")
        self.items = item[known][order].astype(np.int64)
        self.start = np.searchsorted(account[known][order], np.arange(problem.balance.size + 1)).astype(np.int64)

    @property
    def columns(self) -> tuple[Int64, ...]:
        """Return the columns the kernels take first."""
        p = self.problem
        return p.out_stock, p.in_stock, p.out_cash, p.in_cash, p.quantity, p.cash

    def offer(self, stage: str, settled: Bools, began: float) -> None:
        """Keep a set when it is verified and better, and note the stage."""
        require_feasible(self.problem, settled)
        if self.weight[settled].sum() > self.weight[self.best].sum() or not self.best.any():
            self.best = settled
        self.stages.append(
            Stage(
                stage=stage, settled=int(self.best.sum()), settled_value=int(self.problem.cash[self.best].sum()),
                seconds=round(self.elapsed() - began, 4),
            )
        )  # fmt: skip


def optimise(problem: Problem, objective: Objective, time_limit: float, elapsed: Elapsed, *, seed: int = 1) -> Proposal:
    """Return the best set found within about ``time_limit`` seconds of ``elapsed``.

    Raises Rejected (out-of-range) for a time limit that is not positive, (missing) for no instruction.
    """
    if not time_limit > 0:
        raise refuse(RejectionReason.OUT_OF_RANGE, f"{time_limit} is not positive", field="time_limit")
    if not problem.size:
        raise refuse(RejectionReason.MISSING, "there is no instruction", field="instance")
    weight = weights(problem, objective)
    scale = float(weight.mean()) or 1.0
    run, began = _Run(problem, weight, elapsed), elapsed()
    _recycle(run)
    _removal_and_search(run, weight / scale, objective, began + time_limit, seed)
    relaxed = None
    left = began + time_limit - elapsed()
    if left > 0 and not run.best.all():
        relaxed = _relaxation(run, weight / scale, left)
        _exact(run, weight / scale, began + time_limit)
    _top_up(run)
    reached = float(weight[run.best].sum())
    bound = float(weight.sum()) if run.best.all() else relaxed.bound * scale if relaxed else None
    return Proposal(
        objective=objective,
        submitted=problem.size,
        submitted_value=int(problem.cash.sum()),
        settled=int(run.best.sum()),
        settled_value=int(problem.cash[run.best].sum()),
        lp_bound=bound,
        gap=None if bound is None else max(1.0 - reached / bound, 0.0) if bound else 0.0,
        seconds=round(elapsed() - began, 4),
        by_stage=tuple(run.stages),
        blocking=_blocking(problem, run.best, relaxed),
        chosen=tuple(np.flatnonzero(run.best).tolist()),
    )


def optimise_parts(
    problem: Problem, objective: Objective, time_limit: float, elapsed: Elapsed, *, least_share_e4: int = 0
) -> PartialProposal:
    """Return what settles when every instruction may settle in part, money in proportion.

    Raises Rejected (missing) for no instruction, (limit) when the relaxation is not solved in time.
    """
    if not problem.size:
        raise refuse(RejectionReason.MISSING, "there is no instruction", field="instance")
    began, weight = elapsed(), weights(problem, objective)
    scale = float(weight.mean()) or 1.0
    relaxed = relax(problem, weight / scale + WEIGHTLESS, time_limit)
    if relaxed is None:
        message = f"the relaxation is not solved within {time_limit} seconds"
        raise refuse(RejectionReason.LIMIT, message, field="time_limit", remedy="allow more time")
    found = settle_parts(problem, relaxed, least_share_e4)
    bound = relaxed.bound * scale
    reached = float((weight * found.quantity / problem.quantity).sum())
    settled = np.flatnonzero(found.quantity)
    return PartialProposal(
        submitted=problem.size,
        submitted_value=int(problem.cash.sum()),
        settled_whole=int((found.quantity == problem.quantity).sum()),
        settled_in_part=int(((found.quantity > 0) & (found.quantity < problem.quantity)).sum()),
        settled_value=int(found.cash.sum()),
        lp_bound=bound,
        gap=max(1.0 - reached / bound, 0.0) if bound else 0.0,
        seconds=round(elapsed() - began, 4),
        parts=tuple(zip(settled.tolist(), found.quantity[settled].tolist(), strict=True)),
    )


def _recycle(run: _Run) -> None:
    began, problem = run.elapsed(), run.problem
    settled, slack = np.zeros(problem.size, np.bool_), problem.balance.copy()
    order = np.lexsort((np.arange(problem.size), problem.priority)).astype(np.int64)
    functions().recycle(*run.columns, order, slack, settled)
    run.offer("recycling", settled, began)


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


def _removal_and_search(run: _Run, weight: Float64, objective: Objective, deadline: float, seed: int) -> None:
    kernels, problem, began = functions(), run.problem, run.elapsed()
    together = np.ones(problem.size, np.bool_)
    slack = problem.end_balances(together)
    if not kernels.remove(*run.columns, weight, run.start, run.items, slack, together):
        return
    run.offer("removal", together.copy(), began)
    if together.all():
        return
    began = run.elapsed()
    heat, cold = HEAT["value" if objective is Objective.VALUE else "number"]
    steps = max(STEPS_PER_INSTRUCTION * problem.size, STEPS_MIN)
    for start in range(STARTS):
        if start and run.elapsed() >= deadline:
            break
        settled, left = together.copy(), slack.copy()
        kernels.search(
            *run.columns, weight, run.start, run.items, left, settled, steps, heat, cold, seed + start
        )  # fmt: skip
        if weight[settled].sum() > weight[run.best].sum():
            run.offer("search", settled, began)
    if run.stages[-1].stage != "search":
        run.offer("search", run.best, began)


def _relaxation(run: _Run, weight: Float64, left: float) -> Relaxed | None:
    began = run.elapsed()
    relaxed = relax(run.problem, weight, left * BOUND_SHARE)
    if relaxed is None:
        return None
    disagree = np.abs(relaxed.part - run.best) > 1e-6
    if disagree.sum() <= EXACT_MAX:
        spent = run.elapsed() - began
        run.offer("relaxation", best_of_part(run.problem, weight, run.best, disagree, left * 0.6 - spent), began)
    return relaxed


def _exact(run: _Run, weight: Float64, deadline: float) -> None:
    """Search exactly among what waits and what settles from the accounts that are short for it."""
    began, problem = run.elapsed(), run.problem
    short = _short_accounts(problem, run.best)
    free = ~run.best | short[problem.out_stock] | ((problem.out_cash >= 0) & short[problem.out_cash])
    left = deadline - began
    if left > 0.05 and int(free.sum()) <= EXACT_MAX:
        run.offer("exact", best_of_part(problem, weight, run.best, free, left), began)


def _short_accounts(problem: Problem, settled: Bools) -> Bools:
    slack, waits = problem.end_balances(settled), ~settled
    short = np.zeros(slack.size, np.bool_)
    short[problem.out_stock[waits & (slack[problem.out_stock] < problem.quantity)]] = True
    paying = waits & (problem.out_cash >= 0)
    chosen = problem.out_cash[paying]
    short[chosen[slack[chosen] < problem.cash[paying]]] = True
    return short


def _blocking(problem: Problem, settled: Bools, relaxed: Relaxed | None) -> tuple[Blocking, ...]:
    slack = problem.end_balances(settled)
    waiting: dict[int, list[int]] = {}
    for k in np.flatnonzero(~settled).tolist():
        for account, amount in _gaps(problem, slack, k):
            waiting.setdefault(account, []).append(amount)
    order = sorted(waiting, key=lambda account: (-len(waiting[account]), account))[:BLOCKING_SHOWN]
    return tuple(
        Blocking(
            account=account_name(problem.accounts[account]),
            waiting=len(waiting[account]),
            shortage=min(waiting[account]),
            worth=float(relaxed.worth[account]) if relaxed else 0.0,
        )
        for account in order
    )


def _gaps(problem: Problem, slack: Int64, k: int) -> list[tuple[int, int]]:
    """Return (account, what it lacks) for an instruction, given what the others leave."""
    gaps = []
    stock, money = int(problem.out_stock[k]), int(problem.out_cash[k])
    if slack[stock] < problem.quantity[k]:
        gaps.append((stock, int(problem.quantity[k] - slack[stock])))
    if money >= 0 and slack[money] < problem.cash[k]:
        gaps.append((money, int(problem.cash[k] - slack[money])))
    return gaps


def explain_instruction(problem: Problem, settled: Bools, k: int) -> Remedy:
    """Return why an instruction does not settle and what would free it; adding the named amounts settles it.

    Raises Rejected (unknown) for a number that is no instruction.
    """
    if not 0 <= k < problem.size:
        raise refuse(RejectionReason.UNKNOWN, f"there is no instruction {k}", field="instruction")
    if settled[k]:
        return Remedy(instruction=k, settles=True, needs=(), sentence=f"instruction {k} settles")
    slack = problem.end_balances(settled)
    needs = tuple((account_name(problem.accounts[account]), lack) for account, lack in _gaps(problem, slack, k))
    if not needs:
        sentence = f"instruction {k} fits beside the others and would settle if it were tried again"
    else:
        lacks = " and ".join(f"{account} lacks {lack:,}" for account, lack in needs)
        sentence = f"instruction {k} waits: {lacks} after all that settles; with that added it settles"
    return Remedy(instruction=k, settles=False, needs=needs, sentence=sentence)
