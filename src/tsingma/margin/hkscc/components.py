"""The components beside portfolio margin: flat rate, liquidation risk, structured products, corporate actions, holiday.

Source: HKSCC Initial Margin Calculation Guide v1.4 (October 2025), market-risk components. Every figure comes with its
explanation, whose parts add up to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

import msgspec

from tsingma.basics.rejection import InvariantBroken, Rejected, Rejection, RejectionReason, refuse
from tsingma.basics.rounding import divide_half_away
from tsingma.margin.hkscc.explanation import Explanation, explain, rounded, with_rounding
from tsingma.margin.hkscc.parameters import (
    ENTITLEMENTS,
    FAULTS_SHOWN,
    SCALE_E10,
    BetaHedge,
    CorporateAction,
    Parameters,
)
from tsingma.margin.hkscc.terms import DEFAULT_SUBGROUP, MarginablePosition, ParticipantTerms

_ENTITLEMENT_TYPE = {prefix: kind for kind, prefix in ENTITLEMENTS.items()}


class Mapped(msgspec.Struct, frozen=True):
    """Positions by what margins them: scenario returns (Tier P), a flat rate (Tier N), or a corporate action."""

    tier_p: tuple[MarginablePosition, ...]
    flat: tuple[MarginablePosition, ...]
    corporate: tuple[MarginablePosition, ...]


def corporate_action_of(instrument: str, parameters: Parameters) -> CorporateAction | None:
    """Return the FieldType 7 row of a code like ``DSP700`` (type, stock code), or None."""
    kind = _ENTITLEMENT_TYPE.get(instrument[:3])
    return parameters.corporate_actions.get((instrument[3:], kind)) if kind is not None else None


def map_components(
    positions: Sequence[MarginablePosition], parameters: Parameters, *, file: str = "", first_line: int = 0
) -> Mapped:
    """Return the positions by component.

    Raises Rejected naming the instruments (the first twenty) that the parameters do
    not cover (a position is never margined at zero for
    want of parameters), every instrument given twice, and market values against the sign of their quantity.
    ``first_line`` is the line of the first position in ``file``, for messages.
    """
    tier_p_codes = set(parameters.instruments)
    tier_p: list[MarginablePosition] = []
    flat: list[MarginablePosition] = []
    corporate: list[MarginablePosition] = []
    found: list[Rejection] = []
    seen: set[str] = set()
    for offset, position in enumerate(positions):
        code = position.instrument
        fault = _position_fault(position, parameters, tier_p_codes, seen)
        seen.add(code)
        if fault is not None:
            line = first_line + offset if first_line else 0
            found.append(msgspec.structs.replace(fault, file=file, line=line, subject=code))
        elif code in tier_p_codes:
            tier_p.append(position)
        elif code in parameters.flat_rates_e10:
            flat.append(position)
        else:
            corporate.append(position)
    if found:
        raise Rejected(*found[:FAULTS_SHOWN])
    return Mapped(tuple(tier_p), tuple(flat), tuple(corporate))


def _position_fault(
    position: MarginablePosition, parameters: Parameters, tier_p_codes: set[str], seen: set[str]
) -> Rejection | None:
    code = position.instrument
    if code in seen:
        return Rejection(
            reason=RejectionReason.DUPLICATE,
            field="instrument",
            message="stands twice",
            remedy="net the positions of one instrument, or give them with their dates",
        )
    if position.market_value and position.quantity * position.market_value <= 0:
        return Rejection(
            reason=RejectionReason.CONFLICT,
            field="market_value",
            message=f"quantity {position.quantity} and market value {position.market_value} differ in sign",
            remedy="market value = quantity x price; a price is not negative",
        )
    if code in tier_p_codes:
        if code in parameters.beta_hedges or code in parameters.structured_products:
            return None
        return Rejection(
            reason=RejectionReason.MISSING,
            field="FieldType 4",
            message="has scenario returns but no liquidation data",
            remedy=f"add its row of field type 4 or 5 to {parameters.name}",
        )
    if code in parameters.flat_rates_e10 or corporate_action_of(code, parameters) is not None:
        return None
    return Rejection(
        reason=RejectionReason.UNKNOWN,
        field="instrument",
        message=f"has no parameters in {parameters.name}",
        remedy="use the parameter file of the day, or correct the code",
    )


def flat_rate_margin(
    positions: Sequence[MarginablePosition], parameters: Parameters, terms: ParticipantTerms
) -> Explanation:
    """Return the explained flat rate margin (Tier N) in whole HKD.

    Per sub-group only the larger side, by market value, is charged: multiplier x |market value| x rate. Sides of equal
    value: the one with the larger charge.
    """
    groups: dict[str, list[MarginablePosition]] = {}
    for position in positions:
        groups.setdefault(terms.flat_rate_groups.get(position.instrument, DEFAULT_SUBGROUP), []).append(position)
    multiplier = Fraction(terms.margin_multiplier_e10, SCALE_E10)
    nodes = []
    for group in sorted(groups):
        sides = [_side(groups[group], sign, parameters, multiplier) for sign in (1, -1)]
        (longs, long_parts), (shorts, short_parts) = sides
        long_charge, short_charge = (sum((Fraction(p.amount) for p in parts), Fraction(0)) for _, parts in sides)
        keep_long = (longs, long_charge) >= (shorts, short_charge)
        inputs: list[tuple[str, object]] = [("long market value", longs), ("short market value", shorts)]
        inputs.append(("kept", "long" if keep_long else "short"))
        charge = long_charge if keep_long else short_charge
        parts = long_parts if keep_long else short_parts
        nodes.append(explain(f"sub-group {group}", charge, "the larger side only", inputs, parts))
    amount = rounded(sum((Fraction(node.amount) for node in nodes), Fraction(0)))
    formula = "multiplier x sum of |market value| x flat rate"
    return explain("flat_rate_margin", amount, formula, [("multiplier", multiplier)], with_rounding(nodes, amount))


def _side(
    positions: Iterable[MarginablePosition], sign: int, parameters: Parameters, multiplier: Fraction
) -> tuple[int, list[Explanation]]:
    kept = [position for position in positions if position.market_value * sign > 0]
    parts = []
    for position in kept:
        rate = Fraction(parameters.flat_rates_e10[position.instrument], SCALE_E10)
        inputs = [("market value", position.market_value), ("rate", rate)]
        charge = multiplier * abs(position.market_value) * rate
        parts.append(explain(position.instrument, charge, "multiplier x |market value| x rate", inputs))
    return sum(abs(position.market_value) for position in kept), parts


def liquidation_risk_addon(
    positions: Sequence[MarginablePosition], parameters: Parameters, terms: ParticipantTerms
) -> Explanation:
    """Return the explained liquidation risk add-on in whole HKD: by underlying, and of the beta-weighted portfolio.

    Raises Rejected when there are Tier P positions and the hedge instrument has no FieldType 4 row.
    """
    exposure_e10: dict[str, int] = {}
    detail: dict[str, list[tuple[str, object]]] = {}
    for position in positions:
        underlying, cash_delta_e10 = _delta(position.instrument, parameters)
        value_e10 = position.quantity * cash_delta_e10
        exposure_e10[underlying] = exposure_e10.get(underlying, 0) + value_e10
        detail.setdefault(underlying, []).append((position.instrument, Fraction(value_e10, SCALE_E10)))
    own = [_by_underlying(code, value, parameters, detail[code]) for code, value in exposure_e10.items()]
    instrument_addon = rounded(sum((Fraction(node.amount) for node in own), Fraction(0)))
    by_instrument = explain(
        "by instrument",
        instrument_addon,
        "sum of max(|delta-equivalent market value| - threshold, 0) x bucket rate",
        [],
        with_rounding(own, instrument_addon),
    )
    by_portfolio = _by_portfolio(exposure_e10, parameters, terms)
    amount = int(by_instrument.amount) + int(by_portfolio.amount)
    return explain("liquidation_risk_addon", amount, "by instrument + by portfolio", [], [by_instrument, by_portfolio])


def _delta(instrument: str, parameters: Parameters) -> tuple[str, int]:
    product = parameters.structured_products.get(instrument)
    if product is not None:
        return product.underlying, product.cash_delta_e10
    return instrument, parameters.beta_hedges[instrument].cash_delta_e10


def _by_underlying(code: str, value_e10: int, parameters: Parameters, detail: list[tuple[str, object]]) -> Explanation:
    hedge = parameters.beta_hedges[code]
    value = Fraction(value_e10, SCALE_E10)
    rate = Fraction(hedge.bucket_rate_e10, SCALE_E10)
    charge = max(abs(value) - hedge.threshold, Fraction(0)) * rate
    inputs = [("delta-equivalent market value", value), ("threshold", hedge.threshold), ("bucket rate", rate)]
    inputs += [(f"of which {instrument}", part) for instrument, part in detail]
    return explain(code, charge, "max(|value| - threshold, 0) x bucket rate", inputs)


def _by_portfolio(exposure_e10: dict[str, int], parameters: Parameters, terms: ParticipantTerms) -> Explanation:
    if not exposure_e10:
        return explain("by portfolio", 0, "no Tier P positions")
    hedge = require_hedge(parameters, terms)
    beta_e20 = sum(value * parameters.beta_hedges[code].beta_e10 for code, value in exposure_e10.items())
    beta_value = Fraction(beta_e20, SCALE_E10 * SCALE_E10)
    rate = Fraction(hedge.bucket_rate_e10, SCALE_E10)
    amount = rounded(max(abs(beta_value) - hedge.threshold, Fraction(0)) * rate)
    inputs: list[tuple[str, object]] = [("beta-weighted value", beta_value), ("hedge", terms.hedge_instrument)]
    inputs += [("hedge threshold", hedge.threshold), ("hedge bucket rate", rate)]
    inputs += [
        (f"of which {code}", Fraction(value * parameters.beta_hedges[code].beta_e10, SCALE_E10 * SCALE_E10))
        for code, value in exposure_e10.items()
    ]
    formula = "max(|sum of value x beta| - hedge threshold, 0) x hedge bucket rate"
    return explain("by portfolio", amount, formula, inputs)


def require_hedge(parameters: Parameters, terms: ParticipantTerms) -> BetaHedge:
    """Return the FieldType 4 row of the hedge instrument, or raise Rejected when there is none."""
    hedge = parameters.beta_hedges.get(terms.hedge_instrument)
    if hedge is None:
        raise refuse(
            RejectionReason.MISSING,
            f"has no FieldType 4 row in {parameters.name}",
            field="hedge_instrument",
            subject=terms.hedge_instrument,
            remedy="name the hedge instrument of the parameter file, normally 2800",
        )
    return hedge


def structured_product_addon(
    positions: Sequence[MarginablePosition], parameters: Parameters, terms: ParticipantTerms
) -> Explanation:
    """Return the explained add-on on long positions of low-priced structured products (FieldType 6) in whole HKD."""
    parts = []
    tick = Fraction(terms.min_tick_e10, SCALE_E10)
    for position in positions:
        low = parameters.price_thresholds.get(position.instrument)
        if low is None or position.quantity <= 0:
            continue
        ticks = 10 * Fraction(low.tick_multiplier_tenth_e10, SCALE_E10)
        inputs = [("quantity", position.quantity), ("tick multiplier", ticks), ("minimum tick", tick)]
        parts.append(explain(position.instrument, position.quantity * ticks * tick, "quantity x ticks x tick", inputs))
    amount = rounded(sum((Fraction(part.amount) for part in parts), Fraction(0)))
    formula = "sum over longs of quantity x tick multiplier x minimum tick"
    return explain("structured_product_addon", amount, formula, [], with_rounding(parts, amount))


def corporate_action_margin(positions: Sequence[MarginablePosition], parameters: Parameters) -> Explanation:
    """Return the explained margin on corporate-action positions: |net market value x add-on rate of its direction|."""
    parts = []
    for position in positions:
        action = corporate_action_of(position.instrument, parameters)
        if action is None:
            raise InvariantBroken(f"{position.instrument} is no corporate-action position")
        net = position.market_value - position.contract_value
        rate_e10 = action.long_addon_e10 if net > 0 else action.short_addon_e10
        charge = divide_half_away(abs(net * rate_e10), SCALE_E10)
        inputs = [("net market value", net), ("rate", Fraction(rate_e10, SCALE_E10))]
        parts.append(explain(position.instrument, charge, "|(market value - contract value) x rate|", inputs))
    amount = sum(int(part.amount) for part in parts)
    return explain("corporate_action_margin", amount, "sum over corporate-action positions", [], parts)


def holiday_addon(portfolio: int, flat: int, parameters: Parameters) -> Explanation:
    """Return the explained holiday add-on: (portfolio margin + flat rate margin) x holiday factor, in whole HKD."""
    amount = divide_half_away((portfolio + flat) * parameters.holiday_factor_e10, SCALE_E10)
    inputs = [
        ("portfolio_margin", portfolio),
        ("flat_rate_margin", flat),
        ("holiday factor", Fraction(parameters.holiday_factor_e10, SCALE_E10)),
    ]
    return explain("holiday_addon", amount, "(portfolio margin + flat rate margin) x holiday factor", inputs)
