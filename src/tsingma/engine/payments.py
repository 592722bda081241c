"""Commands on the gross payment systems: take payments in, change what waits, move the time on, offset the queues."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tsingma.basics.columns import unpack
from tsingma.basics.dates import to_date
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import InvariantBroken, RejectionReason, refuse
from tsingma.engine import settling
from tsingma.engine.house import Handlers, House
from tsingma.engine.instructing import participant
from tsingma.journal.payment_commands import ChangePayment, RunPayments, SettlePayments, SubmitPayments
from tsingma.journal.payment_events import PaymentChanged, PaymentsRun, PaymentsSettled, PaymentsSubmitted
from tsingma.kernels.payments import LEVELS, QUEUED
from tsingma.ledger.ledger import NO_FLOOR
from tsingma.reference.book import ACCOUNT_CLASSES, AccountClass
from tsingma.settlement.gross_money.queue import BY_CLOSE, BY_PAYER, NO_PAIR, STATUSES
from tsingma.settlement.gross_money.repo import Paper, RepoLines
from tsingma.settlement.gross_money.systems import (
    END_S,
    MAINLAND_BIT,
    SECURITIES_BIT,
    closed_bits,
    open_bits,
    repo_terms,
)
from tsingma.settlement.rules import rules_on

Int64 = npt.NDArray[np.int64]

CNY = CURRENCIES.index("CNY")
AMOUNT_MAX = 2**53
PAYMENTS_A_COMMAND_MAX = 1_000_000
PAYMENTS_A_DAY_MAX = 50_000_000
COLUMNS: dict[str, tuple[str, int | None]] = {  # type, default (None: must be there)
    "reference": ("i8", 0), "payer": ("i4", None), "payee": ("i4", None), "asset": ("i4", None),
    "amount": ("i8", None), "priority": ("i1", LEVELS - 1), "due_s": ("i4", -1), "on_behalf": ("i1", 0),
    "pair": ("i8", 0), "mainland": ("i1", 0),
}  # fmt: skip
ALGORITHMS = ("", "multilateral")


def submit_payments(house: House, command: SubmitPayments) -> PaymentsSubmitted:
    """Take payments in, in their order; refused whole, naming the first item that is bad."""
    require_time(house, command.time_s)
    columns = _unpacked(command)
    _check(house, command, columns)
    advance(house, command.time_s)
    money, ledger = house.money, house.ledger
    across = columns["mainland"] == 1
    payee = np.where(across, house.internal.bank, columns["payee"])
    asset = columns["asset"].astype(np.int32)
    debit = ledger.rows(columns["payer"].astype(np.int32), asset)
    credit = ledger.rows(payee.astype(np.int32), asset)
    first, waited = len(money.payments), money.payments.waiting
    taken = {
        **{name: columns[name] for name in ("reference", "amount", "priority", "due_s", "on_behalf")},
        "debit": debit, "credit": credit, "needs": _needs(columns), "pair": _partners(columns["pair"], first),
        "submitted_s": np.full(asset.size, command.time_s),
    }  # fmt: skip
    if across.any():
        numbers = first + np.flatnonzero(across)
        money.mainland.leave(
            numbers, columns["payer"][across], columns["amount"][across], columns["reference"][across],
            house.position.day,
        )  # fmt: skip
    money.payments.enter(ledger, taken, money.opened, offset=True, lines=repo_lines(house))
    follow_mainland(house)
    settled = waited + asset.size - money.payments.waiting
    return PaymentsSubmitted(first, int(asset.size), settled, money.payments.waiting)


def change_payment(house: House, command: ChangePayment) -> PaymentChanged:
    """Cancel or move a queued payment on behalf of its payer."""
    require_time(house, command.time_s)
    payments, number = house.money.payments, command.payment
    if house.money.day != house.position.day or not 0 <= number < len(payments):
        raise refuse(RejectionReason.UNKNOWN, f"there is no payment {number} today", field="payment")
    owner = int(house.ledger.owner[payments.table["debit"][number]])
    if participant(house, command.participant) != int(house.resolved.account_participant[owner]):
        raise refuse(
            RejectionReason.NOT_ALLOWED, "only its payer may change a payment", field="participant",
            subject=str(number),
        )  # fmt: skip
    if command.action not in ("cancel", "first", "last"):
        raise refuse(
            RejectionReason.UNKNOWN, f"no action '{command.action}'", field="action", remedy="cancel, first or last"
        )
    if not 0 <= command.value < LEVELS:
        raise refuse(RejectionReason.OUT_OF_RANGE, f"{command.value} is no priority", field="value", remedy="0 to 2")
    status = int(payments.table["status"][number])
    leaves = int(payments.table["needs"][number]) & closed_bits(to_date(house.position.day), command.time_s)
    if status != QUEUED or leaves:
        said = "its system has closed" if leaves else f"it is {STATUSES[status]}"
        raise refuse(RejectionReason.NOT_ALLOWED, said, field="payment", subject=str(number))
    advance(house, command.time_s)
    if int(payments.table["status"][number]) != QUEUED:  # it settled as a system opened on the way to that time
        return PaymentChanged(number, STATUSES[int(payments.table["status"][number])])
    if command.action == "cancel":
        payments.cancel(number, BY_PAYER, command.time_s)
        follow_mainland(house)
    else:
        payments.move(number, priority=command.value, first=command.action == "first")
    return PaymentChanged(number, command.action)


def run_payments(house: House, command: RunPayments) -> PaymentsRun:
    """Move the time of day on, then offset the queues of every open system where that is asked."""
    require_time(house, command.time_s)
    if command.algorithm not in ALGORITHMS:
        raise refuse(RejectionReason.UNKNOWN, f"no algorithm '{command.algorithm}'", field="algorithm")
    figures = advance(house, command.time_s)
    money = house.money
    if command.algorithm and money.payments.waiting:
        assets = house.ledger.asset.astype(np.int64)
        of_row = np.where(assets < len(CURRENCIES), 1 << np.minimum(assets, len(CURRENCIES)), SECURITIES_BIT)
        numbers = money.payments.offset(
            house.ledger,
            money.opened | SECURITIES_BIT,
            of_row.astype(np.int64),
            money.opened,
            command.time_s,
            repo_lines(house),
        )
        figures["offset"] = int(numbers.size)
        figures["offset_cents"] = _cents(house, numbers)
        follow_mainland(house)
    return PaymentsRun(command.time_s, {**figures, "waiting": money.payments.waiting})


def settle_payments(house: House, command: SettlePayments) -> PaymentsSettled:
    """Settle a proposed set at one instant by the ledger's own rules; all of it or nothing."""
    require_time(house, command.time_s)
    chosen = unpack(command.payment, "i4", field="payment").astype(np.int64)
    money = house.money
    if money.day != house.position.day or command.time_s != money.clock_s:
        raise refuse(
            RejectionReason.NOT_ALLOWED, f"the time is {money.clock_s}, not {command.time_s}", field="time_s",
            remedy="run payments to that time first: a proposal is of a moment",
        )  # fmt: skip
    done = money.payments.take(house.ledger, chosen, money.opened, command.time_s)
    follow_mainland(house)
    return PaymentsSettled(int(done.size), money.payments.waiting)


