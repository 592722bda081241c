"""The economy commands: what they print, as JSON and to read, and how they refuse."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tsingma.cli.main import EXIT_OK, EXIT_REFUSED, main
from tsingma.economy.path import from_json, from_toml


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


@pytest.mark.parametrize(("model", "scenario"), [("property", "replay-2025"), ("renminbi", "renminbi-jump")])
def test_runs_print_a_path_and_fans(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, model: str, scenario: str
) -> None:
    """Goal: each run yields a path. Method: as JSON, to read, and as a file that reads back the same."""
    asked = ["economy", model, "run", "--scenario", scenario, "--replications", "200"]
    file = tmp_path / "path.toml"
    assert main([*asked, "--json", "--path", str(file)]) == EXIT_OK
    found = json.loads(capsys.readouterr().out)
    path = from_toml(file.read_text(encoding="utf-8"))
    assert path == from_json(json.dumps(found["path"]))
    assert len(found["fans"]) == len(path.indicators)
    brief = tmp_path / "brief.html"
    assert main([*asked, "--html", str(brief), "--language", "zh"]) == EXIT_OK
    assert "the path that stands for it" in capsys.readouterr().out
    assert 'lang="zh-Hant-HK"' in brief.read_text(encoding="utf-8")


def test_runs_take_a_file_and_refuse_what_they_do_not_know(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Goal: a scenario of one's own; clear refusals. Method: a file, an unknown name, a lever out of range."""
    file = tmp_path / "own.toml"
    text = (
        'name="own"\nenglish="own"\nchinese="自訂"\nmodel="renminbi"\nstart=2026-06-30\nmonths=3\n'
        '[[lever]]\nname="links"\nvalue={}\n'
    )
    file.write_text(text.format(50), encoding="utf-8")
    asked = ["economy", "renminbi", "run", "--replications", "50", "--scenario"]
    assert main([*asked, str(file)]) == EXIT_OK
    capsys.readouterr()
    file.write_text(text.format(500), encoding="utf-8")
    assert main([*asked, str(file)]) == EXIT_REFUSED
    assert "outside 0.0 to 100.0" in capsys.readouterr().err
    assert main([*asked, "moon"]) == EXIT_REFUSED
    assert "offshore-squeeze" in capsys.readouterr().err
    assert main([*asked, "renminbi-jump", "--path", str(tmp_path / "p.csv")]) == EXIT_REFUSED


def test_scenarios_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: what comes with the house. Method: both models, as JSON and to read."""
    for model, name in (("property", "reunion-up"), ("renminbi", "offshore-squeeze")):
        assert main(["economy", model, "scenarios", "--json"]) == EXIT_OK
        assert name in {one["name"] for one in json.loads(capsys.readouterr().out)}
        assert main(["economy", model, "scenarios"]) == EXIT_OK
        assert name in capsys.readouterr().out


def test_claims_are_printed_whole(capsys: pytest.CaptureFixture[str], shared: Path) -> None:
    """Goal: the register and the count. Method: without series as JSON, with them to read."""
    assert main(["economy", "claims", "--json"]) == EXIT_OK
    assert len(json.loads(capsys.readouterr().out)["claims"]) == 80
    assert main(["economy", "claims", "--data", str(shared / "data" / "econ")]) == EXIT_OK
    shown = capsys.readouterr().out
    assert "80 statements (32 figures, 43 claims, 5 levers)" in shown
    assert "agreements of July 2026" in shown


def test_evidence_is_printed(capsys: pytest.CaptureFixture[str], shared: Path) -> None:
    """Goal: the pins at the command line. Method: both models, as JSON and to read."""
    data = ["--data", str(shared / "data" / "econ")]
    assert main(["economy", "property", "evidence", *data, "--json"]) == EXIT_OK
    found = json.loads(capsys.readouterr().out)
    assert found["causality"][0]["f"] == pytest.approx(39.5, abs=0.05)
    assert main(["economy", "property", "evidence", *data]) == EXIT_OK
    assert "1987-10-26 -33.33" in capsys.readouterr().out
    assert main(["economy", "renminbi", "evidence", *data, "--json"]) == EXIT_OK
    found = json.loads(capsys.readouterr().out)
    assert found["reserves"]["slope"] == pytest.approx(0.9067, abs=1e-4)
    assert main(["economy", "renminbi", "evidence", *data]) == EXIT_OK
    assert "half-life   5.8 years" in capsys.readouterr().out


def test_questions_to_the_model(capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: calibration and sensitivity at the command line. Method: the first half of 2026, and a small Sobol run."""
    asked = ["economy", "property", "calibrate", "--start", "2025-12-31", "--months", "6", "--home-price", "321",
             "--hsi", "22881.02", "--gap", "0.212"]  # fmt: skip
    assert main([*asked, "--json"]) == EXIT_OK
    found = json.loads(capsys.readouterr().out)
    assert found["parameters"] == pytest.approx({"southbound": -3.72, "mainland_buying": 3.84}, abs=0.02)
    assert found["loss_after"] < 1e-12
    assert "gap of homes to stocks" not in found["residuals"]
    assert found["hold_outs"][0]["better_than_no_change"]
    assert main(asked) == EXIT_OK
    assert "held out" in capsys.readouterr().out
    asked = ["economy", "property", "sensitivity", "--months", "6", "--samples", "16"]
    assert main([*asked, "--json"]) == EXIT_OK
    assert {"name", "first", "total"} <= set(json.loads(capsys.readouterr().out)[0])
    assert main(asked) == EXIT_OK
    assert main([*asked, "--of", "moon"]) == EXIT_REFUSED


def test_levers_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: each lever with unit and range. Method: as JSON and to read."""
    assert main(["economy", "renminbi", "levers", "--json"]) == EXIT_OK
    assert {"name", "unit", "low", "high", "source"} <= set(json.loads(capsys.readouterr().out)[0])
    assert main(["economy", "renminbi", "levers"]) == EXIT_OK
    assert "0 to 10 further central-bank swap lines" in capsys.readouterr().out
