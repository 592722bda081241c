"""``tsingma margin explain``, ``what-if``, ``backtest``, ``fund`` and ``joint`` from files.

Goal: every command answers from files, in words and JSON, and refuses with file and line. Method: a simulated history.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from simulated_past import write_files
from tsingma.cli.main import main

HEADER = "book,house,product,factor,notional,strike,days\n"


@pytest.fixture
def call(tmp_path: Path) -> list[str]:
    """Files of a history and two books, and the options that name them."""
    write_files(tmp_path)
    books = "A,HKSCC,stock,BASKET,100000000,,\nA,HKCC,future,INDEX,-90000000,,\nA,HKCC,put,INDEX,10000000,0.95,60\n"
    (tmp_path / "books.csv").write_text(HEADER + books + "C,HKSCC,stock,00700,5000,,\nC,SEOCH,put,00700,5000,1,30\n")
    (tmp_path / "trades.csv").write_text(HEADER + "T,SEOCH,put,00700,9000000,1,30\n")
    return ["--prices", str(tmp_path / "closes.csv"), "--index", str(tmp_path / "index.csv"), "--fx",
            str(tmp_path / "fx.csv"), "--books", str(tmp_path / "books.csv")]  # fmt: skip


def test_explain(call: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: words, JSON, a statement and a change that adds up. Method: one book."""
    page = tmp_path / "deep" / "A.html"
    assert main(["margin", "explain", *call, "--book", "A", "--html", str(page)]) == 0
    text = capsys.readouterr().out
    assert "HKCC put INDEX" in text
    assert "worst scenarios" in text
    assert page.read_text().startswith("<!DOCTYPE html>")
    assert main(["margin", "explain", *call, "--book", "A", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert sum(part["component"] for part in answer["positions"]) == answer["margin"]["expected_shortfall_joint"]
    assert main(["margin", "explain", *call, "--book", "A", "--since", "2020-05-01", "--json"]) == 0
    change = json.loads(capsys.readouterr().out)
    steps = sum(change[name] for name in ("before", "positions", "time", "market", "parameters"))
    assert steps == change["after"]
    assert main(["margin", "explain", *call, "--book", "A", "--since", "2020-05-01"]) == 0
    assert main(["margin", "explain", *call, "--book", "A", "--since", "1999-01-01"]) == 2
    assert main(["margin", "explain", *call, "--book", "A", "--day", "2019-05-01"]) == 2  # no full look-back
    assert main(["margin", "explain", *call]) == 2
    assert "say which book (there are: A, C)" in capsys.readouterr().err


def test_statements(call: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: a statement for every book, names made safe, two books never in one file. Method: both books; a clash."""
    out = tmp_path / "statements"
    assert main(["margin", "statements", *call, "--history-days", "20", "--out", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [str(out / "A.html"), str(out / "C.html")]
    page = (out / "C.html").read_text()
    for section in ("Houses before and after", "Components", "Tail scenarios", "History"):
        assert section in page
    books = tmp_path / "books.csv"
    books.write_text(books.read_text().replace("\nA,", "\na/b,").replace("\nC,", "\na b,"))
    assert main(["margin", "statements", *call, "--history-days", "5", "--out", str(out)]) == 2
    assert "two books are written to a-b.html" in capsys.readouterr().err


def test_what_if(call: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: each house before and after. Method: a put added; a broken trade file refused by line."""
    trades = tmp_path / "trades.csv"
    assert main(["margin", "what-if", *call, "--book", "A", "--add", str(trades)]) == 0
    assert "SEOCH" in capsys.readouterr().out
    assert main(["margin", "what-if", *call, "--book", "A", "--add", str(trades), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["standalone_change"] == answer["after"]["standalone"] - answer["before"]["standalone"]
    trades.write_text(HEADER + "T,SEOCH,put,00700,9000000,1,-30\n")
    assert main(["margin", "what-if", *call, "--book", "A", "--add", str(trades)]) == 2
    assert "trades.csv:2: days: '-30'" in capsys.readouterr().err


def test_backtest(call: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: a row a house and margin. Method: every tenth day."""
    assert main(["margin", "backtest", *call, "--every", "10"]) == 0
    assert "whole book" in capsys.readouterr().out
    assert main(["margin", "backtest", *call, "--every", "10", "--json"]) == 0
    assert {row["book"] for row in json.loads(capsys.readouterr().out)} == {"A", "C"}
    assert main(["margin", "backtest", *call, "--every", "20", "--by-product", "--json"]) == 0
    products = {row["margin"] for row in json.loads(capsys.readouterr().out)}
    assert products == {"stock", "future", "put"}


def test_joint_on_processes(call: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: the same answer on two processes. Method: JSON of both."""
    answers = []
    for workers in ("1", "2"):
        assert main(["margin", "joint", *call, "--every", "30", "--workers", workers, "--json"]) == 0
        answers.append(capsys.readouterr().out)
    assert answers[0] == answers[1]


def test_fund(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: size, shares and waterfall; refusals by line. Method: three participants, two days."""
    exposures, keys = tmp_path / "E.csv", tmp_path / "K.csv"
    rows = ["d1,up,A,GA,900000000,300000000", "d1,up,B,GB,500000000,100000000", "d2,up,C,GC,50,100"]
    rows += ["d2,up,A,GA,1,300000000", "d2,up,B,GB,1,100000000"]
    exposures.write_text("day,scenario,participant,group,loss,collateral\n" + "\n".join(rows) + "\n")
    keys.write_text("day,participant,key\nd1,A,3\nd1,B,1\nd1,C,1\n")
    call = ["margin", "fund", "--exposures", str(exposures), "--keys", str(keys)]
    assert main([*call, "--default", "A=700000000", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["fund"]["size"] == 1_000_000_000
    used = sum(layer["used"] for layer in answer["waterfall"]["layers"])
    assert used + answer["waterfall"]["uncovered"] == 700_000_000
    assert main([*call, "--default", "A=700000000"]) == 0
    assert "survivor-contributions" in capsys.readouterr().out
    for default, code in (("X=1", 2), ("A", 2), ("A=-1", 2)):
        assert main([*call, "--default", default]) == code
    capsys.readouterr()
    keys.write_text("day,participant,key\nd1,A,x\n")
    assert main(call) == 2
    assert "K.csv:2: key: 'x' is no whole HKD" in capsys.readouterr().err
    keys.write_text("day,participant\n")
    assert main(call) == 2
    exposures.write_text("day,scenario,participant,group,loss,collateral\n,up,A,GA,1,1\n")
    assert main(call) == 2
    assert "E.csv:2: day: is empty" in capsys.readouterr().err
