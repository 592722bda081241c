"""ISO 20022 files from the command line, and drawn nonsense in every value of a message.

Goal: what people type reaches the house, a fault is one line with its place, and no content is a traceback. Method: the
real commands through ``main`` on a small house; values of a good message replaced by drawn text.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from iso_samples import DVP, document
from lxml import etree

sys.path.append(str(Path(__file__).resolve().parents[1] / "clearing"))
sys.path.append(str(Path(__file__).resolve().parents[1] / "settlement" / "stories"))

from clearing_book import resolved
from story import SHARE, Story

from tsingma.app.session import Session
from tsingma.basics.rejection import Rejected
from tsingma.cli.main import main
from tsingma.messages.iso20022.orders import read_orders
from tsingma.messages.iso20022.parties import Directory

HEADER = "reference,account,side,counterparty,kind,isin,quantity,currency,amount,trade_date,intended_date\n"
TERMS = f"dvp,{SHARE},100,HKD,30000.00,2026-01-02,2026-01-05\n"


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A house on disk in continuous settlement: A has shares, B has money."""
    told = Story()
    told.give("A", SHARE, 100)
    told.give("B", "HKD", 10_000_000)
    told.run("continuous-settlement")
    with Session.open(tmp_path / "house") as session:
        for place, command in enumerate(told.told):
            session.once(f"setup/{place}", lambda command=command: command)
    return tmp_path / "house"


def run(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> dict:
    """Run a command that prints JSON."""
    capsys.readouterr()
    assert main(["messages", *arguments, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def test_from_csv_to_confirmation(house: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: the whole way by hand. Method: convert, check, send twice, answer both sides, convert back."""
    csv, xml, out = tmp_path / "orders.csv", tmp_path / "orders.xml", tmp_path / "out" / "A.xml"
    csv.write_text(f"{HEADER}1,A/HOUSE,deliver,B,{TERMS}1,B/HOUSE,receive,A,{TERMS}", encoding="utf-8")
    assert run(capsys, "convert", "--file", str(csv), "--house", str(house), "--out", str(xml))["orders"] == 2
    assert run(capsys, "check", "--file", str(xml)) == {"sese.023.001.11": 2}
    for _ in range(2):
        sent = run(capsys, "send", "--file", str(xml), "--house", str(house))
        assert (sent["messages"], sent["matched"], sent["refused"]) == ({"sese.023.001.11": 2}, 2, 0)
    told = run(capsys, "answer", "--house", str(house), "--participant", "A", "--out", str(out))
    assert told["messages"] == 1
    assert run(capsys, "check", "--file", str(out)) == {"sese.025.001.11": 1}
    assert b"<Unit>100</Unit>" in out.read_bytes()
    bics, fin = tmp_path / "bics.csv", tmp_path / "orders.fin"
    bics.write_text("participant,bic\nA,ALPHHKHH\nB,BETAHKHH\nHKSCC,TSNGHKHH\n", encoding="utf-8")
    named = ("--house", str(house), "--bics", str(bics))
    assert run(capsys, "convert", "--file", str(csv), *named, "--out", str(fin))["orders"] == 2
    assert run(capsys, "convert", "--file", str(fin), *named, "--out", str(tmp_path / "again.xml"))["orders"] == 2
    assert run(capsys, "answer", *named, "--participant", "A", "--out", str(fin))["messages"] == 1
    assert b"{2:I547ALPHHKHH" in fin.read_bytes()
    csv.write_text(f"{HEADER}7,A/HOUSE,deliver,B,{TERMS}", encoding="utf-8")
    assert run(capsys, "convert", "--file", str(csv), *named, "--out", str(fin))["orders"] == 1
    link = ":23G:CANC\n:16R:LINK\n:20C::PREV//7\n:16S:LINK"
    text = fin.read_text(encoding="ascii")
    fin.write_text(text + text.replace(":23G:NEWM", link).replace("SEME//7", "SEME//8"), encoding="ascii")
    assert run(capsys, "convert", "--file", str(fin), *named, "--out", str(xml))["orders"] == 2
    sent = run(capsys, "send", "--file", str(xml), *named)
    assert (sent["messages"], sent["done"]) == ({"sese.020.001.07": 1, "sese.023.001.11": 1}, 1)
    assert main(["messages", "convert", "--file", str(csv), "--house", str(house), "--out", str(fin)]) == 2
    assert "no BIC of A" in capsys.readouterr().err
    stated = run(capsys, "holdings", "--house", str(house), "--participant", "B", "--out", str(out))
    assert stated["accounts"] == 2
    assert b"<ISIN>KYG875721634</ISIN>" in out.read_bytes()
    again = str(tmp_path / "again.xml")
    assert run(capsys, "convert", "--file", again, *named, "--out", str(csv))["orders"] == 2
    assert csv.read_text(encoding="utf-8").splitlines()[1].startswith("1,A/HOUSE,deliver,B,dvp,100")


def test_faults_are_one_line_with_their_place(house: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: exit codes and places. Method: a schema fault, a usage fault, a refused order, unknown names."""
    path, replies = tmp_path / "day.xml", tmp_path / "replies.xml"
    path.write_bytes(document(DVP.replace("DELI", "GIVE"), before="<?xml version='1.0'?>\n"))
    assert main(["messages", "check", "--file", str(path)]) == 2
    assert f"refused: {path}:2: SctiesMvmntTp: " in capsys.readouterr().err
    path.write_bytes(document(DVP.replace("'HKD'", "'GBP'")))
    assert main(["messages", "send", "--file", str(path), "--house", str(house)]) == 2
    assert f"{path}:1: sese.023.001.11 1: SttlmAmt/Amt: currency 'GBP' is not kept (one of" in capsys.readouterr().err
    path.write_bytes(document(DVP.replace("<Unit>100<", "<Unit>0<")))
    sent = run(capsys, "send", "--file", str(path), "--house", str(house), "--replies", str(replies), code=1)
    assert sent["refused"] == 1
    assert b"<Cd>DQUA</Cd>" in replies.read_bytes()
    for more in (["--participant", "Z"], ["--participant", "A", "--since", "999"]):
        assert main(["messages", "answer", "--house", str(house), "--out", str(replies), *more]) == 2
    assert any(row["code"] == "LACK" for row in run(capsys, "codes"))


ROOT = etree.fromstring(document())
LEAVES = [element for element in ROOT.iter() if len(element) == 0]
PLAIN = Directory(resolved())
VALUES = st.one_of(
    st.text(max_size=20), st.integers().map(str), st.decimals(allow_nan=False, allow_infinity=False).map(str),
    st.dates().map(str), st.sampled_from(["", "-0", "0.000", "1E400", "9" * 18, "NaN", "2026-01-05Z", " 100 ", "+1"]),
)  # fmt: skip


@given(st.lists(st.tuples(st.integers(0, len(LEAVES) - 1), VALUES), min_size=1, max_size=3))
@settings(max_examples=300, deadline=None)
def test_no_value_is_a_traceback(edits: list[tuple[int, str]]) -> None:
    """Goal: only orders or refusals. Method: values of a good instruction replaced by drawn ones."""
    root = etree.fromstring(document())
    leaves = [element for element in root.iter() if len(element) == 0]
    for place, value in edits:
        leaves[place].text = "".join(
            letter
            for letter in value
            if letter in "\t\n\r" or "\x20" <= letter < "\ud800" or "\ue000" <= letter < "\ufffe"
        )
    try:
        columns = read_orders(etree.tostring(root, encoding="utf-8"), PLAIN)
    except Rejected as rejected:
        message = str(rejected)
    else:
        message = f"{columns['reference'].size} order"
    assert message
