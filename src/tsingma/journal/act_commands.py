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


class DecideAct(msgspec.Struct, frozen=True, tag="decide-act", forbid_unknown_fields=True):
    """Approve a proposed act, which carries it out, or reject it; its proposer may withdraw it instead."""

    act: int
    decision: Decision
    person: str
    key: str
    at_s: int


ActCommand = ProposeAct | DecideAct
