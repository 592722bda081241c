"""HTTP on one connection with bounds on all that is no body: heads, trailers and extensions of chunks, bodies unread.

The parser in C has none: a client that sends header after header, or one byte a minute, would hold memory or a
connection without end, and nobody has asked yet who it is. Fields after a body are dropped (RFC 9110, section 6.5.1).
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEADER_BYTES_MAX = 64 * 1024
HEADER_SECONDS_MAX = 10.0
REST_SECONDS_MAX = 10.0  # for what is left of a body when the answer is sent
_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"  # RFC 6585, 5
)


class BoundedProtocol(HttpToolsProtocol):
    """A connection that is closed when what is no body of a request is too large, or does not arrive in time."""

    _in_head = True
    _in_body = False  # or behind it: the message has not ended
    _counts_anew = False
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
        """Take what came; while it ends within a head, or brought nothing of a body, count it."""
        self._counts_anew = False
        super().data_received(data)
        if not (self._in_head or self._in_body):
            return
        self._head_bytes = 0 if self._counts_anew else self._head_bytes + len(data)  # what came before is no part of it
        if self._head_bytes > HEADER_BYTES_MAX:
            self._close(_TOO_LARGE if self._in_head else b"")
        elif self._in_head and self._head_timer is None:
            self._wait_for_head()

    def on_message_begin(self) -> None:
        """Begin to count a new head."""
        self._in_head = self._counts_anew = True
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a field of the head; one after the body is no part of what was asked."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Stop counting: bodies have bounds of their own."""
        self._in_head, self._in_body, self._counts_anew = False, True, True
        self._head_is_there()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Start counting again: a body goes on."""
        self._counts_anew = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Wait no more for the rest."""
        self._in_body = False
        self._head_is_there()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Give what is left of a body that nobody reads any more a while to arrive."""
        super().on_response_complete()
        if self._in_body and self._head_timer is None and not self.transport.is_closing():
            self._head_timer = self.loop.call_later(REST_SECONDS_MAX, self._close, b"")

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
