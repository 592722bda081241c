"""Two pots, leg by leg: a credit for each spread between houses, as CME and NYMEX gave it.

Reduction of a recognised spread = credit rate x the smaller of the two houses' outright margins on its leg
("Calculation of the cross-margining reduction", CME-NYMEX cross-margining agreement). Each of the two houses lowers its
requirement by the reduction. A leg is what an account has at a house in one underlying.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import msgspec

from tsingma.basics.rejection import RejectionReason, refuse

E4 = 10_000


class Leg(msgspec.Struct, frozen=True):
    """An account's exposure to one underlying at one house: signed delta value and outright margin, whole HKD."""

    house: str
    underlying: str
    delta_value: int
    outright_margin: int


class RecognisedSpread(msgspec.Struct, frozen=True):
    """A spread between two houses: matched delta value and the reduction each of them grants."""

    underlying: str
    first: str
    second: str
    matched: int
    reduction: int


def min_leg_credits(legs: Sequence[Leg], credit_rate_e4: int) -> tuple[RecognisedSpread, ...]:
    """Return the spreads between opposite legs of each underlying, houses paired in the order given.

    A matched part of a leg carries its part of the outright margin; nothing is matched twice. Raises Rejected for a
    rate outside 0 to 1 and a negative margin.
    """
    if not 0 <= credit_rate_e4 <= E4:
        raise refuse(RejectionReason.OUT_OF_RANGE, f"{credit_rate_e4} is not 0 to {E4}", field="credit_rate_e4")
    for leg in legs:
        if leg.outright_margin < 0:
            subject = f"{leg.house} {leg.underlying}"
            raise refuse(RejectionReason.OUT_OF_RANGE, "is negative", field="outright_margin", subject=subject)
    left = [abs(leg.delta_value) for leg in legs]
    spreads = []
    for i, one in enumerate(legs):
        for j in range(i + 1, len(legs)):
            two = legs[j]
            opposite = one.delta_value * two.delta_value < 0
            if one.underlying != two.underlying or one.house == two.house or not opposite:
                continue
            matched = min(left[i], left[j])
            if not matched:
                continue
            left[i] -= matched
            left[j] -= matched
            margins = [Fraction(leg.outright_margin * matched, abs(leg.delta_value)) for leg in (one, two)]
            credit = min(margins) * credit_rate_e4 / E4
            reduction = credit.numerator // credit.denominator
            spreads.append(RecognisedSpread(one.underlying, one.house, two.house, matched, reduction))
    return tuple(spreads)


def reductions_by_house(spreads: Sequence[RecognisedSpread]) -> dict[str, int]:
    """Return what each house lowers its requirement by."""
    total: dict[str, int] = {}
    for spread in spreads:
        for house in (spread.first, spread.second):
            total[house] = total.get(house, 0) + spread.reduction
    return total
