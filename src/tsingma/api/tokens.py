"""Signed tokens: JSON Web Tokens (RFC 7519) signed with Ed25519 (RFC 8037, RFC 9864) by the key of whoever asks.

A client makes its own short-lived tokens. The key decides the role and the participant; a token can add nothing to
them. A token that changes something is good for one call: its ``jti`` is kept until the token has expired, and tokens
made before the house was opened are refused for changes, so that a restart forgets nothing that matters.
"""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Mapping
from typing import Any

import msgspec
from joserfc import jwk, jwt
from joserfc.errors import JoseError

from tsingma.api.keys import Key, Keys
from tsingma.api.permissions import Role
from tsingma.basics.clock import Clock

ALGORITHM = "Ed25519"
TOKEN_LENGTH_MAX = 4_096
LIFETIME_SECONDS_MAX = 300
SKEW_SECONDS = 5  # by which clocks of clients may be ahead
REMEMBERED_MAX = 1_000_000  # tokens that changed something within their lifetime
_HEADERS = {"alg", "kid", "typ"}
_SECOND = 1_000_000_000


class Caller(msgspec.Struct, frozen=True):
    """Who asks: the key that signed, the role and participant it stands for, and when the token ends (seconds).

    Of somebody signed in to the console ``key`` is "person/ID" and ``token`` names the session. ``person`` is who
    answers for what is done, "" when the key names nobody.
    """

    key: str
    issuer: str
    role: Role
    participant: str
    token: str
    issued_s: int
    expires_s: int
    person: str = ""


class _Claims(msgspec.Struct, frozen=True):
    """What a token must say; times are whole seconds since 1970."""

    iss: str
    aud: str
    iat: int
    exp: int
    jti: str
    nbf: int = 0


class TokenRefused(Exception):
    """The token does not prove who asks; the message says why, and never repeats the token."""


class TokenDesk:
    """Checks tokens against the keys, at the time of the clock it is given."""

    def __init__(self, keys: Keys, clock: Clock) -> None:
        """Import the public keys; tokens issued before now change nothing."""
        self._clock = clock
        self.replace(keys)
        self._opened_s = clock.now_ns() // _SECOND
        self._used: set[tuple[str, str]] = set()
        self._until: deque[tuple[int, tuple[str, str]]] = deque()

    def replace(self, keys: Keys) -> None:
        """Take other keys from now on; which tokens were used stays known."""
        self._audience = keys.audience
        self._keys = {key.id: (key, _imported(key)) for key in keys.key}

    @property
    def now_s(self) -> int:
        """The time of the clock in whole seconds."""
        return self._clock.now_ns() // _SECOND

    def check(self, token: str) -> Caller:
        """Return who made a token; raises TokenRefused with the first thing that is wrong."""
        if len(token) > TOKEN_LENGTH_MAX or not token.isascii():
            raise TokenRefused(f"the token is longer than {TOKEN_LENGTH_MAX} characters, or not ASCII")
        found: list[Key] = []

        def key_of(guest: jwk.GuestProtocol) -> jwk.OKPKey:
            key, imported = self._chosen(guest.headers())
            found.append(key)
            return imported

        try:
            decoded = jwt.decode(token, key_of, algorithms=[ALGORITHM])
            claims = msgspec.convert(decoded.claims, _Claims)
        except (JoseError, ValueError, TypeError) as error:
            raise TokenRefused(f"the token is not good: {error}") from None
        self._check_claims(claims, found[0])
        key = found[0]
        return Caller(key.id, key.issuer, key.role, key.participant, claims.jti, claims.iat, claims.exp, key.person)

    def spend(self, caller: Caller) -> None:
        """Use a token up for a change; raises TokenRefused when it was used before or is older than this opening."""
        if caller.issued_s < self._opened_s:
            raise TokenRefused("the token was made before the house was opened")
        now = self.now_s
        while self._until and self._until[0][0] <= now:
            self._used.discard(self._until.popleft()[1])
        token = (caller.key, caller.token)
        if token in self._used:
            raise TokenRefused("the token was used before: a change needs a new one")
        if len(self._used) >= REMEMBERED_MAX:
            raise TokenRefused("too many tokens are in use")
        self._used.add(token)
        # Kept for the longest life from now: never shorter than the token's own, and the queue stays in order.
        self._until.append((now + LIFETIME_SECONDS_MAX + SKEW_SECONDS + 1, token))

    def _chosen(self, header: Mapping[str, Any]) -> tuple[Key, jwk.OKPKey]:
        if not set(header) <= _HEADERS or header.get("typ", "JWT") != "JWT":
            raise TokenRefused("the token has a header other than alg, kid and typ JWT")
        name = header.get("kid")
        known = self._keys.get(name) if isinstance(name, str) else None
        if known is None:
            raise TokenRefused("the token names no key of the house")
        now = self.now_s
        if not known[0].valid_from.timestamp() <= now < known[0].valid_to.timestamp():
            raise TokenRefused("the key is not valid now")
        return known

    def _check_claims(self, claims: _Claims, key: Key) -> None:
        now = self.now_s
        for wrong, message in (
            (claims.aud != self._audience, "the token is made out to another audience"),
            (claims.iss != key.issuer, "the issuer is not the owner of the key"),
            (claims.exp <= now, "the token has expired"),
            (claims.nbf > now + SKEW_SECONDS, "the token is not valid yet"),
            (claims.iat > now + SKEW_SECONDS, "the token was made in the future"),
            (not 0 < claims.exp - claims.iat <= LIFETIME_SECONDS_MAX,
             f"the token lives longer than {LIFETIME_SECONDS_MAX} seconds, or not at all"),
            (not 8 <= len(claims.jti) <= 128, "the token's jti has 8 to 128 characters"),
        ):  # fmt: skip
            if wrong:
                raise TokenRefused(message)


def new_private_key() -> dict[str, str]:
    """Return a new Ed25519 key pair as a JSON Web Key, private part included: keep it where only its owner reads."""
    made = jwk.OKPKey.generate_key("Ed25519")
    return {name: str(value) for name, value in made.as_dict(private=True).items() if name in ("kty", "crv", "x", "d")}


def mint(private: Mapping[str, str], key: str, issuer: str, audience: str, now_s: int, lifetime_s: int) -> str:
    """Return a new token of a private key (a JSON Web Key) that lives ``lifetime_s`` seconds from ``now_s``."""
    claims = {
        "iss": issuer, "aud": audience, "iat": now_s, "nbf": now_s, "exp": now_s + lifetime_s,
        "jti": secrets.token_urlsafe(16),
    }  # fmt: skip
    signing = jwk.OKPKey.import_key(dict(private))
    return jwt.encode({"alg": ALGORITHM, "kid": key}, claims, signing, algorithms=[ALGORITHM])


def _imported(key: Key) -> jwk.OKPKey:
    return jwk.OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": key.public.rstrip("=")})
