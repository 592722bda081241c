"""What the views of a house answer: lines as of a record, statements, with accounts and assets by name."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from tsingma.app.journal_pages import COLUMNS, record_lines
from tsingma.app.session import on_a_server, open_store
from tsingma.app.views import VIEWS, VIEWS_NAME, Projector, open_views
from tsingma.basics.dates import to_date
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.engine.house import House
from tsingma.settlement.instruction import REASONS, STATUSES
from tsingma.store.views import View, ViewStore

STATEMENT, RECORDS = "statement", "records"
NAMES = (*(view.name for view in VIEWS), STATEMENT, RECORDS)


class Page(msgspec.Struct, frozen=True):
    """What a view answers: the record it stands at, the names of the columns, and the rows."""

    view: str
    at: int
    columns: tuple[str, ...]
    rows: list[tuple[object, ...]]


def look(house: Path | str, name: str, participant: str, at: int | None, path: Path | None = None) -> Page:
    """Bring a house's views up to date and return one of them, or ``statement``, as of a record (default: the last).

    ``participant`` chooses the lines of its accounts; without it all are returned. ``records`` is the journal itself,
    with who told each command; ``participant`` is who told it there. ``path`` is the file of the views, by default in
    the house's folder; records need none. Raises Rejected: missing (no house, or no place for the views of a house on a
    server), unknown (view, participant), beyond-horizon (a record that is not there yet).
    """
    if name == RECORDS:
        return _records(house, participant, at)
    if path is None and on_a_server(house):
        raise refuse(
            RejectionReason.MISSING, "the views of a house on a server need a file", remedy="give --views FILE"
        )
    with (
        closing(open_store(house, read_only=True)) as store,
        closing(open_views(path or Path(house) / VIEWS_NAME)) as views,
    ):
        projector = Projector(store, views)
        standing = projector.refresh()
        until = standing.sequence if at is None else at
        if not 0 <= until <= standing.sequence:
            raise refuse(RejectionReason.BEYOND_HORIZON, f"the journal ends at record {standing.sequence}", field="at")
        return _page(projector.house, views, name, _accounts(projector.house, participant), until)


def _records(house: Path | str, actor: str, at: int | None) -> Page:
    with closing(open_store(house, read_only=True)) as store:
        last = store.length()
        until = last if at is None else at
        if not 0 <= until <= last:
            raise refuse(RejectionReason.BEYOND_HORIZON, f"the journal ends at record {last}", field="at")
        rows = [msgspec.structs.astuple(line) for line in record_lines(store, until, actor)]
    return Page(RECORDS, until, COLUMNS, rows)


def _accounts(house: House, participant: str) -> list[int]:
    """Return the accounts of a participant; none stands for everybody's."""
    if not participant:
        return []
    chosen = [place for (owner, _), place in house.resolved.account_index.items() if owner == participant]
    if not chosen:
        raise refuse(RejectionReason.UNKNOWN, f"no participant {participant}", field="participant")
    return sorted(chosen)


def _page(house: House, views: ViewStore, name: str, accounts: list[int], until: int) -> Page:
    asked: list[dict[str, int]] = [{"account": account} for account in accounts] or [{}]
    if name == STATEMENT:
        columns: tuple[str, ...] = ("account", "asset", "record", "day", "command", "change", "balance")
        rows = [row for one in asked for row in views.history("balances", "balance", 0, until, one)]
    elif name == "instructions":
        columns = ("instruction", "record", *_view(name).figures)
        sides = [columns.index(side) for side in ("deliverer", "receiver")]
        every = views.lines(name, until)
        rows = [row for row in every if not accounts or any(row[side] in accounts for side in sides)]
    else:
        view = _view(name)
        columns = (*view.keys, "record", *view.figures)
        rows = [row for one in asked for row in views.lines(name, until, one)]
    told = _told(house)
    show = [told.get(column, _as_it_is) for column in columns]
    shown = [tuple(each(cell) for each, cell in zip(show, row, strict=True)) for row in rows]
    return Page(name, until, columns, shown)


def _told(house: House) -> dict[str, Callable[[Any], object]]:
    """Return how the numbers of a column are told."""

    def account(number: int) -> str:
        entry = house.resolved.book.accounts[number]
        return f"{entry.participant}/{entry.account_class}"

    def asset(number: int) -> str:
        return house.resolved.asset_name(number) if number >= 0 else ""

    return {
        **dict.fromkeys(("account", "deliverer", "receiver"), account),
        "asset": asset,
        "security": lambda number: house.resolved.securities[number],
        "status": STATUSES.__getitem__,
        "reason": REASONS.__getitem__,
        "day": lambda number: str(to_date(number)) if number else "",
        "intended_day": lambda number: str(to_date(number)) if number else "",
    }


def _as_it_is(value: object) -> object:
    return value


def _view(name: str) -> View:
    found = next((view for view in VIEWS if view.name == name), None)
    if found is None:
        raise refuse(RejectionReason.UNKNOWN, f"no view {name}", field="view", remedy=f"one of {', '.join(NAMES)}")
    return found
