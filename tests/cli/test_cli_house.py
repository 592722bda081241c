"""A house from the command line: simulate, run, look, verify, replay, report.

Goal: what people type does the whole way and says what went wrong by file, line and field. Method: one small simulated
market on disk, the real commands through ``main``, JSON read back; then spoilt copies of each input file.
"""

from __future__ import annotations

import csv
import gzip
import json
import shutil
import sqlite3
from collections import defaultdict
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tsingma.cli.main import main

TRADES = 1_000
DATES = ("2026-01-05", "2026-01-06")


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A market of two days with plain trade files."""
    folder = tmp_path_factory.mktemp("cli") / "market"
    arguments = ["--trades", str(TRADES), "--days", "2", "--seed", "3", "--out", str(folder)]
    assert main(["simulate", "market", *arguments, "--plain", "--json"]) == 0
    return folder


@pytest.fixture(scope="module")
def house(market: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A house that ran both days."""
    folder = tmp_path_factory.mktemp("cli") / "house"
    assert main(["day", "run", "--house", str(folder), "--market", str(market), "--json"]) == 0
    return folder


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, object]:
    """Run a command and return its JSON."""
    capsys.readouterr()
    main([*arguments, "--json"])
    answer: dict[str, object] = json.loads(capsys.readouterr().out)
    return answer


def test_same_seed_same_market(market: Path, tmp_path: Path) -> None:
    """Goal: a seed is a market. Method: the same seed byte for byte, another seed not."""
    for seed, same in (("3", True), ("4", False)):
        out = tmp_path / seed
        main(
            ["simulate", "market", "--trades", str(TRADES), "--days", "2", "--seed", seed, "--out", str(out), "--plain"]
        )
        names = sorted(path.name for path in market.iterdir())
        assert sorted(path.name for path in out.iterdir()) == names
        trades = [name for name in names if name.startswith("trades-")]
        assert len(trades) == 2
        assert all(((out / name).read_bytes() == (market / name).read_bytes()) == same for name in trades)


