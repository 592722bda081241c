"""A settlement instance: instructions that may settle together, and what every account starts with.

Instruction: (seller, buyer, isin, quantity, cash, priority); cash 0 is free of payment. Accounts are ("s", party,
isin) for securities and ("c", party) for money; a balance is what is available, credit lines included.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import RejectionReason, refuse

Int64 = npt.NDArray[np.int64]
Order = tuple[int, int, int, int, int, int]
Account = tuple[str, int, int] | tuple[str, int]

AMOUNT_MAX = 2**53
TOTAL_MAX = 2**62


@dataclass(frozen=True, slots=True)
class Instance:
    """Instructions in order of entry, and balances by account."""

    orders: list[Order]
    balances: dict[Account, int]


@dataclass(frozen=True, slots=True)
class Problem:
    """An instance as columns. An instruction takes from two accounts and gives to two; -1 stands for no money leg.

    ``out_stock``, ``in_stock``, ``out_cash``, ``in_cash`` int64 [n] are account numbers (the seller's stock falls, the
    buyer's rises; the buyer's money falls, the seller's rises), ``quantity`` and ``cash`` int64 [n] the amounts,
    ``value`` int64 [n] what an instruction is worth to the objective of value, ``balance`` int64 [accounts].
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

    @property
    def size(self) -> int:
        """Return the number of instructions."""
        return int(self.quantity.size)

    def end_balances(self, settled: npt.NDArray[np.bool_]) -> Int64:
        """Return every account's balance when exactly these settle at once."""
        end = self.balance.copy()
        for place, amount, sign in (
            (self.out_stock, self.quantity, -1), (self.in_stock, self.quantity, 1),
            (self.out_cash, self.cash, -1), (self.in_cash, self.cash, 1),
        ):  # fmt: skip
            chosen = settled & (place >= 0)
            np.add.at(end, place[chosen], sign * amount[chosen])
        return end

    def of_open(self, quantity: Int64, cash: Int64) -> Problem:
        """Return the same problem with what is still open of every instruction."""
        return replace(self, quantity=quantity, cash=cash)

    def feasible(self, settled: npt.NDArray[np.bool_]) -> bool:
        """Return whether no account ends below zero, in integers."""
        return bool((self.end_balances(settled) >= 0).all())


def problem_of(instance: Instance) -> Problem:
    """Return the columns of an instance.

    Raises Rejected naming the instruction (from 1): an account without a balance, a party on both sides, a quantity
    that is not positive, money that is negative, amounts that could overflow.
    """
    accounts = tuple(instance.balances)
    number = {account: place for place, account in enumerate(accounts)}
    rows = np.array(instance.orders, np.int64).reshape(-1, 6)
    seller, buyer, isin, quantity, cash, priority = (np.ascontiguousarray(column) for column in rows.T)
    for field, bad in (
        ("quantity", (quantity <= 0) | (quantity > AMOUNT_MAX)), ("cash", (cash < 0) | (cash > AMOUNT_MAX)),
        ("buyer", buyer == seller),
    ):  # fmt: skip
        if bad.any():
            place = int(np.flatnonzero(bad)[0])
            message = f"instruction {place + 1}: {instance.orders[place]} is impossible"
            raise refuse(RejectionReason.OUT_OF_RANGE, message, field=field)
    balance = np.array([instance.balances[account] for account in accounts], np.int64)
    if (balance < 0).any():
        place = int(np.flatnonzero(balance < 0)[0])
        raise refuse(RejectionReason.OUT_OF_RANGE, f"account {accounts[place]} starts below zero", field="balance")
    if int(quantity.sum(dtype=object)) + int(cash.sum(dtype=object)) + int(balance.sum(dtype=object)) > TOTAL_MAX:
        raise refuse(RejectionReason.OUT_OF_RANGE, "the amounts of all instructions could overflow", field="quantity")

    def find(keys: list[Account], used: npt.NDArray[np.bool_]) -> Int64:
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
    )  # fmt: skip
