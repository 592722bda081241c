"""Events of four-eyes."""

from __future__ import annotations

import msgspec


class ActProposed(msgspec.Struct, frozen=True, tag="act-proposed"):
    """An act waits, under a number, for somebody else to decide until a second since 1970."""

    act: int
    until_s: int


class ActDecided(msgspec.Struct, frozen=True, tag="act-decided"):
    """An act was decided; ``body`` is the command that was carried out, whose events follow, b"" when none was."""

    act: int
    status: str
    body: bytes


ActEvent = ActProposed | ActDecided
