"""Standings of accounts at clearing houses through a day as a file (CSV)."""

from __future__ import annotations

import csv
import io

from tsingma.basics.rejection import Rejected, Rejection, RejectionReason, refuse
from tsingma.margin.resources.calls import Standing

COLUMNS = ("account", "house", "time", "margin", "marks", "lodged", "limit")
ROWS_MAX = 1_000_000
AMOUNT_MAX = 10**15


def read_standings(data: bytes, *, file: str = "standings.csv") -> tuple[Standing, ...]:
    """Return standings (whole HKD; marks against the account are positive); raises Rejected with file, line, field."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise refuse(RejectionReason.MALFORMED, f"byte {error.start} is not UTF-8", file=file) from None
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    if tuple(next(rows, ())) != COLUMNS:
        remedy = f"it must be {','.join(COLUMNS)}"
        raise refuse(RejectionReason.MALFORMED, "wrong header", file=file, line=1, remedy=remedy)
    found: list[Standing] = []
    faults: list[Rejection] = []
    try:
        for line, raw in enumerate(rows, 2):
            if line > ROWS_MAX + 1:
                raise refuse(RejectionReason.LIMIT, f"more than {ROWS_MAX} standings", file=file, line=line)
            row = [cell.strip() for cell in raw]
            wrong = _fault(row)
            if wrong:
                field, message = wrong
                faults.append(
                    Rejection(reason=RejectionReason.MALFORMED, file=file, line=line, field=field, message=message)
                )
                continue
            account, house, time, *amounts = row
            margin, marks, lodged, limit = (int(each or 0) for each in amounts)
            found.append(
                Standing(
                    account=account, house=house, time=time, margin=margin, marks=marks, lodged=lodged, limit=limit,
                    line=line,
                )
            )  # fmt: skip
    except csv.Error as error:
        raise refuse(RejectionReason.MALFORMED, str(error), file=file, line=rows.line_num) from None
    if faults:
        raise Rejected(*faults[:100])
    return tuple(found)


def _fault(row: list[str]) -> tuple[str, str] | None:
    if len(row) != len(COLUMNS):
        return "", f"{len(row)} columns, {len(COLUMNS)} expected"
    for name, cell in zip(COLUMNS, row, strict=True):
        if not cell and name != "limit":
            return name, "is empty"
        digits = cell[1:] if cell[:1] in ("+", "-") else cell
        number = name in COLUMNS[3:] and bool(cell)
        if number and (not digits.isascii() or not digits.isdigit() or int(digits) > AMOUNT_MAX):
            return name, f"'{cell}' is no whole HKD up to {AMOUNT_MAX:,}"
    return None
