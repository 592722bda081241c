"""The other files of a market folder: reference book (JSON), opening deposits and closing prices (CSV).

``deposits.csv`` has ``participant,account,asset,amount`` (asset is a currency or ISIN, amount whole shares or cents);
``closing-DATE.csv`` has ``kind,code,value`` with kind ``price`` (counter, up to four decimals) or ``rate`` (currency,
HKD per unit, up to six decimals).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.columns import pack, unpack
from tsingma.basics.documents import is_whole
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import Rejected, Rejection, RejectionReason, refuse
from tsingma.basics.rounding import parse_scaled
from tsingma.journal.commands import DepositAssets
from tsingma.messages.rows import read_cells
from tsingma.reference.book import ReferenceBook, ResolvedBook

DEPOSIT_HEADER = ["participant", "account", "asset", "amount"]
CLOSING_HEADER = ["kind", "code", "value"]
AMOUNT_MAX = 2**62

Int64 = npt.NDArray[np.int64]


def read_book(path: Path) -> ReferenceBook:
    """Return a validated reference book; raises Rejected naming the field of what is wrong."""
    try:
        book = msgspec.json.decode(_bytes(path), type=ReferenceBook)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise refuse(RejectionReason.MALFORMED, f"is no reference book: {error}", file=str(path)) from None
    book.validate()
    return book


def write_book(path: Path, book: ReferenceBook) -> None:
    """Write a reference book as JSON."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(book), indent=1))


def read_deposits(path: Path, book: ResolvedBook) -> DepositAssets:
    """Return the deposits of a file, codes resolved; raises Rejected with the first fault of every line."""
    assets = {name: place for place, name in enumerate((*CURRENCIES, *book.securities))}
    accounts = {f"{code}/{kind}": number for (code, kind), number in book.account_index.items()}
    rows: list[tuple[int, int, int]] = []
    faults: list[Rejection] = []
    for line, (participant, account, asset, amount) in _rows(_bytes(path), path, DEPOSIT_HEADER):
        owner, kind = accounts.get(f"{participant}/{account}"), assets.get(asset)
        if owner is None:
            faults.append(_unknown(path, line, "account", f"{participant}/{account}"))
        elif kind is None:
            faults.append(_unknown(path, line, "asset", asset))
        elif not is_whole(amount) or not 0 < int(amount) <= AMOUNT_MAX:
            message = f"'{amount}' is no positive whole number up to {AMOUNT_MAX}"
            faults.append(_fault(RejectionReason.OUT_OF_RANGE, path, line, "amount", message))
        else:
            rows.append((owner, kind, int(amount)))
    if faults:
        raise Rejected(*faults)
    table = np.array(rows, np.int64).reshape(-1, 3)
    return DepositAssets(pack(table[:, 0], "i4"), pack(table[:, 1], "i4"), pack(table[:, 2], "i8"))


def write_deposits(path: Path, deposits: DepositAssets, book: ResolvedBook) -> None:
    """Write deposits as a file that ``read_deposits`` takes back."""
    columns = (unpack(deposits.owner, "i4"), unpack(deposits.asset, "i4"), unpack(deposits.amount, "i8"))
    entries = book.book.accounts
    rows = [
        [entries[owner].participant, entries[owner].account_class, book.asset_name(asset), amount]
        for owner, asset, amount in zip(*(column.tolist() for column in columns), strict=True)
    ]
    path.write_text(_csv(DEPOSIT_HEADER, rows), encoding="ascii")


def read_closing(path: Path, book: ResolvedBook) -> tuple[Int64, tuple[int, ...]]:
    """Return the close of every counter (e4) and HKD per unit of every currency (e6).

    Raises Rejected: unknown code, duplicate, not positive, or missing: every counter and currency needs a value.
    """
    return closing_of(_bytes(path), path, book)


def closing_of(data: bytes, path: Path, book: ResolvedBook) -> tuple[Int64, tuple[int, ...]]:
    """Return what was in a file of closing prices, ``path`` naming it; raises Rejected as ``read_closing``."""
    values: dict[tuple[str, str], int] = {}
    known = {"price": set(book.counter_index), "rate": set(CURRENCIES)}
    for line, (kind, code, text) in _rows(data, path, CLOSING_HEADER):
        if code not in known.get(kind, set()):
            raise Rejected(_unknown(path, line, "code" if kind in known else "kind", code if kind in known else kind))
        if (kind, code) in values:
            raise Rejected(_fault(RejectionReason.DUPLICATE, path, line, "code", f"{kind} '{code}' is given twice"))
        values[kind, code] = _positive(path, line, text, 4 if kind == "price" else 6)
    wanted = [("price", code) for code in book.counter_index] + [("rate", code) for code in CURRENCIES]
    missing = [f"{kind} {code}" for kind, code in wanted if (kind, code) not in values]
    if missing:
        raise refuse(RejectionReason.MISSING, f"no value for {', '.join(missing[:10])}", file=str(path))
    prices = np.array([values["price", counter.code] for counter in book.book.counters], np.int64)
    return prices, tuple(values["rate", code] for code in CURRENCIES)


def write_closing(path: Path, close_e4: Int64, fx_e6: tuple[int, ...], book: ResolvedBook) -> None:
    """Write closing prices and rates as a file that ``read_closing`` takes back."""
    rows = [
        ["price", counter.code, f"{price // 10_000}.{price % 10_000:04d}"]
        for counter, price in zip(book.book.counters, close_e4.tolist(), strict=True)
    ]
    for code, rate in zip(CURRENCIES, fx_e6, strict=True):
        rows.append(["rate", code, f"{rate // 1_000_000}.{rate % 1_000_000:06d}"])
    path.write_text(_csv(CLOSING_HEADER, rows), encoding="ascii")


def _positive(path: Path, line: int, text: str, decimals: int) -> int:
    try:
        value = parse_scaled(text, decimals)
    except Rejected as rejected:
        raise Rejected(
            _fault(rejected.rejections[0].reason, path, line, "value", rejected.rejections[0].message)
        ) from None
    if not 0 < value <= AMOUNT_MAX:
        raise Rejected(
            _fault(RejectionReason.OUT_OF_RANGE, path, line, "value", f"'{text}' is not positive or too large")
        )
    return value


def _rows(data: bytes, path: Path, header: list[str]) -> Iterator[tuple[int, list[str]]]:
    try:
        text = data.decode("ascii")
    except UnicodeDecodeError as error:
        message = f"byte {error.start} is not ASCII"
        raise refuse(RejectionReason.MALFORMED, message, file=str(path), remedy="write the file in ASCII") from None
    for line, row in read_cells(text.encode(), str(path), header):
        if len(row) != len(header):
            message = f"{len(row)} columns, {len(header)} expected"
            raise Rejected(_fault(RejectionReason.MALFORMED, path, line, "", message))
        yield line, row


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise refuse(
            RejectionReason.MISSING, f"cannot be read: {error.strerror}", file=str(path), remedy="check the path"
        ) from None


def _csv(header: list[str], rows: list[list[object]] | list[list[str]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue()


def _fault(reason: RejectionReason, path: Path, line: int, field: str, message: str) -> Rejection:
    return Rejection(reason=reason, file=str(path), line=line, field=field, message=message)


def _unknown(path: Path, line: int, field: str, value: str) -> Rejection:
    return _fault(RejectionReason.UNKNOWN, path, line, field, f"'{value}' is not known")
