"""Signing in to the console: who is let in, what a session reaches, and what browsers and strangers try."""

from __future__ import annotations

import asyncio
import re
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from api_house import OWNER, PASSWORD, SECOND, Served, people_of, served, sign_in
from argon2 import PasswordHasher
from litestar import Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.testing import TestClient

from tsingma.api.guard import Reach, page
from tsingma.api.passwords import PasswordDesk, TooManyAsk
from tsingma.api.permissions import Action, Resource, Role, scope_of
from tsingma.app.serve_settings import LimitsSection
from tsingma.console.routes import ROUTES
from tsingma.console.sign_in import _next


@get("/who", opt=page(Resource.BALANCES, Action.READ), sync_to_thread=False)
def who(reach: NamedDependency[Reach], csrf: NamedDependency[str]) -> str:
    """Say who is there, and the token of its forms."""
    return f"{reach.caller.person} {reach.caller.role} {reach.participant()} {csrf}"


@get("/calls-tried", opt=page(Resource.MARGIN_CALLS, Action.READ), sync_to_thread=False)
def calls(reach: NamedDependency[Reach]) -> str:
    """Say that margin calls are seen."""
    return reach.scope


@get("/of/{participant:str}", opt=page(Resource.BALANCES, Action.READ), sync_to_thread=False)
def of(participant: FromPath[str]) -> str:
    """Say that a participant's are seen."""
    return participant


@post("/change", opt=page(Resource.BALANCES, Action.READ), sync_to_thread=False, status_code=200)
def change(reach: NamedDependency[Reach]) -> str:
    """Change something."""
    return f"changed by {reach.caller.person}"


ALL = [*ROUTES, Router("/console", route_handlers=[who, calls, of, change])]


@pytest.fixture
def folder(written_console: Path, tmp_path: Path) -> Path:
    """A copy of the house to change."""
    return Path(shutil.copytree(written_console, tmp_path / "house"))


@pytest.fixture
def console(folder: Path) -> Iterator[Served]:
    """A served copy with people and some pages."""
    with served(folder, people=people_of(), more_routes=ALL) as running:
        yield running  # of the interface's tests: each test signs in as a browser does


def _csrf(client: TestClient) -> str:
    return str(client.get("/console/who").text.rpartition(" ")[2])


@pytest.mark.parametrize("role", list(Role))
def test_who_signs_in_reaches_what_the_table_says(console: Served, role: Role) -> None:
    """Goal: one table for keys and people. Method: each role: own, another's, a resource some have not."""
    answer = sign_in(console.client, str(role), place="/console/calls-tried?a=1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/calls-tried?a=1")
    cookie = answer.headers.get_list("set-cookie")[0]
    assert re.match(r"tsingma=[\w-]{43};", cookie)
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Secure" not in cookie  # http, and to this machine alone
    told = console.client.get("/console/who").text.split(" ")
    assert told[:3] == [str(role), str(role), OWNER.get(role, "")]
    allowed = scope_of(role, (Resource.MARGIN_CALLS, Action.READ))
    assert console.client.get("/console/calls-tried").status_code == (403 if allowed == "none" else 200)
    assert console.client.get("/console/of/D").status_code == (403 if role in OWNER else 200)


def test_over_tls_the_cookie_is_this_hosts_alone(console: Served) -> None:
    """Goal: __Host-, Secure. Method: the same over https; the plain name is not taken there, nor this one on http."""
    client = TestClient(console.client.app, base_url="https://house.example")
    answer = sign_in(client, "operator")
    cookies = answer.headers.get_list("set-cookie")
    assert answer.status_code == 303
    session = next(one for one in cookies if one.startswith("__Host-tsingma="))
    assert "Secure" in session
    assert "Path=/" in session
    assert "Domain" not in session
    value = client.cookies["__Host-tsingma"]
    assert client.get("/console/who").status_code == 200
    client.cookies.clear()
    plain = client.get("/console/who", headers={"Cookie": f"tsingma={value}"}, follow_redirects=False)
    assert plain.status_code == 303


