"""Tokens: what does not prove who asks is refused, whatever it looks like.

Method: tokens made by hand, byte by byte where a library would not make them; a clock that stands where the test says.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from api_house import AUDIENCE, SECOND, START_S, Served, keys_of
from joserfc import jwk, jwt

from tsingma.api.feed import Feeds, _sit
from tsingma.api.guard import Reach
from tsingma.api.keys import Key, Keys
from tsingma.api.permissions import Role, Scope
from tsingma.api.tail import Seat
from tsingma.api.tokens import (
    LIFETIME_SECONDS_MAX,
    SKEW_SECONDS,
    TokenDesk,
    TokenRefused,
    TooManyTokens,
    mint,
    new_private_key,
)
from tsingma.basics.clock import FixedClock

PRIVATE = new_private_key()
NAME = "participant"
KEYS = keys_of({NAME: PRIVATE})
CLAIMS: dict[str, Any] = {
    "iss": f"issuer-{NAME}", "aud": AUDIENCE, "iat": START_S, "nbf": START_S, "exp": START_S + 60, "jti": "12345678",
}  # fmt: skip
HEADER = {"alg": "Ed25519", "kid": NAME}


def _desk(at_s: int = START_S) -> TokenDesk:
    return TokenDesk(KEYS, FixedClock(at_s * SECOND))


def _signed(header: dict[str, Any] | None = None, **claims: Any) -> str:
    return jwt.encode(
        {**HEADER, **(header or {})}, {**CLAIMS, **claims}, jwk.OKPKey.import_key(PRIVATE), algorithms=["Ed25519"]
    )


def _part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def test_a_good_token_is_who_its_key_says() -> None:
    """Goal: role and participant come from the key. Method: a token that claims more than its key."""
    caller = _desk().check(_signed(role="operator", participant="D", sub="somebody"))
    assert (caller.role, caller.participant, caller.key) == (Role.PARTICIPANT, "A", NAME)


def test_a_caller_stands_as_long_as_token_and_key_do() -> None:
    """Goal: a feed ends with its key. Method: the token ends; the key is withdrawn, another's, rotated, bound, over."""
    clock = FixedClock(START_S * SECOND)
    desk = TokenDesk(KEYS, clock)
    caller = desk.check(_signed())
    assert desk.stands(caller)
    (key,) = KEYS.key
    for changed in ({"role": Role.OPERATOR, "participant": ""}, {"participant": "D"}, {"id": "other"},
                    {"public": base64.urlsafe_b64encode(bytes(32)).decode().rstrip("=")}, {"certificate": "0" * 64},
                    {"valid_to": datetime.fromtimestamp(START_S, UTC)}):  # fmt: skip
        desk.replace(msgspec.structs.replace(KEYS, key=(msgspec.structs.replace(key, **changed),)))
        assert not desk.stands(caller), changed
    desk.replace(KEYS)
    assert desk.stands(caller)
    clock.advance(60 * SECOND)
    assert not desk.stands(caller)


def test_a_feed_ends_with_its_key() -> None:
    """Goal: a withdrawn key hears nothing more. Method: a seat at the end of the journal, before and after."""

    async def heard() -> list[int]:
        desk = _desk()
        feeds, seat = Feeds(desk.stands, None), Seat("A", 0)  # type: ignore[arg-type]
        counts = []
        sitting = _sit(feeds, Reach(desk.check(_signed()), Scope.OWN), seat)
        for sequence in (1, 2):
            seat.put([(sequence, b"event")], sequence)
            counts.append(len([one async for one in _first(sitting)]))
            desk.replace(msgspec.structs.replace(KEYS, key=()))
        return counts

    async def _first(sitting: Any) -> Any:
        async for one in sitting:
            yield one
            return

    assert asyncio.run(heard()) == [1, 0]


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"aud": "another-house"}, "audience"),
        ({"aud": [AUDIENCE, "another-house"]}, "not good"),
        ({"iss": "issuer-operator"}, "issuer"),
        ({"exp": START_S}, "expired"),
        ({"iat": START_S - 120, "nbf": START_S - 120, "exp": START_S - 1}, "expired"),
        ({"nbf": START_S + 30}, "not valid yet"),
        ({"iat": START_S + 30, "nbf": 0, "exp": START_S + 60}, "future"),
        ({"exp": START_S + LIFETIME_SECONDS_MAX + 1}, "longer"),
        ({"exp": 2**70}, "longer"),
        ({"iat": True}, "not good"),
        ({"jti": ""}, "jti"),
        ({"jti": "x" * 129}, "jti"),
        ({"jti": None}, "not good"),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, str) else None,
)
def test_claims_that_do_not_fit_are_refused(claims: dict[str, Any], why: str) -> None:
    """Goal: audience, issuer, times and id. Method: one claim of a good, well signed token is changed."""
    with pytest.raises(TokenRefused, match=why):
        _desk().check(_signed(**claims))


