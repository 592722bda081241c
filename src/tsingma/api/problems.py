"""Refusals on the wire: problem details (RFC 9457) with the reason, field, value and remedy of the house's own."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.openapi.datastructures import ResponseSpec
from litestar.types import ExceptionHandlersMap

from tsingma.api.budget import NOBODY_BYTES_MAX, RETRY_SECONDS, NoRoom, TooLongForNobody
from tsingma.api.patience import BodyTooSlow
from tsingma.app.journal_index import StillReading
from tsingma.basics.rejection import InvariantBroken, Rejected, Rejection, RejectionReason

MEDIA_TYPE = "application/problem+json"
SIGN_IN = "/console/sign-in"
LOG = logging.getLogger("tsingma.api")

_OF_EVERY_ROUTE = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.SERVICE_UNAVAILABLE,
)

STATUS_OF: dict[RejectionReason, HTTPStatus] = {
    RejectionReason.MALFORMED: HTTPStatus.BAD_REQUEST,
    RejectionReason.MISSING: HTTPStatus.UNPROCESSABLE_ENTITY,
    RejectionReason.UNKNOWN: HTTPStatus.UNPROCESSABLE_ENTITY,  # in a body or query; a path that leads nowhere is 404
    RejectionReason.OUT_OF_RANGE: HTTPStatus.UNPROCESSABLE_ENTITY,
    RejectionReason.DUPLICATE: HTTPStatus.CONFLICT,
    RejectionReason.CONFLICT: HTTPStatus.CONFLICT,
    RejectionReason.NOT_ALLOWED: HTTPStatus.CONFLICT,  # the rules forbid it now; whose it is, is judged before
    RejectionReason.INSUFFICIENT: HTTPStatus.CONFLICT,
    RejectionReason.BEYOND_HORIZON: HTTPStatus.UNPROCESSABLE_ENTITY,
    RejectionReason.SUSPENDED: HTTPStatus.CONFLICT,
    RejectionReason.LIMIT: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
}


class Fault(msgspec.Struct, frozen=True, omit_defaults=True):
    """One rejection of the house; ``item`` counts the items of a batch from 0, ``line`` those of a body from 1."""

    reason: str
    detail: str
    field: str = ""
    value: str = ""
    subject: str = ""
    remedy: str = ""
    item: int | None = None
    line: int | None = None


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a request that is not served gets; the members behind ``instance`` are those of the first fault."""

    type: str
    title: str
    status: int
    detail: str
    instance: str = ""
    reason: str = ""
    field: str = ""
    value: str = ""
    remedy: str = ""
    faults: tuple[Fault, ...] = ()


def responses(*statuses: int) -> dict[int, ResponseSpec]:
    """Return how a route describes the problems it may answer with, beside those of every closed route."""
    return {
        int(status): ResponseSpec(
            Problem,
            description=HTTPStatus(status).phrase,
            media_type=MEDIA_TYPE,
            generate_examples=False,
        )
        for status in (*_OF_EVERY_ROUTE, *statuses)
    }


class SignInNeeded(Exception):
    """A page of the console is asked for by somebody who has not signed in, or no more."""


class FaultsFound(Exception):
    """Raised by a route that knows more about what it refuses than the house's rejections say."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        """Keep the faults, first found first (at least one)."""
        self.faults = tuple(faults)
        super().__init__(self.faults[0].detail)


def fault_of(rejection: Rejection, value: str = "", item: int | None = None) -> Fault:
    """Return a rejection as the wire has it."""
    return Fault(rejection.reason, rejection.message, rejection.field, value, rejection.subject, rejection.remedy, item)


def of_faults(faults: Sequence[Fault], instance: str) -> Problem:
    """Return the problem that faults are (at least one); the first one's reason decides the status."""
    first = faults[0]
    status = STATUS_OF[RejectionReason(first.reason)]
    return Problem(
        type=f"urn:tsingma:rejection:{first.reason}", title=first.reason, status=status, detail=first.detail,
        instance=instance, reason=first.reason, field=first.field, value=first.value, remedy=first.remedy,
        faults=tuple(faults),
    )  # fmt: skip


def of_status(status: int, detail: str, instance: str) -> Problem:
    """Return the problem of a plain HTTP status."""
    return Problem("about:blank", HTTPStatus(status).phrase, status, detail, instance)


