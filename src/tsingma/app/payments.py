"""Payments of a house: send a file, move the time on, list queues, propose what settles out of order, liquidity."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.app.session import Session, name_of_file
from tsingma.basics.clock import Clock
from tsingma.basics.columns import pack
from tsingma.basics.dates import to_date
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.engine.house import House
from tsingma.engine.payments import COLUMNS, repo_line
from tsingma.journal.events import Accepted
from tsingma.journal.payment_commands import ChangePayment, RunPayments, SettlePayments, SubmitPayments
from tsingma.journal.payment_events import PaymentsRun, PaymentsSubmitted
from tsingma.kernels.payments import QUEUED, SETTLED
from tsingma.messages.payment_file import amount_text, read_payments, time_text, write_payments
from tsingma.settlement.gross_money.liquidity import HOURS, LARGEST, throughput_e4
from tsingma.settlement.gross_money.queue import PRIORITIES, STATUSES
from tsingma.settlement.gross_money.systems import mainland_on, systems_on
from tsingma.settlement.instance import AMOUNT_MAX, Problem
from tsingma.settlement.optimise import Elapsed, optimise, quick
from tsingma.settlement.proposal import Objective
from tsingma.simulate.payments import payment_day

Int64 = npt.NDArray[np.int64]

PAYMENTS_A_COMMAND = 100_000
MONTH_DAYS = 31


class Sent(msgspec.Struct, frozen=True):
    """What became of a file: payments taken in, what settled by it (also earlier ones), what waits now."""

    payments: int
    settled: int
    waiting: int


class Waiting(msgspec.Struct, frozen=True):
    """One queued payment, in words; ``place`` counts from 1 in its payer's queue."""

    number: int
    payer: str
    payee: str
    currency: str
    amount: str
    priority: str
    place: int
    reason: str


class Proposed(msgspec.Struct, frozen=True):
    """What settles out of order of what waits, in number and cents, and whether it was booked."""

    waiting: int
    waiting_cents: int
    settles: int
    settles_cents: int
    booked: bool


class LiquidityLine(msgspec.Struct, frozen=True):
    """The monitoring tools of a day for one account and currency; amounts in cents, shares in ten-thousandths."""

    account: str
    currency: str
    usage: int
    surplus: int
    opening: int
    sent: int
    received: int
    sent_count: int
    received_count: int
    timed: int
    timed_cents: int
    missed: int
    missed_cents: int
    on_behalf: int
    other_in: int
    other_out: int
    repo_drawn: int
    repo_line: int
    largest_usage: tuple[int, ...]
    mean_usage: int
    throughput_e4: dict[str, int]


class SystemLine(msgspec.Struct, frozen=True):
    """One system on a day."""

    name: str
    currency: str
    settlement_institution: str
    opens: str
    closes: str
    works: bool
    assumed: bool
    source: str


def systems(day: date) -> tuple[SystemLine, ...]:
    """Return the systems of a day and the mainland's side of the link; raises Rejected (beyond-horizon)."""
    return tuple(
        SystemLine(
            name=one.name, currency=one.currency, settlement_institution=one.settlement_institution,
            opens=time_text(one.opens_s), closes=time_text(one.closes_s), works=one.works, assumed=one.assumed,
            source=one.source,
        )
        for one in (*systems_on(day), mainland_on(day))
    )  # fmt: skip


def send_payments(house: Path | str, path: Path, participant: str = "", second: int | None = None) -> Sent:
    """Send the payments of a file to a house with an open day; the same file on the same day is sent only once.

    ``second`` is the time of day; left out, it is the time at which the house stands. Raises Rejected when the file or
    a part of it is refused; parts before it are in the books then, and are not sent twice.
    """
    data = path.read_bytes()
    with Session.open(house) as session:
        state = session.house
        columns = read_payments(data, state.resolved, file=path.name)
        digest = name_of_file(data, participant)
        answers, start, size = [], 0, columns["payer"].size
        moment = house_time(state) if second is None else second
        while start < size:
            stop = min(start + PAYMENTS_A_COMMAND, size)
            if stop < size and columns["pair"][stop] and columns["pair"][stop] == columns["pair"][stop - 1]:
                stop -= 1  # a pair is not parted
            part = {name: pack(column[start:stop], COLUMNS[name][0]) for name, column in columns.items()}
            command = SubmitPayments(path.name, participant, moment, part)
            name = f"{to_date(state.position.day)}/payments/{digest}/{start}"
            answers.append(session.once(name, lambda command=command: command))  # type: ignore[misc]
            start = stop
    return _sum(answers, size)


def _sum(answers: list[Accepted], size: int) -> Sent:
    taken = [event for answer in answers for event in answer.events if isinstance(event, PaymentsSubmitted)]
    return Sent(size, sum(event.settled for event in taken), taken[-1].waiting if taken else 0)


