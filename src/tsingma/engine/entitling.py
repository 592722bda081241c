"""Distributions: the record date taken, claims detected, elections closed, money and shares paid."""

from __future__ import annotations

import msgspec

from tsingma.basics.dates import to_date
from tsingma.basics.money import CURRENCIES
from tsingma.custody.events.book import CorporateAction, EventStatus
from tsingma.custody.events.claims import DETECTION_DAYS, Claim, detect
from tsingma.custody.events.entitlement import Entitled, choose, entitled_accounts
from tsingma.custody.events.outturn import Amounts, Outturn, distribute
from tsingma.custody.events.tax import tax_rates
from tsingma.custody.events.terms import DISTRIBUTIONS, default_option
from tsingma.engine.claiming import (
    UNITS_MAX,
    add_stock_claims,
    book_moves,
    instruct_claims,
    missing_funds,
    payments,
    settle_money_claims,
    too_large,
)
from tsingma.engine.cycle import settlement_days_before
from tsingma.engine.house import House
from tsingma.engine.pending import deliveries, net_pending, settled_balances
from tsingma.journal.corporate_action_events import EventStep


def entitle(house: House, action: CorporateAction) -> EventStep:
    """Take the record date: who is entitled on what, and claims on instructions that are not settled as they should."""
    terms = action.terms
    rows = entitled_accounts(settled_balances(house, terms.security), net_pending(house, terms.security, terms.ex_day))
    claims = _detected(house, action, 0, late=False)
    if any(claim.units > UNITS_MAX for claim in claims):
        return EventStep(terms.reference, "blocked", {"too_large_claims": max(claim.units for claim in claims)})
    seen = len(house.settlement.instructions)
    instructed = instruct_claims(house, claims, terms.pay_day)
    house.corporate_actions.keep(msgspec.structs.replace(action, status=EventStatus.ENTITLED, entitled=rows, seen=seen))
    figures = {
        "accounts": len(rows),
        "settled": sum(row.settled for row in rows),
        "pending_long": sum(max(row.pending, 0) for row in rows),
        "market_claims": instructed,
    }
    return EventStep(terms.reference, "entitled", figures)


def detect_late(house: House) -> list[EventStep]:
    """Claim on instructions matched after a record date, for 20 settlement days; returns a step for each event."""
    steps, day, book = [], house.position.day, house.corporate_actions
    count = len(house.settlement.instructions)
    for action in list(book.events.values()):
        terms = action.terms
        if terms.kind not in DISTRIBUTIONS or not action.entitled or action.seen >= count:
            continue
        if terms.record_day < settlement_days_before(day, DETECTION_DAYS):
            continue
        found = _detected(house, action, action.seen, late=True)
        claims = [one for one in found if one.units <= UNITS_MAX]
        instructed = instruct_claims(house, claims, max(terms.pay_day, day))
        book.keep(msgspec.structs.replace(book.get(terms.reference), seen=len(house.settlement.instructions)))
        if found:
            figures = {"market_claims": instructed, "too_large_claims": len(found) - instructed}
            steps.append(EventStep(terms.reference, "claimed", figures))
    return steps


def _detected(house: House, action: CorporateAction, first: int, *, late: bool) -> list[Claim]:
    """Return claims on instructions from number ``first`` on; a late one was not settled at the record date."""
    terms = action.terms
    option = terms.options[default_option(terms)]
    standard = tax_rates(terms.tax_regime, {}, to_date(terms.record_day)).standard_e9
    found: list[Claim] = []
    for pending in deliveries(house, terms.security, action.announced_day, first):
        if late:
            pending = msgspec.structs.replace(pending, settled=False)
        found.extend(detect(pending, terms.ex_day, option, standard))
    return found


def close_elections(house: House, action: CorporateAction) -> EventStep:
    """End the choice: who has not chosen takes the default option."""
    house.corporate_actions.keep(msgspec.structs.replace(action, status=EventStatus.CLOSED))
    elected = sum(quantity for _, _, quantity in action.elections)
    entitled = sum(max(row.total, 0) for row in action.entitled)
    return EventStep(action.terms.reference, "closed", {"elected": elected, "by_default": entitled - elected})


def entitled_now(house: House, action: CorporateAction) -> tuple[Entitled, ...]:
    """Return who is entitled in a distribution: as its record date found, before it by what stands today."""
    if action.status is not EventStatus.ANNOUNCED:
        return action.entitled
    security = action.terms.security
    return entitled_accounts(settled_balances(house, security), net_pending(house, security, action.terms.ex_day))


def expected(house: House, action: CorporateAction, option: int | None = None) -> Outturn:
    """Return what a distribution comes to by what is known now: before its record date, by what stands today.

    With ``option`` only what is chosen so (or falls to it by default). Payment and margin both read it, so that what is
    margined on pending positions is what will be paid on them.
    """
    terms, rows = action.terms, entitled_now(house, action)
    rates = tax_rates(terms.tax_regime, house.corporate_actions.holders, to_date(terms.record_day))
    chosen = choose(rows, action.elected(), default_option(terms), len(terms.options))
    return distribute(terms, rows, chosen, rates, option)


def pay(house: House, action: CorporateAction) -> EventStep:
    """Pay money and shares and move claims; waits for the next day where the issuer has not provided the money."""
    terms, day = action.terms, house.position.day
    outturn = expected(house, action)
    moves = payments(house.internal.issuer, outturn.paid, outturn.fractions)
    missing, large = missing_funds(house, house.internal.issuer, moves), too_large(house, moves, outturn.claims)
    if missing or large:
        house.corporate_actions.keep(msgspec.structs.replace(action, tried_day=day))
        return EventStep(terms.reference, "blocked" if large else "unfunded", {**large, **missing})
    book_moves(house, moves)
    figures = {
        f"paid_{house.resolved.asset_name(asset)}{'_cents' if asset < len(CURRENCIES) else ''}": units
        for asset, units in sorted(outturn.total(outturn.paid).items())
    }
    in_lieu = sorted(outturn.total(outturn.fractions).items())
    figures |= {f"in_lieu_{CURRENCIES[asset]}_cents": cents for asset, cents in in_lieu}
    figures |= {f"tax_{CURRENCIES[asset]}_cents": cents for asset, cents in sorted(outturn.total(outturn.tax).items())}
    figures |= settle_money_claims(house, _part(outturn.claims, money=True))
    figures["claims_shares"] = add_stock_claims(house, _part(outturn.claims, money=False))
    house.corporate_actions.keep(msgspec.structs.replace(action, status=EventStatus.PAID, done_day=day))
    return EventStep(terms.reference, "paid", figures)


def _part(amounts: Amounts, *, money: bool) -> Amounts:
    return {key: units for key, units in amounts.items() if (key[1] < len(CURRENCIES)) == money}
