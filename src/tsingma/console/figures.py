"""Sections of the briefs inside pages of the console: the same charts and tables, the same words, nothing twice."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from markupsafe import Markup

from tsingma.console.language import Language
from tsingma.reports.economy_figures import Grounds
from tsingma.reports.economy_names import said

BRIEF_LANGUAGE = {Language.EN: "en", Language.ZH: "zh"}  # as the briefs name them


class Section(msgspec.Struct, frozen=True):
    """A section of a brief: its anchor, its heading and its HTML, in which everything is escaped already."""

    anchor: str
    heading: str
    content: Markup


def sections_of(made: Sequence[tuple[str, str, str]], order: Sequence[str] = ()) -> list[Section]:
    """Return sections of a brief for a page, those named in ``order`` first."""
    rank = {name: place for place, name in enumerate(order)}
    ranked = sorted(made, key=lambda one: rank.get(one[0], len(rank)))
    return [Section(anchor, heading, Markup(content)) for anchor, heading, content in ranked]


def grounds_of(grounds: Grounds, language: str) -> dict[str, str]:
    """Return what figures stand on by the word that names it: model, calibration, data, uncertainty."""
    data = ("、" if language == "zh" else ", ").join(said(one, language) for one in grounds.data)
    found = {
        "model": said(grounds.model, language),
        "calibration": said(grounds.calibration, language),
        "data": data,
        "uncertainty": said(grounds.uncertainty, language),
    }
    return {name: text for name, text in found.items() if text}
