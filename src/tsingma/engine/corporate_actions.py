"""Commands on corporate actions: announce, withdraw, elect, declare, and carry out what is due on a day."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from tsingma.basics.dates import to_date
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.custody.events.book import CorporateAction, EventStatus
from tsingma.custody.events.tax import check_holder, check_regime
from tsingma.custody.events.terms import OFFERS, REORGANISATIONS, check_terms
from tsingma.engine.claiming import collect_owed
from tsingma.engine.converting import convert, counter_in, transform_late
from tsingma.engine.cycle import is_settlement_day, settlement_day_before, settlement_days_after
from tsingma.engine.entitling import close_elections, detect_late, entitle, pay
from tsingma.engine.house import Handlers, House
from tsingma.engine.offering import close_offer, pay_offer, release_all, set_aside
from tsingma.engine.pending import market_of, stock_day_of
from tsingma.journal.corporate_action_commands import (
    AnnounceCorporateAction,
    DeclareTaxStatus,
    ElectOption,
    EventTerms,
    RunCorporateActions,
    WithdrawCorporateAction,
)
from tsingma.journal.corporate_action_events import (
    CorporateActionAnnounced,
    CorporateActionsRun,
    CorporateActionWithdrawn,
    EventStep,
    OptionElected,
    TaxStatusDeclared,
)
from tsingma.reference.book import ACCOUNT_CLASSES, AccountClass
from tsingma.settlement.timetable import timetable

_INNER = (ACCOUNT_CLASSES.index(AccountClass.CNS), ACCOUNT_CLASSES.index(AccountClass.ISSUANCE))


def announce(house: House, command: AnnounceCorporateAction) -> CorporateActionAnnounced:
    """Take in the terms of an event, or new terms of one of which nothing has been carried out or elected."""
    terms, book, day = command.terms, house.corporate_actions, house.position.day
    check_terms(terms, len(house.resolved.securities), house.resolved.account_participant.size)
    check_regime(terms.tax_regime)
    _check_dates(house, terms)
    _check_securities(house, terms)
    others = book.overlapping(terms)
    if others:
        raise refuse(
            RejectionReason.CONFLICT,
            f"{others[0]} converts or holds the same shares",
            field="security",
            subject=terms.reference,
            remedy="one conversion or offer of a security at a time",
        )
    before = book.events.get(terms.reference)
    if before is None:
        book.keep(CorporateAction(terms, day))
        return CorporateActionAnnounced(terms.reference, 1)
    _require_untouched(before)
    if (before.terms.kind, before.terms.security) != (terms.kind, terms.security):
        raise refuse(RejectionReason.CONFLICT, "another event has this reference", subject=terms.reference)
    amended = (*before.amended, (day, before.terms))
    book.keep(msgspec.structs.replace(before, terms=terms, amended=amended))
    return CorporateActionAnnounced(terms.reference, len(amended) + 1)


def _check_dates(house: House, terms: EventTerms) -> None:
    """Refuse dates that are past, no settlement days, or that the settlement cycle does not give.

    What is traded ex must be due after the record date, and the ex-date is at most the settlement day after it: only
    then is every open position of the record date cum (T2S corporate actions standards; ex-date = record date less
    the settlement cycle plus one business day).
    """
    day, is_open = house.position.day, house.position.is_open
    earliest = day if is_open else day + 1
    for field in ("ex_day", "record_day", "deadline_day", "pay_day"):
        value = getattr(terms, field)
        if value and not is_settlement_day(to_date(value)):
            raise _bad_day(terms, field, f"{to_date(value)} is no settlement day")
    if terms.kind in REORGANISATIONS:
        if settlement_day_before(terms.ex_day) < earliest:
            raise _bad_day(terms, "ex_day", "positions are converted at the end of the day before, which is over")
    elif terms.kind in OFFERS:
        if terms.deadline_day < earliest:
            raise _bad_day(terms, "deadline_day", f"{to_date(terms.deadline_day)} is over")
    else:
        if terms.record_day < earliest:
            raise _bad_day(terms, "record_day", f"{to_date(terms.record_day)} is over")
        market = market_of(house, terms.security)
        if stock_day_of(house, terms.ex_day, market) <= terms.record_day:
            raise _bad_day(terms, "ex_day", "what is traded ex would settle by the record date")
        if terms.ex_day > settlement_days_after(terms.record_day, 1):
            raise _bad_day(terms, "ex_day", "it is later than the settlement day after the record date")


def _bad_day(terms: EventTerms, field: str, message: str) -> Exception:
    return refuse(RejectionReason.NOT_ALLOWED, message, field=field, subject=terms.reference)


def _check_securities(house: House, terms: EventTerms) -> None:
    """Refuse an exchange into a security that lacks a counter in a currency of the old one."""
    if terms.kind not in REORGANISATIONS:
        return
    book = house.resolved
    for one in terms.options[0].shares:
        for counter, security in enumerate(book.counter_security.tolist()):
            currency = int(book.counter_currency[counter])
            if security == terms.security and counter_in(house, one.security, currency) < 0:
                raise refuse(
                    RejectionReason.MISSING,
                    f"security {one.security} has no counter in {CURRENCIES[currency]}",
                    field="options.1",
                    subject=terms.reference,
                    remedy="pending trades of that counter need one to be converted into",
                )


def _require_untouched(action: CorporateAction) -> None:
    if action.status is not EventStatus.ANNOUNCED or action.elections:
        raise refuse(
            RejectionReason.NOT_ALLOWED,
            f"the event is {action.status}" + (" and elected on" if action.elections else ""),
            subject=action.terms.reference,
            remedy="only what has not begun is amended",
        )


def withdraw(house: House, command: WithdrawCorporateAction) -> CorporateActionWithdrawn:
    """Withdraw an event of which nothing has been carried out; elections of an offer are freed."""
    action = house.corporate_actions.get(command.reference)
    if action.status is not EventStatus.ANNOUNCED:
        raise refuse(RejectionReason.NOT_ALLOWED, f"the event is {action.status}", subject=command.reference)
    if action.terms.kind in OFFERS:
        release_all(house, action)
    house.corporate_actions.keep(
        msgspec.structs.replace(action, status=EventStatus.WITHDRAWN, elections=(), done_day=house.position.day)
    )
    return CorporateActionWithdrawn(command.reference)


def elect(house: House, command: ElectOption) -> OptionElected:
    """Set an account's election: on entitled shares of a distribution, on free holdings in an offer."""
    action = house.corporate_actions.get(command.reference)
    terms, day = action.terms, house.position.day
    if not 0 <= command.option < len(terms.options):
        raise refuse(RejectionReason.UNKNOWN, f"no option {command.option}", field="option", subject=terms.reference)
    if command.quantity < 0:
        raise refuse(RejectionReason.OUT_OF_RANGE, f"{command.quantity} shares", field="quantity")
    _holder(house, command.account)
    is_offer = terms.kind in OFFERS
    wanted = EventStatus.ANNOUNCED if is_offer else EventStatus.ENTITLED
    if not terms.deadline_day or action.status is not wanted or day > terms.deadline_day:
        raise refuse(
            RejectionReason.NOT_ALLOWED,
            f"no choice is open: the event is {action.status}",
            subject=terms.reference,
            remedy="elect between record date and deadline (an offer: from its announcement)",
        )
    left = 0
    if is_offer:
        set_aside(house, action, command.account, command.option, command.quantity)
    else:
        total = next((row.total for row in action.entitled if row.account == command.account), 0)
        others = sum(
            count for who, which, count in action.elections if who == command.account and which != command.option
        )
        left = max(total, 0) - others - command.quantity
        if left < 0:
            raise refuse(
                RejectionReason.INSUFFICIENT,
                f"{command.quantity} shares to elect, {left + command.quantity} entitled and not elected otherwise",
                field="quantity",
                subject=terms.reference,
            )
    house.corporate_actions.keep(action.elect(command.account, command.option, command.quantity))
    return OptionElected(terms.reference, command.account, command.option, command.quantity, left)


