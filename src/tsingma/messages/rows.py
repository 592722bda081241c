"""Small tables as files (CSV): a header, words and whole amounts, every fault with its line and field."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from tsingma.basics.documents import is_whole
from tsingma.basics.rejection import Rejected, Rejection, RejectionReason, refuse

ROWS_MAX = 5_000_000
AMOUNT_MAX = 10**15
FAULTS_MAX = 100


def read_bytes(path: Path) -> bytes:
    """Return what is in a file; raises Rejected (missing) for one that cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise refuse(RejectionReason.MISSING, f"cannot be read: {error.strerror}", file=str(path)) from None


def read_rows(
    data: bytes,
    file: str,
    columns: Sequence[str],
    *,
    numbers: Sequence[str] = (),
    optional: Sequence[str] = (),
    may_be_empty: bool = False,
) -> list[tuple[int, dict[str, str]]]:
    """Return (line, cells by column) of a file, cells stripped; ``numbers`` hold whole amounts up to 10**15.

    Raises Rejected (malformed, missing, limit) with file, line and field of everything that is wrong; an empty cell is
    refused but where it is optional, and so is a file without rows unless it ``may_be_empty``.
    """
    found: list[tuple[int, dict[str, str]]] = []
    faults: list[Rejection] = []
    for line, raw in read_cells(data, file, columns):
        cells = [cell.strip() for cell in raw]
        wrong = _fault(cells, columns, numbers, optional)
        if wrong:
            field, message = wrong
            faults.append(
                Rejection(reason=RejectionReason.MALFORMED, file=file, line=line, field=field, message=message)
            )
        else:
            found.append((line, dict(zip(columns, cells, strict=True))))
    if faults:
        raise Rejected(*faults[:FAULTS_MAX])
    if not found and not may_be_empty:
        raise refuse(RejectionReason.MISSING, "there is no row in the file", file=file, line=2)
    return found


def read_cells(
    data: bytes, file: str, columns: Sequence[str], *, rows_max: int = ROWS_MAX, rows: str = "rows"
) -> Iterator[tuple[int, list[str]]]:
    """Yield (line, cells) of a file behind its header, however many cells a row has; ``rows`` names them in errors.

    Raises Rejected: malformed (not UTF-8, not CSV, another header), limit (more than ``rows_max`` rows).
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise refuse(RejectionReason.MALFORMED, f"byte {error.start} is not UTF-8", file=file) from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        if tuple(next(reader, ())) != tuple(columns):
            remedy = f"it must be {','.join(columns)}"
            raise refuse(RejectionReason.MALFORMED, "wrong header", file=file, line=1, remedy=remedy)
        for line, row in enumerate(reader, 2):
            if line > rows_max + 1:
                raise refuse(RejectionReason.LIMIT, f"more than {rows_max} {rows}", file=file, line=line)
            yield line, row
    except csv.Error as error:
        raise refuse(RejectionReason.MALFORMED, str(error), file=file, line=reader.line_num) from None


def _fault(
    cells: list[str], columns: Sequence[str], numbers: Sequence[str], optional: Sequence[str]
) -> tuple[str, str] | None:
    if len(cells) != len(columns):
        return "", f"{len(cells)} columns, {len(columns)} expected"
    for name, cell in zip(columns, cells, strict=True):
        if not cell:
            if name in optional:
                continue
            return name, "is empty"
        digits = cell[1:] if cell[0] in "+-" else cell
        if name in numbers and (not is_whole(digits) or int(digits) > AMOUNT_MAX):
            return name, f"'{cell}' is no whole HKD up to {AMOUNT_MAX:,}"
    return None
