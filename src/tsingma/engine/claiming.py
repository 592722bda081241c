"""Booking what corporate actions move: from issuers, through the central counterparty, and as claims between parties.

The central counterparty pays claims in money whether or not those who owe them can pay, from its own line, and is owed
the rest; claims in shares join its net positions. Either way it stays flat (design, invariant 5).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import InvariantBroken
from tsingma.custody.events.claims import Claim
from tsingma.custody.events.outturn import Amounts
from tsingma.engine.house import House
from tsingma.ledger.ledger import NO_FLOOR
from tsingma.settlement.instruction import BY_BOTH, FOP, FROM_HOUSE, PFOD

UNITS_MAX = 2**60  # of one asset moved, or issued, by one event; the ledger keeps 62 bits
Move = tuple[int, int, int, int]  # who gives, who gets, asset, units or cents


def payments(payer: int, *parts: Amounts) -> list[Move]:
    """Return amounts as moves from one payer."""
    return [(payer, account, asset, units) for part in parts for (account, asset), units in sorted(part.items())]


def missing_funds(house: House, payer: int, moves: Iterable[Move]) -> dict[str, int]:
    """Return what a payer lacks to make moves of money, in cents by currency (empty when it has all of it)."""
    needed: dict[int, int] = {}
    for giver, _, asset, cents in moves:
        if giver == payer and asset < len(CURRENCIES):
            needed[asset] = needed.get(asset, 0) + cents
    missing = {}
    for currency, cents in sorted(needed.items()):
        short = cents - _available(house, payer, currency)
        if short > 0:
            missing[f"missing_{CURRENCIES[currency]}_cents"] = short
    return missing


def too_large(house: House, moves: Iterable[Move], claims: Amounts | None = None) -> dict[str, int]:
    """Return assets of which more would move, or be issued, than the books can hold (empty when there are none)."""
    totals: dict[int, int] = {}
    for _, _, asset, units in moves:
        totals[asset] = totals.get(asset, 0) + units
    for (_, asset), units in (claims or {}).items():
        totals[asset] = totals.get(asset, 0) + abs(units)
    found = {}
    for asset, units in sorted(totals.items()):
        row = house.ledger.find(house.internal.issuer, asset)
        issued = max(-int(house.ledger.balance[row]), 0) if row >= 0 else 0
        if units + issued > UNITS_MAX:
            found[f"too_large_{house.resolved.asset_name(asset)}"] = units
    return found


def book_moves(house: House, moves: Sequence[Move]) -> None:
    """Book moves that were checked before; the issuer may go below zero in securities, and the register follows.

    Raises InvariantBroken when one cannot be booked all the same.
    """
    if not moves:
        return
    giver, taker, asset, units = (np.array(column, np.int64) for column in zip(*moves, strict=True))
    issuer = house.internal.issuer
    _open_issuer_rows(house, asset)
    debit = house.ledger.rows(giver.astype(np.int32), asset.astype(np.int32))
    credit = house.ledger.rows(taker.astype(np.int32), asset.astype(np.int32))
    failed = house.ledger.post_all(debit, credit, units)
    if failed is not None:
        raise InvariantBroken(f"a checked move of a corporate action could not be booked: {moves[failed]}")
    issued: dict[int, int] = {}
    for one, other, what, amount in moves:
        if what >= len(CURRENCIES):
            issued[what] = issued.get(what, 0) + amount * ((one == issuer) - (other == issuer))
    register = house.custody.register
    for what, change in sorted(issued.items()):
        if change and what in register.issues:
            register.add(what, change)


def settle_money_claims(house: House, claims: Amounts) -> dict[str, int]:
    """Move claims in money (to receive +, to pay -, cancelling out) through the central counterparty; returns cents."""
    book, central = house.corporate_actions, house.internal.cns
    moves: list[Move] = []
    collected = left = 0
    for (account, currency), cents in sorted(claims.items()):
        if cents < 0:
            paid = min(-cents, max(_available(house, account, currency), 0))
            collected += paid
            left += -cents - paid
            if paid:
                moves.append((account, central, currency, paid))
            if -cents > paid:
                book.owed[account, currency] = book.owed.get((account, currency), 0) - cents - paid
    moves.extend(
        (central, account, currency, cents) for (account, currency), cents in sorted(claims.items()) if cents > 0
    )
    book_moves(house, moves)
    return {"claims_collected_cents": collected, "claims_owed_cents": left}


def collect_owed(house: House) -> tuple[int, ...]:
    """Collect what accounts still owe the central counterparty for claims; returns cents by currency."""
    book, paid = house.corporate_actions, [0] * len(CURRENCIES)
    moves: list[Move] = []
    for (account, currency), cents in sorted(book.owed.items()):
        part = min(cents, max(_available(house, account, currency), 0))
        if part:
            moves.append((account, house.internal.cns, currency, part))
            paid[currency] += part
            book.owed[account, currency] = cents - part
    book.owed = {key: cents for key, cents in book.owed.items() if cents}
    book_moves(house, moves)
    return tuple(paid)


def add_stock_claims(house: House, claims: Amounts) -> int:
    """Add claims in shares to the net positions of the central counterparty, without money; returns shares owed."""
    due = {key: units for key, units in sorted(claims.items()) if units}
    if due:
        account, asset = (np.array(column, np.int64) for column in zip(*due, strict=True))
        add_positions(house, account, asset - len(CURRENCIES), np.array(list(due.values()), np.int64))
    return sum(units for units in due.values() if units > 0)


def add_positions(
    house: House,
    account: np.ndarray,
    security: np.ndarray,
    quantity: np.ndarray,
    currency: np.ndarray | None = None,
    cents: np.ndarray | None = None,
) -> None:
    """Change what is due today with the central counterparty: quantities (receive +) and money in cents (pay +)."""
    book, zero = house.resolved, np.zeros(account.size, np.int64)
    counter = book.settlement_counter[security]
    unit = book.counter_currency[counter] if currency is None else currency
    house.settlement.positions.begin_day(
        house.position.day,
        account.astype(np.int32),
        security.astype(np.int32),
        unit.astype(np.int32),
        book.counter_market[counter].astype(np.int32),
        quantity.astype(np.int64),
        zero if cents is None else cents,
        roll=False,
    )


def instruct_claims(house: House, claims: Sequence[Claim], day: int) -> int:
    """Instruct market claims between parties, due on a day: money not in parts, shares free of payment.

    Returns how many instructions were added; each carries the number of the instruction it comes from as reference.
    """
    if not claims:
        return 0
    asset = np.array([claim.asset for claim in claims], np.int64)
    units = np.array([claim.units for claim in claims], np.int64)
    money = asset < len(CURRENCIES)
    security = np.where(money, -1, asset - len(CURRENCIES))
    book = house.resolved
    counter = book.settlement_counter[np.maximum(security, 0)]
    size, zero = len(claims), np.zeros(len(claims), np.int64)
    house.settlement.instructions.add(
        reference=np.array([claim.instruction for claim in claims], np.int64),
        deliverer=np.array([claim.payer for claim in claims], np.int64),
        receiver=np.array([claim.payee for claim in claims], np.int64),
        security=security,
        market=np.where(money, book.markets.money_alone, book.counter_market[counter]),
        currency=np.where(money, asset, 0),
        quantity=np.where(money, zero, units),
        amount_cents=np.where(money, units, zero),
        intended_day=np.full(size, day, np.int64),
        asset=np.where(money, -1, asset),
        against=np.where(money, asset, -1),
        kind=np.where(money, PFOD, FOP),
        partial=np.where(money, 0, BY_BOTH),
        origin=np.full(size, FROM_HOUSE),
        matched_day=np.full(size, house.position.day),
        changed_day=np.full(size, house.position.day),
    )
    return size


def _available(house: House, account: int, asset: int) -> int:
    row = house.ledger.find(account, asset)
    return int(house.ledger.available(np.array([row], np.int64))[0]) if row >= 0 else 0


def _open_issuer_rows(house: House, asset: np.ndarray) -> None:
    """Open rows of the issuer for securities without a floor, should they be missing."""
    securities = np.unique(asset[asset >= len(CURRENCIES)]).astype(np.int32)
    house.ledger.rows(np.full(securities.size, house.internal.issuer, np.int32), securities, floor=NO_FLOOR)
