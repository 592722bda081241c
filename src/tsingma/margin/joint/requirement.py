"""The margin of one portfolio held at several clearing houses.

    saving          = sum of each house's expected shortfall - expected shortfall of the common portfolio    (one pot)
    joint           = sum of stand-alone margins - saving
    credit of house = its part of the saving, cut to what leaves the house covered on its own positions
    called of house = stand-alone margin - credit

    one pot         = (1 - stress weight) x shortfall of the common portfolio + stress weight x its stressed shortfall,
                      not below what the cap leaves, not above the stand-alone sum

Only diversification is a saving: where a house's own model asks for more than the joint one, the difference stays.
Books that lose together save nothing. Two pots: every house holds margin for its own positions, credit is cut where it
would be left short. One pot: the houses share one margin and close the book out together. House and client accounts
are margined apart: an account is one call of this module.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from fractions import Fraction

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import InvariantBroken, RejectionReason, refuse
from tsingma.margin.joint.allocation import (
    Allocation,
    coalition_savings,
    euler,
    shapley,
    share_out,
    tail_loss,
    tail_sum,
)
from tsingma.margin.measures import Quantile, Shortfall, quantile, tail_count

Int64 = npt.NDArray[np.int64]

HOUSES_MAX = 6
E4 = 10_000
AMOUNT_MAX = 2**53


class Correlations(StrEnum):
    """Which dependence between houses the joint tail sees."""

    HISTORICAL = "historical"
    FLIPPED = "flipped"  # stress switch: every hedge fails, all houses have their worst days together


class JointSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The joint model as named inputs.

    ``level`` tail probability of the expected shortfall (discrete tail); ``coverage_level`` the share of days on which
    a house's own loss may exceed its margin; ``saving_cap_e4`` the largest part of the stand-alone sum that is given;
    ``stress_weight_e4`` of the stressed scenarios in one pot (25 %: EMIR RTS article 28 (b), as HKSCC's).
    """

    level: str = "0.01"
    coverage_level: str = "0.01"
    saving_cap_e4: int = 8_000
    stress_weight_e4: int = 2_500
    correlations: Correlations = Correlations.HISTORICAL


