"""What a contract permits: who may receive, what is frozen, what is whole, and what may cross to the book.

What enters circulation as tokens enters the account that mirrors it on the book by the same agreement, and what leaves
leaves there: tokenised money is minted against money moved into its backing and burnt against money moved out; a bond
is issued, bridged to the book and back, and redeemed against the same bond into and out of the custodial mirror. The
token ledger checks this on the agreement's own words, before it promises anything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.custody.tokens.ledger import BRIDGE, ISSUANCE, TokenLedger, token_of
from tsingma.custody.tokens.legs import AMOUNT_MAX, LEGS_MAX, SECONDS_A_DAY
from tsingma.journal.token_commands import Agreement, ForceTransfer, Leg

REASON_LENGTH_MAX = 500


def check_agreement(state: TokenLedger, agreement: Agreement) -> None:
    """Raise Rejected unless every token leg is permitted and what is minted or bridged is matched on the book."""
    for leg in agreement.token_legs:
        check_leg(state, leg, between_ledgers=True)
    crossing: Counter[tuple[int, int]] = Counter()  # (token, 1 out of the token ledger or -1 into it): cents
    for leg in agreement.token_legs:
        token, coupon = token_of(leg.asset)
        if coupon == -1:
            crossing[token, 1] += leg.amount * (leg.credit <= BRIDGE)
            crossing[token, -1] += leg.amount * (leg.debit <= BRIDGE)
    for leg in agreement.book_legs:
        for place in ((leg.debit, leg.asset), (leg.credit, leg.asset)):
            if (kept := state.kept_at(place)) is not None:
                crossing[kept, 1] += 0
    for token in sorted({token for token, _ in crossing}):
        contract = state.contracts[token]
        place = contract.terms.book_account, contract.terms.book_asset
        out = sum(leg.amount for leg in agreement.book_legs if (leg.debit, leg.asset) == place)
        into = sum(leg.amount for leg in agreement.book_legs if (leg.credit, leg.asset) == place)
        if (crossing[token, 1], crossing[token, -1]) != (out, into):
            raise refuse(
                RejectionReason.CONFLICT,
                f"{crossing[token, 1]} leave and {crossing[token, -1]} enter as tokens of {contract.terms.code}, "
                f"{out} and {into} on the book",
                field="legs",
                subject=agreement.settlement,
                remedy="move the same amount on both ledgers",
            )


def check_leg(state: TokenLedger, leg: Leg, *, between_ledgers: bool) -> None:
    """Raise Rejected unless the leg is permitted now; the ledger's own wallets move only between ledgers."""
    token, coupon = token_of(leg.asset)
    contract = state.contract(token)
    terms = contract.terms
    own = {leg.debit, leg.credit} & {ISSUANCE, BRIDGE}
    for wallet in {leg.debit, leg.credit} - own:
        state.require_holder(wallet)
    if not 0 < leg.amount <= AMOUNT_MAX or leg.debit == leg.credit:
        raise refuse(RejectionReason.OUT_OF_RANGE, f"{leg.amount} from {leg.debit} to {leg.credit}", field="legs")
    if own and not between_ledgers:
        raise refuse(
            RejectionReason.NOT_ALLOWED,
            "the ledger's own wallets move only against the book",
            subject=terms.code,
            remedy="agree it with the book",
        )
    if coupon >= 0:
        _check_entitlement(contract.snapshots, coupon, leg, terms.code)
        return
    if leg.amount % terms.denomination_cents:
        raise refuse(
            RejectionReason.OUT_OF_RANGE,
            f"{leg.amount} cents are no multiple of {terms.denomination_cents}",
            field="legs",
            subject=terms.code,
            remedy="move whole denominations",
        )
    if not terms.is_money:
        _check_life(state.at, terms.maturity_day, leg, terms.code)
    check_holders(state, token, leg)


def _check_entitlement(snapshots: int, coupon: int, leg: Leg, code: str) -> None:
    if coupon >= snapshots or leg.credit != ISSUANCE:
        raise refuse(
            RejectionReason.NOT_ALLOWED,
            "an entitlement is there after its record date and is handed back when it is paid",
            subject=code,
        )


def _check_life(at: int, maturity_day: int, leg: Leg, code: str) -> None:
    matured = at >= maturity_day * SECONDS_A_DAY
    if matured != (leg.credit == ISSUANCE):
        told = "it has matured: it is only redeemed" if matured else "it is redeemed at maturity, not before"
        raise refuse(RejectionReason.NOT_ALLOWED, told, subject=code)


