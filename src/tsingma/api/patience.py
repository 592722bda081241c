"""Patience has an end: a request whose body does not arrive in time is given up, so that slow clients hold nothing."""

from __future__ import annotations

import asyncio

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPReceiveMessage, Message, Receive, Scope, Send, WebSocketReceiveMessage

BODY_SECONDS_MAX = 10.0
ANSWER_SECONDS_MAX = 60.0


class BodyTooSlow(Exception):
    """The body of a request did not arrive in time."""


class AnswerNotTaken(Exception):
    """A client did not take a part of its answer in time; its connection is given up."""


def patient(app: ASGIApp, seconds: float = BODY_SECONDS_MAX, answer_seconds: float = ANSWER_SECONDS_MAX) -> ASGIApp:
    """Return the application with an end to how long a request's body may take, all parts of it together.

    A part of an answer may take ``answer_seconds`` to be taken: whoever reads nothing holds no stream for ever.
    """

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

        async def send_in_time(message: Message) -> None:
            try:
                async with asyncio.timeout(answer_seconds):
                    await send(message)
            except TimeoutError:
                raise AnswerNotTaken from None

        await app(scope, receive_in_time, send_in_time)

    return impatient
