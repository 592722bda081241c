"""Rule files of links: find one by name or path, check it, write a skeleton, show its calendar of a year."""

from __future__ import annotations

from datetime import date
from importlib.resources import files
from pathlib import Path

import msgspec

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.links.day_terms import direction_of
from tsingma.links.rule_file import FILE_BYTES_MAX, read_rules, shipped_links, shipped_rules
from tsingma.links.rule_rows import LinkRules, Row
from tsingma.links.sessions import Mismatch, holiday_eves, mismatch_days, trading_days


class LinkSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule file is about, in a few figures; ``assumed`` counts dated rows that no source backs."""

    link: str
    title: str
    status: str
    directions: tuple[str, ...]
    rows: int
    assumed: int
    assumptions: tuple[str, ...]


class LinkCalendar(msgspec.Struct, frozen=True, kw_only=True):
    """Days of one direction in a year: how many it trades, every mismatch, the eves of its own holidays (H-1)."""

    link: str
    direction: str
    year: int
    trading_days: int
    mismatches: tuple[Mismatch, ...]
    holiday_eves: tuple[tuple[date, date], ...]


def find_rules(link: str) -> LinkRules:
    """Return the rules of a file, or of a link that ships with the house by its name.

    Raises Rejected (unknown) when there is neither, and with every fault of a file that is not valid.
    """
    path = Path(link)
    if path.suffix == ".toml" or path.is_file():
        return read_rules(_content(path), file=str(path))
    return shipped_rules(link)


def summarise(rules: LinkRules) -> LinkSummary:
    """Return what a rule file is about."""
    rows = _rows(rules)
    return LinkSummary(
        link=rules.name,
        title=rules.title,
        status=rules.status,
        directions=tuple(direction.name for direction in rules.directions),
        rows=len(rows),
        assumed=sum(row.assumed for row in rows),
        assumptions=rules.assumptions,
    )


def summarise_all() -> list[LinkSummary]:
    """Return what each link is about that ships with the house."""
    return [summarise(shipped_rules(name)) for name in shipped_links()]


def link_calendar(rules: LinkRules, direction_name: str, year: int) -> LinkCalendar:
    """Return the days of a direction in a year; raises Rejected (beyond-horizon) for a year without closures."""
    direction = direction_of(rules, direction_name)
    first, last = date(year, 1, 1), date(year, 12, 31)
    return LinkCalendar(
        link=rules.name,
        direction=direction.name,
        year=year,
        trading_days=len(trading_days(rules, direction, first, last)),
        mismatches=tuple(mismatch_days(rules, direction, first, last)),
        holiday_eves=tuple(holiday_eves(rules, direction, first, last)),
    )


def write_skeleton(path: Path, name: str) -> None:
    """Write a rule file to be filled in; raises Rejected (conflict) when the file is there already."""
    if path.exists():
        message = "the file is there already"
        raise refuse(RejectionReason.CONFLICT, message, file=str(path), remedy="choose another name")
    text = files("tsingma.links").joinpath("skeleton.toml").read_text(encoding="utf-8")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.replace('name = "?"', f'name = "{name}"', 1), encoding="utf-8")


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
        remedy = f"give a file, or one of {', '.join(shipped_links())}"
        raise refuse(RejectionReason.UNKNOWN, message, file=str(path), remedy=remedy) from None


def _rows(value: object) -> list[Row]:
    """Return every dated row of a rule file."""
    if isinstance(value, tuple):
        return [row for item in value for row in _rows(item)]
    if not isinstance(value, msgspec.Struct):
        return []
    own = [value] if isinstance(value, Row) else []
    return own + [row for field in value.__struct_fields__ for row in _rows(getattr(value, field))]
