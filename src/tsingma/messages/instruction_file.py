"""The instruction file: one CSV of orders, one a line, as columns for a command; read whole or refused whole.

The header names the columns, in any order: those of REQUIRED, and as many of OPTIONAL as are used. An empty field is
the column's default. See ``docs/settlement.md``.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TextIO

import numpy as np

from tsingma.basics.columns import pack
from tsingma.basics.dates import parse_date, to_day
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import Rejected, Rejection, RejectionReason, refuse
from tsingma.basics.rounding import parse_scaled
from tsingma.messages.cells import plain_cell, safe_cell
from tsingma.reference.book import AccountClass, ResolvedBook
from tsingma.settlement.instruction import KINDS, PRIORITIES
from tsingma.settlement.orders import CONDITIONS, ORDER_COLUMNS

REQUIRED = ("reference", "account", "side", "counterparty", "kind", "quantity", "trade_date", "intended_date")
OPTIONAL = (
    "isin", "currency", "amount", "counterparty_account", "paid_currency", "against_isin", "against_quantity",
    "priority", "partial", "hold", "conditions", "common_reference", "client", "counterparty_client", "pool",
    "pool_size", "matched",
)  # fmt: skip
ROWS_MAX = 4_000_000
FAULTS_MAX = 100
TEXT_BITS = 62
NUMBER_MAX = 2**62
Readers = Mapping[str, Callable[[str], int]]

_NAMES = {
    "side": "delivers", "isin": "security", "amount": "amount_cents", "trade_date": "trade_day",
    "intended_date": "intended_day", "against_isin": "against_security",
}  # fmt: skip


def read_instructions(path: Path, book: ResolvedBook) -> dict[str, np.ndarray]:
    """Return the orders of a file as columns of ORDER_COLUMNS (missing ones left out), codes resolved by the book.

    Raises Rejected with every fault found (at most 100), naming file, line and field: malformed (header, numbers,
    dates), unknown (participant, account, ISIN, currency, kind), limit (rows).
    """
    return resolve_rows(_rows(path), book, str(path))


def resolve_rows(
    rows: Iterable[tuple[int, Mapping[str, str]]], book: ResolvedBook, file: str, readers: Readers | None = None
) -> dict[str, np.ndarray]:
    """Return orders in text, (line, field by name) each and all with the same fields, as columns of ORDER_COLUMNS.

    ``readers`` are those of ``readers_of``, for callers with few rows at a time. Raises Rejected as
    ``read_instructions`` does.
    """
    readers = readers_of(book) if readers is None else readers
    values: dict[str, list[int]] = {}
    faults: list[Rejection] = []
    for line, row in rows:
        values = values or {_NAMES.get(name, name): [] for name in row}
        for name, text in row.items():
            try:
                values[_NAMES.get(name, name)].append(fitting(readers[name](text.strip())))
            except Rejected as rejected:
                found = rejected.rejections[0]
                faults.append(
                    Rejection(
                        reason=found.reason, message=found.message, file=file, line=line, field=name,
                        subject=f"order {row['reference']}", remedy=found.remedy,
                    )
                )  # fmt: skip
        if len(faults) >= FAULTS_MAX:
            break
    if faults:
        raise Rejected(*faults[:FAULTS_MAX])
    if not values:
        raise refuse(RejectionReason.MISSING, "there is no instruction in it", file=file, line=2)
    return {name: np.array(column, ORDER_COLUMNS[name][0]) for name, column in values.items()}


def read_rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    """Return the lines of a file as text, (line, field by name); raises Rejected for a header or line that is none."""
    return list(_rows(path))


def write_rows(rows: Iterable[Mapping[str, str]]) -> bytes:
    """Return orders in text (fields of REQUIRED and OPTIONAL) as an instruction file; columns nobody uses are left out.

    A text that a spreadsheet would take for a formula is written behind an apostrophe, which ``read_rows`` takes off.
    """
    lines = list(rows)
    header = [*REQUIRED, *(name for name in OPTIONAL if any(line.get(name) for line in lines))]
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([safe_cell(line.get(name, "")) for name in header] for line in lines)
    return out.getvalue().encode()


def packed(columns: dict[str, np.ndarray]) -> dict[str, bytes]:
    """Return columns as a command carries them."""
    return {name: pack(column, ORDER_COLUMNS[name][0]) for name, column in columns.items()}


def text_number(text: str) -> int:
    """Return the number that stands for a reference or client in text: 62 bits of its SHA-256, 0 for none."""
    if not text:
        return 0
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little") >> (64 - TEXT_BITS) or 1


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        source = path.open(newline="", encoding="utf-8")
    except OSError as error:
        raise refuse(RejectionReason.MISSING, f"cannot be read: {error.strerror}", file=str(path)) from None
    with source:
        yield from rows_of(source, str(path))


def rows_of(source: TextIO, file: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the lines of an instruction file as text, (line, field by name); raises Rejected as ``read_rows``."""
    reader = csv.reader(source)
    try:
        header = [name.strip() for name in next(reader, [])]
        check_header(header, file)
        for line, row in enumerate(reader, 2):
            if line - 1 > ROWS_MAX:
                raise refuse(RejectionReason.LIMIT, f"more than {ROWS_MAX} instructions", file=file)
            if len(row) != len(header):
                message = f"{len(row)} columns, {len(header)} expected"
                raise refuse(RejectionReason.MALFORMED, message, file=file, line=line)
            yield line, dict(zip(header, map(plain_cell, row), strict=True))
    except (csv.Error, UnicodeDecodeError) as error:
        raise refuse(
            RejectionReason.MALFORMED, f"is no CSV file: {error}", file=file, remedy="save it as UTF-8 CSV"
        ) from None


