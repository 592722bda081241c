"""How much could have settled at most, at the size of a night: the linear bound over the accounts that held it up.

All other accounts are left out, and so are links; a line of credit is counted whole, whatever secures it. Each of these
only lets more settle, so that no set settles more than this bound. Prices of the accounts come from a small linear
programme; the bound they prove is over all instructions.
"""

from __future__ import annotations

import importlib.util
from dataclasses import replace

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.money import CURRENCIES
from tsingma.ledger.ledger import Ledger
from tsingma.settlement.credit import CreditLines
from tsingma.settlement.exact import relax
from tsingma.settlement.instance import Problem
from tsingma.settlement.instruction import DVP, DWP, FOP, PFOD, SETTLED, Instructions
from tsingma.settlement.model import model_of
from tsingma.settlement.proposal import Blocking, Objective, account_name, blocking, weights
from tsingma.settlement.waiting import SPARE_MAX, waiting_problem

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

COLUMNS_MAX = 100_000  # of the linear programme, beside what waits


class NightBound(msgspec.Struct, frozen=True, kw_only=True):
    """What no set exceeds (number, or money in HKD cents), how far what settled is below, and what held most up.

    ``accounts`` are (account, asset) of ``blocking``, in its order.
    """

    lp_bound: float | None
    gap: float | None
    blocking: tuple[Blocking, ...]
    accounts: tuple[tuple[int, int], ...]


def bound_of_night(
    instructions: Instructions, ledger: Ledger, lines: CreditLines, numbers: Int64, rate_e6: tuple[int, ...],
    objective: Objective, time_limit: float,
) -> NightBound:  # fmt: skip
    """Return the bound over ``numbers`` (rising): settled this night, or still waiting; the ledger is as they left it.

    ``rate_e6`` is HKD per unit of each currency. There is no bound without HiGHS, for kinds of instruction a night
    does not have, or when it is not found in ``time_limit`` seconds.
    """
    table = instructions.table
    settled = table["status"][numbers] == SETTLED
    waiting = waiting_problem(instructions, ledger, numbers[~settled], rate_e6)
    spare = waiting.balance.copy()
    open_rows = ledger.count
    credit = ledger.find_all(lines.table["account"], lines.table["currency"])
    known = (credit >= 0) & (credit < open_rows)
    np.add.at(spare, credit[known], lines.table["collateral_cents"][known])
    has_line = np.flatnonzero(np.isin(ledger.owner, lines.table["account"]))
    spare[has_line] += ledger.pledged[has_line]  # another set might not have pledged it
    short = np.unique(
        np.concatenate([
            place[(place >= 0) & (amount > spare[place])]
            for place, amount in ((waiting.out_stock, waiting.quantity), (waiting.out_cash, waiting.cash))
        ])
    )  # fmt: skip
    problem = _between(instructions, ledger, numbers, short[short < open_rows], spare, settled, waiting, rate_e6)
    bound, gap, worth = None, None, np.zeros(spare.size)
    if importlib.util.find_spec("highspy") and np.isin(table["kind"][numbers], (DVP, FOP, DWP, PFOD)).all():
        weight = weights(problem, objective)
        bound, of_short = _relaxed(problem, weight, settled, time_limit)
        worth[short[short < open_rows]] = of_short
        reached = float(weight[settled].sum())
        gap = None if bound is None else max(1.0 - reached / bound, 0.0) if bound else 0.0
    nothing = np.zeros(waiting.size, np.bool_)
    found = blocking(waiting, spare, nothing, worth)
    named = {account_name(account): (int(account[1]), int(account[-1])) for account in waiting.accounts}
    return NightBound(lp_bound=bound, gap=gap, blocking=found, accounts=tuple(named[one.account] for one in found))


