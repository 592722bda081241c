"""The start page: what each page of the menu answers; and the answer to addresses that lead nowhere."""

from __future__ import annotations

from litestar import Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from tsingma.api.guard import access, open_to_all
from tsingma.api.permissions import Action, Resource
from tsingma.console.giving import Paged


@get("/", opt=access(Resource.DAY, Action.READ), sync_to_thread=True)
def home(page: Paged) -> Response[str]:
    """Show the menu of the reader's role, each page with what it answers."""
    return page.render("home.html")


@get("/{rest:path}", opt=open_to_all(), sync_to_thread=False)
def nowhere(rest: FromPath[str]) -> Response[str]:
    """Say that there is no such page."""
    raise NotFoundException(f"there is no page {rest}")


ROUTES = (home, nowhere)
