"""A whole stress of a book of a million accounts: revaluation, calls, defaults, waterfalls. Goal: 30 seconds.

    python benchmarks/stress.py [ACCOUNTS]

Twenty positions an account over 400 lines (counters, futures, options) and 500 participants, one scenario beside 20
draws of residuals, on one core but for BLAS. The same revaluation as a polars join and group by stands beside.
"""

from __future__ import annotations

import resource
import sys
import time
from datetime import date

import numpy as np
import polars as pl

from machine import describe
from tsingma.margin.house.holdings import INDEX, Holding, House, Product
from tsingma.stress.book import HOUSES, StressBook, profits, unit_profits
from tsingma.stress.defaults import StressRules, run_defaults
from tsingma.stress.run import sized_funds
from tsingma.stress.scenario import assumptions, fund_rules, fund_shocks
from tsingma.stress.shocks import FactorModel, MarketShock, shock_moves

GOAL_SECONDS = 30.0
POSITIONS, PARTICIPANTS, DRAWS = 20, 500, 20


def lines() -> tuple[Holding, ...]:
    """Return 300 counters, an index future and 99 options."""
    found = [Holding(house=House.HKSCC, product=Product.STOCK, factor=f"{k}", notional=1, days=0) for k in range(300)]
    found.append(Holding(house=House.HKCC, product=Product.FUTURE, factor=INDEX, notional=1, days=0))
    for k in range(99):
        house, factor = (House.HKCC, INDEX) if k < 40 else (House.SEOCH, f"{k}")
        product = Product.CALL if k % 2 else Product.PUT
        found.append(
            Holding(house=house, product=product, factor=factor, notional=1, strike_e4=9_000 + 20 * k, days=30)
        )
    return tuple(found)


def million(accounts: int, chance: np.random.Generator) -> StressBook:
    """Return a book of so many accounts."""
    k, h = accounts * POSITIONS, len(HOUSES)
    margin = chance.integers(0, 200_000, (accounts, h))
    margin[:, -1] = 0
    return StressBook(
        day=date(2026, 1, 5),
        participants=tuple(f"B{place:05d}" for place in range(PARTICIPANTS)),
        accounts=tuple(f"{place}" for place in range(accounts)),
        account_participant=np.arange(accounts, dtype=np.int32) % PARTICIPANTS,
        lines=lines(),
        position_account=np.repeat(np.arange(accounts, dtype=np.int32), POSITIONS),
        position_line=chance.integers(0, 400, k).astype(np.int32),
        notional=chance.integers(-(10**6), 10**6, k),
        marked=np.zeros((accounts, h), np.int64),
        margin=margin,
        credit=np.zeros((accounts, h), np.int64),
        liquid=chance.integers(0, 10**6, accounts),
        own=np.arange(accounts) < PARTICIPANTS,
    )


def main(accounts: int) -> None:
    """Print the stages, the whole and the peer."""
    print(describe("numpy", "polars"))
    chance = np.random.default_rng(1)
    book = million(accounts, chance)
    factors = (*book.factors,)
    n = len(factors)
    model = FactorModel(
        factors=factors, beta=chance.uniform(0.5, 1.5, n), fit=np.zeros(n), volatility=np.full(n, 0.3),
        residual=chance.normal(0, 0.02, (250, n)), days=np.arange(250, dtype=np.int32), horizon_days=2,
    )  # fmt: skip
    shock = MarketShock(horizon_days=2, index_return=-0.15, volatility_ratio=2.0)
    began = time.perf_counter()
    moves = shock_moves(model, shock, (), assumptions(), chance.integers(0, 250, DRAWS))
    found = profits(book, moves)
    revalued = time.perf_counter()
    funds = sized_funds(book, model, (), assumptions(), fund_shocks(), fund_rules())
    sized = time.perf_counter()
    result = run_defaults(book, found[:, :, 0], funds, StressRules(), shock.volatility_ratio)
    ended = time.perf_counter()
    unit = unit_profits(book.lines, moves)[:, 0]
    peer_began = time.perf_counter()
    frame = pl.DataFrame({"account": book.position_account, "line": book.position_line, "notional": book.notional})
    units = pl.DataFrame({"line": np.arange(unit.size, dtype=np.int32), "unit": unit,
                          "house": np.array([HOUSES.index(one.house) for one in book.lines])})  # fmt: skip
    joined = frame.join(units, on="line").with_columns((pl.col("notional") * pl.col("unit")).round().alias("profit"))
    sums = joined.group_by("account", "house").agg(pl.col("profit").sum())
    peer = time.perf_counter() - peer_began
    print(f"{accounts:,} accounts x {POSITIONS} positions, {1 + DRAWS} scenarios revalued in {revalued - began:.1f} s, "
          f"funds sized in {sized - revalued:.1f} s, {int(result.calls.defaulted.sum())} defaults in "
          f"{result.rounds} rounds in {ended - sized:.1f} s")  # fmt: skip
    each = (revalued - began) / (1 + DRAWS)
    print(f"one scenario {each:.2f} s, polars join and group by {peer:.2f} s ({peer / each:.1f} x), {len(sums):,} sums")
    total = ended - began
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"whole {total:.1f} s (goal {GOAL_SECONDS:.0f} s: {'met' if total <= GOAL_SECONDS else 'MISSED'}), "
          f"{memory:.1f} GiB at most")  # fmt: skip


if __name__ == "__main__":
    main(int(float(sys.argv[1])) if len(sys.argv) > 1 else 1_000_000)
