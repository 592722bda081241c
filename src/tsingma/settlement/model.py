"""What an optimiser decides on, and what each decision changes: items that settle or wait, rows that end at 0 or more.

An item is an instruction, or all of a group that settles together. The rows are the accounts (with the limit of a line
of credit on top of its money) and, after them, what else may not end below zero:

    collateral  of each line: money and the worth of the securities beside it; below zero, credit would not be covered
    own money   of each line: without what may be lent for, where something may not
    link        of each pair: what the earlier gives by settling, the later takes

So every stage, from recycling to the linear bound, keeps links and credit as it keeps balances.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tsingma.settlement.instance import Credit, Problem

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Legs = tuple[Int64, Int64, Int64]  # item, row, change


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """Items and rows in the kernels' form.

    ``item`` int64 [n] is the item of every instruction; item k changes ``row[start[k]:start[k + 1]]`` by ``change``,
    each row once; ``taker[first[a]:first[a + 1]]`` take ``taken`` from row a; ``opening`` int64 [rows] is what the rows
    start with; ``pairs`` int64 [m, 2] (earlier, later) are the items of link rows, the last of the rows.
    """

    problem: Problem
    item: Int64
    start: Int64
    row: Int64
    change: Int64
    first: Int64
    taker: Int64
    taken: Int64
    opening: Int64
    pairs: Int64

    @property
    def size(self) -> int:
        """Return the number of items."""
        return int(self.start.size - 1)

    @property
    def legs(self) -> tuple[Int64, Int64, Int64]:
        """Return the columns every kernel takes first."""
        return self.start, self.row, self.change

    @property
    def takers(self) -> tuple[Int64, Int64, Int64]:
        """Return the columns of who takes from a row."""
        return self.first, self.taker, self.taken

    @property
    def priority(self) -> Int64:
        """Return the priority of every item: the first of its instructions'."""
        priority = np.full(self.size, np.iinfo(np.int64).max)
        np.minimum.at(priority, self.item, self.problem.priority)
        return priority

    def of_items(self, weight: Float64) -> Float64:
        """Return the sum of a figure over the instructions of every item."""
        return np.bincount(self.item, weight, self.size).astype(np.float64)

    def instructions(self, settled: Bools) -> Bools:
        """Return which instructions settle with these items."""
        chosen: Bools = settled[self.item]
        return chosen

    def slack(self, settled: Bools) -> Int64:
        """Return what every row has left when exactly these items settle."""
        slack = self.opening.copy()
        chosen = np.repeat(settled, np.diff(self.start))
        np.add.at(slack, self.row[chosen], self.change[chosen])
        return slack

    def earlier(self, k: int, settled: Bools) -> list[int]:
        """Return an item and all that must settle with or before it and does not."""
        found, asked = {k}, [k]
        while asked:
            near = self.pairs[self.pairs[:, 1] == asked.pop(), 0].tolist()
            fresh = [one for one in near if one not in found and not settled[one]]
            found.update(fresh)
            asked.extend(fresh)
        return sorted(found)

    def changes(self, k: int, quantity: int, cash: int) -> list[tuple[int, int]]:
        """Return (row, change) when so much of one instruction that is not linked settles, each row once."""
        problem, credit = self.problem, self.problem.credit
        total: dict[int, int] = {}
        for place, change in (
            (problem.out_stock, -quantity), (problem.in_stock, quantity), (problem.out_cash, -cash),
            (problem.in_cash, cash),
        ):  # fmt: skip
            account = int(place[k])
            if account < 0 or not change:
                continue
            total[account] = total.get(account, 0) + change
            if credit is None:
                continue
            for row, worth in _rows_beside(problem, credit, account):
                if row < problem.balance.size + credit.money.size or change > 0 or credit.own[k]:
                    total[row] = total.get(row, 0) + worth * change
        return list(total.items())

    def worth_of_accounts(self, worth: Float64) -> Float64:
        """Return what one more unit on every account is worth, from what it is worth on every row."""
        accounts, credit = self.problem.balance.size, self.problem.credit
        found = worth[:accounts].copy()
        if credit is not None:
            collateral = worth[accounts : accounts + credit.money.size]
            found[credit.money] += credit.scale * collateral
            np.add.at(found, credit.stock, credit.worth * collateral[credit.line])
            if credit.own.any():
                found[credit.money] += worth[accounts + credit.money.size : accounts + 2 * credit.money.size]
        return found


def model_of(problem: Problem) -> Model:
    """Return a problem's items and rows."""
    item, size = _items(problem)
    opening = problem.balance
    legs: Legs
    if problem.credit is None and not problem.after.size and not problem.together.any() and not _repeats(problem):
        legs = _legs_in_order(problem)
        pairs = problem.after
    else:
        parts = [_account_legs(problem, item)]
        if problem.credit is not None:
            more, opening = _credit_rows(problem, problem.credit, item)
            parts.append(more)
        pairs = np.unique(item[problem.after], axis=0) if problem.after.size else problem.after
        pairs = pairs[pairs[:, 0] != pairs[:, 1]]
        number = np.arange(opening.size, opening.size + len(pairs))
        one = np.ones(len(pairs), np.int64)
        parts += [(pairs[:, 0], number, one), (pairs[:, 1], number, -one)]
        opening = np.concatenate([opening, np.zeros(len(pairs), np.int64)])
        legs = _netted(parts, opening.size)
    start = np.searchsorted(legs[0], np.arange(size + 1)).astype(np.int64)
    takes = np.flatnonzero(legs[2] < 0)
    takes = takes[np.argsort(legs[1][takes], kind="stable")]
    first = np.searchsorted(legs[1][takes], np.arange(opening.size + 1)).astype(np.int64)
    return Model(
        problem=problem, item=item, start=start, row=legs[1], change=legs[2], first=first, taker=legs[0][takes],
        taken=-legs[2][takes], opening=opening, pairs=pairs,
    )  # fmt: skip


