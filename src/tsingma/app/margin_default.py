"""Use cases around a default: collateral for a call, a joint close-out, an auction, contagion; from files."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import msgspec
import numpy as np

from tsingma.margin.contagion import clearing_vector
from tsingma.margin.joint.close_out import Settled, Sharing, share_close_out
from tsingma.margin.resources.auction import LotResult, auction
from tsingma.margin.resources.collateral import Selection, cheapest, house_rules
from tsingma.messages.default_files import (
    read_assets,
    read_bids,
    read_close_outs,
    read_debts,
    read_lots,
    read_members,
)


class MemberPayment(msgspec.Struct, frozen=True, kw_only=True):
    """What a member owes and pays in all, whole HKD, and the round in which it defaults (0: never)."""

    member: str
    owed: int
    paid: int
    default_round: int


def collateral_for(house: str, call: int, assets: Path, day: date) -> Selection:
    """Return the cheapest pledges that cover a call of a house; raises Rejected naming file and line."""
    return cheapest(call, read_assets(assets.read_bytes(), file=str(assets)), house_rules(house, day))


def close_out_of(houses: Path, sharing: Sharing) -> tuple[Settled, ...]:
    """Return how the result of a joint close-out is shared; raises Rejected naming file and line."""
    return share_close_out(read_close_outs(houses.read_bytes(), file=str(houses)), sharing)


def auction_of(lots: Path, bids: Path) -> tuple[LotResult, ...]:
    """Return the result of every lot; raises Rejected naming file and line."""
    reserves, must_bid = read_lots(lots.read_bytes(), file=str(lots))
    return auction(reserves, read_bids(bids.read_bytes(), file=str(bids)), must_bid)


def contagion_of(
    members: Path, debts: Path, recovery_assets: float, recovery_claims: float
) -> tuple[MemberPayment, ...]:
    """Return who pays what and who defaults in which round; raises Rejected naming file and line."""
    found = read_members(members.read_bytes(), file=str(members))
    owed = read_debts(debts.read_bytes(), found, file=str(debts))
    place = {name: k for k, name in enumerate(found)}
    matrix = np.zeros((len(found), len(found)))
    for (debtor, creditor), amount in owed.items():
        matrix[place[debtor], place[creditor]] = amount
    outside = np.array([debts_outside for _, debts_outside in found.values()], np.float64)
    clearing = clearing_vector(
        matrix, [assets for assets, _ in found.values()], outside, recovery_assets=recovery_assets,
        recovery_claims=recovery_claims,
    )  # fmt: skip
    total = matrix.sum(axis=1) + outside
    return tuple(
        MemberPayment(
            member=name, owed=round(total[k]), paid=round(float(clearing.payment[k])),
            default_round=int(clearing.default_round[k]),
        )
        for name, k in place.items()
    )  # fmt: skip
