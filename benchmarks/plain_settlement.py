"""Plain methods of settlement in plain Python, as an engine without an optimiser has them: the peers of a benchmark.

One pass in order of entry; recycling by a wake-up index; and the usual liquidity saving mechanism: recycling, then
multilateral removal of what is left, the last entry of a short account first (Bech and Soramaki), until nothing
settles.
"""

from __future__ import annotations

from collections import defaultdict, deque

from tsingma.settlement.instance import Account, Instance

Legs = tuple[tuple[Account, int], ...]


class Queue:
    """Instructions with their legs and balances that change as they settle."""

    def __init__(self, instance: Instance) -> None:
        """List the legs, out first."""
        self.balance = dict(instance.balances)
        self.legs: list[Legs] = []
        for seller, buyer, isin, quantity, cash, _ in instance.orders:
            legs: Legs = ((("s", seller, isin), -quantity), (("s", buyer, isin), quantity))
            if cash:
                legs = (legs[0], (("c", buyer), -cash), legs[1], (("c", seller), cash))
            self.legs.append(legs)
        self.settled: set[int] = set()

    def blocked_on(self, k: int) -> Account | None:
        """Return the account that is short for an instruction, or None when it can settle."""
        return next((a for a, change in self.legs[k] if change < 0 and self.balance[a] + change < 0), None)

    def book(self, k: int) -> None:
        """Settle an instruction."""
        for account, change in self.legs[k]:
            self.balance[account] += change
        self.settled.add(k)


def one_pass(instance: Instance) -> set[int]:
    """Return what settles when each instruction is tried once."""
    queue = Queue(instance)
    for k in range(len(queue.legs)):
        if queue.blocked_on(k) is None:
            queue.book(k)
    return queue.settled


def recycling(instance: Instance) -> set[int]:
    """Return what settles when what waits on an account is tried again as it is credited."""
    queue = Queue(instance)
    _recycle(queue, range(len(queue.legs)))
    return queue.settled


def liquidity_saving(instance: Instance) -> set[int]:
    """Return what settles by recycling and removal in turns."""
    queue = Queue(instance)
    waiting = _recycle(queue, range(len(queue.legs)))
    while waiting:
        together = _removal(queue, waiting)
        if not together:
            break
        for k in together:
            queue.book(k)
        waiting = _recycle(queue, [k for k in waiting if k not in queue.settled])
    return queue.settled


def _recycle(queue: Queue, numbers: range | list[int]) -> list[int]:
    waits: dict[Account, list[int]] = defaultdict(list)
    todo = deque(numbers)
    while todo:
        k = todo.popleft()
        short = queue.blocked_on(k)
        if short is not None:
            waits[short].append(k)
            continue
        queue.book(k)
        for account, change in queue.legs[k]:
            if change > 0 and account in waits:
                todo.extend(waits.pop(account))
    return sorted(k for numbers in waits.values() for k in numbers)


def _removal(queue: Queue, waiting: list[int]) -> list[int]:
    end = dict(queue.balance)
    takers: dict[Account, list[int]] = defaultdict(list)
    for k in waiting:
        for account, change in queue.legs[k]:
            end[account] += change
            if change < 0:
                takers[account].append(k)
    out: set[int] = set()
    short = [account for account in takers if end[account] < 0]
    while short:
        account = short.pop()
        while end[account] < 0:
            k = takers[account].pop()
            if k in out:
                continue
            out.add(k)
            for other, change in queue.legs[k]:
                end[other] -= change
                if change > 0 and end[other] < 0:
                    short.append(other)
    return [k for k in waiting if k not in out]
