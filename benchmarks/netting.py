"""Netting 10 million trades: our kernel beside polars with one packed key, the same machine, the same run.

    python benchmarks/netting.py [ROWS]

Both sum a signed quantity and a signed amount per (participant, instrument) and count; 500 participants, 20,000
instruments, most trades in few of them. Both use every core they find. Best of three, exact
integers, answers compared.
"""

from __future__ import annotations

import sys

import numpy as np
import polars as pl

from machine import best_of, describe, verdict
from tsingma.kernels.netting import net_legs

PARTICIPANTS, INSTRUMENTS = 500, 20_000
GOAL_RATIO = 0.6


def main(rows: int) -> None:
    """Draw the tape, run both, compare the answers, print times and ratio."""
    print(describe("numpy", "numba", "polars"))
    chance = np.random.default_rng(1)
    participant = chance.integers(0, PARTICIPANTS, rows).astype(np.int32)
    instrument = np.minimum((chance.pareto(0.7, rows) * 20).astype(np.int64), INSTRUMENTS - 1).astype(np.int32)
    quantity = chance.integers(-1_000, 1_000, rows)
    amount = quantity * chance.integers(1, 50_000, rows)
    net_legs(participant[:10], instrument[:10], quantity[:10], amount[:10], PARTICIPANTS, INSTRUMENTS)  # compile

    def ours() -> tuple[np.ndarray, ...]:
        return net_legs(participant, instrument, quantity, amount, PARTICIPANTS, INSTRUMENTS)

    frame = pl.DataFrame({"p": participant, "i": instrument, "quantity": quantity, "amount": amount})
    packed = frame.select((pl.col("p").cast(pl.Int64) * INSTRUMENTS + pl.col("i")).alias("key"), "quantity", "amount")
    query = packed.lazy().group_by("key").agg(pl.col("quantity").sum(), pl.col("amount").sum(), pl.len())
    seconds, peer = best_of(ours, 3), best_of(query.collect, 3)
    answer, theirs = ours(), query.collect().sort("key")
    key = answer[0].astype(np.int64) * INSTRUMENTS + answer[1]
    same = all(
        (mine == other.to_numpy()).all() for mine, other in zip((key, *answer[2:]), theirs.get_columns(), strict=True)
    )
    print(f"netting {rows:,} trades to {key.size:,} positions, answers {'the same' if same else 'DIFFER'}")
    print(f"  tsingma, as many threads      {seconds:8.3f} s  {rows / seconds / 1e6:7.1f} M trades/s")
    print(f"  polars, {pl.thread_pool_size()} threads, packed key {peer:8.3f} s  {rows / peer / 1e6:7.1f} M trades/s")
    print(f"  ratio {seconds / peer:.2f}")
    print(verdict(f"at most {GOAL_RATIO} of its time, the same answers", same and seconds / peer <= GOAL_RATIO))


if __name__ == "__main__":
    main(int(float(sys.argv[1])) if len(sys.argv) > 1 else 10_000_000)
