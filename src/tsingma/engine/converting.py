"""Reorganisations: balances, net positions, obligations of the days to come and instructions, converted at one instant.

Contract money stays what it was; only quantities (and, in a merger, the security) change. The last closing price is
restated with the ratio, so that a margin run between conversion and the next closing prices values new shares at it.
"""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import InvariantBroken
from tsingma.basics.rounding import divide_half_away
from tsingma.clearing.obligations import DuePositions
from tsingma.custody.events.book import CorporateAction, EventStatus
from tsingma.custody.events.claims import DETECTION_DAYS, Claim
from tsingma.custody.events.conversion import (
    claimed_net,
    converted_balances,
    converted_delivery,
    converted_net,
    share_term,
)
from tsingma.custody.events.terms import REORGANISATIONS
from tsingma.engine.claiming import (
    UNITS_MAX,
    Move,
    add_positions,
    book_moves,
    instruct_claims,
    missing_funds,
    payments,
    settle_money_claims,
    too_large,
)
from tsingma.engine.cycle import settlement_days_before
from tsingma.engine.house import House
from tsingma.engine.pending import net_pending, open_deliveries, settled_balances
from tsingma.journal.corporate_action_commands import EventOption, EventTerms
from tsingma.journal.corporate_action_events import EventStep
from tsingma.settlement.instruction import CANCELLED, COLUMNS, DVD
from tsingma.settlement.reservation import ACTIVE, RELEASED

Int64 = npt.NDArray[np.int64]
NOTHING = EventOption("LAPS")
_EVER = 2**31 - 1  # no trade date is after it


def convert(house: House, action: CorporateAction) -> EventStep:
    """Convert everything that stands in the event's security, or return a step that says what is in the way."""
    terms, option = action.terms, action.terms.options[0]
    moves = _balance_moves(house, terms, option)
    pending = net_pending(house, terms.security, _EVER)
    claims = claimed_net(option, list(pending), list(pending.values())).claims
    blocked = {
        **in_the_way(house, terms.security, option),
        **missing_funds(house, house.internal.issuer, moves),
        **too_large(house, [*moves, *_pending_moves(house, terms.security, option, pending)], claims),
    }
    if blocked:
        return EventStep(terms.reference, "blocked", blocked)
    figures = carry_out(house, terms, option, moves)
    seen = len(house.settlement.instructions)
    house.corporate_actions.keep(
        msgspec.structs.replace(action, status=EventStatus.CONVERTED, done_day=house.position.day, seen=seen)
    )
    return EventStep(terms.reference, "converted", figures)


def transform_late(house: House) -> list[EventStep]:
    """Convert deliveries matched after a conversion and traded before it, for 20 settlement days; returns the steps."""
    steps, book, first_day = [], house.corporate_actions, 0
    for action in list(book.events.values()):
        terms, count = action.terms, len(house.settlement.instructions)
        if terms.kind not in REORGANISATIONS or action.status is not EventStatus.CONVERTED or action.seen >= count:
            continue
        first_day = first_day or settlement_days_before(house.position.day, DETECTION_DAYS)
        if terms.ex_day < first_day:
            continue
        option, open_quantity = terms.options[0], house.settlement.instructions.table["open_quantity"]
        found = open_deliveries(house, terms.security, action.seen, terms.ex_day)
        sizes = [converted_delivery(option, int(open_quantity[one]))[0] for one in found.tolist()]
        late = found[np.array([size <= UNITS_MAX for size in sizes], np.bool_)]
        figures = _instructions(house, terms.security, option, late)
        book.keep(msgspec.structs.replace(action, seen=len(house.settlement.instructions)))
        if late.size:
            steps.append(EventStep(terms.reference, "transformed", figures))
    return steps


def _pending_moves(house: House, security: int, option: EventOption, pending: dict[int, int]) -> list[Move]:
    """Return what pending deliveries become as moves, for the check of sizes only."""
    issuer, term, table = house.internal.issuer, share_term(option), house.settlement.instructions.table
    instructed = table["open_quantity"][open_deliveries(house, security)].tolist()
    moves: list[Move] = []
    for size in (*map(abs, pending.values()), *instructed):
        units, money = converted_delivery(option, size)
        moves.extend((issuer, issuer, currency, cents) for currency, cents in money.items())
        if term is not None:
            moves.append((issuer, issuer, term.security + len(CURRENCIES), units))
    return moves


