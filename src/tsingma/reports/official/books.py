"""What reports of a house's books share: whose they are, as of which record, and the head of a report from that."""

from __future__ import annotations

import msgspec

from tsingma.reports.official.model import Figure, Report, Section
from tsingma.reports.official.words import Speaker


class Addressee(msgspec.Struct, frozen=True, kw_only=True):
    """The participant a report is for, and the record of the journal it is made of."""

    code: str
    name: str
    lei: str
    day: str
    is_open: bool
    record: int
    state_hash: str


def books_report(
    name: str, title: str, whose: Addressee, say: Speaker, language: str, figures: tuple[Figure, ...],
    sections: tuple[Section, ...], notes: tuple[str, ...] = (),
) -> Report:  # fmt: skip
    """Return a report of a house's books for one participant."""
    facts = [
        (say("frame.participant"), whose.name), (say("frame.date"), whose.day), (say("frame.code"), whose.code),
        (say("frame.record"), f"{whose.record:,}"),
        (say("frame.lei"), whose.lei or "-"), (say("frame.state"), whose.state_hash[:16]),
    ]  # fmt: skip
    still = (say("frame.open_day"),) if whose.is_open else ()
    return Report(
        name=name,
        language=language,
        house=say("frame.house"),
        title=title,
        subtitle=f"{whose.name}, {whose.day}",
        facts=tuple(facts),
        figures=figures,
        sections=sections,
        notes=(*still, *notes, say("frame.books")),
        date=whose.day,
    )
