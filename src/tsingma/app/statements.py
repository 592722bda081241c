"""The statements of every participant of a house at day end, from its books."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import msgspec

from tsingma.app.house_margin import HouseMargin
from tsingma.basics.money import CURRENCIES
from tsingma.engine.house import House
from tsingma.margin.hkscc.requirement import MarginResult
from tsingma.reports.statements import Table, decimal_text, write_statements

Rows = dict[str, list[tuple[object, ...]]]


def write_house_statements(folder: Path, house: House, day: date, margin: HouseMargin | None) -> int:
    """Write settlement, holdings and margin statements of every participant; returns the number of files."""
    tables = [_settlement(house, day), _money(house, day), _holdings(house, day)]
    if margin is not None:
        tables.append(_margin(house, day, margin))
    return write_statements(folder, tables)


def _grouped(house: House) -> tuple[Rows, Callable[[int, tuple[object, ...]], None]]:
    accounts = house.resolved.book.accounts
    rows: Rows = {}

    def add(account: int, row: tuple[object, ...]) -> None:
        entry = accounts[account]
        rows.setdefault(entry.participant, []).append((str(entry.account_class), *row))

    return rows, add


def _settlement(house: House, day: date) -> Table:
    positions, securities = house.settlement.positions, house.resolved.securities
    rows, add = _grouped(house)
    columns = (positions.account, positions.security, positions.due, positions.moved, positions.open, positions.on_hold)
    for account, security, due, moved, left, held in zip(*(column.tolist() for column in columns), strict=True):
        add(account, (day.isoformat(), securities[security], due, moved, left, held))
    return Table("settlement", ("account", "date", "isin", "due", "settled", "open", "on_hold"), rows)


def _money(house: House, day: date) -> Table:
    positions, securities = house.settlement.positions, house.resolved.securities
    rows, add = _grouped(house)
    columns = (
        positions.money_account,
        positions.security[positions.money_line],
        positions.money_currency,
        positions.due_cents,
        positions.settled_cents,
    )
    for account, security, unit, due, settled in zip(*(column.tolist() for column in columns), strict=True):
        cells = (decimal_text(due), decimal_text(settled), decimal_text(due - settled))
        add(account, (day.isoformat(), securities[security], CURRENCIES[unit], *cells))
    return Table("money", ("account", "date", "isin", "currency", "to_pay", "settled", "open"), rows)


def _holdings(house: House, day: date) -> Table:
    ledger = house.ledger
    rows, add = _grouped(house)
    columns = (ledger.owner, ledger.asset, ledger.balance, ledger.held, ledger.pledged)
    for owner, asset, balance, held, pledged in zip(*(column.tolist() for column in columns), strict=True):
        if balance or held or pledged:
            amounts = [decimal_text(x) if asset < len(CURRENCIES) else x for x in (balance, held, pledged)]
            add(owner, (day.isoformat(), house.resolved.asset_name(asset), *amounts))
    return Table("holdings", ("account", "date", "asset", "balance", "on_hold", "pledged"), rows)


def _margin(house: House, day: date, margin: HouseMargin) -> Table:
    rows, add = _grouped(house)
    names = [field.name for field in msgspec.structs.fields(MarginResult)]
    for account, result in zip(margin.account.tolist(), margin.results, strict=True):
        add(account, (day.isoformat(), *(getattr(result, name) for name in names)))
    return Table("margin", ("account", "date", *names), rows)
