"""Treasury bond futures: published conversion factors, QuantLib, delivery choices.

Goal: factors as the exchange publishes them, invoice and implied repo as their definitions say. Method: CFFEX lists of
T1903 and of the seventh bond of 2022; QuantLib's clean price at the notional coupon; plain twins in fractions.
"""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import numpy as np
import pytest
import QuantLib as ql  # noqa: N813

from tsingma.basics.dates import to_day
from tsingma.basics.rejection import Rejected
from tsingma.custody.bond_futures import (
    accrued_e7,
    bond_future,
    cheapest,
    conversion_factor_e4,
    delivery,
    factor_of,
    invoice_cents,
    invoice_e7,
    require_deliverable,
)
from tsingma.pricing.schedule import add_months
from tsingma.reference.terms import Product, SecurityTerms

# CFFEX, deliverable treasury bonds and conversion factors of T1903 (the list as reprinted at doc.chddh.cn): ten-year
# bonds with semi-annual coupons; coupon in hundredths of a per cent, factor x 10,000.
T1903 = (
    (date(2025, 10, 15), 299, 9_994), (date(2026, 1, 28), 285, 9_908), (date(2026, 5, 5), 290, 9_936),
    (date(2026, 8, 4), 274, 9_828), (date(2026, 11, 3), 270, 9_796), (date(2027, 2, 9), 340, 10_280),
    (date(2027, 5, 4), 352, 10_374), (date(2027, 8, 3), 359, 10_436), (date(2027, 11, 2), 382, 10_621),
    (date(2028, 2, 1), 385, 10_661), (date(2028, 5, 17), 369, 10_549),
)  # fmt: skip
# CFFEX notice: the seventh book-entry bond of 2022 has 0.9769, 0.9779 and 0.9791 in TF2206, TF2209 and TF2212. Its
# coupon and maturity (2.48 %, 15 April 2027, paid yearly) are from memory; the three factors agree with no others near.
TF2022 = ((date(2022, 6, 1), 9_769), (date(2022, 9, 1), 9_779), (date(2022, 12, 1), 9_791))


def chinese(maturity: date, coupon_bp: int, years: int, months: int) -> SecurityTerms:
    """Return a Chinese government bond: ACT/ACT on the coupon period, CNY 100 a unit."""
    return SecurityTerms(
        isin=f"{maturity:%Y%m%d}", product=Product.SOVEREIGN, payer=0, currency="CNY", depository="CCDC",
        face_cents=10_000, issue_day=to_day(add_months(maturity, -12 * years)), maturity_day=to_day(maturity),
        coupon_e9=coupon_bp * 100_000, months=months, day_count="ACT/ACT ICMA", adjusted=False,
    )  # fmt: skip


@pytest.mark.parametrize(("maturity", "coupon", "factor"), T1903, ids=lambda value: str(value))
def test_published_factors_of_t1903(maturity: date, coupon: int, factor: int) -> None:
    """Goal: the exchange's own figures. Method: all eleven bonds of the list, four decimals."""
    month = date(2019, 3, 1)
    assert factor_of(chinese(maturity, coupon, 10, 6), bond_future("T", month), month) == factor


@pytest.mark.parametrize(("month", "factor"), TF2022, ids=lambda value: str(value))
def test_published_factors_of_one_bond_over_three_contracts(month: date, factor: int) -> None:
    """Goal: yearly coupons, and the months to the next one. Method: one bond in three contracts."""
    bond = chinese(date(2027, 4, 15), 248, 5, 12)
    assert factor_of(bond, bond_future("TF", month), month) == factor
    nearby = {factor_of(chinese(date(2027, 4, 15), 248 + change, 5, 12), bond_future("TF", month), month)
              for change in (-1, 1)}  # fmt: skip
    assert factor not in nearby


