"""Files of the day for acts of the operator, and the day's plan with how far it is."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Router, get, post
from litestar.di import NamedDependency
from litestar.exceptions import HTTPException
from litestar.openapi.spec import OpenAPIMediaType, Operation, RequestBody, Schema
from litestar.openapi.spec.enums import OpenAPIType
from litestar.params import QueryParameter

from tsingma.api.acts import Desk
from tsingma.api.bench import Bench
from tsingma.api.guard import access
from tsingma.api.permissions import Action, Resource
from tsingma.api.problems import FaultsFound, fault_of, responses
from tsingma.api.reading import Service
from tsingma.app.day_acts import Staged
from tsingma.app.day_progress import PlannedStep, steps_of_day
from tsingma.app.operator_acts import FILE_NAME
from tsingma.basics.patterns import whole
from tsingma.basics.rejection import Rejected
from tsingma.engine.day_plan import PlanKind

FORMS = ("text/csv", "application/gzip")
FileKind = Literal["trades", "prices", "derivative-trades", "derivative-marks", "margin-call"]
OfKind = Annotated[
    FileKind, QueryParameter(description="the step that takes it in; margin-call: a risk parameter file, RPF01")
]
FileName = Annotated[str, QueryParameter(pattern=whole(FILE_NAME), description="what faults and the journal call it")]


class Plan(msgspec.Struct, frozen=True):
    """The steps of the day at which the house stands, in order."""

    items: tuple[PlannedStep, ...]
    at: int


@dataclass
class FileOperation(Operation):
    """The description of a route whose body is a file."""

    def __post_init__(self) -> None:
        """Say which bodies it takes."""
        text = OpenAPIMediaType(schema=Schema(type=OpenAPIType.STRING))
        self.request_body = RequestBody(content=dict.fromkeys(FORMS, text), required=True)


@get("/day/steps", opt=access(Resource.DAY, Action.READ), sync_to_thread=True, responses=responses())
def day_steps(service: Service) -> Plan:
    """Return the plan of the day: each step's id, what it needs, whether it is done and by which record and act."""
    return service.read(lambda house, at: Plan(steps_of_day(house, service.find_all), at))


@post(
    "/day/files",
    opt=access(Resource.ACTS, Action.SUBMIT),
    responses=responses(408, 409, 413, 415, 422, 429),
    operation_class=FileOperation,
)
async def send_file(
    request: Request[Any, Any, Any], act_desk: Desk, bench: NamedDependency[Bench], kind: OfKind, file: FileName = ""
) -> Staged:
    """Send a file that an act of the operator will name by its SHA-256: CSV, plain or gzip, up to 32 MiB.

    It is read and every fault told with its line; nothing is taken into the house. The same file may be sent again.
    """
    if request.content_type[0] not in FORMS:
        raise HTTPException(f"send one of {', '.join(FORMS)}", status_code=HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
    data = await request.body()

    def read() -> Staged:
        try:
            return act_desk.stage(data, PlanKind(kind), file or f"sent.{kind}.csv")
        except Rejected as rejected:
            told = [msgspec.structs.replace(fault_of(one), line=one.line or None) for one in rejected.rejections]
            raise FaultsFound(told) from None

    return await bench.work(read)


def routes(body_bytes_max: int) -> Router:
    """Return the routes whose bodies are files and may be longer than others'."""
    return Router("/", route_handlers=[send_file], request_max_body_size=body_bytes_max)


ROUTES = (day_steps,)
