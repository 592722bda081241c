"""The payment file: one CSV of payments, one a line, as columns for a command; and the day's payments as a file.

A payer or payee is a participant's code (its HOUSE account) or CODE/CLASS; ``currency`` may be an ISIN where the line
is the securities leg of a pair. Two lines that share a word in ``pair`` settle at one instant or not at all. See
``docs/money.md``.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from tsingma.basics.money import CURRENCIES, MINOR_SCALE
from tsingma.basics.rejection import Rejected, Rejection, RejectionReason, refuse
from tsingma.basics.rounding import parse_scaled
from tsingma.engine.house import House
from tsingma.messages.instruction_file import fitting, text_number
from tsingma.messages.rows import FAULTS_MAX, read_rows
from tsingma.reference.book import AccountClass, ResolvedBook
from tsingma.settlement.gross_money.queue import CANCELLED_BY, PRIORITIES, SETTLED_HOW, STATUSES

Int64 = npt.NDArray[np.int64]

COLUMNS = ("reference", "payer", "payee", "currency", "amount", "priority", "due", "on_behalf", "pair", "mainland")
OPTIONAL = ("reference", "payee", "priority", "due", "on_behalf", "pair", "mainland")
OUT_COLUMNS = (
    "number",
    "payer",
    "payee",
    "currency",
    "amount",
    "priority",
    "status",
    "how",
    "submitted",
    "ended",
    "pair",
)
_FLAGS = {"": 0, "no": 0, "yes": 1}


def read_payments(data: bytes, book: ResolvedBook, *, file: str = "payments.csv") -> dict[str, Int64]:
    """Return the payments as columns of ``engine.payments.COLUMNS``, in the file's order, a pair's legs together.

    The second leg of a pair moves up to its first. Raises Rejected with every fault (at most 100) by file, line, field.
    """
    rows = read_rows(data, file, COLUMNS, optional=OPTIONAL)
    accounts = {f"{entry.participant}/{entry.account_class}": n for n, entry in enumerate(book.book.accounts)}
    for entry, number in ((entry, n) for n, entry in enumerate(book.book.accounts)):
        if entry.account_class is AccountClass.HOUSE:
            accounts[entry.participant] = number
    assets = {book.asset_name(asset): asset for asset in range(book.asset_count)}
    faults: list[Rejection] = []
    values: dict[str, list[int]] = {name: [] for name in ("reference", "payer", "payee", "asset", "amount", "priority",
                                                           "due_s", "on_behalf", "pair", "mainland")}  # fmt: skip
    for line, row in rows:
        for name, field, read in _readers(accounts, assets):
            try:
                values[name].append(read(row))
            except Rejected as rejected:
                found = rejected.rejections[0]
                faults.append(
                    Rejection(
                        reason=found.reason, message=found.message, file=file, line=line, field=field,
                        remedy=found.remedy,
                    )
                )  # fmt: skip
        if len(faults) >= FAULTS_MAX:
            break
    if faults:
        raise Rejected(*faults[:FAULTS_MAX])
    columns = {name: np.array(column, np.int64) for name, column in values.items()}
    order = _legs_together(columns["pair"], [line for line, _ in rows], file)
    return {name: column[order] for name, column in columns.items()}


def write_payments(house: House) -> bytes:
    """Return the day's payments of a house as a file: what they are, what became of them, how and when."""
    payments, ledger, book = house.money.payments, house.ledger, house.resolved
    columns = {name: column.tolist() for name, column in payments.table.items()}
    owner, asset = ledger.owner.tolist(), ledger.asset.tolist()
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(OUT_COLUMNS)
    for number in range(len(payments)):
        debit, credit, status = (columns[name][number] for name in ("debit", "credit", "status"))
        how = (SETTLED_HOW if status == 1 else CANCELLED_BY)[columns["how"][number]]
        pair = columns["pair"][number]
        writer.writerow(
            (
                number, book.account_name(owner[debit]), book.account_name(owner[credit]),
                book.asset_name(asset[debit]),
                amount_text(asset[debit], columns["amount"][number]), PRIORITIES[columns["priority"][number]],
                STATUSES[status], how, time_text(columns["submitted_s"][number]), time_text(columns["ended_s"][number]),
                "" if pair < 0 else min(number, pair),
            )
        )  # fmt: skip
    return text.getvalue().encode()


