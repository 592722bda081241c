"""Settling part of an instruction: in the windows of the timetable, or what its deliverer has released.

Only for lack of securities, only free of, against or with payment, only where neither side has opted out and nothing
is linked; only when settling it whole has failed first. A part against payment is worth at least the threshold of its
currency, one free of payment is whole units. Source: T2S UDFS R2026.JUN, 1.6.1.9.3 with table 68 and footnotes 224 to
229; thresholds in ``instruction_rules.toml``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tsingma.basics.money import CURRENCIES
from tsingma.ledger.ledger import Ledger
from tsingma.reference.book import KINDS, InstrumentKind
from tsingma.settlement.instruction import (
    BY_BOTH,
    BY_DELIVERER,
    DVP,
    DWP,
    FOP,
    LACK_OF_SECURITIES,
    ON_HOLD,
    SETTLED,
    Instructions,
)
from tsingma.settlement.links import Links
from tsingma.settlement.recycling import legs_of
from tsingma.settlement.rules import Rules
from tsingma.settlement.values import Values

Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Parts:
    """What settled in parts: how many parts, units of securities and cents per currency, how many became whole."""

    parts: int
    units: int
    amount_cents: tuple[int, ...]
    completed: int


_NOMINAL = (InstrumentKind.BOND, InstrumentKind.BILL, InstrumentKind.CERTIFICATE)


def settle_parts(
    instructions: Instructions, links: Links, ledger: Ledger, values: Values, rules: Rules, day: int, numbers: Int64
) -> Parts:
    """Settle a part of each of the ``numbers`` that lack securities, by priority and entry."""
    table = instructions.table
    short = numbers[(table["reason"][numbers] == LACK_OF_SECURITIES) & divisible(instructions, links, numbers)]
    return _settle_each(instructions, ledger, values, rules, day, short, whole_release=False)


def settle_released(
    instructions: Instructions,
    links: Links,
    ledger: Ledger,
    values: Values,
    rules: Rules,
    day: int,
    numbers: Int64,
    *,
    window: bool,
) -> Parts:
    """Settle what deliverers have released of instructions they hold: all of it, or part of it in a window."""
    table = instructions.table
    held = (table["status"][numbers] == ON_HOLD) & (table["holds"][numbers] == BY_DELIVERER)
    released = numbers[held & (table["released_quantity"][numbers] > 0) & (table["intended_day"][numbers] <= day)]
    released = released[divisible(instructions, links, released)]
    return _settle_each(instructions, ledger, values, rules, day, released, whole_release=not window)


def end_releases(instructions: Instructions) -> int:
    """Put what was released in part and did not settle back on hold: a release is for the day (UDFS 1.6.1.9.3)."""
    released = instructions.table["released_quantity"] > 0
    instructions.table["released_quantity"][released] = 0
    return int(released.sum())


def divisible(instructions: Instructions, links: Links, numbers: Int64) -> npt.NDArray[np.bool_]:
    """Return which may settle in part by kind, the parties' choice and links."""
    table = instructions.table
    may: npt.NDArray[np.bool_] = np.isin(table["kind"][numbers], (DVP, FOP, DWP))
    may &= table["partial"][numbers] == BY_BOTH
    return may & ~np.isin(numbers, links.linked(instructions))


def _settle_each(
    instructions: Instructions,
    ledger: Ledger,
    values: Values,
    rules: Rules,
    day: int,
    numbers: Int64,
    *,
    whole_release: bool,
) -> Parts:
    table = instructions.table
    units, completed, parts = 0, 0, 0
    cents = [0] * len(CURRENCIES)
    for number in numbers[np.lexsort((numbers, table["priority"][numbers]))].tolist():
        part = _largest_part(instructions, ledger, values, number, whole_release=whole_release)
        one = np.array([number], np.int64)
        if part <= 0 or not is_worth_it(instructions, values, rules, one, part):
            continue
        legs = legs_of(instructions, ledger, one, np.array([part], np.int64))
        if not legs.moves.any() or ledger.post_all(*legs.chosen(np.array([0]))) is not None:
            continue
        parts, units = parts + 1, units + part
        if table["against"][number] >= 0:
            cents[int(table["against"][number])] += int(legs.amount[0, 1])
        completed += take_off(instructions, number, part, day)
    return Parts(parts, units, tuple(cents), completed)


def _largest_part(
    instructions: Instructions, ledger: Ledger, values: Values, number: int, *, whole_release: bool
) -> int:
    """Return what the deliverer has of what is open (or released), in whole units of the security."""
    table = instructions.table
    row = ledger.find(int(table["deliverer"][number]), int(table["asset"][number]))
    there = 0 if row < 0 else max(0, int(ledger.available(np.array([row], np.int64))[0]))
    limit = int(table["open_quantity"][number])
    if table["status"][number] == ON_HOLD:
        limit = int(table["released_quantity"][number])
        if whole_release and there < limit:
            return 0
    part = min(there, limit)
    unit = int(values.unit[int(table["security"][number])])
    return part if part == int(table["open_quantity"][number]) else part // unit * unit


def is_worth_it(instructions: Instructions, values: Values, rules: Rules, one: Int64, part: int) -> bool:
    """Return whether a part against payment reaches the least money of its currency; the last part always may."""
    number = int(one[0])
    table = instructions.table
    if table["kind"][number] == FOP or part == int(table["open_quantity"][number]):
        return True
    money = int(instructions.second_leg_of_part(one, np.array([part], np.int64))[0])
    nominal = KINDS[int(values.kind[int(table["security"][number])])] in _NOMINAL
    least = rules.least_part_nominal_cents if nominal else rules.least_part_units_cents
    return money >= int(least[int(table["currency"][number])])


def take_off(instructions: Instructions, number: int, part: int, day: int) -> bool:
    """Take a settled part off what is open; returns whether nothing is left."""
    table = instructions.table
    table["settled_day"][number] = day
    if table["status"][number] == ON_HOLD:
        table["open_quantity"][number] -= part
        table["released_quantity"][number] -= part
        return False
    if part == int(table["open_quantity"][number]):
        instructions.change(np.array([number], np.int64), SETTLED)
        return True
    table["open_quantity"][number] -= part
    return False
