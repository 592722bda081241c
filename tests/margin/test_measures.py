"""Conventions of quantile and expected shortfall.

Goal: each named convention gives the figures published for it. Method: Strata's regression values on its two samples,
ORE's historical simulation, the three answers on one sample; a shortfall is the mean of its quantiles.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ore_example import DAYS, PUBLISHED, WORST

from tsingma.basics.rejection import Rejected
from tsingma.margin.measures import Quantile, Shortfall, quantile, quantile_shortfall, shortfall, tail_count

# OpenGamma Strata, QuantileCalculationMethodTest: the sorted sample of 100.
SAMPLE = np.array(
    [
        0.0174, 0.0237, 0.0317, 0.0405, 0.0455, 0.0589, 0.0666, 0.0679, 0.0724, 0.0745, 0.0856, 0.0955,
        0.0967, 0.1303, 0.1333, 0.1453, 0.1478, 0.1587, 0.1704, 0.1733, 0.1733, 0.1745, 0.1927, 0.1937,
        0.2319, 0.2583, 0.2631, 0.2633, 0.2808, 0.2831, 0.3012, 0.3213, 0.3506, 0.3592, 0.3788, 0.3867,
        0.3886, 0.3952, 0.3978, 0.4040, 0.4073, 0.4312, 0.4323, 0.4352, 0.4513, 0.4559, 0.4914, 0.4964,
        0.5188, 0.5192, 0.5229, 0.5342, 0.5376, 0.5385, 0.5449, 0.5514, 0.5747, 0.5908, 0.5955, 0.6093,
        0.6139, 0.6263, 0.6541, 0.6567, 0.6704, 0.6772, 0.6803, 0.6973, 0.7220, 0.7400, 0.7495, 0.7549,
        0.7584, 0.7649, 0.7686, 0.7711, 0.7864, 0.8159, 0.8203, 0.8418, 0.8464, 0.8742, 0.8758, 0.8809,
        0.8850, 0.8871, 0.8908, 0.8922, 0.8976, 0.9245, 0.9255, 0.9327, 0.9387, 0.9434, 0.9532, 0.9535,
        0.9544, 0.9825, 0.9917, 0.9948,
    ]
)  # fmt: skip
PLUS_ONE = (Quantile.SAMPLE_PLUS_ONE_NEAREST, Quantile.SAMPLE_PLUS_ONE_INTERPOLATION)


@pytest.mark.parametrize(
    ("convention", "level", "value"),
    [
        (Quantile.SAMPLE_INTERPOLATION, 0.935, 0.94105),
        (Quantile.NEAREST_INDEX, 0.935, 0.9434),
        (Quantile.SAMPLE_INTERPOLATION, 0.764, 0.77722),
        (Quantile.NEAREST_INDEX, 0.764, 0.7711),
        (Quantile.SAMPLE_INTERPOLATION, 0.95, 0.9532),
        (Quantile.NEAREST_INDEX, 0.95, 0.9532),
        (Quantile.INDEX_ABOVE, 0.95, 0.9532),
        (Quantile.SAMPLE_INTERPOLATION, 0.9999, 0.994769),
        (Quantile.NEAREST_INDEX, 0.9999, 0.9948),
        (Quantile.SAMPLE_PLUS_ONE_INTERPOLATION, 0.935, 0.947663),
        (Quantile.SAMPLE_PLUS_ONE_NEAREST, 0.935, 0.9434),
        (Quantile.SAMPLE_PLUS_ONE_INTERPOLATION, 0.764, 0.791238),
        (Quantile.SAMPLE_PLUS_ONE_NEAREST, 0.764, 0.7864),
        (Quantile.SAMPLE_PLUS_ONE_INTERPOLATION, 0.95, 0.953485),
        (Quantile.SAMPLE_PLUS_ONE_NEAREST, 0.95, 0.9535),
        (Quantile.MIDWAY_INTERPOLATION, 0.935, 0.9434),
        (Quantile.MIDWAY_INTERPOLATION, 0.764, 0.7711 + 0.9 * (0.7864 - 0.7711)),
    ],
)
def test_published_quantiles(convention: Quantile, level: float, value: float) -> None:
    """Goal: Strata's regression values to 1e-10. Method: its sample, shuffled; the figure is its weights."""
    shuffled = np.random.default_rng(1).permutation(SAMPLE)
    estimate = quantile(shuffled, level, convention)
    assert estimate.value == pytest.approx(value, abs=1e-10)
    assert float(np.dot(shuffled[list(estimate.indices)], estimate.weights)) == estimate.value


