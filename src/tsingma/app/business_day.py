"""One business day through the house: open, settle, capture, price, settle, margin, prove, close.

Every command has an id made of the date and what it does, so a day that was cut off is run again from its start:
what is durable already answers from the journal, the rest is carried out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from tsingma.app.house_derivatives import DerivativeMargin
from tsingma.app.house_margin import HouseMargin, house_margin
from tsingma.app.progress import Progress
from tsingma.app.proposals import settle_waiting
from tsingma.app.session import Session
from tsingma.basics.clock import Clock
from tsingma.basics.columns import pack
from tsingma.basics.dates import to_day
from tsingma.basics.rejection import InvariantBroken
from tsingma.clearing.derivatives import DerivativeTrades
from tsingma.clearing.trades import COLUMN_TYPES, Trades
from tsingma.engine.trading import check_trades
from tsingma.journal.commands import (
    CaptureDerivatives,
    CloseDay,
    Command,
    MarkDerivatives,
    OpenDay,
    RunStep,
    SetClosingPrices,
)
from tsingma.journal.corporate_action_commands import RunCorporateActions
from tsingma.journal.events import (
    Accepted,
    DayClosed,
    DerivativesMarked,
    Event,
    MarginCalled,
    StepRun,
    TradesCaptured,
)
from tsingma.margin.hkscc.parameters import Parameters
from tsingma.settlement.proposal import Objective
from tsingma.settlement.timetable import StepKind, TimetableStep, timetable

SETTLES_GROSS = (
    StepKind.NIGHT_SETTLEMENT, StepKind.REAL_TIME_DVP, StepKind.BATCH_SETTLEMENT_RUN, StepKind.PARTIAL_SETTLEMENT,
)  # fmt: skip
CAPTURE_TIME = "16:30"  # after the close of the market at about 16:10; what settles later comes after it


@dataclass(frozen=True, slots=True)
class DayInput:
    """What a day brings: trades, the close of every counter (e4) and HKD per unit of each currency (e6)."""

    date: date
    trades: Trades
    close_e4: npt.NDArray[np.int64]
    fx_e6: tuple[int, ...]
    derivatives: DerivativeInput | None = None


@dataclass(frozen=True, slots=True)
class DerivativeInput:
    """What a day brings in futures and options: trades, the settlement price of every series (e4), the index (e4)."""

    source: str
    trades: DerivativeTrades
    price_e4: npt.NDArray[np.int64]
    index_e4: int


@dataclass(slots=True)
class DayRecord:
    """What the house answered, and how long each stage took (nanoseconds)."""

    date: date
    captured: list[TradesCaptured]
    steps: list[StepRun]
    called: MarginCalled | None
    closed: DayClosed
    stages_ns: dict[str, int]
    state_hash: str
    sequence: int
    head: str
    marked: DerivativesMarked | None = None


class _Runner:
    """Runs commands of one date and keeps the time of each stage."""

    def __init__(self, session: Session, moment: date, clock: Clock, progress: Progress) -> None:
        self.session = session
        self.moment = moment
        self.clock = clock
        self.progress = progress
        self.stages_ns: dict[str, int] = {}

    def timed(self, stage: str, act: Callable[[], object]) -> None:
        self.progress.stage(f"{self.moment} {stage}", len(self.stages_ns), len(timetable()) + 6)
        began = self.clock.elapsed_ns()
        act()
        self.stages_ns[stage] = self.stages_ns.get(stage, 0) + self.clock.elapsed_ns() - began

    def once(self, name: str, make: Callable[[], Command]) -> Event:
        accepted: Accepted = self.session.once(f"{self.moment}/{name}", make)
        return accepted.events[0]


def run_day(
    session: Session, day: DayInput, parameters: Parameters | None, clock: Clock, progress: Progress,
    objective: Objective = Objective.NUMBER,
) -> tuple[DayRecord, HouseMargin | None]:  # fmt: skip
    """Run one day and return its record and, when it was computed now, the margin of every account.

    After every settlement run, what could not settle one by one settles together where it can, as much as possible by
    ``objective``. Raises Rejected with every reason when the house refuses the trades or prices; nothing of them is
    kept then.
    """
    runner = _Runner(session, day.date, clock, progress)
    steps: list[StepRun] = []
    captured: list[TradesCaptured] = []
    margins: list[HouseMargin] = []
    called: list[MarginCalled] = []
    closed: list[DayClosed] = []
    marked: list[DerivativesMarked] = []
    runner.timed("open", lambda: runner.once("open", lambda: OpenDay(to_day(day.date))))
    _corporate_actions(runner, "morning")
    entries = timetable(session.house.resolved.markets)
    before = [entry for entry in entries if entry.time < CAPTURE_TIME]
    for entry in before:
        runner.timed(entry.kind, lambda entry=entry: _step(runner, entry, steps, objective))  # type: ignore[misc]
    runner.timed("prices", lambda: runner.once("prices", lambda: _prices(day)))
    runner.timed("capture and netting", lambda: captured.extend(capture(session, day)))
    if day.derivatives is not None:
        runner.timed("futures and options", lambda: _derivatives(runner, day.derivatives, marked))
    for entry in entries[len(before) :]:
        runner.timed(entry.kind, lambda entry=entry: _step(runner, entry, steps, objective))  # type: ignore[misc]
    _corporate_actions(runner, "evening")
    if parameters is not None:
        runner.timed("margin", lambda: called.append(_margin(runner, parameters, margins)))
    runner.timed("close and proof", lambda: closed.append(_close(runner)))
    proofs: list[tuple[int, str, bytes]] = []
    runner.timed("snapshot", lambda: proofs.append(snapshot_at_close(session, day.date)))
    sequence, head, state_hash = proofs[0]
    record = DayRecord(
        date=day.date,
        captured=captured,
        steps=steps,
        called=called[0] if called else None,
        closed=closed[0],
        stages_ns=runner.stages_ns,
        state_hash=state_hash.hex(),
        sequence=sequence,
        head=head,
        marked=marked[0] if marked else None,
    )
    return record, margins[0] if margins else None


def capture(session: Session, day: DayInput) -> list[TradesCaptured]:
    """Register the trades of a day in one durable commit: all of them, or Rejected and none."""
    digest = trades_digest(day.trades)
    commands = list(day.trades.commands())
    names = [f"{day.date}/trades/{digest[:16]}/{place}" for place in range(len(commands))]
    known = [session.sequencer.answered(name) for name in names]
    if not all(isinstance(answer, Accepted) for answer in known):
        check_trades(session.house, day.trades)
        answers = session.submit(list(zip(names, commands, strict=True)))
    else:
        answers = [answer for answer in known if isinstance(answer, Accepted)]
    return [event for answer in answers for event in answer.events if isinstance(event, TradesCaptured)]


def trades_digest(trades: Trades) -> str:
    """Return SHA-256 over all columns in hex: the same trades have the same command ids."""
    total = hashlib.sha256(trades.trade_day.to_bytes(4, "little"))
    for name, kind in COLUMN_TYPES.items():
        total.update(pack(getattr(trades, name), kind))
    return total.hexdigest()


def snapshot_at_close(session: Session, moment: date) -> tuple[int, str, bytes]:
    """Return (sequence, record hash, state hash) of a closed day; the newest day gets a snapshot when it has none."""
    record = session.store.find(f"{moment}/close")
    if record is None:
        raise InvariantBroken(f"{moment} was closed and is not in the journal")
    if record.sequence in session.store.snapshots():
        state_hash = session.store.snapshot(record.sequence).state_hash
    elif record.sequence == session.sequencer.sequence:
        state_hash = session.sequencer.snapshot()
    else:
        state_hash = session.sequencer.replay(until=record.sequence).digest()
    return record.sequence, record.hash.hex(), state_hash


def _step(runner: _Runner, entry: TimetableStep, steps: list[StepRun], objective: Objective) -> None:
    event = runner.once(entry.name, lambda: RunStep(entry.name))
    if isinstance(event, StepRun):
        steps.append(event)
    if entry.kind in SETTLES_GROSS:
        name = f"{runner.moment}/{entry.name}/together"
        settle_waiting(runner.session, name, objective, runner.clock, entry.markets, entry.kinds)


def _prices(day: DayInput) -> Command:
    counters = np.arange(day.close_e4.size)
    return SetClosingPrices(pack(counters, "i4"), pack(day.close_e4, "i8"), day.fx_e6)


def _derivatives(runner: _Runner, day: DerivativeInput | None, marked: list[DerivativesMarked]) -> None:
    if day is None:
        return
    names = ("trade_id", "series", "buyer", "seller", "quantity", "price_e4")
    kinds = ("i8", "i4", "i4", "i4", "i8", "i8")

    def capture() -> Command:
        packed = {name: pack(getattr(day.trades, name), kind) for name, kind in zip(names, kinds, strict=True)}
        return CaptureDerivatives(source=day.source, **packed)

    def mark() -> Command:
        chosen = np.arange(day.price_e4.size)
        return MarkDerivatives(pack(chosen, "i4"), pack(day.price_e4, "i8"), day.index_e4)

    runner.once("derivative-trades", capture)
    event = runner.once("derivative-marks", mark)
    if not isinstance(event, DerivativesMarked):
        raise TypeError(f"marks were answered with {type(event).__name__}")
    marked.append(event)


def _margin(runner: _Runner, parameters: Parameters, margins: list[HouseMargin]) -> MarginCalled:
    def make() -> Command:
        house = runner.session.house
        margins.append(house_margin(house, parameters))
        return margins[0].call(DerivativeMargin(house, parameters).totals())

    event = runner.once("margin-call", make)
    if not isinstance(event, MarginCalled):
        raise TypeError(f"a margin call was answered with {type(event).__name__}")
    return event


def _corporate_actions(runner: _Runner, name: str) -> None:
    """Carry out what corporate actions have due: payments in the morning, the rest in the evening; nothing without."""
    if any(runner.session.house.corporate_actions.live()) or runner.session.house.corporate_actions.owed:
        runner.timed("corporate actions", lambda: runner.once(f"corporate-actions/{name}", RunCorporateActions))


def _close(runner: _Runner) -> DayClosed:
    event = runner.once("close", CloseDay)
    if not isinstance(event, DayClosed):
        raise TypeError(f"closing the day was answered with {type(event).__name__}")
    return event
