"""Refusals as pages: the same statuses as the interface gives, told to people."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.types import ExceptionHandlersMap

from tsingma.api import problems
from tsingma.api.guard import Reach
from tsingma.api.problems import Fault, FaultsFound, Problem, fault_of, of_faults
from tsingma.basics.rejection import InvariantBroken, Rejected
from tsingma.console.page import Page

# Which statuses have words of their own; all others are told as a defect or as a plain refusal.
TOLD = (400, 401, 403, 404, 408, 409, 413, 422, 429, 500, 503)


def problem_page(request: Request[Any, Any, Any], problem: Problem, headers: dict[str, str]) -> Response[str]:
    """Return a refusal as a page, with the headers that the interface would have sent."""
    found = request.state.get("reach")
    page = Page(request, None, found if isinstance(found, Reach) else None)
    status = problem.status if problem.status in TOLD else 500
    answer = page.render("problem.html", problem.status, problem=problem, told=status)
    answer.headers.update(headers)
    return answer


def _http(request: Request[Any, Any, Any], error: HTTPException) -> Response[str]:
    if error.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR and error.status_code != HTTPStatus.SERVICE_UNAVAILABLE:
        return _defect(request, error)
    problem = problems.of_status(error.status_code, error.detail, request.url.path)
    return problem_page(request, problem, dict(error.headers or {}))


def _rejected(request: Request[Any, Any, Any], error: Rejected) -> Response[str]:
    return _faulty(request, [fault_of(one) for one in error.rejections])


def _faults(request: Request[Any, Any, Any], error: FaultsFound) -> Response[str]:
    return _faulty(request, list(error.faults))


def _faulty(request: Request[Any, Any, Any], faults: list[Fault]) -> Response[str]:
    return problem_page(request, of_faults(faults, request.url.path), {})


def _stopped(request: Request[Any, Any, Any], error: InvariantBroken) -> Response[str]:
    problems.LOG.critical("the house stopped: %s", error)
    return problem_page(request, problems.of_status(HTTPStatus.SERVICE_UNAVAILABLE, "", request.url.path), {})


def _defect(request: Request[Any, Any, Any], error: Exception) -> Response[str]:
    problems.LOG.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return problem_page(request, problems.of_status(HTTPStatus.INTERNAL_SERVER_ERROR, "", request.url.path), {})


HANDLERS: ExceptionHandlersMap = {
    Rejected: _rejected,
    FaultsFound: _faults,
    HTTPException: _http,
    InvariantBroken: _stopped,
    Exception: _defect,
}
