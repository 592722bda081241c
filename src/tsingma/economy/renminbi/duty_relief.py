"""What if renminbi counters were relieved of stamp duty: cost of a trade, turnover, revenue forgone.

Turnover of the relieved counter answers the whole cost of trading with a constant elasticity; a part of the HKD
counter's turnover may move over. Elasticities are published ones and stand side by side, since they differ in sign of
what they say: one study finds as much turnover gained as cost saved, another none.
"""

from __future__ import annotations

import math
from datetime import date

import msgspec

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.reference.book import InstrumentKind
from tsingma.reference.fees import RATE_SCALE_E9, lines_in_force
from tsingma.reference.tables import read_table

STAMP_DUTY = "stamp duty"
SIDES = 2


class Response(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How turnover answers the cost of trading, and who says so."""

    name: str
    elasticity: float
    source: str


class Relief(msgspec.Struct, frozen=True, kw_only=True):
    """One answer; turnover one side and revenue of both, in the unit of the turnover asked about (HKD)."""

    response: str
    elasticity: float
    source: str
    cost_before: float  # of one side, part of the consideration
    cost_after: float
    turnover_before: float  # of the renminbi counters
    turnover_after: float  # with what moved over
    moved: float  # from the HKD counters
    revenue_before: float  # of duty on both counters
    revenue_after: float
    revenue_forgone: float
    forgone_on_new: float  # duty that the new turnover would have paid, and never would have been
    fees_gained: float  # fees and levies of the new turnover


def responses() -> tuple[Response, ...]:
    """Return the published elasticities of the table ``duty_relief.toml``."""
    return tuple(msgspec.convert(row, Response, strict=False) for row in read_table("duty_relief.toml")["response"])


def duty_relief(*, hkd: float, renminbi: float, relief: float, moved: float, day: date) -> tuple[Relief, ...]:
    """Return what each published response makes of a relief.

    ``hkd`` and ``renminbi`` are turnover of the two counters of dual-counter stocks (one side, HKD), ``relief`` the
    part of the duty waived on renminbi counters, ``moved`` the part of the HKD counters' turnover that would follow.
    Duty, fees and levies are those of the tariff on ``day``. Raises Rejected (out-of-range) for parts outside 0 to 1
    or negative turnover.
    """
    for name, value, most in (
        ("relief", relief, 1.0),
        ("moved", moved, 1.0),
        ("hkd", hkd, math.inf),
        ("renminbi", renminbi, math.inf),
    ):
        if not 0 <= value <= most or value == math.inf:
            remedy = "a part is from 0 to 1, a turnover not negative"
            raise refuse(RejectionReason.OUT_OF_RANGE, f"{name} is {value:g}", field=name, remedy=remedy)
    duty, fees = _rates(day)
    other = int(read_table("duty_relief.toml")["cost"]["rate_e9"]) / RATE_SCALE_E9
    before = duty + fees + other
    after = before - relief * duty
    found = []
    for one in responses():
        grown = renminbi * (after / before) ** one.elasticity
        shifted = hkd * moved
        owed_before = SIDES * duty * (hkd + renminbi)
        owed_after = SIDES * duty * (hkd - shifted + (1.0 - relief) * (grown + shifted))
        found.append(
            Relief(
                response=one.name, elasticity=one.elasticity, source=one.source,
                cost_before=before, cost_after=after,
                turnover_before=renminbi, turnover_after=grown + shifted, moved=shifted,
                revenue_before=owed_before, revenue_after=owed_after, revenue_forgone=owed_before - owed_after,
                forgone_on_new=SIDES * duty * relief * (grown - renminbi),
                fees_gained=SIDES * fees * (grown - renminbi),
            )
        )  # fmt: skip
    return tuple(found)


def _rates(day: date) -> tuple[float, float]:
    """Return the rates of stamp duty and of all other lines of the tariff on an equity, one side."""
    lines = lines_in_force("XHKG", InstrumentKind.EQUITY, "buy", day)
    duty = sum(line.rate_e9 for line in lines if line.name == STAMP_DUTY)
    fees = sum(line.rate_e9 for line in lines if line.name != STAMP_DUTY)
    return duty / RATE_SCALE_E9, fees / RATE_SCALE_E9
