"""Business days as dated tables: exchanges, settlement, money and the Stock Connect links, 2024 to 2026.

A calendar is every weekday but its closures; a day beyond the published table is refused, never guessed. Half trading
days are business days and settlement days. Since 24 April 2023 the links trade on every day on which both markets
trade. Mainland banks also work on some weekends; no exchange trades then, so nothing of the house falls due.
"""

from __future__ import annotations

import csv
from bisect import bisect_left, bisect_right
from datetime import date, timedelta
from functools import cache, lru_cache
from importlib.resources import files

import msgspec

from tsingma.basics.rejection import RejectionReason, refuse

FIRST_DAY = date(2024, 1, 1)
LAST_DAY = date(2026, 12, 31)

# A calendar is open when all the tables it names are: settlement needs the exchange and the bank, a link both sides.
_TABLES: dict[str, tuple[str, ...]] = {
    "XHKG": ("XHKG",),
    "XSHG": ("XSHG",),
    "XSHE": ("XSHG",),
    "HKD.money": ("HKD.money",),
    "CNY.money": ("CNY.money",),
    "XHKG.settlement": ("XHKG", "HKD.money"),
    "XSHG.settlement": ("XSHG", "CNY.money"),
    "connect.northbound": ("XHKG", "XSHG"),
    "connect.southbound": ("XHKG", "XSHG"),
    "connect.money": ("XSHG", "CNY.money", "HKD.money"),
}


class Closure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A weekday on which a calendar is closed, or (``half``) open in the morning only, and why."""

    day: date
    reason: str
    half: bool = False


class CalendarTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, cache_hash=True):
    """Closures of an exchange or a money that the shipped tables do not know: a reference book brings them."""

    name: str
    closures: tuple[Closure, ...]


class Calendar:
    """The business days of one market, link or money."""

    def __init__(self, name: str, closures: dict[date, str], half_days: dict[date, str]) -> None:
        """Take the weekday closures and half days with their reasons."""
        self.name = name
        self._closures = closures
        self._half_days = half_days
        span = (LAST_DAY - FIRST_DAY).days + 1
        everyday = [FIRST_DAY + timedelta(days=place) for place in range(span)]
        self._days = [day for day in everyday if day.weekday() < 5 and day not in closures]

    def is_business_day(self, day: date) -> bool:
        """Return whether it is open on a day; raises Rejected (beyond-horizon) outside the table."""
        self._require(day)
        return day.weekday() < 5 and day not in self._closures

    def is_half_day(self, day: date) -> bool:
        """Return whether only the morning is open; raises Rejected (beyond-horizon) outside the table."""
        self._require(day)
        return day in self._half_days

    def reason(self, day: date) -> str:
        """Return why a day is closed or half ("" for an ordinary business day)."""
        self._require(day)
        if day.weekday() >= 5:
            return "weekend"
        return self._closures.get(day) or self._half_days.get(day, "")

    def next_after(self, day: date) -> date:
        """Return the first business day after a day."""
        return self.add(day, 1)

    def previous_before(self, day: date) -> date:
        """Return the last business day before a day."""
        self._require(day)
        place = bisect_left(self._days, day) - 1
        if place < 0:
            raise self._beyond(day - timedelta(days=1))
        return self._days[place]

    def add(self, day: date, count: int) -> date:
        """Return the ``count``-th business day after a day (count >= 1)."""
        self._require(day)
        if count < 1:
            raise refuse(RejectionReason.OUT_OF_RANGE, f"{count} business days, 1 or more needed", field="count")
        place = bisect_right(self._days, day) + count - 1
        if place >= len(self._days):
            raise self._beyond(LAST_DAY + timedelta(days=1))
        return self._days[place]

    def days(self, first: date, last: date) -> list[date]:
        """Return the business days from ``first`` to ``last``, both included."""
        self._require(first)
        self._require(last)
        return self._days[bisect_left(self._days, first) : bisect_right(self._days, last)]

    def _require(self, day: date) -> None:
        if not FIRST_DAY <= day <= LAST_DAY:
            raise self._beyond(day)

    def _beyond(self, day: date) -> Exception:
        return refuse(
            RejectionReason.BEYOND_HORIZON,
            f"{day} is beyond the table of {self.name}, which has {FIRST_DAY} to {LAST_DAY}",
            field="date",
            remedy="add the closures of that year to reference/data/closures.csv from the published notice",
        )


@cache
def _rows() -> list[dict[str, str]]:
    text = files("tsingma.reference").joinpath("data", "closures.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


@cache
def calendar(name: str) -> Calendar:
    """Return a calendar by name; raises Rejected (unknown) naming those there are."""
    return joint_calendar((name,))


def calendar_names() -> tuple[str, ...]:
    """Return the names of the calendars of the published tables."""
    return tuple(_TABLES)


@lru_cache(maxsize=256)
def joint_calendar(names: tuple[str, ...], tables: tuple[CalendarTable, ...] = ()) -> Calendar:
    """Return the calendar that is open when all the named ones are, those of ``tables`` among them.

    A day is half where one of them is half. Raises Rejected (unknown) for a name that neither knows, or for no name.
    """
    own = {table.name: table for table in tables}
    found: dict[str, dict[date, str]] = {"closed": {}, "half": {}}
    if not names:
        raise refuse(RejectionReason.MISSING, "no calendar is named", remedy=f"one of {', '.join(_TABLES)}")
    for name in names:
        if name not in _TABLES and name not in own:
            known = ", ".join((*_TABLES, *own))
            raise refuse(RejectionReason.UNKNOWN, f"no calendar '{name}'", remedy=f"one of {known}")
        for closure in own[name].closures if name in own else ():
            found["half" if closure.half else "closed"].setdefault(closure.day, closure.reason)
    shipped = {table for name in names if name not in own for table in _TABLES[name]}
    for row in _rows():
        if row["calendar"] in shipped:
            found[row["kind"]].setdefault(date.fromisoformat(row["date"]), row["reason"])
    return Calendar(" and ".join(names), found["closed"], found["half"])
