"""Positions in futures and options as a file: contract, long and short contracts, the multiplier of its commodity."""

from __future__ import annotations

from tsingma.basics.documents import is_whole
from tsingma.basics.rejection import Rejected, Rejection, RejectionReason, refuse
from tsingma.margin.prime.requirement import Position
from tsingma.messages.rows import read_cells

COLUMNS = ("contract", "long", "short")
ROWS_MAX = 1_000_000


def read_series_positions(data: bytes, *, file: str = "positions.csv") -> tuple[Position, ...]:
    """Return the positions in file order; raises Rejected with file, line and field of everything that is wrong."""
    positions: list[Position] = []
    faults: list[Rejection] = []
    for line, row in read_cells(data, file, COLUMNS, rows_max=ROWS_MAX, rows="positions"):
        _take(row, line, file, positions, faults)
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
        if not is_whole(count):
            fault(name, f"'{count}' is no whole number of contracts, 0 or more")
            return
    positions.append(Position(contract, int(counts[0]), int(counts[1]), line))
