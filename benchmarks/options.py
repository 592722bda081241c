"""Options beside QuantLib on one core: American by collocation, cash dividends on a grid, Black-76.

    python benchmarks/options.py

American: 2,000 contracts shaped like listed options (strike 100, spot 60 to 160, 7 to 730 days, 10 to 90 % volatility);
the reference is our finest scheme, itself within 1e-6 of QuantLib's high-precision engine on a sample. Cash dividends:
two a contract; the reference is QuantLib's finite differences on 1,600 x 3,200. Errors and rates in one run, in CPU
seconds.
"""

from __future__ import annotations

import time

import numpy as np
import QuantLib as ql  # noqa: N813

from machine import best_of, describe, verdict
from tsingma.pricing.american import HIGHEST, STANDARD, american, american_cash_dividends
from tsingma.pricing.options import black76

TODAY = ql.Date(2, 1, 2026)
CONTRACTS, FEW, CLOSED = 2_000, 32, 2_000_000


def rmse(one: np.ndarray, two: np.ndarray) -> float:
    """Return the root of the mean squared difference."""
    return float(np.sqrt(np.mean((one - two) ** 2)))


def process(spot: float, rate: float, carry: float, volatility: float) -> ql.BlackScholesMertonProcess:
    """Return QuantLib's process with flat curves, one for each contract (shared quotes would slow it down)."""
    count = ql.Actual365Fixed()
    curves = [ql.YieldTermStructureHandle(ql.FlatForward(TODAY, float(each), count)) for each in (carry, rate)]
    smile = ql.BlackVolTermStructureHandle(ql.BlackConstantVol(TODAY, ql.NullCalendar(), float(volatility), count))
    return ql.BlackScholesMertonProcess(ql.QuoteHandle(ql.SimpleQuote(float(spot))), *curves, smile)


def peer_option(row: tuple[float, ...]) -> tuple[ql.VanillaOption, ql.BlackScholesMertonProcess]:
    """Return QuantLib's option and process of a contract."""
    spot, strike, years, volatility, rate, is_call, carry = row
    payoff = ql.PlainVanillaPayoff(ql.Option.Call if is_call else ql.Option.Put, float(strike))
    option = ql.VanillaOption(payoff, ql.AmericanExercise(TODAY, TODAY + round(years * 365)))
    return option, process(spot, rate, carry, volatility)


def americans() -> None:
    """Compare collocation with QuantLib's fast QdFp scheme."""
    chance = np.random.default_rng(7)
    columns = (
        np.exp(chance.uniform(np.log(60), np.log(160), CONTRACTS)), np.full(CONTRACTS, 100.0),
        chance.integers(7, 731, CONTRACTS) / 365.0, chance.uniform(0.10, 0.90, CONTRACTS),
        chance.uniform(0.005, 0.06, CONTRACTS), chance.random(CONTRACTS) < 0.5,
        np.where(chance.random(CONTRACTS) < 0.3, 0.0, chance.uniform(0.002, 0.05, CONTRACTS)),
    )  # fmt: skip
    reference = american(*columns, scheme=HIGHEST)
    pairs = [peer_option(row) for row in zip(*columns, strict=True)]
    exact = []
    for option, model in pairs[:50]:
        option.setPricingEngine(ql.QdFpAmericanEngine(model, ql.QdFpAmericanEngine.highPrecisionScheme()))
        exact.append(option.NPV())
    for option, model in pairs:
        option.setPricingEngine(ql.QdFpAmericanEngine(model, ql.QdFpAmericanEngine.fastScheme()))

    def peer() -> np.ndarray:
        found = np.empty(CONTRACTS)
        for place, (option, _) in enumerate(pairs):
            option.recalculate()
            found[place] = option.NPV()
        return found

    ours = american(*columns, scheme=STANDARD)
    rate = CONTRACTS / best_of(lambda: american(*columns, scheme=STANDARD), 12, time.process_time)
    other = CONTRACTS / best_of(peer, 3, time.process_time)
    error = rmse(ours, reference)
    print(f"American options; reference within {np.abs(reference[:50] - exact).max():.1e} of QuantLib's high precision")
    print(f"  tsingma, standard scheme {rate:12,.0f} /s   RMSE {error:.1e}")
    print(f"  QuantLib, QdFp fast      {other:12,.0f} /s   RMSE {rmse(peer(), reference):.1e}")
    met = error <= 6e-5 and rate >= 5 * other
    print(f"  ratio {rate / other:.1f}")
    print(verdict("RMSE 6e-5 at 5 times the rate", met))


