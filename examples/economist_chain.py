"""An economist's question: Korean memory stops; whose real income falls, and by how much in a year?"""

import polars as pl

import tsingma as tm

path = tm.run_economy("chain", "hbm-stop", replications=20).frame()
income = path.filter(pl.col("indicator").str.starts_with("real_income"))
change = income.group_by("indicator", maintain_order=True).agg((pl.col("value").last() - 1).alias("change"))
print(change.sort("change"))
