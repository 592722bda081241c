"""Which instruction waits for which: pairs of an earlier and a later one. Groups that settle together are a column.

Source: linkage codes BEFO, AFTE and WITH (SWIFT, field 22F Linkage Type Indicator): before, after, or with the linked
instruction; what is bound by WITH stays pending as long as one of them cannot settle.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.settlement.instruction import CANCELLED, SETTLED, Instructions

Int64 = npt.NDArray[np.int64]

LINK_KINDS: tuple[str, ...] = ("together", "before", "after")
GROUP_MAX = 1_000
PAIRS_MAX = 1_000_000


def _empty() -> Int64:
    return np.zeros(0, np.int64)


@dataclass(slots=True)
class Links:
    """``later[k]`` settles only once ``earlier[k]`` has; instruction numbers, i8."""

    earlier: Int64 = field(default_factory=_empty)
    later: Int64 = field(default_factory=_empty)

    def waiting(self, instructions: Instructions) -> Int64:
        """Return the instructions whose earlier one has not settled."""
        pending: npt.NDArray[np.bool_] = instructions.table["status"][self.earlier] != SETTLED
        return self.later[pending]

    def linked(self, instructions: Instructions) -> Int64:
        """Return the numbers of all instructions that are linked to another, in any way."""
        together = np.flatnonzero(instructions.table["together"])
        return np.unique(np.concatenate([self.earlier, self.later, together]))

    def join(self, instructions: Instructions, kind: str, numbers: tuple[int, ...]) -> None:
        """Link open instructions: all ``together``, or each one ``before`` (``after``) the next.

        Raises Rejected: unknown kind or number, not-allowed for what is final, repeated or in a group already,
        conflict for a circle, limit above the bounds.
        """
        _check(instructions, kind, numbers)
        if kind == "together":
            groups = instructions.table["together"]
            groups[list(numbers)] = int(groups.max()) + 1
            return
        pairs = list(pairwise(numbers))
        ordered = pairs if kind == "before" else [(second, first) for first, second in pairs]
        earlier = np.concatenate([self.earlier, np.array([pair[0] for pair in ordered], np.int64)])
        later = np.concatenate([self.later, np.array([pair[1] for pair in ordered], np.int64)])
        if earlier.size > PAIRS_MAX:
            raise refuse(RejectionReason.LIMIT, f"{earlier.size} links, {PAIRS_MAX} at most")
        if _circular(earlier, later):
            raise refuse(
                RejectionReason.CONFLICT,
                "the links would run in a circle: none of them could ever settle",
                field="instructions",
                remedy="link them together instead",
            )
        self.earlier, self.later = earlier, later

    def part(self, instructions: Instructions, number: int) -> int:
        """Take an instruction out of every link; returns how many links went."""
        mine = (self.earlier == number) | (self.later == number)
        grouped = int(instructions.table["together"][number] != 0)
        self.earlier, self.later = self.earlier[~mine], self.later[~mine]
        instructions.table["together"][number] = 0
        return int(mine.sum()) + grouped

    def dump(self) -> dict[str, bytes]:
        """Return the pairs as named byte strings."""
        return {"earlier": self.earlier.tobytes(), "later": self.later.tobytes()}

    def load(self, parts: dict[str, bytes]) -> None:
        """Take back a dump."""
        self.earlier = np.frombuffer(parts["earlier"], np.int64).copy()
        self.later = np.frombuffer(parts["later"], np.int64).copy()


def _check(instructions: Instructions, kind: str, numbers: tuple[int, ...]) -> None:
    if kind not in LINK_KINDS:
        raise refuse(
            RejectionReason.UNKNOWN, f"no link '{kind}'", field="kind", remedy=f"one of {', '.join(LINK_KINDS)}"
        )
    if not 2 <= len(numbers) <= GROUP_MAX or len(set(numbers)) != len(numbers):
        raise refuse(
            RejectionReason.OUT_OF_RANGE,
            f"{len(numbers)} instructions to link",
            field="instructions",
            remedy=f"name 2 to {GROUP_MAX} different ones",
        )
    table = instructions.table
    for number in numbers:
        if not 0 <= number < len(instructions):
            raise refuse(RejectionReason.UNKNOWN, f"there is no instruction {number}", field="instructions")
        if table["status"][number] in (SETTLED, CANCELLED):
            raise refuse(RejectionReason.NOT_ALLOWED, "it is settled or cancelled", subject=str(number))
        if kind == "together" and table["together"][number]:
            raise refuse(
                RejectionReason.NOT_ALLOWED,
                "it settles together with others already",
                subject=str(number),
                remedy="take it out of its links first",
            )


def _circular(earlier: Int64, later: Int64) -> bool:
    """Return whether the pairs contain a circle: peel off what nothing unpeeled comes before."""
    while earlier.size:
        free = ~np.isin(earlier, later)
        if not free.any():
            return True
        earlier, later = earlier[~free], later[~free]
    return False
