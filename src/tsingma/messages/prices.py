"""Wide price files: ``Date,0001.HK,...`` with one row a day, plain or gzip, read whole or refused whole."""

from __future__ import annotations

import gzip
import re
import zlib
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.dates import parse_date, to_date, to_day
from tsingma.basics.rejection import Rejected, Rejection, RejectionReason, refuse
from tsingma.basics.rounding import parse_scaled
from tsingma.market.history import PriceHistory
from tsingma.market.tickers import counter_code

FILE_BYTES_MAX = 64 * 2**20
TEXT_BYTES_MAX = 256 * 2**20
COLUMNS_MAX = 5_000
DAYS_MAX = 20_000
REJECTIONS_MAX = 20
PRICE_MAX_E4 = 10**12  # HKD 100 million a share
VOLUME_MAX = 10**15
_PRICE = re.compile(r"([0-9]{1,8})(?:\.([0-9]{1,4}))?")


class _Grid(msgspec.Struct):
    """A parsed wide file: day numbers, five-digit codes, values and where they were blank."""

    days: list[int]
    instruments: tuple[str, ...]
    values: npt.NDArray[np.int64]
    blank: npt.NDArray[np.bool_]


def read_prices(path: Path, *, volumes: Path | None = None, days_min: int = 2) -> PriceHistory:
    """Return the price history of a wide CSV file, with traded volumes from a second file of the same grid.

    Prices are HKD with up to four decimals, already adjusted for dividends and splits; a blank cell is a missing
    close. Raises Rejected with up to 20 rejections (file, line, column): wrong header, encoding or number, days
    that do not increase, a ticker twice, a price of zero or less, a truncated gzip file, fewer than ``days_min``
    days, a file beyond the limits of this module, volumes of another grid.
    """
    prices = _read_grid(path, "price")
    if len(prices.days) < days_min:
        raise refuse(
            RejectionReason.MISSING,
            f"{len(prices.days)} days of prices, at least {days_min} are needed",
            file=str(path),
            remedy="give a longer history, or a shorter look-back",
        )
    shares = None if volumes is None else _volumes_of(volumes, prices)
    days = np.array(prices.days, dtype=np.int32)
    return PriceHistory(days, prices.instruments, prices.values, prices.blank, shares)


def write_prices(path: Path, history: PriceHistory) -> None:
    """Write a price history as the wide CSV that ``read_prices`` takes; a missing close is a blank cell."""
    lines = ["Date," + ",".join(f"{int(code):04d}.HK" for code in history.instruments)]
    whole, part = np.divmod(history.close_e4, 10_000)
    for row in range(history.days):
        values = (
            "" if missing else f"{w}.{p:04d}"
            for w, p, missing in zip(
                whole[row].tolist(), part[row].tolist(), history.missing[row].tolist(), strict=True
            )
        )
        lines.append(f"{to_date(int(history.dates[row]))}," + ",".join(values))
    path.write_text("\n".join(lines) + "\n", encoding="ascii")


def _volumes_of(path: Path, prices: _Grid) -> npt.NDArray[np.int64]:
    grid = _read_grid(path, "volume")
    if grid.instruments != prices.instruments or grid.days != prices.days:
        raise refuse(
            RejectionReason.CONFLICT,
            "days or tickers differ from those of the price file",
            file=str(path),
            remedy="give the same rows and columns in the same order",
        )
    return grid.values


def _read_grid(path: Path, kind: str) -> _Grid:
    lines = _text(path).splitlines()
    if not lines:
        raise refuse(RejectionReason.MALFORMED, "the file is empty", file=str(path), line=1)
    if len(lines) - 1 > DAYS_MAX:
        raise refuse(RejectionReason.LIMIT, f"{len(lines) - 1} days, at most {DAYS_MAX}", file=str(path))
    names, instruments = _header(path, lines[0])
    values = np.zeros((len(lines) - 1, len(instruments)), dtype=np.int64)
    blank = np.zeros(values.shape, dtype=np.bool_)
    found: list[Rejection] = []
    days: list[int] = []
    for number, line in enumerate(lines[1:], 2):
        try:
            days.append(_row(line.split(","), names, kind, days, values[number - 2], blank[number - 2]))
        except Rejected as rejected:
            found += [msgspec.structs.replace(each, file=str(path), line=number) for each in rejected.rejections]
        if len(found) >= REJECTIONS_MAX:
            break
    if found:
        raise Rejected(*found[:REJECTIONS_MAX])
    return _Grid(days, instruments, values, blank)