def test_status_verify_replay_agree(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: three commands, one state. Method: compare hashes; verify and replay find nothing."""
    status = told(capsys, "day", "status", "--house", str(house))
    verdict = told(capsys, "day", "verify", "--house", str(house))
    replayed = told(capsys, "day", "replay", "--house", str(house))
    assert verdict["faults"] == []
    assert replayed["same"] is True
    assert replayed["state_hash"] == status["state_hash"]
    assert len(replayed["from"]) == 1 + len(DATES)  # type: ignore[arg-type]
    capsys.readouterr()
    assert main(["day", "status", "--house", str(house)]) == 0
    assert str(status["state_hash"]) in capsys.readouterr().out


def test_running_again_and_acknowledging(
    house: Path, market: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Goal: a day run twice is a day run once. Method: a fresh house with acknowledgements, then again twice."""
    fresh = tmp_path / "house"
    capsys.readouterr()
    arguments = ["day", "run", "--house", str(fresh), "--market", str(market)]
    assert main([*arguments, "--date", DATES[0], "--acknowledge"]) == 0
    out = capsys.readouterr().out
    acknowledged = [line.split() for line in out.splitlines() if line.startswith("ack ")]
    assert len({entry[2] for entry in acknowledged}) == len(acknowledged) > 10
    assert f"{DATES[0]}: {TRADES:,} trades" in out
    assert main(arguments) == 0
    assert main(arguments) == 0
    before, after = (told(capsys, "day", "status", "--house", str(folder)) for folder in (house, fresh))
    assert before["state_hash"] == after["state_hash"]


def test_flipped_byte_is_found_and_named(house: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: tampering gives exit code 1 and a place. Method: change one byte of record 5's answer."""
    folder = tmp_path / "house"
    shutil.copytree(house, folder)
    connection = sqlite3.connect(folder / "house.sqlite")
    (answer,) = connection.execute("SELECT answer FROM journal WHERE sequence = 5").fetchone()
    connection.execute("UPDATE journal SET answer = ? WHERE sequence = 5", (answer[:-1] + bytes([answer[-1] ^ 1]),))
    connection.commit()
    connection.close()
    capsys.readouterr()
    assert main(["day", "verify", "--house", str(folder)]) == 1
    assert "record 5:" in capsys.readouterr().out


def test_a_house_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: no house, no answer. Method: status, verify and replay of an empty folder give exit code 2."""
    for command in ("status", "verify", "replay"):
        assert main(["day", command, "--house", str(tmp_path)]) == 2
        assert "there is no journal" in capsys.readouterr().err


BROKEN: list[tuple[str, bytes | None, str]] = [
    ("reference.json", None, "cannot be read"),
    ("reference.json", b"{", "is no reference book"),
    ("reference.json", b"\xff\xfe", "is no reference book"),
    ("reference.json", b'{"counters": []}', "is no reference book"),
    ("reference.json", b'{"counters": [], "participants": [], "accounts": []}', "needed with kind"),
    ("deposits.csv", None, "cannot be read"),
    ("deposits.csv", b"", "deposits.csv:1: wrong header"),
    ("deposits.csv", b"participant;account;asset;amount\n", "deposits.csv:1: wrong header"),
    ("deposits.csv", b"participant,account,asset,amount\nCHINACLEAR,HOUSE,HKD\n", ":2: 3 columns, 4 expected"),
    ("deposits.csv", b"participant,account,asset,amount\nNOBODY,HOUSE,HKD,5\n", ":2: account: 'NOBODY/HOUSE'"),
    ("deposits.csv", b"participant,account,asset,amount\nCHINACLEAR,HOUSE,XAU,5\n", ":2: asset: 'XAU' is not known"),
    ("deposits.csv", b"participant,account,asset,amount\nCHINACLEAR,HOUSE,HKD,-5\n", ":2: amount: '-5'"),
    ("deposits.csv", b"participant,account,asset,amount\nCHINACLEAR,HOUSE,HKD,1.5\n", ":2: amount: '1.5'"),
    ("deposits.csv", b"participant,account,asset,amount\nCHINACLEAR,HOUSE,HKD,9999999999999999999\n", ":2: amount"),
    ("deposits.csv", b"participant,account,asset,amount\nCHINACLEAR,HOUSE,HKD,\xe4\n", "is not ASCII"),
    ("closing-2026-01-05.csv", None, "cannot be read"),
    ("closing-2026-01-05.csv", b"kind,code\n", "wrong header"),
    ("closing-2026-01-05.csv", b"kind,code,value\nprice,NOPE,1\n", ":2: code: 'NOPE' is not known"),
    ("closing-2026-01-05.csv", b"kind,code,value\nspread,700,1\n", ":2: kind: 'spread' is not known"),
    ("closing-2026-01-05.csv", b"kind,code,value\nrate,HKD,1\nrate,HKD,1\n", ":3: code: rate 'HKD' is given twice"),
    ("closing-2026-01-05.csv", b"kind,code,value\nrate,HKD,-1\n", ":2: value"),
    ("closing-2026-01-05.csv", b"kind,code,value\nrate,HKD,0\n", ":2: value"),
    ("closing-2026-01-05.csv", b"kind,code,value\nrate,HKD,1.00000001\n", ":2: value"),
    ("closing-2026-01-05.csv", b"kind,code,value\nrate,HKD,abc\n", ":2: value"),
    ("closing-2026-01-05.csv", b"kind,code,value\nrate,HKD,1\n", "no value for price"),
    ("trades-2026-01-05.csv", None, "trades-2026-01-05"),
    ("trades-2026-01-05.csv", b"", "trades-2026-01-05.csv"),
    ("trades-2026-01-05.csv.gz", gzip.compress(b"trade_id,", mtime=0)[:12], "trades-2026-01-05.csv"),
]


@pytest.mark.parametrize(("name", "content", "text"), BROKEN)
def test_broken_market_files(
    name: str, content: bytes | None, text: str, market: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Goal: a bad file is refused by name and the day goes no further. Method: spoil one file, run, look for trades."""
    folder = tmp_path / "market"
    shutil.copytree(market, folder)
    (folder / name.removesuffix(".gz")).unlink()
    if content is not None:
        (folder / name).write_bytes(content)
    capsys.readouterr()
    assert main(["day", "run", "--house", str(tmp_path / "house"), "--market", str(folder), "--date", DATES[0]]) == 2
    error = capsys.readouterr().err
    assert text in error
    assert "refused: " in error


class Page(HTMLParser):
    """Collects what a page refers to and the text it shows."""

    def __init__(self, page: str) -> None:
        """Read the page."""
        super().__init__()
        self.links: list[str] = []
        self.tags: dict[str, int] = defaultdict(int)
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Count tags and keep references."""
        self.tags[tag] += 1
        self.links += [value or "" for name, value in attrs if name in ("src", "href", "data", "action")]

    def handle_data(self, data: str) -> None:
        """Keep the text."""
        self.text += data


def test_demo_writes_a_report_that_shows_the_days(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: one command, one page that stands alone. Method: a small demo; figures of the JSON appear on the page."""
    figures = told(capsys, "demo", "--trades", "1000", "--days", "2", "--out", str(tmp_path / "demo"))
    page = (tmp_path / "demo" / "report.html").read_text(encoding="utf-8")
    read = Page(page)
    assert [link for link in read.links if not link.startswith("#")] == []
    assert read.tags["svg"] >= 4
    assert "<script" not in page.lower()
    days = figures["day_figures"]
    assert isinstance(days, list)
    for day in days:
        assert day["state_hash"] in read.text
    statements = list((tmp_path / "demo" / "statements").rglob("*.csv"))
    assert statements
    for path in statements:
        with path.open(encoding="utf-8", newline="") as lines:
            rows = list(csv.reader(lines))
        assert {len(row) for row in rows} == {len(rows[0])}
    capsys.readouterr()
    assert main(["demo", "--trades", "1000", "--days", "2", "--out", str(tmp_path / "again")]) == 0
    out = capsys.readouterr().out
    assert "report.html" in out
    assert days[-1]["state_hash"][:12] in out


def test_fees_by_hand(capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: a buy of HK$1,000,000 costs 1,127.00 (hk-markets 2.1). Method: JSON and table; bad amounts refused."""
    arguments = ["fees", "--amount", "1000000", "--side", "buy", "--date", "2026-01-05"]
    answer = told(capsys, *arguments)
    assert "112700" in json.dumps(answer)
    assert main(arguments) == 0
    assert "1,127.00" in capsys.readouterr().out
    for bad in ("abc", "-5", "1.005"):
        assert main([*arguments[:2], bad, *arguments[3:]]) == 2
    assert main(["fees", "--amount", "5", "--side", "buy", "--date", "1999-01-05"]) == 2
