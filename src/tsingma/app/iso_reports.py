"""Reports of a house to one participant as ISO 20022 files, by kind: of clearing, of settlement, of margin.

Every kind is one row of ``REPORTS``: its messages, and how they come from the books. What is written is checked against
its schema before it leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from tsingma.app.fund_sizing import fund_of_files
from tsingma.app.iso_events import moved_since, to_come
from tsingma.app.iso_exchange import exchange_of
from tsingma.app.iso_files import directory_of, moment_of
from tsingma.app.iso_journal import opening_record
from tsingma.app.iso_postings import postings_since
from tsingma.app.session import Session
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.clearing.trades import from_command
from tsingma.engine.house import House
from tsingma.journal.commands import CaptureTrades, decode
from tsingma.margin.resources.default_fund import FundRules
from tsingma.messages.iso20022 import (
    buy_in,
    event_movements,
    event_notice,
    fund_report,
    margin_report,
    net_position,
    pending_report,
    posting_report,
    static_data,
    trade_legs,
)
from tsingma.messages.iso20022.clearing import DEPOSITORY
from tsingma.messages.iso20022.parties import Directory

_CAPTURE = str(CaptureTrades.__struct_config__.tag).encode()
Documents = Iterator[tuple[str, str]]  # message, document


@dataclass(frozen=True)
class Asked:
    """Who asks for a report of an open house: the name its messages are numbered by, and the time it stands at."""

    session: Session
    participant: str
    directory: Directory
    name: str
    moment: datetime
    since: int | None = None  # record of the journal; None: the day's beginning

    @property
    def first(self) -> int:
        """The record after which reports of what happened begin."""
        return opening_record(self.session) if self.since is None else self.since

    @property
    def house(self) -> House:
        """The state; read only."""
        return self.session.house

    @property
    def accounts(self) -> list[int]:
        """Numbers of the participant's accounts."""
        book = self.house.resolved
        index = book.participant_index[self.participant]
        found: list[int] = np.flatnonzero(book.account_participant == index).tolist()
        return found


@dataclass(frozen=True)
class Report:
    """One kind of report: what it is, the messages it comes in, and how they are made."""

    title: str
    messages: tuple[str, ...]
    make: Callable[[Asked], Documents]


def report_file(
    house: Path | str, kind: str, participant: str, bics: Path | None = None, since: int | None = None
) -> tuple[int, bytes]:
    """Return how many messages a report has, and the business file of them, each after its header.

    Reports of what happened begin after the record ``since`` of the journal, or with the day that is (or was) open.

    Raises Rejected: unknown kind or participant; limit.
    """
    if kind not in REPORTS:
        raise refuse(RejectionReason.UNKNOWN, f"no report '{kind}'", field="kind", remedy=", ".join(REPORTS))
    with Session.open(house, read_only=True) as session:
        asked = asked_of(session, participant, bics, since)
        return _told(asked, REPORTS[kind].make(asked))


def fund_file(house: Path | str, participant: str, exposures: Path, keys: Path, rules: FundRules) -> tuple[int, bytes]:
    """Return a participant's contribution to a default fund sized on files (secl.006); raises Rejected as they do."""
    fund, _ = fund_of_files(exposures, keys, rules)
    with Session.open(house, read_only=True) as session:
        asked = asked_of(session, participant)
        one = fund_report.contribution_of(fund, participant, asked.name, str(asked.moment.date()))
        documents = () if one is None else ((fund_report.MESSAGE, fund_report.write_contribution(one)),)
        return _told(asked, iter(documents))


def asked_of(session: Session, participant: str, bics: Path | None = None, since: int | None = None) -> Asked:
    """Return who asks; raises Rejected (unknown) for a participant the book does not have."""
    house = session.house
    if participant not in house.resolved.participant_index:
        raise refuse(RejectionReason.UNKNOWN, f"no participant '{participant}'", field="participant")
    name = f"{session.sequencer.sequence}-{participant}"
    return Asked(session, participant, directory_of(house, bics), name, moment_of(house), since)


def _told(asked: Asked, documents: Documents) -> tuple[int, bytes]:
    return exchange_of(
        documents, sender=DEPOSITORY, receiver=asked.participant, name=asked.name, moment=asked.moment
    )  # fmt: skip


def _legs(asked: Asked) -> Iterator[trade_legs.TradeLeg]:
    """Return a participant's legs of the trades captured on the day the house stands at, as the journal has them."""
    book, day = asked.house.resolved, asked.house.position.day
    midnight = asked.moment.replace(hour=0, minute=0, second=0)
    for record in asked.session.store.read():
        if _CAPTURE not in record.body[:64]:
            continue
        command = decode(record.body)
        if isinstance(command, CaptureTrades) and command.trade_day == day:
            yield from trade_legs.legs_of(from_command(command), book, asked.participant, midnight)


