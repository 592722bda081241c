"""Settlement instances with known fingerprints: instructions between parties, and accounts funded to a chosen degree.

Parties and securities are drawn with Zipf weights, quantities and prices log-normally; each account is funded between
what the day needs net and its worst running overdraft (Bech and Soramaki, Bank of Finland discussion paper 9/2001), and
a share of the accounts gets only ``beta`` of it. The stream is Python's own ``random``, so anyone can draw the same
instance. Links and lines of credit, where they are asked for, come from streams of their own: the rest stays the same.
"""

from __future__ import annotations

import hashlib
import random
from itertools import accumulate, pairwise

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.settlement.instance import Account, Instance, Order

PARTIES, ISINS = 60, 240
COUNT_MAX = 10_000_000
GROUP_SIZES = (2, 2, 2, 3, 4)  # of instructions that settle together, equally likely
LINE_SHARE_E2, WORTH_SHARE_E2 = 20, 90  # of what a party buys, its line; of its price, the credit for a security


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
    linked: float = 0.0,
    credit: float = 0.0,
) -> Instance:
    """Return an instance of ``count`` instructions, a share of them ``linked``, a share of the parties with ``credit``.

    ``alpha`` in 0..1 moves funding from the net need to the worst running overdraft, ``short`` is the share of accounts
    that get ``beta`` of it. ``alpha=0, short=0`` is gridlock: all can settle together, little alone. Raises Rejected
    for a number out of its range.
    """
    for field, value, low, high in (
        ("count", count, 1, COUNT_MAX), ("parties", parties, 2, 100_000), ("isins", isins, 1, 1_000_000),
        ("beta", beta, 0, 1), ("alpha", alpha, 0, 1), ("short", short, 0, 1),
        ("against_payment", against_payment, 0, 1), ("linked", linked, 0, 1), ("credit", credit, 0, 1),
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
    balances = _balances(orders, beta, alpha, short, chance)
    together, after = _links(count, linked, random.Random(f"links of {seed}"))
    lines, worth = _lines(orders, balances, price, credit, random.Random(f"lines of {seed}"))
    return Instance(orders=orders, balances=balances, together=together, after=after, lines=lines, worth=worth)


def _links(count: int, share: float, chance: random.Random) -> tuple[dict[int, int], list[tuple[int, int]]]:
    """Return groups that settle together and pairs (earlier, later), equally often, over a share of instructions."""
    left = chance.sample(range(count), round(share * count))
    together: dict[int, int] = {}
    after: list[tuple[int, int]] = []
    groups = 0
    while len(left) > 1:
        size = min(chance.choice(GROUP_SIZES), len(left))
        members, left = left[:size], left[size:]
        if chance.random() < 0.5:
            groups += 1
            together.update(dict.fromkeys(members, groups))
        else:
            after += pairwise(members)
    return together, after


def _lines(
    orders: list[Order], balances: dict[Account, int], price: list[int], share: float, chance: random.Random
) -> tuple[dict[Account, int], dict[Account, int]]:
    """Return lines of a share of the parties, and what a unit of each of their securities is worth as collateral."""
    bought: dict[int, int] = {}
    for _, buyer, _, _, cash, _ in orders:
        bought[buyer] = bought.get(buyer, 0) + cash
    chosen = {party for party in sorted(bought) if chance.random() < share and bought[party]}
    lines: dict[Account, int] = {("c", party): bought[party] * LINE_SHARE_E2 // 100 for party in sorted(chosen)}
    stock = [account for account in balances if len(account) == 3 and account[1] in chosen]
    return lines, {account: price[account[2]] * WORTH_SHARE_E2 // 100 for account in stock if len(account) == 3}


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
    """Return the first 16 hex digits of SHA-256 over every instruction and every (account, balance), as written.

    Links and lines follow where there are any.
    """
    total = hashlib.sha256()
    for order in instance.orders:
        total.update(repr(order).encode())
    for entry in instance.balances.items():
        total.update(repr(entry).encode())
    for more in (instance.together.items(), instance.after, instance.lines.items(), instance.worth.items()):
        total.update(repr(sorted(more)).encode() if more else b"")
    return total.hexdigest()[:16]
