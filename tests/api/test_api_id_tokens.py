"""ID tokens: whatever does not prove this sign-in of this person to this house is refused."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from joserfc import jwk, jwt
from joserfc.errors import JoseError

from tsingma.api.id_tokens import AGE_SECONDS_MAX, SKEW_SECONDS, IdTokenRefused, Signers, subject_of

NOW = 1_800_000_000
RSA = jwk.RSAKey.generate_key(2048, {"kid": "r"})
EC = jwk.ECKey.generate_key("P-256", {"kid": "e"})
OKP = jwk.OKPKey.generate_key("Ed25519", {"kid": "o"})
STRANGER = jwk.RSAKey.generate_key(2048, {"kid": "r"})
SIGNERS = Signers({"keys": [key.as_dict(private=False) for key in (RSA, EC, OKP)]})
CLAIMS = {"iss": "https://id", "sub": "u-1", "aud": "house", "exp": NOW + 300, "iat": NOW, "nonce": "n"}


def token(claims: dict[str, Any] | None = None, key: Any = RSA, header: dict[str, Any] | None = None) -> str:
    """Sign claims with a key; ``header`` adds to or changes alg and kid."""
    told = {"alg": {"RSA": "RS256", "EC": "ES256", "OKP": "Ed25519"}[key.key_type], "kid": key.kid, **(header or {})}
    told = {name: value for name, value in told.items() if value is not None}
    return jwt.encode(told, claims or CLAIMS, key, algorithms=[told["alg"]])


def subject(text: str, signers: Signers = SIGNERS) -> str:
    """Check a token as the house would."""
    return subject_of(text, signers, "https://id", "house", "n", NOW)


@pytest.mark.parametrize("key", [RSA, EC, OKP], ids=["RS256", "ES256", "Ed25519"])
def test_a_good_token_names_its_subject(key: Any) -> None:
    """Goal: the algorithms of the list. Method: one key each; several audiences with the party named."""
    assert subject(token(key=key)) == "u-1"
    assert subject(token({**CLAIMS, "aud": ["house", "other"], "azp": "house"}, key)) == "u-1"


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "https://other"}, {"iss": "https://id/"}, {"aud": "other"}, {"aud": []}, {"aud": ["house", "other"]},
        {"azp": "other"}, {"aud": ["house", "other"], "azp": "other"}, {"nonce": "m"}, {"nonce": None}, {"exp": NOW},
        {"exp": NOW - 1}, {"exp": None}, {"iat": NOW + SKEW_SECONDS + 1}, {"nbf": NOW + SKEW_SECONDS + 1},
        {"iat": NOW - AGE_SECONDS_MAX - 1}, {"sub": ""}, {"sub": "x" * 256}, {"sub": 5}, {"sub": None},
        {"exp": "soon"}, {"iss": None},
    ],
    ids=lambda change: "-".join(f"{name}={str(value)[:30]}" for name, value in change.items()),
)  # fmt: skip
def test_wrong_claims_are_refused(change: dict[str, Any]) -> None:
    """Goal: issuer, audience, party, nonce, times, subject. Method: one wrong each in a token that is well signed."""
    claims = {name: value for name, value in {**CLAIMS, **change}.items() if value is not None}
    with pytest.raises(IdTokenRefused):
        subject(token(claims))


def _encoded(part: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def test_wrong_signatures_are_refused() -> None:
    """Goal: no other way to sign. Method: none, HMAC with public bytes, a stranger, embedded keys, tampering."""
    good = token()
    head, body, signature = good.split(".")
    told = f"{_encoded({'alg': 'HS256', 'kid': 'r'})}.{body}"
    shared = hmac.new(RSA.as_pem(private=False), told.encode(), hashlib.sha256).digest()
    confused = f"{told}.{base64.urlsafe_b64encode(shared).rstrip(b'=').decode()}"
    mine = STRANGER.as_dict(private=False)
    other_body = _encoded({**CLAIMS, "sub": "u-2"})
    bad = [
        f"{_encoded({'alg': 'none', 'kid': 'r'})}.{body}.", f"{_encoded({'alg': 'none'})}.{body}.{signature}",
        confused, token(key=STRANGER), token(key=STRANGER, header={"jwk": mine}),
        token(key=STRANGER, header={"jku": "https://evil/keys"}), f"{head}.{other_body}.{signature}",
        f"{head}.{body}.{signature[:-6]}AAAAAA", f"{head}.{body}.", token(header={"kid": "unknown"}),
        token(header={"kid": None}), token(key=EC, header={"kid": "r"}), "", "a.b.c", "香", good + "." + good,
        "x" * 40_000,
    ]  # fmt: skip
    for one in bad:
        with pytest.raises(IdTokenRefused):
            subject(one)
    assert subject(good) == "u-1"


def test_only_public_keys_that_sign_are_taken() -> None:
    """Goal: what a provider lists does not weaken it. Method: keys that are symmetric, private, for encryption."""
    shared = jwk.OctKey.generate_key(256, {"kid": "s"})
    listed = Signers({"keys": [shared.as_dict(private=True), RSA.as_dict(private=True)]})
    symmetric = jwt.encode({"alg": "HS256", "kid": "s"}, CLAIMS, shared, algorithms=["HS256"])
    with pytest.raises(IdTokenRefused):
        subject(symmetric, listed)
    assert subject(token(), listed) == "u-1"
    assert subject(token(header={"kid": None}), Signers({"keys": [RSA.as_dict(private=False)]})) == "u-1"
    encrypting = Signers({"keys": [{**RSA.as_dict(private=False), "use": "enc"}, EC.as_dict(private=False)]})
    with pytest.raises(IdTokenRefused):
        subject(token(), encrypting)
    for wrong in ({}, {"keys": [{"kty": "RSA"}]}, {"keys": 5}, {"keys": ["x"]}):
        with pytest.raises((JoseError, ValueError, KeyError, TypeError, AttributeError)):
            Signers(wrong)
