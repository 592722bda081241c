"""American options by collocation and on the dividend grid.

Goal: published values, QuantLib on random contracts, exact limits, greeks-free identities. Method: tables of
Andersen-Lake-
Offengenden, Ju and Barone-Adesi-Whaley's setting; QuantLib's high-precision engine and its finite differences as
oracles; the NumPy twin beside the compiled kernel.
"""

from __future__ import annotations

import numpy as np
import pytest
import QuantLib as ql  # noqa: N813

from tsingma.basics.rejection import Rejected
from tsingma.kernels.american import american_plain, constants
from tsingma.kernels.american_compiled import american_compiled
from tsingma.kernels.dividend_grid import GridColumns, american_dividends_plain, geometry
from tsingma.kernels.dividend_grid_compiled import dividends_compiled
from tsingma.pricing.american import (
    ACCURATE,
    FAST,
    HIGHEST,
    STANDARD,
    american,
    american_cash_dividends,
    american_ladder,
)
from tsingma.pricing.options import black_scholes

TODAY = ql.Date(2, 1, 2026)


def random_contracts(size: int, seed: int = 7) -> tuple[np.ndarray, ...]:
    """Return spot, strike, years, volatility, rate, is_call, carry shaped like listed options."""
    rng = np.random.default_rng(seed)
    return (
        np.exp(rng.uniform(np.log(60), np.log(160), size)), np.full(size, 100.0), rng.integers(7, 731, size) / 365.0,
        rng.uniform(0.10, 0.90, size), rng.uniform(0.005, 0.06, size), rng.random(size) < 0.5,
        np.where(rng.random(size) < 0.3, 0.0, rng.uniform(0.002, 0.05, size)),
    )  # fmt: skip


def process(spot: float, rate: float, carry: float, volatility: float) -> ql.BlackScholesMertonProcess:
    """Return QuantLib's process with flat curves."""
    ql.Settings.instance().evaluationDate = TODAY
    day_count = ql.Actual365Fixed()
    flat = [ql.YieldTermStructureHandle(ql.FlatForward(TODAY, float(each), day_count)) for each in (carry, rate)]
    volatility_curve = ql.BlackConstantVol(TODAY, ql.NullCalendar(), float(volatility), day_count)
    quote = ql.QuoteHandle(ql.SimpleQuote(float(spot)))
    return ql.BlackScholesMertonProcess(quote, *flat, ql.BlackVolTermStructureHandle(volatility_curve))


def quantlib(row: tuple[float, ...], engine: object = None, dividends: list[tuple[int, float]] | None = None) -> float:
    """Return QuantLib's American value: high-precision, or finite differences with cash dividends."""
    spot, strike, years, volatility, rate, is_call, carry = row
    kind = ql.Option.Call if is_call else ql.Option.Put
    exercise = ql.AmericanExercise(TODAY, TODAY + round(years * 365))
    option = ql.VanillaOption(ql.PlainVanillaPayoff(kind, float(strike)), exercise)
    model = process(spot, rate, carry, volatility)
    if dividends is None:
        option.setPricingEngine(ql.QdFpAmericanEngine(model, ql.QdFpAmericanEngine.highPrecisionScheme()))
    else:
        paid = [ql.FixedDividend(cash, TODAY + day) for day, cash in dividends]
        option.setPricingEngine(ql.FdBlackScholesVanillaEngine(model, paid, 800, 1600))
    return float(option.NPV())


@pytest.mark.parametrize(
    ("rate", "spot_strike", "premium"),
    [(0.05, 100.0, 0.1069527), (0.075, 100.0, 0.3671111)],
)
def test_published_premiums(rate: float, spot_strike: float, premium: float) -> None:
    """Goal: Andersen-Lake-Offengenden's premiums over European to 1e-6.

    Method: S = K = 100, q = 5 %, 25 %, one year.
    """
    columns = (100.0, spot_strike, 1.0, 0.25, rate, False, 0.05)
    found = american(*columns, scheme=HIGHEST) - black_scholes(*columns)
    assert float(found[0]) == pytest.approx(premium, abs=1e-6)


def test_published_premium_below_the_spot() -> None:
    """Goal: 0.23865 for K = 95, r = 7.5 %. Method: QuantLib's testQdEngineStandardExample, likewise to its digits."""
    columns = (100.0, 95.0, 1.0, 0.25, 0.075, False, 0.05)
    assert float((american(*columns, scheme=HIGHEST) - black_scholes(*columns))[0]) == pytest.approx(0.23865, abs=1e-5)


