"""Official reports of a house: settlement, holdings and margin of participants, and the day, from books and journal."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

from tsingma.app.day_journal import day_of_journal
from tsingma.app.house_margin import HouseMargin, house_margin
from tsingma.app.session import Session
from tsingma.app.statement_figures import StatementFigures
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.engine.house import House
from tsingma.messages.rpf01 import read_parameters
from tsingma.reports.figures import HouseReport
from tsingma.reports.official.day import day_report
from tsingma.reports.official.files import FORMS, write_report
from tsingma.reports.official.holdings import holdings_report
from tsingma.reports.official.margin import house_margin_report
from tsingma.reports.official.model import Report
from tsingma.reports.official.settlement import settlement_report

KINDS = ("settlement", "holdings", "margin")


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
        state, record = _as_of(session, at)
        margin = _margin_of(state, parameters) if kind == "margin" else None
        figures = StatementFigures(state, record, participant, margin)
        if participant:
            return write_report(report_of(figures, kind, participant, language), out)
        written = []
        for code in dict.fromkeys(account.participant for account in state.resolved.book.accounts):
            name = re.sub("[^0-9A-Za-z._-]+", "-", code)
            written += write_report(report_of(figures, kind, code, language), out / f"{name}-{kind}{form}")
        return written


def write_day_report(house: Path | str, day: date | None, out: Path, language: str = "en") -> list[Path]:
    """Write the day report of a closed day (the last one without), from the journal; raises Rejected (unknown)."""
    with Session.open(house, read_only=True) as session:
        figures = day_of_journal(session, day)
    report = HouseReport(title="Tsingma", label="", period=(figures.day,), days=(figures,), simulated=False)
    return write_report(day_report(report, language), out)


def _as_of(session: Session, at: int | None) -> tuple[House, int]:
    """Return a house as it stood after a record of the journal, and its number."""
    last = session.sequencer.sequence
    if at is None or at == last:
        return session.house, last
    if not 0 < at < last:
        raise refuse(RejectionReason.UNKNOWN, f"no record {at}", field="at", remedy=f"1 to {last}")
    before = max((sequence for sequence in session.store.snapshots() if sequence <= at), default=0)
    return session.sequencer.replay(before, until=at), at


def _margin_of(house: House, parameters: Path | None) -> HouseMargin | None:
    """Return margin at the prices the house stands at, by a parameter file (RPF01); None without one."""
    if parameters is None:
        return None
    return house_margin(house, read_parameters(parameters.read_bytes(), file=str(parameters)))


def report_of(figures: StatementFigures, kind: str, participant: str, language: str) -> Report:
    """Return a participant's report of one of ``KINDS``; raises Rejected (unknown)."""
    makers: dict[str, Callable[[], Report]] = {
        "settlement": lambda: settlement_report(figures.settlement_of(participant), language),
        "holdings": lambda: holdings_report(figures.holdings_of(participant), language),
        "margin": lambda: house_margin_report(figures.margin_of(participant), language),
    }
    return makers[kind]()