def column_of(field: str) -> str:
    """Return which column of ORDER_COLUMNS a field of the file fills."""
    return _NAMES.get(field, field)


def check_header(header: Sequence[str], file: str) -> None:
    """Raise Rejected (malformed) for a header with an unknown column, without a required one, or with one twice."""
    unknown = [name for name in header if name not in (*REQUIRED, *OPTIONAL)]
    missing = [name for name in REQUIRED if name not in header]
    if unknown or missing or len(set(header)) != len(header):
        what = f"unknown column '{unknown[0]}'" if unknown else f"no column '{missing[0]}'" if missing else "twice"
        raise refuse(
            RejectionReason.MALFORMED,
            f"the header has {what}",
            file=file,
            line=1,
            remedy=f"required: {', '.join(REQUIRED)}; optional: {', '.join(OPTIONAL)}",
        )


def readers_of(book: ResolvedBook) -> Readers:
    """Return how the text of each field becomes a number, with the codes of a book."""
    classes = (AccountClass.CNS, AccountClass.ISSUANCE)
    accounts = {f"{code}/{of}": number for (code, of), number in book.account_index.items() if of not in classes}
    securities = {isin: number for number, isin in enumerate(book.securities)}
    currencies = {currency: number for number, currency in enumerate(CURRENCIES)}
    security, currency = _named(securities, "an ISIN of the book"), _named(currencies, "a currency of the house")
    flag = _named({"yes": 1, "no": 0}, "yes or no")
    return {
        "reference": _whole, "account": _named(accounts, "an account, PARTICIPANT/CLASS"),
        "side": _named({"deliver": 1, "receive": 0}, "deliver or receive"),
        "counterparty": _named(book.participant_index, "a participant"),
        "kind": _named({kind: number for number, kind in enumerate(KINDS)}, f"one of {', '.join(KINDS)}"),
        "quantity": _or(0, _whole), "trade_date": _day, "intended_date": _day,
        "isin": _or(-1, security), "currency": _or(-1, currency), "amount": _or(0, _cents),
        "counterparty_account": _or(-1, _named(accounts, "an account, PARTICIPANT/CLASS")),
        "paid_currency": _or(-1, currency), "against_isin": _or(-1, security), "against_quantity": _or(0, _whole),
        "priority": _or(3, _named({name: number for number, name in enumerate(PRIORITIES)},
                                  f"one of {', '.join(PRIORITIES)}")),
        "partial": _or(1, flag), "hold": _or(0, flag), "matched": _or(0, flag), "conditions": _conditions,
        "common_reference": text_number, "client": text_number, "counterparty_client": text_number,
        "pool": text_number, "pool_size": _or(0, _size),
    }  # fmt: skip


def _named(names: dict[str, int], meaning: str) -> Callable[[str], int]:
    def read(text: str) -> int:
        if text not in names:
            raise refuse(RejectionReason.UNKNOWN, f"'{text}' is not {meaning}")
        return names[text]

    return read


def _or(default: int, read: Callable[[str], int]) -> Callable[[str], int]:
    return lambda text: read(text) if text else default


def fitting(number: int) -> int:
    """Return a number that a column can hold; raises Rejected (out-of-range) beyond 2**62 either way."""
    if not -NUMBER_MAX <= number <= NUMBER_MAX:
        raise refuse(RejectionReason.OUT_OF_RANGE, f"{number} is beyond {NUMBER_MAX}", remedy="split the instruction")
    return number


def _whole(text: str) -> int:
    return parse_scaled(text, 0)


def _size(text: str) -> int:
    return min(_whole(text), np.iinfo(np.int32).max)  # the house refuses far smaller ones


def _cents(text: str) -> int:
    return parse_scaled(text, 2)


def _day(text: str) -> int:
    return to_day(parse_date(text))


def _conditions(text: str) -> int:
    bits = 0
    for name in text.split():
        if name not in CONDITIONS:
            raise refuse(RejectionReason.UNKNOWN, f"'{name}' is not one of {', '.join(CONDITIONS)}")
        bits |= 1 << CONDITIONS.index(name)
    return bits
