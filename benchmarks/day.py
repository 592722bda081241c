"""A business day from trade columns to proved books and margin calls, stage by stage, with peak memory.

    python benchmarks/day.py [TRADES ...]      (default 1,000,000 and 10,000,000, each in a fresh process)

The house has run two days before, so that due positions and fails exist. No public system does this job on one
machine, so there is no peer beside it; the goals are the project's own.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

from machine import describe
from tsingma.app.business_day import DayInput, run_day
from tsingma.app.parameter_file import build_parameters
from tsingma.app.progress import Silent
from tsingma.app.session import Session
from tsingma.basics.clock import SystemClock
from tsingma.journal.commands import LoadReference
from tsingma.margin.hkscc.history_settings import FilterSettings
from tsingma.messages.trade_file import read_trades, write_trades
from tsingma.simulate.market import simulate_market

GOALS_S = {1_000_000: 15.0, 10_000_000: 120.0}


def one(count: int) -> None:
    """Run the third of three days with ``count`` trades each, from its file, and print every stage."""
    market = simulate_market(1, date(2026, 1, 5), 3, count)
    parameters = build_parameters(market.history, FilterSettings())
    with tempfile.TemporaryDirectory() as scratch, Session.open(Path(scratch) / "house") as session:
        session.once("reference", lambda: LoadReference(market.book))
        session.once("deposits", market.deposits)
        for place in range(2):
            day = market.day(place)
            run_day(
                session, DayInput(day.date, day.trades, day.close_e4, day.fx_e6), parameters, SystemClock(), Silent()
            )
        day = market.day(2)
        path = Path(scratch) / f"trades-{day.date}.csv"
        write_trades(path, day.trades, market.resolved)
        size = path.stat().st_size
        began = time.perf_counter()
        trades = read_trades(path, market.resolved)
        read_s = time.perf_counter() - began
        entry = DayInput(day.date, trades, day.close_e4, day.fx_e6)
        record, margin = run_day(session, entry, parameters, SystemClock(), Silent())
        total = time.perf_counter() - began
    print(f"a day of {count:,} trades from a file of {size / 1e6:,.0f} MB")
    print(f"  {'read and parse the file':<28}{read_s:9.2f} s")
    for stage, spent in record.stages_ns.items():
        print(f"  {stage!s:<28}{spent / 1e9:9.2f} s")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    goal = GOALS_S.get(count)
    verdict = "" if goal is None else f"   goal {goal:g} s: {'met' if total <= goal else 'MISSED'}"
    print(f"  {'in all':<28}{total:9.2f} s   peak memory {peak:.2f} GB{verdict}")
    print(
        f"  {len(margin.results) if margin else 0} accounts margined, "
        f"{record.closed.figures['positions_due']:,} positions due"
    )


def main(arguments: list[str]) -> int:
    """Run each size in a process of its own; with ``--one N`` run that size here."""
    if arguments[:1] == ["--one"]:
        one(int(float(arguments[1])))
        return 0
    print(describe("numpy", "numba", "polars"), flush=True)
    sizes = arguments or [str(size) for size in GOALS_S]
    return sum(subprocess.run([sys.executable, __file__, "--one", size], check=False).returncode for size in sizes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
