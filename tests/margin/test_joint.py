"""Joint margin.

Goal: every identity of the joint figure on random books, exact Shapley and Euler, worked close-outs. Method: properties
over random scenario profits, Shapley over all orders as oracle, hand-worked examples, refusals.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import permutations

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsingma.basics.rejection import Rejected
from tsingma.margin.joint.allocation import Allocation, coalition_savings, euler, shapley, share_out, tail_loss
from tsingma.margin.joint.close_out import CloseOut, Sharing, share_close_out
from tsingma.margin.joint.requirement import (
    Correlations,
    HouseRisk,
    JointSettings,
    coverage_margin,
    equal_percentage_e4,
    joint_margin,
    scenario_netted,
)
from tsingma.margin.joint.spreads import Leg, min_leg_credits, reductions_by_house
from tsingma.margin.measures import tail_count

NAMES = ("HKSCC", "HKCC", "SEOCH", "OTC Clear", "fifth", "sixth")


def book(seed: int, houses: int, scenarios: int = 200, hedge: float = 0.8) -> np.ndarray:
    """Return random profits [houses, scenarios] in which later houses partly hedge the first."""
    rng = np.random.default_rng(seed)
    market = rng.standard_t(4, scenarios) * 1_000_000
    signs = rng.choice([-1.0, 1.0], houses) * rng.uniform(0, hedge, houses)
    noise = rng.standard_t(4, (houses, scenarios)) * 200_000
    return np.asarray(np.round(signs[:, None] * market + noise), np.int64)


def risks_of(profit: np.ndarray, factor: float = 1.2) -> list[HouseRisk]:
    """Return house risks whose stand-alone margin is a little more than their own shortfall."""
    count = tail_count("0.01", profit.shape[1])
    return [
        HouseRisk(house=name, standalone=int(factor * tail_loss(row, count) / count) + 1, profit=row)
        for name, row in zip(NAMES, profit, strict=False)
    ]


@settings(max_examples=60)
@given(st.integers(0, 10**6), st.integers(2, 6))
def test_identities(seed: int, houses: int) -> None:
    """Goal: parts add up; no house above stand-alone or below its coverage; credit non-negative.

    Method: random books.
    """
    profit = book(seed, houses)
    margin = joint_margin("A", risks_of(profit))
    for shares in margin.shares:
        assert sum(each.called for each in shares.houses) == shares.called
        assert shares.called + sum(each.credit for each in shares.houses) == margin.standalone
        assert shares.joint == margin.standalone - sum(each.saving for each in shares.houses)
        for each in shares.houses:
            assert 0 <= each.credit <= each.saving
            assert each.called <= each.standalone
            assert each.called >= min(each.needed, each.standalone)
    assert all(sum(parts) == margin.one_pot for parts in margin.one_pot_parts.values())
    for parts in margin.one_pot_parts.values():
        assert all(0 <= part <= each.standalone for part, each in zip(parts, margin.shares[0].houses, strict=True))
    floor = margin.standalone - margin.standalone * 8 // 10
    assert margin.one_pot == min(max(margin.expected_shortfall_joint, floor), margin.standalone)
    exact = [shares for shares in margin.shares if shares.allocation is not Allocation.EQUAL_PERCENTAGE]
    assert {shares.joint for shares in exact} == {margin.standalone - margin.saving}
    assert tuple(sum(column) for column in zip(*margin.tail_by_house, strict=True)) == tuple(
        int(profit.sum(axis=0)[number - 1]) for number in margin.tail
    )


@settings(max_examples=60)
@given(st.integers(0, 10**6), st.integers(2, 6))
def test_coverage_holds_on_the_scenarios(seed: int, houses: int) -> None:
    """Goal: no house's own losses exceed what it calls in more than 1 %. Method: count them, where it held before."""
    profit = book(seed, houses)
    for shares in joint_margin("A", risks_of(profit)).shares:
        for each, row in zip(shares.houses, profit, strict=True):
            assert (-row > each.called).sum() <= 0.01 * row.size


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.integers(2, 5))
def test_shapley_and_euler_sum_exactly(seed: int, houses: int) -> None:
    """Goal: both are exact. Method: Fractions against the saving; Shapley against all orders of joining."""
    profit = book(seed, houses)
    count = 2
    savings = coalition_savings(profit, count)
    full = savings[tuple(range(houses))]
    values = shapley(savings, houses)
    assert sum(values) == full == sum(euler(profit, count))
    orders = list(permutations(range(houses)))
    by_order = [Fraction(0)] * houses
    for order in orders:
        for place, house in enumerate(order):
            before = tuple(sorted(order[:place]))
            by_order[house] += savings[tuple(sorted((*before, house)))] - savings[before]
    assert values == [value / len(orders) for value in by_order]
    assert all(value >= 0 for value in values)


