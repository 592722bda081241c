"""The plan of a business day: its steps in order, what each needs and leaves, and the id each has in the journal.

One list for whoever runs a day: the batch, acts of the operator, and whoever shows how far the day is. A step's id is
made of the date and its name, whoever runs it, so a step that was done by one is done for all.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache

import msgspec

from tsingma.basics.dates import to_date
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.journal.corporate_action_events import CorporateActionsRun
from tsingma.journal.events import (
    DayClosed,
    DayOpened,
    DerivativesCaptured,
    DerivativesMarked,
    Event,
    MarginCalled,
    PricesSet,
    SettledTogether,
    StepRun,
    TradesCaptured,
)
from tsingma.reference.markets import Markets, shipped_markets
from tsingma.settlement.timetable import StepKind, TimetableStep, timetable

CAPTURE_TIME = "16:30"  # after the close of the market at about 16:10; what settles later comes after it
SETTLES_GROSS = (
    StepKind.NIGHT_SETTLEMENT, StepKind.REAL_TIME_DVP, StepKind.BATCH_SETTLEMENT_RUN, StepKind.PARTIAL_SETTLEMENT,
)  # fmt: skip
ENDS_CAPTURE = (StepKind.SAME_DAY_STOCK, StepKind.FAILS_AND_FEES)  # trades of the day would miss these
TOGETHER = "/together"
_INTRADAY = re.compile(r"intraday-[1-9][0-9]{0,2}")


class PlanKind(StrEnum):
    """What a step of a day does."""

    OPEN = "open"
    CORPORATE_ACTIONS = "corporate-actions"
    TIMETABLE = "timetable"
    TOGETHER = "together"  # what could not settle one by one in the step before; the house finds the set itself
    PRICES = "prices"
    TRADES = "trades"
    DERIVATIVE_TRADES = "derivative-trades"
    DERIVATIVE_MARKS = "derivative-marks"
    MARGIN_CALL = "margin-call"
    CLOSE = "close"


LEAVES: dict[PlanKind, type[Event]] = {
    PlanKind.OPEN: DayOpened,
    PlanKind.CORPORATE_ACTIONS: CorporateActionsRun,
    PlanKind.TIMETABLE: StepRun,
    PlanKind.TOGETHER: SettledTogether,
    PlanKind.PRICES: PricesSet,
    PlanKind.TRADES: TradesCaptured,
    PlanKind.DERIVATIVE_TRADES: DerivativesCaptured,
    PlanKind.DERIVATIVE_MARKS: DerivativesMarked,
    PlanKind.MARGIN_CALL: MarginCalled,
    PlanKind.CLOSE: DayClosed,
}


class DayStep(msgspec.Struct, frozen=True):
    """A step of a day: its name, what it does, its time (HKT), the steps it ``needs`` done before.

    ``until`` is the step after which it can no longer be done ("": any time of the day). A day may do without a step
    that is ``optional``. ``entry`` is the row of the timetable, of a timetable step and of what settles after it.
    """

    name: str
    kind: PlanKind
    time: str
    needs: tuple[str, ...]
    optional: bool = False
    until: str = ""
    entry: TimetableStep | None = None

    @property
    def leaves(self) -> type[Event]:
        """The event that the step answers with."""
        return LEAVES[self.kind]


def day_plan(markets: Markets | None = None) -> tuple[DayStep, ...]:
    """Return the steps of a day in order; ``markets`` are those of a house's book, without them the house's own.

    Trades have one step for each file, whose name goes on with the digest of the trades (:func:`trades_name`).
    """
    return _plan(markets or shipped_markets())


def step_id(day: int, name: str) -> str:
    """Return the command id of a step of a day (days since 1970)."""
    return f"{to_date(day)}/{name}"


def trades_name(digest: str, place: int = 0) -> str:
    """Return the name of the step that takes in trades of a digest (hex); ``place`` counts the commands they fill."""
    return f"{PlanKind.TRADES}/{digest[:16]}/{place}"


def kind_of(name: str, markets: Markets | None = None) -> PlanKind:
    """Return what the step of a name does; raises Rejected (unknown) when a day has no such step.

    Beside the plan's own, prices and margin calls may be done again within a day: ``prices/intraday-1`` and so on.
    """
    for step in day_plan(markets):
        if step.name == name:
            return step.kind
    first, _, rest = name.partition("/")
    if first == PlanKind.TRADES and rest:
        return PlanKind.TRADES
    if first in (PlanKind.PRICES, PlanKind.MARGIN_CALL) and _INTRADAY.fullmatch(rest):
        return PlanKind(first)
    raise refuse(RejectionReason.UNKNOWN, f"a day has no step '{name[:80]}'", field="step")


@lru_cache(maxsize=64)
def _plan(markets: Markets) -> tuple[DayStep, ...]:
    entries = timetable(markets)
    own = {step.name for rule in markets.own for step in rule.own_steps}  # these end only their market's trades
    until = next((entry.name for entry in entries if entry.kind in ENDS_CAPTURE and entry.name not in own), "")
    plan = [
        DayStep(PlanKind.OPEN, PlanKind.OPEN, "00:00", ()),
        DayStep("corporate-actions/morning", PlanKind.CORPORATE_ACTIONS, "00:00", (PlanKind.OPEN,), optional=True),
    ]
    before, brought = str(PlanKind.OPEN), False
    for entry in entries:
        if not brought and entry.time >= CAPTURE_TIME:
            plan += _brought(until)
            brought = True
        plan.append(DayStep(entry.name, PlanKind.TIMETABLE, entry.time, (before,), entry=entry))
        if entry.kind in SETTLES_GROSS:
            name = entry.name + TOGETHER
            plan.append(DayStep(name, PlanKind.TOGETHER, entry.time, (entry.name,), optional=True, entry=entry))
        before = entry.name
    plan += [] if brought else _brought(until)
    last = entries[-1].time if entries else "00:00"
    return (
        *plan,
        DayStep("corporate-actions/evening", PlanKind.CORPORATE_ACTIONS, last, (before,), optional=True),
        DayStep(PlanKind.MARGIN_CALL, PlanKind.MARGIN_CALL, last, (PlanKind.PRICES,), optional=True),
        DayStep(PlanKind.CLOSE, PlanKind.CLOSE, last, (before,)),
    )


def _brought(until: str) -> list[DayStep]:
    """Return the steps that take in what a day brings."""
    opened, time = (str(PlanKind.OPEN),), CAPTURE_TIME
    traded = (str(PlanKind.PRICES), str(PlanKind.DERIVATIVE_TRADES))
    return [
        DayStep(PlanKind.PRICES, PlanKind.PRICES, time, opened, optional=True),
        # trades in other monies are charged at the day's rates
        DayStep(PlanKind.TRADES, PlanKind.TRADES, time, (str(PlanKind.PRICES),), optional=True, until=until),
        DayStep(PlanKind.DERIVATIVE_TRADES, PlanKind.DERIVATIVE_TRADES, time, opened, optional=True),
        DayStep(PlanKind.DERIVATIVE_MARKS, PlanKind.DERIVATIVE_MARKS, time, traded, optional=True),
    ]


__all__ = [
    "CAPTURE_TIME",
    "ENDS_CAPTURE",
    "SETTLES_GROSS",
    "TOGETHER",
    "DayStep",
    "PlanKind",
    "day_plan",
    "kind_of",
    "step_id",
    "trades_name",
]
