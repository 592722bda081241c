"""Every request gets an id, is counted by its route, and is a span where spans go anywhere.

The id is the caller's ``X-Request-Id`` when it is a plain word, else one made here; it is in the answer and in every
line logged on the way. Spans are OpenTelemetry's: without its SDK and a provider none is made.
"""

from __future__ import annotations

import itertools
import logging
import re
from collections.abc import Iterable

import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send
from opentelemetry import trace
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from tsingma.api.metrics import Metrics
from tsingma.app.commit_watch import Committed
from tsingma.basics.clock import Clock

LOG = logging.getLogger("tsingma.requests")
NO_ROUTE = "none"  # what was asked for leads nowhere: its path is not kept
TRACER = "tsingma"
_WORD = re.compile(rb"[A-Za-z0-9._-]{1,64}\Z")
_PARENT = TraceContextTextMapPropagator()
_Headers = Iterable[tuple[bytes, bytes]]


def tracer_of(provider: trace.TracerProvider | None = None) -> trace.Tracer | None:
    """Return the tracer of a provider, by default the process's own; None where spans would go nowhere."""
    if provider is None:
        provider = trace.get_tracer_provider()
        if isinstance(provider, trace.ProxyTracerProvider | trace.NoOpTracerProvider):
            return None
    return provider.get_tracer(TRACER)


def commit_spans(tracer: trace.Tracer, told: Committed) -> None:
    """Make a span of one batch of commands."""
    span = tracer.start_span("commit", kind=SpanKind.INTERNAL, start_time=told.began_ns)
    span.set_attribute("tsingma.commands", told.commands)
    span.set_attribute("tsingma.refused", sum(told.refused.values()))
    if told.failure:
        span.set_status(Status(StatusCode.ERROR, told.failure))
    span.end(told.began_ns + told.spent_ns)


class Watching:
    """An application around another that watches it."""

    def __init__(self, app: ASGIApp, metrics: Metrics, clock: Clock, tracer: trace.Tracer | None) -> None:
        """Watch ``app``."""
        self._app, self._metrics, self._clock, self._tracer = app, metrics, clock, tracer
        self._prefix, self._numbers = f"{clock.now_ns():x}", itertools.count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request as the application does, and tell."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        await self._answer(scope, receive, send)

    async def _answer(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        began_ns = self._clock.elapsed_ns()
        request_id = _given(scope["headers"]) or f"{self._prefix}-{next(self._numbers)}"
        named = (b"x-request-id", request_id.encode())
        status, streams = 500, False

        async def send_named(message: Message) -> None:
            nonlocal status, streams
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = list(message.get("headers", []))
                streams = any(name == b"content-type" and value.startswith(b"text/event") for name, value in headers)
                message["headers"] = [*headers, named]
            await send(message)

        span = self._begin(scope)
        try:
            with structlog.contextvars.bound_contextvars(request_id=request_id):
                if span is None:
                    await self._app(scope, receive, send_named)
                else:
                    with trace.use_span(span):
                        await self._app(scope, receive, send_named)
        finally:
            spent_ns = self._clock.elapsed_ns() - began_ns
            route = str(scope.get("path_template") or NO_ROUTE)
            self._metrics.asked(scope["method"], route, status, None if streams else spent_ns)
            if LOG.isEnabledFor(logging.INFO):
                LOG.info(
                    "request",
                    extra={"request_id": request_id, "method": scope["method"], "route": route, "status": status,
                           "milliseconds": spent_ns // 1_000_000},
                )  # fmt: skip
            if span is not None:
                _end(span, scope["method"], route, status, request_id)

    def _begin(self, scope: HTTPScope) -> trace.Span | None:
        if self._tracer is None:
            return None
        carried = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        return self._tracer.start_span(str(scope["method"]), context=_PARENT.extract(carried), kind=SpanKind.SERVER)


def _end(span: trace.Span, method: str, route: str, status: int, request_id: str) -> None:
    span.update_name(f"{method} {route}")
    span.set_attribute("http.request.method", method)
    span.set_attribute("http.route", route)
    span.set_attribute("http.response.status_code", status)
    span.set_attribute("tsingma.request_id", request_id)
    if status >= 500:
        span.set_status(Status(StatusCode.ERROR))
    span.end()


def _given(headers: _Headers) -> str:
    """Return the caller's own id of the request when it is a plain word, else ""."""
    for name, value in headers:
        if name == b"x-request-id":
            return value.decode() if _WORD.match(value) else ""
    return ""
