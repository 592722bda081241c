"""A simulated market: book, price history, and the days that follow, each drawn from its own stream of chance.

Every figure that comes from here is simulated and labelled so, except closes that were given: then the invented
firms trade the given names at prices that lead from one given close to the next.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from tsingma.basics.dates import to_date, to_day
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.clearing.trades import COLUMN_TYPES, Trades
from tsingma.journal.commands import DepositAssets
from tsingma.market.history import PriceHistory
from tsingma.reference.book import InstrumentKind, Market, ReferenceBook, ResolvedBook, resolve
from tsingma.reference.calendars import calendar
from tsingma.simulate.deposits import opening_deposits
from tsingma.simulate.prices import closes_after, closes_ending_at, daily_returns
from tsingma.simulate.shape import MarketShape, default_shape
from tsingma.simulate.tape import Crowd, crowd, day_trades
from tsingma.simulate.universe import invented_counters, real_counters, reference_book

Int64 = npt.NDArray[np.int64]

_HISTORY_KINDS = (InstrumentKind.EQUITY, InstrumentKind.ETF, InstrumentKind.REIT)
_HISTORY_STREAM, _DAY_STREAM, _DEPOSIT_STREAM = 2, 3, 4


@dataclass(frozen=True, slots=True)
class MarketDay:
    """One simulated day: its trades, the close of every counter (e4) and HKD per unit of each currency (e6)."""

    date: date
    trades: Trades
    close_e4: Int64
    fx_e6: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SimulatedMarket:
    """Everything before the first day, and how to draw the days."""

    label: str
    seed: int
    shape: MarketShape
    book: ReferenceBook
    resolved: ResolvedBook
    history: PriceHistory  # up to the day before the first
    dates: tuple[date, ...]
    close_e4: Int64  # [days + 1, counters]: the close before the first day, then each day's
    trades_per_day: int
    crowd: Crowd

    @property
    def fx_e6(self) -> tuple[int, ...]:
        """HKD per unit of each house currency x 1,000,000."""
        return tuple(self.shape.rates.get(f"{currency}_e6", 1_000_000) for currency in CURRENCIES)

    def day(self, place: int) -> MarketDay:
        """Draw day ``place`` (from 0); the same place always gives the same trades."""
        chance = np.random.Generator(np.random.PCG64([self.seed, _DAY_STREAM, place]))
        moment = self.dates[place]
        trades = day_trades(
            self.crowd,
            self.resolved,
            self.shape,
            to_day(moment),
            self.trades_per_day,
            self.close_e4[place],
            self.close_e4[place + 1],
            chance,
            links_open=calendar("connect.northbound").is_business_day(moment),
        )
        return MarketDay(moment, trades, self.close_e4[place + 1], self.fx_e6)

    def days(self) -> Iterator[MarketDay]:
        """Draw every day in turn."""
        return (self.day(place) for place in range(len(self.dates)))

    def deposits(self) -> DepositAssets:
        """Return the opening books: what accounts hold before the first day (see ``deposits``)."""
        chance = np.random.Generator(np.random.PCG64([self.seed, _DEPOSIT_STREAM]))
        return opening_deposits((day.trades for day in self.days()), self.resolved, self.shape, chance)

    def fingerprint(self) -> str:
        """Return SHA-256 over all trade columns and closes, in hex: two equal markets have equal ones."""
        total = hashlib.sha256(self.close_e4.astype("<i8").tobytes())
        for day in self.days():
            for name, kind in COLUMN_TYPES.items():
                total.update(getattr(day.trades, name).astype(f"<{kind}").tobytes())
        return total.hexdigest()


def simulate_market(
    seed: int, start: date, days: int, trades_per_day: int, shape: MarketShape | None = None
) -> SimulatedMarket:
    """Return an invented market whose first trading day is ``start`` or the next one after it."""
    form = shape or default_shape()
    counters, opening = invented_counters(form, seed)
    book = reference_book(form, counters)
    resolved = resolve(book)
    chance = np.random.Generator(np.random.PCG64([seed, _HISTORY_STREAM]))
    moved = daily_returns(form.returns, form.returns.history_days + days, len(counters), chance)
    _follow(moved, book, resolved)
    past = closes_ending_at(np.array(opening, np.int64), moved[: form.returns.history_days])
    future = closes_after(past[-1], moved[form.returns.history_days :])
    dates = _trading_days(start, days)
    return SimulatedMarket(
        label=f"Simulated market, seed {seed}",
        seed=seed,
        shape=form,
        book=book,
        resolved=resolved,
        history=_history(book, past, dates[0]),
        dates=dates,
        close_e4=np.concatenate([past[-1:], future]),
        trades_per_day=trades_per_day,
        crowd=crowd(book, resolved, form),
    )


def market_on_closes(
    seed: int, history: PriceHistory, days: int, trades_per_day: int, shape: MarketShape | None = None
) -> SimulatedMarket:
    """Return invented firms trading the names of a history over its last ``days`` days, at its closes.

    The history handed on ends the day before, so that parameters made from it have not seen the days traded.
    Raises Rejected when the history is shorter than that, or a day of it is no trading day of Hong Kong.
    """
    form = shape or default_shape()
    first = history.days - days
    if first < 2:
        raise refuse(RejectionReason.MISSING, f"{history.days} days of closes cannot give {days} days and a past")
    known = history.until(first - 1)
    opening, _ = history.last_closing(first - 1)
    chosen = np.flatnonzero(opening > 0)
    codes = tuple(history.instruments[place] for place in chosen)
    counters, _ = real_counters(form, codes, tuple(int(price) for price in opening[chosen]))
    book = reference_book(form, counters)
    resolved = resolve(book)
    dates = tuple(to_date(int(day)) for day in history.dates[first:])
    for moment in dates:
        if not calendar("XHKG").is_business_day(moment):
            raise refuse(RejectionReason.CONFLICT, f"{moment} has closes and is no trading day", field="date")
    rows = [history.last_closing(row)[0][chosen] for row in range(first - 1, history.days)]
    return SimulatedMarket(
        label=f"Real closes to {dates[-1]}, simulated trades, seed {seed}",
        seed=seed,
        shape=form,
        book=book,
        resolved=resolved,
        history=known,
        dates=dates,
        close_e4=_per_counter(np.stack(rows), codes, book, form),
        trades_per_day=trades_per_day,
        crowd=crowd(book, resolved, form),
    )


def _per_counter(closes: Int64, codes: tuple[str, ...], book: ReferenceBook, shape: MarketShape) -> Int64:
    """Spread closes of settlement counters over all counters, in each counter's own currency."""
    column = {code: place for place, code in enumerate(codes)}
    by_isin = {counter.isin: column[counter.code] for counter in book.counters if counter.settlement_counter}
    spread = np.stack([closes[:, by_isin[counter.isin]] for counter in book.counters], axis=1)
    for place, counter in enumerate(book.counters):
        if counter.currency != "HKD":
            spread[:, place] = np.maximum(spread[:, place] * 1_000_000 // shape.rates[f"{counter.currency}_e6"], 1)
    return spread


def _follow(moved: npt.NDArray[np.float64], book: ReferenceBook, resolved: ResolvedBook) -> None:
    """Let other counters of a security move as its settlement counter, and bonds hardly at all."""
    for place, counter in enumerate(book.counters):
        if not counter.settlement_counter:
            moved[:, place] = moved[:, resolved.settlement_counter[resolved.counter_security[place]]]
        if counter.market == Market.CMU:
            moved[:, place] *= 0.05


def _history(book: ReferenceBook, closes: Int64, first: date) -> PriceHistory:
    """Return the closes of the stocks, funds and trusts of Hong Kong on the days before ``first``."""
    chosen = [
        place
        for place, counter in enumerate(book.counters)
        if counter.settlement_counter and counter.market == Market.XHKG and counter.kind in _HISTORY_KINDS
    ]
    days = np.arange(to_day(first) - 2 * closes.shape[0], to_day(first), dtype=np.int32)
    weekdays = days[(days + 3) % 7 < 5][-closes.shape[0] :]  # 1970-01-01 was a Thursday
    close = np.ascontiguousarray(closes[:, chosen])
    return PriceHistory(
        dates=weekdays,
        instruments=tuple(book.counters[place].code for place in chosen),
        close_e4=close,
        missing=np.zeros(close.shape, np.bool_),
    )


def _trading_days(start: date, count: int) -> tuple[date, ...]:
    sessions = calendar("XHKG")
    first = start if sessions.is_business_day(start) else sessions.next_after(start)
    dates = [first]
    while len(dates) < count:
        dates.append(sessions.next_after(dates[-1]))
    return tuple(dates)
