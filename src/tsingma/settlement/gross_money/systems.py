"""The dated rules of money, looked up once for a day: systems and their hours, repo, limits of small payments, tiers.

Source: ``reference/data/money_systems.toml``, where every row names its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from tsingma.basics.dates import to_date
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.reference.book import KINDS
from tsingma.reference.calendars import FIRST_DAY, LAST_DAY, calendar
from tsingma.reference.tables import read_table, row_on

FILE = "money_systems.toml"
MAINLAND_BIT = 1 << len(CURRENCIES)  # of ``needs``: the other side of the link; the bits before are the currencies
SECURITIES_BIT = MAINLAND_BIT << 1
END_S = 2 * 86_400  # after every closing time


@dataclass(frozen=True, slots=True)
class GrossSystem:
    """A gross settlement system on a day: who keeps the accounts, from when to when, how often queues are offset."""

    currency: str
    name: str
    settlement_institution: str
    opens_s: int
    closes_s: int
    offset_every_s: int
    works: bool
    assumed: bool
    source: str

    def is_open(self, second: int) -> bool:
        """Return whether it settles at a second of the day."""
        return self.works and self.opens_s <= second < self.closes_s


@dataclass(frozen=True, slots=True)
class RepoTerms:
    """Intraday repo in a currency: the kinds of paper (places in KINDS) and the rate of what stays overnight."""

    kinds: tuple[int, ...]
    overnight_a_year_e6: int


@dataclass(frozen=True, slots=True)
class TransferLimit:
    """Bounds of a purpose of small payments, cents a day and a year and person; 0 is none. ``across``: to the mainland.

    ``by_institution``: what a person sends through another institution counts apart.
    """

    purpose: str
    currencies: tuple[int, ...]
    across: bool
    by_institution: bool
    day_cents: int
    year_cents: int


@dataclass(frozen=True, slots=True)
class WalletTier:
    """Bounds of a wallet in cents; 0 is none."""

    tier: int
    balance_cents: int
    payment_cents: int
    day_cents: int
    year_cents: int


@cache
def systems_on(day: date) -> tuple[GrossSystem, ...]:
    """Return the four gross systems in the order of CURRENCIES; raises Rejected (beyond-horizon) without a row."""
    found = []
    for currency in CURRENCIES:
        rows = [row for row in _rows("system") if row["currency"] == currency]
        row = row_on(rows, day, table=f"system {currency}")
        found.append(_system(row, currency, day))
    return tuple(found)


@cache
def mainland_on(day: date) -> GrossSystem:
    """Return the mainland's side of the renminbi link; raises Rejected (beyond-horizon) without a row."""
    return _system(row_on(_rows("mainland"), day, table="mainland"), "CNY", day)


def _system(row: dict[str, Any], currency: str, day: date) -> GrossSystem:
    return GrossSystem(
        currency=currency,
        name=str(row["name"]),
        settlement_institution=str(row.get("settlement_institution", "")),
        opens_s=int(row["opens_s"]),
        closes_s=int(row["closes_s"]),
        offset_every_s=int(row.get("offset_every_s", 0)),
        works=calendar(str(row["calendar"])).is_business_day(day),
        assumed=bool(row.get("assumed", False)),
        source=str(row["source"]),
    )


def open_bits(day: date, second: int) -> int:
    """Return the systems that are open at a second of the day, as bits of ``needs``."""
    bits = SECURITIES_BIT
    for place, system in enumerate(systems_on(day)):
        bits |= system.is_open(second) << place
    return bits | (MAINLAND_BIT if mainland_on(day).is_open(second) else 0)


def closed_bits(day: date, second: int) -> int:
    """Return the systems that are closed for the rest of the day, as bits of ``needs``."""
    bits = 0
    for place, system in enumerate(systems_on(day)):
        bits |= (not system.works or second >= system.closes_s) << place
    mainland = mainland_on(day)
    return bits | (MAINLAND_BIT if not mainland.works or second >= mainland.closes_s else 0)


DAY_S = 86_400
OPENING_WITHIN_DAYS = 40  # longer than any closure of a money market


