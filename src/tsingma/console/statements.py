"""Statements to take away: settlement, holdings, margin; as PDF, XLSX, CSV and HTML in the reader's language."""

from __future__ import annotations

from typing import Annotated, Literal

from litestar import Response, get
from litestar.exceptions import NotFoundException, TooManyRequestsException
from litestar.params import PathParameter

from tsingma.api.guard import Reach, access
from tsingma.api.permissions import Action, Resource, Scope, scope_of
from tsingma.api.reads import Code, Reached, Service
from tsingma.app.house_service import HouseService
from tsingma.app.official_reports import KINDS
from tsingma.app.statement_files import FILE_FORMS, statement_file
from tsingma.basics.patterns import whole
from tsingma.basics.rejection import Rejected, RejectionReason
from tsingma.console.giving import Paged
from tsingma.console.language import Language
from tsingma.console.page import Page
from tsingma.engine.house import House

MEDIA_TYPES = {
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv",
    "html": "text/html",
    "zip": "application/zip",
}
_MARGIN = (Resource.MARGIN_CALLS, Action.READ)
Participant = Annotated[str, PathParameter(pattern=whole("[A-Z0-9-]{1,16}"))]
Form = Annotated[Literal["pdf", "xlsx", "csv", "html"], PathParameter()]


@get("/statements", opt=access(Resource.HOLDINGS, Action.READ), sync_to_thread=True)
def statements(page: Paged, reach: Reached, participant: Code = "") -> Response[str]:
    """Show which statements there are, and the files they come in."""
    mine = reach.participant(participant)
    known = page.read(lambda house, _at: not mine or _is_known(house, mine))
    kinds = [kind for kind in KINDS if kind != "margin" or scope_of(reach.caller.role, _MARGIN) is not Scope.NONE]
    return page.render(
        "statements.html", whose=mine if known else "", kinds=kinds, forms=FILE_FORMS, participant=participant,
        anybody=reach.scope is Scope.ANY,
    )  # fmt: skip


@get(
    "/statements/{participant:str}/settlement/{form:str}",
    opt=access(Resource.POSITIONS, Action.READ),
    sync_to_thread=True,
)
def settlement_statement(
    page: Paged, service: Service, reach: Reached, participant: Participant, form: Form
) -> Response[bytes]:
    """Return a settlement statement as a file."""
    return _file(page, service, reach, "settlement", participant, form)


@get(
    "/statements/{participant:str}/holdings/{form:str}",
    opt=access(Resource.HOLDINGS, Action.READ),
    sync_to_thread=True,
)
def holdings_statement(
    page: Paged, service: Service, reach: Reached, participant: Participant, form: Form
) -> Response[bytes]:
    """Return a statement of holdings as a file."""
    return _file(page, service, reach, "holdings", participant, form)


@get(
    "/statements/{participant:str}/margin/{form:str}",
    opt=access(Resource.MARGIN_CALLS, Action.READ),
    sync_to_thread=True,
)
def margin_statement(
    page: Paged, service: Service, reach: Reached, participant: Participant, form: Form
) -> Response[bytes]:
    """Return a margin statement as a file."""
    return _file(page, service, reach, "margin", participant, form)


def _file(page: Page, service: HouseService, reach: Reach, kind: str, participant: str, form: str) -> Response[bytes]:
    mine = reach.participant(participant)
    if not page.read(lambda house, _at: _is_known(house, mine)):
        raise NotFoundException(f"there is no participant {participant}, or it is not yours")
    language = "zh" if page.language is Language.ZH else "en"
    try:
        name, content = statement_file(service, kind, mine, form, language)
    except Rejected as rejected:
        if rejected.rejections[0].reason is RejectionReason.LIMIT:
            raise TooManyRequestsException(str(rejected), headers={"Retry-After": "2"}) from None
        raise
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
    return Response(content, media_type=MEDIA_TYPES[name.rpartition(".")[2]], headers=headers)


def _is_known(house: House, participant: str) -> bool:
    return participant in house.resolved.participant_index


ROUTES = (statements, settlement_statement, holdings_statement, margin_statement)
