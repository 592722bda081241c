"""The economy commands: what they print, as JSON and to read, and how they refuse."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tsingma.cli.main import EXIT_OK, EXIT_REFUSED, main


def test_duty_as_json_and_to_read(capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: the duty on twelve million. Method: 3.75 % of the price, in both forms."""
    asked = ["economy", "duty", "--price", "12000000", "--date", "2026-03-01", "--kind", "residential"]
    assert main([*asked, "--json"]) == EXIT_OK
    assert json.loads(capsys.readouterr().out)["duty_hkd"] == 450_000
    assert main(asked) == EXIT_OK
    assert "HKD 450,000" in capsys.readouterr().out


def test_duty_without_a_price_lists_the_edges(capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: the schedule at a glance. Method: the twelve edges of 2026 homes."""
    asked = ["economy", "duty", "--date", "2026-03-01", "--kind", "residential"]
    assert main([*asked, "--json"]) == EXIT_OK
    assert len(json.loads(capsys.readouterr().out)["notches"]) == 12
    assert main(asked) == EXIT_OK
    assert "109,574,470" in capsys.readouterr().out


def test_duty_refuses_what_it_does_not_know(capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: exit code 2 and a reason. Method: a day before the table and a price that is no number."""
    asked = ["economy", "duty", "--kind", "other", "--date"]
    assert main([*asked, "2020-01-01", "--price", "1"]) == EXIT_REFUSED
    assert "kept from" in capsys.readouterr().err
    assert main([*asked, "2026-01-01", "--price", "dear"]) == EXIT_REFUSED


def test_replicate_prints_every_cell(capsys: pytest.CaptureFixture[str], shared: Path) -> None:
    """Goal: the whole published table. Method: both papers as JSON, one to read."""
    data = str(shared / "data" / "econ")
    for paper, size in (("dy2012", 4), ("dy2009", 19)):
        assert main(["economy", "replicate", paper, "--data", data, "--json"]) == EXIT_OK
        found = json.loads(capsys.readouterr().out)
        assert len(found["table"]) == size
        assert found["agrees"]
    assert main(["economy", "replicate", "dy2012", "--data", data]) == EXIT_OK
    assert "total 12.59" in capsys.readouterr().out


def test_replicate_refuses_a_folder_without_data(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Goal: exit code 2 and the missing file. Method: an empty folder."""
    assert main(["economy", "replicate", "dy2012", "--data", str(tmp_path)]) == EXIT_REFUSED
    assert "cannot be read" in capsys.readouterr().err
