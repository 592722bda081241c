"""What an optimiser answers: the set that may settle at once, how good it is, and what holds the rest up."""

from __future__ import annotations

from enum import StrEnum

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.settlement.exact import Relaxed
from tsingma.settlement.instance import Account, Problem

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

BLOCKING_SHOWN = 20
FIRST_WEIGHS = 10.0  # the first priority under the objective ``priority``


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
    """A party and its account that holds most up: how many wait on it, the least lack, what a unit more is worth."""

    party: int
    account: str
    waiting: int
    shortage: int
    worth: float  # in the unit of the objective, from the relaxation


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """A set that may settle at once, whole or in parts, and everything known of how good it is."""

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
    parts: tuple[tuple[int, int], ...] = ()  # (instruction, units) of what settles in part, beside ``chosen``

    def figures(self) -> dict[str, object]:
        """Return what the command prints as JSON: everything but the objective and the sets themselves."""
        found = msgspec.to_builtins(self)
        return {name: found[name] for name in found if name not in ("objective", "chosen", "parts")}


class Remedy(msgspec.Struct, frozen=True, kw_only=True):
    """Why an instruction does not settle beside the others, and what would free it: amounts on named accounts."""

    instruction: int
    settles: bool
    needs: tuple[tuple[str, int], ...]
    sentence: str


def weights(problem: Problem, objective: Objective) -> Float64:
    """Return the weight of every instruction; value is in money, everything else in instructions."""
    first = problem.priority == problem.priority.min(initial=problem.priority.max(initial=0))
    if objective is Objective.VALUE:
        return problem.value.astype(np.float64)
    if objective is Objective.PRIORITY:
        return np.where(first, FIRST_WEIGHS, 1.0)
    if objective is Objective.LEXICOGRAPHIC:
        return np.where(first, float(problem.size + 1), 1.0)
    return np.ones(problem.size)


def account_name(account: Account) -> str:
    """Return ``stock PARTY/ISIN`` or ``money PARTY``, or of a house's row the numbers of its account and asset."""
    if account[0] == "row":
        return f"account {account[1]}, asset {account[-1]}"
    return f"stock {account[1]}/{account[-1]}" if len(account) == 3 else f"money {account[1]}"


def blocking(problem: Problem, slack: Int64, settled: Bools, relaxed: Relaxed | None) -> tuple[Blocking, ...]:
    """Return per party the account that holds most instructions up, the worst parties first.

    ``slack`` int64 [accounts] is what every account has left beside what settles.
    """
    waiting = np.flatnonzero(~settled)
    number, lack = np.zeros(slack.size, np.int64), np.full(slack.size, np.iinfo(np.int64).max)
    for place, amount in ((problem.out_stock, problem.quantity), (problem.out_cash, problem.cash)):
        asking = waiting[place[waiting] >= 0]
        gap = amount[asking] - slack[place[asking]]
        asking, gap = asking[gap > 0], gap[gap > 0]
        np.add.at(number, place[asking], 1)
        np.minimum.at(lack, place[asking], gap)
    worst: dict[int, int] = {}
    for account in np.flatnonzero(number).tolist():
        party = int(problem.accounts[account][1])
        if party not in worst or number[account] > number[worst[party]]:
            worst[party] = account
    order = sorted(worst.values(), key=lambda account: (-int(number[account]), account))[:BLOCKING_SHOWN]
    return tuple(
        Blocking(
            party=int(problem.accounts[account][1]),
            account=account_name(problem.accounts[account]),
            waiting=int(number[account]),
            shortage=int(lack[account]),
            worth=float(relaxed.worth[account]) if relaxed else 0.0,
        )
        for account in order
    )


def explain_instruction(problem: Problem, slack: Int64, settled: Bools, k: int) -> Remedy:
    """Return why an instruction does not settle and what would free it; adding the named amounts settles it.

    ``slack`` int64 [accounts] is what every account has left beside what settles; of an instruction that settled in
    part the problem holds what is open. Raises Rejected (unknown) for a number that is no instruction.
    """
    if not 0 <= k < problem.size:
        raise refuse(RejectionReason.UNKNOWN, f"there is no instruction {k}", field="instruction")
    if settled[k]:
        return Remedy(instruction=k, settles=True, needs=(), sentence=f"instruction {k} settles")
    needs = []
    for place, amount in ((problem.out_stock[k], problem.quantity[k]), (problem.out_cash[k], problem.cash[k])):
        if place >= 0 and slack[place] < amount:
            needs.append((account_name(problem.accounts[place]), int(amount - slack[place])))
    if not needs:
        sentence = f"instruction {k} fits beside the others and would settle if it were tried again"
    else:
        lacks = " and ".join(f"{account} lacks {lack:,}" for account, lack in needs)
        sentence = f"instruction {k} waits: {lacks} after all that settles; with that added it settles"
    return Remedy(instruction=k, settles=False, needs=tuple(needs), sentence=sentence)