def test_nobody_is_led_to_the_form_and_back(console: Served) -> None:
    """Goal: pages ask who it is. Method: without a cookie: page, part, change; a spoilt cookie; a token."""
    client = console.client
    asked = client.get("/console/of/A?x=1&y=%26", follow_redirects=False)
    assert asked.status_code == 303
    place = asked.headers["location"]
    assert place == "/console/sign-in?next=%2Fconsole%2Fof%2FA%3Fx%3D1%26y%3D%2526"
    assert 'value="/console/of/A?x=1&amp;y=%26"' in client.get(place).text
    part = client.get("/console/who", headers={"HX-Request": "true", "HX-Current-URL": "http://h/console/of/A"})
    assert (part.status_code, part.headers["hx-redirect"]) == (401, "/console/sign-in?next=%2Fconsole%2Fof%2FA")
    assert client.post("/console/change").status_code == 403
    token = {"Authorization": f"Bearer {console.token('operator')}"}
    assert client.get("/console/who", headers=token, follow_redirects=False).status_code == 303
    assert client.post("/console/change", headers=token).status_code == 403
    spoilt = client.get("/console/who", headers={"Cookie": "tsingma=" + "A" * 43}, follow_redirects=False)
    assert spoilt.status_code == 303


def test_a_cookie_is_no_token(console: Served) -> None:
    """Goal: routes of machines take no cookies, so no site can use a browser against them. Method: signed in, call."""
    sign_in(console.client, "operator")
    assert console.client.get("/positions").status_code == 401
    assert console.client.post("/instructions", json=[], headers={"Idempotency-Key": "k"}).status_code == 401


def test_every_change_needs_the_token_of_its_form(console: Served) -> None:
    """Goal: no forged form. Method: right, none, twice, another session's, from elsewhere as browsers tell it."""
    client = console.client
    sign_in(client, "operator")
    csrf, url = _csrf(client), "/console/change"
    own = str(client.base_url)
    good = [
        client.post(url, data={"csrf": csrf}),
        client.post(url, headers={"X-CSRF-Token": csrf}),
        client.post(url, files={"csrf": (None, csrf), "file": ("a.csv", b"x")}),
        client.post(url, data={"csrf": csrf}, headers={"Origin": own, "Sec-Fetch-Site": "same-origin"}),
    ]
    assert [one.status_code for one in good] == [200] * 4
    assert good[0].text == "changed by operator"
    bad = [
        client.post(url),
        client.post(url, data={"csrf": ""}),
        client.post(url, data={"csrf": csrf[:-1] + ("0" if csrf[-1] != "0" else "1")}),
        client.post(url, data={"csrf": [csrf, csrf]}),
        client.post(url, json={"csrf": csrf}),
        client.post(f"{url}?csrf={csrf}"),
        client.post(url, data={"csrf": csrf}, headers={"Origin": "https://evil.example"}),
        client.post(url, data={"csrf": csrf}, headers={"Origin": "null"}),
        client.post(url, data={"csrf": csrf}, headers={"Origin": own + ".evil.example"}),
        client.post(url, data={"csrf": csrf}, headers={"Sec-Fetch-Site": "cross-site"}),
        client.post(url, data={"csrf": csrf}, headers={"Sec-Fetch-Site": "same-site"}),
    ]
    assert [one.status_code for one in bad] == [403] * len(bad)
    other = TestClient(client.app)  # another browser; entered, it would shut the house down at its end
    sign_in(other, "auditor")
    assert other.post(url, data={"csrf": csrf}).status_code == 403


def test_the_form_of_signing_in_cannot_be_forged_either(console: Served) -> None:
    """Goal: nobody is signed in as somebody else by another site. Method: no token, one of another browser, origins."""
    client = console.client
    told = {"name": "operator", "password": PASSWORD}
    assert client.post("/console/sign-in", data=told).status_code == 403
    token = re.search(r'value="([0-9a-f]{64})"', client.get("/console/sign-in").text)
    assert token is not None
    other = TestClient(client.app)
    other.get("/console/sign-in")
    assert other.post("/console/sign-in", data={**told, "csrf": token.group(1)}).status_code == 403
    assert sign_in(client, "operator", headers={"Origin": "https://evil.example"}).status_code == 403
    assert sign_in(client, "operator").status_code == 303


