"""Risk arrays of futures and options.

Goal: the arrays HKEX published, to the file's rounding. Method: retyped rows of the file of March 2019 through the
model and through the command; every impossible series is refused by line and field.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path

import msgspec
import pytest

from prime_rows import FUTURES, OPTIONS, row
from tsingma.basics.rejection import Rejected
from tsingma.cli.main import main
from tsingma.margin.prime.arrays import Series, risk_arrays
from tsingma.messages.series_file import COLUMNS, read_series


@pytest.mark.parametrize("index", range(len(OPTIONS)), ids=[entry[0] for entry in OPTIONS])
def test_published_option_rows(index: int) -> None:
    """Goal: every value of the row. Method: the file gives prices to its last digit, so values agree to its unit."""
    fields, published = row(index)
    (values,) = risk_arrays([msgspec.convert(fields, Series)]).tolist()
    unit = 10 ** fields["risk_exponent"]
    assert max(abs(mine - theirs) for mine, theirs in zip(values, published, strict=True)) <= unit
    assert sum(mine == theirs for mine, theirs in zip(values, published, strict=True)) >= 10


@pytest.mark.parametrize(("name", "parameters", "moves"), FUTURES, ids=[entry[0] for entry in FUTURES])
def test_published_future_rows(name: str, parameters: dict[str, float], moves: list[int]) -> None:
    """Goal: futures exactly. Method: four magnitudes of the row give all sixteen by sign."""
    one, two, three, extreme = moves
    wanted = [0, 0, -one, -one, one, one, -two, -two, two, two, -three, -three, three, three, -extreme, extreme]
    series = msgspec.convert({"id": name, "kind": "future"} | parameters, Series)
    assert risk_arrays([series]).tolist() == [wanted]


def write(path: Path, rows: list[dict[str, object]]) -> Path:
    """Write a series file."""
    with path.open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_command_prints_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: the command is the model. Method: all rows and a future in one file, JSON and table."""
    future = {"id": "HSI Mar", "kind": "future"} | FUTURES[0][1]
    path = write(tmp_path / "S.csv", [row(index)[0] for index in range(len(OPTIONS))] + [future])
    assert main(["margin", "arrays", "--series", str(path), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert [entry["id"] for entry in answer] == [entry[0] for entry in OPTIONS] + ["HSI Mar"]
    series = read_series(path.read_bytes())
    assert [entry["values"] for entry in answer] == risk_arrays(series).tolist()
    assert main(["margin", "arrays", "--series", str(path)]) == 0
    assert "-28,670" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("id", "", "id: a series needs an id"),
        ("kind", "swap", "kind: 'swap' is neither"),
        ("style", "bermudan", "style: 'bermudan' is none of"),
        ("right", "X", "right: 'X' is neither C nor P"),
        ("strike", "", "strike: is empty"),
        ("strike", "-1", "strike: -1 is not positive"),
        ("underlying_price", "0", "underlying_price: 0 is not positive"),
        ("underlying_price", "nan", "underlying_price: 'nan' is no finite number"),
        ("days_to_expiry", "0", "days_to_expiry: 0 days: the contract has expired"),
        ("days_to_expiry", "-3", "the contract has expired"),
        ("days_to_expiry", "1.5", "days_to_expiry: '1.5' is no whole number"),
        ("days_to_expiry", "99999", "that is beyond 36500"),
        ("look_ahead_days", "30", "look_ahead_days: 30 days is not between 0 and the 24"),
        ("implied_vol", "0", "implied_vol: 0 is no volatility"),
        ("implied_vol", "-0.2", "implied_vol: -0.2 is no volatility"),
        ("implied_vol", "25", "implied_vol: 25 is no volatility"),
        ("vsr", "-0.1", "vsr: -0.1"),
        ("psr", "0", "psr: 0 is not positive"),
        ("multiplier", "1e300", "the array does not fit"),
        ("rate", "5", "rate: 5 is no rate"),
        ("settlement_price", "", "settlement_price: is empty"),
        ("extreme_multiplier", "0.5", "extreme_multiplier: 0.5 is below 1"),
        ("extreme_cover", "1.1", "extreme_cover: 1.1 is not in (0, 1]"),
        ("risk_exponent", "9", "risk_exponent: 9 is not 0 to 6"),
    ],
)
def test_impossible_series_are_named(field: str, value: str, text: str, tmp_path: Path) -> None:
    """Goal: never an array by default. Method: one cell of the second series spoilt; file, line and field are told."""
    good, bad = row(0)[0], row(1)[0] | {field: value}
    data = write(tmp_path / "S.csv", [good, bad]).read_bytes()
    with pytest.raises(Rejected) as refused:
        risk_arrays(read_series(data, file="S.csv"), file="S.csv")
    assert text in str(refused.value)
    assert "S.csv:3" in str(refused.value)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "wrong header"),
        (b"id,kind\n", "wrong header"),
        (",".join(COLUMNS).encode() + b"\n", "no series in the file"),
        (",".join(COLUMNS).encode() + b"\na,b\n", "S.csv:2: 2 columns, 17 expected"),
        (b"\xff\xfe\x00", "is not UTF-8"),
    ],
)
def test_broken_files_are_refused(data: bytes, text: str) -> None:
    """Goal: a file that is none is named. Method: header, encoding, width, emptiness."""
    with pytest.raises(Rejected, match=text):
        read_series(data, file="S.csv")


def test_same_id_twice_is_refused(tmp_path: Path) -> None:
    """Goal: an id is one series. Method: the same row twice."""
    data = write(tmp_path / "S.csv", [row(0)[0], row(0)[0]]).read_bytes()
    with pytest.raises(Rejected, match="stands on line 2 already"):
        read_series(data)
