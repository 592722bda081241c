"""A regulator's question: which scenarios empty whose fund? Two of those that ship, on simulated firms."""

import polars as pl

import tsingma as tm

found = tm.stress_test(["hbm-stop", "replay-1987"], trades=2_000, days=2, draws=5)
frame = found.frame()
print(frame.select("scenario", "house", "losses", "over_margin", "fund_use", "defaults"))
emptied = frame.filter(pl.col("fund_use") >= 1.0).select("scenario", "house")
print(f"funds used up: {emptied.rows()}")
