"""Bonds, swaps, forwards and curves.

Goal: 1,000 random contracts as QuantLib values them, to 1e-8 relative; accruals, yields and curves as well. Method:
QuantLib as oracle, plain twin of the sparse product, identities, refusals.
"""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import msgspec
import numpy as np
import pytest
import QuantLib as ql  # noqa: N813
from hypothesis import given
from hypothesis import strategies as st

from tsingma.basics.rejection import Rejected
from tsingma.kernels.cash_flows import book_values, book_values_plain
from tsingma.pricing.cash_flows import (
    Bond,
    FloatingNote,
    Flow,
    Swap,
    accrued_interest,
    bond_flows,
    dirty_price,
    floating_note_flows,
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


def quantlib_bond(bond: Bond, curve: ql.YieldTermStructureHandle) -> float:
    """Return QuantLib's value of a fixed, zero or amortising bond."""
    days = quantlib_schedule(bond.start, bond.maturity, bond.months)
    if bond.repaid:
        left = [bond.face * (1 - sum(bond.repaid[:k])) for k in range(len(days) - 1)]
        peer: ql.Bond = ql.AmortizingFixedRateBond(0, left, days, [bond.coupon], COUNTS[bond.count])
    elif not bond.coupon:
        peer = ql.ZeroCouponBond(0, ql.NullCalendar(), bond.face, q(bond.maturity), ql.Unadjusted)
    else:
        peer = ql.FixedRateBond(0, bond.face, days, [bond.coupon], COUNTS[bond.count])
    peer.setPricingEngine(ql.DiscountingBondEngine(curve))
    return float(peer.NPV())


def shaped(bond: Bond, place: int, rng: np.random.Generator) -> Bond:
    """Return every fourth bond as a zero bond, the next as an amortising one, the others as they are."""
    if place % 4 == 0:
        return msgspec.structs.replace(bond, coupon=0.0)
    if place % 4 == 1:
        periods = len(schedule(bond.start, bond.maturity, bond.months)) - 1
        return msgspec.structs.replace(bond, repaid=tuple(rng.uniform(0, 1 / periods, periods - 1)))
    return bond


def random_swaps(size: int) -> list[Swap]:
    """Return swaps, every third of which has started, with the fixing of its running period."""
    rng, swaps = np.random.default_rng(5), []
    for k in range(size):
        start = TODAY + timedelta(days=int(rng.integers(-1500, -1) if k % 3 == 0 else rng.integers(1, 361)))
        start = start.replace(day=min(start.day, 28))
        start = start if k % 3 == 0 else max(start, TODAY + timedelta(days=1))
        maturity = add_months(start, 12 * int(rng.integers(5 if k % 3 == 0 else 1, 25)))
        swaps.append(
            Swap(start=start, maturity=maturity, notional=1e6, rate=float(rng.uniform(0.01, 0.06)),
                 pays_fixed=bool(rng.random() < 0.5), fixed_months=int(rng.choice([3, 6, 12])),
                 fixing=FIXING if k % 3 == 0 else None)
        )  # fmt: skip
    return swaps


def running_reset(start: date, maturity: date) -> date:
    """Return the day on which the running quarterly period began."""
    return max(day for day in schedule(start, maturity, 3) if day <= TODAY)


FIXING = 0.0417


def test_thousand_bonds_and_swaps() -> None:
    """Goal: values to 1e-8 relative. Method: one book, one curve, QuantLib beside: 450 bonds (fixed, zero, amortising),
    50 floating notes, 500 swaps, a third of which have started.
    """
    curve = quantlib_curve()
    rng = np.random.default_rng(9)
    bonds = [shaped(bond, place, rng) for place, bond in enumerate(random_bonds(450))]
    wanted = [quantlib_bond(bond, curve) for bond in bonds]
    index = ql.IborIndex("X", ql.Period(3, ql.Months), 0, ql.HKDCurrency(), ql.NullCalendar(), ql.Unadjusted, False,
                         ql.Actual365Fixed(), curve)  # fmt: skip
    notes, swaps, count = [], random_swaps(500), ql.Actual365Fixed()
    for one in swaps[:150:3]:
        note = FloatingNote(start=one.start, maturity=one.maturity, spread=one.rate / 10, fixing=FIXING)
        index.addFixing(q(running_reset(note.start, note.maturity)), FIXING, True)
        peer = ql.FloatingRateBond(0, 100.0, quantlib_schedule(note.start, note.maturity, 3), index, count,
                                   ql.Unadjusted, 0, [1.0], [note.spread])  # fmt: skip
        ql.setCouponPricer(peer.cashflows(), ql.BlackIborCouponPricer())
        peer.setPricingEngine(ql.DiscountingBondEngine(curve))
        notes.append(note)
        wanted.append(peer.NPV())
    for swap in swaps:
        if swap.fixing is not None:
            index.addFixing(q(running_reset(swap.start, swap.maturity)), swap.fixing, True)
        kind = ql.Swap.Payer if swap.pays_fixed else ql.Swap.Receiver
        peer = ql.VanillaSwap(kind, 1e6, quantlib_schedule(swap.start, swap.maturity, swap.fixed_months), swap.rate,
                              count, quantlib_schedule(swap.start, swap.maturity, 3), index, 0.0, count)  # fmt: skip
        peer.setPricingEngine(ql.DiscountingSwapEngine(curve))
        wanted.append(peer.NPV())
    flows = [bond_flows(bond) for bond in bonds] + [floating_note_flows(note, TODAY) for note in notes]
    book = flow_book(TODAY, flows + [swap_flows(swap, TODAY) for swap in swaps])
    found = book.values(np.array(NODES) / 365.0, ZERO)[0]
    assert found.size == 1000
    assert (np.abs(found - wanted) / np.abs(wanted)).max() < 1e-8


def test_started_legs_need_their_fixing() -> None:
    """Goal: a running floating coupon is never guessed. Method: a swap and a note without it, one that has matured."""
    swap = Swap(start=date(2026, 1, 1), maturity=date(2028, 1, 1), notional=1.0, rate=0.03)
    with pytest.raises(Rejected, match="started on 2026-01-01"):
        swap_flows(swap, TODAY)
    with pytest.raises(Rejected, match="started on 2026-01-01"):
        floating_note_flows(FloatingNote(start=date(2026, 1, 1), maturity=date(2028, 1, 1)), TODAY)
    with pytest.raises(Rejected, match="matured on 2028-01-01"):
        swap_flows(swap, date(2028, 1, 1))


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
