"""The worked example of the HKSCC Initial Margin Calculation Guide v1.4, to the dollar, and what is refused."""

from __future__ import annotations

import tomllib
from datetime import date
from decimal import Decimal
from fractions import Fraction
from importlib import resources

import msgspec
import numpy as np
import pytest

from hkscc_example import PARAMETERS, PARTICIPANT, POSITIONS
from tsingma.basics.rejection import InvariantBroken, Rejected, RejectionReason
from tsingma.kernels.scenario import profit_matrix
from tsingma.margin.hkscc.components import corporate_action_margin, map_components
from tsingma.margin.hkscc.explanation import Explanation, explain, plain, with_rounding
from tsingma.margin.hkscc.parameters import Parameters, check_parameters, tail_count
from tsingma.margin.hkscc.portfolio import group_of
from tsingma.margin.hkscc.requirement import check_tree, margin, position_limit_addon
from tsingma.margin.hkscc.terms import MarginablePosition, ParticipantTerms, PositionLimit, check_terms
from tsingma.messages.participant_file import read_participant
from tsingma.messages.positions import read_positions
from tsingma.messages.rpf01 import read_parameters

TERMS = read_participant(PARTICIPANT)
SAMPLE = read_parameters(PARAMETERS, partial=True)
HELD = read_positions(POSITIONS)
# The ten columns of the sample as if they were all: 5 + 5 scenarios of the worst are then averaged at 50%.
WHOLE = msgspec.structs.replace(
    SAMPLE, hvar_declared=10, svar_declared=10, hvar_confidence_e10=8 * 10**9, svar_confidence_e10=5 * 10**9
)
COMPUTED = msgspec.structs.replace(TERMS, tail_means_hvar={}, tail_means_svar={})


def test_published_example_to_the_dollar() -> None:
    """Goal: vectors H10-H12, F1, L1, C1, A1-A5, PL2. Method: the guide's sample; printed 487,332 is a misprint."""
    explained = margin(HELD, SAMPLE, TERMS)
    assert msgspec.structs.asdict(explained.result) == {
        "portfolio_margin": 10_000_000,
        "flat_rate_margin": 15_180_000,
        "liquidation_risk_addon": 266_865,
        "structured_product_addon": 550_000,
        "corporate_action_margin": 2_500_000,
        "holiday_addon": 18_433_039,
        "aggregate": 46_929_904,
        "rounded": 46_930_000,
        "favourable_mtm": 0,
        "mtm_requirement": 12_700_000,
        "net_margin": 46_930_000,
        "net_margin_after_credit": 41_930_000,
        "position_limit_addon": 487_169,
        "credit_risk_addon": 12_000_000,
        "ad_hoc_addon": 600_000,
        "total": 67_717_169,
    }
    tree = explained.explanation
    assert tree.find("group 1876").amount == Fraction("11543.6975")
    assert tree.find("group 3690").amount == Fraction("29628.6675")
    assert tree.find("group rest").amount == Fraction("7632410.585")
    assert tree.find("by instrument").amount == 176_827
    assert tree.find("by portfolio").amount == 90_038
    assert dict(tree.find("by portfolio").inputs)["beta-weighted value"] == "-295018840"
    assert dict(tree.inputs)["valuation date"] == "2019-04-01"


@pytest.mark.parametrize(
    ("measure", "scenario", "expected"),
    [
        ("hvar", 0, (33_384, 85_687, -5_085_118)),
        ("hvar", 1, (-44_367, -113_876, 5_202_132)),
        ("svar", 0, (121_848, 312_746, -15_321_092)),
        ("svar", 1, (228_468, 586_404, -35_058_992)),
    ],
)
def test_scenario_profits_of_the_guide(measure: str, scenario: int, expected: tuple[int, int, int]) -> None:
    """Goal: vectors H1, H2, H4, H5 (H1's table misprints -5,805,118). Method: exact products, summed by group."""
    returns = SAMPLE.hvar_returns_e10 if measure == "hvar" else SAMPLE.svar_returns_e10
    value = {position.instrument: position.market_value for position in HELD}
    profits = dict.fromkeys(("1876", "3690", "rest"), 0)
    for row, code in enumerate(SAMPLE.instruments):
        one = profit_matrix(np.array([value[code]], dtype=np.int64), returns[row : row + 1])
        profits[group_of(code, SAMPLE, TERMS.ipo)] += int(one[0, scenario])
    assert tuple(profits.values()) == expected


