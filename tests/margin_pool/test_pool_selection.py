"""One pool for every taker: the cheapest allotment, its saving, statements, and a custodian's failure.

Goal: the programme's optimum, verified in whole dollars, never dearer than separate pools. Method: an exhaustive grid
on small pools, properties on drawn ones, figures by hand, ten invented participants.
"""

from __future__ import annotations

import itertools
import json
from datetime import date
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from pool_house import BILL, CGB, CNY, HKD, PoolHouse

from tsingma.app.session import Session
from tsingma.basics.rejection import Rejected
from tsingma.cli.main import root
from tsingma.engine.pooling import valuation
from tsingma.journal import pool_commands as pool
from tsingma.margin.pool.selection import cheapest_pool, separate_pools
from tsingma.margin.pool.statement import fail_custodian, statement
from tsingma.margin.pool.study import PoolParticipant, compare, fail_each, reuse
from tsingma.margin.resources.collateral import E4, Asset, HouseRules, cheapest, house_rules
from tsingma.simulate.pool import simulate_participants

DAY = date(2026, 1, 5)
RULES = {
    "X": HouseRules(house="X", haircut_e4={"cash.HKD": 0, "bond": 5_000}, cash_minimum_e4=5_000),
    "Y": HouseRules(
        house="Y", haircut_e4={"cash.HKD": 0, "bond": 2_000, "share": 5_000}, kind_ceiling_e4={"share": 2_500}
    ),
}


def _asset(name: str, kind: str, value: int, cost_e4: int) -> Asset:
    return Asset(id=name, kind=kind, value=value, cost_e4=cost_e4)


def _grid(calls: dict[str, int], assets: list[Asset], step: int) -> float | None:
    """Return the least cost over all allotments in multiples of ``step``; None when none covers the calls."""
    places = [(taker, k) for taker in calls for k, a in enumerate(assets) if a.kind in RULES[taker].haircut_e4]
    best = None
    for amounts in itertools.product(*(range(0, assets[k].value + 1, step) for _, k in places)):
        chosen = dict(zip(places, amounts, strict=True))
        if any(sum(v for (_, k), v in chosen.items() if k == n) > a.value for n, a in enumerate(assets)):
            continue
        if not all(_covers(taker, call, assets, chosen) for taker, call in calls.items()):
            continue
        cost = sum(v * assets[k].cost_e4 for (_, k), v in chosen.items()) / E4
        best = cost if best is None else min(best, cost)
    return best


def _covers(taker: str, call: int, assets: list[Asset], chosen: dict[tuple[str, int], int]) -> bool:
    rules = RULES[taker]
    counts: dict[str, float] = {}
    for (of, k), value in chosen.items():
        if of == taker:
            kind = assets[k].kind
            counts[kind] = counts.get(kind, 0) + value * (E4 - rules.haircut_e4[kind]) / E4
    cash = counts.get("cash.HKD", 0)
    limits = all(counts.get(kind, 0) <= call * ceiling / E4 for kind, ceiling in rules.kind_ceiling_e4.items())
    return sum(counts.values()) >= call and cash >= call * rules.cash_minimum_e4 / E4 and limits


