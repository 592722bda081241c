"""``tsingma default`` on a house of a day: suspend, declare, close out from a file, waterfall, close; faults by line.

Method: a small simulated market run into a house; each command as people would type it, answers as JSON.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tsingma.cli.main import main

WHO, TAKER = "B00001", "B00002/HOUSE"


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A house that ran one small day."""
    folder = tmp_path_factory.mktemp("default")
    simulate = ["simulate", "market", "--trades", "1000", "--days", "1", "--seed", "3", "--start", "2026-01-05"]
    assert main([*simulate, "--out", str(folder / "market")]) == 0
    assert main(["day", "run", "--market", str(folder / "market"), "--house", str(folder / "house")]) == 0
    return folder / "house"


@pytest.fixture
def house(ran: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(ran, tmp_path / "house"))


def tell(capsys: pytest.CaptureFixture[str], *words: str | Path, code: int = 0) -> Any:
    """Run a command; returns its JSON, or of a refusal the text."""
    capsys.readouterr()
    assert main(["default", *(str(word) for word in words), "--json"]) == code
    told = capsys.readouterr()
    return json.loads(told.out) if not code else told.err


def test_a_default_by_the_command_line(house: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: the whole way. Method: every command in turn; the books are proved at the end."""
    on = ("--house", house)
    assert tell(capsys, "list", *on) == {"defaults": []}
    fund = ("--contribution", f"{TAKER}=50000", "--contribution", "B00003/HOUSE=100000")
    assert tell(capsys, "fund", *on, *fund)["pledged_cents"] == 15_000_000
    who = ("--participant", WHO)
    suspended = tell(capsys, "suspend", *on, *who, "--reason", "a late call", "--at", "2026-01-05T10:00:00")
    assert (suspended["default"], suspended["participant"]) == (1, WHO)
    assert tell(capsys, "reinstate", *on, *who, "--reason", "it paid", "--at", "2026-01-05T10:30:00")["default"] == 1
    refused = tell(capsys, "declare", *on, *who, "--ground", "failure-to-pay", "--reason", "x", code=2)
    assert "the books show no failure-to-pay" in refused
    declared = tell(capsys, "declare", *on, *who, "--reason", "the board decided")
    assert (declared["default"], declared["ground"]) == (2, "decision")
    number, file = ("--default", "2"), tmp_path / "close-outs.csv"
    found = tell(capsys, "open", *on, *number, "--out", file, "--taker", TAKER)
    assert len(found["positions"]) == len(file.read_text("utf-8").splitlines()) - 1 > 5
    first = found["positions"][0]
    one = ("--account", first["account"], "--security", first["asset"], "--taker", TAKER, "--price", first["price"])
    assert tell(capsys, "close-out", *on, *number, *one)["units"] == first["units"]
    assert "nothing is open" in tell(capsys, "close-out", *on, *number, "--file", file, code=2)
    rows = file.read_text("utf-8").splitlines()
    file.write_text("\n".join([rows[0], *rows[2:]]) + "\n", encoding="utf-8")
    assert tell(capsys, "close-out", *on, *number, "--file", file)["closed_out"] == len(rows) - 2
    assert tell(capsys, "open", *on, *number)["positions"] == []
    borne = tell(capsys, "waterfall", *on, *number)
    layers = ("defaulter-collateral", "defaulter-contribution", "house", "survivor-contributions", "assessments")
    assert borne["loss_cents"] == sum(borne[name] for name in layers) + borne["uncovered_cents"]
    assert tell(capsys, "collect", *on, *number)["open_cents"] == borne["assessed_open_cents"]
    closed = tell(capsys, "close", *on, *number, "--reason", "all is booked", "--write-off")
    assert closed["written_off_cents"] == borne["uncovered_cents"] + borne["assessed_open_cents"]
    notice = tmp_path / "notice.csv"
    assert main(["report", "fund", "--house", str(house), "--participant", "B00003", "--out", str(notice)]) == 0
    rows = (tmp_path / "notice-contributions.csv").read_text("utf-8")
    assert "B00003,HKSCC,100000.00" in rows.replace('"', "").replace(" ", "")
    assert "B00002" not in rows
    assert main(["report", "fund", "--house", str(house), "--default", "1", "--out", str(notice)]) == 2  # no default
    told = tell(capsys, "list", *on, *who)["defaults"]
    assert [one["status"] for one in told] == ["reinstated", "closed"]
    assert main(["default", "list", "--house", str(house)]) == 0
    assert "the board decided" not in capsys.readouterr().out  # the reason of the last turn is shown
    assert main(["verify", "--house", str(house)]) == 0


def test_a_file_with_a_fault_closes_nothing_out(
    house: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Goal: whole or not at all, with the line. Method: wrong header, price, account, taker; one position twice."""
    on, number, file = ("--house", house), ("--default", "1"), tmp_path / "c.csv"
    tell(capsys, "declare", *on, "--participant", WHO, "--reason", "so decided")
    before = tell(capsys, "open", *on, *number, "--out", file, "--taker", TAKER)
    good = file.read_text("utf-8").splitlines()
    broken = {
        "wrong header": ["account,asset", *good[1:]],
        "c.csv:3: price": [*good[:2], f"{good[2].rpartition(',')[0]},dear", *good[3:]],
        "c.csv:2: X/HOUSE: account: no account": [good[0], f"X/HOUSE,700,{TAKER},1", *good[1:]],
        "stands twice": [*good, good[1]],
        "is no price": [*good[:1], f"{good[1].rpartition(',')[0]},0", *good[2:]],
    }
    for said, lines in broken.items():
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        assert said in tell(capsys, "close-out", *on, *number, "--file", file, code=2), said
    assert tell(capsys, "open", *on, *number) == before
    for words in (("close-out", *on, *number), ("open", *on, *number, "--out", file),
                  ("fund", *on, "--contribution", "x")):  # fmt: skip
        assert main(["default", *(str(word) for word in words)]) == 2
    assert "there is no default 9" in tell(capsys, "waterfall", *on, "--default", "9", code=2)


def test_a_fund_is_called_as_it_is_sized(house: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: the sizing of ``margin fund`` in the books. Method: two groups' losses; a tenth is the house's."""
    exposures, keys = tmp_path / "e.csv", tmp_path / "k.csv"
    rows = [f"2026-01-05,crash,{who},{who},{loss},0" for who, loss in (("B00002", 90_000_000), ("B00003", 60_000_000))]
    exposures.write_text("\n".join(["day,scenario,participant,group,loss,collateral", *rows]) + "\n", encoding="utf-8")
    keys.write_text("day,participant,key\n2026-01-05,B00002,3\n2026-01-05,B00003,1\n", encoding="utf-8")
    called = tell(capsys, "fund", "--house", house, "--exposures", exposures, "--keys", keys)
    assert (called["accounts"], called["required_cents"]) == (3, 15_000_000_000)
    assert 0 < called["pledged_cents"] < called["required_cents"]  # as far as the money is there
    assert main(["default", "fund", "--house", str(house)]) == 2


def test_selling_and_porting_answer_for_what_is_wrong(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: the remaining commands reach the house. Method: a sale of nothing, a port of a house account."""
    on, number = ("--house", house), ("--default", "1")
    tell(capsys, "declare", *on, "--participant", WHO, "--reason", "so decided")
    port = ("port", *on, *number, "--account", f"{WHO}/HOUSE", "--to", TAKER)
    assert "no account of clients" in tell(capsys, *port, code=2)
    sell = ("sell", *on, *number, "--account", f"{WHO}/HOUSE", "--asset", "HKD", "--amount", "1", "--buyer", TAKER)
    assert "no security has asset number 0" in tell(capsys, *sell, "--price", "1", code=2)
    ported = tell(capsys, "port", *on, *number, "--account", f"{WHO}/CLIENT", "--to", "B00002/CLIENT")
    assert (ported["account"], ported["to"]) == (f"{WHO}/CLIENT", "B00002/CLIENT")
