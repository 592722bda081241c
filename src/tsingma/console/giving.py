"""What routes of the console are given: the page of a request, and what is kept for all of them."""

from __future__ import annotations

from typing import Any

from litestar.connection import Request
from litestar.di import NamedDependency

from tsingma.api.bench import Bench
from tsingma.api.guard import Reach
from tsingma.app.house_market import HouseMarket
from tsingma.app.house_service import HouseService
from tsingma.app.instruction_past import KeptPasts
from tsingma.app.stress_questions import RiskDesk
from tsingma.console.page import Page

Paged = NamedDependency[Page]
Desk = NamedDependency[RiskDesk]
Pasts = NamedDependency[KeptPasts]
Working = NamedDependency[Bench]


def give_page(
    request: Request[Any, Any, Any], service: NamedDependency[HouseService], reach: NamedDependency[Reach]
) -> Page:
    """Return the page for whoever the guard has found behind a request."""
    return Page(request, service, reach)


def give_desk(
    request: Request[Any, Any, Any], service: NamedDependency[HouseService], market: NamedDependency[HouseMarket | None]
) -> RiskDesk:
    """Return the risk desk of the application, made at the first question."""
    state = request.app.state
    if "risk_desk" not in state:
        state.risk_desk = RiskDesk(service, market)
    found: RiskDesk = state.risk_desk
    return found


def give_pasts(request: Request[Any, Any, Any], service: NamedDependency[HouseService]) -> KeptPasts:
    """Return the pasts of instructions that the application keeps, made at the first question."""
    state = request.app.state
    if "kept_pasts" not in state:
        state.kept_pasts = KeptPasts(service)
    found: KeptPasts = state.kept_pasts
    return found
