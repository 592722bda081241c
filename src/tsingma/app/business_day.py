"""One business day through the house by the batch: every step of the day's plan in order, done once.

A step's command id is made of the date and what it does (``engine/day_plan``), so a day that was cut off, or begun by
acts of the operator, is run again from its start: what is durable answers from the journal, the rest is carried out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from tsingma.app.day_commands import (
    DayInput,
    DerivativeInput,
    derivative_trades_command,
    margin_command,
    marks_command,
    prices_command,
    trades_digest,
)
from tsingma.app.day_records import DayRecords, records_of_day
from tsingma.app.house_margin import HouseMargin
from tsingma.app.progress import Progress
from tsingma.app.proposals import settle_waiting
from tsingma.app.session import Session
from tsingma.basics.clock import Clock
from tsingma.basics.dates import to_day
from tsingma.basics.rejection import InvariantBroken, RejectionReason, refuse
from tsingma.engine.day_plan import TOGETHER, DayStep, PlanKind, day_plan, step_id, trades_name
from tsingma.engine.trading import check_trades
from tsingma.journal.carried_out import events_of
from tsingma.journal.commands import CloseDay, Command, OpenDay, RunStep
from tsingma.journal.corporate_action_commands import RunCorporateActions
from tsingma.journal.events import Accepted, DayClosed, DerivativesMarked, Event, MarginCalled, StepRun, TradesCaptured
from tsingma.margin.hkscc.parameters import Parameters
from tsingma.settlement.proposal import Objective

_STAGES = {
    PlanKind.OPEN: "open", PlanKind.CORPORATE_ACTIONS: "corporate actions", PlanKind.PRICES: "prices",
    PlanKind.TRADES: "capture and netting", PlanKind.DERIVATIVE_TRADES: "futures and options",
    PlanKind.DERIVATIVE_MARKS: "futures and options", PlanKind.MARGIN_CALL: "margin",
    PlanKind.CLOSE: "close and proof",
}  # fmt: skip


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


@dataclass(slots=True)
class _Run:
    """A day on its way through the house: what was answered, and how long each stage took."""

    session: Session
    day: DayInput
    parameters: Parameters | None
    clock: Clock
    progress: Progress
    objective: Objective
    events: list[Event] = field(default_factory=list)
    stages_ns: dict[str, int] = field(default_factory=dict)
    margin: HouseMargin | None = None
    missed: bool = False  # a step was done under another id

    def stage(self, name: str, act: Callable[[], object]) -> None:
        """Carry out a part of the day and keep its time."""
        self.progress.stage(f"{self.day.date} {name}", len(self.stages_ns), len(_STAGES) + 10)
        began = self.clock.elapsed_ns()
        act()
        self.stages_ns[name] = self.stages_ns.get(name, 0) + self.clock.elapsed_ns() - began

    def carry_out(self, step: DayStep) -> None:
        """Do a step unless it was done, by whomever; nothing of a day that is over."""
        known = self.session.sequencer.answered(step_id(to_day(self.day.date), step.name))
        if isinstance(known, Accepted):
            self._hear(step, known)
        elif self._was_done(step):
            self.missed = True
        elif step.kind is PlanKind.TRADES or not self._is_over():  # trades that are not there are refused
            _STEPS[step.kind](self, step)

    def once(self, step: DayStep, make: Callable[[], Command]) -> None:
        """Submit the command of a step under its id."""
        self._hear(step, self.session.once(step_id(to_day(self.day.date), step.name), make))

    def _hear(self, step: DayStep, accepted: Accepted) -> None:
        events = events_of(accepted)
        if not isinstance(events[0], step.leaves):
            raise TypeError(f"{step.name} was answered with {type(events[0]).__name__}")
        self.events += events

    def _was_done(self, step: DayStep) -> bool:
        """Return whether the house has done a step under an id that is not the step's: the state tells of these."""
        position, day = self.session.house.position, to_day(self.day.date)
        if position.day != day:
            return False
        if step.kind is PlanKind.TIMETABLE:
            return step.name in position.steps_run
        return step.kind is PlanKind.OPEN or (step.kind is PlanKind.CLOSE and not position.is_open)

    def _is_over(self) -> bool:
        position, day = self.session.house.position, to_day(self.day.date)
        return position.day > day or (position.day == day and not position.is_open)


def run_day(
    session: Session, day: DayInput, parameters: Parameters | None, clock: Clock, progress: Progress,
    objective: Objective = Objective.NUMBER,
) -> tuple[DayRecord, HouseMargin | None]:  # fmt: skip
    """Run one day and return its record and, when it was computed now, the margin of every account.

    After every settlement run, what could not settle one by one settles together where it can, as much as possible by
    ``objective``. Raises Rejected with every reason when the house refuses the trades or prices; nothing of them is
    kept then.
    """
    run = _Run(session, day, parameters, clock, progress, objective)
    for step in _plan(session):
        run.stage(_stage(step), lambda step=step: run.carry_out(step))  # type: ignore[misc]
    proofs: list[tuple[int, str, bytes]] = []
    run.stage("snapshot", lambda: proofs.append(snapshot_at_close(session, day.date)))
    return _record(run, *proofs[0]), run.margin


