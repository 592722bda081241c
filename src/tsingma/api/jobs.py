"""Long runs: started with a POST that answers 202 and where the job is; looked at, cancelled, and read when done.

A job belongs to whom its key belongs: a participant, or the issuer of an overseer's key. Nobody else sees it.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException, TooManyRequestsException
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, JSONBody, PathParameter

from tsingma.api.accounts import Participant, require_account
from tsingma.api.bodies import body_of
from tsingma.api.guard import Reach, access
from tsingma.api.permissions import Action, Resource
from tsingma.api.problems import responses
from tsingma.api.reading import NUMBER_MAX, Cursor, Limit, Reached, Service
from tsingma.api.writes import Key
from tsingma.app.backtest_run import BACKTEST_TASK, BacktestAsked, BacktestResult, BacktestTask
from tsingma.app.house_market import HouseMarket, require_market
from tsingma.app.house_service import HouseService
from tsingma.app.jobs import Job, JobBoard
from tsingma.app.long_runs import (
    ECONOMY_TASK,
    STRESS_TASK,
    EconomyAsked,
    EconomyRunResult,
    StressAsked,
    StressRunResult,
    economy_request,
    stress_request,
)
from tsingma.basics.rejection import Rejected, RejectionReason, refuse
from tsingma.reference.book import AccountClass

Board = NamedDependency[JobBoard]
Market = NamedDependency[HouseMarket | None]
JobNumber = Annotated[int, PathParameter(ge=0, le=NUMBER_MAX)]
_RESULTS: Any = StressRunResult | EconomyRunResult | BacktestResult
STARTS = {202: ResponseSpec(Job, description="the job that was started", generate_examples=False),
          **responses(408, 409, 413, 422, 429)}  # fmt: skip
RETRY_AFTER = {"Retry-After": "10"}


class Jobs(msgspec.Struct, frozen=True):
    """A page of one's jobs, the newest first; the cursor counts them."""

    items: list[Job]
    next: int | None


@post(
    "/stress-runs",
    opt={**access(Resource.STRESS_RUNS, Action.RUN), **body_of(StressAsked)},
    status_code=202,
    sync_to_thread=True,
    responses=STARTS,
)
def start_stress_run(
    service: Service, board: Board, market: Market, reach: Reached, key: Key, data: JSONBody[StressAsked]
) -> Response[Job]:
    """Run scenarios through the house as it stands; nothing is booked. Needs a house served with a market."""
    request = stress_request(data, _place(service), require_market(market))
    return _started(board, reach, key, "stress-run", STRESS_TASK, request, msgspec.to_builtins(data))


@post(
    "/economy-runs",
    opt={**access(Resource.ECONOMY_RUNS, Action.RUN), **body_of(EconomyAsked)},
    status_code=202,
    sync_to_thread=True,
    responses=STARTS,
)
def start_economy_run(board: Board, reach: Reached, key: Key, data: JSONBody[EconomyAsked]) -> Response[Job]:
    """Run a scenario of an economic model that ships with the house."""
    return _started(board, reach, key, "economy-run", ECONOMY_TASK, economy_request(data), msgspec.to_builtins(data))


@post(
    "/accounts/{participant:str}/{account_class:str}/margin/backtest",
    opt={**access(Resource.MARGIN, Action.RUN), **body_of(BacktestAsked)},
    status_code=202,
    sync_to_thread=True,
    responses={**STARTS, **responses(404)},
)
def start_backtest(
    service: Service, board: Board, market: Market, reach: Reached, key: Key, participant: Participant,
    account_class: FromPath[AccountClass], data: JSONBody[BacktestAsked],
) -> Response[Job]:  # fmt: skip
    """Test the margin of an account's positions against the losses of the past. Needs a market."""
    mine = require_account(service, reach, participant, account_class)
    task = BacktestTask(
        house=_place(service), market=str(require_market(market).folder), participant=mine,
        account_class=account_class, asked=data,
    )  # fmt: skip
    asked = {**msgspec.to_builtins(data), "account": f"{mine}/{account_class}"}
    return _started(board, reach, key, "margin-backtest", BACKTEST_TASK, msgspec.json.encode(task), asked)


@get("/jobs", opt=access(Resource.JOBS, Action.READ), sync_to_thread=True, responses=responses())
def jobs(board: Board, reach: Reached, cursor: Cursor = 0, limit: Limit = 100) -> Jobs:
    """Return one's own jobs, the newest first; what ended is kept for an hour."""
    found = board.jobs(owner_of(reach))
    end = cursor + limit
    return Jobs(found[cursor:end], end if end < len(found) else None)


@get("/jobs/{job:int}", opt=access(Resource.JOBS, Action.READ), sync_to_thread=True, responses=responses(404))
def job(board: Board, reach: Reached, job: JobNumber) -> Job:
    """Return how a job stands."""
    found = board.job(owner_of(reach), job)
    if found is None:
        raise _none(job)
    return found


@get(
    "/jobs/{job:int}/result",
    opt=access(Resource.JOBS, Action.READ),
    sync_to_thread=True,
    responses={
        200: ResponseSpec(_RESULTS, description="what it answered", generate_examples=False),
        **responses(404, 409),
    },
)
def result(board: Board, reach: Reached, job: JobNumber) -> Response[bytes]:
    """Return what a job that is done has answered; 409 until then."""
    owner = owner_of(reach)
    if board.job(owner, job) is None:
        raise _none(job)
    return Response(board.result(owner, job), media_type="application/json")


@post(
    "/jobs/{job:int}/cancel",
    opt=access(Resource.JOBS, Action.ACT),
    status_code=200,
    sync_to_thread=True,
    responses=responses(404),
)
def cancel(board: Board, reach: Reached, job: JobNumber) -> Job:
    """End a job's work at once; one that has ended stays as it is."""
    owner = owner_of(reach)
    if board.job(owner, job) is None:
        raise _none(job)
    return board.cancel(owner, job)


def owner_of(reach: Reach) -> str:
    """Return to whom jobs of this caller belong."""
    caller = reach.caller
    return f"participant/{caller.participant}" if caller.participant else f"{caller.role}/{caller.issuer}"


def _started(
    board: JobBoard, reach: Reach, key: str, kind: str, task: str, request: bytes, asked: dict[str, Any]
) -> Response[Job]:
    try:
        found = board.submit(owner_of(reach), key, kind, task, request, asked)
    except Rejected as rejected:
        first = rejected.rejections[0]
        if first.reason is not RejectionReason.LIMIT:
            raise
        raise TooManyRequestsException(f"{first.message} ({first.remedy})", headers=RETRY_AFTER) from None
    return Response(found, status_code=202, headers={"Location": f"/jobs/{found.job}"})


def _place(service: HouseService) -> str:
    """Return where a job opens the house."""
    if service.place is None:
        raise refuse(RejectionReason.NOT_ALLOWED, "this house is in memory: a job cannot open it")
    return str(service.place)


def _none(job: int) -> NotFoundException:
    return NotFoundException(f"there is no job {job}, or it is not yours")


ROUTES = (start_stress_run, start_economy_run, start_backtest, jobs, job, result, cancel)
