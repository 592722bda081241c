"""The day at a glance: what has run and comes next, what waits, what fails and why, who must pay in, what is proved."""

from __future__ import annotations

from litestar import Response, get

from tsingma.api.guard import access, refreshed_by_itself
from tsingma.api.moments import Looking
from tsingma.api.permissions import Action, Resource, Scope, scope_of
from tsingma.api.reads import Code, Reached, Service
from tsingma.app.day_glance import glance_of, last_closed
from tsingma.console.giving import Paged


@get("/day", opt={**access(Resource.INSTRUCTIONS, Action.READ), **refreshed_by_itself()}, sync_to_thread=True)
def day(page: Paged, look: Looking, service: Service, reach: Reached, participant: Code = "") -> Response[str]:
    """Show the day of the house, or of what a member reaches: its own."""
    page.looking(look)
    mine = reach.participant(participant)
    with_calls = scope_of(reach.caller.role, (Resource.MARGIN_CALLS, Action.READ)) is not Scope.NONE
    glance = page.read(lambda house, at: glance_of(house, at, mine, service.find_all, with_calls=with_calls))
    stands = page.stands
    closed = last_closed(service, stands.date, is_open=stands.is_open)
    nexts = [one for one in glance.steps if one.state == "next"]
    return page.render(
        "day.html", glance=glance, closed=closed, next_step=nexts[0] if nexts else None, whose=mine,
        done=sum(one.state == "done" for one in glance.steps), with_calls=with_calls, anybody=reach.scope is Scope.ANY,
    )  # fmt: skip


ROUTES = (day,)
