"""The trade file: one CSV of a day's trades, plain or gzip, read whole or refused whole.

Columns are in ``docs/files-trades.md``. A file is plain ASCII without quotes; a faulty line is named by its number
(the header is line 1) and field. With polars installed columns are parsed at once; without it line by line, with the
same result.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from datetime import date
from difflib import get_close_matches
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tsingma.basics.dates import parse_date, to_date, to_day
from tsingma.basics.rejection import Rejected, Rejection, RejectionReason, refuse
from tsingma.clearing.trades import MODE_CNS, MODE_DVP, MODE_ISOLATED, Trades
from tsingma.messages.packed import unpacked
from tsingma.messages.trade_columns import PATTERNS, parse_columns
from tsingma.reference.book import AccountClass, ResolvedBook

HEADER = "trade_date,trade_id,trade_time,instrument,buyer,buyer_account,seller,seller_account,quantity,price,mode,maker"
FIELDS = tuple(HEADER.split(","))
ROWS_MAX = 16_777_216
BYTES_MAX = 2 * 1024**3
FAULTS_MAX = 100

_MODES = {"CNS": MODE_CNS, "ISOLATED": MODE_ISOLATED, "DVP": MODE_DVP}
_MAKERS = {"": 0, "B": 1, "S": 2, "BS": 3}
_DEFAULT_MODE = -1

Bytes = npt.NDArray[np.uint8]


def read_trades(path: Path, book: ResolvedBook) -> Trades:
    """Return the trades of a file, codes resolved to indices of the book.

    Raises Rejected with every fault found (at most 100): malformed (header, encoding, columns, numbers, dates),
    unknown (instrument, participant, account, mode), conflict (several trade dates), limit (size, rows).
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
        raise refuse(RejectionReason.MISSING, message, file=str(path), remedy="check the path") from None
    return trades_of(data, str(path), book)


def trades_of(given: bytes, file: str, book: ResolvedBook, bytes_max: int | None = None) -> Trades:
    """Return the trades of what was in a file, packed when its name ends in .gz; raises Rejected as ``read_trades``.

    ``bytes_max`` bounds it unpacked, further than the bound of every file.
    """
    data = _content(given, file, bytes_max or BYTES_MAX)
    _check_text(data, file)
    body = data[data.index(b"\n") + 1 :]
    source = f"{Path(file).name} sha256 {hashlib.sha256(data).hexdigest()[:16]}"
    if not body:
        raise refuse(RejectionReason.MISSING, "there is no trade in it", file=file, line=2)
    codes = _code_maps(book)
    columns = parse_columns(body, FIELDS, codes)
    day = _one_date(columns.pop("trade_date"), body, file)
    faults = _faults(columns, body, file, codes)
    if faults:
        raise Rejected(*faults)
    return _trades(columns, book, day, source)


def write_trades(path: Path, trades: Trades, book: ResolvedBook) -> None:
    """Write trades as a file that ``read_trades`` takes back; gzip when the name ends in .gz."""
    accounts = [f"{entry.participant},{entry.account_class}" for entry in book.book.accounts]
    codes = [counter.code for counter in book.book.counters]
    mode_names = {number: name for name, number in _MODES.items()}
    maker_names = {number: name for name, number in _MAKERS.items()}
    moment = to_date(trades.trade_day).isoformat()
    columns = (trades.trade_id, trades.time_s, trades.counter, trades.buyer, trades.seller)
    more = (trades.quantity, trades.price_e4, trades.mode, trades.maker)
    lines = [HEADER]
    for number, second, counter, buyer, seller, quantity, price, mode, maker in zip(
        *(column.tolist() for column in (*columns, *more)), strict=True
    ):
        clock = f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
        lines.append(
            f"{moment},{number},{clock},{codes[counter]},{accounts[buyer]},{accounts[seller]},{quantity},"
            f"{price // 10_000}.{price % 10_000:04d},{mode_names[mode]},{maker_names[maker]}"
        )
    data = ("\n".join(lines) + "\n").encode("ascii")
    path.write_bytes(gzip.compress(data, compresslevel=1, mtime=0) if path.suffix == ".gz" else data)


def _content(given: bytes, file: str, bytes_max: int) -> bytes:
    data = unpacked(given, bytes_max, file=file, packed=file.endswith(".gz"))
    data = data.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n")  # the mark that spreadsheets put before UTF-8
    return data if not data or data.endswith(b"\n") else data + b"\n"


