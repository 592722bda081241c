"""Routes that read. Lists are pages: ``cursor`` starts one, ``limit`` bounds it, ``next`` is the next one's cursor."""

from __future__ import annotations

import asyncio
from functools import cache
from typing import Annotated

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.exceptions import HTTPException
from litestar.params import FromPath, PathParameter

from tsingma.api.guard import access, open_to_all
from tsingma.api.listing import LISTS, Listed, ListOperation
from tsingma.api.moments import Looking
from tsingma.api.permissions import Action, Resource, Scope
from tsingma.api.problems import responses
from tsingma.api.reading import MOMENT, NUMBER_MAX, Code, Cursor, Limit, Number, Reached, Service, Status
from tsingma.app import house_reads as reads
from tsingma.app import instruction_reads
from tsingma.app.explain import explain_number
from tsingma.app.link_rules import summarise_all
from tsingma.basics.patterns import whole
from tsingma.basics.rejection import InvariantBroken, Rejected
from tsingma.reference.book import AccountClass


class Standing(msgspec.Struct, frozen=True):
    """Whether the service answers."""

    status: str


class Explanation(msgspec.Struct, frozen=True):
    """Why an instruction has not settled: a sentence, and what must come in where (asset line, amount)."""

    instruction: int
    settles: bool
    sentence: str
    needs: tuple[tuple[str, int], ...]


class Link(msgspec.Struct, frozen=True):
    """A link that ships with the house, what is assumed in its rules, and its quotas where its day is in the house."""

    link: str
    title: str
    status: str
    directions: tuple[str, ...]
    dated_rows: int
    assumed_rows: int
    quotas: tuple[reads.Quota, ...]


class Links(msgspec.Struct, frozen=True):
    """All links."""

    items: list[Link]


_links = cache(summarise_all)  # rule files ship with the house: read once


@get("/health", opt=open_to_all(), sync_to_thread=False)
def health() -> Standing:
    """Say that the process answers; nothing about the house."""
    return Standing("alive")


@get("/ready", opt=open_to_all(), sync_to_thread=True, responses={503: responses()[503]})
def ready(service: Service, keys_fault: NamedDependency[str]) -> Standing:
    """Say whether the house can be read and written: 200; or 503 when it has stopped, or its keys file is wrong."""
    try:
        service.read(lambda house, _at: house.position)
        service.require_open()
    except (Rejected, InvariantBroken):
        raise HTTPException("the house has stopped", status_code=503) from None
    if keys_fault:
        raise HTTPException("the keys file is wrong: the log says how", status_code=503)
    return Standing("ready")


@get("/day", opt=access(Resource.DAY, Action.READ), sync_to_thread=True, responses=responses(404, 422))
def day(service: Service) -> reads.Day:
    """Return where the business day stands."""
    return service.read(reads.day_of)


@get(
    "/participants",
    opt=access(Resource.PARTICIPANTS, Action.READ),
    sync_to_thread=True,
    responses=LISTS,
    operation_class=ListOperation,
)
def participants(listing: Listed) -> reads.Members:
    """Return the directory of participants and the classes of their accounts."""
    return listing.answer(reads.Member, lambda house, at, cursor, limit: reads.members_of(house, at, cursor, limit))


@get(
    "/accounts/{participant:str}/{account_class:str}/balances",
    opt=access(Resource.BALANCES, Action.READ),
    sync_to_thread=True,
    responses=LISTS,
    operation_class=ListOperation,
)
def balances(
    listing: Listed,
    reach: Reached,
    participant: Annotated[str, PathParameter(pattern=whole("[A-Z0-9-]{1,16}"))],
    account_class: FromPath[AccountClass],
) -> reads.Balances:
    """Return what an account has of each asset."""
    mine = reach.participant(participant)
    known = listing.read(lambda house, _at: (mine, account_class) in house.resolved.account_index)
    reach.require(frozenset((mine,)) if known else frozenset(), f"account {participant}/{account_class}")
    return listing.answer(
        reads.Balance, lambda house, at, cursor, limit: reads.balances_of(house, at, mine, account_class, cursor, limit)
    )


@get(
    "/positions",
    opt=access(Resource.POSITIONS, Action.READ),
    sync_to_thread=True,
    responses=LISTS,
    operation_class=ListOperation,
)
def positions(listing: Listed, reach: Reached, participant: Code = "") -> reads.NetPositions:
    """Return stock lines of continuous net settlement."""
    mine = reach.participant(participant)
    return listing.answer(
        reads.NetPosition, lambda house, at, cursor, limit: reads.positions_of(house, at, mine, cursor, limit)
    )


