"""Where a request ends and the next begins is read in one way only: nothing is smuggled past a proxy.

Method: a server with the house's own protocol on a free port, and plain sockets.
"""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn
from test_api_server import _free_port

from tsingma.api.bounded_http import BoundedProtocol


async def _two(scope: Any, receive: Any, send: Any) -> None:
    """Answer with the path, and keep it."""
    while (await receive()).get("more_body"):
        pass
    SEEN.append(scope["path"])
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


SEEN: list[str] = []


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """A server with the house's protocol and an application that keeps which paths it was asked for."""
    at = _free_port()
    server = uvicorn.Server(
        uvicorn.Config(_two, port=at, http=BoundedProtocol, ws="none", lifespan="off", log_level="critical")
    )
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
    thread.start()
    until = time.monotonic() + 30
    while not server.started:
        assert time.monotonic() < until
        time.sleep(0.01)
    yield at
    server.should_exit = True
    thread.join(30)


INNER = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /a HTTP/1.1\r\nHost: x\r\n"
SMUGGLED = {
    "length and chunks": POST + b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks and length": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\n",
    "two lengths": POST + b"Content-Length: 0\r\nContent-Length: 36\r\n\r\n",
    "a list of lengths": POST + b"Content-Length: 0, 36\r\n\r\n",
    "a signed length": POST + b"Content-Length: +0\r\n\r\n",
    "a strange coding": POST + b"Transfer-Encoding: xchunked\r\n\r\n",
    "chunked, then more": POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "a space before the colon": POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "a folded line": POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "a bare line feed in a value": POST + b"X: a\nContent-Length: 36\r\n\r\n",
    "a bare carriage return": POST + b"X: a\rTransfer-Encoding: chunked\r\n\r\n",
    "NUL in a name": POST + b"Content-\0Length: 36\r\n\r\n",
    "a chunk longer than told": POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
    "a chunk of no size": POST + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
    "a chunk of too much": POST + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
}


@pytest.mark.parametrize("name", list(SMUGGLED))
def test_no_second_request_hides_behind_a_first(port: int, name: str) -> None:
    """Goal: where a request ends is no matter of opinion. Method: what servers have read in two ways; then a GET.

    Source: RFC 9112, sections 6.1 to 6.3 and 11.2. The message is refused, or its connection closed after it, so that
    the GET behind it is never taken for a request.
    """
    SEEN.clear()
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(SMUGGLED[name] + INNER)
        client.settimeout(1.0)
        heard = b""
        try:
            while part := client.recv(10_000):
                heard += part
        except (TimeoutError, ConnectionResetError):
            pass
    assert "/smuggled" not in SEEN, (SEEN, heard)


def test_no_upgrade_leads_past_the_bounds(port: int) -> None:
    """Goal: nothing but requests. Method: an upgrade to a WebSocket, and to HTTP/2: answered as the request it is."""
    for kind in (b"websocket", b"h2c"):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
            client.sendall(
                b"GET /u HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: "
                + kind
                + b"\r\nSec-WebSocket-Version: 13\r\n"
                b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
            )
            assert client.recv(100).startswith(b"HTTP/1.1 200")