def _between(
    instructions: Instructions, ledger: Ledger, numbers: Int64, short: Int64, spare: Int64,
    settled: Bools, waiting: Problem, rate_e6: tuple[int, ...],
) -> Problem:  # fmt: skip
    """Return all instructions between the short rows alone (-1: another account), with what these had to begin with."""
    table = instructions.table
    quantity, cash = (table[name][numbers].astype(np.int64) for name in ("quantity", "amount_cents"))
    quantity[~settled], cash[~settled] = waiting.quantity, waiting.cash  # what is open of it
    asset, against = (table[name][numbers].astype(np.int64) for name in ("asset", "against"))
    deliverer, receiver = (table[name][numbers].astype(np.int64) for name in ("deliverer", "receiver"))
    paid_with = np.isin(table["kind"][numbers], (DWP, PFOD))
    moves = deliverer != receiver
    assets = int(max(asset.max(initial=0), ledger.asset.max(initial=0))) + 1
    owners = int(max(deliverer.max(initial=0), receiver.max(initial=0), ledger.owner.max(initial=0))) + 1
    place = np.full(owners * assets, -1, np.int64)
    place[ledger.owner[short].astype(np.int64) * assets + ledger.asset[short]] = np.arange(short.size)

    def at(owner: Int64, what: Int64) -> Int64:
        return np.where(moves & (what >= 0), place[owner * assets + np.maximum(what, 0)], -1)

    problem = Problem(
        out_stock=at(deliverer, asset), in_stock=at(receiver, asset),
        out_cash=at(np.where(paid_with, deliverer, receiver), against),
        in_cash=at(np.where(paid_with, receiver, deliverer), against),
        quantity=quantity, cash=cash, priority=table["priority"][numbers].astype(np.int64),
        balance=np.zeros(short.size, np.int64), value=_in_hkd(cash, against, rate_e6),
        accounts=tuple(("row", int(ledger.owner[row]), int(ledger.asset[row])) for row in short.tolist()),
    )  # fmt: skip
    problem.balance[:] = np.minimum(spare[short], SPARE_MAX // 2) - problem.end_balances(settled)
    return problem


def _in_hkd(cents: Int64, currency: Int64, rate_e6: tuple[int, ...]) -> Int64:
    rates = np.array([*rate_e6[: len(CURRENCIES)], 0], np.int64)
    rate = rates[np.where((currency >= 0) & (currency < len(rate_e6)), currency, len(rate_e6))]
    return cents // 1_000_000 * rate + cents % 1_000_000 * rate // 1_000_000


def _relaxed(problem: Problem, weight: Float64, settled: Bools, time_limit: float) -> tuple[float | None, Float64]:
    """Return the bound, in the weight's unit, and what one more unit on every account would add.

    A linear programme over the instructions that take most for their weight, the others settling as they did, gives the
    accounts prices; with any prices, what the accounts begin with and what every instruction gains by settling, where
    that is more than nothing, is a bound for all instructions (weak duality), and no less than the linear one.
    """
    scale = float(weight.mean()) or 1.0
    of_weight = weight / scale
    chosen = _dearest(problem, of_weight, settled)
    kept = settled.copy()
    kept[chosen] = False
    model = model_of(replace(problem.of(chosen), balance=problem.end_balances(kept)))
    relaxed = relax(model, model.of_items(of_weight[chosen]), time_limit)
    if relaxed is None:
        return None, np.zeros(problem.balance.size)
    price = np.append(relaxed.worth, 0.0)  # the last for all other accounts
    cost = problem.quantity * (price[problem.out_stock] - price[problem.in_stock])
    cost += problem.cash * (price[problem.out_cash] - price[problem.in_cash])
    bound = float(problem.balance @ relaxed.worth) + float(np.maximum(of_weight - cost, 0.0).sum())
    return bound * scale, relaxed.worth * scale


def _dearest(problem: Problem, of_weight: Float64, settled: Bools) -> Int64:
    """Return all that wait, and of the others those that take most from the accounts for their weight."""
    taken = np.zeros(problem.size)
    for place, amount in ((problem.out_stock, problem.quantity), (problem.out_cash, problem.cash)):
        takes = np.flatnonzero(place >= 0)
        all_taken = np.bincount(place[takes], amount[takes], problem.balance.size)
        taken[takes] += amount[takes] / np.maximum(all_taken[place[takes]], 1.0)
    taken /= np.maximum(of_weight, 1e-9)
    taken[~settled] = np.inf
    size = min(int((taken > 0).sum()), COLUMNS_MAX + int((~settled).sum()))
    if size == problem.size:
        return np.arange(problem.size)
    return np.sort(np.argpartition(-taken, size)[:size])
