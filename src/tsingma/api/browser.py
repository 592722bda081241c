"""What browsers keep and say: the names of cookies, where a form was sent from, and the token it must bring along.

Over TLS cookies have the prefix ``__Host-``: a browser takes them from this very host over TLS only (RFC 6265bis,
section 4.1.3.2), so that no neighbour can plant one. On http, which is served to this machine alone, they have none.
"""

from __future__ import annotations

from typing import Any

from litestar.connection import ASGIConnection, Request
from litestar.datastructures import Cookie
from litestar.exceptions import PermissionDeniedException

from tsingma.api.sessions import Sessions

SESSION = "tsingma"
FORM = "tsingma-form"  # of forms before anybody has signed in
PROVIDER = "tsingma-provider"  # of a sign-in that is under way at the provider
FORM_FIELD = "csrf"
FORM_HEADER = "x-csrf-token"
SAFE_METHODS = ("GET", "HEAD")
_FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")

Connection = ASGIConnection[Any, Any, Any, Any]


def cookie_of(connection: Connection, name: str) -> str:
    """Return what a browser sent as our cookie of a name, or ""."""
    return connection.cookies.get(_full(connection, name), "")


def set_cookie(connection: Connection, name: str, value: str, *, same_site: str = "strict") -> Cookie:
    """Return the cookie to set, until the browser closes; an empty value takes it away."""
    return Cookie(
        key=_full(connection, name), value=value, path="/", httponly=True, secure=_is_tls(connection),
        samesite="lax" if same_site == "lax" else "strict", max_age=None if value else 0,
    )  # fmt: skip


def address_of(connection: Connection) -> str:
    """Return the address a request came from."""
    return connection.client.host if connection.client is not None else ""


def require_same_origin(connection: Connection) -> None:
    """Raise 403 when a browser says that another site sent this; one that says nothing has to bring the form's token.

    Source: Fetch Metadata Request Headers (W3C), ``Sec-Fetch-Site``; Fetch Standard, ``Origin`` of every POST.
    """
    site = connection.headers.get("sec-fetch-site")
    origin = connection.headers.get("origin")
    own = f"{connection.scope['scheme']}://{connection.headers.get('host', '')}"
    if (site is not None and site != "same-origin") or (origin is not None and origin.lower() != own.lower()):
        raise PermissionDeniedException("this was sent from another site")


async def require_form_token(request: Request[Any, Any, Any], sessions: Sessions, cookie: str) -> None:
    """Raise 403 unless a request comes from a page of ours: same origin, and the token of its cookie, once.

    It is the field ``csrf`` of a form, or the header ``X-CSRF-Token``.
    """
    require_same_origin(request)
    told = request.headers.getall(FORM_HEADER, [])
    if not told and request.headers.get("content-type", "").partition(";")[0].strip().lower() in _FORM_TYPES:
        told = [one for one in (await request.form()).getall(FORM_FIELD, []) if isinstance(one, str)]
    if len(told) != 1 or not sessions.is_form_token(cookie, told[0]):
        raise PermissionDeniedException("the form is too old, or not ours: load the page again")


def _full(connection: Connection, name: str) -> str:
    return f"__Host-{name}" if _is_tls(connection) else name


def _is_tls(connection: Connection) -> bool:
    return connection.scope["scheme"] in ("https", "wss")
