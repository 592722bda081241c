"""Orders in bulk: one request with a body of NDJSON, CSV or Arrow, answered when all of it is durable."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import msgspec
from litestar import Request, Router, post
from litestar.di import NamedDependency
from litestar.exceptions import HTTPException
from litestar.openapi.spec import OpenAPIMediaType, Operation, RequestBody, Schema
from litestar.openapi.spec.enums import OpenAPIType

from tsingma.api.bench import Bench
from tsingma.api.guard import access, reach_of
from tsingma.api.permissions import Action, Resource
from tsingma.api.problems import Fault, FaultsFound, fault_of, responses
from tsingma.api.reading import Reached, Service
from tsingma.api.writes import Entry, Key, carry_out, conflict
from tsingma.app.bulk_intake import FORMS, BulkOutcomes, bulk_command, bulk_outcomes
from tsingma.app.house_service import HouseService
from tsingma.basics.rejection import Rejected
from tsingma.journal.commands import SubmitInstructions
from tsingma.journal.events import InstructionsSubmitted


@dataclass
class BulkOperation(Operation):
    """The description of a route whose body is not JSON."""

    def __post_init__(self) -> None:
        """Say which bodies it takes."""
        text = OpenAPIMediaType(schema=Schema(type=OpenAPIType.STRING))
        self.request_body = RequestBody(content=dict.fromkeys(FORMS, text), required=True)


@post(
    "/instructions/bulk",
    opt=access(Resource.INSTRUCTIONS, Action.SUBMIT),
    responses=responses(408, 409, 413, 415, 422, 429),
    operation_class=BulkOperation,
)
async def submit_bulk(
    request: Request[Any, Any, Any], service: Service, entry: Entry, bench: NamedDependency[Bench], reach: Reached,
    key: Key,
) -> BulkOutcomes:  # fmt: skip
    """Send up to 100,000 orders of one's own: NDJSON, or CSV or an Arrow stream with the instruction file's columns.

    What cannot be read refuses the whole body, with the line of each fault; else each order answers for itself.
    """
    reach.sender()
    form = request.content_type[0]
    if form not in FORMS:
        raise HTTPException(f"send one of {', '.join(FORMS)}", status_code=HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
    body = await request.body()
    reach = reach_of(request)  # now with the hash of the request
    source = f"api/{reach.caller.key}"
    command = await bench.work(_command, service, body, form, reach.sender(), source)
    event = await carry_out(service, entry, reach, key, command)
    if not isinstance(event, InstructionsSubmitted):
        raise conflict(key)
    return await asyncio.to_thread(bulk_outcomes, event, command.columns["reference"])


def _command(service: HouseService, body: bytes, form: str, participant: str, source: str) -> SubmitInstructions:
    try:
        return bulk_command(body, form, service.intake, participant, source, service.second())
    except Rejected as rejected:
        raise FaultsFound([_with_line(fault_of(one), one.line) for one in rejected.rejections]) from None


def _with_line(fault: Fault, line: int) -> Fault:
    return msgspec.structs.replace(fault, line=line or None)


def routes(body_bytes_max: int) -> Router:
    """Return the routes of this module, whose bodies may be longer than others'."""
    return Router("/", route_handlers=[submit_bulk], request_max_body_size=body_bytes_max)
