"""Steps of a business day as acts of the operator in a served house: made, shown to a second person, carried out.

What a step would carry out is made when it is proposed, of a file (sent, or of the market folder) or of the books as
they stand, and again when it is approved: where the two differ the engine refuses. After an approved step the house
settles together what waits, as the batch does, before the next one.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import NamedTuple

import msgspec

from tsingma.app.day_commands import (
    derivative_trades_command,
    margin_command,
    marks_command,
    prices_command,
    trades_digest,
)
from tsingma.app.house_market import HouseMarket, require_market
from tsingma.app.house_service import HouseService
from tsingma.app.operator_acts import (
    CallMarginAct,
    CloseDayAct,
    CorporateActionsAct,
    DayAct,
    FileAct,
    MarkDerivativesAct,
    OpenDayAct,
    RunStepAct,
    TakeDerivativesAct,
    TakePricesAct,
    TakeTradesAct,
)
from tsingma.app.proposals import propose
from tsingma.app.staging import Staging
from tsingma.basics.clock import Clock
from tsingma.basics.dates import to_date, to_day
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.clearing.derivatives import Series
from tsingma.clearing.trades import Trades
from tsingma.engine.act_book import ActStatus
from tsingma.engine.day_acts import TEXT_LENGTH_MAX, figures_of, hash_of
from tsingma.engine.day_plan import SETTLES_GROSS, TOGETHER, PlanKind, kind_of, step_id, trades_name
from tsingma.engine.house import House
from tsingma.engine.trading import check_trades
from tsingma.journal.act_commands import RunDayStep
from tsingma.journal.commands import CallMargin, CloseDay, Command, OpenDay, RunStep, decode, encode
from tsingma.journal.corporate_action_commands import RunCorporateActions
from tsingma.journal.events import Accepted
from tsingma.margin.hkscc.parameters import Parameters
from tsingma.messages.derivative_files import derivative_trades_of, settlement_of
from tsingma.messages.market_files import closing_of
from tsingma.messages.packed import unpacked
from tsingma.messages.rpf01 import read_parameters
from tsingma.messages.trade_file import trades_of
from tsingma.settlement.proposal import Objective
from tsingma.settlement.timetable import step_named

UNPACKED_BYTES_MAX = 256 * 1024 * 1024  # of a file: some three million trades
TRIES = 3  # of what settles together, when the books change between finding and settling it
ANSWER_SECONDS = 60.0
# The files of a market folder, by what they are; the first of them that is there.
FOLDER_FILES = {
    PlanKind.TRADES: ("trades-{day}.csv.gz", "trades-{day}.csv"),
    PlanKind.PRICES: ("closing-{day}.csv",),
    PlanKind.DERIVATIVE_TRADES: ("derivatives-{day}.csv",),
    PlanKind.DERIVATIVE_MARKS: ("settlement-{day}.csv",),
}
_KINDS: dict[type[FileAct], PlanKind] = {
    TakeTradesAct: PlanKind.TRADES,
    TakePricesAct: PlanKind.PRICES,
    TakeDerivativesAct: PlanKind.DERIVATIVE_TRADES,
    MarkDerivativesAct: PlanKind.DERIVATIVE_MARKS,
    CallMarginAct: PlanKind.MARGIN_CALL,
}


class Staged(msgspec.Struct, frozen=True):
    """A file that was sent: its SHA-256, by which acts name it, and what is in it (counts and totals)."""

    sha256: str
    kind: str
    bytes: int
    date: date | None
    figures: dict[str, int]


class _Made(NamedTuple):
    """What a step carries out, and the trades in it."""

    commands: tuple[Command, ...]
    trades: Trades | None


class DayActs:
    """Makes and carries out the steps of a served house's day; ``market`` is the folder it is served with, if any."""

    def __init__(self, service: HouseService, staging: Staging, market: HouseMarket | None, clock: Clock) -> None:
        """Work on a service; ``clock`` times the search for what settles together."""
        self._service, self._staging, self._market, self._clock = service, staging, market, clock

    def stage(self, data: bytes, kind: PlanKind, file: str) -> Staged:
        """Read a file that was sent, keep it and say what is in it; raises Rejected with every fault, line by line."""
        made = _Made((), None)
        if kind is PlanKind.MARGIN_CALL:
            read_parameters(unpacked(data, UNPACKED_BYTES_MAX, file=file), file=file)
        else:
            made = self._of_file(kind, data, file)
        figures = self._service.read(lambda house, _at: figures_of(house, made.commands))
        day = None if made.trades is None else to_date(made.trades.trade_day)
        return Staged(self._staging.put(data), str(kind), len(data), day, figures)

    def proposed(self, act: DayAct) -> RunDayStep:
        """Return the step that an act proposes; raises Rejected: done before, no such step, a faulty file, no prices.

        Without a date it is for the day at which the house stands.
        """
        stands = self._service.read(lambda house, _at: house.position.day)
        day = to_day(act.date) if act.date is not None else stands
        if not day:
            raise refuse(RejectionReason.MISSING, "the house had no day yet", field="date", remedy="name the day")
        file, source = b"", ""
        if isinstance(act, FileAct):
            name, file, source = self._file(act, day)
        else:
            name = _name(act)
        made = self._made(day, name, file, source)
        if made.trades is not None:
            name = trades_name(trades_digest(made.trades))
        self._require_undone(day, name)
        figures = self._service.read(lambda house, _at: _checked(house, made))
        if isinstance(made.commands[0], CallMargin) and not file:
            source = made.commands[0].basis[:TEXT_LENGTH_MAX]
        return RunDayStep(day, name, tuple(hash_of(encode(one)) for one in made.commands), figures, source, file)

    def step(self, number: int) -> RunDayStep | None:
        """Return the step of the day that an act proposes, None for any other act."""
        act = self._service.read(lambda house, _at: house.acts.acts.get(number))
        command = None if act is None else decode(act.body)
        return command if isinstance(command, RunDayStep) else None

    def bodies(self, number: int, told: RunDayStep) -> tuple[bytes, ...]:
        """Return the commands of a step as they would be carried out now; none for an act that is decided.

        Raises Rejected: the step was done before, its file is not here any more or was changed, prices are missing.
        """
        act = self._service.read(lambda house, _at: house.acts.acts.get(number))
        if act is None or act.status is not ActStatus.PENDING:
            return ()
        self._require_undone(told.day, told.name)
        self.settle_together()  # what a process that ended left behind
        return tuple(encode(one) for one in self._made(told.day, told.name, told.file, told.source).commands)

    def settle_together(self) -> None:
        """Settle together what waits after the last step that was run, unless it was done; as the batch does.

        The set is found in the books as they are read; when they change meanwhile it is found again.
        """
        for _ in range(TRIES):
            last = self._service.read(lambda house, _at: (house.position.day, house.position.steps_run[-1:]))
            if not last[1]:
                return
            entry = step_named(last[1][0], self._service.book.markets)
            name = step_id(last[0], entry.name + TOGETHER)
            if entry.kind not in SETTLES_GROSS or self._service.find(name) is not None:
                return
            command = self._service.read(
                lambda house, _at: propose(house, Objective.NUMBER, self._clock, entry.markets, entry.kinds)  # noqa: B023 - called at once
            )
            if isinstance(self._service.submit(name, command).result(ANSWER_SECONDS), Accepted):
                return

    def _require_undone(self, day: int, name: str) -> None:
        record = self._service.find(step_id(day, name))
        if record is not None:
            raise refuse(RejectionReason.CONFLICT, f"{name} of {to_date(day)} was done at record {record.sequence}",
                         subject=name, remedy="nothing is left to do: withdraw or reject what is proposed")  # fmt: skip

    def _file(self, act: FileAct, day: int) -> tuple[str, bytes, str]:
        """Return the step's name (trades: without their digest), and hash and name of its file, staged."""
        kind = _KINDS[type(act)]
        intraday = getattr(act, "intraday", 0)
        name = f"{kind}/intraday-{intraday}" if intraday else str(kind)
        if act.sha256:
            self._staging.read(act.sha256)
            return name, bytes.fromhex(act.sha256), act.file or f"sent-{act.sha256[:16]}.csv"
        market = require_market(self._market)
        if kind is PlanKind.MARGIN_CALL:
            return name, b"", ""  # the market's own parameters
        names = [one.format(day=to_date(day)) for one in FOLDER_FILES[kind]]
        found = next((market.folder / one for one in names if (market.folder / one).is_file()), None)
        if found is None:
            remedy = "put it there, or send one to POST /day/files and name its sha256"
            raise refuse(RejectionReason.MISSING, f"there is no {' or '.join(names)}", file=str(market.folder),
                         field="sha256", remedy=remedy)  # fmt: skip
        return name, bytes.fromhex(self._staging.put(found.read_bytes())), found.name

    def _made(self, day: int, name: str, file: bytes, source: str) -> _Made:
        """Return what a step carries out, made of its file or of the books; raises Rejected."""
        kind = PlanKind.TRADES if name == PlanKind.TRADES else kind_of(name, self._service.book.markets)
        plain: dict[PlanKind, Command] = {
            PlanKind.OPEN: OpenDay(day), PlanKind.CLOSE: CloseDay(), PlanKind.TIMETABLE: RunStep(name),
            PlanKind.CORPORATE_ACTIONS: RunCorporateActions(),
        }  # fmt: skip
        if kind in plain:
            return _Made((plain[kind],), None)
        if kind is PlanKind.MARGIN_CALL:
            parameters = self._parameters(file, source)
            return _Made((self._service.read(lambda house, _at: margin_command(house, parameters)[0]),), None)
        made = self._of_file(kind, self._staging.read(file.hex()), source)
        if made.trades is not None and made.trades.trade_day != day:
            message = f"these are trades of {to_date(made.trades.trade_day)}, not of {to_date(day)}"
            raise refuse(RejectionReason.CONFLICT, message, file=source, line=2, field="trade_date")
        return made

    def _of_file(self, kind: PlanKind, data: bytes, file: str) -> _Made:
        """Return what a file brings; raises Rejected with every fault of it."""
        book = self._service.book
        if kind is PlanKind.TRADES:
            trades = trades_of(data, file, book, UNPACKED_BYTES_MAX)
            return _Made(tuple(trades.commands()), trades)
        data = unpacked(data, UNPACKED_BYTES_MAX, file=file)
        if kind is PlanKind.PRICES:
            return _Made((prices_command(*closing_of(data, Path(file), book)),), None)
        series = self._service.read(_series)
        if kind is PlanKind.DERIVATIVE_TRADES:
            brought = derivative_trades_of(data, Path(file), series, book)
            return _Made((derivative_trades_command(file, brought),), None)
        return _Made((marks_command(*settlement_of(data, Path(file), series)),), None)

    def _parameters(self, file: bytes, source: str) -> Parameters:
        if file:
            return read_parameters(
                unpacked(self._staging.read(file.hex()), UNPACKED_BYTES_MAX, file=source), file=source
            )
        return require_market(self._market).parameters()


def _checked(house: House, made: _Made) -> dict[str, int]:
    """Return the figures of what was made; raises Rejected with every fault of trades."""
    if made.trades is not None:
        check_trades(house, made.trades)
    return figures_of(house, made.commands)


def _series(house: House, _at: int) -> tuple[Series, ...]:
    return tuple(house.derivatives.series)


def _name(act: OpenDayAct | RunStepAct | CorporateActionsAct | CloseDayAct) -> str:
    match act:
        case OpenDayAct():
            return str(PlanKind.OPEN)
        case RunStepAct():
            return act.step
        case CorporateActionsAct():
            return f"{PlanKind.CORPORATE_ACTIONS}/{act.part}"
        case CloseDayAct():
            return str(PlanKind.CLOSE)
