"""The Python face of Tsingma: what a notebook asks, as functions whose answers are typed and turn into frames.

``import tsingma as tm`` gives every name here; none is the name of a room (``tm.margin`` is the room). Each answer
keeps what the use case returned in ``value`` and its rows in ``rows``; ``frame()`` makes a polars frame of them.
Nothing is computed here that the command line does not compute.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec

from tsingma.basics.dates import to_date
from tsingma.basics.rejection import RejectionReason, refuse

if TYPE_CHECKING:
    import polars

    from tsingma.app.economy_run import ScenarioRun
    from tsingma.app.market_folder import DayLine
    from tsingma.economy.chain.scenario import ScenarioResult
    from tsingma.margin.house.holdings import Book
    from tsingma.margin.house.past import MarketPast
    from tsingma.margin.house.standalone import HouseFigure
    from tsingma.margin.joint.explain import Explanation, WhatIf
    from tsingma.margin.joint.study import BookStudy
    from tsingma.reports.stress_figures import StressFigures
    from tsingma.settlement.proposal import Proposal

T = TypeVar("T")
Row = Mapping[str, object]
DEFAULT_ALLOCATION = "euler"
CHAIN_START = date(2026, 1, 5)
CHAIN_DRAWS = 50


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """What a use case answered: ``value`` as it is, ``rows`` as a table; whole HKD unless a name says cents."""

    value: T
    rows: tuple[Row, ...]

    def frame(self) -> polars.DataFrame:
        """Return the rows as a polars frame; raises Rejected (missing) when polars is not installed."""
        try:
            import polars
        except ImportError:
            remedy = "pip install 'tsingma[analytics]'"
            raise refuse(RejectionReason.MISSING, "frames need polars", remedy=remedy) from None
        return polars.DataFrame([dict(row) for row in self.rows], infer_schema_length=None)


def load(
    prices: Path | str | None = None, *, index: Path | str | None = None, fx: Path | str | None = None,
    series: Mapping[str, Path | str] | None = None, curves: Path | str | None = None,
    contracts: Path | str | None = None,
) -> MarketPast:  # fmt: skip
    """Return a market's past from files: closes, index, USD/CNY, other series, zero curves, contracts.

    Raises Rejected naming file, line and field of what is wrong.
    """
    from tsingma.app.joint_study import MarketFiles, past_of_files

    files = MarketFiles(
        prices=_path(prices), index=_path(index), fx=_path(fx), curves=_path(curves), contracts=_path(contracts),
        series=tuple((name, Path(path)) for name, path in sorted((series or {}).items())),
    )  # fmt: skip
    return past_of_files(files)


def books(path: Path | str | None = None) -> tuple[Book, ...]:
    """Return the books of holdings of a file, or the twelve stylised ones that come with the house."""
    from tsingma.app.joint_study import books_of_file

    return books_of_file(_path(path))[0]


def write_market(folder: Path | str, *, days: int = 3, trades: int = 20_000, seed: int = 1) -> Path:
    """Write a simulated market (trades, closes, deposits, reference book) into a folder and return it."""
    from tsingma.app.demo import DEFAULT_START
    from tsingma.app.market_folder import write_market as write
    from tsingma.app.progress import Silent
    from tsingma.simulate.market import simulate_market

    out = Path(folder)
    write(out, simulate_market(seed, DEFAULT_START, days, trades), Silent(), plain=True)
    return out


def clear(
    house: Path | str, market: Path | str, *, parameters: Path | str | None = None, days: Sequence[date] = ()
) -> Answer[list[DayLine]]:
    """Run the days of a market folder (all without ``days``) on the house at ``house``: one row a day.

    Days done before answer from the journal. Raises Rejected for what is wrong in a file; nothing of it is booked.
    """
    from tsingma.app.market_folder import run_folder
    from tsingma.app.progress import Silent
    from tsingma.basics.clock import SystemClock

    found = run_folder(house, Path(market), days, _path(parameters), SystemClock(), Silent(), None)
    return Answer(found, tuple(_flat(line) for line in found))


def settle(instance: Path | str, *, objective: str = "number", time_limit: float = 1.0) -> Answer[Proposal]:
    """Return the best set of a settlement instance within ``time_limit`` seconds: one row a stage of the optimiser."""
    from tsingma.app.settle import propose
    from tsingma.basics.clock import SystemClock
    from tsingma.settlement.proposal import Objective

    found = propose(Path(instance), Objective(objective), time_limit, SystemClock())
    return Answer(found, tuple(_flat(stage) for stage in found.by_stage))


def margins(book: Book, past: MarketPast, *, day: date | None = None) -> Answer[tuple[HouseFigure, ...]]:
    """Return what every house calls alone for a book on a day (the last without): one row a house and component."""
    from tsingma.app.joint_study import margin_houses

    found = tuple(figure for figure, _ in margin_houses(book, past, day))
    rows = [
        {"book": book.name, "house": one.house, "day": one.day, "component": name, "hkd": amount}
        for one in found
        for name, amount in (*one.components.items(), ("total", one.total))
    ]
    return Answer(found, tuple(rows))


def joint(
    chosen: Sequence[Book], past: MarketPast, *, every: int = 5, level: str = "0.01"
) -> Answer[tuple[BookStudy, ...]]:
    """Return the joint margin of books and how it covered their past, every so many days: one row a book.

    ``called`` is what is asked after cover is checked, ``one_pot`` what one portfolio needs, both on ``day``: the last
    that the steps of ``every`` days reach with a whole holding period after it.
    """
    from tsingma.app.joint_study import study_books
    from tsingma.margin.joint.allocation import Allocation
    from tsingma.margin.joint.requirement import JointSettings

    found = tuple(study_books(chosen, past, JointSettings(level=level), every=every))
    rows, dates = [], past.history.dates
    for one in found:
        called = one.last.by(Allocation(DEFAULT_ALLOCATION)).called
        rows.append(
            {
                "book": one.book, "days": one.days, "day": to_date(int(dates[one.last_row])),
                "alone": one.last.standalone, "one_pot": one.last.one_pot,
                "called": called, "saving": one.last.standalone - called,
            }
        )  # fmt: skip
    return Answer(found, tuple(rows))


def explain(
    book: Book, past: MarketPast, *, day: date | None = None, allocation: str = DEFAULT_ALLOCATION
) -> Answer[Explanation]:
    """Return why a book's margin is what it is: one row a position with its part of the joint tail."""
    from tsingma.app.joint_study import explain_book
    from tsingma.margin.joint.allocation import Allocation
    from tsingma.margin.joint.requirement import JointSettings

    found = explain_book(book, past, day, JointSettings(), Allocation(allocation))
    return Answer(found, tuple(_flat(part) for part in found.positions))


