"""A trader asks before trading: what would selling calls do to the margin at each house, and to the joint one?"""

from pathlib import Path
from tempfile import TemporaryDirectory

import tsingma as tm

HEADER = "book,house,product,factor,notional,strike,days"

with TemporaryDirectory() as folder:
    market = tm.write_market(Path(folder) / "market", days=1, trades=1_000)
    past = tm.load(market / "prices.csv")
    files = {
        "now": ("desk,HKSCC,stock,00001,60000000,,", "desk,HKCC,future,INDEX,-50000000,,"),
        "calls": ("more,SEOCH,call,00001,-30000000,1.05,30",),
    }
    for name, lines in files.items():
        (Path(folder) / f"{name}.csv").write_text("\n".join((HEADER, *lines)) + "\n", encoding="utf-8")
    (desk,), (calls,) = (tm.books(Path(folder) / f"{name}.csv") for name in files)

    answer = tm.what_if(desk, calls, past)
    print(answer.frame())
    print(f"houses alone {answer.value.standalone_change:+,}; as called {answer.value.called_change:+,}")
