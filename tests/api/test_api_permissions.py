"""Every route x every role x one's own and another's object, from one table; whatever is not in it is refused.

The table of permissions decides what is expected, the routes of the application what is tried: a route without a row in
``CASES`` fails. A refusal must leave the house as it was. That the table itself says what it should is in
``test_api_page.py``: the page that people read has the same words.
"""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from api_house import OWNER, SHARE, START_S, Served
from litestar import Litestar, get
from litestar.testing import TestClient

from tsingma.api.guard import PUBLIC, guard_of
from tsingma.api.keys import Keys
from tsingma.api.permissions import PERMISSIONS, Action, Resource, Role, Scope, scope_of
from tsingma.api.tokens import TokenDesk
from tsingma.basics.clock import FixedClock
from tsingma.console.navigation import MENU
from tsingma.journal.act_commands import ProposeAct
from tsingma.journal.act_events import ActProposed
from tsingma.journal.commands import CollectClaims, encode
from tsingma.journal.events import Accepted

# What each role calls its own (overseers have nothing: A's stands for it), and what belongs to D, never to them.
OWN = {
    **{
        role: {"participant": "A", "instruction": "0", "order": "6", "payment": "0", "job": "1", "act": "1"}
        for role in Role
    },
    Role.CUSTODIAN: {"participant": "C", "instruction": "1", "order": "7", "payment": "1", "job": "1", "act": "1"},
}
OTHERS = {"participant": "D", "instruction": "2", "order": "8", "payment": "2", "job": "1", "act": "1"}


ORDER = {
    "account_class": "HOUSE", "side": "deliver", "counterparty": "B", "kind": "dvp", "isin": SHARE, "quantity": 1,
    "currency": "HKD", "amount": "1", "trade_date": "2026-01-02", "intended_date": "2026-01-05",
}  # fmt: skip


def names_of(house: Served, role: Role, whose: str) -> dict[str, str]:
    """Return what is the role's own or another's, with a job that waits for ever."""
    own = OWN[role].get("participant") if role in OWNER else ""
    owner = (f"participant/{own}" if own else f"{role}/issuer-{role}") if whose == "own" else "participant/D"
    job = house.board.submit(owner, "waits", "economy-run", "tsingma.app.long_runs:economy_task", b"", {})
    return {**(OWN[role] if whose == "own" else OTHERS), "job": str(job.job)}


def act_of(house: Served, proposer: str) -> str:
    """Return the number of a new act that somebody proposes."""
    command = ProposeAct(encode(CollectClaims()), proposer, f"key of {proposer}", START_S, START_S + 600)
    answer = house.service.submit(f"act {house.service.length()}", command).result()
    assert isinstance(answer, Accepted), answer
    proposed = answer.events[0]
    assert isinstance(proposed, ActProposed)
    return str(proposed.act)


CHANGES = (
    "POST /instructions",
    "POST /instructions/bulk",
    "POST /instructions/{instruction}/actions",
    "POST /orders/{order}/actions",
)


class Case(msgspec.Struct, frozen=True):
    """How a route is tried: its path with the names above, its body, and what a stranger gets."""

    path: str
    refused: int = 403
    body: Any = None
    has_owner: bool = True  # False: nothing in it belongs to anybody
    form: str = ""  # media type of a body that is text
    granted: tuple[int, ...] = (200, 201, 202)