def _items(problem: Problem) -> tuple[Int64, int]:
    """Return the item of every instruction, numbered by the first of its instructions, and how many there are."""
    item = np.arange(problem.size)
    if not problem.together.any():
        return item, problem.size
    grouped = np.flatnonzero(problem.together)
    _, first, group = np.unique(problem.together[grouped], return_index=True, return_inverse=True)
    item[grouped] = grouped[first][group]
    found, item = np.unique(item, return_inverse=True)
    return item.astype(np.int64), int(found.size)


def _repeats(problem: Problem) -> bool:
    """Return whether an instruction has two legs on one account: both in one currency, for example."""
    stock, money = (problem.out_stock, problem.in_stock), (problem.out_cash, problem.in_cash)
    moves = (problem.quantity > 0) & (problem.cash > 0)
    return any(bool((moves & (one == other) & (one >= 0)).any()) for one in stock for other in money)


def _columns(problem: Problem) -> tuple[tuple[Int64, Int64], ...]:
    """Return (account, change) of the four legs."""
    return (
        (problem.out_stock, -problem.quantity), (problem.in_stock, problem.quantity), (problem.out_cash, -problem.cash),
        (problem.in_cash, problem.cash),
    )  # fmt: skip


def _legs_in_order(problem: Problem) -> Legs:
    """Return the legs by instruction, as they are."""
    columns = _columns(problem)
    row = np.stack([account for account, _ in columns], axis=1)
    change = np.stack([amount for _, amount in columns], axis=1)
    moves = (row >= 0) & (change != 0)
    return np.repeat(np.arange(problem.size), moves.sum(axis=1)), row[moves], change[moves]


def _account_legs(problem: Problem, item: Int64) -> Legs:
    columns = _columns(problem)
    row = np.concatenate([account for account, _ in columns])
    change = np.concatenate([amount for _, amount in columns])
    moves = (row >= 0) & (change != 0)
    return np.tile(item, len(columns))[moves], row[moves], change[moves]


def _credit_rows(problem: Problem, credit: Credit, item: Int64) -> tuple[Legs, Int64]:
    """Return the legs on the rows of lines, and what accounts and these rows start with."""
    accounts, lines = problem.balance.size, credit.money.size
    own = credit.own.any()
    opening = np.concatenate([problem.balance, np.zeros(lines * (2 if own else 1), np.int64)])
    opening[credit.money] += credit.limit
    worth = np.zeros(accounts, np.int64)  # of a unit, on the row of the line it counts for
    row = np.full(accounts, -1, np.int64)
    row[credit.money], worth[credit.money] = accounts + np.arange(lines), credit.scale
    row[credit.stock], worth[credit.stock] = accounts + credit.line, credit.worth
    counted = np.flatnonzero(row >= 0)
    np.add.at(opening, row[counted], worth[counted] * problem.balance[counted])
    found: list[Legs] = []
    for account, change in _columns(problem):
        counts = np.flatnonzero((account >= 0) & (row[account] >= 0) & (change != 0))
        at = account[counts]
        found.append((item[counts], row[at], worth[at] * change[counts]))
    if own:
        opening[accounts + lines :] = problem.balance[credit.money]
        line = np.full(accounts, -1, np.int64)
        line[credit.money] = np.arange(lines)
        for account, change in _columns(problem)[2:]:
            counts = np.flatnonzero((account >= 0) & (line[account] >= 0) & (credit.own | (change > 0)))
            found.append((item[counts], accounts + lines + line[account[counts]], change[counts]))
    return _joined(found), opening


def _rows_beside(problem: Problem, credit: Credit, account: int) -> list[tuple[int, int]]:
    """Return the rows of lines that an account counts on, and what a unit on it counts for there."""
    accounts, lines = problem.balance.size, credit.money.size
    found = [(accounts + line, credit.scale) for line in np.flatnonzero(credit.money == account).tolist()]
    if credit.own.any():
        found += [(row + lines, 1) for row, _ in found]
    counted = np.flatnonzero(credit.stock == account).tolist()
    return found + [(accounts + int(credit.line[place]), int(credit.worth[place])) for place in counted]


def _joined(parts: list[Legs]) -> Legs:
    return tuple(np.concatenate(column) for column in zip(*parts, strict=True))  # type: ignore[return-value]  # three


def _netted(parts: list[Legs], rows: int) -> Legs:
    """Return the legs by item, one a row, without those that come to nothing."""
    item, row, change = _joined(parts)
    key = item * rows + row
    order = np.argsort(key, kind="stable")
    key = key[order]
    first = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]])) if key.size else np.zeros(0, np.int64)
    total = np.add.reduceat(change[order], first) if key.size else change
    kept = total != 0
    place = order[first][kept]
    return item[place], row[place], total[kept]
