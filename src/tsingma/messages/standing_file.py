"""Standings of accounts at clearing houses through a day as a file (CSV)."""

from __future__ import annotations

from tsingma.margin.resources.calls import Standing
from tsingma.messages.rows import read_rows

COLUMNS = ("account", "house", "time", "margin", "marks", "lodged", "limit")
AMOUNTS = COLUMNS[3:]


def read_standings(data: bytes, *, file: str = "standings.csv") -> tuple[Standing, ...]:
    """Return standings (whole HKD; marks against the account are positive); raises Rejected with file, line, field."""
    return tuple(
        Standing(
            account=row["account"], house=row["house"], time=row["time"], margin=int(row["margin"]),
            marks=int(row["marks"]), lodged=int(row["lodged"]), limit=int(row["limit"] or 0), line=line,
        )
        for line, row in read_rows(data, file, COLUMNS, numbers=AMOUNTS, optional=("limit",))
    )  # fmt: skip