CASES = {
    "GET /day": Case("/day", has_owner=False),
    "GET /participants": Case("/participants", has_owner=False),
    "GET /links": Case("/links", has_owner=False),
    "GET /accounts/{participant}/{account_class}/balances": Case("/accounts/{participant}/HOUSE/balances"),
    "GET /positions": Case("/positions?participant={participant}"),
    "GET /margin/calls": Case("/margin/calls?participant={participant}"),
    "GET /accounts/{participant}/{account_class}/margin": Case("/accounts/{participant}/HOUSE/margin"),
    "GET /accounts/{participant}/{account_class}/margin/explanation": Case(
        "/accounts/{participant}/HOUSE/margin/explanation"
    ),
    "POST /accounts/{participant}/{account_class}/margin/what-if": Case(
        "/accounts/{participant}/HOUSE/margin/what-if",
        body={"trades": [{"counter": "700", "side": "buy", "quantity": 100}]},
    ),
    "GET /days": Case("/days", has_owner=False),
    "GET /day/steps": Case("/day/steps", has_owner=False),
    "POST /day/files": Case(
        "/day/files?kind=trades",
        body="trade_date,trade_id,trade_time,instrument,buyer,buyer_account,seller,seller_account,quantity,price,mode,maker\n"
        "2026-01-05,1,10:00:00,700,A,HOUSE,B,HOUSE,100,300,,\n",
        form="text/csv",
        has_owner=False,
    ),
    "GET /timetable": Case("/timetable", has_owner=False),
    "GET /holdings": Case("/holdings?participant={participant}"),
    "GET /obligations": Case("/obligations?participant={participant}"),
    "GET /trades": Case("/trades?participant={participant}"),
    "GET /payments": Case("/payments?participant={participant}"),
    "GET /payments/{payment}": Case("/payments/{payment}", refused=404),
    "GET /collateral": Case("/collateral?participant={participant}"),
    "GET /collateral/calls": Case("/collateral/calls?participant={participant}"),
    "GET /defaults": Case("/defaults?participant={participant}"),
    "GET /instructions": Case("/instructions?participant={participant}"),
    "GET /instructions/{instruction}": Case("/instructions/{instruction}", refused=404),
    "GET /instructions/{instruction}/explanation": Case("/instructions/{instruction}/explanation", refused=404),
    "GET /orders": Case("/orders?participant={participant}"),
    "GET /orders/{order}": Case("/orders/{order}", refused=404),
    "GET /metrics": Case("/metrics", has_owner=False),
    "POST /stress-runs": Case("/stress-runs", body={"draws": 2}, has_owner=False),
    "POST /economy-runs": Case("/economy-runs", body={"model": "property", "scenario": "replay-1997"}, has_owner=False),
    "POST /accounts/{participant}/{account_class}/margin/backtest": Case(
        "/accounts/{participant}/HOUSE/margin/backtest", body={"every": 50}
    ),
    "GET /jobs": Case("/jobs", has_owner=False),  # shows one's own only
    "GET /jobs/{job}": Case("/jobs/{job}", refused=404),
    "GET /jobs/{job}/result": Case("/jobs/{job}/result", refused=404, granted=(409,)),  # there, and not done
    "POST /jobs/{job}/cancel": Case("/jobs/{job}/cancel", refused=404),
    "GET /acts": Case("/acts", has_owner=False),
    "POST /acts": Case("/acts", body={"act": "collect-claims"}, has_owner=False),
    "POST /acts/{act}/approve": Case("/acts/{act}/approve", has_owner=False),  # somebody else's, never one's own
    "POST /acts/{act}/reject": Case("/acts/{act}/reject", has_owner=False),
    "POST /acts/{act}/withdraw": Case("/acts/{act}/withdraw", has_owner=False),
    "GET /events": Case("/events?follow=false&participant={participant}"),
    "POST /instructions": Case("/instructions", body=ORDER, has_owner=False),  # no body can name another sender
    "POST /instructions/bulk": Case(
        "/instructions/bulk",
        body=msgspec.json.encode({**ORDER, "reference": 0}).decode().replace(":0}", ":REFERENCE}"),
        form="application/x-ndjson",
        has_owner=False,
    ),
    "POST /instructions/{instruction}/actions": Case(
        "/instructions/{instruction}/actions", refused=404, body={"action": "prioritise", "value": 2}
    ),
    "POST /orders/{order}/actions": Case(
        "/orders/{order}/actions", refused=404, body={"action": "prioritise", "value": 2}
    ),
}


def _routes(app: Litestar) -> dict[str, Any]:
    """Return what each route states about itself, by method and path; the automatic OPTIONS is tried apart."""
    return {
        f"{method} {route.path_format}": handler.opt.get("access")
        for route in app.routes
        for handler in route.route_handlers
        for method in handler.http_methods
        if method != "OPTIONS"
    }


def test_every_route_is_in_the_table_and_every_permission_has_a_route(shown: Served) -> None:
    """Goal: 100 % of cases. Method: routes of the application against the cases, stated accesses against the table."""
    routes = _routes(shown.client.app)
    closed = {name for name, stated in routes.items() if stated != PUBLIC}
    assert closed == set(CASES)
    assert {name for name, stated in routes.items() if stated == PUBLIC} == {
        "GET /health", "GET /ready", "GET /openapi", "GET /openapi/openapi.json", "GET /openapi/{path}",
    }  # fmt: skip
    of_pages = {entry.access for group in MENU for entry in group.entries}
    assert {routes[name] for name in closed} | of_pages == set(PERMISSIONS)


@pytest.mark.parametrize("name", sorted(CASES))
@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("whose", ["own", "other's"])
def test_who_may_do_what(house_of_cases: Served, name: str, role: Role, whose: str) -> None:
    """Goal: the table holds on the wire. Method: one request a cell; refusals change nothing, not even the journal."""
    case, stated = CASES[name], _routes(house_of_cases.client.app)[name]
    scope = scope_of(role, stated)
    names = names_of(house_of_cases, role, whose)
    if "{act}" in case.path:
        names["act"] = act_of(house_of_cases, "operator" if name.endswith("withdraw") else "second")
    path = case.path.format(**names)
    before = house_of_cases.service.length()
    headers = {"Idempotency-Key": f"{name}-{role}-{whose}".replace(" ", "_").replace("'", "")}
    headers["Idempotency-Key"] = "".join(one for one in headers["Idempotency-Key"] if one.isalnum() or one in "-_")
    body = {**ORDER, "reference": 100 + len(whose)} if case.body is ORDER else case.body
    more = {"json": body} if body is not None else {}
    if case.form:
        more = {"content": str(case.body).replace("REFERENCE", str(200 + len(whose)))}
        headers["Content-Type"] = case.form
    answer = house_of_cases.call(role, name.partition(" ")[0], path, headers=headers, **more)
    if scope is Scope.NONE:
        expected = {403}
    elif scope is Scope.ANY or whose == "own" or not case.has_owner:
        expected = set(case.granted)
    else:
        expected = {case.refused}
    assert answer.status_code in expected, answer.text
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        assert house_of_cases.service.length() == before
    if answer.status_code >= 400 and answer.status_code not in case.granted and scope is not Scope.NONE:
        assert OTHERS["participant"] not in answer.json()["detail"].replace("/D/", "").split()