# N. Ju, "Pricing an American option by approximating its early exercise boundary", RFS 11(3), 1998, exhibit 3:
# puts, S = 40, r = 4.88 %, no yield: strike, volatility, years, "true" value.
JU = """35 .2 .0833 .006|35 .2 .3333 .2|35 .2 .5833 .433|40 .2 .0833 .852|40 .2 .3333 1.58|40 .2 .5833 1.99|
45 .2 .0833 5|45 .2 .3333 5.088|45 .2 .5833 5.267|35 .3 .0833 .077|35 .3 .3333 .698|35 .3 .5833 1.22|
40 .3 .0833 1.31|40 .3 .3333 2.483|40 .3 .5833 3.17|45 .3 .0833 5.06|45 .3 .3333 5.706|45 .3 .5833 6.244|
35 .4 .0833 .247|35 .4 .3333 1.346|35 .4 .5833 2.155|40 .4 .0833 1.768|40 .4 .3333 3.387|40 .4 .5833 4.353|
45 .4 .0833 5.287|45 .4 .3333 6.51|45 .4 .5833 7.383"""


def test_ju_exhibit_3() -> None:
    """Goal: 27 puts of Ju to the three printed digits. Method: the table's true values."""
    rows = np.array([[float(each) for each in line.split()] for line in JU.replace("\n", "").split("|")])
    found = american(40.0, rows[:, 0], rows[:, 2], rows[:, 1], 0.0488, False, scheme=ACCURATE)
    assert np.abs(found - rows[:, 3]).max() < 1.2e-3


# G. Haug, "The Complete Guide to Option Pricing Formulas", 1998, p. 24: American options on futures (BAW), b = 0.
# The approximation itself is up to 0.07 from the option, so this is the setting, not the oracle.
def test_options_on_futures_are_near_their_approximation() -> None:
    """Goal: options on futures by carry = rate. Method: Haug's grid F = 90 to 110, within BAW's error."""
    haug = {(0.1, 0.15, True): (0.0206, 1.8771, 10.0089), (0.1, 0.15, False): (10.0, 1.8770, 0.0410),
            (0.5, 0.25, True): (2.7436, 6.8015, 13.0170), (0.5, 0.25, False): (12.4461, 6.8014, 3.2842)}  # fmt: skip
    for (years, volatility, is_call), values in haug.items():
        found = american([90.0, 100.0, 110.0], 100.0, years, volatility, 0.10, is_call, 0.10)
        assert np.abs(found - values).max() < 0.09


@pytest.mark.parametrize(("scheme", "error"), [(FAST, 2e-3), (STANDARD, 6e-4), (ACCURATE, 4e-5)])
def test_random_contracts_against_quantlib(scheme: object, error: float) -> None:
    """Goal: each scheme within its error. Method: 150 random contracts, QuantLib's high-precision engine."""
    columns = random_contracts(150)
    wanted = np.array([quantlib(row) for row in zip(*columns, strict=True)])
    found = american(*columns, scheme=scheme)  # type: ignore[arg-type]
    assert np.abs(found - wanted).max() < error
    assert np.sqrt(np.mean((found - wanted) ** 2)) < error / 5


def test_compiled_equals_plain() -> None:
    """Goal: the fast kernel is the readable one. Method: 100 contracts, every scheme but the finest, to 1e-6 of 100."""
    spot, strike, years, volatility, rate, is_call, carry = random_contracts(100, seed=3)
    sign = np.where(is_call, 1.0, -1.0)
    for scheme in (FAST, STANDARD, ACCURATE):
        columns = (sign, spot[:, None], strike, years, volatility, rate, carry)
        gap = np.abs(american_compiled(*columns, constants(scheme), scheme) - american_plain(*columns, scheme))
        assert gap.max() < 1e-6


def test_ladder_is_the_same_option() -> None:
    """Goal: one boundary prices all spots. Method: a ladder against one contract a spot; shapes refused."""
    _, strike, years, volatility, rate, is_call, carry = random_contracts(20)
    spots = np.linspace(60, 160, 21)
    ladder = american_ladder(spots, strike, years, volatility, rate, is_call, carry)
    for place, spot in enumerate(spots):
        assert ladder[:, place] == pytest.approx(
            american(spot, strike, years, volatility, rate, is_call, carry), abs=1e-6
        )
    with pytest.raises(Rejected, match="3 rows of spots"):
        american_ladder(np.ones((3, 2)), strike, years, volatility, rate, is_call, carry)
    with pytest.raises(Rejected, match="spots"):
        american_ladder([100.0, -1.0], strike, years, volatility, rate, is_call, carry)


def test_limits_are_exact() -> None:
    """Goal: limits of time, volatility, rate and yield.

    Method: intrinsic, certain paths, European where never early.
    """
    assert american(90.0, 100.0, 0.0, 0.2, 0.05, False).tolist() == [10.0]
    assert american(120.0, 100.0, 2.0, 0.0, 0.05, True, 0.0)[0] == pytest.approx(120 - 100 * np.exp(-0.1))
    assert american(120.0, 100.0, 2.0, 0.0, 0.01, True, 0.10)[0] == pytest.approx(20.0)
    columns = (95.0, 100.0, 1.0, 0.3, 0.04, True, 0.0)
    assert american(*columns, scheme=ACCURATE) == pytest.approx(black_scholes(*columns), abs=1e-5)
    put = (95.0, 100.0, 1.0, 0.3, 0.0, False, 0.03)
    assert american(*put, scheme=ACCURATE) == pytest.approx(black_scholes(*put), abs=1e-5)


