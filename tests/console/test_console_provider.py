"""Signing in by a provider: a real one in the process over HTTP, and one that lies."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
import shutil
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from api_house import Served, served
from joserfc import jwk, jwt
from litestar.testing import TestClient

from tsingma.api import oidc
from tsingma.api.oidc import BEGUN_SECONDS, Provider, ProviderSettings
from tsingma.api.people import People, Person
from tsingma.api.permissions import Role
from tsingma.app.serve_settings import LimitsSection
from tsingma.basics.clock import FixedClock, SystemClock
from tsingma.console.routes import ROUTES

SECOND = 1_000_000_000
HOME = "http://testserver.local"
RETURN = f"{HOME}/console/sign-in/return"
ISSUER = "https://id.example"


def people(issuer: str) -> People:
    """Return one auditor who is known by a provider."""
    begin, end = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
    return People(person=(
        Person(id="lee", name="Lee", role=Role.AUDITOR, issuer=issuer, subject="u-1", valid_from=begin, valid_to=end),
    ))  # fmt: skip


@pytest.fixture
def folder(written_console: Path, tmp_path: Path) -> Path:
    """A copy of the house."""
    return Path(shutil.copytree(written_console, tmp_path / "house"))


def begun(client: TestClient, place: str = "/console/day") -> tuple[str, dict[str, str]]:
    """Begin a sign-in; returns the address at the provider and its parameters."""
    answer = client.get(f"/console/sign-in/provider?next={place}", follow_redirects=False)
    assert answer.status_code == 303, answer.text
    away = answer.headers["location"]
    return away, {name: value[0] for name, value in parse_qs(urlsplit(away).query).items()}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the provider's own
def test_the_whole_way_with_a_real_provider(folder: Path) -> None:
    """Goal: any standard provider. Method: discovery, the form, the code back, a session; a stranger."""
    mock = pytest.importorskip("oidc_provider_mock")
    with mock.run_server_in_thread() as server:
        issuer = f"http://localhost:{server.server_port}"
        clock = FixedClock(time.time_ns())
        provider = Provider(ProviderSettings(issuer, "house", RETURN, "secret"), clock)
        with served(folder, people=people(issuer), provider=provider, more_routes=ROUTES) as house:
            house.clock.advance(time.time_ns() - house.clock.now_ns())
            assert "/console/sign-in/provider?next=" in house.client.get("/console/sign-in").text
            for subject, status in (("u-1", 200), ("u-2", 403)):
                away, asked = begun(house.client)
                assert asked["code_challenge_method"] == "S256"
                assert asked["redirect_uri"] == RETURN
                back = httpx.post(away, data={"sub": subject}, timeout=30)
                assert back.status_code == 302
                answer = house.client.get(back.headers["location"].removeprefix(HOME), follow_redirects=False)
                assert answer.status_code == status, answer.text
                if status == 200:
                    assert 'content="0; url=/console/day"' in answer.text
                    cookies = answer.headers.get_list("set-cookie")
                    assert any(one.startswith("tsingma=") and "SameSite=strict" in one for one in cookies)
                    assert house.client.get("/console/approvals").status_code == 200
                    again = house.client.get(back.headers["location"].removeprefix(HOME))
                    assert again.status_code == 403  # an answer is good once
            away, _ = begun(house.client)
            denied = httpx.post(away, data={"action": "deny"}, timeout=30)
            assert house.client.get(denied.headers["location"].removeprefix(HOME)).status_code == 403


class Liar:
    """A provider that answers as it is told, on httpx's side of the wire."""

    def __init__(self) -> None:
        self.key = jwk.RSAKey.generate_key(2048, {"kid": "k"})
        self.claims: dict[str, Any] = {}
        self.discovery: dict[str, Any] = {}
        self.answers: dict[str, httpx.Response] = {}
        self.asked: list[httpx.Request] = []
        self.provider: Provider | None = None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        self.asked.append(request)
        path = request.url.path
        if path in self.answers:
            return self.answers[path]
        if path == "/.well-known/openid-configuration":
            return httpx.Response(200, json={
                "issuer": ISSUER, "authorization_endpoint": f"{ISSUER}/go", "token_endpoint": f"{ISSUER}/token",
                "jwks_uri": f"{ISSUER}/keys", **self.discovery,
            })  # fmt: skip
        if path == "/keys":
            return httpx.Response(200, json={"keys": [self.key.as_dict(private=False)]})
        header = {"alg": "RS256", "kid": self.key.kid}
        return httpx.Response(200, json={"id_token": jwt.encode(header, self.claims, self.key), "access_token": "x"})

    def signs_for(self, asked: dict[str, str], now_s: int, **changes: Any) -> None:
        """Sign for the person from now on."""
        self.claims = {"iss": ISSUER, "sub": "u-1", "aud": "house", "exp": now_s + 60, "iat": now_s,
                       "nonce": asked["nonce"], **changes}  # fmt: skip