def check_holders(state: TokenLedger, token: int, leg: Leg, *, forced: bool = False) -> None:
    """Raise Rejected (not-allowed) when the payee is not permitted or, unless ``forced``, a wallet is frozen."""
    contract = state.contracts[token]
    if leg.credit > BRIDGE and leg.credit not in contract.permitted:
        raise refuse(
            RejectionReason.NOT_ALLOWED,
            "the wallet is not permitted to receive it",
            field="credit",
            subject=f"{contract.terms.code}, {state.wallets[leg.credit].name}",
            remedy="have the issuer permit it first",
        )
    stopped = [] if forced else [wallet for wallet in (leg.debit, leg.credit) if wallet in contract.frozen]
    if stopped:
        raise refuse(
            RejectionReason.NOT_ALLOWED,
            "the wallet is frozen",
            subject=f"{contract.terms.code}, {state.wallets[stopped[0]].name}",
        )


def transfer(state: TokenLedger, legs: tuple[Leg, ...]) -> int:
    """Book legs on this ledger alone, all or none, in order; raises Rejected naming the leg that fails."""
    if not 1 <= len(legs) <= LEGS_MAX:
        raise refuse(RejectionReason.LIMIT, f"{len(legs)} legs, 1 to {LEGS_MAX} in a transfer", field="legs")
    for leg in legs:
        check_leg(state, leg, between_ledgers=False)
    book(state, legs)
    return len(legs)


def force(state: TokenLedger, command: ForceTransfer) -> None:
    """Move what is not reserved on the issuer's behalf; raises Rejected (missing) without a reason."""
    leg = command.leg
    token, coupon = token_of(leg.asset)
    contract = state.contract(token)
    if not 1 <= len(command.reason.strip()) <= REASON_LENGTH_MAX:
        raise refuse(RejectionReason.MISSING, "a forced transfer has a reason", field="reason")
    for wallet in (leg.debit, leg.credit):
        state.require_holder(wallet)
    if coupon != -1 or leg.amount % contract.terms.denomination_cents:
        raise refuse(RejectionReason.OUT_OF_RANGE, "whole denominations of the token itself", field="leg")
    check_holders(state, token, leg, forced=True)
    book(state, (leg,))


def freeze(state: TokenLedger, token: int, wallet: int, reason: str, *, frozen: bool) -> None:
    """Freeze or free a wallet in a token; raises Rejected (missing) without a reason."""
    contract = state.contract(token)
    state.require_holder(wallet)
    if not 1 <= len(reason.strip()) <= REASON_LENGTH_MAX:
        raise refuse(RejectionReason.MISSING, "a freeze has a reason", field="reason")
    contract.frozen = _with(contract.frozen, (wallet,), there=frozen)


def permit(state: TokenLedger, token: int, wallets: tuple[int, ...], *, permitted: bool) -> int:
    """Change who may receive a token and return how many may now."""
    contract = state.contract(token)
    for wallet in wallets:
        state.require_holder(wallet)
    contract.permitted = _with(contract.permitted, wallets, there=permitted)
    return len(contract.permitted)


def book(state: TokenLedger, legs: Iterable[Leg]) -> None:
    """Book legs in order, all or none; raises Rejected (insufficient) naming the leg that fails."""
    moves, before = list(legs), state.ledger.count
    assets = np.array([leg.asset for leg in moves], np.int32)
    debit = state.ledger.rows(np.array([leg.debit for leg in moves], np.int32), assets)
    credit = state.ledger.rows(np.array([leg.credit for leg in moves], np.int32), assets)
    failed = state.ledger.post_all(debit, credit, np.array([leg.amount for leg in moves], np.int64))
    if failed is None:
        return
    state.ledger.close_rows(before)
    leg = moves[failed]
    token, coupon = token_of(leg.asset)
    what = state.contracts[token].terms.code + ("" if coupon < 0 else f" coupon {coupon + 1}")
    raise refuse(
        RejectionReason.INSUFFICIENT,
        f"leg {failed + 1}: {state.wallets[leg.debit].name} lacks {leg.amount} of {what}",
        field="legs",
        remedy="what is reserved is not available",
    )


def _with(wallets: list[int], changed: tuple[int, ...], *, there: bool) -> list[int]:
    kept = set(wallets) | set(changed) if there else set(wallets) - set(changed)
    return sorted(kept)
