"""Use case: the margin calls of a day from a file of standings."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from tsingma.basics.rejection import Rejected, refuse
from tsingma.margin.resources.calls import Call, margin_calls
from tsingma.messages.standing_file import read_standings


def calls_of_file(path: Path, day: date) -> tuple[Call, ...]:
    """Return the calls of a day; raises Rejected naming file, line and field of whatever is wrong."""
    standings = read_standings(path.read_bytes(), file=str(path))
    try:
        return margin_calls(day, standings)
    except Rejected as wrong:
        one = wrong.rejections[0]
        raise refuse(
            one.reason, one.message, file=str(path), line=one.line, field=one.field, subject=one.subject,
            remedy=one.remedy,
        ) from None  # fmt: skip