def run_to(house: Path | str, second: int, *, offset: bool) -> dict[str, int]:
    """Move a house's time of day on, and offset all queues where asked; returns the figures."""
    with Session.open(house) as session:
        command = RunPayments(second, "multilateral" if offset else "")
        (answer,) = session.submit([(f"payments/at-{second}-after-{session.sequencer.sequence}", command)])
        (event,) = (event for event in answer.events if isinstance(event, PaymentsRun))
        return event.figures


def change_payment(house: Path | str, number: int, action: str, participant: str, priority: str) -> str:
    """Cancel a queued payment of a participant, or put it first or last of a priority's queue; returns what it is now.

    Raises Rejected when the house refuses: it is no payment of the participant's, or no longer queued.
    """
    with Session.open(house) as session:
        command = ChangePayment(number, action, participant, house_time(session.house), PRIORITIES.index(priority))
        session.submit([(f"payments/change-after-{session.sequencer.sequence}", command)])
        return STATUSES[int(session.house.money.payments.table["status"][number])]


def payments_queue(house: Path | str, participant: str = "", limit: int = 100) -> tuple[int, list[Waiting]]:
    """Return how many payments wait, and the first of them by payer and place in its queue."""
    with Session.open(house, read_only=True) as session:
        state = session.house
        book, payments = state.resolved, state.money.payments
        owner = book.account_participant
        index = _participant(state, participant)
        rows = [
            row for row in payments.waiting_rows().tolist()
            if index is None or int(owner[state.ledger.owner[row]]) == index
        ]  # fmt: skip
        queues = [(row, payments.queue_of(row)) for row in rows]
        found = [_waiting(state, row, number, place) for row, queue in queues for place, number in enumerate(queue, 1)]
        return len(found), found[:limit]


def _waiting(house: House, row: int, number: int, place: int) -> Waiting:
    money, ledger, book = house.money, house.ledger, house.resolved
    cell = {name: int(column[number]) for name, column in money.payments.table.items()}
    asset = int(ledger.asset[row])
    closed = cell["needs"] & ~money.opened
    short = int(ledger.available(np.array([row], np.int64))[0]) < cell["amount"]
    if closed:
        reason = "a system it needs is not open"
    elif money.payments.held(number):
        reason = "a limit of its payer"
    elif short:
        reason = "not enough money" if asset < len(CURRENCIES) else "not enough securities"
    else:
        reason = "the other leg is not ready" if cell["pair"] >= 0 else "behind one that lacks money"
    return Waiting(
        number=number, payer=book.account_name(int(ledger.owner[row])),
        payee=book.account_name(int(ledger.owner[cell["credit"]])), currency=book.asset_name(asset),
        amount=amount_text(asset, cell["amount"]), priority=PRIORITIES[cell["priority"]], place=place, reason=reason,
    )  # fmt: skip


def export(house: Path | str, path: Path) -> int:
    """Write the day's payments as a file and return how many there are."""
    with Session.open(house, read_only=True) as session:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(write_payments(session.house))
        return len(session.house.money.payments)


def propose(house: Path | str, objective: Objective, *, time_limit: float = 0.0, clock: Clock, book: bool) -> Proposed:
    """Find what settles at one instant out of order: within a payer's most urgent class first come counts no more.

    With no time limit the stages that no clock cuts answer, and the same queues give the same set. With ``book`` the
    house verifies it in integers and books it.
    """
    with Session.open(house, read_only=not book) as session:
        state = session.house
        numbers, problem = queue_problem(state)
        amount = state.money.payments.table["amount"]
        chosen = np.zeros(0, np.int64)
        if problem.size:
            if time_limit > 0:
                places = np.array(optimise(problem, objective, time_limit, _elapsed(clock)).chosen, np.int64)
            else:
                places = np.flatnonzero(quick(problem, objective, _elapsed(clock))[0])
            chosen = np.sort(numbers[places].ravel())
            chosen = chosen[chosen >= 0]
        if book and chosen.size:
            command = SettlePayments(f"proposal by {objective}", state.money.clock_s, pack(chosen, "i4"))
            session.submit([(f"payments/proposal-after-{session.sequencer.sequence}", command)])
        waits = numbers[numbers >= 0]
        return Proposed(
            waiting=int(waits.size), waiting_cents=int(amount[waits].sum()), settles=int(chosen.size),
            settles_cents=int(amount[chosen].sum()), booked=bool(book and chosen.size),
        )  # fmt: skip


