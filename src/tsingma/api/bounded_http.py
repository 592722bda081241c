"""HTTP on one connection with bounds on what comes before a body: the head of a request, in bytes and in seconds.

The parser in C has neither: a client that sends header after header, or one byte a minute, would hold memory or a
connection without end, and nobody has asked yet who it is.
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEADER_BYTES_MAX = 64 * 1024
HEADER_SECONDS_MAX = 10.0
_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"  # RFC 6585, 5
)


class BoundedProtocol(HttpToolsProtocol):
    """A connection that is closed when the head of a request is too large, or does not arrive in time."""

    _in_head = True
    _head_bytes = 0
    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a first request."""
        super().connection_made(transport)
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._head_is_there()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came; while it ends within a head, count it."""
        super().data_received(data)
        if not self._in_head:
            return
        self._head_bytes += len(data)
        if self._head_bytes > HEADER_BYTES_MAX:
            self._close(_TOO_LARGE)
        elif self._head_timer is None:
            self._wait_for_head()

    def on_message_begin(self) -> None:
        """Begin to count a new head."""
        self._in_head, self._head_bytes = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Stop counting: bodies have bounds of their own."""
        self._in_head = False
        self._head_is_there()
        super().on_headers_complete()

    def _wait_for_head(self) -> None:
        self._head_timer = self.loop.call_later(HEADER_SECONDS_MAX, self._close, b"")

    def _head_is_there(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _close(self, answer: bytes) -> None:
        self._head_is_there()
        if not self.transport.is_closing():
            if answer:
                self.transport.write(answer)
            self.transport.close()
