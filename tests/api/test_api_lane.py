"""The short way of orders answers as the general way does.

Method: two copies of one house get the same requests, one of them with a header that means nothing and that the short
way does not take; statuses, bodies and journals must be the same. Whether the short way was taken is counted.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from api_house import SHARE, Served, served

from tsingma.api import lane
from tsingma.journal.commands import decode

ORDER: dict[str, Any] = {
    "reference": 1_001, "account_class": "HOUSE", "side": "deliver", "counterparty": "B", "kind": "dvp", "isin": SHARE,
    "quantity": 100, "currency": "HKD", "amount": "30000.00", "trade_date": "2026-01-02", "intended_date": "2026-01-05",
}  # fmt: skip
CASES: dict[str, tuple[str | None, dict[str, Any], dict[str, Any]]] = {
    "good": ("participant", {"json": ORDER}, {}),
    "a list": ("participant", {"json": [ORDER, {**ORDER, "reference": 1_002, "quantity": 0}]}, {}),
    "an empty list": ("participant", {"json": []}, {}),
    "a rare field": ("participant", {"json": {**ORDER, "hold": True}}, {}),
    "an unknown account": ("participant", {"json": {**ORDER, "account_class": "SEGREGATED"}}, {}),
    "refused by the house": ("participant", {"json": {**ORDER, "quantity": 0}}, {}),
    "an unknown code": ("participant", {"json": {**ORDER, "isin": "HK0000000000"}}, {}),
    "another type": ("participant", {"json": {**ORDER, "quantity": "100"}}, {}),
    "not JSON": ("participant", {"content": b"{", "headers": {"Content-Type": "application/json"}}, {}),
    "another media type": ("participant", {"content": b"{}", "headers": {"Content-Type": "text/plain"}}, {}),
    "no body": ("participant", {"content": b"", "headers": {"Content-Type": "application/json"}}, {}),
    "too large": ("participant", {"json": [ORDER] * 5_000}, {}),
    "too many": ("participant", {"json": [ORDER] * 1_001}, {}),
    "no token": (None, {"json": ORDER}, {}),
    "a role that may not": ("regulator", {"json": ORDER}, {}),
    "an operator": ("operator", {"json": ORDER}, {}),
    "another audience": ("participant", {"json": ORDER}, {"audience": "elsewhere"}),
    "expired": ("participant", {"json": ORDER}, {"lifetime_s": 1, "at_s": 1_767_500_000}),
    "a bad key": ("participant", {"json": ORDER, "key": "with space"}, {}),
    "no key": ("participant", {"json": ORDER, "key": None}, {}),
}


@pytest.fixture
def pair(written: Path, tmp_path: Path) -> Iterator[tuple[Served, Served]]:
    """Two copies of the house, served."""
    copies = [Path(shutil.copytree(written, tmp_path / name / "house")) for name in ("short", "general")]
    with served(copies[0]) as short, served(copies[1]) as general:
        yield short, general


def send(house: Served, case: str, *, plainly: bool) -> tuple[int, Any, dict[str, str]]:
    """Send a case's request; returns status, body and the headers that say something about it."""
    who, request, claims = CASES[case]
    more = dict(request)
    key = more.pop("key", "once")
    headers = {**more.pop("headers", {}), **({"Idempotency-Key": key} if key else {})}
    if not plainly:
        headers["X-Nothing"] = "said"
    if who is not None:
        headers["Authorization"] = f"Bearer {house.token(who, **claims)}"
    answer = house.client.request("POST", "/instructions", headers=headers, **more)
    told = {name: answer.headers.get(name, "") for name in ("content-type", "www-authenticate", "retry-after")}
    return answer.status_code, answer.json(), told


@pytest.mark.parametrize("case", CASES)
def test_the_short_way_answers_as_the_general_way(case: str, pair: tuple[Served, Served]) -> None:
    """Goal: nothing about an answer tells which way was taken. Method: each case both ways, twice with one key."""
    short, general = pair
    for _ in range(2):
        assert send(short, case, plainly=True) == send(general, case, plainly=False)
    assert short.service.length() == general.service.length()
    bodies = [[decode(record.body) for record in house.service.records(0, 1_000)] for house in pair]
    assert bodies[0] == bodies[1]


def test_plain_requests_take_the_short_way_and_spend_their_tokens(
    house: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Goal: the short way is taken, and a token is good for one change on either. Method: counted; one token twice."""
    taken = []
    monkeypatch.setattr(lane, "request_hash", lambda _scope, body: taken.append(body) or b"")
    token = house.token("participant")
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "a"}
    assert house.client.post("/instructions", json=ORDER, headers=headers).status_code == 201
    assert len(taken) == 1
    for more in ({}, {"X-Nothing": "said"}):
        again = house.client.post("/instructions", json=ORDER, headers={**headers, **more})
        assert (again.status_code, len(taken)) == (401, 1)
        assert "used before" in again.json()["detail"]


def test_what_is_not_plain_goes_the_general_way(house: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Goal: only what is plainly told is short. Method: a query, a body in pieces, a header twice: none is counted."""
    taken: list[bytes] = []
    monkeypatch.setattr(lane, "request_hash", lambda _scope, body: taken.append(body) or b"")
    good = {"Idempotency-Key": "q", "Authorization": f"Bearer {house.token('participant')}"}
    assert house.client.post("/instructions?x=1", json=ORDER, headers=good).status_code in (201, 400)
    pieces = iter([b"[", b"]"])
    told = {**good, "Content-Type": "application/json"}
    assert house.client.post("/instructions", content=pieces, headers=told).status_code == 401  # its token is used up
    twice = [*good.items(), ("Idempotency-Key", "r")]
    assert house.client.post("/instructions", json=ORDER, headers=twice).status_code == 401
    assert taken == []
