"""A participant is suspended, reinstated, declared a defaulter; its default is closed.

Suspended: nothing new is taken from it, its open instructions are held, its queued payments cancelled and its intraday
credit ended; what is due with the house goes on. Declared: what nobody guarantees is taken out, and its positions with
the house are closed out (``closing_out``), its clients ported (``porting``), the loss borne (``default_fund``). Rules
and sources: table ``default_rules.toml``.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.columns import pack
from tsingma.basics.dates import to_date
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.clearing.default_book import Case, DefaultStatus, Turn
from tsingma.clearing.derivatives import SERIES_MAX
from tsingma.engine.barring import cases_of_parties
from tsingma.engine.cycle import paying_markets
from tsingma.engine.default_sums import bank_postings, hkd_of
from tsingma.engine.house import Handlers, House
from tsingma.engine.instructing import participant as index_of
from tsingma.engine.payments import follow_mainland
from tsingma.engine.pooling import valuation
from tsingma.journal.default_commands import CloseDefault, DeclareDefault, ReinstateParticipant, SuspendParticipant
from tsingma.journal.default_events import (
    DefaultClosed,
    DefaultDeclared,
    ParticipantReinstated,
    ParticipantSuspended,
)
from tsingma.reference.book import ParticipantKind
from tsingma.reference.tables import read_table, row_on
from tsingma.settlement.credit import NO_CAP
from tsingma.settlement.gross_money.queue import BY_HOUSE as CANCELLED_BY_HOUSE
from tsingma.settlement.instruction import BY_HOUSE, CANCELLED, ON_HOLD, SETTLED
from tsingma.settlement.life import act
from tsingma.settlement.orders import WAITING
from tsingma.settlement.reservation import ACTIVE
from tsingma.settlement.timetable import StepKind, step_named

Int64 = npt.NDArray[np.int64]

TABLE = "default_rules.toml"
REASON_LENGTH_MAX = 500
AT_MAX_S = 253_402_300_799  # the end of the year 9999 (ISO 8601: four digits)
AHEAD_S = 24 * 3_600  # a turn told further ahead than that was told by a clock that was wrong
_NEVER = (ParticipantKind.HOUSE, ParticipantKind.ISSUER, ParticipantKind.SETTLEMENT_BANK, ParticipantKind.LINK)


def suspend_participant(house: House, command: SuspendParticipant) -> ParticipantSuspended:
    """Suspend a participant; raises Rejected: unknown, not-allowed (barred already, or the house itself), missing."""
    index = _may_default(house, command.participant)
    turn = _turn(house, DefaultStatus.SUSPENDED, command.reason, command.at_s)
    _require_not_barred(house, index, command.participant)
    held = _hold(house, index)
    _end_credit(house, index)
    number = len(house.defaults.cases) + 1
    house.defaults.put(Case(number, index, (turn,), tuple(held)))
    return ParticipantSuspended(number, command.participant, len(held), _cancel_payments(house, index))


def reinstate_participant(house: House, command: ReinstateParticipant) -> ParticipantReinstated:
    """End a suspension and release what it held; raises Rejected: unknown, not-allowed for one that has defaulted."""
    index = index_of(house, command.participant)
    case = house.defaults.case_of(index)
    if case is None or case.status is not DefaultStatus.SUSPENDED:
        said = "is not suspended" if case is None else "has defaulted"
        raise refuse(
            RejectionReason.NOT_ALLOWED, f"{command.participant} {said}", field="participant",
            remedy="only a suspension ends so; a default is closed",
        )  # fmt: skip
    turn = _turn(house, DefaultStatus.REINSTATED, command.reason, command.at_s, case)
    house.defaults.put(msgspec.structs.replace(case, turns=(*case.turns, turn), held=()))
    released = _release(house, case.held)
    return ParticipantReinstated(case.number, command.participant, pack(released, "i8"))


def declare_default(house: House, command: DeclareDefault) -> DefaultDeclared:
    """Declare a default on a ground of the table; what it says the books must show, they show.

    Raises Rejected: unknown (participant, ground), missing (reason), not-allowed (declared already, or the books show
    no such failure).
    """
    index = _may_default(house, command.participant)
    case = house.defaults.case_of(index)
    if case is not None and case.status is not DefaultStatus.SUSPENDED:
        raise refuse(
            RejectionReason.NOT_ALLOWED,
            f"it is {case.status} already",
            field="participant",
            subject=command.participant,
        )
    turn = _turn(house, DefaultStatus.DECLARED, command.reason, command.at_s, case)
    _require_ground(house, index, command)
    orders, cancelled = _take_out(house, index)
    _give_back_reservations(house, index)
    _cancel_payments(house, index)
    _end_credit(house, index)
    turns = (turn,) if case is None else (*case.turns, turn)
    number = len(house.defaults.cases) + 1 if case is None else case.number
    turn = msgspec.structs.replace(turn, ground=command.ground)
    house.defaults.put(Case(number, index, (*turns[:-1], turn)))
    lines, series = open_positions(house, index)
    return DefaultDeclared(number, command.participant, command.ground, lines, series, cancelled, orders)


def close_default(house: House, command: CloseDefault) -> DefaultClosed:
    """Close a default when nothing of it is open: surplus goes back, contributions are free, what nobody bore is told.

    Raises Rejected: unknown, not-allowed (something is open, or a loss without ``write_off``), missing (reason).
    """
    book = house.defaults
    case = book.case(command.default, DefaultStatus.DECLARED)
    turn = _turn(house, DefaultStatus.CLOSED, command.reason, command.at_s, case)
    _require_nothing_open(house, case)
    owed = dict(book.owed_by(case.number))
    lost = {key: cents for key, cents in owed.items() if cents > 0}
    if lost and not command.write_off:
        raise refuse(
            RejectionReason.NOT_ALLOWED, f"{sum(lost.values())} cents are borne by nobody", field="write_off",
            subject=str(case.number), remedy="book the waterfall, collect assessments, or write it off",
        )  # fmt: skip
    returned, written = 0, 0
    for (_, fund, account, unit), cents in owed.items():
        book.owe(case.number, fund, account, unit, -cents)
        if cents > 0:
            book.written_off[unit] = book.written_off.get(unit, 0) + cents
            written += hkd_of(house, unit, cents)
        else:
            bank_postings(house, [(house.internal.cns, account, unit, -cents)])
            returned += hkd_of(house, unit, -cents)
    for key in [key for key in book.assessed if key[0] == case.number]:
        del book.assessed[key]
    _free_contributions(house, case.participant)
    book.put(msgspec.structs.replace(case, turns=(*case.turns, turn)))
    code = house.resolved.book.participants[case.participant].code
    return DefaultClosed(case.number, code, returned, written)


def open_positions(house: House, participant: int) -> tuple[int, int]:
    """Return how many net lines, and positions in series of futures, options and swaps, a participant has open."""
    mine = accounts_of(house, participant)
    lines = house.settlement.positions
    stock = np.isin(lines.account, mine) & ((lines.open != 0) | (lines.on_hold != 0))
    unpaid = np.isin(lines.money_account, mine) & (lines.due_cents != lines.settled_cents)
    keys = {int(key) for key in lines.key[stock]} | {int(lines.key[line]) for line in lines.money_line[unpaid]}
    count = len(keys)
    for day in house.obligations.days:
        due = house.obligations.due(day)
        count += int((np.isin(due.account, mine) & ((due.quantity != 0) | (due.amount_cents != 0))).sum())
    swaps = sum(key // SERIES_MAX in mine for key in house.swaps.positions)
    return count, int(np.isin(house.derivatives.key // SERIES_MAX, mine).sum()) + swaps


def owed_for_contracts(house: House, accounts: Int64, unit: int) -> int:
    """Return what accounts owe for futures, options and swaps in a currency, cents."""
    books = (house.derivatives, house.swaps)
    return sum(book.owed_in(unit).get(account, 0) for book in books for account in accounts.tolist())


def accounts_of(house: House, participant: int) -> Int64:
    """Return the accounts of a participant, in order."""
    return np.flatnonzero(house.resolved.account_participant == participant).astype(np.int64)


def _may_default(house: House, code: str) -> int:
    index = index_of(house, code)
    kind = house.resolved.book.participants[index].kind
    if kind in _NEVER:
        raise refuse(RejectionReason.NOT_ALLOWED, f"{code} is {kind}", field="participant", remedy="name a participant")
    return index


def _require_not_barred(house: House, index: int, code: str) -> None:
    case = house.defaults.case_of(index)
    if case is not None:
        raise refuse(RejectionReason.NOT_ALLOWED, f"it is {case.status} already", field="participant", subject=code)


def _turn(house: House, status: DefaultStatus, reason: str, at_s: int, case: Case | None = None) -> Turn:
    """Return a turn of a case; raises Rejected (missing, limit, out-of-range) for a reason or a time that is none.

    Turns follow each other. But when the last was told more than a day ahead, a clock was wrong then, and would block
    every turn that comes: time goes on from now, as with acts.
    """
    if not reason.strip():
        raise refuse(RejectionReason.MISSING, "no reason is given", field="reason", remedy="say why: it is kept")
    if len(reason) > REASON_LENGTH_MAX:
        message = f"{len(reason)} characters, {REASON_LENGTH_MAX} at most"
        raise refuse(RejectionReason.LIMIT, message, field="reason")
    before = 0 if case is None else case.turns[-1].at_s
    was_ahead = before - at_s > AHEAD_S
    if not 0 <= at_s <= AT_MAX_S or (at_s < before and not was_ahead):
        raise refuse(
            RejectionReason.OUT_OF_RANGE, f"second {at_s} since 1970, the case stands at {before}", field="at_s"
        )
    return Turn(status, house.position.day, at_s, reason)


def _require_ground(house: House, index: int, command: DeclareDefault) -> None:
    rows = [row for row in read_table(TABLE)["ground"] if row["name"] == command.ground]
    if not rows:
        names = ", ".join(dict.fromkeys(row["name"] for row in read_table(TABLE)["ground"]))
        raise refuse(RejectionReason.UNKNOWN, f"no ground '{command.ground}'", field="ground", remedy=f"one of {names}")
    day = to_date(house.position.day or command.at_s // 86_400)
    row: dict[str, Any] = row_on(rows, day, table=f"{TABLE}: {command.ground}")
    shown = {"money": _owes_money, "margin": _lacks_margin}.get(row["checked"])
    if shown is not None and not shown(house, index):
        raise refuse(
            RejectionReason.NOT_ALLOWED, f"the books show no {command.ground}", field="ground",
            subject=command.participant, remedy="name another ground: insolvency, or a decision with its reason",
        )  # fmt: skip


def _owes_money(house: House, index: int) -> bool:
    """Return whether a participant has not paid what fell due: net settlement, futures and options."""
    mine, lines = accounts_of(house, index), house.settlement.positions
    late = np.isin(lines.market[lines.money_line], _paid_markets(house)) & np.isin(lines.money_account, mine)
    units = range(len(CURRENCIES))
    for account in mine.tolist():
        for unit in units:
            here = late & (lines.money_account == account) & (lines.money_currency == unit)
            if int(lines.pending_cents[here].sum()) > 0:
                return True
    return any(owed_for_contracts(house, mine, unit) > 0 for unit in units)


def _paid_markets(house: House) -> list[int]:
    """Return the markets whose money was settled last on the day: what is pending there was not paid.

    Stock that moves after it, as that of China Connect in the evening, is paid for at the next money settlement.
    """
    markets = house.resolved.markets
    found: set[int] = set()
    for name in house.position.steps_run:
        step = step_named(name, markets)
        if step.kind is StepKind.MONEY_SETTLEMENT:
            found |= set(paying_markets(step.markets, to_date(house.position.day), markets))
        elif step.kind in (StepKind.BATCH_SETTLEMENT_RUN, StepKind.SAME_DAY_STOCK):
            found -= set(step.markets)
    return sorted(found)


def _lacks_margin(house: House, index: int) -> bool:
    """Return whether a call on a participant is not covered: margin pledged in money, or in the pool."""
    mine, margin = accounts_of(house, index), house.margin
    lacking = np.isin(margin.account, mine) & (margin.pledged_cents < margin.requirement_cents)
    if lacking.any():
        return True
    if not house.pool.required and not house.pool.loans:
        return False
    return any(account in mine for account, _ in house.pool.shortfalls(valuation(house)))


def _open_instructions(house: House, index: int) -> Int64:
    """Return open gross instructions to which a participant is party, but for those that are bought in."""
    table = house.settlement.instructions.table
    mine = accounts_of(house, index)
    party = np.isin(table["deliverer"], mine) | np.isin(table["receiver"], mine)
    found = np.flatnonzero(party & ~np.isin(table["status"], (SETTLED, CANCELLED)))
    running = [number for number in found.tolist() if house.settlement.buy_ins.running(number) < 0]
    return np.array(running, np.int64)


def _hold(house: House, index: int) -> list[int]:
    """Hold a participant's open instructions for the house; returns those that the house did not hold before."""
    settlement, held = house.settlement, []
    table = settlement.instructions.table
    for number in _open_instructions(house, index).tolist():
        if not int(table["holds"][number]) & BY_HOUSE:
            act(settlement.instructions, settlement.links, number, "hold", BY_HOUSE, day=house.position.day)
            held.append(number)
    return held


