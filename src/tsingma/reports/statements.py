"""Statements as CSV files, one folder a participant: settlement, holdings, charges and margin.

Cells that a spreadsheet would take for a formula are written with a quote before them. Money is decimal text made from
whole cents, never through a float.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")


class Table(msgspec.Struct, frozen=True):
    """One statement: its file name without suffix, the header, and per participant code its rows."""

    name: str
    header: tuple[str, ...]
    rows: dict[str, list[tuple[object, ...]]]


def write_statements(folder: Path, tables: Sequence[Table]) -> int:
    """Write ``folder/PARTICIPANT/NAME.csv`` for every table and participant; returns the number of files."""
    written = 0
    for table in tables:
        for participant, rows in sorted(table.rows.items()):
            place = folder / participant
            place.mkdir(parents=True, exist_ok=True)
            _write(place / f"{table.name}.csv", table.header, rows)
            written += 1
    return written


def decimal_text(cents: int) -> str:
    """Return cents as decimal text without separators: -1234567 is ``-12345.67``."""
    whole, part = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}{whole}.{part:02d}"


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(header)
        writer.writerows([safe_cell(cell) for cell in row] for row in rows)


def safe_cell(cell: object) -> object:
    """Disarm text that begins like a formula; numbers, also as text, are left alone."""
    if not isinstance(cell, str) or not cell.startswith(_FORMULA_STARTS) or _NUMBER.fullmatch(cell):
        return cell
    return f"'{cell}"


def plain_cell(cell: str) -> str:
    """Return the text of a cell that ``safe_cell`` made."""
    return cell[1:] if cell.startswith("'") and safe_cell(cell[1:]) == cell else cell
