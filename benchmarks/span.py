"""SPAN scan risk of many accounts beside marginism, one core, the same arrays, answers compared.

    python benchmarks/span.py [ACCOUNTS]

200 underlyings with 3 futures and 240 options each, 100 positions an account. marginism is asked for a few accounts of
the same books, since it takes milliseconds for each; both take sixteen sums an underlying and the largest loss. CPU
seconds.
"""

from __future__ import annotations

import sys
import time

import numba
import numpy as np
from marginism import Position, SpanCalculator
from marginism.model import CombinedCommodity, FuturesContract, OptionContract, RiskArray, SpanFile

from machine import best_of, describe, verdict
from tsingma.kernels.scan import scan_risk

UNDERLYINGS, SERIES, HELD, FEW = 200, 243, 100, 100
GOAL = 300_000


def peer_file(arrays: np.ndarray) -> SpanFile:
    """Return the market as marginism holds it; options carry no value, so that both compute scan risk."""
    file = SpanFile(business_date="20260601")
    for u in range(UNDERLYINGS):
        unit = CombinedCommodity(cc=f"U{u}", underlying_price=100.0)
        for c in range(SERIES):
            row = [float(value) for value in arrays[u * SERIES + c]]
            common = {"cc": f"U{u}", "pf_id": 1, "contract_id": c, "price": 0.0, "delta": 1.0, "volatility": 0.2,
                      "cvf": 1.0, "risk_array": RiskArray(row, 1.0)}  # fmt: skip
            if c < 3:
                unit.futures.append(FuturesContract(pf_type="FUT", expiry=f"202607{c + 1:02d}", **common))
            else:
                unit.options.append(
                    OptionContract(pf_type="OOP", expiry=f"202607{c % 3 + 1:02d}", option_type="CP"[c % 2],
                                   strike=float(c), **common)
                )  # fmt: skip
        file.commodities[f"U{u}"] = unit
    return file


def peer_position(contract: int, quantity: int) -> Position:
    """Return one position as marginism takes it."""
    u, c = divmod(contract, SERIES)
    if c < 3:
        return Position(f"U{u}", "FUT", quantity=float(quantity), expiry=f"202607{c + 1:02d}")
    right = ("CE", "PE")[c % 2]
    return Position(f"U{u}", right, quantity=float(quantity), expiry=f"202607{c % 3 + 1:02d}", strike=float(c))


def main(accounts: int) -> None:
    """Draw the books, margin them twice, compare, print rates and ratio."""
    print(describe("numpy", "numba", "marginism"))
    numba.set_num_threads(1)
    chance = np.random.default_rng(11)
    arrays = np.rint(chance.normal(0.0, 10_000.0, (UNDERLYINGS * SERIES, 16))).astype(np.int32)
    contract = np.sort(chance.integers(0, UNDERLYINGS * SERIES, (accounts, HELD)).astype(np.int32), axis=1)
    quantity = chance.integers(-50, 50, (accounts, HELD))
    start = np.arange(accounts + 1, dtype=np.int64) * HELD
    commodity = (np.arange(UNDERLYINGS * SERIES) // SERIES).astype(np.int32)
    book = (start, contract.ravel(), quantity.ravel(), commodity, arrays)
    ours = scan_risk(*book)
    rate = accounts / best_of(lambda: scan_risk(*book), 8, time.process_time)
    calculator = SpanCalculator(peer_file(arrays))
    books = [
        [peer_position(c, q) for c, q in zip(contract[a].tolist(), quantity[a].tolist(), strict=True) if q]
        for a in range(FEW)
    ]
    began = time.process_time()
    theirs = [calculator.calculate(each).span_margin for each in books]
    peer = FEW / (time.process_time() - began)
    same = all(abs(mine - other) < 0.5 for mine, other in zip(ours[:FEW].tolist(), theirs, strict=True))
    print(f"scan of {accounts:,} accounts of {HELD} positions, answers {'the same' if same else 'DIFFER'}")
    print(f"  tsingma, one core   {rate:12,.0f} accounts/s")
    print(f"  marginism           {peer:12,.0f} accounts/s")
    print(f"  ratio {rate / peer:,.0f}")
    print(verdict(f"{GOAL:,} accounts/s, the same figures", same and rate >= GOAL))


if __name__ == "__main__":
    main(int(float(sys.argv[1])) if len(sys.argv) > 1 else 20_000)
