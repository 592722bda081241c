"""Official reports in four forms and two languages: same content, same bytes, and no text is ever more than text.

Goal: a report can be filed, compared and opened by anybody. Method: one report of every kind and a hostile one; read
back by other programs (poppler, openpyxl, csv), made twice in processes with other clocks and settings.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import msgspec
import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsingma.basics.rejection import InvariantBroken, Rejected
from tsingma.margin.disclosure import Field
from tsingma.margin.resources.default_fund import Exposure, Fund, FundRules, Key, size_fund
from tsingma.reports.figures import HouseReport, ParticipantMargin
from tsingma.reports.official import pdf
from tsingma.reports.official.books import Addressee
from tsingma.reports.official.day import day_report
from tsingma.reports.official.disclosure import disclosure_report
from tsingma.reports.official.files import FORMS, write_csv, write_html, write_report, write_xlsx
from tsingma.reports.official.fund import fund_report
from tsingma.reports.official.holdings import HoldingFigures, HoldingLine, holdings_report
from tsingma.reports.official.margin import CallLine, MarginFigures, house_margin_report
from tsingma.reports.official.model import (
    Bar,
    Chart,
    Column,
    Figure,
    Kind,
    Report,
    Section,
    Table,
    cell_plain,
    cell_text,
)
from tsingma.reports.official.pdf import chinese_fonts, write_pdf
from tsingma.reports.official.settlement import (
    InstructionLine,
    MoneyLine,
    PositionLine,
    SettlementFigures,
    settlement_report,
)
from tsingma.reports.official.words import speaker, table
from tsingma.reports.statements import safe_cell

pytest.importorskip("typst")

SOURCE = Path(pdf.__file__).parents[2]
HOSTILE = '#read("/etc/passwd") $x^2$ @label \\ [*b*] `raw` <tag> _i_ // {{}} "q" = - + # ~ \u3000\'"'
WHOSE = Addressee(code="P01", name="Victoria Securities Limited", lei="529900T8BM49AURSDO55", day="2026-01-05",
                  is_open=True, record=42, state_hash="ab" * 32)  # fmt: skip
SETTLEMENT = SettlementFigures(
    whose=WHOSE,
    positions=(PositionLine("P01/HOUSE", "HK0000096088", -700, -200, -500, 0),),
    money=(MoneyLine("P01/HOUSE", "HKD", -1_234_567, 0, -1_234_567),),
    instructions=(
        InstructionLine(number="I1", account="P01/HOUSE", delivers=True, counterparty="P02/HOUSE", asset="HK0000096088",
                        quantity=100, currency="HKD", cents=3_000_000, intended="2026-01-05", status="failing",
                        reason="lack of securities"),
    ),
)  # fmt: skip
HOLDINGS = HoldingFigures(whose=WHOSE, lines=(
    HoldingLine(account="P01/HOUSE", asset="HKD", is_cash=True, balance=-5, on_hold=0, pledged=0),
    HoldingLine(account="P01/HOUSE", asset="HK0000096088", is_cash=False, balance=1_000, on_hold=10, pledged=90,
                currency="HKD", price_e4=3_125_000, value_cents=31_250_000),
))  # fmt: skip
PART = ParticipantMargin(participant="P01", account_class="HOUSE", portfolio_hkd=90, flat_rate_hkd=10,
                         aggregate_hkd=100, rounded_hkd=1_000, net_hkd=1_000, total_hkd=1_000)  # fmt: skip
MARGIN = MarginFigures(whose=WHOSE, calls=(CallLine("P01/HOUSE", 100_000, 60_000),), parts=(PART,))
LOSSES = tuple(
    Exposure(day="2026-01-05", scenario="crash", participant=name, group=name, loss=loss, collateral=0)
    for name, loss in (("P01", 900_000_000), ("P02", 600_000_000), ("P03", 0))
)
RULES = FundRules()
FUND = size_fund(LOSSES, [Key("2026-01-05", name, 1) for name in ("P01", "P02", "P03")], RULES)
FIELDS = (Field(number="4.1.4", house="HKSCC", name="Prefunded", value="1500000000", unit="HKD"),
          Field(number="6.5.3", house="HKCC", name="Coverage", value="0.998", unit="part"))  # fmt: skip


def reports(house_report: HouseReport, language: str) -> dict[str, Report]:
    """Return one report of every kind that needs no market."""
    return {
        "settlement": settlement_report(SETTLEMENT, language),
        "holdings": holdings_report(HOLDINGS, language),
        "margin": house_margin_report(MARGIN, language),
        "fund": fund_report(FUND, RULES, "HKSCC", "P01", language),
        "disclosure": disclosure_report(FIELDS, "2026-01-05", language),
        "day": day_report(house_report, language),
    }


def hostile() -> Report:
    """Return a report in which every text would be markup, a formula or a path if it were taken for one."""
    columns = (Column(HOSTILE), Column("=1+1", Kind.CODE), Column("n", Kind.WHOLE), Column("f", Kind.FIGURE))
    rows = ((HOSTILE, "=HYPERLINK(1)", 10**17, "-1+cmd|' /C calc'!A0"), ("@SUM(A1)", "\t=1", -7, "-1.50"))
    one = Table(name="a/b:[c]", caption=HOSTILE, columns=columns, rows=rows, foot=(rows[0],))
    return Report(
        name="hostile", language="en", house=HOSTILE, title=HOSTILE, subtitle=HOSTILE, facts=((HOSTILE, HOSTILE),),
        figures=(Figure(HOSTILE, HOSTILE, HOSTILE),), notes=(HOSTILE,), badge=HOSTILE,
        sections=(
            Section(heading=HOSTILE, lead=HOSTILE, tables=(one, one),
                    chart=Chart((HOSTILE, HOSTILE), (Bar(HOSTILE, (3, 2), HOSTILE), Bar("b", (0, 0), "")))),
        ),
    )  # fmt: skip


def pdf_text(data: bytes, tmp_path: Path) -> str:
    """Return the text of a PDF file, without layout."""
    tool = shutil.which("pdftotext")
    if tool is None:
        pytest.skip("pdftotext is not here: apt-get install poppler-utils")
    path = tmp_path / "made.pdf"
    path.write_bytes(data)
    made = subprocess.run([tool, "-raw", str(path), "-"], capture_output=True, check=True, timeout=60)
    return made.stdout.decode()


def needs_chinese() -> None:
    """Skip where no Chinese font is installed."""
    try:
        chinese_fonts()
    except Rejected as rejected:
        pytest.skip(str(rejected))


def test_reports_are_for_archives_and_for_readers(report: HouseReport) -> None:
    """Goal: PDF/A-2a and PDF/UA-1, and no name stops a statement. Method: what typst checks and says in the file; a
    name with letters that no font has.
    """
    needs_chinese()
    for language in ("en", "zh"):
        for name, made in reports(report, language).items():
            data = write_pdf(made)
            assert b"<pdfuaid:part>1</pdfuaid:part>" in data
            assert (b"<pdfaid:conformance>A</pdfaid:conformance>" in data) == bool(made.date), name
    for odd in ("Fund \U0001f680", "bell \x07", "private \ue000"):
        named = msgspec.structs.replace(SETTLEMENT, whose=msgspec.structs.replace(WHOSE, name=odd))
        assert b"<pdfaid:" not in write_pdf(settlement_report(named, "en"))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_report_in_every_form(report: HouseReport, language: str, tmp_path: Path) -> None:
    """Goal: four forms of each, with what is in it. Method: write all; a figure of each looked for in page and PDF."""
    if language == "zh":
        needs_chinese()
    shown = {"settlement": "12,345.67", "holdings": "312.5000", "margin": "400.00", "fund": "900,000,000",
             "disclosure": "1,500,000,000", "day": "24,000"}  # fmt: skip
    for name, made in reports(report, language).items():
        for form in FORMS:
            written = write_report(made, tmp_path / f"{name}{form}")
            assert all(path.stat().st_size > 0 for path in written)
            assert len(written) == (len(list(made.tables())) if form == ".csv" else 1)
        page = (tmp_path / f"{name}.html").read_text(encoding="utf-8")
        assert "<script" not in page
        text = pdf_text((tmp_path / f"{name}.pdf").read_bytes(), tmp_path)
        for one in (page, text):
            assert made.title in one
            assert shown[name] in one
        assert any("\u4e00" <= letter <= "\u9fff" for letter in text) == (language == "zh")


def test_the_same_report_is_the_same_bytes(tmp_path: Path) -> None:
    """Goal: byte for byte. Method: all forms twice here, and PDF and XLSX once more in a process with another zone,
    another directory and other hash seeds.
    """
    report = settlement_report(SETTLEMENT, "en")
    for write in (write_pdf, write_xlsx, write_html):
        assert write(report) == write(report)
    (tmp_path / "report.json").write_bytes(msgspec.json.encode(report))
    program = (
        "import hashlib,msgspec,pathlib\nfrom tsingma.reports.official.model import Report\n"
        "from tsingma.reports.official.pdf import write_pdf\nfrom tsingma.reports.official.files import write_xlsx\n"
        "one=msgspec.json.decode(pathlib.Path('report.json').read_bytes(), type=Report)\n"
        "print(*(hashlib.sha256(write(one)).hexdigest() for write in (write_pdf, write_xlsx)))\n"
    )
    environment = {**os.environ, "TZ": "Pacific/Kiritimati", "PYTHONHASHSEED": "7", "SOURCE_DATE_EPOCH": "1000000000",
                   "PYTHONPATH": str(SOURCE.parent), "LC_ALL": "C"}  # fmt: skip
    made = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True,
                          check=True, timeout=120)  # fmt: skip
    here = [hashlib.sha256(write(report)).hexdigest() for write in (write_pdf, write_xlsx)]
    assert made.stdout.decode().split() == here
    assert b"/CreationDate(D:20260105000000Z)" in write_pdf(report), "the report's own day, no clock"


def test_text_is_only_text(tmp_path: Path) -> None:
    """Goal: nothing is carried out. Method: names with markup, formulas and paths, through every form."""
    needs_chinese()  # the ideographic space
    report = hostile()
    text = re.sub(r"\s+", "", pdf_text(write_pdf(report), tmp_path))
    for scrap in ('#read("/etc/passwd")', "$x^2$", "@label", "[*b*]", "`raw`", "<tag>", "_i_", "//", "{{}}"):
        assert scrap in text
    assert "root:" not in text
    book = openpyxl.load_workbook(io.BytesIO(write_xlsx(report)))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert all(cell.data_type != "f" for cell in cells)
    assert "=HYPERLINK(1)" in [cell.value for cell in cells]
    assert -1.5 in [cell.value for cell in cells]
    assert "100,000,000,000,000,000" in [cell.value for cell in cells], "what a spreadsheet would round stays text"
    rows = list(csv.reader(io.StringIO(write_csv(next(iter(report.tables()))).decode())))
    starts = [cell[:1] for row in rows for cell in row if not re.fullmatch(r"-?\d+(\.\d+)?", cell)]
    assert not {"=", "+", "-", "@", "\t"} & set(starts)
    page = write_html(report).decode()
    assert "<tag>" not in page
    assert "&lt;tag&gt;" in page


@given(st.text(max_size=12), st.sampled_from(["=", "+", "-", "@", "\t", "\r", "\n", ""]))
@settings(max_examples=200, deadline=None)
def test_no_cell_begins_a_formula(text: str, start: str) -> None:
    """Goal: what begins like a formula is a number or begins with an apostrophe. Method: drawn texts."""
    cell = safe_cell(start + text)
    assert isinstance(cell, str)
    assert cell[:1] not in {"=", "+", "-", "@", "\t", "\r", "\n"} or re.fullmatch(r"-?\d+(\.\d+)?", cell)


@given(st.integers(-(10**17), 10**17))
@settings(max_examples=100, deadline=None)
def test_cells_say_their_number(number: int) -> None:
    """Goal: no digit is lost between forms. Method: drawn whole numbers as units, cents and ten-thousandths."""
    for kind, scale in ((Kind.WHOLE, 1), (Kind.MONEY, 100), (Kind.RATE, 10_000)):
        plain = cell_plain(kind, number)
        assert int(plain.replace(".", "")) == number
        assert plain.count(".") == (scale > 1)
        shown = cell_text(kind, number).replace(",", "").replace("\u2212", "-").removesuffix(" %")
        assert int(shown.replace(".", "")) == number


def test_without_a_chinese_font_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Goal: no page of boxes. Method: no folder has the font; one named in the environment is looked in first."""
    monkeypatch.setattr(pdf, "FONT_FOLDERS", (str(tmp_path),))
    monkeypatch.delenv(pdf.FONTS_VARIABLE, raising=False)
    with pytest.raises(Rejected, match="apt-get install fonts-noto-cjk"):
        write_pdf(settlement_report(SETTLEMENT, "zh"))
    named = msgspec.structs.replace(SETTLEMENT, whose=msgspec.structs.replace(WHOSE, name="維港證券"))
    with pytest.raises(Rejected, match="for Chinese text"):
        write_pdf(settlement_report(named, "en"))
    assert write_pdf(settlement_report(SETTLEMENT, "en"))[:5] == b"%PDF-"
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / pdf.CHINESE_FILES[0]).write_bytes(b"")
    monkeypatch.setenv(pdf.FONTS_VARIABLE, str(tmp_path / "own"))
    assert chinese_fonts() == tmp_path / "own"


