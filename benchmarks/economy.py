"""Economic models beside their peers: a spillover table, ten thousand paths of stocks and homes; CPU seconds, one core.

    python benchmarks/economy.py [PATHS]

The table is of five variables and 2,771 rows, lags 4, horizon 10: autoregression, responses and shares. diebold-yilmaz
needs statsmodels for the autoregression; where that is absent it gets ours and does its own part only, which is said.
PySD runs a Vensim model of the same size (the same equations, 120 months) once; its time for one run is printed beside
our time for all paths.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import importlib.util
import sys
import tempfile
import time
import warnings
from datetime import date
from pathlib import Path

import numpy as np

from machine import best_of, describe, verdict
from tsingma.economy.draws import replication_seeds
from tsingma.economy.property.model import MonthInputs, simulate
from tsingma.economy.property.parameters import coefficients, start_on
from tsingma.economy.property.run import in_units
from tsingma.economy.property.spillover import Decomposition, decompose, fit, responses, spillovers

ROWS, VARIABLES, LAGS, HORIZON = 2_771, 5, 4, 10
MONTHS = 120
TABLE_GOAL, PATHS_GOAL = 0.005, 0.5

# The equations of economy.property.model for one path, as a Vensim model: 16 levels, the same months.
VENSIM = """{UTF-8}
stocks change = 0.0022 + 0.006 * southbound + 0.0608 * EXP(0.342 * RANDOM NORMAL(-6, 6, 0, 1, 11) - 0.117)
	* RANDOM NORMAL(-6, 6, 0, 1, 12) ~~|
southbound = - better ~~|
buying = better ~~|
better = 20 / 12 * (growth - stocks growth) ~~|
vacancy = 1 - occupied / homes ~~|
rent change = 3.61 * (0.056 - vacancy) / 12 + 0.006 * RANDOM NORMAL(-6, 6, 0, 1, 13) ~~|
user cost = MAX(rate / 100 + 0.025 + 0.0375 / 8 - 0.25 * growth, 0.005) ~~|
gap = -0.107 + price - 1.663 * rent - 0.185 * stocks + 0.1 * LN(user cost / 0.0327) ~~|
price change = 0.00221 + 0.3735 * price before + 0.093 * price two before + 0.0275 * rent change
	- 0.0045 * stocks change + 0.0973 * stocks before + 0.0514 * stocks two before - 0.0145 * gap + 0.001 * buying
	+ 0.01665 * RANDOM NORMAL(-6, 6, 0, 1, 14) ~~|
sales next = 0.401 * sales + 0.599 * 8.406 + 6.59 * price before + 1.02 * stocks before - 0.0217 * (rate - 2.29)
	+ 0.229 * RANDOM NORMAL(-6, 6, 0, 1, 15) ~~|
