"""Commands of four-eyes: acts of the operator are proposed by one person and decided by another."""

from __future__ import annotations

from typing import Literal

import msgspec

Decision = Literal["approve", "reject", "withdraw"]


class ProposeAct(msgspec.Struct, frozen=True, tag="propose-act", forbid_unknown_fields=True, omit_defaults=True):
    """Propose a command of the operator (``body``: its journal body); nothing of it is carried out yet.

    ``person`` proposes with ``key`` at ``at_s`` (seconds since 1970); it lapses ``lifetime_s`` later by the time of the
    house. Older programs told no lifetime (0): then it lapses at ``until_s``.
    """

    body: bytes
    person: str
    key: str
    at_s: int
    until_s: int
    lifetime_s: int = 0


class DecideAct(msgspec.Struct, frozen=True, tag="decide-act", forbid_unknown_fields=True, omit_defaults=True):
    """Approve a proposed act, which carries it out, or reject it; its proposer may withdraw it instead.

    ``bodies`` are the commands (journal bodies) of an approved :class:`RunDayStep`, which names them by their hashes.
    """

    act: int
    decision: Decision
    person: str
    key: str
    at_s: int
    bodies: tuple[bytes, ...] = ()


class RunDayStep(msgspec.Struct, frozen=True, tag="run-day-step", forbid_unknown_fields=True, omit_defaults=True):
    """Carry out a step of the plan of a day (days since 1970); proposed and approved, never told by itself.

    ``name`` stands behind the date in the step's id. ``contents`` are the SHA-256 (32 bytes) of the commands that the
    approval brings along, in order. ``figures`` are counts and totals of them, ``source`` and ``file`` (SHA-256) tell
    what they were made of.
    """

    day: int
    name: str
    contents: tuple[bytes, ...]
    figures: dict[str, int]
    source: str = ""
    file: bytes = b""


ActCommand = ProposeAct | DecideAct | RunDayStep
