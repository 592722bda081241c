"""What routes of the console are given: the page of a request."""

from __future__ import annotations

from typing import Any

from litestar.connection import Request
from litestar.di import NamedDependency

from tsingma.api.guard import Reach
from tsingma.app.house_service import HouseService
from tsingma.console.page import Page

Paged = NamedDependency[Page]


def give_page(
    request: Request[Any, Any, Any], service: NamedDependency[HouseService], reach: NamedDependency[Reach]
) -> Page:
    """Return the page for whoever the guard has found behind a request."""
    return Page(request, service, reach)
