"""Acts of the operator that wait for a second person, and the last ones decided."""

from __future__ import annotations

from enum import StrEnum

import msgspec

DECIDED_KEPT = 100  # the journal has them all


class ActStatus(StrEnum):
    """How an act stands."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"


class Act(msgspec.Struct, frozen=True):
    """One act: the body of its command, who proposed it and who decided, with which keys, and when (seconds)."""

    number: int
    body: bytes
    proposer: str
    proposer_key: str
    proposed_s: int
    until_s: int
    status: ActStatus = ActStatus.PENDING
    decider: str = ""
    decider_key: str = ""
    decided_s: int = 0


class ActBook:
    """All pending acts and the last decided, by number."""

    def __init__(self) -> None:
        """Start without any."""
        self.acts: dict[int, Act] = {}
        self.numbered = 0
        self.last_s = 0  # the latest time told: a clock that was set back brings nothing back

    def pending(self) -> list[Act]:
        """Return the acts that wait, oldest first."""
        return [act for act in self.acts.values() if act.status is ActStatus.PENDING]

    def time(self, at_s: int) -> int:
        """Return the time of a command: never before that of an earlier one."""
        return max(at_s, self.last_s)

    def lapse(self, now_s: int, *, everything: bool = False) -> None:
        """Move to a time: what nobody decided until then lapses, or all; the oldest decided are forgotten."""
        self.last_s = now_s
        for act in self.pending():
            if everything or act.until_s <= now_s:
                ended_s = now_s if everything else act.until_s
                self.put(msgspec.structs.replace(act, status=ActStatus.LAPSED, decided_s=ended_s))
        decided = [number for number, act in self.acts.items() if act.status is not ActStatus.PENDING]
        for number in decided[: max(len(decided) - DECIDED_KEPT, 0)]:
            del self.acts[number]

    def add(self, body: bytes, person: str, key: str, now_s: int, until_s: int) -> Act:
        """Number a new act and keep it."""
        self.numbered += 1
        return self.put(Act(self.numbered, body, person, key, now_s, until_s))

    def put(self, act: Act) -> Act:
        """Keep an act under its number."""
        self.acts[act.number] = act
        return act

    def dump(self) -> dict[str, bytes]:
        """Return the acts; nothing at all before the first one."""
        if not self.numbered:
            return {}
        encode = msgspec.msgpack.encode
        return {
            "acts": encode([self.acts[number] for number in sorted(self.acts)]),
            "counts": encode([self.numbered, self.last_s]),
        }

    def load(self, parts: dict[str, bytes]) -> None:
        """Take back a dump, or none."""
        if not parts:
            return
        self.acts = {act.number: act for act in msgspec.msgpack.decode(parts["acts"], type=list[Act])}
        self.numbered, self.last_s = msgspec.msgpack.decode(parts["counts"], type=tuple[int, int])
