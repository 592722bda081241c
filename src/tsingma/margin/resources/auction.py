"""The auction of a defaulter's book: lots, sealed bids, one winner a lot.

A bid is what a survivor pays (plus) or asks (minus) to take a lot whole; the best valid bid wins, the first of
equals. A lot
without a bid at or above its reserve is not sold. Those who do not bid where they must bear losses first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from tsingma.basics.rejection import RejectionReason, refuse


class Bid(msgspec.Struct, frozen=True, kw_only=True):
    """A sealed bid for a whole lot, in whole HKD: plus is paid to the house, minus by it."""

    lot: str
    bidder: str
    amount: int


class LotResult(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a lot: winner and price, or none; who had to bid and did not."""

    lot: str
    winner: str | None
    amount: int
    absent: tuple[str, ...]


def auction(
    reserves: Mapping[str, int], bids: Sequence[Bid], must_bid: Mapping[str, Sequence[str]] | None = None
) -> tuple[LotResult, ...]:
    """Return every lot's result in the order of ``reserves`` (least acceptable bids).

    Raises Rejected for a bid on an unknown lot, or two bids of one bidder for a lot.
    """
    best: dict[str, Bid] = {}
    bidders: dict[str, set[str]] = {lot: set() for lot in reserves}
    for bid in bids:
        if bid.lot not in reserves:
            raise refuse(RejectionReason.UNKNOWN, f"there is no lot '{bid.lot}'", subject=bid.bidder, field="lot")
        if bid.bidder in bidders[bid.lot]:
            raise refuse(RejectionReason.DUPLICATE, f"bids twice for '{bid.lot}'", subject=bid.bidder, field="lot")
        bidders[bid.lot].add(bid.bidder)
        if bid.amount >= reserves[bid.lot] and (bid.lot not in best or bid.amount > best[bid.lot].amount):
            best[bid.lot] = bid
    return tuple(
        LotResult(
            lot=lot,
            winner=best[lot].bidder if lot in best else None,
            amount=best[lot].amount if lot in best else 0,
            absent=tuple(name for name in (must_bid or {}).get(lot, ()) if name not in bidders[lot]),
        )
        for lot in reserves
    )
