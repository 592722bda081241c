"""Statements of a participant of a served house as one file each: settlement, holdings, margin; made when asked."""

from __future__ import annotations

import io
import tempfile
import threading
import zipfile
from pathlib import Path

from tsingma.app.house_service import HouseService
from tsingma.app.official_reports import KINDS, report_of
from tsingma.app.session import Session
from tsingma.app.statement_figures import StatementFigures
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.reports.official.files import FORMS, write_report
from tsingma.reports.official.model import Report

AT_ONCE_MAX = 2  # files made at the same time: setting a PDF takes a processor for a second
_ZIP_MOMENT = (1980, 1, 1, 0, 0, 0)  # the same bytes for the same statement, whenever it is asked for
_DESK = threading.BoundedSemaphore(AT_ONCE_MAX)

FILE_FORMS = tuple(form.removeprefix(".") for form in FORMS)


def statement_file(service: HouseService, kind: str, participant: str, form: str, language: str) -> tuple[str, bytes]:
    """Return the name and the bytes of a statement as of the last record, in "en" or "zh".

    A CSV of several tables comes as a ZIP of them. Raises Rejected: unknown (kind, form, participant), missing (a
    library or font is not there), limit (others are being made).
    """
    if kind not in KINDS or form not in FILE_FORMS:
        raise refuse(RejectionReason.UNKNOWN, f"no statement '{kind}.{form}'", field="statement")

    def make(session: Session) -> Report:
        figures = StatementFigures(session.house, session.sequencer.sequence, participant)
        return report_of(figures, kind, participant, language)

    if not _DESK.acquire(blocking=False):
        raise refuse(RejectionReason.LIMIT, "other statements are being made", remedy="ask again in a moment")
    try:
        report = service.consult(make)
        with tempfile.TemporaryDirectory() as folder:
            paths = write_report(report, Path(folder) / f"{participant}-{kind}.{form}")
            if len(paths) == 1:
                return paths[0].name, paths[0].read_bytes()
            return f"{participant}-{kind}-csv.zip", _zipped(paths)
    finally:
        _DESK.release()


def _zipped(paths: list[Path]) -> bytes:
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as folder:
        for path in sorted(paths):
            folder.writestr(zipfile.ZipInfo(path.name, _ZIP_MOMENT), path.read_bytes(), zipfile.ZIP_DEFLATED)
    return kept.getvalue()
