"""Economic series as files: dated columns in CSV, plain or gzip; every layout is named and checked, never guessed."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.economy.series import Series
from tsingma.messages.packed import unpacked

ROWS_MAX = 1_000_000
BYTES_MAX = 256 * 1024**2


class Dates(StrEnum):
    """How a file writes its dates."""

    DAY = "2026-06-30"
    AMERICAN = "06/30/26"
    MONTH = "2026-06"
    YEAR_MONTH = "202606"
    QUARTER = "2026-Q2"
    YEAR = "2026"


def _quarter(text: str) -> date:
    year, _, quarter = text.partition("-Q")
    return date(int(year), 3 * int(quarter), 1)


_PARSE: dict[Dates, Callable[[str], date]] = {
    Dates.DAY: date.fromisoformat,
    Dates.AMERICAN: lambda text: datetime.strptime(text, "%m/%d/%y").date(),  # noqa: DTZ007 - a day has no zone
    Dates.MONTH: lambda text: date.fromisoformat(f"{text}-01"),
    Dates.YEAR_MONTH: lambda text: date(int(text[:4]), int(text[4:]), 1),
    Dates.QUARTER: _quarter,
    Dates.YEAR: lambda text: date(int(text), 12, 1),
}


def read_columns(
    path: Path,
    dates: Dates,
    date_column: str,
    columns: tuple[str, ...] = (),
    *,
    where: dict[str, str] | None = None,
) -> tuple[Series, ...]:
    """Return one series for each named column (all but the date column without names); empty cells are left out.

    ``where`` keeps the rows whose cells equal the given text. Days are sorted. Raises Rejected naming file, line and
    column: a missing file or column, a cell that is no date or number, one day twice, nothing left.
    """
    header, rows = _rows(path)
    wanted = columns or tuple(name for name in header if name != date_column)
    for name in (date_column, *wanted, *(where or {})):
        if name not in header:
            message, remedy = f"no column '{name}'", f"there are: {', '.join(header)}"
            raise refuse(RejectionReason.MISSING, message, file=str(path), line=1, remedy=remedy)
    place = {name: header.index(name) for name in header}
    found: dict[str, dict[date, float]] = {name: {} for name in wanted}
    for line, row in rows:
        if len(row) != len(header):
            message = f"{len(row)} columns, {len(header)} expected"
            raise refuse(RejectionReason.MALFORMED, message, file=str(path), line=line)
        if any(row[place[name]] != text for name, text in (where or {}).items()):
            continue
        day = _day(row[place[date_column]], dates, path, line)
        for name in wanted:
            if row[place[name]].strip():
                if day in found[name]:
                    raise refuse(RejectionReason.DUPLICATE, f"{day} twice", file=str(path), line=line, field=name)
                found[name][day] = _number(row[place[name]], path, line, name)
    return tuple(_series(name, values, path) for name, values in found.items())


def _rows(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    try:
        data = path.read_bytes()
        text = unpacked(data, BYTES_MAX, file=str(path), packed=path.suffix == ".gz").decode("utf-8-sig")
    except OSError as error:
        message = f"cannot be read: {error.strerror or error}"
        raise refuse(RejectionReason.MISSING, message, file=str(path), remedy="check --data") from None
    except UnicodeDecodeError as error:
        raise refuse(RejectionReason.MALFORMED, f"is no UTF-8: {error}", file=str(path)) from None
    try:
        rows = list(enumerate(csv.reader(io.StringIO(text, newline="")), 1))
    except csv.Error as error:
        raise refuse(RejectionReason.MALFORMED, f"is no CSV: {error}", file=str(path)) from None
    if not rows or len(rows) > ROWS_MAX:
        raise refuse(RejectionReason.LIMIT, f"{len(rows)} rows, 1 to {ROWS_MAX} expected", file=str(path))
    return rows[0][1], rows[1:]


def _day(text: str, dates: Dates, path: Path, line: int) -> date:
    try:
        return _PARSE[dates](text.strip())
    except ValueError:
        message = f"'{text}' is not a date"
        raise refuse(RejectionReason.MALFORMED, message, file=str(path), line=line, remedy=f"as {dates}") from None


def _number(text: str, path: Path, line: int, column: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        message = f"'{text}' is no finite number"
        raise refuse(RejectionReason.MALFORMED, message, file=str(path), line=line, field=column)
    return value


def _series(name: str, values: dict[date, float], path: Path) -> Series:
    if not values:
        raise refuse(RejectionReason.MISSING, f"column '{name}' is empty", file=str(path))
    days = sorted(values)
    return Series(name, np.array(days, "datetime64[D]"), np.array([values[day] for day in days], np.float64))


def read_json_series(path: Path, name: str, days: tuple[str, ...], values: tuple[str, ...]) -> Series:
    """Return one series of a JSON file: two lists of equal length reached by keys; empty values are left out.

    Days are written as 2026-06-01. Raises Rejected naming file and key of what is missing or malformed.
    """
    try:
        content = msgspec.json.decode(path.read_bytes())
    except OSError as error:
        message = f"cannot be read: {error.strerror or error}"
        raise refuse(RejectionReason.MISSING, message, file=str(path), remedy="check --data") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise refuse(RejectionReason.MALFORMED, str(error), file=str(path)) from None
    when, what = (_list_at(content, keys, path) for keys in (days, values))
    if len(when) != len(what):
        message = f"{len(when)} days for {len(what)} values"
        raise refuse(RejectionReason.CONFLICT, message, file=str(path), field=name)
    found = {
        _day(str(day), Dates.DAY, path, 0): _number(str(value), path, 0, name)
        for day, value in zip(when, what, strict=True)
        if value is not None
    }
    return _series(name, found, path)


def _list_at(content: Any, keys: tuple[str, ...], path: Path) -> list[Any]:
    for key in keys:
        if not isinstance(content, dict) or key not in content:
            raise refuse(RejectionReason.MISSING, f"no key '{key}'", file=str(path), field=".".join(keys))
        content = content[key]
    if not isinstance(content, list):
        raise refuse(RejectionReason.MALFORMED, "is no list", file=str(path), field=".".join(keys))
    return content
