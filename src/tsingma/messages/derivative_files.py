"""Futures and options of a market folder: series, trades and settlement prices (CSV).

``series.csv``: ``id,house,kind,underlying,multiplier,strike,expiry``; ``derivatives-DATE.csv``:
``trade_id,series,buyer,seller,quantity,price`` with accounts as ``PARTICIPANT/CLASS``; ``settlement-DATE.csv``:
``series,price`` with a line ``INDEX`` for the index. Prices have up to four decimals.
"""

from __future__ import annotations

import csv
import io
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tsingma.basics.dates import to_date, to_day
from tsingma.basics.rejection import Rejected, Rejection, RejectionReason, refuse
from tsingma.basics.rounding import parse_scaled
from tsingma.clearing.derivatives import DerivativeTrades, Series
from tsingma.messages.rows import read_bytes, read_cells
from tsingma.reference.book import ResolvedBook

Int64 = npt.NDArray[np.int64]

SERIES_HEADER = ["id", "house", "kind", "underlying", "multiplier", "strike", "expiry"]
TRADE_HEADER = ["trade_id", "series", "buyer", "seller", "quantity", "price"]
SETTLEMENT_HEADER = ["series", "price"]
ROWS_MAX = 5_000_000
INDEX = "INDEX"
_Fault = tuple[str, str]


def read_series_list(path: Path) -> tuple[Series, ...]:
    """Return the series of a file; raises Rejected with file, line and field of everything that is wrong."""
    found, faults = [], []
    for line, row in _rows(read_bytes(path), path, SERIES_HEADER):
        try:
            strike = _price(row[5], "strike") if row[5] else 0
            found.append(Series(row[0], row[1], row[2], row[3], _whole(row[4], "multiplier"), strike, _day(row[6])))
        except _Wrong as wrong:
            faults.append(_fault(path, line, wrong.field, wrong.message))
    if faults:
        raise Rejected(*faults[:100])
    return tuple(found)


def write_series_list(path: Path, series: tuple[Series, ...]) -> None:
    """Write series as a file that :func:`read_series_list` takes back."""
    rows = [
        [one.id, one.house, one.kind, one.underlying, one.multiplier, _text(one.strike_e4) if one.strike_e4 else "",
         to_date(one.expiry_day)]
        for one in series
    ]  # fmt: skip
    _write(path, SERIES_HEADER, rows)


def read_derivative_trades(path: Path, series: tuple[Series, ...], book: ResolvedBook) -> DerivativeTrades:
    """Return the trades of a file, names resolved; raises Rejected with file, line and field of everything wrong."""
    return derivative_trades_of(read_bytes(path), path, series, book)


def derivative_trades_of(data: bytes, path: Path, series: tuple[Series, ...], book: ResolvedBook) -> DerivativeTrades:
    """Return the trades of what was in a file, ``path`` naming it; raises Rejected as ``read_derivative_trades``."""
    numbers = {one.id: place for place, one in enumerate(series)}
    accounts = {f"{code}/{kind}": number for (code, kind), number in book.account_index.items()}
    found, faults = [], []
    for line, row in _rows(data, path, TRADE_HEADER):
        try:
            found.append(
                (
                    _whole(row[0], "trade_id"), _known(numbers, row[1], "series"), _known(accounts, row[2], "buyer"),
                    _known(accounts, row[3], "seller"), _whole(row[4], "quantity"), _price(row[5], "price"),
                )
            )  # fmt: skip
        except _Wrong as wrong:
            faults.append(_fault(path, line, wrong.field, wrong.message))
    if faults:
        raise Rejected(*faults[:100])
    table = np.array(found, np.int64).reshape(-1, 6)
    return DerivativeTrades(*(np.ascontiguousarray(column) for column in table.T))