def _release(house: House, held: tuple[int, ...]) -> list[int]:
    """Release what a suspension held; what another suspension has to hold too is from now on held by that one."""
    settlement, released = house.settlement, []
    table = settlement.instructions.table
    for number in held:
        if int(table["status"][number]) != ON_HOLD or not int(table["holds"][number]) & BY_HOUSE:
            continue
        others = cases_of_parties(house, number)
        if others:
            house.defaults.put(msgspec.structs.replace(others[0], held=(*others[0].held, number)))
            continue
        act(settlement.instructions, settlement.links, number, "release", BY_HOUSE, day=house.position.day)
        released.append(number)
    return released


def _take_out(house: House, index: int) -> tuple[int, int]:
    """Withdraw a defaulter's waiting orders and cancel its open instructions; returns how many of each."""
    settlement = house.settlement
    orders = settlement.orders.table
    waiting = np.flatnonzero((orders["participant"] == index) & (orders["status"] == WAITING)).astype(np.int64)
    if waiting.size:
        settlement.orders.withdraw(waiting)
        orders["changed_day"][waiting] = house.position.day
    numbers = _open_instructions(house, index).tolist()
    for number in numbers:
        act(settlement.instructions, settlement.links, number, "cancel", BY_HOUSE, day=house.position.day)
    return int(waiting.size), len(numbers)