class HouseRisk(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """An account's risk at one house, in whole HKD: its margin there, and its profit in every common scenario.

    ``profit`` int64 [scenarios] at the joint horizon (the longest holding period of the houses); ``own_profit`` at the
    house's own holding period, for its coverage (the same when None); ``stress_profit`` int64 [stress scenarios] at the
    joint horizon; ``reduction`` (houses apart, combined) as the house's own scenarios find them.
    """

    house: str
    standalone: int
    profit: Int64
    own_profit: Int64 | None = None
    stress_profit: Int64 | None = None
    reduction: tuple[int, int] | None = None


class HouseShare(msgspec.Struct, frozen=True, kw_only=True):
    """What one house calls under one allocation."""

    house: str
    standalone: int
    saving: int  # its part of the joint saving
    needed: int  # margin that covers its own scenario losses at the coverage level
    credit: int  # what is given after the cut
    called: int


class Shares(msgspec.Struct, frozen=True, kw_only=True):
    """One allocation: houses in order, and the totals before and after the cut for coverage."""

    allocation: Allocation
    houses: tuple[HouseShare, ...]
    joint: int  # stand-alone less the whole saving
    called: int  # what is called once every house is covered on its own


class JointMargin(msgspec.Struct, frozen=True, kw_only=True):
    """The joint margin of one account, all allocations side by side."""

    account: str
    level: str
    convention: str
    correlations: Correlations
    scenarios: int
    standalone: int
    expected_shortfall_alone: tuple[int, ...]
    expected_shortfall_joint: int
    saving: int
    equal_percentage_e4: int  # the smallest reduction any house finds, as CME and FICC take it
    one_pot: int  # what one portfolio needs when the houses share one margin
    one_pot_parts: dict[str, tuple[int, ...]]  # by allocation, houses in order; they add up to it
    tail: tuple[int, ...]  # scenario numbers of the joint tail, worst first
    tail_by_house: tuple[tuple[int, ...], ...]  # profit of every house in them
    shares: tuple[Shares, ...]

    def by(self, allocation: Allocation) -> Shares:
        """Return the shares of one allocation."""
        return next(each for each in self.shares if each.allocation is allocation)


def joint_margin(account: str, risks: Sequence[HouseRisk], settings: JointSettings | None = None) -> JointMargin:
    """Return the joint margin of an account at 2 to 6 houses, in whole HKD.

    Raises Rejected naming account and house: a house twice, too many houses, a negative stand-alone margin, no
    scenarios, or scenario sets of different length.
    """
    settings = settings or JointSettings()
    profit = _checked(account, risks, settings)
    count = tail_count(settings.level, profit.shape[1])
    if settings.correlations is Correlations.FLIPPED:
        profit = np.sort(profit, axis=1)  # every house's worst scenario on the same day
    alone = tuple(max(risk.standalone, 0) for risk in risks)
    savings = coalition_savings(profit, count)
    full = savings[tuple(range(len(risks)))]
    cap = sum(alone) * settings.saving_cap_e4 // E4
    saving = min(full // count, cap)
    percentage = _equal_percentage_e4(profit, count, risks, settings)
    weights = {
        Allocation.PRO_RATA: [Fraction(each) for each in alone],
        Allocation.EULER: euler(profit, count),
        Allocation.SHAPLEY: shapley(savings, len(risks)),
    }
    shares = [_shares(name, share_out(saving, weight, alone), risks, settings) for name, weight in weights.items()]
    equal = tuple(each * min(percentage, settings.saving_cap_e4) // E4 for each in alone)
    shares.insert(1, _shares(Allocation.EQUAL_PERCENTAGE, equal, risks, settings))
    pot = _one_pot(profit, risks, settings)
    parts = {str(name): share_out(sum(alone) - pot, weight, alone) for name, weight in weights.items()}
    joint = profit.sum(axis=0)
    tail = np.argsort(joint, kind="stable")[:count]
    return JointMargin(
        account=account,
        level=settings.level,
        convention=str(Shortfall.DISCRETE_TAIL),
        correlations=settings.correlations,
        scenarios=profit.shape[1],
        standalone=sum(alone),
        expected_shortfall_alone=tuple(-(-tail_loss(row, count) // count) for row in profit),
        expected_shortfall_joint=-(-tail_loss(joint, count) // count),
        saving=saving,
        equal_percentage_e4=percentage,
        one_pot=pot,
        one_pot_parts={
            name: tuple(own - less for own, less in zip(alone, each, strict=True)) for name, each in parts.items()
        },
        tail=tuple(int(each) + 1 for each in tail),
        tail_by_house=tuple(tuple(int(value) for value in row[tail]) for row in profit),
        shares=tuple(shares),
    )


def _shares(
    allocation: Allocation, saving: tuple[int, ...], risks: Sequence[HouseRisk], settings: JointSettings
) -> Shares:
    """Cut each house's part to what leaves it covered, and check the identities."""
    houses = []
    for part, risk in zip(saving, risks, strict=True):
        needed = coverage_margin(risk, settings.coverage_level)
        credit = min(part, max(risk.standalone - needed, 0))
        houses.append(
            HouseShare(
                house=risk.house, standalone=risk.standalone, saving=part, needed=needed, credit=credit,
                called=risk.standalone - credit,
            )
        )  # fmt: skip
    total = sum(risk.standalone for risk in risks)
    called = sum(each.called for each in houses)
    if (
        any(not 0 <= each.called <= each.standalone for each in houses)
        or called + sum(e.credit for e in houses) != total
    ):
        raise InvariantBroken(f"{allocation}: a house is called more than alone, or parts do not add up")
    return Shares(allocation=allocation, houses=tuple(houses), joint=total - sum(saving), called=called)


def coverage_margin(risk: HouseRisk, level: str) -> int:
    """Return the smallest margin that covers the house's own scenario losses but for ``level`` of them."""
    profit = risk.profit if risk.own_profit is None else risk.own_profit
    return max(-round(quantile(profit, level, Quantile.INDEX_ABOVE, extrapolate=True).value), 0)


def _one_pot(profit: Int64, risks: Sequence[HouseRisk], settings: JointSettings) -> int:
    """Return what the common portfolio needs in one pot; without stressed scenarios the others have all the weight."""
    count = tail_count(settings.level, profit.shape[1])
    weight, stressed, stress_count = 0, 0, 1
    profits = [risk.stress_profit for risk in risks if risk.stress_profit is not None]
    if len(profits) == len(risks):
        stress = np.stack(profits)
        if settings.correlations is Correlations.FLIPPED:
            stress = np.sort(stress, axis=1)
        weight, stress_count = settings.stress_weight_e4, tail_count(settings.level, stress.shape[1])
        stressed = tail_loss(stress.sum(axis=0), stress_count)
    mixed = Fraction((E4 - weight) * tail_loss(profit.sum(axis=0), count), count * E4)
    mixed += Fraction(weight * stressed, stress_count * E4)
    alone = sum(risk.standalone for risk in risks)
    floor = alone - alone * settings.saving_cap_e4 // E4
    return min(max(-(-mixed.numerator // mixed.denominator), floor), alone)


def reduction_seen(profits: Sequence[Int64], level: str = "0.01") -> tuple[int, int]:
    """Return (houses apart, combined): summed tail losses of int64 [scenarios] of each house, and of them together."""
    rows = np.stack(list(profits))
    count = tail_count(level, rows.shape[1])
    return sum(tail_loss(row, count) for row in rows), tail_loss(rows.sum(axis=0), count)


def _equal_percentage_e4(profit: Int64, count: int, risks: Sequence[HouseRisk], settings: JointSettings) -> int:
    """Return the smallest reduction any house sees, in ten-thousandths, rounded down.

    Each house compares the combined portfolio with the stand-alone ones by its own model and the smaller reduction
    holds for all (CME-FICC restated agreement, 88 FR 48926; the formula is our reading). Without figures of their own
    the houses see the common scenarios.
    """
    own = [risk.reduction for risk in risks if risk.reduction is not None]
    if settings.correlations is Correlations.HISTORICAL and len(own) == len(risks):
        return equal_percentage_e4(own)
    alone = sum(tail_loss(row, count) for row in profit)
    return equal_percentage_e4([(alone, tail_loss(profit.sum(axis=0), count))])


def equal_percentage_e4(reductions: Sequence[tuple[int, int]]) -> int:
    """Return min over houses of 1 - combined / stand-alone, in ten-thousandths, not below zero, rounded down.

    ``reductions`` holds (stand-alone, combined) as each house's own model finds them. Raises Rejected for none.
    """
    if not reductions:
        raise refuse(RejectionReason.MISSING, "no house gives a reduction", field="reductions")
    return min(max(alone - combined, 0) * E4 // alone if alone > 0 else 0 for alone, combined in reductions)


def scenario_netted(profits: Sequence[Int64], level: str) -> int:
    """Return the margin of the netted scenario profits of several houses, each at its own holding period."""
    total = np.sum(np.stack(list(profits)), axis=0)
    count = tail_count(level, total.size)
    return max(-(tail_sum(total, count) // count), 0)


def _checked(account: str, risks: Sequence[HouseRisk], settings: JointSettings) -> Int64:
    names = [risk.house for risk in risks]

    def bad(reason: RejectionReason, field: str, message: str, house: str = "") -> None:
        subject = f"account {account}" + (f", {house}" if house else "")
        raise refuse(reason, message, field=field, subject=subject)

    if not 2 <= len(risks) <= HOUSES_MAX:
        bad(RejectionReason.LIMIT, "house", f"{len(risks)} houses, 2 to {HOUSES_MAX} are margined together")
    if len(set(names)) != len(names):
        bad(RejectionReason.DUPLICATE, "house", "a house stands twice")
    if not 0 <= settings.saving_cap_e4 <= E4:
        bad(RejectionReason.OUT_OF_RANGE, "saving_cap_e4", f"{settings.saving_cap_e4} is not 0 to {E4}")
    sizes = {risk.profit.size for risk in risks} | {
        risk.own_profit.size for risk in risks if risk.own_profit is not None
    }
    for risk in risks:
        if risk.profit.ndim != 1 or not risk.profit.size:
            bad(RejectionReason.MISSING, "profit", "there are no scenarios", risk.house)
    for risk in risks:
        if len(sizes) > 1:
            bad(RejectionReason.MALFORMED, "profit", f"scenario sets of different length: {sorted(sizes)}", risk.house)
        if not 0 <= risk.standalone < AMOUNT_MAX:
            bad(RejectionReason.OUT_OF_RANGE, "standalone", f"{risk.standalone} is no margin", risk.house)
        if int(np.abs(risk.profit).max()) >= AMOUNT_MAX // HOUSES_MAX:
            bad(RejectionReason.OUT_OF_RANGE, "profit", "a scenario profit does not fit", risk.house)
    return np.stack([risk.profit.astype(np.int64) for risk in risks])
