"""The series file of ``tsingma margin arrays``: a futures or options series a line, with its array parameters (CSV)."""

from __future__ import annotations

import math

from tsingma.basics.rejection import Rejected, Rejection, RejectionReason, refuse
from tsingma.margin.prime.arrays import OptionStyle, Series, SeriesKind
from tsingma.messages.rows import read_cells

COLUMNS = (
    "id", "kind", "style", "right", "strike", "underlying_price", "days_to_expiry", "look_ahead_days", "implied_vol",
    "vsr", "psr", "multiplier", "rate", "settlement_price", "extreme_multiplier", "extreme_cover", "risk_exponent",
)  # fmt: skip
ROWS_MAX = 1_000_000
FAULTS_SHOWN = 100
_WHOLE = ("days_to_expiry", "look_ahead_days", "risk_exponent")
_FUTURE = ("underlying_price", "psr", "multiplier", "extreme_multiplier", "extreme_cover", "risk_exponent")
_TEXT = ("id", "kind", "style", "right")


def read_series(data: bytes, *, file: str = "series.csv") -> tuple[Series, ...]:
    """Return the series in file order; raises Rejected with file, line and field of everything that is wrong.

    A future needs only its price, scan range, multiplier and extreme parameters; its other columns may be empty. Every
    column of an option must be given.
    """
    series: list[Series] = []
    faults: list[Rejection] = []
    lines: dict[str, int] = {}
    for line, row in read_cells(data, file, COLUMNS, rows_max=ROWS_MAX, rows="series"):
        _take(row, line, file, lines, series, faults)
    if faults:
        raise Rejected(*faults[:FAULTS_SHOWN])
    if not series:
        raise refuse(RejectionReason.MISSING, "there is no series in the file", file=file, line=2)
    return tuple(series)


def _take(
    row: list[str], line: int, file: str, lines: dict[str, int], series: list[Series], faults: list[Rejection]
) -> None:
    if len(row) != len(COLUMNS):
        message = f"{len(row)} columns, {len(COLUMNS)} expected"
        faults.append(Rejection(reason=RejectionReason.MALFORMED, file=file, line=line, message=message))
        return
    cells = dict(zip(COLUMNS, (cell.strip() for cell in row), strict=True))
    before = lines.setdefault(cells["id"], line)
    found: list[tuple[str, RejectionReason, str]] = []
    if not cells["id"]:
        found.append(("id", RejectionReason.MISSING, "a series needs an id"))
    elif before != line:
        found.append(("id", RejectionReason.DUPLICATE, f"'{cells['id']}' stands on line {before} already"))
    if cells["kind"] not in list(SeriesKind):
        found.append(("kind", RejectionReason.UNKNOWN, f"'{cells['kind']}' is neither future nor option"))
    option = cells["kind"] == SeriesKind.OPTION
    if option and cells["style"] not in list(OptionStyle):
        found.append(("style", RejectionReason.UNKNOWN, f"'{cells['style']}' is none of {', '.join(OptionStyle)}"))
    values: dict[str, float | int] = {}
    for name in COLUMNS:
        if name not in _TEXT:
            _number(name, cells[name], required=option or name in _FUTURE, values=values, found=found)
    if found:
        faults.extend(
            Rejection(reason=reason, file=file, line=line, field=field, subject=cells["id"], message=message)
            for field, reason, message in found
        )
        return
    style = OptionStyle(cells["style"]) if option else None
    text = {
        "id": cells["id"],
        "kind": SeriesKind(cells["kind"]),
        "style": style,
        "right": cells["right"] if option else "",
    }
    series.append(Series(**text, **values, line=line))  # type: ignore[arg-type]


def _number(
    name: str,
    text: str,
    *,
    required: bool,
    values: dict[str, float | int],
    found: list[tuple[str, RejectionReason, str]],
) -> None:
    """Put the number of a cell into ``values``, or what is wrong with it into ``found``."""
    if not text:
        if required:
            found.append((name, RejectionReason.MISSING, "is empty"))
        return
    try:
        value = int(text) if name in _WHOLE else float(text)
        finite = math.isfinite(value)  # an int of hundreds of digits is no float at all
    except (ValueError, OverflowError):
        kind = "whole number" if name in _WHOLE else "number"
        found.append((name, RejectionReason.MALFORMED, f"'{text}' is no {kind}"))
        return
    if not finite:
        found.append((name, RejectionReason.OUT_OF_RANGE, f"'{text}' is no finite number"))
        return
    values[name] = value
