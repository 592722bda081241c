"""Custody from the command line: a file of commands, what is held, issued and due.

Goal: a bond from tender to coupon by files alone, and faults by file, line and field. Method: the example's commands on
a house in a folder, the real commands through ``main``, JSON read back, spoilt lines.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import pytest

from tsingma.basics.columns import pack
from tsingma.cli.main import EXIT_OK, EXIT_REFUSED, main

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "renminbi_bond.sh"
ISIN, OTHER = "ZZ0000000016", "ZZ0000000024"


def files(folder: Path) -> dict[str, Path]:
    """Write the two files of the example and return them by name."""
    found = {}
    pattern = r"cat >\"\$folder/(\w+)\.jsonl\" <<'LINES'\n(.*?)\nLINES"
    for name, text in re.findall(pattern, EXAMPLE.read_text(encoding="utf-8"), re.DOTALL):
        found[name] = folder / f"{name}.jsonl"
        found[name].write_text(text + "\n", encoding="utf-8")
    return found


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, list[dict[str, object]]]:
    """Run a command that succeeds and return its JSON."""
    capsys.readouterr()
    assert main(["custody", *arguments, "--json"]) == EXIT_OK
    answer: dict[str, list[dict[str, object]]] = json.loads(capsys.readouterr().out)
    return answer


def proved(capsys: pytest.CaptureFixture[str], house: str) -> tuple[object, object]:
    """Return how many records a house has, and its state hash."""
    capsys.readouterr()
    assert main(["verify", "--house", house, "--json"]) == EXIT_OK
    proof = json.loads(capsys.readouterr().out)
    return proof["records"], proof["state_hash"]


def test_a_bond_lives_by_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: what the page shows. Method: issue, look, pay the coupon, look, send again."""
    lines, house = files(tmp_path), str(tmp_path / "house")
    first = told(capsys, "send", "--file", str(lines["issue"]), "--house", house)
    assert first["events"][0]["type"] == "reference-loaded"
    (issue,) = told(capsys, "issue", "--house", house)["issues"]
    assert (issue["issued"], issue["held"], issue["coupon"]) == (10_000, 10_000, "1.82 %")
    held = told(capsys, "holdings", "--house", house, "--depository", "CMU")["holdings"]
    assert [(row["account"], row["units"]) for row in held] == [("B/HOUSE", 5_000)]
    (mine,) = told(capsys, "holdings", "--house", house, "--participant", "A")["holdings"]
    assert mine["depository"] == "CCDC"
    (coming,) = told(capsys, "due", "--house", house)["dues"]
    assert (coming["status"], coming["payment"]) == ("scheduled", "2026-07-06")
    paid = told(capsys, "send", "--file", str(lines["coupon"]), "--house", house)
    again = told(capsys, "send", "--file", str(lines["coupon"]), "--house", house)
    assert paid == again
    every = told(capsys, "due", "--house", house, "--all")["dues"]
    assert [(row["status"], row["amount"]) for row in every] == [("paid", "CNY 9,025.20")]
    assert main(["verify", "--house", house]) == EXIT_OK


def test_the_cheapest_bond_comes_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: the basket of a future from a house's own prices. Method: two bonds, the same as by the room; no basket."""
    lines, house = files(tmp_path)["issue"].read_text(encoding="utf-8").splitlines(), str(tmp_path / "house")
    terms = '"product": "sovereign", "payer": "MOF/HOUSE", "currency": "CNY", "face_cents": 10000, "months": 12, ' \
            '"day_count": "ACT/ACT ICMA", "adjusted": false'  # fmt: skip
    prices = {
        "type": "set-closing-prices",
        "counter": pack([0, 1], "i4"),
        "price_e4": pack([1_001_000, 1_029_000], "i8"),
        "fx_e6": [1_000_000, 1_080_000, 7_800_000, 9_000_000],
    }
    path = tmp_path / "futures.jsonl"
    path.write_text("\n".join([
        *lines[:2],
        f'{{"type": "register-security", "terms": {{"isin": "{ISIN}", "issue_day": "2025-06-15", '
        f'"maturity_day": "2030-06-15", "coupon_e9": 16000000, {terms}}}}}',
        f'{{"type": "register-security", "terms": {{"isin": "{OTHER}", "issue_day": "2024-04-25", '
        f'"maturity_day": "2031-04-25", "coupon_e9": 23000000, {terms}}}}}',
        msgspec.json.encode(prices).decode(),
    ]), encoding="utf-8")  # fmt: skip
    told(capsys, "send", "--file", str(path), "--house", house)
    asked = ("deliverable", "--house", house, "--contract", "TF", "--delivery", "2026-03-18")
    rows = told(capsys, *asked, "--price", "105.9", "--financing", "1.5")["deliverable"]
    assert [(row["isin"], row["cheapest"]) for row in rows] == [(ISIN, True), (OTHER, False)]
    assert rows[0]["factor"] == "0.9449"  # 1.03 ** -0.25 * (0.016 + 1.6/3 + 1.4/3 / 1.03 ** 4) - 0.016 * 0.75
    assert float(str(rows[0]["implied_repo"]).split()[0]) > float(str(rows[1]["implied_repo"]).split()[0])
    late = (*asked[:-1], "2027-12-01", "--price", "105.9")
    assert main(["custody", *late]) == EXIT_REFUSED
    assert "nothing can be delivered" in capsys.readouterr().err


