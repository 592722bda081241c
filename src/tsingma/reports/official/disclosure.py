"""Public disclosure tables: the figures a house tells the market, by the numbers of the CPMI-IOSCO standard."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tsingma.margin.disclosure import Field
from tsingma.reports.official.model import Cell, Column, Figure, Kind, Report, Section, Table
from tsingma.reports.official.words import Speaker, speaker

GROUPS = ("4", "5", "6", "18")
_PATTERNS = tuple(
    (re.compile(pattern), template)
    for pattern, template in (
        (r"initial margin required on (?P<day>\S+)", "initial margin required on {day}"),
        (r"haircut of (?P<kind>\S+) on (?P<day>\S+)", "haircut of {kind} on {day}"),
        (r"held in all, (?P<side>before|after) haircut", "held in all, {side} haircut"),
        (r"held in (?P<kind>\S+), (?P<side>before|after) haircut", "held in {kind}, {side} haircut"),
        (
            r"share of initial margin of the (?P<count>\d+) largest accounts",
            "share of initial margin of the {count} largest accounts",
        ),
    )
)


def disclosure_report(fields: Sequence[Field], day: str, language: str) -> Report:
    """Return the tables of all fields, one group of the standard a section, in the order they come in."""
    say = speaker(language)
    groups: dict[str, list[Field]] = {}
    for one in fields:
        number = one.number.partition(".")[0]
        groups.setdefault(number if number in GROUPS else "other", []).append(one)
    columns = (
        Column(say("disclosure.field"), Kind.CODE), Column(say("frame.house_name")), Column(say("frame.name")),
        Column(say("frame.value"), Kind.WHOLE), Column(say("frame.unit")),
    )  # fmt: skip
    sections = tuple(
        Section(
            heading=f"{number}  {say(f'disclosure.{number}')}" if number != "other" else say("disclosure.other"),
            tables=(
                Table(
                    name=f"field-{number}", caption="", columns=columns,
                    rows=tuple(_row(one, say) for one in groups[number]),
                ),
            ),
        )
        for number in (*GROUPS, "other")
        if number in groups
    )  # fmt: skip
    houses = list(dict.fromkeys(one.house for one in fields))
    return Report(
        name="disclosure",
        language=language,
        house=say("frame.house"),
        title=say("disclosure.title"),
        subtitle=say("disclosure.subtitle"),
        facts=((say("disclosure.houses"), ", ".join(houses)), *(((say("frame.date"), day),) if day else ())),
        figures=(
            Figure(say("disclosure.houses"), f"{len(houses):,}"),
            Figure(say("disclosure.fields"), f"{len(fields):,}"),
        ),
        sections=sections,
        notes=(say("disclosure.left_out"),),
        date=day,
    )


def _row(one: Field, say: Speaker) -> tuple[Cell, ...]:
    return one.number, one.house, _said(one.name, say), _value(one.value), say(f"field_unit.{one.unit}")


def _said(name: str, say: Speaker) -> str:
    """Return the name of a field in the language; what is not known is told as it stands."""
    for pattern, template in _PATTERNS:
        found = pattern.fullmatch(name)
        if found is not None:
            parts = {key: say(f"field_side.{value}") if key == "side" else value
                     for key, value in found.groupdict().items()}  # fmt: skip
            return say(f"field.{template}").format(**parts)
    return say(f"field.{name}")


def _value(value: str) -> Cell:
    """Return a figure as a number where it is a whole one."""
    plain = value.removeprefix("-")
    return int(value) if plain.isdecimal() and len(plain) <= 18 else value
