"""Collateral, fund, waterfall, auction, procyclicality.

Goal: rules by hand, identities on random inputs, refusals. Method: worked examples, a brute-force check of the cheapest
cover, properties with hypothesis.
"""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsingma.basics.rejection import Rejected
from tsingma.margin.procyclicality import procyclicality
from tsingma.margin.resources.auction import Bid, auction
from tsingma.margin.resources.collateral import Asset, HouseRules, cheapest, house_rules, lendable_value
from tsingma.margin.resources.default_fund import Exposure, FundRules, Key, size_fund
from tsingma.margin.resources.waterfall import LayerKind, Resources, waterfall

DAY = date(2026, 1, 5)


def assets(*rows: tuple[str, str, int, int]) -> list[Asset]:
    """Return assets of (id, kind, value, cost)."""
    return [Asset(id=i, kind=kind, value=value, cost_e4=cost) for i, kind, value, cost in rows]


def test_cheapest_cover_with_a_cash_minimum() -> None:
    """Goal: half in Hong Kong cash, the rest in what costs least. Method: HKCC's rules, by hand."""
    rules = house_rules("HKCC", DAY)
    mine = assets(("hkd", "cash.HKD", 10_000_000, 300), ("bills", "exchange-fund", 5_000_000, 20),
                  ("ust", "us-treasury", 9_000_000, 10), ("shares", "equity", 10**9, 0))  # fmt: skip
    found = cheapest(8_000_000, mine, rules)
    pledged = {pledge.asset: pledge.value for pledge in found.pledges}
    assert pledged["hkd"] == 4_000_000
    assert "shares" not in pledged  # HKCC does not take equity
    assert pledged["ust"] == pytest.approx(4_000_000 / 0.95, abs=2)
    assert 8_000_000 <= found.lendable <= 8_000_003
    with pytest.raises(Rejected, match="does not cover"):
        cheapest(8_000_000, mine[1:], rules)
    with pytest.raises(Rejected, match="no collateral rules for 'LCH'"):
        house_rules("LCH", DAY)