def test_forms_and_places_are_refused_by_name(tmp_path: Path) -> None:
    """Goal: one line of what to do. Method: no such form, a folder in the way, no such participant."""
    report = settlement_report(SETTLEMENT, "en")
    with pytest.raises(Rejected, match=r"one of \.pdf, \.xlsx, \.csv, \.html"):
        write_report(report, tmp_path / "a.doc")
    (tmp_path / "b.html").mkdir()
    with pytest.raises(Rejected, match="cannot be written"):
        write_report(report, tmp_path / "b.html")
    with pytest.raises(Rejected, match="pays nothing into this fund"):
        fund_report(FUND, RULES, "HKSCC", "Z", "en")
    with pytest.raises(Rejected, match="en or zh"):
        settlement_report(SETTLEMENT, "fr")


def test_figures_that_do_not_add_up_are_not_printed() -> None:
    """Goal: no statement contradicts itself. Method: one figure wrong in each."""
    line = msgspec.structs.replace(SETTLEMENT.positions[0], open=0)
    settlement = msgspec.structs.replace(SETTLEMENT, positions=(line,))
    with pytest.raises(InvariantBroken):
        settlement_report(settlement, "en")
    holdings = msgspec.structs.replace(HOLDINGS, lines=(msgspec.structs.replace(HOLDINGS.lines[1], pledged=1_000),))
    with pytest.raises(InvariantBroken):
        holdings_report(holdings, "en")
    fund: Fund = msgspec.structs.replace(FUND, house_part=FUND.house_part + 1)
    with pytest.raises(InvariantBroken):
        fund_report(fund, RULES, "HKSCC", "P01", "en")
    with pytest.raises(InvariantBroken):
        Chart(("a", "b"), (Bar("x", (1, -1), "0"),))
    with pytest.raises(InvariantBroken):
        Table(name="t", caption="", columns=(Column("a"),), rows=((1, 2),))