def require_time(house: House, second: int) -> None:
    """Refuse unless a day is open and its time is not past ``second``."""
    if not house.position.is_open:
        raise refuse(RejectionReason.NOT_ALLOWED, "no day is open", remedy="open the day first")
    clock = house.money.clock_s if house.money.day == house.position.day else 0
    if not clock <= second <= END_S:
        raise refuse(RejectionReason.OUT_OF_RANGE, f"{second} is past or no time of day: it is {clock}", field="time_s")


def advance(house: House, second: int) -> dict[str, int]:
    """Move the time of day on: close systems that are due (what waits there is cancelled), open others, settle.

    Returns how many payments settled, were cancelled, and repos were paid back.
    """
    money, day = house.money, to_date(house.position.day)
    if money.day != house.position.day:
        money.begin_day(house.ledger, house.position.day)
    money.note_others(house.ledger)
    money.clock_s = second
    opened, closed = open_bits(day, second), closed_bits(day, second)
    if (opened, closed) == (money.opened, money.closed):
        return {"settled": 0, "cancelled": 0, "repos_repaid": 0}
    cancelled, waited = 0, money.payments.waiting
    table = money.payments.table
    for number in np.flatnonzero((table["status"] == QUEUED) & (table["needs"] & closed != 0)).tolist():
        if table["status"][number] == QUEUED:  # not the other leg of one before
            money.payments.cancel(number, BY_CLOSE, second)
    cancelled = waited - money.payments.waiting
    repaid, _ = money.repos.close(house.ledger, house.internal.bank, closed, house.position.day, repo_terms(day))
    money.opened, money.closed = opened, closed
    money.repos.end_lines(house.ledger, closed, house.position.day)
    rows, lines = money.payments.waiting_rows(), repo_lines(house)
    settled = money.payments.wake(house.ledger, rows, opened, second, offset=True, lines=lines).size
    follow_mainland(house)
    return {"settled": settled, "cancelled": cancelled, "repos_repaid": repaid}


