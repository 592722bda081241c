"""Marginable positions as CSV: the netted layout, and the layout by trade with dates and currencies.

Codes, signs and values follow the Marginable Position Report (RMAMP01) as the HKSCC Initial Margin Calculation Guide
v1.4 (October 2025) describes it: quantity > 0 long, contract value > 0 payable, market value with the quantity's sign.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable
from datetime import date
from typing import TypeVar

from tsingma.basics.dates import parse_date
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import Rejected, Rejection, RejectionReason, refuse
from tsingma.margin.hkscc.cover import DatedPosition
from tsingma.margin.hkscc.terms import MarginablePosition

COLUMNS = ("instrument", "quantity", "contract_value", "market_value")
DATED_COLUMNS = (
    "instrument",
    "quantity",
    "contract_value",
    "market_value",
    "currency",
    "trade_date",
    "settlement_date",
    "market",
)
MARKETS = ("HK", "CHINACLEAR")
ROWS_MAX = 1_000_000
ERRORS_SHOWN = 20  # a file of the wrong kind is wrong on every line; the first lines say enough
_CODE = re.compile(r"[A-Za-z0-9._-]{1,23}")
_WHOLE = re.compile(r"[+-]?[0-9]{1,15}")
_Row = TypeVar("_Row")


def read_positions(data: bytes, *, file: str = "positions.csv") -> tuple[MarginablePosition, ...]:
    """Return netted positions in file order, or raise Rejected with file, line and field of what is wrong.

    Values are whole HKD. The same instrument twice is refused; use the dated layout for positions not yet netted.
    """
    positions = _read(data, COLUMNS, _netted, file)
    lines: dict[str, int] = {}
    for line, position in enumerate(positions, 2):
        before = lines.setdefault(position.instrument, line)
        if before != line:
            raise refuse(
                RejectionReason.DUPLICATE,
                f"already stands on line {before}",
                file=file,
                line=line,
                field="instrument",
                subject=position.instrument,
                remedy="net the two rows, or give the dated layout",
            )
    return positions


def read_dated_positions(data: bytes, *, file: str = "positions.csv") -> tuple[DatedPosition, ...]:
    """Return positions by trade and settlement date in file order; values in whole units of their own currency.

    ``market`` is HK or CHINACLEAR: it chooses the currency haircut when counters are combined.
    """
    return _read(data, DATED_COLUMNS, _dated, file)


def write_positions(positions: Iterable[MarginablePosition]) -> bytes:
    """Return the netted layout of the positions; reading it back gives equal positions."""
    rows = [f"{one.instrument},{one.quantity},{one.contract_value},{one.market_value}" for one in positions]
    return ("\n".join([",".join(COLUMNS), *rows]) + "\n").encode()


def write_dated_positions(positions: Iterable[DatedPosition]) -> bytes:
    """Return the dated layout of the positions; reading it back gives equal positions."""
    rows = [
        f"{one.instrument},{one.quantity},{one.contract_value},{one.market_value},{one.currency},"
        f"{one.trade_date.isoformat()},{one.settlement_date.isoformat()},{one.market}"
        for one in positions
    ]
    return ("\n".join([",".join(DATED_COLUMNS), *rows]) + "\n").encode()


def _read(
    data: bytes, columns: tuple[str, ...], build: Callable[[dict[str, str]], _Row], file: str
) -> tuple[_Row, ...]:
    rows = _rows(data, columns, file)
    built: list[_Row] = []
    found: list[Rejection] = []
    for line, row in rows:
        try:
            if len(row) != len(columns):
                text = f"{len(row)} values where the header has {len(columns)}"
                raise refuse(RejectionReason.MALFORMED, text, remedy="complete the row; is the file truncated?")
            built.append(build(dict(zip(columns, (value.strip() for value in row), strict=True))))
        except Rejected as bad:
            found += [_at(rejection, file, line, row[0] if row else "") for rejection in bad.rejections]
    if found:
        raise Rejected(*found[:ERRORS_SHOWN])
    return tuple(built)


def _rows(data: bytes, columns: tuple[str, ...], file: str) -> list[tuple[int, list[str]]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        message = f"byte {error.start} is not UTF-8"
        raise refuse(
            RejectionReason.MALFORMED, message, file=file, line=line, remedy="save the file as UTF-8 text"
        ) from None
    reader = csv.reader(io.StringIO(text))
    try:
        rows = [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        raise refuse(
            RejectionReason.MALFORMED, f"not CSV: {error}", file=file, line=reader.line_num, remedy="correct the line"
        ) from None
    header = tuple(name.strip() for name in rows[0][1]) if rows else ()
    if header != columns:
        raise refuse(
            RejectionReason.MALFORMED,
            f"the header is '{','.join(header)}'",
            file=file,
            line=1,
            remedy=f"it must be '{','.join(columns)}'",
        )
    if len(rows) - 1 > ROWS_MAX:
        raise refuse(RejectionReason.LIMIT, f"more than {ROWS_MAX:,} rows", file=file, remedy="split the file")
    while rows and not rows[-1][1]:  # blank lines at the end; one between rows would shift line numbers and is refused
        rows.pop()
    return rows[1:]


def _at(rejection: Rejection, file: str, line: int, subject: str) -> Rejection:
    return Rejection(
        reason=rejection.reason,
        message=rejection.message,
        file=file,
        line=line,
        field=rejection.field,
        subject=subject,
        remedy=rejection.remedy,
    )


def _netted(row: dict[str, str]) -> MarginablePosition:
    return MarginablePosition(
        _code(row["instrument"]),
        _whole(row, "quantity"),
        _whole(row, "contract_value"),
        _whole(row, "market_value"),
    )


def _dated(row: dict[str, str]) -> DatedPosition:
    trade = _date(row, "trade_date")
    settlement = _date(row, "settlement_date")
    if settlement < trade:
        text = f"settles on {settlement}, before its trade date {trade}"
        raise refuse(RejectionReason.CONFLICT, text, field="settlement_date", remedy="correct one of the dates")
    return DatedPosition(
        instrument=_code(row["instrument"]),
        quantity=_whole(row, "quantity"),
        contract_value=_whole(row, "contract_value"),
        market_value=_whole(row, "market_value"),
        currency=_one_of(row, "currency", CURRENCIES),
        trade_date=trade,
        settlement_date=settlement,
        market=_one_of(row, "market", MARKETS),
    )


def _code(text: str) -> str:
    if not _CODE.fullmatch(text):
        raise refuse(
            RejectionReason.MALFORMED, f"'{text}' is no code", field="instrument", remedy="letters, digits and . _ -"
        )
    return text


def _whole(row: dict[str, str], field: str) -> int:
    text = row[field]
    if not _WHOLE.fullmatch(text):
        remedy = "write whole units in digits only, at most 15, without separators"
        raise refuse(RejectionReason.MALFORMED, f"'{text}' is no whole number", field=field, remedy=remedy)
    return int(text)


def _date(row: dict[str, str], field: str) -> date:
    return parse_date(row[field], field=field)


def _one_of(row: dict[str, str], field: str, known: tuple[str, ...]) -> str:
    if row[field] not in known:
        raise refuse(
            RejectionReason.UNKNOWN, f"'{row[field]}' is not known", field=field, remedy=f"one of {', '.join(known)}"
        )
    return row[field]