@settings(max_examples=60, deadline=None)
@given(call=st.integers(1, 10**6), haircut_e4=st.integers(1, 9_000))
def test_one_asset_covers_a_call_alone(call: int, haircut_e4: int) -> None:
    """Goal: no ceiling where none is set. Method: one asset, no cash, just worth the call after its haircut; the least
    that counts for the call is pledged, by either programme.
    """
    rules = HouseRules(house="Z", haircut_e4={"bond": haircut_e4})
    enough = -(-call * E4 // (E4 - haircut_e4))
    assets = [_asset("B", "bond", enough, 10)]
    assert cheapest_pool({"Z": call}, assets, {"Z": rules}).pledged == enough
    assert cheapest(call, assets, rules).lendable >= call


@settings(max_examples=25, deadline=None)
@given(
    values=st.lists(st.integers(0, 3), min_size=3, max_size=3),
    costs=st.lists(st.integers(1, 300), min_size=3, max_size=3),
    calls=st.tuples(st.integers(0, 2), st.integers(0, 2)),
)
def test_never_dearer_than_any_allotment_of_a_grid(values: list[int], costs: list[int], calls: tuple[int, int]) -> None:
    """Goal: the optimum. Method: every allotment in steps of 2,000; ours costs no more, but for a dollar's rounding.

    Calls are multiples of 1,600 and 2,000, so that the grid holds vertices of the programme too.
    """
    kinds = ("cash.HKD", "bond", "share")
    assets = [_asset(kind, kind, 2_000 * n, cost) for kind, n, cost in zip(kinds, values, costs, strict=True)]
    asked = {"X": calls[0] * 2_000, "Y": calls[1] * 1_600}
    least = _grid(asked, assets, 1_000)
    try:
        found = cheapest_pool(asked, assets, RULES)
    except Rejected:
        assert least is None
        return
    if least is not None:
        assert found.cost_a_year <= least + 1
    assert all(found.lendable.get(taker, 0) >= call for taker, call in asked.items() if call)


def test_by_hand() -> None:
    """Goal: cash where it is needed, paper where it is taken at less haircut. Method: two takers, three assets."""
    assets = [
        _asset("cash", "cash.HKD", 900, 100),
        _asset("bond", "bond", 2_000, 10),
        _asset("share", "share", 1_000, 5),
    ]
    found = cheapest_pool({"X": 1_000, "Y": 800}, assets, RULES)
    at = {(one.taker, one.asset): one.value for one in found.allotments}
    assert at["X", "cash"] in (500, 501)
    assert at["X", "bond"] >= 998
    assert at["Y", "share"] == 400  # its ceiling: a quarter of the call, at half its value
    assert at["Y", "bond"] in (750, 751)
    assert ("Y", "cash") not in at


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_one_pool_is_never_dearer_than_separate_pools(seed: int) -> None:
    """Goal: what covers apart covers together. Method: drawn participants; each asset used once, every call covered."""
    (participant,) = simulate_participants(seed, 1)
    rules = {taker: house_rules(taker, DAY) for taker in participant.calls}
    (found,) = compare([participant], rules, borrowing_e4=350)
    assert found.saving >= -len(participant.assets)
    assert found.borrowed_pool <= found.borrowed_separate + len(participant.assets)


def test_ten_participants_save() -> None:
    """Goal: a saving figure on ten participants. Method: the shipped seed; half the cost a year, little borrowed."""
    participants = simulate_participants(1, 10)
    rules = {taker: house_rules(taker, DAY) for taker in participants[0].calls}
    found = compare(participants, rules, borrowing_e4=350)
    before, after = sum(one.cost_separate for one in found), sum(one.cost_pool for one in found)
    assert 0.4 < 1 - after / before < 0.65
    assert sum(one.borrowed_pool for one in found) < sum(one.borrowed_separate for one in found) / 10
    lost = {one.custodian: one for one in fail_each(participants[:2], rules, borrowing_e4=350)}
    assert set(lost) == {"BANK", "CMU", "Euroclear", "CCDC", "HKSCC"}
    assert all(one.lost > 0 for one in lost.values())


def test_reuse_saves_what_need_not_be_borrowed() -> None:
    """Goal: pledges that the next house takes stand for the lodgement. Method: by hand; money in HKD is not taken.

    OTC Clear calls 1,000 and holds bonds for it; it lodges a half, 500, with SHCH, where bonds count at 95 %.
    """
    bonds = (_asset("cgb", "cgb", 100_000, 10), _asset("cash", "cash.HKD", 100_000, 100))
    one = PoolParticipant(name="A", calls={"OTC Clear": 10_000}, assets=bonds, split={}, custodian={})
    rules = {taker: house_rules(taker, DAY) for taker in ("OTC Clear", "SHCH")}
    (found,) = reuse([one], rules, {"OTC Clear": ("SHCH", 5_000)}, borrowing_e4=350)
    assert (found.lodged, found.reused, found.saving) == (5_000, 5_000, 175)
    cash = msgspec.structs.replace(one, assets=bonds[1:])
    (found,) = reuse([cash], rules, {"OTC Clear": ("SHCH", 5_000)}, borrowing_e4=350)
    assert (found.reused, found.saving) == (0, 0)


@pytest.mark.parametrize(
    ("calls", "assets", "text"),
    [
        ({"Z": 1}, [], "no collateral rules for 'Z'"),
        ({"X": -1}, [], "-1 is negative"),
        ({"X": 1}, [_asset("a", "bond", 1, 1), _asset("a", "bond", 1, 1)], "stands twice"),
        ({"X": 1}, [_asset("a", "bond", -1, 1)], "a value is negative"),
        ({"X": 1, "Y": 2}, [], "does not cover X 1, Y 2"),
        ({"X": 100}, [_asset("a", "bond", 10_000, 1)], "does not cover X 100"),  # half must be cash
    ],
)
def test_what_cannot_be_covered_is_said(calls: dict[str, int], assets: list[Asset], text: str) -> None:
    """Goal: refusals name what is wrong. Method: one wrong thing at a time."""
    with pytest.raises(Rejected, match=text):
        cheapest_pool(calls, assets, RULES)


def test_a_separate_pool_that_is_short_is_named() -> None:
    """Goal: the taker that falls short is named. Method: assets for X only."""
    with pytest.raises(Rejected, match="Y: assets"):
        separate_pools({"X": 100, "Y": 100}, {"X": [_asset("c", "cash.HKD", 100, 1)]}, RULES)


def test_the_last_dollar_comes_from_another_asset() -> None:
    """Goal: a whole asset that rounds a dollar short is no refusal. Method: three at a quarter off count for two.

    The programme takes all of the bond for 2.25 of a call of 3 and 75 cents of money: rounded, three counts for two
    and one; a dollar of money more makes the call whole where the bond has none left.
    """
    rules = HouseRules(house="Z", haircut_e4={"bond": 2_500, "cash.HKD": 0})
    found = cheapest(3, [_asset("bond", "bond", 3, 1), _asset("cash", "cash.HKD", 5, 100)], rules)
    assert found.lendable >= 3
    exact = cheapest(2, [_asset("bond", "bond", 2, 1), _asset("cash", "cash.HKD", 5, 100)], rules)
    assert exact.lendable >= 2


def _desk() -> PoolHouse:
    desk = PoolHouse()
    desk.pledge("A", CGB, 1_000_000)
    desk.pledge("A", BILL, 500_000)
    desk.pledge("A", HKD, 50_000_000)
    desk.call("A", "OTC Clear", 60_000_000)
    desk.arrange("A", ("OTC Clear", CGB, 1_000_000), ("HKCC", HKD, 1_000))
    desk.do(pool.SetLodgement("OTC Clear", "SHCH", 40_000_000))
    desk.do(pool.ReuseCollateral(desk.account("A"), desk.asset(CGB), ("OTC Clear",), "SHCH", 500_000))
    return desk


def test_the_statement_adds_up() -> None:
    """Goal: every unit pledged is on the statement once. Method: first links and free lines add up to the pledges."""
    desk = _desk()
    found = statement(desk.house.pool, valuation(desk.house), {desk.account("A")})
    for what, amount in ((CGB, 1_000_000), (BILL, 500_000), (HKD, 50_000_000)):
        lines = [line for line in found.lines if line.asset == desk.asset(what) and len(line.chain) == 1]
        assert sum(line.amount for line in lines) == amount
    otc = next(line for line in found.takers if line.taker == "OTC Clear")
    assert otc.covered_cents == 1_000_000 * 101 * 108 // 100 * 94 // 100
    assert otc.short_cents == 0
    assert statement(desk.house.pool, valuation(desk.house), {desk.account("B")}).lines == ()


def test_one_failure_is_felt_along_the_chain() -> None:
    """Goal: reuse doubles what a failure breaks. Method: CCDC fails: the account's call and the house's lodgement."""
    desk = _desk()
    before = desk.house.digest()
    found = fail_custodian(desk.house.pool, valuation(desk.house), "CCDC")
    assert found.accounts == {(desk.account("A"), "OTC Clear"): 60_000_000}
    assert found.houses == {("OTC Clear", "SHCH"): 40_000_000}
    assert found.reused_cents == 500_000 * 101 * 108 // 100 * 95 // 100
    assert found.unreachable_cents == 1_000_000 * 101 * 108 // 100
    assert fail_custodian(desk.house.pool, valuation(desk.house), "CMU").accounts == {}
    assert desk.house.digest() == before


def test_commands(tmp_path: Path) -> None:
    """Goal: a desk's path. Method: calls and assets as files, the study; a wrong file names its line."""
    calls, assets = tmp_path / "calls.csv", tmp_path / "assets.csv"
    calls.write_text("taker,call\nHKCC,1000000\nSHCH,500000\n", encoding="utf-8")
    assets.write_text(
        "id,kind,value,cost\nc,cash.HKD,700000,0.02\ne,exchange-fund,800000,0.001\ng,cgb,900000,0.001\n",
        encoding="utf-8",
    )
    asked = ["margin", "pool", "allot", "--calls", str(calls), "--assets", str(assets), "--day", "2026-01-05"]
    ran = CliRunner().invoke(root, [*asked, "--json"])
    assert ran.exit_code == 0, ran.output
    assert json.loads(ran.output)["lendable"]["SHCH"] >= 500_000
    assert "stay free" in CliRunner().invoke(root, asked).output
    calls.write_text("taker,call\nHKCC,1\nHKCC,2\n", encoding="utf-8")
    with pytest.raises(Rejected, match=r"calls\.csv:3"):
        CliRunner().invoke(root, asked, catch_exceptions=False, standalone_mode=False)
    ran = CliRunner().invoke(root, ["margin", "pool", "study", "--participants", "2", "--day", "2026-01-05"])
    assert "one pool saves" in ran.output


def test_statement_and_failure_of_a_house(tmp_path: Path) -> None:
    """Goal: what the books hold, from outside. Method: a house on disk with a pool; statement and failure as text."""
    with Session.open(tmp_path / "house") as session:
        session.submit([(f"c{number}", command) for number, command in enumerate(_desk().told)])
    place = str(tmp_path / "house")
    told = CliRunner().invoke(root, ["margin", "pool", "statement", "--house", place, "--participant", "A"])
    assert "OTC Clear > SHCH" in told.output
    told = CliRunner().invoke(root, ["margin", "pool", "fail", "--house", place, "--custodian", "CCDC", "--json"])
    assert json.loads(told.output)["houses"] == [["OTC Clear", "SHCH", 40_000_000]]
    told = CliRunner().invoke(root, ["margin", "pool", "statement", "--house", place, "--json"])
    assert CNY not in [line["asset"] for line in json.loads(told.output)["lines"]]
