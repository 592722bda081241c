"""The event feed: server-sent events, one a record of the journal, from any sequence on and as far as one may see.

The id of an event is the record's sequence; a client that was cut off goes on from the last id it has
(``Last-Event-ID`` or ``from``). A feed ends when its token does, or its key is withdrawn: the client comes back with a
new one.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
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
from tsingma.api.tokens import TokenDesk
from tsingma.app.house_feed import tell
from tsingma.app.house_service import HouseService

RECORDS_A_LOOK = 200
KEEP_ALIVE_SECONDS = 15.0
FEEDS_MAX = 512
FEEDS_OF_A_KEY_MAX = 16
SEQUENCE_MAX = 2**53
After = Annotated[
    int, QueryParameter(name="from", ge=0, le=SEQUENCE_MAX, description="the last sequence already known")
]
Follow = Annotated[bool, QueryParameter(description="false: end at the end of the journal instead of waiting")]


class Feeds:
    """Which feeds are open, and the clock by which they end."""

    def __init__(self, desk: TokenDesk, tail: Tail) -> None:
        """Start without feeds; ``tail`` tells those at the end of the journal."""
        self.desk, self.tail = desk, tail
        self._open: Counter[str] = Counter()

    def require_room(self, key: str) -> None:
        """Raise 429 when too many feeds are open, of all or of this key."""
        if self._open.total() >= FEEDS_MAX or self._open[key] >= FEEDS_OF_A_KEY_MAX:
            raise TooManyRequestsException("too many feeds are open", headers={"Retry-After": "30"})

    def count(self) -> int:
        """Return how many feeds are open."""
        return self._open.total()

    @contextmanager
    def counted(self, key: str) -> Iterator[None]:
        """Count a feed as long as it streams: one whose client left before it began is never counted."""
        self._open[key] += 1
        try:
            yield
        finally:
            self._open[key] -= 1


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
    feeds.require_room(reach.caller.key)
    return ServerSentEvent(_stream(service, feeds, reach, start, mine, follow=follow))


async def _stream(
    service: HouseService, feeds: Feeds, reach: Reach, after: int, participant: str, *, follow: bool
) -> AsyncIterator[ServerSentEventMessage]:
    with feeds.counted(reach.caller.key):
        while feeds.desk.stands(reach.caller):
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
    while not (seat.behind or seat.lost) and feeds.desk.stands(reach.caller):
        events = await seat.take(KEEP_ALIVE_SECONDS)
        yield Ready(events) if events else ServerSentEventMessage(data=None, comment="here", id=seat.at, sep="\n")
