"""The journal: every record with who did what, newest first, joined by its hashes."""

from __future__ import annotations

from typing import Annotated

from litestar import Response, get
from litestar.params import QueryParameter

from tsingma.api.guard import access
from tsingma.api.permissions import Action, Resource, Scope
from tsingma.api.reads import Code, Reached, Service
from tsingma.app.journal_reads import entries_of
from tsingma.basics.patterns import whole
from tsingma.console.giving import Paged

ROWS_A_PAGE = 100
Before = Annotated[str, QueryParameter(name="cursor", pattern=whole("[0-9]{0,9}"))]  # a browser sends it empty
Who = Annotated[str, QueryParameter(max_length=100)]


@get("/journal", opt=access(Resource.EVENTS, Action.READ), sync_to_thread=True)
def journal(
    page: Paged, service: Service, reach: Reached, participant: Code = "", who: Who = "", before: Before = ""
) -> Response[str]:
    """Show records as far as the reader sees them, of everybody or of one who acted."""
    mine = reach.participant(participant)
    found = entries_of(service, mine, int(before or 0), ROWS_A_PAGE, who=who.strip())
    return page.render("journal.html", found=found, who=who, participant=participant, anybody=reach.scope is Scope.ANY)


ROUTES = (journal,)
