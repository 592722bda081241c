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
        (["run", "--swaps", __file__, *SMALL], "--swaps needs --house"),
    ],
)
def test_refusals_name_what_is_wrong(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: bad input is refused by name. Method: one fault each."""
    assert main(["stress", *arguments]) == EXIT_REFUSED
    assert words in capsys.readouterr().err


def test_shapes_are_printed_in_basis_points(capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: what a curve may do is shown, as of a day. Method: a figure of the standard of 2016 in text and JSON."""
    assert "+250 / +0 / +0" in run(capsys, "shapes", "--day", "2025-12-31")
    found = json.loads(run(capsys, "shapes", "--day", "2025-12-31", "--json"))
    assert found["short-up"]["HKD"] == {"parallel": 0.0, "short": 250.0, "long": 0.0}


def test_a_simulated_house_loses_on_its_swaps_when_rates_move(capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: rates reach the house from the command line. Method: a shipped scenario of curves alone: OTC Clear loses,
    the moves stand in the answer, and the terminal names them.
    """
    text = run(capsys, "run", "--scenario", "rates-up", "--draws", "0", "--json", *SMALL)
    (one,) = json.loads(text)["runs"]
    losses = {house["house"]: house["losses"] for house in one["houses"]}
    assert losses["OTC Clear"] > 0
    assert losses["HKSCC"] == 0
    assert {row["currency"] for row in one["rates"]} == {"HKD", "CNY", "CNH", "USD"}
    assert "CNY       curves parallel +45" in run(capsys, "run", "--scenario", "rates-up", "--draws", "0", *SMALL)
