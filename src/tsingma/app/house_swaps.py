"""Swaps of a house's books on curves: what they are worth each evening, and what their house calls for them.

A position of the books is net notional N and notional times fixed rate W (``clearing.swaps``). It is (N - W) of a swap
that pays a fixed rate of nothing and W of one that pays a rate of one, so two contracts a series stand for all fixed
rates. Between resets a floating period keeps the rate at which it was fixed: the curve's simple rate on its first day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from tsingma.app.stress_rates import RatesBook, hkd_rates, rates_past
from tsingma.basics.columns import pack
from tsingma.basics.dates import to_date, to_day
from tsingma.basics.money import MINOR_SCALE
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.clearing.swaps import RATE_MAX_E6, SERIES_MAX, SwapBook, SwapMark
from tsingma.engine.house import House as TheHouse
from tsingma.journal.swap_commands import MarkSwaps, SwapTerms
from tsingma.margin.house.contracts import Contract, ContractKind, CurveBook
from tsingma.margin.house.holdings import Holding, House, Product
from tsingma.margin.house.past import MarketPast
from tsingma.margin.house.standalone import house_figure
from tsingma.market.curve_history import CurveSeries
from tsingma.pricing.schedule import DayCount, schedule, year_fraction

Float64 = npt.NDArray[np.float64]

E12, E6 = 10**12, 10**6
RATES = (0, 1)  # fixed rates of the two contracts that stand for a series


def swap_contracts(book: SwapBook) -> dict[str, Contract]:
    """Return two contracts for every series that somebody holds, at the fixings of the last marks."""
    return {
        name_of(terms, rate): _contract(terms, rate, _fixing(book, place))
        for place, terms in enumerate(book.series)
        if place in book.held()
        for rate in RATES
    }


def name_of(terms: SwapTerms, rate: int) -> str:
    """Return the name of one of a series' two contracts."""
    return f"{terms.id} at {rate}"


def _contract(terms: SwapTerms, rate: int, fixing: float) -> Contract:
    return Contract(
        id=name_of(terms, rate), kind=ContractKind.SWAP, curve=terms.curve, start=to_date(terms.start_day),
        maturity=to_date(terms.end_day), rate=float(rate), months=terms.fixed_months,
        floating_months=terms.floating_months, fixing=fixing,
    )  # fmt: skip


def _fixing(book: SwapBook, place: int) -> float:
    return book.marks[place].fixing_e6 / E6 if place in book.marks else 0.0


def swap_holdings(house: TheHouse) -> dict[int, tuple[Holding, ...]]:
    """Return what every account holds in swaps as contracts of :func:`swap_contracts`, whole HKD at the last rates.

    Raises Rejected (missing) for a currency without a rate, (unknown) for a series of no clearing house.
    """
    hkd, found = hkd_rates(house), dict[int, tuple[Holding, ...]]()
    for key, one in sorted(house.swaps.positions.items()):
        account, place = divmod(key, SERIES_MAX)
        terms = house.swaps.series[place]
        if terms.currency not in hkd:
            raise refuse(RejectionReason.MISSING, f"{terms.currency} has no rate", field="currency", subject=terms.id)
        unit = hkd[terms.currency] / MINOR_SCALE
        at_one = round(one.weighted_e6 * unit / E6)
        sizes = (round(one.notional_cents * unit) - at_one, at_one)
        lines = tuple(
            Holding(
                house=House.OTC_CLEAR,
                product=Product.SWAP,
                factor=name_of(terms, rate),
                notional=size,
                days=0,
                line=0,
            )
            for rate, size in zip(RATES, sizes, strict=True)
            if size
        )
        found[account] = (*found.get(account, ()), *lines)
    return {account: lines for account, lines in found.items() if lines}


def swap_past(house: TheHouse, curves: Sequence[CurveSeries]) -> MarketPast:
    """Return the past that margins the house's swaps; raises Rejected without their curves, or for too short a past."""
    return rates_past(curves, swap_contracts(house.swaps))


def swap_margins(house: TheHouse, curves: Sequence[CurveSeries]) -> dict[int, int]:
    """Return what is called for swaps by account, whole HKD, each account's swaps as one portfolio."""
    held = swap_holdings(house)
    if not held:
        return {}
    past = swap_past(house, curves)
    row = int(np.searchsorted(past.history.dates, house.position.day, side="right")) - 1
    return {account: house_figure(House.OTC_CLEAR, lines, past, row).total for account, lines in held.items()}


