"""The settlement statement of a participant: net positions, money, and instructions, due, settled and open."""

from __future__ import annotations

import msgspec

from tsingma.basics.rejection import InvariantBroken
from tsingma.reports.official.books import Addressee, books_report
from tsingma.reports.official.model import Bar, Chart, Column, Figure, Kind, Report, Section, Table, cell_text
from tsingma.reports.official.words import Speaker, speaker


class PositionLine(msgspec.Struct, frozen=True):
    """A net position of an account in a security, units; receives above zero, delivers below."""

    account: str
    security: str
    due: int
    settled: int
    open: int
    on_hold: int


class MoneyLine(msgspec.Struct, frozen=True):
    """Net money of an account in a currency against its positions, cents; receives above zero, pays below."""

    account: str
    currency: str
    due: int
    settled: int
    open: int


class InstructionLine(msgspec.Struct, frozen=True, kw_only=True):
    """An instruction seen from the participant's side; ``asset`` and ``currency`` are "" where it moves none."""

    number: str
    account: str
    delivers: bool
    counterparty: str
    asset: str
    quantity: int
    currency: str
    cents: int
    intended: str
    status: str
    reason: str


class SettlementFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a settlement statement shows."""

    whose: Addressee
    positions: tuple[PositionLine, ...]
    money: tuple[MoneyLine, ...]
    instructions: tuple[InstructionLine, ...]


def settlement_report(figures: SettlementFigures, language: str) -> Report:
    """Return the statement; raises InvariantBroken where a line's due is not settled plus open."""
    lines: tuple[PositionLine | MoneyLine, ...] = (*figures.positions, *figures.money)
    for line in lines:
        if line.due != line.settled + line.open:
            raise InvariantBroken(f"{line.account}: {line.due} due is not {line.settled} settled and {line.open} open")
    say = speaker(language)
    sections = (
        Section(
            heading=say("settlement.positions"), lead=say("settlement.positions_lead"),
            tables=(_positions(figures, say),), chart=_chart(figures, say),
        ),
        Section(heading=say("settlement.money"), lead=say("settlement.money_lead"), tables=(_money(figures, say),)),
        Section(
            heading=say("settlement.instructions"), lead=say("settlement.instructions_lead"),
            tables=(_instructions(figures, say),),
        ),
    )  # fmt: skip
    return books_report(
        "settlement", say("settlement.title"), figures.whose, say, language, _figures(figures, say), sections
    )


def _figures(figures: SettlementFigures, say: Speaker) -> tuple[Figure, ...]:
    still = sum(line.open != 0 for line in figures.positions)
    waiting = sum(line.status not in ("settled", "cancelled") for line in figures.instructions)
    found = [
        Figure(say("settlement.positions_due"), f"{len(figures.positions):,}",
               f"{still:,} {say('settlement.positions_open')}"),
        Figure(say("settlement.instructions_open"), f"{waiting:,}",
               say("settlement.instructions_all").format(all=f"{len(figures.instructions):,}")),
    ]  # fmt: skip
    for currency in dict.fromkeys(line.currency for line in figures.money):
        lines = [line for line in figures.money if line.currency == currency]
        due, left = (sum(getattr(line, name) for line in lines) for name in ("due", "open"))
        note = say("settlement.still_open").format(amount=cell_text(Kind.MONEY, left))
        label = say("settlement.cash_due").format(currency=currency)
        found.append(Figure(label, cell_text(Kind.MONEY, due), note))
    return tuple(found[:4])


def _chart(figures: SettlementFigures, say: Speaker) -> Chart:
    """Return positions by account: settled and open, in number."""
    bars = []
    for account in dict.fromkeys(line.account for line in figures.positions):
        lines = [line for line in figures.positions if line.account == account]
        still = sum(line.open != 0 for line in lines)
        bars.append(Bar(account, (len(lines) - still, still), f"{len(lines):,}"))
    return Chart((say("settlement.settled"), say("settlement.open")), tuple(bars))


def _positions(figures: SettlementFigures, say: Speaker) -> Table:
    columns = (
        Column(say("frame.account")), Column(say("frame.security"), Kind.CODE),
        *(Column(say(f"settlement.{name}"), Kind.WHOLE) for name in ("due", "settled", "open", "on_hold")),
    )  # fmt: skip
    rows = tuple(msgspec.structs.astuple(line) for line in figures.positions)
    return Table(name="positions", caption="", columns=columns, rows=rows)


def _money(figures: SettlementFigures, say: Speaker) -> Table:
    columns = (
        Column(say("frame.account")), Column(say("frame.currency"), Kind.CODE),
        *(Column(say(f"settlement.{name}"), Kind.MONEY) for name in ("to_pay", "settled", "open")),
    )  # fmt: skip
    rows = tuple(msgspec.structs.astuple(line) for line in figures.money)
    return Table(name="money", caption="", columns=columns, rows=rows)


def _instructions(figures: SettlementFigures, say: Speaker) -> Table:
    columns = (
        Column(say("frame.number"), Kind.CODE), Column(say("settlement.side")), Column(say("settlement.counterparty")),
        Column(say("frame.security"), Kind.CODE), Column(say("settlement.quantity"), Kind.WHOLE),
        Column(say("frame.currency"), Kind.CODE), Column(say("settlement.amount"), Kind.MONEY),
        Column(say("settlement.intended"), Kind.CODE), Column(say("frame.status")), Column(say("settlement.reason")),
    )  # fmt: skip
    rows = tuple(
        (line.number, say("side.delivers" if line.delivers else "side.receives"), line.counterparty, line.asset,
         line.quantity if line.asset else None, line.currency, line.cents if line.currency else None, line.intended,
         say(f"status.{line.status}"), say(f"reason.{line.reason}") if line.reason else "")
        for line in figures.instructions
    )  # fmt: skip
    return Table(name="instructions", caption="", columns=columns, rows=rows)
