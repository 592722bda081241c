"""All routes of the console, behind the guard of the interface: ``application(..., more_routes=ROUTES)``."""

from __future__ import annotations

from litestar import Router
from litestar.di import Provide

from tsingma.console import day, economy_pages, home, live, oversight_pages, problem_pages, sign_in, static_files
from tsingma.console.giving import give_desk, give_page

CONSOLE = Router(
    "/console",
    route_handlers=[
        *home.ROUTES,
        *day.ROUTES,
        *live.ROUTES,
        *oversight_pages.ROUTES,
        *economy_pages.ROUTES,
        *sign_in.ROUTES,
        static_files.asset,
    ],
    dependencies={
        "page": Provide(give_page, sync_to_thread=False),
        "risk": Provide(give_desk, sync_to_thread=False),
    },
    exception_handlers=problem_pages.HANDLERS,
    opt={"console": True},  # the guard answers people with pages, and takes their session's cookie
    include_in_schema=False,
)
ROUTES = (CONSOLE,)
