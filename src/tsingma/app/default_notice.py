"""The default-fund notice from the declared default of a house: figures of the books for the report."""

from __future__ import annotations

from pathlib import Path

from tsingma.app.default_reads import default_line, layers_of
from tsingma.app.session import Session
from tsingma.app.statement_figures import StatementFigures
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.clearing.default_book import Case, DefaultStatus
from tsingma.engine.acts import HOUSE
from tsingma.engine.house import House
from tsingma.reports.official.default import DefaultNotice, NoticeContribution, NoticeLayer, default_report
from tsingma.reports.official.files import write_report

_DECLARED = (DefaultStatus.DECLARED, DefaultStatus.CLOSED)


def write_default_notice(
    house: Path | str, participant: str, number: int, out: Path, language: str = "en"
) -> list[Path]:  # fmt: skip
    """Write the notice of a default (0: the last declared) for a participant, or with "" the house's own list.

    Raises Rejected: unknown (no such default, nobody has defaulted, a participant without a part in it), and as
    ``write_report``.
    """
    with Session.open(house, read_only=True) as session:
        case = _case(session.house, number)
        notice = notice_of(session, participant, case)
    return write_report(default_report(notice, language, whole=not participant), out)


def notice_of(session: Session, participant: str, case: Case) -> DefaultNotice:
    """Return the figures of a default's notice; raises Rejected (unknown) for a participant that is not there."""
    house, line = session.house, default_line(session.house, case)
    return DefaultNotice(
        whose=StatementFigures(house, session.sequencer.sequence).addressee(participant or HOUSE),
        number=case.number,
        defaulter=line.participant,
        status=line.status,
        ground=line.ground,
        declared_at=line.declared_at,
        owed=line.owed_cents,
        written_off=case.status is DefaultStatus.CLOSED and any(house.defaults.written_off.values()),
        layers=tuple(
            NoticeLayer(
                fund=one.fund, kind=one.kind, available=one.available, used=one.used, borne_by=dict(one.borne_by)
            )
            for one in layers_of(house, case.number)
        ),
        contributions=_contributions(house, case),
    )


def _contributions(house: House, case: Case) -> tuple[NoticeContribution, ...]:
    book, found = house.resolved, []
    for fund, account in sorted({*house.defaults.required, *house.defaults.pledged}):
        code = book.book.participants[int(book.account_participant[account])].code
        found.append(
            NoticeContribution(
                participant="house" if account == house.internal.house else code,
                fund=fund,
                required=house.defaults.required.get((fund, account), 0),
                pledged=house.defaults.pledged.get((fund, account), 0),
                assessed_open=house.defaults.assessed.get((case.number, fund, account), 0),
            )
        )
    return tuple(found)


def _case(house: House, number: int) -> Case:
    if number:
        return house.defaults.case(number, *_DECLARED)
    declared = [case for case in house.defaults.cases.values() if case.status in _DECLARED]
    if not declared:
        raise refuse(
            RejectionReason.UNKNOWN, "nobody has defaulted in this house", field="default",
            remedy="give --exposures and --keys for the notice of a fund that is sized",
        )  # fmt: skip
    return max(declared, key=lambda case: case.number)
