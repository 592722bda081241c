"""Steps of the day on gross instructions: night sequences, windows, cut-offs, credit, and the end of the day."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from tsingma.basics.dates import to_date
from tsingma.basics.money import CURRENCIES
from tsingma.engine.cycle import settlement_days_before
from tsingma.engine.house import House
from tsingma.reference.markets import EVERY_MARKET
from tsingma.settlement.instruction import BY_BOTH, CANCELLED, FAILING, KINDS, MATCHED, ON_HOLD, SETTLED
from tsingma.settlement.orders import Delays
from tsingma.settlement.parts import end_releases
from tsingma.settlement.penalties import fail_penalties
from tsingma.settlement.rules import rules_on
from tsingma.settlement.settling import Now, settle, settle_woken
from tsingma.settlement.timetable import StepKind, TimetableStep, timetable
from tsingma.settlement.values import Values

Int64 = npt.NDArray[np.int64]


def now(house: House) -> Now:
    """Return what settling decides with on the open day: rules in force, last prices and rates, board lots."""
    book, day = house.resolved, house.position.day
    counter = book.settlement_counter
    values = Values(
        price_e4=house.price_e4[counter],
        currency=book.counter_currency[counter].astype(np.int64),
        kind=book.counter_kind[counter].astype(np.int64),
        unit=np.array([book.book.counters[place].lot for place in counter.tolist()], np.int64),
        fx_e6=house.fx_e6,
    )
    return Now(house.ledger, day, values, rules_on(to_date(day)), house.internal.bank)


def tick(house: House, second: int) -> int:
    """Move the time of day on (never back) and allege orders that have waited long enough; returns how many."""
    settlement = house.settlement
    settlement.clock_s = max(settlement.clock_s, second)
    return int(settlement.orders.allege(house.position.day, settlement.clock_s, delays(house)).size)


def delays(house: House) -> Delays:
    """Return when orders are alleged on the open day."""
    rules = rules_on(to_date(house.position.day))
    return Delays(rules.allegement_delay_s, rules.allegement_at_once_s, _first_cut_off_s())


@cache
def _first_cut_off_s() -> int:
    return min(step.second for step in timetable() if step.kind is StepKind.CUT_OFF)


def open_kinds(house: House) -> tuple[int, ...]:
    """Return the kinds of instruction that still settle today: those whose cut-off has not run."""
    run = house.position.steps_run
    cut = {kind for step in timetable() if step.kind is StepKind.CUT_OFF and step.name in run for kind in step.kinds}
    return tuple(kind for kind in range(len(KINDS)) if kind not in cut)


def in_window(house: House) -> bool:
    """Return whether parts may settle now: the step that ran last allows them."""
    run = house.position.steps_run
    last = next((step for step in timetable() if run and step.name == run[-1]), None)
    return last is not None and (last.parts or last.kind is StepKind.PARTIAL_SETTLEMENT)


def gross(house: House, step: TimetableStep) -> dict[str, int]:
    """Settle the step's instructions one by one and with credit, and in parts where the step allows it."""
    kinds = tuple(kind for kind in open_kinds(house) if not step.kinds or kind in step.kinds)
    return settle(house.settlement, now(house), step.markets, kinds, window=step.parts).figures()


def window(house: House, step: TimetableStep) -> dict[str, int]:
    """Settle the step's instructions, then parts of what is left."""
    return settle(house.settlement, now(house), step.markets, open_kinds(house), window=True).figures()


def cut_off(house: House, step: TimetableStep) -> dict[str, int]:
    """Close the day for kinds of instruction; returns how many of them are left for the next day."""
    table = house.settlement.instructions.table
    left = np.isin(table["status"], (MATCHED, FAILING, ON_HOLD)) & (table["intended_day"] <= house.position.day)
    return {"left": int((left & np.isin(table["kind"], step.kinds)).sum())}


def repay_credit(house: House, step: TimetableStep) -> dict[str, int]:
    """Repay loans, free what was pledged for them and close intraday credit."""
    settlement, day = house.settlement, house.position.day
    repaid = settlement.loans.repay(house.ledger, house.internal.bank, day)
    overdrawn, cents = settlement.credit_lines.end_day(house.ledger)
    return {
        "loans_repaid": repaid.loans,
        "loans_repaid_cents": repaid.cents,
        "loans_left": repaid.left,
        "loans_left_cents": repaid.left_cents,
        "accounts_overdrawn": overdrawn,
        "overdrawn_cents": cents,
    }


def settle_at_once(house: House, numbers: Int64, credited: Int64) -> dict[str, int] | None:
    """Settle what has just become ready, or waited on rows just credited; returns figures, None if nothing settled."""
    outcome = settle_woken(house.settlement, now(house), open_kinds(house), numbers, credited, EVERY_MARKET)
    return outcome.figures() if outcome.settled or outcome.parts else None


def is_continuous(house: House) -> bool:
    """Return whether what becomes ready now settles at once: between its start and the last cut-off of an open day."""
    if not house.position.is_open or not len(house.settlement.instructions):
        return False
    run = house.position.steps_run
    return any(step.name in run for step in timetable() if step.kind is StepKind.CONTINUOUS_SETTLEMENT) and bool(
        open_kinds(house)
    )


def close_instructions(house: House) -> dict[str, int]:
    """End the day of instructions: penalties, what expires, what has been recycled long enough."""
    settlement, day = house.settlement, house.position.day
    current = now(house)
    added, unpriced = fail_penalties(
        settlement.instructions, settlement.claims, house.ledger, current.values, current.rules, day
    )
    orders = settlement.orders.expire(settlement_days_before(day, current.rules.unmatched_days))
    expired = _expire(house, settlement_days_before(day, current.rules.matched_days))
    ended = np.isin(settlement.instructions.table["status"], (SETTLED, CANCELLED))
    over, back = settlement.reservations.close_day(house.ledger, day, ended)
    figures = {
        "penalties": added,
        "penalties_without_price": unpriced,
        "orders_expired": int(orders.size),
        "instructions_expired": expired,
        "releases_ended": end_releases(settlement.instructions),
        "reservations_expired": over,
        "reservations_given_back": back,
    }
    table = settlement.claims.table
    for unit, currency in enumerate(CURRENCIES):
        owed = (table["paid_day"] == 0) & (table["currency"] == unit)
        figures[f"claims_open_{currency}_cents"] = int(table["cents"][owed].sum())
    return figures


def _expire(house: House, oldest_day: int) -> int:
    """Cancel what parties have left open since before a day (T2S: 60 settlement days); returns how many."""
    instructions, links = house.settlement.instructions, house.settlement.links
    table = instructions.table
    since = np.maximum(table["intended_day"], table["changed_day"])
    is_open = np.isin(table["status"], (MATCHED, ON_HOLD, FAILING)) & (table["matched_day"] > 0)
    old = np.flatnonzero(is_open & (since < oldest_day)).astype(np.int64)
    for number in old.tolist():
        links.part(instructions, number)
    table["cancels"][old] = BY_BOTH
    instructions.change(old, CANCELLED)
    return int(old.size)
