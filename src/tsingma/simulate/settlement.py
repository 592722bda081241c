"""Settlement instances with known fingerprints: instructions between parties, and accounts funded to a chosen degree.

Parties and securities are drawn with Zipf weights, quantities and prices log-normally; each account is funded between
what
the day needs net and its worst running overdraft (Bech and Soramaki, Bank of Finland discussion paper 9/2001), and a
share
of the accounts gets only ``beta`` of it. The stream is Python's own ``random``, so anyone can draw the same instance.
"""

from __future__ import annotations

import hashlib
import random
from itertools import accumulate

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.settlement.instance import Account, Instance, Order

PARTIES, ISINS = 60, 240
COUNT_MAX = 10_000_000


def settlement_instance(
    count: int,
    *,
    seed: int = 1,
    beta: float = 1.0,
    alpha: float = 0.0,
    short: float = 1.0,
    parties: int = PARTIES,
    isins: int = ISINS,
    against_payment: float = 0.75,
    zipf: float = 1.0,
) -> Instance:
    """Return an instance of ``count`` instructions.

    ``alpha`` in 0..1 moves funding from the net need to the worst running overdraft, ``short`` is the share of accounts
    that get ``beta`` of it. ``alpha=0, short=0`` is gridlock: all can settle together, little alone. Raises Rejected
    for a number out of its range.
    """
    for field, value, low, high in (
        ("count", count, 1, COUNT_MAX), ("parties", parties, 2, 100_000), ("isins", isins, 1, 1_000_000),
        ("beta", beta, 0, 1), ("alpha", alpha, 0, 1), ("short", short, 0, 1),
        ("against_payment", against_payment, 0, 1),
    ):  # fmt: skip
        if not low <= value <= high:
            raise refuse(RejectionReason.OUT_OF_RANGE, f"{value} is not {low} to {high}", field=field)
    chance = random.Random(seed)
    by_party = list(accumulate(1 / (k + 1) ** zipf for k in range(parties)))
    by_isin = list(accumulate(1 / (k + 1) ** zipf for k in range(isins)))
    price = [max(1, int(chance.lognormvariate(4, 1) * 100)) for _ in range(isins)]
    everyone, everything = range(parties), range(isins)
    orders: list[Order] = []
    for _ in range(count):
        seller = chance.choices(everyone, cum_weights=by_party)[0]
        buyer = chance.choices(everyone, cum_weights=by_party)[0]
        while buyer == seller:
            buyer = chance.choices(everyone, cum_weights=by_party)[0]
        isin = chance.choices(everything, cum_weights=by_isin)[0]
        quantity = max(1, int(chance.lognormvariate(4, 1.5)))
        cash = quantity * price[isin] if chance.random() < against_payment else 0
        orders.append((seller, buyer, isin, quantity, cash, 1 + (chance.random() > 0.1)))
    return Instance(orders=orders, balances=_balances(orders, beta, alpha, short, chance))


def _balances(
    orders: list[Order], beta: float, alpha: float, short: float, chance: random.Random
) -> dict[Account, int]:
    run: dict[Account, int] = {}
    low: dict[Account, int] = {}
    for seller, buyer, isin, quantity, cash, _ in orders:
        legs: tuple[tuple[Account, int], ...] = (
            (("s", seller, isin), -quantity), (("s", buyer, isin), quantity),
            (("c", buyer), -cash), (("c", seller), cash),
        )  # fmt: skip
        for account, change in legs:
            run[account] = run.get(account, 0) + change
            low[account] = min(low.get(account, 0), run[account])
    balances = {}
    for account, total in run.items():
        least, most = max(0, -total), -low[account]
        funded = beta if chance.random() < short else 1.0
        balances[account] = int(funded * (least + alpha * (most - least)))
    return balances


def fingerprint(instance: Instance) -> str:
    """Return the first 16 hex digits of SHA-256 over every instruction and every (account, balance), as written."""
    total = hashlib.sha256()
    for order in instance.orders:
        total.update(repr(order).encode())
    for entry in instance.balances.items():
        total.update(repr(entry).encode())
    return total.hexdigest()[:16]
