"""Batches of matched instructions as columns: Parquet (needs polars) or CSV, told apart by the file's suffix.

    reference,deliverer,receiver,security,quantity,currency,amount_cents,priority,arrival

Accounts are PARTICIPANT/CLASS, a security is its ISIN (empty: money only, paid by the deliverer), ``amount_cents`` 0 is
free of payment, ``priority`` 0 settles first and 3 last, ``arrival`` 0 is in the books before the night and 1 or more
the wave of the night in which it arrives. References rise. In Parquet the numbers are integers and the codes text.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.reference.book import ResolvedBook
from tsingma.settlement.batch import Batch

Int64 = npt.NDArray[np.int64]

FIELDS = ("reference", "deliverer", "receiver", "security", "quantity", "currency", "amount_cents", "priority",
          "arrival")  # fmt: skip
CODES = ("deliverer", "receiver", "security", "currency")
RANGES = {"reference": (1, 2**62), "quantity": (0, 2**53), "amount_cents": (0, 2**53), "priority": (0, 3),
          "arrival": (0, 1_000)}  # fmt: skip
NOT_PARSED, NOT_KNOWN = -2, -3
ROWS_MAX = 20_000_000
_WHOLE = re.compile(r"-?[0-9]{1,18}")


@cache
def _polars() -> Any:
    try:
        import polars
    except ImportError:  # polars is an extra; the csv module answers the same, slower
        return None
    return polars


def read_batch(path: Path, book: ResolvedBook) -> Batch:
    """Return the batch of a file, codes resolved.

    Raises Rejected naming file, line (row + 2 in Parquet) and field: no such column, no number, unknown code, out of
    range, references that do not rise.
    """
    if not path.is_file():
        raise refuse(RejectionReason.MISSING, "cannot be read", file=str(path), remedy="check the path")
    codes = _codes(book)
    library = _polars()
    if path.suffix == ".parquet":
        columns = _of_frame(_need(library, path), _parquet(_need(library, path), path), codes)
    elif library is None:
        columns = _plain(path, codes)
    else:
        columns = _of_frame(library, _csv(library, path), codes)
    _check(path, columns)
    return Batch(**columns)


def write_batch(path: Path, batch: Batch, book: ResolvedBook) -> None:
    """Write a batch as ``read_batch`` takes it back; raises Rejected (missing) for Parquet without polars."""
    texts = {field: list(names) for field, names in _codes(book).items()}
    columns: dict[str, Any] = {}
    for field in FIELDS:
        values = getattr(batch, field)
        names = np.array(texts[field]) if field in CODES else None
        columns[field] = values if names is None else names[values]  # -1, no security, is the last name
    if path.suffix == ".parquet":
        _need(_polars(), path).DataFrame(columns).write_parquet(path)
    elif _polars() is not None:
        _polars().DataFrame(columns).write_csv(path, quote_style="never")
    else:
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(FIELDS)
        writer.writerows(zip(*(column.tolist() for column in columns.values()), strict=True))
        path.write_text(out.getvalue(), encoding="ascii")


def _codes(book: ResolvedBook) -> dict[str, dict[str, int]]:
    """Return the number of every code, in order of number; no security is the last."""
    accounts = {f"{code}/{kind}": number for (code, kind), number in book.account_index.items()}
    securities = {isin: number for number, isin in enumerate(book.securities)} | {"": -1}
    currencies = {currency: number for number, currency in enumerate(CURRENCIES)}
    return {"deliverer": accounts, "receiver": accounts, "security": securities, "currency": currencies}


def _need(library: Any, path: Path) -> Any:
    if library is None:
        message = "Parquet needs polars, which is not installed"
        raise refuse(RejectionReason.MISSING, message, file=str(path), remedy="install tsingma[analytics], or use CSV")
    return library


def _parquet(pl: Any, path: Path) -> Any:
    try:
        frame = pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise refuse(RejectionReason.MALFORMED, f"is no Parquet file: {error}", file=str(path)) from None
    _require_header(path, frame.columns)
    for field in FIELDS:
        kind = frame.schema[field]
        if not (kind in (pl.String, pl.Categorical) if field in CODES else kind.is_integer()):
            raise refuse(RejectionReason.MALFORMED, f"is a column of {kind}", file=str(path), field=field)
    return frame


def _csv(pl: Any, path: Path) -> Any:
    try:
        frame = pl.read_csv(path, infer_schema=False, quote_char=None)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise refuse(RejectionReason.MALFORMED, f"is no CSV file: {error}", file=str(path)) from None
    _require_header(path, frame.columns)
    return frame


def _of_frame(pl: Any, frame: Any, codes: Mapping[str, Mapping[str, int]]) -> dict[str, Int64]:
    columns: dict[str, Int64] = {}
    for field in FIELDS:  # one at a time: the frame gives up each column once it is an array
        column = frame[field]
        if field in CODES:
            known = codes[field]
            found = (
                column.cast(pl.String)
                .fill_null("")
                .replace_strict(list(known), list(known.values()), default=NOT_KNOWN, return_dtype=pl.Int64)
            )
        else:
            found = column.cast(pl.Int64, strict=False).fill_null(NOT_PARSED)
        columns[field] = found.to_numpy().astype(np.int64)
        frame = frame.drop(field)
    return columns


def _plain(path: Path, codes: Mapping[str, Mapping[str, int]]) -> dict[str, Int64]:
    """Return what ``_of_frame`` does, line by line with the csv module; its twin."""
    columns: dict[str, list[int]] = {field: [] for field in FIELDS}
    with path.open(encoding="ascii", errors="replace", newline="") as file:
        rows = csv.reader(file, quoting=csv.QUOTE_NONE)
        _require_header(path, next(rows, []))
        for line, row in enumerate(rows, 2):
            if len(row) != len(FIELDS):
                message = f"{len(row)} columns, {len(FIELDS)} expected"
                raise refuse(RejectionReason.MALFORMED, message, file=str(path), line=line)
            for field, text in zip(FIELDS, row, strict=True):
                whole = _WHOLE.fullmatch(text)
                number = int(text) if whole else NOT_PARSED
                columns[field].append(codes[field].get(text, NOT_KNOWN) if field in CODES else number)
    return {field: np.array(values, np.int64) for field, values in columns.items()}


def _require_header(path: Path, header: list[str]) -> None:
    if list(header) != list(FIELDS):
        raise refuse(
            RejectionReason.MALFORMED, "wrong columns", file=str(path), line=1, remedy=f"they are {','.join(FIELDS)}"
        )


def _check(path: Path, columns: dict[str, Int64]) -> None:
    size = columns["reference"].size
    if not 0 < size <= ROWS_MAX:
        raise refuse(RejectionReason.LIMIT, f"{size} instructions, 1 to {ROWS_MAX} are possible", file=str(path))
    for field in CODES:
        _refuse_first(path, columns[field] == NOT_KNOWN, field, RejectionReason.UNKNOWN, "names nothing known")
    for field, (low, high) in RANGES.items():
        outside = (columns[field] < low) | (columns[field] > high)
        _refuse_first(path, outside, field, RejectionReason.OUT_OF_RANGE, f"is no whole number of {low} to {high}")
    falling = np.diff(columns["reference"], prepend=0) <= 0
    _refuse_first(path, falling, "reference", RejectionReason.DUPLICATE, "does not rise")
    stock = columns["security"] >= 0
    _refuse_first(
        path, stock != (columns["quantity"] > 0), "quantity", RejectionReason.CONFLICT,
        "and security go together: both or neither",
    )  # fmt: skip
    empty = ~stock & (columns["amount_cents"] == 0)
    _refuse_first(path, empty, "amount_cents", RejectionReason.OUT_OF_RANGE, "nothing would move")


def _refuse_first(path: Path, bad: npt.NDArray[np.bool_], field: str, reason: RejectionReason, message: str) -> None:
    if bad.any():
        raise refuse(reason, message, file=str(path), line=int(np.flatnonzero(bad)[0]) + 2, field=field)
