"""A member's books: obligations by day, net positions, holdings, calls with the cheapest pledge."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from litestar import Request, Response, get

from tsingma.api.guard import Reach, access
from tsingma.api.moments import Looking
from tsingma.api.permissions import Action, Resource, Scope
from tsingma.api.reads import Code, Cursor, Reached
from tsingma.app.collateral_reads import PoolCalls, PoolLines, pool_calls, pool_lines
from tsingma.app.holding_reads import holdings_of
from tsingma.app.house_reads import MarginCalls, calls_of, positions_of
from tsingma.app.obligation_reads import obligations_of
from tsingma.app.pledge_proposals import SECURITIES, PledgeProposal, proposals_of
from tsingma.basics.money import CURRENCIES
from tsingma.console.forms import wrong_field
from tsingma.console.giving import Paged
from tsingma.engine.house import House

ROWS_A_PAGE = 250
COSTS = (*CURRENCIES, SECURITIES)  # what pledging of it costs a year, as a reader may say


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
def calls(
    request: Request[Any, Any, Any], page: Paged, look: Looking, reach: Reached, participant: Code = "",
    cursor: Cursor = 0,
) -> Response[str]:  # fmt: skip
    """Show what was last called, what is pledged for it, and the cheapest pledge for what is lacking."""
    page.looking(look)
    mine = reach.participant(participant)
    asked = {name: request.query_params.get(f"cost_{name}", "").strip() for name in COSTS}
    costs_e4 = {name: _cost_e4(name, text) for name, text in asked.items() if text}

    def question(house: House, at: int) -> tuple[MarginCalls, PoolCalls, PoolLines, tuple[PledgeProposal, ...]]:
        return (
            calls_of(house, at, mine, cursor, ROWS_A_PAGE),
            pool_calls(house, at, mine, 0, ROWS_A_PAGE),
            pool_lines(house, at, mine, 0, ROWS_A_PAGE),
            proposals_of(house, mine, costs_e4) if mine else (),
        )

    found, pool, lines, proposals = page.read(question)
    return page.render(
        "calls.html", found=found, pool=pool, lines=lines, proposals=proposals, mine=mine, costs=asked,
        **_whose(reach, participant),
    )  # fmt: skip


def _cost_e4(name: str, text: str) -> int:
    """Return per cent as text in ten-thousandths; raises FaultsFound (malformed) unless it is from 0 to below 100."""
    whole, _, part = text.partition(".")
    if (
        not (f"{whole}{part}".isascii() and whole.isdigit() and len(whole) <= 2 and (part + "0").isdigit())
        or len(part) > 2
    ):
        raise wrong_field(f"cost_{name}", "is no rate", "per cent with at most two decimals, below 100", text[:20])
    return int(whole) * 100 + int((part + "00")[:2])


ROUTES = (obligations, positions, holdings, calls)