def in_the_way(house: House, security: int, option: EventOption) -> dict[str, int]:
    """Return what keeps a security from being converted: pledged shares, or unpaid ones where they are exchanged.

    Shares set aside for an agreement with the token ledger are in the way until it is decided: what was promised there
    is these shares.
    """
    ledger, asset = house.ledger, security + len(CURRENCIES)
    rows = np.flatnonzero(ledger.asset == asset)
    found = {"pledged_shares": int(ledger.pledged[rows].sum()), "agreed_shares": house.synchronised.held_of(asset)}
    term, positions = share_term(option), house.settlement.positions
    if term is None or term.security != security:
        found["unpaid_shares"] = int(positions.on_hold[positions.security == security].sum())
    return {name: shares for name, shares in found.items() if shares}


def lapse(house: House, terms: EventTerms) -> dict[str, int]:
    """Cancel every unit of a security without consideration: settled, pending, and on instruction."""
    return carry_out(house, terms, NOTHING, _balance_moves(house, terms, NOTHING))


def _balance_moves(house: House, terms: EventTerms, option: EventOption) -> list[Move]:
    """Return the moves that cancel settled balances and give what they become."""
    issuer, asset = house.internal.issuer, terms.security + len(CURRENCIES)
    balances = settled_balances(house, terms.security)
    outturn = converted_balances(terms, option, list(balances), list(balances.values()))
    cancelled: list[Move] = [(account, issuer, asset, units) for account, units in balances.items()]
    return [*cancelled, *payments(issuer, outturn.paid, outturn.fractions)]


def carry_out(house: House, terms: EventTerms, option: EventOption, moves: list[Move]) -> dict[str, int]:
    """Convert balances by checked moves, then positions, obligations and instructions; returns figures."""
    security = terms.security
    pending = net_pending(house, security, _EVER)
    claims = claimed_net(option, list(pending), list(pending.values()))
    _end_reservations(house, security)
    held = _take_off_hold(house, security)
    book_moves(house, moves)
    _positions(house, security, option)
    _put_on_hold(house, held, option)
    _obligations(house, security, option)
    figures = {"balances": sum(asset >= len(CURRENCIES) for _, _, asset, _ in moves), "net_positions": len(pending)}
    figures |= _instructions(house, security, option, open_deliveries(house, security))
    figures |= settle_money_claims(house, claims.claims)
    _restate_price(house, security, option)
    return figures


def _end_reservations(house: House, security: int) -> None:
    """Give back what is reserved of the old shares: an amount of them means nothing any more."""
    reservations = house.settlement.reservations
    table = reservations.table
    mine = (table["status"] == ACTIVE) & (table["asset"] == security + len(CURRENCIES))
    chosen = np.flatnonzero(mine).astype(np.int64)
    reservations.free(house.ledger, chosen)
    reservations.end(chosen, RELEASED, house.position.day)


def _take_off_hold(house: House, security: int) -> dict[int, int]:
    """Take received and unpaid shares off hold; returns them by account."""
    positions = house.settlement.positions
    line = np.flatnonzero((positions.security == security) & (positions.on_hold > 0))
    account, shares = positions.account[line], positions.on_hold[line].copy()
    rows = house.ledger.rows(account, np.full(line.size, security + len(CURRENCIES), np.int32))
    if house.ledger.release(rows, shares).any():
        raise InvariantBroken("unpaid shares are not on hold in the books")
    positions.on_hold[line] = 0
    return dict(zip(account.tolist(), shares.tolist(), strict=True))


