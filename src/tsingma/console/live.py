"""Pages that stay true by themselves: a stream that says when the journal has grown, at most once a second.

It tells the number of the last record and nothing else; the page then asks for its own fragment again. Without a
script nothing of this happens and the page has a link that loads it again. A stream ends within a second when whoever
asked for it signs out, is idle too long, is locked or given another role.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from litestar import get
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from litestar.response import ServerSentEvent, ServerSentEventMessage

from tsingma.api.door import Door
from tsingma.api.feed import KEEP_ALIVE_SECONDS, Feeds, Follow
from tsingma.api.guard import Reach, access, refreshed_by_itself
from tsingma.api.permissions import Action, Resource
from tsingma.api.reads import NUMBER_MAX, Reached, Service
from tsingma.app.house_service import HouseService

PAUSE_SECONDS = 1.0
After = Annotated[int | None, QueryParameter(ge=0, le=NUMBER_MAX)]


@get(
    "/changes",
    opt={**access(Resource.EVENTS, Action.READ), **refreshed_by_itself()},
    media_type="text/event-stream",
)
async def changes(
    service: Service, entry: NamedDependency[Door], feeds: NamedDependency[Feeds], reach: Reached,
    follow: Follow = True, after: After = None,
) -> ServerSentEvent:  # fmt: skip
    """Say when there are new records, as events named ``record``; ``follow=false``: say where the journal ends.

    ``after`` is the record as of which the page stands, so that one between the page and its stream is told too.
    """
    feeds.require_room(reach.caller.key)
    told = service.length() if after is None else min(after, service.length())
    return ServerSentEvent(_stream(service, entry, feeds, reach, told, follow=follow))


async def _stream(
    service: HouseService, entry: Door, feeds: Feeds, reach: Reach, told: int, *, follow: bool
) -> AsyncIterator[ServerSentEventMessage]:
    with feeds.counted(reach.caller):
        yield ServerSentEventMessage(data=None, comment="here", id=told, sep="\n")
        while follow and feeds.stands(reach.caller):
            length = service.length()
            if length != told:
                told = length
                yield ServerSentEventMessage(data=str(told), event="record", id=told, sep="\n")
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            await entry.changed(KEEP_ALIVE_SECONDS)
            yield ServerSentEventMessage(data=None, comment="here", id=told, sep="\n")


ROUTES = (changes,)