@given(
    st.integers(0, 5_000),
    st.lists(
        st.tuples(st.sampled_from(["cash", "bond", "equity"]), st.integers(1, 4_000), st.integers(0, 900)), max_size=5
    ),
)
def test_cover_is_enough_and_within_limits(call: int, rows: list[tuple[str, int, int]]) -> None:
    """Goal: value covers the call, minimum and ceilings hold, or it is refused when nothing could.

    Method: random assets.
    """
    rules = HouseRules(house="H", haircut_e4={"cash": 0, "bond": 500, "equity": 3_000}, settlement_cash="cash",
                       cash_minimum_e4=2_500, kind_ceiling_e4={"equity": 3_000})  # fmt: skip
    mine = assets(*((f"{kind}{k}", kind, value, cost) for k, (kind, value, cost) in enumerate(rows)))
    by_kind = {kind: sum(lendable_value(a, rules) for a in mine if a.kind == kind) for kind in rules.haircut_e4}
    ceiling = min(by_kind["equity"], call * 3 // 10)
    try:
        found = cheapest(call, mine, rules)
    except Rejected:
        assert by_kind["cash"] < call // 4 + 3 or by_kind["cash"] + by_kind["bond"] + ceiling < call + 8
        return
    assert found.lendable >= call
    got = {kind: sum(p.lendable for p in found.pledges if p.asset.startswith(kind)) for kind in by_kind}
    assert got["cash"] >= call * 2_500 // 10_000
    assert got["equity"] <= call * 3_000 // 10_000 + 3
    assert all(p.value <= next(a.value for a in mine if a.id == p.asset) for p in found.pledges)


def exposure(day: str, scenario: str, participant: str, group: str, loss: int, collateral: int) -> Exposure:
    """Return one stress loss."""
    return Exposure(day=day, scenario=scenario, participant=participant, group=group, loss=loss, collateral=collateral)


LOSSES = [
    exposure("d1", "up", "A", "GA", 900, 300), exposure("d1", "up", "B", "GB", 500, 100),
    exposure("d1", "up", "C", "GA", 200, 100), exposure("d1", "down", "A", "GA", 100, 300),
    exposure("d2", "up", "B", "GB", 1_000, 100), exposure("d2", "up", "A", "GA", 350, 300),
]  # fmt: skip
KEYS = [Key("d1", "A", 300), Key("d1", "B", 100), Key("d2", "A", 100), Key("d2", "C", 0), Key("d2", "B", 100)]


def test_fund_covers_the_two_largest_groups() -> None:
    """Goal: cover 2 by group on the worst day, shares by key, least contributions. Method: by hand."""
    rules = FundRules(minimum=0, threshold=10**9, least_contribution=10)
    fund = size_fund(LOSSES, KEYS, rules)
    assert (fund.size, fund.worst_day, fund.worst_scenario) == (1_100, "d1", "up")  # GA 600 + 100, GB 400
    assert (fund.defaulters, fund.largest_losses, fund.house_part) == (("GA", "GB"), (700, 400), 110)
    assert sum(fund.contributions.values()) == 990
    assert fund.contributions == {"A": 10 + 640, "B": 10 + 320, "C": 10}
    one = size_fund(LOSSES, KEYS, FundRules(cover=1, minimum=0, threshold=10**9, least_contribution=0))
    assert (one.size, one.worst_day, one.defaulters) == (900, "d2", ("GB",))


def test_threshold_rule() -> None:
    """Goal: above the threshold, a group's loss over half of it is its own to lodge. Method: threshold 1,000."""
    fund = size_fund(LOSSES, KEYS, FundRules(minimum=0, threshold=1_000, least_contribution=0))
    assert (fund.size, fund.extra_margin) == (1_000, {"GA": 200})
    assert size_fund(LOSSES[3:4], KEYS, FundRules(minimum=77, least_contribution=0)).size == 77


def test_waterfall_by_hand() -> None:
    """Goal: every layer in order, the defaulter's rest not shared.

    Method: two defaulters, one with spare collateral.
    """
    resources = Resources(
        collateral={"A": 100, "B": 500}, contributions={"A": 20, "B": 30, "C": 60, "D": 40}, house_part=25
    )
    found = waterfall({"A": 400, "B": 100}, resources)
    assert [(layer.kind.value, layer.used) for layer in found.layers] == [
        ("defaulter-collateral", 200), ("defaulter-contribution", 20), ("house", 25), ("survivor-contributions", 100),
        ("assessments", 100)]  # fmt: skip
    assert found.layers[3].borne_by == {"C": 60, "D": 40}
    assert found.uncovered == 55


@given(
    st.dictionaries(st.sampled_from("ABC"), st.integers(0, 1_000), min_size=1),
    st.lists(st.integers(0, 500), min_size=10, max_size=10),
)
def test_waterfall_adds_up(losses: dict[str, int], numbers: list[int]) -> None:
    """Goal: used + uncovered = loss; no layer above what it holds; later layers only when earlier are empty."""
    resources = Resources(
        collateral=dict(zip("ABC", numbers, strict=False)), contributions=dict(zip("ABCDE", numbers[3:], strict=False)),
        house_part=numbers[8], assessment_e4=numbers[9] * 20,
    )  # fmt: skip
    found = waterfall(losses, resources)
    assert sum(layer.used for layer in found.layers) + found.uncovered == sum(losses.values())
    for layer in found.layers:
        assert 0 <= layer.used <= layer.available
        assert sum(layer.borne_by.values()) == layer.used
    mutual = found.layers[2:]
    for before, after in pairwise(mutual):
        assert after.used == 0 or before.used == before.available


def test_auction() -> None:
    """Goal: best valid bid wins, first of equals; unsold below the reserve; absent bidders named. Method: by hand."""
    bids = [Bid(lot="L1", bidder="A", amount=-50), Bid(lot="L1", bidder="B", amount=-50),
            Bid(lot="L2", bidder="A", amount=-500)]  # fmt: skip
    first, second = auction({"L1": -100, "L2": -100}, bids, {"L1": ["A", "C"]})
    assert (first.winner, first.amount, first.absent) == ("A", -50, ("C",))
    assert (second.winner, second.amount) == (None, 0)
    with pytest.raises(Rejected, match="no lot 'L3'"):
        auction({"L1": 0}, [Bid(lot="L3", bidder="A", amount=1)])
    with pytest.raises(Rejected, match="bids twice"):
        auction({"L1": 0}, [bids[0], bids[0]])


def test_procyclicality() -> None:
    """Goal: measures by hand. Method: a path that doubles and falls back."""
    found = procyclicality([100.0, 200.0, 150.0, 100.0], floor=100.0, horizons=(1, 2, 9))
    assert (found.peak_to_trough, found.largest_rise, found.floor_share) == (2.0, {1: 1.0, 2: 0.5, 9: 0.0}, 0.5)
    assert found.change_deviation == pytest.approx(np.std(np.diff(np.log([100, 200, 150, 100]))))
    for bad, message in (([1.0], "two are needed"), ([1.0, 0.0], "not positive")):
        with pytest.raises(Rejected, match=message):
            procyclicality(bad)


def test_refusals() -> None:
    """Goal: nothing is sized or borne on broken input. Method: one fault each."""
    good = Resources(collateral={"A": 1}, contributions={"A": 1}, house_part=0)
    faults = [
        (lambda: cheapest(-1, [], HouseRules(house="H", haircut_e4={})), "call: -1"),
        (
            lambda: cheapest(1, assets(("a", "cash", 1, 0), ("a", "cash", 1, 0)), HouseRules(house="H", haircut_e4={})),
            "twice",
        ),
        (lambda: cheapest(1, [], HouseRules(house="H", haircut_e4={})), "does not cover"),
        (lambda: size_fund([], KEYS), "no stress losses"),
        (lambda: size_fund([LOSSES[0], LOSSES[0]], KEYS), "twice in one scenario"),
        (lambda: size_fund([exposure("d", "s", "A", "G", 1, -1)], KEYS), "collateral: is negative"),
        (lambda: size_fund(LOSSES, []), "no participant has a key"),
        (lambda: size_fund(LOSSES, [Key("d", "A", -1)]), "key: is negative"),
        (lambda: size_fund(LOSSES, KEYS, FundRules(cover=3)), "cover 3"),
        (lambda: waterfall({}, good), "no defaulter"),
        (lambda: waterfall({"B": 1}, good), "no collateral or contribution"),
        (lambda: waterfall({"A": -1}, good), "-1 is negative"),
        (lambda: waterfall({"A": 1}, good, [LayerKind.HOUSE, LayerKind.HOUSE]), "stands twice"),
    ]
    for call, message in faults:
        with pytest.raises(Rejected, match=message):
            call()