def test_nothing_tells_who_exists(console: Served) -> None:
    """Goal: no oracle. Method: wrong passwords of somebody, nobody, and somebody out of time, to the lock-out.

    Answers are the same but for the form's own token, at each attempt; a hash is checked for each.
    """
    checked: list[str] = []
    real = PasswordHasher.verify

    def seen(hasher: PasswordHasher, hashed: str, password: str) -> bool:
        checked.append(hashed)
        return real(hasher, hashed, password)

    def tell(name: str) -> list[tuple[int, str, str | None]]:
        told = []
        for _ in range(LimitsSection().wrong_passwords_of_a_name + 1):
            answer = sign_in(console.client, name, "wrong password")
            text = re.sub(r'"[0-9a-f]{64}"|nonce="[\w-]+"', "", answer.text)
            told.append((answer.status_code, text, answer.headers.get("retry-after")))
        return told

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PasswordHasher, "verify", seen)
        stories = [tell("operator"), tell("nobody"), tell("")]
    assert stories[0] == stories[1] == stories[2]
    assert [one[0] for one in stories[0]] == [403] * LimitsSection().wrong_passwords_of_a_name + [429]
    assert stories[0][-1][2] == "1"
    assert len(checked) == 3 * LimitsSection().wrong_passwords_of_a_name
    assert all(one.startswith("$argon2id$") for one in checked)
    assert sign_in(console.client, "operator").status_code == 429  # the right one has to wait too
    console.clock.advance(SECOND)
    assert sign_in(console.client, "operator").status_code == 303
    assert sign_in(console.client, "operator", "wrong password").status_code == 403  # counted from the start again


def test_people_out_of_time_and_odd_passwords(console: Served) -> None:
    """Goal: only the right one, in time. Method: near misses, too long ones; then after the last day."""
    for wrong in (PASSWORD.upper(), PASSWORD + " ", PASSWORD[:-1]):
        assert sign_in(console.client, "auditor", wrong).status_code == 403
    assert sign_in(console.client, "auditor", PASSWORD + "x" * 10_000).status_code == 403
    console.clock.advance(400 * 86_400 * SECOND)
    assert sign_in(console.client, "auditor").status_code == 403


def test_a_new_sign_in_is_a_new_session_and_sign_out_ends_it(console: Served) -> None:
    """Goal: rotation, sign-out. Method: sign in twice, look with the old cookie; sign out with and without token."""
    client = console.client
    sign_in(client, "operator")
    old = client.cookies["tsingma"]
    sign_in(client, "auditor")
    new = client.cookies["tsingma"]
    assert new != old
    assert client.get("/console/who", headers={"Cookie": f"tsingma={old}"}, follow_redirects=False).status_code == 303
    assert client.post("/console/sign-out", follow_redirects=False).status_code == 403
    csrf = _csrf(client)
    ended = client.post("/console/sign-out", data={"csrf": csrf}, follow_redirects=False)
    assert (ended.status_code, ended.headers["location"]) == (303, "/console/sign-in")
    assert client.get("/console/who", headers={"Cookie": f"tsingma={new}"}, follow_redirects=False).status_code == 303
    assert client.post("/console/sign-out", follow_redirects=False).status_code == 303  # nothing to end


def test_an_idle_session_has_ended(console: Served) -> None:
    """Goal: the clock of the house ends it. Method: wait; the page leads to the form."""
    sign_in(console.client, "operator")
    console.clock.advance(LimitsSection().session_idle_seconds * SECOND)
    assert console.client.get("/console/who", follow_redirects=False).status_code == 303


