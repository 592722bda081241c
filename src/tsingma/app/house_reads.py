"""What a house answers to those who look: its day, participants, balances, positions, instructions, calls, quotas.

Every list is a page: ``items`` in a fixed order, ``next`` (the cursor of the page after it, None at the end), ``at``:
the journal record as of which it is true. Money is in cents, securities in units.
"""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.dates import to_date
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.engine.house import House
from tsingma.reference.book import AccountClass

Int64 = npt.NDArray[np.int64]

LIMIT_MAX = 1_000


class Day(msgspec.Struct, frozen=True):
    """Where the business day stands: its date ("" before the first), steps run, second of the day, last record."""

    date: str
    is_open: bool
    second: int
    steps_run: tuple[str, ...]
    at: int


class Member(msgspec.Struct, frozen=True):
    """One participant, and the classes of its accounts."""

    code: str
    name: str
    kind: str
    lei: str
    account_classes: tuple[str, ...]


class Members(msgspec.Struct, frozen=True):
    """A page of participants; the cursor counts them."""

    items: list[Member]
    next: int | None
    at: int


class Balance(msgspec.Struct, frozen=True):
    """What an account has of an asset (a currency or ISIN): all of it, held of it, pledged of it."""

    account: str
    asset: str
    balance: int
    held: int
    pledged: int


class Balances(msgspec.Struct, frozen=True):
    """A page of balances of an account, in order of assets; the cursor is an asset's number."""

    items: list[Balance]
    next: int | None
    at: int


class NetPosition(msgspec.Struct, frozen=True):
    """A stock line of continuous net settlement: to receive +, to deliver -, settled of it, on hold of that."""

    account: str
    security: str
    due: int
    settled: int
    open: int
    on_hold: int
    since: str


class NetPositions(msgspec.Struct, frozen=True):
    """A page of positions, in order of account and security; the cursor counts the house's lines."""

    items: list[NetPosition]
    next: int | None
    at: int


class MarginCall(msgspec.Struct, frozen=True):
    """What an account must cover as last called, what it has pledged, and what it lacks; HKD cents."""

    account: str
    requirement_cents: int
    pledged_cents: int
    lacks_cents: int


class MarginCalls(msgspec.Struct, frozen=True):
    """A page of calls; the cursor counts the house's."""

    items: list[MarginCall]
    next: int | None
    at: int


class Quota(msgspec.Struct, frozen=True):
    """Orders of a link's direction today, and what is left of each quota in force, in cents of its currency."""

    link: str
    direction: str
    is_open: bool
    left_cents: dict[str, int]


def day_of(house: House, at: int) -> Day:
    """Return where the day stands."""
    position = house.position
    return Day(
        date=str(to_date(position.day)) if position.day else "",
        is_open=position.is_open,
        second=house.settlement.clock_s,
        steps_run=position.steps_run,
        at=at,
    )


def members_of(house: House, at: int, cursor: int, limit: int) -> Members:
    """Return participants behind the first ``cursor``."""
    book = house.resolved.book
    classes: dict[str, list[str]] = {}
    for entry in book.accounts:
        classes.setdefault(entry.participant, []).append(entry.account_class)
    chosen = book.participants[cursor : cursor + limit]
    items = [Member(one.code, one.name, one.kind, one.lei, tuple(classes.get(one.code, ()))) for one in chosen]
    end = cursor + len(items)
    return Members(items, end if end < len(book.participants) else None, at)


def balances_of(
    house: House, at: int, participant: str, account_class: AccountClass, cursor: int, limit: int
) -> Balances:
    """Return an account's balances of assets from number ``cursor`` on; raises Rejected (unknown) for no account."""
    book, ledger = house.resolved, house.ledger
    account = book.account_index.get((participant, account_class))
    if account is None:
        message = f"{participant} has no account {account_class}"
        raise refuse(RejectionReason.UNKNOWN, message, field="account")
    rows = np.flatnonzero(ledger.owner == account)
    rows = rows[np.argsort(ledger.asset[rows], kind="stable")]
    chosen, following = cut(ledger.asset[rows].astype(np.int64), rows, cursor, limit)
    name = book.account_name(account)
    items = [
        Balance(name, book.asset_name(int(ledger.asset[row])), int(ledger.balance[row]), int(ledger.held[row]),
                int(ledger.pledged[row]))
        for row in chosen.tolist()
    ]  # fmt: skip
    return Balances(items, following, at)


def positions_of(house: House, at: int, participant: str, cursor: int, limit: int) -> NetPositions:
    """Return the stock lines of a participant ("": of everybody) from the house's line ``cursor`` on."""
    book, lines = house.resolved, house.settlement.positions
    account, security, left = lines.account, lines.security, lines.open
    found = np.flatnonzero(of_participant(house, account, participant)).astype(np.int64)
    chosen, following = cut(found, found, cursor, limit)
    items = [
        NetPosition(
            book.account_name(int(account[line])), book.securities[int(security[line])], int(lines.due[line]),
            int(lines.moved[line]), int(left[line]), int(lines.on_hold[line]), str(to_date(int(lines.since_day[line]))),
        )
        for line in chosen.tolist()
    ]  # fmt: skip
    return NetPositions(items, following, at)


def calls_of(house: House, at: int, participant: str, cursor: int, limit: int) -> MarginCalls:
    """Return the last margin calls of a participant ("": of everybody) from the house's call ``cursor`` on."""
    margin, book = house.margin, house.resolved
    found = np.flatnonzero(of_participant(house, margin.account, participant)).astype(np.int64)
    chosen, following = cut(found, found, cursor, limit)
    items = []
    for place in chosen.tolist():
        needs, has = int(margin.requirement_cents[place]), int(margin.pledged_cents[place])
        items.append(MarginCall(book.account_name(int(margin.account[place])), needs, has, max(0, needs - has)))
    return MarginCalls(items, following, at)


def quotas_of(house: House) -> dict[str, list[Quota]]:
    """Return the quota state of every link that has a day in the house, by link."""
    found: dict[str, list[Quota]] = {}
    state = house.link_orders
    for link, direction in sorted({*state.days, *state.flows}):
        day, flow = state.days.get((link, direction)), state.flows.get((link, direction))
        left = {str(kind): cents for kind, cents in flow.left_cents().items()} if flow is not None else {}
        if day is not None and day.has_quota:
            left["daily-net-buy"] = day.balance_e4 // 100
        is_open = day is not None and day.is_open
        found.setdefault(link, []).append(Quota(link, direction, is_open, left))
    return found


def of_participant(house: House, account: npt.NDArray[np.signedinteger], participant: str) -> npt.NDArray[np.bool_]:
    """Return which accounts belong to a participant ("": to anybody); raises Rejected (unknown) for no participant."""
    if not participant:
        return np.ones(account.size, np.bool_)
    book = house.resolved
    index = book.participant_index.get(participant)
    if index is None:
        raise refuse(RejectionReason.UNKNOWN, f"no participant '{participant}'", field="participant")
    return np.asarray(book.account_participant[account] == index, np.bool_)


def cut(keys: Int64, rows: Int64, cursor: int, limit: int) -> tuple[Int64, int | None]:
    """Return the first ``limit`` of ``rows`` whose key (rising) is at least ``cursor``, and the next one's key."""
    start = int(np.searchsorted(keys, cursor))
    end = start + limit
    return rows[start:end], int(keys[end]) if end < keys.size else None
