"""Official reports of a house: settlement, holdings and margin of participants, and the day, from books and journal."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Protocol

import msgspec
import numpy as np

from tsingma.app.day_figures import participant_margins
from tsingma.app.day_journal import day_of_journal
from tsingma.app.holding_reads import holdings_of
from tsingma.app.house_margin import house_margin
from tsingma.app.house_reads import of_participant
from tsingma.app.instruction_reads import instruction_state
from tsingma.app.session import Session
from tsingma.basics.dates import to_date
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.engine.house import House
from tsingma.messages.rpf01 import read_parameters
from tsingma.reports.figures import HouseReport, ParticipantMargin
from tsingma.reports.official.books import Addressee
from tsingma.reports.official.day import day_report
from tsingma.reports.official.files import FORMS, write_report
from tsingma.reports.official.holdings import HoldingFigures, HoldingLine, holdings_report
from tsingma.reports.official.margin import CallLine, MarginFigures, house_margin_report
from tsingma.reports.official.model import Report
from tsingma.reports.official.settlement import (
    InstructionLine,
    MoneyLine,
    PositionLine,
    SettlementFigures,
    settlement_report,
)

KINDS = ("settlement", "holdings", "margin")


class _Sequenced(Protocol):
    @property
    def sequence(self) -> int: ...


class Books(Protocol):
    """A house and the record of its journal that it stands at: an open session, or a state that was replayed."""

    @property
    def house(self) -> House:
        """Return the state."""
        ...

    @property
    def sequencer(self) -> _Sequenced:
        """Return what knows the number of the last record."""
        ...


@dataclass(frozen=True, slots=True)
class Record:
    """The number of a record."""

    sequence: int


@dataclass(frozen=True, slots=True)
class Replayed:
    """A house as it stood after a record."""

    house: House
    sequencer: Record


Maker = Callable[[Books, str], Report]


def write_house_reports(
    kind: str, house: Path | str, participant: str, out: Path, *, form: str = ".pdf", language: str = "en",
    parameters: Path | None = None, at: int | None = None,
) -> list[Path]:  # fmt: skip
    """Write the report of one participant to a file, or of every participant with an account into a folder.

    ``kind`` is settlement, holdings or margin; the form is the ending of the file, or ``form`` in a folder; ``at`` is a
    record of the journal (the last without it): the same record gives the same file. Raises Rejected: unknown
    (participant, kind, form, record), and as ``write_report``.
    """
    if kind not in KINDS or form not in FORMS:
        raise refuse(RejectionReason.UNKNOWN, f"no report '{kind}{form}'", remedy=f"{', '.join(KINDS)}")
    with Session.open(house, read_only=True) as session:
        books, make = _as_of(session, at), report_maker(kind, language, parameters)
        if participant:
            return write_report(make(books, participant), out)
        book = books.house.resolved.book
        owners = dict.fromkeys(account.participant for account in book.accounts)
        written = []
        for code in owners:
            name = re.sub("[^0-9A-Za-z._-]+", "-", code)
            written += write_report(make(books, code), out / f"{name}-{kind}{form}")
        return written


def write_day_report(house: Path | str, day: date | None, out: Path, language: str = "en") -> list[Path]:
    """Write the day report of a closed day (the last one without), from the journal; raises Rejected (unknown)."""
    with Session.open(house, read_only=True) as session:
        figures = day_of_journal(session, day)
    report = HouseReport(title="Tsingma", label="", period=(figures.day,), days=(figures,), simulated=False)
    return write_report(day_report(report, language), out)


def _as_of(session: Session, at: int | None) -> Books:
    last = session.sequencer.sequence
    if at is None or at == last:
        return session
    if not 0 < at < last:
        raise refuse(RejectionReason.UNKNOWN, f"no record {at}", field="at", remedy=f"1 to {last}")
    before = max((sequence for sequence in session.store.snapshots() if sequence <= at), default=0)
    return Replayed(session.sequencer.replay(before, until=at), Record(at))


def settlement_figures(session: Books, participant: str) -> SettlementFigures:
    """Return what a settlement statement of a participant shows; raises Rejected (unknown)."""
    house, book = session.house, session.house.resolved
    lines = house.settlement.positions
    found = np.flatnonzero(of_participant(house, lines.account, participant)).tolist()
    positions = tuple(
        PositionLine(
            book.account_name(int(lines.account[line])), book.securities[int(lines.security[line])],
            int(lines.due[line]), int(lines.moved[line]), int(lines.open[line]), int(lines.on_hold[line]),
        )
        for line in found
        if lines.due[line] or lines.open[line] or lines.on_hold[line]
    )  # fmt: skip
    sums: dict[tuple[int, int], list[int]] = {}
    for line in np.flatnonzero(of_participant(house, lines.money_account, participant)).tolist():
        cell = sums.setdefault((int(lines.money_account[line]), int(lines.money_currency[line])), [0, 0])
        cell[0] -= int(lines.due_cents[line])  # the house keeps what is to be paid above zero
        cell[1] -= int(lines.settled_cents[line])
    money = tuple(
        MoneyLine(book.account_name(account), CURRENCIES[unit], due, settled, due - settled)
        for (account, unit), (due, settled) in sorted(sums.items())
    )
    table = house.settlement.instructions.table
    gives, takes = (of_participant(house, table[side], participant) for side in ("deliverer", "receiver"))
    instructions = tuple(
        _instruction(house, number, delivers=bool(gives[number])) for number in np.flatnonzero(gives | takes).tolist()
    )
    return SettlementFigures(
        whose=addressee(session, participant), positions=positions, money=money, instructions=instructions
    )


def holding_figures(session: Books, participant: str) -> HoldingFigures:
    """Return what a statement of holdings of a participant shows; raises Rejected (unknown)."""
    house, book = session.house, session.house.resolved
    places = {isin: place for place, isin in enumerate(book.securities)}
    lines = []
    for one in holdings_of(house, 0, participant, 0, len(house.ledger.balance)).items:
        line = HoldingLine(
            account=one.account, asset=one.asset, name=one.name, is_cash=one.asset in CURRENCIES, balance=one.balance,
            on_hold=one.held, pledged=one.pledged,
        )  # fmt: skip
        if not line.is_cash:
            counter = int(book.settlement_counter[places[one.asset]])
            price = int(house.price_e4[counter])
            line = msgspec.structs.replace(
                line, currency=CURRENCIES[int(book.counter_currency[counter])], price_e4=price or None,
                value_cents=one.value_cents,
            )  # fmt: skip
        lines.append(line)
    return HoldingFigures(whose=addressee(session, participant), lines=tuple(lines))


def margin_figures(session: Books, participant: str, parameters: Path | None = None) -> MarginFigures:
    """Return what a margin statement of a participant's accounts shows; raises Rejected (unknown).

    With a parameter file (RPF01) the requirement is taken apart, at the prices the house stands at.
    """
    house, margin = session.house, session.house.margin
    calls = tuple(
        CallLine(
            house.resolved.account_name(int(margin.account[place])), int(margin.requirement_cents[place]),
            int(margin.pledged_cents[place]),
        )
        for place in np.flatnonzero(of_participant(house, margin.account, participant)).tolist()
    )  # fmt: skip
    parts: tuple[ParticipantMargin, ...] = ()
    if parameters is not None:
        made = house_margin(house, read_parameters(parameters.read_bytes(), file=str(parameters)))
        parts = tuple(one for one in participant_margins(made, house.resolved) if one.participant == participant)
    return MarginFigures(whose=addressee(session, participant), calls=calls, parts=parts)


def addressee(session: Books, participant: str) -> Addressee:
    """Return whom a report is for and of which record it is made; raises Rejected (unknown)."""
    house, book = session.house, session.house.resolved
    index = book.participant_index.get(participant)
    if index is None:
        raise refuse(RejectionReason.UNKNOWN, f"no participant '{participant}'", field="participant")
    entry, position = book.book.participants[index], house.position
    return Addressee(
        code=entry.code,
        name=entry.name or entry.code,
        lei=entry.lei,
        day=str(to_date(position.day)) if position.day else "",
        is_open=position.is_open,
        record=session.sequencer.sequence,
        state_hash=house.digest().hex(),
    )


def report_maker(kind: str, language: str, parameters: Path | None = None) -> Maker:
    """Return what makes a participant's report of one of ``KINDS``; ``parameters`` as ``margin_figures``."""
    makers: dict[str, Maker] = {
        "settlement": lambda session, code: settlement_report(settlement_figures(session, code), language),
        "holdings": lambda session, code: holdings_report(holding_figures(session, code), language),
        "margin": lambda session, code: house_margin_report(margin_figures(session, code, parameters), language),
    }
    return makers[kind]


def _instruction(house: House, number: int, *, delivers: bool) -> InstructionLine:
    """Return an instruction from the side of the participant (both sides its own: from that of who delivers)."""
    one = instruction_state(house, number)
    own, other = (one.deliverer, one.receiver) if delivers else (one.receiver, one.deliverer)
    money = one.against in CURRENCIES
    return InstructionLine(
        number=f"I{number}",
        account=own,
        delivers=delivers,
        counterparty=other,
        asset=one.asset,
        quantity=one.quantity,
        currency=one.against if money else "",
        cents=one.against_amount if money else 0,
        intended=one.intended_date,
        status=one.status,
        reason="" if one.status in ("settled", "cancelled") else one.reason,
    )
