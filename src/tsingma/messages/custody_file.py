"""Commands as JSON lines: one object a line, ``type`` names the command, accounts by name and days as dates.

A line holds the fields of its command (``journal.custody_commands`` and the other commands of the house). Where a
field is an account, ``PARTICIPANT/CLASS`` may stand for its number; where it is a day, ``YYYY-MM-DD``. Deposits name
accounts, assets (a currency or an ISIN) and amounts side by side; the bulk columns of other commands are base64. The
terms of a corporate action name securities by ISIN and the currency of money by code. A file that opens with
``load-reference`` names accounts of the book it loads. ``end-day`` stands for every step of the timetable, what
corporate actions have due, and the close of the day.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from tsingma.basics.columns import pack
from tsingma.basics.dates import parse_date, to_day
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import Rejected, Rejection, RejectionReason, refuse
from tsingma.journal.commands import CloseDay, Command, DepositAssets, LoadReference, RunStep
from tsingma.journal.corporate_action_commands import RunCorporateActions
from tsingma.reference.book import AccountClass, ResolvedBook, resolve
from tsingma.settlement.timetable import timetable

LINES_MAX = 1_000_000
_ACCOUNTS = frozenset(
    {"account", "accounts", "payer", "seller", "buyer", "giver", "taker", "dealer", "agent", "owner", "counterparty"}
)
_SEPARATOR = "/"
_END_DAY = '{"type": "end-day"}'


def read_custody_commands(path: Path, book: ResolvedBook | None) -> list[tuple[str, Command]]:
    """Return (line, command) of a file, ``LINE.PART`` where a line stands for several.

    ``book`` is the house's, None before one is loaded.
    Raises Rejected (malformed, unknown, limit, missing) with file, line and field of everything that is wrong.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise refuse(RejectionReason.MALFORMED, f"byte {error.start} is not UTF-8", file=path.name) from None
    if len(lines) > LINES_MAX:
        raise refuse(RejectionReason.LIMIT, f"more than {LINES_MAX} lines", file=path.name)
    found: list[tuple[str, Command]] = []
    faults: list[Rejection] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        if line.strip() == _END_DAY:
            found += [(f"{number}.{part}", command) for part, command in enumerate(_end_of_day())]
            continue
        try:
            command = _command(line, book)
        except Rejected as rejected:
            faults += [msgspec.structs.replace(one, file=path.name, line=number) for one in rejected.rejections]
            continue
        if isinstance(command, LoadReference):
            book = resolve(command.book)
        found.append((str(number), command))
    if faults:
        raise Rejected(*faults[:100])
    if not found:
        raise refuse(RejectionReason.MISSING, "there is no command in the file", file=path.name, line=1)
    return found


def _end_of_day() -> list[Command]:
    return [*(RunStep(step.name) for step in timetable()), RunCorporateActions(), CloseDay()]


def _command(line: str, book: ResolvedBook | None) -> Command:
    try:
        raw = json.loads(line)
    except ValueError as error:
        raise refuse(RejectionReason.MALFORMED, str(error)) from None
    except RecursionError:
        raise refuse(RejectionReason.LIMIT, "nested too deep") from None
    try:
        command: Command = msgspec.convert(_columns(_named(raw, "", book), book), Command)
    except msgspec.ValidationError as error:
        raise refuse(RejectionReason.MALFORMED, str(error)) from None
    if isinstance(command, LoadReference):
        command.book.validate()
    return command


def _named(value: Any, field: str, book: ResolvedBook | None) -> Any:
    """Return a value of a line with names of accounts and dates as numbers, in whatever depth."""
    if isinstance(value, dict):
        if value.get("type") == LoadReference.__struct_config__.tag:
            return value
        named = {key: _named(item, key, book) for key, item in value.items()}
        if "amount_e9" in named and named.get("currency") in CURRENCIES:
            named["currency"] = CURRENCIES.index(named["currency"])
        return named
    if isinstance(value, list):
        return [_named(item, field, book) for item in value]
    if isinstance(value, str) and field == "security" and book is not None:
        return _security(value, book)
    if isinstance(value, str) and field in _ACCOUNTS:
        return _account(value, field, book)
    if isinstance(value, str) and (field == "day" or field.endswith("_day")):
        return to_day(parse_date(value, field=field))
    return value


def _columns(raw: Any, book: ResolvedBook | None) -> Any:
    """Return a deposit with its lists packed as columns; anything else as it is."""
    if not isinstance(raw, dict) or raw.get("type") != DepositAssets.__struct_config__.tag or book is None:
        return raw
    assets = {book.asset_name(number): number for number in range(book.asset_count)}
    packed = dict(raw)
    for name, kind in (("owner", "i4"), ("asset", "i4"), ("amount", "i8")):
        given, bound = raw.get(name, []), 2**31 if kind == "i4" else 2**63
        if not isinstance(given, list):
            raise refuse(RejectionReason.MALFORMED, f"'{given}' is no list", field=name)
        cells = [assets.get(cell, cell) if name == "asset" and isinstance(cell, str) else cell for cell in given]
        if not all(isinstance(cell, int) and -bound <= cell < bound for cell in cells):
            raise refuse(RejectionReason.UNKNOWN, f"{cells}", field=name, remedy="a number, or a currency or ISIN")
        packed[name] = pack(np.array(cells, np.int64), kind)
    return packed


def _security(isin: str, book: ResolvedBook) -> int:
    if isin not in book.securities:
        raise refuse(RejectionReason.UNKNOWN, f"no security '{isin}'", field="security", remedy="an ISIN of the book")
    return book.securities.index(isin)


def _account(name: str, field: str, book: ResolvedBook | None) -> int:
    participant, _, of = name.partition(_SEPARATOR)
    number = None
    if book is not None and (of or AccountClass.HOUSE) in list(AccountClass):
        number = book.account_index.get((participant, AccountClass(of or AccountClass.HOUSE)))
    if number is None:
        raise refuse(RejectionReason.UNKNOWN, f"no account '{name}'", field=field, remedy="PARTICIPANT/CLASS")
    return number
