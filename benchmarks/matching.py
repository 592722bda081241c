"""Two-sided orders a second from columns to matched instructions, beside the same match as a polars join.

    python benchmarks/matching.py

A million deliveries, then a million receipts in another order, amounts up to HKD 1 apart: every pair matches. Ours also
checks every order, keeps the best of several candidates, decides tolerance and optional fields, and appends the
instructions; the join gathers equal mandatory fields, filters the amounts and keeps each delivery's nearest receipt.
"""

from __future__ import annotations

import sys
import time
from datetime import date

import numpy as np
import polars as pl

from machine import describe
from tsingma.reference.book import ResolvedBook, resolve
from tsingma.settlement.instruction import Instructions
from tsingma.settlement.links import Links
from tsingma.settlement.orders import ORDER_COLUMNS, Orders
from tsingma.settlement.rules import rules_on
from tsingma.settlement.submission import faults_of, submit
from tsingma.simulate.market import simulate_market

PAIRS = 1_000_000
GOAL = 200_000  # pairs a second
DAY = 20_458
MANDATORY = ("giver", "taker", "security", "quantity", "trade_day", "intended_day")


def columns(
    own: np.ndarray, other: np.ndarray, delivers: int, pairs: dict[str, np.ndarray], first: int, book: ResolvedBook
) -> dict[str, np.ndarray]:
    """Return orders of one side: accounts ``own`` against the participants of ``other``."""
    count = own.size
    whole = {name: np.full(count, default or 0, kind) for name, (kind, default) in ORDER_COLUMNS.items()}
    values = {
        "reference": np.arange(first, first + count), "account": own, "delivers": delivers, "trade_day": DAY - 2,
        "counterparty": book.account_participant[other], "intended_day": DAY, "currency": 0, **pairs,
    }  # fmt: skip
    for name, value in values.items():
        whole[name][:] = value
    return whole


def draw(book: ResolvedBook) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return the deliveries and the receipts of the same pairs, shuffled."""
    chance = np.random.default_rng(7)
    named = [place for place, entry in enumerate(book.book.accounts) if entry.account_class == "HOUSE"]
    accounts = np.array([place for place in named if book.account_participant[place] > 3])
    giver = chance.integers(0, accounts.size, PAIRS)
    taker = accounts[(giver + chance.integers(1, accounts.size, PAIRS)) % accounts.size]
    quantity = chance.integers(1, 100_000, PAIRS)
    pairs = {
        "security": chance.integers(0, len(book.securities), PAIRS), "quantity": quantity,
        "amount_cents": quantity * chance.integers(100, 10_000, PAIRS),
    }  # fmt: skip
    deliveries = columns(accounts[giver], taker, 1, pairs, 1, book)
    order = chance.permutation(PAIRS)
    moved = {name: column[order] for name, column in pairs.items()}
    moved["amount_cents"] = moved["amount_cents"] + chance.integers(-100, 101, PAIRS)
    return deliveries, columns(taker[order], accounts[giver][order], 0, moved, PAIRS + 1, book)


def ours(book: ResolvedBook, sides: tuple[dict[str, np.ndarray], ...]) -> tuple[float, int]:
    """Return seconds and matched instructions."""
    instructions, orders, links, rules = Instructions(), Orders(), Links(), rules_on(date(2026, 1, 5))
    began, matched = time.perf_counter(), 0
    for side in sides:
        results = faults_of(side, book, orders, sender=-1, is_house=True)
        taken = submit(instructions, orders, links, side, book, rules, results, day=DAY, second=0)
        matched += int(taken.matched.size)
    return time.perf_counter() - began, matched


def joined(book: ResolvedBook, sides: tuple[dict[str, np.ndarray], ...]) -> tuple[float, int]:
    """Return seconds and pairs of the join."""
    frames = []
    for side, mine, theirs in zip(sides, ("giver", "taker"), ("taker", "giver"), strict=True):
        named = {mine: book.account_participant[side["account"]], theirs: side["counterparty"]}
        rest = {name: side[name] for name in ("security", "quantity", "trade_day", "intended_day", "amount_cents")}
        frames.append(pl.DataFrame({"number": side["reference"], **named, **rest}))
    began = time.perf_counter()
    difference = (pl.col("amount_cents") - pl.col("amount_cents_right")).abs()
    pairs = (
        frames[0].join(frames[1], on=list(MANDATORY), how="inner")
        .with_columns(difference.alias("difference"))
        .filter(pl.col("difference") <= 1_600)
        .sort("difference").unique("number", keep="first").unique("number_right", keep="first")
    )  # fmt: skip
    return time.perf_counter() - began, pairs.height


def main() -> int:
    """Print both rates; returns 1 when the goal is missed."""
    book = resolve(simulate_market(1, date(2026, 1, 5), 1, 2_000).book)
    sides = draw(book)
    seconds, matched = min(ours(book, sides) for _ in range(2))
    peer, pairs = min(joined(book, sides) for _ in range(2))
    rate, other = matched / seconds, pairs / peer
    print(f"ours    {rate:>12,.0f} pairs/s  ({matched:,} of {PAIRS:,} in {seconds:.2f} s, checked and instructed)")
    print(f"polars  {other:>12,.0f} pairs/s  ({pairs:,} of {PAIRS:,} in {peer:.2f} s, joined only)")
    print(f"ratio {rate / other:.2f}; goal {GOAL:,} pairs/s: {'met' if rate >= GOAL else 'missed'}")
    print(describe("numpy", "polars"))
    return int(rate < GOAL or matched < PAIRS * 99 // 100)


if __name__ == "__main__":
    sys.exit(main())
