"""``tsingma day``: a house is loaded, its plan shown, a day stopped and gone on with, trades of one's own taken in.

Method: the commands as a user gives them, in process, on a small simulated market; exit codes and what is printed.
"""

from __future__ import annotations

import io
import json
import shutil
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from tsingma.cli.main import main


def run(*arguments: str | Path) -> tuple[int, str]:
    """Give a command; returns its exit code and all that it prints."""
    out = io.StringIO()
    with redirect_stdout(out), redirect_stderr(out):
        code = main([str(one) for one in arguments])
    return code, out.getvalue()


def done(*arguments: str | Path) -> str:
    """Give a command that must do what it is asked; returns what it prints."""
    code, printed = run(*arguments)
    assert code == 0, printed
    return printed


def refused(*arguments: str | Path) -> str:
    """Give a command that must be refused; returns why."""
    code, printed = run(*arguments)
    assert code == 2, printed
    return printed


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of two days."""
    folder = tmp_path_factory.mktemp("cli") / "market"
    done("simulate", "market", "--trades", "1000", "--days", "2", "--plain", "--out", folder)
    done("margin", "parameters", "--prices", folder / "prices.csv", "--out", folder / "RPF01.csv")
    return folder


@pytest.fixture(scope="module")
def ran(market: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A house after its first day; copied where a test changes it."""
    house = tmp_path_factory.mktemp("ran") / "house"
    printed = done("day", "run", "--house", house, "--market", market, "--date", "2026-01-05")
    assert "2026-01-05: 1,000 trades, no margin called (--parameters), state " in printed
    return house


def test_load_and_go_on(market: Path, ran: Path, tmp_path: Path) -> None:
    """Goal: a day stopped anywhere is gone on with. Method: load, run until a step, look, finish; against a twin."""
    house = tmp_path / "house"
    loaded = json.loads(done("day", "load", "--house", house, "--market", market, "--json"))
    assert loaded["journal_sequence"] == 3
    assert loaded["series"] > 0
    plan = json.loads(done("day", "steps", "--house", house, "--json"))
    assert [one["step"] for one in plan if one["state"] == "next"] == ["open"]
    until = ("--date", "2026-01-05", "--until", "batch-settlement-run-2")
    stopped = done("day", "run", "--house", house, "--market", market, *until)
    assert "12:30  done     batch-settlement-run-2/together" in stopped
    assert done("day", "steps", "--house", house) == stopped
    plan = json.loads(done("day", "steps", "--house", house, "--json"))
    assert [one["step"] for one in plan if one["state"] == "next"] == ["real-time-dvp-2"]
    done("day", "run", "--house", house, "--market", market, "--date", "2026-01-05")
    ours, theirs = (json.loads(done("day", "status", "--house", one, "--json")) for one in (house, ran))
    assert ours["state_hash"] == theirs["state_hash"]
    assert {one["state"] for one in json.loads(done("day", "steps", "--house", house, "--json"))} == {"done", "passed"}


def test_what_does_not_go_together(market: Path, ran: Path) -> None:
    """Goal: one line that says what to give. Method: wrong options and steps."""
    trades = market / "trades-2026-01-06.csv"
    for arguments, message in (
        ((), "give --market with a folder of days, or --trades"),
        (("--market", market, "--trades", trades), "give --market with a folder of days, or --trades"),
        (("--market", market, "--closing", trades), "give --market with a folder of days, or --trades"),
        (("--market", market, "--until", "close"), "name it with --date"),
    ):
        assert message in refused("day", "run", "--house", ran, *arguments)
    until = ("--date", "2026-01-06", "--until", "lunch")
    assert "a day has no step 'lunch'" in refused("day", "run", "--house", ran, "--market", market, *until)


def test_trades_of_ones_own(market: Path, ran: Path, tmp_path: Path) -> None:
    """Goal: a newcomer's first margin of trades of their own. Method: draft, edit, run, report; the margin moves."""
    house = Path(shutil.copytree(ran, tmp_path / "house"))
    mine = tmp_path / "mine.csv"
    drafted = json.loads(done("day", "draft", "--house", house, "--out", mine, "--participant", "B00003", "--json"))
    assert (drafted["date"], drafted["trades"], drafted["participant"]) == ("2026-01-06", 6, "B00003")
    assert "is there already" in refused("day", "draft", "--house", house, "--out", mine)
    who = ("--out", tmp_path / "x.csv", "--participant", "ME")
    assert "does not clear" in refused("day", "draft", "--house", house, *who)
    text = "\ufeff" + mine.read_text().replace(",2000,", ",20000,").replace("\n", "\r\n")  # as a spreadsheet saves it
    mine.write_bytes(text.encode())
    given = ("--trades", mine, "--parameters", market / "RPF01.csv")
    printed = done("day", "run", "--house", house, *given)
    assert printed.startswith("2026-01-06: 6 trades, margin HKD ")
    assert done("day", "run", "--house", house, *given) == printed
    late = tmp_path / "late.csv"
    late.write_text(text[1:].replace("2026-01-06", "2026-01-09"), encoding="ascii", newline="")
    why = refused("day", "run", "--house", house, "--trades", late)
    assert "late.csv:2: trade_date: the trades are of 2026-01-09, the house stands at 2026-01-06, closed" in why
    assert "date them 2026-01-07" in why
    near = tmp_path / "near.csv"
    near.write_text(
        text[1:].replace("2026-01-06", "2026-01-07").replace(",00001,", ",1,"), encoding="ascii", newline=""
    )
    assert "for example 00001" in refused("day", "run", "--house", house, "--trades", near)
    closing = ("--closing", market / "closing-2026-01-06.csv")
    today = tmp_path / "today.csv"
    done("day", "draft", "--house", house, "--out", today)
    assert "2026-01-07: 6 trades" in done("day", "run", "--house", house, "--trades", today, *closing)
    done("verify", "--house", house)