def declare_tax_status(house: House, command: DeclareTaxStatus) -> TaxStatusDeclared:
    """Keep as what an account's holder is taxed."""
    _holder(house, command.account)
    check_holder(command.holder)
    house.corporate_actions.holders[command.account] = command.holder
    return TaxStatusDeclared(command.account, command.holder)


def _holder(house: House, account: int) -> None:
    book = house.resolved
    if not 0 <= account < book.account_participant.size or int(book.account_class[account]) in _INNER:
        raise refuse(RejectionReason.UNKNOWN, f"number {account} is no holder's account", field="account")


Action = Callable[[House, CorporateAction], EventStep]


def due_step(house: House, action: CorporateAction) -> tuple[str, Action] | None:
    """Return what is to be done about an event by the end of the open day, or None."""
    terms, status, day = action.terms, action.status, house.position.day
    if terms.kind in REORGANISATIONS:
        ready = terms.ex_day <= day or terms.ex_day <= settlement_days_after(day, 1)
        return ("conversion", convert) if ready else None
    is_offer = terms.kind in OFFERS
    if not is_offer and status is EventStatus.ANNOUNCED:
        return ("record date", entitle) if terms.record_day <= day else None
    open_choice = EventStatus.ANNOUNCED if is_offer else EventStatus.ENTITLED
    if terms.deadline_day and status is open_choice:
        return ("deadline", close_offer if is_offer else close_elections) if terms.deadline_day <= day else None
    if terms.pay_day <= day and action.tried_day != day:
        return ("payment", pay_offer if is_offer else pay)
    return None


def run_due(house: House, _command: RunCorporateActions) -> CorporateActionsRun:
    """Collect what is owed for claims and carry out what is due, in the order announced.

    Payments run at any time of the day; record dates, deadlines and conversions once the timetable has run.
    """
    if not house.position.is_open:
        raise refuse(RejectionReason.NOT_ALLOWED, "no day is open", remedy="open the day first")
    collected = collect_owed(house)
    evening = len(house.position.steps_run) == len(timetable())
    steps: list[EventStep] = []
    for action in house.corporate_actions.live():
        due = due_step(house, action)
        if due is not None and (evening or due[0] == "payment"):
            steps.append(due[1](house, action))
    if evening:
        steps.extend(detect_late(house))
        steps.extend(transform_late(house))
    return CorporateActionsRun(tuple(steps), collected)


def require_nothing_due(house: House) -> None:
    """Raise Rejected (not-allowed) while an event has something due today that was not carried out."""
    for action in house.corporate_actions.live():
        due = due_step(house, action)
        if due is not None:
            raise refuse(
                RejectionReason.NOT_ALLOWED,
                f"the {due[0]} of a {action.terms.kind} is due today",
                subject=action.terms.reference,
                remedy="run corporate actions after the timetable; a step 'blocked' says what is in the way",
            )


HANDLERS: Handlers = {
    AnnounceCorporateAction: announce,
    WithdrawCorporateAction: withdraw,
    ElectOption: elect,
    DeclareTaxStatus: declare_tax_status,
    RunCorporateActions: run_due,
}
