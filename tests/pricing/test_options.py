"""European and American options.

Goal: values, greeks and implied volatility are right and bad rows are named. Method: published values, QuantLib on
random contracts, finite differences, round trips; the compiled kernel beside its plain twin.
"""

from __future__ import annotations

import numpy as np
import pytest
import QuantLib as ql  # noqa: N813 - the name its users know

from tsingma.basics.rejection import Rejected
from tsingma.kernels.black import COMPILED_FROM_PRICES, black, black_plain
from tsingma.pricing.options import american_crr, black76, black_scholes, greeks, implied_volatility

# E. Haug, The Complete Guide to Option Pricing Formulas, 1998: chapter 1 (values as printed)
HAUG_EUROPEAN = [
    ((60.0, 65.0, 0.25, 0.30, 0.08, True, 0.0), 2.1334, 1e-4),
    ((100.0, 95.0, 0.5, 0.20, 0.10, False, 0.05), 2.4648, 1e-4),
]


def test_haug_black_scholes() -> None:
    """Goal: Haug's first examples. Method: call 60/65, three months (2.1334); put on an index with yield (2.4648)."""
    for arguments, value, tolerance in HAUG_EUROPEAN:
        assert black_scholes(*arguments)[0] == pytest.approx(value, abs=tolerance)


def test_haug_black76() -> None:
    """Goal: Haug's option on a future: 19, 19, nine months, 10 %, 28 %: 1.7011 call and put. Method: as printed."""
    value = black76([19.0, 19.0], 19.0, 0.75, 0.28, 0.10, [True, False])
    assert value == pytest.approx([1.7011, 1.7011], abs=1e-4)


def contracts(count: int, seed: int = 1) -> tuple[np.ndarray, ...]:
    """Return random (spot, strike, years, volatility, rate, is_call, carry)."""
    chance = np.random.default_rng(seed)
    return (
        np.exp(chance.uniform(np.log(50), np.log(200), count)),
        np.full(count, 100.0),
        chance.integers(2, 730, count) / 365.0,
        chance.uniform(0.05, 0.9, count),
        chance.uniform(0.0, 0.08, count),
        chance.random(count) < 0.5,
        chance.uniform(0.0, 0.05, count),
    )


def process(spot: float, rate: float, carry: float, volatility: float) -> ql.BlackScholesMertonProcess:
    """Return QuantLib's market of one contract."""
    today = ql.Date(5, 1, 2026)
    ql.Settings.instance().evaluationDate = today
    count = ql.Actual365Fixed()
    flat = [ql.YieldTermStructureHandle(ql.FlatForward(today, float(value), count)) for value in (carry, rate)]
    smile = ql.BlackVolTermStructureHandle(ql.BlackConstantVol(today, ql.NullCalendar(), float(volatility), count))
    return ql.BlackScholesMertonProcess(ql.QuoteHandle(ql.SimpleQuote(float(spot))), *flat, smile)


def oracle(row: tuple[float, ...], engine: str) -> ql.VanillaOption:
    """Return QuantLib's option of one row, priced."""
    spot, strike, years, volatility, rate, is_call, carry = row
    last = ql.Date(5, 1, 2026) + round(years * 365)
    kind = ql.Option.Call if is_call else ql.Option.Put
    american = ql.AmericanExercise(ql.Date(5, 1, 2026), last)
    exercise = ql.EuropeanExercise(last) if engine == "european" else american
    option = ql.VanillaOption(ql.PlainVanillaPayoff(kind, float(strike)), exercise)
    market = process(spot, rate, carry, volatility)
    if engine == "european":
        option.setPricingEngine(ql.AnalyticEuropeanEngine(market))
    else:
        option.setPricingEngine(ql.QdFpAmericanEngine(market, ql.QdFpAmericanEngine.accurateScheme()))
    return option


def test_europeans_and_greeks_equal_quantlib() -> None:
    """Goal: an outside oracle agrees on value and greeks. Method: 500 random contracts, relative 1e-9."""
    columns = contracts(500)
    value, sensitivity = black_scholes(*columns), greeks(*columns)
    for i in range(500):
        option = oracle(tuple(column[i] for column in columns), "european")
        assert value[i] == pytest.approx(option.NPV(), rel=1e-9, abs=1e-9)
        for name in ("delta", "gamma", "vega", "theta", "rho"):
            wanted = getattr(option, name)()
            assert getattr(sensitivity, name)[i] == pytest.approx(wanted, rel=1e-8, abs=1e-8), name


