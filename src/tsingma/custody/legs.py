"""Legs: transfers of custody that belong together, booked at one instant in the order told, or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.ledger.ledger import NO_FLOOR, Ledger


class Leg(NamedTuple):
    """One transfer: ``amount`` (units, or cents) of an asset from an account to another; all are indices."""

    giver: int
    taker: int
    asset: int
    amount: int


def book(ledger: Ledger, legs: Sequence[Leg], *, issuer: int, subject: str = "") -> None:
    """Book all legs in order, or none. Legs of amount 0 and from an account to itself change nothing and are left out.

    ``issuer`` may go below zero: what it is short of is what is issued. Raises Rejected (insufficient) naming the first
    leg that its giver could not cover, (out-of-range) for a negative amount; the ledger is as before then.
    """
    moves = [leg for leg in legs if leg.amount and leg.giver != leg.taker]
    if not moves:
        return
    rows_before = ledger.count
    for leg in moves:
        for account in (leg.giver, leg.taker):
            ledger.row(account, leg.asset, floor=NO_FLOOR if account == issuer else 0)
    owner = np.array([[leg.giver, leg.taker] for leg in moves], np.int32)
    asset = np.array([leg.asset for leg in moves], np.int32)
    debit, credit = ledger.rows(owner[:, 0], asset), ledger.rows(owner[:, 1], asset)
    failed = ledger.post_all(debit, credit, np.array([leg.amount for leg in moves], np.int64))
    if failed is None:
        return
    free = int(ledger.available(debit[failed : failed + 1])[0])
    ledger.close_rows(rows_before)
    leg = moves[failed]
    if leg.amount < 0:
        raise refuse(RejectionReason.OUT_OF_RANGE, f"{leg.amount} cannot be booked", field="amount", subject=subject)
    raise refuse(
        RejectionReason.INSUFFICIENT,
        f"account {leg.giver} gives {leg.amount} of asset {leg.asset}, {free} available before",
        field="amount",
        subject=subject,
        remedy="fund the account, or release what is on hold or pledged",
    )
