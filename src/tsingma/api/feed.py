"""The event feed: server-sent events, one a record of the journal, from any sequence on and as far as one may see.

The id of an event is the record's sequence; a client that was cut off goes on from the last id it has
(``Last-Event-ID`` or ``from``). A feed ends within a second when its token does, or its key is withdrawn or changed:
the client comes back with a new one. A page's ends when its session does, or its person is changed.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from litestar import Request, get
from litestar.di import NamedDependency
from litestar.exceptions import TooManyRequestsException
from litestar.params import QueryParameter
from litestar.response import ServerSentEvent, ServerSentEventMessage

from tsingma.api.guard import Reach, access
from tsingma.api.permissions import Action, Resource
from tsingma.api.problems import responses
from tsingma.api.reading import Code, Reached, Service
from tsingma.api.tail import Ready, Seat, Tail, event_of
from tsingma.api.tokens import Caller
from tsingma.app.house_feed import tell
from tsingma.app.house_service import HouseService
from tsingma.app.serve_settings import LimitsSection

RECORDS_A_LOOK = 200
KEEP_ALIVE_SECONDS = 15.0
LOOK_SECONDS = 1.0  # how often it is looked whether those who follow still may
SEQUENCE_MAX = 2**53
After = Annotated[
    int, QueryParameter(name="from", ge=0, le=SEQUENCE_MAX, description="the last sequence already known")
]
Follow = Annotated[bool, QueryParameter(description="false: end at the end of the journal instead of waiting")]


class Feeds:
    """Which feeds are open, whose, and until when they may be."""

    def __init__(
        self, stands: Callable[[Caller], bool], tail: Tail, limits: LimitsSection | None = None,
        *, look: Callable[[], None] = lambda: None, wake: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        """Start without feeds; ``stands`` tells whether a caller still may, after ``look`` has read what changed.

        ``tail`` tells feeds at the end of the journal, ``wake`` has those look again that do not sit there.
        """
        self.stands, self.tail, self._limits = stands, tail, limits or LimitsSection()
        self._look, self._wake = look, wake
        self._open: Counter[str] = Counter()
        self._callers: Counter[Caller] = Counter()
        self._looking: asyncio.Task[None] | None = None

    def require_room(self, key: str) -> None:
        """Raise 429 when too many feeds are open, of all or of this key."""
        limits = self._limits
        if self._open.total() >= limits.feeds or self._open[key] >= limits.feeds_of_a_key:
            raise TooManyRequestsException("too many feeds are open", headers={"Retry-After": "30"})

    def count(self) -> int:
        """Return how many feeds are open."""
        return self._open.total()

    @contextmanager
    def counted(self, caller: Caller) -> Iterator[None]:
        """Count a feed as long as it streams: one whose client left before it began is never counted."""
        self._open[caller.key] += 1
        self._callers[caller] += 1
        if self._looking is None or self._looking.done():
            self._looking = asyncio.get_running_loop().create_task(self._look_on())
        try:
            yield
        finally:
            self._open[caller.key] -= 1
            self._callers[caller] -= 1
            if not self._callers[caller]:
                del self._callers[caller]

    async def _look_on(self) -> None:
        """Wake the feeds as soon as one of them may not go on; each then looks for itself."""
        while self._callers:
            await asyncio.sleep(LOOK_SECONDS)
            self._look()
            if not all(map(self.stands, self._callers)):
                self.tail.wake()
                self._wake()


@get("/events", opt=access(Resource.EVENTS, Action.READ), media_type="text/event-stream", responses=responses(422, 429))
async def events(
    request: Request[Any, Any, Any],
    service: Service,
    feeds: NamedDependency[Feeds],
    reach: Reached,
    after: After = 0,
    participant: Code = "",
    follow: Follow = True,
) -> ServerSentEvent:
    """Follow the journal from a sequence on."""
    mine = reach.participant(participant)
    last = request.headers.get("last-event-id", "")
    start = int(last) if last.isascii() and last.isdigit() and len(last) < 16 else after
    start = min(start, service.length())  # nobody has heard of what has not happened: others' end would be there too
    feeds.require_room(reach.caller.key)
    return ServerSentEvent(_stream(service, feeds, reach, start, mine, follow=follow))


async def _stream(
    service: HouseService, feeds: Feeds, reach: Reach, after: int, participant: str, *, follow: bool
) -> AsyncIterator[ServerSentEventMessage]:
    with feeds.counted(reach.caller):
        while feeds.stands(reach.caller):
            before = after
            after, found = await asyncio.to_thread(tell, service, after, RECORDS_A_LOOK, participant)
            if found:
                yield Ready(b"".join(map(event_of, found)))
            if after > before:
                continue
            if not follow:
                return
            with feeds.tail.seat(participant, after) as seat:
                if seat is None:
                    continue
                async for message in _sit(feeds, reach, seat):
                    yield message
                after = seat.at
                if seat.lost:
                    return


async def _sit(feeds: Feeds, reach: Reach, seat: Seat) -> AsyncIterator[ServerSentEventMessage]:
    """Tell what is told at the end of the journal, until the seat is no good any more or the token ends."""
    while not (seat.behind or seat.lost) and feeds.stands(reach.caller):
        events = await seat.take(KEEP_ALIVE_SECONDS)
        yield Ready(events) if events else ServerSentEventMessage(data=None, comment="here", id=seat.at, sep="\n")
