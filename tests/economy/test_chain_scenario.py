"""Scenarios that ship, on the stylised table and a real one.

Goal: every scenario runs, explains itself exactly, repeats from its seed; bad files are refused. Method: run each;
real WIOD table from the shared folder; faults in files.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tsingma.app.economy_chain import read_chain, read_scenario, run_chain, scenario_names
from tsingma.basics.rejection import Rejected
from tsingma.economy.chain.real_table import standard_layers
from tsingma.economy.chain.scenario import ScenarioResult, run_scenario
from tsingma.economy.chain.stylised import stylised_chain


def _run(name: str, draws: int = 0) -> ScenarioResult:
    return run_chain(name, None, year=None, layers=None, draws=draws, seed=3)


@pytest.mark.parametrize("name", scenario_names())
def test_every_scenario_runs_and_explains_itself(name: str) -> None:
    """Goal: parts add up to real income exactly; dividends to world income. Method: sums of the result."""
    found = _run(name)
    assert found.residual < 1e-9
    for part in found.regions:
        total = part.factor_income + sum(part.rent.values()) + sum(part.prices.values())
        assert total == pytest.approx(part.real_income, abs=1e-9), part.region
    assert sum(row.base for row in found.dividends) == pytest.approx(117_170, rel=1e-9)
    assert len(found.dividends) == 9 * 4 * 2
    assert {row.country for row in found.countries} == {"CHN", "JPN", "KOR", "TWN", "USA", "ROW"}


def test_scenarios_hit_whom_they_should() -> None:
    """Goal: signs. Method: HBM stop on Korea, photoresist on Korea more than on Japan, EDA on Chinese chips."""
    change = {name: {row.country: row for row in _run(name).countries} for name in scenario_names()}
    assert change["hbm-stop"]["KOR"].real_income < -0.5
    assert change["hbm-stop"]["TWN"].real_income < 0
    embargo = change["photoresist-embargo"]
    assert embargo["KOR"].real_income < min(row.real_income for name, row in embargo.items() if name != "KOR")
    ban = change["eda-ban"]
    assert ban["CHN"].chain_dividends < 0 < ban["USA"].chain_dividends
    assert all(change["trilateral-opening"][name].real_income > 0 for name in ("CHN", "JPN", "KOR"))
    assert change["capex-bust"]["TWN"].chain_dividends < -5


def test_draws_repeat_from_their_seed_and_bracket_the_answer() -> None:
    """Goal: same seed same quantiles, another seed others. Method: twelve draws, twice."""
    one, again = (_run("hbm-stop", draws=12) for _ in range(2))
    assert msgspec.json.encode(one) == msgspec.json.encode(again)
    other = run_chain("hbm-stop", None, year=None, layers=None, draws=12, seed=4)
    assert one.countries[2].quantiles != other.countries[2].quantiles
    low, middle, high = one.countries[2].quantiles
    assert low < middle < high < 0


def test_days_after() -> None:
    """Goal: an outage empties stocks downstream, an embargo strikes the buyer. Method: lowest cells."""
    stop, embargo = _run("hbm-stop").days, _run("photoresist-embargo").days
    assert stop is not None
    assert embargo is not None
    assert stop.worst[0][1] == pytest.approx(-100.0)
    assert stop.country_lost_days["KOR"] > stop.country_lost_days["JPN"]
    assert all(cell.startswith("KOR") for cell, _, _ in embargo.worst[:4])
    assert embargo.country_lost_days["KOR"] > 10 * embargo.country_lost_days["JPN"]


def test_a_real_table_is_one_option_away(shared: Path) -> None:
    """Goal: WIOD 2011 carved and cut, same scenario file. Method: run it; the layer file that ships."""
    table = shared / "data/econ/wiod2013/wiod_agg7x35_1995_2011.npz"
    found = run_chain("hbm-stop", table, year=2011, layers=None, draws=0, seed=1)
    change = {row.country: row.real_income for row in found.countries}
    assert min(change, key=lambda name: change[name]) == "KOR"
    assert "hbm carved out of c14" in " ".join(found.notes)
    with pytest.raises(Rejected, match="--year"):
        read_chain(table)
    assert standard_layers().label == "WIOD 2013"


def test_a_table_of_other_sectors_asks_for_its_layers(shared: Path, tmp_path: Path) -> None:
    """Goal: the remedy names --layers; a layer file of one's own serves. Method: exvatools' test table."""
    table = shared / "data/econ/gvc_tests/wiodtest_data.csv"
    with pytest.raises(Rejected, match="--layers FILE"):
        read_chain(table)
    layers = tmp_path / "layers.toml"
    layers.write_text(
        'label = "test"\ntheta_usual = 5\nsigma = 0.5\nepsilon = 0.5\ntheta = {}\n'
        '[layers]\n01T09 = "upstream"\n10T39 = "midstream"\n41T98 = "downstream"\n',
        encoding="utf-8",
    )
    assert read_chain(table, layers=layers).sectors_of("midstream") == [1]
    with pytest.raises(Rejected, match="no country 'KOR'"):
        run_chain("hbm-stop", table, year=None, layers=layers, draws=0, seed=1)


@pytest.mark.parametrize(("text", "message"), [
    ("english = ", "not TOML"),
    ('english = "a"\n', "missing required field"),
    ('english = "a"\nchinese = "b"\ndescription = "c"\n[[lever]]\nlever = "outage"\nvalue = "much"\n', "lever"),
    ('english = "a"\nchinese = "b"\ndescription = "c"\ntypo = 1\nlever = []\n', "typo"),
    ('english = "a"\nchinese = "b"\ndescription = "c"\n[[lever]]\nlever = "outage"\nvalue = 7\nsector = "hbm"\n'
     'country = "KOR"\n', "outside 0.001 to 1"),
])  # fmt: skip
def test_bad_files_are_refused(tmp_path: Path, text: str, message: str) -> None:
    """Goal: the field is named. Method: one fault each."""
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(Rejected, match=message):
        run_chain(str(path), None, year=None, layers=None, draws=0, seed=1)


def test_unknown_scenarios_and_too_many_draws_are_refused() -> None:
    """Goal: the names that ship are listed. Method: a wrong name; 10,001 draws."""
    with pytest.raises(Rejected, match="no scenario 'storm'"):
        read_scenario("storm")
    with pytest.raises(Rejected, match="10001 draws"):
        run_scenario(stylised_chain(), "x", read_scenario("capex-bust")[1], draws=10_001)
