"""Orders in bulk: a whole body of NDJSON, CSV or Arrow as the columns of one command, every fault with its line.

CSV and Arrow have the columns of the instruction file (``docs/files-instructions.md``) without ``matched``, accounts of
the sender alone. With polars each distinct text is read once; without it, or where a file is no table at all, the
rows are read one by one: the same columns, the same faults. Lines of CSV count its header as 1, those of NDJSON and
Arrow (rows) start at 1.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.app.order_intake import FIRST_LINE, Intake, Order
from tsingma.app.row_formats import ARROW, CSV, NDJSON, has_arrow
from tsingma.basics.rejection import Rejected, Rejection, RejectionReason, refuse
from tsingma.journal.commands import SubmitInstructions
from tsingma.journal.events import InstructionsSubmitted
from tsingma.messages.arrow_stream import rows_of_stream
from tsingma.messages.cells import GUARD, plain_cell
from tsingma.messages.instruction_file import (
    FAULTS_MAX,
    OPTIONAL,
    REQUIRED,
    check_header,
    column_of,
    fitting,
    packed,
    resolve_rows,
    rows_of,
)
from tsingma.settlement.orders import ORDER_COLUMNS
from tsingma.settlement.submission import FAULTS, MATCHES, WAITS

if TYPE_CHECKING:
    import polars

Int64 = npt.NDArray[np.int64]

ROWS_MAX = 100_000
REFUSALS_TOLD = 1_000
FORMS = (NDJSON, CSV, ARROW)
_DIGITS = "^[0-9]{1,18}$"
_AMOUNT = r"^[0-9]{1,15}(\.[0-9]{1,2})?$"
_WHOLE = ("reference", "quantity")
_ORDER = msgspec.json.Decoder(Order)


class Refusal(msgspec.Struct, frozen=True):
    """An order that the house refused: its place in the body from 1, and why."""

    order: int
    reference: int
    field: str
    reason: str
    detail: str
    remedy: str


class BulkOutcomes(msgspec.Struct, frozen=True):
    """What became of the orders of a body, in their order.

    ``outcomes`` has a letter each: w waits, m matched, r refused; ``numbers`` the order (w) or instruction (m), -1 (r);
    ``refusals`` tell of the first 1,000 that were refused.
    """

    orders: int
    waiting: int
    matched: int
    refused: int
    outcomes: str
    numbers: list[int]
    refusals: list[Refusal]


def bulk_command(
    body: bytes, form: str, intake: Intake, participant: str, source: str, second: int
) -> SubmitInstructions:
    """Return the command that sends the orders of a body for a participant.

    Raises Rejected with up to 100 faults, each with its line: malformed, unknown, out-of-range, not-allowed (another's
    account, orders told as matched), limit (rows), missing (no order; Arrow without polars).
    """
    if form == NDJSON:
        orders = _orders(body)
        try:
            return intake.command(orders, participant, source, second)
        except Rejected as rejected:
            moved = [msgspec.structs.replace(one, line=one.line - FIRST_LINE + 1) for one in rejected.rejections]
            raise Rejected(*moved) from None
    columns = columns_of(body, form, intake, participant)
    return SubmitInstructions(source, participant, second, packed(columns))


def bulk_outcomes(event: InstructionsSubmitted, references: bytes) -> BulkOutcomes:
    """Return what became of orders; ``references`` is their column in the command."""
    results, numbers = np.frombuffer(event.results, np.int8), np.frombuffer(event.numbers, "<i8").astype(np.int64)
    refused = (results != WAITS) & (results != MATCHES)
    letters = np.where(refused, ord("r"), np.where(results == WAITS, ord("w"), ord("m"))).astype(np.uint8)
    told = []
    column = np.frombuffer(references, "<i8")
    for place in np.flatnonzero(refused)[:REFUSALS_TOLD].tolist():
        field, reason, text, remedy = FAULTS[int(results[place]) - 2]
        told.append(Refusal(place + 1, int(column[place]), field, str(reason), f"{field} {text}", remedy))
    return BulkOutcomes(
        results.size, event.waiting, event.matched, event.refused, letters.tobytes().decode("ascii"),
        np.where(refused, -1, numbers).tolist(), told,
    )  # fmt: skip


def columns_of(body: bytes, form: str, intake: Intake, participant: str) -> dict[str, np.ndarray]:
    """Return the columns of a CSV or Arrow body; raises Rejected as :func:`bulk_command`."""
    if form == ARROW:
        return _resolved(_arrow_frame(body), intake, participant, first=1, guarded=False)
    frame = _csv_frame(body) if has_arrow() else None
    return (
        columns_by_rows(body, intake, participant)
        if frame is None
        else _resolved(frame, intake, participant, first=2, guarded=True)
    )


def columns_by_rows(body: bytes, intake: Intake, participant: str) -> dict[str, np.ndarray]:
    """Return the columns of a CSV body, row by row: the twin of the quick way; raises Rejected."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise refuse(RejectionReason.MALFORMED, f"byte {error.start} is not UTF-8") from None
    rows: list[tuple[int, dict[str, str]]] = []
    for line, row in rows_of(io.StringIO(text, newline=""), ""):
        if len(rows) >= ROWS_MAX:
            raise _too_many(len(rows) + 1)
        rows.append((line, row))
    if rows:
        _require_unmatched(rows[0][1])
    return resolve_rows(_own(rows, participant), intake.book, "", intake.readers)


