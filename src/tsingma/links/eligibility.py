"""Which securities may be bought and sold over a link: lists by date, and the thresholds of a review.

Source of the ETF thresholds: HKEX, expansion of eligible ETFs from 22 July 2024 (mondovisione.com), and a mirrored
notice of the Shenzhen exchange for what goes out (shanyouwang.com/453197). Averages are compared exactly, not rounded.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from enum import StrEnum

import msgspec

from tsingma.links.rule_rows import Direction, EligibilityRow

SHARE_E4 = 10_000


class Verdict(StrEnum):
    """What a review makes of a security."""

    COMES_IN = "comes in"
    STAYS = "stays"
    GOES_OUT = "goes out"
    STAYS_OUT = "stays out"


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """One security at a review: its size on each day of the period (whole currency units) and its weight x 10^4."""

    code: str
    sizes: tuple[int, ...]
    weight_e4: int
    eligible: bool


def tradable(direction: Direction, day: date) -> dict[str, bool]:
    """Return the codes on a direction's list on a day, each with whether it may only be sold.

    An empty list restricts nothing: then the link's eligibility is kept elsewhere.
    """
    return {row.code: day >= row.sell_only_from for row in direction.securities if row.in_force(day)}


def review(row: EligibilityRow, measured: Sequence[Measured]) -> dict[str, Verdict]:
    """Return what becomes of each security: in at both thresholds or above, out below either.

    Between the two thresholds nothing changes. A security without a day of size comes to an average of nothing.
    """
    return {one.code: _judge(row, one) for one in measured}


def within_host_share(row: EligibilityRow, host_assets: int, fund_assets: int) -> bool:
    """Return whether a fund's assets sold in the host market stay within their cap (mutual recognition of funds)."""
    return not row.host_share_max_e4 or host_assets * SHARE_E4 <= fund_assets * row.host_share_max_e4


def _judge(row: EligibilityRow, one: Measured) -> Verdict:
    total, days = sum(one.sizes), max(len(one.sizes), 1)
    if one.eligible:
        small = total < row.out_size * days or one.weight_e4 < row.out_weight_e4
        return Verdict.GOES_OUT if small else Verdict.STAYS
    large = total >= row.in_size * days and one.weight_e4 >= row.in_weight_e4
    return Verdict.COMES_IN if large else Verdict.STAYS_OUT
