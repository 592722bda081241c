"""A settlement instance: instructions that may settle together, and what every account starts with.

Instruction: (seller, buyer, isin, quantity, cash, priority); cash 0 is free of payment. Accounts are ("s", party,
isin) for securities and ("c", party) for money; a balance is what is available, unsecured credit included. Instructions
may settle together or not at all, or one only with or after another. An account of money may have a line of credit
against the securities its party has once all have settled, each valued after its haircut.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import RejectionReason, refuse

Int64 = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Order = tuple[int, int, int, int, int, int]
Account = tuple[str, int, int] | tuple[str, int]

AMOUNT_MAX = 2**53
TOTAL_MAX = 2**62


@dataclass(frozen=True, slots=True)
class Instance:
    """Instructions in order of entry, and balances by account.

    ``together`` gives the group (from 1) of an instruction, ``after`` pairs (earlier, later) of instructions, ``lines``
    the credit an account of money may draw against securities, ``worth`` the credit for a unit on a securities account.
    """

    orders: list[Order]
    balances: dict[Account, int]
    together: dict[int, int] = field(default_factory=dict)
    after: list[tuple[int, int]] = field(default_factory=list)
    lines: dict[Account, int] = field(default_factory=dict)
    worth: dict[Account, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Credit:
    """Lines of credit against securities, as columns.

    Line k lets account ``money[k]`` end at ``-limit[k]`` at most, and no lower than the worth of what is on the
    accounts ``stock[c]`` with ``line[c] == k`` once all have settled, at ``worth[c] / scale`` a unit. ``own`` bool [n]:
    what an instruction pays with may not be lent (none but deliveries versus payment draw credit).
    """

    money: Int64
    limit: Int64
    stock: Int64
    line: Int64
    worth: Int64
    scale: int
    own: Bools


def _no_pairs() -> Int64:
    return np.zeros((0, 2), np.int64)


def _no_groups() -> Int64:
    return np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True)
class Problem:
    """An instance as columns. An instruction takes from two accounts and gives to two; -1 stands for no money leg.

    ``out_stock``, ``in_stock``, ``out_cash``, ``in_cash`` int64 [n] are account numbers (the seller's stock falls, the
    buyer's rises; the buyer's money falls, the seller's rises), ``quantity`` and ``cash`` int64 [n] the amounts,
    ``value`` int64 [n] what an instruction is worth to the objective of value, ``balance`` int64 [accounts],
    ``together`` int64 [n] the group of each (0: none; empty where there is none at all), ``after`` int64 [m, 2] pairs
    (earlier, later): the later settles only with or after the earlier.
    """

    out_stock: Int64
    in_stock: Int64
    out_cash: Int64
    in_cash: Int64
    quantity: Int64
    cash: Int64
    priority: Int64
    balance: Int64
    value: Int64
    accounts: tuple[Account, ...]
    together: Int64 = field(default_factory=_no_groups)
    after: Int64 = field(default_factory=_no_pairs)
    credit: Credit | None = None

    @property
    def size(self) -> int:
        """Return the number of instructions."""
        return int(self.quantity.size)

    @property
    def linked(self) -> Bools:
        """Return which instructions are linked to another, in any way."""
        linked = np.zeros(self.size, np.bool_)
        linked[: self.together.size] = self.together > 0
        linked[self.after.ravel()] = True
        return linked

    def end_balances(self, settled: Bools) -> Int64:
        """Return every account's balance when exactly these settle at once."""
        return self.end_of(np.where(settled, self.quantity, 0), np.where(settled, self.cash, 0))

    def end_of(self, quantity: Int64, cash: Int64) -> Int64:
        """Return every account's balance when this much of every instruction settles at once."""
        end = self.balance.copy()
        for place, amount, sign in (
            (self.out_stock, quantity, -1), (self.in_stock, quantity, 1), (self.out_cash, cash, -1),
            (self.in_cash, cash, 1),
        ):  # fmt: skip
            chosen = (place >= 0) & (amount != 0)
            np.add.at(end, place[chosen], sign * amount[chosen])
        return end

    def lacks(self, quantity: Int64, cash: Int64) -> Int64:
        """Return what every account lacks, credit drawn, when this much of every instruction settles at once."""
        end, credit = self.end_of(quantity, cash), self.credit
        lack = np.maximum(-end, 0)
        if credit is None:
            return lack
        worth = np.zeros(credit.money.size, np.int64)
        np.add.at(worth, credit.line, credit.worth * np.maximum(end[credit.stock], 0))
        lent = np.minimum(credit.limit, worth // credit.scale)
        if credit.own.any():
            bought = np.zeros(end.size, np.int64)
            lendable = ~credit.own & (self.out_cash >= 0)
            np.add.at(bought, self.out_cash[lendable], cash[lendable])
            lent = np.minimum(lent, bought[credit.money])
        lack[credit.money] = np.maximum(-end[credit.money] - lent, 0)
        return lack

    def parted(self, whole: Bools, some: Bools) -> int:
        """Return an instruction that would be parted from what it is linked to, or -1.

        ``whole`` settle whole, ``some`` whole or in part: what is linked settles whole or not at all.
        """
        if not self.after.size and not self.together.any():
            return -1
        wrong = self.linked & some & ~whole
        wrong[self.after[:, 1]] |= some[self.after[:, 1]] & ~whole[self.after[:, 0]]
        if self.together.any():
            there = np.bincount(self.together)
            here = np.bincount(self.together[some], minlength=there.size)
            wrong |= (self.together > 0) & some & (here[self.together] < there[self.together])
        return int(np.flatnonzero(wrong)[0]) if wrong.any() else -1

    def of(self, chosen: Int64) -> Problem:
        """Return the problem of some instructions that are not linked, without lines of credit."""
        names = ("out_stock", "in_stock", "out_cash", "in_cash", "quantity", "cash", "priority", "value")
        columns = {name: getattr(self, name)[chosen] for name in names}
        return Problem(**columns, balance=self.balance, accounts=self.accounts)

    def of_open(self, quantity: Int64, cash: Int64) -> Problem:
        """Return the same problem with what is still open of every instruction."""
        return replace(self, quantity=quantity, cash=cash)

    def feasible(self, settled: Bools) -> bool:
        """Return whether no account lacks anything and nothing is parted from what it is linked to, in integers."""
        quantity, cash = np.where(settled, self.quantity, 0), np.where(settled, self.cash, 0)
        return self.parted(settled, settled) < 0 and not self.lacks(quantity, cash).any()


def problem_of(instance: Instance) -> Problem:
    """Return the columns of an instance.

    Raises Rejected naming the instruction (from 1): an account without a balance, a party on both sides, a quantity
    that is not positive, money that is negative, amounts that could overflow; a link to what is no instruction or to
    itself; a line that is negative or on no account of money, a worth that is negative or on no account of securities.
    """
    accounts = tuple(instance.balances)
    number = {account: place for place, account in enumerate(accounts)}
    rows = np.array(instance.orders, np.int64).reshape(-1, 6)
    seller, buyer, isin, quantity, cash, priority = (np.ascontiguousarray(column) for column in rows.T)
    for name, bad in (
        ("quantity", (quantity <= 0) | (quantity > AMOUNT_MAX)), ("cash", (cash < 0) | (cash > AMOUNT_MAX)),
        ("buyer", buyer == seller),
    ):  # fmt: skip
        if bad.any():
            place = int(np.flatnonzero(bad)[0])
            message = f"instruction {place + 1}: {instance.orders[place]} is impossible"
            raise refuse(RejectionReason.OUT_OF_RANGE, message, field=name)
    balance = np.array([instance.balances[account] for account in accounts], np.int64)
    if (balance < 0).any():
        place = int(np.flatnonzero(balance < 0)[0])
        raise refuse(RejectionReason.OUT_OF_RANGE, f"account {accounts[place]} starts below zero", field="balance")
    if int(quantity.sum(dtype=object)) + int(cash.sum(dtype=object)) + int(balance.sum(dtype=object)) > TOTAL_MAX:
        raise refuse(RejectionReason.OUT_OF_RANGE, "the amounts of all instructions could overflow", field="quantity")

    def find(keys: list[Account], used: Bools) -> Int64:
        places = [number.get(key, -1) if use else -1 for key, use in zip(keys, used.tolist(), strict=True)]
        found = np.array(places, np.int64)
        missing = np.flatnonzero((found < 0) & used)
        if missing.size:
            place = int(missing[0])
            message = f"instruction {place + 1}: account {keys[place]} has no balance"
            raise refuse(RejectionReason.MISSING, message, field="account")
        return found

    def stock(party: Int64) -> list[Account]:
        return [("s", p, i) for p, i in zip(party.tolist(), isin.tolist(), strict=True)]

    def money(party: Int64) -> list[Account]:
        return [("c", p) for p in party.tolist()]

    always, paid = np.ones(quantity.size, np.bool_), cash > 0
    return Problem(
        out_stock=find(stock(seller), always), in_stock=find(stock(buyer), always),
        out_cash=find(money(buyer), paid), in_cash=find(money(seller), paid),
        quantity=quantity, cash=cash, priority=priority, balance=balance, value=cash, accounts=accounts,
        together=_groups(instance), after=_pairs(instance), credit=_credit(instance, number),
    )  # fmt: skip


def _groups(instance: Instance) -> Int64:
    size = len(instance.orders)
    groups = np.zeros(size if instance.together else 0, np.int64)
    for k, group in instance.together.items():
        if not 0 <= k < size or not 1 <= group <= AMOUNT_MAX:
            message = f"instruction {k + 1}: group {group} of {size} instructions"
            raise refuse(RejectionReason.OUT_OF_RANGE, message, field="together")
        groups[k] = group
    named, dense = np.unique(groups, return_inverse=True)
    return dense.astype(np.int64) + int(named[0] > 0) if groups.size else groups


def _pairs(instance: Instance) -> Int64:
    pairs = np.array(instance.after, np.int64).reshape(-1, 2)
    wrong = ((pairs < 0) | (pairs >= len(instance.orders))).any(axis=1) | (pairs[:, 0] == pairs[:, 1])
    if wrong.any():
        earlier, later = pairs[np.flatnonzero(wrong)[0]].tolist()
        message = f"instruction {later + 1}: it cannot settle after instruction {earlier + 1}"
        raise refuse(RejectionReason.UNKNOWN, message, field="after")
    return np.unique(pairs, axis=0)


def _credit(instance: Instance, number: dict[Account, int]) -> Credit | None:
    """Return the lines of an instance and what counts for them, amounts checked against overflow."""
    for name, given, kind in (("line", instance.lines, "c"), ("collateral", instance.worth, "s")):
        for account, amount in given.items():
            if account[0] != kind or account not in number or not 0 <= amount <= AMOUNT_MAX:
                raise refuse(RejectionReason.OUT_OF_RANGE, f"{amount} on account {account}", field=name)
    if not instance.lines:
        return None
    place = {int(account[1]): k for k, account in enumerate(instance.lines)}
    counted = [(account, worth) for account, worth in instance.worth.items() if worth and int(account[1]) in place]
    units = sum(quantity for _, _, _, quantity, _, _ in instance.orders) + sum(instance.balances.values())
    if max((worth for _, worth in counted), default=0) * units + sum(instance.lines.values()) > TOTAL_MAX:
        raise refuse(RejectionReason.OUT_OF_RANGE, "the worth of securities could overflow", field="collateral")
    return Credit(
        money=np.array([number[account] for account in instance.lines], np.int64),
        limit=np.array(list(instance.lines.values()), np.int64),
        stock=np.array([number[account] for account, _ in counted], np.int64),
        line=np.array([place[int(account[1])] for account, _ in counted], np.int64),
        worth=np.array([worth for _, worth in counted], np.int64),
        scale=1,
        own=np.zeros(len(instance.orders), np.bool_),
    )
