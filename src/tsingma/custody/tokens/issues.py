"""Issues of digital bonds as dated tables, and what follows from them: contracts, dates, who orders what."""

from __future__ import annotations

import tomllib
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Any

import msgspec

from tsingma.basics.dates import to_day
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.basics.rounding import divide_half_away
from tsingma.custody.events.apportion import apportion
from tsingma.journal.token_commands import CouponPeriod, TokenTerms
from tsingma.pricing.schedule import Roll, add_months, adjust, schedule

UNIT_E4, UNIT_E6 = 10_000, 1_000_000


class Tranche(msgspec.Struct, frozen=True, kw_only=True):
    """One currency of an issue: the row of the table."""

    issue: str
    code: str
    currency: str
    size_cents: int
    years: int
    coupon_e9: int
    months: int
    day_count: str
    denomination_cents: int
    record_days: int
    source: str
    assumed: list[str]


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """A made-up investor: its part of the orders, and whether it wants tokenised money."""

    code: str
    part_e4: int
    elects_tokens: bool
    source: str
    assumed: bool


class Issue(msgspec.Struct, frozen=True, kw_only=True):
    """An issue with its tranches and holders; ``orders_cents`` are the orders of each tranche in its currency."""

    name: str
    priced: date
    issued: date
    tokenised_money: tuple[str, ...]
    source: str
    tranches: tuple[Tranche, ...]
    holders: tuple[Holder, ...]
    orders_cents: dict[str, int]


@cache
def _table() -> dict[str, Any]:
    text = files("tsingma.custody.tokens").joinpath("data", "digital_green_bonds.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def issue_named(name: str) -> Issue:
    """Return an issue of the table; raises Rejected (unknown) for one without tranches."""
    table = _table()
    tranches = tuple(msgspec.convert(row, Tranche) for row in table["tranche"] if row["issue"] == name)
    if not tranches:
        known = sorted({row["issue"] for row in table["tranche"]})
        raise refuse(RejectionReason.UNKNOWN, f"no terms of issue '{name}'", remedy=f"one of {', '.join(known)}")
    (row,) = (row for row in table["issue"] if row["name"] == name)
    priced: date = row["priced"]
    issued = priced
    for _ in range(row["cycle_days"]):
        issued = adjust(issued + timedelta(1), Roll.FOLLOWING, is_weekday)
    return Issue(
        name=name,
        priced=priced,
        issued=issued,
        tokenised_money=tuple(row["tokenised_money"]),
        source=row["source"],
        tranches=tranches,
        holders=tuple(msgspec.convert(one, Holder) for one in table["holder"]),
        orders_cents=_orders(tranches, row["orders_hkd_cents_at_least"], table["rates"]),
    )


def _orders(tranches: tuple[Tranche, ...], total_hkd_cents: int, rates: dict[str, Any]) -> dict[str, int]:
    """Return each tranche's orders, so many times its size in every one, in whole denominations."""
    sizes = [tranche.size_cents * rates[f"{tranche.currency}_e6"] // UNIT_E6 for tranche in tranches]
    return {
        tranche.code: divide_half_away(tranche.size_cents * total_hkd_cents, sum(sizes))
        // tranche.denomination_cents
        * tranche.denomination_cents
        for tranche in tranches
    }


def is_weekday(day: date) -> bool:
    """Return whether it is Monday to Friday: calendars are published only a year ahead, a bond lives for five."""
    return day.weekday() < 5


def terms_of(tranche: Tranche, issued: date, *, book_asset: int, book_account: int, money_token: int) -> TokenTerms:
    """Return the contract of a tranche: interest runs between unadjusted dates, payments move to the next weekday."""
    matures = add_months(issued, 12 * tranche.years)
    days = schedule(issued, matures, tranche.months)
    periods = []
    for start, end in pairwise(days):
        paid = adjust(end, Roll.FOLLOWING, is_weekday)
        record = paid
        for _ in range(tranche.record_days):
            record -= timedelta(1)
            while not is_weekday(record):
                record -= timedelta(1)
        periods.append(CouponPeriod(to_day(start), to_day(end), to_day(record), to_day(paid)))
    return TokenTerms(
        code=tranche.code, currency=tranche.currency, denomination_cents=tranche.denomination_cents,
        book_asset=book_asset, book_account=book_account, size_cents=tranche.size_cents,
        coupon_e9=tranche.coupon_e9, day_count=tranche.day_count, issue_day=to_day(issued),
        maturity_day=to_day(matures), periods=tuple(periods), money_token=money_token,
    )  # fmt: skip


def allotments(issue: Issue, tranche: Tranche) -> list[tuple[Holder, int, int]]:
    """Return (holder, ordered cents, allotted cents) of a tranche: pro rata in whole denominations.

    What is left after rounding down goes one denomination each to the largest remainders.
    """
    unit = tranche.denomination_cents
    orders = apportion(issue.orders_cents[tranche.code] // unit, [holder.part_e4 for holder in issue.holders])
    parts = apportion(tranche.size_cents // unit, orders)
    return [
        (holder, order * unit, part * unit) for holder, order, part in zip(issue.holders, orders, parts, strict=True)
    ]
