"""Signed tokens: JSON Web Tokens (RFC 7519) signed with Ed25519 (RFC 8037, RFC 9864) by the key of whoever asks.

A client makes its own short-lived tokens. The key decides the role and the participant; a token can add nothing to
them. A token that changes something is good for one call: its ``jti`` is kept until the token has expired, and tokens
made before the house was opened are refused for changes, so that a restart forgets nothing that matters.
"""

from __future__ import annotations

import hashlib
import secrets
from collections import Counter
from collections.abc import Mapping

import msgspec
from joserfc import jwk, jwt

from tsingma.api.checkers import Checker
from tsingma.api.keys import Key, Keys
from tsingma.api.permissions import Role
from tsingma.api.signatures import ALGORITHM, Proof, TokenRefused, imported, proved
from tsingma.app.serve_settings import LimitsSection
from tsingma.basics.clock import Clock

LIFETIME_SECONDS_MAX = 300
SKEW_SECONDS = 5  # by which clocks of clients may be ahead
KEY_TOKENS_MAX = LimitsSection().tokens_used_of_a_key  # that changed something and live: no key takes others' room
_SECOND = 1_000_000_000


class Caller(msgspec.Struct, frozen=True):
    """Who asks: the key that signed, the role and participant it stands for, and when the token ends (seconds).

    Of somebody signed in to the console ``key`` is "person/ID" and ``token`` names the session. ``person`` is who
    answers for what is done, "" when the key names nobody. ``row`` is the digest of the key's row in the keys file.
    """

    key: str
    issuer: str
    role: Role
    participant: str
    token: str
    issued_s: int
    expires_s: int
    person: str = ""
    row: bytes = b""


class _Claims(msgspec.Struct, frozen=True):
    """What a token must say; times are whole seconds since 1970."""

    iss: str
    aud: str
    iat: int
    exp: int
    jti: str
    nbf: int = 0


_CLAIMS = msgspec.json.Decoder(_Claims)


class TooManyTokens(Exception):
    """A key has changed so much with tokens that live so long that no more of them are remembered."""


class _UsedTokens:
    """Tokens that changed something, each until it has ended: by the second of its end, and how many of each key."""

    def __init__(self, of_a_key_max: int) -> None:
        self._max = of_a_key_max
        self._used: set[tuple[str, str]] = set()
        self._by_end: dict[int, list[tuple[str, str]]] = {}
        self._of_key: Counter[str] = Counter()
        self._looked_s = 0

    def spend(self, key: str, token: str, expires_s: int, now_s: int) -> bool:
        """Remember a token; returns False when it was remembered before. Raises TooManyTokens."""
        if now_s != self._looked_s:
            self._forget(now_s)
        if (key, token) in self._used:
            return False
        if self._of_key[key] >= self._max:
            raise TooManyTokens(f"{self._max} tokens of key '{key}' that made changes have not ended")
        self._used.add((key, token))
        self._by_end.setdefault(expires_s, []).append((key, token))
        self._of_key[key] += 1
        return True

    def _forget(self, now_s: int) -> None:
        """Let go of what ended, a little later than it did: a clock that is set back does not let it pass again."""
        self._looked_s = now_s
        for end in [end for end in self._by_end if end + SKEW_SECONDS < now_s]:
            ended = self._by_end.pop(end)
            self._used.difference_update(ended)
            self._of_key.subtract(key for key, _ in ended)
        self._of_key += Counter()  # keys that have none left are let go of


class TokenDesk:
    """Checks tokens against the keys, at the time of the clock it is given."""

    def __init__(
        self, keys: Keys, clock: Clock, checker: Checker | None = None, *, used_max: int = KEY_TOKENS_MAX
    ) -> None:
        """Import the public keys; tokens issued before now change nothing. ``checker`` is asked for signatures."""
        self._clock, self._checker = clock, checker
        self.replace(keys)
        self._opened_s = clock.now_ns() // _SECOND
        self._used = _UsedTokens(used_max)

    def replace(self, keys: Keys) -> None:
        """Take other keys from now on; which tokens were used stays known."""
        self._audience = keys.audience
        self._keys = {key.id: key for key in keys.key}
        self._rows = {key.id: hashlib.sha256(msgspec.json.encode(key)).digest() for key in keys.key}
        public = {key.id: key.public for key in keys.key}
        self._imported = imported(public)
        if self._checker is not None:
            self._checker.replace(public)

    @property
    def now_s(self) -> int:
        """The time of the clock in whole seconds."""
        return self._clock.now_ns() // _SECOND

    def check(self, token: str) -> Caller:
        """Return who made a token; raises TokenRefused with the first thing that is wrong."""
        return self._caller(proved(token, self._imported))

    async def check_soon(self, token: str) -> Caller:
        """Return who made a token like ``check``, its signature checked in another process where there is one."""
        if self._checker is None:
            return self.check(token)
        return self._caller(await self._checker.check(token))

    def _caller(self, proof: Proof) -> Caller:
        key = self._keys.get(proof.key)
        if key is None or key.public != proof.public:  # withdrawn while it was checked
            raise TokenRefused("the token names no key of the house")
        if not key.valid_from.timestamp() <= self.now_s < key.valid_to.timestamp():
            raise TokenRefused("the key is not valid now")
        try:
            claims = _CLAIMS.decode(proof.payload)
        except msgspec.MsgspecError as error:
            raise TokenRefused(f"the token is not good: {error}") from None
        self._check_claims(claims, key)
        return Caller(
            key.id, key.issuer, key.role, key.participant, claims.jti, claims.iat, claims.exp, key.person,
            self._rows[key.id],
        )  # fmt: skip

    def stands(self, caller: Caller) -> bool:
        """Return whether the token of a caller has not ended, and the row of its key is still what it was then."""
        return self.now_s < caller.expires_s and self.knows(caller)

    def knows(self, caller: Caller) -> bool:
        """Return whether the row of a caller's key is still what it was when the token was shown."""
        key = self._keys.get(caller.key)
        return key is not None and self.now_s < key.valid_to.timestamp() and self._rows[key.id] == caller.row

    def require_certificate(self, caller: Caller, shown: str) -> None:
        """Raise TokenRefused when the key of a caller is bound to a certificate other than the one ``shown`` ("")."""
        key = self._keys.get(caller.key)
        if key is None or (key.certificate and not secrets.compare_digest(key.certificate, shown)):
            raise TokenRefused("the key is bound to a certificate that this connection has not shown")

    def spend(self, caller: Caller) -> None:
        """Use a token up for a change.

        Raises TokenRefused when it was used before, has ended, or is older than this opening; TooManyTokens when its
        key has used too many that have not ended.
        """
        if caller.issued_s < self._opened_s:
            raise TokenRefused("the token was made before the house was opened")
        now = self.now_s
        if caller.expires_s <= now:
            raise TokenRefused("the token has expired")
        if not self._used.spend(caller.key, caller.token, caller.expires_s, now):
            raise TokenRefused("the token was used before: a change needs a new one")

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
