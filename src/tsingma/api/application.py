"""The application: all routes behind one guard, with their limits and the description of the interface."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from litestar import Litestar, Router
from litestar.connection import Request
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.types import ControllerRouterHandler

from tsingma.api import feed, problems, reads, writes
from tsingma.api.bodies import StrictRequest
from tsingma.api.door import Door
from tsingma.api.guard import Reach, guard_of, open_to_all, reach_of
from tsingma.api.key_watch import KeyWatch
from tsingma.api.keys import Keys, require_owners
from tsingma.api.patience import patient
from tsingma.api.tokens import TokenDesk
from tsingma.app.house_service import HouseService
from tsingma.basics.clock import Clock

BODY_BYTES_MAX = 1024 * 1024
INTERFACE_VERSION = "0.1"


def application(
    service: HouseService,
    keys: Keys,
    clock: Clock,
    *,
    keys_file: Path | None = None,
    body_bytes_max: int = BODY_BYTES_MAX,
    more_routes: Sequence[ControllerRouterHandler] = (),
) -> Litestar:
    """Return the application of an open house; it closes the house when it shuts down.

    ``keys`` were read from ``keys_file``, which is then watched; without it they hold to the end. ``body_bytes_max``
    bounds a request. ``more_routes`` are those of rooms above, the console; they stand behind the same guard.
    Raises Rejected (keys whose owner the house does not have, or may have no key), and then the house stays open.
    """
    members = service.read(lambda house, _at: {one.code: one for one in house.resolved.book.participants})
    require_owners(keys, members, str(keys_file or ""))
    entry, desk = Door(service), TokenDesk(keys, clock)
    feeds = feed.Feeds(desk)
    watch = KeyWatch(keys_file, desk, members, clock) if keys_file is not None else None

    def give_service() -> HouseService:
        return service

    def give_entry() -> Door:
        return entry

    def give_feeds() -> feed.Feeds:
        return feeds

    def give_keys_fault() -> str:
        return watch.fault if watch is not None else ""

    def give_reach(request: Request[Any, Any, Any]) -> Reach:
        return reach_of(request)

    return Litestar(
        route_handlers=[*reads.ROUTES, *writes.ROUTES, feed.events, *more_routes],
        guards=[guard_of(desk, watch.look if watch is not None else lambda: None)],
        dependencies={
            "service": Provide(give_service, sync_to_thread=False),
            "reach": Provide(give_reach, sync_to_thread=False),
            "entry": Provide(give_entry, sync_to_thread=False),
            "feeds": Provide(give_feeds, sync_to_thread=False),
            "keys_fault": Provide(give_keys_fault, sync_to_thread=False),
        },
        exception_handlers=problems.HANDLERS,
        request_max_body_size=body_bytes_max,
        openapi_config=_description(),
        on_shutdown=[entry.close, service.close],
        middleware=[patient],
        request_class=StrictRequest,
        logging_config=None,
        debug=False,
    )


def _description() -> OpenAPIConfig:
    return OpenAPIConfig(
        title="Tsingma",
        version=INTERFACE_VERSION,
        description="A post-trade house: its day, balances, positions, instructions, margin calls and links.",
        security=[{"token": []}],
        components=Components(
            security_schemes={"token": SecurityScheme(type="http", scheme="bearer", bearer_format="JWT, Ed25519")}
        ),
        use_handler_docstrings=True,
        openapi_router=Router("/openapi", route_handlers=[], opt=open_to_all(), include_in_schema=False),
        render_plugins=[JsonRenderPlugin(path="/openapi.json")],
    )