def money_is_open(currency: int, at: int) -> bool:
    """Return whether a currency's gross system settles at a second since 1970-01-01, Hong Kong time.

    A system that runs past midnight is open on the day after it opened. Beyond the calendars weekdays are taken to
    work (assumed). Raises Rejected (beyond-horizon) for a day before the table's rows.
    """
    day, second = divmod(at, DAY_S)
    return any(
        hours is not None and hours[0] <= second + back * DAY_S < hours[1]
        for back in (0, 1)
        for hours in (_hours(currency, to_date(day - back)),)
    )


def money_opens(currencies: tuple[int, ...], at: int) -> int | None:
    """Return the first second from ``at`` on at which all these systems settle; None when not within forty days."""
    day, now = at // DAY_S, at
    while now // DAY_S <= day + OPENING_WITHIN_DAYS:
        closed = [currency for currency in currencies if not money_is_open(currency, now)]
        if not closed:
            return now
        now = max(_next_opening(currency, now) for currency in closed)
    return None


def _next_opening(currency: int, at: int) -> int:
    for later in range(OPENING_WITHIN_DAYS + 1):
        day = at // DAY_S + later
        hours = _hours(currency, to_date(day))
        if hours is not None and day * DAY_S + hours[0] > at:
            return day * DAY_S + hours[0]
    return at + (OPENING_WITHIN_DAYS + 1) * DAY_S


@cache
def _hours(currency: int, day: date) -> tuple[int, int] | None:
    name = CURRENCIES[currency]
    row = row_on([row for row in _rows("system") if row["currency"] == name], day, table=f"system {name}")
    known = FIRST_DAY <= day <= LAST_DAY
    works = calendar(str(row["calendar"])).is_business_day(day) if known else day.weekday() < 5
    return (int(row["opens_s"]), int(row["closes_s"])) if works else None


@cache
def repo_terms(day: date) -> tuple[RepoTerms, ...]:
    """Return the terms of intraday repo in the order of CURRENCIES."""
    found = []
    for currency in CURRENCIES:
        rows = [row for row in _rows("intraday_repo") if row["currency"] == currency]
        row = row_on(rows, day, table=f"intraday_repo {currency}")
        kinds = tuple(place for place, kind in enumerate(KINDS) if kind in row["kinds"])
        found.append(RepoTerms(kinds, int(row["overnight_a_year_e6"])))
    return tuple(found)


PURPOSES: tuple[str, ...] = ("domestic", "payment-connect", "same-name")


@cache
def transfer_limit(purpose: int, day: date) -> TransferLimit:
    """Return the bounds of a purpose (a place in PURPOSES); raises Rejected (unknown, beyond-horizon)."""
    if not 0 <= purpose < len(PURPOSES):
        raise refuse(RejectionReason.UNKNOWN, f"no purpose {purpose}", field="purpose", remedy=", ".join(PURPOSES))
    name = PURPOSES[purpose]
    rows = [row for row in _rows("transfer_limit") if row["purpose"] == name]
    row = row_on(rows, day, table=f"transfer_limit {name}")
    currencies = tuple(CURRENCIES.index(currency) for currency in row["currencies"])
    bounds = {field: int(row[field]) for field in ("day_cents", "year_cents")}
    return TransferLimit(name, currencies, bool(row["across"]), bool(row["by_institution"]), **bounds)


@cache
def wallet_tier(tier: int, day: date) -> WalletTier:
    """Return the bounds of a tier of e-CNY wallet; raises Rejected (unknown, beyond-horizon)."""
    rows = [row for row in _rows("wallet_tier") if row["tier"] == tier]
    if not rows:
        raise refuse(RejectionReason.UNKNOWN, f"no tier {tier}", field="tier", remedy="1 to 4")
    row = row_on(rows, day, table=f"wallet_tier {tier}")
    fields = ("balance_cents", "payment_cents", "day_cents", "year_cents")
    return WalletTier(tier, **{field: int(row[field]) for field in fields})


def _rows(table: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = read_table(FILE)[table]
    return rows
