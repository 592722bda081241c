"""Reading the dated tables of this room: rows with a first day, a last day and a source."""

from __future__ import annotations

import tomllib
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

from tsingma.basics.rejection import RejectionReason, refuse


@cache
def read_table(name: str) -> dict[str, Any]:
    """Return the content of ``reference/data/NAME`` (TOML); numbers with decimals come as Decimal, exactly."""
    text = files("tsingma.reference").joinpath("data", name).read_text(encoding="utf-8")
    return tomllib.loads(text, parse_float=Decimal)


def row_on(rows: list[dict[str, Any]], day: date, *, table: str) -> dict[str, Any]:
    """Return the row in force on a day; raises Rejected (beyond-horizon) when the table has none."""
    for row in rows:
        if row["valid_from"] <= day <= row.get("valid_to", date.max):
            return row
    raise refuse(
        RejectionReason.BEYOND_HORIZON, f"no row of table '{table}' is in force on {day}", remedy="add the dated row"
    )
