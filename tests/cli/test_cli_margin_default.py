"""``tsingma margin collateral``, ``close-out``, ``auction`` and ``contagion`` from files.

Goal: worked examples in words and JSON, refusals with file, line and field. Method: the examples of the documents and
published networks.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tsingma.cli.main import main


def answer(capsys: pytest.CaptureFixture[str], *call: str) -> list[dict[str, object]]:
    """Return what a command prints as JSON, after it has answered in words as well."""
    assert main(["margin", *call]) == 0
    assert capsys.readouterr().out
    assert main(["margin", *call, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    return found if isinstance(found, list) else [found]


def refused(capsys: pytest.CaptureFixture[str], *call: str) -> str:
    """Return why a command refuses."""
    assert main(["margin", *call]) == 2
    return capsys.readouterr().err


def test_collateral(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: half in cash, the rest in what costs least. Method: HKCC's rules; faults by line."""
    path = tmp_path / "A.csv"
    head = "id,kind,value,cost\n"
    path.write_text(head + "hkd,cash.HKD,10000000,0.03\nust,us-treasury,9000000,0.001\nshares,equity,1000000000,\n")
    call = ("collateral", "--house", "HKCC", "--call", "8000000", "--assets", str(path), "--day", "2026-01-05")
    found = answer(capsys, *call)[0]
    pledged = {one["asset"]: one["value"] for one in found["pledges"]}  # type: ignore[attr-defined]
    assert pledged["hkd"] == 4_000_000
    assert set(pledged) == {"hkd", "ust"}
    for line, message in (("hkd,cash.HKD,-1,0\n", "A.csv:2: value or cost"), ("hkd,cash.HKD,5,x\n", "cost of 'x'")):
        path.write_text(head + line)
        assert message in refused(capsys, *call)
    path.write_text(head + "hkd,cash.HKD,5,0\n")
    assert "does not cover 8,000,000" in refused(capsys, *call)


def test_close_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: the worked example by both rules. Method: by hand."""
    path = tmp_path / "H.csv"
    path.write_text("house,margin,profit,credit\nHKSCC,100,-130,20\nHKCC,60,20,40\n")
    for sharing, results in (("margin-share", [0, 50]), ("capped-guarantee", [-10, 60])):
        found = answer(capsys, "close-out", "--houses", str(path), "--sharing", sharing)
        assert [one["result"] for one in found] == results
    path.write_text("house,margin,profit,credit\nHKSCC,x,1,\n")
    assert "H.csv:2: margin: 'x' is no whole HKD" in refused(capsys, "close-out", "--houses", str(path))


def test_auction(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: best valid bid a lot, absent bidders named. Method: two lots; faults by line."""
    lots, bids = tmp_path / "L.csv", tmp_path / "B.csv"
    lots.write_text("lot,reserve,must_bid\nL1,-100,A|B\nL2,0,\n")
    bids.write_text("lot,bidder,amount\nL1,A,-50\nL1,C,-20\nL2,A,-1\n")
    call = ("auction", "--lots", str(lots), "--bids", str(bids))
    found = answer(capsys, *call)
    assert [(one["lot"], one["winner"], one["amount"], one["absent"]) for one in found] == [
        ("L1", "C", -20, ["B"]), ("L2", None, 0, [])]  # fmt: skip
    lots.write_text("lot,reserve,must_bid\nL1,-100,\nL1,0,\n")
    assert "L.csv:3: lot: 'L1' stands twice" in refused(capsys, *call)


def test_contagion(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: bank 1 of the ring alone defaults, paying 20 of 21. Method: the published ring; faults by line."""
    members, debts = tmp_path / "M.csv", tmp_path / "D.csv"
    members.write_text("member,assets,debts_outside\none,18,17\ntwo,18,18\nthree,9,8\n")
    debts.write_text("debtor,creditor,amount\none,two,4\ntwo,three,3\nthree,one,2\n")
    call = ("contagion", "--members", str(members), "--debts", str(debts))
    found = answer(capsys, *call)
    assert [(one["paid"], one["default_round"]) for one in found] == [(20, 1), (21, 0), (10, 0)]
    costly = answer(capsys, *call, "--recovery-assets", "0.5")
    assert costly[0]["paid"] < 20  # type: ignore[operator]
    assert "recovery_assets: 0.0 is not in" in refused(capsys, *call, "--recovery-assets", "0")
    debts.write_text("debtor,creditor,amount\none,four,4\n")
    assert "D.csv:2: creditor: 'four' is no member" in refused(capsys, *call)
    members.write_text("member,assets,debts_outside\none,18,17\none,18,18\n")
    assert "M.csv:3: one: stands twice" in refused(capsys, *call)
