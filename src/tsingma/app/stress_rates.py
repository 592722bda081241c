"""Positions on curves in a stress: swaps, bonds and bond futures beside what the books hold, with their own margin.

They come from files (the formats of ``tsingma margin house``) or are invented for a simulated house. Each house calls
what it calls alone by revalued history; no credit across houses is counted for them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.app.joint_study import MarketFiles, days_alone, past_of_files
from tsingma.basics.dates import to_day
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.engine.house import FX_UNIT_E6
from tsingma.engine.house import House as TheHouse
from tsingma.margin.house.contracts import PRODUCT_OF, Contract
from tsingma.margin.house.curve_scenarios import RatesPast
from tsingma.margin.house.holdings import CONTRACTS, Holding
from tsingma.margin.house.models import HouseModels
from tsingma.margin.house.past import MarketPast
from tsingma.margin.house.standalone import house_figure
from tsingma.market.curve_history import CurveSeries
from tsingma.messages.book_file import read_books
from tsingma.simulate.rates import simulate_rates
from tsingma.stress.book import HOUSES, StressBook
from tsingma.stress.rates import CurveNow, RatesNow

Int64 = npt.NDArray[np.int64]


class RatesBook(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """What accounts hold on curves, by name of account, and the past that margins it."""

    holdings: Mapping[str, tuple[Holding, ...]]
    past: MarketPast
    file: str = ""


def rates_of_files(books: Path, contracts: Path, curves: Path) -> RatesBook:
    """Return positions of files; a book is named as its account, ``PARTICIPANT/CLASS``.

    Raises Rejected naming file, line and field of what cannot be read, or of a holding that is no contract on file.
    """
    past = past_of_files(MarketFiles(curves=curves, contracts=contracts))
    known = past.rates.contracts if past.rates is not None else {}
    found = {book.name: book.holdings for book in read_books(books.read_bytes(), file=str(books))}
    for holdings in found.values():
        for one in holdings:
            _require_contract(one, known, str(books))
    return RatesBook(holdings=found, past=past, file=str(books))


def _require_contract(one: Holding, known: Mapping[str, Contract], file: str) -> None:
    contract = known.get(one.factor)
    if one.product not in CONTRACTS or contract is None or PRODUCT_OF[contract.kind] is not one.product:
        message = f"'{one.factor}' is no {one.product} among the contracts"
        remedy = "swaps, bonds and bond futures of the contracts file stand here; the rest is in the house's books"
        raise refuse(RejectionReason.UNKNOWN, message, file=file, line=one.line, field="factor", remedy=remedy)


def simulated_rates(seed: int, book: StressBook) -> RatesBook:
    """Return invented positions of some of the participants' own accounts."""
    own = [name for name, mine in zip(book.accounts, book.own.tolist(), strict=True) if mine]
    made = simulate_rates(seed, book.day, own)
    return RatesBook(holdings=made.holdings, past=rates_past(made.curves, made.contracts))


def rates_past(curves: Sequence[CurveSeries], contracts: Mapping[str, Contract]) -> MarketPast:
    """Return the past of curves alone; raises Rejected when it is too short for the model."""
    models, history = HouseModels(), days_alone(curves)
    rates = RatesPast([curve.on(history.dates) for curve in curves], contracts, models.filter)
    return MarketPast(history, models, rates)


def hkd_rates(house: TheHouse) -> dict[str, float]:
    """Return what a unit of a currency is worth in HKD at the house's last prices; offshore renminbi as onshore."""
    found = {name: rate / FX_UNIT_E6 for name, rate in zip(CURRENCIES, house.fx_e6, strict=True) if rate}
    return {**found, "CNH": found["CNY"]} if "CNY" in found else found


def rates_now(past: MarketPast, day: date, hkd: Mapping[str, float]) -> RatesNow:
    """Return contracts with the curves of a day; raises Rejected (missing) without a curve within seven days of it."""
    if past.rates is None:
        raise refuse(RejectionReason.MISSING, "there are no curves", field="curves")
    today = np.array([to_day(day)], np.int32)
    curves = {one.name: CurveNow(one.name, one.years, one.on(today).rates[0]) for one in past.rates.curves}
    return RatesNow(day=day, contracts=past.rates.contracts, curves=curves, hkd=hkd)


def with_rates(book: StressBook, rates: RatesBook, hkd: Mapping[str, float]) -> StressBook:
    """Return the book with positions on curves, what their houses call for them, and the curves of its day.

    Raises Rejected (unknown) for a position of no account of the book, (missing) without curves of its day.
    """
    place = {name: number for number, name in enumerate(book.accounts)}
    for name, holdings in rates.holdings.items():
        if name not in place:
            remedy = f"name it as the house does, such as {book.accounts[0]}" if book.accounts else ""
            raise refuse(
                RejectionReason.UNKNOWN, f"no clearing account '{name}'", file=rates.file, line=holdings[0].line,
                field="book", remedy=remedy,
            )  # fmt: skip
    now = rates_now(rates.past, book.day, hkd)
    if book.rates is not None:  # what the books hold, and files beside
        now = msgspec.structs.replace(
            now, contracts={**book.rates.contracts, **now.contracts}, curves={**book.rates.curves, **now.curves}
        )
    row = int(np.searchsorted(rates.past.history.dates, to_day(book.day), side="right")) - 1
    lines = {line: number for number, line in enumerate(book.lines)}
    margin = book.margin.copy()
    rows: list[tuple[int, int, int]] = []
    for name, holdings in rates.holdings.items():
        for one in holdings:
            unit = Holding(house=one.house, product=one.product, factor=one.factor, notional=1, days=0)
            rows.append((place[name], lines.setdefault(unit, len(lines)), one.notional))
        for at, house in enumerate(HOUSES):
            own = [one for one in holdings if one.house is house]
            if own:
                margin[place[name], at] += house_figure(house, own, rates.past, row).total
    account, line, notional = (np.array(column, np.int64) for column in zip(*rows, strict=True)) if rows else _NONE
    return replace(
        book,
        lines=tuple(lines),
        position_account=np.concatenate([book.position_account, account.astype(np.int32)]),
        position_line=np.concatenate([book.position_line, line.astype(np.int32)]),
        notional=np.concatenate([book.notional, notional]),
        margin=margin,
        rates=now,
    )


_NONE = (np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64))
