"""An economist's question: how low does the offshore pool go when funding is squeezed, and how sure is that?"""

import polars as pl

import tsingma as tm

fan = tm.run_economy("renminbi", "offshore-squeeze", replications=200).frame()
pool = fan.filter(pl.col("indicator") == "pool.deposits") if "pool.deposits" in fan["indicator"] else fan
last = pool.filter(pl.col("date") == pool["date"].max())
print(last.select("indicator", "unit", "level", "value"))
