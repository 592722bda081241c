"""Use cases of default management on a house that nobody serves: carry an act out, see what is open."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import msgspec
import numpy as np

from tsingma.app.default_acts import (
    CallFundAct,
    CloseOutAct,
    CloseOutSeriesAct,
    CloseOutSwapAct,
    ContributionOf,
    DefaultAct,
    command_of_default_act,
)
from tsingma.app.default_reads import DefaultLine, defaults_of, owed_lines
from tsingma.app.fund_sizing import fund_of_files
from tsingma.app.session import Session
from tsingma.basics.clock import Clock
from tsingma.basics.rejection import Rejected, RejectionReason, refuse
from tsingma.basics.rounding import parse_scaled
from tsingma.clearing.derivatives import SERIES_MAX
from tsingma.engine.acts import HOUSE
from tsingma.engine.defaulting import accounts_of
from tsingma.engine.house import House
from tsingma.journal.commands import Command
from tsingma.journal.default_events import PositionClosedOut
from tsingma.margin.resources.default_fund import FundRules
from tsingma.messages.default_files import (
    CLOSE_OUT_COLUMNS,
    PRICE_DECIMALS,
    CloseOutRow,
    read_close_out_rows,
)
from tsingma.messages.rows import read_bytes

SECOND = 1_000_000_000
SWAP = "swap"  # has no price: a taker bids an amount


class OpenLine(msgspec.Struct, frozen=True):
    """What is to be closed out: units of a security (its counter's code), series or swap, and the last price."""

    account: str
    asset: str
    units: int
    price: str


class OpenOfDefault(msgspec.Struct, frozen=True):
    """All that is open of a default, and what is owed by fund, account and currency (cents)."""

    positions: list[OpenLine]
    owed: list[tuple[str, str, str, int]]


def cases_of(house: Path | str, participant: str) -> list[DefaultLine]:
    """Return all cases of a participant ("": of everybody); raises Rejected (unknown)."""
    with Session.open(house, read_only=True) as session:
        count = len(session.house.defaults.cases)
        return defaults_of(session.house, session.sequencer.sequence, participant, 0, count + 1).items


def carry_out(house: Path | str, act: DefaultAct, at: datetime | None, clock: Clock) -> dict[str, object]:
    """Carry an act out now, or at a moment (UTC), and return its event as figures; raises Rejected."""
    moment_s = clock.now_ns() // SECOND if at is None else int(at.replace(tzinfo=UTC).timestamp())
    with Session.open(house) as session:
        command = command_of_default_act(act, session.house.resolved, moment_s)
        name = f"default/{act.__struct_config__.tag}/{session.sequencer.sequence + 1}"
        event = session.submit([(name, command)])[0].events[0]
        book = session.house.resolved
    figures: dict[str, object] = msgspec.to_builtins(event)
    figures.pop("type", None)
    figures.pop("released", None)
    for field in ("account", "to"):
        if field in figures:
            figures[field] = book.account_name(int(str(figures[field])))
    if "asset" in figures:
        figures["asset"] = book.asset_name(int(str(figures["asset"])))
    if "layers" in figures:
        layers = figures.pop("layers")
        figures.update({str(kind): used for kind, _, used in layers})  # type: ignore[attr-defined]
    if "lost_cents" in figures:
        lost = figures.pop("lost_cents")
        figures.update({f"lost_{unit}_cents": cents for unit, cents in lost.items()})  # type: ignore[attr-defined]
    return figures


def close_out(
    house: Path | str, number: int, account: str, asset: str, taker: str, price: str
) -> CloseOutAct | CloseOutSeriesAct:  # fmt: skip
    """Return the act that closes out a security, or a series where one has that id; raises Rejected (malformed)."""
    with Session.open(house, read_only=True) as session:
        return _act_of(session.house, number, CloseOutRow(0, account, asset, taker, price_e4(price)))


def sized_fund(fund: str, exposures: Path, keys: Path) -> CallFundAct:
    """Return the act that calls a fund as it is sized on stress losses, from house accounts, with the house's part.

    Raises Rejected naming file, line and field.
    """
    found, _ = fund_of_files(exposures, keys, FundRules())
    parts = [
        (f"{HOUSE}/HOUSE", found.house_part),
        *((f"{code}/HOUSE", cents) for code, cents in found.contributions.items()),
    ]
    contributions = tuple(ContributionOf(account, whole * 100) for account, whole in parts if whole)
    return CallFundAct(fund, f"{found.worst_scenario} of {found.worst_day}"[:64], contributions)


def swap_act(
    house: Path | str, number: int, account: str, series: str, taker: str, amount_cents: int
) -> CloseOutSwapAct:  # fmt: skip
    """Return the act that gives a position in swaps away, by the id of its series; raises Rejected (unknown)."""
    with Session.open(house, read_only=True) as session:
        known = [one.id for one in session.house.swaps.series]
    if series not in known:
        raise refuse(RejectionReason.UNKNOWN, f"no series of swaps {series}", field="series", subject=series)
    return CloseOutSwapAct(number, account, known.index(series), taker, amount_cents)


def close_out_file(house: Path | str, number: int, path: Path) -> dict[str, object]:
    """Carry out all close-outs of a file in one durable commit, or none; returns what they lost.

    Raises Rejected with file, line and field of what cannot be read, and of the first that the house refuses.
    """
    rows = read_close_out_rows(read_bytes(path), file=str(path))
    with Session.open(house) as session:
        first = session.sequencer.sequence + 1
        batch: list[tuple[str, Command]] = []
        for place, row in enumerate(rows):
            act = _act_of(session.house, number, row)
            with_line = _at_line(partial(command_of_default_act, act, session.house.resolved), path, row.line)
            batch.append((f"default/{act.__struct_config__.tag}/{first + place}", with_line))
        answers = session.submit(batch)
    events = [answer.events[0] for answer in answers]
    lost: dict[str, int] = {}
    for event in events:
        if isinstance(event, PositionClosedOut):
            for unit, cents in event.lost_cents.items():
                lost[unit] = lost.get(unit, 0) + cents
    return {"closed_out": len(rows), **{f"lost_{unit}_cents": cents for unit, cents in sorted(lost.items())}}


def write_close_outs(house: Path | str, number: int, taker: str, out: Path) -> int:
    """Write all that is open as a file for ``close_out_file``: to one taker, at the last price of the house.

    People change takers and prices in it; swaps are left out. Returns the number of lines.
    """
    found = [one for one in open_of(house, number).positions if one.price != SWAP]
    lines = [",".join(CLOSE_OUT_COLUMNS), *(f"{one.account},{one.asset},{taker},{one.price}" for one in found)]
    out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return len(found)


def _act_of(house: House, number: int, row: CloseOutRow) -> CloseOutAct | CloseOutSeriesAct:
    series = {one.id: place for place, one in enumerate(house.derivatives.series)}
    if row.asset in series:
        return CloseOutSeriesAct(number, row.account, series[row.asset], row.taker, row.price_e4)
    return CloseOutAct(number, row.account, row.asset, row.taker, row.price_e4)


def _at_line(make: Callable[[], Command], path: Path, line: int) -> Command:
    """Return what is made; a refusal names the file and line."""
    try:
        return make()
    except Rejected as rejected:
        found = [msgspec.structs.replace(one, file=str(path), line=line) for one in rejected.rejections]
        raise Rejected(*found) from None


def price_e4(text: str) -> int:
    """Return a price in ten-thousandths; raises Rejected (malformed)."""
    return parse_scaled(text, PRICE_DECIMALS, field="price")


def open_of(house: Path | str, number: int) -> OpenOfDefault:
    """Return what is open of a default; raises Rejected (unknown)."""
    with Session.open(house, read_only=True) as session:
        state = session.house
        case = state.defaults.case(number)
        return OpenOfDefault(_open_lines(state, case.participant), owed_lines(state, number))


def _open_lines(house: House, participant: int) -> list[OpenLine]:
    book, lines = house.resolved, house.settlement.positions
    mine = accounts_of(house, participant)
    units: dict[tuple[int, int], int] = {}
    for line in np.flatnonzero(np.isin(lines.account, mine)).tolist():
        unpaid = (lines.due_cents != lines.settled_cents)[lines.money_line == line].any()
        if lines.open[line] or lines.on_hold[line] or unpaid:
            key = (int(lines.account[line]), int(lines.security[line]))
            units[key] = units.get(key, 0) + int(lines.open[line] + lines.on_hold[line])
    for day in house.obligations.days:
        due = house.obligations.due(day)
        is_open = (due.quantity != 0) | (due.amount_cents != 0)
        for row in np.flatnonzero(np.isin(due.account, mine) & is_open).tolist():
            key = (int(due.account[row]), int(book.counter_security[due.counter[row]]))
            units[key] = units.get(key, 0) + int(due.quantity[row])
    found = []
    for (account, security), open_units in sorted(units.items()):
        counter = int(book.settlement_counter[security])
        code, price = book.book.counters[counter].code, int(house.price_e4[counter])
        found.append(OpenLine(book.account_name(account), code, open_units, _price(price)))
    derivatives = house.derivatives
    for row in np.flatnonzero(np.isin(derivatives.key // SERIES_MAX, mine)).tolist():
        account, series = divmod(int(derivatives.key[row]), SERIES_MAX)
        price = derivatives.prices_e4.get(series, 0)
        name = derivatives.series[series].id
        found.append(OpenLine(book.account_name(account), name, int(derivatives.quantity[row]), _price(price)))
    for place, one in sorted(house.swaps.positions.items()):
        account, series = divmod(place, SERIES_MAX)
        if account in mine:
            name = house.swaps.series[series].id
            found.append(OpenLine(book.account_name(account), name, one.notional_cents, SWAP))
    return found


def _price(price: int) -> str:
    return f"{price // 10_000}.{price % 10_000:04d}" if price else "none"
