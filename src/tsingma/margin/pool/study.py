"""One pool against separate pools, participant by participant: what it costs, what stays free, what a failure breaks.

Separate: each participant's assets lie with takers already, in proportion to what these called (``split``), each asset
with one taker; a call beyond what lies there must be met by money borrowed for it. One pool: everything is allotted to
all takers at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from tsingma.margin.pool.selection import cheapest_pool, separate_pools
from tsingma.margin.resources.collateral import E4, Asset, HouseRules, lendable_value

BORROWED = "borrowed"


class PoolParticipant(msgspec.Struct, frozen=True, kw_only=True):
    """A participant: calls by taker (whole HKD), assets, and where each asset lies without a pool."""

    name: str
    calls: dict[str, int]
    assets: tuple[Asset, ...]
    split: dict[str, str]  # asset -> taker
    custodian: dict[str, str]  # asset -> who holds it


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """One participant's year, whole HKD: cost, money borrowed at call, and assets that stay free at market value."""

    name: str
    called: int
    cost_separate: int
    borrowed_separate: int
    free_separate: int
    cost_pool: int
    borrowed_pool: int
    free_pool: int

    @property
    def saving(self) -> int:
        """What one pool saves a year."""
        return self.cost_separate - self.cost_pool


def compare(
    participants: Sequence[PoolParticipant], rules: Mapping[str, HouseRules], *, borrowing_e4: int
) -> tuple[Compared, ...]:
    """Return both arrangements of every participant; money may be borrowed at ``borrowing_e4`` a year in either.

    Raises Rejected (unknown) for a taker without rules, and whatever the programmes refuse with money without limit.
    """
    return tuple(_one(participant, rules, borrowing_e4) for participant in participants)


def _one(given: PoolParticipant, rules: Mapping[str, HouseRules], borrowing_e4: int) -> Compared:
    split: dict[str, list[Asset]] = {taker: [] for taker in given.calls}
    for asset in given.assets:
        if given.split.get(asset.id) in split:
            split[given.split[asset.id]].append(asset)
    for taker, assets in split.items():
        assets.append(_borrowable(f"{BORROWED} for {taker}", given.calls, rules[taker], borrowing_e4))
    apart = separate_pools(given.calls, split, rules)
    together = cheapest_pool(given.calls, _with_loans(given, rules, borrowing_e4), rules)
    own = sum(asset.value for asset in given.assets)
    figures: dict[str, int] = {}
    for name, chosen in (("separate", apart), ("pool", together)):
        borrowed = sum(one.value for one in chosen.allotments if one.asset.startswith(BORROWED))
        figures |= {
            f"cost_{name}": chosen.cost_a_year,
            f"borrowed_{name}": borrowed,
            f"free_{name}": own - (chosen.pledged - borrowed),
        }
    return Compared(name=given.name, called=sum(given.calls.values()), **figures)


def _borrowable(name: str, calls: Mapping[str, int], rules: HouseRules | None, cost_e4: int, kind: str = "") -> Asset:
    """Return money without practical limit, at the cost of borrowing it."""
    return Asset(
        id=name, kind=kind or (rules.settlement_cash if rules else ""), value=2 * sum(calls.values()) + 1_000,
        cost_e4=cost_e4,
    )  # fmt: skip


class Reuse(msgspec.Struct, frozen=True, kw_only=True):
    """What a house must lodge with another, and how much of it participants' pledges stand for; whole HKD a year."""

    house: str
    other: str
    lodged: int
    reused: int
    saving: int  # what borrowing the reused part would have cost


def reuse(
    participants: Sequence[PoolParticipant], rules: Mapping[str, HouseRules], onward: Mapping[str, tuple[str, int]], *,
    borrowing_e4: int,
) -> tuple[Reuse, ...]:  # fmt: skip
    """Return what houses save when they lodge onwards what is allotted to them instead of money of their own.

    ``onward`` gives for a house where it lodges and what part (e4) of its calls; what the other house does not take of
    its participants' pledges, at that house's haircuts, is still borrowed at ``borrowing_e4`` a year.
    """
    kinds = {(one.name, asset.id): asset for one in participants for asset in one.assets}
    chosen = {one.name: cheapest_pool(one.calls, _with_loans(one, rules, borrowing_e4), rules) for one in participants}
    found = []
    for house, (other, part_e4) in sorted(onward.items()):
        lodged = sum(one.calls.get(house, 0) for one in participants) * part_e4 // E4
        taken = 0
        for name, selection in chosen.items():
            for one in selection.allotments:
                asset = kinds.get((name, one.asset))
                if one.taker == house and asset is not None:
                    taken += lendable_value(msgspec.structs.replace(asset, value=one.value), rules[other])
        used = min(taken, lodged)
        found.append(Reuse(house=house, other=other, lodged=lodged, reused=used, saving=used * borrowing_e4 // E4))
    return tuple(found)


def _with_loans(given: PoolParticipant, rules: Mapping[str, HouseRules], borrowing_e4: int) -> tuple[Asset, ...]:
    cash = {rules[taker].settlement_cash for taker in given.calls}
    lent = (_borrowable(f"{BORROWED} {kind}", given.calls, None, borrowing_e4, kind) for kind in sorted(cash))
    return (*given.assets, *lent)


class FailureOf(msgspec.Struct, frozen=True, kw_only=True):
    """What of the calls is uncovered when a custodian fails, whole HKD, and what more must be borrowed to cover all."""

    custodian: str
    lost: int
    borrowed_separate: int
    borrowed_pool: int


def fail_each(
    participants: Sequence[PoolParticipant], rules: Mapping[str, HouseRules], *, borrowing_e4: int
) -> tuple[FailureOf, ...]:
    """Return for every custodian what its failure takes away and what money must be borrowed beyond today's."""
    base = compare(participants, rules, borrowing_e4=borrowing_e4)
    names = sorted({custodian for one in participants for custodian in one.custodian.values()})
    found = []
    for name in names:
        left = [
            msgspec.structs.replace(one, assets=tuple(a for a in one.assets if one.custodian[a.id] != name))
            for one in participants
        ]
        lost = sum(a.value for one in participants for a in one.assets if one.custodian[a.id] == name)
        after = compare(left, rules, borrowing_e4=borrowing_e4)
        more = {
            kind: sum(getattr(new, f"borrowed_{kind}") - getattr(old, f"borrowed_{kind}")
                      for new, old in zip(after, base, strict=True))
            for kind in ("separate", "pool")
        }  # fmt: skip
        found.append(
            FailureOf(custodian=name, lost=lost, borrowed_separate=more["separate"], borrowed_pool=more["pool"])
        )
    return tuple(found)
