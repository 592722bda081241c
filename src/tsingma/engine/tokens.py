"""Tokens in the engine: the book's side of settling across two ledgers, and ``step`` of the token ledger.

The book is a house like any other; the token ledger is a second deterministic state with a sequencer and a journal of
its own. Neither reads the other: each knows only what it was told by a command.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tsingma.basics.dates import to_date
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import Rejected, RejectionReason, refuse
from tsingma.custody.tokens import coupons, rules
from tsingma.custody.tokens.ledger import TokenLedger
from tsingma.custody.tokens.legs import NONE, RESERVED
from tsingma.engine.house import Handlers, House
from tsingma.journal.commands import Command
from tsingma.journal.events import Accepted, Answer, Event, Refused
from tsingma.journal.token_commands import (
    Agreement,
    CompleteLegs,
    DecideSettlement,
    ForceTransfer,
    FreezeWallet,
    IssueToken,
    KeepMoneyHours,
    Leg,
    OpenWallets,
    PayCoupon,
    PermitWallets,
    ReserveLegs,
    TellTime,
    TransferTokens,
)
from tsingma.journal.token_events import (
    CouponPaid,
    LegsCompleted,
    LegsReserved,
    MoneyHoursKept,
    SettlementDecided,
    TimeTold,
    TokenIssued,
    TokensTransferred,
    WalletFrozen,
    WalletsOpened,
    WalletsPermitted,
)
from tsingma.reference.book import ACCOUNT_CLASSES, AccountClass
from tsingma.settlement.gross_money.systems import DAY_S, money_is_open, money_opens

ANY_HOUR = "ask again then, or settle in tokenised money, which is final at any hour"


def tell_book_time(house: House, command: TellTime) -> TimeTold:
    """Move the book's settlement clock, and let go what was not decided in time."""
    ended = house.synchronised.tell(house.ledger, command.at)
    return TimeTold(command.at, ended, overdue=0, snapshots=0)


def reserve_on_book(house: House, command: ReserveLegs) -> LegsReserved:
    """Set the book's legs of an agreement aside; refused for accounts and assets the book does not know."""
    for leg in command.agreement.book_legs:
        _check_book_leg(house, leg, command.agreement.settlement)
    if house.synchronised.status(command.agreement.settlement) == NONE:
        _require_an_hour(house, command.agreement)
    return house.synchronised.reserve_own(house.ledger, command.agreement)


def decide(house: House, command: DecideSettlement) -> SettlementDecided:
    """Take or repeat the book's decision on an agreement.

    Where hours are kept, what would move money while its system is closed is refused and stays reserved.
    """
    entry = house.synchronised.entry(command.settlement)
    if command.commit and entry is not None and entry.status == RESERVED and entry.terms is not None:
        at, terms = house.synchronised.at, entry.terms
        closed = money_closed(house, terms) if terms.settle_from <= at < terms.decide_by else ""
        if closed:
            raise refuse(
                RejectionReason.NOT_ALLOWED, closed, field="hours", subject=command.settlement, remedy=ANY_HOUR
            )
    return house.synchronised.decide(house.ledger, command)


def keep_money_hours(house: House, command: KeepMoneyHours) -> MoneyHoursKept:
    """Set whether money legs are held to the hours of their systems."""
    house.synchronised.money_hours = command.kept
    return MoneyHoursKept(command.kept)


def money_closed(house: House, agreement: Agreement) -> str:
    """Return why the book would not move an agreement's money now, "" when it would: a system it needs is closed."""
    at = house.synchronised.at
    currencies = _monies(agreement)
    closed = [unit for unit in currencies if not money_is_open(unit, at)] if house.synchronised.money_hours else []
    if not closed:
        return ""
    opens = money_opens(currencies, at)
    names = ", ".join(CURRENCIES[unit] for unit in closed)
    return f"the gross system of {names} is closed; {_opening(opens)}"


def _monies(agreement: Agreement) -> tuple[int, ...]:
    return tuple(sorted({leg.asset for leg in agreement.book_legs if leg.asset < len(CURRENCIES)}))


def _opening(opens: int | None) -> str:
    if opens is None:
        return "it opens on no day that is known"
    day, second = divmod(opens, DAY_S)
    return f"it opens on {to_date(day)} at {second // 3_600:02d}:{second % 3_600 // 60:02d}"


def _require_an_hour(house: House, agreement: Agreement) -> None:
    """Refuse an agreement whose money could not be final before it ends."""
    monies = _monies(agreement)
    if not house.synchronised.money_hours or not monies:
        return
    opens = money_opens(monies, max(house.synchronised.at, agreement.settle_from))
    if opens is None or opens >= agreement.decide_by:
        names = ", ".join(CURRENCIES[unit] for unit in monies)
        message = f"the gross system of {names} is closed until it has to be decided; {_opening(opens)}"
        raise refuse(
            RejectionReason.NOT_ALLOWED, message, field="decide_by", subject=agreement.settlement, remedy=ANY_HOUR
        )


