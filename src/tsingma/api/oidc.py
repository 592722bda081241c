"""Signing in by an OpenID Connect provider: the authorization code flow with PKCE, for any provider that follows it.

Sources: OpenID Connect Core 1.0 (incorporating errata set 2, December 2023), sections 3.1.2 and 3.1.3; Discovery 1.0,
sections 3 and 4; RFC 7636 (PKCE, S256); RFC 9207 (``iss`` in the answer); RFC 9700 (January 2025), section 2.1.

It is written on httpx and joserfc, which are here for tokens already: what authlib's client adds are other grants and
stores of tokens, and its integration for httpx is deprecated. What the provider says of a person is their subject and
nothing else: role and participant come from the people file.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import logging
import secrets
from collections import OrderedDict
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
import msgspec
from joserfc.errors import JoseError

from tsingma.api.id_tokens import IdTokenRefused, Signers, subject_of
from tsingma.basics.clock import Clock

PENDING_MAX = 1_000  # sign-ins under way
PENDING_SECONDS_MAX = 600
SECONDS_MAX = 5.0  # for one answer of the provider
ANSWER_BYTES_MAX = 256 * 1024
KNOWN_SECONDS = 3_600  # before endpoints and keys are asked for again
ASK_AGAIN_SECONDS = 60  # at the earliest, for a key that is not known
LOG = logging.getLogger("tsingma.api")
_SECOND = 1_000_000_000


class ProviderSettings(msgspec.Struct, frozen=True):
    """The provider's issuer, what it knows this house as, and the address of the house to which it sends people back.

    An empty ``client_secret`` is a public client: PKCE alone proves that the code is ours.
    """

    issuer: str
    client_id: str
    redirect: str
    client_secret: str = ""


class ProviderRefused(Exception):
    """Nobody is signed in: the provider, or what came in its name, did not prove who somebody is."""


class Endpoints(msgspec.Struct, frozen=True):
    """What the provider says of itself (Discovery 1.0, section 3)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    authorization_response_iss_parameter_supported: bool = False


class _Tokens(msgspec.Struct, frozen=True):
    id_token: str


class _Pending(msgspec.Struct, frozen=True):
    """A sign-in under way: of which browser, what it must bring back, where it goes on, until when."""

    browser: bytes
    nonce: str
    verifier: str
    place: str
    until_s: int


