"""Commands on what settles instructions or makes up for it: credit, reservations, claims, buy-ins."""

from __future__ import annotations

from tsingma.basics.dates import to_date
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.engine import settling
from tsingma.engine.cycle import settlement_day_before, settlement_days_after
from tsingma.engine.house import Handlers, House
from tsingma.engine.instructing import participant, parties
from tsingma.journal.commands import (
    BuyInShort,
    CollectClaims,
    EndReservation,
    ReportBuyIn,
    ReserveAssets,
    SetCreditLine,
    StartBuyIn,
)
from tsingma.journal.events import (
    AssetsReserved,
    BuyInReported,
    BuyInStarted,
    ClaimsCollected,
    CreditLineSet,
    ReservationEnded,
)
from tsingma.reference.book import ACCOUNT_CLASSES, AccountClass
from tsingma.settlement import buy_in as rule
from tsingma.settlement import fails
from tsingma.settlement.instruction import BY_HOUSE, BY_RECEIVER
from tsingma.settlement.rules import rules_on

_INNER = (ACCOUNT_CLASSES.index(AccountClass.CNS), ACCOUNT_CLASSES.index(AccountClass.ISSUANCE))


def set_credit_line(house: House, command: SetCreditLine) -> CreditLineSet:
    """Set how much intraday credit an account has, from now on."""
    require_account(house, command.account, "account")
    if not 0 <= command.currency < len(CURRENCIES):
        raise refuse(RejectionReason.UNKNOWN, f"no currency {command.currency}", field="currency")
    floor = house.settlement.credit_lines.grant(
        house.ledger,
        command.account,
        command.currency,
        credit=command.credit_cents,
        cap=command.cap_cents,
        collateral=command.collateral_cents,
    )
    return CreditLineSet(command.account, command.currency, floor)


def reserve_assets(house: House, command: ReserveAssets) -> AssetsReserved:
    """Set something of the participant's aside, for one of its instructions or for none."""
    require_account(house, command.account, "account")
    require_own(house, command.participant, command.account)
    instructions = house.settlement.instructions
    if command.asset not in range(house.resolved.asset_count):
        raise refuse(RejectionReason.UNKNOWN, f"no asset {command.asset}", field="asset")
    last_day = to_date(command.last_day)
    if command.last_day < house.position.day:
        raise refuse(RejectionReason.OUT_OF_RANGE, f"{last_day} is over", field="last_day")
    number = command.instruction
    if number != -1:
        if not 0 <= number < len(instructions):
            raise refuse(RejectionReason.UNKNOWN, f"there is no instruction {number}", field="instruction")
        if command.account not in (instructions.table["deliverer"][number], instructions.table["receiver"][number]):
            raise refuse(RejectionReason.NOT_ALLOWED, "the account is no party to it", field="instruction")
    reservation = house.settlement.reservations.reserve(
        house.ledger,
        command.account,
        command.asset,
        command.amount,
        last_day=command.last_day,
        instruction=number,
    )
    return AssetsReserved(reservation)


def end_reservation(house: House, command: EndReservation) -> ReservationEnded:
    """Give back what a participant has set aside."""
    reservations = house.settlement.reservations
    if 0 <= command.reservation < len(reservations):
        require_own(house, command.participant, int(reservations.table["account"][command.reservation]))
    reservations.give_back(house.ledger, command.reservation, house.position.day)
    return ReservationEnded(command.reservation)


def collect_claims(house: House, command: CollectClaims) -> ClaimsCollected:
    """Pay what accounts owe each other, as far as there is money."""
    return ClaimsCollected(house.settlement.claims.collect(house.ledger, house.position.day).figures())


def start_buy_in(house: House, command: StartBuyIn) -> BuyInStarted:
    """Appoint an agent for the receiver of a failing instruction, once the extension period is over."""
    _receiver(house, command.participant, command.instruction)
    require_account(house, command.agent, "agent")
    settlement, day = house.settlement, house.position.day
    table, book = settlement.instructions.table, house.resolved
    security = max(int(table["security"][command.instruction]), 0)
    kind = int(book.counter_kind[book.settlement_counter[security]])
    rules = rules_on(to_date(day))
    extension, delivery = int(rules.extension_days[kind]), int(rules.delivery_days[kind])
    intended = int(table["intended_day"][command.instruction])
    first, last = (settlement_days_after(intended, extension + more) for more in (1, delivery))
    settlement.buy_ins.start(
        settlement.instructions, command.instruction, command.agent, day=day, first_day=first, last_day=max(last, day)
    )
    return BuyInStarted(len(settlement.buy_ins) - 1, command.instruction, max(last, day))


def report_buy_in(house: House, command: ReportBuyIn) -> BuyInReported:
    """Book what the agent bought, and what the failing party owes for it."""
    _receiver(house, command.participant, command.instruction)
    settlement = house.settlement
    done = rule.report_buy_in(
        settlement.buy_ins,
        settlement.instructions,
        settlement.links,
        settlement.claims,
        house.ledger,
        settling.now(house).values,
        command.instruction,
        rule.Report(command.quantity, command.price_e4, command.costs_cents, command.compensate),
        house.position.day,
    )
    return BuyInReported(command.instruction, done.figures())


def buy_in_short(house: House, command: BuyInShort) -> BuyInReported:
    """Buy in a failing short position of continuous net settlement, at its own expense."""
    require_account(house, command.account, "account")
    require_account(house, command.agent, "agent")
    book, day = house.resolved, house.position.day
    if not 0 <= command.security < len(book.securities):
        raise refuse(RejectionReason.UNKNOWN, f"no security {command.security}", field="security")
    paid = fails.buy_in_short(
        house.settlement.positions,
        house.ledger,
        command.account,
        command.security,
        command.agent,
        command.quantity,
        command.price_e4,
        int(book.counter_currency[book.settlement_counter[command.security]]),
        settlement_day_before(day),
    )
    return BuyInReported(-1, {"bought": command.quantity, "paid_cents": paid})


def require_account(house: House, account: int, field: str) -> None:
    """Refuse a number that is no account of a participant: unknown, or the house's own bookkeeping."""
    book = house.resolved
    if not 0 <= account < book.account_participant.size or int(book.account_class[account]) in _INNER:
        raise refuse(RejectionReason.UNKNOWN, f"number {account} is no account of a participant", field=field)


def require_own(house: House, code: str, account: int) -> None:
    """Refuse unless the account is the participant's, or the participant is the house."""
    sender, owner = participant(house, code), house.resolved.account_participant
    if sender not in (int(owner[account]), int(owner[house.internal.house])):
        raise refuse(RejectionReason.NOT_ALLOWED, "the account belongs to others", field="account", subject=code)


def _receiver(house: House, code: str, instruction: int) -> None:
    if not 0 <= instruction < len(house.settlement.instructions):
        raise refuse(RejectionReason.UNKNOWN, f"there is no instruction {instruction}", field="instruction")
    if not parties(house, code, instruction) & (BY_RECEIVER | BY_HOUSE):
        raise refuse(
            RejectionReason.NOT_ALLOWED, "the receiver buys in, or the house", field="participant", subject=code
        )


HANDLERS: Handlers = {
    SetCreditLine: set_credit_line,
    ReserveAssets: reserve_assets,
    EndReservation: end_reservation,
    CollectClaims: collect_claims,
    StartBuyIn: start_buy_in,
    ReportBuyIn: report_buy_in,
    BuyInShort: buy_in_short,
}
