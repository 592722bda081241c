"""One pool against separate pools, participant by participant: what it costs, what stays free, what a failure breaks.

Separate: each participant's assets lie with takers already, in proportion to what these called (``split``), each asset
with one taker; a call beyond what lies there must be met by money borrowed for it. One pool: everything is allotted to
all takers at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from tsingma.margin.pool.selection import cheapest_pool, separate_pools
from tsingma.margin.resources.collateral import Asset, HouseRules

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
    cash = {rules[taker].settlement_cash for taker in given.calls}
    lent = [_borrowable(f"{BORROWED} {kind}", given.calls, None, borrowing_e4, kind) for kind in sorted(cash)]
    together = cheapest_pool(given.calls, (*given.assets, *lent), rules)
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