def test_tail_counts_are_exact() -> None:
    """Goal: vector H7 and the binary-float trap. Method: 99.4% of 1,000 is 6, not 7; 98% of 1,018 is 21."""
    assert (SAMPLE.hvar_tail_count, SAMPLE.svar_tail_count) == (6, 21)
    assert tail_count(9_900_000_000, 100) == 1
    assert SAMPLE.is_partial
    assert not WHOLE.is_partial


def test_computed_tails_against_plain_python() -> None:
    """Goal: the whole tail path. Method: recompute portfolio margin by sorting Decimals, compare and read the tree."""
    terms = msgspec.structs.replace(COMPUTED, tier_p_floor_e10=0)
    explained = margin(HELD, WHOLE, terms)
    total = Decimal(0)
    tails = {}
    for weight, returns, count in (
        (Decimal("0.75"), WHOLE.hvar_returns_e10, 2),
        (Decimal("0.25"), WHOLE.svar_returns_e10, 5),
    ):
        for group in ("1876", "3690", "rest"):
            profits = [0] * 10
            for position in HELD:
                if (
                    position.instrument in WHOLE.instruments
                    and group_of(position.instrument, WHOLE, terms.ipo) == group
                ):
                    row = WHOLE.instruments.index(position.instrument)
                    for s in range(10):
                        exact = Decimal(position.market_value) * Decimal(int(returns[row, s])).scaleb(-10)
                        profits[s] += int(exact.quantize(Decimal(1), rounding="ROUND_HALF_UP"))
            total += weight * sum(sorted(profits)[:count]) / count
            tails[weight, group] = sorted(profits)[:count]
    assert explained.result.portfolio_margin == int(abs(total).quantize(Decimal(1), rounding="ROUND_HALF_UP"))
    rest = explained.explanation.find("group rest")
    hvar, svar = rest.parts
    assert [one.profit_hkd for one in hvar.tail] == tails[Decimal("0.75"), "rest"]
    assert [one.profit_hkd for one in svar.tail] == tails[Decimal("0.25"), "rest"]
    assert {part.component for part in hvar.parts} == {"700", "1299", "2823", "26883", "60954"}
    assert explained.explanation.to_dict()["component"] == "total"


def test_scenario_labels_reach_the_tree() -> None:
    """Goal: a tail names its dates. Method: label the columns, look into the worst scenario of one group."""
    labels = tuple(f"2018-01-{day:02d}" for day in range(1, 11))
    labelled = check_parameters(msgspec.structs.replace(WHOLE, hvar_dates=labels))
    tail = margin(HELD, labelled, COMPUTED).explanation.find("group 1876").parts[0].tail
    assert tail[0].index == 2
    assert tail[0].label == "2018-01-02"
    dumped = margin(HELD, labelled, COMPUTED).explanation.find("group 1876").to_dict()
    assert dumped["parts"][0]["tail"][0] == {"scenario": 2, "profit_hkd": -44_367, "label": "2018-01-02"}  # type: ignore[index]


def test_partial_scenarios_need_tail_means() -> None:
    """Goal: no tail from half a file. Method: run the sample without given means, and with one group's missing."""
    with pytest.raises(Rejected, match="10 of 1000 scenarios") as refused:
        margin(HELD, SAMPLE, COMPUTED)
    assert refused.value.rejections[0].reason is RejectionReason.MISSING
    lacking = msgspec.structs.replace(TERMS, tail_means_svar={"rest": Decimal(-1)})
    with pytest.raises(Rejected, match="none for this group"):
        margin(HELD, SAMPLE, lacking)


