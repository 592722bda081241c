"""Serving a house: an application on one address, over TLS wherever others than this machine could listen."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import uvicorn
from litestar import Litestar
from litestar.types import ControllerRouterHandler

from tsingma.api.application import application
from tsingma.api.checkers import Checker
from tsingma.api.keys import read_keys
from tsingma.api.logs import start_logs
from tsingma.api.metrics import Metrics
from tsingma.api.people import read_people
from tsingma.app.house_market import HouseMarket
from tsingma.app.house_service import HouseService
from tsingma.app.serve_settings import ServeSettings
from tsingma.app.session import on_a_server
from tsingma.basics.clock import SystemClock
from tsingma.basics.rejection import Rejected, RejectionReason, refuse

HEADER_BYTES_MAX = 16 * 1024


def serve(
    settings: ServeSettings, day: date | None = None, *, more_routes: Sequence[ControllerRouterHandler] = ()
) -> None:
    """Serve a house until the process is told to end; it is the house's writer meanwhile.

    ``day`` is opened first, unless it was before; ``more_routes`` are those of rooms above. Raises Rejected: missing
    (no house or no keys file is named, a market without prices), keys or people file, house (none, no book, another
    writer, a day that cannot be opened), not-allowed (an address that other machines reach without TLS).
    """
    start_logs(settings.log.level)
    require_privacy(settings.listen.address, tls=bool(settings.tls.certificate))
    keys = Path(_named(settings.keys.file, "keys.file"))
    place = _named(settings.house.place, "house.place")
    people = Path(settings.people.file) if settings.people.file else None
    known, persons = read_keys(keys), read_people(people) if people is not None else None
    market = HouseMarket(Path(settings.market.folder)) if settings.market.folder else None
    metrics = Metrics()
    checker = Checker() if (os.cpu_count() or 1) > 1 else None
    service = HouseService.open(place if on_a_server(place) else Path(place), day)
    try:
        app = application(
            service, known, SystemClock(), keys_file=keys, body_bytes_max=settings.limits.body_bytes,
            metrics=metrics, market=market, people=persons, people_file=people, checker=checker,
            more_routes=more_routes,
        )  # fmt: skip
    except Rejected:
        service.close()
        if checker is not None:
            checker.close()
        raise
    end = metrics.listen(settings.metrics.port) if settings.metrics.port else None
    try:
        uvicorn.Server(_listening(app, settings)).run()
    finally:
        if checker is not None:
            checker.close()
        if end is not None:
            end()


def _named(value: str, field: str) -> str:
    if not value:
        raise refuse(
            RejectionReason.MISSING, "is not given", field=field,
            remedy=f"give the option, or {field} in the configuration file",
        )  # fmt: skip
    return value


def _listening(app: Litestar, settings: ServeSettings) -> uvicorn.Config:
    limits = settings.limits
    return uvicorn.Config(
        app,
        host=settings.listen.address,
        port=settings.listen.port,
        log_config=None,  # lines go where ours go
        access_log=False,  # it would be a record of who asked for what, outside the journal
        server_header=False,
        loop="uvloop",
        http="httptools",
        limit_concurrency=limits.connections,
        h11_max_incomplete_event_size=HEADER_BYTES_MAX,
        timeout_keep_alive=limits.keep_alive_seconds,
        timeout_graceful_shutdown=limits.shut_down_seconds,
        ssl_certfile=settings.tls.certificate or None,
        ssl_keyfile=settings.tls.private_key or None,
    )


def require_privacy(host: str, *, tls: bool) -> None:
    """Refuse an address that other machines reach unless it is over TLS: a token is good for whoever reads it."""
    try:
        local = ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = host == "localhost"
    if not local and not tls:
        raise refuse(
            RejectionReason.NOT_ALLOWED,
            f"{host} is reached by other machines, and there is no TLS",
            field="host",
            remedy="give --tls-certificate and --tls-key, or serve on 127.0.0.1 behind a proxy that has TLS",
        )
