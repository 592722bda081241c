"""Files of default-fund sizing and disclosure: stress losses, allocation keys, lodged collateral, fields (CSV)."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from tsingma.basics.rejection import Rejected, Rejection, RejectionReason, refuse
from tsingma.margin.disclosure import Field, Lodged
from tsingma.margin.resources.default_fund import Exposure, Key

EXPOSURE_COLUMNS = ("day", "scenario", "participant", "group", "loss", "collateral")
KEY_COLUMNS = ("day", "participant", "key")
LODGED_COLUMNS = ("account", "house", "kind", "value")
FIELD_COLUMNS = ("field", "house", "name", "value", "unit")
ROWS_MAX = 5_000_000
AMOUNT_MAX = 10**15


def read_exposures(data: bytes, *, file: str = "exposures.csv") -> tuple[Exposure, ...]:
    """Return stress losses (whole HKD, a loss is positive); raises Rejected with file, line and field."""
    return tuple(
        Exposure(day=row[0], scenario=row[1], participant=row[2], group=row[3], loss=int(row[4]),
                 collateral=int(row[5]), line=line)
        for line, row in _rows(data, file, EXPOSURE_COLUMNS, numbers=(4, 5))
    )  # fmt: skip


def read_keys(data: bytes, *, file: str = "keys.csv") -> tuple[Key, ...]:
    """Return allocation keys (whole HKD); raises Rejected with file, line and field."""
    return tuple(Key(row[0], row[1], int(row[2])) for _, row in _rows(data, file, KEY_COLUMNS, numbers=(2,)))


def read_lodged(data: bytes, *, file: str = "collateral.csv") -> tuple[Lodged, ...]:
    """Return what accounts have lodged (whole HKD at market value); raises Rejected with file, line and field."""
    return tuple(
        Lodged(account=row[0], house=row[1], kind=row[2], value=int(row[3]), line=line)
        for line, row in _rows(data, file, LODGED_COLUMNS, numbers=(3,))
    )


def write_fields(fields: Sequence[Field]) -> str:
    """Return disclosed fields as a file."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(FIELD_COLUMNS)
    rows.writerows((one.number, one.house, one.name, one.value, one.unit) for one in fields)
    return text.getvalue()


def _rows(data: bytes, file: str, columns: tuple[str, ...], numbers: tuple[int, ...]) -> list[tuple[int, list[str]]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise refuse(RejectionReason.MALFORMED, f"byte {error.start} is not UTF-8", file=file) from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    if tuple(next(reader, ())) != columns:
        remedy = f"it must be {','.join(columns)}"
        raise refuse(RejectionReason.MALFORMED, "wrong header", file=file, line=1, remedy=remedy)
    found: list[tuple[int, list[str]]] = []
    faults: list[Rejection] = []
    try:
        for line, raw in enumerate(reader, 2):
            if line > ROWS_MAX + 1:
                raise refuse(RejectionReason.LIMIT, f"more than {ROWS_MAX} rows", file=file, line=line)
            row = [cell.strip() for cell in raw]
            wrong = _fault(row, columns, numbers)
            if wrong:
                field, message = wrong
                faults.append(
                    Rejection(reason=RejectionReason.MALFORMED, file=file, line=line, field=field, message=message)
                )
            found.append((line, row))
    except csv.Error as error:
        raise refuse(RejectionReason.MALFORMED, str(error), file=file, line=reader.line_num) from None
    if faults:
        raise Rejected(*faults[:100])
    if not found:
        raise refuse(RejectionReason.MISSING, "there is no row in the file", file=file, line=2)
    return found


def _fault(row: list[str], columns: tuple[str, ...], numbers: tuple[int, ...]) -> tuple[str, str] | None:
    if len(row) != len(columns):
        return "", f"{len(row)} columns, {len(columns)} expected"
    for place, name in enumerate(columns):
        cell = row[place]
        if not cell:
            return name, "is empty"
        if place in numbers:
            digits = cell[1:] if cell[0] in "+-" else cell
            if not digits.isascii() or not digits.isdigit() or int(digits) > AMOUNT_MAX:
                return name, f"'{cell}' is no whole HKD up to {AMOUNT_MAX:,}"
    return None
