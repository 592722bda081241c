"""Whole numbers out of ratios: what an aggregate gives each holder, with nothing lost and nothing made.

A nominee receives on the sum of what it holds and hands out to each account. Every rule here states its fractions
exactly, so that what is handed out and the fractions together are the announced ratio of the whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tsingma.basics.rejection import InvariantBroken
from tsingma.journal.corporate_action_commands import FractionRule


@dataclass(frozen=True, slots=True)
class Allocation:
    """Whole units per account; ``fractions`` are parts of 1 / ``denominator`` that the units leave (may be below 0)."""

    units: tuple[int, ...]
    fractions: tuple[int, ...]
    denominator: int


def apportion(total: int, weights: Sequence[int]) -> list[int]:
    """Return ``total`` split in proportion to weights (none negative) by largest remainder, first ones first on ties.

    No share exceeds its weight while ``total`` does not exceed their sum. Raises InvariantBroken when there is
    something to split and nobody to take it.
    """
    whole = sum(weights)
    if not total:
        return [0] * len(weights)
    if whole <= 0 or total < 0:
        raise InvariantBroken(f"{total} cannot be split over weights of {whole}")
    return _largest_remainder([total * weight for weight in weights], whole, total)


def allocate(quantities: Sequence[int], numerator: int, denominator: int, rule: FractionRule) -> Allocation:
    """Return numerator / denominator units for each of the quantities (short ones owe), rounded by the rule.

    Rounding is down for longs and shorts alike (a short owes the whole unit and is owed the fraction), up with
    ROUNDED_UP, and with LARGEST_REMAINDER the units are those of the sum, rounded down.
    """
    exact = [quantity * numerator for quantity in quantities]
    if rule is FractionRule.LARGEST_REMAINDER:
        units = _largest_remainder(exact, denominator, sum(exact) // denominator)
    elif rule is FractionRule.ROUNDED_UP:
        units = [-(-value // denominator) for value in exact]
    else:
        units = [value // denominator for value in exact]
    left = tuple(value - unit * denominator for value, unit in zip(exact, units, strict=True))
    return Allocation(tuple(units), left, denominator)


def _largest_remainder(exact: Sequence[int], denominator: int, total: int) -> list[int]:
    """Round every exact value / denominator down and give what is missing to ``total`` to the largest remainders."""
    units = [value // denominator for value in exact]
    missing = total - sum(units)
    if not 0 <= missing <= len(units):
        raise InvariantBroken(f"{missing} units are missing over {len(units)} accounts")
    order = sorted(range(len(units)), key=lambda place: (-(exact[place] % denominator), place))
    for place in order[:missing]:
        units[place] += 1
    return units
