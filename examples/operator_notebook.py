"""An operator reads the day from Python: run two days of a market on a house, run them again, and nothing doubles."""

from pathlib import Path
from tempfile import TemporaryDirectory

import tsingma as tm

with TemporaryDirectory() as folder:
    market = tm.write_market(Path(folder) / "market", days=2, trades=2_000)
    first = tm.clear(Path(folder) / "house", market)
    print(first.frame())
    again = tm.clear(Path(folder) / "house", market)
    same = [line.state_hash for line in first.value] == [line.state_hash for line in again.value]
    print(f"run again: the same state hashes: {same}")
    if not same:
        raise SystemExit("the second run ended in another state")
