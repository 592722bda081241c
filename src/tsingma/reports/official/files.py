"""Official reports as files: PDF, XLSX, CSV and HTML, by the ending of the name; the same bytes for the same report.

A CSV has one table; a report of several is written as ``NAME-TABLE.csv`` each. Text that a spreadsheet would take for
a formula is disarmed in CSV, and is never a formula in XLSX.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import date, datetime
from html import escape
from pathlib import Path
from typing import Any

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.reports.official.model import Cell, Kind, Report, Section, Table, cell_plain, cell_text, is_number
from tsingma.reports.official.pdf import write_pdf
from tsingma.reports.official.words import speaker
from tsingma.reports.statements import safe_cell
from tsingma.reports.style import COMPONENT_COLOURS, style_sheet
from tsingma.reports.svg import BarRow, Segment, bars, legend
from tsingma.reports.tables import Column as PageColumn
from tsingma.reports.tables import table as page_table

FORMS = (".pdf", ".xlsx", ".csv", ".html")
_EXACT_MAX = 10**15  # what a number of a spreadsheet holds exactly
_DIGITS_MAX = 15
_SHEET_NAME_MAX = 31
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_TAGS = {"en": "en", "zh": "zh-Hant-HK"}
_WIDTH_MAX = 46
_FORMATS = {Kind.WHOLE: "#,##0", Kind.MONEY: "#,##0.00", Kind.RATE: "0.00%"}


def write_report(report: Report, path: Path) -> list[Path]:
    """Write a report in the form that the path ends in; returns the files written (several for CSV).

    Raises Rejected: unknown (no such form), missing (a library or font is not there), not-allowed (cannot be written).
    """
    form = path.suffix.lower()
    if form not in FORMS:
        raise refuse(RejectionReason.UNKNOWN, f"'{form}' is no form of a report", file=str(path),
                     remedy=f"one of {', '.join(FORMS)}")  # fmt: skip
    if form == ".csv":
        made = _csv_files(report, path)
    else:
        writers: dict[str, Callable[[Report], bytes]] = {".pdf": write_pdf, ".xlsx": write_xlsx, ".html": write_html}
        made = {path: writers[form](report)}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for place, data in made.items():
            place.write_bytes(data)
    except OSError as error:
        message = f"cannot be written: {error.strerror}"
        raise refuse(RejectionReason.NOT_ALLOWED, message, file=str(path), remedy="choose another place") from None
    return list(made)


def write_csv(table: Table) -> bytes:
    """Return one table: figures without separators, rates as parts of one, formulas disarmed."""
    text = io.StringIO(newline="")
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow([safe_cell(column.heading) for column in table.columns])
    for row in table.rows:
        rows.writerow([safe_cell(cell_plain(column.kind, cell))
                       for column, cell in zip(table.columns, row, strict=True)])  # fmt: skip
    return text.getvalue().encode()


def write_xlsx(report: Report) -> bytes:
    """Return a workbook: a first sheet of facts and figures, then one a table; raises Rejected without xlsxwriter."""
    library = _xlsx_library()
    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = library.Workbook(out, options)
    made = date.fromisoformat(report.date) if report.date else date(1980, 1, 1)
    book.set_properties({"title": report.title, "subject": report.subtitle, "author": report.house,
                         "created": datetime(made.year, made.month, made.day)})  # fmt: skip # noqa: DTZ001
    styles = {
        "title": book.add_format({"bold": True, "font_size": 16, "font_color": "#0b4f6c"}),
        "soft": book.add_format({"font_color": "#5a6470"}),
        "head": book.add_format({"bold": True, "bottom": 1, "bg_color": "#f4f2ec", "text_wrap": True}),
        "plain": book.add_format({}),
        "foot": book.add_format({"bold": True, "top": 1}),
        **{str(kind): book.add_format({"num_format": form}) for kind, form in _FORMATS.items()},
        **{f"foot {kind}": book.add_format({"num_format": form, "bold": True, "top": 1})
           for kind, form in _FORMATS.items()},
    }  # fmt: skip
    _first_sheet(book.add_worksheet(_sheet_name(report.title, set())), report, styles)
    taken: set[str] = {_sheet_name(report.title, set()).lower()}
    for table in report.tables():
        name = _sheet_name(table.name, taken)
        taken.add(name.lower())
        _table_sheet(book.add_worksheet(name), table, styles)
    book.close()
    return out.getvalue()


def write_html(report: Report) -> bytes:
    """Return one page without script and without any request."""
    say = speaker(report.language)
    badge = f'<span class="badge">{escape(report.badge)}</span> ' if report.badge else ""
    facts = "".join(f"<dt>{escape(label)}</dt><dd>{escape(value)}</dd>" for label, value in report.facts)
    cards = "".join(
        f'<li class="card"><span>{escape(one.label)}</span><b>{escape(one.value)}</b>'
        f"<span>{escape(one.note)}</span></li>"
        for one in report.figures
    )
    body = [f'<section><dl class="facts">{facts}</dl>\n<ul class="cards">{cards}</ul></section>']
    for section in report.sections:
        tables = "\n".join(_page_table(one, say("frame.none")) for one in section.tables)
        drawn = _page_chart(section, f"chart-{len(body)}")
        body.append(
            f"<section><h2>{escape(section.heading)}</h2>\n"
            f'<p class="lead">{escape(section.lead)}</p>\n{drawn}{tables}</section>'
        )
    if report.notes:
        items = "".join(f"<li>{escape(note)}</li>" for note in report.notes)
        body.append(f'<section><h2>{escape(say("frame.notes"))}</h2>\n<ul class="notes">{items}</ul></section>')
    inner = "\n".join(body)
    style = style_sheet() + (
        ".facts { display: grid; grid-template-columns: max-content 1fr; gap: 4px 24px; } .facts dd { margin: 0; "
        "overflow-wrap: anywhere; } .facts dt { color: var(--soft); }\n"
    )
    return (
        f'<!DOCTYPE html>\n<html lang="{_TAGS[report.language]}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(report.title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n"
        f'<header>\n<p class="house">{escape(report.house)}</p>\n<h1>{escape(report.title)}</h1>\n'
        f'<p class="lead">{badge}{escape(report.subtitle)}</p>\n</header>\n<main>\n{inner}\n</main>\n</body>\n</html>\n'
    ).encode()


def _csv_files(report: Report, path: Path) -> dict[Path, bytes]:
    tables = list(report.tables())
    if len(tables) == 1:
        return {path: write_csv(tables[0])}
    return {path.with_name(f"{path.stem}-{one.name}.csv"): write_csv(one) for one in tables}


def _xlsx_library() -> Any:
    try:
        import xlsxwriter
    except ImportError:
        raise refuse(
            RejectionReason.MISSING, "xlsxwriter is not installed", remedy="pip install 'tsingma[reports]'"
        ) from None
    return xlsxwriter


def _first_sheet(sheet: Any, report: Report, styles: dict[str, Any]) -> None:
    sheet.write_string(0, 0, report.title, styles["title"])
    sheet.write_string(1, 0, report.subtitle, styles["soft"])
    row = 3
    lines = [("", report.house), *([("", report.badge)] if report.badge else []), *report.facts]
    for label, value in lines:
        sheet.write_string(row, 0, label, styles["soft"])
        sheet.write_string(row, 1, value)
        row += 1
    row += 1
    for one in report.figures:
        sheet.write_string(row, 0, one.label, styles["soft"])
        sheet.write_string(row, 1, one.value)
        sheet.write_string(row, 2, one.note, styles["soft"])
        row += 1
    for note in report.notes:
        row += 1
        sheet.write_string(row, 0, note, styles["soft"])
    sheet.set_column(0, 0, 34)
    sheet.set_column(1, 1, 44)


def _table_sheet(sheet: Any, table: Table, styles: dict[str, Any]) -> None:
    for place, column in enumerate(table.columns):
        sheet.write_string(0, place, column.heading, styles["head"])
        cells = [cell_text(column.kind, row[place]) for row in (*table.rows, *table.foot)]
        longest = max([len(column.heading), *(_width(cell) for cell in cells)])
        sheet.set_column(place, place, min(longest, _WIDTH_MAX) + 2)
    for number, row in enumerate((*table.rows, *table.foot), 1):
        foot = "foot" if number > len(table.rows) else ""
        for place, cell in enumerate(row):
            _write_cell(sheet, number, place, cell, table.columns[place].kind, foot, styles)
    sheet.freeze_panes(1, 1)


def _write_cell(
    sheet: Any, row: int, place: int, cell: Cell, kind: Kind, foot: str, styles: dict[str, Any]
) -> None:  # fmt: skip
    scale = {Kind.MONEY: 100, Kind.RATE: 10_000}.get(kind, 1)
    if isinstance(cell, int) and abs(cell) < _EXACT_MAX:
        name = f"{foot} {kind}".strip() if kind in _FORMATS else foot or "plain"
        sheet.write_number(row, place, cell / scale if scale > 1 else cell, styles[name])
    elif isinstance(cell, str) and kind not in (Kind.TEXT, Kind.CODE) and is_number(cell) and len(cell) < _DIGITS_MAX:
        sheet.write_number(row, place, float(cell), styles[foot or "plain"])
    else:
        sheet.write_string(row, place, cell_text(kind, cell), styles[foot or "plain"])


def _width(cell: str) -> int:
    return sum(2 if letter >= "\u2e80" else 1 for letter in cell)


def _sheet_name(name: str, taken: set[str]) -> str:
    plain = "".join("-" if letter in "[]:*?/\\'" else letter for letter in name)[:_SHEET_NAME_MAX] or "-"
    found, number = plain, 2
    while found.lower() in taken:
        found = f"{plain[: _SHEET_NAME_MAX - 3]}-{number}"
        number += 1
    return found


def _page_chart(section: Section, name: str) -> str:
    chart = section.chart
    if chart is None or not chart.compares:
        return ""
    rows = [
        BarRow(
            bar.label,
            tuple(
                Segment(part, colour, f"{bar.label}, {what}: {part:,}")
                for part, colour, what in zip(bar.parts, COMPONENT_COLOURS, chart.legend, strict=False)
            ),
            bar.value,
        )
        for bar in chart.bars
    ]
    keys = legend(list(zip(COMPONENT_COLOURS, chart.legend, strict=False))) if len(chart.legend) > 1 else ""
    return f"<figure>\n{bars(name, section.heading, section.lead, rows)}\n{keys}</figure>\n"


def _page_table(table: Table, none: str) -> str:
    if not table.rows:
        return f"<p>{escape(none)}</p>"
    columns = [PageColumn(one.heading, numeric=one.numeric, code=one.kind is Kind.CODE) for one in table.columns]

    def shown(row: tuple[Cell, ...]) -> list[str]:
        return [cell_text(column.kind, cell) for column, cell in zip(table.columns, row, strict=True)]

    return page_table(table.caption, columns, [shown(row) for row in table.rows], [shown(row) for row in table.foot])
