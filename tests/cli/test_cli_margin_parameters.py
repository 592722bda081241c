"""``tsingma margin parameters``: prices in, a readable RPF01 out, and refusals that change nothing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from tsingma.basics.rejection import Rejected
from tsingma.cli.margin_parameters import parameters
from tsingma.messages.rpf01 import read_parameters

RULES = ["--look-back", "150", "--decay", "0.94"]


def _files(folder: Path, days: int = 450) -> tuple[Path, Path]:
    """Write made-up closes of three counters, one listed late, and volumes."""
    generator = np.random.default_rng(2)
    close = 50 * np.exp(np.cumsum(generator.normal(0, 0.02, (days, 3)), axis=0))
    first = np.datetime64("2023-01-02")
    prices, volumes = ["Date,0005.HK,0700.HK,1810.HK"], ["Date,0005.HK,0700.HK,1810.HK"]
    for row in range(days):
        cells = [f"{value:.4f}" for value in close[row]]
        cells[2] = "" if row < 320 or row == days - 1 else cells[2]
        prices.append(",".join([str(first + row), *cells]))
        volumes.append(f"{first + row},20000000,30000000,40000000")
    for name, lines in (("closes.csv", prices), ("volumes.csv", volumes)):
        (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder / "closes.csv", folder / "volumes.csv"


def _run(*arguments: object) -> str:
    result = CliRunner().invoke(parameters, [str(each) for each in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_a_file_is_written_that_the_margin_model_reads(tmp_path: Path) -> None:
    """Goal: prices become parameters. Method: run the command, read the file back, look at shape and rows."""
    prices, _ = _files(tmp_path)
    out = tmp_path / "RPF01.csv"
    text = _run("--prices", prices, "--out", out, *RULES)
    found = read_parameters(out.read_bytes())
    assert found.instruments == ("5", "700", "1810")
    assert found.hvar_returns_e10.shape == (3, 150)
    assert found.svar_returns_e10.shape == (3, 250)
    assert set(found.beta_hedges) == {"5", "700", "1810", "2800"}
    assert "01810: " in text
    assert "filled by beta-and-residuals" in text
    assert "no close on 2024-03-26, the last one before it is used" in text
    assert not list(tmp_path.glob("*.part"))


def test_json_tells_notes_settings_and_backtest(tmp_path: Path) -> None:
    """Goal: a program can read all of it. Method: one JSON object, with volumes, a date and named stress days."""
    prices, volumes = _files(tmp_path)
    window = ["--stress-from", "2023-02-01", "--stress-to", "2023-06-30", "--date", "2024-03-20"]
    out = tmp_path / "RPF01.csv"
    body = json.loads(
        _run("--prices", prices, "--volumes", volumes, "--out", out, "--backtest", "--json", *window, *RULES)
    )
    assert body["notes"]["valuation_date"] == "2024-03-20"
    assert body["notes"]["stress_from"] == "2023-02-01"
    assert body["settings"]["decay_e4"] == 9_400
    assert [row["instrument"] for row in body["backtest"]["rows"]] == ["00005", "00700", "01810"]
    assert body["notes"]["thresholds"].startswith("5% of the traded value")


def test_the_backtest_is_a_table(tmp_path: Path) -> None:
    """Goal: a person sees rates and coverage. Method: look for a counter, both sides and the total."""
    prices, _ = _files(tmp_path)
    text = _run("--prices", prices, "--out", tmp_path / "RPF01.csv", "--backtest", *RULES)
    assert "Margin rates on 2024-03-26" in text
    assert text.count("00700") == 2
    assert "counter-days a side" in text


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (["--look-back", "600"], "450 days of prices, at least 602"),
        (["--date", "2030-01-01", *RULES], "no day 2030-01-01"),
        (["--look-back", "150", "--decay", "fast"], "not a number"),
        (["--look-back", "150", "--decay", "1.5"], "decay_e4"),
        (["--stress-from", "2023-02-01", *RULES], "both its first and last day"),
    ],
)
def test_refusals_reach_the_root_and_write_nothing(tmp_path: Path, extra: list[str], message: str) -> None:
    """Goal: bad input changes nothing. Method: five kinds; Rejected leaves the command, no file is there."""
    prices, _ = _files(tmp_path)
    out = tmp_path / "RPF01.csv"
    with pytest.raises(Rejected, match=message):
        _run("--prices", prices, "--out", out, *extra)
    assert not out.exists()


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """Goal: the last step fails cleanly too. Method: write into an absent folder."""
    prices, _ = _files(tmp_path)
    with pytest.raises(Rejected, match="cannot be written"):
        _run("--prices", prices, "--out", tmp_path / "absent" / "RPF01.csv", *RULES)