def follow_mainland(house: House) -> int:
    """Send what settled here for the mainland, and credit what has come from it while the system here is open."""
    money, ledger = house.money, house.ledger
    if not len(money.mainland):
        return 0
    money.mainland.follow(money.payments.table["status"], house.position.day)
    numbers = money.mainland.waiting_inward()
    if not numbers.size or not money.opened >> CNY & 1:
        return 0
    table = money.mainland.table
    currency = np.full(numbers.size, CNY, np.int32)
    bank = ledger.rows(np.full(numbers.size, house.internal.bank, np.int32), currency, floor=NO_FLOOR)
    credit = ledger.rows(table["account"][numbers].astype(np.int32), currency)
    if ledger.post_all(bank, credit, table["cents"][numbers].astype(np.int64)) is not None:
        raise InvariantBroken("money from the mainland could not be credited")
    money.mainland.credited(numbers, house.position.day)
    return int(numbers.size)


def settle_what_waits(house: House) -> tuple[PaymentsSettled, ...]:
    """Settle queued payments whose payer has got money by whatever command came before; one event, or none."""
    money = house.money
    if not money.payments.waiting or not house.position.is_open:
        return ()
    rows = money.payments.waiting_rows()
    lines = repo_lines(house)
    settled = money.payments.wake(house.ledger, rows, money.opened, money.clock_s, offset=True, lines=lines)
    follow_mainland(house)
    return (PaymentsSettled(int(settled.size), money.payments.waiting),) if settled.size else ()


def close_payments(house: House) -> dict[str, int]:
    """End the day of money: every system closes, what has not arrived goes back, the rooms are proved."""
    money = house.money
    if not money.used:
        return {}
    advance(house, END_S)
    left = money.mainland.waiting_inward()
    money.mainland.sent_back(left, house.position.day)
    return {**money.end_day(house.ledger), "mainland_returned": int(left.size)}


def paper(house: House) -> Paper:
    """Return what repo is judged by today."""
    day = to_date(house.position.day)
    return Paper(settling.now(house).values, rules_on(day).haircut_e6, repo_terms(day))


def repo_lines(house: House) -> RepoLines | None:
    """Return the lines that payments draw on by themselves, None where no paper is earmarked."""
    repos = house.money.repos
    if not (repos.lines.table["ended_day"] == 0).any():
        return None
    return RepoLines(repos, house.internal.bank, house.position.day)


def repo_line(house: House, account: int, currency: int) -> int:
    """Return the cents that repo of free or earmarked paper would still bring an account now."""
    ledger, judged, total = house.ledger, paper(house), house.money.repos.line_left(account, currency)
    for row in np.flatnonzero((ledger.owner == account) & (ledger.asset >= len(CURRENCIES))).tolist():
        free = int(ledger.balance[row] - ledger.held[row] - ledger.pledged[row])
        total += judged.worth(int(ledger.asset[row]) - len(CURRENCIES), max(free, 0), currency)
    return total


def _cents(house: House, numbers: Int64) -> int:
    table = house.money.payments.table
    money = house.ledger.asset[table["debit"][numbers]] < len(CURRENCIES)
    return int(table["amount"][numbers][money].sum())


def _unpacked(command: SubmitPayments) -> dict[str, Int64]:
    unknown = sorted(set(command.columns) - set(COLUMNS))
    missing = [name for name, (_, default) in COLUMNS.items() if default is None and name not in command.columns]
    if unknown or missing:
        message = f"no column is named '{unknown[0]}'" if unknown else f"column '{missing[0]}' is missing"
        raise refuse(RejectionReason.MALFORMED, message, field="columns", remedy=f"of {', '.join(COLUMNS)}")
    given = {
        name: unpack(data, COLUMNS[name][0], field=name).astype(np.int64) for name, data in command.columns.items()
    }
    size = given["payer"].size
    if len({column.size for column in given.values()}) != 1 or not 1 <= size <= PAYMENTS_A_COMMAND_MAX:
        raise refuse(
            RejectionReason.MALFORMED, f"the columns differ in length, or {size} payments", field="columns",
            remedy=f"1 to {PAYMENTS_A_COMMAND_MAX} in columns of one length",
        )  # fmt: skip
    return {
        name: given[name] if name in given else np.full(size, default, np.int64)
        for name, (_, default) in COLUMNS.items()
    }


