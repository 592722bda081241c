"""Instructions and orders: lists to find one in, and one instruction's whole story with what its parties may do."""

from __future__ import annotations

import secrets
from datetime import date
from typing import Annotated

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from tsingma.api.bench import Bench
from tsingma.api.guard import access
from tsingma.api.moments import Looking
from tsingma.api.permissions import Action, Resource, Scope, scope_of
from tsingma.api.reads import Code, Number, Reached, Service, Status
from tsingma.app.instruction_past import KeptPasts, Past
from tsingma.app.instruction_reads import instructions_of, orders_of, parties_of_instruction
from tsingma.app.instruction_story import Entered, Lack, Story, story_of
from tsingma.basics.patterns import whole
from tsingma.console.formats import CURRENCY_LENGTH
from tsingma.console.forms import wrong_field
from tsingma.console.giving import Paged, Pasts
from tsingma.console.page import Page
from tsingma.settlement.instruction import REASONS, STATUSES
from tsingma.settlement.orders import ORDER_STATUSES

ROWS_A_PAGE = 100
# Fields of a filter that a browser sends empty.
Number0 = Annotated[str, QueryParameter(pattern=whole("[0-9]{0,9}"))]
AssetCode = Annotated[str, QueryParameter(pattern=whole("[A-Z0-9]{0,12}"))]
Reason = Annotated[str, QueryParameter(pattern=whole("[a-z-]{0,40}"))]
IsoDay = Annotated[str, QueryParameter(pattern=whole("([0-9]{4}-[0-9]{2}-[0-9]{2})?"))]
Working = NamedDependency[Bench]


@get("/instructions", opt=access(Resource.INSTRUCTIONS, Action.READ), sync_to_thread=True)
def instruction_list(
    page: Paged, look: Looking, reach: Reached, participant: Code = "", status: Status = "", asset: AssetCode = "",
    intended: IsoDay = "", reason: Reason = "", cursor: Number0 = "",
) -> Response[str]:  # fmt: skip
    """Show instructions in order of their numbers, by participant, status, asset, intended day and why they fail."""
    page.looking(look)
    mine = reach.participant(participant)
    day = _day(intended)
    start = int(cursor or 0)
    found = page.read(
        lambda house, at: instructions_of(
            house, at, mine, status, start, ROWS_A_PAGE, asset=asset, intended=day, reason=reason.replace("-", " ")
        )
    )
    return page.render(
        "instructions.html", found=found, statuses=STATUSES, status=status, participant=participant, by_asset=asset,
        intended=intended, reasons=[one.replace(" ", "-") for one in REASONS], by_reason=reason,
        anybody=reach.scope is Scope.ANY,
    )  # fmt: skip


@get("/orders", opt=access(Resource.ORDERS, Action.READ), sync_to_thread=True)
def order_list(
    page: Paged, look: Looking, reach: Reached, participant: Code = "", status: Status = "", cursor: Number0 = ""
) -> Response[str]:
    """Show what one side has told the house, in order of numbers, by participant and status."""
    page.looking(look)
    mine = reach.participant(participant)
    found = page.read(lambda house, at: orders_of(house, at, mine, status, int(cursor or 0), ROWS_A_PAGE))
    return page.render(
        "orders.html", found=found, statuses=ORDER_STATUSES, status=status, participant=participant,
        anybody=reach.scope is Scope.ANY, acts=may_act(page, Resource.ORDERS), key=new_key(),
    )  # fmt: skip


@get("/instructions/{instruction:int}", opt=access(Resource.INSTRUCTIONS, Action.READ), sync_to_thread=True)
def instruction_story(
    page: Paged, look: Looking, service: Service, pasts: Pasts, bench: Working, reach: Reached, instruction: Number
) -> Response[str]:
    """Show one instruction: where it stands, why, what would free it, and everything that happened to it."""
    page.looking(look)
    owners = service.read(lambda house, _at: parties_of_instruction(house, instruction))
    reach.require(owners, f"instruction {instruction}")
    return render_story(page, pasts, bench, instruction)


