"""All routes of the console, behind the guard of the interface: ``application(..., more_routes=ROUTES)``."""

from __future__ import annotations

from litestar import Router
from litestar.di import Provide

from tsingma.console import (
    acts,
    approvals,
    corporate_action_pages,
    day,
    default_pages,
    economy_pages,
    home,
    instructions,
    journal,
    live,
    margin_pages,
    oversight_pages,
    positions,
    problem_pages,
    send,
    sign_in,
    statements,
    static_files,
)
from tsingma.console.giving import give_desk, give_page, give_pasts

_MODULES = (
    home,
    day,
    instructions,
    acts,
    approvals,
    default_pages,
    send,
    positions,
    corporate_action_pages,
    margin_pages,
    statements,
    journal,
    live,
    oversight_pages,
    economy_pages,
    sign_in,
)

CONSOLE = Router(
    "/console",
    route_handlers=[static_files.asset, *(route for module in _MODULES for route in module.ROUTES)],
    dependencies={
        "page": Provide(give_page, sync_to_thread=False),
        "risk": Provide(give_desk, sync_to_thread=False),
        "pasts": Provide(give_pasts, sync_to_thread=False),
    },
    exception_handlers=problem_pages.HANDLERS,
    opt={"console": True},  # the guard answers people with pages, and takes their session's cookie
    include_in_schema=False,
)
ROUTES = (CONSOLE,)
