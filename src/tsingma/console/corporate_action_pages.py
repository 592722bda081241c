"""Corporate actions: what issuers announced, which day decides, and what each account stands to get."""

from __future__ import annotations

from typing import Annotated

from litestar import Response, get
from litestar.params import QueryParameter

from tsingma.api.guard import access
from tsingma.api.moments import Looking
from tsingma.api.permissions import Action, Resource, Scope
from tsingma.api.reads import Code, Cursor, Reached
from tsingma.app.corporate_action_reads import events_of
from tsingma.basics.patterns import whole
from tsingma.console.giving import Paged

EVENTS_A_PAGE = 20
Which = Annotated[str, QueryParameter(pattern=whole("(all)?"))]


@get("/corporate-actions", opt=access(Resource.HOLDINGS, Action.READ), sync_to_thread=True)
def corporate_actions(
    page: Paged, look: Looking, reach: Reached, participant: Code = "", events: Which = "", cursor: Cursor = 0
) -> Response[str]:
    """Show events, those announced last first, with what they are for the accounts that the reader reaches."""
    page.looking(look)
    mine = reach.participant(participant)
    found = page.read(lambda house, at: events_of(house, at, mine, cursor, EVENTS_A_PAGE, every=bool(events)))
    return page.render(
        "corporate_actions.html", found=found, every=bool(events), participant=participant,
        anybody=reach.scope is Scope.ANY,
    )  # fmt: skip


ROUTES = (corporate_actions,)
