"""What an official report is, before it has a form: texts in one language, and tables of typed cells.

A cell is text or a whole number; the column says what the number counts (units, cents, ten-thousandths), so that each
form writes it its own way and none computes with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum

import msgspec

from tsingma.basics.rejection import InvariantBroken

Cell = str | int | None
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
MINUS = "\u2212"  # as wide as a figure, unlike the hyphen


class Kind(StrEnum):
    """What the cells of a column are."""

    TEXT = "text"
    CODE = "code"
    WHOLE = "whole"  # units: shares, whole dollars, numbers
    MONEY = "money"  # cents
    RATE = "rate"  # ten-thousandths: 1,250 is 12.50 %
    FIGURE = "figure"  # a number that is text already


class Column(msgspec.Struct, frozen=True):
    """One column: its heading, and what its cells are."""

    heading: str
    kind: Kind = Kind.TEXT

    @property
    def numeric(self) -> bool:
        """Return whether its cells are figures, which stand right."""
        return self.kind not in (Kind.TEXT, Kind.CODE)


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """One table; ``name`` is that of its sheet and file. ``foot`` rows are totals."""

    name: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    foot: tuple[tuple[Cell, ...], ...] = ()

    def __post_init__(self) -> None:
        """Refuse a row that is not as wide as the table."""
        for row in (*self.rows, *self.foot):
            if len(row) != len(self.columns):
                raise InvariantBroken(f"a row of '{self.name}' has {len(row)} cells for {len(self.columns)} columns")


class Bar(msgspec.Struct, frozen=True):
    """One bar of a chart: what it is of, its parts (from zero, in order of the legend), and its figure in words."""

    label: str
    parts: tuple[int, ...]
    value: str


class Chart(msgspec.Struct, frozen=True):
    """Bars on one scale, with what each part is; shown on pages, left out of sheets."""

    legend: tuple[str, ...]
    bars: tuple[Bar, ...]

    def __post_init__(self) -> None:
        """Refuse a bar whose parts are not those of the legend, or below zero."""
        for bar in self.bars:
            if len(bar.parts) != len(self.legend) or min(bar.parts, default=0) < 0:
                raise InvariantBroken(f"the bar of '{bar.label}' has {bar.parts} for {len(self.legend)} parts")

    @property
    def compares(self) -> bool:
        """Return whether there is anything to compare: bars, or parts of one."""
        return len(self.bars) > 1 or (len(self.bars) == 1 and len(self.legend) > 1)

    @property
    def longest(self) -> int:
        """Return the sum of the longest bar, at least 1."""
        return max((sum(bar.parts) for bar in self.bars), default=0) or 1


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """A heading, a sentence, a chart, and tables."""

    heading: str
    lead: str = ""
    tables: tuple[Table, ...] = ()
    chart: Chart | None = None


class Figure(msgspec.Struct, frozen=True):
    """One figure at the head of a report, with what it is and a remark."""

    label: str
    value: str
    note: str = ""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A whole report in one language; ``badge`` says so where its figures are simulated."""

    name: str
    language: str
    house: str
    title: str
    subtitle: str
    facts: tuple[tuple[str, str], ...]
    figures: tuple[Figure, ...] = ()
    sections: tuple[Section, ...] = ()
    notes: tuple[str, ...] = ()
    badge: str = ""
    date: str = ""  # ISO; the day the report is of

    def tables(self) -> Iterator[Table]:
        """Yield every table in order."""
        for section in self.sections:
            yield from section.tables


def cell_text(kind: Kind, cell: Cell) -> str:
    """Return a cell as it is read: thousands apart, money with cents, rates with two decimals and a per cent sign."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return _apart(cell) if kind not in (Kind.TEXT, Kind.CODE) and is_number(cell) else cell
    if kind is Kind.MONEY:
        return _signed(cell, f"{abs(cell) // 100:,}.{abs(cell) % 100:02d}")
    if kind is Kind.RATE:
        return _signed(cell, f"{abs(cell) // 100:,}.{abs(cell) % 100:02d} %")
    return _signed(cell, f"{abs(cell):,}")


def cell_plain(kind: Kind, cell: Cell) -> str:
    """Return a cell as a machine reads it: no separators, rates as parts of one."""
    if cell is None or isinstance(cell, str):
        return cell or ""
    sign = "-" if cell < 0 else ""
    if kind is Kind.MONEY:
        return f"{sign}{abs(cell) // 100}.{abs(cell) % 100:02d}"
    if kind is Kind.RATE:
        return f"{sign}{abs(cell) // 10_000}.{abs(cell) % 10_000:04d}"
    return str(cell)


def is_number(text: str) -> bool:
    """Return whether text is a number without separators."""
    return _NUMBER.fullmatch(text) is not None


def _apart(text: str) -> str:
    whole, point, part = text.removeprefix("-").partition(".")
    return f"{MINUS if text.startswith('-') else ''}{int(whole):,}{point}{part}"


def _signed(cell: int, digits: str) -> str:
    return f"{MINUS}{digits}" if cell < 0 else digits
