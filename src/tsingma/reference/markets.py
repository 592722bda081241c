"""Markets as data: when each trades, when its stock and money are due, how it settles, what its trades are charged.

The house's own markets are dated rows of ``reference/data/markets.toml``; a reference book may bring more, with
calendars of its own: those of the links. Arrays keep the number of a market, its place in ``Markets.codes``.
"""

from __future__ import annotations

from collections import Counter as Count
from datetime import date
from functools import cache

import msgspec

from tsingma.basics.dates import to_day
from tsingma.basics.rejection import Rejected, Rejection, RejectionReason, refuse
from tsingma.reference.calendars import CalendarTable, joint_calendar
from tsingma.reference.kinds import TariffLine
from tsingma.reference.tables import read_table

MODES = ("cns", "isolated", "dvp")  # ways to settle a trade, by number
MARKETS_MAX = 127  # numbers of markets are one byte
EVERY_MARKET = tuple(range(MARKETS_MAX))  # whatever is kept by market, whichever the house has
DAYS_MAX = 30  # a cycle longer than this is a mistake


class MarketStep(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A step of the business day that only one market has; ``kind`` as in the timetable, ``time`` HH:MM, HKT."""

    name: str
    time: str
    kind: str


class MarketRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One market from a day on (see the head of ``reference/data/markets.toml`` for the fields).

    ``charges`` are its own rows of a tariff, beside the table named by ``tariff``; ``steps`` the steps of the timetable
    that settle it, beside those for every market, and ``own_steps`` steps that it adds; ``flat_margin_e10`` the share
    of its net value that is called as margin (0: the house's model); ``link`` the link that brought it.
    """

    code: str
    name: str
    trading: tuple[str, ...]
    settlement: tuple[str, ...]
    money: tuple[str, ...]
    stock_days: int
    money_days: int
    modes: tuple[str, ...]
    source: str
    valid_from: date = date.min
    tariff: str = ""
    charges: tuple[TariffLine, ...] = ()
    steps: tuple[str, ...] = ()
    own_steps: tuple[MarketStep, ...] = ()
    flat_margin_e10: int = 0
    link: str = ""
    assumed: bool = False

    @property
    def mode_numbers(self) -> tuple[int, ...]:
        """Numbers of its ways to settle, the usual one first."""
        return tuple(MODES.index(mode) for mode in self.modes)


@cache
def _shipped() -> tuple[MarketRule, ...]:
    return tuple(msgspec.convert(row, MarketRule) for row in read_table("markets.toml")["market"])


class Markets:
    """The markets of one house: its own, then those its reference book brings."""

    def __init__(self, own: tuple[MarketRule, ...] = (), tables: tuple[CalendarTable, ...] = ()) -> None:
        """Take the markets and calendars of a book; see ``market_faults`` for what they must be."""
        self._rows = (*_shipped(), *own)
        self._tables = tables
        self.codes = tuple(dict.fromkeys(rule.code for rule in self._rows))
        self._on: dict[date, tuple[MarketRule, ...]] = {}
        self._trading: dict[date, dict[str, bool]] = {}
        self._due: dict[date, dict[str, tuple[int, int]]] = {}

    @property
    def place(self) -> str:
        """Where the house is: markets of this place keep their books in it."""
        return str(read_table("markets.toml")["place"])

    @property
    def days(self) -> str:
        """The calendar of the days on which the house is open."""
        return str(read_table("markets.toml")["days"])

    @property
    def money_alone(self) -> int:
        """Number of the market with which money without securities settles."""
        return self.codes.index(read_table("markets.toml")["settles_money_alone"])

    @property
    def own(self) -> tuple[MarketRule, ...]:
        """The rows that the book brought."""
        return self._rows[len(_shipped()) :]

    def on(self, day: date) -> tuple[MarketRule, ...]:
        """Return the rule of every market in force on a day, by number; the first row of a market counts before it."""
        if day not in self._on:
            found = {}
            for row in sorted(self._rows, key=lambda row: row.valid_from):
                if row.code not in found or row.valid_from <= day:
                    found[row.code] = row
            self._on[day] = tuple(found[code] for code in self.codes)
        return self._on[day]

    def trading(self, day: date) -> dict[str, bool]:
        """Return of every market whether it trades on a day; raises Rejected (beyond-horizon) outside the calendars."""
        if day not in self._trading:
            self._trading[day] = {rule.code: self._open(rule.trading, day) for rule in self.on(day)}
        return self._trading[day]

    def settlement_days(self, trade_date: date) -> dict[str, tuple[int, int]]:
        """Return per market the days (numbers) on which stock and money of a trade are due.

        A market that does not trade on the date is left out: no trade of it can be captured.
        """
        if trade_date not in self._due:
            traded = self.trading(trade_date)
            due = {rule.code: self.due(rule, trade_date) for rule in self.on(trade_date) if traded[rule.code]}
            self._due[trade_date] = {code: (to_day(stock), to_day(money)) for code, (stock, money) in due.items()}
        return self._due[trade_date]

    def due(self, rule: MarketRule, trade_date: date) -> tuple[date, date]:
        """Return the day of stock and the day of money of a trade on a market."""
        pairs = ((rule.settlement, rule.stock_days), (rule.money, rule.money_days))
        stock, money = (
            joint_calendar(names, self._tables).add(trade_date, count) if count else trade_date
            for names, count in pairs
        )
        return stock, money

    def paying(self, numbers: tuple[int, ...], day: date) -> tuple[int, ...]:
        """Return those of the markets (numbers) whose money moves on a day."""
        rules = self.on(day)
        return tuple(number for number in numbers if self._open(rules[number].money, day))

    def _open(self, names: tuple[str, ...], day: date) -> bool:
        return joint_calendar(names, self._tables).is_business_day(day)


@cache
def shipped_markets() -> Markets:
    """Return the markets of a house whose book brings none."""
    return Markets()


def market_rule(market: str, day: date) -> MarketRule:
    """Return the rule of one of the house's own markets on a day; raises Rejected (unknown) naming those there are."""
    markets = shipped_markets()
    if market not in markets.codes:
        remedy = f"one of {', '.join(markets.codes)}"
        raise refuse(RejectionReason.UNKNOWN, f"no market '{market}'", field="market", remedy=remedy)
    return markets.on(day)[markets.codes.index(market)]


def settlement_day(trade_day: date, market: str) -> tuple[date, date]:
    """Return the day of stock and the day of money of a trade on one of the house's own markets.

    Hong Kong stocks and bonds settle both on T+2 of Hong Kong settlement days. A-shares deliver on T; their money is
    due on the next day on which both sides can pay. Source: CCASS; HKEX, Risk Management of CNS Trades.
    """
    return shipped_markets().due(market_rule(market, trade_day), trade_day)


def market_faults(own: tuple[MarketRule, ...], tables: tuple[CalendarTable, ...]) -> list[Rejection]:
    """Return everything wrong with the markets and calendars a book brings; empty when they may be used."""
    faults = []
    for place, times in sorted(Count(table.name for table in tables).items()):
        if times > 1:
            faults.append(_fault(RejectionReason.DUPLICATE, place, "calendars", "is listed twice"))
    taken = {rule.code for rule in _shipped()}
    if len(taken) + len(own) > MARKETS_MAX:
        faults.append(_fault(RejectionReason.LIMIT, "book", "markets", f"more than {MARKETS_MAX} markets"))
    for rule in own:
        if rule.code in taken:
            faults.append(_fault(RejectionReason.DUPLICATE, rule.code, "markets.code", "is a market already"))
        taken.add(rule.code)
        if not rule.modes or not set(rule.modes) <= set(MODES):
            message = f"'{', '.join(rule.modes)}', at least one of {', '.join(MODES)} needed"
            faults.append(_fault(RejectionReason.UNKNOWN, rule.code, "markets.modes", message))
        if not (0 <= rule.stock_days <= DAYS_MAX and 0 <= rule.money_days <= DAYS_MAX):
            message = f"T+{rule.stock_days} and T+{rule.money_days}, 0 to {DAYS_MAX} days"
            faults.append(_fault(RejectionReason.OUT_OF_RANGE, rule.code, "markets.stock_days, money_days", message))
        if not 0 <= rule.flat_margin_e10 <= 10**10:
            faults.append(_fault(RejectionReason.OUT_OF_RANGE, rule.code, "markets.flat_margin_e10", "0 to 1 x 10^10"))
        faults += _calendar_faults(rule, tables)
    return faults


def _calendar_faults(rule: MarketRule, tables: tuple[CalendarTable, ...]) -> list[Rejection]:
    faults = []
    for field in ("trading", "settlement", "money"):
        names = getattr(rule, field)
        try:
            joint_calendar(names, tables)
        except Rejected as unknown:
            faults.append(_fault(RejectionReason.UNKNOWN, rule.code, f"markets.{field}", unknown.rejections[0].message))
    return faults


def _fault(reason: RejectionReason, subject: str, field: str, message: str) -> Rejection:
    return Rejection(reason=reason, subject=subject, field=field, message=message)