@contextmanager
def lied_to(folder: Path, secret: str = "") -> Iterator[tuple[Served, Liar]]:
    """Serve a house whose provider is a liar."""
    liar = Liar()
    clock = FixedClock(0)
    provider = Provider(ProviderSettings(ISSUER, "house", RETURN, secret), clock, httpx.MockTransport(liar))
    with served(folder, people=people(ISSUER), provider=provider, more_routes=ROUTES) as house:
        provider._clock, liar.provider = house.clock, provider
        yield house, liar


def finish(house: Served, asked: dict[str, str], **changes: str) -> Any:
    """Come back from the provider."""
    told = {"code": "c", "state": asked["state"], **changes}
    return house.client.get("/console/sign-in/return", params=told, follow_redirects=False)


def test_the_exchange_proves_that_the_code_is_ours(folder: Path) -> None:
    """Goal: PKCE. Method: the challenge sent is the hash of the verifier shown; with a secret too."""
    with lied_to(folder) as (house, liar):
        _, asked = begun(house.client)
        liar.signs_for(asked, house.clock.now_ns() // SECOND)
        assert finish(house, asked).status_code == 200
        exchange = next(one for one in liar.asked if one.url.path == "/token")
        form = {name: value[0] for name, value in parse_qs(exchange.content.decode()).items()}
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == asked["code_challenge"]
        assert len(form["code_verifier"]) >= 43
        assert (form["redirect_uri"], form["code"]) == (RETURN, "c")
        assert "authorization" not in exchange.headers
    with lied_to(folder, secret="s") as (house, liar):
        _, asked = begun(house.client)
        liar.signs_for(asked, house.clock.now_ns() // SECOND)
        assert finish(house, asked).status_code == 200
        exchange = next(one for one in liar.asked if one.url.path == "/token")
        assert exchange.headers["authorization"].startswith("Basic ")


def test_what_does_not_prove_it_lets_nobody_in(folder: Path) -> None:
    """Goal: state, browser, issuer, nonce, time. Method: one wrong each; no session is begun, the state is used up."""
    with lied_to(folder) as (house, liar):
        now = house.clock.now_ns() // SECOND

        def refused(changes: dict[str, Any] | None = None, **told: str) -> None:
            _, asked = begun(house.client)
            liar.signs_for(asked, now, **(changes or {}))
            assert finish(house, asked, **told).status_code == 403
            assert "tsingma" not in house.client.cookies
            assert finish(house, asked).status_code == 403  # the state was used up by the attempt, or is another's

        refused({"nonce": "other"})
        refused({"aud": "other"})
        refused({"sub": "u-2"})
        refused({"exp": now - 1})
        refused(iss="https://evil.example")
        refused(code="")
        refused(error="access_denied")
        _, asked = begun(house.client)
        liar.signs_for(asked, now)
        assert finish(house, asked, state="x" * 43).status_code == 403
        other = TestClient(house.client.app)  # somebody led to the end of another's sign-in
        told = {"code": "c", "state": asked["state"]}
        assert other.get("/console/sign-in/return", params=told, follow_redirects=False).status_code == 403
        _, asked = begun(house.client)
        house.clock.advance(BEGUN_SECONDS * SECOND)
        liar.signs_for(asked, now + BEGUN_SECONDS)
        assert finish(house, asked).status_code == 403


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/.well-known/openid-configuration", httpx.Response(500)),
        ("/.well-known/openid-configuration", httpx.Response(302, headers={"Location": "https://evil.example"})),
        ("/.well-known/openid-configuration", httpx.Response(200, content=b"{" * 100_000)),
        ("/.well-known/openid-configuration", httpx.Response(200, content=b"x" * 300_000)),
        ("/.well-known/openid-configuration", httpx.Response(200, json={"issuer": ISSUER})),
    ],
    ids=["down", "elsewhere", "deep", "long", "empty"],
)
def test_a_provider_that_cannot_be_used_is_said_to_be(folder: Path, path: str, answer: httpx.Response) -> None:
    """Goal: a page, never a 500. Method: bad discovery; another issuer; endpoints without TLS."""
    with lied_to(folder) as (house, liar):
        liar.answers[path] = answer
        shown = house.client.get("/console/sign-in/provider", follow_redirects=False)
        assert shown.status_code == 503
        del liar.answers[path]
        for wrong in ({"issuer": "https://other"}, {"token_endpoint": "http://id.example/token"},
                      {"jwks_uri": "ftp://id.example"}):  # fmt: skip
            liar.discovery = wrong
            house.clock.advance(oidc.FAILED_SECONDS * SECOND)
            assert house.client.get("/console/sign-in/provider", follow_redirects=False).status_code == 503


