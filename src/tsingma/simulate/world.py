"""What a simulated day is made of: a workload, and the house beside that foretells its answers.

Two worlds. The plain one is deep: the house beside is written anew in plain dictionaries, for the core of the house.
The whole one is wide: every command there is; the house beside is the rules one by one in memory, with plain checks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from tsingma.engine.house import House
from tsingma.journal.commands import Submitted
from tsingma.simulate import comparison
from tsingma.simulate.auditor import Said, Twin, event_essence
from tsingma.simulate.plain_house import PlainHouse
from tsingma.simulate.swarm import Swarm
from tsingma.simulate.whole import shadow
from tsingma.simulate.whole.workload import WholeWorkload
from tsingma.simulate.workload import Workload

T = TypeVar("T", bound=Twin)
Seen = TypeVar("Seen", bound=Twin, contravariant=True)


class Draws(Protocol[Seen]):
    """What draws a world's commands."""

    def done(self, house: Seen) -> bool:
        """Return whether the last day is closed."""
        ...

    def next(self, house: Seen, *, calm: bool) -> Submitted:
        """Return the next command; ``calm`` gives only what finishes the day."""
        ...

    def altered(self, house: Seen) -> Submitted:
        """Return a body that no acknowledged command has."""
        ...


@dataclass(frozen=True, slots=True)
class World(Generic[T]):
    """One world by name; ``stream`` keeps its draws apart, ``chores`` is what a day may need beyond its frame.

    ``days_more`` are added to the days that are drawn, and snapshots are taken at ``snapshot_rate`` at least."""

    name: str
    stream: tuple[int, ...]
    twin: Callable[[], T]
    draws: Callable[[Swarm, np.random.Generator], Draws[T]]
    differences: Callable[[House, T], list[str]]
    said: Said
    chores: int
    days_more: int
    snapshot_rate: float


PLAIN: World[Any] = World("plain", (), PlainHouse, Workload, comparison.differences, event_essence, 0, 0, 0.0)
WHOLE: World[Any] = World(
    "whole",
    (1,),
    shadow.ShadowHouse,
    WholeWorkload,
    shadow.differences,
    shadow.said,
    chores=80,
    days_more=1,
    snapshot_rate=0.1,
)
WORLDS = (PLAIN, WHOLE)