def test_factors_are_quantlibs_clean_price_at_the_notional_coupon() -> None:
    """Goal: the formula is a price. Method: 200 drawn bonds delivered on their coupon's day of the month, 30/360."""
    rng, count = np.random.default_rng(3), ql.Thirty360(ql.Thirty360.BondBasis)
    for _ in range(200):
        frequency = int(rng.choice([1, 2]))
        payments, ahead = int(rng.integers(1, 25)), int(rng.integers(1, 12 // frequency + 1))
        coupon_bp = int(rng.integers(50, 700))
        settle = date(2026, 3, 15)
        maturity = add_months(settle, ahead + 12 // frequency * (payments - 1))
        issue = add_months(maturity, -12 // frequency * (payments + 2))
        schedule = ql.Schedule(
            ql.Date(issue.day, issue.month, issue.year), ql.Date(maturity.day, maturity.month, maturity.year),
            ql.Period(12 // frequency, ql.Months), ql.NullCalendar(), ql.Unadjusted, ql.Unadjusted,
            ql.DateGeneration.Backward, False,
        )  # fmt: skip
        bond = ql.FixedRateBond(0, 100.0, schedule, [coupon_bp / 10_000], count)
        rate = ql.InterestRate(0.03, count, ql.Compounded, ql.Annual if frequency == 1 else ql.Semiannual)
        price = ql.BondFunctions.cleanPrice(bond, rate, ql.Date(15, 3, 2026))
        mine = conversion_factor_e4(coupon_bp * 100_000, frequency, ahead, payments, 30_000_000)
        assert abs(mine - price * 100) <= 0.5 + 1e-6


def test_a_bond_at_the_notional_coupon_has_factor_one_on_its_coupon_month() -> None:
    """Goal: the unit of the scale. Method: 3 % with a whole period to go; below one under 3 %, above one over it."""
    assert conversion_factor_e4(30_000_000, 1, 12, 5, 30_000_000) == 10_000
    assert (
        conversion_factor_e4(25_000_000, 1, 12, 5, 30_000_000)
        < 10_000
        < conversion_factor_e4(35_000_000, 1, 12, 5, 30_000_000)
    )


def test_what_cannot_be_delivered_is_refused() -> None:
    """Goal: the basket. Method: too short, too long, an old long bond, a policy bank, a contract settled in cash."""
    month = date(2026, 3, 1)
    contract = bond_future("TF", month)
    require_deliverable(chinese(date(2030, 3, 1), 250, 5, 12), contract, month)
    for bond in (
        chinese(date(2030, 2, 28), 250, 5, 12),
        chinese(date(2031, 6, 2), 250, 7, 12),
        chinese(date(2030, 9, 1), 250, 10, 6),
    ):
        with pytest.raises(Rejected, match="cannot be delivered"):
            require_deliverable(bond, contract, month)
    old = date(2017, 6, 1)
    with pytest.raises(Rejected, match="cash"):
        require_deliverable(chinese(date(2022, 6, 1), 250, 5, 12), bond_future("HTF", old), old)
    with pytest.raises(Rejected, match="one of TF, T"):
        bond_future("XX", month)


def test_the_invoice_is_price_times_factor_and_accrued_interest() -> None:
    """Goal: the delivery amount. Method: the definition in fractions, for two contracts.

    Source: CFFEX delivery rules: contracts x (settlement price x factor + accrued interest) x face / 100.
    """
    month, day = date(2026, 3, 1), to_day(date(2026, 3, 18))
    bond = chinese(date(2030, 9, 15), 260, 5, 12)
    contract = bond_future("TF", month)
    factor = factor_of(bond, contract, month)
    held = Fraction(184, 365)  # from 15 September 2025; the coupon year has 365 days
    assert accrued_e7(bond, day) == round(260 * 100_000 * held)
    price = invoice_e7(1_058_500, factor, accrued_e7(bond, day))
    assert price == Fraction(1_058_500 * factor, 10) + accrued_e7(bond, day)
    assert invoice_cents(contract, 2, price) == round(Fraction(2 * 100_000_000 * price, 10**9))


def test_the_cheapest_to_deliver_has_the_highest_implied_repo() -> None:
    """Goal: who delivers what. Method: implied repo solves its own equation; at that financing the net basis is zero.

    A coupon falls between purchase and delivery of the second bond. Source: CFFEX contract guides: implied repo rate;
    coupons are received and not reinvested.
    """
    month = date(2026, 9, 1)
    bought, delivered = to_day(date(2026, 6, 1)), to_day(date(2026, 9, 16))
    contract = bond_future("TF", month)
    ways = []
    for bond, clean_e4 in ((chinese(date(2030, 11, 15), 260, 5, 12), 1_030_000),
                           (chinese(date(2031, 7, 20), 230, 7, 12), 1_015_000)):  # fmt: skip
        factor = factor_of(bond, contract, month)
        way = delivery(bond, factor, 1_058_500, clean_e4, bought, delivered, 15_000_000)
        at_par = delivery(bond, factor, 1_058_500, clean_e4, bought, delivered, way.implied_repo_e9)
        assert abs(at_par.net_basis_e7) <= 1
        assert (way.net_basis_e7 > 0) == (way.implied_repo_e9 < 15_000_000)
        ways.append(way)
    best = cheapest(ways)
    assert best.implied_repo_e9 == max(way.implied_repo_e9 for way in ways)
    with pytest.raises(Rejected, match="nothing"):
        cheapest([])
