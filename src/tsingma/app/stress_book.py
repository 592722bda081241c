"""A stress book from a house: what clearing accounts hold and have, and prices for betas. Nothing is written back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.app.house_derivatives import CrossHouse, DerivativeMargin
from tsingma.app.house_margin import HouseMargin, instrument_id, live_value
from tsingma.basics.dates import to_date
from tsingma.basics.money import CURRENCIES, MINOR_SCALE
from tsingma.engine.house import FX_UNIT_E6
from tsingma.engine.house import House as TheHouse
from tsingma.margin.house.holdings import INDEX, Holding, House, Product
from tsingma.margin.joint.allocation import Allocation
from tsingma.market.history import PriceHistory
from tsingma.reference.book import AccountClass, InstrumentKind, Market, ParticipantKind
from tsingma.stress.book import HOUSES, DueMoney, StressBook
from tsingma.stress.scenario import assumptions
from tsingma.stress.shocks import FactorModel, estimate_factors, needed_factors

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]

_CLEARING = (ParticipantKind.DIRECT_CLEARING, ParticipantKind.GENERAL_CLEARING)
_STRUCTURED = (InstrumentKind.WARRANT, InstrumentKind.CBBC)


class _Positions:
    """Lines found so far, and positions on them."""

    def __init__(self) -> None:
        self.lines: dict[Holding, int] = {}
        self.account: list[int] = []
        self.line: list[int] = []
        self.notional: list[int] = []

    def add(self, account: int, line: Holding, notional: int) -> None:
        self.account.append(account)
        self.line.append(self.lines.setdefault(line, len(self.lines)))
        self.notional.append(notional)


def stress_book(
    house: TheHouse, margin: HouseMargin, derivatives: DerivativeMargin, crossed: Sequence[CrossHouse]
) -> StressBook:
    """Return the stress book of a house at its last closing prices and margins; ``crossed`` gives the joint credit."""
    resolved = house.resolved
    codes = [code for code, one in enumerate(resolved.book.participants) if one.kind in _CLEARING]
    number = {code: place for place, code in enumerate(codes)}
    accounts = [place for place, code in enumerate(resolved.account_participant.tolist()) if code in number]
    row = {account: place for place, account in enumerate(accounts)}
    n = len(accounts)
    marked, called, credit = (np.zeros((n, len(HOUSES)), np.int64) for _ in range(3))
    positions = _Positions()
    _securities(positions, marked, called, margin, row)
    for account, lines in derivatives.holdings.items():
        for line in lines:
            unit = _unit(line)
            positions.add(row[account], unit, line.notional)
    for account, calls in derivatives.calls.items():
        for at, amount in calls.items():
            called[row[account], HOUSES.index(at)] = amount
    names = {resolved.account_name(account): place for place, account in enumerate(accounts)}
    for each in crossed:
        for share in each.margin.by(Allocation.EULER).houses:
            credit[names[each.account], HOUSES.index(House(share.house))] = share.credit
    own = [resolved.book.accounts[account].account_class is AccountClass.HOUSE for account in accounts]
    return StressBook(
        day=to_date(house.position.day),
        participants=tuple(resolved.book.participants[code].code for code in codes),
        accounts=tuple(names),
        account_participant=np.array([number[int(resolved.account_participant[a])] for a in accounts], np.int32),
        lines=tuple(positions.lines),
        position_account=np.array(positions.account, np.int32),
        position_line=np.array(positions.line, np.int32),
        notional=np.array(positions.notional, np.int64),
        marked=marked,
        margin=called,
        credit=np.minimum(credit, called),
        liquid=_liquid(house, row),
        own=np.array(own, np.bool_),
        due=_due(house, number),
    )


def _unit(line: Holding) -> Holding:
    return Holding(
        house=line.house, product=line.product, factor=line.factor, notional=1, strike_e4=line.strike_e4, days=line.days
    )


def _securities(
    positions: _Positions, marked: Int64, called: Int64, margin: HouseMargin, row: Mapping[int, int]
) -> None:
    """Add what is not yet settled at HKSCC: market values as positions, gains since the trade as marked."""
    book, at = margin.book, HOUSES.index(House.HKSCC)
    for place, account in enumerate(margin.account.tolist()):
        here = slice(int(book.start[place]), int(book.start[place + 1]))
        called[row[account], at] = margin.results[place].total
        marked[row[account], at] = int((book.market_value[here] - book.contract_value[here]).sum())
        for instrument, value in zip(book.instrument[here].tolist(), book.market_value[here].tolist(), strict=True):
            line = Holding(
                house=House.HKSCC, product=Product.STOCK, factor=book.instruments[instrument], notional=1, days=0
            )
            positions.add(row[account], line, value)


def _liquid(house: TheHouse, row: Mapping[int, int]) -> Int64:
    """Return what is free in money on each account, whole HKD; other currencies after the haircut of their margin."""
    ledger, day = house.ledger, to_date(house.position.day)
    found = np.zeros(len(row), np.int64)
    money = np.flatnonzero(ledger.asset < len(CURRENCIES))
    available = ledger.available(money)
    for owner, unit, cents in zip(
        ledger.owner[money].tolist(), ledger.asset[money].tolist(), available.tolist(), strict=True
    ):
        if owner in row and cents > 0:
            name = CURRENCIES[unit]
            cut_e4 = 0 if name == "HKD" else int(live_value(f"fx_haircut.{name}", day) * 10_000)
            found[row[owner]] += cents * house.fx_e6[unit] * (10_000 - cut_e4) // (FX_UNIT_E6 * 10_000 * MINOR_SCALE)
    return found


def _due(house: TheHouse, number: Mapping[int, int]) -> tuple[DueMoney, ...]:
    """Return what clearing participants are to pay for securities by day and currency; no account helps another."""
    resolved = house.resolved
    found: dict[tuple[date, str], dict[int, int]] = {}

    def add(day: date, account: int, unit: int, cents: int) -> None:
        place = number.get(int(resolved.account_participant[account]))
        if place is not None and cents > 0:
            amounts = found.setdefault((day, CURRENCIES[unit]), {})
            amounts[place] = amounts.get(place, 0) + cents

    for day in house.obligations.days:
        due = house.obligations.due(day)
        unit = resolved.counter_currency[due.counter].astype(np.int64)
        keys, place = np.unique(due.account.astype(np.int64) * len(CURRENCIES) + unit, return_inverse=True)
        sums = np.zeros(keys.size, np.int64)
        np.add.at(sums, place, due.amount_cents)
        for key, cents in zip(keys.tolist(), sums.tolist(), strict=True):
            add(to_date(day), key // len(CURRENCIES), key % len(CURRENCIES), cents)
    return tuple(DueMoney(day=day, currency=unit, amount=amount) for (day, unit), amount in sorted(found.items()))


def factor_model(house: TheHouse, book: StressBook, history: PriceHistory, horizon_days: int) -> FactorModel:
    """Return betas of the book's factors; the index is its own column of the history, else the mean of all names."""
    assumed = assumptions()
    factors = needed_factors(book.lines)
    closes, index, days = closes_of(history)
    own: dict[str, float] = {}
    renminbi: set[str] = set()
    for counter in house.resolved.book.counters:
        if counter.settlement_counter and counter.currency == "CNY":
            renminbi.add(instrument_id(counter.code))
        if counter.market in (Market.XSHG, Market.XSHE):
            own[instrument_id(counter.code)] = assumed.mainland_beta
        elif counter.kind in _STRUCTURED:
            own[instrument_id(counter.code)] = assumed.structured_gearing
    model = estimate_factors(factors, closes, index, days, horizon_days, own, assumed)
    return msgspec.structs.replace(model, renminbi=tuple(code for code in factors if code in renminbi))


def closes_of(history: PriceHistory) -> tuple[dict[str, Float64], Float64, npt.NDArray[np.int32]]:
    """Return closes by instrument (NaN where missing), the index, and days."""
    values = np.where(history.missing, np.nan, history.close_e4.astype(np.float64))
    closes: dict[str, Float64] = {}
    names: list[int] = []
    for place, code in enumerate(history.instruments):
        if code == INDEX:
            continue
        names.append(place)
        closes[code] = closes[instrument_id(code)] = values[:, place]
    if INDEX in history.instruments:
        return closes, values[:, history.instruments.index(INDEX)], history.dates
    with np.errstate(invalid="ignore"):
        daily = np.nanmean(values[1:][:, names] / values[:-1][:, names], axis=1)
    return closes, np.concatenate([[1.0], np.cumprod(daily)]) * 1e4, history.dates
