"""``tsingma margin house`` and ``joint`` on swaps, bonds, bond futures, gold and shares, from files.

Goal: every house's figure in words and JSON, one portfolio across all four, refusals by file and line. Method: files of
simulated prices and curves.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from simulated_past import write_files
from tsingma.cli.main import main
from tsingma.messages.contract_file import COLUMNS

BOOKS = """book,house,product,factor,notional,strike,days
A,OTC Clear,swap,CNY5Y,300000000,,
A,OTC Clear,bond,CGB5,100000000,,
A,HKCC,bond-future,TF,-100000000,,
A,HKCC,future,XAUUSD,5000000,,
A,HKCC,future,INDEX,-20000000,,
A,HKSCC,stock,BASKET,20000000,,
A,SEOCH,put,00700,2000000,1,30
"""
TERMS = (
    ",".join(COLUMNS)
    + """
CNY5Y,swap,CNY.FR007,,5Y,par,3,,,,,
CGB5,bond,CNY.CGB,,5Y,0.025,6,,,,,
TF,bond-future,CNY.CGB,,3M,0.03,6,,,,,CGB5
"""
)


@pytest.fixture
def call(tmp_path: Path) -> list[str]:
    """Files of a market and a book, and the options that name them."""
    write_files(tmp_path)
    (tmp_path / "gold.csv").write_text((tmp_path / "fx.csv").read_text())
    assert main(["simulate", "curves", "--days", "450", "--start", "2019-04-08", "--out", str(tmp_path / "C.csv")]) == 0
    (tmp_path / "B.csv").write_text(BOOKS)
    (tmp_path / "K.csv").write_text(TERMS)
    return ["--prices", str(tmp_path / "closes.csv"), "--index", str(tmp_path / "index.csv"), "--fx",
            str(tmp_path / "fx.csv"), "--series", f"XAUUSD={tmp_path / 'gold.csv'}", "--curves",
            str(tmp_path / "C.csv"), "--contracts", str(tmp_path / "K.csv"), "--books",
            str(tmp_path / "B.csv")]  # fmt: skip


def test_house(call: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: four houses, components that add up, tails with days. Method: words and JSON."""
    capsys.readouterr()
    assert main(["margin", "house", *call, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert [one["house"] for one in answer] == ["HKSCC", "HKCC", "SEOCH", "OTC Clear"]
    for one in answer:
        assert one["total"] == sum(one["components"].values()) > 0
    assert [group["group"] for group in answer[1]["historical"]["groups"]] == ["CNY.CGB", "XAUUSD"]
    assert {"scan risk", "market risk"} < set(answer[1]["components"])
    assert {day["kind"] for day in answer[3]["tail_days"]} == {"filtered", "plain", "stressed"}
    totals = {}
    for choice in ("filtered", "plain", "larger"):
        assert main(["margin", "house", *call, "--scenarios", choice, "--json"]) == 0
        totals[choice] = json.loads(capsys.readouterr().out)[3]["total"]
    assert totals["filtered"] == answer[3]["total"] != totals["plain"]
    assert totals["larger"] == max(totals.values())
    assert all("at 0.0" in one["convention"] or "sixteen" in one["convention"] for one in answer)
    assert main(["margin", "house", *call, "--explain"]) == 0
    text = capsys.readouterr().out
    assert "CNY.FR007" in text
    assert f"all houses alone: HKD {sum(one['total'] for one in answer):,}" in text


def test_joint(call: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: swaps and bonds beside shares and futures in one portfolio. Method: JSON, and the table."""
    capsys.readouterr()
    assert main(["margin", "joint", *call, "--every", "40", "--json"]) == 0
    study = json.loads(capsys.readouterr().out)[0]
    assert [house["house"] for house in study["last"]["shares"][0]["houses"]] == ["HKSCC", "HKCC", "SEOCH", "OTC Clear"]
    assert 0 < study["last"]["one_pot"] <= study["last"]["standalone"]
    assert main(["margin", "joint", *call, "--every", "40"]) == 0
    text = capsys.readouterr().out
    for word in ("one pot", "governed", "pro rata", "equal %", "Euler", "Shapley", "OTC Clear", "cover"):
        assert word in text
    assert main(["margin", "explain", *call, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert sum(part["component"] for part in found["positions"]) == found["margin"]["expected_shortfall_joint"]


def test_curves_alone_are_enough(call: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: a book of swaps needs no share prices. Method: a Hong Kong dollar swap, curves alone."""
    capsys.readouterr()
    (tmp_path / "B.csv").write_text(BOOKS.splitlines()[0] + "\nA,OTC Clear,swap,H,1000000,,\n")
    (tmp_path / "K.csv").write_text(TERMS.splitlines()[0] + "\nH,swap,HKD.HIBOR,,2Y,par,,,,,,\n")
    files = [
        "--curves",
        str(tmp_path / "C.csv"),
        "--contracts",
        str(tmp_path / "K.csv"),
        "--books",
        str(tmp_path / "B.csv"),
    ]
    assert main(["margin", "house", *files, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["total"] > 0


def test_refusals(call: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: nothing is margined at zero by default. Method: a missing contract, curve, file and market."""
    capsys.readouterr()
    (tmp_path / "K.csv").write_text(TERMS.replace("CNY5Y,", "CNY6Y,"))
    assert main(["margin", "house", *call]) == 2
    assert "B.csv:2: factor: 'CNY5Y' is no contract on file" in capsys.readouterr().err
    (tmp_path / "K.csv").write_text(TERMS.replace("CNY.FR007", "CNY.LPR"))
    assert main(["margin", "house", *call]) == 2
    assert "there is no curve 'CNY.LPR'" in capsys.readouterr().err
    assert main(["margin", "house", "--books", str(tmp_path / "B.csv")]) == 2
    assert "neither prices nor curves" in capsys.readouterr().err
    assert main(["margin", "house", *call[:2], "--contracts", str(tmp_path / "K.csv"), *call[-2:]]) == 2
    assert "contracts are valued on curves" in capsys.readouterr().err
    assert main(["margin", "house", *call, "--series", "X=nowhere"]) == 2
    assert "write NAME=FILE" in capsys.readouterr().err
