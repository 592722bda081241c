"""A member's books: obligations by day, net positions, holdings, calls with the cheapest pledge."""

from __future__ import annotations

from itertools import groupby

from litestar import Response, get

from tsingma.api.guard import Reach, access
from tsingma.api.moments import Looking
from tsingma.api.permissions import Action, Resource, Scope
from tsingma.api.reads import Code, Cursor, Reached
from tsingma.app.holding_reads import holdings_of
from tsingma.app.house_reads import calls_of, positions_of
from tsingma.app.obligation_reads import obligations_of
from tsingma.app.pledge_proposals import PledgeProposal, proposals_of
from tsingma.console.giving import Paged
from tsingma.engine.house import House

ROWS_A_PAGE = 250


def _whose(reach: Reach, participant: str) -> dict[str, object]:
    return {"participant": participant, "anybody": reach.scope is Scope.ANY}


@get("/obligations", opt=access(Resource.OBLIGATIONS, Action.READ), sync_to_thread=True)
def obligations(
    page: Paged, look: Looking, reach: Reached, participant: Code = "", cursor: Cursor = 0
) -> Response[str]:
    """Show what is to be received and delivered, by settlement day and asset, net and gross."""
    page.looking(look)
    mine = reach.participant(participant)
    found = page.read(lambda house, at: obligations_of(house, at, mine, cursor, ROWS_A_PAGE))
    days = [(day, list(lines)) for day, lines in groupby(found.items, key=lambda one: one.day)]
    return page.render("obligations.html", found=found, days=days, **_whose(reach, participant))


@get("/positions", opt=access(Resource.POSITIONS, Action.READ), sync_to_thread=True)
def positions(page: Paged, look: Looking, reach: Reached, participant: Code = "", cursor: Cursor = 0) -> Response[str]:
    """Show stock lines of continuous net settlement: due, settled, open, on hold."""
    page.looking(look)
    mine = reach.participant(participant)
    found = page.read(lambda house, at: positions_of(house, at, mine, cursor, ROWS_A_PAGE))
    return page.render("positions.html", found=found, **_whose(reach, participant))


@get("/holdings", opt=access(Resource.HOLDINGS, Action.READ), sync_to_thread=True)
def holdings(page: Paged, look: Looking, reach: Reached, participant: Code = "", cursor: Cursor = 0) -> Response[str]:
    """Show what accounts hold, and what of it is on hold, pledged and available."""
    page.looking(look)
    mine = reach.participant(participant)
    found = page.read(lambda house, at: holdings_of(house, at, mine, cursor, ROWS_A_PAGE))
    return page.render("holdings.html", found=found, **_whose(reach, participant))


@get("/calls", opt=access(Resource.MARGIN_CALLS, Action.READ), sync_to_thread=True)
def calls(page: Paged, look: Looking, reach: Reached, participant: Code = "", cursor: Cursor = 0) -> Response[str]:
    """Show what was last called, what is pledged for it, and the cheapest pledge for what is lacking."""
    page.looking(look)
    mine = reach.participant(participant)
    found, proposals = page.read(
        lambda house, at: (calls_of(house, at, mine, cursor, ROWS_A_PAGE), _proposals(house, mine))
    )
    return page.render("calls.html", found=found, proposals=proposals, mine=mine, **_whose(reach, participant))


def _proposals(house: House, participant: str) -> tuple[PledgeProposal, ...]:
    return proposals_of(house, participant) if participant else ()


ROUTES = (obligations, positions, holdings, calls)
