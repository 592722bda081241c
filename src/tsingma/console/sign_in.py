"""Signing in to the console and out of it, with a password or by a provider; works without JavaScript."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from litestar import Request, Response, get, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException

from tsingma.api import browser
from tsingma.api.entrance import Entrance
from tsingma.api.guard import open_to_all
from tsingma.api.oidc import ProviderRefused
from tsingma.api.sessions import new_cookie
from tsingma.api.sign_in import SignInRefused
from tsingma.console.page import Page

HOME = "/console"
LOG = logging.getLogger("tsingma.api")
NEXT_LENGTH_MAX = 2_000
_OURS = re.compile(r"/console(?:[/?][\w\-./?=&%+:,~*]*)?", re.ASCII)
Asked = Request[Any, Any, Any]
Entered = NamedDependency[Entrance]


@get("/sign-in", opt=open_to_all(), include_in_schema=False)
async def sign_in_page(request: Asked, entrance: Entered) -> Response[str]:
    """Show the form."""
    return _form(request, entrance, _next(request.query_params.get("next", "")))


@post("/sign-in", opt=open_to_all(), include_in_schema=False)
async def sign_in(request: Asked, entrance: Entered) -> Response[str]:
    """Let somebody in and go on to where the form came from, or show it again."""
    await browser.require_form_token(request, entrance.sessions, browser.cookie_of(request, browser.FORM))
    form = await request.form()
    name, password, place = (str(form.get(field, "")) for field in ("name", "password", "next"))
    before = browser.cookie_of(request, browser.SESSION)
    try:
        cookie = await entrance.sign_in.sign_in(name, password, browser.address_of(request), before)
    except SignInRefused as refused:
        return _form(request, entrance, _next(place), refused)
    cookies = [browser.set_cookie(request, browser.SESSION, cookie), browser.set_cookie(request, browser.FORM, "")]
    return _go(_next(place), cookies)


@post("/sign-out", opt=open_to_all(), include_in_schema=False)
async def sign_out(request: Asked, entrance: Entered) -> Response[str]:
    """End the session and show the form; without one there is nothing to end."""
    cookie = browser.cookie_of(request, browser.SESSION)
    if entrance.sessions.caller(cookie) is not None:
        await browser.require_form_token(request, entrance.sessions, cookie)
        entrance.sessions.end(cookie)
    return _go("/console/sign-in", [browser.set_cookie(request, browser.SESSION, "")])


@get("/sign-in/provider", opt=open_to_all(), include_in_schema=False)
async def sign_in_elsewhere(request: Asked, entrance: Entered) -> Response[str]:
    """Lead to the provider; what comes back must come from this browser."""
    place, cookie = _next(request.query_params.get("next", "")), new_cookie()
    if entrance.provider is None:
        raise NotFoundException("this house has no provider")
    try:
        away = await entrance.provider.begin(cookie, place)
    except ProviderRefused as refused:
        LOG.error("the provider: %s", refused)
        return _form(request, entrance, place, elsewhere="unreached")
    # SameSite=Lax: a browser sends it along when the provider leads it back here.
    return _go(away, [browser.set_cookie(request, browser.PROVIDER, cookie, same_site="lax")])


@get("/sign-in/return", opt=open_to_all(), include_in_schema=False)
async def come_back(request: Asked, entrance: Entered) -> Response[str]:
    """Let in whom the provider has proved, and lead on by a page of ours.

    A redirect would still be part of the provider's, and browsers send a SameSite=Strict cookie on none of those.
    """
    if entrance.provider is None:
        raise NotFoundException("this house has no provider")
    answer = {name: value for name, value in request.query_params.multi_items() if isinstance(value, str)}
    cookie = browser.cookie_of(request, browser.PROVIDER)
    gone = browser.set_cookie(request, browser.PROVIDER, "", same_site="lax")
    address = browser.address_of(request)
    try:
        subject, place = await entrance.sign_in.by_provider(entrance.provider, cookie, answer, address)
    except SignInRefused as waits:
        return _form(request, entrance, HOME, waits, more=[gone])
    except ProviderRefused as refused:
        LOG.warning("a sign-in by the provider was refused: %s", refused)
        return _form(request, entrance, HOME, elsewhere="refused", more=[gone])
    person = entrance.sessions.of_subject(entrance.provider.issuer, subject)
    if person is None:
        LOG.warning("a sign-in by the provider was refused: nobody here")
        return _form(request, entrance, HOME, elsewhere="refused", more=[gone])
    session = entrance.sessions.begin(person, browser.cookie_of(request, browser.SESSION))
    place = _next(place)
    answer_page = Page(request, None, None).render("signed_in.html", next=place, refresh=f"0; url={place}")
    answer_page.cookies.extend([browser.set_cookie(request, browser.SESSION, session), gone])
    return answer_page


def _form(
    request: Asked, entrance: Entrance, place: str, refused: SignInRefused | None = None,
    *, elsewhere: str = "", more: Sequence[Cookie] = (),
) -> Response[str]:  # fmt: skip
    kept = browser.cookie_of(request, browser.FORM)
    cookie = kept or new_cookie()
    wait_s = refused.wait_s if refused is not None else 0
    status = HTTPStatus.FORBIDDEN if refused is not None or elsewhere == "refused" else HTTPStatus.OK
    if wait_s:
        status = HTTPStatus.TOO_MANY_REQUESTS
    elif elsewhere == "unreached":
        status = HTTPStatus.SERVICE_UNAVAILABLE
    answer = Page(request, None, None).render(
        "sign_in.html", status, form_token=entrance.sessions.form_token(cookie), next=place,
        refused=refused is not None, wait_s=wait_s, elsewhere=elsewhere, has_provider=entrance.provider is not None,
    )  # fmt: skip
    if wait_s:
        answer.headers["Retry-After"] = str(wait_s)
    if not kept:
        answer.cookies.append(browser.set_cookie(request, browser.FORM, cookie))
    answer.cookies.extend(more)
    return answer


def _go(place: str, cookies: list[Cookie]) -> Response[str]:
    headers = {"Location": place, "Cache-Control": "no-store"}
    return Response("", status_code=HTTPStatus.SEE_OTHER, headers=headers, cookies=cookies, media_type="text/html")


def _next(asked: str) -> str:
    """Return where to go after signing in: a page of this console, never an address somebody else chose."""
    fits = len(asked) <= NEXT_LENGTH_MAX and _OURS.fullmatch(asked) and not asked.startswith("/console/sign-")
    return asked if fits else HOME


ROUTES = (sign_in_page, sign_in, sign_in_elsewhere, come_back, sign_out)  # behind the prefix /console
