"""The single-rate margin that HKSCC charged until June 2022, for back-history only.

Source: HKEX risk management page (clrsettmang8) and its summaries: rate = max(5%, benchmark x 1.10), benchmark = three
standard deviations of the Hang Seng Index (EWMA over 90 trading days), 6% from 4 January 2016.
"""

from __future__ import annotations

from tsingma.basics.rounding import divide_half_away
from tsingma.margin.hkscc.parameters import SCALE_E10

_FLOOR_E10 = 5 * SCALE_E10 // 100


def legacy_rate_e10(benchmark_e10: int) -> int:
    """Return the single margin rate x 10**10: 110% of the benchmark, at least 5%."""
    return max(_FLOOR_E10, divide_half_away(benchmark_e10 * 11, 10))


def legacy_margin(position: int, rate_e10: int, multiplier_e10: int, favourable_marks: int, credit: int) -> int:
    """Return position x rate x multiplier - favourable marks - credit in whole HKD, at least 0."""
    charge = divide_half_away(position * rate_e10 * multiplier_e10, SCALE_E10 * SCALE_E10)
    return max(charge - favourable_marks - credit, 0)