@pytest.mark.parametrize("name", sorted(set(CLAIMS) - {"nbf"}))
def test_a_claim_left_out_is_refused(name: str) -> None:
    """Goal: nothing is taken for granted. Method: each claim left out of a good token; ``nbf`` alone is optional."""
    claims = {key: value for key, value in CLAIMS.items() if key != name}
    token = jwt.encode(HEADER, claims, jwk.OKPKey.import_key(PRIVATE), algorithms=["Ed25519"])
    with pytest.raises(TokenRefused, match="not good"):
        _desk().check(token)


def test_only_ed25519_is_an_algorithm() -> None:
    """Goal: none, HS256 and RS256 are refused, also when HS256 uses the public key as its secret (RFC 8725, 2.1).

    Method: tokens put together by hand with each algorithm's own signature; the same claims are good with Ed25519.
    """
    _desk().check(_signed())
    payload = _part(CLAIMS)
    for secret in (PRIVATE["x"].encode(), base64.urlsafe_b64decode(PRIVATE["x"] + "=")):
        head = _part({"alg": "HS256", "kid": NAME})
        signature = hmac.new(secret, f"{head}.{payload}".encode(), hashlib.sha256).digest()
        with pytest.raises(TokenRefused):
            _desk().check(f"{head}.{payload}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}")
    for name in ("none", "None", "NONE", ""):
        for signature in ("", _signed().rpartition(".")[2]):
            with pytest.raises(TokenRefused):
                _desk().check(f"{_part({'alg': name, 'kid': NAME})}.{payload}.{signature}")
    rsa = jwk.RSAKey.generate_key(2048)
    with pytest.raises(TokenRefused):
        _desk().check(jwt.encode({"alg": "RS256", "kid": NAME}, CLAIMS, rsa, algorithms=["RS256"]))
    for name in ("EdDSA", "Ed448"):  # the old name (RFC 9864 deprecates it) and the other curve
        signed = _signed().split(".")
        with pytest.raises(TokenRefused):
            _desk().check(".".join([_part({"alg": name, "kid": NAME}), *signed[1:]]))


def test_every_changed_character_is_noticed() -> None:
    """Goal: tampered tokens. Method: each character of a good token is replaced by another one, one at a time."""
    token, desk = _signed(), _desk()
    good = desk.check(token)
    for place, character in enumerate(token):
        changed = token[:place] + ("A" if character != "A" else "B") + token[place + 1 :]
        try:
            told = desk.check(changed)
        except TokenRefused:
            continue
        # base64 has spare bits in a last character: what was signed is then the same, byte for byte
        assert told == good, f"a change at {place} was not noticed"
        assert place in (len(token) - 1, token.index(".") - 1, token.rindex(".") - 1), place


@pytest.mark.parametrize(
    "header", [{"kid": "unknown"}, {"kid": None}, {"kid": 1}, {"typ": "JWS"}, {"jku": "https://example.org/keys"},
               {"jwk": {"kty": "OKP", "crv": "Ed25519", "x": PRIVATE["x"]}}]
)  # fmt: skip
def test_headers_that_bring_keys_or_name_none_are_refused(header: dict[str, Any]) -> None:
    """Goal: a token never brings its own key (RFC 8725, 3.10). Method: well-signed tokens with such headers."""
    payload = _part(CLAIMS)
    head = _part({**HEADER, **header})
    raw = jwk.OKPKey.import_key(PRIVATE).get_op_key("sign").sign(f"{head}.{payload}".encode())
    with pytest.raises(TokenRefused):
        _desk().check(f"{head}.{payload}.{base64.urlsafe_b64encode(raw).decode().rstrip('=')}")