def test_a_notice_tells_a_participant_nothing_of_others() -> None:
    """Goal: what others pay is theirs to know. Method: the notice of one of three names no other."""
    texts = [cell for one in fund_report(FUND, RULES, "HKSCC", "P03", "en").tables()
             for row in one.rows for cell in row if isinstance(cell, str)]  # fmt: skip
    assert not {"P01", "P02"} & set(texts)
    whole = fund_report(FUND, RULES, "HKSCC", "", "en")
    paid = next(one for one in whole.tables() if one.name == "contributions")
    assert sum(int(row[1]) for row in paid.rows) == FUND.size == paid.foot[0][1]  # type: ignore[arg-type]


def test_the_console_says_the_same() -> None:
    """Goal: one term a concept. Method: statuses, steps and proofs beside the console's own table of words."""
    words = tomllib.loads((SOURCE / "console" / "words" / "day.toml").read_text(encoding="utf-8"))
    for group in ("status", "step", "proof"):
        for name, said in words[group].items():
            assert table()[f"{group}.{name}"] == said, f"{group}.{name}"


def test_every_word_is_there_in_both_languages() -> None:
    """Goal: one table of words, none half told. Method: every row; names the house may have more of; a slip of ours.

    That no report asks for a word that is not there, the test of every report shows: it would not be made.
    """
    words = table()
    assert all(set(one) == {"en", "zh"} and all(one.values()) for one in words.values())
    latin = {name for name, one in words.items() if not re.search("[\u4e00-\u9fff]", one["zh"])}
    assert latin == {"frame.lei", "economy.k"}
    say = speaker("zh")
    assert (say("status.failing"), say("status.unheard of")) == ("交收失敗", "unheard of")
    with pytest.raises(InvariantBroken):
        say("frame.unheard of")
