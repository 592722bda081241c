"""Goal: the commands write their briefs in both languages. Method: small runs through the command line."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from tsingma.basics.rejection import Rejected
from tsingma.cli.economy_chain import chain
from tsingma.cli.economy_replicate import replicate
from tsingma.cli.economy_run import property_, renminbi

ECON = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "econ"


def test_chain_writes_its_brief_beside_the_json(tmp_path: Path) -> None:
    file = tmp_path / "chain.html"
    asked = ["run", "--scenario", "hbm-stop", "--draws", "0", "--html", str(file), "--language", "zh", "--json"]
    answer = CliRunner().invoke(chain, asked, catch_exceptions=False)
    assert answer.exit_code == 0
    assert msgspec.json.decode(answer.output)["flows"]
    text = file.read_text(encoding="utf-8")
    assert '<html lang="zh-Hant-HK">' in text
    assert "韓國HBM停產" in text
    assert 'id="flow-upstream-after-title"' in text


@pytest.mark.parametrize(("group", "scenario"), [(renminbi, "renminbi-jump"), (property_, "reunion-down")])
def test_a_run_writes_its_fans(group: object, scenario: str, tmp_path: Path) -> None:
    file = tmp_path / "run.html"
    asked = ["run", "--scenario", scenario, "--replications", "50", "--html", str(file)]
    answer = CliRunner().invoke(group, asked, catch_exceptions=False)  # type: ignore[arg-type]
    assert answer.exit_code == 0
    assert f"brief: {file}" in answer.output
    text = file.read_text(encoding="utf-8")
    assert text.count('class="band band-0"') == text.count("<polyline") // 2
    assert "seed: 1" in text


def test_a_brief_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    asked = ["run", "--scenario", "renminbi-jump", "--replications", "20", "--html", str(tmp_path / "no" / "run.html")]
    with pytest.raises(Rejected, match="cannot be written"):
        CliRunner().invoke(renminbi, asked, catch_exceptions=False)


def test_what_came_is_drawn_from_the_folder_of_series(tmp_path: Path) -> None:
    if not ECON.is_dir():
        pytest.skip("the public series of ../shared/data/econ are not there")
    file = tmp_path / "run.html"
    asked = ["run", "--scenario", "homes-baseline", "--replications", "50", "--data", str(ECON), "--html", str(file)]
    assert CliRunner().invoke(property_, asked, catch_exceptions=False).exit_code == 0
    text = file.read_text(encoding="utf-8")
    assert "2026-07-31: 2" in text
    assert "What came (never fitted)" in text


def test_replication_writes_its_table(tmp_path: Path) -> None:
    if not ECON.is_dir():
        pytest.skip("the published data of ../shared/data/econ are not there")
    file = tmp_path / "dy.html"
    asked = ["dy2012", "--data", str(ECON), "--html", str(file), "--language", "zh"]
    assert CliRunner().invoke(replicate, asked, catch_exceptions=False, standalone_mode=False).return_value == 0
    text = file.read_text(encoding="utf-8")
    assert text.count('<td class="own">') == 4
    assert "溢出效應表" in text