def run_day_until(
    session: Session, day: DayInput, until: str, clock: Clock, progress: Progress,
    objective: Objective = Objective.NUMBER,
) -> None:  # fmt: skip
    """Run a day up to and with a step of its plan.

    Raises Rejected: unknown (no such step), and as ``run_day``. A margin call is left to who has the parameters.
    """
    plan = _plan(session)
    names = tuple(step.name for step in plan)
    if until not in names:
        raise refuse(RejectionReason.UNKNOWN, f"a day has no step '{until}'", field="until",
                     remedy=f"one of {', '.join(names)}")  # fmt: skip
    run = _Run(session, day, None, clock, progress, objective)
    chosen = plan[: names.index(until) + 1]
    if until + TOGETHER in names:  # what settles together is part of its step
        chosen = plan[: names.index(until) + 2]
    for step in chosen:
        run.stage(_stage(step), lambda step=step: run.carry_out(step))  # type: ignore[misc]


def capture(session: Session, day: DayInput) -> list[TradesCaptured]:
    """Register the trades of a day in one durable commit: all of them, or Rejected and none."""
    digest = trades_digest(day.trades)
    commands = list(day.trades.commands())
    names = [step_id(to_day(day.date), trades_name(digest, place)) for place in range(len(commands))]
    known = [answer for answer in map(session.sequencer.answered, names) if isinstance(answer, Accepted)]
    if not known and commands:  # an approval has them all under the first id, the batch one by one
        check_trades(session.house, day.trades)
        known = session.submit(list(zip(names, commands, strict=True)))
    return [event for answer in known for event in answer.events if isinstance(event, TradesCaptured)]


def snapshot_at_close(session: Session, moment: date) -> tuple[int, str, bytes]:
    """Return (sequence, record hash, state hash) of a closed day; the newest day gets a snapshot when it has none."""
    record = session.store.find(step_id(to_day(moment), PlanKind.CLOSE))
    if record is None:  # closed under another id
        found = records_of_day(session, moment)
        record = None if found is None else found.last
    if record is None:
        raise InvariantBroken(f"{moment} was closed and is not in the journal")
    if record.sequence in session.store.snapshots():
        state_hash = session.store.snapshot(record.sequence).state_hash
    elif record.sequence == session.sequencer.sequence:
        state_hash = session.sequencer.snapshot()
    else:
        state_hash = session.sequencer.replay(until=record.sequence).digest()
    return record.sequence, record.hash.hex(), state_hash


def _plan(session: Session) -> tuple[DayStep, ...]:
    return day_plan(session.house.resolved.markets)


def _stage(step: DayStep) -> str:
    return _STAGES[step.kind] if step.entry is None else str(step.entry.kind)


def _record(run: _Run, sequence: int, head: str, state_hash: bytes) -> DayRecord:
    heard = DayRecords()
    if run.missed:
        heard = records_of_day(run.session, run.day.date) or heard
    else:
        heard.hear(run.events)
    if heard.closed is None:
        raise InvariantBroken(f"{run.day.date} was run and is not closed")
    return DayRecord(
        date=run.day.date, captured=heard.captured, steps=heard.steps, called=heard.called, closed=heard.closed,
        stages_ns=run.stages_ns, state_hash=state_hash.hex(), sequence=sequence, head=head, marked=heard.marked,
    )  # fmt: skip


def _corporate_actions(run: _Run, step: DayStep) -> None:
    """Carry out what corporate actions have due: payments in the morning, the rest in the evening; nothing without."""
    actions = run.session.house.corporate_actions
    if any(actions.live()) or actions.owed:
        run.once(step, RunCorporateActions)


def _together(run: _Run, step: DayStep) -> None:
    """Settle together what waits, right after its step: a later one has passed it over."""
    entry = step.entry
    if entry is not None and run.session.house.position.steps_run[-1:] == (entry.name,):
        name = step_id(to_day(run.day.date), step.name)
        settle_waiting(run.session, name, run.objective, run.clock, entry.markets, entry.kinds)


def _prices(run: _Run, step: DayStep) -> None:
    run.once(step, lambda: prices_command(run.day.close_e4, run.day.fx_e6))


def _trades(run: _Run, step: DayStep) -> None:
    run.events += capture(run.session, run.day)


def _derivative_trades(run: _Run, step: DayStep) -> None:
    brought = run.day.derivatives
    if brought is not None:
        run.once(step, lambda: derivative_trades_command(brought.source, brought.trades))


def _derivative_marks(run: _Run, step: DayStep) -> None:
    brought = run.day.derivatives
    if brought is not None:
        run.once(step, lambda: marks_command(brought.price_e4, brought.index_e4))


def _margin(run: _Run, step: DayStep) -> None:
    parameters = run.parameters
    if parameters is None:
        return

    def make() -> Command:
        command, run.margin = margin_command(run.session.house, parameters)
        return command

    run.once(step, make)


_STEPS: dict[PlanKind, Callable[[_Run, DayStep], None]] = {
    PlanKind.OPEN: lambda run, step: run.once(step, lambda: OpenDay(to_day(run.day.date))),
    PlanKind.CORPORATE_ACTIONS: _corporate_actions,
    PlanKind.TIMETABLE: lambda run, step: run.once(step, lambda: RunStep(step.name)),
    PlanKind.TOGETHER: _together,
    PlanKind.PRICES: _prices,
    PlanKind.TRADES: _trades,
    PlanKind.DERIVATIVE_TRADES: _derivative_trades,
    PlanKind.DERIVATIVE_MARKS: _derivative_marks,
    PlanKind.MARGIN_CALL: _margin,
    PlanKind.CLOSE: lambda run, step: run.once(step, CloseDay),
}

__all__ = [
    "DayInput",
    "DayRecord",
    "DerivativeInput",
    "capture",
    "run_day",
    "run_day_until",
    "snapshot_at_close",
    "trades_digest",
]
