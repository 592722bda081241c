"""Bonds, swaps, forwards and curves.

Goal: 1,000 random contracts as QuantLib values them, to 1e-8 relative; accruals, yields and curves as well. Method:
QuantLib as oracle, plain twin of the sparse product, identities, refusals.
"""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pytest
import QuantLib as ql  # noqa: N813
from hypothesis import given
from hypothesis import strategies as st

from tsingma.basics.rejection import Rejected
from tsingma.kernels.cash_flows import book_values, book_values_plain
from tsingma.pricing.cash_flows import (
    Bond,
    Flow,
    Swap,
    accrued_interest,
    bond_flows,
    dirty_price,
    floating_value,
    flow_book,
    forward_value,
    swap_flows,
    yield_of,
)
from tsingma.pricing.curves import Deposit, ParSwap, bootstrap
from tsingma.pricing.schedule import DayCount, Roll, add_months, adjust, schedule, year_fraction

TODAY = date(2026, 6, 1)
NODES = [0, 30, 91, 182, 365, 730, 1095, 1825, 2555, 3650, 5475, 7300, 10950]
ZERO = np.interp(NODES, [0, 365, 1825, 10950], [0.035, 0.034, 0.036, 0.041])
COUNTS = {
    DayCount.ACT_365F: ql.Actual365Fixed(), DayCount.ACT_360: ql.Actual360(),
    DayCount.THIRTY_360: ql.Thirty360(ql.Thirty360.BondBasis),
    DayCount.ACT_ACT_ISDA: ql.ActualActual(ql.ActualActual.ISDA),
    DayCount.ACT_ACT_ICMA: ql.ActualActual(ql.ActualActual.Bond),
}  # fmt: skip


def q(day: date) -> ql.Date:
    """Return a QuantLib date."""
    return ql.Date(day.day, day.month, day.year)


def quantlib_curve() -> ql.YieldTermStructureHandle:
    """Return the zero curve of all tests, linear in the zero rate."""
    ql.Settings.instance().evaluationDate = q(TODAY)
    days = [q(TODAY + timedelta(days=node)) for node in NODES]
    return ql.YieldTermStructureHandle(ql.ZeroCurve(days, [float(rate) for rate in ZERO], ql.Actual365Fixed()))


def quantlib_schedule(start: date, end: date, months: int) -> ql.Schedule:
    """Return an unadjusted schedule counted back from the end."""
    return ql.Schedule(
        q(start), q(end), ql.Period(months, ql.Months), ql.NullCalendar(), ql.Unadjusted, ql.Unadjusted,
        ql.DateGeneration.Backward, False,
    )  # fmt: skip


