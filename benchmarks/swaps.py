"""Swaps revalued under new curves beside QuantLib, one core: all cash flows of a book on one time axis.

    python benchmarks/swaps.py

200 payer swaps of 2 to 24 years that start on scattered days of the coming year; a new zero curve a scenario, 250 for
QuantLib, 1,250 for us. Both price the same swaps; the largest difference is printed. CPU seconds.
"""

from __future__ import annotations

import time
from datetime import date, timedelta

import numpy as np
import QuantLib as ql  # noqa: N813

from machine import best_of, describe, verdict
from tsingma.pricing.cash_flows import Swap, flow_book, swap_flows
from tsingma.pricing.schedule import add_months

TODAY, SWAPS, FEW, SCENARIOS = date(2026, 6, 1), 200, 250, 1_250
GOAL = 5_000_000
NODES = [0, 30, 91, 182, 365, 730, 1095, 1825, 2555, 3650, 5475, 7300, 10950]


def peer_value(swaps: list[Swap], curves: np.ndarray) -> tuple[np.ndarray, float]:
    """Return QuantLib's values [scenarios, swaps] and revaluations a second."""
    ql.Settings.instance().evaluationDate = ql.Date(1, 6, 2026)
    count, handle = ql.Actual365Fixed(), ql.RelinkableYieldTermStructureHandle()
    days = [ql.Date(1, 6, 2026) + node for node in NODES]
    handle.linkTo(ql.ZeroCurve(days, [float(rate) for rate in curves[0]], count))
    index = ql.IborIndex(
        "X", ql.Period(3, ql.Months), 0, ql.HKDCurrency(), ql.NullCalendar(), ql.Unadjusted, False, count, handle
    )
    peers = []
    for swap in swaps:
        ends = [ql.Date(day.day, day.month, day.year) for day in (swap.start, swap.maturity)]
        legs = [
            ql.Schedule(*ends, ql.Period(months, ql.Months), ql.NullCalendar(), ql.Unadjusted, ql.Unadjusted,
                        ql.DateGeneration.Backward, False)
            for months in (12, 3)
        ]  # fmt: skip
        peer = ql.VanillaSwap(ql.Swap.Payer, swap.notional, legs[0], swap.rate, count, legs[1], index, 0.0, count)
        peer.setPricingEngine(ql.DiscountingSwapEngine(handle))
        peers.append(peer)
    values = np.empty((len(curves), len(swaps)))
    began = time.process_time()
    for s, curve in enumerate(curves):
        handle.linkTo(ql.ZeroCurve(days, [float(rate) for rate in curve], count))
        for k, peer in enumerate(peers):
            values[s, k] = peer.NPV()
    return values, values.size / (time.process_time() - began)


def main() -> None:
    """Build the book, value it both ways, print rates, ratio and the largest difference."""
    print(describe("numpy", "scipy", "QuantLib"))
    chance = np.random.default_rng(2)
    base = np.interp(NODES, [0, 365, 1825, 10950], [0.035, 0.034, 0.036, 0.041])
    curves = base + np.cumsum(chance.standard_normal((SCENARIOS, len(NODES))) * 2e-4, axis=1)
    swaps = []
    for _ in range(SWAPS):
        start = TODAY + timedelta(days=int(chance.integers(1, 361)))
        start = max(start.replace(day=min(start.day, 28)), TODAY + timedelta(days=1))
        end = add_months(start, 12 * int(chance.integers(2, 25)))
        swaps.append(Swap(start=start, maturity=end, notional=1e6, rate=float(chance.uniform(0.02, 0.05))))
    book = flow_book(TODAY, [swap_flows(swap) for swap in swaps])
    years = np.array(NODES) / 365.0
    ours = book.values(years, curves)
    rate = ours.size / best_of(lambda: book.values(years, curves), 10, time.process_time)
    theirs, other = peer_value(swaps, curves[:FEW])
    gap = float(np.abs(ours[:FEW] - theirs).max())
    print(f"swaps, {book.years.size:,} payment days, largest difference {gap:.1e} on a notional of 1 million")
    print(f"  tsingma   {rate:14,.0f} revaluations/s")
    print(f"  QuantLib  {other:14,.0f} revaluations/s")
    print(f"  ratio {rate / other:.0f}")
    print(verdict(f"{GOAL:,} revaluations/s", rate >= GOAL))


if __name__ == "__main__":
    main()
