"""Patience has an end: a request whose body does not arrive in time is given up, so that slow clients hold nothing."""

from __future__ import annotations

import asyncio

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPReceiveMessage, Receive, Scope, Send, WebSocketReceiveMessage

BODY_SECONDS_MAX = 10.0


class BodyTooSlow(Exception):
    """The body of a request did not arrive in time."""


def patient(app: ASGIApp, seconds: float = BODY_SECONDS_MAX) -> ASGIApp:
    """Return the application with an end to how long a request's body may take, all parts of it together."""

    async def impatient(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await app(scope, receive, send)
            return
        until = asyncio.get_running_loop().time() + seconds
        whole = False

        async def receive_in_time() -> HTTPReceiveMessage | WebSocketReceiveMessage:
            nonlocal whole
            if whole:  # what follows is the client going away, for which one waits as long as the answer takes
                return await receive()
            try:
                async with asyncio.timeout_at(until):
                    message = await receive()
            except TimeoutError:
                raise BodyTooSlow from None
            whole = message["type"] != "http.request" or not message.get("more_body", False)
            return message

        await app(scope, receive_in_time, send)

    return impatient
