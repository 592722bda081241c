"""A risk desk in a notebook: what does each house call, what would one portfolio call, and which position is why?

Prices are simulated; with real closes only the first two lines change.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import tsingma as tm

with TemporaryDirectory() as folder:
    market = tm.write_market(Path(folder) / "market", days=1, trades=1_000)
    past = tm.load(market / "prices.csv")
    lines = (
        "book,house,product,factor,notional,strike,days",
        "hedged,HKSCC,stock,00001,60000000,,",
        "hedged,HKCC,future,INDEX,-50000000,,",
        "hedged,SEOCH,put,00001,20000000,0.95,30",
    )
    (Path(folder) / "books.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (hedged,) = tm.books(Path(folder) / "books.csv")

    print(tm.margins(hedged, past).frame())
    print(tm.joint([hedged], past, every=1).frame())
    print(tm.explain(hedged, past).frame().select("house", "product", "factor", "component", "incremental"))
