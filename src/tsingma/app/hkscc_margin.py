"""Use case: the margin of one participant from its three files."""

from __future__ import annotations

from pathlib import Path

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.margin.hkscc.requirement import ExplainedMargin, margin
from tsingma.messages.participant_file import read_participant
from tsingma.messages.positions import read_positions
from tsingma.messages.rpf01 import read_parameters


def margin_of_files(parameters: Path, positions: Path, participant: Path) -> ExplainedMargin:
    """Return the explained HKSCC margin of a positions file under a parameter file and a participant's terms.

    A parameter file with fewer scenarios than it declares is accepted only when the participant file gives the tail
    means. Raises Rejected naming file, line and field of whatever is wrong.
    """
    terms = read_participant(_bytes(participant), file=participant.name)
    risk = read_parameters(_bytes(parameters), file=parameters.name, partial=terms.has_tail_means)
    held = read_positions(_bytes(positions), file=positions.name)
    return margin(held, risk, terms, file=positions.name)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        reason = error.strerror or "cannot be read"
        raise refuse(
            RejectionReason.MISSING, reason, file=str(path), remedy="give the path of a readable file"
        ) from None