def _put_on_hold(house: House, held: dict[int, int], option: EventOption) -> None:
    """Put what unpaid shares have become on hold again; where they are exchanged there are none (``in_the_way``)."""
    term = share_term(option)
    if term is None:
        return
    positions, ledger = house.settlement.positions, house.ledger
    for account, shares in held.items():
        row = np.array([ledger.find(account, term.security + len(CURRENCIES))], np.int64)
        again = min(shares * term.new // term.old, int(ledger.available(row)[0]))
        line = np.flatnonzero((positions.account == account) & (positions.security == term.security))
        if ledger.hold(row, np.array([again], np.int64))[0] and again:
            raise InvariantBroken("converted shares could not be put on hold")
        positions.on_hold[line] += again


def _positions(house: House, security: int, option: EventOption) -> None:
    """Convert open net positions; in an exchange the money that has not fallen due goes with the new shares."""
    positions, term = house.settlement.positions, share_term(option)
    line = np.flatnonzero((positions.security == security) & (positions.open != 0))
    if not line.size:
        return
    account, opened = positions.account[line].astype(np.int64), positions.open[line].copy()
    after = np.array(converted_net(option, opened.tolist()), np.int64)
    target = security if term is None else term.security
    if target == security:
        add_positions(house, account, np.full(line.size, security), after - opened)
        return
    money = np.flatnonzero(np.isin(positions.money_line, line))
    owner, unit = positions.money_account[money].astype(np.int64), positions.money_currency[money].astype(np.int64)
    unmoved = positions.due_cents[money] - positions.moved_cents[money]
    home = np.full(line.size, int(house.resolved.counter_currency[house.resolved.settlement_counter[security]]))
    owners, units = np.concatenate([account, owner]), np.concatenate([home, unit])
    for one, quantity, cents in ((security, -opened, -unmoved), (target, after, unmoved)):
        add_positions(
            house,
            owners,
            np.full(owners.size, one),
            np.concatenate([quantity, np.zeros(money.size, np.int64)]),
            units,
            np.concatenate([np.zeros(line.size, np.int64), cents]),
        )


def _obligations(house: House, security: int, option: EventOption) -> None:
    """Convert what is due on the days to come, counter by counter."""
    book, term = house.resolved, share_term(option)
    for day in house.obligations.days:
        due = house.obligations.due(day)
        counter, quantity = due.counter.copy(), due.quantity.copy()
        for number in np.unique(counter[book.counter_security[counter] == security]).tolist():
            here = due.counter == number
            quantity[here] = converted_net(option, due.quantity[here].tolist())
            if term is not None and term.security != security:
                counter[here] = counter_in(house, term.security, int(book.counter_currency[number]))
        house.obligations.restate(day, DuePositions(due.account, counter, quantity, due.amount_cents, due.legs))


def counter_in(house: House, security: int, currency: int) -> int:
    """Return the counter of a security in a currency, or -1 when it has none."""
    book = house.resolved
    found = np.flatnonzero((book.counter_security == security) & (book.counter_currency == currency))
    return int(found[0]) if found.size else -1


def _instructions(house: House, security: int, option: EventOption, old: Int64) -> dict[str, int]:
    """Cancel open deliveries of the security and replace them by what their open part becomes."""
    instructions, links = house.settlement.instructions, house.settlement.links
    table, term = instructions.table, share_term(option)
    if not old.size:
        return {"instructions_cancelled": 0, "instructions_replaced": 0}
    claims: list[Claim] = []
    units = np.zeros(old.size, np.int64)
    for place, number in enumerate(old.tolist()):
        left = int(table["open_quantity"][number])
        units[place], money = converted_delivery(option, left)
        payer, payee = int(table["deliverer"][number]), int(table["receiver"][number])
        claims.extend(Claim(number, payer, payee, asset, cents) for asset, cents in money.items() if cents)
        links.part(instructions, number)
    rows = {name: table[name][old].copy() for name in COLUMNS}
    rest = instructions.second_leg(old) - instructions.settled_amount(old)
    rows["amount_cents"] = np.where(rows["kind"] == DVD, rows["amount_cents"], rest)
    rows["against_quantity"] = np.where(rows["kind"] == DVD, rest, rows["against_quantity"])
    instructions.change(old, CANCELLED)
    kept = units > 0
    if term is not None:
        rows |= {
            "security": np.full(old.size, term.security),
            "asset": np.full(old.size, term.security + len(CURRENCIES)),
        }
    rows |= {"quantity": units, "open_quantity": units, "settled_day": np.zeros(old.size, np.int32),
             "released_quantity": np.zeros(old.size, np.int64), "together": np.zeros(old.size, np.int32),
             "blocked_on": np.full(old.size, -1), "reason": np.zeros(old.size, np.int8)}  # fmt: skip
    if kept.any():
        instructions.add(**{name: column[kept] for name, column in rows.items()})
    instruct_claims(house, claims, house.position.day)
    return {"instructions_cancelled": int(old.size), "instructions_replaced": int(kept.sum())}


def _restate_price(house: House, security: int, option: EventOption) -> None:
    term = share_term(option)
    if term is None or term.security != security:
        return
    for counter in np.flatnonzero(house.resolved.counter_security == security).tolist():
        price = int(house.price_e4[counter])
        if price:
            house.price_e4[counter] = max(divide_half_away(price * term.old, term.new), 1)
