"""``tsingma margin hkscc`` on the published example: JSON keys and figures, table, tree, refusals, help."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from hkscc_example import PARAMETERS, PARTICIPANT, POSITIONS
from tsingma.basics.rejection import Rejected
from tsingma.cli.main import main
from tsingma.cli.margin import margin

KEYS = [
    "portfolio_margin",
    "flat_rate_margin",
    "liquidation_risk_addon",
    "structured_product_addon",
    "corporate_action_margin",
    "holiday_addon",
    "aggregate",
    "rounded",
    "favourable_mtm",
    "mtm_requirement",
    "net_margin",
    "net_margin_after_credit",
    "position_limit_addon",
    "credit_risk_addon",
    "ad_hoc_addon",
    "total",
]


def _arguments(folder: Path, positions: bytes = POSITIONS, participant: bytes = PARTICIPANT) -> list[str]:
    arguments = ["hkscc"]
    for option, name, data in (
        ("--parameters", "RPF01.csv", PARAMETERS),
        ("--positions", "P.csv", positions),
        ("--participant", "C.toml", participant),
    ):
        (folder / name).write_bytes(data)
        arguments += [option, str(folder / name)]
    return arguments


def test_json_is_one_object_with_the_published_figures(tmp_path: Path) -> None:
    """Goal: exactly the documented keys, integers. Method: the guide's example; total 67,717,169."""
    ran = CliRunner().invoke(margin, [*_arguments(tmp_path), "--json"], catch_exceptions=False)
    assert ran.exit_code == 0
    figures = json.loads(ran.stdout)
    assert list(figures) == KEYS
    assert all(type(value) is int for value in figures.values())
    assert [figures[key] for key in ("aggregate", "position_limit_addon", "total")] == [46_929_904, 487_169, 67_717_169]


def test_json_explains_on_request(tmp_path: Path) -> None:
    """Goal: --explain adds the key explain and nothing else. Method: compare keys, add up the root's parts."""
    ran = CliRunner().invoke(margin, [*_arguments(tmp_path), "--json", "--explain"], catch_exceptions=False)
    figures = json.loads(ran.stdout)
    assert list(figures) == [*KEYS, "explain"]
    assert sum(part["amount"] for part in figures["explain"]["parts"]) == figures["total"]


def test_table_and_tree(tmp_path: Path) -> None:
    """Goal: readable output names parameters and date. Method: look for figures, formula and worst scenarios."""
    ran = CliRunner().invoke(margin, [*_arguments(tmp_path), "--explain"], catch_exceptions=False)
    assert "67,717,169" in ran.stdout
    assert "2019-04-01" in ran.stdout
    assert "floor top-up: 2326417.05" in ran.stdout
    whole = PARAMETERS.replace(b"HVaR_Scen_Count,1000", b"HVaR_Scen_Count,10").replace(b"Count,1018", b"Count,10")
    arguments = _arguments(tmp_path, participant=PARTICIPANT[: PARTICIPANT.index(b"[tail_means")])
    (tmp_path / "RPF01.csv").write_bytes(whole)
    ran = CliRunner().invoke(margin, [*arguments, "--explain"], catch_exceptions=False)
    assert "worst scenario 2: -44,367" in ran.stdout


def test_refusals_reach_the_shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: exit code 2 with file, line, field on standard error, nothing on standard output. Method: the root."""
    unknown = POSITIONS.replace(b"658,", b"659,", 1)
    assert main(["margin", *_arguments(tmp_path, positions=unknown)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "P.csv:2: 659: instrument: has no parameters in RPF01.csv" in captured.err
    partial = _arguments(tmp_path, participant=PARTICIPANT[: PARTICIPANT.index(b"[tail_means")])
    with pytest.raises(Rejected, match="10 scenarios where the header declares 1000"):
        CliRunner().invoke(margin, partial, catch_exceptions=False)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """Goal: a vanished file is a refusal, not a traceback. Method: call the use case on a folder."""
    from tsingma.app.hkscc_margin import margin_of_files

    with pytest.raises(Rejected, match="readable file"):
        margin_of_files(tmp_path, tmp_path, tmp_path)


def test_help_ends_with_an_example() -> None:
    """Goal: help shows how. Method: both help texts; the group lists the command of the other module."""
    group = CliRunner().invoke(margin, ["--help"]).stdout
    assert "parameters" in group
    assert "hkscc" in group
    helped = CliRunner().invoke(margin, ["hkscc", "--help"]).stdout
    assert "tsingma margin hkscc --parameters RPF01.csv" in helped.split("Example:")[1]
    assert CliRunner().invoke(margin, ["nothing"]).exit_code == 2
    assert CliRunner().invoke(margin, ["parameters", "--help"]).exit_code == 0
