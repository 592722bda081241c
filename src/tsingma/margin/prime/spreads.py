"""Spreads: which deltas offset each other between months and between commodities, and what that costs or saves.

Spreads between months are standard SPAN (rules in order of priority, deltas consumed month by month from the nearest);
the type 3, 4, C and 6 records are their parameters. The PRiME wording of these steps is not public.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

import msgspec

from tsingma.margin.prime.commodity import (
    E4,
    Commodity,
    IntercommoditySpread,
    IntermonthSpread,
    Side,
    Tier,
)


class SpreadsFormed(msgspec.Struct, frozen=True):
    """Spreads formed by one rule: how many (in ten-thousandths) and what they cost or earn (currency units)."""

    priority: int
    number_e4: int
    amount: int


class MonthOutcome(msgspec.Struct, frozen=True):
    """What became of a month's delta: used in spreads, and left outright (both ten-thousandths, not negative)."""

    month: int
    used_e4: int
    left_e4: int


class CommodityRisk(msgspec.Struct, frozen=True, kw_only=True):
    """What an intercommodity credit needs to know of a commodity: its net delta and its price risk a delta."""

    delta_e4: int
    weighted_price_risk: Fraction


class Credit(msgspec.Struct, frozen=True):
    """A credit given to one commodity by one intercommodity rule."""

    commodity: str
    priority: int
    number_e4: int
    amount: int


def intermonth(
    commodity: Commodity, delta_e4: Mapping[int, int]
) -> tuple[tuple[SpreadsFormed, ...], tuple[MonthOutcome, ...]]:
    """Return the spreads formed between months, with their charges, and what is left of each month's delta."""
    left = dict(sorted(delta_e4.items()))
    tiers = {tier.number: tier for tier in commodity.tiers}
    formed: list[SpreadsFormed] = []
    for rule in sorted(commodity.intermonth, key=lambda rule: rule.priority):
        number = sum(_form(rule, tiers, left, sign) for sign in (1, -1))
        if number:
            formed.append(SpreadsFormed(rule.priority, number, half_up(Fraction(rule.charge * number, E4))))
    outcome = tuple(
        MonthOutcome(month, abs(delta) - abs(left[month]), abs(left[month]))
        for month, delta in sorted(delta_e4.items())
    )
    return tuple(formed), outcome


def _form(rule: IntermonthSpread, tiers: Mapping[int, Tier], left: dict[int, int], sign: int) -> int:
    """Form all spreads whose A legs have this sign, take their delta from ``left``; return how many, e4."""
    months = [
        [
            month
            for month, delta in left.items()
            if delta * (sign if leg.side is Side.A else -sign) > 0
            and tiers[leg.tier].first_month <= month <= tiers[leg.tier].last_month
        ]
        for leg in rule.legs
    ]
    # Legs that draw on the same months and side share their delta: they need the sum of their ratios.
    need = {(tuple(run), leg.side): 0 for run, leg in zip(months, rule.legs, strict=True)}
    for run, leg in zip(months, rule.legs, strict=True):
        need[(tuple(run), leg.side)] += leg.ratio_e4
    number = min(sum(abs(left[month]) for month in run) * E4 // ratio for (run, _), ratio in need.items())
    for (used, _), ratio in need.items():
        rest = number * ratio // E4
        for month in used:
            taken = min(rest, abs(left[month]))
            left[month] -= taken if left[month] > 0 else -taken
            rest -= taken
    return number


def spot_charge(commodity: Commodity, outcome: Sequence[MonthOutcome]) -> int:
    """Return the charge on months near delivery, in currency units."""
    months = {each.month: each for each in outcome}
    total = Fraction(0)
    for charge in commodity.spot:
        if charge.month in months:
            each = months[charge.month]
            total += Fraction(each.used_e4 * charge.per_spread_delta + each.left_e4 * charge.per_outright_delta, E4)
    return half_up(total)


def intercommodity(rules: Sequence[IntercommoditySpread], risks: Mapping[str, CommodityRisk]) -> tuple[Credit, ...]:
    """Return the credits of spreads between commodities, each delta used once, in order of priority.

    Credit of a leg = weighted price risk x spreads x ratio x credit rate, to the nearest unit downwards: a credit is
    never rounded in the account's favour.
    """
    left = {code: risk.delta_e4 for code, risk in risks.items()}
    found: list[Credit] = []
    for rule in sorted(rules, key=lambda rule: rule.priority):
        if any(not left.get(leg.commodity) for leg in rule.legs):
            continue
        sign = 1 if left[rule.legs[0].commodity] > 0 else -1
        first = rule.legs[0].side
        if any((left[leg.commodity] > 0) != ((sign > 0) == (leg.side is first)) for leg in rule.legs):
            continue
        number = min(abs(left[leg.commodity]) * E4 // leg.ratio_e4 for leg in rule.legs)
        for leg in rule.legs:
            taken = number * leg.ratio_e4 // E4
            left[leg.commodity] -= taken if left[leg.commodity] > 0 else -taken
            share = risks[leg.commodity].weighted_price_risk * Fraction(taken, E4) * Fraction(rule.credit_rate_e4, E4)
            found.append(Credit(leg.commodity, rule.priority, number, share.numerator // share.denominator))
    return tuple(found)


def half_up(value: Fraction) -> int:
    """Return the nearest whole number, halves up."""
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)