def _give_back_reservations(house: House, index: int) -> None:
    reservations = house.settlement.reservations
    mine = np.isin(reservations.table["account"], accounts_of(house, index))
    for number in np.flatnonzero(mine & (reservations.table["status"] == ACTIVE)).tolist():
        reservations.give_back(house.ledger, number, house.position.day)


def _end_credit(house: House, index: int) -> None:
    """End a participant's intraday credit: no more than what it has drawn, and that until the end of the day."""
    lines = house.settlement.credit_lines
    mine = np.flatnonzero(np.isin(lines.table["account"], accounts_of(house, index)))
    for place in mine.tolist():
        account, currency = int(lines.table["account"][place]), int(lines.table["currency"][place])
        lines.grant(house.ledger, account, currency, credit=0, cap=NO_CAP, collateral=0)


def _cancel_payments(house: House, index: int) -> int:
    """Cancel what a participant's accounts have queued in the gross systems of the open day; returns how many."""
    money = house.money
    if money.day != house.position.day or not money.payments.waiting:
        return 0
    mine, before = accounts_of(house, index), money.payments.waiting
    rows = money.payments.waiting_rows()
    for row in rows[np.isin(house.ledger.owner[rows], mine)].tolist():
        while queue := money.payments.queue_of(row):
            money.payments.cancel(queue[0], CANCELLED_BY_HOUSE, money.clock_s)
    follow_mainland(house)
    return before - money.payments.waiting


