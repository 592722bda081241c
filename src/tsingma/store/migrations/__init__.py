"""Numbered steps of each store's schema, oldest first: SQL files whose names are their titles.

A file that has been released is never changed; what must differ is a new file.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import msgspec

from tsingma.basics.rejection import InvariantBroken, RejectionReason, refuse


class Migration(msgspec.Struct, frozen=True):
    """One step: its number (from 1), what it brings, and its statements in order."""

    version: int
    title: str
    statements: tuple[str, ...]


@cache
def migrations(dialect: str) -> tuple[Migration, ...]:
    """Return the steps of a dialect (``sqlite`` or ``postgres``), numbered 1, 2, 3 without a gap."""
    found = []
    folder = files(__name__).joinpath(dialect)
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        number, _, title = entry.name.removesuffix(".sql").partition("_")
        parts = (part.strip() for part in entry.read_text(encoding="utf-8").split(";\n"))
        found.append(Migration(int(number), title.replace("_", " "), tuple(part for part in parts if part)))
    if [step.version for step in found] != list(range(1, len(found) + 1)):
        raise InvariantBroken(f"the {dialect} migrations are not numbered 1 to {len(found)}")
    return tuple(found)


def pending(dialect: str, version: int, *, read_only: bool, place: str) -> tuple[Migration, ...]:
    """Return the steps that lead from a schema version to the newest.

    Raises Rejected (malformed) for a version this program does not know, and for an old one that may only be read.
    """
    steps = migrations(dialect)
    if not 0 <= version <= len(steps):
        raise refuse(
            RejectionReason.MALFORMED,
            f"journal version {version}, this program knows {len(steps)}",
            file=place,
            remedy="use the program version that wrote it",
        )
    if read_only and version < len(steps):
        raise refuse(
            RejectionReason.MALFORMED,
            f"journal version {version}, reading needs version {len(steps)}",
            file=place,
            remedy="open it for writing once, for example with tsingma day run: that brings it forward",
        )
    return steps[version:]
