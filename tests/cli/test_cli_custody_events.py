"""Corporate actions from the command line: announced by file, read back as events and entitlements.

Goal: a dividend in two monies and a split by files alone. Method: the commands of the example on a house in a folder,
JSON read back, a spoilt security and currency.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tsingma.cli.main import EXIT_OK, EXIT_REFUSED, main

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "dividend_election.sh"


def files(folder: Path) -> dict[str, Path]:
    """Write the two files of the example and return them by name."""
    found = {}
    pattern = r"cat >\"\$folder/(\w+)\.jsonl\" <<'LINES'\n(.*?)\nLINES"
    for name, text in re.findall(pattern, EXAMPLE.read_text(encoding="utf-8"), re.DOTALL):
        found[name] = folder / f"{name}.jsonl"
        found[name].write_text(text + "\n", encoding="utf-8")
    return found


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, list[dict[str, object]]]:
    """Run a command that succeeds and return its JSON."""
    capsys.readouterr()
    assert main(["custody", *arguments, "--json"]) == EXIT_OK
    answer: dict[str, list[dict[str, object]]] = json.loads(capsys.readouterr().out)
    return answer


def test_events_by_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: what the page shows. Method: announce, elect, look, pay and split, look again, replay."""
    written, house = files(tmp_path), str(tmp_path / "house")
    told(capsys, "send", "--file", str(written["announce"]), "--house", house)
    dividend, split = told(capsys, "events", "--house", house)["events"]
    assert (dividend["iso"], dividend["gives"], dividend["status"]) == ("DVCA", "HKD 0.324 or CNY 0.3", "entitled")
    assert (split["iso"], split["gives"], split["ex"]) == ("SPLF", "5 for 1 of HK0005000002", "2026-01-19")
    rows = told(capsys, "entitlements", "DIV-2025", "--house", house)["entitlements"]
    assert {row["account"]: row["paid"] for row in rows} == {
        "CHINACLEAR/OMNIBUS": "HKD 518.40", "A/HOUSE": "HKD 291.60", "B/HOUSE": "HKD 29.16, CNY 108.00",
    }  # fmt: skip
    told(capsys, "send", "--file", str(written["pay"]), "--house", house)
    assert told(capsys, "events", "--house", house)["events"] == []
    states = [row["status"] for row in told(capsys, "events", "--house", house, "--all")["events"]]
    assert states == ["paid", "converted"]
    assert main(["verify", "--house", house]) == EXIT_OK


def test_tables_and_faults(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: tables without --json, faults with line and field. Method: one of each."""
    written, house = files(tmp_path), str(tmp_path / "house")
    assert main(["custody", "send", "--file", str(written["announce"]), "--house", house]) == EXIT_OK
    assert main(["custody", "events", "--house", house]) == EXIT_OK
    assert "DIV-2025    cash-dividend  DVCA" in capsys.readouterr().out
    assert main(["custody", "entitlements", "DIV-2025", "--house", house]) == EXIT_OK
    assert "400 CASH" in capsys.readouterr().out
    assert main(["custody", "entitlements", "NONE", "--house", house]) == EXIT_REFUSED
    assert "no such event" in capsys.readouterr().err
    lines = [line for line in written["announce"].read_text(encoding="utf-8").splitlines() if "DIV-2025" in line]
    for old, new, message in (
        ('"security": "HK0005000002"', '"security": "HK9"', "no security 'HK9'"),
        ('"currency": "HKD"', '"currency": "GBP"', "Expected `int`, got `str`"),
        ('"kind": "cash-dividend"', '"kind": "gift"', "Invalid enum value 'gift'"),
    ):
        bad = tmp_path / "bad.jsonl"
        bad.write_text(lines[0].replace(old, new) + "\n", encoding="utf-8")
        assert main(["custody", "send", "--file", str(bad), "--house", house]) == EXIT_REFUSED
        error = capsys.readouterr().err
        assert message in error
        assert "bad.jsonl:1" in error
