"""Which key signed a token: JSON Web Tokens (RFC 7519) signed with Ed25519 (RFC 8037, RFC 9864), and nothing else.

It knows neither the time nor who a key belongs to: what the payload says is judged by the desk of tokens.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from joserfc import jwk, jws
from joserfc.errors import JoseError

ALGORITHM = "Ed25519"
TOKEN_LENGTH_MAX = 4_096
_HEADERS = {"alg", "kid", "typ"}
Imported = Mapping[str, tuple[str, jwk.OKPKey]]


class TokenRefused(Exception):
    """The token does not prove who asks; the message says why, and never repeats the token."""


class Proof(NamedTuple):
    """The id of the key that signed a token, its public part, and what the token says (JSON, as signed)."""

    key: str
    public: str
    payload: bytes


def imported(keys: Mapping[str, str]) -> dict[str, tuple[str, jwk.OKPKey]]:
    """Return public keys (32 bytes each, base64url) ready to check with."""
    return {
        name: (public, jwk.OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": public.rstrip("=")}))
        for name, public in keys.items()
    }


def proved(token: str, keys: Imported) -> Proof:
    """Return which of the keys signed a token and what it says; raises TokenRefused with the first thing wrong."""
    if len(token) > TOKEN_LENGTH_MAX or not token.isascii():
        raise TokenRefused(f"the token is longer than {TOKEN_LENGTH_MAX} characters, or not ASCII")
    signed: list[str] = []

    def key_of(guest: jwk.GuestProtocol) -> jwk.OKPKey:
        header = guest.headers()
        if not set(header) <= _HEADERS or header.get("typ", "JWT") != "JWT":
            raise TokenRefused("the token has a header other than alg, kid and typ JWT")
        name = header.get("kid")
        known = keys.get(name) if isinstance(name, str) else None
        if known is None:
            raise TokenRefused("the token names no key of the house")
        signed.extend((str(name), known[0]))
        return known[1]

    try:
        found = jws.deserialize_compact(token, key_of, algorithms=[ALGORITHM])
    except (JoseError, ValueError, TypeError) as error:
        raise TokenRefused(f"the token is not good: {error}") from None
    return Proof(signed[0], signed[1], found.payload or b"")
