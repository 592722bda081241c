"""HTML tables that read well aloud and on paper: caption, scoped headers, right-aligned figures, totals at the foot."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import msgspec


class Column(msgspec.Struct, frozen=True):
    """One column: its heading, whether it holds figures (aligned right) or code (fixed width), and the language of its
    cells where it is not that of the page.
    """

    heading: str
    numeric: bool = True
    code: bool = False
    language: str = ""


def text_column(heading: str) -> Column:
    """Return a column of words."""
    return Column(heading, numeric=False)


def code_column(heading: str) -> Column:
    """Return a column of identifiers or hashes."""
    return Column(heading, numeric=False, code=True)


def table(
    caption: str, columns: Sequence[Column], rows: Sequence[Sequence[str]], foot: Sequence[Sequence[str]] = ()
) -> str:
    """Return a table; every cell is escaped here and the first cell of a row is its header.

    Raises ValueError when a row is not as wide as the columns.
    """
    for row in (*rows, *foot):
        if len(row) != len(columns):
            raise ValueError(f"a row of '{caption}' has {len(row)} cells for {len(columns)} columns")
    head = "".join(f'<th scope="col"{_kind(column)}>{escape(column.heading)}</th>' for column in columns)
    body = "\n".join(_row(columns, row) for row in rows)
    end = "\n".join(_row(columns, row) for row in foot)
    tail = f"\n<tfoot>\n{end}\n</tfoot>" if foot else ""
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}">\n'
        f"<table>\n<caption>{escape(caption)}</caption>\n<thead><tr>{head}</tr></thead>\n"
        f"<tbody>\n{body}\n</tbody>{tail}\n</table>\n</div>"
    )


def details(summary: str, content: str) -> str:
    """Return content folded away under a one-line summary (printed unfolded by browsers that can)."""
    return f"<details>\n<summary>{escape(summary)}</summary>\n{content}\n</details>"


def _row(columns: Sequence[Column], row: Sequence[str]) -> str:
    first = f'<th scope="row"{_kind(columns[0])}>{escape(row[0])}</th>'
    rest = "".join(
        f"<td{_kind(column)}{_tongue(column)}>{escape(cell)}</td>"
        for column, cell in zip(columns[1:], row[1:], strict=True)
    )
    return f"<tr>{first}{rest}</tr>"


def _tongue(column: Column) -> str:
    return f' lang="{column.language}"' if column.language else ""


def _kind(column: Column) -> str:
    if column.numeric:
        return ' class="number"'
    return ' class="code"' if column.code else ""