@pytest.mark.parametrize("name", sorted(CASES))
def test_nobody_without_a_token(shown: Served, name: str) -> None:
    """Goal: every closed route asks who it is. Method: each without a token, and with one that is spoilt."""
    case = CASES[name]
    method, path = name.partition(" ")[0], case.path.format(**OWN[Role.OPERATOR])
    for token in (None, shown.token("operator")[:-8] + "AAAAAAAA"):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = shown.client.request(method, path, headers=headers, json=case.body)
        assert answer.status_code == 401, answer.text


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"])
def test_other_methods_find_nothing(shown: Served, method: str) -> None:
    """Goal: no side door. Method: the other methods on every path, without a token and as operator."""
    for case in CASES.values():
        path = case.path.format(**OWN[Role.OPERATOR])
        assert shown.call(None, method, path).status_code in (401, 405)
        assert shown.call("operator", method, path).status_code in (403, 405)


def test_a_route_that_states_nothing_is_closed_to_everybody() -> None:
    """Goal: default deny. Method: an application with one route that forgot to say what it is, and one unknown."""

    @get("/forgotten", sync_to_thread=False)
    def forgotten() -> str:
        return "secret"

    @get("/strange", opt={"access": (Resource.DAY, Action.ACT)}, sync_to_thread=False)
    def strange() -> str:
        return "secret"

    from api_house import AUDIENCE, SECOND, START_S, keys_of, mint, new_private_key

    private = {str(role): new_private_key() for role in Role}
    keys: Keys = keys_of(private)
    app = Litestar([forgotten, strange], guards=[guard_of(TokenDesk(keys, FixedClock(START_S * SECOND)))])
    with TestClient(app) as client:
        for path in ("/forgotten", "/strange"):
            assert client.get(path).status_code == 401
            for role in Role:
                token = mint(private[role], str(role), f"issuer-{role}", AUDIENCE, START_S, 60)
                answer = client.get(path, headers={"Authorization": f"Bearer {token}"})
                assert answer.status_code == 403
                assert "secret" not in answer.text


def test_no_role_outside_the_table_reaches_anything() -> None:
    """Goal: the table is the whole of it. Method: every resource x action x role that is not written gives none."""
    for resource in Resource:
        for action in Action:
            for role in Role:
                expected = PERMISSIONS.get((resource, action), {}).get(role, Scope.NONE)
                assert scope_of(role, (resource, action)) is expected
                if action in (Action.SUBMIT, Action.ACT) and role not in OWNER and resource is not Resource.JOBS:
                    # Overseers change nothing but acts of the operator, which need two people.
                    assert (expected is not Scope.NONE) == (resource is Resource.ACTS and role is Role.OPERATOR)
                if role in OWNER and resource in (Resource.BALANCES, Resource.POSITIONS, Resource.INSTRUCTIONS):
                    assert expected is not Scope.ANY
    assert scope_of(Role.OPERATOR, None) is Scope.NONE


def test_a_change_without_a_participant_is_impossible(house: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Goal: no edit of the table lets a key speak for the house. Method: give everybody ``any`` and try all."""
    for stated in ((Resource.INSTRUCTIONS, Action.SUBMIT), (Resource.INSTRUCTIONS, Action.ACT),
                   (Resource.ORDERS, Action.ACT)):  # fmt: skip
        monkeypatch.setitem(PERMISSIONS, stated, dict.fromkeys(Role, Scope.ANY))
    before = house.service.length()
    for role in Role:
        for name in sorted(CASES):
            if name in CHANGES:
                case = CASES[name]
                body = {**ORDER, "reference": 1} if case.body is ORDER else case.body
                answer = house.post(role, case.path.format(**OWN[role]), body, "k")
                assert answer.status_code == 403, answer.text
    assert house.service.length() == before


def test_own_of_nobody_is_nothing(shown: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Goal: a key without a participant owns nothing, not everything. Method: give overseers ``own`` and list."""
    for stated in list(PERMISSIONS):
        monkeypatch.setitem(PERMISSIONS, stated, dict.fromkeys(Role, Scope.OWN))
    for path in ("/instructions", "/orders", "/positions", "/margin/calls", "/events?follow=false"):
        for role in (Role.OPERATOR, Role.REGULATOR, Role.AUDITOR):
            assert shown.get(role, path).status_code == 403
