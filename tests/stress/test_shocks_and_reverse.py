"""Goal: paths become shocks as written, plausibility is honest, and the reverse search finds the nearest point.

Method: betas planted in simulated returns; a linear fund use with a closed form for the smallest distance; scenario
files with every kind of fault.
"""

from __future__ import annotations

from datetime import date

import msgspec
import numpy as np
import pytest

from tsingma.app.stress_run import economy_path
from tsingma.basics.rejection import Rejected
from tsingma.economy.path import Indicator, Likelihood, LikelihoodKind, Path, Provenance, Unit
from tsingma.margin.house.holdings import INDEX
from tsingma.stress.history import factor_past, shock_of_point
from tsingma.stress.plausibility import mahalanobis, plausibility
from tsingma.stress.reverse import ReverseSettings, smallest_path
from tsingma.stress.scenario import (
    assumptions,
    fund_rules,
    fund_shocks,
    layer_parts,
    parse_scenarios,
    scenario_named,
    shipped_scenarios,
    worst_on_record,
)
from tsingma.stress.shocks import (
    LayerPart,
    MarketShock,
    chain_returns,
    estimate_factors,
    path_shock,
    shock_moves,
    together,
)

DAYS = np.arange(20_000, 20_600, dtype=np.int32)


def closes(seed: int = 1) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return closes of two names with betas 1.5 and 0.5 to the index, and the index."""
    chance = np.random.default_rng(seed)
    market = chance.normal(0, 0.01, DAYS.size)
    own = {
        "981": 1.5 * market + chance.normal(0, 0.002, DAYS.size),
        "5": 0.5 * market + chance.normal(0, 0.001, DAYS.size),
    }
    return {name: np.cumprod(1 + each) * 1e4 for name, each in own.items()}, np.cumprod(1 + market) * 1e4


def path(**indicators: tuple[Unit, tuple[float, ...]]) -> Path:
    """Return a path of three months."""
    return Path(
        name="test", dates=(date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31)),
        indicators=tuple(Indicator(name.replace("__", "."), *each) for name, each in indicators.items()),
        likelihood=Likelihood(kind=LikelihoodKind.PLAUSIBILITY, value=0.5, basis="none"),
        provenance=Provenance(model="test", scenario="test", calibration="none", uncertainty="none"),
    )  # fmt: skip


def test_betas_are_found_again() -> None:
    """Goal: least squares on windows gives the planted betas. Method: 600 days, horizon 2, tolerance 0.05."""
    own, index = closes()
    model = estimate_factors(("5", "981", INDEX, "none"), own, index, DAYS, 2, {"none": 0.45}, assumptions())
    assert model.beta == pytest.approx([0.5, 1.5, 1.0, 0.45], abs=0.05)
    assert model.fit[1] > 0.9
    assert not model.residual[:, 3].any()
    assert abs(model.residual[:, 1].mean()) < 1e-12


def test_a_short_index_is_refused() -> None:
    """Goal: no beta on nothing. Method: twenty days."""
    own, index = closes()
    with pytest.raises(Rejected, match="windows of the index"):
        estimate_factors(("5",), own, index[:20], DAYS[:20], 2, {}, assumptions())


def test_moves_are_beta_chain_and_residual() -> None:
    """Goal: a return is made as the module says. Method: each part alone and together, and one drawn window."""
    own, index = closes()
    model = estimate_factors(("5", "981", INDEX), own, index, DAYS, 2, {}, assumptions())
    shock = MarketShock(horizon_days=2, index_return=-0.1, layers={"CHN.upstream": -0.2}, names={"5": -0.5})
    parts = (LayerPart("981", "CHN.upstream", 0.5), LayerPart("1", "CHN.upstream", 1.0))
    moves = shock_moves(model, shock, parts, assumptions(), np.array([7]))
    chain = np.expm1(0.5 * -0.2)
    assert moves.returns["981"][0] == pytest.approx(model.beta[1] * -0.1 + chain)
    assert moves.returns["981"][1] == pytest.approx(model.beta[1] * -0.1 + chain + model.residual[7, 1])
    assert moves.returns[INDEX].tolist() == [-0.1, -0.1]
    assert moves.returns["5"].tolist() == [-0.5, -0.5]
    assert chain_returns(("5",), shock, parts, assumptions()).tolist() == [0.0]


def test_a_path_gives_index_renminbi_and_layers() -> None:
    """Goal: what a path says replaces what a scenario assumes. Method: the largest step of each."""
    found = path_shock(
        path(
            equity__HSI=(Unit.INDEX, (100.0, 120.0, 90.0)),
            fx__USDCNH=(Unit.QUOTE, (7.0, 7.0, 7.35)),
            value_added__CHN__upstream=(Unit.RATIO, (1.0, 0.9, 0.8)),
            rate__HIBOR_1M=(Unit.PERCENT, (2.0, 3.0, 4.0)),
        ),
        MarketShock(horizon_days=5, index_return=-0.01),
        assumptions(),
    )
    assert found.index_return == pytest.approx(-0.25)
    assert found.renminbi_return == pytest.approx(7.0 / 7.35 - 1)
    assert found.layers == {"CHN.upstream": pytest.approx(np.log(0.8 / 0.9))}


@pytest.mark.parametrize(
    "change",
    [{"horizon_days": 0}, {"index_return": -1.5}, {"volatility_ratio": 0.0}, {"layers": {"x": 99.0}},
     {"names": {"5": float("nan")}}],
)  # fmt: skip
def test_impossible_shocks_are_refused(change: dict[str, object]) -> None:
    """Goal: no scenario beyond what can be. Method: one impossible field at a time."""
    with pytest.raises(Rejected):
        MarketShock(**{"horizon_days": 2, **change})  # type: ignore[arg-type]


def test_shipped_scenarios_and_tables_are_whole() -> None:
    """Goal: what ships can be run. Method: load every table; names unique; both languages there; layers parts of 1."""
    found = shipped_scenarios()
    assert len(found) >= 13
    assert all(one.title_zh and one.story_zh and one.source_zh for one in found)
    assert {one.id for one in fund_shocks() if not one.rates} == {"down", "up"}
    assert len(fund_rules()) == 4
    assert all(0 < part.part <= 1 for part in layer_parts())
    assert scenario_named("replay-1987").index_return == -0.3333


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("not toml", "Invalid|Expected|expected"),
        ("", "0 scenarios"),
        ('[[scenario]]\nid = "x"', "title"),
        ('[[scenario]]\nid = "x"\nnonsense = 1', "nonsense|title"),
    ],
)
def test_scenario_files_with_faults_are_refused(text: str, words: str) -> None:
    """Goal: a fault names file and field. Method: four broken files."""
    with pytest.raises(Rejected, match=words):
        parse_scenarios(text, file="mine.toml")
    with pytest.raises(Rejected, match="one of"):
        scenario_named("no-such")


def test_plausibility_ranks_and_says_beyond_1987() -> None:
    """Goal: the label is what the history says. Method: planted histories of a thousand windows."""
    history = np.linspace(-0.1, 0.1, 1001)
    record = worst_on_record()
    assert plausibility(-0.5, history, 9.0, record, 5).label.startswith("beyond the five days to 26 October 1987")
    assert plausibility(-0.35, history, 9.0, record, 5).label.startswith("beyond this history")
    assert plausibility(-0.0999, history, 3.0, record, 5).rank == pytest.approx(1 / 1001)
    assert plausibility(0.0, history, 0.0, record, 5).label == "ordinary"
    assert plausibility(0.0992, history, 3.0, record, 5).rank == pytest.approx(5 / 1001)


def test_the_search_finds_the_nearest_point_of_a_linear_fund() -> None:
    """Goal: the smallest distance. Method: use = -a.x / c has the closed form c / sqrt(a' S a); within 1 %, seeded."""
    covariance = np.array([[0.04, -0.01, 0.0], [-0.01, 0.09, 0.02], [0.0, 0.02, 0.16]])
    direction, limit = np.array([1.0, -0.5, 0.25]), 3.0
    found = smallest_path(("a", "b", "c"), covariance, lambda x: float(-direction @ x / limit), ReverseSettings())
    exact = limit / float(np.sqrt(direction @ covariance @ direction))
    assert found is not None
    assert exact <= found.distance <= 1.01 * exact
    assert found.use == pytest.approx(1.0, abs=1e-4)
    assert found.use_inside < 1.0
    assert mahalanobis(found.point, covariance) == pytest.approx(found.distance)


def test_a_fund_out_of_reach_and_a_singular_past_are_said() -> None:
    """Goal: no answer is no silent answer. Method: a use that never rises; a covariance without inverse."""
    assert smallest_path(("a",), np.eye(1), lambda _: 0.0) is None
    with pytest.raises(Rejected, match="positive definite"):
        smallest_path(("a", "b"), np.ones((2, 2)), lambda _: 0.0)


def test_the_past_of_factors_has_index_volatility_and_layers() -> None:
    """Goal: a reverse point becomes a shock that can be. Method: layers with listed names only; ends cut."""
    own, index = closes()
    model = estimate_factors(("5", "981", INDEX), own, index, DAYS, 2, {}, assumptions())
    past = factor_past(index, model, (LayerPart("981", "CHN.upstream", 1.0), LayerPart("1", "X.y", 1.0)), assumptions())
    assert past.factors == ("index return", "log volatility ratio", "CHN.upstream")
    assert past.covariance.shape == (3, 3)
    shock = shock_of_point(past.factors, np.array([-5.0, 9.0, -0.3]), 2)
    assert (shock.index_return, shock.volatility_ratio) == (-0.95, pytest.approx(np.exp(2.3)))
    assert shock.layers == {"CHN.upstream": -0.3}


def test_a_run_of_the_chain_becomes_a_path_and_a_shock() -> None:
    """Goal: the bridge from the chain to listed names. Method: Korea's memory stops; its upstream falls, and a path of
    ratios with one step becomes the log change of every layer.
    """
    found = economy_path("chain/hbm-stop", date(2026, 1, 7))
    ratio = found.values("value_added.KOR.upstream")[-1]
    assert ratio < 0.5
    shock = path_shock(found, MarketShock(horizon_days=5), assumptions())
    assert shock.layers["KOR.upstream"] == pytest.approx(np.log(ratio))
    assert shock.layers["CHN.upstream"] < 0.0
    with pytest.raises(Rejected, match="no scenario"):
        economy_path("chain/no-such", date(2026, 1, 7))


def test_what_is_priced_in_renminbi_moves_with_it() -> None:
    """Goal: a fall of the currency is a loss in HKD. Method: one of two names marked; both fall 10 %, renminbi 3 %."""
    own, index = closes()
    model = estimate_factors(("5", "981", INDEX), own, index, DAYS, 2, {}, assumptions())
    model = msgspec.structs.replace(model, beta=np.ones(3), renminbi=("981",))
    shock = MarketShock(horizon_days=2, index_return=-0.1, renminbi_return=-0.03)
    moves = shock_moves(model, shock, (), assumptions())
    assert moves.returns["981"][0] == pytest.approx(0.9 * 0.97 - 1.0)
    assert moves.returns["5"][0] == pytest.approx(-0.1)


@pytest.mark.parametrize("correlation", [0.0, 0.3, 0.7, 1.0])
def test_a_correlation_regime_keeps_every_names_size(correlation: float) -> None:
    """Goal: more alike, none larger. Method: drawn residuals of four sizes; deviations kept, mean correlation up."""
    chance = np.random.default_rng(7)
    residual = chance.normal(size=(4_000, 5)) * np.array([0.01, 0.02, 0.005, 0.03, 0.0])
    moved = together(residual, correlation)
    np.testing.assert_allclose(moved.std(0), residual.std(0), rtol=1e-12)
    before, after = (np.corrcoef(each[:, :4].T)[np.triu_indices(4, 1)] for each in (residual, moved))
    assert after.mean() >= before.mean() - 1e-12
    if correlation == 1.0:
        np.testing.assert_allclose(after, 1.0, atol=1e-9)
    if correlation == 0.0:
        np.testing.assert_array_equal(moved, residual)
    assert not moved[:, 4].any()
    with pytest.raises(Rejected, match="correlation"):
        MarketShock(horizon_days=2, correlation=1.1)
