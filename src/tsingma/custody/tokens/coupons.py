"""Coupons and redemption by contract: who held at the record date is entitled, and is paid once.

At the end of the record day every holder gets entitlements, so many cents for each denomination. Tokens reserved for
an agreement count as the seller's, and their entitlement is set aside with them: it goes to the buyer when the book
decided before the record date was over (a market claim), and stays with the seller otherwise.
"""

from __future__ import annotations

from tsingma.basics.rejection import InvariantBroken, RejectionReason, refuse
from tsingma.custody.tokens import rules
from tsingma.custody.tokens.ledger import BRIDGE, ISSUANCE, TokenLedger, asset_of
from tsingma.custody.tokens.legs import SECONDS_A_DAY, Entry, Travelling, hold_leg
from tsingma.custody.tokens.terms import coupon_cents
from tsingma.journal.token_commands import Leg
from tsingma.ledger.ledger import NO_FLOOR

REDEMPTION = -1


def take_snapshots(state: TokenLedger, at: int) -> int:
    """Issue the entitlements of every record date that is over at ``at``; returns how many record dates there were."""
    taken = 0
    for token, contract in enumerate(state.contracts):
        periods = contract.terms.periods
        while contract.snapshots < len(periods) and record_end(periods[contract.snapshots].record_day) <= at:
            _snapshot(state, token, contract.snapshots)
            contract.snapshots += 1
            taken += 1
    return taken


def record_end(record_day: int) -> int:
    """Return the second at which a record day is over."""
    return (record_day + 1) * SECONDS_A_DAY


def _snapshot(state: TokenLedger, token: int, coupon: int) -> None:
    contract = state.contracts[token]
    terms, asset = contract.terms, asset_of(token, coupon)
    per_denomination = coupon_cents(terms, coupon)
    state.ledger.row(ISSUANCE, asset, floor=NO_FLOOR)
    if not per_denomination:
        return
    legs = [
        Leg(ISSUANCE, wallet, asset, held // terms.denomination_cents * per_denomination)
        for wallet, held in state.holders(asset_of(token))
    ]
    if legs:
        rules.book(state, legs)
    end = record_end(terms.periods[coupon].record_day)
    for _, entry in state.legs.reserved():
        _set_aside(state, entry, token, asset, per_denomination, end)


def _set_aside(state: TokenLedger, entry: Entry, token: int, asset: int, per_denomination: int, end: int) -> None:
    """Hold the entitlements on tokens that are reserved, so that the decision can move them along."""
    if entry.terms is None:
        raise InvariantBroken("a reserved agreement has lost its terms")
    denomination = state.contracts[token].terms.denomination_cents
    for leg in entry.terms.token_legs:
        if leg.asset != asset_of(token) or leg.credit == ISSUANCE:
            continue
        travelling = Leg(leg.debit, leg.credit, asset, leg.amount // denomination * per_denomination)
        hold_leg(state.ledger, travelling)
        entry.travelling = (*entry.travelling, Travelling(travelling, end))


def pay_coupon(state: TokenLedger, token: int, period: int) -> tuple[int, int]:
    """Pay a coupon in tokenised money to the holders that elect it, all or none; returns holders and cents.

    Raises Rejected: not-allowed (no tokenised money, not due yet, nobody to pay), insufficient (the issuer's wallet).
    """
    contract = state.contract(token)
    terms = contract.terms
    if terms.money_token < 0:
        raise refuse(RejectionReason.NOT_ALLOWED, "the contract pays on the book only", subject=terms.code)
    if not 0 <= period < len(terms.periods):
        raise refuse(RejectionReason.UNKNOWN, f"there is no coupon {period}", field="period", subject=terms.code)
    if state.at < terms.periods[period].pay_day * SECONDS_A_DAY:
        raise refuse(RejectionReason.NOT_ALLOWED, "it is not due yet", field="period", subject=terms.code)
    legs: list[Leg] = []
    money = asset_of(terms.money_token)
    for wallet, amount in due_in_tokens(state, token, period):
        if wallet != contract.issuer_wallet:  # what the issuer holds of its own is taken back without a payment
            legs.append(Leg(contract.issuer_wallet, wallet, money, amount))
        legs.append(Leg(wallet, ISSUANCE, asset_of(token, period), amount))
    if not legs:
        raise refuse(RejectionReason.NOT_ALLOWED, "nothing is due in tokens", subject=terms.code)
    rules.book(state, legs)
    paid = [leg for leg in legs if leg.asset == money]
    return len(paid), sum(leg.amount for leg in paid)


def due_in_tokens(state: TokenLedger, token: int, period: int) -> list[tuple[int, int]]:
    """Return (wallet, cents) due in tokenised money, period -1 being redemption; frozen wallets and what is reserved
    wait.
    """
    return [(wallet, amount) for wallet, amount in _due(state, token, period) if _elects(state, token, wallet)]


def due_on_book(state: TokenLedger, token: int, period: int) -> list[tuple[int, int]]:
    """Return (wallet, cents) to be paid on the book, ``BRIDGE`` standing for those who hold on the book."""
    return [(wallet, amount) for wallet, amount in _due(state, token, period) if not _elects(state, token, wallet)]


def _due(state: TokenLedger, token: int, period: int) -> list[tuple[int, int]]:
    asset, frozen = asset_of(token, period), state.contracts[token].frozen
    found = []
    for wallet, balance in state.holders(asset):
        free = balance - int(state.ledger.held[state.ledger.find(wallet, asset)])
        if free > 0 and wallet not in frozen:
            found.append((wallet, free))
    return found


def _elects(state: TokenLedger, token: int, wallet: int) -> bool:
    return wallet > BRIDGE and state.contracts[token].terms.money_token >= 0 and state.wallets[wallet].elects_tokens
