"""``tsingma economy chain``: what it prints, and how it refuses.

Goal: JSON with every cell, a readable page, exit code 2 for bad input. Method: run the commands.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tsingma.app.stress_run import path_of_file
from tsingma.cli.main import EXIT_OK, EXIT_REFUSED, main


def test_run_as_json_and_to_read(capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: countries, dividends, leakage, divergence, reasons, days. Method: HBM stop, few draws."""
    asked = ["economy", "chain", "run", "--scenario", "hbm-stop", "--draws", "3"]
    assert main([*asked, "--json"]) == EXIT_OK
    found = json.loads(capsys.readouterr().out)
    assert len(found["dividends"]) == 72
    assert {"leakage", "divergence", "concentration", "regions", "days", "notes", "seed"} <= set(found)
    assert main(asked) == EXIT_OK
    page = capsys.readouterr().out
    assert "stylised" in page
    assert "韓國HBM停產" in page


def test_the_path_is_what_stress_reads(tmp_path: Path) -> None:
    """Goal: value added by country and layer as ratios. Method: write it, read it as the stress side does."""
    file = tmp_path / "path.toml"
    asked = ["economy", "chain", "run", "--scenario", "hbm-stop", "--draws", "0", "--path", str(file)]
    assert main([*asked, "--start", "2026-07-01"]) == EXIT_OK
    path = path_of_file(file)
    assert path.values("value_added.KOR.upstream")[1] < 0.5
    assert path.values("real_income.KOR")[1] < 1.0 < path.values("value_added.USA.upstream")[1]
    assert path.shocks[0].name == "outage"


def test_accounts_add_up(capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: exports and their nine terms, sectors of one country. Method: Korea in the stylised table."""
    asked = ["economy", "chain", "accounts", "--exporter", "KOR"]
    assert main([*asked, "--json"]) == EXIT_OK
    found = json.loads(capsys.readouterr().out)
    assert sum(found["nine_terms"]) == pytest.approx(found["content"]["gross_exports"])
    assert len(found["sectors"]) == 15
    assert main(asked) == EXIT_OK
    assert "foreign content" in capsys.readouterr().out
    assert main(["economy", "chain", "accounts", "--exporter", "FRA"]) == EXIT_REFUSED


def test_list_names_scenarios_and_levers(capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: what can be run. Method: both forms."""
    assert main(["economy", "chain", "list", "--json"]) == EXIT_OK
    found = json.loads(capsys.readouterr().out)
    assert set(found["scenarios"]) == {
        "hbm-stop", "photoresist-embargo", "eda-ban", "trilateral-opening", "capex-bust"
    }  # fmt: skip
    assert len(found["levers"]) == 12
    assert main(["economy", "chain", "list"]) == EXIT_OK
    assert "export_control" in capsys.readouterr().out


def test_unknown_scenario_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: exit code 2 and the names that ship. Method: a wrong name."""
    assert main(["economy", "chain", "run", "--scenario", "storm"]) == EXIT_REFUSED
    assert "hbm-stop" in capsys.readouterr().err