def house_rates(house: TheHouse, curves: Sequence[CurveSeries]) -> RatesBook | None:
    """Return the house's swaps for a stress, by name of account; None when there are none.

    Raises Rejected (missing) when there are swaps and no curves.
    """
    held = swap_holdings(house)
    if not held:
        return None
    if not curves:
        remedy = "put curves.csv into the market's folder"
        raise refuse(RejectionReason.MISSING, "the house holds swaps: there are no curves", field="curves",
                     remedy=remedy)  # fmt: skip
    names = {house.resolved.account_name(account): lines for account, lines in held.items()}
    return RatesBook(holdings=names, past=swap_past(house, curves))


def mark_swaps(house: TheHouse, curves: Sequence[CurveSeries], source: str) -> MarkSwaps | None:
    """Return the evening's marks of all open series on the curves of the house's day, None without a position.

    Raises Rejected (missing) naming a curve that is not there or is older than a week.
    """
    day, book = to_date(house.position.day), house.swaps
    places = sorted(book.held())
    if not places:
        return None
    today = {one.name: (one.years, one.on(np.array([house.position.day], np.int32)).rates) for one in curves}
    marks = [_mark(book, place, day, today) for place in places]
    columns = {
        name: pack([getattr(mark, name) for mark in marks], "i4" if name == "reset_day" else "i8")
        for name in SwapMark.__struct_fields__
    }
    return MarkSwaps(source=source, series=pack(places, "i4"), **columns)


def _mark(book: SwapBook, place: int, day: date, curves: Mapping[str, tuple[Float64, Float64]]) -> SwapMark:
    terms, before = book.series[place], book.marks.get(place)
    if terms.curve not in curves:
        remedy = f"there are: {', '.join(sorted(curves)) or 'none'}"
        raise refuse(RejectionReason.MISSING, f"no curve '{terms.curve}'", subject=f"swap {terms.id}", remedy=remedy)
    years, rates = curves[terms.curve]
    fixing, reset = _running(terms, before, day, years, rates)
    legs = (0, 0)
    if to_date(terms.end_day) > day:
        pair = [_contract(terms, rate, fixing / E6) for rate in RATES]
        values = CurveBook(pair, {one.id: one for one in pair}, day, years, rates).values(rates)
        at_nothing, at_one = (float(values[one.id][0]) for one in pair)
        legs = (round(at_nothing * E12), round((at_nothing - at_one) * E12))
    since = to_date(book.marked_day) if before is not None else day
    floating = _due(terms, terms.floating_months, since, day) * (before.fixing_e6 if before is not None else 0) // E6
    return SwapMark(*legs, floating, _due(terms, terms.fixed_months, since, day), fixing, reset)


def _running(terms: SwapTerms, before: SwapMark | None, day: date, years: Float64, rates: Float64) -> tuple[int, int]:
    """Return the fixing (e6) of the floating period that runs on a day and its first day; before the start nothing."""
    days = schedule(to_date(terms.start_day), to_date(terms.end_day), terms.floating_months)
    period = next(((a, b) for a, b in pairwise(days) if a <= day < b), None)
    if period is None:
        return 0, 0
    start, end = period
    if before is not None and before.reset_day == to_day(start):
        return before.fixing_e6, before.reset_day
    time = (end - day).days / 365.0
    growth = float(np.exp(np.interp(time, years, rates[0]) * time))
    rate = (growth - 1.0) / year_fraction(day, end, DayCount.ACT_365F)
    return max(min(round(rate * E6), RATE_MAX_E6), -RATE_MAX_E6), to_day(start)


def _due(terms: SwapTerms, months: int, since: date, day: date) -> int:
    """Return the parts of a year x 10^12 of periods that ended after ``since`` and by ``day``."""
    days = schedule(to_date(terms.start_day), to_date(terms.end_day), months)
    ended = (year_fraction(a, b, DayCount.ACT_365F, months=months) for a, b in pairwise(days) if since < b <= day)
    return sum(round(each * E12) for each in ended)


def par_rate_e6(terms: SwapTerms, day: date, years: Float64, rates: Float64) -> int:
    """Return the fixed rate (e6) at which a swap that has not started is worth nothing on a curve."""
    pair = [_contract(terms, rate, 0.0) for rate in RATES]
    values = CurveBook(pair, {one.id: one for one in pair}, day, years, rates).values(rates)
    at_nothing, at_one = (float(values[one.id][0]) for one in pair)
    return round(at_nothing / (at_nothing - at_one) * E6)