rate next = MAX(0.9585 * rate + 0.0415 * 2.29 + 0.45 * RANDOM NORMAL(-6, 6, 0, 1, 16), 0.05) ~~|
starts = 1537 * EXP(MAX(MIN(0.8 * price, 2), -2)) ~~|
completing = DELAY FIXED(starts, 36, 1537) ~~|
completed = DELAY FIXED(starts, 61, 1537) ~~|
building = INTEG(completing - completed, 38433) ~~|
completions = building / 25 ~~|
homes = INTEG(completions - homes * 0.002 / 12, 1280000) ~~|
occupied = INTEG(MIN(occupied * 0.0115 / 12, homes * 0.999 - occupied), 1224960) ~~|
price = INTEG(price change, 0) ~~|
rent = INTEG(rent change, 0) ~~|
stocks = INTEG(stocks change, 0) ~~|
rate = INTEG(rate next - rate, 2.8) ~~|
sales = INTEG(sales next - sales, 8.942) ~~|
price before = INTEG(price change - price before, 0.0069) ~~|
price two before = INTEG(price before - price two before, 0.0175) ~~|
stocks before = INTEG(stocks change - stocks before, -0.0958) ~~|
stocks two before = INTEG(stocks before - stocks two before, -0.0233) ~~|
growth = INTEG(0.1 * (12 * price change - growth), 0.1) ~~|
stocks growth = INTEG(0.1 * (12 * stocks change - stocks growth), 0) ~~|
FINAL TIME = 120 ~~|
INITIAL TIME = 0 ~~|
SAVEPER = TIME STEP ~~|
TIME STEP = 1 ~~|
"""


def table() -> None:
    """Time the spillover table and the peer on the same data; compare the totals."""
    import diebold_yilmaz as peer

    noise = np.random.default_rng(1).standard_normal((ROWS, VARIABLES))
    for now in range(1, ROWS):
        noise[now] += 0.6 * noise[now - 1] + 0.1 * np.roll(noise[now - 1], 1)
    names = tuple("abcde")
    ours = best_of(lambda: spillovers(noise, names, lags=LAGS, horizon=HORIZON), 20, time.process_time)
    if importlib.util.find_spec("statsmodels"):
        label = "whole"

        def theirs() -> object:
            psi, sigma, _ = peer.fit_var(noise, p=LAGS, horizon=HORIZON)
            return peer.connectedness(psi, sigma, horizon=HORIZON)

        part = ours
    else:
        label, model = "shares only, our responses", fit(noise, LAGS)
        psi = responses(model, HORIZON)

        def theirs() -> object:
            return peer.connectedness(psi, model.covariance, horizon=HORIZON)

        part = best_of(lambda: decompose(model, HORIZON, Decomposition.GENERALISED), 20, time.process_time)
    spent = best_of(theirs, 20, time.process_time)
    total = spillovers(noise, names, lags=LAGS, horizon=HORIZON).total
    same = abs(total - theirs().total_index) < 1e-6  # type: ignore[attr-defined]
    print(
        f"spillover table, {VARIABLES} variables x {ROWS:,} rows, {LAGS} lags; totals {'agree' if same else 'DIFFER'}"
    )
    print(f"  tsingma, whole                   {1e3 * ours:8.2f} ms; the peer's part alone {1e3 * part:.2f} ms")
    print(f"  diebold-yilmaz, {label:<17}{1e3 * spent:8.2f} ms, ratio on the same part {spent / part:.1f}")
    print(verdict(f"{1e3 * TABLE_GOAL:.0f} ms", ours <= TABLE_GOAL and same))


def paths(count: int) -> None:
    """Time all paths of stocks and homes at once, and one run of a Vensim model of the same size in PySD."""
    import pysd

    start, given, inputs = start_on(date(2026, 6, 30)), coefficients(), [MonthInputs()] * MONTHS

    def ours() -> np.ndarray:
        return in_units(simulate(start, given, inputs, replication_seeds(1, count)), start)

    spent, wall = best_of(ours, 5, time.process_time), best_of(ours, 3)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        file = Path(folder) / "homes.mdl"
        file.write_text(VENSIM, encoding="utf-8")
        model = pysd.read_vensim(str(file))
        columns = ["price", "rent", "stocks", "rate", "sales", "homes", "vacancy"]
        peer = best_of(lambda: model.run(return_columns=columns), 3, time.process_time)
        end = float(model.run(return_columns=columns)["stocks"].iloc[-1])
    middle = np.median(ours()[:, 2, -1]) / start.hsi
    print(f"stocks and homes, {count:,} paths x {MONTHS} months")
    print(
        f"  tsingma, all paths     {1e3 * spent:8.0f} ms; {1e6 * spent / count:.0f} us each; wall {1e3 * wall:.0f} ms"
    )
    print(f"  PySD {pysd.__version__}, one path  {1e3 * peer:8.0f} ms; ratio a path {peer * count / spent:,.0f}")
    print(f"  index after {MONTHS} months: median ratio {middle:.2f}; PySD's one path {np.exp(end):.2f}")
    print(verdict(f"{PATHS_GOAL} s of one core", spent <= PATHS_GOAL))


def main(count: int) -> None:
    """Run both."""
    print(describe("numpy", "diebold-yilmaz", "pysd"))
    table()
    paths(count)


if __name__ == "__main__":
    main(int(float(sys.argv[1])) if len(sys.argv) > 1 else 10_000)
