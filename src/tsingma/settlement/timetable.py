"""The steps of a business day in order, read from the dated timetable."""

from __future__ import annotations

from enum import StrEnum
from functools import cache

import msgspec

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.reference.book import MARKETS
from tsingma.reference.tables import read_table
from tsingma.settlement.instruction import KINDS


class StepKind(StrEnum):
    """What a step does."""

    REAL_TIME_DVP = "real-time-dvp"
    BATCH_SETTLEMENT_RUN = "batch-settlement-run"
    MONEY_SETTLEMENT = "money-settlement"
    SAME_DAY_STOCK = "same-day-stock"
    NIGHT_SETTLEMENT = "night-settlement"  # one sequence of a night cycle
    CONTINUOUS_SETTLEMENT = "continuous-settlement"  # from here on, what becomes ready settles at once
    PARTIAL_SETTLEMENT = "partial-settlement"  # a window for parts
    CUT_OFF = "cut-off"  # from here on, its kinds of instruction settle no more today
    CREDIT_REPAYMENT = "credit-repayment"
    FAILS_AND_FEES = "fails-and-fees"


class TimetableStep(msgspec.Struct, frozen=True):
    """One step: ``time`` is HKT, ``markets`` are indices of ``Market``, ``assumed`` marks a time without a source.

    ``kinds`` are the kinds of instruction it is for (none: every kind), ``parts`` allows parts. ``source`` says what
    the time, or the cut next to it, rests on.
    """

    name: str
    time: str
    kind: StepKind
    markets: tuple[int, ...]
    assumed: bool
    source: str = ""
    kinds: tuple[int, ...] = ()
    parts: bool = False

    @property
    def second(self) -> int:
        """The time in seconds after midnight."""
        hours, minutes = self.time.split(":")
        return int(hours) * 3600 + int(minutes) * 60


@cache
def timetable() -> tuple[TimetableStep, ...]:
    """Return the steps of a business day in order of time."""
    rows = read_table("timetable.toml")["step"]
    numbers = {str(market): number for number, market in enumerate(MARKETS)}
    steps = [
        TimetableStep(
            name=row["name"],
            time=row["time"],
            kind=StepKind(row["kind"]),
            markets=tuple(numbers[market] for market in row["markets"]),
            assumed=row.get("assumed", False),
            source=row["source"],
            kinds=tuple(KINDS.index(kind) for kind in row.get("kinds", [])),
            parts=row.get("parts", False),
        )
        for row in rows
    ]
    return tuple(sorted(steps, key=lambda step: step.time))


def step_named(name: str) -> TimetableStep:
    """Return one step; raises Rejected (unknown) naming the steps there are."""
    for step in timetable():
        if step.name == name:
            return step
    names = ", ".join(step.name for step in timetable())
    raise refuse(RejectionReason.UNKNOWN, f"no step '{name}' in the timetable", field="step", remedy=f"one of {names}")
