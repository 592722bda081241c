"""What may be announced: families of events, and the faults of terms that contradict themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import Rejected, Rejection, RejectionReason
from tsingma.journal.corporate_action_commands import CashTerm, EventKind, EventOption, EventTerms, FractionRule

DISTRIBUTIONS = frozenset(
    {
        EventKind.CASH_DIVIDEND,
        EventKind.SCRIP_DIVIDEND,
        EventKind.STOCK_DIVIDEND,
        EventKind.BONUS_ISSUE,
        EventKind.RIGHTS_ISSUE,
        EventKind.SPIN_OFF,
        EventKind.CAPITAL_RETURN,
    }
)
REORGANISATIONS = frozenset({EventKind.SPLIT, EventKind.CONSOLIDATION, EventKind.MERGER})
OFFERS = frozenset({EventKind.RIGHTS_EXERCISE, EventKind.TAKE_OVER})

# ISO 20022 corporate action event types (CAEV), for statements and messages.
ISO_CODES: dict[EventKind, str] = {
    EventKind.CASH_DIVIDEND: "DVCA",
    EventKind.SCRIP_DIVIDEND: "DVOP",
    EventKind.STOCK_DIVIDEND: "DVSE",
    EventKind.BONUS_ISSUE: "BONU",
    EventKind.RIGHTS_ISSUE: "RHDI",
    EventKind.SPIN_OFF: "SOFF",
    EventKind.CAPITAL_RETURN: "CAPD",
    EventKind.SPLIT: "SPLF",
    EventKind.CONSOLIDATION: "SPLR",
    EventKind.MERGER: "MRGR",
    EventKind.RIGHTS_EXERCISE: "EXRI",
    EventKind.TAKE_OVER: "TEND",
}

_CASH_ONLY = frozenset({EventKind.CASH_DIVIDEND, EventKind.CAPITAL_RETURN})
_SHARES_ONLY = frozenset({EventKind.STOCK_DIVIDEND, EventKind.BONUS_ISSUE, EventKind.RIGHTS_ISSUE, EventKind.SPIN_OFF})
_SAME_SECURITY = frozenset({EventKind.BONUS_ISSUE, EventKind.SPLIT, EventKind.CONSOLIDATION})
_OTHER_SECURITY = frozenset({EventKind.RIGHTS_ISSUE, EventKind.SPIN_OFF, EventKind.MERGER, EventKind.RIGHTS_EXERCISE})
_REFERENCE = re.compile(r"[A-Z0-9/-]{1,16}")  # Max16Text of the seev messages
_AMOUNT_E9_MAX = 10**18
_RATIO_MAX = 10**9
OPTIONS_MAX = 9


def check_terms(terms: EventTerms, securities: int, accounts: int) -> None:
    """Raise Rejected with every fault of the terms; ``securities`` and ``accounts`` are how many the book has.

    Dates are checked against each other here, against calendars by the engine.
    """
    faults = [*_own_faults(terms, securities, accounts), *_option_faults(terms, securities), *_date_faults(terms)]
    if faults:
        raise Rejected(*faults)


def default_option(terms: EventTerms) -> int:
    """Return the number of the option of accounts that do not elect, or -1 for an offer."""
    if terms.kind in OFFERS:
        return -1
    return next((place for place, option in enumerate(terms.options) if option.is_default), 0)


def _fault(terms: EventTerms, field: str, message: str, remedy: str = "") -> Rejection:
    return Rejection(
        reason=RejectionReason.OUT_OF_RANGE, subject=terms.reference, field=field, message=message, remedy=remedy
    )


def _own_faults(terms: EventTerms, securities: int, accounts: int) -> Iterator[Rejection]:
    if not _REFERENCE.fullmatch(terms.reference):
        yield _fault(terms, "reference", "a reference has 1 to 16 of A-Z, 0-9, / and -")
    if not 0 <= terms.security < securities:
        yield _fault(terms, "security", f"no security {terms.security}")
    if not -1 <= terms.counterparty < accounts or (terms.counterparty >= 0 and terms.kind is not EventKind.TAKE_OVER):
        yield _fault(terms, "counterparty", f"{terms.counterparty} is no offeror of a take-over")
    if terms.minimum < 0 or terms.limit < 0 or (terms.limit and terms.limit < terms.minimum):
        yield _fault(terms, "limit", f"at least {terms.minimum}, at most {terms.limit} shares")
    if (terms.minimum or terms.limit) and terms.kind is not EventKind.TAKE_OVER:
        yield _fault(terms, "limit", "only a take-over takes part of what is offered")
    price = terms.fraction_price
    if (terms.fractions is FractionRule.CASH_IN_LIEU) != (price is not None):
        yield _fault(terms, "fraction_price", "given with cash in lieu of fractions, and only then")
    if price is not None and (price.amount_e9 <= 0 or _is_bad(price)):
        yield _fault(terms, "fraction_price", "no price in a currency of the house")
    if terms.tax_regime and terms.kind not in DISTRIBUTIONS:
        yield _fault(terms, "tax_regime", "tax is withheld from distributions only")


def _is_bad(term: CashTerm) -> bool:
    return not (
        0 <= term.currency < len(CURRENCIES)
        and 0 < abs(term.amount_e9) <= _AMOUNT_E9_MAX
        and 0 < term.rate_e9 <= _AMOUNT_E9_MAX
    )


def _option_faults(terms: EventTerms, securities: int) -> Iterator[Rejection]:
    count, kind = len(terms.options), terms.kind
    if not 1 <= count <= OPTIONS_MAX or (kind in REORGANISATIONS and count != 1):
        yield _fault(terms, "options", f"{count} options", "one for a reorganisation, one to nine otherwise")
    defaults = sum(option.is_default for option in terms.options)
    if kind in DISTRIBUTIONS and count > 1 and defaults != 1:
        yield _fault(terms, "options", f"{defaults} default options", "mark exactly one")
    if kind in OFFERS and defaults:
        yield _fault(terms, "options", "an offer that is not accepted changes nothing: it has no default option")
    for place, option in enumerate(terms.options):
        for message in _faults_of_option(terms, option, securities):
            yield _fault(terms, f"options.{place + 1}", message)


def _faults_of_option(terms: EventTerms, option: EventOption, securities: int) -> Iterator[str]:
    kind = terms.kind
    if not option.code or not (option.cash or option.shares):
        yield "an option has a code, and gives money or shares"
    for term in option.cash:
        if _is_bad(term):
            yield "no amount and rate in a currency of the house"
        elif (term.amount_e9 < 0) != (kind is EventKind.RIGHTS_EXERCISE):
            yield "the holder pays for the exercise of rights, and for nothing else"
    for one in option.shares:
        if not (0 <= one.security < securities and 0 < one.new <= _RATIO_MAX and 0 < one.old <= _RATIO_MAX):
            yield f"{one.new} for {one.old} of security {one.security} is no ratio of a security of the book"
        if kind in _SAME_SECURITY and one.security != terms.security:
            yield f"a {kind} gives the security itself"
        if kind in _OTHER_SECURITY and one.security == terms.security:
            yield f"a {kind} gives another security"
    if (kind in _CASH_ONLY and (option.shares or len(option.cash) != 1)) or (kind in _SHARES_ONLY and option.cash):
        yield f"a {kind} gives {'one amount of money' if kind in _CASH_ONLY else 'shares only'}"
    if kind in _SAME_SECURITY and (len(option.shares) != 1 or option.cash):
        yield f"a {kind} has one ratio and no money"
    elif kind in (EventKind.MERGER, EventKind.RIGHTS_EXERCISE) and len(option.shares) > 1:
        yield f"a {kind} gives one security"
    if kind is EventKind.RIGHTS_EXERCISE and not (option.shares and option.cash):
        yield "the exercise of rights gives shares against payment"
    for one in option.shares:
        if (kind is EventKind.SPLIT and one.new <= one.old) or (kind is EventKind.CONSOLIDATION and one.new >= one.old):
            yield f"{one.new} for {one.old} is no {kind}"


def _date_faults(terms: EventTerms) -> Iterator[Rejection]:
    kind, chosen = terms.kind, (terms.ex_day, terms.record_day, terms.deadline_day, terms.pay_day)
    if kind in REORGANISATIONS:
        if terms.ex_day <= 0 or any(chosen[1:]):
            yield _fault(terms, "ex_day", "a reorganisation has an ex-date and no other date")
        return
    if kind in OFFERS:
        if terms.ex_day or terms.record_day or not 0 < terms.deadline_day < terms.pay_day:
            yield _fault(terms, "deadline_day", "an offer has a deadline and a later payment date, and no other date")
        return
    if min(terms.ex_day, terms.record_day) <= 0 or terms.pay_day <= terms.record_day:
        yield _fault(terms, "pay_day", "ex-date, record date and a later payment date are needed")
    elif len(terms.options) > 1 and not terms.record_day < terms.deadline_day < terms.pay_day:
        yield _fault(terms, "deadline_day", "a choice ends between record date and payment date")
    elif len(terms.options) == 1 and terms.deadline_day:
        yield _fault(terms, "deadline_day", "there is nothing to choose")