def amount_text(asset: int, amount: int) -> str:
    """Return money with its cents, securities whole."""
    return f"{amount // MINOR_SCALE}.{amount % MINOR_SCALE:02d}" if asset < len(CURRENCIES) else str(amount)


def time_text(second: int) -> str:
    """Return a second of the day as HH:MM:SS, "" for none."""
    return "" if second < 0 else f"{second // 3_600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"


def read_time(text: str) -> int:
    """Return HH:MM or HH:MM:SS as seconds; raises Rejected (malformed). Hours run to 47: 29:00 is five next morning."""
    parts = text.split(":")
    if len(parts) not in (2, 3) or not all(part.isascii() and part.isdigit() and len(part) == 2 for part in parts):
        raise refuse(RejectionReason.MALFORMED, f"'{text}' is no time of day", remedy="write HH:MM or HH:MM:SS")
    hours, minutes, seconds = (int(part) for part in [*parts, "00"][:3])
    if hours > 47 or minutes > 59 or seconds > 59:
        raise refuse(RejectionReason.MALFORMED, f"'{text}' is no time of day", remedy="write HH:MM or HH:MM:SS")
    return hours * 3_600 + minutes * 60 + seconds


def _readers(
    accounts: dict[str, int], assets: dict[str, int]
) -> Sequence[tuple[str, str, Callable[[dict[str, str]], int]]]:
    """Return what reads each column of the command, from which field of the file."""

    def named(names: dict[str, int], field: str, meaning: str) -> Callable[[dict[str, str]], int]:
        def read(row: dict[str, str]) -> int:
            if row[field] not in names:
                raise refuse(RejectionReason.UNKNOWN, f"'{row[field]}' is not {meaning}")
            return names[row[field]]

        return read

    def payee(row: dict[str, str]) -> int:
        if _FLAGS.get(row["mainland"]):
            return 0  # what leaves over the link names its receiver on the other side
        return named(accounts, "payee", "an account of the book")(row)

    priorities = {"": len(PRIORITIES) - 1, **{name: place for place, name in enumerate(PRIORITIES)}}
    return (
        ("reference", "reference", lambda row: text_number(row["reference"])),
        ("payer", "payer", named(accounts, "payer", "an account of the book")),
        ("payee", "payee", payee),
        ("asset", "currency", named(assets, "currency", f"an ISIN of the book or one of {', '.join(CURRENCIES)}")),
        (
            "amount",
            "amount",
            lambda row: fitting(parse_scaled(row["amount"], 2 if row["currency"] in CURRENCIES else 0)),
        ),
        ("priority", "priority", named(priorities, "priority", f"one of {', '.join(PRIORITIES)}")),
        ("due_s", "due", lambda row: read_time(row["due"]) if row["due"] else -1),
        ("on_behalf", "on_behalf", named(_FLAGS, "on_behalf", "yes or no")),
        ("pair", "pair", lambda row: text_number(row["pair"])),
        ("mainland", "mainland", named(_FLAGS, "mainland", "yes or no")),
    )


def _legs_together(pair: Int64, lines: list[int], file: str) -> Int64:
    """Return the order in which the legs of each pair are neighbours; refuses a word that not two lines share."""
    legs = np.flatnonzero(pair)
    words, first, count = np.unique(pair[legs], return_index=True, return_counts=True)
    bad = np.flatnonzero(count != 2)
    if bad.size:
        line = lines[int(legs[first[bad[0]]])]
        message = f"{int(count[bad[0]])} lines share this word"
        raise refuse(RejectionReason.MALFORMED, message, file=file, line=line, field="pair", remedy="two lines a pair")
    place = np.arange(pair.size)
    if words.size:
        place[legs] = legs[first[np.searchsorted(words, pair[legs])]]
    return np.lexsort((np.arange(pair.size), place)).astype(np.int64)
