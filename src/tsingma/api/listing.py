"""Lists in the form the caller accepts: a page as JSON, or all of it as NDJSON, CSV or an Arrow stream.

A whole list is read in parts, each as of the last record when it is read, or all as of one with ``at`` or ``on``. One
that is longer than the bounds, or takes too long, is cut off: the answer ends without its end, so nobody takes it for
whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol, TypeVar

import msgspec
from litestar import Request, Response
from litestar.di import NamedDependency
from litestar.exceptions import HTTPException, TooManyRequestsException
from litestar.openapi.spec import OpenAPIMediaType, OpenAPIResponse, Operation
from litestar.openapi.spec import Schema as OpenAPISchema
from litestar.openapi.spec.enums import OpenAPIType
from litestar.response import Stream

from tsingma.api.bench import Bench
from tsingma.api.entrance import Entrance
from tsingma.api.guard import Reach
from tsingma.api.moments import Look, Looking
from tsingma.api.problems import responses
from tsingma.api.reading import Cursor, Limit
from tsingma.app.house_reads import LIMIT_MAX
from tsingma.app.row_formats import ARROW, CSV, NDJSON, arrow, csv_header, csv_rows, has_arrow, ndjson
from tsingma.app.serve_settings import LimitsSection
from tsingma.basics.clock import Clock
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.engine.house import House

JSON = "application/json"
WHOLE = (NDJSON, CSV, ARROW)
ROWS_MAX = 250_000
SECONDS_MAX = 300.0
LISTS = responses(404, 406, 409, 413, 422, 429)
SECOND = 1_000_000_000


class Page(Protocol):
    """What a read model answers: rows, and the cursor of what follows."""

    @property
    def items(self) -> list[Any]:
        """Rows."""
        ...

    @property
    def next(self) -> int | None:
        """Cursor of the page after, or None."""
        ...


P = TypeVar("P", bound=Page)
Question = Callable[[House, int, int, int], P]


class TooLong(Exception):
    """A whole list went beyond its bounds after its beginning was sent."""


@dataclass
class ListOperation(Operation):
    """The description of a route of this module: what it answers beside a page of JSON."""

    def __post_init__(self) -> None:
        """Add the other media types to the answer 200."""
        found = (self.responses or {}).get(str(HTTPStatus.OK.value))
        if isinstance(found, OpenAPIResponse) and found.content is not None:
            text = OpenAPIMediaType(schema=OpenAPISchema(type=OpenAPIType.STRING))
            found.content = {**found.content, **dict.fromkeys(WHOLE, text)}


class Streams(Bench):
    """Places for whole lists, and the clock by which they end."""

    def __init__(self, clock: Clock, limits: LimitsSection | None = None) -> None:
        """Start without any."""
        limits = limits or LimitsSection()
        self._max, self._max_of_a_key = limits.lists_at_once, limits.lists_of_a_key
        super().__init__(self._max, self._max)
        self.clock = clock
        self._of_key: Counter[str] = Counter()

    @contextmanager
    def place_of(self, key: str) -> Iterator[None]:
        """Hold a place of a key; raises 429 when it has as many as one may, or there is none."""
        with self._lock:
            self.require_room(key)
            self._of_key[key] += 1
        try:
            with self.place():
                yield
        finally:
            with self._lock:
                self._of_key[key] -= 1

    def require_room(self, key: str) -> None:
        """Raise 429 when a key has as many places as one may, or all are taken."""
        if self._of_key[key] >= self._max_of_a_key or self._of_key.total() >= self._max:
            raise TooManyRequestsException("too many whole lists at once", headers={"Retry-After": "5"})


class Listing:
    """Answers a list at a moment, as a page or whole."""

    def __init__(
        self, accepted: str, look: Look, streams: Streams, key: str, cursor: int, limit: int,
        may_go_on: Callable[[], bool] = lambda: True,
    ) -> None:  # fmt: skip
        """Keep the form that was accepted ("" for none that there is), the moment, which page, and until when."""
        self._may_go_on = may_go_on
        self._accepted, self._look, self._streams, self._clock = accepted, look, streams, streams.clock
        self._key, self._cursor, self._limit = key, cursor, limit

    def read(self, question: Callable[[House, int], Any]) -> Any:
        """Return what a question finds at the moment of the list."""
        return self._look.read(question)

    def answer(self, kind: type[msgspec.Struct], question: Question[P]) -> P:
        """Return the page, or an answer with the whole list in its place (Litestar takes both).

        ``question`` is asked with house, record, cursor and limit. Raises 406, and what the question raises.
        """
        if self._accepted == JSON:
            return self._look.read(lambda house, at: question(house, at, self._cursor, self._limit))
        if self._accepted not in WHOLE:
            raise HTTPException(f"one of {', '.join((JSON, *WHOLE))}", status_code=HTTPStatus.NOT_ACCEPTABLE)
        if self._accepted == ARROW and not has_arrow():
            raise HTTPException("Arrow needs polars, which is not installed", status_code=HTTPStatus.NOT_ACCEPTABLE)
        whole: Any = self._whole(kind, question)
        return whole  # type: ignore[no-any-return]

    def _whole(self, kind: type[msgspec.Struct], question: Question[P]) -> Response[Any] | Stream:
        if self._accepted == ARROW:
            with self._streams.place_of(self._key):
                rows = [row for part in self._parts(question, self._part(question, self._cursor)) for row in part]
                return Response(arrow(kind, rows), media_type=ARROW)
        self._streams.require_room(self._key)
        first = self._part(question, self._cursor)  # what is wrong with the question is said before anything is sent
        kind_of_text = {"Content-Type": self._accepted}  # Litestar would take the media type of the route
        return Stream(self._stream(kind, question, first), headers=kind_of_text)

    def _stream(self, kind: type[msgspec.Struct], question: Question[P], first: P) -> Iterator[bytes]:
        with self._streams.place_of(self._key):
            if self._accepted == CSV:
                yield csv_header(kind)
            for part in self._parts(question, first):
                yield csv_rows(part) if self._accepted == CSV else ndjson(part)

    def _part(self, question: Question[P], cursor: int) -> P:
        return self._look.read(lambda house, at: question(house, at, cursor, LIMIT_MAX))

    def _parts(self, question: Question[P], first: P) -> Iterator[list[Any]]:
        until = self._clock.elapsed_ns() + int(SECONDS_MAX * SECOND)
        part, count = first, len(first.items)
        yield part.items
        while part.next is not None:
            if self._clock.elapsed_ns() > until or count >= ROWS_MAX:
                message = f"the list is longer than {ROWS_MAX:,} rows or takes longer than {SECONDS_MAX:.0f} seconds"
                if self._accepted == ARROW:
                    raise refuse(RejectionReason.LIMIT, message, remedy="ask for pages, or for one participant")
                raise TooLong(message)
            if not self._may_go_on():
                raise TooLong("who asked may read no more")
            part = self._part(question, part.next)
            count += len(part.items)
            yield part.items


def give_listing(
    request: Request[Any, Any, Any],
    look: Looking,
    streams: NamedDependency[Streams],
    reach: NamedDependency[Reach],
    entrance: NamedDependency[Entrance],
    cursor: Cursor = 0,
    limit: Limit = 100,
) -> Listing:
    """Return how a request wants its list."""
    accepted = request.accept.best_match([JSON, *WHOLE], default=None) or ""

    def may_go_on() -> bool:
        return entrance.may_go_on(reach.caller)

    return Listing(accepted, look, streams, reach.caller.key, cursor, limit, may_go_on)


Listed = NamedDependency[Listing]
