"""The guard before every route: who asks, whether their role may, and whose objects they reach. Default: refused.

A route states its access in ``opt``, with ``access(resource, action)``; a route that states none, or one that the table
of permissions does not have, is closed to everybody. It judges before a byte of the body is read.

Routes of the console state it with ``page(resource, action)``. They take the cookie of somebody signed in and nothing
else, and every change of them needs the token of its form; all other routes take tokens and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import msgspec
from litestar.connection import ASGIConnection, Request
from litestar.exceptions import (
    HTTPException,
    NotFoundException,
    PermissionDeniedException,
    TooManyRequestsException,
)
from litestar.handlers import BaseRouteHandler
from litestar.types import Guard

from tsingma.api import browser
from tsingma.api.bodies import request_hash
from tsingma.api.budget import held
from tsingma.api.certificates import certificate_of
from tsingma.api.permissions import Access, Action, Resource, Scope, scope_of
from tsingma.api.problems import SignInNeeded
from tsingma.api.sessions import Sessions
from tsingma.api.signatures import TokenRefused
from tsingma.api.tokens import Caller, TokenDesk, TooManyTokens
from tsingma.journal.commands import Command, Signed
from tsingma.journal.origin import Origin

PUBLIC = "public"  # of routes that tell nothing about the house: alive or not, the description of the interface
_ACCESS = "access"
_CONSOLE = "console"
_LIVE = "live"


class Reach(msgspec.Struct, frozen=True):
    """What the caller of this request may touch: its own participant's objects, or anybody's.

    ``request`` is the SHA-256 of what was asked (``bodies.request_hash``).
    """

    caller: Caller
    scope: Scope
    request: bytes = b""

    def signed(self, command: Command) -> Signed:
        """Return a command with who tells it, as the journal keeps it."""
        return Signed(command, Origin(self.caller.person or self.caller.issuer, self.caller.key, self.request))

    def participant(self, asked: str = "") -> str:
        """Return whose objects a list has ("": everybody's); raises 403 when others' are asked for and not reached."""
        if self.scope is Scope.ANY:
            return asked
        if not self.caller.participant or asked not in ("", self.caller.participant):
            raise PermissionDeniedException("objects of other participants")
        return self.caller.participant

    def sender(self) -> str:
        """Return for whom a change is made; raises 403 unless the key is a participant's and reaches its own only.

        The house takes a change without a participant as its own, which is everybody's: none may come from here.
        """
        if self.scope is not Scope.OWN or not self.caller.participant:
            raise PermissionDeniedException("only a key of a participant makes changes, and for it alone")
        return self.caller.participant

    def require(self, owners: frozenset[str], what: str) -> None:
        """Raise 404 unless an object is there and reached: others' objects look as if there were none."""
        if not owners or (self.scope is not Scope.ANY and self.caller.participant not in owners):
            raise NotFoundException(f"there is no {what}, or it is not yours")


def access(resource: Resource, action: Action) -> dict[str, Access]:
    """Return what a route states about itself."""
    return {_ACCESS: (resource, action)}


def page(resource: Resource, action: Action) -> dict[str, Access | bool]:
    """Return what a route of the console states about itself."""
    return {_ACCESS: (resource, action), _CONSOLE: True}


def refreshed_by_itself() -> dict[str, bool]:
    """Return what a page states that asks for itself, or a part of it, again: nobody need be there for that."""
    return {_LIVE: True}


def open_to_all() -> dict[str, str]:
    """Return what a route states that needs no token."""
    return {_ACCESS: PUBLIC}


def guard_of(desk: TokenDesk, look: Callable[[], None] = lambda: None, sessions: Sessions | None = None) -> Guard:
    """Return the guard that asks ``desk``, of pages ``sessions``, who somebody is; ``look`` brings both up to date."""

    async def judge(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
        stated = handler.opt.get(_ACCESS)
        look()
        if stated == PUBLIC:
            return
        if handler.opt.get(_CONSOLE):
            await _judge_page(connection, stated, sessions, seen=not _by_itself(connection, handler))
            return
        given = connection.headers.getall("authorization", [])
        shown = certificate_of(connection.scope)
        connection.state.reach = await admit(desk, given, handler.opt, connection.path_params, shown)

    return judge


async def admit(
    desk: TokenDesk, authorization: Sequence[str], opt: Mapping[str, Any], path_params: Mapping[str, Any],
    certificate: str = "",
) -> Reach:  # fmt: skip
    """Return what a caller with a token reaches of a route; a change uses the token up. Raises 401, 403 and 429.

    ``authorization`` are the request's headers of that name, ``opt`` is what the route states, ``certificate`` the
    fingerprint of the one that the connection has shown.
    """
    stated = opt.get(_ACCESS)
    try:
        caller = await desk.check_soon(_token(authorization))
        desk.require_certificate(caller, certificate)
        _has_the_body(caller)
        reach = _reach(caller, stated, path_params)
        if stated is None or stated[1] is not Action.READ:
            desk.spend(reach.caller)
    except TokenRefused as refused:
        raise _unauthorised(str(refused)) from None
    except TooManyTokens as many:
        raise TooManyRequestsException(f"{many}: let them live shorter", headers={"Retry-After": "5"}) from None
    return reach


def _by_itself(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> bool:
    """Return whether a page that somebody left open may have asked for this: a session that does so becomes idle."""
    headers = connection.headers
    asked = "hx-request" in headers or "text/event-stream" in headers.get("accept", "")
    return bool(handler.opt.get(_LIVE)) and asked


async def _judge_page(
    connection: ASGIConnection[Any, Any, Any, Any], stated: Access | None, sessions: Sessions | None, *, seen: bool
) -> None:
    cookie = browser.cookie_of(connection, browser.SESSION)
    caller = sessions.caller(cookie, seen=seen) if sessions is not None else None
    safe = connection.scope.get("method") in browser.SAFE_METHODS
    if caller is None or sessions is None:
        if not safe:
            raise PermissionDeniedException("sign in first")
        raise SignInNeeded
    reach = _reach(caller, stated, connection.path_params)
    _has_the_body(caller)
    if not safe:
        if not isinstance(connection, Request):
            raise PermissionDeniedException("changes are requests")
        await browser.require_form_token(connection, sessions, cookie)
    connection.state.reach = reach
    connection.state.csrf = sessions.form_token(cookie)


def _has_the_body(caller: Caller) -> None:
    """Let whoever asks have the request's share of the budget of bodies: a participant, whatever its keys, or a key."""
    hold = held()
    if hold is not None:
        hold.belong_to(f"participant/{caller.participant}" if caller.participant else caller.issuer)


def _reach(caller: Caller, stated: Access | None, path_params: Mapping[str, Any]) -> Reach:
    scope = scope_of(caller.role, stated)
    if scope is Scope.NONE:
        raise PermissionDeniedException(f"a {caller.role} may not do this")
    reach = Reach(caller, scope)
    if "participant" in path_params:
        reach.participant(str(path_params["participant"]))
    return reach


def reach_of(request: Request[Any, Any, Any]) -> Reach:
    """Return what the guard has found; raises 403 when no guard has been there."""
    found = request.state.get("reach")
    if not isinstance(found, Reach):
        raise PermissionDeniedException("nobody has asked who this is")
    told = request.state.get("request_hash") or request_hash(request.scope, b"")
    return msgspec.structs.replace(found, request=told)


def csrf_of(request: Request[Any, Any, Any]) -> str:
    """Return what forms of the page that answers a request must bring along, as the field ``csrf``; "" elsewhere."""
    return str(request.state.get("csrf", ""))


def _token(given: Sequence[str]) -> str:
    if len(given) != 1:
        raise TokenRefused("send one header 'Authorization: Bearer TOKEN'")
    scheme, _, token = given[0].partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise TokenRefused("send 'Authorization: Bearer TOKEN'")
    return token.strip()


def _unauthorised(detail: str) -> HTTPException:
    challenge = {"WWW-Authenticate": 'Bearer error="invalid_token"'}  # RFC 6750, section 3
    return HTTPException(detail, status_code=HTTPStatus.UNAUTHORIZED, headers=challenge)
