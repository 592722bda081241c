"""Every page x every role x every language, own and others' objects: as the permissions say, whole and safe."""

from __future__ import annotations

from html import unescape
from typing import Any

import msgspec
import pytest
from console_house import LANGUAGES, Served
from test_console_base import blocked_parts, policy_of

from tsingma.api.guard import PUBLIC
from tsingma.api.permissions import Action, Role, Scope, scope_of
from tsingma.console.language import Language, words_in
from tsingma.console.navigation import MENU

# What each role calls its own (overseers have nothing: A's stands for it), and what belongs to D, never to them.
OWN = {
    **{role: {"participant": "A", "instruction": "0", "order": "6"} for role in Role},
    Role.CUSTODIAN: {"participant": "C", "instruction": "1", "order": "7"},
}
OTHERS = {"participant": "D", "instruction": "2", "order": "8"}


class Case(msgspec.Struct, frozen=True):
    """How a page is tried: its address with the names above, what a stranger gets, and whether it has an owner."""

    path: str
    refused: int = 403
    has_owner: bool = True
    title: str = ""  # the key of a word that is on it


CASES = {
    "GET /console": Case("/console", has_owner=False, title="page.home.title"),
    "GET /console/day": Case("/console/day?participant={participant}", title="page.day.title"),
    "GET /console/houses": Case("/console/houses", has_owner=False, title="page.houses.title"),
    "GET /console/stress": Case("/console/stress", has_owner=False, title="page.stress.title"),
    "GET /console/economy/chain": Case("/console/economy/chain", has_owner=False, title="page.chain.title"),
    "GET /console/economy/renminbi": Case("/console/economy/renminbi", has_owner=False, title="page.renminbi.title"),
    "GET /console/economy/property": Case("/console/economy/property", has_owner=False, title="page.property.title"),
    "GET /console/economy/claims": Case("/console/economy/claims", has_owner=False, title="page.claims.title"),
    "GET /console/instructions": Case("/console/instructions?participant={participant}", title="list.instructions"),
    "GET /console/orders": Case("/console/orders?participant={participant}", title="list.orders"),
    "GET /console/instructions/{instruction}": Case(
        "/console/instructions/{instruction}", refused=404, title="story.past"
    ),
    "GET /console/obligations": Case("/console/obligations?participant={participant}", title="books.obligations"),
    "GET /console/positions": Case("/console/positions?participant={participant}", title="books.positions"),
    "GET /console/holdings": Case("/console/holdings?participant={participant}", title="page.holdings.title"),
    "GET /console/corporate-actions": Case(
        "/console/corporate-actions?participant={participant}", title="page.corporate_actions.title"
    ),
    "GET /console/defaults": Case("/console/defaults?participant={participant}", title="page.defaults.title"),
    "GET /console/calls": Case("/console/calls?participant={participant}", title="books.cheapest"),
    "GET /console/statements": Case("/console/statements?participant={participant}", title="page.statements.title"),
    "GET /console/statements/{participant}/settlement/{form}": Case("/console/statements/{participant}/settlement/csv"),
    "GET /console/statements/{participant}/holdings/{form}": Case("/console/statements/{participant}/holdings/html"),
    "GET /console/statements/{participant}/margin/{form}": Case("/console/statements/{participant}/margin/csv"),
    "GET /console/margin": Case("/console/margin?participant={participant}", title="page.margin.title"),
    "GET /console/margin/what-if": Case(
        "/console/margin/what-if?participant={participant}", title="page.what_if.title"
    ),
    "GET /console/approvals": Case("/console/approvals", has_owner=False, title="page.approvals.title"),
    "GET /console/journal": Case("/console/journal?participant={participant}", title="journal.table"),
    "GET /console/changes": Case("/console/changes?follow=false", has_owner=False),
}


def routes_of(console: Served) -> dict[str, Any]:
    """Return what each route of the console states, by method and path."""
    return {
        f"{method} {route.path_format}": handler.opt.get("access")
        for route in console.client.app.routes
        if route.path_format.startswith("/console")
        for handler in route.route_handlers
        for method in handler.http_methods
        if method not in ("OPTIONS",)
    }


def test_every_page_is_tried_and_states_its_access(console: Served) -> None:
    """Goal: 100 % of pages. Method: routes that read against the cases; what is public is named."""
    routes = routes_of(console)
    public = {name for name, stated in routes.items() if stated == PUBLIC}
    assert public == {
        "GET /console/{rest}", "GET /console/assets/{digest}/{name}",
        "GET /console/sign-in", "POST /console/sign-in", "POST /console/sign-out",
        "GET /console/sign-in/provider", "GET /console/sign-in/return",
    }  # fmt: skip
    reads = {name for name, stated in routes.items() if stated != PUBLIC and stated[1] is Action.READ}
    assert reads == set(CASES)


def test_the_menu_states_what_its_pages_state(console: Served) -> None:
    """Goal: nobody is shown a page that is closed to them. Method: each entry's access against its route's."""
    routes = routes_of(console)
    for entry in (entry for group in MENU for entry in group.entries):
        assert routes[f"GET {entry.path}"] == entry.access, entry.name


@pytest.mark.parametrize("name", sorted(CASES))
@pytest.mark.parametrize("role", list(Role))
def test_who_sees_what(console: Served, name: str, role: Role) -> None:
    """Goal: a page reaches as far as the interface does. Method: own and another's object, in both languages."""
    case, scope = CASES[name], scope_of(role, routes_of(console)[name])
    for names in (OWN[role], OTHERS):
        for language in LANGUAGES:
            path = case.path.format(**names)
            answer = console.get(role, f"{path}{'&' if '?' in path else '?'}lang={language}")
            if scope is Scope.NONE:
                expected = 403
            elif scope is Scope.ANY or names is not OTHERS or not case.has_owner:
                expected = 200
            else:
                expected = case.refused
            assert answer.status_code == expected, answer.text
            if "event-stream" in answer.headers["content-type"] or "content-disposition" in answer.headers:
                continue
            assert policy_of(answer)["default-src"] == "'none'"
            assert blocked_parts(answer) == []
            assert f'<html lang="{language}"' in answer.text
            if expected == 200 and case.title:
                assert words_in(Language(language))(case.title) in unescape(answer.text)
    console.client.cookies.clear()


@pytest.mark.parametrize("name", sorted(CASES))
def test_nobody_without_a_session(console: Served, name: str) -> None:
    """Goal: every page asks who it is. Method: each without a cookie, led to the form."""
    path = CASES[name].path.format(**OWN[Role.OPERATOR])
    answer = console.client.get(path, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/console/sign-in?next=")


def test_nothing_hostile_in_an_address_reaches_a_page(console: Served) -> None:
    """Goal: what is asked is shown as text or refused. Method: a script in each parameter of each page."""
    hostile = "%22%3E%3Cscript%3Ealert(1)%3C/script%3E"
    for case in CASES.values():
        path = case.path.format(**OWN[Role.OPERATOR])
        for parameter in ("participant", "status", "cursor", "q", "day"):
            answer = console.get("operator", f"{path.partition('?')[0]}?follow=false&{parameter}={hostile}")
            assert "<script>alert" not in answer.text
            assert answer.status_code in (200, 400, 404, 422), answer.text
