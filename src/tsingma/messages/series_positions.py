"""Positions in futures and options as a file: contract, long and short contracts, the multiplier of its commodity."""

from __future__ import annotations

import csv
import io

from tsingma.basics.rejection import Rejected, Rejection, RejectionReason, refuse
from tsingma.margin.prime.requirement import Position

COLUMNS = ("contract", "long", "short")
ROWS_MAX = 1_000_000


def read_series_positions(data: bytes, *, file: str = "positions.csv") -> tuple[Position, ...]:
    """Return the positions in file order; raises Rejected with file, line and field of everything that is wrong."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise refuse(RejectionReason.MALFORMED, f"byte {error.start} is not UTF-8", file=file) from None
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    header = next(rows, [])
    if tuple(header) != COLUMNS:
        remedy = f"it must be {','.join(COLUMNS)}"
        raise refuse(RejectionReason.MALFORMED, "wrong header", file=file, line=1, remedy=remedy)
    positions: list[Position] = []
    faults: list[Rejection] = []
    try:
        for line, row in enumerate(rows, 2):
            if line > ROWS_MAX + 1:
                raise refuse(RejectionReason.LIMIT, f"more than {ROWS_MAX} positions", file=file, line=line)
            _take(row, line, file, positions, faults)
    except csv.Error as error:
        raise refuse(RejectionReason.MALFORMED, str(error), file=file, line=rows.line_num) from None
    if faults:
        raise Rejected(*faults[:100])
    if not positions:
        raise refuse(RejectionReason.MISSING, "there is no position in the file", file=file, line=2)
    return tuple(positions)


def _take(row: list[str], line: int, file: str, positions: list[Position], faults: list[Rejection]) -> None:
    def fault(field: str, message: str) -> None:
        faults.append(Rejection(reason=RejectionReason.MALFORMED, file=file, line=line, field=field, message=message))

    if len(row) != len(COLUMNS):
        fault("", f"{len(row)} columns, {len(COLUMNS)} expected")
        return
    contract, *counts = (cell.strip() for cell in row)
    for name, count in zip(COLUMNS[1:], counts, strict=True):
        if not count.isascii() or not count.isdigit():
            fault(name, f"'{count}' is no whole number of contracts, 0 or more")
            return
    positions.append(Position(contract, int(counts[0]), int(counts[1]), line))
