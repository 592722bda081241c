"""When what is traded today is due: the settlement cycles of all markets on one date."""

from __future__ import annotations

from datetime import date

from tsingma.basics.dates import to_date, to_day
from tsingma.reference.calendars import FIRST_DAY, calendar
from tsingma.reference.markets import Markets, shipped_markets


def settlement_days(trade_date: date, markets: Markets | None = None) -> dict[str, tuple[int, int]]:
    """Return per market the day of stock and the day of money for trades of a date, as day numbers.

    Without ``markets``, the house's own. A market that does not trade on the date is left out: no trade of it can be
    captured.
    """
    return (markets or shipped_markets()).settlement_days(trade_date)


def trading_markets(trade_date: date, markets: Markets | None = None) -> dict[str, bool]:
    """Return which markets trade on a date; without ``markets``, of the house's own."""
    return (markets or shipped_markets()).trading(trade_date)


def paying_markets(numbers: tuple[int, ...], day: date, markets: Markets | None = None) -> tuple[int, ...]:
    """Return those of the markets whose money moves on a day: China Connect money needs both sides' banks."""
    return (markets or shipped_markets()).paying(numbers, day)


def is_settlement_day(day: date) -> bool:
    """Return whether the Hong Kong side of the house settles on a day."""
    return calendar("XHKG.settlement").is_business_day(day)


def settlement_day_before(day: int) -> int:
    """Return the day number of the settlement day before a day."""
    return to_day(calendar("XHKG.settlement").previous_before(to_date(day)))


def settlement_days_before(day: int, count: int) -> int:
    """Return the day number ``count`` settlement days before a day, or 0 where the calendar does not go back so far."""
    if day <= to_day(FIRST_DAY):
        return 0
    days = calendar("XHKG.settlement").days(FIRST_DAY, to_date(day - 1))
    return to_day(days[-count]) if len(days) >= count else 0


def settlement_days_after(day: int, count: int) -> int:
    """Return the day number ``count`` settlement days after a day."""
    return to_day(calendar("XHKG.settlement").add(to_date(day), count))


def settlement_days_between(first: int, day: int) -> int:
    """Return how many settlement days there are from ``first`` on, ``day`` left out."""
    return len(calendar("XHKG.settlement").days(max(to_date(first), FIRST_DAY), to_date(day - 1))) if first < day else 0
