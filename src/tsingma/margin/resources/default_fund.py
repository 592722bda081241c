"""The size of a default fund and who pays it.

Uncollateralised loss of a participant = max(0, stress loss - its margin and other collateral). The fund covers the
largest one (cover 1) or the two largest (cover 2) groups of participants in the worst scenario of the worst day. Shares
follow each participant's average key over the last 60 business days (HKSCC: expected uncollateralised loss; HKCC: net
margin liability). Above a threshold, a group whose loss exceeds half of it lodges the excess itself (HKSCC, HKCC:
HKD 7.3 bn; default-fund pages).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import msgspec

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.margin.joint.allocation import share_out

KEY_DAYS = 60
E4 = 10_000


class Exposure(msgspec.Struct, frozen=True, kw_only=True):
    """A participant's stress loss in a scenario of a day, and its collateral; whole HKD, losses positive."""

    day: str
    scenario: str
    participant: str
    group: str
    loss: int
    collateral: int
    line: int = 0

    @property
    def uncovered(self) -> int:
        """Return the loss that collateral leaves."""
        return max(self.loss - self.collateral, 0)


class Key(msgspec.Struct, frozen=True):
    """A participant's allocation key of one day."""

    day: str
    participant: str
    amount: int


class FundRules(msgspec.Struct, frozen=True, kw_only=True):
    """How a fund is sized: cover 1 or 2, HKD minimum and threshold, the least share, and the house's own part."""

    cover: int = 2
    minimum: int = 100_000_000
    threshold: int = 7_300_000_000
    house_share_e4: int = 1_000
    least_contribution: int = 150_000


class Fund(msgspec.Struct, frozen=True, kw_only=True):
    """The fund: what it must cover, where that comes from, and what everyone brings (whole HKD)."""

    size: int
    worst_day: str
    worst_scenario: str
    defaulters: tuple[str, ...]
    largest_losses: tuple[int, ...]
    house_part: int
    contributions: dict[str, int]
    extra_margin: dict[str, int]  # by group, where the threshold is reached


def group_losses(exposures: Sequence[Exposure]) -> dict[tuple[str, str], dict[str, int]]:
    """Return uncollateralised losses by (day, scenario) and group; a group's participants do not offset each other.

    Raises Rejected for none, for negative collateral and for a participant twice in one scenario.
    """
    if not exposures:
        raise refuse(RejectionReason.MISSING, "there are no stress losses", field="exposures")
    seen: set[tuple[str, str, str]] = set()
    found: dict[tuple[str, str], dict[str, int]] = {}
    for one in exposures:
        key = (one.day, one.scenario, one.participant)
        if key in seen:
            raise refuse(
                RejectionReason.DUPLICATE, "stands twice in one scenario", line=one.line, subject=one.participant
            )
        if one.collateral < 0:
            raise refuse(
                RejectionReason.OUT_OF_RANGE, "is negative", line=one.line, field="collateral", subject=one.participant
            )
        seen.add(key)
        groups = found.setdefault((one.day, one.scenario), {})
        groups[one.group] = groups.get(one.group, 0) + one.uncovered
    return found


def size_fund(exposures: Sequence[Exposure], keys: Sequence[Key], rules: FundRules | None = None) -> Fund:
    """Return the fund that covers the losses of these days, shared by key.

    Raises Rejected as :func:`group_losses`, and (missing) when no participant has a key in the last 60 days.
    """
    rules = rules or FundRules()
    if rules.cover not in (1, 2):
        raise refuse(RejectionReason.OUT_OF_RANGE, f"cover {rules.cover} is neither 1 nor 2", field="cover")
    worst = max(
        group_losses(exposures).items(),
        key=lambda item: (sum(_largest(item[1], rules.cover).values()), item[0]),
    )
    (day, scenario), losses = worst
    largest = _largest(losses, rules.cover)
    size = max(sum(largest.values()), rules.minimum)
    capped = min(size, rules.threshold)
    half = rules.threshold // 2
    extra = {group: loss - half for group, loss in losses.items() if size > rules.threshold and loss > half}
    house = capped * rules.house_share_e4 // E4
    return Fund(
        size=capped,
        worst_day=day,
        worst_scenario=scenario,
        defaulters=tuple(largest),
        largest_losses=tuple(largest.values()),
        house_part=house,
        contributions=_contributions(capped - house, keys, rules.least_contribution),
        extra_margin=extra,
    )


def _largest(losses: dict[str, int], count: int) -> dict[str, int]:
    order = sorted(losses.items(), key=lambda item: (-item[1], item[0]))
    return dict(order[:count])


def _contributions(amount: int, keys: Sequence[Key], least: int) -> dict[str, int]:
    days = sorted({key.day for key in keys})[-KEY_DAYS:]
    if not days:
        raise refuse(RejectionReason.MISSING, "no participant has a key", field="keys")
    totals: dict[str, int] = {}
    for key in keys:
        if key.amount < 0:
            raise refuse(RejectionReason.OUT_OF_RANGE, "is negative", field="key", subject=key.participant)
        if key.day >= days[0]:
            totals[key.participant] = totals.get(key.participant, 0) + key.amount
    names = sorted(totals)
    shared = max(amount - least * len(names), 0)
    weights = [Fraction(totals[name]) if sum(totals.values()) else Fraction(1) for name in names]
    parts = share_out(shared, weights, [shared] * len(names))
    return {name: part + least for name, part in zip(names, parts, strict=True)}
