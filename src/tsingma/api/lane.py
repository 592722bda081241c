"""The short way for the request that is sent most: orders to ``POST /instructions``, plainly told.

Everything that decides is what decides for every request: the table of permissions, the desk of tokens, the route's own
decoder and function, the problems. Only the way there is short. What is not plainly told (another header, a query, a
body in pieces) goes the general way untouched, and so does every other request.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import msgspec
from litestar.enums import ScopeType
from litestar.exceptions import ClientException
from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send

from tsingma.api.bodies import StrictRequest, decode_body, request_hash
from tsingma.api.budget import held
from tsingma.api.certificates import certificate_of
from tsingma.api.door import Door
from tsingma.api.guard import admit
from tsingma.api.patience import BODY_SECONDS_MAX, BodyTooSlow
from tsingma.api.problems import answer_of
from tsingma.api.tokens import TokenDesk
from tsingma.api.writes import KEY_PATTERN, submit
from tsingma.app.house_service import HouseService

PATH = "/instructions"
_KEY = re.compile(KEY_PATTERN.encode())
_JSON = (b"application/json", b"application/json; charset=utf-8")
_LENGTH = re.compile(rb"[1-9][0-9]{0,8}\Z")
# What may be there besides, and changes nothing.
_PLAIN = frozenset((b"host", b"user-agent", b"accept", b"accept-encoding", b"connection", b"x-request-id"))
_ENCODER = msgspec.json.Encoder()


class Lane:
    """An application around another, whose answers it gives where it can give them sooner."""

    def __init__(
        self, app: ASGIApp, service: HouseService, entry: Door, desk: TokenDesk, look: Callable[[], None],
        body_bytes_max: int,
    ) -> None:  # fmt: skip
        """Stand before ``app``; the others are what its routes are given."""
        self._app, self._service, self._entry, self._desk, self._look = app, service, entry, desk, look
        self._body_bytes_max = body_bytes_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != ScopeType.HTTP or scope["path"] != PATH or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        told = self._plainly_told(scope)
        if told is None:
            await self._app(scope, receive, send)
            return
        token, key, length = told
        scope["path_template"] = PATH  # by which the request is counted
        try:
            self._look()
            reach = await admit(self._desk, [token], submit.opt, {}, certificate_of(scope))
            hold = held()
            if hold is not None:
                hold.cover(length)
            body = await _whole(receive, length)
            reach = msgspec.structs.replace(reach, request=request_hash(scope, body))
            data = self._service.intake.plain(body) or decode_body(submit.opt, body)
            outcomes = await submit.fn(service=self._service, entry=self._entry, reach=reach, key=key, data=data)
        except Exception as error:  # noqa: BLE001 - every one is answered as the problem it is
            request: Any = StrictRequest(scope, receive, send)
            await answer_of(request, error).to_asgi_response(app=None, request=request)(scope, receive, send)
            return
        await _answer(send, _ENCODER.encode(outcomes))

    def _plainly_told(self, scope: HTTPScope) -> tuple[str, str, int] | None:
        """Return token header, idempotency key and length of the body; None when something is missing or unusual."""
        if scope["query_string"]:
            return None
        found: dict[bytes, bytes] = {}
        for name, value in scope["headers"]:
            if name in found:
                return None
            found[name] = value
        token, key = found.pop(b"authorization", b""), found.pop(b"idempotency-key", b"")
        length, kind = found.pop(b"content-length", b""), found.pop(b"content-type", b"")
        if not token or kind not in _JSON or not _KEY.match(key) or not _LENGTH.match(length):
            return None
        if not found.keys() <= _PLAIN or int(length) > self._body_bytes_max:
            return None
        return token.decode("latin-1"), key.decode("ascii"), int(length)


async def _whole(receive: Receive, length: int) -> bytes:
    """Return the body; raises BodyTooSlow, and 400 when it is not as long as it was said to be."""
    body = b""
    try:
        async with asyncio.timeout(BODY_SECONDS_MAX):
            message = await receive()
            while message["type"] == "http.request":
                body += message.get("body", b"")
                if not message.get("more_body", False):
                    break
                message = await receive()
    except TimeoutError:
        raise BodyTooSlow from None
    if len(body) != length:
        raise ClientException("the body is not as long as its header says")
    return body


async def _answer(send: Send, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": HTTPStatus.CREATED, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