def test_a_key_is_good_from_its_first_second_to_its_last() -> None:
    """Goal: key validity and rotation. Method: an old and a new key of one issuer around a week both are good."""
    turn = datetime(2026, 3, 1, tzinfo=UTC)
    old, new = (new_private_key() for _ in range(2))
    common = {"issuer": "A", "role": Role.PARTICIPANT, "participant": "A"}
    keys = Keys(audience=AUDIENCE, key=(
        Key(id="old", public=old["x"], valid_from=turn - timedelta(90), valid_to=turn + timedelta(7), **common),
        Key(id="new", public=new["x"], valid_from=turn, valid_to=turn + timedelta(90), **common),
    ))  # fmt: skip
    for name, private, days, good in (
        ("old", old, -91, False), ("old", old, -90, True), ("new", new, -1, False), ("old", old, 0, True),
        ("new", new, 0, True), ("old", old, 6, True), ("old", old, 7, False), ("new", new, 7, True),
        ("new", new, 90, False), ("new", old, 3, False),
    ):  # fmt: skip
        at = int((turn + timedelta(days)).timestamp())
        token = mint(private, name, "A", AUDIENCE, at, 60)
        desk = TokenDesk(keys, FixedClock(at * SECOND))
        if good:
            assert desk.check(token).key == name
        else:
            with pytest.raises(TokenRefused):
                desk.check(token)


def test_a_token_changes_something_once() -> None:
    """Goal: replay. Method: one token spent twice; again much later, when it has expired; a million others between."""
    clock = FixedClock(START_S * SECOND)
    desk = TokenDesk(KEYS, clock)
    caller = desk.check(_signed())
    desk.spend(caller)
    with pytest.raises(TokenRefused, match="used before"):
        desk.spend(caller)
    clock.advance(59 * SECOND)
    with pytest.raises(TokenRefused, match="used before"):
        desk.spend(desk.check(_signed()))
    clock.advance(SECOND)
    with pytest.raises(TokenRefused, match="expired"):
        desk.check(_signed())


def test_no_key_takes_the_room_of_others() -> None:
    """Goal: one busy key locks nobody out, and gets room again. Method: a bound of three, two keys, time."""
    clock = FixedClock(START_S * SECOND)
    desk = TokenDesk(KEYS, clock, used_max=3)
    caller = desk.check(_signed())
    busy = [msgspec.structs.replace(caller, token=f"token-{place}") for place in range(4)]
    for one in busy[:3]:
        desk.spend(one)
    with pytest.raises(TooManyTokens, match="have not ended"):
        desk.spend(busy[3])
    with pytest.raises(TokenRefused, match="used before"):
        desk.spend(busy[0])
    desk.spend(msgspec.structs.replace(caller, key="another"))
    clock.advance(60 * SECOND)
    with pytest.raises(TokenRefused, match="expired"):
        desk.spend(busy[0])
    clock.advance((SKEW_SECONDS + 1) * SECOND)
    later = msgspec.structs.replace(busy[3], expires_s=caller.expires_s + 60)
    desk.spend(later)


def test_a_restart_does_not_let_an_old_token_pass_again() -> None:
    """Goal: the memory of used tokens dies with the process. Method: a desk opened after the token was made."""
    later = _desk(START_S + 1)
    caller = later.check(_signed())
    with pytest.raises(TokenRefused, match="before the house was opened"):
        later.spend(caller)


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": ""}, {"Authorization": "Bearer"}, {"Authorization": "Basic QTpB"},
     {"Authorization": "Bearer " + "x" * 5_000}, {"Authorization": "Bearer a.b.c"}],
    ids=["none", "empty", "no token", "basic", "huge", "nonsense"],
)  # fmt: skip
def test_who_cannot_prove_it_gets_401(shown: Served, headers: dict[str, str]) -> None:
    """Goal: refusals on the wire (RFC 6750, RFC 9457). Method: requests without a good token."""
    answer = shown.client.get("/day", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == 401


def test_a_token_of_the_house_next_door_is_refused(shown: Served) -> None:
    """Goal: the checks are on every route's way. Method: expired, wrong audience, wrong issuer over the wire."""
    for changes in ({"audience": "another"}, {"at_s": START_S - 100}, {"issuer": "issuer-other"}):
        assert shown.get("participant", "/day", token=shown.token("participant", **changes)).status_code == 401
    assert shown.get("participant", "/day").status_code == 200
