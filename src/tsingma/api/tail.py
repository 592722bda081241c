"""The end of the journal, looked at once for all feeds: told once for each participant, whoever many follow.

A feed reads what is behind it by itself and takes a seat when it has come to the end. Who takes what is told too slowly
loses the seat and its feed ends: the client comes back with the last id it has, and nothing is lost.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import msgspec
from litestar.response import ServerSentEventMessage

from tsingma.app.commit_watch import Committed
from tsingma.app.house_feed import Told, tell_all
from tsingma.app.house_service import HouseService
from tsingma.basics.rejection import InvariantBroken, Rejected

RECORDS_A_LOOK = 500
LOOK_SECONDS = 0.05  # at least between two looks: what comes meanwhile is told together
SEAT_BYTES_MAX = 256 * 1024  # told and not taken, before the seat is lost
_Event = tuple[int, bytes]  # sequence, and the event as it is sent
Found = dict[str, list[_Event]]
Look = Callable[[HouseService, int, int, frozenset[str]], tuple[int, dict[str, list[Told]]]]


def event_of(told: Told) -> bytes:
    """Return one record as a server-sent event."""
    data = msgspec.json.encode(told)
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (told.sequence, told.command.encode(), data)


class Ready(ServerSentEventMessage):
    """Events that are written already."""

    def __init__(self, events: bytes) -> None:
        """Take them over."""
        super().__init__()
        self._events = events

    def encode(self) -> bytes:
        """Return them."""
        return self._events


class Seat:
    """What one feed at the end has not taken yet; it has been told everything up to record ``at``."""

    def __init__(self, participant: str, at: int) -> None:
        """Start with nothing behind a record; ``participant`` sees it ("": an overseer)."""
        self.participant, self.at = participant, at
        self.lost = False  # too slow: the feed ends
        self.behind = False  # something was not told: the feed reads it by itself
        self._events: deque[_Event] = deque()
        self._bytes = 0
        self._something = asyncio.Event()

    def put(self, events: list[_Event] | None, at: int) -> None:
        """Be told what is there up to a record; None when it was not looked up for this participant."""
        if events is None:
            self.behind = True
        elif not (self.behind or self.lost):
            for sequence, event in events:
                if sequence > self.at:
                    self._events.append((sequence, event))
                    self._bytes += len(event)
            self.at = max(self.at, at)
            self.lost = self._bytes > SEAT_BYTES_MAX
        if self._events or self.behind or self.lost:
            self._something.set()

    def wake(self) -> None:
        """Have the feed look again, with nothing to tell."""
        self._something.set()

    async def take(self, seconds: float) -> bytes:
        """Return events that are there, as soon as there are any; nothing after so many seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._something.wait()
        found = b"".join(event for _, event in self._events)
        self._events.clear()
        self._bytes = 0
        self._something.clear()
        return found


class Tail:
    """Looks at the end of the journal as long as somebody sits there."""

    def __init__(self, service: HouseService, look: Look = tell_all) -> None:
        """Hear of every batch of a service from now on."""
        self._service, self._look = service, look
        self._seats: set[Seat] = set()
        self._at = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None
        service.watch(self._wake)

    @contextmanager
    def seat(self, participant: str, at: int) -> Iterator[Seat | None]:
        """Give a seat to a feed that has been told everything up to a record; None when that is not the end any more.

        It is taken away again when the block ends.
        """
        if self._looking is None or self._looking.done():
            self._loop, self._at = asyncio.get_running_loop(), at
            self._woken.set()  # something may have come before anybody listened
            self._looking = self._loop.create_task(self._run())
        if self._at > at:
            yield None
            return
        seat = Seat(participant, at)
        self._seats.add(seat)
        try:
            yield seat
        finally:
            self._seats.discard(seat)

    def wake(self) -> None:
        """Have everybody who sits here look whether he still may."""
        for seat in self._seats:
            seat.wake()

    def _wake(self, _told: Committed) -> None:
        """Look again; called in the writer's thread after every batch."""
        if self._loop is not None and self._seats and not self._woken.is_set():
            with suppress(RuntimeError):  # the loop has ended, and everybody with it
                self._loop.call_soon_threadsafe(self._woken.set)

    async def _run(self) -> None:
        try:
            await self._look_on()
        except (Rejected, InvariantBroken):
            return
        finally:
            for seat in self._seats:
                seat.put(None, self._at)  # it reads by itself, and is told what is wrong

    async def _look_on(self) -> None:
        await asyncio.sleep(0)  # whoever began this takes a seat first
        while self._seats:
            with suppress(TimeoutError):
                async with asyncio.timeout(1.0):  # whoever sat here may have left
                    await self._woken.wait()
            if not self._woken.is_set():
                continue
            self._woken.clear()
            if await self._tell():
                self._woken.set()
            await asyncio.sleep(LOOK_SECONDS)

    async def _tell(self) -> bool:
        """Look once and tell everybody; returns whether there was something."""
        participants = frozenset(seat.participant for seat in self._seats)
        at, found = await asyncio.to_thread(self._find, participants)
        more, self._at = at > self._at, at
        for seat in self._seats:
            seat.put(found.get(seat.participant), at)
        return more

    def _find(self, participants: frozenset[str]) -> tuple[int, Found]:
        at, told = self._look(self._service, self._at, RECORDS_A_LOOK, participants)
        return at, {who: [(one.sequence, event_of(one)) for one in seen] for who, seen in told.items()}
