"""Corporate actions of a house, in words: events and how far they are, who is entitled to what."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import msgspec

from tsingma.app.session import Session
from tsingma.basics.dates import to_date
from tsingma.basics.money import CURRENCIES, Amount
from tsingma.custody.events.book import CorporateAction
from tsingma.custody.events.terms import DISTRIBUTIONS, ISO_CODES
from tsingma.engine.entitling import expected
from tsingma.engine.house import House
from tsingma.journal.corporate_action_commands import SCALE_E9, EventOption


class EventLine(msgspec.Struct, frozen=True):
    """One event: ``iso`` is its CAEV code, a day that does not apply is empty, ``shares`` are entitled or elected."""

    reference: str
    kind: str
    iso: str
    isin: str
    gives: str
    ex: str
    record: str
    deadline: str
    payment: str
    status: str
    shares: int


class EntitledLine(msgspec.Struct, frozen=True):
    """One account of an event: shares settled and pending, elections, and what it is paid and claims (owes -)."""

    account: str
    settled: int
    pending: int
    elected: str
    paid: str
    claims: str


def events(house: Path | str, *, every: bool = False) -> list[EventLine]:
    """Return the events of a house that are not over, with ``every`` all of them, in the order announced."""
    with Session.open(house, read_only=True) as session:
        book = session.house.corporate_actions
        return [_line(session.house, one) for one in book.events.values() if every or one.is_live]


def entitlements(house: Path | str, reference: str) -> list[EntitledLine]:
    """Return who is entitled to what in an event; of an offer, who has elected. Raises Rejected (unknown)."""
    with Session.open(house, read_only=True) as session:
        state = session.house
        action = state.corporate_actions.get(reference)
        elected: dict[int, list[str]] = {}
        for account, option, quantity in action.elections:
            elected.setdefault(account, []).append(f"{quantity:,} {action.terms.options[option].code}")
        if action.terms.kind not in DISTRIBUTIONS or not action.entitled:
            return [
                EntitledLine(state.resolved.account_name(account), 0, 0, ", ".join(words), "", "")
                for account, words in sorted(elected.items())
            ]
        outturn = expected(state, action)
        return [
            EntitledLine(
                state.resolved.account_name(row.account),
                row.settled,
                row.pending,
                ", ".join(elected.get(row.account, [])),
                _amounts(state, row.account, [*outturn.paid.items(), *outturn.fractions.items()]),
                _amounts(state, row.account, outturn.claims.items()),
            )
            for row in action.entitled
        ]


def _line(house: House, action: CorporateAction) -> EventLine:
    terms = action.terms
    taken = sum(max(row.total, 0) for row in action.entitled) or sum(count for _, _, count in action.elections)
    return EventLine(
        reference=terms.reference,
        kind=terms.kind,
        iso=ISO_CODES[terms.kind],
        isin=house.resolved.securities[terms.security],
        gives=" or ".join(_gives(house, option) for option in terms.options),
        ex=_date(terms.ex_day),
        record=_date(terms.record_day),
        deadline=_date(terms.deadline_day),
        payment=_date(terms.pay_day),
        status=action.status,
        shares=taken,
    )


def _gives(house: House, option: EventOption) -> str:
    """Return what one share gives, for example ``HKD 0.78`` or ``1 for 10 of HK0005000002``."""
    parts = [
        f"{CURRENCIES[term.currency]} {_decimal(Fraction(term.amount_e9 * term.rate_e9, SCALE_E9 * SCALE_E9))}"
        for term in option.cash
    ]
    parts += [f"{one.new} for {one.old} of {house.resolved.securities[one.security]}" for one in option.shares]
    return " and ".join(parts)


def _decimal(value: Fraction) -> str:
    """Return a fraction with up to nine decimals."""
    sign, (whole, rest) = "-" if value < 0 else "", divmod(abs(round(value * SCALE_E9)), SCALE_E9)
    return f"{sign}{whole}.{rest:09d}".rstrip("0").rstrip(".")


def _amounts(house: House, account: int, amounts: Iterable[tuple[tuple[int, int], int]]) -> str:
    """Return what of the amounts is an account's, in words."""
    words = []
    for (owner, asset), units in sorted(amounts):
        if owner == account:
            name = house.resolved.asset_name(asset)
            words.append(str(Amount(units, name)) if asset < len(CURRENCIES) else f"{units:,} {name}")
    return ", ".join(words)


def _date(day: int) -> str:
    return str(to_date(day)) if day else ""
