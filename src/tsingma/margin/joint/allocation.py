"""Sharing a saving between houses: pro rata, equal percentage, Euler and Shapley, all to the unit.

The saving of a group of houses is the sum of their expected shortfalls less that of their common portfolio. Expected
shortfall is subadditive, so the saving never falls when houses join; with Euler and Shapley no house then gets a
negative part, and none owes more than alone. D. Tasche, "Capital allocation to business units and sub-portfolios: the
Euler principle", 2008; L. S. Shapley, "A value for n-person games", 1953.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from fractions import Fraction
from itertools import combinations
from math import factorial

import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import InvariantBroken

Int64 = npt.NDArray[np.int64]


class Allocation(StrEnum):
    """How the saving of the joint portfolio is shared."""

    PRO_RATA = "pro-rata"  # by stand-alone margin
    EQUAL_PERCENTAGE = "equal-percentage"  # the smallest reduction any house's own model finds, for all
    EULER = "euler"  # by what each house adds to the joint tail
    SHAPLEY = "shapley"  # the average over all orders in which houses could join


def tail_sum(profit: Int64, count: int) -> int:
    """Return the sum of the ``count`` lowest of int64 [scenarios]."""
    return int(np.partition(profit, count - 1)[:count].sum())


def tail_loss(profit: Int64, count: int) -> int:
    """Return the summed loss of the tail, not below zero (``count`` times the expected shortfall)."""
    return max(-tail_sum(profit, count), 0)


def coalition_savings(profit: Int64, count: int) -> dict[tuple[int, ...], int]:
    """Return ``count`` times the saving of every coalition of houses; ``profit`` int64 [houses, scenarios]."""
    houses = range(profit.shape[0])
    alone = [tail_loss(profit[house], count) for house in houses]
    savings: dict[tuple[int, ...], int] = {(): 0}
    for size in range(1, profit.shape[0] + 1):
        for group in combinations(houses, size):
            together = tail_loss(profit[list(group)].sum(axis=0), count)
            savings[group] = sum(alone[house] for house in group) - together
            if savings[group] < 0:
                raise InvariantBroken(f"expected shortfall is not subadditive for houses {group}")
    return savings


def shapley(savings: dict[tuple[int, ...], int], houses: int) -> list[Fraction]:
    """Return each house's exact Shapley value of the game ``savings``."""
    values = []
    for house in range(houses):
        others = [other for other in range(houses) if other != house]
        value = Fraction(0)
        for size in range(houses):
            weight = Fraction(factorial(size) * factorial(houses - size - 1), factorial(houses))
            for group in combinations(others, size):
                value += weight * (savings[tuple(sorted((*group, house)))] - savings[group])
        values.append(value)
    return values


def euler(profit: Int64, count: int) -> list[Fraction]:
    """Return ``count`` times each house's saving by its share of the joint tail.

    The joint tail is the ``count`` lowest scenarios of the sum, the earlier first among equals.
    """
    joint = profit.sum(axis=0)
    tail = np.argsort(joint, kind="stable")[:count]
    alone = [tail_loss(profit[house], count) for house in range(profit.shape[0])]
    raw = [
        Fraction(max(own + int(profit[house, tail].sum()), 0)) for house, own in enumerate(alone)
    ]  # own loss alone less what it loses in the joint tail
    wanted, found = sum(alone) - tail_loss(joint, count), sum(raw, Fraction(0))
    return [part * wanted / found for part in raw] if found else raw


def share_out(amount: int, weights: Sequence[Fraction], ceilings: Sequence[int]) -> tuple[int, ...]:
    """Return whole parts that add up to ``amount``, by weight, none above its ceiling; what is cut goes to the others.

    ``amount`` is at most the sum of the ceilings. Remainders go to the largest fractions, the first among equals.
    """
    if not 0 <= amount <= sum(ceilings):
        raise InvariantBroken(f"{amount} cannot be shared out under ceilings of {sum(ceilings)}")
    if list(weights) == list(ceilings):
        return _in_proportion(amount, ceilings)
    parts = [Fraction(0)] * len(weights)
    open_places, rest = list(range(len(weights))), Fraction(amount)
    while rest and open_places:
        total = sum((weights[place] for place in open_places), Fraction(0))
        even = not total  # nobody left has a weight: the rest is spread by room
        room = sum(ceilings[place] - parts[place] for place in open_places)
        wanted = {
            place: rest * (Fraction(ceilings[place] - parts[place]) / room if even else weights[place] / total)
            for place in open_places
        }
        full = [place for place in open_places if parts[place] + wanted[place] >= ceilings[place]]
        for place in full or open_places:
            given = min(wanted[place], ceilings[place] - parts[place])
            parts[place] += given
            rest -= given
        if not full:
            break
        open_places = [place for place in open_places if place not in full]
    whole = [part.numerator // part.denominator for part in parts]
    by_fraction = sorted(range(len(parts)), key=lambda place: (whole[place] - parts[place], place))
    for place in by_fraction[: amount - sum(whole)]:
        whole[place] += 1
    if sum(whole) != amount:
        raise InvariantBroken(f"parts {whole} do not add up to {amount}")
    return tuple(whole)


def _in_proportion(amount: int, holdings: Sequence[int]) -> tuple[int, ...]:
    """Return what :func:`share_out` does when weights are the ceilings: no ceiling binds, and integers do."""
    total = sum(holdings)
    if not total:
        return (0,) * len(holdings)
    whole = [amount * each // total for each in holdings]
    rest = [amount * each % total for each in holdings]
    for place in sorted(range(len(holdings)), key=lambda place: (-rest[place], place))[: amount - sum(whole)]:
        whole[place] += 1
    return tuple(whole)
