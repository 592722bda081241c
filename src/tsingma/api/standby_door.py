"""An application that answers 503 while it stands by, and is the application of the house once it was taken over."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import msgspec
from litestar import Litestar
from litestar.enums import ScopeType
from litestar.types import LifeSpanReceive, LifeSpanScope, LifeSpanSend, Receive, Scope, Send

from tsingma.api.problems import MEDIA_TYPE, of_status
from tsingma.app.house_service import HouseService
from tsingma.app.serving_standby import ServingStandby
from tsingma.app.standby import TakeOver

LOG = logging.getLogger("tsingma.standby")
RETRY_SECONDS = "1"


class StandbyDoor:
    """Serves nothing but its health until the house is taken over."""

    def __init__(
        self,
        standby: ServingStandby,
        make: Callable[[HouseService], Litestar],
        failed: Callable[[BaseException], None],
    ) -> None:
        """Stand by once the process serves; ``make`` gives the application, ``failed`` ends the process."""
        self._standby, self._make, self._failed = standby, make, failed
        self._app: Litestar | None = None
        self._ended = asyncio.Event()
        self._holding: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def serves(self) -> bool:
        """Return whether the house was taken over and is served."""
        return self._app is not None

    async def __call__(
        self, scope: Scope | LifeSpanScope, receive: Receive | LifeSpanReceive, send: Send | LifeSpanSend
    ) -> None:
        """Answer as the house does, or that this process stands by."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)  # type: ignore[arg-type]
        elif self._app is not None:
            await self._app(scope, receive, send)
        elif scope["type"] == ScopeType.HTTP:
            await _stand_by(scope["path"], send)  # type: ignore[arg-type]

    async def _live(self, receive: LifeSpanReceive, send: LifeSpanSend) -> None:
        await receive()
        self._loop = asyncio.get_running_loop()
        self._standby.start(self._taken, self._failed)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await asyncio.to_thread(self._standby.close)
        self._ended.set()
        if self._holding is not None:
            await self._holding  # the application is shut down, and with it the house
        await send({"type": "lifespan.shutdown.complete"})

    def _taken(self, service: HouseService, told: TakeOver) -> None:
        """Open the application on the loop; called in the standby's thread, which waits for it."""
        if self._loop is None:
            return
        try:
            asyncio.run_coroutine_threadsafe(self._open(service), self._loop).result()
        except BaseException:
            service.close()
            raise
        LOG.warning(
            "took over",
            extra={"writer": told.epoch, "record": told.sequence, "caught_up": told.caught_up,
                   "milliseconds": told.milliseconds},
        )  # fmt: skip

    async def _open(self, service: HouseService) -> None:
        opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._holding = asyncio.create_task(self._hold(service, opened))
        await opened

    async def _hold(self, service: HouseService, opened: asyncio.Future[None]) -> None:
        """Keep the application open until the end: one task enters its life and leaves it, as it must be."""
        try:
            app = self._make(service)
            async with app.lifespan():
                self._app = app
                opened.set_result(None)
                await self._ended.wait()
        except Exception as error:
            if opened.done():
                raise
            opened.set_exception(error)


async def _stand_by(path: str, send: Send) -> None:
    """Answer health with 200 and everything else with 503: this process follows another."""
    alive = path == "/health"
    problem = of_status(503, "this process stands by: another one writes the house", path)
    body = b'{"status":"standing by"}' if alive else msgspec.json.encode(problem)
    media_type = b"application/json" if alive else MEDIA_TYPE.encode()
    headers = [(b"content-type", media_type), (b"content-length", str(len(body)).encode())]
    if not alive:
        headers.append((b"retry-after", RETRY_SECONDS.encode()))
    await send({"type": "http.response.start", "status": 200 if alive else 503, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
