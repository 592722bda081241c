"""What became of each batch of commands, told to whoever watches: counts and times, never what was in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import msgspec

from tsingma.app.group_commit import Submits
from tsingma.basics.clock import Clock
from tsingma.journal.commands import Submitted
from tsingma.journal.events import Answer, Refused


class Committed(msgspec.Struct, frozen=True):
    """One batch: commands in it, how many were refused for which reason, when it began and how long it took.

    ``began_ns`` counts from 1970-01-01 UTC. ``failure`` is what stopped the house, "" when nothing did.
    """

    commands: int
    refused: Mapping[str, int]
    began_ns: int
    spent_ns: int
    failure: str = ""


Watch = Callable[[Committed], None]


class WatchedSubmits:
    """A sequencer that tells of every batch it has carried out; nothing else about it changes."""

    def __init__(self, under: Submits, clock: Clock) -> None:
        """Put it over a sequencer; ``watches`` are called in the writer's thread and must be quick."""
        self._under, self._clock = under, clock
        self.watches: list[Watch] = []

    def submit(self, batch: Sequence[tuple[str, Submitted]], /) -> list[Answer]:
        """Carry out a batch as the sequencer does, and tell."""
        if not self.watches:
            return self._under.submit(batch)
        began_ns, before = self._clock.now_ns(), self._clock.elapsed_ns()
        try:
            answers = self._under.submit(batch)
        except BaseException as error:
            self._tell(Committed(len(batch), {}, began_ns, self._clock.elapsed_ns() - before, type(error).__name__))
            raise
        spent_ns = self._clock.elapsed_ns() - before
        refused = Counter(str(one.rejections[0].reason) for one in answers if isinstance(one, Refused))
        self._tell(Committed(len(batch), refused, began_ns, spent_ns))
        return answers

    def _tell(self, committed: Committed) -> None:
        for watch in self.watches:
            watch(committed)
