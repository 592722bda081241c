"""The terms of a call by the rules add up to the requirement, whatever its components are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tsingma.app.margin_rule import terms_of_result
from tsingma.margin.hkscc.parameters import SCALE_E10
from tsingma.margin.hkscc.requirement import Components, requirement
from tsingma.margin.hkscc.terms import ParticipantTerms, PositionLimit

AMOUNT = st.integers(0, 10**9)
LIMIT = PositionLimit(liquid_capital=10**6, multiplier_e10=SCALE_E10, addon_rate_e10=SCALE_E10 // 2)


@given(
    components=st.builds(
        Components, portfolio_margin=AMOUNT, flat_rate_margin=AMOUNT, liquidation_risk_addon=AMOUNT,
        structured_product_addon=AMOUNT, corporate_action_margin=AMOUNT, holiday_addon=AMOUNT,
        mark_to_market=st.integers(-(10**9), 10**9), net_market_value=st.integers(-(10**9), 10**9),
    ),
    credit=st.sampled_from((0, 5_000_000, 10**10)), rounding=st.sampled_from((1, 10_000)),
    limit=st.sampled_from((None, LIMIT)), notice=AMOUNT,
)  # fmt: skip
def test_terms_add_up_to_the_requirement(
    components: Components, credit: int, rounding: int, limit: PositionLimit | None, notice: int
) -> None:
    """Goal: nothing of a call is left unsaid. Method: any components; the signed terms against the rule's total."""
    terms = ParticipantTerms(
        margin_multiplier_e10=SCALE_E10, margin_credit=credit, credit_risk_addon=notice, ad_hoc_addon=notice,
        tier_p_floor_e10=0, min_tick_e10=0, hedge_instrument="2800", position_limit=limit,
    )  # fmt: skip
    result = requirement(components, rounding, terms)
    told = terms_of_result(result)
    assert sum(one.amount for one in told) == result.total
    taken = {one.term: -one.amount for one in told if one.amount < 0}
    assert set(taken) <= {"marks in favour", "margin credit"}
    assert sum(taken.values()) == result.rounded - result.net_margin_after_credit
