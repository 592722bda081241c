"""One table of tokens that prove nothing, on the wire: every one x every way in, with and without a checking process.

The ways in: a route that reads, the short lane of single orders, and a change behind the guard.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from api_house import AUDIENCE, SECOND, START_S, Served, mint, new_private_key, served
from joserfc import jwk, jwt
from test_api_writes import ORDER

from tsingma.api.checkers import Checker
from tsingma.api.tokens import LIFETIME_SECONDS_MAX

WHO = "participant"


def _part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _claims(**changes: Any) -> dict[str, Any]:
    return {"iss": f"issuer-{WHO}", "aud": AUDIENCE, "iat": START_S, "exp": START_S + 60, "jti": "x" * 16, **changes}


def _raw(house: Served, header: dict[str, Any], claims: dict[str, Any], private: dict[str, str] | None = None) -> str:
    """Sign what no honest client would, with the participant's key or another."""
    told = f"{_part({'alg': 'Ed25519', 'kid': WHO, **header})}.{_part(claims)}"
    signer = jwk.OKPKey.import_key(dict(private or house.private[WHO]))
    signature = signer.get_op_key("sign").sign(told.encode())
    return f"{told}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def _confused(house: Served, secret: bytes) -> str:
    told = f"{_part({'alg': 'HS256', 'kid': WHO})}.{_part(_claims())}"
    return f"{told}.{base64.urlsafe_b64encode(hmac.new(secret, told.encode(), hashlib.sha256).digest()).decode()}"


def _tampered(house: Served) -> str:
    head, _, signature = house.token(WHO).split(".")
    return f"{head}.{_part(_claims(iss='issuer-other'))}.{signature}"


def _public(house: Served) -> str:
    return house.private[WHO]["x"]


BAD: dict[str, Callable[[Served], str]] = {
    "expired": lambda house: house.token(WHO, at_s=START_S - 61),
    "expires-now": lambda house: house.token(WHO, at_s=START_S - 60),
    "not-yet-valid": lambda house: _raw(house, {}, _claims(nbf=START_S + 30)),
    "made-in-the-future": lambda house: house.token(WHO, at_s=START_S + 30),
    "too-long-a-life": lambda house: house.token(WHO, lifetime_s=LIFETIME_SECONDS_MAX + 1),
    "wrong-audience": lambda house: house.token(WHO, audience="tsingma-next-door"),
    "wrong-issuer": lambda house: house.token(WHO, issuer="issuer-operator"),
    "tampered-claims": _tampered,
    "cut-signature": lambda house: house.token(WHO)[:-10],
    "no-signature": lambda house: house.token(WHO).rpartition(".")[0] + ".",
    "none-algorithm": lambda house: f"{_part({'alg': 'none', 'kid': WHO})}.{_part(_claims())}.",
    "hs256-with-the-public-key": lambda house: _confused(house, base64.urlsafe_b64decode(_public(house) + "=")),
    "hs256-with-its-text": lambda house: _confused(house, _public(house).encode()),
    "rs256": lambda house: jwt.encode(
        {"alg": "RS256", "kid": WHO}, _claims(), jwk.RSAKey.generate_key(2048), algorithms=["RS256"]
    ),
    "unknown-kid": lambda house: _raw(house, {"kid": "nobody"}, _claims()),
    "no-kid": lambda house: _raw(house, {"kid": None}, _claims()),
    "anothers-kid": lambda house: _raw(house, {"kid": "operator"}, _claims(iss="issuer-operator")),
    "own-key-embedded": lambda house: _raw(
        house, {"jwk": {"kty": "OKP", "crv": "Ed25519", "x": _public(house)}}, _claims()
    ),
    "stranger-embedded": lambda house: _stranger(house),
    "key-by-address": lambda house: _raw(house, {"jku": "https://evil.example/keys"}, _claims()),
    "critical-header": lambda house: _raw(house, {"crit": ["exp"], "exp": 1}, _claims()),
    "other-type": lambda house: _raw(house, {"typ": "at+jwt"}, _claims()),
    "no-jti": lambda house: _raw(house, {}, {name: one for name, one in _claims().items() if name != "jti"}),
    "encrypted": lambda house: f"{_part({'alg': 'dir', 'enc': 'A256GCM', 'kid': WHO})}..a.b.c",
}


