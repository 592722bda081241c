"""Payment files and the ``money`` commands.

Goal: a file is taken whole or refused with every fault's line; what the commands print is what the house has. Method: a
seeded day in a folder, files good and bad, each command in text and JSON.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tsingma.app.session import Session
from tsingma.basics.rejection import Rejected
from tsingma.cli.main import EXIT_OK, EXIT_REFUSED, main
from tsingma.engine.payments import COLUMNS as COMMAND_COLUMNS
from tsingma.messages.payment_file import COLUMNS, read_payments, read_time, time_text
from tsingma.reference.book import resolve
from tsingma.simulate.payments import FIRST_BANK, banks_book

HEADER = ",".join(COLUMNS)
GOOD = f"""{HEADER}
one,BANK001,BANK002,HKD,12.50,urgent,18:29,yes,,
two,BANK001/HOUSE,BANK003,HKD,100.00,,,,swap,
three,BANK002,,CNY,7.00,high,,,,yes
four,BANK003,BANK001,HK0000096088,90,,,no,swap,no
"""


def test_a_file_becomes_columns_with_the_legs_of_a_pair_together() -> None:
    """Goal: codes, amounts, times and pairs. Method: four lines of every kind."""
    columns = read_payments(GOOD.encode(), resolve(banks_book(3)))
    assert set(columns) == set(COMMAND_COLUMNS)
    assert columns["payer"].tolist() == [FIRST_BANK, FIRST_BANK, FIRST_BANK + 2, FIRST_BANK + 1]
    assert columns["asset"].tolist() == [0, 0, 4, 1]
    assert columns["amount"].tolist() == [1_250, 10_000, 90, 700]
    assert columns["priority"].tolist() == [0, 2, 2, 1]
    assert columns["due_s"].tolist() == [66_540, -1, -1, -1]
    assert columns["mainland"].tolist() == [0, 0, 0, 1]
    assert columns["pair"][1] == columns["pair"][2] > 0
    assert len(np.unique(columns["reference"])) == 4


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("12.50", "12.505", "payments.csv:2: amount: '12.505' has more than 2 decimals"),
        ("90,", "9.5,", "payments.csv:5: amount: '9.5' has more than 0 decimals"),
        ("urgent", "soon", "payments.csv:2: priority: 'soon' is not one of"),
        ("18:29", "25:70", "payments.csv:2: due: '25:70' is no time"),
        ("BANK002,HKD", "BANK009,HKD", "payments.csv:2: payee: 'BANK009' is not an account"),
        ("three,BANK002", "three,NOBODY", "payments.csv:4: payer: 'NOBODY' is not an account"),
        (",no,swap", ",no,swop", "share this word"),
        ("CNY", "XYZ", "payments.csv:4: currency: 'XYZ' is not"),
        ("yes,,", "perhaps,,", "payments.csv:2: on_behalf: 'perhaps' is not yes or no"),
        ("reference,payer", "payer,reference", "payments.csv:1: wrong header"),
        (",HKD,12.50", ",,12.50", "payments.csv:2: currency: is empty"),
    ],
)
def test_a_bad_file_is_refused_with_its_line_and_field(old: str, new: str, said: str) -> None:
    """Goal: nothing is guessed. Method: one fault at a time."""
    with pytest.raises(Rejected) as caught:
        read_payments(GOOD.replace(old, new).encode(), resolve(banks_book(3)))
    assert said in str(caught.value)


def test_times_of_day_come_back() -> None:
    """Goal: one way to write a time. Method: there and back, past midnight too."""
    for second in (0, 59, 30_600, 86_399, 104_400):
        assert read_time(time_text(second)) == second
    assert read_time("05:30") == 19_800


def _run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["money", *arguments])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_a_day_through_the_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: what is printed is what the house has. Method: day, queue, propose, submit, run, liquidity, export."""
    house = str(tmp_path / "house")
    code, out, _ = _run(capsys, "day", "--payments", "3000", "--banks", "8", "--alpha", "0.05", "--short", "0.2",
                        "--seed", "2", "--house", house, "--json")  # fmt: skip
    figures = json.loads(out)
    assert (code, figures["settled"] + figures["waiting"]) == (EXIT_OK, figures["payments"])
    waiting = figures["waiting"]
    assert waiting > 0
    _, out, _ = _run(capsys, "queue", "--house", house, "--json", "--limit", "3")
    queue = json.loads(out)
    assert (queue["waiting"], len(queue["queue"])) == (waiting, 3)
    mine = queue["queue"][0]
    change = ("change", str(mine["number"]), "--house", house, "--participant")
    assert "only its payer" in _run(capsys, *change, "HKSCC", "--action", "cancel")[2]
    code, out, _ = _run(capsys, *change, mine["payer"].partition("/")[0], "--action", "first", "--json")
    assert (code, json.loads(out)["payment"]) == (EXIT_OK, mine["number"])
    _, out, _ = _run(capsys, "propose", "--house", house, "--json")
    proposed = json.loads(out)
    _, out, _ = _run(capsys, "propose", "--house", house, "--json", "--book")
    assert json.loads(out) == {**proposed, "booked": proposed["settles"] > 0}
    assert proposed["settles"] > 0
    file = tmp_path / "more.csv"
    file.write_text(GOOD.replace("three,BANK002,,CNY,7.00,high,,,,yes\n", ""), encoding="utf-8")
    at = ["--at", "18:29"]
    code, out, _ = _run(capsys, "submit", "--file", str(file), "--house", house, *at)
    assert code == EXIT_OK
    assert out.startswith("3 payments:")
    assert _run(capsys, "submit", "--file", str(file), "--house", house, *at)[1] == out  # sent once
    other = tmp_path / "other.csv"
    other.write_text(GOOD, encoding="utf-8")
    code, _, error = _run(capsys, "submit", "--file", str(other), "--house", house, "--participant", "BANK001", *at)
    assert (code, "of another" in error) == (EXIT_REFUSED, True)
    _, out, _ = _run(capsys, "liquidity", "--house", house, "--json")
    told = json.loads(out)
    assert told["day"] == "2026-01-05"
    assert sum(line["sent"] for line in told["liquidity"]) == sum(line["received"] for line in told["liquidity"])
    assert all(line["usage"] <= line["opening"] for line in told["liquidity"])
    assert "BANK003/HOUSE" in _run(capsys, "liquidity", "--house", house, "--participant", "BANK003")[1]
    out_file = tmp_path / "out.csv"
    assert _run(capsys, "export", "--house", house, "--out", str(out_file))[0] == EXIT_OK
    with Session.open(house, read_only=True) as session:
        number = len(session.house.money.payments)
    assert len(out_file.read_text(encoding="utf-8").splitlines()) == number + 1
    _, out, _ = _run(capsys, "run", "--house", house, "--at", "18:30", "--json")
    assert json.loads(out)["waiting"] <= waiting
    code, _, error = _run(capsys, "run", "--house", house, "--at", "10:00")
    assert (code, "is past" in error) == (EXIT_REFUSED, True)


def test_systems_name_their_sources(capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: every row says what it rests on. Method: both forms, and a holiday of the mainland alone."""
    code, out, _ = _run(capsys, "systems", "--json", "--day", "2026-02-16")
    rows = json.loads(out)
    assert code == EXIT_OK
    assert [row["currency"] for row in rows] == ["HKD", "CNY", "USD", "EUR", "CNY"]
    assert [row["works"] for row in rows] == [True, True, True, True, False]
    assert all(row["source"] for row in rows)
    assert "RMB CHATS" in _run(capsys, "systems")[1]