def _check_text(data: bytes, file: str) -> None:
    """Refuse a wrong header, bytes that are no plain text, and lines with too few or too many columns."""
    header = data[: max(data.find(b"\n"), 0)].decode("ascii", "replace")
    if header != HEADER:
        raise refuse(
            RejectionReason.MALFORMED,
            f"the header is '{header[:120]}'",
            file=file,
            line=1,
            remedy=f"it must be '{HEADER}'",
        )
    raw: Bytes = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(raw == ord("\n"))
    if ends.size - 1 > ROWS_MAX:
        raise refuse(RejectionReason.LIMIT, f"{ends.size - 1} trades, {ROWS_MAX} at most", file=file)
    odd = np.flatnonzero((raw > 126) | ((raw < 32) & (raw != ord("\n"))) | (raw == ord('"')))
    if odd.size:
        place = int(odd[0])
        raise refuse(
            RejectionReason.MALFORMED,
            f"byte {int(raw[place])} is no plain character",
            file=file,
            line=int(np.searchsorted(ends, place)) + 1,
            remedy="write the file in ASCII, without quotes",
        )
    commas = np.searchsorted(np.flatnonzero(raw == ord(",")), ends)
    columns = np.diff(commas, prepend=0) + 1
    wrong = np.flatnonzero(columns != len(FIELDS))
    if wrong.size:
        raise refuse(
            RejectionReason.MALFORMED,
            f"{int(columns[wrong[0]])} columns, {len(FIELDS)} expected",
            file=file,
            line=int(wrong[0]) + 1,
        )


def _code_maps(book: ResolvedBook) -> dict[str, dict[str, int]]:
    classes = (AccountClass.CNS, AccountClass.ISSUANCE)
    accounts = {
        f"{participant}/{account_class}": number
        for (participant, account_class), number in book.account_index.items()
        if account_class not in classes
    }
    return {
        "instrument": book.counter_index,
        "buyer": accounts,
        "seller": accounts,
        "mode": {"": _DEFAULT_MODE, **_MODES},
        "maker": _MAKERS,
    }


def _one_date(column: npt.NDArray[np.int64], body: bytes, file: str) -> date:
    """Return the one date of all lines; ``column`` says for each line whether it repeats the first one's text."""
    text = body[: body.index(b",")].decode("ascii")
    try:
        day = parse_date(text, field="trade_date")
    except Rejected as rejected:
        found = rejected.rejections[0]
        raise refuse(found.reason, found.message, file=file, line=2, field="trade_date", remedy=found.remedy) from None
    other = np.flatnonzero(column == 0)
    if other.size:
        raise refuse(
            RejectionReason.CONFLICT,
            f"this trade is not of {text}, as the first one is",
            file=file,
            line=int(other[0]) + 2,
            field="trade_date",
            remedy="one file has the trades of one day",
        )
    return day


def _faults(
    columns: dict[str, npt.NDArray[np.int64]], body: bytes, file: str, codes: dict[str, dict[str, int]]
) -> list[Rejection]:
    """Return a rejection for every value that did not parse (-2) or names nothing (-3)."""
    found: list[tuple[int, Rejection]] = []
    lines: list[bytes] = []
    for field, column in columns.items():
        for place in np.flatnonzero(column < _DEFAULT_MODE)[:FAULTS_MAX].tolist():
            lines = lines or body.split(b"\n")
            values = dict(zip(FIELDS, lines[place].decode("ascii").split(","), strict=True))
            text = values[field] + (f"/{values[field + '_account']}" if field in ("buyer", "seller") else "")
            unknown = int(column[place]) == -3
            found.append(
                (
                    place,
                    Rejection(
                        reason=RejectionReason.UNKNOWN if unknown else RejectionReason.MALFORMED,
                        file=file,
                        line=place + 2,
                        field=field,
                        subject=f"trade {values['trade_id']}",
                        message=f"'{text}' is not known" if unknown else f"'{text}' is not {PATTERNS[field].meaning}",
                        remedy=_nearest(text, codes[field]) if unknown else "",
                    ),
                )
            )
    return [rejection for _, rejection in sorted(found, key=lambda entry: entry[0])][:FAULTS_MAX]


def _nearest(text: str, known: dict[str, int]) -> str:
    """Return a remedy that names codes of the book like one that is not: its spelling, or the first ones."""
    like = [code for code in known if code.lstrip("0") == text.lstrip("0") and code]
    names = like or get_close_matches(text, known, n=3, cutoff=0.6) or [code for code in known if code][:3]
    return f"codes of the reference book, for example {', '.join(names[:3])}"


def _trades(columns: dict[str, npt.NDArray[np.int64]], book: ResolvedBook, day: date, source: str) -> Trades:
    counter = columns["instrument"].astype(np.int32)
    usual = np.array([rule.mode_numbers[0] for rule in book.markets.on(day)], np.int64)
    default = usual[book.counter_market[counter]]
    mode = np.where(columns["mode"] == _DEFAULT_MODE, default, columns["mode"])
    return Trades(
        source=source,
        trade_day=to_day(day),
        trade_id=columns["trade_id"],
        time_s=columns["trade_time"].astype(np.int32),
        counter=counter,
        buyer=columns["buyer"].astype(np.int32),
        seller=columns["seller"].astype(np.int32),
        quantity=columns["quantity"],
        price_e4=columns["price"],
        mode=mode.astype(np.int8),
        maker=columns["maker"].astype(np.int8),
    )


def is_trade_file(path: Path) -> bool:
    """Return whether a name is that of a trade file: ``trades-YYYY-MM-DD.csv`` or ``.csv.gz``."""
    return re.fullmatch(r"trades-\d{4}-\d{2}-\d{2}\.csv(\.gz)?", path.name) is not None
