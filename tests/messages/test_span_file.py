"""The SPAN file.

Goal: every record type is read where it stands, a file read and written back is the same file, and the margin from the
file is the margin from the parameters. Method: published rows written as a file, records of every type, broken lines.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prime_books import HSI, held, hsi_parameters, two_commodities
from tsingma.basics.rejection import Rejected
from tsingma.cli.main import main
from tsingma.margin.prime.requirement import prime_margin
from tsingma.messages.span_contracts import span_records
from tsingma.messages.span_file import Record, contract_id, prime_parameters, read_records, write_records
from tsingma.messages.span_layout import LAYOUTS, Form

EXPONENTS = {"HSI": 1}
HEADER = Record("0 ", {"complex": "HKF", "business_date": "20190304", "format": "U2"})


def hsi_file() -> bytes:
    """Return the published HSI rows as a SPAN file."""
    return write_records(span_records(hsi_parameters(), EXPONENTS, created="201903042100"))


def test_round_trip_of_parameters() -> None:
    """Goal: written and read back is the same. Method: parameters to file to parameters, and file to file."""
    data = hsi_file()
    records = read_records(data)
    assert write_records(records) == data
    read = prime_parameters(records, {"HSI": 50}, file="test")
    wanted = hsi_parameters()
    assert read.commodities == wanted.commodities
    assert len(read.contracts) == len(wanted.contracts)
    call = read.contracts[contract_id("HSI", "OOP", 201903, "C", 29_000 * 10_000)]
    original = wanted.contracts["HSI Mar 29000 C"]
    assert (call.array, call.delta_e4, call.settlement_price_e4, call.multiplier) == (
        original.array, original.delta_e4, original.settlement_price_e4, 50)  # fmt: skip


def test_known_positions_of_the_layout() -> None:
    """Goal: fields stand where the specification says. Method: one line of each array record, cut by hand."""
    lines = hsi_file().decode().splitlines()
    first = next(line for line in lines if line.startswith("81") and "OOP" in line and "0028000" in line)
    assert (first[2:5], first[5:8], first[25:28], first[28], first[38:44], first[47:54]) == (
        "HKF", "HSI", "OOP", "C", "201903", "0028000")  # fmt: skip
    assert first[54:60] == "00789-"
    second = next(line for line in lines if line.startswith("82") and "OOP" in line and "0028000" in line)
    assert (second[96:101], second[101], second[110:117]) == ("07400", "+", "0106500")
    assert lines[0][8:16] == "20190304"
    minimum = next(line for line in lines if line.startswith("4 "))
    assert (minimum[62:69], minimum[78]) == ("0000860", "2")


@st.composite
def any_record(draw: st.DrawFn) -> Record:
    """Draw a record of any type with any values that fit."""
    kind = draw(st.sampled_from(sorted(LAYOUTS)))
    fields: dict[str, int | str] = {}
    for field in LAYOUTS[kind]:
        if not draw(st.booleans()):
            continue
        width = field.last - field.first + 1
        if field.form is Form.TEXT:
            fields[field.name] = draw(st.text("ABCDEFGHIJ0123456789", min_size=1, max_size=width))
        elif field.form is Form.NUMBER:
            fields[field.name] = draw(st.integers(0, 10**width - 1))
        else:
            fields[field.name] = draw(st.integers(1 - 10 ** (width - 1), 10 ** (width - 1) - 1))
    return Record(kind, fields)


@given(st.lists(any_record(), max_size=5))
def test_every_record_type_round_trips(records: list[Record]) -> None:
    """Goal: reading undoes writing for every record type. Method: random records behind a header."""
    back = read_records(write_records([HEADER, *records]))
    assert [(each.type, each.fields) for each in back[1:]] == [(each.type, each.fields) for each in records]


def test_intercommodity_records_round_trip() -> None:
    """Goal: credits survive the file. Method: two commodities with a rule, margined before and after."""
    parameters = two_commodities()
    read = prime_parameters(read_records(write_records(span_records(parameters, {}))))
    assert read.intercommodity == parameters.intercommodity
    positions = [("HSI FUT 201903", 1), ("HHI FUT 201903", -2)]
    again = prime_margin(
        read, [type(held(HSI=1)[0])(name, max(q, 0), max(-q, 0), i) for i, (name, q) in enumerate(positions)]
    )
    assert again.total == prime_margin(parameters, held(HSI=1, HHI=-2)).total


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data.replace(b"\n1 ", b"\nX ", 1), r"F.lis:2: record type: 'X ' is no record"),
        (lambda data: data[data.index(b"\n") + 1 :], "does not start with a header"),
        (lambda data: data.replace(b"00789-", b"0078x-", 1), r"array_1: '0078x-' in positions 55 to 60 is no number"),
        (lambda data: data.replace(b"00789-", b"00789?", 1), "is no number"),
        (lambda data: data + "馬".encode(), "not ASCII"),
        (lambda data: data[: data.rindex(b"\n82")] + b"\n", "first half .81. without a second half"),
        (
            lambda data: data.replace(data[data.index(b"81HKF") :].split(b"\n")[0] + b"\n", b"", 1),
            "without its own first half",
        ),
        (lambda data: data + data[data.index(b"81HKF") :].split(b"\n")[0] + b"\n", "has a first half already"),
        (lambda data: data.replace(b"81HKFHSI", b"81HKFHSX", 1), "'HSX' belongs to no combined commodity"),
        (lambda data: b"", "does not start with a header"),
    ],
)
def test_broken_files_are_refused(change: object, message: str) -> None:
    """Goal: a broken file is refused with line and field, never read in part. Method: one fault each."""
    data = change(hsi_file())  # type: ignore[operator]
    with pytest.raises(Rejected, match=message):
        prime_parameters(read_records(data, file="F.lis"), {"HSI": 50}, file="F.lis")


def test_values_that_do_not_fit_are_not_written() -> None:
    """Goal: no truncated number reaches a file. Method: a six-digit array value, a negative count."""
    with pytest.raises(Rejected, match="does not fit 6"):
        write_records([Record("81", {"array_1": 100_000})])
    with pytest.raises(Rejected, match="does not fit 1"):
        write_records([Record("2 ", {"risk_exponent": -1})])


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: the command margins a file. Method: portfolio P1 by SPAN file, text, JSON, client, faults."""
    span, book = tmp_path / "F.lis", tmp_path / "P.csv"
    span.write_bytes(hsi_file())
    lines = ["HSI OOP 201903 P 28000,0,1", "HSI OOP 201903 P 28200,1,0", "HSI OOP 201903 C 29000,0,1"]
    book.write_text("contract,long,short\n" + "\n".join(lines) + "\n")
    call = ["margin", "prime", "--span", str(span), "--positions", str(book)]
    assert main([*call, "--multiplier", "HSI=50", "--client", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["total"] == {"HKD": 70_100}
    assert answer["client"]["HSI"] == {"initial": 93_233, "maintenance": 74_586}
    assert main([*call, "--multiplier", "HSI=50"]) == 0
    assert "scan risk                         70,100  scenario 15" in capsys.readouterr().out
    assert main(call) != 0
    assert "multiplier: an option needs the multiplier" in capsys.readouterr().err
    assert main([*call, "--multiplier", "HSI"]) != 0
    book.write_text("contract,long,short\nHSI OOP 201903 P 28000,0,-1\n")
    assert main([*call, "--multiplier", "HSI=50"]) != 0
    assert "P.csv:2: short: '-1' is no whole number" in capsys.readouterr().err


def test_the_minimum_is_in_the_file() -> None:
    """Goal: charges are scaled by the risk exponent. Method: 8,600 and 19,800 stand as 860 and 1,980."""
    records = read_records(hsi_file())
    charge = next(record for record in records if record.type == "C ")
    minimum = next(record for record in records if record.type == "4 ")
    assert (charge.number("charge"), minimum.number("short_option_minimum")) == (1980, HSI.short_option_minimum // 10)
