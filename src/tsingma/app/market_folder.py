"""A market as a folder of files: written by the simulator, run by ``tsingma day run``, or filled by anyone else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

import msgspec

from tsingma.app.business_day import DayInput, DayRecord, DerivativeInput, run_day, run_day_until
from tsingma.app.day_progress import PlannedStep, steps_of_day
from tsingma.app.progress import Progress
from tsingma.app.session import Session
from tsingma.basics.clock import Clock
from tsingma.basics.dates import to_date
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.clearing.derivatives import Series
from tsingma.journal.commands import ListSeries, LoadReference
from tsingma.messages.derivative_files import (
    read_derivative_trades,
    read_series_list,
    read_settlement,
    write_derivative_trades,
    write_series_list,
    write_settlement,
)
from tsingma.messages.market_files import (
    read_book,
    read_closing,
    read_deposits,
    write_book,
    write_closing,
    write_deposits,
)
from tsingma.messages.prices import write_prices
from tsingma.messages.rpf01 import read_parameters
from tsingma.messages.trade_file import read_trades, write_trades
from tsingma.reference.book import ReferenceBook, ResolvedBook, resolve
from tsingma.simulate.derivatives import DerivativeMarket
from tsingma.simulate.market import SimulatedMarket


class DayLine(msgspec.Struct, frozen=True):
    """What ``day run`` says of a day."""

    date: date
    trades: int
    state_hash: str
    journal_sequence: int
    requirement_cents: int
    accounts_called: int = 0
    lacking_cents: int = 0


class HouseLoaded(msgspec.Struct, frozen=True):
    """What a folder brought into a new house, and the last record of its journal."""

    counters: int
    participants: int
    accounts: int
    series: int
    journal_sequence: int


def write_market(folder: Path, market: SimulatedMarket, progress: Progress, *, plain: bool) -> dict[str, object]:
    """Write a simulated market as files (trades gzipped unless ``plain``) and return its counts and fingerprint."""
    folder.mkdir(parents=True, exist_ok=True)
    write_book(folder / "reference.json", market.book)
    write_deposits(folder / "deposits.csv", market.deposits(), market.resolved)
    write_prices(folder / "prices.csv", market.history)
    (folder / "README.txt").write_text(
        f"{market.label}. SIMULATED: firms, trades and holdings are invented.\n", encoding="ascii"
    )
    suffix = ".csv" if plain else ".csv.gz"
    futures = DerivativeMarket(market)
    write_series_list(folder / "series.csv", futures.series)
    for place, day in enumerate(market.days()):
        other = futures.day(place)
        write_derivative_trades(folder / f"derivatives-{day.date}.csv", other.trades, futures.series, market.resolved)
        write_settlement(folder / f"settlement-{day.date}.csv", other.price_e4, other.index_e4, futures.series)
        progress.stage(f"writing {day.date}", place, len(market.dates))
        write_trades(folder / f"trades-{day.date}{suffix}", day.trades, market.resolved)
        write_closing(folder / f"closing-{day.date}.csv", day.close_e4, day.fx_e6, market.resolved)
    return {
        "label": market.label,
        "folder": str(folder),
        "dates": [str(moment) for moment in market.dates],
        "trades_per_day": market.trades_per_day,
        "counters": len(market.book.counters),
        "participants": len(market.book.participants),
        "fingerprint": market.fingerprint(),
    }


def run_folder(
    house: Path | str,
    market: Path,
    dates: Sequence[date],
    parameters: Path | None,
    clock: Clock,
    progress: Progress,
    acknowledge: Callable[[str, int], None] | None,
) -> list[DayLine]:
    """Run the days of a folder (all when ``dates`` is empty) on the house at ``house``; see ``run_days``."""
    with Session.open(house, acknowledge) if acknowledge else Session.open(house) as session:
        return run_days(session, market, dates, parameters, clock, progress)


def run_days(
    session: Session, market: Path, dates: Sequence[date], parameters: Path | None, clock: Clock, progress: Progress
) -> list[DayLine]:
    """Run the days of a folder (all when ``dates`` is empty) on an open house.

    A new house first loads the folder's reference book and deposits. Days done before answer from the journal.
    Raises Rejected when a file is refused; the house is then as it was before that file.
    """
    risk = None if parameters is None else read_parameters(_read(parameters), file=str(parameters))
    lines = []
    resolved, series = load_market(session, market)
    for moment in list(dates) or _dates(market):
        record, _ = run_day(session, _day(market, moment, resolved, series), risk, clock, progress)
        lines.append(line_of(record))
    return lines


def line_of(record: DayRecord) -> DayLine:
    """Return what ``day run`` says of a day that was run."""
    called = record.called
    return DayLine(
        date=record.date, trades=sum(part.trades for part in record.captured), state_hash=record.state_hash,
        journal_sequence=record.sequence, requirement_cents=called.requirement_cents if called else 0,
        accounts_called=called.accounts if called else 0, lacking_cents=called.shortfall_cents if called else 0,
    )  # fmt: skip


def load_market(session: Session, market: Path) -> tuple[ResolvedBook, tuple[Series, ...]]:
    """Load a folder's reference book, deposits and series into a house, unless it has them; return book and series.

    Raises Rejected when a file is refused, or the house runs on another book.
    """
    book = read_book(market / "reference.json")
    resolved = resolve(book)
    _require_same_book(session, book, market)
    session.once("reference", lambda: LoadReference(book))
    session.once("deposits", lambda: read_deposits(market / "deposits.csv", resolved))
    series = read_series_list(market / "series.csv") if (market / "series.csv").is_file() else ()
    if series:
        session.once("series", lambda: ListSeries(tuple(msgspec.structs.astuple(one) for one in series)))
    return resolved, series


def load_folder(house: Path | str, market: Path) -> HouseLoaded:
    """Make a house of a folder's book, deposits and series, with no day yet; see ``load_market``."""
    with Session.open(house) as session:
        resolved, series = load_market(session, market)
        book = resolved.book
        return HouseLoaded(
            len(book.counters), len(book.participants), len(book.accounts), len(series), session.sequencer.sequence
        )


