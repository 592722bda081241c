"""Commands on money beside the queues: the mainland link, small payments, wallets, reservations that pay."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tsingma.basics.columns import unpack
from tsingma.basics.dates import to_date
from tsingma.basics.rejection import InvariantBroken, RejectionReason, refuse
from tsingma.engine.house import Handlers, House
from tsingma.engine.payments import CNY, advance, follow_mainland, require_time
from tsingma.engine.resources import require_account, require_own
from tsingma.journal.payment_commands import (
    AnswerFromMainland,
    MoveWallet,
    OpenWallet,
    PayReserved,
    ReceiveFromMainland,
    SendSmallPayments,
)
from tsingma.journal.payment_events import (
    MainlandAnswered,
    MainlandReceived,
    ReservedPaid,
    SmallPaymentsSent,
    WalletMoved,
    WalletOpened,
)
from tsingma.ledger.ledger import NO_FLOOR
from tsingma.settlement.gross_money.moves import one, pay_at_once
from tsingma.settlement.gross_money.small_payments import PAID, RESULTS
from tsingma.settlement.gross_money.systems import MAINLAND_BIT, open_bits, transfer_limit, wallet_tier
from tsingma.settlement.gross_money.wallets import MOVES
from tsingma.settlement.reservation import ACTIVE, RESERVATION_STATUSES, USED

Int64 = npt.NDArray[np.int64]

AMOUNT_MAX = 2**53
SMALL_A_COMMAND_MAX = 100_000


def receive_from_mainland(house: House, command: ReceiveFromMainland) -> MainlandReceived:
    """Note what has arrived on the other side, and credit it when the system here is open."""
    require_time(house, command.time_s)
    reference, account, cents = _columns(
        {"reference": (command.reference, "i8"), "account": (command.account, "i4"), "cents": (command.cents, "i8")}
    )
    for number in np.unique(account).tolist():
        require_account(house, number, "account")
    _positive(cents)
    if not open_bits(to_date(house.position.day), command.time_s) & MAINLAND_BIT:
        raise refuse(RejectionReason.NOT_ALLOWED, "the mainland's side is closed at that time", field="time_s")
    advance(house, command.time_s)
    numbers = house.money.mainland.arrive(account, cents, reference, house.position.day)
    return MainlandReceived(int(numbers[0]), int(numbers.size), follow_mainland(house))


def answer_from_mainland(house: House, command: AnswerFromMainland) -> MainlandAnswered:
    """Confirm transfers, or pay back to their senders what the other side returned."""
    require_time(house, command.time_s)
    transfer, confirmed = _columns({"transfer": (command.transfer, "i4"), "confirmed": (command.confirmed, "i1")})
    link, ledger = house.money.mainland, house.ledger
    link.require_sent(transfer)
    if not np.isin(confirmed, (0, 1)).all():
        raise refuse(RejectionReason.OUT_OF_RANGE, "confirmed is 1, returned 0", field="confirmed")
    advance(house, command.time_s)
    back = transfer[confirmed == 0]
    if back.size:
        currency = np.full(back.size, CNY, np.int32)
        bank = ledger.rows(np.full(back.size, house.internal.bank, np.int32), currency, floor=NO_FLOOR)
        own = ledger.rows(link.table["account"][back].astype(np.int32), currency)
        if ledger.post_all(bank, own, link.table["cents"][back].astype(np.int64)) is not None:
            raise InvariantBroken("a returned transfer could not be paid back")
    link.answered(transfer[confirmed == 1], back, house.position.day)
    return MainlandAnswered(int(transfer.size - back.size), int(back.size))


def send_small_payments(house: House, command: SendSmallPayments) -> SmallPaymentsSent:
    """Pay fast payments one by one, each at once or not at all."""
    names = {"person": "i8", "payer": "i4", "payee": "i4", "currency": "i1", "purpose": "i1", "cents": "i8"}
    columns = dict(zip(names, _columns({name: (getattr(command, name), kind) for name, kind in names.items()}),
                       strict=True))  # fmt: skip
    _require_day(house, command.day)
    if columns["cents"].size > SMALL_A_COMMAND_MAX:
        raise refuse(RejectionReason.LIMIT, f"more than {SMALL_A_COMMAND_MAX} in one command", field="person")
    _positive(columns["cents"])
    day, limits = to_date(command.day), {}
    for purpose in np.unique(columns["purpose"]).tolist():
        limits[purpose] = transfer_limit(purpose, day)
    rows = list(zip(*(columns[name].tolist() for name in names), strict=True))
    for place, (_, payer, payee, currency, purpose, _) in enumerate(rows, 1):
        require_account(house, payer, "payer")
        if not limits[purpose].across:
            require_account(house, payee, "payee")
        if currency not in limits[purpose].currencies or (payer == payee and not limits[purpose].across):
            message = f"item {place}: not in this currency, or from an account to itself"
            raise refuse(RejectionReason.NOT_ALLOWED, message, field="currency, payee")
    money = house.money
    money.used = 1
    results = np.zeros(len(rows), np.int8)
    for place, (person, payer, payee, currency, purpose, cents) in enumerate(rows):
        limit = limits[purpose]
        target = house.internal.bank if limit.across else payee
        legs = (house.ledger.row(payer, currency), house.ledger.row(target, currency))
        institution = int(house.resolved.account_participant[payer]) if limit.by_institution else -1
        code = money.small.pay(house.ledger, limit, (person, purpose, institution), legs, cents, command.day)
        results[place] = code
        if code == PAID and limit.across:
            money.small.across_cents[currency] = money.small.across_cents.get(currency, 0) + cents
    return SmallPaymentsSent(int((results == PAID).sum()), results.tobytes())


def open_wallet(house: House, command: OpenWallet) -> WalletOpened:
    """Open a wallet, or change its tier."""
    require_account(house, command.operator, "operator")
    _require_day(house, command.day)
    wallet_tier(command.tier, to_date(command.day))
    if command.person <= 0:
        raise refuse(RejectionReason.OUT_OF_RANGE, f"{command.person} is no person's number", field="person")
    house.money.used = 1
    return WalletOpened(house.money.wallets.open(command.person, command.operator, command.tier), command.tier)


def move_wallet(house: House, command: MoveWallet) -> WalletMoved:
    """Top up, pay or cash; refused, with nothing changed, beyond the bounds of the wallet's tier."""
    wallets, number, cents = house.money.wallets, command.wallet, command.cents
    wallets.require(number)
    require_account(house, command.account, "account")
    _require_day(house, command.day)
    if command.move not in MOVES:
        raise refuse(RejectionReason.UNKNOWN, f"no move '{command.move}'", field="move", remedy=", ".join(MOVES))
    _positive(np.array([cents], np.int64))
    tier = wallet_tier(int(wallets.table["tier"][number]), to_date(command.day))
    before, ledger = house.ledger.count, house.ledger
    if command.move == "top-up":
        code = wallets.top_up(ledger, number, command.account, cents, tier)
    elif command.move == "pay":
        code = wallets.pay(ledger, number, command.account, cents, tier, command.day)
    else:
        code = wallets.cash(ledger, number, command.account, cents)
    if code != PAID:
        ledger.close_rows(before)
        reason = RejectionReason.INSUFFICIENT if code == 1 else RejectionReason.LIMIT
        raise refuse(reason, RESULTS[code], field="cents", subject=f"wallet {number}", remedy="a smaller amount")
    return WalletMoved(number, int(wallets.table["balance"][number]))