def what_if(book: Book, trades: Book, past: MarketPast, *, day: date | None = None) -> Answer[WhatIf]:
    """Return what more holdings would do to each house's margin and to what is called: one row, before and after."""
    from tsingma.app.joint_study import ask_what_if
    from tsingma.margin.joint.requirement import JointSettings

    found = ask_what_if(book, trades, past, day, JointSettings())
    rows = [
        {"book": found.account, "day": found.day, "when": name, "alone": one.standalone, "one_pot": one.one_pot}
        for name, one in (("before", found.before), ("after", found.after))
    ]
    return Answer(found, tuple(rows))


def stress_test(
    scenarios: Sequence[str] = (), *, trades: int = 20_000, days: int = 3, seed: int = 1, draws: int = 20,
    prices: Path | str | None = None, index: Path | str | None = None,
) -> Answer[tuple[StressFigures, ...]]:  # fmt: skip
    """Run scenarios (all shipped without names) through a simulated house: one row a scenario and clearing house.

    With ``prices`` the simulated firms trade those closes. Nothing is booked.
    """
    from tsingma.app import stress_run
    from tsingma.app.progress import Silent
    from tsingma.app.stress_figures import stress_figures
    from tsingma.basics.clock import SystemClock
    from tsingma.stress.scenario import shipped_scenarios

    history = stress_run.history_of_files(Path(prices), _path(index)) if prices else None
    source = stress_run.simulated_source(seed, trades, days, SystemClock(), Silent(), history)
    poorer = stress_run.less_liquid(source, stress_run.LIQUID_MULTIPLE)
    asked = stress_run.scenarios_of(tuple(scenarios)) if scenarios else shipped_scenarios()
    runs = stress_run.stress(poorer, asked, draws=draws, seed=seed)
    found = tuple(stress_figures(poorer.book, run) for run in runs)
    rows = [{"scenario": one.id, "defaults": one.defaults, **_flat(house)} for one in found for house in one.houses]
    return Answer(found, tuple(rows))


def run_economy(
    model: str, scenario: str, *, replications: int | None = None, seed: int | None = None,
    table: Path | str | None = None,
) -> Answer[ScenarioRun] | Answer[ScenarioResult]:  # fmt: skip
    """Run a scenario of ``renminbi``, ``property`` or ``chain``: one row an indicator and date (and level of the fan).

    The chain takes a real ``table`` instead of the stylised one, and as many draws as ``replications`` say. Raises
    Rejected naming the models and scenarios there are.
    """
    if model == "chain":
        return _chain(scenario, _path(table), replications, seed)
    from tsingma.app.economy_run import find_scenario, run_scenario

    found = run_scenario(find_scenario(scenario, model), model, replications=replications, seed=seed)
    rows = [
        {"indicator": fan.indicator, "unit": str(fan.unit), "date": day, "level": level, "value": values[place]}
        for fan in found.fans
        for level, values in zip(fan.levels, fan.values, strict=True)
        for place, day in enumerate(fan.dates)
    ]
    return Answer(found, tuple(rows))


def _chain(scenario: str, table: Path | None, draws: int | None, seed: int | None) -> Answer[ScenarioResult]:
    from tsingma.app.economy_chain import run_with_path

    asked = {"draws": CHAIN_DRAWS if draws is None else draws, "seed": 1 if seed is None else seed}
    found, path = run_with_path(scenario, table, year=None, layers=None, start=CHAIN_START, **asked)
    rows = [
        {"indicator": one.name, "unit": str(one.unit), "date": day, "value": value}
        for one in path.indicators
        for day, value in zip(path.dates, one.values, strict=True)
    ]
    return Answer(found, tuple(rows))


def _path(given: Path | str | None) -> Path | None:
    return None if given is None else Path(given)


def _flat(value: Any) -> dict[str, object]:
    """Return the fields of a struct as a row: words, numbers and dates as they are, what is nested as JSON."""
    row = {}
    for name in value.__struct_fields__:
        field = getattr(value, name)
        plain = isinstance(field, str | int | float | date | type(None))
        row[name] = field if plain else msgspec.json.encode(field).decode()
    return row