@given(st.integers(0, 10**6), st.integers(2, 6))
def test_same_direction_saves_nothing(seed: int, houses: int) -> None:
    """Goal: zero credit for books that lose together. Method: multiples of one profit path, whatever the margins."""
    rng = np.random.default_rng(seed)
    path = np.asarray(rng.standard_t(3, 250) * 1e6, np.int64)
    profit = np.stack([path * factor for factor in rng.integers(1, 9, houses)])
    for factor in (0.5, 1.0, 3.0):
        margin = joint_margin("A", risks_of(profit, factor))
        assert margin.saving == 0
        assert all(shares.called == margin.standalone for shares in margin.shares)


@given(st.integers(0, 10**6), st.integers(2, 6))
def test_flipped_correlations_take_the_credit_away(seed: int, houses: int) -> None:
    """Goal: with the stress switch on, no saving is left. Method: hedged books before and after."""
    margin = joint_margin("A", risks_of(book(seed, houses)), JointSettings(correlations=Correlations.FLIPPED))
    assert margin.saving == 0
    assert all(shares.called == margin.standalone for shares in margin.shares)


@given(st.integers(0, 10**6), st.integers(2, 6))
def test_one_pot_weighs_the_stressed_scenarios(seed: int, houses: int) -> None:
    """Goal: 75 % shortfall and 25 % stressed shortfall of the common portfolio, between floor and sum. Method: by hand;
    flipped correlations add the houses up.
    """
    profit, stress = book(seed, houses), 3 * book(seed + 1, houses, scenarios=150)
    risks = [
        msgspec.structs.replace(risk, stress_profit=row, standalone=10**9)
        for risk, row in zip(risks_of(profit), stress, strict=True)
    ]
    free = JointSettings(saving_cap_e4=10_000)
    margin = joint_margin("A", risks, free)
    wanted = 0.75 * tail_loss(profit.sum(axis=0), 2) / 2 + 0.25 * tail_loss(stress.sum(axis=0), 2) / 2
    assert margin.one_pot == pytest.approx(wanted, abs=1)
    flipped = joint_margin("A", risks, msgspec.structs.replace(free, correlations=Correlations.FLIPPED))
    apart = sum(
        0.75 * tail_loss(one, 2) / 2 + 0.25 * tail_loss(two, 2) / 2 for one, two in zip(profit, stress, strict=True)
    )
    assert flipped.one_pot == pytest.approx(apart, abs=1)
    assert flipped.one_pot >= margin.one_pot


def test_perfect_hedge() -> None:
    """Goal: a perfect hedge saves up to the cap, and coverage then cuts it. Method: long and short of one path."""
    path = np.asarray(np.random.default_rng(1).standard_t(3, 500) * 1e6, np.int64)
    risks = risks_of(np.stack([path, -path]), 1.0)
    free = JointSettings(saving_cap_e4=10_000)
    margin = joint_margin("A", risks, free)
    assert margin.expected_shortfall_joint == 0
    assert margin.saving >= margin.standalone - 2 * 2
    capped = joint_margin("A", risks)
    assert capped.saving == margin.standalone * 8 // 10
    shares = capped.by(Allocation.PRO_RATA)
    assert all(each.called == max(each.needed, each.standalone - each.saving) for each in shares.houses)
    assert shares.called > shares.joint


def test_own_holding_period_decides_coverage() -> None:
    """Goal: coverage is measured at the house's own holding period. Method: a house with a shorter one."""
    path = np.asarray(np.random.default_rng(2).standard_t(3, 500) * 1e6, np.int64)
    long_risk, short_risk = risks_of(np.stack([path, -path]))
    shorter = msgspec.structs.replace(long_risk, own_profit=path // 2)
    assert coverage_margin(shorter, "0.01") <= coverage_margin(long_risk, "0.01") // 2 + 1
    assert joint_margin("A", [shorter, short_risk]).saving == joint_margin("A", [long_risk, short_risk]).saving


@given(st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 10**6)), min_size=1, max_size=6), st.integers(0, 10_000))
def test_share_out(places: list[tuple[int, int]], part: int) -> None:
    """Goal: whole parts, exact sum, under every ceiling. Method: random weights and ceilings."""
    weights, ceilings = [Fraction(weight) for weight, _ in places], [ceiling for _, ceiling in places]
    amount = sum(ceilings) * part // 10_000
    parts = share_out(amount, weights, ceilings)
    assert sum(parts) == amount
    assert all(0 <= one <= ceiling for one, ceiling in zip(parts, ceilings, strict=True))


def test_equal_percentage_of_cme_and_ficc() -> None:
    """Goal: USD 343.24m becomes 68.65m at 80 %. Method: the published illustration; the smaller reduction holds."""
    assert equal_percentage_e4([(34_324, 6_865), (34_324, 6_000)]) == 7_999
    assert equal_percentage_e4([(100, 20), (100, 60)]) == 4_000
    assert equal_percentage_e4([(100, 120)]) == 0
    with pytest.raises(Rejected, match="no house"):
        equal_percentage_e4([])


