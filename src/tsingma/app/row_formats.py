"""Rows of read models as NDJSON, CSV and Arrow: one line a row, cells that no spreadsheet takes for a formula."""

from __future__ import annotations

import csv
import io
import types
from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin, get_type_hints

import msgspec

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.messages.cells import safe_cell

if TYPE_CHECKING:
    import polars

NDJSON, CSV, ARROW = "application/x-ndjson", "text/csv", "application/vnd.apache.arrow.stream"


def fields_of(kind: type[msgspec.Struct]) -> tuple[str, ...]:
    """Return the names of a row's columns."""
    return tuple(field.encode_name for field in msgspec.structs.fields(kind))


def ndjson(rows: Sequence[msgspec.Struct]) -> bytes:
    """Return rows as JSON objects, a line each."""
    return msgspec.json.Encoder().encode_lines(rows)


def csv_header(kind: type[msgspec.Struct]) -> bytes:
    """Return the first line of a CSV file of rows."""
    return _csv([fields_of(kind)])


def csv_rows(rows: Sequence[msgspec.Struct]) -> bytes:
    """Return rows as CSV: several values of a cell parted by spaces, None empty, text guarded (``messages.cells``)."""
    return _csv([[_cell(value) for value in msgspec.structs.astuple(row)] for row in rows])


def has_arrow() -> bool:
    """Return whether Arrow can be written and read here: it needs polars."""
    return find_spec("polars") is not None


def arrow(kind: type[msgspec.Struct], rows: Sequence[msgspec.Struct]) -> bytes:
    """Return rows as an Arrow IPC stream with the types of ``kind``; raises Rejected (missing) without polars."""
    if not has_arrow():
        remedy = "pip install 'tsingma[analytics]'"
        raise refuse(RejectionReason.MISSING, "Arrow needs polars", field="Accept", remedy=remedy)
    import polars

    hints = get_type_hints(kind, include_extras=False)
    names = fields_of(kind)
    columns = list(zip(*(msgspec.structs.astuple(row) for row in rows), strict=True)) or [()] * len(names)
    series = [
        polars.Series(name, [list(one) if isinstance(one, tuple) else one for one in column], dtype=_type(hints[name]))
        for name, column in zip(names, columns, strict=True)
    ]
    out = io.BytesIO()
    polars.DataFrame(series).write_ipc_stream(out)
    return out.getvalue()


def _type(hint: Any) -> polars.DataType | type[polars.DataType]:
    import polars

    if get_origin(hint) in (Union, types.UnionType):
        hint = next(one for one in get_args(hint) if one is not type(None))
    if get_origin(hint) is tuple:
        return polars.List(_type(get_args(hint)[0]))
    known = {bool: polars.Boolean, int: polars.Int64, float: polars.Float64}
    return known.get(hint, polars.String)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        return safe_cell(" ".join(map(str, value)))
    return safe_cell(value) if isinstance(value, str) else str(value)


def _csv(lines: Sequence[Sequence[str]]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerows(lines)  # RFC 4180; and the writer then quotes either of both
    return out.getvalue().encode()