def test_a_page_left_open_is_idle_although_it_refreshes(console: Served) -> None:
    """Goal: walking away ends a session. Method: what the day's page asks for by itself, to the end; then a person."""
    minute, part = 60 * SECOND, {"HX-Request": "true", "HX-Current-URL": "http://testserver.local/console/day"}
    sign_in(console.client, "operator")
    for _ in range(LimitsSection().session_idle_seconds // 60):
        assert console.client.get("/console/day", headers=part).status_code == 200
        stream = {"Accept": "text/event-stream"}
        assert console.client.get("/console/changes?follow=false", headers=stream).status_code == 200
        console.clock.advance(minute)
    assert console.client.get("/console/day", headers=part).status_code == 401
    sign_in(console.client, "operator")
    for _ in range(LimitsSection().session_idle_seconds // 60 + 1):
        assert console.client.get("/console/day", follow_redirects=False).status_code == 200
        console.clock.advance(minute)


@pytest.mark.parametrize(
    "place",
    ["//evil.example", "https://evil.example", "/console//evil", "/console@evil", "/consoleevil", "/console\\evil",
     "/console/\r\nSet-Cookie: a=b", "javascript:alert(1)", "/positions", "/console/sign-in", "/console/sign-out",
     "/console?" + "a" * 3_000, "/console/香"],
)  # fmt: skip
def test_after_signing_in_it_goes_on_inside_the_console(place: str) -> None:
    """Goal: no open redirect. Method: places elsewhere; "/console//evil" stays on this host and is no harm."""
    assert _next(place) in ("/console", "/console//evil")
    assert _next("/console/of/A?x=1") == "/console/of/A?x=1"


def test_headers_of_the_form_and_nobody_without_a_people_file(folder: Path) -> None:
    """Goal: not framed, not kept; a house without people lets nobody in. Method: headers; sign in with no file."""
    with served(folder, more_routes=ALL) as house:
        shown = house.client.get("/console/sign-in")
        assert shown.headers["cache-control"] == "no-store"
        assert "frame-ancestors 'none'" in shown.headers["content-security-policy"]
        assert sign_in(house.client, "operator").status_code == 403


def test_a_changed_people_file_holds_at_once(folder: Path, tmp_path: Path) -> None:
    """Goal: whoever is taken out is out; a file that became wrong changes nothing. Method: write it while served."""
    path = tmp_path / "people.toml"
    person = people_of().person[0]
    row = (f'[[person]]\nid = "{person.id}"\nname = "N"\nrole = "{person.role}"\npassword = "{person.password}"\n'
           "valid_from = 2026-01-01T00:00:00Z\nvalid_to = 2027-01-01T00:00:00Z\n")  # fmt: skip
    path.write_text(row)
    from tsingma.api.people import read_people

    with served(folder, people=read_people(path), people_file=path, more_routes=ALL) as house:
        assert sign_in(house.client, person.id).status_code == 303
        path.write_text(row + "[[")
        house.clock.advance(2 * SECOND)
        assert house.client.get("/console/who").status_code == 200
        assert house.client.get("/ready").status_code == 503
        path.write_text(row.replace(f'id = "{person.id}"', 'id = "new"'))
        house.clock.advance(2 * SECOND)
        assert house.client.get("/console/who", follow_redirects=False).status_code == 303
        assert sign_in(house.client, "new").status_code == 303
        assert house.client.get("/ready").status_code == 200


def test_passwords_wait_in_a_bounded_queue() -> None:
    """Goal: a flood is told to come back, and holds one thread. Method: a check that hangs; one more than may wait."""
    hold, threads = threading.Event(), set()

    class Slow(PasswordDesk):
        def _check(self, hashed: str, password: str) -> bool:
            threads.add(threading.get_ident())
            return hold.wait(30)

    async def run() -> list[Any]:
        desk = Slow(waiting_max=3)
        asked = [asyncio.create_task(desk.is_right("", "x")) for _ in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(TooManyAsk):
            await desk.is_right("", "x")
        hold.set()
        found = list(await asyncio.gather(*asked))
        assert await desk.is_right("", "x")  # there is room again
        desk.close()
        return found

    assert asyncio.run(run()) == [True] * 3
    assert len(threads) == 1