def test_min_leg_credit() -> None:
    """Goal: rate x smaller leg, matched parts only, nothing twice. Method: by hand on three houses."""
    legs = [Leg("HKSCC", "HSI", 1_000, 80), Leg("HKCC", "HSI", -600, 60), Leg("SEOCH", "HSI", -600, 50)]
    spreads = min_leg_credits([*legs, Leg("HKCC", "700", 5, 9)], 7_500)
    assert [(each.first, each.second, each.matched, each.reduction) for each in spreads] == [
        ("HKSCC", "HKCC", 600, 36),  # 0.75 x min(48, 60)
        ("HKSCC", "SEOCH", 400, 24),  # 0.75 x min(32, 33.3)
    ]
    assert reductions_by_house(spreads) == {"HKSCC": 60, "HKCC": 36, "SEOCH": 24}
    assert not min_leg_credits([Leg("HKSCC", "HSI", 1, 1), Leg("HKCC", "HSI", 1, 1)], 7_500)
    with pytest.raises(Rejected, match="credit_rate_e4"):
        min_leg_credits(legs, 10_001)
    with pytest.raises(Rejected, match="outright_margin"):
        min_leg_credits([Leg("HKSCC", "HSI", 1, -1)], 1)


def test_scenario_netted() -> None:
    """Goal: profits of the same scenario net. Method: a hedge nets to nothing, one direction adds."""
    path = np.arange(-100, 100)
    assert scenario_netted([path, -path], "0.01") == 0
    assert scenario_netted([path, path], "0.01") == 2 * 100 - 1


@pytest.mark.parametrize(
    ("sharing", "expected"),
    [
        (Sharing.MARGIN_SHARE, [("HKSCC", -30, 30, 0), ("HKCC", 80, -30, 50)]),
        (Sharing.CAPPED_GUARANTEE, [("HKSCC", -30, 20, -10), ("HKCC", 80, -20, 60)]),
    ],
)
def test_close_out_with_a_surplus(sharing: Sharing, expected: list[tuple[str, int, int, int]]) -> None:
    """Goal: the gain of one house makes the loss of the other good, in full or up to the credit. Method: by hand."""
    houses = [
        CloseOut(house="HKSCC", margin=100, profit=-130, credit=20),
        CloseOut(house="HKCC", margin=60, profit=20, credit=40),
    ]
    found = [(each.house, each.own, each.transfer, each.result) for each in share_close_out(houses, sharing)]
    assert found == expected


def test_close_out_with_a_deficit() -> None:
    """Goal: a common deficit is borne by margin. Method: by hand, 90 missing split 2 to 1."""
    houses = [CloseOut(house="HKSCC", margin=100, profit=-250), CloseOut(house="HKCC", margin=50, profit=10)]
    assert [each.result for each in share_close_out(houses, Sharing.MARGIN_SHARE)] == [-60, -30]


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(-900, 900), st.integers(0, 300)), min_size=1, max_size=6))
def test_close_out_moves_money_and_makes_none(books: list[tuple[int, int, int]]) -> None:
    """Goal: transfers add to zero; nobody in surplus is pushed below zero by a guarantee. Method: random defaults."""
    houses = [CloseOut(house=str(i), margin=m, profit=p, credit=c) for i, (m, p, c) in enumerate(books)]
    for sharing in Sharing:
        found = share_close_out(houses, sharing)
        assert sum(each.transfer for each in found) == 0
        assert sum(each.result for each in found) == sum(each.own for each in found)
    assert all(each.result >= min(each.own, 0) for each in share_close_out(houses, Sharing.CAPPED_GUARANTEE))


def test_bad_input_is_refused() -> None:
    """Goal: refusals name account, house and field. Method: one fault each."""
    one, two = risks_of(book(1, 2))
    faults: list[tuple[list[HouseRisk], JointSettings, str]] = [
        ([one], JointSettings(), "account A: house: 1 houses"),
        ([one, one], JointSettings(), "a house stands twice"),
        ([one, two], JointSettings(saving_cap_e4=10_001), "saving_cap_e4"),
        ([one, msgspec.structs.replace(two, profit=np.zeros(0, np.int64))], JointSettings(), "there are no scenarios"),
        ([one, msgspec.structs.replace(two, profit=np.zeros(3, np.int64))], JointSettings(), "different length"),
        ([one, msgspec.structs.replace(two, standalone=-1)], JointSettings(), "HKCC: standalone: -1 is no margin"),
        ([one, msgspec.structs.replace(two, profit=two.profit + 2**52)], JointSettings(), "does not fit"),
    ]
    for risks, chosen, message in faults:
        with pytest.raises(Rejected, match=message):
            joint_margin("A", risks, chosen)
    with pytest.raises(Rejected, match="no house"):
        share_close_out([], Sharing.MARGIN_SHARE)
    with pytest.raises(Rejected, match="margin or credit"):
        share_close_out([CloseOut(house="x", margin=-1, profit=0)], Sharing.MARGIN_SHARE)
