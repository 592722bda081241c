"""The application: all routes behind one guard, with their limits and the description of the interface."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from litestar import Litestar, Router
from litestar.connection import Request
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.types import ControllerRouterHandler
from opentelemetry.trace import Tracer, TracerProvider

from tsingma.api import acts, books, bulk, day_files, days, feed, jobs, margin, problems, reads, writes
from tsingma.api import metrics as figures
from tsingma.api.bench import Bench
from tsingma.api.bodies import StrictRequest
from tsingma.api.budget import Budget, Budgeted
from tsingma.api.checkers import Checker
from tsingma.api.door import Door
from tsingma.api.entrance import Entrance
from tsingma.api.guard import Reach, csrf_of, guard_of, open_to_all, reach_of
from tsingma.api.keys import Keys
from tsingma.api.lane import Lane
from tsingma.api.listing import Streams, give_listing
from tsingma.api.metrics import Metrics
from tsingma.api.moments import give_look
from tsingma.api.oidc import Provider
from tsingma.api.patience import patient
from tsingma.api.people import People
from tsingma.api.tail import Tail
from tsingma.api.watching import Watching, commit_spans, tracer_of
from tsingma.app.as_of import AsOf
from tsingma.app.day_acts import DayActs
from tsingma.app.house_market import HouseMarket
from tsingma.app.house_service import HouseService
from tsingma.app.jobs import JobBoard, JobLimits
from tsingma.app.journal_index import JournalIndex
from tsingma.app.serve_settings import ActsSection, LimitsSection
from tsingma.app.session import on_a_server
from tsingma.app.staging import Staging
from tsingma.basics.clock import Clock

STAGED = "staged"  # folder in that of the house
INTERFACE_VERSION = "0.1"
_ROUTES = (
    *reads.ROUTES, *books.ROUTES, *days.ROUTES, *day_files.ROUTES, *writes.ROUTES, *margin.ROUTES, *acts.ROUTES,
    *jobs.ROUTES, feed.events, figures.metrics,
)  # fmt: skip


def application(
    service: HouseService,
    keys: Keys,
    clock: Clock,
    *,
    keys_file: Path | None = None,
    limits: LimitsSection | None = None,
    metrics: Metrics | None = None,
    spans: TracerProvider | None = None,
    market: HouseMarket | None = None,
    job_limits: JobLimits | None = None,
    people: People | None = None,
    people_file: Path | None = None,
    checker: Checker | None = None,
    provider: Provider | None = None,
    for_acts: ActsSection | None = None,
    more_routes: Sequence[ControllerRouterHandler] = (),
) -> Litestar:
    """Return the application of an open house; it closes the house when it shuts down.

    ``keys`` and ``people`` (who may sign in to the console) were read from ``keys_file`` and ``people_file``, which are
    then watched; without a file they hold to the end. ``limits`` bound everything, ``job_limits`` in place of those of
    jobs among them; ``metrics`` counts, ``spans`` go where the process says when nothing is given. ``market`` has the
    prices that margin and stress need. ``for_acts`` says when acts lapse and where their files wait. ``more_routes``
    are those of rooms above, behind the same guard. ``checker`` checks signatures of tokens in a process of its own,
    ``provider`` signs people in.
    Raises Rejected (keys or people whose participant the house does not have), and then the house stays open.
    """
    members = service.read(lambda house, _at: {one.code: one for one in house.resolved.book.participants})
    limits = limits or LimitsSection()
    entrance = Entrance(keys, people or People(), members, clock, keys_file=keys_file, people_file=people_file,
                        checker=checker, provider=provider, limits=limits)  # fmt: skip
    entry = Door(service, limits)
    feeds = feed.Feeds(entrance.stands, Tail(service), limits, look=entrance.look, wake=entry.wake)
    metrics, board = metrics or Metrics(), JobBoard(clock, job_limits or _of_jobs(limits))
    past, bench = AsOf(service.place), Bench(limits.questions_at_once, limits.questions_waiting)
    given = {"service": service, "entry": entry, "feeds": feeds, "figures": metrics, "board": board, "bench": bench,
             "market": market, "past": past, "index": JournalIndex(service), "streams": Streams(clock, limits),
             "act_desk": _desk(service, entry, clock, market, for_acts or ActsSection())}  # fmt: skip
    app = Litestar(
        route_handlers=[*_ROUTES, *_of_long_bodies(limits), *more_routes],
        guards=[guard_of(entrance.tokens, entrance.look, entrance.sessions)],
        dependencies={
            **_of_requests(entrance),
            **{name: _always(one) for name, one in given.items()},
        },
        exception_handlers=problems.HANDLERS,
        request_max_body_size=limits.body_bytes,
        openapi_config=_description(),
        on_shutdown=[bench.close, board.close, past.close, entrance.close, service.close],
        middleware=[patient],
        request_class=StrictRequest,
        logging_config=None,
        debug=False,
    )
    lane = Lane(app.asgi_handler, service, entry, entrance.tokens, entrance.look, limits.body_bytes)
    app.asgi_handler = _within_budget(lane, limits, metrics)
    _watch(app, service, metrics, clock, tracer_of(spans))
    _measure(metrics, service, feeds, entrance, board)
    return app


def _desk(
    service: HouseService, entry: Door, clock: Clock, market: HouseMarket | None, told: ActsSection
) -> acts.ActDesk:
    """Return the desk of acts; their files wait beside a house in a folder, else only where it is told."""
    place = service.place
    beside = None if place is None or on_a_server(place) else Path(place) / STAGED
    day = DayActs(service, Staging(Path(told.staging) if told.staging else beside), market, clock)
    return acts.ActDesk(service, entry, clock, day, told.expiry_minutes)


def _of_long_bodies(limits: LimitsSection) -> tuple[Router, ...]:
    return tuple(module.routes(limits.bulk_body_bytes) for module in (bulk, day_files))


def _within_budget(lane: Lane, limits: LimitsSection, metrics: Metrics) -> Budgeted:
    budget = Budget(limits.body_budget_bytes)
    metrics.gauge("body_bytes", "Bytes of bodies that are read, worked on or wait.", lambda: float(budget.taken))
    return Budgeted(lane, budget)


def _of_jobs(limits: LimitsSection) -> JobLimits:
    return JobLimits(
        running=limits.jobs_running, waiting=limits.jobs_waiting, of_an_owner=limits.jobs_of_an_owner,
        kept=limits.jobs_kept, seconds=limits.job_seconds, kept_seconds=limits.job_kept_seconds,
        result_bytes=limits.job_result_bytes, kept_bytes=limits.job_results_bytes,
    )  # fmt: skip


def _of_requests(entrance: Entrance) -> dict[str, Provide]:
    """Return what routes are given of whoever asks and what is asked, and of who is let in."""

    def give_reach(request: Request[Any, Any, Any]) -> Reach:
        return reach_of(request)

    def give_keys_fault() -> str:
        return entrance.fault

    return {
        "entrance": _always(entrance),
        "reach": Provide(give_reach, sync_to_thread=False),
        "csrf": Provide(csrf_of, sync_to_thread=False),
        "keys_fault": Provide(give_keys_fault, sync_to_thread=False),
        "look": Provide(give_look, sync_to_thread=False),
        "listing": Provide(give_listing, sync_to_thread=False),
    }


def _always(value: object) -> Provide:
    """Return what gives every request the same object."""

    def give() -> Any:
        return value

    return Provide(give, sync_to_thread=False)


def _watch(app: Litestar, service: HouseService, metrics: Metrics, clock: Clock, tracer: Tracer | None) -> None:
    """Count and trace requests and batches."""
    app.asgi_handler = Watching(app.asgi_handler, metrics, clock, tracer)
    service.watch(metrics.committed)
    if tracer is not None:
        service.watch(lambda told: commit_spans(tracer, told))


def _measure(metrics: Metrics, service: HouseService, feeds: feed.Feeds, entrance: Entrance, board: JobBoard) -> None:
    """Add what is asked of the house whenever somebody looks at the figures."""
    metrics.gauge("house_open", "1 while the house takes commands, 0 when not.", lambda: float(not service.stopped()))
    metrics.gauge("journal_sequence", "Number of the last durable record.", service.length)
    metrics.gauge("commands_waiting", "Commands that wait for the writer.", service.waiting)
    metrics.gauge("follower_lag_records", "Records by which answers to reads are behind the writer.", service.lag)
    metrics.gauge("feeds_open", "Event feeds that are open.", feeds.count)
    metrics.gauge("sessions_open", "Sessions of people that have not ended.", entrance.sessions.count)
    metrics.gauge("jobs_open", "Long runs that wait or run.", board.open_count)


def _description() -> OpenAPIConfig:
    return OpenAPIConfig(
        title="Tsingma",
        version=INTERFACE_VERSION,
        description="A post-trade house: its day, books, instructions, trades, margin, links and long runs.",
        security=[{"token": []}],
        components=Components(
            security_schemes={"token": SecurityScheme(type="http", scheme="bearer", bearer_format="JWT, Ed25519")}
        ),
        use_handler_docstrings=True,
        openapi_router=Router("/openapi", route_handlers=[], opt=open_to_all(), include_in_schema=False),
        render_plugins=[JsonRenderPlugin(path="/openapi.json")],
    )
