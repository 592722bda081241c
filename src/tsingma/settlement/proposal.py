"""What an optimiser answers: the set that may settle at once, how good it is, and what holds the rest up."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import RejectionReason, refuse
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


def blocking(problem: Problem, slack: Int64, settled: Bools, worth: Float64 | None) -> tuple[Blocking, ...]:
    """Return per party the account that holds most instructions up, the worst parties first.

    ``slack`` int64 [accounts] is what every account has left beside what settles, ``worth`` float64 [accounts] what one
    more unit there would add. What an instruction buys counts for the credit it may be paid with.
    """
    waiting = np.flatnonzero(~settled)
    number, lack = np.zeros(slack.size, np.int64), np.full(slack.size, np.iinfo(np.int64).max)
    spare, flow = _with_credit(problem, slack, waiting)
    for place, amount, spared in (
        (problem.out_stock, problem.quantity, slack[problem.out_stock[waiting]]),
        (problem.out_cash, problem.cash, np.minimum(spare[problem.out_cash[waiting]], flow)),
    ):
        gap = np.where(place[waiting] >= 0, amount[waiting] - spared, 0)
        asking, gap = place[waiting[gap > 0]], gap[gap > 0]
        np.add.at(number, asking, 1)
        np.minimum.at(lack, asking, gap)
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
            worth=0.0 if worth is None else float(worth[account]),
        )
        for account in order
    )


def _with_credit(problem: Problem, slack: Int64, waiting: Int64) -> tuple[Int64, Int64]:
    """Return what every account could pay up to its line, and what each waiting buyer could pay by its securities."""
    credit = problem.credit
    spare, covered = slack.copy(), np.full(waiting.size, np.iinfo(np.int64).max)
    if credit is None:
        return spare, covered
    spare[credit.money] += credit.limit
    line, worth = np.full(slack.size, -1, np.int64), np.zeros(slack.size, np.int64)
    line[credit.money], line[credit.stock] = np.arange(credit.money.size), credit.line
    worth[credit.stock] = credit.worth
    pledged = slack[credit.money] * credit.scale
    np.add.at(pledged, credit.line, credit.worth * np.maximum(slack[credit.stock], 0))
    payer, bought = problem.out_cash[waiting], problem.in_stock[waiting]
    has_line = (payer >= 0) & (line[payer] >= 0)
    own = line[payer]
    on_flow = np.where(line[bought] == own, worth[bought] * problem.quantity[waiting], 0)
    covered[has_line] = (pledged[own] + on_flow)[has_line] // credit.scale
    return spare, covered


def explain_instruction(problem: Problem, slack: Int64, settled: Bools, k: int) -> Remedy:
    """Return why an instruction does not settle and what would free it; adding the named amounts settles it.

    ``slack`` int64 [accounts] is what every account has left beside what settles (below zero where credit is drawn);
    of an instruction that settled in part the problem holds what is open. What it settles with, and what must settle
    before it, is taken with it. Raises Rejected (unknown) for a number that is no instruction.
    """
    if not 0 <= k < problem.size:
        raise refuse(RejectionReason.UNKNOWN, f"there is no instruction {k}", field="instruction")
    if settled[k]:
        return Remedy(instruction=k, settles=True, needs=(), sentence=f"instruction {k} settles")
    members = bound(problem, settled, k)
    chosen = np.zeros(problem.size, np.bool_)
    chosen[list(members)] = True
    rest = replace(problem, balance=slack)
    lack = rest.lacks(np.where(chosen, problem.quantity, 0), np.where(chosen, problem.cash, 0))
    needs = [(account_name(problem.accounts[place]), int(lack[place])) for place in np.flatnonzero(lack).tolist()]
    with_them = f" with the {len(members) - 1} it is linked to" if len(members) > 1 else ""
    if not needs:
        sentence = f"instruction {k} fits beside the others{with_them} and would settle if it were tried again"
    else:
        lacks = " and ".join(f"{account} lacks {missing:,}" for account, missing in needs)
        sentence = f"instruction {k} waits: {lacks} after all that settles; with that added it settles{with_them}"
    return Remedy(instruction=k, settles=False, needs=tuple(needs), sentence=sentence)


def bound(problem: Problem, settled: Bools, k: int) -> tuple[int, ...]:
    """Return an instruction and all that must settle with or before it and does not, numbers rising."""
    found, asked = {k}, [k]
    while asked:
        one = asked.pop()
        near = problem.after[problem.after[:, 1] == one, 0].tolist()
        if problem.together.size and problem.together[one]:
            near += np.flatnonzero(problem.together == problem.together[one]).tolist()
        fresh = [other for other in near if other not in found and not settled[other]]
        found.update(fresh)
        asked.extend(fresh)
    return tuple(sorted(found))