def test_greeks_equal_finite_differences() -> None:
    """Goal: greeks are slopes of our own values. Method: central differences on 200 contracts."""
    columns = list(contracts(200, seed=3))
    sensitivity = greeks(*columns)

    def slope(place: int, step: float) -> np.ndarray:
        up, down = list(columns), list(columns)
        up[place], down[place] = columns[place] + step, columns[place] - step
        return (black_scholes(*up) - black_scholes(*down)) / (2 * step)

    assert slope(0, 1e-3) == pytest.approx(sensitivity.delta, abs=1e-6)
    near = [np.array(column) for column in columns]
    values = []
    for step in (-1e-2, 0.0, 1e-2):
        near[0] = columns[0] + step
        values.append(black_scholes(*near))
    assert (values[0] - 2 * values[1] + values[2]) / 1e-4 == pytest.approx(sensitivity.gamma, abs=1e-5)
    assert slope(3, 1e-5) == pytest.approx(sensitivity.vega, abs=1e-4)
    assert slope(2, 1e-5) == pytest.approx(-sensitivity.theta, abs=2e-2, rel=1e-3)
    assert slope(4, 1e-5) == pytest.approx(sensitivity.rho, abs=1e-4)


def test_american_tree_converges_to_quantlib() -> None:
    """Goal: the tree is the American option. Method: QuantLib spectral engine; error of 100 steps, then 800."""
    columns = contracts(100, seed=5)[:6]
    wanted = np.array([oracle((*[column[i] for column in columns], 0.0), "american").NPV() for i in range(100)])
    coarse, fine = (np.abs(american_crr(*columns, steps=steps) - wanted) for steps in (100, 800))
    assert coarse.max() < 0.12
    assert fine.max() < 0.02
    assert np.sqrt(np.mean(fine**2)) < 0.25 * np.sqrt(np.mean(coarse**2))


def test_compiled_equals_plain() -> None:
    """Goal: the fast kernel is the formula. Method: a long column beside the twin; zero time, far strikes."""
    count = COMPILED_FROM_PRICES
    chance = np.random.default_rng(2)
    forward = np.exp(chance.uniform(np.log(1e-3), np.log(1e5), count))
    strike = forward * np.exp(chance.uniform(-2, 2, count))
    deviation = np.where(chance.random(count) < 0.01, 0.0, chance.uniform(1e-4, 3, count))
    sign = np.where(chance.random(count) < 0.5, 1.0, -1.0)
    columns = (sign, forward, strike, deviation, np.exp(-chance.uniform(0, 0.3, count)))
    assert np.abs((black(*columns) - black_plain(*columns)) / forward).max() < 1e-11


def test_implied_volatility_round_trip_and_bounds() -> None:
    """Goal: volatility from price and back; no volatility for an impossible price. Method: 2,000 random contracts."""
    forward, strike, years, volatility, rate, is_call, _ = contracts(2_000, seed=7)
    price = black76(forward, strike, years, volatility, rate, is_call)
    time_value = price - np.exp(-rate * years) * np.maximum(np.where(is_call, 1, -1) * (forward - strike), 0)
    priced = time_value > 1e-6
    found = implied_volatility(*(column[priced] for column in (price, forward, strike, years, rate, is_call)))
    again = black76(forward[priced], strike[priced], years[priced], found, rate[priced], is_call[priced])
    assert again == pytest.approx(price[priced], abs=1e-9)
    assert np.median(np.abs(found - volatility[priced])) < 1e-10
    for bad, text in ((-1.0, "is negative"), (5.0, "is outside the bounds"), (110.0, "is outside the bounds")):
        with pytest.raises(Rejected, match=f"price: row 2: {bad:g} {text}"):
            implied_volatility([12.0, bad], 110.0, 100.0, 0.5, 0.0, True)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"volatility": -0.1}, "volatility: row 1: -0.1 is negative"),
        ({"volatility": np.nan}, "volatility: row 1: nan is no finite number"),
        ({"strike": 0.0}, "strike: row 1: 0 is not positive"),
        ({"spot": -5.0}, "spot: row 1: -5 is not positive"),
        ({"years": -1.0}, "years: row 1: -1 is negative"),
        ({"rate": np.inf}, "rate: row 1: inf is no finite number"),
    ],
)
def test_bad_rows_are_named(change: dict[str, float], text: str) -> None:
    """Goal: a bad quote never turns into a price. Method: one field each."""
    good = {"spot": 100.0, "strike": 100.0, "years": 0.5, "volatility": 0.2, "rate": 0.02, "is_call": True}
    with pytest.raises(Rejected, match=text):
        black_scholes(**(good | change))
    with pytest.raises(Rejected):
        american_crr(**(good | change))
    with pytest.raises(Rejected):
        greeks(**(good | change))


def test_limits() -> None:
    """Goal: no time and no volatility give intrinsic value. Method: by hand; a tree without probabilities."""
    assert black_scholes([120.0, 80.0], 100.0, 0.0, 0.2, 0.05, True).tolist() == [20.0, 0.0]
    assert american_crr([120.0, 80.0], 100.0, 0.0, 0.2, 0.05, False).tolist() == [0.0, 20.0]
    with pytest.raises(Rejected, match="too low for the tree"):
        american_crr(100.0, 100.0, 1.0, 1e-4, 0.05, True)
    good = {"spot": 1.0, "strike": 1.0, "years": 1.0, "volatility": 0.2, "rate": 0.0, "is_call": True}
    for field in ("years", "volatility"):
        with pytest.raises(Rejected, match=f"{field}: row 1: 0 is not positive"):
            greeks(**(good | {field: 0.0}))
