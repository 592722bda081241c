"""Historical expected shortfall of sparse books beside duckdb and polars; then a million accounts on all cores.

    python benchmarks/tails.py [ACCOUNTS]

10,000 accounts of 100 positions in 20,000 instruments, 1,250 scenarios, the 12 worst of each, exact to the dollar; one
core each, CPU seconds. The peers add in double precision and get 200 accounts on 2,000 instruments, or they would take
minutes. Then ACCOUNTS (default a million) of 20 positions on every core, by the clock, from returns to figures, with
the peak of memory.
"""

from __future__ import annotations

import resource
import sys
import time

import duckdb
import numba
import numpy as np
import polars as pl

from machine import best_of, describe, verdict
from tsingma.kernels.scenario import RETURN_SCALE, screen_returns, tail_sums, tail_sums_plain

INSTRUMENTS, SCENARIOS, TAIL, HELD = 20_000, 1_250, 12, 100
FEW, KINDS, CHECKED = 200, 2_000, 100
GOAL, GOAL_SECONDS, GOAL_GB = 45_000, 15.0, 6.0


def books(accounts: int, held: int, instruments: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return start, instrument and value in HKD of random books, up to 5 million a position."""
    chance = np.random.default_rng(seed)
    row = chance.integers(0, instruments, accounts * held)
    value = chance.integers(-5_000_000, 5_000_000, accounts * held)
    return np.arange(accounts + 1, dtype=np.int64) * held, row, value


def peers(returns_e10: np.ndarray) -> dict[str, float]:
    """Return accounts a CPU second of duckdb and polars, on fewer accounts and instruments."""
    _, row, value = books(FEW, HELD, KINDS, 5)
    position = pl.DataFrame(
        {"account": np.repeat(np.arange(FEW, dtype=np.int32), HELD), "instrument": row.astype(np.int32), "value": value}
    )
    long = pl.DataFrame(
        {
            "instrument": np.repeat(np.arange(KINDS, dtype=np.int32), SCENARIOS),
            "scenario": np.tile(np.arange(SCENARIOS, dtype=np.int32), KINDS),
            "move": returns_e10[:KINDS].ravel() / RETURN_SCALE,
        }
    )
    query = (
        position.lazy()
        .join(long.lazy(), on="instrument")
        .group_by("account", "scenario")
        .agg((pl.col("value") * pl.col("move")).sum().alias("profit"))
        .group_by("account")
        .agg(pl.col("profit").bottom_k(TAIL).mean())
    )
    base = duckdb.connect()
    base.execute("set threads=1")
    for name, frame in (("position_frame", position), ("long_frame", long)):
        base.register(name, {column.name: column.to_numpy() for column in frame.get_columns()})
    base.execute("create table position as select * from position_frame; create table long as select * from long_frame")
    text = f"""
        with t as (select account, scenario, sum(value * move) as profit from position join long using (instrument)
                   group by all)
        select account, avg(profit) from (
            select account, profit, row_number() over (partition by account order by profit) as place from t)
        where place <= {TAIL} group by account"""
    return {
        "duckdb": FEW / best_of(lambda: base.execute(text).fetchnumpy(), 2, time.process_time),
        "polars": FEW / best_of(query.collect, 2, time.process_time),
    }


def one_core(returns_e10: np.ndarray) -> None:
    """Compare with the plain twin, time one core, print the peers beside."""
    numba.set_num_threads(1)
    screen = screen_returns(returns_e10)
    book = books(10_000, HELD, INSTRUMENTS, 4)
    ours = tail_sums(*book, returns_e10, TAIL, screen)
    few = (book[0][: CHECKED + 1], book[1][: CHECKED * HELD], book[2][: CHECKED * HELD])
    same = (ours[:CHECKED] == tail_sums_plain(*few, returns_e10, TAIL)).all()
    rate = 10_000 / best_of(lambda: tail_sums(*book, returns_e10, TAIL, screen), 8, time.process_time)
    print(
        f"expected shortfall, {HELD} positions x {SCENARIOS} scenarios; plain twin {'the same' if same else 'DIFFERS'}"
    )
    print(f"  tsingma, exact {rate:10,.0f} accounts/s a core")
    for name, other in peers(returns_e10).items():
        print(f"  {name:<14} {other:10,.0f} accounts/s a core, ratio {rate / other:,.0f}")
    print(verdict(f"{GOAL:,} accounts/s a core, the same figures", bool(same) and rate >= GOAL))


def many(accounts: int, returns_e10: np.ndarray) -> None:
    """Time ``accounts`` of 20 positions on every core, screening of the returns included."""
    numba.set_num_threads(numba.config.NUMBA_NUM_THREADS)
    book = books(accounts, 20, INSTRUMENTS, 6)
    seconds = best_of(lambda: tail_sums(*book, returns_e10, TAIL), 1)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"{accounts:,} accounts of 20 positions, {numba.get_num_threads()} cores: {seconds:.1f} s, peak {peak:.2f} GB"
    )
    print(verdict(f"{GOAL_SECONDS:.0f} s and {GOAL_GB:.0f} GB", seconds <= GOAL_SECONDS and peak <= GOAL_GB))


def main(accounts: int) -> None:
    """Run both."""
    print(describe("numpy", "numba", "polars", "duckdb"))
    moves = np.random.default_rng(3).standard_normal((INSTRUMENTS, SCENARIOS))
    returns_e10 = np.rint(moves * 0.02 * RETURN_SCALE).astype(np.int64)
    del moves
    one_core(returns_e10)
    many(accounts, returns_e10)


if __name__ == "__main__":
    main(int(float(sys.argv[1])) if len(sys.argv) > 1 else 1_000_000)
