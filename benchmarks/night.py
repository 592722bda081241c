"""A night of the shape of T2S from a file to durable books, stage by stage; beside it plain recycling without books.

    python benchmarks/night.py [COUNT ...]

Goals: 1,000,000 in 8 seconds; 3,619,467 (first night cycle of the T2S test) in 30 seconds, at least 99.73 % settled, at
most 6 GB. Each night runs in a process of its own, so that its memory is its own; then its journal is proved.
The peer is the recycling of the benchmark of settlement: plain Python, in memory, nothing durable.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from machine import describe
from plain_settlement import recycling
from tsingma.app.night_files import write_night
from tsingma.simulate.settlement import settlement_instance

FIRST_CYCLE = 3_619_467
SECONDS = {1_000_000: 8.0, FIRST_CYCLE: 30.0}
SHARE, MEMORY_MB = 0.9973, 6_144
COMMAND = [sys.executable, "-m", "tsingma.cli.main"]


def run(count: int) -> None:
    """Draw a night, settle it in a fresh process and print its stages beside the goals."""
    with tempfile.TemporaryDirectory() as place:
        folder, house = Path(place) / "night", Path(place) / "house"
        write_night(folder, count, seed=1, beta=0.5, alpha=0.0, short=0.1, suffix="parquet")
        call = [*COMMAND, "settle", "night", "--file", str(folder / "instructions.parquet"), "--house", str(house)]
        done = json.loads(subprocess.run([*call, "--json"], check=True, capture_output=True, text=True).stdout)
        for stage in done["by_stage"]:
            print(f"  {stage['stage']:<28}{stage['settled']:>12,}{stage['seconds']:>9.2f} s{stage['memory_mb']:>7,} MB")
        share = done["settled"] / count
        met = done["seconds"] <= SECONDS.get(count, 1e9) and done["memory_mb"] <= MEMORY_MB
        met = met and (share >= SHARE or count < FIRST_CYCLE)
        print(
            f"{count:,}: {share:.3%} settled, {done['settled_value'] / done['submitted_value']:.2%} of the money, in "
            f"{done['seconds']:.1f} s and {done['memory_mb']:,} MB: {'met' if met else 'MISSED'}",
            flush=True,
        )
        proved = subprocess.run([*COMMAND, "day", "verify", "--house", str(house)], check=False, capture_output=True)
        print(f"  the journal {'is proved' if proved.returncode == 0 else 'IS BROKEN'}", flush=True)


def peer(count: int) -> None:
    """Print what plain recycling does with a reference instance of this size."""
    instance = settlement_instance(count, beta=0.5, alpha=0, short=0.1)
    began = time.perf_counter()
    settled = len(recycling(instance))
    print(f"plain recycling in memory, {count:,}: {settled / count:.3%} in {time.perf_counter() - began:.1f} s")


def main(counts: list[int]) -> None:
    """Run every count."""
    print(describe("numpy", "numba", "polars"))
    for count in counts:
        run(count)
        peer(count)


if __name__ == "__main__":
    main([int(float(text)) for text in sys.argv[1:]] or [1_000_000, FIRST_CYCLE])