def _text(path: Path) -> str:
    """Return the text of a plain or gzip file, refused beyond the limits or when cut short."""
    name = str(path)
    try:
        size = path.stat().st_size
        if size > FILE_BYTES_MAX:
            raise refuse(RejectionReason.LIMIT, f"{size} bytes, at most {FILE_BYTES_MAX}", file=name)
        with path.open("rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
        if packed or path.suffix == ".gz":
            with gzip.open(path) as stream:
                data = stream.read(TEXT_BYTES_MAX + 1)
        else:
            data = path.read_bytes()
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        message = f"the gzip file is damaged or cut short: {error}"
        raise refuse(RejectionReason.MALFORMED, message, file=name, remedy="fetch it again") from error
    except OSError as error:
        raise refuse(RejectionReason.MISSING, f"cannot be read: {error.strerror}", file=name) from error
    if len(data) > TEXT_BYTES_MAX:
        raise refuse(RejectionReason.LIMIT, f"more than {TEXT_BYTES_MAX} bytes unpacked", file=name)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        message = f"byte {error.start} is not UTF-8"
        raise refuse(RejectionReason.MALFORMED, message, file=name, line=line, remedy="save it as UTF-8") from error


def _header(path: Path, line: str) -> tuple[list[str], tuple[str, ...]]:
    names = [name.strip() for name in line.split(",")]
    where = {"file": str(path), "line": 1}
    if names[0] != "Date" or len(names) < 2:
        raise refuse(
            RejectionReason.MALFORMED,
            f"the header begins '{line[:40]}'",
            remedy="it must read Date,0001.HK,... with one column per counter",
            **where,
        )
    if len(names) - 1 > COLUMNS_MAX:
        raise refuse(RejectionReason.LIMIT, f"{len(names) - 1} counters, at most {COLUMNS_MAX}", **where)
    codes: list[str] = []
    for name in names[1:]:
        try:
            code = counter_code(name)
        except Rejected as rejected:
            raise Rejected(*(msgspec.structs.replace(each, **where) for each in rejected.rejections)) from None
        if code in codes:
            message = f"counter {code} has two columns"
            raise refuse(RejectionReason.DUPLICATE, message, field=name, remedy="keep one of them", **where)
        codes.append(code)
    return names, tuple(codes)


def _row(
    cells: list[str],
    names: list[str],
    kind: str,
    days: list[int],
    values: npt.NDArray[np.int64],
    blank: npt.NDArray[np.bool_],
) -> int:
    """Fill one row of values and blanks in place and return its day number."""
    if len(cells) != len(names):
        message = f"{len(cells)} cells, the header has {len(names)}"
        raise refuse(RejectionReason.MALFORMED, message, remedy="was the file cut short?")
    day = to_day(parse_date(cells[0].strip(), field="Date"))
    if days and day <= days[-1]:
        raise refuse(
            RejectionReason.MALFORMED, f"{cells[0]} does not follow the day before it", field="Date", remedy="sort it"
        )
    parse = _price_e4 if kind == "price" else _volume
    for column, cell in enumerate(cells[1:]):
        text = cell.strip()
        if text:
            values[column] = parse(text, names[column + 1])
        else:
            blank[column] = True
    if kind == "price" and blank.all():
        raise refuse(RejectionReason.MISSING, "no counter has a price", remedy="leave out days without trading")
    return day


def _price_e4(text: str, field: str) -> int:
    match = _PRICE.fullmatch(text)
    scaled = int(match[1]) * 10_000 + int((match[2] or "").ljust(4, "0")) if match else _scaled(text, 4, field)
    if not 0 < scaled <= PRICE_MAX_E4:
        raise refuse(
            RejectionReason.OUT_OF_RANGE,
            f"price {text[:40]} is not between 0.0001 and {PRICE_MAX_E4 // 10_000}",
            field=field,
            remedy="leave the cell blank when there is no close",
        )
    return scaled


def _volume(text: str, field: str) -> int:
    shares = int(text) if text.isascii() and text.isdigit() and len(text) < 16 else _scaled(text, 0, field)
    if not 0 <= shares <= VOLUME_MAX:
        raise refuse(RejectionReason.OUT_OF_RANGE, f"volume {text[:40]} is not between 0 and {VOLUME_MAX}", field=field)
    return shares


def _scaled(text: str, decimals: int, field: str) -> int:
    if len(text) > 40 or set(text) - set("+-.0123456789"):  # exponents too: 1e999999 would be a million digits
        raise refuse(RejectionReason.MALFORMED, f"'{text[:40]}' is not a plain decimal number", field=field)
    return parse_scaled(text, decimals, field=field)