def dividends() -> None:
    """Compare the dividend grid with QuantLib's finite differences."""
    chance = np.random.default_rng(7)
    size = 1_024
    is_call = chance.random(size) < 0.5
    spot, days = np.exp(chance.uniform(np.log(70), np.log(140), size)), chance.integers(60, 730, size)
    volatility, rate = chance.uniform(0.15, 0.6, size), chance.uniform(0.005, 0.06, size)
    first, second = (days * chance.uniform(0.1, 0.45, size)).astype(int) + 1, (days * 0.75).astype(int)
    when, cash = np.column_stack([first, second]) / 365.0, chance.uniform(0.5, 4.0, (size, 2))

    def ours() -> np.ndarray:
        return american_cash_dividends(spot, 100.0, days / 365.0, volatility, rate, is_call, when, cash)

    def peer_options(times: int, nodes: int) -> list[ql.VanillaOption]:
        options = []
        for i in range(FEW):
            option, model = peer_option((spot[i], 100.0, days[i] / 365.0, volatility[i], rate[i], is_call[i], 0.0))
            paid = [ql.FixedDividend(float(cash[i, k]), TODAY + int((first, second)[k][i])) for k in range(2)]
            option.setPricingEngine(ql.FdBlackScholesVanillaEngine(model, paid, times, nodes))
            options.append(option)
        return options

    reference = np.array([option.NPV() for option in peer_options(1_600, 3_200)])
    found = ours()[:FEW]
    rate_ours = size / best_of(ours, 3, time.process_time)
    options = peer_options(200, 400)
    began = time.process_time()
    theirs = np.array([option.NPV() for option in options])
    rate_peer = FEW / (time.process_time() - began)
    print("cash dividends, two a contract")
    for name, speed, values in (
        ("tsingma, 520 nodes x 260", rate_ours, found),
        ("QuantLib, 200 x 400", rate_peer, theirs),
    ):
        error = np.abs(values - reference).max()
        print(f"  {name:<24} {speed:10,.0f} /s   RMSE {rmse(values, reference):.1e}, largest error {error:.1e}")
    met = rmse(found, reference) <= rmse(theirs, reference) and rate_ours >= 10 * rate_peer
    print(f"  ratio {rate_ours / rate_peer:.1f}")
    print(verdict("10 times the rate at no larger RMSE", met))


def closed_form() -> None:
    """Time Black-76 over columns, QuantLib's analytic engine beside."""
    chance = np.random.default_rng(1)
    columns = (
        chance.uniform(80, 120, CLOSED), np.full(CLOSED, 100.0), chance.uniform(0.05, 2, CLOSED),
        chance.uniform(0.1, 0.5, CLOSED), np.full(CLOSED, 0.02), chance.random(CLOSED) < 0.5,
    )  # fmt: skip
    rate = CLOSED / best_of(lambda: black76(*columns), 5, time.process_time)
    payoff = ql.PlainVanillaPayoff(ql.Option.Call, 100.0)
    options = []
    for spot in np.linspace(80, 120, 2_000):
        option = ql.VanillaOption(payoff, ql.EuropeanExercise(TODAY + 365))
        option.setPricingEngine(ql.AnalyticEuropeanEngine(process(spot, 0.02, 0.0, 0.2)))
        options.append(option)
    began = time.process_time()
    for option in options:
        option.recalculate()
    other = len(options) / (time.process_time() - began)
    print(f"Black-76: tsingma {rate / 1e6:.1f} M/s, QuantLib {other / 1e6:.2f} M/s, ratio {rate / other:,.0f}")
    print(verdict("30 M/s", rate >= 30e6))


def main() -> None:
    """Run the three comparisons."""
    import numba

    numba.set_num_threads(1)
    ql.Settings.instance().evaluationDate = TODAY
    print(describe("numpy", "numba", "QuantLib"))
    americans()
    dividends()
    closed_form()


if __name__ == "__main__":
    main()
