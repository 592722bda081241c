"""Fixed-length files with header, checksums, counts and hash totals: both ways, and every way to be wrong.

Goal: what is written is read back the same, and one changed byte anywhere is told with its line and what to do. Method:
drawn rows; every byte of a good file changed, lines left out, doubled and moved; files of a house beside its books.
"""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.append(str(Path(__file__).resolve().parents[1] / "margin_pool"))

from pool_house import BILL, HKD, PoolHouse

from tsingma.app.business_day import DayInput, run_day
from tsingma.app.house_margin import marginable_positions
from tsingma.app.interchange_files import cells_of_file, collateral_file, file_of_cells, position_file, trade_file
from tsingma.app.progress import Silent
from tsingma.app.session import Session
from tsingma.basics.clock import FixedClock
from tsingma.basics.columns import pack
from tsingma.basics.rejection import Rejected
from tsingma.cli.main import main
from tsingma.journal.commands import DepositAssets, LoadReference
from tsingma.journal.pool_commands import ArrangePool, PledgeCollateral, SetPoolCalls
from tsingma.messages.interchange import (
    Interchange,
    layouts,
    read_csv_rows,
    read_interchange,
    write_csv_rows,
    write_interchange,
)
from tsingma.simulate.market import SimulatedMarket, simulate_market

DAY = date(2026, 1, 5)
TEXT = st.text(st.characters(codec="ascii", categories=("L", "N")), max_size=8)


@st.composite
def interchanges(draw: st.DrawFn) -> Interchange:
    """Return a file of any report with drawn rows, whose totals may wrap."""
    name = draw(st.sampled_from(sorted(layouts())))
    kinds = {
        "text": lambda width: TEXT.map(lambda text: text[:width]),
        "code": lambda _width: (
            TEXT.filter(lambda text: not text.isdecimal()) | st.from_regex("[0-9]{5,8}", fullmatch=True)
        ),
        "time": lambda _width: st.times().map(lambda time: int(f"{time:%H%M%S}")),
        "number": lambda width: st.integers(0, 10**width - 1),
        "signed": lambda width: st.integers(-(10**width) + 1, 10**width - 1),
    }
    row = {field.name: kinds[field.kind](field.width) for field in layouts()[name].field}
    rows = draw(st.lists(st.fixed_dictionaries(row), max_size=5))
    day = draw(st.dates(date(1000, 1, 1)))
    return Interchange(name=name, participant=draw(TEXT.filter(bool)), day=day, rows=tuple(rows))


@given(interchanges())
@settings(max_examples=150, deadline=None)
def test_files_go_out_and_come_back(one: Interchange) -> None:
    """Goal: both ways, records of one length, and cells that can be written again. Method: drawn files."""
    data = write_interchange(one)
    assert {len(line) for line in data.split(b"\n")[:-1]} == {layouts()[one.name].length}
    assert read_interchange(data, one.name) == one
    header, *cells = write_csv_rows(one)
    assert read_csv_rows([dict(zip(header, row, strict=True)) for row in cells], one.name) == one.rows


GOOD = Interchange(
    name="positions", participant="A77", day=DAY,
    rows=tuple(
        dict(zip([field.name for field in layouts()["positions"].field], row, strict=True))
        for row in (("HOUSE", "00700", -1_200, 5, -480), ("CLIENT", "00005", 400, -7, 24_000))
    ),
)  # fmt: skip


def refused(data: bytes, name: str = "positions") -> Rejected:
    """Return the refusal of a file; every fault has its file, its line and what to do."""
    with pytest.raises(Rejected) as caught:
        read_interchange(data, name, file="P01.dat")
    for one in caught.value.rejections:
        assert one.file == "P01.dat"
        assert one.remedy
    return caught.value


def test_every_changed_digit_is_found() -> None:
    """Goal: no byte of what counts can change unseen. Method: each byte of a good file replaced by another, in turn.

    What is in no sum may change (names, and which kind of account): that is what checksums of numbers are.
    """
    data = write_interchange(GOOD)
    length, unseen = layouts()["positions"].length + 1, set()
    for place in range(len(data)):
        for other in b"5-":
            if data[place] == other:
                continue
            changed = data[:place] + bytes([other]) + data[place + 1 :]
            try:
                found = read_interchange(changed, "positions")
            except Rejected:
                continue
            line, column = divmod(place, length)
            unseen.add((line, column))
            assert [abs(int(row["quantity"])) for row in found.rows] == [1_200, 400]
    numbers = {(line, column) for line, column in unseen if line in (1, 2) and column >= 1 + 12 + 23}
    signs = {1 + 12 + 23 + 16 * n + 15 for n in range(3)}
    tail = 1 + 12 + 23 + 16 * 3 + 14
    assert {column for _, column in numbers if column < tail} <= signs, "signs are in no sum, as the guide says"
    assert {line for line, column in unseen if line == 3 and column < 1 + 9 + 3 * 18} == set()


