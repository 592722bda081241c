"""When what is traded today is due: the settlement cycles of all markets on one date."""

from __future__ import annotations

from datetime import date
from functools import cache

from tsingma.basics.dates import to_date, to_day
from tsingma.reference.book import MARKETS, Market
from tsingma.reference.calendars import FIRST_DAY, calendar, settlement_day

_TRADING = {Market.XHKG: "XHKG", Market.XSHG: "connect.northbound", Market.XSHE: "connect.northbound"}


@cache
def settlement_days(trade_date: date) -> dict[Market, tuple[int, int]]:
    """Return per market the day of stock and the day of money for trades of a date, as day numbers.

    A market that does not trade on the date is left out: no trade of it can be captured.
    """
    traded = trading_markets(trade_date)
    days = {market: settlement_day(trade_date, market) for market in MARKETS if traded[market]}
    return {market: (to_day(stock), to_day(money)) for market, (stock, money) in days.items()}


@cache
def trading_markets(trade_date: date) -> dict[Market, bool]:
    """Return which markets trade on a date; bonds trade on Hong Kong settlement days."""
    open_ = {market: calendar(name).is_business_day(trade_date) for market, name in _TRADING.items()}
    return {**open_, Market.CMU: calendar("XHKG.settlement").is_business_day(trade_date)}


def paying_markets(markets: tuple[int, ...], day: date) -> tuple[int, ...]:
    """Return those of the markets whose money moves on a day: China Connect money needs both sides' banks."""
    names = {Market.XSHG: "connect.money", Market.XSHE: "connect.money"}
    return tuple(
        number for number in markets if calendar(names.get(MARKETS[number], "XHKG.settlement")).is_business_day(day)
    )


def is_settlement_day(day: date) -> bool:
    """Return whether the Hong Kong side of the house settles on a day."""
    return calendar("XHKG.settlement").is_business_day(day)


def settlement_day_before(day: int) -> int:
    """Return the day number of the settlement day before a day."""
    return to_day(calendar("XHKG.settlement").previous_before(to_date(day)))


def settlement_days_before(day: int, count: int) -> int:
    """Return the day number ``count`` settlement days before a day, or 0 where the calendar does not go back so far."""
    days = calendar("XHKG.settlement").days(FIRST_DAY, to_date(day - 1))
    return to_day(days[-count]) if len(days) >= count else 0


def settlement_days_after(day: int, count: int) -> int:
    """Return the day number ``count`` settlement days after a day."""
    return to_day(calendar("XHKG.settlement").add(to_date(day), count))


def settlement_days_between(first: int, day: int) -> int:
    """Return how many settlement days there are from ``first`` on, ``day`` left out."""
    return len(calendar("XHKG.settlement").days(max(to_date(first), FIRST_DAY), to_date(day - 1))) if first < day else 0