def _notifications(asked: Asked) -> Documents:
    for leg in _legs(asked):
        yield trade_legs.NOTIFICATION, trade_legs.write_leg(leg, asked.directory)


def _leg_statement(asked: Asked) -> Documents:
    legs = tuple(_legs(asked))
    if legs:
        day = str(asked.moment.date())
        statement = trade_legs.LegStatement(asked.name, day, asked.participant, legs)
        yield trade_legs.STATEMENT, trade_legs.write_legs(statement, asked.directory)


def _net_positions(asked: Asked) -> Documents:
    report = net_position.net_positions_of(asked.house, asked.participant, asked.name)
    if report is not None:
        yield net_position.MESSAGE, net_position.write_net_positions(report, asked.directory)


def _margin(asked: Asked) -> Documents:
    report = margin_report.margin_of(asked.house, asked.participant, asked.name, asked.moment)
    if report is not None:
        yield margin_report.MESSAGE, margin_report.write_margin(report)


def _buy_ins(asked: Asked) -> Documents:
    for one in buy_in.buy_ins_of(asked.house, asked.participant):
        if isinstance(one, buy_in.BuyInNotice):
            yield buy_in.NOTIFICATION, buy_in.write_notice(one, asked.directory)
        else:
            yield buy_in.CONFIRMATION, buy_in.write_result(one, asked.directory)


def _pending(asked: Asked) -> Documents:
    for account in asked.accounts:
        report = pending_report.pending_of(asked.house, account, f"{asked.name}-{account}")
        yield pending_report.MESSAGE, pending_report.write_pending(report, asked.directory)


def _postings(asked: Asked) -> Documents:
    for report in postings_since(asked.session, asked.accounts, asked.first, asked.name):
        yield posting_report.MESSAGE, posting_report.write_postings(report, asked.directory)


def _events(asked: Asked) -> Documents:
    for one in event_notice.notices_of(asked.house, asked.participant, asked.name):
        yield event_notice.MESSAGE, event_notice.write_notice(one, asked.directory)


def _event_advices(asked: Asked) -> Documents:
    for one in to_come(asked.house, asked.participant, asked.name):
        yield event_movements.ADVICE, event_movements.write_advice(one, asked.directory)


def _event_confirmations(asked: Asked) -> Documents:
    for one in moved_since(asked.session, asked.participant, asked.first):
        yield event_movements.CONFIRMATION, event_movements.write_confirmation(one, asked.directory)


def _static_data(asked: Asked) -> Documents:
    """Return who takes part and what is traded, and the participant's own accounts; to the house, all accounts."""
    book = asked.house.resolved.book
    everything = asked.participant == DEPOSITORY
    accounts = tuple(one for one in book.accounts if everything or one.participant == asked.participant)
    yield static_data.PARTIES, static_data.write_parties(book.participants, asked.name, asked.directory.bics)
    yield static_data.SECURITIES, static_data.write_securities(book.counters, asked.name)
    if accounts:
        yield static_data.ACCOUNTS, static_data.write_accounts(accounts, asked.name)


REPORTS: dict[str, Report] = {
    "trade-legs": Report("legs of the day's trades, one by one", (trade_legs.NOTIFICATION,), _notifications),
    "trade-statement": Report("legs of the day's trades on one statement", (trade_legs.STATEMENT,), _leg_statement),
    "net-positions": Report("what netting left to deliver, receive and pay", (net_position.MESSAGE,), _net_positions),
    "margin": Report("the last margin call by account", (margin_report.MESSAGE,), _margin),
    "buy-ins": Report("buy-ins of what was not delivered", (buy_in.NOTIFICATION, buy_in.CONFIRMATION), _buy_ins),
    "pending": Report("what has not settled, by account", (pending_report.MESSAGE,), _pending),
    "postings": Report("every change of a balance, by account", (posting_report.MESSAGE,), _postings),
    "events": Report("corporate actions in what is held", (event_notice.MESSAGE,), _events),
    "event-advices": Report("what events are about to move", (event_movements.ADVICE,), _event_advices),
    "event-confirmations": Report("what events moved", (event_movements.CONFIRMATION,), _event_confirmations),
    "static-data": Report(
        "participants, securities, accounts (HKSCC: all)",
        (static_data.PARTIES, static_data.SECURITIES, static_data.ACCOUNTS),
        _static_data,
    ),
}
