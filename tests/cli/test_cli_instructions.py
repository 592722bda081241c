"""Instructions from the command line: send a file of orders, list what waits, tell one instruction's story.

Goal: what people type reaches the engine, single bad orders do not hide the others, and a bad file is refused by line
and field. Method: a small house on disk with an open day, the real commands through ``main``, JSON read back.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[1] / "settlement" / "stories"))

from story import SHARE, Story

from tsingma.app.session import Session
from tsingma.cli.main import main

HEADER = "reference,account,side,counterparty,kind,isin,quantity,currency,amount,trade_date,intended_date"
TERMS = f"dvp,{SHARE},100,HKD,30000.00,2026-01-02,2026-01-05"


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


def _file(folder: Path, *lines: str, header: str = HEADER) -> Path:
    path = folder.parent / "orders.csv"
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def _json(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> dict:
    capsys.readouterr()
    assert main([*arguments, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def test_both_sides_of_a_file_match_and_settle_at_once(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: file to books. Method: both orders in one file, sent twice: the second time nothing is sent again."""
    path = _file(house, f"1,A/HOUSE,deliver,B,{TERMS}", f"1,B/HOUSE,receive,A,{TERMS}")
    for _ in range(2):
        sent = _json(capsys, "settle", "submit", "--file", str(path), "--house", str(house))
        assert (sent["orders"], sent["matched"], sent["waiting"], sent["settled"]) == (2, 2, 0, 1)
    assert _json(capsys, "settle", "queue", "--house", str(house))["open"] == 0


def test_one_bad_order_is_named_and_the_others_are_sent(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: exit code 1 and the line of the bad order. Method: the second of three moves nothing."""
    nothing = TERMS.replace(",100,", ",0,")
    path = _file(
        house, f"1,A/HOUSE,deliver,B,{TERMS}", f"2,A/HOUSE,deliver,B,{nothing}", f"3,A/HOUSE,deliver,C,{TERMS}"
    )
    arguments = ("settle", "submit", "--file", str(path), "--house", str(house), "--participant", "A", "--at", "08:30")
    sent = _json(capsys, *arguments, code=1)
    assert (sent["waiting"], sent["refused"]) == (2, 1)
    assert (sent["rejections"][0]["line"], sent["rejections"][0]["field"]) == (3, "quantity")
    queue = _json(capsys, "settle", "queue", "--house", str(house), "--participant", "C")
    assert [(row["what"], row["receiver"], row["reason"]) for row in queue["queue"]] == [("order", "C", "no match yet")]


def test_the_story_of_an_instruction_is_told(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: every record that touched it, in words. Method: two orders on two commands, a short deliverer, a hold."""
    more = TERMS.replace(",100,", ",200,")
    for name, line in (("a", f"1,A/HOUSE,deliver,B,{more}"), ("b", f"1,B/HOUSE,receive,A,{more}")):
        path = _file(house, line)
        path = path.rename(path.with_name(f"{name}.csv"))
        assert main(["settle", "submit", "--file", str(path), "--house", str(house)]) == 0
    shown = _json(capsys, "settle", "show", "0", "--house", str(house))
    said = [line for chapter in shown["story"] for line in chapter["happened"]]
    assert said == [
        "the deliverer's order 0 came in",
        "the receiver's order 1 came in",
        f"A/HOUSE delivers 200 {SHARE} to B/HOUSE against HKD 30,000.00: dvp",
    ]
    assert shown["instruction"]["reason"] == "lack of securities"
    assert main(["settle", "show", "0", "--house", str(house)]) == 0
    assert "instruction 0 is matched: lack of securities" in capsys.readouterr().out
    assert main(["settle", "queue", "--house", str(house)]) == 0
    assert "1 open, 1 shown" in capsys.readouterr().out
    assert main(["settle", "show", "7", "--house", str(house)]) == 2
    assert "there is no instruction 7" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("1,A/NOWHERE,deliver,B," + TERMS, "account: 'A/NOWHERE' is not an account"),
        ("1,A/HOUSE,give,B," + TERMS, "side: 'give' is not deliver or receive"),
        ("1,A/HOUSE,deliver,X," + TERMS, "counterparty: 'X' is not a participant"),
        ("1,A/HOUSE,deliver,B," + TERMS.replace("dvp", "xyz"), "kind: 'xyz' is not one of dvp"),
        ("1,A/HOUSE,deliver,B," + TERMS.replace(SHARE, "HK0"), "isin: 'HK0' is not an ISIN of the book"),
        ("1,A/HOUSE,deliver,B," + TERMS.replace("30000.00", "1.005"), "amount: '1.005' has more than 2 decimals"),
        ("1,A/HOUSE,deliver,B," + TERMS.replace("2026-01-05", "5 Jan"), "intended_date: '5 Jan' is not a date"),
        ("1,A/HOUSE,deliver", "3 columns, 11 expected"),
    ],
)
def test_a_bad_file_is_refused_by_line_and_field(
    house: Path, capsys: pytest.CaptureFixture[str], line: str, text: str
) -> None:
    """Goal: nothing of a bad file is sent. Method: one spoilt line after a good one."""
    path = _file(house, f"9,A/HOUSE,deliver,B,{TERMS}", line)
    assert main(["settle", "submit", "--file", str(path), "--house", str(house)]) == 2
    error = capsys.readouterr().err
    assert "orders.csv:3" in error
    assert text in error
    assert _json(capsys, "settle", "queue", "--house", str(house))["open"] == 0


