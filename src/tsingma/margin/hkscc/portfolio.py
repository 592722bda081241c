"""Portfolio margin of Tier P: expected shortfall of every group of instruments, and the floor under their sum.

Source: HKSCC Initial Margin Calculation Guide v1.4 (October 2025), portfolio margin. A new listing and the
structured products on it are a group of their own; everything else with scenario returns is one group.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.kernels.scenario import profit_matrix
from tsingma.margin.hkscc.explanation import Explanation, TailScenario, explain, rounded, with_rounding
from tsingma.margin.hkscc.parameters import SCALE_E10, Parameters
from tsingma.margin.hkscc.terms import MARKET_VALUE_MAX, REST, MarginablePosition, ParticipantTerms


class Measure(msgspec.Struct, frozen=True, eq=False):
    """One of the two tail measures: its scenarios, how many of the worst it averages, its weight, given means."""

    name: str
    returns_e10: npt.NDArray[np.int64]  # [instruments, scenarios]
    declared: int
    tail_count: int
    confidence_e10: int
    weight_e10: int
    labels: tuple[str, ...]
    given: Mapping[str, Decimal]


def measures(parameters: Parameters, terms: ParticipantTerms) -> tuple[Measure, Measure]:
    """Return HVaR and SVaR as the parameters and given tail means define them."""
    hvar = Measure(
        "HVaR",
        parameters.hvar_returns_e10,
        parameters.hvar_count,
        parameters.hvar_tail_count,
        parameters.hvar_confidence_e10,
        parameters.hvar_weight_e10,
        parameters.hvar_dates,
        terms.tail_means_hvar,
    )
    svar = Measure(
        "SVaR",
        parameters.svar_returns_e10,
        parameters.svar_count,
        parameters.svar_tail_count,
        parameters.svar_confidence_e10,
        parameters.svar_weight_e10,
        parameters.svar_dates,
        terms.tail_means_svar,
    )
    return hvar, svar


def group_of(instrument: str, parameters: Parameters, ipo: Sequence[str]) -> str:
    """Return the group of a Tier P instrument: the new listing it is or is written on, else ``rest``."""
    product = parameters.structured_products.get(instrument)
    stock = product.underlying if product else instrument
    return stock if stock in ipo else REST


def check_size(market_values: Sequence[int], owner: str = "") -> None:
    """Refuse an account whose market values add up to more than the scenario kernel computes exactly."""
    if sum(map(abs, market_values)) > MARKET_VALUE_MAX:
        raise refuse(
            RejectionReason.OUT_OF_RANGE,
            f"market values add up to more than HKD {MARKET_VALUE_MAX:,}",
            field="market_value",
            subject=owner,
            remedy="check the unit: values are whole HKD",
        )


def require_scenarios(measure: Measure, group: str) -> None:
    """Refuse to compute a tail from fewer scenarios than the file declares."""
    carried = measure.returns_e10.shape[1]
    if carried < measure.declared:
        raise refuse(
            RejectionReason.MISSING,
            f"{carried} of {measure.declared} scenarios are carried, so no {measure.name} tail can be computed",
            subject=group,
            field="tail_means",
            remedy="give the whole parameter file, or the tail means of every group",
        )


def worst_scenarios(profit: npt.NDArray[np.int64], count: int) -> npt.NDArray[np.int64]:
    """Return the indices of the ``count`` lowest profits, worst first; equal profits in scenario order."""
    return np.argsort(profit, kind="stable")[:count].astype(np.int64)


def portfolio_margin(
    positions: Sequence[MarginablePosition], parameters: Parameters, terms: ParticipantTerms
) -> Explanation:
    """Return the explained portfolio margin in whole HKD (0 without Tier P positions).

    Every product of market value and return is rounded to whole HKD first, halves away from zero. The groups' weighted
    tail means are summed, gains included, and the absolute value taken, as the guide does. Raises Rejected when the
    file carries too few scenarios and no mean is given for a group.
    """
    check_size([position.market_value for position in positions])
    groups: dict[str, list[MarginablePosition]] = {}
    for position in positions:
        groups.setdefault(group_of(position.instrument, parameters, terms.ipo), []).append(position)
    order = [group for group in (*terms.ipo, REST) if group in groups]
    pair = measures(parameters, terms)
    nodes = [_group(group, groups[group], parameters, pair) for group in order]
    total = sum((Fraction(node.amount) for node in nodes), Fraction(0))
    if total < 0:  # a margin is the absolute value of the summed means; losses are shown as positive parts here
        nodes = [_negated(node) for node in nodes]
    floor = floor_base(position.market_value for position in positions) * Fraction(terms.tier_p_floor_e10, SCALE_E10)
    shortfall = abs(total)
    amount = rounded(max(shortfall, floor))
    if floor > shortfall:
        nodes.append(Explanation("floor top-up", floor - shortfall, "floor - expected shortfall"))
    inputs = [
        ("expected shortfall", shortfall),
        ("floor base", floor_base(position.market_value for position in positions)),
        ("floor rate", Fraction(terms.tier_p_floor_e10, SCALE_E10)),
        ("floor", floor),
        ("convention", "expected shortfall, mean of the discrete worst scenarios, no interpolation"),
    ]
    formula = "max(|sum over groups of HVaR x weight + SVaR x weight|, floor)"
    return explain("portfolio_margin", amount, formula, inputs, with_rounding(nodes, amount))


def floor_base(market_values: Iterable[int]) -> int:
    """Return the larger of the summed long and the summed absolute short market values, all groups together."""
    longs = shorts = 0
    for value in market_values:
        if value > 0:
            longs += value
        else:
            shorts -= value
    return max(longs, shorts)


def given_mean(measure: Measure, group: str) -> Fraction | None:
    """Return the given tail mean of a group in HKD, or None where it is to be computed from the scenarios."""
    if not measure.given:
        require_scenarios(measure, group)
        return None
    if group not in measure.given:
        raise refuse(
            RejectionReason.MISSING,
            f"tail means of {measure.name} are given, but none for this group",
            subject=group,
            field=f"tail_means.{measure.name.lower()}",
            remedy="give the mean of every group that has positions, or none",
        )
    return Fraction(measure.given[group])


def _group(
    group: str, positions: list[MarginablePosition], parameters: Parameters, pair: tuple[Measure, Measure]
) -> Explanation:
    row_of = {code: row for row, code in enumerate(parameters.instruments)}
    rows = np.array([row_of[position.instrument] for position in positions], dtype=np.int64)
    values = np.array([position.market_value for position in positions], dtype=np.int64)
    codes = [position.instrument for position in positions]
    parts = [_tail(measure, group, codes, rows, values) for measure in pair]
    amount = sum((Fraction(part.amount) for part in parts), Fraction(0))
    return explain(f"group {group}", amount, "HVaR x weight + SVaR x weight", [], parts)


def _tail(
    measure: Measure, group: str, codes: list[str], rows: npt.NDArray[np.int64], values: npt.NDArray[np.int64]
) -> Explanation:
    weight = Fraction(measure.weight_e10, SCALE_E10)
    mean = given_mean(measure, group)
    inputs: list[tuple[str, object]] = [("weight", weight), ("confidence", Fraction(measure.confidence_e10, SCALE_E10))]
    inputs.append(("scenarios", measure.declared))
    inputs.append(("tail count", measure.tail_count))
    if mean is not None:
        inputs.append(("tail mean", mean))
        return explain(measure.name, mean * weight, "given tail mean x weight", inputs)
    matrix = profit_matrix(values, measure.returns_e10[rows])
    profit = matrix.sum(axis=0)
    worst = worst_scenarios(profit, measure.tail_count)
    count = measure.tail_count
    parts = [
        explain(code, Fraction(int(row[worst].sum()), count) * weight, "its part of the tail mean x weight")
        for code, row in zip(codes, matrix, strict=True)
    ]
    mean = Fraction(int(profit[worst].sum()), count)
    inputs.append(("tail mean", mean))
    labels = measure.labels
    tail = [TailScenario(int(s) + 1, int(profit[s]), labels[int(s)] if labels else "") for s in worst]
    return explain(measure.name, mean * weight, "mean of the worst scenarios x weight", inputs, parts, tail)


def _negated(node: Explanation) -> Explanation:
    parts = tuple(_negated(part) for part in node.parts)
    return msgspec.structs.replace(node, amount=-Fraction(node.amount), parts=parts)