def _own(rows: list[tuple[int, dict[str, str]]], participant: str) -> Iterator[tuple[int, Mapping[str, str]]]:
    faults = [_foreign(line, row["reference"], row["account"].strip()) for line, row in rows
              if not row["account"].strip().startswith(f"{participant}/")]  # fmt: skip
    if faults:
        raise Rejected(*faults[:FAULTS_MAX])
    yield from rows


def _foreign(line: int, reference: str, account: str) -> Rejection:
    return Rejection(
        reason=RejectionReason.NOT_ALLOWED, message=f"'{account}' is no account of yours", line=line, field="account",
        subject=f"order {reference}",
    )  # fmt: skip


def _require_unmatched(names: Any) -> None:
    if "matched" in names:
        message = "matched orders speak for the other side too"
        raise refuse(RejectionReason.NOT_ALLOWED, message, line=1, field="matched", remedy="take the column out")


def _too_many(count: int) -> Rejected:
    return refuse(RejectionReason.LIMIT, f"{count} orders, {ROWS_MAX} at most", remedy="send them in parts")


def _orders(body: bytes) -> list[Order]:
    lines = body.count(b"\n") + 1
    if lines > ROWS_MAX + 1:
        raise _too_many(lines)
    try:
        orders: list[Order] = _ORDER.decode_lines(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Rejected(*_line_faults(body)) from None
    if not orders:
        raise refuse(RejectionReason.MISSING, "there is no order in it")
    return orders


def _line_faults(body: bytes) -> list[Rejection]:
    faults = []
    for line, text in enumerate(body.split(b"\n"), 1):
        if not text.strip():
            continue
        try:
            _ORDER.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            faults.append(Rejection(reason=RejectionReason.MALFORMED, message=str(error)[:300], line=line))
        if len(faults) >= FAULTS_MAX:
            break
    return faults or [Rejection(reason=RejectionReason.MALFORMED, message="is no NDJSON")]


def _csv_frame(body: bytes) -> polars.DataFrame | None:
    """Return a CSV body as columns of text; None where it is no plain table, for the rows to be read one by one.

    Plain is a body without quotes whose every line has as many commas as the header: polars fills short lines.
    """
    import polars

    lines = body.rstrip(b"\r\n").count(b"\n") + 1
    commas = body.partition(b"\n")[0].count(b",")
    if b'"' in body or commas >= len(REQUIRED) + len(OPTIONAL):  # polars would first build every column there is
        return None
    if lines > ROWS_MAX + 1:
        raise _too_many(lines - 1)
    if body.count(b",") != lines * commas or body.count(b"\r") != body.count(b"\r\n"):
        return None
    try:
        body.decode("utf-8-sig")
        frame = polars.read_csv(io.BytesIO(body), infer_schema=False, empty_string_is_null=False)
        check_header(frame.columns, "")
    except (polars.exceptions.PolarsError, UnicodeDecodeError, Rejected):
        return None
    return frame if frame.height == lines - 1 > 0 else None


def _arrow_frame(body: bytes) -> polars.DataFrame:
    if not has_arrow():
        remedy = "pip install 'tsingma[analytics]'"
        raise refuse(RejectionReason.MISSING, "Arrow needs polars", field="Content-Type", remedy=remedy)
    import polars

    rows_of_stream(body, ROWS_MAX)
    try:
        return polars.read_ipc_stream(io.BytesIO(body))
    except (polars.exceptions.PolarsError, OSError, ValueError) as error:
        raise refuse(RejectionReason.MALFORMED, f"is no Arrow stream: {str(error)[:200]}") from None


def _resolved(
    frame: polars.DataFrame, intake: Intake, participant: str, *, first: int, guarded: bool
) -> dict[str, np.ndarray]:
    """Return the columns of a table; ``first`` is the line of its first row, ``guarded`` that cells may be."""
    names = [name.strip() for name in frame.columns]
    check_header(names, "")
    _require_unmatched(names)
    if not 0 < frame.height <= ROWS_MAX:
        if frame.height:
            raise _too_many(frame.height)
        raise refuse(RejectionReason.MISSING, "there is no instruction in it", line=first)
    texts = {name: _text(name, frame[column]) for name, column in zip(names, frame.columns, strict=True)}
    if guarded:
        texts = {name: _unguarded(series) for name, series in texts.items()}
    account = texts["account"]
    foreign = (~account.str.strip_chars().str.starts_with(f"{participant}/")).arg_true().to_list()[:FAULTS_MAX]
    if foreign:
        raise Rejected(*[_foreign(first + row, texts["reference"][row], account[row].strip()) for row in foreign])
    faults: list[tuple[int, int, Rejection]] = []
    columns = {}
    for place, (name, series) in enumerate(texts.items()):
        values, found = _numbers(name, series, intake)
        faults += [
            (row, place, Rejection(reason=one.reason, message=one.message, line=first + row, field=name,
                                   subject=f"order {texts['reference'][row]}", remedy=one.remedy))
            for row, one in found
        ]  # fmt: skip
        columns[column_of(name)] = values.astype(ORDER_COLUMNS[column_of(name)][0])
    if faults:
        raise Rejected(*[one for _, _, one in sorted(faults, key=lambda fault: fault[:2])][:FAULTS_MAX])
    return columns


def _text(name: str, series: polars.Series) -> polars.Series:
    """Return a column as the text of a file: days as YYYY-MM-DD, yes or no, whole numbers, nothing as empty."""
    import polars

    if series.dtype == polars.Boolean:
        return series.cast(polars.String).replace({"true": "yes", "false": "no"}).fill_null("")
    if series.dtype == polars.String or series.dtype == polars.Date or series.dtype.is_integer():
        return series.cast(polars.String).fill_null("")
    raise refuse(
        RejectionReason.MALFORMED, f"a column of {series.dtype}", field=name, remedy="send text, days or whole numbers"
    )


def _unguarded(series: polars.Series) -> polars.Series:
    """Return texts of CSV cells as ``plain_cell`` gives them back."""
    if not series.str.starts_with(GUARD).any():
        return series
    known = {text: plain_cell(text) for text in series.unique().to_list()}
    return series.replace(known)


def _numbers(name: str, series: polars.Series, intake: Intake) -> tuple[Int64, list[tuple[int, Rejection]]]:
    """Return the numbers of a column, and (row, what is wrong) of at most 100 cells."""
    import polars

    if name in _WHOLE and series.str.contains(_DIGITS).all():
        values = series.cast(polars.Int64).to_numpy()
        if int(values.max()) <= 2**62:
            return values, []
    if name == "amount" and series.str.contains(_AMOUNT).all():
        whole = series.str.extract("^([0-9]+)", 1).cast(polars.Int64)
        part = series.str.extract(r"\.([0-9]+)$", 1).fill_null("").str.pad_end(2, "0").cast(polars.Int64)
        return (whole * 100 + part).to_numpy(), []
    read = intake.readers[name]
    known: dict[str, int] = {}
    wrong: dict[str, Rejection] = {}
    for text in series.unique().to_list():
        try:
            known[text] = fitting(read(text.strip()))
        except Rejected as rejected:
            known[text], wrong[text] = 0, rejected.rejections[0]
    numbers = series.replace_strict(list(known), list(known.values()), return_dtype=polars.Int64).to_numpy()
    bad = series.is_in(list(wrong)).arg_true().to_list()[:FAULTS_MAX] if wrong else []
    return numbers, [(row, wrong[series[row]]) for row in bad]
