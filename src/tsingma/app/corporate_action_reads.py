"""Corporate actions as their holders read them: the terms, the days, and for each account what it stands to get.

Before its record date an entitlement is by what stands now; from then on by what was taken. Quantities are shares,
money is in cents of its currency; what an account owes has a minus.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import msgspec
import numpy as np

from tsingma.app.house_reads import of_participant
from tsingma.basics.dates import to_date
from tsingma.basics.money import CURRENCIES
from tsingma.custody.events.book import CorporateAction
from tsingma.custody.events.terms import DISTRIBUTIONS, ISO_CODES
from tsingma.engine.entitling import entitled_now, expected
from tsingma.engine.house import House
from tsingma.engine.pending import settled_balances
from tsingma.journal.corporate_action_commands import SCALE_E9, EventOption

ACCOUNTS_MAX = 200  # of one event on a page


class OptionLine(msgspec.Struct, frozen=True):
    """What one share gives: money as (currency, amount), shares as (new, old, ISIN)."""

    code: str
    cash: tuple[tuple[str, str], ...]
    shares: tuple[tuple[int, int, str], ...]
    is_default: bool


class EntitledAccount(msgspec.Struct, frozen=True):
    """An account of an event: shares it has and has still to get (deliver -), elected by option, what it comes to.

    ``gets`` and ``claims`` are (asset, units): from the issuer, and from who has not delivered in time (owes -).
    """

    account: str
    settled: int
    pending: int
    elected: tuple[tuple[str, int], ...]
    gets: tuple[tuple[str, int], ...]
    claims: tuple[tuple[str, int], ...]


class EventState(msgspec.Struct, frozen=True, kw_only=True):
    """One event; a day that does not apply is "". ``taken``: its record date has been; ``more``: accounts left out."""

    reference: str
    kind: str
    iso: str
    isin: str
    name: str
    options: tuple[OptionLine, ...]
    ex: str
    record: str
    deadline: str
    payment: str
    status: str
    taken: bool
    tried: str
    accounts: tuple[EntitledAccount, ...]
    more: int


class EventStates(msgspec.Struct, frozen=True):
    """A page of events, those announced last first; the cursor counts them, ``lines`` is the number of all."""

    items: list[EventState]
    next: int | None
    at: int
    lines: int


def events_of(house: House, at: int, participant: str, cursor: int, limit: int, *, every: bool) -> EventStates:
    """Return events that are not over (with ``every`` all) and what they are for a participant ("": for everybody).

    Raises Rejected (unknown) for a participant that is none.
    """
    owners = set(_accounts(house, participant))
    chosen = [one for one in reversed(house.corporate_actions.events.values()) if every or one.is_live]
    end = cursor + limit
    items = [_state(house, one, owners) for one in chosen[cursor:end]]
    return EventStates(items, end if end < len(chosen) else None, at, len(chosen))


def _accounts(house: House, participant: str) -> list[int]:
    every = np.arange(len(house.resolved.account_index))
    found: list[int] = every[of_participant(house, every, participant)].tolist()
    return found


def _state(house: House, action: CorporateAction, owners: set[int]) -> EventState:
    terms, book = action.terms, house.resolved
    accounts = _entitled(house, action, owners)
    counter = book.book.counters[int(book.settlement_counter[terms.security])]
    return EventState(
        reference=terms.reference, kind=str(terms.kind), iso=ISO_CODES[terms.kind],
        isin=book.securities[terms.security], name=counter.name,
        options=tuple(_option(house, one) for one in terms.options), ex=_day(terms.ex_day),
        record=_day(terms.record_day), deadline=_day(terms.deadline_day), payment=_day(terms.pay_day),
        status=str(action.status), taken=bool(action.entitled), tried=_day(action.tried_day),
        accounts=tuple(accounts[:ACCOUNTS_MAX]), more=max(len(accounts) - ACCOUNTS_MAX, 0),
    )  # fmt: skip


def _entitled(house: House, action: CorporateAction, owners: set[int]) -> list[EntitledAccount]:
    """Return the accounts among ``owners`` that have or elect something of an event."""
    terms = action.terms
    elected: dict[int, list[tuple[str, int]]] = {}
    for account, option, quantity in action.elections:
        elected.setdefault(account, []).append((terms.options[option].code, quantity))
    gets: Mapping[tuple[int, int], int] = {}
    claims: Mapping[tuple[int, int], int] = {}
    if terms.kind in DISTRIBUTIONS:
        shares = {row.account: (row.settled, row.pending) for row in entitled_now(house, action)}
        outturn = expected(house, action)
        gets, claims = {**outturn.paid}, outturn.claims
        for key, units in outturn.fractions.items():
            gets = {**gets, key: gets.get(key, 0) + units}
    else:
        shares = {account: (units, 0) for account, units in settled_balances(house, terms.security).items()}
    return [
        EntitledAccount(
            house.resolved.account_name(account), *shares.get(account, (0, 0)), tuple(elected.get(account, ())),
            _of(house, gets, account), _of(house, claims, account),
        )
        for account in sorted((shares.keys() | elected.keys()) & owners)
    ]  # fmt: skip


def _of(house: House, amounts: Mapping[tuple[int, int], int], account: int) -> tuple[tuple[str, int], ...]:
    return tuple(
        (house.resolved.asset_name(asset), units)
        for (owner, asset), units in sorted(amounts.items()) if owner == account and units
    )  # fmt: skip


def _option(house: House, option: EventOption) -> OptionLine:
    return OptionLine(
        option.code,
        tuple((CURRENCIES[one.currency], _decimal(one.amount_e9 * one.rate_e9)) for one in option.cash),
        tuple((one.new, one.old, house.resolved.securities[one.security]) for one in option.shares),
        option.is_default,
    )


def _decimal(amount_e18: int) -> str:
    """Return money for a share with up to nine decimals."""
    sign, (whole, rest) = "-" if amount_e18 < 0 else "", divmod(abs(round(Fraction(amount_e18, SCALE_E9))), SCALE_E9)
    return f"{sign}{whole}.{rest:09d}".rstrip("0").rstrip(".")


def _day(day: int) -> str:
    return str(to_date(day)) if day else ""
