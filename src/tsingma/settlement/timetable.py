"""The steps of a business day in order, read from the dated timetable."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache
from typing import Any

import msgspec

from tsingma.basics.rejection import Rejected, RejectionReason, refuse
from tsingma.reference.markets import Markets, shipped_markets
from tsingma.reference.tables import read_table
from tsingma.settlement.instruction import KINDS

_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


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
    """One step: ``time`` is HKT, ``markets`` are numbers of markets, ``assumed`` marks a time without a source.

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


def timetable(markets: Markets | None = None) -> tuple[TimetableStep, ...]:
    """Return the steps of a business day in order of time, with the markets each settles.

    ``markets`` are those of a house's book; without them, the house's own. Raises Rejected (unknown) when a market
    joins a step that there is not. A step for every market of the house settles those of the book as well.
    """
    return _timetable(markets or shipped_markets())


@lru_cache(maxsize=64)
def _timetable(markets: Markets) -> tuple[TimetableStep, ...]:
    rows = [*read_table("timetable.toml")["step"], *_own_rows(markets)]
    numbers = {code: number for number, code in enumerate(markets.codes)}
    every = set(shipped_markets().codes)
    joined = {
        row["name"]: list(numbers.values())
        if every <= set(row["markets"])
        else [numbers[code] for code in row["markets"]]
        for row in rows
    }
    for rule in markets.own:
        for name in rule.steps:
            if name not in joined:
                raise _unknown(name, tuple(joined), subject=rule.code)
            joined[name].append(numbers[rule.code])
    steps = [
        TimetableStep(
            name=row["name"],
            time=row["time"],
            kind=StepKind(row["kind"]),
            markets=tuple(joined[row["name"]]),
            assumed=row.get("assumed", False),
            source=row["source"],
            kinds=tuple(KINDS.index(kind) for kind in row.get("kinds", [])),
            parts=row.get("parts", False),
        )
        for row in rows
    ]
    return tuple(sorted(steps, key=lambda step: step.time))


def _own_rows(markets: Markets) -> list[dict[str, Any]]:
    """Return the steps that markets of a book add, as rows of the table."""
    for rule in markets.own:
        for step in rule.own_steps:
            if step.kind not in list(StepKind) or not _TIME.fullmatch(step.time):
                message = f"'{step.kind}' at '{step.time}' is no step"
                remedy = f"HH:MM, and one of {', '.join(StepKind)}"
                raise refuse(RejectionReason.MALFORMED, message, field="own_steps", subject=rule.code, remedy=remedy)
    return [
        {**msgspec.structs.asdict(step), "markets": [rule.code], "assumed": rule.assumed, "source": rule.source}
        for rule in markets.own
        for step in rule.own_steps
    ]


def step_named(name: str, markets: Markets | None = None) -> TimetableStep:
    """Return one step (``markets`` as in ``timetable``); raises Rejected (unknown) naming the steps there are."""
    steps = timetable(markets)
    for step in steps:
        if step.name == name:
            return step
    raise _unknown(name, tuple(step.name for step in steps))


def _unknown(name: str, names: tuple[str, ...], subject: str = "") -> Rejected:
    message = f"no step '{name}' in the timetable"
    return refuse(RejectionReason.UNKNOWN, message, field="step", subject=subject, remedy=f"one of {', '.join(names)}")