def pay_reserved(house: House, command: PayReserved) -> ReservedPaid:
    """Commit a reservation that serves no instruction: what it holds goes to the payee, whole, and it ends."""
    reservations, number = house.settlement.reservations, command.reservation
    if not 0 <= number < len(reservations):
        raise refuse(RejectionReason.UNKNOWN, f"there is no reservation {number}", field="reservation")
    table = reservations.table
    account, asset, amount = (int(table[name][number]) for name in ("account", "asset", "amount"))
    require_own(house, command.participant, account)
    require_account(house, command.payee, "payee")
    status = int(table["status"][number])
    if status != ACTIVE or int(table["instruction"][number]) >= 0 or account == command.payee:
        why = "it serves an instruction" if status == ACTIVE else f"it is {RESERVATION_STATUSES[status]}"
        why = "it would pay itself" if account == command.payee else why
        raise refuse(RejectionReason.NOT_ALLOWED, why, field="reservation", subject=str(number))
    reservations.free(house.ledger, one(number))
    debit, credit = (house.ledger.row(owner, asset) for owner in (account, command.payee))
    if not pay_at_once(house.ledger, debit, credit, amount):
        raise InvariantBroken("what a reservation held could not be paid")
    reservations.end(one(number), USED, house.position.day)
    return ReservedPaid(number, amount)


def _require_day(house: House, day: int) -> None:
    """Refuse a day before the business day: small payments run on every day, open or not."""
    _ = house.resolved
    if day < house.position.day:
        raise refuse(RejectionReason.OUT_OF_RANGE, f"{to_date(day)} is over", field="day")


def _columns(columns: dict[str, tuple[bytes, str]]) -> list[Int64]:
    arrays = [unpack(data, kind, field=name).astype(np.int64) for name, (data, kind) in columns.items()]
    if len({array.size for array in arrays}) != 1 or not arrays[0].size:
        raise refuse(RejectionReason.MALFORMED, "the columns are empty or differ in length", field=", ".join(columns))
    return arrays


def _positive(cents: Int64) -> None:
    bad = np.flatnonzero((cents <= 0) | (cents > AMOUNT_MAX))
    if bad.size:
        message = f"item {int(bad[0]) + 1}: {int(cents[bad[0]])} cents"
        raise refuse(RejectionReason.OUT_OF_RANGE, message, field="cents", remedy="1 to 2^53")


HANDLERS: Handlers = {
    ReceiveFromMainland: receive_from_mainland,
    AnswerFromMainland: answer_from_mainland,
    SendSmallPayments: send_small_payments,
    OpenWallet: open_wallet,
    MoveWallet: move_wallet,
    PayReserved: pay_reserved,
}
