"""Offers and the exercise of rights: shares set aside, the deadline, what is taken and paid, and what lapses."""

from __future__ import annotations

import msgspec
import numpy as np

from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import InvariantBroken, RejectionReason, refuse
from tsingma.custody.events.book import CorporateAction, EventStatus
from tsingma.custody.events.offer import considered, is_good, subscription_cents, taken
from tsingma.engine.claiming import Move, book_moves, missing_funds, too_large
from tsingma.engine.converting import NOTHING, in_the_way, lapse
from tsingma.engine.house import House
from tsingma.journal.corporate_action_commands import EventKind, EventTerms
from tsingma.journal.corporate_action_events import EventStep


def set_aside(house: House, action: CorporateAction, account: int, option: int, quantity: int) -> None:
    """Hold the shares of an election and the money it takes, or free them; raises Rejected (insufficient)."""
    terms = action.terms
    before = action.elected().get((account, option), 0)
    wanted = {terms.security + len(CURRENCIES): quantity - before}
    now, then = (subscription_cents(terms, option, shares) for shares in (quantity, before))
    wanted |= {currency: now.get(currency, 0) - then.get(currency, 0) for currency in {*now, *then}}
    for asset, more in wanted.items():
        row = house.ledger.find(account, asset)
        free = int(house.ledger.available(np.array([row], np.int64))[0]) if row >= 0 else 0
        if more > free:
            raise refuse(
                RejectionReason.INSUFFICIENT,
                f"{more} of {house.resolved.asset_name(asset)} to set aside, {free} available",
                field="quantity",
                subject=terms.reference,
                remedy="elect on what is held and free, with the money for it",
            )
    for asset, more in wanted.items():
        _hold(house, account, asset, more)


def release_all(house: House, action: CorporateAction) -> None:
    """Free what every election of an offer holds."""
    for account, option, quantity in action.elections:
        _hold(house, account, action.terms.security + len(CURRENCIES), -quantity)
        for currency, cents in subscription_cents(action.terms, option, quantity).items():
            _hold(house, account, currency, -cents)


def _hold(house: House, account: int, asset: int, more: int) -> None:
    row, size = np.array([house.ledger.find(account, asset)], np.int64), np.array([abs(more)], np.int64)
    if more and (house.ledger.hold(row, size) if more > 0 else house.ledger.release(row, size)).any():
        raise InvariantBroken("what an election sets aside could not be held or freed")


def close_offer(house: House, action: CorporateAction) -> EventStep:
    """End the offer: good, or lapsed with everything free again. The exercise of rights always takes place."""
    terms, elected = action.terms, sum(quantity for _, _, quantity in action.elections)
    good = terms.kind is EventKind.RIGHTS_EXERCISE or is_good(terms, action.elections)
    if not good:
        release_all(house, action)
    status = EventStatus.CLOSED if good else EventStatus.LAPSED
    house.corporate_actions.keep(msgspec.structs.replace(action, status=status, done_day=house.position.day))
    return EventStep(terms.reference, "closed" if good else "lapsed", {"elected": elected})


def pay_offer(house: House, action: CorporateAction) -> EventStep:
    """Take the shares and pay for them; rights that nobody exercised are cancelled."""
    terms, day = action.terms, house.position.day
    shares = taken(terms, action.elections)
    moves, payer = _moves(house, terms, action, shares)
    blocked = {**missing_funds(house, payer, moves), **too_large(house, moves)}
    is_exercise = terms.kind is EventKind.RIGHTS_EXERCISE
    if is_exercise:
        blocked |= in_the_way(house, terms.security, NOTHING)
    if blocked:
        house.corporate_actions.keep(msgspec.structs.replace(action, tried_day=day))
        return EventStep(terms.reference, "unfunded" if not is_exercise else "blocked", blocked)
    release_all(house, action)
    # Settled and final before what is left of the rights lapses: elections hold nothing any more.
    house.corporate_actions.keep(msgspec.structs.replace(action, status=EventStatus.PAID, done_day=day))
    book_moves(house, moves)
    figures = {"taken": sum(shares), "returned": sum(count for _, _, count in action.elections) - sum(shares)}
    if is_exercise:
        figures |= {f"lapsed_{name}": count for name, count in lapse(house, terms).items()}
    return EventStep(terms.reference, "paid", figures)


def _moves(house: House, terms: EventTerms, action: CorporateAction, shares: list[int]) -> tuple[list[Move], int]:
    """Return the moves of the taken shares, and who pays: money comes from the offeror, new shares from the issuer."""
    issuer = house.internal.issuer
    payer = issuer if terms.counterparty < 0 else terms.counterparty
    asset = terms.security + len(CURRENCIES)
    moves: list[Move] = []
    for (account, option, _), count in zip(action.elections, shares, strict=True):
        if count and account != payer:
            moves.append((account, payer, asset, count))
        moves.extend(
            (account, issuer, currency, cents) for currency, cents in subscription_cents(terms, option, count).items()
        )
    outturn = considered(terms, action.elections, shares)
    for part in (outturn.paid, outturn.fractions):
        for (account, what), units in sorted(part.items()):
            giver = payer if what < len(CURRENCIES) else issuer
            if giver != account:
                moves.append((giver, account, what, units))
    return moves, payer
