"""``tsingma economy chain``: what it prints, and how it refuses.

Goal: JSON with every cell, a readable page, exit code 2 for bad input. Method: run the commands.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chain_tables import made_up_table
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


def test_a_table_of_ones_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: any table in the ICIO layout with a layer file. Method: made up, HBM carved, China cut."""
    table = made_up_table(3)
    codes = [f"{region}_{sector}" for region in table.regions for sector in table.sectors]
    rows = [["", *codes, *(f"{region}_HFCE" for region in table.regions)]]
    for k, code in enumerate(codes):
        rows.append([code, *(repr(float(cell)) for cell in (*table.intermediate[k], *table.final[k]))])
    (tmp_path / "own.csv").write_text("\n".join(",".join(row) for row in rows), encoding="utf-8")
    (tmp_path / "layers.toml").write_text(
        'label = "own"\ntheta_usual = 5\nsigma = 0.5\nepsilon = 0.5\ntheta = { chips = 4 }\n'
        '[layers]\nchips = "upstream"\nmodels = "midstream"\napps = "downstream"\n'
        '[[carving]]\nname = "hbm"\nparent = "chips"\nsize_share = 0.01\nsuppliers = { KOR = 1 }\n'
        "users = { models = 1 }\ntheta = 1\nuser_epsilon = 0.1\nmarkup = 1.2\n"
        'layer = "upstream"\n[[cut]]\ncountry = "CHN"\ncore_share = 0.6\ncore_people = 0.4\n',
        encoding="utf-8",
    )
    asked = ["economy", "chain", "run", "--scenario", "hbm-stop", "--draws", "4", "--json"]
    assert main([*asked, "--table", str(tmp_path / "own.csv"), "--layers", str(tmp_path / "layers.toml")]) == EXIT_OK
    found = json.loads(capsys.readouterr().out)
    assert [row["country"] for row in found["countries"]] == ["CHN", "JPN", "KOR"]
    assert all(row["real_income"] < 0 for row in found["countries"])
    assert [row["country"] for row in found["divergence"]] == ["CHN"]


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
