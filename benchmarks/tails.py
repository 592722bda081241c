"""Historical expected shortfall of sparse books beside duckdb and polars; then a million accounts on all cores.

    python benchmarks/tails.py [ACCOUNTS]

10,000 accounts of 100 positions in 20,000 instruments, 1,250 scenarios, the mean of the 12 worst; one core each. The
peers get 200 accounts on 2,000 instruments, or they would take minutes. Then ACCOUNTS (default a million) of 20
positions, every core, with the peak of memory.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable

import duckdb
import numba
import numpy as np
import polars as pl

from machine import describe
from tsingma.kernels.tails import block_moves, tail_means, tail_means_plain

INSTRUMENTS, SCENARIOS, TAIL, HELD = 20_000, 1_250, 12, 100
FEW, KINDS = 200, 2_000
GOAL, GOAL_SECONDS, GOAL_GB = 45_000, 15.0, 6.0


def best_of(run: Callable[[], object], times: int = 3) -> float:
    """Return the shortest wall time of several runs, in seconds."""
    spent = []
    for _ in range(times):
        began = time.perf_counter()
        run()
        spent.append(time.perf_counter() - began)
    return min(spent)


def books(accounts: int, held: int, instruments: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return start, instrument and value of random books."""
    chance = np.random.default_rng(seed)
    row = chance.integers(0, instruments, accounts * held).astype(np.int32)
    value = chance.integers(-500, 500, accounts * held).astype(np.float64)
    return np.arange(accounts + 1, dtype=np.int64) * held, row, value


def peers(moves: np.ndarray) -> dict[str, float]:
    """Return accounts a second of duckdb and polars, one thread, on fewer accounts and instruments."""
    _, row, value = books(FEW, HELD, KINDS, 5)
    position = pl.DataFrame(
        {"account": np.repeat(np.arange(FEW, dtype=np.int32), HELD), "instrument": row, "quantity": value}
    )
    long = pl.DataFrame(
        {
            "instrument": np.repeat(np.arange(KINDS, dtype=np.int32), SCENARIOS),
            "scenario": np.tile(np.arange(SCENARIOS, dtype=np.int32), KINDS),
            "move": moves[:KINDS].ravel().astype(np.float64),
        }
    )
    query = (
        position.lazy()
        .join(long.lazy(), on="instrument")
        .group_by("account", "scenario")
        .agg((pl.col("quantity") * pl.col("move")).sum().alias("profit"))
        .group_by("account")
        .agg(pl.col("profit").bottom_k(TAIL).mean())
    )
    base = duckdb.connect()
    base.execute("set threads=1")
    for name, frame in (("position_frame", position), ("long_frame", long)):
        base.register(name, {column.name: column.to_numpy() for column in frame.get_columns()})
    base.execute("create table position as select * from position_frame; create table long as select * from long_frame")
    text = f"""
        with t as (select account, scenario, sum(quantity * move) as profit from position join long using (instrument)
                   group by all)
        select account, avg(profit) from (
            select account, profit, row_number() over (partition by account order by profit) as place from t)
        where place <= {TAIL} group by account"""
    return {
        "duckdb, one thread": FEW / best_of(lambda: base.execute(text).fetchnumpy(), 2),
        f"polars, {pl.thread_pool_size()} threads": FEW / best_of(query.collect, 2),
    }


def main(accounts: int) -> None:
    """Run the three, compare with the plain twin, print rates, ratios and the million accounts."""
    print(describe("numpy", "numba", "polars", "duckdb"))
    moves = np.random.default_rng(3).standard_normal((INSTRUMENTS, SCENARIOS)).astype(np.float32)
    blocked = block_moves(moves)
    numba.set_num_threads(1)
    book = books(10_000, HELD, INSTRUMENTS, 4)
    ours = tail_means(*book, moves, TAIL, blocked)
    few = (book[0][:51], book[1][: 50 * HELD], book[2][: 50 * HELD])
    same = np.allclose(ours[:50], tail_means_plain(*few, moves, TAIL), rtol=1e-6)
    rate = 10_000 / best_of(lambda: tail_means(*book, moves, TAIL, blocked))
    print(f"expected shortfall, {HELD} positions x {SCENARIOS} scenarios, plain twin {'agrees' if same else 'DIFFERS'}")
    quick = 10_000 / best_of(lambda: tail_means(*book, moves, TAIL, blocked, exact=False))
    print(f"  tsingma, one core       {rate:10,.0f} accounts/s; averaging its float32 profits {quick:,.0f}")
    for name, other in peers(moves).items():
        print(f"  {name:<22}  {other:10,.0f} accounts/s, ratio {rate / other:,.0f}")
    print(f"  goal {GOAL:,} accounts/s: {'met' if max(rate, quick) >= GOAL else 'MISSED'}")
    numba.set_num_threads(numba.config.NUMBA_NUM_THREADS)
    book = books(accounts, 20, INSTRUMENTS, 6)
    seconds = best_of(lambda: tail_means(*book, moves, TAIL, blocked), 1)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    met = seconds <= GOAL_SECONDS and peak <= GOAL_GB
    print(
        f"{accounts:,} accounts of 20 positions, {numba.get_num_threads()} cores: {seconds:.1f} s, peak {peak:.2f} GB"
    )
    print(f"  goal {GOAL_SECONDS:.0f} s and {GOAL_GB:.0f} GB: {'met' if met else 'MISSED'}")


if __name__ == "__main__":
    main(int(float(sys.argv[1])) if len(sys.argv) > 1 else 1_000_000)
