"""Treasury bond futures: what may be delivered, conversion factors, the cheapest to deliver, the invoice.

Source: CFFEX, notice on conversion factors and accrued interest of 5-year treasury bond futures, 3 September 2013, and
its delivery rules: factor to 4 decimals, accrued interest of 100 face actual/actual to 7 decimals, delivery amount =
contracts x (settlement price x factor + accrued interest) x face / 100. Fractional powers are computed with 50 digits,
so that the result does not depend on the machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction

import msgspec

from tsingma.basics.dates import to_date, to_day
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.basics.rounding import divide_half_away
from tsingma.custody.accrual import RATE_ONE_E9, coupon_days, interest_fraction, period_at
from tsingma.pricing.schedule import add_months
from tsingma.reference.tables import read_table
from tsingma.reference.terms import Product, SecurityTerms

TABLE = "custody_products.toml"
FACTOR_ONE_E4 = 10_000
_DIGITS = Context(prec=50)


class BondFuture(msgspec.Struct, frozen=True, kw_only=True):
    """One contract of the table: face of a contract (cents), notional coupon, range of remaining and original life."""

    code: str
    face_cents: int
    notional_e9: int
    remaining_months_min: int
    remaining_months_max: int
    original_months_max: int
    settlement: str


class Delivery(msgspec.Struct, frozen=True):
    """What one way to deliver costs: prices per 100 face, e7; the implied repo rate a year, e9."""

    isin: str
    factor_e4: int
    invoice_e7: int
    gross_basis_e7: int
    net_basis_e7: int
    implied_repo_e9: int


def bond_future(code: str, day: date) -> BondFuture:
    """Return a contract in force on a day; raises Rejected (unknown)."""
    return msgspec.convert(contract_row("bond_future", code, day), BondFuture)


def contract_row(table: str, code: str, day: date) -> dict[str, object]:
    """Return the row of a contract in force on a day; raises Rejected (unknown) naming those there are."""
    rows = [row for row in read_table(TABLE)[table] if row["valid_from"] <= day <= row.get("valid_to", date.max)]
    for row in rows:
        if row["code"] == code:
            return dict(row)
    known = ", ".join(row["code"] for row in rows)
    raise refuse(RejectionReason.UNKNOWN, f"no contract '{code}' on {day}", field="contract", remedy=f"one of {known}")


def conversion_factor_e4(
    coupon_e9: int, payments_a_year: int, months_to_next: int, payments: int, notional_e9: int
) -> int:
    """Return the conversion factor x 10,000, rounded to nearest with halves up.

    ``months_to_next`` counts from the delivery month to the month of the next coupon (1 to a whole period),
    ``payments`` are those left after delivery.
    CF = (1 + r/f)^(-xf/12) [c/f + c/r + (1 - c/r)(1 + r/f)^(1 - n)] - c/f (1 - xf/12).
    """
    if payments < 1 or payments_a_year < 1 or 12 % payments_a_year or not 0 <= months_to_next <= 12:
        raise refuse(RejectionReason.OUT_OF_RANGE, f"{payments} payments, {payments_a_year} a year", field="payments")
    context = _DIGITS
    coupon, notional = (context.divide(Decimal(rate), Decimal(RATE_ONE_E9)) for rate in (coupon_e9, notional_e9))
    frequency = Decimal(payments_a_year)
    growth = context.add(Decimal(1), context.divide(notional, frequency))
    part = context.divide(Decimal(months_to_next * payments_a_year), Decimal(12))
    ratio = context.divide(coupon, notional)
    each = context.divide(coupon, frequency)
    tail = context.divide(context.subtract(Decimal(1), ratio), context.power(growth, Decimal(payments - 1)))
    bracket = context.add(context.add(each, ratio), tail)
    clean = context.subtract(
        context.divide(bracket, context.power(growth, part)),
        context.multiply(each, context.subtract(Decimal(1), part)),
    )
    scaled = context.multiply(clean, Decimal(FACTOR_ONE_E4))
    return int(scaled.quantize(Decimal(1), rounding=ROUND_HALF_UP, context=context))


def factor_of(terms: SecurityTerms, contract: BondFuture, delivery_month: date) -> int:
    """Return the conversion factor x 10,000 of a deliverable bond; raises Rejected (not-allowed) for another."""
    require_deliverable(terms, contract, delivery_month)
    first = to_day(delivery_month)
    left = [to_date(day) for day in coupon_days(terms.issue_day, terms.maturity_day, terms.months) if day >= first]
    left = [day for day in left if (day.year, day.month) > (delivery_month.year, delivery_month.month)]
    next_ = left[0]
    months = (next_.year - delivery_month.year) * 12 + next_.month - delivery_month.month
    return conversion_factor_e4(terms.coupon_e9, 12 // terms.months, months, len(left), contract.notional_e9)


def require_deliverable(terms: SecurityTerms, contract: BondFuture, delivery_month: date) -> None:
    """Raise Rejected (not-allowed) unless a bond may be delivered; ``delivery_month`` is its first day."""
    if contract.settlement != "delivery":
        raise refuse(RejectionReason.NOT_ALLOWED, "it settles in cash", field="contract", subject=contract.code)
    fixed = terms.product is Product.SOVEREIGN and terms.coupon_e9 and terms.months and not terms.repaid_cents
    maturity, issued = to_date(terms.maturity_day), to_date(terms.issue_day)
    nearest = add_months(delivery_month, contract.remaining_months_min)
    furthest = add_months(delivery_month, contract.remaining_months_max)
    too_long = contract.original_months_max and add_months(issued, contract.original_months_max) < maturity
    if not fixed or terms.currency != "CNY" or too_long or not nearest <= maturity <= furthest:
        raise refuse(
            RejectionReason.NOT_ALLOWED,
            f"it cannot be delivered into {contract.code} of {delivery_month:%B %Y}",
            field="isin",
            subject=terms.isin,
            remedy=f"fixed-rate sovereign bonds maturing {nearest} to {furthest}",
        )


def accrued_e7(terms: SecurityTerms, day: int) -> int:
    """Return the accrued interest of 100 face at a day, x 10**7, half a unit away from zero."""
    fraction = interest_fraction(terms, period_at(terms, day), day)
    return divide_half_away(terms.coupon_e9 * fraction.numerator, fraction.denominator)  # 100 x 10**7 / 10**9 is one


def invoice_e7(price_e4: int, factor_e4: int, accrued: int) -> int:
    """Return the invoice price of 100 face, x 10**7: settlement price x factor + accrued interest."""
    return divide_half_away(price_e4 * factor_e4, 10) + accrued


def invoice_cents(contract: BondFuture, contracts: int, invoice: int) -> int:
    """Return the delivery amount in cents, half a cent away from zero."""
    return divide_half_away(contracts * contract.face_cents * invoice, 100 * 10**7)


def delivery(
    terms: SecurityTerms, factor_e4: int, futures_e4: int, clean_e4: int, day: int, delivery_day: int, financing_e9: int
) -> Delivery:
    """Return what buying a bond on ``day`` and delivering it on ``delivery_day`` costs and earns.

    Implied repo (coupons between are not reinvested, actual/365): (invoice + coupons - dirty price) / (dirty price x
    t/365 - coupons x their own t/365). Net basis is the gross basis less the carry at ``financing_e9``.
    """
    invoice = invoice_e7(futures_e4, factor_e4, accrued_e7(terms, delivery_day))
    dirty = clean_e4 * 1_000 + accrued_e7(terms, day)
    ends = coupon_days(terms.issue_day, terms.maturity_day, terms.months)
    coupon = Fraction(terms.coupon_e9 * terms.months, 12)  # of 100 face, e7
    between = [end for end in ends[1:] if day < end <= delivery_day]
    earned = coupon * len(between)
    late = sum(((delivery_day - end) * coupon for end in between), Fraction(0)) / 365
    cost = Fraction(dirty * (delivery_day - day), 365) - late
    if delivery_day <= day or cost <= 0:
        raise refuse(RejectionReason.OUT_OF_RANGE, f"{to_date(delivery_day)} is not after it", field="delivery_day")
    implied = (invoice + earned - dirty) / cost * RATE_ONE_E9
    gross = clean_e4 * 1_000 - divide_half_away(futures_e4 * factor_e4, 10)
    carry = accrued_e7(terms, delivery_day) + earned - accrued_e7(terms, day) - cost * financing_e9 / RATE_ONE_E9
    net = gross - carry
    return Delivery(
        terms.isin,
        factor_e4,
        invoice,
        gross,
        divide_half_away(net.numerator, net.denominator),
        divide_half_away(implied.numerator, implied.denominator),
    )


def cheapest(ways: Sequence[Delivery]) -> Delivery:
    """Return the cheapest to deliver: the highest implied repo rate, then ISIN; raises Rejected (missing) for none."""
    if not ways:
        raise refuse(RejectionReason.MISSING, "nothing can be delivered", field="basket")
    return min(ways, key=lambda way: (-way.implied_repo_e9, way.isin))