def _require_nothing_open(house: House, case: Case) -> None:
    lines, series = open_positions(house, case.participant)
    funds = {key[1] for key, _ in house.defaults.owed_by(case.number)} - set(case.booked)
    mine = accounts_of(house, case.participant)
    derivative = any(owed_for_contracts(house, mine, unit) for unit in range(len(CURRENCIES)))
    fault = ""
    if lines or series:
        fault = f"{lines} lines and {series} positions in series are open"
    elif funds or derivative:
        fault = f"the waterfall of {', '.join(sorted(funds)) or 'HKCC, SEOCH or OTC Clear'} is not booked"
    if fault:
        raise refuse(
            RejectionReason.NOT_ALLOWED, fault, field="default", subject=str(case.number),
            remedy="close out or port what is open, book the waterfall",
        )  # fmt: skip


def _free_contributions(house: House, participant: int) -> None:
    """Take a closed defaulter's contributions off pledge: what is left of them is its estate's."""
    hkd, mine = CURRENCIES.index("HKD"), accounts_of(house, participant).tolist()
    for (fund, account), cents in sorted(house.defaults.pledged.items()):
        if account in mine and cents:
            row = np.array([house.ledger.find(account, hkd)])
            house.ledger.unpledge(row, np.array([cents], np.int64))
            house.defaults.take_contribution(fund, account, cents)
            house.defaults.required.pop((fund, account), None)


HANDLERS: Handlers = {
    SuspendParticipant: suspend_participant,
    ReinstateParticipant: reinstate_participant,
    DeclareDefault: declare_default,
    CloseDefault: close_default,
}
