"""Signing in by an OpenID Connect provider: the authorization code flow with PKCE, for any provider that follows it.

Sources: OpenID Connect Core 1.0 (incorporating errata set 2, December 2023), sections 3.1.2 and 3.1.3; Discovery 1.0,
sections 3 and 4; RFC 7636 (PKCE, S256); RFC 9207 (``iss`` in the answer); RFC 9700 (January 2025), section 2.1.

It is written on httpx and joserfc, which are here for tokens already: what authlib's client adds are other grants and
stores of tokens, and its integration for httpx is deprecated. What the provider says of a person is their subject and
nothing else: role and participant come from the people file.

Nothing is kept of a sign-in that was begun, so that nobody's can push out another's: ``state`` says until when it is
good and where it leads, under a mark that only this process can make and that only the browser which began it can have
checked; nonce and verifier are made from both again. Kept are states that were used, until they have ended.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import logging
import secrets
from collections import OrderedDict
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
import msgspec
from joserfc.errors import JoseError

from tsingma.api.id_tokens import IdTokenRefused, Signers, subject_of
from tsingma.app.serve_settings import LimitsSection
from tsingma.basics.clock import Clock

BEGUN_SECONDS = LimitsSection().sign_in_seconds
PLACE_LENGTH_MAX = 500  # of where a sign-in leads: providers bound the length of a state
USED_MAX = 10_000  # states that are known to be used: an older one still needs its browser and another code
SECONDS_MAX = 5.0  # for one answer of the provider
ANSWER_BYTES_MAX = 256 * 1024
KNOWN_SECONDS = 3_600  # before endpoints and keys are asked for again
FAILED_SECONDS = 2  # in which a provider that could not be used is not asked again, whoever comes
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


class _Begun(msgspec.Struct, frozen=True, array_like=True):
    """A sign-in under way, as its state says: which, until when it is good, where it leads."""

    number: bytes
    until_s: int
    place: str


class Provider:
    """One OpenID Connect provider; used from the one event loop."""

    def __init__(
        self, settings: ProviderSettings, clock: Clock, transport: httpx.AsyncBaseTransport | None = None,
        *, begun_seconds: int = BEGUN_SECONDS,
    ) -> None:  # fmt: skip
        """Take the settings; nothing is asked before somebody signs in. ``transport`` is another way there.

        A sign-in must come back within ``begun_seconds``.
        """
        self._settings, self._clock, self._seconds = settings, clock, begun_seconds
        self._secret = secrets.token_bytes(32)
        self._client = httpx.AsyncClient(timeout=SECONDS_MAX, follow_redirects=False, transport=transport)
        self._used: OrderedDict[bytes, int] = OrderedDict()  # by their numbers, until when they would be good
        self._endpoints: Endpoints | None = None
        self._signers: Signers | None = None
        self._endpoints_s = self._signers_s = self._failed_s = 0
        self._finding = asyncio.Lock()

    @property
    def issuer(self) -> str:
        """Under which the people file has this provider's subjects."""
        return self._settings.issuer

    async def begin(self, browser: str, place: str) -> str:
        """Return the address at the provider to which a browser (its cookie) goes; ``place`` is where it ends up.

        Raises ProviderRefused when the provider does not answer, or answers for another issuer.
        """
        endpoints = await self._found()
        place = place if len(place) <= PLACE_LENGTH_MAX else ""
        told = msgspec.msgpack.encode(_Begun(secrets.token_bytes(16), self._now_s() + self._seconds, place))
        state = _text(told) + "." + _text(self._made("state", browser, told))
        nonce, verifier = (_text(self._made(name, browser, told)) for name in ("nonce", "verifier"))
        asked = {
            "response_type": "code", "scope": "openid", "client_id": self._settings.client_id,
            "redirect_uri": self._settings.redirect, "state": state, "nonce": nonce,
            "code_challenge": _challenge(verifier), "code_challenge_method": "S256",
        }  # fmt: skip
        joint = "&" if urlsplit(endpoints.authorization_endpoint).query else "?"
        return f"{endpoints.authorization_endpoint}{joint}{urlencode(asked)}"

    async def finish(self, browser: str, answer: dict[str, str]) -> tuple[str, str]:
        """Return the subject that a browser's answer proves, and where it goes on ("": nowhere named).

        An answer is good once.

        Raises ProviderRefused with the first thing that is wrong.
        """
        told = self._told(browser, answer.get("state", ""))
        begun = msgspec.msgpack.decode(told, type=_Begun)  # whole: it has our mark
        self._use(begun)
        endpoints = await self._found()
        issuer = answer.get("iss")
        is_named = issuer is not None or endpoints.authorization_response_iss_parameter_supported
        if is_named and issuer != self.issuer:
            raise ProviderRefused("the answer is another issuer's")
        if "error" in answer or not answer.get("code"):
            raise ProviderRefused("the provider has let nobody in")
        verifier, nonce = (_text(self._made(name, browser, told)) for name in ("verifier", "nonce"))
        token = await self._exchange(endpoints, answer["code"], verifier)
        return await self._subject(endpoints, token, nonce), begun.place

    def _made(self, name: str, browser: str, told: bytes) -> bytes:
        """Return what only this process makes of a browser's cookie and what a state says, for one purpose."""
        message = b"".join((name.encode(), b"/", _digest(browser), told))
        return hmac.new(self._secret, message, hashlib.sha256).digest()

    def _told(self, browser: str, state: str) -> bytes:
        """Return what a state of this browser says; raises ProviderRefused for one that is not ours, or another's."""
        head, _, mark = state.partition(".")
        try:
            told, given = _bytes(head), _bytes(mark)
        except ValueError:
            raise ProviderRefused("the state is none of ours") from None
        if not browser or not hmac.compare_digest(given, self._made("state", browser, told)):
            raise ProviderRefused("no sign-in of this state was begun in this browser")
        return told

    def _use(self, begun: _Begun) -> None:
        """Use a state up; raises ProviderRefused when it was, or has ended."""
        now_s = self._now_s()
        while self._used and (len(self._used) >= USED_MAX or next(iter(self._used.values())) <= now_s):
            self._used.popitem(last=False)
        if begun.until_s <= now_s or begun.number in self._used:
            raise ProviderRefused("the sign-in has ended: begin it again")
        self._used[begun.number] = begun.until_s

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.aclose()

    async def _found(self) -> Endpoints:
        async with self._finding:  # whoever comes meanwhile takes what the first one finds
            now_s = self._now_s()
            if self._endpoints is not None and now_s - self._endpoints_s < KNOWN_SECONDS:
                return self._endpoints
            if now_s - self._failed_s < FAILED_SECONDS:
                raise ProviderRefused("the provider could not be used a moment ago")
            try:
                self._endpoints = await self._discovered()
            except ProviderRefused:
                self._failed_s = self._now_s()
                raise
            self._endpoints_s = now_s
            return self._endpoints

    async def _discovered(self) -> Endpoints:
        place = f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
        found: Endpoints = await self._ask("GET", place, Endpoints)
        if found.issuer != self.issuer:
            raise ProviderRefused("the provider calls itself another issuer")
        if not all(map(is_private, (found.authorization_endpoint, found.token_endpoint, found.jwks_uri))):
            raise ProviderRefused("the provider is not reached over TLS")
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
    return _text(hashlib.sha256(verifier.encode()).digest())


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    """Return the bytes of base64url; raises ValueError."""
    return base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)


def _digest(browser: str) -> bytes:
    return hashlib.sha256(browser.encode("utf-8", "surrogatepass")).digest()