@get(
    "/margin/calls",
    opt=access(Resource.MARGIN_CALLS, Action.READ),
    sync_to_thread=True,
    responses=LISTS,
    operation_class=ListOperation,
)
def margin_calls(listing: Listed, reach: Reached, participant: Code = "") -> reads.MarginCalls:
    """Return requirements as last called, what is pledged for them and what is lacking."""
    mine = reach.participant(participant)
    return listing.answer(
        reads.MarginCall, lambda house, at, cursor, limit: reads.calls_of(house, at, mine, cursor, limit)
    )


@get(
    "/instructions",
    opt=access(Resource.INSTRUCTIONS, Action.READ),
    responses=LISTS,
    operation_class=ListOperation,
)
async def instructions(
    listing: Listed, reach: Reached, participant: Code = "", status: Status = ""
) -> instruction_reads.InstructionStates:  # fmt: skip
    """Return matched instructions in order of their numbers."""
    mine = reach.participant(participant)
    return await asyncio.to_thread(  # Litestar would wrap it in a thread twice: the path has a POST too
        listing.answer,
        instruction_reads.InstructionState,
        lambda house, at, cursor, limit: instruction_reads.instructions_of(house, at, mine, status, cursor, limit),
    )


@get(
    "/instructions/{instruction:int}",
    opt=access(Resource.INSTRUCTIONS, Action.READ),
    sync_to_thread=True,
    responses=MOMENT,
)
def instruction(look: Looking, reach: Reached, instruction: Number) -> instruction_reads.InstructionState:
    """Return one instruction."""
    owners = look.read(lambda house, _at: instruction_reads.parties_of_instruction(house, instruction))
    reach.require(owners, f"instruction {instruction}")
    return look.read(lambda house, _at: instruction_reads.instruction_state(house, instruction))


@get(
    "/instructions/{instruction:int}/explanation",
    opt=access(Resource.INSTRUCTIONS, Action.READ),
    sync_to_thread=True,
    responses=MOMENT,
)
def explanation(look: Looking, reach: Reached, instruction: Number) -> Explanation:
    """Say why an instruction has not settled, and what would settle it; of others' accounts without amounts."""
    owners = look.read(lambda house, _at: instruction_reads.parties_of_instruction(house, instruction))
    reach.require(owners, f"instruction {instruction}")
    reader = "" if reach.scope is Scope.ANY else reach.sender()
    found = look.read(lambda house, _at: explain_number(house, instruction, reader))
    return Explanation(found.instruction, found.settles, found.sentence, found.needs)


@get(
    "/orders",
    opt=access(Resource.ORDERS, Action.READ),
    sync_to_thread=True,
    responses=LISTS,
    operation_class=ListOperation,
)
def orders(
    listing: Listed, reach: Reached, participant: Code = "", status: Status = ""
) -> instruction_reads.OrderStates:  # fmt: skip
    """Return what one side has told the house, matched or not, in order of numbers."""
    mine = reach.participant(participant)
    return listing.answer(
        instruction_reads.OrderState,
        lambda house, at, cursor, limit: instruction_reads.orders_of(house, at, mine, status, cursor, limit),
    )


@get("/orders/{order:int}", opt=access(Resource.ORDERS, Action.READ), sync_to_thread=True, responses=MOMENT)
def order(look: Looking, reach: Reached, order: Number) -> instruction_reads.OrderState:
    """Return one order."""
    owners = look.read(lambda house, _at: instruction_reads.owner_of_order(house, order))
    reach.require(owners, f"order {order}")
    return look.read(lambda house, _at: instruction_reads.order_state(house, order))


@get("/links", opt=access(Resource.LINKS, Action.READ), sync_to_thread=True, responses=responses(404, 422))
def links(service: Service) -> Links:
    """Return the links that ship with the house, and the quotas of those that have a day in it."""
    quotas = service.read(lambda house, _at: reads.quotas_of(house))
    return Links(
        [
            Link(
                one.link, one.title, one.status, one.directions, one.rows, one.assumed, tuple(quotas.get(one.link, ()))
            )
            for one in _links()
        ]
    )


ROUTES = (
    health, ready, day, participants, balances, positions, margin_calls, instructions, instruction, explanation, orders,
    order, links,
)  # fmt: skip

__all__ = ["NUMBER_MAX", "ROUTES", "Code", "Cursor", "Limit", "Number", "Reached", "Service", "Status"]
