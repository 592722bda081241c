"""``tsingma economy chain``: what it prints, and how it refuses.

Goal: JSON with every cell, a readable page, exit code 2 for bad input. Method: run the commands.
"""

from __future__ import annotations

import json

import pytest

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