def test_a_bad_header_or_time_is_refused(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: the header says what is missing. Method: a file without a side, one with a colour, an odd time."""
    for header, text in (
        (HEADER.replace("side,", ""), "no column 'side'"),
        (HEADER + ",colour", "unknown column 'colour'"),
    ):
        path = _file(house, header=header)
        assert main(["settle", "submit", "--file", str(path), "--house", str(house)]) == 2
        assert text in capsys.readouterr().err
    path = _file(house)
    assert main(["settle", "submit", "--file", str(path), "--house", str(house)]) == 2
    assert "no instruction in it" in capsys.readouterr().err
    assert main(["settle", "submit", "--file", str(path), "--house", str(house), "--at", "25:00"]) == 2
    assert "no time of day" in capsys.readouterr().err
    assert main(["settle", "submit", "--file", str(path), "--house", str(house), "--at", "half past"]) == 2
    assert "write HH:MM" in capsys.readouterr().err


def test_every_optional_column_is_read(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: a file can say all that an order can. Method: one already-matched delivery with every column filled."""
    header = (
        HEADER + ",counterparty_account,priority,partial,hold,conditions,common_reference,client,"
        "counterparty_client,pool,pool_size,matched,paid_currency,against_isin,against_quantity"
    )
    line = f"1,A/HOUSE,deliver,B,{TERMS},B/CLIENT,high,no,yes,opt-out ex,T-1,fund 7,,P1,2,yes,,,"
    path = _file(house, line, header=header)
    assert _json(capsys, "settle", "submit", "--file", str(path), "--house", str(house))["matched"] == 1
    (row,) = _json(capsys, "settle", "queue", "--house", str(house))["queue"]
    assert (row["receiver"], row["priority"], row["status"]) == ("B/CLIENT", "high", "on-hold")
    assert row["reason"] == "held by the deliverer"


@pytest.mark.parametrize("who", ["A", "B"])
def test_nobody_agrees_for_the_other_side(house: Path, capsys: pytest.CaptureFixture[str], who: str) -> None:
    """Goal: agreed orders bind both sides, so one side may not send them. Method: A, and B for A; the house may."""
    header, agreed = HEADER + ",counterparty_account,matched", f"{TERMS},B/HOUSE,yes"
    fine = f"1,{who}/HOUSE,deliver,{who},{TERMS},{who}/CLIENT,yes"
    path = _file(house, fine, f"2,{who}/HOUSE,deliver,C,{TERMS},,no", f"3,A/HOUSE,deliver,B,{agreed}", header=header)
    send = ("settle", "submit", "--file", str(path), "--house", str(house))
    assert main([*send, "--participant", who]) == 2
    error = capsys.readouterr().err
    assert "orders.csv:4: order 3: matched" in error
    assert "the house itself sends agreed instructions" in error
    assert _json(capsys, "settle", "queue", "--house", str(house))["open"] == 0
    assert _json(capsys, *send)["matched"] == 2
    own = _file(house, fine.replace("1,", "11,", 1), header=header)
    assert _json(capsys, "settle", "submit", "--file", str(own), *send[4:], "--participant", who)["matched"] == 1
