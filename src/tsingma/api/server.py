"""Serving a house: an application on one address, over TLS wherever others than this machine could listen."""

from __future__ import annotations

import gc
import ipaddress
import os
import ssl
import sys
import threading
import time
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

import uvicorn
from litestar import Litestar
from litestar.types import ControllerRouterHandler

from tsingma.api.application import application
from tsingma.api.bounded_http import BoundedProtocol
from tsingma.api.certificates import CertificateProtocol
from tsingma.api.checkers import Checker
from tsingma.api.keys import Keys, read_keys
from tsingma.api.logs import start_logs
from tsingma.api.metrics import Metrics
from tsingma.api.oidc import Provider, ProviderSettings, is_private
from tsingma.api.people import read_people
from tsingma.api.standby_door import StandbyDoor
from tsingma.app.house_market import HouseMarket
from tsingma.app.house_service import HouseService
from tsingma.app.serve_settings import ServeSettings
from tsingma.app.serving_standby import ServingStandby
from tsingma.app.session import on_a_server
from tsingma.basics.clock import SystemClock
from tsingma.basics.rejection import InvariantBroken, Rejected, RejectionReason, refuse

TURN_SECONDS = 0.001  # of a thread before another may have the interpreter
LOOK_SECONDS = 0.5  # how often it is looked whether the house still takes commands


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
    _require_authority(known, settings)
    market = HouseMarket(Path(settings.market.folder)) if settings.market.folder else None
    metrics = Metrics()
    checker = Checker() if (os.cpu_count() or 1) > 1 else None

    def make(service: HouseService) -> Litestar:
        return application(
            service, known, SystemClock(), keys_file=keys, limits=settings.limits,
            metrics=metrics, market=market, people=persons, people_file=people, checker=checker,
            for_acts=settings.acts, provider=_provider(settings), more_routes=more_routes,
        )  # fmt: skip

    end = metrics.listen(settings.metrics.port) if settings.metrics.port else None
    try:
        if settings.standby.enabled:
            _serve_after_another(settings, place, day, make, metrics)
        else:
            _serve_at_once(settings, place, day, make)
    finally:
        if checker is not None:
            checker.close()
        if end is not None:
            end()


_Make = Callable[[HouseService], Litestar]


def _serve_at_once(settings: ServeSettings, place: str, day: date | None, make: _Make) -> None:
    house = place if on_a_server(place) else Path(place)
    service = HouseService.open(house, day, lease_seconds=settings.house.lease_seconds)
    try:
        app = make(service)
    except Rejected:
        service.close()
        raise
    _prepare_interpreter()
    uvicorn.Server(_listening(app, settings)).run()


def _prepare_interpreter() -> None:
    """Look for circles of objects seldom, never among those of the start, and let threads take turns often.

    What a request leaves behind is mostly let go at once; looking through everything after every few requests took a
    quarter of the processor time of an order. Figures are arrays, so few objects ever wait to be looked at. A read
    needs the interpreter three times; while a long command runs it waits one turn each time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    sys.setswitchinterval(TURN_SECONDS)


def _serve_after_another(settings: ServeSettings, place: str, day: date | None, make: _Make, metrics: Metrics) -> None:
    """Stand by, take over, serve, and end when the house stops: whoever supervises the process starts it again.

    Raises what the standby failed with, InvariantBroken when the house stopped after it was taken over.
    """
    failures: list[BaseException] = []

    def fail(error: BaseException) -> None:
        failures.append(error)
        server.should_exit = True

    def made(service: HouseService) -> Litestar:
        app = make(service)
        threading.Thread(target=_until_stopped, args=(service, fail), name="watch", daemon=True).start()
        return app

    standby = ServingStandby(
        place, SystemClock(), lease_seconds=settings.house.lease_seconds,
        poll_seconds=settings.standby.poll_ms / 1_000, day=day,
    )  # fmt: skip
    door = StandbyDoor(standby, made, fail)
    metrics.gauge("standing_by", "1 while this process follows another one.", lambda: float(not door.serves()))
    metrics.gauge("standby_sequence", "Last record that the standby carried out.", standby.sequence)
    server = uvicorn.Server(_listening(door, settings))
    _prepare_interpreter()
    try:
        server.run()
    finally:
        standby.close()
    if failures:
        raise failures[0]


def _until_stopped(service: HouseService, fail: Callable[[BaseException], None]) -> None:
    """Wait until a house takes no more commands, and say so once."""
    while not (stopped := service.stopped()):
        time.sleep(LOOK_SECONDS)
    fail(InvariantBroken(f"the house stopped: {stopped}"))


def _named(value: str, field: str) -> str:
    if not value:
        raise refuse(
            RejectionReason.MISSING, "is not given", field=field,
            remedy=f"give the option, or {field} in the configuration file",
        )  # fmt: skip
    return value


def _provider(settings: ServeSettings) -> Provider | None:
    told = settings.provider
    if not told.issuer:
        return None
    for field, address in (("issuer", told.issuer), ("redirect", told.redirect)):
        if not is_private(address):
            raise refuse(RejectionReason.NOT_ALLOWED, "is not reached over TLS", field=f"provider.{field}")
    return Provider(ProviderSettings(told.issuer, told.client_id, told.redirect, told.client_secret), SystemClock(),
                    begun_seconds=settings.limits.sign_in_seconds)  # fmt: skip


def _require_authority(keys: Keys, settings: ServeSettings) -> None:
    bound = [key.id for key in keys.key if key.certificate]
    if bound and not settings.tls.client_ca:
        raise refuse(
            RejectionReason.CONFLICT, "is bound to a certificate, and no authority of clients is trusted",
            file=settings.keys.file, field="certificate", subject=f"key {bound[0]}", remedy="give --tls-client-ca",
        )  # fmt: skip


def _listening(app: Litestar | StandbyDoor, settings: ServeSettings) -> uvicorn.Config:
    limits = settings.limits
    return uvicorn.Config(
        app,
        host=settings.listen.address,
        port=settings.listen.port,
        log_config=None,  # lines go where ours go
        access_log=False,  # it would be a record of who asked for what, outside the journal
        server_header=False,
        loop="uvloop",
        ws="none",  # nothing here is a WebSocket, and no upgrade leads past the bounds of a request
        http=CertificateProtocol if settings.tls.client_ca else BoundedProtocol,
        limit_concurrency=limits.connections,
        timeout_keep_alive=limits.keep_alive_seconds,
        timeout_graceful_shutdown=limits.shut_down_seconds,
        ssl_certfile=settings.tls.certificate or None,
        ssl_keyfile=settings.tls.private_key or None,
        ssl_ca_certs=settings.tls.client_ca or None,
        ssl_cert_reqs=ssl.CERT_OPTIONAL if settings.tls.client_ca else ssl.CERT_NONE,
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
