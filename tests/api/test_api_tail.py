"""The shared end of the journal: told once for all, without gaps, and nobody who is slow holds anything.

Method: a journal of numbers that the test lengthens, looks that are counted, feeds that follow as the route's do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import pytest

from tsingma.api import tail as tail_module
from tsingma.api.tail import SEAT_BYTES_MAX, Seat, Tail, event_of
from tsingma.app.commit_watch import Committed
from tsingma.app.house_feed import Told

COMMITTED = Committed(1, {}, 0, 0)


class Journal:
    """Records that are numbers; overseers ("") see all, a participant those that its name's length divides."""

    def __init__(self) -> None:
        """Start empty."""
        self.length, self.looks = 0, 0
        self._watch: Callable[[Committed], None] = lambda _told: None

    def watch(self, watch: Callable[[Committed], None]) -> None:
        """Be heard by one."""
        self._watch = watch

    def append(self, count: int) -> None:
        """Add records and tell."""
        self.length += count
        self._watch(COMMITTED)

    def look(self, _service: Any, after: int, limit: int, who: frozenset[str]) -> tuple[int, dict[str, list[Told]]]:
        """Answer as ``tell_all`` does."""
        self.looks += 1
        at = min(self.length, after + limit)
        return at, {one: [Told(n, "t", "", (), ()) for n in range(after + 1, at + 1) if sees(one, n)] for one in who}


def sees(who: str, number: int) -> bool:
    """Return whether a reader sees a record."""
    return not who or number % len(who) == 0


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail_module, "LOOK_SECONDS", 0.001)


async def follow(tail: Tail, journal: Journal, who: str, until: int, seen: list[int]) -> None:
    """Follow to a record: read what is behind, then sit at the end."""
    after = 0
    while after < until:
        after, found = (lambda at, told: (at, told[who]))(*journal.look(None, after, 3, frozenset((who,))))
        seen += [one.sequence for one in found]
        with tail.seat(who, after) as seat:
            if seat is None:
                continue
            while seat.at < until and not seat.behind:
                events = await seat.take(5.0)
                seen += [int(line[4:]) for line in events.split(b"\n") if line.startswith(b"id: ")]
            after = seat.at


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run to the end, and not for ever."""
    asyncio.run(asyncio.wait_for(work, 30))


def test_everybody_is_told_everything_once() -> None:
    """Goal: no gap and no repeat, whoever joins when. Method: twenty feeds of three readers join while it grows."""
    journal, seen = Journal(), {place: [] for place in range(20)}
    names = ["", "ab", "abc"]

    async def work() -> None:
        tail = Tail(journal, journal.look)  # type: ignore[arg-type]
        feeds = []
        for place in range(20):
            feeds.append(asyncio.create_task(follow(tail, journal, names[place % 3], 200, seen[place])))
            journal.append(5)
            await asyncio.sleep(0.002)
        while journal.length < 200:
            journal.append(7 if journal.length < 190 else 200 - journal.length)
            await asyncio.sleep(0.002)
        await asyncio.gather(*feeds)

    run(work())
    for place, numbers in seen.items():
        assert numbers == [number for number in range(1, 201) if sees(names[place % 3], number)]


def test_one_look_is_for_all() -> None:
    """Goal: what it costs to look does not grow with who follows. Method: fifty at the end, looks counted."""
    journal, seen = Journal(), [[] for _ in range(50)]

    async def work() -> None:
        tail = Tail(journal, journal.look)  # type: ignore[arg-type]
        feeds = [asyncio.create_task(follow(tail, journal, "", 10, numbers)) for numbers in seen]
        await asyncio.sleep(0.1)
        before = journal.looks
        for _ in range(10):
            journal.append(1)
            await asyncio.sleep(0.005)
        await asyncio.gather(*feeds)
        assert journal.looks - before <= 2 * 10 + 1

    run(work())
    assert seen == [list(range(1, 11))] * 50


def test_who_is_too_slow_loses_the_seat_and_no_one_else_does() -> None:
    """Goal: bounded memory; what was told is whole up to the last id. Method: one takes nothing, one takes all."""

    async def work() -> None:
        slow, quick, event = Seat("", 0), Seat("", 0), event_of(Told(1, "t", "", (), ()))
        sequence = 0
        while not slow.lost:
            sequence += 1
            for seat in (slow, quick):
                seat.put([(sequence, event)], sequence)
            with suppress(TimeoutError):
                await quick.take(0)
        slow.put([(sequence + 1, event)], sequence + 1)
        assert (slow.at, quick.lost) == (sequence, False)
        assert len(await slow.take(0)) == sequence * len(event) <= SEAT_BYTES_MAX + len(event)

    run(work())


def test_a_seat_that_was_not_looked_up_reads_by_itself() -> None:
    """Goal: who joins during a look misses nothing. Method: a look without its participant."""

    async def work() -> None:
        seat = Seat("ab", 3)
        seat.put(None, 9)
        assert (seat.behind, seat.at, await seat.take(5)) == (True, 3, b"")

    run(work())


def test_a_look_that_fails_leaves_nobody_waiting() -> None:
    """Goal: no feed is silent for ever. Method: the journal cannot be read: the seat reads by itself, and is told."""

    async def work() -> None:
        def broken(*_asked: Any) -> Any:
            raise OSError("disk")

        journal = Journal()
        tail = Tail(journal, broken)  # type: ignore[arg-type]
        with tail.seat("", 0) as seat:
            assert seat is not None
            assert await seat.take(5) == b""
            assert seat.behind

    run(work())
