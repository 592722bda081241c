"""Official reports as PDF, set by typst: PDF/A-2a and PDF/UA-1, both languages, the same bytes for the same report.

Texts go to the page as JSON, never as markup. Latin letters are typst's own fonts; Chinese ones are looked up where
systems keep fonts and nothing else of the system is used, so that two machines with the same font make the same file.
"""

from __future__ import annotations

import os
from datetime import date
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.reports.official.model import Chart, Column, Kind, Report, Table, cell_text
from tsingma.reports.official.words import speaker

ACCESSIBLE = ["ua-1"]  # PDF/UA-1: tagged, with title and language
ARCHIVED = ["a-2a", *ACCESSIBLE]  # PDF/A-2a: all it needs is in it, for good; asks for a date
LATIN = "Libertinus Serif"  # comes with typst
CODE = "DejaVu Sans Mono"
CHINESE, CHINESE_FILES = "Noto Serif CJK HK", ("NotoSerifCJK-Regular.ttc", "NotoSerifCJK-Bold.ttc")
FONT_FOLDERS = (
    "/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts", "/Library/Fonts",
    "~/Library/Fonts", "C:/Windows/Fonts",
)  # fmt: skip
FONTS_VARIABLE = "TSINGMA_FONTS"  # a folder to look in first
_WORDS_MAX, _PADDING = 30, 2  # letters
_SIZE_MAX, _SIZE_MIN, _LETTERS_A_LINE = 8.6, 6.4, 112  # points, and letters of the largest size across a page
_CHINESE_FROM = "\u2e80"  # radicals, punctuation, ideographs, full width forms


def write_pdf(report: Report) -> bytes:
    """Return a report as a PDF file; raises Rejected (missing): typst is not installed, or no Chinese font is there."""
    typst = _library()
    data = _page(report)
    text = msgspec.json.encode(data).decode()
    chinese = report.language == "zh" or any(letter >= _CHINESE_FROM for letter in text)
    folder = chinese_fonts() if chinese else None
    data["fonts"] = [LATIN, CHINESE] if chinese else [LATIN]
    data["code_fonts"] = [CODE, CHINESE] if chinese else [CODE]
    settings = {
        "font_paths": [str(folder)] if folder is not None else [], "ignore_system_fonts": True, "format": "pdf",
        "sys_inputs": {"report": msgspec.json.encode(data).decode()},
    }  # fmt: skip
    page = files("tsingma.reports.official").joinpath("official.typ").read_bytes()
    try:
        return bytes(typst.compile(page, pdf_standards=ARCHIVED if data["date"] else ACCESSIBLE, **settings))
    except typst.TypstError:  # a letter that no font has: it is shown as a box, and the standards do not allow that
        return bytes(typst.compile(page, **settings))


def chinese_fonts() -> Path:
    """Return the folder that has the Chinese font; raises Rejected (missing) saying what to install."""
    asked = os.environ.get(FONTS_VARIABLE, "")
    found = _font_folder((asked, *FONT_FOLDERS) if asked else FONT_FOLDERS)
    if found is None:
        raise refuse(
            RejectionReason.MISSING, f"no font '{CHINESE}' ({CHINESE_FILES[0]}) for Chinese text",
            remedy=f"apt-get install fonts-noto-cjk, or name a folder that has it in {FONTS_VARIABLE}",
        )  # fmt: skip
    return found


@cache
def _font_folder(folders: tuple[str, ...]) -> Path | None:
    for folder in folders:
        root = Path(folder).expanduser()
        if root.is_dir():
            found = sorted(root.rglob(CHINESE_FILES[0]))
            if found:
                return found[0].parent
    return None


def _library() -> Any:
    try:
        import typst
    except ImportError:
        raise refuse(
            RejectionReason.MISSING, "typst is not installed", remedy="pip install 'tsingma[reports]'"
        ) from None
    return typst


def _page(report: Report) -> dict[str, Any]:
    """Return what the template asks for; every value is text."""
    say = speaker(report.language)
    return {
        "lang": report.language,
        "date": _date(report.date),
        "house": report.house,
        "what": say("frame.what"),
        "title": report.title,
        "subtitle": report.subtitle,
        "badge": report.badge,
        "facts": [[label, value] for label, value in report.facts],
        "figures": [msgspec.structs.asdict(one) for one in report.figures],
        "sections": [
            {
                "heading": one.heading,
                "lead": one.lead,
                "tables": [_table(each) for each in one.tables],
                "chart": _chart(one.chart),
            }
            for one in report.sections
        ],
        "notes": list(report.notes),
        "notes_heading": say("frame.notes"),
        "none": say("frame.none"),
        "page": say("frame.page"),
        "foot": f"{report.title} · {report.subtitle}",
    }


def _date(day: str) -> list[int]:
    """Return year, month and day, or nothing where the report is of no day."""
    try:
        found = date.fromisoformat(day)
    except ValueError:
        return []
    return [found.year, found.month, found.day]


def _chart(chart: Chart | None) -> dict[str, Any] | None:
    """Return bars with each part's share of the longest in ten-thousandths."""
    if chart is None or not chart.compares:
        return None
    bars = [
        {"label": bar.label, "value": bar.value, "parts": [part * 10_000 // chart.longest for part in bar.parts]}
        for bar in chart.bars
    ]
    return {"legend": list(chart.legend), "bars": bars}


def _table(table: Table) -> dict[str, Any]:
    rows, foot = ([_row(table, row) for row in several] for several in (table.rows, table.foot))
    columns = [
        _column(one, [one.heading, *(row[place] for row in (*rows, *foot))]) for place, one in enumerate(table.columns)
    ]
    letters = sum(column["width"] for column in columns)
    size = min(_SIZE_MAX, max(_SIZE_MIN, _SIZE_MAX * _LETTERS_A_LINE / letters))
    return {"caption": table.caption, "columns": columns, "rows": rows, "foot": foot, "size": f"{size:.2f}"}


def _column(column: Column, cells: list[str]) -> dict[str, Any]:
    """Return a column with its share of the page: as its longest cell is long; long words wrap, figures never."""
    longest = max(_width(cell) for cell in cells)
    code = column.kind is Kind.CODE
    width = longest if column.numeric or code else min(longest, _WORDS_MAX)
    return {
        "heading": column.heading, "numeric": column.numeric, "code": code,
        "width": (width * 5 // 4 if code else width) + _PADDING,
    }  # fmt: skip


def _width(cell: str) -> int:
    """Return about how wide a text is, in letters: Chinese ones count twice, capitals a little more than others."""
    tenths = sum(20 if letter >= _CHINESE_FROM else 14 if letter.isupper() else 10 for letter in cell)
    return -(-tenths // 10)


def _row(table: Table, row: tuple[Any, ...]) -> list[str]:
    return [cell_text(column.kind, cell) for column, cell in zip(table.columns, row, strict=True)]
