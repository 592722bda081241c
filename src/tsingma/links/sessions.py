"""Days and hours of a link: when it trades, which days the two sides do not share, when a trade is due.

A calendar of a link is open when every calendar it names is. The house's own calendars are
``reference/data/closures.csv``; a rule file may bring others. A day beyond a table is refused, never guessed.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import date, timedelta
from functools import cache
from typing import TypeVar

import msgspec

from tsingma.basics.rejection import Rejected, RejectionReason, refuse
from tsingma.links.rule_rows import CalendarRow, CycleRow, Direction, LinkRules, Row, SessionRow
from tsingma.reference.calendars import FIRST_DAY, LAST_DAY, calendar, calendar_names

SATURDAY = 5
R = TypeVar("R", bound=Row)


class Mismatch(msgspec.Struct, frozen=True, kw_only=True):
    """A weekday on which some calendars of a link are open and others closed, so that it does not trade."""

    day: date
    open: tuple[str, ...]
    closed: tuple[str, ...]
    reason: str


class OpenDays:
    """The days on which everything named is open, from ``first`` to ``last``."""

    def __init__(self, name: str, first: date, last: date, days: list[date], half_days: frozenset[date]) -> None:
        """Take the open days in order, and which of them are half days."""
        self.name, self.first, self.last = name, first, last
        self._days, self._half_days = days, half_days

    def is_open(self, day: date) -> bool:
        """Return whether it is open on a day; raises Rejected (beyond-horizon) outside its table."""
        self._require(day)
        place = bisect_left(self._days, day)
        return place < len(self._days) and self._days[place] == day

    def is_half_day(self, day: date) -> bool:
        """Return whether only the morning is open; raises Rejected (beyond-horizon) outside its table."""
        self._require(day)
        return day in self._half_days

    def days(self, first: date, last: date) -> list[date]:
        """Return the open days from ``first`` to ``last``, both included."""
        self._require(first)
        self._require(last)
        return self._days[bisect_left(self._days, first) : bisect_right(self._days, last)]

    def add(self, day: date, count: int) -> date:
        """Return the ``count``-th open day after a day (0: the day itself)."""
        self._require(day)
        place = bisect_right(self._days, day) + count - 1
        if count and place >= len(self._days):
            raise self._beyond(self.last + timedelta(days=1))
        return self._days[place] if count else day

    def last_before(self, day: date) -> date:
        """Return the last open day before a day."""
        self._require(day)
        place = bisect_left(self._days, day) - 1
        if place < 0:
            raise self._beyond(self.first - timedelta(days=1))
        return self._days[place]

    def _require(self, day: date) -> None:
        if not self.first <= day <= self.last:
            raise self._beyond(day)

    def _beyond(self, day: date) -> Rejected:
        message = f"{day} is beyond the table of {self.name}, which has {self.first} to {self.last}"
        return refuse(RejectionReason.BEYOND_HORIZON, message, field="date", remedy="add the closures of that year")


def open_days(rules: LinkRules, names: tuple[str, ...]) -> OpenDays:
    """Return the days on which every named calendar is open, over the days that all their tables have."""
    return _open_days(rules.calendars, names)


def trading_days(rules: LinkRules, direction: Direction, first: date, last: date) -> list[date]:
    """Return the days on which a direction trades, by the rule in force on each."""
    found = []
    for row in direction.days:
        begin, end = max(first, row.valid_from, rules.valid_from), min(last, row.valid_to)
        if begin <= end:
            found.extend(open_days(rules, row.trades_when).days(begin, end))
    return sorted(found)


def mismatch_days(rules: LinkRules, direction: Direction, first: date, last: date) -> list[Mismatch]:
    """Return every weekday on which one calendar of a direction is open and another closed, with the reason."""
    found = []
    for place in range((last - first).days + 1):
        day = first + timedelta(days=place)
        if day.weekday() >= SATURDAY:
            continue
        names = in_force(direction.days, day, what=f"days of {rules.name} {direction.name}").trades_when
        shut = tuple(name for name in names if not open_days(rules, (name,)).is_open(day))
        if shut and len(shut) < len(names):
            reasons = [calendar(name).reason(day) for name in shut if name in calendar_names()]
            found.append(
                Mismatch(
                    day=day,
                    open=tuple(name for name in names if name not in shut),
                    closed=shut,
                    reason=", ".join(reason for reason in reasons if reason),
                )
            )
    return found


def holiday_eves(rules: LinkRules, direction: Direction, first: date, last: date) -> list[tuple[date, date]]:
    """Return (H-1, holiday) for each holiday of the investors' own side alone between two days.

    H-1 is the last day on which the home side settles before a holiday of its own on which the other market is open
    (CCASS Operational Procedures, rule update of 28 February 2023, as restated by gcc-consulting.co).
    """
    home, market = rules.market(direction.home), rules.market(direction.market)
    if home is None or market is None:
        return []
    settles = open_days(rules, (home.trading_calendar, home.money_calendar))
    trades = open_days(rules, (market.trading_calendar,))
    return [
        (settles.last_before(day), day)
        for day in trades.days(first, last)
        if not open_days(rules, (home.trading_calendar,)).is_open(day)
    ]


def due_days(rules: LinkRules, direction: Direction, trade_day: date) -> tuple[date, date]:
    """Return the day of stock and the day of money of a trade; raises Rejected when its day is beyond a table."""
    row: CycleRow = in_force(direction.cycles, trade_day, what=f"cycle of {rules.name} {direction.name}")
    stock = open_days(rules, row.stock_calendars).add(trade_day, row.stock_days)
    return stock, open_days(rules, row.money_calendars).add(trade_day, row.money_days)


def sessions_on(rules: LinkRules, direction: Direction, day: date) -> tuple[SessionRow, ...]:
    """Return the sessions of a day in order of time; on half days of the market only those that are held then."""
    market = rules.market(direction.market)
    half = market is not None and open_days(rules, (market.trading_calendar,)).is_half_day(day)
    rows = [row for row in direction.sessions if row.in_force(day) and (row.half_days or not half)]
    return tuple(sorted(rows, key=lambda row: row.start))


def in_force(rows: tuple[R, ...], day: date, *, what: str) -> R:
    """Return the row in force on a day; raises Rejected (beyond-horizon) when there is none."""
    for row in rows:
        if row.in_force(day):
            return row
    message = f"no row of the {what} is in force on {day}"
    raise refuse(RejectionReason.BEYOND_HORIZON, message, remedy="add the dated row to the rule file")


@cache
def _open_days(own: tuple[CalendarRow, ...], names: tuple[str, ...]) -> OpenDays:
    everyday: frozenset[date] | None = None
    half: frozenset[date] = frozenset()
    tables = [_table(own, name) for name in names]
    first = max((table[0] for table in tables), default=FIRST_DAY)
    last = min((table[1] for table in tables), default=LAST_DAY)
    for _, _, days, halves in tables:
        everyday = days if everyday is None else everyday & days
        half |= halves
    kept = sorted(day for day in everyday or () if first <= day <= last)
    return OpenDays(" + ".join(names), first, last, kept, half & frozenset(kept))


def _table(own: tuple[CalendarRow, ...], name: str) -> tuple[date, date, frozenset[date], frozenset[date]]:
    """Return first day, last day, open days and half days of one calendar."""
    for row in own:
        if row.name == name:
            span = (row.valid_to - row.valid_from).days + 1
            everyday = (row.valid_from + timedelta(days=place) for place in range(span))
            open_ = frozenset(day for day in everyday if day.weekday() < SATURDAY and day not in row.closures)
            return row.valid_from, row.valid_to, open_, frozenset(row.half_days)
    known = calendar(name)
    days = known.days(FIRST_DAY, LAST_DAY)
    return FIRST_DAY, LAST_DAY, frozenset(days), frozenset(day for day in days if known.is_half_day(day))
