"""What swaps, bonds and bond futures are worth in every scenario.

Goal: each scenario profit is that of a full revaluation. Method: QuantLib under shifted curves as oracle, par
contracts, the cheapest bond of a basket.
"""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
import QuantLib as ql  # noqa: N813

from simulated_past import TERMS
from tsingma.margin.house.contracts import Contract, ContractKind, CurveBook, check_contracts
from tsingma.pricing.cash_flows import Bond, accrued_interest, dirty_price
from tsingma.pricing.schedule import DayCount, add_months

NAMES = tuple(TERMS)


def q(day: date) -> ql.Date:
    """Return a QuantLib date."""
    return ql.Date(day.day, day.month, day.year)


def schedule(start: date, end: date, months: int) -> ql.Schedule:
    """Return an unadjusted schedule counted back from the end."""
    return ql.Schedule(
        q(start), q(end), ql.Period(months, ql.Months), ql.NullCalendar(), ql.Unadjusted, ql.Unadjusted,
        ql.DateGeneration.Backward, False,
    )  # fmt: skip


def test_scenario_values_are_quantlibs() -> None:
    """Goal: a seasoned swap, a fresh swap and a bond under 20 shifted curves to 1e-9 of notional. Method: QuantLib."""
    day = date(2026, 6, 1)
    years = np.array([0.25, 1.0, 3.0, 5.0, 10.0, 12.0])
    rates = np.array([0.03, 0.031, 0.033, 0.034, 0.036, 0.037]) + np.random.default_rng(2).normal(0, 0.004, (20, 1))
    terms = check_contracts(
        [
            Contract(id="old", kind=ContractKind.SWAP, curve="HKD.X", start=date(2024, 3, 15),
                     maturity=date(2031, 3, 15), rate=0.028, months=6, fixing=0.041),
            Contract(id="new", kind=ContractKind.SWAP, curve="HKD.X", maturity=60, rate=0.031, months=12),
            Contract(id="bond", kind=ContractKind.BOND, curve="HKD.X", start=date(2025, 3, 15),
                     maturity=date(2033, 3, 15), rate=0.035, months=6, count=DayCount.ACT_ACT_ICMA),
        ]
    )  # fmt: skip
    found = CurveBook(list(terms.values()), terms, day, years, rates[:1]).values(rates)
    ql.Settings.instance().evaluationDate = q(day)
    nodes = [day + timedelta(days=round(365 * year)) for year in years]
    exact = np.array([(node - day).days / 365 for node in nodes])
    assert exact == pytest.approx(years, abs=2e-3)
    found = CurveBook(list(terms.values()), terms, day, exact, rates[:1]).values(rates)
    calendar, count = ql.NullCalendar(), ql.Actual365Fixed()
    for number, row in enumerate(rates):
        curve = ql.YieldTermStructureHandle(
            ql.ZeroCurve([q(day), *(q(node) for node in nodes)], [float(row[0]), *map(float, row)], count)
        )
        index = ql.IborIndex(
            "X", ql.Period(3, ql.Months), 0, ql.HKDCurrency(), calendar, ql.Unadjusted, False, count, curve
        )
        index.addFixing(q(date(2026, 3, 15)), 0.041, True)
        for name, start, end, rate, months in (
            ("old", date(2024, 3, 15), date(2031, 3, 15), 0.028, 6), ("new", day, add_months(day, 60), 0.031, 12),
        ):  # fmt: skip
            if name == "new":
                index.addFixing(q(day), float(index.fixing(q(day), True)), True)
            peer = ql.VanillaSwap(ql.Swap.Payer, 1.0, schedule(start, end, months), rate, count,
                                  schedule(start, end, 3), index, 0.0, count)  # fmt: skip
            peer.setPricingEngine(ql.DiscountingSwapEngine(curve))
            assert found[name][number] == pytest.approx(peer.NPV(), abs=1e-9)
        bond = ql.FixedRateBond(0, 1.0, schedule(date(2025, 3, 15), date(2033, 3, 15), 6), [0.035],
                                ql.ActualActual(ql.ActualActual.Bond))  # fmt: skip
        bond.setPricingEngine(ql.DiscountingBondEngine(curve))
        assert found["bond"][number] == pytest.approx(bond.NPV(), rel=1e-9)


def test_par_contracts_are_worth_nothing_or_their_face() -> None:
    """Goal: par swaps start at zero, par and floating notes at their face. Method: their values at today's curve."""
    day, years, rates = date(2026, 6, 1), np.array([1.0, 5.0, 10.0]), np.array([[0.02, 0.03, 0.04]])
    terms = check_contracts(
        [
            Contract(id="swap", kind=ContractKind.SWAP, curve="HKD.X", maturity=60, rate=None),
            Contract(id="bond", kind=ContractKind.BOND, curve="HKD.X", maturity=60, rate=None, repaid=(0.2, 0.2)),
            Contract(id="note", kind=ContractKind.FLOATER, curve="HKD.X", maturity=60, rate=0.0),
        ]
    )
    found = CurveBook(list(terms.values()), terms, day, years, rates).values(rates)
    assert [float(found[name][0]) for name in ("swap", "bond", "note")] == pytest.approx([0.0, 1.0, 1.0], abs=1e-12)


def test_bond_future_is_the_cheapest_to_deliver() -> None:
    """Goal: forward clean price over conversion factor, least of the basket. Method: by hand; the cheapest changes."""
    day, delivery = date(2026, 6, 1), date(2026, 10, 15)
    years = np.array([0.25, 5.0, 10.0])
    basket = [
        Contract(id="short", kind=ContractKind.BOND, curve="CNY.CGB", start=date(2025, 3, 1), maturity=date(2031, 3, 1),
                 rate=0.02, months=6),
        Contract(id="long", kind=ContractKind.BOND, curve="CNY.CGB", start=date(2025, 3, 1), maturity=date(2033, 3, 1),
                 rate=0.045, months=6),
    ]  # fmt: skip
    future = Contract(id="TF", kind=ContractKind.BOND_FUTURE, curve="CNY.CGB", maturity=delivery, rate=0.03, months=6,
                      basket=("short", "long"))  # fmt: skip
    terms = check_contracts([*basket, future])
    rates = np.array([[0.015, 0.015, 0.015], [0.06, 0.06, 0.06]])
    found = CurveBook([future], terms, day, years, rates[:1]).values(rates)["TF"]
    winners = []
    for number, rate in enumerate((0.015, 0.06)):
        prices = []
        for one in basket:
            assert isinstance(one.maturity, date)
            bond = Bond(start=date(2025, 3, 1), maturity=one.maturity, coupon=one.rate or 0, face=1.0, months=6)
            days = [d for d in (add_months(one.maturity, -6 * k) for k in range(20)) if d > delivery]
            flows = [(d, bond.coupon * (d - add_months(d, -6)).days / 365 + (d == one.maturity)) for d in days]
            forward = sum(a * np.exp(-rate * (d - delivery).days / 365) for d, a in flows)
            factor = dirty_price(bond, 0.03, delivery) - accrued_interest(bond, delivery)
            prices.append((forward - accrued_interest(bond, delivery)) / factor)
        assert found[number] == pytest.approx(min(prices), rel=1e-10)
        winners.append(int(np.argmin(prices)))
    assert winners == [0, 1]  # low yields: the short one; high yields: the long one