def write_derivative_trades(
    path: Path, trades: DerivativeTrades, series: tuple[Series, ...], book: ResolvedBook
) -> None:
    """Write trades as a file that :func:`read_derivative_trades` takes back."""
    columns = (getattr(trades, name).tolist() for name in DerivativeTrades.__slots__)
    rows = [
        [trade, series[number].id, book.account_name(buyer), book.account_name(seller), quantity, _text(price)]
        for trade, number, buyer, seller, quantity, price in zip(*columns, strict=True)
    ]
    _write(path, TRADE_HEADER, rows)


def read_settlement(path: Path, series: tuple[Series, ...]) -> tuple[Int64, int]:
    """Return the settlement price (e4) of every series and the index (e4).

    Raises Rejected: an unknown or repeated series, a price that is none, a series or the index without one.
    """
    return settlement_of(read_bytes(path), path, series)


def settlement_of(data: bytes, path: Path, series: tuple[Series, ...]) -> tuple[Int64, int]:
    """Return what was in a file of settlement prices, ``path`` naming it; raises Rejected as ``read_settlement``."""
    numbers = {one.id: place for place, one in enumerate(series)} | {INDEX: len(series)}
    values: dict[int, int] = {}
    faults = []
    for line, row in _rows(data, path, SETTLEMENT_HEADER):
        try:
            place = _known(numbers, row[0], "series")
            if place in values:
                raise _Wrong("series", f"'{row[0]}' is priced twice")
            values[place] = _price(row[1], "price")
        except _Wrong as wrong:
            faults.append(_fault(path, line, wrong.field, wrong.message))
    if faults:
        raise Rejected(*faults[:100])
    missing = [name for name, place in numbers.items() if place not in values]
    if missing:
        raise refuse(RejectionReason.MISSING, f"no price for {', '.join(missing[:10])}", file=str(path), field="series")
    return np.array([values[place] for place in range(len(series))], np.int64), values[len(series)]


def write_settlement(path: Path, price_e4: Int64, index_e4: int, series: tuple[Series, ...]) -> None:
    """Write settlement prices as a file that :func:`read_settlement` takes back."""
    rows: list[list[object]] = [[one.id, _text(price)] for one, price in zip(series, price_e4.tolist(), strict=True)]
    _write(path, SETTLEMENT_HEADER, [*rows, [INDEX, _text(index_e4)]])


class _Wrong(Exception):
    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field, self.message = field, message


def _whole(text: str, field: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise _Wrong(field, f"'{text}' is no whole number")
    return int(text)


def _price(text: str, field: str) -> int:
    try:
        return parse_scaled(text, 4)
    except Rejected as rejected:
        raise _Wrong(field, rejected.rejections[0].message) from None


def _day(text: str) -> int:
    try:
        return to_day(date.fromisoformat(text))
    except ValueError:
        raise _Wrong("expiry", f"'{text}' is no day (YYYY-MM-DD)") from None


def _known(names: dict[str, int], name: str, field: str) -> int:
    if name not in names:
        raise _Wrong(field, f"'{name}' is not known")
    return names[name]


def _text(value_e4: int) -> str:
    return f"{value_e4 // 10_000}.{value_e4 % 10_000:04d}"


def _rows(data: bytes, path: Path, header: list[str]) -> list[tuple[int, list[str]]]:
    try:
        text = data.decode("ascii")
    except UnicodeDecodeError as error:
        raise refuse(RejectionReason.MALFORMED, f"byte {error.start} is not ASCII", file=str(path)) from None
    found = []
    for line, row in read_cells(text.encode(), str(path), header, rows_max=ROWS_MAX):
        if len(row) != len(header):
            raise Rejected(_fault(path, line, "", f"{len(row)} columns, {len(header)} expected"))
        found.append((line, [cell.strip() for cell in row]))
    return found


def _write(path: Path, header: list[str], rows: list[list[object]]) -> None:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    path.write_text(out.getvalue(), encoding="ascii")


def _fault(path: Path, line: int, field: str, message: str) -> Rejection:
    return Rejection(reason=RejectionReason.MALFORMED, file=str(path), line=line, field=field, message=message)