def _answer(problem: Problem, headers: dict[str, str] | None = None) -> Response[Problem]:
    return Response(problem, status_code=problem.status, media_type=MEDIA_TYPE, headers=headers or {})


def _rejected(request: Request[Any, Any, Any], error: Rejected) -> Response[Problem]:
    return _answer(of_faults([fault_of(one) for one in error.rejections], request.url.path))


def _faults(request: Request[Any, Any, Any], error: FaultsFound) -> Response[Problem]:
    return _answer(of_faults(error.faults, request.url.path))


def _http(request: Request[Any, Any, Any], error: HTTPException) -> Response[Problem]:
    if error.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR and error.status_code != HTTPStatus.SERVICE_UNAVAILABLE:
        return _defect(request, error)
    detail = error.detail
    if isinstance(error.extra, list):  # what exactly is wrong with parameters
        told = [f"{one.get('key', '')}: {one.get('message', '')}" for one in error.extra if isinstance(one, dict)]
        detail = "; ".join([detail, *told])
    return _answer(of_status(error.status_code, detail, request.url.path), error.headers)


def _stopped(request: Request[Any, Any, Any], error: InvariantBroken) -> Response[Problem]:
    LOG.critical("the house stopped: %s", error)
    problem = of_status(HTTPStatus.SERVICE_UNAVAILABLE, "the house has stopped and must be opened again", "")
    return _answer(problem)


def _sign_in(request: Request[Any, Any, Any], _error: SignInNeeded) -> Response[bytes]:
    """Lead to the sign-in and back; a part of a page that htmx asks for leads its whole page there."""
    is_part = "hx-request" in request.headers
    back = request.headers.get("hx-current-url", "") if is_part else str(request.url)
    parts = urlsplit(back)
    place = f"{SIGN_IN}?{urlencode({'next': urlunsplit(('', '', parts.path, parts.query, ''))})}"
    if is_part:
        return Response(b"", status_code=HTTPStatus.UNAUTHORIZED, headers={"HX-Redirect": place})
    return Response(b"", status_code=HTTPStatus.SEE_OTHER, headers={"Location": place, "Cache-Control": "no-store"})


def _still_reading(request: Request[Any, Any, Any], error: StillReading) -> Response[Problem]:
    detail = f"the journal is being read: {error}; ask again"
    return _answer(of_status(HTTPStatus.SERVICE_UNAVAILABLE, detail, request.url.path), {"Retry-After": "1"})


def _slow(request: Request[Any, Any, Any], error: BodyTooSlow) -> Response[Problem]:
    detail = "the body did not arrive in time"
    return _answer(of_status(HTTPStatus.REQUEST_TIMEOUT, detail, request.url.path), {"Connection": "close"})


def _no_room(request: Request[Any, Any, Any], error: NoRoom) -> Response[Problem]:
    """Answer a body for which there is no place: 429 when its owner's others take it, 503 when those of others do."""
    status = HTTPStatus.TOO_MANY_REQUESTS if error.own else HTTPStatus.SERVICE_UNAVAILABLE
    problem = msgspec.structs.replace(
        of_status(status, f"no room for this body: {error}", request.url.path),
        remedy="send it again a little later; send fewer at a time, or smaller ones",
    )
    return _answer(problem, {"Retry-After": RETRY_SECONDS})


def _too_long(request: Request[Any, Any, Any], _error: TooLongForNobody) -> Response[Problem]:
    detail = f"{NOBODY_BYTES_MAX} bytes at most before it is known who sends them"
    return _answer(of_status(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail, request.url.path))


def _defect(request: Request[Any, Any, Any], error: Exception) -> Response[Problem]:
    """Answer a defect of our own: the log has the story, the caller only that it happened."""
    LOG.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return _answer(of_status(HTTPStatus.INTERNAL_SERVER_ERROR, "a defect of the house; it is logged", ""))


HANDLERS: ExceptionHandlersMap = {
    SignInNeeded: _sign_in,
    Rejected: _rejected,
    FaultsFound: _faults,
    StillReading: _still_reading,
    HTTPException: _http,
    InvariantBroken: _stopped,
    BodyTooSlow: _slow,
    NoRoom: _no_room,
    TooLongForNobody: _too_long,
    Exception: _defect,
}


def answer_of(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Return how an error is answered, for who does not go through the application."""
    handler = next(HANDLERS[kind] for kind in type(error).__mro__ if kind in HANDLERS)
    answer: Response[Any] = handler(request, error)
    return answer