def queue_problem(house: House) -> tuple[Int64, Problem]:
    """Return what may settle out of order as a problem of the optimiser, and the payments [n, 2] (-1) behind each item.

    An item is a payment, or a pair with its two legs. Of each payer only the most urgent class that waits takes part.
    """
    money, ledger = house.money, house.ledger
    table = money.payments.table
    waits = np.flatnonzero((table["status"] == QUEUED) & ((table["needs"] & ~money.opened) == 0))
    least = np.full(ledger.count, len(PRIORITIES), np.int64)
    alone = waits[table["pair"][waits] < 0]
    np.minimum.at(least, table["debit"][alone], table["priority"][alone].astype(np.int64))
    if money.payments.limits.caps:  # the optimiser knows no limits: what counts against one is left to the queues
        money.payments.limits.follow(table)
        waits = waits[money.payments.limits.sends[waits] < 0]
    fits = waits[table["priority"][waits] <= least[table["debit"][waits]]]
    pair = table["pair"][fits].astype(np.int64)
    first = fits[(pair < 0) | ((pair > fits) & np.isin(pair, fits))]
    second = table["pair"][first].astype(np.int64)
    other = np.maximum(second, 0)
    none = second < 0

    def leg(name: str, of: Int64, empty: npt.NDArray[np.bool_] | None = None, nothing: int = -1) -> Int64:
        column = table[name][of].astype(np.int64)
        return column if empty is None else np.where(empty, nothing, column).astype(np.int64)

    balance = np.minimum(ledger.available(np.arange(ledger.count)), AMOUNT_MAX)
    problem = Problem(
        out_stock=leg("debit", first), in_stock=leg("credit", first), out_cash=leg("debit", other, none),
        in_cash=leg("credit", other, none), quantity=leg("amount", first), cash=leg("amount", other, none, 0),
        priority=leg("priority", first), balance=balance, value=leg("amount", first) + leg("amount", other, none, 0),
        accounts=tuple(("c", row) for row in range(ledger.count)),
    )  # fmt: skip
    return np.stack([first, second], axis=1).astype(np.int64), problem


def liquidity_lines(house: Path | str, participant: str = "") -> tuple[str, list[LiquidityLine]]:
    """Return the day and its liquidity figures, an account and currency a line; those of closed days for the month."""
    with Session.open(house, read_only=True) as session:
        state = session.house
        money, book = state.money, state.resolved
        found = money.liquidity(state.ledger)
        shares = throughput_e4(found.hourly)
        index, owner = _participant(state, participant), book.account_participant
        lines = []
        for place, (account, currency) in enumerate(zip(found.account.tolist(), found.currency.tolist(), strict=True)):
            if index is not None and int(owner[account]) != index:
                continue
            figures = {name: int(column[place]) for name, column in found.figures.items()}
            usage, mean = money.days.largest(account, currency, since=money.day - MONTH_DAYS)
            busy = np.flatnonzero(found.hourly[place]).tolist()
            lines.append(
                LiquidityLine(
                    account=book.account_name(account), currency=CURRENCIES[currency], **figures,
                    repo_drawn=money.repos.drawn(account, currency), repo_line=repo_line(state, account, currency),
                    largest_usage=tuple(usage[:LARGEST]),
                    mean_usage=mean,
                    throughput_e4={f"{hour + 1:02d}:00": int(shares[place, hour]) for hour in busy if hour < HOURS},
                )
            )  # fmt: skip
        return str(to_date(money.day)), lines


def simulate_day(
    house: Path | str, day: date, count: int, *, seed: int, banks: int, alpha: float, short: float
) -> dict[str, int]:  # fmt: skip
    """Run a seeded payment day into a new house and leave it open; returns what settled and waits, by number and cents.

    A day that was cut off goes on where it stopped.
    """
    made = payment_day(seed, day, count, banks=banks, alpha=alpha, short=short)
    with Session.open(house) as session:
        for name, command in (*made.opening, *made.traffic):
            session.once(f"{name}/{seed}", lambda command=command: command)  # type: ignore[misc]
        table = session.house.money.payments.table
        done = table["status"] == SETTLED
        return {
            "payments": int(done.size), "settled": int(done.sum()), "waiting": session.house.money.payments.waiting,
            "settled_cents": int(table["amount"][done].sum()), "submitted_cents": int(table["amount"].sum()),
        }  # fmt: skip


def _elapsed(clock: Clock) -> Elapsed:
    began = clock.elapsed_ns()
    return lambda: (clock.elapsed_ns() - began) / 1e9


def house_time(house: House) -> int:
    """Return the second of the day at which a house's money stands."""
    return house.money.clock_s if house.money.day == house.position.day else 0


def _participant(house: House, code: str) -> int | None:
    if not code:
        return None
    index = house.resolved.participant_index.get(code)
    if index is None:
        raise refuse(RejectionReason.UNKNOWN, f"no participant '{code}'", field="participant")
    return index
