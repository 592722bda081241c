"""Ad valorem stamp duty on Hong Kong property, to the dollar, by date and kind, with the notches of the schedule.

The base is the larger of consideration and value, exact; schedules are rows of ``reference/data/property_duty.toml``.
The date is that of the instrument; an agreement that replaces an earlier one on the same terms keeps its date.
"""

from __future__ import annotations

import itertools
from datetime import date
from enum import StrEnum
from functools import cache

import msgspec

from tsingma.basics.money import MINOR_SCALE, checked_product
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.basics.rounding import divide_up
from tsingma.reference.tables import read_table

BASIS_POINTS = 10_000


class PropertyKind(StrEnum):
    """What is sold: a home, or anything else (offices, shops, car parks, land for other use)."""

    RESIDENTIAL = "residential"
    OTHER = "other"


class Band(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One band: a fixed part and a part of what is above the lower edge, or a part of the whole price."""

    up_to_hkd: int | None = None
    fixed_hkd: int = 0
    excess_bp: int = 0
    whole_bp: int = 0


class Schedule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The bands in force between two days for some kinds of property, lowest first."""

    valid_from: date
    valid_to: date = date.max
    kinds: tuple[PropertyKind, ...]
    bands: tuple[Band, ...]
    source: str


class Duty(msgspec.Struct, frozen=True, kw_only=True):
    """Duty on one price: whole dollars, its part of the price in basis points (rounded down), the band, the source."""

    price_cents: int
    duty_hkd: int
    average_bp: int
    above_hkd: int
    up_to_hkd: int | None
    marginal_bp: int
    valid_from: date
    source: str


class Notch(msgspec.Struct, frozen=True, kw_only=True):
    """One edge of the schedule: duty at it and one cent above, and what a further dollar costs on either side."""

    edge_hkd: int
    duty_hkd: int
    duty_a_cent_above_hkd: int
    marginal_below_bp: int
    marginal_above_bp: int


@cache
def schedules() -> tuple[Schedule, ...]:
    """Return every dated schedule."""
    return tuple(msgspec.convert(row, Schedule) for row in read_table("property_duty.toml")["schedule"])


def schedule_on(day: date, kind: PropertyKind) -> Schedule:
    """Return the schedule in force; raises Rejected (beyond-horizon) for a day before the first."""
    for schedule in schedules():
        if kind in schedule.kinds and schedule.valid_from <= day <= schedule.valid_to:
            return schedule
    first = min(schedule.valid_from for schedule in schedules())
    message = f"duty schedules are kept from {first}, not for {day}"
    raise refuse(RejectionReason.BEYOND_HORIZON, message, field="date", remedy="add the older rows")


def duty(price_cents: int, day: date, kind: PropertyKind, *, duty_paid_on_agreement: bool = False) -> Duty:
    """Return the duty on a price in cents of HKD; a conveyance after a stamped agreement bears the fixed sum.

    Raises Rejected: a price of zero or less, or a day before the table.
    """
    if price_cents <= 0:
        raise refuse(RejectionReason.OUT_OF_RANGE, f"{price_cents} cents is no price", field="price")
    schedule = schedule_on(day, kind)
    lower, band = _band_of(price_cents, schedule)
    owed = _duty_hkd(price_cents, lower, band)
    if duty_paid_on_agreement:
        owed = read_table("property_duty.toml")["conveyance_hkd"]
    return Duty(
        price_cents=price_cents,
        duty_hkd=owed,
        average_bp=owed * MINOR_SCALE * BASIS_POINTS // price_cents,
        above_hkd=lower,
        up_to_hkd=band.up_to_hkd,
        marginal_bp=0 if duty_paid_on_agreement else band.excess_bp + band.whole_bp,
        valid_from=schedule.valid_from,
        source=schedule.source,
    )


def notches(day: date, kind: PropertyKind) -> tuple[Notch, ...]:
    """Return every edge of the schedule of a day, lowest first: where buyers bunch below a dearer dollar."""
    bands = schedule_on(day, kind).bands
    found = []
    for below, above in itertools.pairwise(bands):
        edge = below.up_to_hkd or 0
        at, over = (duty(edge * MINOR_SCALE + cent, day, kind).duty_hkd for cent in (0, 1))
        found.append(
            Notch(
                edge_hkd=edge,
                duty_hkd=at,
                duty_a_cent_above_hkd=over,
                marginal_below_bp=below.excess_bp + below.whole_bp,
                marginal_above_bp=above.excess_bp + above.whole_bp,
            )
        )
    return tuple(found)


def _band_of(price_cents: int, schedule: Schedule) -> tuple[int, Band]:
    """Return the lower edge in dollars and the band of a price; edges belong to the band below."""
    lower = 0
    for band in schedule.bands[:-1]:
        if price_cents <= (band.up_to_hkd or 0) * MINOR_SCALE:
            return lower, band
        lower = band.up_to_hkd or 0
    return lower, schedule.bands[-1]


def _duty_hkd(price_cents: int, lower_hkd: int, band: Band) -> int:
    if band.whole_bp:
        return divide_up(checked_product(price_cents, band.whole_bp), BASIS_POINTS * MINOR_SCALE)
    excess = checked_product(price_cents - lower_hkd * MINOR_SCALE, band.excess_bp)
    return band.fixed_hkd + divide_up(excess, BASIS_POINTS * MINOR_SCALE)
