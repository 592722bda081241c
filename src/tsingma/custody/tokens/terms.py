"""What a contract says: whether its terms are whole, and what a coupon comes to.

Interest is paid per calculation amount (the denomination), rounded to the nearest cent, halves up, and a holder gets
that amount once for each denomination held; so the parts always add up to the whole. This is the usual clause of bond
conditions (assumed for every contract here); the day counts are those of ``custody.accrual``.
"""

from __future__ import annotations

from tsingma.basics.dates import to_date
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import Rejected, Rejection, RejectionReason
from tsingma.custody.accrual import RATE_ONE_E9, day_fraction, interest_cents
from tsingma.journal.token_commands import CouponPeriod, TokenTerms
from tsingma.pricing.schedule import DayCount

DAY_COUNTS = (DayCount.ACT_365F, DayCount.ACT_360, DayCount.THIRTY_360, DayCount.ACT_ACT_ICMA)
PERIODS_MAX = 1_000
COUPON_E9_MAX = RATE_ONE_E9  # 100 % a year
SIZE_MAX = 2**53


def coupon_cents(terms: TokenTerms, period: int) -> int:
    """Return the coupon of one denomination for a period (its number from 0), in cents."""
    start, end = to_date(terms.periods[period].start), to_date(terms.periods[period].end)
    months = (end.year - start.year) * 12 + end.month - start.month
    fraction = day_fraction(start, end, DayCount(terms.day_count), months=months)
    return interest_cents(1, terms.denomination_cents, terms.coupon_e9, fraction)


def check_terms(terms: TokenTerms, tokens: list[TokenTerms]) -> None:
    """Raise Rejected with every fault of a contract that is to join ``tokens``."""
    faults = [*_common(terms, tokens), *(_money(terms) if terms.is_money else _bond(terms, tokens))]
    if faults:
        raise Rejected(
            *(
                Rejection(reason=reason, message=message, field=field, subject=terms.code)
                for reason, field, message in faults
            )
        )


_Fault = tuple[RejectionReason, str, str]


def _common(terms: TokenTerms, tokens: list[TokenTerms]) -> list[_Fault]:
    faults: list[_Fault] = []
    if any(one.code == terms.code for one in tokens):
        faults.append((RejectionReason.DUPLICATE, "code", "a token of that code is there already"))
    if any((one.book_account, one.book_asset) == (terms.book_account, terms.book_asset) for one in tokens):
        faults.append((RejectionReason.CONFLICT, "book_account", "it keeps the same asset for another token"))
    if terms.currency not in CURRENCIES:
        faults.append((RejectionReason.UNKNOWN, "currency", f"'{terms.currency}' is not kept"))
    if not 0 < terms.denomination_cents <= SIZE_MAX:
        faults.append((RejectionReason.OUT_OF_RANGE, "denomination_cents", "must be positive"))
    if terms.book_asset < 0 or terms.book_account < 0:
        faults.append((RejectionReason.OUT_OF_RANGE, "book_asset", "what it stands for on the book must be named"))
    return faults


def _money(terms: TokenTerms) -> list[_Fault]:
    if terms.periods or terms.coupon_e9 or terms.maturity_day or terms.size_cents or terms.denomination_cents != 1:
        return [(RejectionReason.CONFLICT, "is_money", "money has no coupon, no maturity, no size and whole cents")]
    return []


def _bond(terms: TokenTerms, tokens: list[TokenTerms]) -> list[_Fault]:
    faults: list[_Fault] = []
    if not 0 < terms.size_cents <= SIZE_MAX or terms.size_cents % max(terms.denomination_cents, 1):
        faults.append((RejectionReason.OUT_OF_RANGE, "size_cents", "must be a positive multiple of the denomination"))
    if not 0 <= terms.coupon_e9 <= COUPON_E9_MAX:
        faults.append((RejectionReason.OUT_OF_RANGE, "coupon_e9", "is no rate a year"))
    if terms.day_count not in DAY_COUNTS:
        faults.append((RejectionReason.UNKNOWN, "day_count", f"one of {', '.join(DAY_COUNTS)}"))
    if not 0 < terms.issue_day < terms.maturity_day:
        faults.append((RejectionReason.OUT_OF_RANGE, "maturity_day", "must be after the issue"))
    if not 1 <= len(terms.periods) <= PERIODS_MAX or not _in_order(terms, terms.periods):
        faults.append((RejectionReason.CONFLICT, "periods", "must follow one another from the issue to the maturity"))
    money = tokens[terms.money_token] if 0 <= terms.money_token < len(tokens) else None
    if terms.money_token != -1 and (money is None or not money.is_money or money.currency != terms.currency):
        faults.append((RejectionReason.UNKNOWN, "money_token", "is no tokenised money of the bond's currency"))
    return faults


def _in_order(terms: TokenTerms, periods: tuple[CouponPeriod, ...]) -> bool:
    edges = [terms.issue_day, *(period.end for period in periods)]
    starts = [period.start for period in periods]
    whole = starts == edges[:-1] and edges[-1] == terms.maturity_day
    records = [period.record_day for period in periods]
    return (
        whole
        and records == sorted(set(records))
        and all(one.start < one.end and one.start <= one.record_day < one.pay_day for one in periods)
    )