def test_position_without_parameters_is_never_zero() -> None:
    """Goal: unknown codes are refused with line and remedy. Method: unknown, twice, wrong sign."""
    bad = [
        MarginablePosition("9999", 1, 1, 1),
        MarginablePosition("700", 1, 1, 1),
        MarginablePosition("700", 1, 1, 1),
        MarginablePosition("658", -1, 1, 1),
        MarginablePosition("DSP658", 1, 0, 1),
    ]
    with pytest.raises(Rejected) as refused:
        map_components(bad, SAMPLE, file="P.csv", first_line=2)
    assert [(one.line, one.subject, one.reason) for one in refused.value.rejections] == [
        (2, "9999", RejectionReason.UNKNOWN),
        (4, "700", RejectionReason.DUPLICATE),
        (5, "658", RejectionReason.CONFLICT),
        (6, "DSP658", RejectionReason.UNKNOWN),
    ]
    blind = msgspec.structs.replace(SAMPLE, beta_hedges={})
    with pytest.raises(Rejected, match="no liquidation data"):
        map_components([MarginablePosition("700", 1, 1, 1)], blind)
    with pytest.raises(Rejected, match="no FieldType 4 row"):
        margin(HELD, SAMPLE, msgspec.structs.replace(TERMS, hedge_instrument="2801"))


def test_empty_portfolio_pays_only_the_addons() -> None:
    """Goal: no positions, no division by zero. Method: margin of nothing is the notified add-ons."""
    result = margin([], SAMPLE, TERMS).result
    assert result.total == 12_600_000
    assert result.position_limit_addon == 0
    custodian = margin(HELD, SAMPLE, msgspec.structs.replace(TERMS, position_limit=None)).result
    assert custodian.position_limit_addon == 0


def test_favourable_marks_and_credit_stop_at_zero() -> None:
    """Goal: deductions never go below zero. Method: a large gain uses up the margin; the limit add-on turns to 1.25."""
    gain = [MarginablePosition("658", 10_000_000, 1_000_000, 60_000_000)]
    result = margin(gain, SAMPLE, TERMS).result
    assert (result.favourable_mtm, result.mtm_requirement) == (59_000_000, 0)
    assert (result.net_margin, result.net_margin_after_credit) == (0, 0)
    limit = PositionLimit(liquid_capital=10, multiplier_e10=10**10, addon_rate_e10=25 * 10**8)
    assert position_limit_addon(-100, 1_000, True, limit) == 225
    assert position_limit_addon(100, 1_000, False, limit) == 1_125
    assert position_limit_addon(5, 1_000, True, limit) == 0


def test_a_portfolio_of_gains_counts_by_its_size() -> None:
    """Goal: the guide sums groups, gains included, and takes the absolute value. Method: positive given means."""
    terms = msgspec.structs.replace(
        TERMS, ipo=(), tail_means_hvar={"rest": Decimal(900)}, tail_means_svar={"rest": Decimal(100)}
    )
    held = [MarginablePosition("700", 1, 1, 1)]
    assert margin(held, SAMPLE, terms).result.portfolio_margin == 700


def test_tree_that_does_not_add_up_is_a_defect() -> None:
    """Goal: design invariant 10 in code. Method: build wrong parts every way there is."""
    leaf = Explanation("leaf", 1)
    with pytest.raises(InvariantBroken, match="add up to 1"):
        explain("sum", 2, "", [], [leaf])
    with pytest.raises(InvariantBroken, match="more than a rounding"):
        with_rounding([leaf], 3)
    with pytest.raises(InvariantBroken):
        check_tree(Explanation("sum", 2, "", (), (leaf,)))
    with pytest.raises(KeyError):
        leaf.find("nothing")
    assert plain(Fraction(1, 3)) == "0.3333333333"


def test_too_large_an_account_is_refused() -> None:
    """Goal: the kernel stays exact. Method: market values above the documented bound."""
    with pytest.raises(Rejected, match="add up to more"):
        margin([MarginablePosition("700", 1, 1, 10**14 + 1)], WHOLE, COMPUTED)


def _replaced(**changes: object) -> Parameters:
    return msgspec.structs.replace(SAMPLE, **changes)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        (_replaced(hvar_weight_e10=8 * 10**9), "sum to 1.05"),
        (_replaced(svar_confidence_e10=10**10), "outside 0 to 1"),
        (_replaced(hvar_measure=1), "measure 1"),
        (_replaced(rounding=0), "not positive"),
        (_replaced(holiday_factor_e10=-1), "negative holiday factor"),
        (_replaced(instruments=("700",) * 7), "two rows"),
        (_replaced(instruments=("700",)), "shape"),
        (_replaced(hvar_declared=3), "10 scenarios where 3"),
        (_replaced(svar_dates=("a",)), "1 labels for 10"),
        (_replaced(hvar_returns_e10=SAMPLE.hvar_returns_e10 * 1000), "larger than"),
        (_replaced(flat_rates_e10={"700": 1}), "one tier"),
        (_replaced(flat_rates_e10={"658": -1}), "negative flat rate"),
    ],
)
def test_contradictory_parameters_are_refused(parameters: Parameters, words: str) -> None:
    """Goal: parameters that cannot be right stop the run. Method: break one field at a time."""
    with pytest.raises(Rejected, match=words):
        check_parameters(parameters)