def random_bonds(size: int) -> list[Bond]:
    """Return bonds with every convention."""
    rng = np.random.default_rng(3)
    counts = list(COUNTS)
    bonds = []
    for k in range(size):
        start = TODAY - timedelta(days=int(rng.integers(0, 2000)))
        months = int(rng.choice([3, 6, 12]))
        periods = int(rng.integers(1, 28 * 12 // months))
        maturity = add_months(start, months * periods)
        if maturity <= TODAY + timedelta(days=5):
            maturity = add_months(maturity, 120)
        # Regular first periods: the reference period of a broken one is a convention of its own.
        bonds.append(
            Bond(start=start if start.day <= 28 else start.replace(day=28),
                 maturity=maturity if maturity.day <= 28 else maturity.replace(day=28),
                 coupon=float(rng.uniform(0, 0.08)), months=months, count=counts[k % 5])
        )  # fmt: skip
    return bonds


def test_thousand_bonds_and_swaps() -> None:
    """Goal: values to 1e-8 relative. Method: 500 bonds and 500 swaps, one book, one curve, QuantLib beside."""
    curve = quantlib_curve()
    bonds = random_bonds(500)
    rng = np.random.default_rng(5)
    index = ql.IborIndex("X", ql.Period(3, ql.Months), 0, ql.HKDCurrency(), ql.NullCalendar(), ql.Unadjusted, False,
                         ql.Actual365Fixed(), curve)  # fmt: skip
    swaps, wanted = [], []
    for bond in bonds:
        peer = ql.FixedRateBond(
            0, 100.0, quantlib_schedule(bond.start, bond.maturity, bond.months), [bond.coupon], COUNTS[bond.count]
        )
        peer.setPricingEngine(ql.DiscountingBondEngine(curve))
        wanted.append(peer.NPV())
    for _ in range(500):
        start = TODAY + timedelta(days=int(rng.integers(1, 361)))
        start = start.replace(day=min(start.day, 28))
        start = max(start, TODAY + timedelta(days=1))
        swap = Swap(start=start, maturity=add_months(start, 12 * int(rng.integers(1, 25))), notional=1e6,
                    rate=float(rng.uniform(0.01, 0.06)), pays_fixed=bool(rng.random() < 0.5),
                    fixed_months=int(rng.choice([3, 6, 12])))  # fmt: skip
        swaps.append(swap)
        kind = ql.Swap.Payer if swap.pays_fixed else ql.Swap.Receiver
        peer = ql.VanillaSwap(kind, 1e6, quantlib_schedule(swap.start, swap.maturity, swap.fixed_months), swap.rate,
                              ql.Actual365Fixed(), quantlib_schedule(swap.start, swap.maturity, 3), index, 0.0,
                              ql.Actual365Fixed())  # fmt: skip
        peer.setPricingEngine(ql.DiscountingSwapEngine(curve))
        wanted.append(peer.NPV())
    book = flow_book(TODAY, [bond_flows(bond) for bond in bonds] + [swap_flows(swap) for swap in swaps])
    found = book.values(np.array(NODES) / 365.0, ZERO)[0]
    scale = np.maximum(np.abs(wanted), np.where(np.arange(1000) < 500, 1.0, 1e4))
    assert (np.abs(found - wanted) / scale).max() < 1e-8


def test_accrued_and_yields_against_quantlib() -> None:
    """Goal: accrued interest, price at a yield and yield at a price. Method: 200 bonds, QuantLib, a round trip."""
    quantlib_curve()
    for bond in random_bonds(200):
        peer = ql.FixedRateBond(
            0, 100.0, quantlib_schedule(bond.start, bond.maturity, bond.months), [bond.coupon], COUNTS[bond.count]
        )
        assert accrued_interest(bond, TODAY) == pytest.approx(peer.accruedAmount(q(TODAY)), abs=1e-9)
        if bond.count in (DayCount.ACT_365F, DayCount.ACT_360, DayCount.ACT_ACT_ICMA):
            frequency = {3: ql.Quarterly, 6: ql.Semiannual, 12: ql.Annual}[bond.months]
            clean = ql.BondFunctions.cleanPrice(peer, 0.043, COUNTS[bond.count], ql.Compounded, frequency, q(TODAY))
            dirty = dirty_price(bond, 0.043, TODAY)
            assert dirty - accrued_interest(bond, TODAY) == pytest.approx(clean, rel=1e-9)
            assert yield_of(bond, dirty, TODAY) == pytest.approx(0.043, abs=1e-10)


def test_amortising_and_zero_bonds() -> None:
    """Goal: flows by hand. Method: thirds repaid each year; a zero bond; flows on open days."""
    bond = Bond(start=date(2026, 1, 1), maturity=date(2029, 1, 1), coupon=0.06, face=300.0, months=12,
                count=DayCount.THIRTY_360, repaid=(1 / 3, 1 / 3))  # fmt: skip
    assert [flow.amount for flow in bond_flows(bond)] == pytest.approx([118.0, 112.0, 106.0])
    zero = Bond(start=date(2026, 1, 1), maturity=date(2027, 1, 1), coupon=0.0, months=12)
    assert bond_flows(zero) == [Flow(date(2027, 1, 1), 100.0)]
    rolled = Bond(
        start=date(2026, 1, 31), maturity=date(2026, 5, 31), coupon=0.05, months=4, roll=Roll.MODIFIED_FOLLOWING
    )
    assert bond_flows(rolled, lambda day: day.weekday() < 5)[0].day == date(2026, 5, 29)
    with pytest.raises(Rejected, match="repaid"):
        bond_flows(Bond(start=date(2026, 1, 1), maturity=date(2027, 1, 1), coupon=0, repaid=(0.6, 0.6)))


@given(st.dates(date(2000, 1, 1), date(2030, 1, 1)), st.integers(1, 4000), st.sampled_from(list(COUNTS)))
def test_day_counts_against_quantlib(start: date, days: int, count: DayCount) -> None:
    """Goal: every day count is QuantLib's. Method: random periods (ICMA in the bonds above)."""
    end = start + timedelta(days=days)
    if count is DayCount.ACT_ACT_ICMA:
        return
    assert year_fraction(start, end, count) == pytest.approx(COUNTS[count].yearFraction(q(start), q(end)), abs=1e-12)


def test_schedules_and_rolls() -> None:
    """Goal: short first period, month ends, modified following. Method: by hand; impossible schedules refused."""
    assert schedule(date(2026, 1, 15), date(2026, 8, 31), 3) == [
        date(2026, 1, 15), date(2026, 2, 28), date(2026, 5, 31), date(2026, 8, 31)]  # fmt: skip

    def weekday(day: date) -> bool:
        return day.weekday() < 5

    assert adjust(date(2026, 1, 31), Roll.FOLLOWING, weekday) == date(2026, 2, 2)
    assert adjust(date(2026, 1, 31), Roll.MODIFIED_FOLLOWING, weekday) == date(2026, 1, 30)
    assert schedule(date(2026, 1, 1), date(2026, 1, 31), 12, Roll.FOLLOWING, weekday)[-1] == date(2026, 2, 2)
    for end, months, message in ((date(2026, 1, 1), 3, "not after"), (date(2027, 1, 1), 0, "0 months")):
        with pytest.raises(Rejected, match=message):
            schedule(date(2026, 1, 1), end, months)
    with pytest.raises(Rejected, match="months of the coupon"):
        year_fraction(date(2026, 1, 1), date(2026, 2, 1), DayCount.ACT_ACT_ICMA)


def test_bootstrap_reprices_and_matches_quantlib() -> None:
    """Goal: quotes are reproduced; factors are QuantLib's. Method: three deposits and five swaps, log-linear."""
    ql.Settings.instance().evaluationDate = q(TODAY)
    deposits = [(1, 0.021), (3, 0.023), (6, 0.025)]
    swaps = [(12, 0.026), (24, 0.027), (36, 0.0275), (60, 0.029), (120, 0.031)]
    instruments: list[Deposit | ParSwap] = [Deposit(add_months(TODAY, m), rate) for m, rate in deposits]
    instruments += [ParSwap(add_months(TODAY, m), rate) for m, rate in swaps]
    curve = bootstrap(TODAY, instruments)
    for one in instruments:
        days = schedule(TODAY, one.end, 12 if isinstance(one, ParSwap) else 1200)
        fractions = [(b - a).days / 365 for a, b in pairwise(days)]
        worth = sum(part * one.rate * curve.factor(day) for part, day in zip(fractions, days[1:], strict=True))
        assert worth + curve.factor(one.end) == pytest.approx(1.0, abs=1e-13)
    count, calendar = ql.Actual365Fixed(), ql.NullCalendar()
    helpers = [
        ql.DepositRateHelper(
            ql.QuoteHandle(ql.SimpleQuote(rate)), ql.Period(m, ql.Months), 0, calendar, ql.Unadjusted, False, count
        )
        for m, rate in deposits
    ]
    index = ql.IborIndex("H", ql.Period(3, ql.Months), 0, ql.HKDCurrency(), calendar, ql.Unadjusted, False, count)
    helpers += [
        ql.SwapRateHelper(
            ql.QuoteHandle(ql.SimpleQuote(rate)),
            ql.Period(m, ql.Months),
            calendar,
            ql.Annual,
            ql.Unadjusted,
            count,
            index,
        )
        for m, rate in swaps
    ]
    peer = ql.PiecewiseLogLinearDiscount(q(TODAY), helpers, count)
    for days in range(1, 3600, 97):
        day = TODAY + timedelta(days=days)
        assert curve.factor(day) == pytest.approx(peer.discount(q(day)), abs=1e-9)
    assert curve.zero_rate(TODAY + timedelta(days=5000)) > 0


@pytest.mark.parametrize(
    ("instruments", "message"),
    [
        ([], "no instrument"),
        ([Deposit(date(2026, 7, 1), 0.02), Deposit(date(2026, 7, 1), 0.02)], "instrument 2 ends on .* singular"),
        ([Deposit(date(2027, 6, 1), -1.5)], "instrument 1 at -1.5"),
        ([ParSwap(date(2036, 6, 1), float("nan"))], "singular"),
        ([ParSwap(date(2036, 6, 1), -9.0)], "singular"),
    ],
)
def test_singular_curves_are_refused(instruments: list[Deposit | ParSwap], message: str) -> None:
    """Goal: no curve from contradictory quotes. Method: one fault each; days before the curve."""
    with pytest.raises(Rejected, match=message):
        bootstrap(TODAY, instruments)
    curve = bootstrap(TODAY, [Deposit(date(2026, 7, 1), 0.02)])
    with pytest.raises(Rejected, match="before the curve"):
        curve.factor(date(2026, 5, 1))
    with pytest.raises(Rejected, match="not after the curve"):
        curve.zero_rate(TODAY)


def test_two_curves_and_forwards() -> None:
    """Goal: a floating leg on one curve telescopes; a forward at the parity strike is worth nothing.

    Method: identities.
    """
    days = schedule(date(2026, 7, 1), date(2028, 7, 1), 3)
    factors = [float(np.exp(-0.03 * (day - TODAY).days / 365)) for day in days]
    value = floating_value(1e6, days, DayCount.ACT_360, TODAY, factors, factors[1:])
    assert value == pytest.approx(1e6 * (factors[0] - factors[-1]), rel=1e-12)
    assert floating_value(1e6, days, DayCount.ACT_360, date(2028, 7, 1), factors, factors[1:]) == 0.0
    parity = 7.1 * 0.99 / 0.97
    assert forward_value(1e6, parity, [7.1, 7.2], [0.97, 0.97], [0.99, 0.99]) == pytest.approx(
        [0.0, 99_000.0], abs=1e-6
    )


@given(st.integers(0, 10**6))
def test_sparse_product_equals_plain(seed: int) -> None:
    """Goal: the sparse book is the plain one. Method: random books with empty contracts."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(0, 6, 7)
    start = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    place = rng.integers(0, 9, start[-1])
    amount, factors = rng.normal(size=start[-1]), rng.random((4, 9))
    assert book_values(start, place, amount, factors) == pytest.approx(book_values_plain(start, place, amount, factors))


def test_bad_scenarios_are_refused() -> None:
    """Goal: no value from no curve. Method: empty sets, nodes out of order, matured bonds, impossible yields."""
    book = flow_book(TODAY, [bond_flows(random_bonds(1)[0])])
    for nodes, rates, message in (([1.0], np.zeros((0, 1)), "no scenarios"), ([2.0, 1.0], [[0.1, 0.1]], "do not make")):
        with pytest.raises(Rejected, match=message):
            book.values(nodes, rates)
    old = Bond(start=date(2020, 1, 1), maturity=date(2021, 1, 1), coupon=0.01)
    with pytest.raises(Rejected, match="matured"):
        dirty_price(old, 0.02, TODAY)
    with pytest.raises(Rejected, match="yield"):
        dirty_price(old, -5.0, TODAY)
    new = Bond(start=TODAY, maturity=date(2030, 6, 1), coupon=0.01)
    with pytest.raises(Rejected, match="no yield gives"):
        yield_of(new, 1e9, TODAY)
    assert accrued_interest(old, TODAY) == 0.0
    assert book.contracts == 1
