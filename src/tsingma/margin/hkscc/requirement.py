"""The margin requirement of one participant: components, round-up, marks, credit and further add-ons.

Source: HKSCC Initial Margin Calculation Guide v1.4 (October 2025), aggregation and other components.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import msgspec

from tsingma.basics.rejection import InvariantBroken
from tsingma.basics.rounding import round_up_to
from tsingma.margin.hkscc.components import (
    corporate_action_margin,
    flat_rate_margin,
    holiday_addon,
    liquidation_risk_addon,
    map_components,
    structured_product_addon,
)
from tsingma.margin.hkscc.explanation import Explanation, explain, rounded
from tsingma.margin.hkscc.parameters import SCALE_E10, Parameters
from tsingma.margin.hkscc.portfolio import portfolio_margin
from tsingma.margin.hkscc.terms import MarginablePosition, ParticipantTerms, PositionLimit


class Components(msgspec.Struct, frozen=True, kw_only=True):
    """The market-risk components of one account in whole HKD, and the two sums its positions bring."""

    portfolio_margin: int
    flat_rate_margin: int
    liquidation_risk_addon: int
    structured_product_addon: int
    corporate_action_margin: int
    holiday_addon: int
    mark_to_market: int  # market value - contract value: positive is favourable
    net_market_value: int  # of all positions, corporate actions included


class MarginResult(msgspec.Struct, frozen=True, kw_only=True):
    """The margin of one account, every figure in whole HKD, in the order in which they are computed."""

    portfolio_margin: int
    flat_rate_margin: int
    liquidation_risk_addon: int
    structured_product_addon: int
    corporate_action_margin: int
    holiday_addon: int
    aggregate: int
    rounded: int
    favourable_mtm: int
    mtm_requirement: int
    net_margin: int
    net_margin_after_credit: int
    position_limit_addon: int
    credit_risk_addon: int
    ad_hoc_addon: int
    total: int


class ExplainedMargin(msgspec.Struct, frozen=True):
    """A margin result and the tree that explains it."""

    result: MarginResult
    explanation: Explanation


def margin(
    positions: Sequence[MarginablePosition], parameters: Parameters, terms: ParticipantTerms, *, file: str = ""
) -> ExplainedMargin:
    """Return the explained margin of netted positions.

    Raises Rejected for positions the parameters do not cover (see ``map_components``) and for tails that cannot be
    computed; ``file`` names the positions in messages.
    """
    mapped = map_components(positions, parameters, file=file, first_line=2 if file else 0)
    nodes = [
        portfolio_margin(mapped.tier_p, parameters, terms),
        flat_rate_margin(mapped.flat, parameters, terms),
        liquidation_risk_addon(mapped.tier_p, parameters, terms),
        structured_product_addon((*mapped.tier_p, *mapped.flat), parameters, terms),
        corporate_action_margin(mapped.corporate, parameters),
    ]
    nodes.append(holiday_addon(int(nodes[0].amount), int(nodes[1].amount), parameters))
    market = sum(position.market_value for position in positions)
    contract = sum(position.contract_value for position in positions)
    amounts = {node.component: int(node.amount) for node in nodes}
    components = Components(**amounts, mark_to_market=market - contract, net_market_value=market)
    result = requirement(components, parameters.rounding, terms)
    return ExplainedMargin(result, _explain_total(result, nodes, components, parameters, terms))


def requirement(components: Components, rounding: int, terms: ParticipantTerms) -> MarginResult:
    """Return all figures that follow from the components: sum, round-up, marks, credit, add-ons, total.

    Favourable marks and the marks requirement exclude each other; the holiday add-on is no part of the base of the
    position limit add-on.
    """
    base = (
        components.portfolio_margin
        + components.flat_rate_margin
        + components.liquidation_risk_addon
        + components.structured_product_addon
        + components.corporate_action_margin
    )
    aggregate = base + components.holiday_addon
    up = round_up_to(aggregate, rounding)
    favourable = max(components.mark_to_market, 0)
    required = max(-components.mark_to_market, 0)
    net = max(up - favourable, 0)
    after_credit = max(net - terms.margin_credit, 0)
    limit = position_limit_addon(
        components.net_market_value, round_up_to(base, rounding), after_credit > 0, terms.position_limit
    )
    return MarginResult(
        portfolio_margin=components.portfolio_margin,
        flat_rate_margin=components.flat_rate_margin,
        liquidation_risk_addon=components.liquidation_risk_addon,
        structured_product_addon=components.structured_product_addon,
        corporate_action_margin=components.corporate_action_margin,
        holiday_addon=components.holiday_addon,
        aggregate=aggregate,
        rounded=up,
        favourable_mtm=favourable,
        mtm_requirement=required,
        net_margin=net,
        net_margin_after_credit=after_credit,
        position_limit_addon=limit,
        credit_risk_addon=terms.credit_risk_addon,
        ad_hoc_addon=terms.ad_hoc_addon,
        total=after_credit + required + limit + terms.credit_risk_addon + terms.ad_hoc_addon,
    )


def position_limit_addon(
    net_market_value: int, rounded_base: int, has_net_margin: bool, limit: PositionLimit | None
) -> int:
    """Return the add-on of a participant whose net market value exceeds what its liquid capital carries, in whole HKD.

    ``max(NMV - min(liquid capital x multiplier, cap), 0) / NMV x rounded base x rate``; the rate is one higher when
    nothing is left after the credit. The guide's example prints 487,332, which divides by 300,450,000; by its own
    net market value of 300,550,000 the formula gives 487,169.
    """
    size = abs(net_market_value)
    if limit is None or size == 0:
        return 0
    carried = Fraction(limit.liquid_capital * limit.multiplier_e10, SCALE_E10)
    if limit.cap is not None:
        carried = min(carried, Fraction(limit.cap))
    excess = max(size - carried, Fraction(0)) / size
    rate = Fraction(limit.addon_rate_e10 + (0 if has_net_margin else SCALE_E10), SCALE_E10)
    return rounded(excess * rounded_base * rate)


def _explain_total(
    result: MarginResult,
    nodes: list[Explanation],
    components: Components,
    parameters: Parameters,
    terms: ParticipantTerms,
) -> Explanation:
    aggregate = explain("aggregate", result.aggregate, "sum of the components", [], nodes)
    up = [aggregate, Explanation("rounding up", result.rounded - result.aggregate, f"to {parameters.rounding:,}")]
    rounded_node = explain("rounded", result.rounded, "aggregate rounded up", [], up)
    used = result.rounded - result.net_margin
    marks = Explanation("favourable_mtm used", -used, "market value - contract value, at most the rounded margin")
    net = explain("net_margin", result.net_margin, "max(rounded - favourable MTM, 0)", [], [rounded_node, marks])
    used = result.net_margin - result.net_margin_after_credit
    credit = Explanation("margin credit used", -used, "at most the net margin")
    after = explain(
        "net_margin_after_credit", result.net_margin_after_credit, "max(net margin - credit, 0)", [], [net, credit]
    )
    parts = [
        after,
        explain("mtm_requirement", result.mtm_requirement, "max(contract value - market value, 0)"),
        _limit_node(result, components, terms),
        explain("credit_risk_addon", result.credit_risk_addon, "notified by the clearing house"),
        explain("ad_hoc_addon", result.ad_hoc_addon, "notified by the clearing house"),
    ]
    inputs = [
        ("model", "HKSCC VaR Platform, Initial Margin Calculation Guide v1.4"),
        ("parameters", parameters.name),
        ("valuation date", parameters.valuation_date.isoformat()),
    ]
    formula = "net margin after credit + MTM requirement + add-ons"
    tree = explain("total", result.total, formula, inputs, parts)
    check_tree(tree)
    return tree


def _limit_node(result: MarginResult, components: Components, terms: ParticipantTerms) -> Explanation:
    limit = terms.position_limit
    if limit is None:
        return explain("position_limit_addon", result.position_limit_addon, "no position limit applies")
    rate_e10 = limit.addon_rate_e10 + (0 if result.net_margin_after_credit > 0 else SCALE_E10)
    inputs = [
        ("net market value", abs(components.net_market_value)),
        ("liquid capital", limit.liquid_capital),
        ("multiplier", Fraction(limit.multiplier_e10, SCALE_E10)),
        ("cap", "none" if limit.cap is None else limit.cap),
        ("base without holiday add-on", result.aggregate - result.holiday_addon),
        ("rate", Fraction(rate_e10, SCALE_E10)),
    ]
    formula = "max(NMV - min(liquid capital x multiplier, cap), 0) / NMV x rounded base x rate"
    return explain("position_limit_addon", result.position_limit_addon, formula, inputs)


def check_tree(tree: Explanation) -> None:
    """Raise InvariantBroken unless the parts of every node add up to it (design invariant 10)."""
    for node in tree.walk():
        total = sum((Fraction(part.amount) for part in node.parts), Fraction(0))
        if node.parts and total != node.amount:
            raise InvariantBroken(f"{node.component} is {node.amount} but its parts add up to {total}")
