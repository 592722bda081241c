"""A page for somebody: who asks, in which language and theme, as of which record; rendered whole, then sent safely.

Every answer forbids scripts and styles that are not ours (Content-Security-Policy with a fresh nonce), frames around it
and copies of it on the way.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

import jinja2
from litestar import Request, Response
from litestar.datastructures import Cookie

from tsingma.api.guard import Reach
from tsingma.api.moments import Look
from tsingma.app.house_reads import Day, day_of
from tsingma.app.house_service import HouseService
from tsingma.basics.rejection import InvariantBroken
from tsingma.console.formats import Formats
from tsingma.console.language import Language, language_of, words_in
from tsingma.console.navigation import PATHS, menu_of
from tsingma.console.static_files import address
from tsingma.engine.house import House

T = TypeVar("T")

TEMPLATES_FOLDER = Path(__file__).parent / "templates"
LANGUAGE_COOKIE, THEME_COOKIE = "tsingma-language", "tsingma-theme"
LANGUAGE_ASKED, THEME_ASKED = "lang", "theme"  # parameters of any address of the console
MOMENTS = ("at", "on")  # parameters of pages that can be of an earlier moment
THEMES = ("auto", "light", "dark")
COOKIE_SECONDS = 365 * 24 * 3600
MEDIA_TYPE = "text/html"
_QUERY_LENGTH_MAX = 2_000  # of an address that a switch repeats

_SAFE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "Cache-Control": "no-store",
    "Vary": "Accept-Language, Cookie",
}


class Page:
    """What a request of the console needs to answer: reads of the house, and the rendering of what they found."""

    def __init__(self, request: Request[Any, Any, Any], service: HouseService | None, reach: Reach | None) -> None:
        """Find out language and theme; without ``service`` and ``reach`` (problems) the page tells nothing."""
        self.request, self.service, self.reach = request, service, reach
        asked = request.query_params
        self.language = language_of(
            asked.get(LANGUAGE_ASKED, ""),
            request.cookies.get(LANGUAGE_COOKIE, ""),
            request.headers.get("accept-language", ""),
        )
        wish = asked.get(THEME_ASKED, "") or request.cookies.get(THEME_COOKIE, "")
        self.theme = wish if wish in THEMES else THEMES[0]
        self.words, self.formats = words_in(self.language), Formats(self.language)
        self.day: Day | None = None
        self._look: Look | None = None

    def looking(self, look: Look) -> Page:
        """Read at the moment that the address asks for (``at``: a record, ``on``: a business day), and return itself.

        Pages that do not say this are of now, whatever an address asks.
        """
        self._look = look
        return self

    @property
    def may_look_back(self) -> bool:
        """Whether this page can be of an earlier moment."""
        return self._look is not None

    @property
    def is_past(self) -> bool:
        """Whether this page is of an earlier moment: then nothing can be done from it."""
        return self._look is not None and any(self.request.query_params.get(name) for name in MOMENTS)

    def read(self, question: Callable[[House, int], T]) -> T:
        """Return what a question finds in the house, and note as of which record and day the page is true."""
        if self.service is None:
            raise RuntimeError("a page without a house has nothing to read")
        reader = self._look or self.service
        found, self.day = reader.read(lambda house, at: (question(house, at), day_of(house, at)))
        return found

    @property
    def stands(self) -> Day:
        """Where the day stands as of what was read; reads when nothing was yet."""
        if self.day is None:
            self.read(lambda _house, _at: None)
        if self.day is None:
            raise RuntimeError("nothing was read")
        return self.day

    def render(self, template: str, status: int = HTTPStatus.OK, /, **values: object) -> Response[str]:
        """Return a template filled in, with its headers; ``values`` are its own beside those of every page.

        Raises InvariantBroken for a value that would hide one of these.
        """
        if self.day is None and self.service is not None:
            self.read(lambda _house, _at: None)
        nonce = secrets.token_urlsafe(16)
        common = self._common(nonce)
        if hidden := common.keys() & values.keys():
            raise InvariantBroken(f"{template}: {', '.join(sorted(hidden))} would hide what every page has")
        text = _templates().get_template(template).render(common, **values)
        return Response(
            text, status_code=status, media_type=MEDIA_TYPE, headers=safe_headers(nonce), cookies=self._cookies()
        )

    def go(self, path: str) -> Response[str]:
        """Return the way to another page of the console after a change: loading it again changes nothing."""
        headers = {**safe_headers(secrets.token_urlsafe(16)), "Location": path}
        return Response("", status_code=HTTPStatus.SEE_OTHER, media_type=MEDIA_TYPE, headers=headers)

    def switched(self, **changes: str) -> str:
        """Return the address of this page with some parameters changed; "" takes one away."""
        kept = [
            (name, value) for name, value in self.request.query_params.multi_items()
            if name not in (LANGUAGE_ASKED, THEME_ASKED, *changes)
        ]  # fmt: skip
        query = urlencode([*kept, *((name, value) for name, value in changes.items() if value)])[:_QUERY_LENGTH_MAX]
        path = self.request.url.path if self.request.method == "GET" else "/console"
        return f"{path}?{query}" if query else path

    def kept(self, *left_out: str) -> list[tuple[str, str]]:
        """Return the parameters of this address but for some, as a form sends them again."""
        return [(name, value) for name, value in self.request.query_params.multi_items() if name not in left_out]

    def _common(self, nonce: str) -> Mapping[str, object]:
        menu = menu_of(self.reach.caller.role) if self.reach else ()
        return {
            "t": self.words, "f": self.formats, "page": self, "asset": address, "nonce": nonce,
            "caller": self.reach.caller if self.reach else None, "day": self.day,
            "menu": menu, "menu_paths": PATHS, "opens": {entry.path for group in menu for entry in group.entries},
            "languages": tuple(Language), "themes": THEMES, "csrf": str(self.request.state.get("csrf", "")),
            "path": self.request.url.path,
        }  # fmt: skip

    def _cookies(self) -> list[Cookie]:
        """Keep what was asked for in the address: language and theme, nothing that tells who somebody is."""
        chosen = ((LANGUAGE_ASKED, LANGUAGE_COOKIE, str(self.language)), (THEME_ASKED, THEME_COOKIE, self.theme))
        return [
            Cookie(
                key=name, value=value, path="/console", max_age=COOKIE_SECONDS, httponly=True, samesite="lax",
                secure=self.request.url.scheme == "https",
            )
            for parameter, name, value in chosen
            if self.request.query_params.get(parameter, "") == value
        ]  # fmt: skip


def safe_headers(nonce: str) -> dict[str, str]:
    """Return the headers of every page; ``nonce`` is what its own scripts carry.

    Content Security Policy Level 3: nothing from elsewhere, no script without the nonce, no style in the text.
    """
    policy = (
        f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    return {**_SAFE_HEADERS, "Content-Security-Policy": policy}


@cache
def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES_FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
