"""Quantiles and expected shortfall of profits, each convention under its own name.

Conventions differ by real money: on one published sample the 1 % shortfall is -949,846, -958,803 or -960,609. Every
result here says which scenarios it is made of and with what weight. Levels are probabilities of the lower tail (0.01
for 99 %), read as the decimal that is written: 0.006 of 1,000 is six scenarios, not seven.

Sources: the six quantile conventions and their shortfall are those of OpenGamma Strata (QuantileCalculationMethod);
AT_OR_BELOW is Open Source Risk Engine's, EXACT_WEIGHT skfolio's (Rockafellar and Uryasev 2002), STRICTLY_BELOW
QuantLib's (riskstatistics.hpp), DISCRETE_TAIL that of the HKSCC VaR Platform ("FHS ES (Discrete)").
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from enum import StrEnum

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import RejectionReason, refuse

Float64 = npt.NDArray[np.float64]


class Quantile(StrEnum):
    """How a quantile is read off n sorted values."""

    INDEX_ABOVE = "index-above"  # the ceil(level n)-th: the inverse of the empirical distribution
    NEAREST_INDEX = "nearest-index"
    SAMPLE_INTERPOLATION = "sample-interpolation"
    SAMPLE_PLUS_ONE_NEAREST = "sample-plus-one-nearest"
    SAMPLE_PLUS_ONE_INTERPOLATION = "sample-plus-one-interpolation"
    MIDWAY_INTERPOLATION = "midway-interpolation"


class Shortfall(StrEnum):
    """Which values the expected shortfall averages."""

    AT_OR_BELOW = "at-or-below"  # everything at or below the index-above quantile
    EXACT_WEIGHT = "exact-weight"  # the tail has exactly the weight of its level; the last value counts in part
    STRICTLY_BELOW = "strictly-below"  # everything below the index-above quantile
    DISCRETE_TAIL = "discrete-tail"  # the ceil(level n) lowest


class Estimate(msgspec.Struct, frozen=True):
    """A figure and what it is made of: positions in the sample and their weights, which add up to the figure."""

    value: float
    convention: str
    level: str
    indices: tuple[int, ...]
    weights: tuple[float, ...]


_INTERPOLATED = (
    Quantile.SAMPLE_INTERPOLATION,
    Quantile.SAMPLE_PLUS_ONE_INTERPOLATION,
    Quantile.MIDWAY_INTERPOLATION,
)
_PLUS_ONE = (Quantile.SAMPLE_PLUS_ONE_NEAREST, Quantile.SAMPLE_PLUS_ONE_INTERPOLATION)


def quantile(
    sample: npt.ArrayLike, level: Decimal | str | float, convention: Quantile, *, extrapolate: bool = False
) -> Estimate:
    """Return the quantile of a sample [n] at a level in (0, 1).

    Raises Rejected (missing) for an empty sample, (out-of-range) for a level that is not between 0 and 1 and, unless
    ``extrapolate``, for one so near an end that the convention has no value there.
    """
    values, exact = _sample(sample), _level(level)
    order = np.argsort(values, kind="stable")
    position = _position(exact, values.size, convention)
    if not extrapolate and not 1 <= position <= values.size:
        message = f"level {exact} has no {convention} quantile in a sample of {values.size}"
        raise refuse(RejectionReason.OUT_OF_RANGE, message, field="level", remedy="take a longer sample")
    position = min(max(position, Decimal(1)), Decimal(values.size))
    lower = int(position.to_integral_value(ROUND_FLOOR))
    part = float(position - lower)
    places = [int(order[lower - 1])] + ([int(order[lower])] if part else [])
    weights = [1.0 - part] + ([part] if part else [])
    return _estimate(values, convention, exact, places, weights)


def quantile_shortfall(sample: npt.ArrayLike, level: Decimal | str | float, convention: Quantile) -> Estimate:
    """Return the mean of a convention's (extrapolated) quantiles over all levels from 0 to ``level``.

    Raises Rejected as :func:`quantile`. The quantile function is a step or a broken line, so the mean is exact.
    """
    values, exact = _sample(sample), _level(level)
    order = np.argsort(values, kind="stable")
    size = Decimal(values.size)
    count = size + 1 if convention in _PLUS_ONE else size
    end = exact * count
    weights = np.zeros(values.size)
    if convention in _INTERPOLATED:
        shift = Decimal("0.5") if convention is Quantile.MIDWAY_INTERPOLATION else Decimal(0)
        _line_weights(weights, float(end + shift), float(shift))
    else:
        shift = Decimal(0) if convention is Quantile.INDEX_ABOVE else Decimal("0.5")
        for place in range(
            values.size
        ):  # value number place + 1 holds from position place - shift to place + 1 - shift
            start = max(place + shift, Decimal(0)) if place else Decimal(0)
            stop = place + 1 + shift if place + 1 < values.size else max(end, Decimal(place + 1))
            weights[place] = float(max(min(stop, end) - start, Decimal(0)))
    weights /= float(end)
    used = np.flatnonzero(weights)
    return _estimate(values, f"{convention} shortfall", exact, order[used].tolist(), weights[used].tolist())


def _line_weights(weights: Float64, end: float, start: float) -> None:
    """Add the integral of the broken line through the sorted values, flat outside, from position start to end."""
    last = weights.size
    weights[0] += min(end, 1.0) - start
    place = 1
    while place < last and place < end:
        width = min(end - place, 1.0)
        weights[place] += 0.5 * width * width
        weights[place - 1] += width - 0.5 * width * width
        place += 1
    weights[last - 1] += max(end - max(last, 1), 0.0) if last > 1 or end > 1.0 else 0.0


def shortfall(sample: npt.ArrayLike, level: Decimal | str | float, convention: Shortfall) -> Estimate:
    """Return the expected shortfall of profits [n] at a level in (0, 1): a negative number is a loss.

    Raises Rejected (missing) for an empty sample, (out-of-range) for an impossible level, and for STRICTLY_BELOW when
    nothing lies below the quantile.
    """
    values, exact = _sample(sample), _level(level)
    order = np.argsort(values, kind="stable")
    exact_count = exact * values.size
    count = int(exact_count.to_integral_value(ROUND_CEILING))
    ordered = values[order]
    if convention is Shortfall.EXACT_WEIGHT:
        weights = np.full(count, 1.0 / float(exact_count))
        weights[-1] = float((exact_count - (count - 1)) / exact_count)
        return _estimate(values, convention, exact, order[:count].tolist(), weights.tolist())
    if convention is Shortfall.AT_OR_BELOW:
        count = int(np.searchsorted(ordered, ordered[count - 1], side="right"))
    elif convention is Shortfall.STRICTLY_BELOW:
        count = int(np.searchsorted(ordered, ordered[count - 1], side="left"))
        if not count:
            message = f"no value lies strictly below the {exact} quantile of {values.size}"
            raise refuse(RejectionReason.OUT_OF_RANGE, message, field="level", remedy="take a longer sample")
    return _estimate(values, convention, exact, order[:count].tolist(), [1.0 / count] * count)


def tail_count(level: Decimal | str | float, size: int) -> int:
    """Return ceil(level x size), exactly: how many scenarios a discrete tail has (at least one)."""
    return max(int((_level(level) * size).to_integral_value(ROUND_CEILING)), 1)


def _position(level: Decimal, size: int, convention: Quantile) -> Decimal:
    """Return the 1-based place of a quantile among the sorted values."""
    place = level * (size + 1 if convention in _PLUS_ONE else size)
    if convention is Quantile.INDEX_ABOVE:
        return place.to_integral_value(ROUND_CEILING)
    if convention is Quantile.MIDWAY_INTERPOLATION:
        return place + Decimal("0.5")
    if convention in _INTERPOLATED:
        return place
    return (place + Decimal("0.5")).to_integral_value(ROUND_FLOOR)


def _estimate(values: Float64, convention: str, level: Decimal, places: list[int], weights: list[float]) -> Estimate:
    value = float(np.dot(values[places], weights))
    return Estimate(value, str(convention), str(level), tuple(places), tuple(weights))


def _sample(sample: npt.ArrayLike) -> Float64:
    values = np.asarray(sample, np.float64)
    if values.ndim != 1 or not values.size:
        message = "there are no scenarios" if not values.size else f"{values.ndim} dimensions, one expected"
        raise refuse(RejectionReason.MISSING, message, field="sample", remedy="give at least one profit")
    bad = np.flatnonzero(~np.isfinite(values))
    if bad.size:
        raise refuse(RejectionReason.MALFORMED, f"value {int(bad[0]) + 1} is no finite number", field="sample")
    return values


def _level(level: Decimal | str | float) -> Decimal:
    exact = Decimal(str(level))
    if not 0 < exact < 1:
        raise refuse(RejectionReason.OUT_OF_RANGE, f"{level} is not between 0 and 1", field="level")
    return exact
