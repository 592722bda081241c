"""Signing in to the console and out of it, with a name and a password; works without JavaScript."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any

from litestar import Request, Response, get, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency

from tsingma.api import browser
from tsingma.api.entrance import Entrance
from tsingma.api.guard import open_to_all
from tsingma.api.sessions import new_cookie
from tsingma.api.sign_in import SignInRefused
from tsingma.console.page import Page

HOME = "/console"
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


def _form(request: Asked, entrance: Entrance, place: str, refused: SignInRefused | None = None) -> Response[str]:
    kept = browser.cookie_of(request, browser.FORM)
    cookie = kept or new_cookie()
    wait_s = refused.wait_s if refused is not None else 0
    status = HTTPStatus.TOO_MANY_REQUESTS if wait_s else HTTPStatus.FORBIDDEN if refused is not None else HTTPStatus.OK
    answer = Page(request, None, None).render(
        "sign_in.html", status, form_token=entrance.sessions.form_token(cookie), next=place,
        refused=refused is not None, wait_s=wait_s,
    )  # fmt: skip
    if wait_s:
        answer.headers["Retry-After"] = str(wait_s)
    if not kept:
        answer.cookies.append(browser.set_cookie(request, browser.FORM, cookie))
    return answer


def _go(place: str, cookies: list[Cookie]) -> Response[str]:
    headers = {"Location": place, "Cache-Control": "no-store"}
    return Response("", status_code=HTTPStatus.SEE_OTHER, headers=headers, cookies=cookies, media_type="text/html")


def _next(asked: str) -> str:
    """Return where to go after signing in: a page of this console, never an address somebody else chose."""
    fits = len(asked) <= NEXT_LENGTH_MAX and _OURS.fullmatch(asked) and not asked.startswith("/console/sign-")
    return asked if fits else HOME


ROUTES = (sign_in_page, sign_in, sign_out)  # behind the prefix /console
