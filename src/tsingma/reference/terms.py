"""The terms of a security: what was promised at issue. Days are day numbers, rates are x 10**9, money is in cents."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Product(StrEnum):
    """What kind of promise a security is; decides which commands its life takes."""

    SOVEREIGN = "sovereign"
    PROVINCIAL = "provincial"
    POLICY_BANK = "policy-bank"
    CORPORATE = "corporate"
    GREEN = "green"
    PROJECT = "project"
    BILL = "bill"
    CERTIFICATE = "certificate"
    FUND = "fund"
    ETF = "etf"
    GOLD = "gold"
    EQUITY = "equity"


DEBT = frozenset(
    {
        Product.SOVEREIGN,
        Product.PROVINCIAL,
        Product.POLICY_BANK,
        Product.CORPORATE,
        Product.GREEN,
        Product.PROJECT,
        Product.BILL,
        Product.CERTIFICATE,
    }
)


class SecurityTerms(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one security promises; ``custody.issuance.require_terms`` says which combinations make sense.

    ``payer`` is the account (index) that receives the proceeds and pays what falls due, ``depository`` the home where
    the register is kept. Debt: ``face_cents`` of one unit, ``coupon_e9`` a year, paid every ``months`` (0: at maturity
    only, a discount security), accruing by ``day_count`` (names of ``pricing.schedule``) between dates that are moved
    to business days when ``adjusted``; paid to who holds at the close of the day ``record_days`` business days before.
    ``repaid_cents`` are parts of a unit's face by coupon period, first to last; the rest comes at maturity.
    """

    isin: str
    product: Product
    payer: int
    currency: str
    depository: str = "CMU"
    face_cents: int = 0
    issue_day: int = 0
    maturity_day: int = 0
    coupon_e9: int = 0
    months: int = 0
    day_count: str = "ACT/365F"
    roll: str = "modified-following"
    adjusted: bool = True
    calendar: str = "XHKG.settlement"
    record_days: int = 1
    repaid_cents: tuple[int, ...] = ()
    purpose: str = ""  # the use of proceeds a green security was sold for
