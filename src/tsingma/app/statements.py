"""The statements of every participant of a house at day end as plain CSV files, from its books in one pass."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import msgspec

from tsingma.app.statement_figures import StatementFigures
from tsingma.margin.hkscc.requirement import MarginResult
from tsingma.reports.statements import Table, decimal_text, write_statements

Rows = dict[str, list[tuple[object, ...]]]


def write_house_statements(folder: Path, figures: StatementFigures, day: date) -> int:
    """Write settlement, money, holdings and margin statements of every participant; returns the number of files."""
    tables = [_settlement(figures, day), _money(figures, day), _holdings(figures, day)]
    if figures.margins is not None:
        tables.append(_margin(figures, day))
    return write_statements(folder, tables)


def _settlement(figures: StatementFigures, day: date) -> Table:
    rows: Rows = {
        code: [
            (_class(one.account), str(day), one.security, one.due, one.settled, one.open, one.on_hold) for one in lines
        ]
        for code, lines in figures.positions.items()
    }
    return Table("settlement", ("account", "date", "isin", "due", "settled", "open", "on_hold"), rows)


def _money(figures: StatementFigures, day: date) -> Table:
    rows: Rows = {
        code: [
            (_class(one.account), str(day), one.security, one.currency,
             *(decimal_text(-cents) for cents in (one.due, one.settled, one.due - one.settled)))
            for one in lines
        ]
        for code, lines in figures.money.items()
    }  # fmt: skip
    return Table("money", ("account", "date", "isin", "currency", "to_pay", "settled", "open"), rows)


def _holdings(figures: StatementFigures, day: date) -> Table:
    rows: Rows = {
        code: [
            (_class(one.account), str(day), one.asset,
             *(decimal_text(x) if one.is_cash else x for x in (one.balance, one.on_hold, one.pledged)))
            for one in lines
        ]
        for code, lines in figures.holdings.items()
    }  # fmt: skip
    return Table("holdings", ("account", "date", "asset", "balance", "on_hold", "pledged"), rows)


def _margin(figures: StatementFigures, day: date) -> Table:
    names = [field.name for field in msgspec.structs.fields(MarginResult)]
    rows: Rows = {}
    if figures.margins is not None:
        accounts = figures.house.resolved.book.accounts
        for account, result in zip(figures.margins.account.tolist(), figures.margins.results, strict=True):
            entry = accounts[account]
            row = (str(entry.account_class), str(day), *(getattr(result, name) for name in names))
            rows.setdefault(entry.participant, []).append(row)
    return Table("margin", ("account", "date", *names), rows)


def _class(account: str) -> str:
    return account.partition("/")[2]