@pytest.mark.parametrize(
    ("level", "value"),
    [(0.935, 0.478780748663101), (0.764, 0.388652617801047), (0.95, 0.48622), (0.9999, 0.510629582958296)],
)
def test_published_shortfalls(level: float, value: float) -> None:
    """Goal: Strata's index-above shortfalls to 1e-10. Method: its sample."""
    assert quantile_shortfall(SAMPLE, level, Quantile.INDEX_ABOVE).value == pytest.approx(value, abs=1e-10)


@pytest.mark.parametrize("convention", list(Quantile))
@pytest.mark.parametrize("level", ["0.0001", "0.004", "0.05", "0.5", "0.935", "0.95", "0.9999"])
def test_a_shortfall_is_the_mean_of_its_quantiles(convention: Quantile, level: str) -> None:
    """Goal: for all six conventions, ES = mean of extrapolated quantiles. Method: Strata's own check, by midpoints."""
    steps = 20_000
    values = [
        quantile(SAMPLE, (k + 0.5) / steps * float(level), convention, extrapolate=True).value
        for k in range(0, steps, 4)
    ]
    assert quantile_shortfall(SAMPLE, level, convention).value == pytest.approx(np.mean(values), abs=2e-4)
    estimate = quantile_shortfall(SAMPLE, level, convention)
    assert sum(estimate.weights) == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("name", sorted(WORST))
def test_ore_example(name: str) -> None:
    """Goal: ORE's published VaR and ES to 1e-6. Method: its 36 worst profits of 715, the rest above them."""
    sample = np.concatenate([WORST[name], np.full(DAYS - 36, 1.0)])
    var_1, var_5, es_1, es_5 = PUBLISHED[name]
    for level, var, es in ((0.01, var_1, es_1), (0.05, var_5, es_5)):
        assert quantile(sample, level, Quantile.INDEX_ABOVE).value == pytest.approx(var, abs=1.1e-6)
        assert shortfall(sample, level, Shortfall.AT_OR_BELOW).value == pytest.approx(es, abs=1.1e-6)


def test_three_answers_on_one_sample() -> None:
    """Goal: the conventions differ as published. Method: ORE's sample at 1 % by ORE, skfolio and QuantLib."""
    sample = np.concatenate([WORST["All"], np.full(DAYS - 36, 1.0)])
    answers = {
        convention: round(shortfall(sample, "0.01", convention).value)
        for convention in (Shortfall.AT_OR_BELOW, Shortfall.EXACT_WEIGHT, Shortfall.STRICTLY_BELOW)
    }
    assert list(answers.values()) == [-949_846, -958_803, -960_609]


def test_tail_counts_are_decimal() -> None:
    """Goal: 99.4 % of 1,000 has six scenarios. Method: the trap of binary floating point, and the guide's 21."""
    assert (tail_count("0.006", 1000), tail_count(0.006, 1000), tail_count("0.02", 1018)) == (6, 6, 21)
    assert len(shortfall(np.arange(1000.0), 0.006, Shortfall.DISCRETE_TAIL).indices) == 6


@given(st.lists(st.integers(-1000, 1000), min_size=1, max_size=60), st.integers(1, 99))
def test_shortfall_is_coherent(profits: list[int], percent: int) -> None:
    """Goal: exact-weight ES is never above the quantile, and shifts with the sample. Method: random samples."""
    level = f"0.{percent:02d}"
    tail = shortfall(profits, level, Shortfall.EXACT_WEIGHT).value
    assert tail <= quantile(profits, level, Quantile.INDEX_ABOVE).value + 1e-9
    moved = shortfall(np.array(profits) + 7, level, Shortfall.EXACT_WEIGHT).value
    assert moved == pytest.approx(tail + 7)


@pytest.mark.parametrize("convention", [*list(Quantile)[1:]])
def test_levels_without_a_value_are_refused(convention: Quantile) -> None:
    """Goal: no silent extrapolation. Method: Strata's refusals at 0.0001; impossible levels; empty samples."""
    with pytest.raises(Rejected, match="has no"):
        quantile(SAMPLE, 0.0001, convention)
    for level in (0.0, 1.01):
        with pytest.raises(Rejected, match="not between 0 and 1"):
            quantile(SAMPLE, level, convention)


def test_bad_samples_are_refused() -> None:
    """Goal: an empty scenario set is never a zero margin. Method: no values, no number, nothing below."""
    with pytest.raises(Rejected, match="there are no scenarios"):
        shortfall([], 0.01, Shortfall.DISCRETE_TAIL)
    with pytest.raises(Rejected, match="value 2 is no finite number"):
        shortfall([1.0, float("nan")], 0.01, Shortfall.DISCRETE_TAIL)
    with pytest.raises(Rejected, match="strictly below"):
        shortfall([1.0, 1.0], 0.01, Shortfall.STRICTLY_BELOW)
    with pytest.raises(Rejected, match="2 dimensions"):
        shortfall([[1.0]], 0.01, Shortfall.DISCRETE_TAIL)
