"""Taking orders in: each is checked for itself, those that match become instructions, what is agreed needs no match."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import Rejection, RejectionReason
from tsingma.reference.book import ACCOUNT_CLASSES, AccountClass, ResolvedBook
from tsingma.settlement.growing import Column
from tsingma.settlement.instruction import (
    BY_BOTH,
    BY_DELIVERER,
    BY_RECEIVER,
    DVD,
    DVP,
    DWP,
    FOP,
    FROM_MATCHED,
    FROM_MATCHING,
    HIGH,
    KINDS,
    PFOD,
    PRIORITIES,
    PVP,
    Instructions,
)
from tsingma.settlement.links import GROUP_MAX, Links
from tsingma.settlement.matching import match
from tsingma.settlement.orders import AMOUNT_MAX, CONDITIONS, REFERENCE_MAX, Delays, Orders, assets_of
from tsingma.settlement.rules import Rules

Int64 = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

WAITS, MATCHES = 0, 1
# Result codes from 2 on: field, reason, what is wrong, what to do.
FAULTS: tuple[tuple[str, RejectionReason, str, str], ...] = (
    ("reference", RejectionReason.OUT_OF_RANGE, "is no number from 1 to 2^40", "number orders from 1"),
    ("account", RejectionReason.UNKNOWN, "names no account of a participant", "name an account of the book"),
    ("account", RejectionReason.NOT_ALLOWED, "belongs to another participant", "instruct for your own accounts"),
    ("counterparty", RejectionReason.UNKNOWN, "names no participant", "name a participant of the book"),
    ("counterparty_account", RejectionReason.UNKNOWN, "is no account of the counterparty",
     "leave it out, or name one of its accounts"),
    ("kind", RejectionReason.UNKNOWN, "is no kind of instruction", f"0 to {len(KINDS) - 1}: {', '.join(KINDS)}"),
    ("security", RejectionReason.UNKNOWN, "does not suit the kind", "securities move in dvp, fop, dwp and dvd"),
    ("currency", RejectionReason.UNKNOWN, "does not suit the kind", "money moves in dvp, dwp, pfod and pvp"),
    ("quantity", RejectionReason.OUT_OF_RANGE, "is not what the kind moves", "above 0 and at most 2^53; 0 in pfod"),
    ("amount_cents", RejectionReason.OUT_OF_RANGE, "is not what the kind moves", "0 to 2^53; 0 in fop and dvd"),
    ("intended_day", RejectionReason.OUT_OF_RANGE, "is before the trade day, or more than two years away",
     "give the day agreed"),
    ("priority", RejectionReason.NOT_ALLOWED, "is not a party's to give", "2 high or 3 normal"),
    ("conditions", RejectionReason.OUT_OF_RANGE, "contradict each other", "bits 1 opt-out, and 2 cum or 4 ex"),
    ("pool_size", RejectionReason.OUT_OF_RANGE, "does not suit the pool", f"2 to {GROUP_MAX}, and 0 without a pool"),
    ("matched", RejectionReason.MISSING, "needs the counterparty's account", "name counterparty_account"),
    ("reference", RejectionReason.DUPLICATE, "was used by this participant before", "give every order a new one"),
    ("account", RejectionReason.SUSPENDED, "belongs to a participant that is suspended or in default",
     "deal with another; the house says when a participant is reinstated"),
    ("counterparty", RejectionReason.SUSPENDED, "is suspended or in default",
     "deal with another; the house says when a participant is reinstated"),
)  # fmt: skip
RESULTS: tuple[str, ...] = ("waits", "matched", *(f"{field} {text}" for field, _, text, _ in FAULTS))
DAYS_AHEAD_MAX = 731
_MOVES_STOCK, _MOVES_MONEY, _MOVES_SOME_MONEY = (
    np.array([kind in moved for kind in range(len(KINDS))])
    for moved in ((DVP, FOP, DWP, DVD), (DVP, DWP, PFOD, PVP), (DWP, PFOD, PVP))
)
_OF_THE_HOUSE = np.array([one in (AccountClass.CNS, AccountClass.ISSUANCE) for one in ACCOUNT_CLASSES])
_SHARED = ("security", "market", "currency", "quantity", "intended_day", "kind", "asset", "against",
           "against_quantity")  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """When orders come in, and with which of the commands of that moment each does (rising; ``last`` is the last)."""

    day: int
    second: int
    command: Int64
    last: int
    delays: Delays


@dataclass(frozen=True, slots=True, eq=False)
class Submission:
    """What became of orders, one result code and number each, and what matched (numbers of instructions).

    The number is an order's where it waits, the instruction's where it matched, -1 where it was refused.
    ``matched_by`` says which command completed each match, ``removed_by`` which ended each allegement.
    """

    results: npt.NDArray[np.int8]
    numbers: Int64
    matched: Int64
    matched_by: Int64
    removed_by: Int64


def faults_of(
    columns: Mapping[str, Column], book: ResolvedBook, orders: Orders, *, sender: int | Int64, is_house: bool | Bools,
    barred: Bools | None = None,
) -> npt.NDArray[np.int8]:  # fmt: skip
    """Return for each order the first fault's result code, or WAITS.

    ``sender`` is a participant, -1 for anyone; both it and ``is_house`` may be given for each order. ``barred`` says
    of every participant whether the house takes nothing new from it.
    """
    account = columns["account"]
    known, place = known_accounts(columns, book)
    inner = _OF_THE_HOUSE[book.account_class[place]]
    participant = book.account_participant[place]
    other = columns["counterparty_account"]
    theirs = np.where(_within(other, book.account_participant.size), other, 0)
    checks: tuple[Bools, ...] = (
        (columns["reference"] < 1) | (columns["reference"] >= REFERENCE_MAX),
        ~known | inner,
        np.greater_equal(sender, 0) & (participant != sender),
        ~_within(columns["counterparty"], len(book.participant_index)),
        (other != -1) & (~_within(other, book.account_participant.size)
                         | (book.account_participant[theirs] != columns["counterparty"])),
        ~_within(columns["kind"], len(KINDS)),
        *_faults_of_legs(columns, book),
        (columns["intended_day"] < columns["trade_day"])
        | (columns["intended_day"] - columns["trade_day"] > DAYS_AHEAD_MAX),
        ~_within(columns["priority"] - np.where(is_house, 0, HIGH), np.where(is_house, len(PRIORITIES), 2)),
        ~_within(columns["conditions"], 2 ** len(CONDITIONS)) | (columns["conditions"] & 6 == 6),
        np.where(columns["pool"] > 0, (columns["pool_size"] < 2) | (columns["pool_size"] > GROUP_MAX),
                 (columns["pool_size"] != 0) | (columns["pool"] < 0)),
        (columns["matched"] != 0) & (other == -1),
        orders.seen(participant, columns["reference"]),
    )  # fmt: skip
    if barred is not None:
        other_side = np.where(_within(columns["counterparty"], barred.size), columns["counterparty"], 0)
        checks = (*checks, known & barred[participant], barred[other_side])
    result = np.zeros(account.size, np.int8)
    for code, broken in reversed(list(enumerate(checks, 2))):
        if broken.any():
            result[broken] = code
    return result


def known_accounts(columns: Mapping[str, Column], book: ResolvedBook) -> tuple[Bools, Int64]:
    """Return which orders have an account of the book, and the account to look them up by (the first for the others).

    Whoever asks who sent an order must ask so, because an unknown account counts in finding repeated references.
    """
    known = _within(columns["account"], book.account_participant.size)
    return known, np.where(known, columns["account"], 0)


def _within(column: Column, size: int | Int64) -> Bools:
    inside: Bools = (column >= 0) & (column < size)
    return inside


def _faults_of_legs(columns: Mapping[str, Column], book: ResolvedBook) -> tuple[Bools, Bools, Bools, Bools]:
    """Return the faults of security, currency, quantity and amount by kind."""
    kind, securities = columns["kind"], len(book.securities)
    known = np.where(_within(kind, len(KINDS)), kind, 0)  # another kind is a fault of its own, found first
    stock, swap = _MOVES_STOCK[known], kind == DVD
    money, exchange, something = _MOVES_MONEY[known], kind == PVP, _MOVES_SOME_MONEY[known]
    security = np.where(stock, ~_within(columns["security"], securities), columns["security"] != -1)
    against = np.where(swap, ~_within(columns["against_security"], securities), columns["against_security"] != -1)
    against |= swap & (columns["against_security"] == columns["security"])
    currency = np.where(money, ~_within(columns["currency"], len(CURRENCIES)), columns["currency"] != -1)
    paid = np.where(exchange, ~_within(columns["paid_currency"], len(CURRENCIES)), columns["paid_currency"] != -1)
    paid |= exchange & (columns["paid_currency"] == columns["currency"])
    quantity, second = columns["quantity"], columns["against_quantity"]
    amount = columns["amount_cents"]
    return (
        security | against,
        currency | paid,
        np.where(kind == PFOD, quantity != 0, (quantity < 1) | (quantity > AMOUNT_MAX))
        | np.where(swap, (second < 1) | (second > AMOUNT_MAX), second != 0),
        np.where(money, (amount < something) | (amount > AMOUNT_MAX), amount != 0),
    )


def rejection(code: int, item: int, columns: Mapping[str, Column], source: str) -> Rejection:
    """Return what a result code means for one item (counted from 0)."""
    field, reason, text, remedy = FAULTS[code - 2]
    return Rejection(
        reason=reason,
        file=source,
        line=item + 2,  # the header is line 1
        field=field,
        subject=f"order {int(columns['reference'][item])}",
        message=f"{int(columns[field][item])} {text}",
        remedy=remedy,
    )


def submit(
    instructions: Instructions,
    orders: Orders,
    links: Links,
    columns: dict[str, Column],
    book: ResolvedBook,
    rules: Rules,
    results: npt.NDArray[np.int8],
    moment: Moment,
) -> Submission:
    """Take in what ``results`` lets pass, match it and return what became of each.

    An order that matches one of a later command waits, for the command it came with. What is agreed or pooled comes
    with one command alone.
    """
    good = np.flatnonzero(results == WAITS)
    whole = _resolved(_pick(columns, results == WAITS), book)
    numbers = np.full(results.size, -1, np.int64)
    both = whole["matched"] != 0
    agreed, alone = good[both], good[~both]
    if agreed.size:
        numbers[agreed] = _add_agreed(instructions, links, _pick(whole, both), moment.day)
    fresh = orders.add(_pick(whole, ~both), moment.day, moment.second)
    numbers[alone] = fresh
    results[agreed] = MATCHES
    deliverer, receiver = match(orders, fresh, rules) if fresh.size else (fresh, fresh)
    came_with = moment.command[alone]
    completed_by = came_with[np.maximum(deliverer, receiver) - fresh[0]] if deliverer.size else came_with[:0]
    paired, paired_by = np.concatenate([deliverer, receiver]), np.concatenate([completed_by, completed_by])
    here = paired >= (fresh[0] if fresh.size else 0)
    place = paired[here] - (fresh[0] if fresh.size else 0)
    at_once = place[came_with[place] == paired_by[here]]
    if moment.last:
        waits = np.ones(fresh.size, np.bool_)
        waits[at_once] = False
        orders.allege_entered(fresh[waits & (came_with < moment.last)], moment.day, moment.second, moment.delays)
    matched = _add_matched(instructions, orders, links, deliverer, receiver, moment.day)
    removed = orders.pair(paired, np.concatenate([matched, matched]))
    results[alone[at_once]] = MATCHES
    numbers[alone[at_once]] = orders.table["instruction"][fresh[at_once]]
    return Submission(
        results,
        numbers,
        matched=np.concatenate([numbers[agreed], matched]),
        matched_by=np.concatenate([moment.command[agreed], completed_by]),
        removed_by=paired_by[removed],
    )


def _pick(columns: dict[str, Column], chosen: Bools) -> dict[str, Column]:
    """Return the chosen rows of columns; the columns themselves when every row is."""
    return columns if chosen.all() else {name: column[chosen] for name, column in columns.items()}


def _resolved(columns: dict[str, Column], book: ResolvedBook) -> dict[str, Column]:
    """Return checked columns with what follows from them: participant, market, assets of both legs.

    Money without securities settles with what settles in real time (the bond depository's market).
    """
    asset, against = assets_of(columns)
    counter = book.settlement_counter[np.maximum(columns["security"], 0)]
    market = np.where(columns["security"] >= 0, book.counter_market[counter], book.markets.money_alone)
    own = {"participant": book.account_participant[columns["account"]], "market": market, "asset": asset,
           "against": against}  # fmt: skip
    return {**columns, **own}


def _add_agreed(instructions: Instructions, links: Links, columns: dict[str, Column], day: int) -> Int64:
    """Add instructions that one side sent as already matched: it speaks for both."""
    delivers = columns["delivers"] != 0
    late = np.where(columns["intended_day"] < day, np.where(delivers, BY_DELIVERER, BY_RECEIVER), 0)
    numbers = instructions.add(
        **_shared(columns),
        reference=columns["reference"],
        deliverer=np.where(delivers, columns["account"], columns["counterparty_account"]),
        receiver=np.where(delivers, columns["counterparty_account"], columns["account"]),
        amount_cents=columns["amount_cents"],
        priority=columns["priority"],
        partial=np.where(columns["partial"] != 0, BY_BOTH, 0),
        holds=np.where(columns["hold"] != 0, np.where(delivers, BY_DELIVERER, BY_RECEIVER), 0),
        matched_day=np.full(delivers.size, day),
        changed_day=np.full(delivers.size, day),
        late=late,
        origin=np.full(delivers.size, FROM_MATCHED),
    )
    _gather(instructions, links, numbers, columns)
    return numbers


def _add_matched(
    instructions: Instructions, orders: Orders, links: Links, deliverer: Int64, receiver: Int64, day: int
) -> Int64:
    """Add instructions for pairs of orders; the higher priority of both counts, and holds stay each side's own."""
    if not deliverer.size:
        return deliverer
    table = orders.table
    own = ("account", "priority", "partial", "hold")
    pools = ("participant", "pool", "pool_size") if table["pool"].any() else ()
    given = {name: table[name][deliverer] for name in (*own, *pools, *_SHARED, "reference", "amount_cents")}
    taken = {name: table[name][receiver] for name in (*own, *pools)}
    last = np.where(deliverer > receiver, BY_DELIVERER, BY_RECEIVER)
    numbers = instructions.add(
        **_shared(given),
        reference=given["reference"],
        deliverer=given["account"],
        receiver=taken["account"],
        amount_cents=given["amount_cents"],
        priority=np.minimum(given["priority"], taken["priority"]),
        partial=BY_DELIVERER * (given["partial"] != 0) + BY_RECEIVER * (taken["partial"] != 0),
        holds=BY_DELIVERER * (given["hold"] != 0) + BY_RECEIVER * (taken["hold"] != 0),
        matched_day=np.full(deliverer.size, day),
        changed_day=np.full(deliverer.size, day),
        late=np.where(given["intended_day"] < day, last, 0),
        origin=np.full(deliverer.size, FROM_MATCHING),
        deliverer_order=deliverer,
        receiver_order=receiver,
    )
    _gather(instructions, links, numbers, given)
    _gather(instructions, links, numbers, taken)
    return numbers


def _shared(columns: Mapping[str, Column]) -> dict[str, Column]:
    return {name: columns[name] for name in _SHARED}


def _gather(instructions: Instructions, links: Links, numbers: Int64, columns: Mapping[str, Column]) -> None:
    if "pool" not in columns:  # none of them is in one
        return
    for place in np.flatnonzero(columns["pool"]).tolist():
        owner, pool = int(columns["participant"][place]), int(columns["pool"][place])
        links.gather(instructions, int(numbers[place]), owner, pool, int(columns["pool_size"][place]))
