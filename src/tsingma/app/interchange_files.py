"""Interchange files of a house: a participant's trades, marginable positions and collateral; and any file as cells."""

from __future__ import annotations

import csv
import io
from datetime import date
from pathlib import Path

import numpy as np

from tsingma.app.collateral_pool import statement_of_accounts
from tsingma.app.day_journal import trades_of_journal
from tsingma.app.house_margin import marginable_positions
from tsingma.app.session import Session
from tsingma.basics.dates import to_date
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.clearing.trades import MODE_CNS, Trades
from tsingma.engine.house import House
from tsingma.messages.interchange import (
    Interchange,
    Value,
    layout_of,
    layouts,
    read_csv_rows,
    read_interchange,
    write_csv_rows,
    write_interchange,
)
from tsingma.messages.rows import read_bytes, read_rows
from tsingma.reports.statements import plain_cell, safe_cell

E2 = 100


def trade_file(house: Path | str, participant: str, day: date | None = None) -> tuple[int, bytes]:
    """Return how many lines, and the file of a participant's trades of a day (the one the house stands at without).

    Raises Rejected (unknown) for no such participant, or a day that was not opened.
    """
    with Session.open(house, read_only=True) as session:
        books = session.house
        index = _participant(books, participant)
        trades = trades_of_journal(session, day)
        owner = books.resolved.account_participant
        sides = {"B": owner[trades.buyer] == index, "S": owner[trades.seller] == index}
        lines = sorted((int(n), side) for side, mine in sides.items() for n in np.flatnonzero(mine))
        amounts = trades.amount_cents()
        rows = tuple(_trade(books, trades, number, side, int(amounts[number])) for number, side in lines)
        moment = to_date(trades.trade_day)
    return len(rows), write_interchange(Interchange(name="trades", participant=participant, day=moment, rows=rows))


def position_file(house: Path | str, participant: str) -> tuple[int, bytes]:
    """Return how many lines, and the file of a participant's marginable positions, in whole Hong Kong dollars.

    Raises Rejected: unknown participant; missing, where an open security has no closing price.
    """
    with Session.open(house, read_only=True) as session:
        books = session.house
        index = _participant(books, participant)
        book, accounts = marginable_positions(books, (books.resolved.book.participants[index].kind,))
        entries = (
            (account, entry)
            for place, account in enumerate(accounts.tolist())
            if int(books.resolved.account_participant[account]) == index
            for entry in range(int(book.start[place]), int(book.start[place + 1]))
        )
        rows: tuple[dict[str, Value], ...] = tuple(
            {
                "account_class": _account_class(books, account),
                "instrument": book.instruments[int(book.instrument[entry])],
                "quantity": int(book.quantity[entry]), "contract_value": int(book.contract_value[entry]),
                "market_value": int(book.market_value[entry]),
            }
            for account, entry in entries
        )  # fmt: skip
        day = to_date(books.position.day)
    found = Interchange(name="positions", participant=participant, day=day, rows=rows)
    return len(rows), write_interchange(found)


def collateral_file(house: Path | str, participant: str) -> tuple[int, bytes]:
    """Return how many lines, and the statement of a participant's collateral in the pool and pledged for margin.

    Raises Rejected: unknown participant; missing, where something pledged has no price.
    """
    with Session.open(house, read_only=True) as session:
        books = session.house
        index = _participant(books, participant)
        rows: list[dict[str, Value]] = [
            {
                "account_class": _account_class(books, line.account), "taker": ">".join(line.chain),
                "asset": books.resolved.asset_name(line.asset), "collateral_kind": line.kind,
                "custodian": line.custodian, "amount": line.amount, "market_value": line.market_cents,
                "haircut": line.haircut_e4 * E2, "counts_for": line.lendable_cents,
            }
            for line in statement_of_accounts(books, participant).lines
        ]  # fmt: skip
        margin = books.margin
        mine = np.flatnonzero(books.resolved.account_participant[margin.account] == index).tolist()
        rows += [
            {
                "account_class": _account_class(books, int(margin.account[place])), "taker": "HKSCC", "asset": "HKD",
                "collateral_kind": "cash.HKD", "custodian": "BANK", "amount": int(margin.pledged_cents[place]),
                "market_value": int(margin.pledged_cents[place]), "haircut": 0,
                "counts_for": int(margin.pledged_cents[place]),
            }
            for place in mine
            if margin.pledged_cents[place]
        ]  # fmt: skip
        day = to_date(books.position.day)
    found = Interchange(name="collateral", participant=participant, day=day, rows=tuple(rows))
    return len(rows), write_interchange(found)


def cells_of_file(path: Path, name: str) -> tuple[Interchange, bytes]:
    """Return an interchange file, whole and proved by its totals, and its details as CSV; raises Rejected."""
    found = read_interchange(read_bytes(path), name, file=str(path))
    text = io.StringIO(newline="")
    rows = csv.writer(text, lineterminator="\n")
    rows.writerows([safe_cell(cell) for cell in row] for row in write_csv_rows(found))
    return found, text.getvalue().encode()


def file_of_cells(path: Path, name: str, participant: str, day: date) -> tuple[int, bytes]:
    """Return how many lines, and an interchange file made of a CSV; raises Rejected naming file, line and field."""
    columns = [field.name for field in layout_of(name).field]
    optional = [field.name for field in layout_of(name).field if field.kind == "text"]
    read = read_rows(read_bytes(path), str(path), columns, optional=optional, may_be_empty=True)
    found = [{key: plain_cell(cell) for key, cell in row.items()} for _, row in read]
    rows = read_csv_rows(found, name)
    return len(rows), write_interchange(Interchange(name=name, participant=participant, day=day, rows=rows))


def report_list() -> list[dict[str, object]]:
    """Return what reports there are, with the bytes of a record and where their layout comes from."""
    return [
        {"name": name, "report": one.report, "what": one.what, "record_bytes": one.length, "assumed": one.assumed,
         "source": one.source}
        for name, one in layouts().items()
    ]  # fmt: skip


def _trade(books: House, trades: Trades, number: int, side: str, cents: int) -> dict[str, Value]:
    book = books.resolved
    counter = book.book.counters[int(trades.counter[number])]
    own, other = (trades.buyer, trades.seller) if side == "B" else (trades.seller, trades.buyer)
    second = int(trades.time_s[number])
    return {
        "stock_code": counter.code, "isin": counter.isin,
        "isolation": "1" if int(trades.mode[number]) == MODE_CNS else "2", "side": side,
        "time": second // 3_600 * 10_000 + second // 60 % 60 * 100 + second % 60,
        "reference": int(trades.trade_id[number]), "account_class": _account_class(books, int(own[number])),
        "counterparty": book.book.accounts[int(other[number])].participant,
        "quantity": int(trades.quantity[number]), "price": int(trades.price_e4[number]), "value": cents,
        "currency": CURRENCIES[int(book.counter_currency[int(trades.counter[number])])],
    }  # fmt: skip


def _participant(books: House, participant: str) -> int:
    index = books.resolved.participant_index.get(participant)
    if index is None:
        raise refuse(RejectionReason.UNKNOWN, f"no participant '{participant}'", field="participant")
    return index


def _account_class(books: House, account: int) -> str:
    return str(books.resolved.book.accounts[account].account_class)