def render_story(
    page: Page, pasts: KeptPasts, bench: Bench, instruction: int, status: int = 200, **more: object
) -> Response[str]:
    """Return the page of an instruction; ``more``: ``faults`` of an act that was refused. Replays on the bench."""
    story: Story = page.read(lambda house, _at: story_of(house, instruction))
    past: Past | None = pasts.known(instruction)
    if past is None:
        with bench.place():
            past = pasts.past(instruction)
    if past is not None and page.is_past:
        past = Past(past.after, tuple(one for one in past.moments if one.sequence <= page.stands.at))
    mine, others = _lacks(page, story)
    values = {"faults": (), "lacks": mine, "others_lack": others, "reached": _numbers_reached(page, story),
              "anybody": _reads_all(page, Resource.INSTRUCTIONS), **more}  # fmt: skip
    return page.render(
        "instruction.html", status, story=story, orders=_reached(page, story.orders), state=story.state, past=past,
        acts=acts_on(page, story) if may_act(page, Resource.INSTRUCTIONS) else (), key=new_key(), **values,
    )  # fmt: skip


def _reads_all(page: Page, resource: Resource) -> bool:
    return page.reach is not None and scope_of(page.reach.caller.role, (resource, Action.READ)) is Scope.ANY


def _is_mine(page: Page, account: str) -> bool:
    return page.reach is not None and account.partition("/")[0] == page.reach.caller.participant


def _lacks(page: Page, story: Story) -> tuple[tuple[Lack, ...], tuple[str, ...]]:
    """Return what the reader may see lacking with its amount, and what others lack as the last word of its key.

    How much another has too little tells what it has: of the other side a member learns only that it waits for money
    or for stock, of anybody else only that something waits.
    """
    found = story.freeing.lacks if story.freeing is not None else ()
    if _reads_all(page, Resource.INSTRUCTIONS):
        return found, ()
    parties = (story.state.deliverer, story.state.receiver)
    others = [
        ("money" if len(one.asset) == CURRENCY_LENGTH else "stock") if one.account in parties else "third"
        for one in found if not _is_mine(page, one.account)
    ]  # fmt: skip
    return tuple(one for one in found if _is_mine(page, one.account)), tuple(dict.fromkeys(others))


def _numbers_reached(page: Page, story: Story) -> frozenset[int]:
    """Return which of the instructions that a story names the reader may open."""
    freeing = story.freeing
    named = {*story.earlier, *story.later, *story.together}
    if freeing is not None:
        named.update(freeing.members, freeing.on_hold, freeing.early, freeing.cancelled)
    if _reads_all(page, Resource.INSTRUCTIONS) or page.reach is None:
        return frozenset(named if page.reach is not None else ())
    me = page.reach.caller.participant
    return page.read(lambda house, _at: frozenset(one for one in named if me in parties_of_instruction(house, one)))


def _reached(page: Page, orders: tuple[Entered, ...]) -> tuple[Entered, ...]:
    """Return the orders that the reader reaches: a member sees its own side's alone, as over HTTP."""
    scope = scope_of(page.reach.caller.role, (Resource.ORDERS, Action.READ)) if page.reach is not None else Scope.NONE
    if page.reach is None or scope is Scope.ANY:
        return orders if page.reach is not None else ()
    return tuple(one for one in orders if one.order.account.partition("/")[0] == page.reach.caller.participant)


def acts_on(page: Page, story: Story) -> tuple[str, ...]:
    """Return which actions make sense for the reader's side now; the house judges again when one is sent."""
    if page.reach is None or story.freeing is None:
        return ()
    state, me = story.state, page.reach.caller.participant
    sides = {side for side in ("deliverer", "receiver") if getattr(state, side).partition("/")[0] == me}
    if not sides:
        return ()
    holds, cancels = sides & set(state.held_by), sides & set(state.cancel_asked_by)
    found = ["release" if holds else "hold", "keep" if cancels else "cancel", "permit-parts", "refuse-parts"]
    found += ["unlink"] if story.earlier or story.later or story.together else []
    found += ["release-part"] if state.held_by == ("deliverer",) and "deliverer" in sides else []
    return (*found, "prioritise")


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise wrong_field("intended", "is no date", "YYYY-MM-DD", text) from None


def may_act(page: Page, resource: Resource) -> bool:
    """Return whether the reader may act on its own objects of a kind."""
    return (
        page.reach is not None
        and not page.is_past
        and scope_of(page.reach.caller.role, (resource, Action.ACT)) is Scope.OWN
    )


def new_key() -> str:
    """Return a name for one change, which its form carries: sent twice, it is carried out once."""
    return f"console-{secrets.token_hex(12)}"


ROUTES = (instruction_list, order_list, instruction_story)
