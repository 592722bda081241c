"""The command that sets what a payer lets out net, to a payee or to all without a limit of their own."""

from __future__ import annotations

from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.engine.house import Handlers, House
from tsingma.engine.instructing import participant
from tsingma.engine.payments import AMOUNT_MAX, advance, require_time
from tsingma.journal.payment_commands import SetPaymentLimit
from tsingma.journal.payment_events import PaymentLimitSet
from tsingma.settlement.gross_money.limits import ALL_OTHERS, LIMITS_MAX


def set_payment_limit(house: House, command: SetPaymentLimit) -> PaymentLimitSet:
    """Set or take away a payer's limit on behalf of that payer; what it lets out now settles after the command."""
    require_time(house, command.time_s)
    book, limits = house.resolved, house.money.payments.limits
    accounts = book.account_participant.size
    if not 0 <= command.account < accounts or not ALL_OTHERS <= command.payee < accounts:
        raise refuse(RejectionReason.UNKNOWN, "no such account", field="account, payee")
    if participant(house, command.participant) != int(book.account_participant[command.account]):
        raise refuse(RejectionReason.NOT_ALLOWED, "only its payer may set a limit", field="participant")
    if command.payee == command.account or not 0 <= command.currency < len(CURRENCIES):
        raise refuse(RejectionReason.MALFORMED, "a limit is of a money and on another's account", field="payee")
    if command.cents > AMOUNT_MAX:
        raise refuse(RejectionReason.OUT_OF_RANGE, f"{command.cents} cents", field="cents")
    if len(limits.caps) >= LIMITS_MAX:
        raise refuse(RejectionReason.LIMIT, f"{LIMITS_MAX} limits stand", field="payee")
    advance(house, command.time_s)
    row = int(house.ledger.row(command.account, command.currency))
    other = int(house.ledger.row(command.payee, command.currency)) if command.payee != ALL_OTHERS else ALL_OTHERS
    limits.set(row, other, command.cents)
    limits.follow(house.money.payments.table)
    place = limits.place(row, other)
    used = int(limits.used[place]) if place >= 0 else 0
    return PaymentLimitSet(command.account, command.payee, command.cents, used)


HANDLERS: Handlers = {SetPaymentLimit: set_payment_limit}