def test_order_and_early_exercise() -> None:
    """Goal: American >= European and intrinsic; monotone in time and volatility. Method: 300 random contracts."""
    spot, strike, years, volatility, rate, is_call, carry = random_contracts(300, seed=5)
    found = american(spot, strike, years, volatility, rate, is_call, carry)
    european = black_scholes(spot, strike, years, volatility, rate, is_call, carry)
    intrinsic = np.where(is_call, spot - strike, strike - spot)
    assert (found >= european - 1e-3).all()
    assert (found >= intrinsic - 1e-9).all()
    assert (american(spot, strike, years, volatility + 0.05, rate, is_call, carry) >= found - 1e-3).all()


def test_cash_dividends_against_quantlib() -> None:
    """Goal: two cash dividends within 5e-3. Method: 12 random contracts, QuantLib's finite differences 800 x 1600."""
    spot, strike, _, volatility, rate, is_call, _ = random_contracts(12, seed=11)
    days = np.random.default_rng(2).integers(90, 700, 12)
    first, second = days // 4, 3 * days // 4
    volatility, spot = np.minimum(volatility, 0.6), np.clip(spot, 75, 135)
    wanted = [
        quantlib(
            (spot[i], 100.0, days[i] / 365, volatility[i], rate[i], is_call[i], 0.0), None,
            [(int(first[i]), 2.0), (int(second[i]), 3.0)],
        )
        for i in range(12)
    ]  # fmt: skip
    when = np.column_stack([first, second]) / 365
    found = american_cash_dividends(
        spot, strike, days / 365, volatility, rate, is_call, when, np.tile([2.0, 3.0], (12, 1))
    )
    assert np.abs(found - wanted).max() < 5e-3


def test_dividends_that_do_not_count() -> None:
    """Goal: no dividend, or one after expiry, is the plain option; one today's eve moves a call to intrinsic. Method:
    the collocation value beside the grid's; a huge dividend tomorrow.
    """
    plain = american(100.0, 95.0, 0.5, 0.3, 0.04, [True, False], scheme=ACCURATE)
    for when, cash in (([[0.2, 0.3]], [[0.0, 0.0]]), ([[0.2, 0.6]], [[0.0, 9.0]]), ([[0.5, 0.6]], [[5.0, 9.0]])):
        found = american_cash_dividends(100.0, 95.0, 0.5, 0.3, 0.04, [True, False], when, cash)
        assert found == pytest.approx(plain, abs=5e-3)
    eve = american_cash_dividends(100.0, 80.0, 0.5, 0.2, 0.04, True, [[1 / 365]], [[50.0]])
    assert eve[0] == pytest.approx(20.0, abs=0.02)


def test_dividend_kernel_equals_plain() -> None:
    """Goal: sixteen abreast is one at a time. Method: 20 contracts, both kernels, to 1e-9."""
    spot, strike, years, volatility, rate, is_call, carry = random_contracts(20, seed=9)
    when = np.column_stack([years * 0.3, years * 0.7])
    columns = GridColumns(
        np.where(is_call, 1.0, -1.0), spot, strike, years, volatility, rate, carry, when, np.full((20, 2), 1.5)
    )
    plain = american_dividends_plain(columns, 80, 40)
    assert dividends_compiled(columns, geometry(columns, 80), 80, 40) == pytest.approx(plain, abs=1e-9)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rate": -0.01}, "rate"),
        ({"carry": -0.01}, "carry"),
        ({"volatility": -0.1}, "volatility"),
        ({"spot": 0.0}, "spot"),
        ({"years": -1.0}, "years"),
    ],
)
def test_bad_rows_are_refused(change: dict[str, float], message: str) -> None:
    """Goal: no price from a bad quote. Method: one broken column each."""
    good = {
        "spot": 100.0,
        "strike": 100.0,
        "years": 1.0,
        "volatility": 0.2,
        "rate": 0.01,
        "is_call": True,
        "carry": 0.0,
    }
    with pytest.raises(Rejected, match=message):
        american(**(good | change))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("when", "cash", "message"),
    [
        ([[0.0]], [[1.0]], "dividend_years"),
        ([[0.2]], [[-1.0]], "dividend_cash"),
        ([[0.3, 0.2]], [[1.0, 1.0]], "out of order"),
        ([[0.3, 0.2]], [[1.0]], "shapes"),
    ],
)
def test_bad_dividends_are_refused(when: list[list[float]], cash: list[list[float]], message: str) -> None:
    """Goal: dividends make sense or are refused. Method: one fault each."""
    with pytest.raises(Rejected, match=message):
        american_cash_dividends(100.0, 100.0, 1.0, 0.2, 0.01, True, when, cash)
