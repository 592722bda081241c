"""Legs: transfers of custody that belong together, booked at one instant in the order told, or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.ledger.ledger import NO_FLOOR, Ledger

AMOUNT_MAX = 2**62


class Leg(NamedTuple):
    """One transfer: ``amount`` (units, or cents) of an asset from an account to another; all are indices."""

    giver: int
    taker: int
    asset: int
    amount: int


def book(ledger: Ledger, legs: Sequence[Leg], *, issuer: int, subject: str = "") -> None:
    """Book all legs in order, or none. Legs of amount 0 and from an account to itself change nothing and are left out.

    ``issuer`` may go below zero: what it is short of is what is issued. Raises Rejected (insufficient) naming the first
    leg that its giver could not cover, (out-of-range) for an amount that no book takes; the ledger is as before then.
    """
    moves = [leg for leg in legs if leg.amount and leg.giver != leg.taker]
    if not moves:
        return
    for leg in moves:
        if not 0 < leg.amount <= AMOUNT_MAX:
            raise refuse(
                RejectionReason.OUT_OF_RANGE, f"{leg.amount} cannot be booked", field="amount", subject=subject
            )
    rows_before = ledger.count
    giver, taker, kind, amount = (np.array(column, np.int64) for column in zip(*moves, strict=True))
    own = kind[(giver == issuer) | (taker == issuer)].astype(np.int32)
    ledger.rows(np.full(own.size, issuer, np.int32), own, floor=NO_FLOOR)
    asset = kind.astype(np.int32)
    rows = ledger.rows(np.concatenate([giver, taker]).astype(np.int32), np.concatenate([asset, asset]))
    debit, credit = rows[: asset.size], rows[asset.size :]
    failed = ledger.post_all(debit, credit, amount)
    if failed is None:
        return
    free = int(ledger.available(debit[failed : failed + 1])[0])
    ledger.close_rows(rows_before)
    leg = moves[failed]
    raise refuse(
        RejectionReason.INSUFFICIENT,
        f"account {leg.giver} gives {leg.amount} of asset {leg.asset}, {free} available before",
        field="amount",
        subject=subject,
        remedy="fund the account, or release what is on hold or pledged",
    )
