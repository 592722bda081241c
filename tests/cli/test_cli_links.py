"""``tsingma links``: write, check, calendar, day - through ``main``, JSON read back.

Goal: what people type reaches rules and machine, faults name line and field, figures are the same as JSON and as text.
Method: shipped links, a skeleton, small files of orders and a seeded flow.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tsingma.cli.main import main

ORDERS = "time,message,order,participant,investor,client,counter,quantity,price\n"


def _json(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> dict:
    capsys.readouterr()
    assert main(["links", *arguments, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def test_all_shipped_links_are_valid(capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: eleven files, four of them proposals that say so. Method: ``links check`` without a name."""
    found = _json(capsys, "check")
    assert found["faults"] == []
    proposals = {one["link"] for one in found["links"] if one["status"] == "proposal"}
    assert proposals == {"commodity-connect", "futures-connect", "ipo-connect", "southbound-renminbi-counters"}
    assert len(found["links"]) == 11


def test_a_skeleton_is_written_once_and_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: every question is a line. Method: write it, check it, write it again."""
    path = tmp_path / "mine.toml"
    assert main(["links", "new", "mine", "--out", str(path)]) == 0
    assert main(["links", "check", str(path)]) == 2
    first = capsys.readouterr().err.splitlines()[0]
    assert first.startswith(f"refused: {path}:5: title: is still to be filled in")
    assert _json(capsys, "check", str(path), code=2)["faults"][0]["line"] == 5
    assert main(["links", "new", "mine", "--out", str(path)]) == 2
    assert main(["links", "check", "nowhere.toml", "etf-connect"]) == 2
    assert main(["links", "check", "no-such-link"]) == 2


def test_the_calendar_of_2026(capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: 236 days, 17 mismatches, six holidays of Hong Kong alone. Method: JSON and text."""
    found = _json(capsys, "calendar", "stock-connect-shanghai")
    assert (found["trading_days"], len(found["mismatches"]), len(found["holiday_eves"])) == (236, 17, 6)
    assert main(["links", "calendar", "stock-connect-shanghai"]) == 0
    assert "2026-12-25  open XSHG, closed XHKG  Christmas Day" in capsys.readouterr().out


def test_a_day_from_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: quota and checks of a day of one's own. Method: buys through the quota, sells against holdings."""
    orders, holdings, accounts = tmp_path / "orders.csv", tmp_path / "holdings.csv", tmp_path / "accounts.csv"
    orders.write_text(
        ORDERS + "09:31:00,buy,b1,A,,7,600519,34700000,1500\n09:32:00,buy,b2,A,,7,600519,100,1500\n"
        "09:33:00,sell,s1,B,46,9,600519,500,1500\n09:33:30,trade,s1,,,,,500,1501\n09:34:00,sell,s2,A,46,7,600519,1,1500\n"
        "09:35:00,buy,b3,A,,7,600519,100,1500\n",
        encoding="utf-8",
    )
    holdings.write_text("participant,investor,counter,quantity\n,46,600519,500\n", encoding="utf-8")
    accounts.write_text("investor,broker\n46,B\n", encoding="utf-8")
    files = ("--orders", str(orders), "--holdings", str(holdings), "--accounts", str(accounts))
    found = _json(capsys, "day", "stock-connect-shanghai", *files)
    assert found["refused"] == {"not-designated": 1, "quota-closed": 2}
    left = [moment["left_cents"]["daily-net-buy"] for moment in found["moments"]]
    assert left[0] == (52 * 10**9 - 34_700_000 * 1_500 + 500 * 1_501) * 100
    assert left[-1] == (52 * 10**9 + 500 * 1_501) * 100  # the open order lapses and gives its quota back
    assert found["moments"][0]["closed"]
    assert main(["links", "day", "stock-connect-shanghai", *files]) == 0
    assert "(closed to buys)" in capsys.readouterr().out
    assert main(["links", "day", "stock-connect-shanghai", "--orders", str(orders)]) == 2
    assert "--holdings" in capsys.readouterr().err


def test_a_simulated_day_is_the_same_again(capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: seeded, labelled, and within the quota. Method: run twice; another seed differs."""
    arguments = ("day", "stock-connect-shenzhen", "--direction", "southbound", "--count", "3000", "--share", "0.9")
    assert main(["links", *arguments]) == 2
    assert "CNY for one HKD" in capsys.readouterr().err
    arguments = (*arguments, "--fx", "0.92")
    first, again = _json(capsys, *arguments), _json(capsys, *arguments)
    assert first == again
    assert first["source"] == "simulated, seed 1"
    assert first["moments"] != _json(capsys, *arguments, "--seed", "2")["moments"]
    assert first["refused"]["quota-closed"] > 0


@pytest.mark.parametrize(("link", "word"), [("swap-connect", "over-notional"), ("bond-connect", "over-daily")])
def test_a_day_of_flows(link: str, word: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: quotas on flows. Method: a seeded flow of more than the quota."""
    direction = "northbound" if link == "swap-connect" else "southbound"
    arguments = ("--direction", direction, "--count", "2000", "--value", "90000000000", "--share", "1")
    found = _json(capsys, "day", link, *arguments)
    assert set(found["refused"]) == {word}
    assert min(left for moment in found["moments"] for left in moment["left_cents"].values()) >= 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("day", "stock-connect-shanghai", "--date", "2026-02-16"),
        ("day", "stock-connect-shanghai", "--direction", "west"),
        ("day", "etf-connect", "--direction", "southbound"),
        ("day", "swap-connect", "--count", "0"),
        ("day", "stock-connect-shanghai", "--direction", "southbound", "--fx", "0.000001"),
        ("day", "stock-connect-shanghai", "--direction", "southbound", "--fx", "-1"),
        ("calendar", "stock-connect-shanghai", "--year", "2031"),
    ],
)
def test_refusals_on_one_line(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: what, where and what to do. Method: one impossible request each."""
    assert main(["links", *arguments]) == 2
    assert capsys.readouterr().err.startswith("refused: ")
