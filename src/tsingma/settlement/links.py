"""Which instruction waits for which: pairs of an earlier and a later one. Groups that settle together are a column.

A pool is a group that its members name themselves: they wait until as many have come as the pool has.
Source: T2S UDFS R2026.JUN, 1.6.1.11 (BEFO, AFTE: before or after the linked one, or at the same time; WITH: all or
none; pool reference), and SWIFT, field 22F Linkage Type Indicator.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import msgspec
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


class Pool(msgspec.Struct):
    """A pool of instructions: the group they settle in, how many there will be, how many have come."""

    group: int
    size: int
    came: int


@dataclass(slots=True)
class Links:
    """``later[k]`` settles only once ``earlier[k]`` has; instruction numbers, i8."""

    earlier: Int64 = field(default_factory=_empty)
    later: Int64 = field(default_factory=_empty)
    pools: dict[tuple[int, int], Pool] = field(default_factory=dict)  # by participant and its reference

    def waiting(self, instructions: Instructions) -> Int64:
        """Return the instructions whose earlier one has not settled."""
        pending: npt.NDArray[np.bool_] = instructions.table["status"][self.earlier] != SETTLED
        return self.later[pending]

    def linked(self, instructions: Instructions) -> Int64:
        """Return the numbers of all instructions that are linked to another, in any way."""
        together = np.flatnonzero(instructions.table["together"])
        return np.unique(np.concatenate([self.earlier, self.later, together]))

    def unparted(self, instructions: Instructions, numbers: Int64) -> Int64:
        """Return those of the ``numbers`` (rising) that could settle with others of them: nothing they need is missing.

        Missing is a member of a group, also one its pool still waits for, or an earlier one that has not settled.
        """
        group = instructions.table["together"]
        if not self.later.size and not group.any():
            return numbers
        here = np.zeros(len(instructions), np.bool_)
        here[numbers] = True
        here[np.isin(group, self.incomplete()) & (group > 0)] = False
        settled: npt.NDArray[np.bool_] = instructions.table["status"] == SETTLED
        while True:
            before = int(here.sum())
            here[self.later[~(here | settled)[self.earlier]]] = False
            parted = np.unique(group[~here])
            here[np.isin(group, parted[parted > 0])] = False
            if int(here.sum()) == before:
                return np.flatnonzero(here).astype(np.int64)

    def pairs_of(self, numbers: Int64) -> Int64:
        """Return the pairs (earlier, later) among ``numbers`` (rising), as places there: int64 [m, 2]."""
        among = np.isin(self.earlier, numbers) & np.isin(self.later, numbers)
        places = np.searchsorted(numbers, np.stack([self.earlier[among], self.later[among]], axis=1))
        return places.astype(np.int64).reshape(-1, 2)

    def join(self, instructions: Instructions, kind: str, numbers: tuple[int, ...]) -> None:
        """Link open instructions: all ``together``, or each one ``before`` (``after``) the next.

        Raises Rejected: unknown kind or number, not-allowed for what is final, repeated or in a group already,
        conflict for a circle, limit above the bounds.
        """
        _check(instructions, kind, numbers)
        if kind == "together":
            groups = instructions.table["together"]
            groups[list(numbers)] = int(groups.max(initial=0)) + 1
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

    def gather(self, instructions: Instructions, number: int, owner: int, pool: int, size: int) -> None:
        """Put an instruction into a participant's pool; pools that share an instruction become one group."""
        groups = instructions.table["together"]
        group = int(groups[number])
        known = self.pools.get((owner, pool))
        if known is None:
            known = self.pools[owner, pool] = Pool(group or int(groups.max(initial=0)) + 1, size, 0)
        elif group and group != known.group:
            groups[groups == group] = known.group
            for other in self.pools.values():
                other.group = known.group if other.group == group else other.group
        groups[number] = known.group
        known.came += 1

    def incomplete(self) -> Int64:
        """Return the groups of pools that still miss a member."""
        return np.unique(np.array([pool.group for pool in self.pools.values() if pool.came < pool.size], np.int64))

    def part(self, instructions: Instructions, number: int) -> int:
        """Take an instruction out of every link; returns how many links went.

        A pool counts it as missing: the others wait for another, or are taken out as well.
        """
        mine = (self.earlier == number) | (self.later == number)
        group = int(instructions.table["together"][number])
        grouped = int(group != 0)
        for pool in self.pools.values():
            pool.came -= int(grouped and pool.group == group)
        self.earlier, self.later = self.earlier[~mine], self.later[~mine]
        instructions.table["together"][number] = 0
        return int(mine.sum()) + grouped

    def dump(self) -> dict[str, bytes]:
        """Return the pairs as named byte strings."""
        pools = [(*key, pool.group, pool.size, pool.came) for key, pool in sorted(self.pools.items())]
        return {
            "earlier": self.earlier.tobytes(),
            "later": self.later.tobytes(),
            "pools": np.array(pools, np.int64).tobytes(),
        }

    def load(self, parts: dict[str, bytes]) -> None:
        """Take back a dump."""
        self.earlier = np.frombuffer(parts["earlier"], np.int64).copy()
        self.later = np.frombuffer(parts["later"], np.int64).copy()
        rows = np.frombuffer(parts["pools"], np.int64).reshape(-1, 5).tolist()
        self.pools = {(owner, pool): Pool(group, size, came) for owner, pool, group, size, came in rows}


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
