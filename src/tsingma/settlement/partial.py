"""Partial settlement: how much of each instruction settles when parts are allowed, in whole units.

The relaxation says what part of each would be best; quantities are cut to whole units, money follows in proportion, and
where cutting left an account short, what it delivers is cut further until every account is covered. What then fits
beside the rest is let in, until nothing more does. An instruction whose money is no whole amount a unit settles whole
or not at all.
"""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import InvariantBroken
from tsingma.settlement.exact import Relaxed
from tsingma.settlement.instance import Problem

Int64 = npt.NDArray[np.int64]


class Parts(msgspec.Struct, frozen=True, eq=False):
    """Units that settle of every instruction (int64 [n]) and their money."""

    quantity: Int64
    cash: Int64


def settle_parts(problem: Problem, relaxed: Relaxed, least_share_e4: int = 0) -> Parts:
    """Return whole-unit parts near the relaxation, verified; a part below ``least_share_e4`` of its whole is dropped.

    Source of the rule: T2S partial settlement, money in proportion to the quantity (UDFS, section 1.6.1.7).
    """
    divisible, price = _price(problem)
    quantity = np.floor(relaxed.part * problem.quantity + 1e-9).astype(np.int64)
    quantity = np.clip(quantity, 0, problem.quantity)
    small = quantity * 10_000 < least_share_e4 * problem.quantity
    quantity[(~divisible | small) & (quantity < problem.quantity)] = 0
    _cover(problem, quantity, price, divisible, least_share_e4)
    _fill(problem, quantity, price, divisible, least_share_e4)
    parts = parts_of(problem, quantity)
    if (end_balances(problem, parts) < 0).any():
        raise InvariantBroken("parts overdraw an account")
    return parts


def parts_of(problem: Problem, quantity: Int64) -> Parts:
    """Return units with the money that goes with them."""
    divisible, price = _price(problem)
    return Parts(quantity, np.where(divisible, quantity * price, np.where(quantity > 0, problem.cash, 0)))


def _price(problem: Problem) -> tuple[npt.NDArray[np.bool_], Int64]:
    """Return which instructions have a whole amount of money a unit, and that amount."""
    units = np.maximum(problem.quantity, 1)
    divisible = (problem.cash % units == 0) & (problem.quantity > 0)
    return divisible, np.where(divisible, problem.cash // units, 0)


def end_balances(problem: Problem, parts: Parts) -> Int64:
    """Return every account's balance when these parts settle at once."""
    end = problem.balance.copy()
    for place, amount, sign in (
        (problem.out_stock, parts.quantity, -1), (problem.in_stock, parts.quantity, 1),
        (problem.out_cash, parts.cash, -1), (problem.in_cash, parts.cash, 1),
    ):  # fmt: skip
        chosen = place >= 0
        np.add.at(end, place[chosen], sign * amount[chosen])
    return end


def _cover(
    problem: Problem, quantity: Int64, price: Int64, divisible: npt.NDArray[np.bool_], least_share_e4: int
) -> None:
    """Cut ``quantity`` in place until every account is covered; cuts spread to those who would have received."""
    account = np.concatenate([problem.out_stock, problem.out_cash])
    item = np.tile(np.arange(problem.size), 2)
    known = account >= 0
    order = np.argsort(account[known], kind="stable")
    items, sorted_accounts = item[known][order], account[known][order]
    start = np.searchsorted(sorted_accounts, np.arange(problem.balance.size + 1))
    cash = np.where(divisible, quantity * price, np.where(quantity > 0, problem.cash, 0))
    slack = end_balances(problem, Parts(quantity, cash))
    queue = np.flatnonzero(slack < 0).tolist()
    while queue:
        a = queue.pop()
        for k in items[start[a] : start[a + 1]].tolist():
            if slack[a] >= 0:
                break
            if not quantity[k]:
                continue
            unit = 1 if problem.out_stock[k] == a else int(price[k])
            cut = int(quantity[k]) if not divisible[k] else min(int(quantity[k]), -(int(slack[a]) // max(unit, 1)))
            if (int(quantity[k]) - cut) * 10_000 < least_share_e4 * int(problem.quantity[k]):
                cut = int(quantity[k])
            money = int(problem.cash[k]) if not divisible[k] else cut * int(price[k])
            quantity[k] -= cut
            for place, change in (
                (problem.out_stock[k], cut), (problem.in_stock[k], -cut),
                (problem.out_cash[k], money), (problem.in_cash[k], -money),
            ):  # fmt: skip
                if place >= 0:
                    slack[place] += change
                    if slack[place] < 0 and place != a:
                        queue.append(int(place))


def _fill(
    problem: Problem, quantity: Int64, price: Int64, divisible: npt.NDArray[np.bool_], least_share_e4: int
) -> None:
    """Raise ``quantity`` in place by what the accounts still spare, in order of priority, until nothing changes."""
    slack = end_balances(problem, parts_of(problem, quantity))
    waiting = np.flatnonzero(quantity < problem.quantity)
    waiting = waiting[np.lexsort((waiting, problem.priority[waiting]))]
    changed = True
    while changed:
        changed = False
        open_ = problem.quantity[waiting] - quantity[waiting]
        money = problem.out_cash[waiting] >= 0
        spare = np.where(money, slack[np.where(money, problem.out_cash[waiting], 0)], 0)
        least = np.where(divisible[waiting], 1, open_)
        cost = np.where(divisible[waiting], price[waiting], problem.cash[waiting])
        may = (open_ > 0) & (slack[problem.out_stock[waiting]] >= least) & (~money | (spare >= cost))
        for k in waiting[may].tolist():
            changed |= _raise(problem, quantity, price, divisible, slack, k, least_share_e4)


def _raise(
    problem: Problem, quantity: Int64, price: Int64, divisible: npt.NDArray[np.bool_], slack: Int64, k: int,
    least_share_e4: int,
) -> bool:  # fmt: skip
    """Let in as much of one instruction as fits; returns whether that was anything."""
    more, unit = int(problem.quantity[k] - quantity[k]), int(price[k])
    spare, money = int(slack[problem.out_stock[k]]), int(problem.out_cash[k])
    if divisible[k]:
        more = min(more, spare, int(slack[money]) // unit if money >= 0 and unit else more)
        cents = more * unit
    else:
        cents = int(problem.cash[k])
        more = more if more <= spare and (money < 0 or cents <= slack[money]) else 0
    if more <= 0 or (int(quantity[k]) + more) * 10_000 < least_share_e4 * int(problem.quantity[k]):
        return False
    quantity[k] += more
    for place, change in (
        (problem.out_stock[k], -more), (problem.in_stock[k], more), (money, -cents), (problem.in_cash[k], cents),
    ):  # fmt: skip
        if place >= 0:
            slack[place] += change
    return True