def test_bad_answers_of_the_exchange_let_nobody_in(folder: Path) -> None:
    """Goal: the same for codes and keys. Method: errors, no token, no keys, strange keys."""
    with lied_to(folder) as (house, liar):
        for path, answer in (
            ("/token", httpx.Response(400, json={"error": "invalid_grant"})), ("/token", httpx.Response(200, json={})),
            ("/keys", httpx.Response(404)), ("/keys", httpx.Response(200, json={"keys": [{"kty": "RSA"}]})),
            ("/keys", httpx.Response(200, json={"keys": "none"})), ("/keys", httpx.Response(200, json=[])),
        ):  # fmt: skip
            _, asked = begun(house.client)
            liar.signs_for(asked, house.clock.now_ns() // SECOND)
            liar.answers = {path: answer}
            assert finish(house, asked).status_code == 403, path


def test_a_rotated_key_of_the_provider_is_asked_for_once_in_a_while(folder: Path) -> None:
    """Goal: rotation without a restart, and no flood. Method: another key; at once, and a minute later."""
    with lied_to(folder) as (house, liar):
        statuses = []
        for kid, wait_s in (("k", 0), ("l", 0), ("l", oidc.ASK_AGAIN_SECONDS)):
            house.clock.advance(wait_s * SECOND)
            if kid != liar.key.kid:
                liar.key = jwk.RSAKey.generate_key(2048, {"kid": kid})
            _, asked = begun(house.client)
            liar.signs_for(asked, house.clock.now_ns() // SECOND)
            statuses.append(finish(house, asked).status_code)
        assert statuses == [200, 403, 200]
        assert len([one for one in liar.asked if one.url.path == "/keys"]) == 2


def test_nobodys_sign_in_pushes_out_anothers(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Goal: nothing is kept of what is begun. Method: one begins, 2,000 others do, the first comes back; again: no."""
    with lied_to(folder) as (house, liar):
        _, asked = begun(house.client)
        assert liar.provider is not None
        before = sys.getsizeof(liar.provider._used)
        states = {asyncio.run(liar.provider.begin(f"browser {place}", "/console")) for place in range(2_000)}
        assert len(states) == 2_000
        assert (sys.getsizeof(liar.provider._used), len(liar.provider._used)) == (before, 0)
        liar.signs_for(asked, house.clock.now_ns() // SECOND)
        assert finish(house, asked).status_code == 200
        assert len(liar.provider._used) == 1
        monkeypatch.setattr(oidc, "USED_MAX", 1)
        for status in (200, 403):  # used, and used again
            _, asked = begun(house.client) if status == 200 else (_, asked)
            liar.signs_for(asked, house.clock.now_ns() // SECOND)
            assert finish(house, asked).status_code == status
        assert len(liar.provider._used) == 1


def test_errands_to_the_provider_are_counted_by_address(folder: Path) -> None:
    """Goal: nobody has the house flood its provider. Method: codes that are none; a provider that is down.

    What was refused is asked of the provider at most as often as wrong passwords are heard; discovery once in a while.
    """
    with lied_to(folder) as (house, liar):
        liar.answers = {"/token": httpx.Response(400)}
        statuses = [finish(house, begun(house.client)[1]).status_code for _ in range(30)]
        free = LimitsSection().wrong_passwords_of_an_address
        assert statuses == [403] * free + [429] * (30 - free)
        assert len([one for one in liar.asked if one.url.path == "/token"]) == free
        house.clock.advance(2 * SECOND)
        liar.answers = {}
        _, asked = begun(house.client)
        liar.signs_for(asked, house.clock.now_ns() // SECOND)
        assert finish(house, asked).status_code == 200
    with lied_to(folder) as (house, liar):
        liar.answers = {"/.well-known/openid-configuration": httpx.Response(500)}
        for _ in range(20):
            assert house.client.get("/console/sign-in/provider", follow_redirects=False).status_code == 503
        assert len(liar.asked) == 1
        liar.answers = {}
        house.clock.advance(oidc.FAILED_SECONDS * SECOND)
        begun(house.client)


def test_no_state_is_good_that_was_changed(folder: Path) -> None:
    """Goal: a state is ours or nothing. Method: every byte changed, cut, another's mark, what is no base64 at all."""
    with lied_to(folder) as (house, liar):
        assert liar.provider is not None
        provider = liar.provider
        away = asyncio.run(provider.begin("mine", "/console/day"))
        state = parse_qs(urlsplit(away).query)["state"][0]
        other = parse_qs(urlsplit(asyncio.run(provider.begin("other", "/console/day"))).query)["state"][0]
        head, _, mark = state.partition(".")
        wrong = [f"{state[:k]}{'A' if state[k] != 'A' else 'B'}{state[k + 1 :]}" for k in range(len(state) - 1)]
        wrong += [
            state[:-4],
            head,
            f".{mark}",
            f"{head}.",
            f"{head}.{other.partition('.')[2]}",
            other,
            "",
            "é.é",
            "a.b.c",
        ]
        for one in wrong:
            with pytest.raises(oidc.ProviderRefused, match="state"):
                provider._told("mine", one)
        assert provider._told("mine", state)
        long = asyncio.run(provider.begin("mine", "/console/" + "x" * 5_000))
        assert len(long) < 2_000
        assert house.client.get("/console/sign-in").status_code == 200


def test_a_house_without_a_provider_has_no_such_pages(folder: Path) -> None:
    """Goal: no dead ends. Method: both pages and the form of a house without one."""
    with served(folder, more_routes=ROUTES) as house:
        for path in ("/console/sign-in/provider", "/console/sign-in/return"):
            assert house.client.get(path).status_code == 404
        assert not re.search("sign-in/provider", house.client.get("/console/sign-in").text)


def test_a_provider_that_answers_in_drops_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Goal: one answer has one bound, whole. Method: a byte at a time, each sooner than the bound, without end."""

    async def drops() -> AsyncIterator[bytes]:
        while True:
            await asyncio.sleep(0.05)
            yield b" "

    async def ask() -> None:
        transport = httpx.MockTransport(lambda _request: httpx.Response(200, content=drops()))
        provider = Provider(ProviderSettings(ISSUER, "house", f"{ISSUER}/back"), SystemClock(), transport)
        async with asyncio.timeout(20):
            with pytest.raises(oidc.ProviderRefused):
                await provider.begin("browser", "/console")
        await provider.close()

    monkeypatch.setattr(oidc, "SECONDS_MAX", 0.3)
    asyncio.run(ask())