def _check(house: House, command: SubmitPayments, columns: dict[str, Int64]) -> None:
    book, money = house.resolved, house.money
    accounts, across = book.account_participant.size, columns["mainland"] == 1
    for field, low, high in (
        ("payer", 0, accounts - 1), ("payee", 0, accounts - 1), ("asset", 0, book.asset_count - 1),
        ("amount", 1, AMOUNT_MAX), ("priority", 0, LEVELS - 1), ("due_s", -1, END_S), ("on_behalf", 0, 1),
        ("pair", 0, 2**62), ("mainland", 0, 1),
    ):  # fmt: skip
        _refuse_first((columns[field] < low) | (columns[field] > high), columns[field], field)
    own = [ACCOUNT_CLASSES.index(name) for name in (AccountClass.CNS, AccountClass.ISSUANCE)]
    _refuse_first(np.isin(book.account_class[columns["payer"]], own), columns["payer"], "payer")
    _refuse_first(~across & np.isin(book.account_class[columns["payee"]], own), columns["payee"], "payee")
    _refuse_first(~across & (columns["payer"] == columns["payee"]), columns["payee"], "payee")
    stock = columns["asset"] >= len(CURRENCIES)
    _refuse_first(across & (columns["asset"] != CNY), columns["asset"], "asset", "only renminbi leaves over the link")
    _refuse_first(
        stock & (columns["pair"] == 0), columns["asset"], "asset", "securities are one leg of a pair with money"
    )
    _check_pairs(house, columns, across)
    if command.participant:
        sender = participant(house, command.participant)
        _refuse_first(book.account_participant[columns["payer"]] != sender, columns["payer"], "payer", "of another")
        _refuse_first(columns["pair"] != 0, columns["pair"], "pair", "pairs come matched, from the house's intake")
    closed = closed_bits(to_date(house.position.day), command.time_s)
    _refuse_first(_needs(columns) & closed != 0, columns["asset"], "time_s", "a system it needs has closed for the day")
    before = len(money.payments) if money.day == house.position.day else 0
    total = before + columns["payer"].size
    waiting = money.payments.waiting_amount if before else 0
    if total > PAYMENTS_A_DAY_MAX or waiting + int(columns["amount"].sum(dtype=object)) > 2**61:
        raise refuse(
            RejectionReason.LIMIT, f"{total} payments today, or too much money in queues at once",
            remedy=f"{PAYMENTS_A_DAY_MAX} payments a day, 2^61 cents in queues",
        )  # fmt: skip


def _check_pairs(house: House, columns: dict[str, Int64], across: npt.NDArray[np.bool_]) -> None:
    """Refuse a pair that is not two neighbours that pay each other in different assets, one of them money."""
    pair = columns["pair"]
    legs = np.flatnonzero(pair)
    if not legs.size:
        return
    first, second = legs[::2], legs[1::2]
    whole = legs.size % 2 == 0 and bool((second == first + 1).all()) and bool((pair[first] == pair[second]).all())
    if not whole or np.unique(pair[first]).size != first.size:
        raise refuse(
            RejectionReason.MALFORMED,
            "the legs of a pair are two neighbours with one number of their own",
            field="pair",
        )
    of = house.resolved.account_participant
    bad = np.zeros(pair.size, np.bool_)
    payer, payee, asset = of[columns["payer"]], of[columns["payee"]], columns["asset"]
    bad[first] = (payer[first] != payee[second]) | (payer[second] != payee[first]) | (asset[first] == asset[second])
    bad[first] |= (asset[first] >= len(CURRENCIES)) & (asset[second] >= len(CURRENCIES))
    bad |= across & (pair != 0)
    _refuse_first(bad, pair, "pair", "two participants pay each other in different assets, one of them money, here")


def _needs(columns: dict[str, Int64]) -> Int64:
    asset = columns["asset"]
    own = np.where(asset < len(CURRENCIES), 1 << np.minimum(asset, len(CURRENCIES)), SECURITIES_BIT)
    return (own | np.where(columns["mainland"] == 1, MAINLAND_BIT, 0)).astype(np.int64)


def _partners(pair: Int64, first: int) -> Int64:
    """Return the payment number of every leg's other leg, or -1."""
    found = np.full(pair.size, NO_PAIR, np.int64)
    legs = np.flatnonzero(pair)
    found[legs[::2]], found[legs[1::2]] = first + legs[1::2], first + legs[::2]
    return found


def _refuse_first(bad: npt.NDArray[np.bool_], column: Int64, field: str, why: str = "not possible here") -> None:
    if bad.any():
        place = int(np.flatnonzero(bad)[0])
        raise refuse(RejectionReason.OUT_OF_RANGE, f"item {place + 1}: {int(column[place])}: {why}", field=field)


HANDLERS: Handlers = {
    SubmitPayments: submit_payments,
    ChangePayment: change_payment,
    RunPayments: run_payments,
    SettlePayments: settle_payments,
}