def _stranger(house: Served) -> str:
    private = new_private_key()
    return _raw(house, {"jwk": {"kty": "OKP", "crv": "Ed25519", "x": private["x"]}}, _claims(), private)


WAYS: dict[str, tuple[str, str, Any]] = {
    "read": ("GET", "/day", None),
    "lane": ("POST", "/instructions", ORDER),
    "change": ("POST", "/orders/6/actions", {"action": "prioritise", "value": 2}),
}


@pytest.fixture(scope="module", params=["here", "process"])
def judged(request: Any, written: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A served copy whose tokens are checked in the process, or in one beside it."""
    folder = Path(shutil.copytree(written, tmp_path_factory.mktemp("judged") / "house"))
    checker = Checker() if request.param == "process" else None
    try:
        with served(folder, checker=checker) as running:
            yield running
    finally:
        if checker is not None:
            checker.close()


def _send(house: Served, way: str, token: str, key: str = "k") -> Any:
    method, path, body = WAYS[way]
    return house.call(WHO, method, path, token=token, json=body, headers={"Idempotency-Key": key})


@pytest.mark.parametrize("way", sorted(WAYS))
@pytest.mark.parametrize("name", sorted(BAD))
def test_a_token_that_proves_nothing_gets_401_everywhere(judged: Served, name: str, way: str) -> None:
    """Goal: the whole table. Method: each bad token by each way in; the journal stays; the token is never repeated."""
    before, token = judged.service.length(), BAD[name](judged)
    answer = _send(judged, way, token)
    assert answer.status_code == 401, answer.text
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert token[-20:] not in answer.text
    assert judged.service.length() == before


def test_a_token_that_changed_something_changes_nothing_more(house: Served) -> None:
    """Goal: replay across ways in. Method: one token by the lane, again there and behind the guard; reads go on."""
    token = house.token(WHO)
    assert _send(house, "lane", token, "a").status_code == 201
    for way in ("lane", "change"):
        again = _send(house, way, token, "b")
        assert again.status_code == 401
        assert "used before" in again.json()["detail"]
    assert _send(house, "read", token).status_code == 200
    other = house.token(WHO)
    assert _send(house, "change", other, "c").status_code == 200
    assert _send(house, "lane", other, "d").status_code == 401


def test_two_keys_overlap_and_the_old_one_ends(folder: Path, tmp_path: Path) -> None:
    """Goal: rotation without a gap. Method: a keys file with the old key, both, the new one; one answer."""
    old, new = new_private_key(), new_private_key()

    def stanza(name: str, private: dict[str, str], begin: str, end: str) -> str:
        return (f'[[key]]\nid = "{name}"\npublic = "{private["x"]}"\nissuer = "A"\nrole = "participant"\n'
                f'participant = "A"\nvalid_from = {begin}\nvalid_to = {end}\n')  # fmt: skip

    head = f'audience = "{AUDIENCE}"\n'
    first = stanza("old", old, "2025-06-01T00:00:00Z", "2026-01-06T00:00:00Z")
    second = stanza("new", new, "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z")
    path = tmp_path / "keys.toml"
    path.write_text(head + first)
    with served(folder, keys_file=path) as house:

        def send(name: str, private: dict[str, str], key: str) -> Any:
            now = house.clock.now_ns() // SECOND
            token = mint(private, name, "A", AUDIENCE, now, 60)
            return house.call(WHO, "POST", "/instructions", token=token, json=ORDER, headers={"Idempotency-Key": key})

        def turn(text: str) -> None:
            path.write_text(text)
            house.clock.advance(2 * SECOND)
            house.client.get("/health")

        turn(head + first + "\n")
        assert send("new", new, "k").status_code == 401
        told = send("old", old, "k")
        assert told.status_code == 201
        turn(head + first + second)
        both = [send("old", old, "k"), send("new", new, "k")]
        assert [one.status_code for one in both] == [201, 201]
        assert [one.json() for one in both] == [told.json()] * 2  # the same change, whichever key repeats it
        house.clock.advance(86_400 * SECOND)  # past the old one's last second
        assert [send("old", old, "k").status_code, send("new", new, "k").status_code] == [401, 201]
        turn(head + second)
        assert [send("old", old, "k").status_code, send("new", new, "k").status_code] == [401, 201]