@pytest.mark.parametrize(
    ("change", "line", "field", "says"),
    [
        (lambda lines: lines[:-1], 3, "trailer", "ends without its trailer"),
        (lambda lines: [*lines, lines[1]], 5, "record", "stands after the trailer of line 4"),
        (lambda lines: [*lines, lines[-1]], 5, "record", "stands after the trailer"),
        (lambda lines: [lines[0], lines[1], lines[-1]], 3, "records", "000000002 records announced, 1 sent"),
        (lambda lines: [lines[0], lines[1], lines[1], lines[-1]], 4, "quantity", "hash total"),
        (lambda lines: lines[1:], 1, "type", "the first record is no header"),
        (lambda lines: [lines[0], *lines], 2, "type", "a second header"),
        (lambda lines: [lines[0], lines[1][:-1], *lines[2:]], 2, "record", "is the file cut off"),
        (lambda lines: [lines[0], "7" + lines[1][1:], *lines[2:]], 2, "type", "'7' is no kind of record"),
        (lambda lines: [lines[0].replace("RMAMP01", "CCMDS01"), *lines[1:]], 1, "report", "is of report 'CCMDS01'"),
        (lambda lines: [lines[0].replace("20260105", "20261305"), *lines[1:]], 1, "date", "is no date"),
        (lambda lines: [lines[0].replace("A77", "   "), *lines[1:]], 1, "participant", "names nobody"),
        (lambda lines: [lines[0], lines[1].replace("000000000001200", "00000000000120X"), *lines[2:]], 2, "quantity",
         "is no number"),
        (lambda lines: [lines[0], lines[1].replace("000000000001200", "000000000001201"), *lines[2:]], 2, "checksum",
         "is not the sum of the record"),
        (lambda lines: [], 0, "record", "the file is empty"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_refused_whole(
    change: Callable[[list[str]], list[str]], line: int, field: str, says: str
) -> None:  # fmt: skip
    """Goal: whole or not at all, with line and remedy. Method: one thing wrong a file."""
    lines = write_interchange(GOOD).decode().split("\n")[:-1]
    found = refused("".join(f"{one}\n" for one in change(lines)).encode())
    assert (found.rejections[0].line, found.rejections[0].field) == (line, field)
    assert says in str(found.rejections[0])


def test_sums_drop_their_leading_digit() -> None:
    """Goal: 18 digits of a hash total, as the guide has it. Method: amounts whose sum has 19."""
    row = dict.fromkeys((field.name for field in layouts()["trades"].field), 1)
    texts = {"text": "1", "code": "00001"}
    row |= {field.name: texts[field.kind] for field in layouts()["trades"].field if field.kind in texts}
    row |= {"value": 10**17 - 1}
    one = Interchange(name="trades", participant="A", day=DAY, rows=(row,) * 11)
    data = write_interchange(one)
    total = f"{11 * (10**17 - 1):d}"[-18:]
    assert len(str(11 * (10**17 - 1))) == 19
    assert total.encode() in data.split(b"\n")[-2]
    assert read_interchange(data, "trades") == one


def test_what_does_not_fit_is_not_written() -> None:
    """Goal: no field is cut. Method: a number, a name, a letter beyond ASCII, a participant too long."""
    for wrong in ({"quantity": 10**15}, {"instrument": "x" * 24}, {"instrument": "騰訊"}, {"account_class": " HOUSE"}):
        with pytest.raises(Rejected):
            write_interchange(
                Interchange(name="positions", participant="A", day=DAY, rows=({**GOOD.rows[0], **wrong},))
            )
    with pytest.raises(Rejected):
        write_interchange(Interchange(name="positions", participant="A" * 13, day=DAY, rows=()))
    with pytest.raises(Rejected, match="one of trades, positions, collateral"):
        write_interchange(Interchange(name="prices", participant="A", day=DAY, rows=()))


@pytest.mark.parametrize(
    ("name", "field", "good", "bad", "says"),
    [
        ("trades", "time", "093010", "996010", "is no time of day (HHMMSS"),
        ("trades", "time", "093010", "093060", "is no time of day (HHMMSS"),
        ("trades", "time", "093010", " 93010", "is no time of day (HHMMSS"),
        ("trades", "stock_code", "00005", "5    ", "is no stock code (5 digits at least"),
        ("positions", "instrument", "00005", "5    ", "is no stock code (5 digits at least"),
    ],
)  # fmt: skip
def test_times_and_codes_have_one_form(name: str, field: str, good: str, bad: str, says: str) -> None:
    """Goal: 09:30:10 is 093010 and share 5 is 00005, in files and cells. Method: a row from cells as a spreadsheet
    leaves them; the file with another form of the same is refused.
    """
    plain = {"text": "X", "code": "5", "time": "93010", "number": "1", "signed": "1"}
    cells = {one.name: plain[one.kind] for one in layouts()[name].field}
    one = Interchange(name=name, participant="A", day=DAY, rows=read_csv_rows([cells], name))
    data = write_interchange(one)
    header, row = write_csv_rows(read_interchange(data, name))
    assert dict(zip(header, row, strict=True))[field] == good
    assert (
        write_interchange(msgspec.structs.replace(one, rows=read_csv_rows([dict(zip(header, row, strict=True))], name)))
        == data
    )
    assert data.count(good.encode()) == 1
    assert says in str(refused(data.replace(good.encode(), bad.encode()), name))


def test_a_row_with_no_time_of_day_is_not_written() -> None:
    """Goal: no file says 24:00:00. Method: a row whose time is none."""
    row = {one.name: {"text": "X", "code": "5"}.get(one.kind, 1) for one in layouts()["trades"].field}
    for wrong in (240_000, 6_000, 60, -1):
        with pytest.raises(Rejected):
            write_interchange(Interchange(name="trades", participant="A", day=DAY, rows=({**row, "time": wrong},)))


def test_a_cell_like_a_formula_comes_back(tmp_path: Path) -> None:
    """Goal: what is disarmed for spreadsheets is the same file again. Method: a code that begins with a minus sign."""
    row = {**GOOD.rows[0], "account_class": "-HOUSE"}
    data = write_interchange(Interchange(name="positions", participant="A", day=DAY, rows=(row,)))
    path, cells = tmp_path / "P.dat", tmp_path / "P.csv"
    path.write_bytes(data)
    cells.write_bytes(cells_of_file(path, "positions")[1])
    assert b"\n'-HOUSE,00700," in cells.read_bytes()
    assert file_of_cells(cells, "positions", "A", DAY) == (1, data)


@given(st.binary(max_size=400))
@settings(max_examples=150, deadline=None)
def test_bytes_of_any_kind_are_refused(data: bytes) -> None:
    """Goal: never a traceback. Method: bytes of any kind."""
    refused(data)


CUTS = st.lists(st.tuples(st.integers(0, 500), st.integers(0, 40), st.binary(max_size=6)), min_size=1, max_size=4)


def read_or_refuse(edits: list[tuple[int, int, bytes]]) -> None:
    """Cut stretches out of a good file, put bytes in, and read it: the same numbers come out, or a refusal."""
    data = write_interchange(GOOD)
    for place, cut, scrap in edits:
        data = data[:place] + scrap + data[place + cut :]
    try:
        quantities = [abs(int(row["quantity"])) for row in read_interchange(data, "positions").rows]
    except Rejected as rejected:
        quantities = [1_200, 400] if rejected.rejections else []
    assert quantities == [1_200, 400]


@given(CUTS)
@settings(max_examples=200, deadline=None)
def test_a_cut_up_file_is_read_or_refused(edits: list[tuple[int, int, bytes]]) -> None:
    """Goal: never a traceback, never another content. Method: stretches cut out and bytes put in."""
    read_or_refuse(edits)


@pytest.mark.soak
@given(CUTS)
@settings(max_examples=300_000, deadline=None)
def test_a_cut_up_file_for_long_is_read_or_refused(edits: list[tuple[int, int, bytes]]) -> None:
    """Goal: the same in ten minutes. Method: the same, 300,000 files."""
    read_or_refuse(edits)


@pytest.fixture(scope="module")
def market() -> SimulatedMarket:
    """A small market of one day."""
    return simulate_market(7, DAY, 1, 400)


@pytest.fixture(scope="module")
def house(market: SimulatedMarket, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a house that has run it."""
    folder = tmp_path_factory.mktemp("house")
    with Session.open(folder) as session:
        session.once("reference", lambda: LoadReference(market.book))
        session.once("deposits", market.deposits)
        (day,) = market.days()
        run_day(session, DayInput(day.date, day.trades, day.close_e4, day.fx_e6), None, FixedClock(), Silent())
    return folder


def test_trades_of_everybody_are_all_trades_twice(house: Path, market: SimulatedMarket, tmp_path: Path) -> None:
    """Goal: nothing is missing or double. Method: files of all participants beside the trades that were captured."""
    (day,) = market.days()
    seen: list[tuple[int, str, int, int, int]] = []
    for one in market.book.participants:
        _, data = trade_file(house, one.code)
        found = read_interchange(data, "trades")
        assert found.day == DAY
        seen += [(int(row["reference"]), str(row["side"]), int(row["quantity"]), int(row["price"]), int(row["value"]))
                 for row in found.rows]  # fmt: skip
    trades, amounts = day.trades, day.trades.amount_cents()
    told = [(int(trades.trade_id[n]), side, int(trades.quantity[n]), int(trades.price_e4[n]), int(amounts[n]))
            for n in range(len(trades)) for side in "BS"]  # fmt: skip
    assert sorted(seen) == sorted(told)
    with pytest.raises(Rejected, match="was not opened"):
        trade_file(house, market.book.participants[0].code, date(2026, 1, 6))


def test_positions_are_those_that_are_margined(house: Path) -> None:
    """Goal: what is margined is what is told. Method: files of all participants beside the positions of the house."""
    with Session.open(house, read_only=True) as session:
        book, _ = marginable_positions(session.house)
        codes = [one.code for one in session.house.resolved.book.participants]
    wanted = sorted(zip((book.instruments[n].rjust(5, "0") for n in book.instrument.tolist()), book.quantity.tolist(),
                        book.contract_value.tolist(), book.market_value.tolist(), strict=True))  # fmt: skip
    seen = [
        (str(row["instrument"]), row["quantity"], row["contract_value"], row["market_value"])
        for code in codes
        for row in read_interchange(position_file(house, code)[1], "positions").rows
    ]
    assert set(wanted) <= set(seen)
    assert len(seen) >= len(wanted) > 50


def test_collateral_is_what_the_pool_says(tmp_path: Path) -> None:
    """Goal: the statement of the pool in the form of a file. Method: bills pledged, a part of them allotted."""
    told = PoolHouse()
    a = told.account("A")
    told.do(DepositAssets(pack([a], "i4"), pack([told.asset(BILL)], "i4"), pack([1_000], "i8")))
    told.do(SetPoolCalls("test", "OTC Clear", pack([a], "i4"), pack([50_000], "i8")))
    told.do(PledgeCollateral(a, told.asset(BILL), 900))
    told.do(ArrangePool("test", a, (("OTC Clear", told.asset(BILL), 600),)))
    with Session.open(tmp_path / "house") as session:
        for place, command in enumerate(told.told):
            session.once(f"setup/{place}", lambda command=command: command)
    count, data = collateral_file(tmp_path / "house", "A")
    rows = read_interchange(data, "collateral").rows
    assert count == 2
    path, cells = tmp_path / "A.dat", tmp_path / "A.csv"
    path.write_bytes(data)
    cells.write_bytes(cells_of_file(path, "collateral")[1])
    assert file_of_cells(cells, "collateral", "A", DAY) == (2, data)
    assert [(row["taker"], row["amount"]) for row in rows] == [("OTC Clear", 600), ("free", 300)]
    worth, haircut = int(rows[0]["market_value"]), int(rows[0]["haircut"])
    assert rows[0]["counts_for"] == worth * (1_000_000 - haircut) // 1_000_000
    assert HKD == 0


def test_from_the_command_line(house: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: reachable by hand, both ways. Method: write, read to CSV, write that again: the same bytes."""
    with Session.open(house, read_only=True) as session:
        code = session.house.resolved.book.accounts[int(session.house.settlement.positions.account[0])].participant
    for verb in ("trades", "positions", "collateral"):
        out, cells, again = (tmp_path / f"{verb}.{end}" for end in ("dat", "csv", "again"))
        assert main(["messages", "hkex", verb, "--house", str(house), "--participant", code, "--out", str(out)]) == 0
        capsys.readouterr()
        assert (
            main(["messages", "hkex", "read", "--report", verb, "--file", str(out), "--out", str(cells), "--json"]) == 0
        )
        told = json.loads(capsys.readouterr().out)
        assert (told["participant"], told["date"]) == (code, str(DAY))
        rows = list(csv.DictReader(io.StringIO(cells.read_text(encoding="utf-8"))))
        assert len(rows) == told["records"]
        for field in layouts()[verb].field:
            form = {"time": "[0-9]{6}", "code": "[0-9]{5,}|[0-9A-Z]*[A-Z][0-9A-Z]*"}.get(field.kind, ".*")
            assert all(re.fullmatch(form, row[field.name]) for row in rows), field.name
        asked = ["--participant", code, "--date", str(DAY), "--out", str(again)]
        assert main(["messages", "hkex", "write", "--report", verb, "--file", str(cells), *asked]) == 0
        assert again.read_bytes() == out.read_bytes()
        out.write_bytes(out.read_bytes()[:-2])
        assert main(["messages", "hkex", "read", "--report", verb, "--file", str(out)]) == 2
        assert f"refused: {out}:{told['records'] + 2}: record: has" in capsys.readouterr().err
    assert main(["messages", "hkex", "list", "--json"]) == 0
    assert {row["report"] for row in json.loads(capsys.readouterr().out)} == {"CCLID01", "RMAMP01", "CCMDS01"}
    _, text = cells_of_file(tmp_path / "trades.again", "trades")
    rows = list(csv.DictReader(io.StringIO(text.decode())))
    assert all(row["side"] in "BS" for row in rows)
