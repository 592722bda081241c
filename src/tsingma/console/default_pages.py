"""Suspensions and defaults: how each case stands since when and why, what is open and owed, which layer bore what."""

from __future__ import annotations

from litestar import Response, get

from tsingma.api.guard import access
from tsingma.api.moments import Looking
from tsingma.api.permissions import Action, Resource, Scope
from tsingma.api.reads import Code, Cursor, Reached
from tsingma.app.default_reads import defaults_of
from tsingma.console.giving import Paged

CASES_A_PAGE = 50


@get("/defaults", opt=access(Resource.DEFAULTS, Action.READ), sync_to_thread=True)
def defaults(page: Paged, look: Looking, reach: Reached, participant: Code = "", cursor: Cursor = 0) -> Response[str]:
    """Show cases in order of their numbers; a member reads its own alone."""
    page.looking(look)
    mine = reach.participant(participant)
    found = page.read(lambda house, at: defaults_of(house, at, mine, cursor, CASES_A_PAGE))
    return page.render("defaults.html", found=found, participant=participant, anybody=reach.scope is Scope.ANY)


ROUTES = (defaults,)
