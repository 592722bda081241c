"""Figures of a served house for Prometheus: what the writer did, what was asked, how things stand.

No figure names a participant, a key, an instruction or an amount.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client import start_http_server as _start_http_server

from tsingma.api.guard import access
from tsingma.api.permissions import Action, Resource
from tsingma.api.problems import responses
from tsingma.app.commit_watch import Committed

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"  # Prometheus, text format 0.0.4
NANO = 1_000_000_000
LOCAL = "127.0.0.1"
_SECONDS = (0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_COMMANDS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 8_190)


class Metrics:
    """Counters of one served house in a registry of its own."""

    def __init__(self) -> None:
        """Start at zero."""
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._commands = Counter("tsingma_commands", "Commands carried out or refused.", ["outcome"], registry=registry)
        self._refusals = Counter("tsingma_refusals", "Commands refused by the house.", ["reason"], registry=registry)
        self._failures = Counter("tsingma_failures", "Batches at which the house stopped.", registry=registry)
        self._seconds = Histogram(
            "tsingma_commit_seconds", "Step, write and flush of one batch.", buckets=_SECONDS, registry=registry
        )
        self._batches = Histogram(
            "tsingma_commit_commands", "Commands of one batch.", buckets=_COMMANDS, registry=registry
        )
        self._requests = Counter(
            "tsingma_requests", "Requests answered.", ["method", "route", "status"], registry=registry
        )
        self._request_seconds = Histogram(
            "tsingma_request_seconds", "From request to the end of its answer; feeds are left out.", ["route"],
            buckets=_SECONDS, registry=registry,
        )  # fmt: skip
        self._asked: dict[tuple[str, str, int], Any] = {}
        self._timed: dict[str, Any] = {}

    def committed(self, told: Committed) -> None:
        """Count a batch; called in the writer's thread."""
        self._batches.observe(told.commands)
        self._seconds.observe(told.spent_ns / NANO)
        if told.failure:
            self._failures.inc()
            return
        refused = sum(told.refused.values())
        self._commands.labels("accepted").inc(told.commands - refused)
        if refused:
            self._commands.labels("refused").inc(refused)
            for reason, count in told.refused.items():
                self._refusals.labels(reason).inc(count)

    def asked(self, method: str, route: str, status: int, spent_ns: int | None) -> None:
        """Count a request by its route, never its path; ``spent_ns`` is None for what streams."""
        child = self._asked.get((method, route, status))
        if child is None:
            child = self._asked[method, route, status] = self._requests.labels(method, route, str(status))
        child.inc()
        if spent_ns is None:
            return
        timed = self._timed.get(route)
        if timed is None:
            timed = self._timed[route] = self._request_seconds.labels(route)
        timed.observe(spent_ns / NANO)

    def gauge(self, name: str, help_text: str, standing: Callable[[], float]) -> None:
        """Add a figure ``tsingma_NAME`` that is asked for whenever somebody looks."""
        Gauge(f"tsingma_{name}", help_text, registry=self.registry).set_function(standing)

    def text(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self.registry)

    def listen(self, port: int) -> Callable[[], None]:
        """Answer ``GET /metrics`` on a port of this machine alone, without a token; returns what ends it."""
        server, thread = _start_http_server(port, addr=LOCAL, registry=self.registry)

        def end() -> None:
            server.shutdown()
            server.server_close()
            thread.join()

        return end


@get("/metrics", opt=access(Resource.METRICS, Action.READ), sync_to_thread=True, media_type=MEDIA_TYPE,
     responses=responses())  # fmt: skip
def metrics(figures: NamedDependency[Metrics]) -> Response[bytes]:
    """Return figures of the service in Prometheus' text format."""
    return Response(figures.text(), media_type=MEDIA_TYPE)
