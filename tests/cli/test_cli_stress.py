"""Goal: ``tsingma stress`` answers from the command line, in numbers that add up and a brief of two languages.

Method: a simulated house of one day; JSON checked against itself; the brief parsed for its parts; refusals by name.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tsingma.cli.main import EXIT_REFUSED, main

SMALL = ["--trades", "2000", "--days", "1", "--seed", "1"]


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Return what the command printed; it must succeed."""
    assert main(["stress", *arguments]) == 0
    return capsys.readouterr().out


def test_scenarios_run_and_add_up(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Goal: one scenario whole. Method: regimes, houses and layers of the JSON against one another; Chinese brief."""
    brief = tmp_path / "brief.html"
    text = run(capsys, "run", "--scenario", "replay-1987", "--scenario", "trilateral-opening", "--draws", "5", "--json",
               "--html", str(brief), "--language", "zh", *SMALL)  # fmt: skip
    first, second = json.loads(text)["runs"]
    assert (first["id"], second["id"]) == ("replay-1987", "trilateral-opening")
    assert sum(house["over_margin"] for house in first["houses"]) == first["regimes"][0]["over_margin"]
    assert first["over_margin_low"] <= first["over_margin_high"]
    assert first["defaults"] >= second["defaults"]
    for house in first["houses"]:
        assert 0 <= house["fund_used"] <= house["fund"]
    page = brief.read_text(encoding="utf-8")
    assert 'lang="zh-Hant-HK"' in page
    assert "重演1987年10月26日" in page
    assert "<script" not in page


def test_the_same_seed_gives_the_same_answer(capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: a run can be repeated. Method: twice, byte for byte."""
    arguments = ("run", "--scenario", "ai-capex-bust", "--draws", "10", "--json", *SMALL)
    assert run(capsys, *arguments) == run(capsys, *arguments)


def test_list_names_every_scenario(capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: what can be asked for is shown. Method: a few names."""
    text = run(capsys, "list")
    assert "hbm-stop" in text
    assert "重演1987年10月26日" in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "--scenario", "no-such", *SMALL], "no scenario 'no-such'"),
        (["run", "--scenario", "no.toml", *SMALL], "there is no such file"),
        (["run", "--house", ".", "--scenario", "hbm-stop"], "--house needs"),
    ],
)
def test_refusals_name_what_is_wrong(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: bad input is refused by name. Method: one fault each."""
    assert main(["stress", *arguments]) == EXIT_REFUSED
    assert words in capsys.readouterr().err