def test_contradictory_rows_are_refused() -> None:
    """Goal: each field type is checked. Method: break one row of each."""
    hedge = msgspec.structs.replace(SAMPLE.beta_hedges["700"], cash_delta_e10=-1)
    product = msgspec.structs.replace(SAMPLE.structured_products["26883"], conversion_ratio_e10=0, underlying="1")
    low = msgspec.structs.replace(SAMPLE.price_thresholds["26883"], price_threshold_e10=-1)
    action = msgspec.structs.replace(SAMPLE.corporate_actions["700", 1], price_e10=-1)
    broken = _replaced(
        beta_hedges={**SAMPLE.beta_hedges, "700": hedge},
        structured_products={"26883": product},
        price_thresholds={"26883": low},
        corporate_actions={("700", 9): action},
    )
    with pytest.raises(Rejected) as refused:
        check_parameters(broken, file="R.csv")
    fields = [one.field for one in refused.value.rejections]
    assert fields == ["FieldType 4", "FieldType 5", "FieldType 5", "FieldType 6", "FieldType 7", "FieldType 7"]
    assert {one.file for one in refused.value.rejections} == {"R.csv"}


def test_terms_out_of_range_are_refused() -> None:
    """Goal: terms that cannot be right stop the run. Method: negative, above one, doubled, unknown group."""
    limit = PositionLimit(liquid_capital=-1, multiplier_e10=1, addon_rate_e10=1, cap=-1)
    terms: ParticipantTerms = msgspec.structs.replace(
        TERMS,
        margin_credit=-1,
        tier_p_floor_e10=2 * 10**10,
        ipo=("1876", "1876"),
        position_limit=limit,
        tail_means_hvar={"x": Decimal(1)},
    )
    with pytest.raises(Rejected) as refused:
        check_terms(terms, file="C.toml")
    assert [one.field for one in refused.value.rejections] == [
        "margin_credit",
        "position_limit.liquid_capital",
        "position_limit.cap",
        "tier_p_floor",
        "ipo",
        "tail_means.hvar",
        "tail_means.svar",
    ]


def test_live_parameters_are_dated_rows_with_a_source() -> None:
    """Goal: live rates are data with dates and sources. Method: read the table, check every row and the floor."""
    text = (resources.files("tsingma.reference") / "data" / "hkscc_margin.toml").read_text(encoding="utf-8")
    rows = tomllib.loads(text, parse_float=Decimal)["row"]
    assert all(row["source"] and row.get("valid_to", date.max) > row["valid_from"] for row in rows)
    assert len({(row["name"], row["valid_from"]) for row in rows}) == len(rows)
    floor = next(row for row in rows if row["name"] == "tier_p_floor")
    assert (floor["value"], floor["valid_from"]) == (Decimal("0.032"), date(2023, 8, 14))


def test_corporate_action_margin_takes_only_its_own() -> None:
    """Goal: a wrongly mapped position is a defect, not a zero. Method: give it a plain stock."""
    with pytest.raises(InvariantBroken, match="no corporate-action position"):
        corporate_action_margin([MarginablePosition("700", 1, 1, 1)], SAMPLE)


def test_structured_product_of_tier_n_pays_the_tick_addon() -> None:
    """Goal: the add-on follows the FieldType 6 row, not the tier. Method: give the flat-rate 3457 such a row."""
    low = check_parameters(msgspec.structs.replace(SAMPLE, price_thresholds={"3457": SAMPLE.price_thresholds["26883"]}))
    held = [MarginablePosition("3457", 1_000_000, 100, 100), MarginablePosition("3456", 1_000, 1, 1)]
    assert margin(held, low, TERMS).result.structured_product_addon == 5_000