def _check_book_leg(house: House, leg: Leg, settlement: str) -> None:
    book = house.resolved
    if not (0 <= leg.asset < book.asset_count):
        raise refuse(RejectionReason.UNKNOWN, f"no asset {leg.asset}", field="legs", subject=settlement)
    for account in (leg.debit, leg.credit):
        if not 0 <= account < book.account_participant.size:
            raise refuse(RejectionReason.UNKNOWN, f"no account {account}", field="legs", subject=settlement)
        kind = ACCOUNT_CLASSES[int(book.account_class[account])]
        security_of_issuer = account == house.internal.issuer and leg.asset >= len(CURRENCIES)
        if security_of_issuer and leg.asset in house.custody.register.issues:
            raise refuse(
                RejectionReason.NOT_ALLOWED,
                f"{book.asset_name(leg.asset)} is issued by its register",
                field="legs",
                subject=settlement,
                remedy="issue tokens of a security whose only record of title is the token ledger",
            )
        if kind in (AccountClass.CNS, AccountClass.ISSUANCE) and not security_of_issuer:
            raise refuse(
                RejectionReason.NOT_ALLOWED,
                f"{book.account_name(account)} is the house's own account",
                field="legs",
                subject=settlement,
                remedy="only the issuer's account moves, and only in securities",
            )


HANDLERS: Handlers = {
    TellTime: tell_book_time,
    KeepMoneyHours: keep_money_hours,
    ReserveLegs: reserve_on_book,
    DecideSettlement: decide,
}


def step(state: TokenLedger, command: Command) -> Answer:
    """Carry out one command on the token ledger; raises InvariantBroken when its books contradict themselves."""
    handler = _TOKEN_HANDLERS.get(type(command))
    try:
        if handler is None:
            raise refuse(
                RejectionReason.NOT_ALLOWED, "this is no command of the token ledger", remedy="send it to the book"
            )
        event = handler(state, command)
    except Rejected as rejected:
        return Refused(rejected.rejections)
    state.check()
    return Accepted((event,))


def _tell_time(state: TokenLedger, command: TellTime) -> TimeTold:
    state.legs.move_clock(command.at)
    snapshots = coupons.take_snapshots(state, command.at)
    return TimeTold(command.at, ended=0, overdue=len(state.legs.overdue()), snapshots=snapshots)


def _reserve(state: TokenLedger, command: ReserveLegs) -> LegsReserved:
    if state.legs.entry(command.agreement.settlement) is None:  # what was promised is not judged again
        rules.check_agreement(state, command.agreement)
    return state.legs.reserve_own(state.ledger, command.agreement)


def _complete(state: TokenLedger, command: CompleteLegs) -> LegsCompleted:
    return state.legs.complete(state.ledger, command)


def _open_wallets(state: TokenLedger, command: OpenWallets) -> WalletsOpened:
    return WalletsOpened(state.open_wallets(command.wallets), len(command.wallets))


def _issue(state: TokenLedger, command: IssueToken) -> TokenIssued:
    return TokenIssued(state.issue(command))


def _permit(state: TokenLedger, command: PermitWallets) -> WalletsPermitted:
    count = rules.permit(state, command.token, command.wallets, permitted=command.permitted)
    return WalletsPermitted(command.token, count)


def _transfer(state: TokenLedger, command: TransferTokens) -> TokensTransferred:
    return TokensTransferred(rules.transfer(state, command.legs))


def _freeze(state: TokenLedger, command: FreezeWallet) -> WalletFrozen:
    rules.freeze(state, command.token, command.wallet, command.reason, frozen=command.frozen)
    return WalletFrozen(command.token, command.wallet, command.frozen)


def _force(state: TokenLedger, command: ForceTransfer) -> TokensTransferred:
    rules.force(state, command)
    return TokensTransferred(1)


def _pay_coupon(state: TokenLedger, command: PayCoupon) -> CouponPaid:
    holders, cents = coupons.pay_coupon(state, command.token, command.period)
    return CouponPaid(command.token, command.period, holders, cents)


_TOKEN_HANDLERS: dict[type, Callable[[TokenLedger, Any], Event]] = {
    TellTime: _tell_time,
    ReserveLegs: _reserve,
    CompleteLegs: _complete,
    OpenWallets: _open_wallets,
    IssueToken: _issue,
    PermitWallets: _permit,
    TransferTokens: _transfer,
    FreezeWallet: _freeze,
    ForceTransfer: _force,
    PayCoupon: _pay_coupon,
}
