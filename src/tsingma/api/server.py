"""Serving a house: an application on one address, over TLS wherever others than this machine could listen."""

from __future__ import annotations

import ipaddress
from datetime import date
from pathlib import Path

import uvicorn

from tsingma.api.application import application
from tsingma.api.keys import read_keys
from tsingma.app.house_service import HouseService
from tsingma.basics.clock import SystemClock
from tsingma.basics.rejection import Rejected, RejectionReason, refuse

CONNECTIONS_MAX = 1_024
HEADER_BYTES_MAX = 16 * 1024
KEEP_ALIVE_SECONDS = 5
SHUT_DOWN_SECONDS = 5


def serve(
    house: Path | str,
    keys: Path,
    host: str,
    port: int,
    *,
    day: date | None = None,
    certificate: Path | None = None,
    private_key: Path | None = None,
) -> None:
    """Serve a house until the process is told to end; it is the house's writer meanwhile.

    ``day`` is opened first, unless it was before. Raises Rejected: keys file, house (none, no book, another writer,
    a day that cannot be opened), not-allowed (an address that other machines
    reach without TLS).
    """
    require_privacy(host, tls=certificate is not None and private_key is not None)
    known = read_keys(keys)
    service = HouseService.open(house, day)
    try:
        app = application(service, known, SystemClock(), keys_file=keys)
    except Rejected:
        service.close()
        raise
    uvicorn.Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            log_level="warning",
            access_log=False,  # it would be a record of who asked for what, outside the journal
            server_header=False,
            limit_concurrency=CONNECTIONS_MAX,
            h11_max_incomplete_event_size=HEADER_BYTES_MAX,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=SHUT_DOWN_SECONDS,
            ssl_certfile=certificate,
            ssl_keyfile=private_key,
        )
    ).run()


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
