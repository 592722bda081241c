"""What comes before a body is bounded too: a served house, and clients that never end their headers, or never begin.

Goal: who has not said who it is holds neither memory nor a connection. Method: a server on a free port, with bounds
lowered, and plain sockets.
"""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import uvicorn
from test_api_server import _free_port

from tsingma.api import bounded_http
from tsingma.api.bounded_http import BoundedProtocol
from tsingma.api.certificates import CertificateProtocol

SECONDS = 0.5


async def _answer(scope: dict[str, object], receive: object, send: object) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})  # type: ignore[operator]
    await send({"type": "http.response.body", "body": b"ok"})  # type: ignore[operator]


@pytest.fixture(params=[BoundedProtocol, CertificateProtocol])
def port(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A server with the protocol, whose heads may take half a second."""
    monkeypatch.setattr(bounded_http, "HEADER_SECONDS_MAX", SECONDS)
    at = _free_port()
    server = uvicorn.Server(uvicorn.Config(_answer, port=at, http=request.param, lifespan="off", log_level="error"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
    thread.start()
    until = time.monotonic() + 30
    while not server.started:
        assert time.monotonic() < until
        time.sleep(0.01)
    yield at
    server.should_exit = True
    thread.join(30)


def connect(port: int) -> socket.socket:
    """Return a connection that waits at most half a minute."""
    return socket.create_connection(("127.0.0.1", port), timeout=30)


def answered(client: socket.socket) -> bytes:
    """Return a whole answer."""
    heard = b""
    while b"ok" not in heard:
        part = client.recv(1_000)
        assert part, "hung up"
        heard += part
    return heard


def test_headers_without_end_are_refused(port: int) -> None:
    """Goal: bounded memory. Method: a megabyte of headers; the server answers 431, or has hung up, soon."""
    with connect(port) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
        sent = 0
        try:
            while sent < 32 * 1024**2:
                client.sendall(b"X-A: " + b"a" * 8_000 + b"\r\n")
                sent += 8_007
            answer = client.recv(100)
        except (BrokenPipeError, ConnectionResetError):
            answer = b""
        assert sent < 32 * 1024**2
        assert answer == b"" or b" 431 " in answer


@pytest.mark.parametrize("begun", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: x\r\n"], ids=["none", "line", "headers"])
def test_a_head_that_does_not_come_is_given_up(port: int, begun: bytes) -> None:
    """Goal: no connection is held. Method: nothing, half a line, half the headers; first and second request."""
    for before in (b"", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"):
        if before and not begun:
            continue  # between requests the server has its own patience
        with connect(port) as client:
            if before:
                client.sendall(before)
                assert b" 200 " in answered(client)
            began = time.monotonic()
            client.sendall(begun)
            assert client.recv(100) == b""
            assert time.monotonic() - began >= SECONDS / 2


def test_heads_within_bounds_and_their_bodies_pass(port: int) -> None:
    """Goal: nothing else changes. Method: many headers in pieces, a body, twice on one connection."""
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n" + b"X-A: b\r\n" * 500 + b"\r\n"
    with connect(port) as client:
        for _ in range(2):
            for start in range(0, len(head), 1_500):
                client.sendall(head[start : start + 1_500])
            client.sendall(bytes(200_000))
            assert b" 200 " in answered(client)


def test_the_server_uses_it() -> None:
    """Goal: no other protocol slips in. Method: the one place that chooses."""
    text = (Path(bounded_http.__file__).parent / "server.py").read_text(encoding="utf-8")
    assert "else BoundedProtocol" in text
    assert issubclass(CertificateProtocol, BoundedProtocol)


def test_fields_after_a_body_are_dropped_and_bounded(port: int) -> None:
    """Goal: no memory for who was answered. Method: trailers or an extension of a chunk without end: hung up soon."""
    for begun, more in (
        (b"0\r\n", b"X-A: " + b"a" * 8_000 + b"\r\n"), (b"0\r\nX-A: ", b"a" * 8_000), (b"1;", b"a" * 8_000),
    ):  # fmt: skip
        with connect(port) as client:
            client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + begun)
            answered(client)
            sent = 0
            with suppress(BrokenPipeError, ConnectionResetError):
                while sent < 32 * 1024**2:
                    client.sendall(more)
                    sent += len(more)
            assert sent < 32 * 1024**2


def test_a_body_that_nobody_reads_any_more_is_given_up(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Goal: no connection is held. Method: answered before the body, which comes in drops; whole ones go on."""
    monkeypatch.setattr(bounded_http, "REST_SECONDS_MAX", SECONDS)
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"
    with connect(port) as client:
        client.sendall(head)
        answered(client)
        client.sendall(b"a" * 1_000 + head)  # in time: the next request is heard
        answered(client)
        client.settimeout(SECONDS / 10)
        heard, until = b"?", time.monotonic() + 20
        while heard:
            assert time.monotonic() < until
            try:
                client.sendall(b"a")
                heard = client.recv(100)
            except TimeoutError:
                continue
            except (BrokenPipeError, ConnectionResetError):
                heard = b""


def test_a_long_body_in_chunks_arrives(port: int) -> None:
    """Goal: bodies are not taken for heads. Method: a megabyte in chunks with short extensions and one trailer."""
    with connect(port) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(100):
            client.sendall(b"2800;x=1\r\n" + b"a" * 10_240 + b"\r\n")
        client.sendall(b"0\r\nX-A: b\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n")
        answers = b""
        while answers.count(b"ok") < 2:
            part = client.recv(1_000)
            assert part, "hung up"
            answers += part


def test_a_body_is_not_counted_with_the_head_behind_it(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Goal: requests that are sent together are heard. Method: a body longer than a head may be, half a head behind."""
    monkeypatch.setattr(bounded_http, "HEADER_BYTES_MAX", 100)
    with connect(port) as client:
        head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3000\r\n\r\n"
        client.sendall(head + bytes(3_000) + head[:20])
        answered(client)
        time.sleep(SECONDS / 5)
        client.sendall(head[20:])
        answered(client)
