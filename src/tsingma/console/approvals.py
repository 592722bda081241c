"""Acts of the operator on a page: proposed by one person, approved by another; others of the oversight look on."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.params import FromPath

from tsingma.api.acts import ActDesk, Desk
from tsingma.api.guard import access
from tsingma.api.permissions import Action, Resource, Scope, scope_of
from tsingma.api.problems import Fault, FaultsFound
from tsingma.api.reads import Number, Reached
from tsingma.app.day_glance import next_step
from tsingma.app.operator_acts import ActTold, OperatorAct
from tsingma.basics.rejection import Rejected
from tsingma.console.acts import faults_of, status_of
from tsingma.console.forms import form_of, key_of, wrong_field
from tsingma.console.giving import Paged
from tsingma.console.instructions import new_key
from tsingma.console.page import Page
from tsingma.journal.act_commands import Decision

PATH = "/console/approvals"
_FIELDS = {"open-day": "date", "run-step": "step"}  # of the acts that the page proposes; the others have none

Asked = Request[Any, Any, Any]


@get("/approvals", opt=access(Resource.ACTS, Action.READ), sync_to_thread=True)
def approvals(page: Paged, act_desk: Desk) -> Response[str]:
    """Show what waits for a second person, what can be proposed, and the last acts decided."""
    return _render(page, act_desk)


@post("/approvals", opt=access(Resource.ACTS, Action.SUBMIT))
async def propose(request: Asked, page: Paged, act_desk: Desk, reach: Reached) -> Response[str]:
    """Propose an act."""
    form = await form_of(request)
    try:
        await act_desk.propose(reach, key_of(form), _act(form))
    except (Rejected, FaultsFound) as refused:
        return await asyncio.to_thread(_render, page, act_desk, faults_of(refused))
    return page.go(PATH)


@post("/approvals/{act:int}/{decision:str}", opt=access(Resource.ACTS, Action.ACT))
async def decide(
    request: Asked, page: Paged, act_desk: Desk, reach: Reached, act: Number, decision: FromPath[Decision]
) -> Response[str]:
    """Approve an act, which carries it out, or reject or withdraw it."""
    form = await form_of(request)
    try:
        await act_desk.decide(reach, key_of(form), act, decision)
    except (Rejected, FaultsFound) as refused:
        return await asyncio.to_thread(_render, page, act_desk, faults_of(refused))
    return page.go(PATH)


def _render(page: Page, act_desk: ActDesk, faults: tuple[Fault, ...] = ()) -> Response[str]:
    """Return the page; what has lines is shown whole, so that nobody approves what was not seen."""
    acts = [(told, {"act": _name(told.act), "lines": _lines(told)}) for told in act_desk.read()]
    following = page.read(lambda house, _at: next_step(house))
    role = page.reach.caller.role if page.reach is not None else None
    may = role is not None and scope_of(role, (Resource.ACTS, Action.ACT)) is not Scope.NONE
    return page.render(
        "approvals.html", status_of(faults) if faults else 200,
        pending=[one for one in acts if one[0].status == "pending"],
        decided=[one for one in acts if one[0].status != "pending"],
        step=following, may=may, key=new_key(), faults=faults,
    )  # fmt: skip


def _act(form: Mapping[str, str]) -> OperatorAct:
    name = form.get("act", "")
    told = {"act": name, **({_FIELDS[name]: form.get(_FIELDS[name], "")} if name in _FIELDS else {})}
    try:
        act: OperatorAct = msgspec.convert(told, OperatorAct)
    except msgspec.ValidationError as error:
        raise wrong_field(_FIELDS.get(name, "act"), str(error), value=name) from None
    return act


def _name(act: OperatorAct) -> str:
    return str(act.__struct_config__.tag)


def _lines(told: ActTold) -> list[tuple[str, str]]:
    """Return every field of an act with its value as text, one line for each item of a list.

    Of a step of the day also what it was made of, its counts and totals, and the SHA-256 of what it carries out.
    """
    lines: list[tuple[str, str]] = []
    shown = {name: value for name, value in msgspec.to_builtins(told.act).items() if value not in (None, "")}
    more = {"source": told.source, "figures": told.figures, "contents": told.contents} if told.step else {}
    for name, value in {**shown, **{name: value for name, value in more.items() if value}}.items():
        items = value if isinstance(value, list | tuple) else [value]
        lines += [(name, _text(item)) for item in items if name != "act"]
    return lines


def _text(value: Any) -> str:
    return ", ".join(f"{name} {one}" for name, one in value.items()) if isinstance(value, dict) else str(value)


ROUTES = (approvals, propose, decide)
