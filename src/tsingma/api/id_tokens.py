"""ID tokens: whom an OpenID Connect provider has signed for (Core 1.0, section 3.1.3.7; RFC 8725, section 3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

# Signatures with public keys only: "none", and HMAC with what an attacker knows, are not among them.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
TOKEN_LENGTH_MAX = 32_768
SKEW_SECONDS = 60
AGE_SECONDS_MAX = 600  # since it was issued: it is fresh from the exchange of a code
SUBJECT_LENGTH_MAX = 255  # Core 1.0, section 2: 255 ASCII characters
_PUBLIC = {"RSA": {"n", "e"}, "EC": {"crv", "x", "y"}, "OKP": {"crv", "x"}}
_COMMON = {"kty", "kid", "use", "alg"}


class IdTokenRefused(Exception):
    """The token does not prove who somebody is; the message never repeats it."""


class _Claims(msgspec.Struct, frozen=True):
    """What an ID token must say; times are seconds since 1970."""

    iss: str
    sub: str
    aud: str | list[str]
    exp: int
    iat: int
    nonce: str
    azp: str = ""
    nbf: int = 0


class Signers:
    """The public keys of a provider: those of its key set that may sign, and nothing private or symmetric."""

    def __init__(self, told: Mapping[str, Any]) -> None:
        """Take a key set (RFC 7517); raises ValueError, KeyError, TypeError or JoseError when it is none."""
        usable = [
            {name: value for name, value in key.items() if name in _PUBLIC[key["kty"]] | _COMMON}
            for key in told["keys"]
            if key.get("kty") in _PUBLIC and key.get("use", "sig") == "sig"
        ]
        self._ids = {key.get("kid") for key in usable}
        self.keys = KeySet.import_key_set({"keys": usable})

    def knows(self, token: str) -> bool:
        """Return whether the key that a token names is here; where there is one key, a token may name none."""
        name = _key_id(token)
        return name in self._ids or (name is None and len(self._ids) == 1)


def subject_of(token: str, signers: Signers, issuer: str, audience: str, nonce: str, now_s: int) -> str:
    """Return the subject of an ID token; raises IdTokenRefused with the first thing that is wrong."""
    if len(token) > TOKEN_LENGTH_MAX or not token.isascii():
        raise IdTokenRefused(f"the ID token is longer than {TOKEN_LENGTH_MAX} characters, or not ASCII")
    if not signers.knows(token):
        raise IdTokenRefused("the ID token names no key of the provider")
    try:
        decoded = jwt.decode(token, signers.keys, algorithms=list(ALGORITHMS))
        claims = msgspec.convert(decoded.claims, _Claims)
    except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise IdTokenRefused(f"the ID token is not good: {type(error).__name__}") from None
    audiences = [claims.aud] if isinstance(claims.aud, str) else claims.aud
    for wrong, message in (
        (claims.iss != issuer, "the ID token is another issuer's"),
        (audience not in audiences, "the ID token is made out to another audience"),
        (
            (len(audiences) > 1 or bool(claims.azp)) and claims.azp != audience,
            "the ID token was issued to another party",
        ),
        (claims.nonce != nonce, "the ID token is of another sign-in"),
        (claims.exp <= now_s, "the ID token has expired"),
        (max(claims.iat, claims.nbf) > now_s + SKEW_SECONDS, "the ID token is not valid yet"),
        (claims.iat < now_s - AGE_SECONDS_MAX, "the ID token is old"),
        (not 0 < len(claims.sub) <= SUBJECT_LENGTH_MAX, "the ID token has no subject"),
    ):
        if wrong:
            raise IdTokenRefused(message)
    return claims.sub


def _key_id(token: str) -> str | None:
    try:
        header = jws.extract_compact(token.encode()).headers()
    except (JoseError, ValueError):
        raise IdTokenRefused("the ID token is none") from None
    name = header.get("kid", "")
    return name if isinstance(name, str) and name else None