class Provider:
    """One OpenID Connect provider; used from the one event loop."""

    def __init__(
        self, settings: ProviderSettings, clock: Clock, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        """Take the settings; nothing is asked before somebody signs in. ``transport`` is another way there."""
        self._settings, self._clock = settings, clock
        self._client = httpx.AsyncClient(timeout=SECONDS_MAX, follow_redirects=False, transport=transport)
        self._pending: OrderedDict[str, _Pending] = OrderedDict()
        self._endpoints: Endpoints | None = None
        self._signers: Signers | None = None
        self._endpoints_s = self._signers_s = 0

    @property
    def issuer(self) -> str:
        """Under which the people file has this provider's subjects."""
        return self._settings.issuer

    async def begin(self, browser: str, place: str) -> str:
        """Return the address at the provider to which a browser (its cookie) goes; ``place`` is where it ends up.

        Raises ProviderRefused when the provider does not answer, or answers for another issuer.
        """
        endpoints = await self._found()
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        now_s = self._now_s()
        while self._pending and (
            len(self._pending) >= PENDING_MAX or next(iter(self._pending.values())).until_s <= now_s
        ):
            self._pending.popitem(last=False)
        self._pending[state] = _Pending(_digest(browser), nonce, verifier, place, now_s + PENDING_SECONDS_MAX)
        asked = {
            "response_type": "code", "scope": "openid", "client_id": self._settings.client_id,
            "redirect_uri": self._settings.redirect, "state": state, "nonce": nonce,
            "code_challenge": _challenge(verifier), "code_challenge_method": "S256",
        }  # fmt: skip
        joint = "&" if urlsplit(endpoints.authorization_endpoint).query else "?"
        return f"{endpoints.authorization_endpoint}{joint}{urlencode(asked)}"

    async def finish(self, browser: str, answer: dict[str, str]) -> tuple[str, str]:
        """Return the subject that a browser's answer proves, and where it goes on; an answer is good once.

        Raises ProviderRefused with the first thing that is wrong.
        """
        pending = self._pending.pop(answer.get("state", ""), None)
        if pending is None or pending.until_s <= self._now_s():
            raise ProviderRefused("no sign-in of this state is under way")
        if not browser or not secrets.compare_digest(pending.browser, _digest(browser)):
            raise ProviderRefused("the sign-in was begun in another browser")
        endpoints = await self._found()
        told = answer.get("iss")
        if (told is not None or endpoints.authorization_response_iss_parameter_supported) and told != self.issuer:
            raise ProviderRefused("the answer is another issuer's")
        if "error" in answer or not answer.get("code"):
            raise ProviderRefused("the provider has let nobody in")
        token = await self._exchange(endpoints, answer["code"], pending.verifier)
        return await self._subject(endpoints, token, pending.nonce), pending.place

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.aclose()

    async def _found(self) -> Endpoints:
        now_s = self._now_s()
        if self._endpoints is not None and now_s - self._endpoints_s < KNOWN_SECONDS:
            return self._endpoints
        place = f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
        found: Endpoints = await self._ask("GET", place, Endpoints)
        if found.issuer != self.issuer:
            raise ProviderRefused("the provider calls itself another issuer")
        if not all(map(is_private, (found.authorization_endpoint, found.token_endpoint, found.jwks_uri))):
            raise ProviderRefused("the provider is not reached over TLS")
        self._endpoints, self._endpoints_s = found, now_s
        return found

    async def _exchange(self, endpoints: Endpoints, code: str, verifier: str) -> str:
        """Return the ID token for a code (Core 1.0, section 3.1.3.1; RFC 7636, section 4.5)."""
        form = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": self._settings.redirect,
            "code_verifier": verifier, "client_id": self._settings.client_id,
        }  # fmt: skip
        login = (self._settings.client_id, self._settings.client_secret) if self._settings.client_secret else None
        tokens: _Tokens = await self._ask("POST", endpoints.token_endpoint, _Tokens, data=form, auth=login)
        return tokens.id_token

    async def _subject(self, endpoints: Endpoints, token: str, nonce: str) -> str:
        """Return the subject of an ID token; a key that is not known is asked for again, once in a while."""
        now_s, known = self._now_s(), self._signers
        age_s = now_s - self._signers_s
        if known is None or age_s >= KNOWN_SECONDS or (age_s >= ASK_AGAIN_SECONDS and not known.knows(token)):
            await self._take_signers(endpoints)
        if self._signers is None:
            raise ProviderRefused("the provider has no keys")
        try:
            return subject_of(token, self._signers, self.issuer, self._settings.client_id, nonce, now_s)
        except IdTokenRefused as refused:
            raise ProviderRefused(str(refused)) from None

    async def _take_signers(self, endpoints: Endpoints) -> None:
        told = await self._ask("GET", endpoints.jwks_uri, dict[str, Any])
        try:
            self._signers, self._signers_s = Signers(told), self._now_s()
        except (JoseError, ValueError, TypeError, KeyError, AttributeError):
            raise ProviderRefused("the provider's keys cannot be read") from None

    async def _ask(self, method: str, address: str, kind: Any, **more: Any) -> Any:
        """Return an answer of the provider; raises ProviderRefused: late, too long, not good, not what it should be."""
        data = b""
        try:
            headers = {"Accept": "application/json"}
            auth = more.pop("auth", None) or httpx.USE_CLIENT_DEFAULT
            async with (
                asyncio.timeout(SECONDS_MAX),  # the client's own begins again with every part
                self._client.stream(method, address, headers=headers, auth=auth, **more) as response,
            ):
                async for part in response.aiter_bytes():
                    data += part
                    if len(data) > ANSWER_BYTES_MAX:
                        raise ProviderRefused("the provider's answer is too long")
            if response.status_code != httpx.codes.OK:
                raise ProviderRefused(f"the provider answered with {response.status_code}")
            return msgspec.json.decode(data, type=kind)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            raise ProviderRefused(f"the provider does not answer: {type(error).__name__}") from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise ProviderRefused("the provider's answer is not what it should be") from None

    def _now_s(self) -> int:
        return self._clock.now_ns() // _SECOND


def is_private(address: str) -> bool:
    """Return whether an address is reached over TLS, or is of this machine."""
    parts = urlsplit(address)
    local = parts.hostname in ("localhost", "127.0.0.1", "::1")
    return parts.scheme == "https" or (parts.scheme == "http" and local)


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _digest(browser: str) -> bytes:
    return hashlib.sha256(browser.encode("utf-8", "surrogatepass")).digest()