def run_folder_until(
    house: Path | str, market: Path, moment: date, until: str, clock: Clock, progress: Progress
) -> tuple[PlannedStep, ...]:
    """Run a day of a folder up to and with a step of its plan, and return how the plan stands.

    Raises Rejected as ``run_days``, and unknown for a step that a day does not have.
    """
    with Session.open(house) as session:
        resolved, series = load_market(session, market)
        run_day_until(session, _day(market, moment, resolved, series), until, clock, progress)
        return steps_of_day(session.house, session.store.find_all)


def _require_same_book(session: Session, book: ReferenceBook, market: Path) -> None:
    if session.house.book is not None and session.house.book != book:
        raise refuse(
            RejectionReason.CONFLICT,
            "this house runs on another reference book",
            file=str(market / "reference.json"),
            remedy="use the folder it was started with, or another --house",
        )


def _dates(market: Path) -> list[date]:
    names = sorted(path.name for path in market.iterdir() if path.name.startswith("closing-"))
    if not names:
        raise refuse(RejectionReason.MISSING, "there is no closing-DATE.csv", file=str(market))
    return [date.fromisoformat(name[len("closing-") :][:10]) for name in names]


def _day(market: Path, moment: date, resolved: ResolvedBook, series: tuple[Series, ...]) -> DayInput:
    close_e4, fx_e6 = read_closing(market / f"closing-{moment}.csv", resolved)
    packed = market / f"trades-{moment}.csv.gz"
    trades = read_trades(packed if packed.is_file() else market / f"trades-{moment}.csv", resolved)
    if to_date(trades.trade_day) != moment:
        raise refuse(
            RejectionReason.CONFLICT,
            f"the trades are of {to_date(trades.trade_day)}, the file's name says {moment}",
            file=trades.source,
            line=2,
            field="trade_date",
        )
    return DayInput(moment, trades, close_e4, fx_e6, _derivatives(market, moment, resolved, series))


def _derivatives(
    market: Path, moment: date, resolved: ResolvedBook, series: tuple[Series, ...]
) -> DerivativeInput | None:
    """Return the day's futures and options; None for a folder that has no series."""
    if not series:
        return None
    path = market / f"derivatives-{moment}.csv"
    price_e4, index_e4 = read_settlement(market / f"settlement-{moment}.csv", series)
    return DerivativeInput(str(path), read_derivative_trades(path, series, resolved), price_e4, index_e4)


def _read(path: Path) -> bytes:
    return path.read_bytes()