def test_green_proceeds_add_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: the report of use of proceeds. Method: the example's bond made green; what is raised is what is listed."""
    text, house = files(tmp_path)["issue"].read_text(encoding="utf-8"), str(tmp_path / "house")
    green = text.replace('"product": "sovereign"', '"product": "green", "purpose": "rail"')
    use = f'{{"type": "allocate-proceeds", "isin": "{ISIN}", "project": "line 1", "cents": 60000000}}\n'
    path = tmp_path / "green.jsonl"
    head, tail = green.rsplit('{"type": "end-day"}', 1)
    path.write_text(head + use + '{"type": "end-day"}' + tail, encoding="utf-8")
    told(capsys, "send", "--file", str(path), "--house", house)
    rows = told(capsys, "proceeds", "--house", house)["proceeds"]
    assert [(row["project"], row["amount"]) for row in rows] == [
        ("line 1", "CNY 600,000.00"), ("(not allocated)", "CNY 400,000.00")
    ]  # fmt: skip


def test_the_words_are_readable(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: tables without --json. Method: every reading command prints its rows and says what it left out."""
    lines, house = files(tmp_path), str(tmp_path / "house")
    assert main(["custody", "send", "--file", str(lines["issue"]), "--house", house]) == EXIT_OK
    text = capsys.readouterr().out
    assert "offer-allotted: offer 0, cut_off 18200000" in text
    assert "step-run" not in text
    for command in ("holdings", "issue", "due"):
        assert main(["custody", command, "--house", house, "--limit", "1"]) == EXIT_OK
        assert ISIN in capsys.readouterr().out
    assert main(["custody", "holdings", "--house", house, "--limit", "1"]) == EXIT_OK
    assert "1 more" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("{", "wrong.jsonl:2"),
        ('{"type": "pay-due", "due": "first"}', "Expected `int`"),
        ('{"type": "no-such-thing"}', "no-such-thing"),
        ('{"type": "open-day", "day": "2026-13-01"}', "day: '2026-13-01' is not a date"),
        (
            '{"type": "place-bid", "offer": 0, "account": "NOBODY/HOUSE", "units": 1, "at": 1}',
            "no account 'NOBODY/HOUSE'",
        ),
        ('{"type": "deposit-assets", "owner": ["A/HOUSE"], "asset": ["XAU"], "amount": [1]}', "asset: ['XAU']"),
    ],
    ids=["syntax", "type", "command", "date", "account", "asset"],
)
def test_a_bad_line_refuses_the_whole_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str, wrong: str
) -> None:
    """Goal: file, line, field; nothing half done. Method: a good line before each bad one, and the house as it was."""
    lines, house = files(tmp_path), str(tmp_path / "house")
    main(["custody", "send", "--file", str(lines["issue"]), "--house", house])
    before = proved(capsys, house)
    bad = tmp_path / "wrong.jsonl"
    bad.write_text('{"type": "open-day", "day": "2026-01-07"}\n' + line + "\n", encoding="utf-8")
    assert main(["custody", "send", "--file", str(bad), "--house", house]) == EXIT_REFUSED
    said = capsys.readouterr().err
    assert "wrong.jsonl:2" in said
    assert wrong in said
    assert proved(capsys, house) == before
    empty = tmp_path / "empty.jsonl"
    empty.write_text("\n", encoding="utf-8")
    assert main(["custody", "send", "--file", str(empty), "--house", house]) == EXIT_REFUSED


def test_what_the_house_refuses_names_its_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: a refusal of the rules reads like one of the file. Method: a coupon before its day, an unknown house."""
    lines, house = files(tmp_path), str(tmp_path / "house")
    main(["custody", "send", "--file", str(lines["issue"]), "--house", house])
    early = tmp_path / "early.jsonl"
    early.write_text('{"type": "open-day", "day": "2026-01-07"}\n{"type": "pay-due", "due": 0}\n', encoding="utf-8")
    assert main(["custody", "send", "--file", str(early), "--house", house]) == EXIT_REFUSED
    assert "there is no due 0" in capsys.readouterr().err
    assert main(["custody", "due", "--house", str(tmp_path / "nowhere")]) == EXIT_REFUSED
