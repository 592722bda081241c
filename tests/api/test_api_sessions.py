"""Sessions: they end when idle, when old, when the person's row changes; bounded; a cookie is good for nothing else."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest
from api_house import SECOND, START_S, people_of

from tsingma.api import sessions as rules
from tsingma.api.people import People, Person
from tsingma.api.permissions import Role
from tsingma.api.sessions import IDLE_SECONDS_MAX, SESSION_SECONDS_MAX, SESSIONS_OF_ONE_MAX, Sessions
from tsingma.basics.clock import FixedClock


def _desk(people: People | None = None) -> tuple[Sessions, FixedClock]:
    clock = FixedClock(START_S * SECOND)
    return Sessions(people or people_of(), clock), clock


def _person(desk: Sessions, name: str) -> Person:
    found = desk.person(name)
    assert found is not None
    return found


def test_a_session_says_who_it_is() -> None:
    """Goal: the same caller that keys give. Method: begin one for a participant; every field."""
    desk, _ = _desk()
    caller = desk.caller(desk.begin(_person(desk, "participant")))
    assert caller is not None
    assert (caller.key, caller.issuer, caller.role, caller.participant, caller.person) == (
        "person/participant", "console/participant", Role.PARTICIPANT, "A", "participant",
    )  # fmt: skip
    assert caller.expires_s == START_S + SESSION_SECONDS_MAX
    for strange in ("", "x", "\udcff", caller.token):
        assert desk.caller(strange) is None


def test_it_ends_when_idle_and_when_old() -> None:
    """Goal: both ends. Method: look in just before the idle end until the absolute one; and one left alone."""
    desk, clock = _desk()
    cookie, left = desk.begin(_person(desk, "operator")), desk.begin(_person(desk, "auditor"))
    seen = 0
    while desk.caller(cookie) is not None:
        clock.advance((IDLE_SECONDS_MAX - 1) * SECOND)
        seen += IDLE_SECONDS_MAX - 1
    assert seen - IDLE_SECONDS_MAX < SESSION_SECONDS_MAX <= seen
    assert desk.caller(left) is None
    fresh = desk.begin(_person(desk, "auditor"))
    clock.advance(IDLE_SECONDS_MAX * SECOND)
    assert desk.caller(fresh) is None


def test_a_changed_row_is_out_at_once() -> None:
    """Goal: what the people file says holds now. Method: another password, role, an end of validity, no row at all."""
    first = people_of().person[0]
    for changed in (
        People(person=(msgspec.structs.replace(first, password=first.password[:-2] + "AA"),)),
        People(person=(msgspec.structs.replace(first, role=Role.AUDITOR),)),
        People(person=(msgspec.structs.replace(first, valid_to=datetime(2026, 1, 2, tzinfo=UTC)),)),
        People(),
    ):
        desk, _ = _desk(People(person=(first,)))
        cookie = desk.begin(first)
        assert desk.caller(cookie) is not None
        desk.replace(People(person=(first,)))
        assert desk.caller(cookie) is not None  # the file was written again with the same row
        desk.replace(changed)
        assert desk.caller(cookie) is None


def test_signing_in_again_ends_the_session_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Goal: rotation and bounds. Method: a new session over an old cookie; many of one; many of all."""
    desk, _ = _desk()
    operator = _person(desk, "operator")
    before = desk.begin(operator)
    after = desk.begin(operator, before)
    assert (desk.caller(before), desk.caller(after) is not None) == (None, True)
    many = [desk.begin(operator) for _ in range(SESSIONS_OF_ONE_MAX)]
    assert desk.caller(after) is None
    assert all(desk.caller(one) is not None for one in many)
    monkeypatch.setattr(rules, "SESSIONS_MAX", SESSIONS_OF_ONE_MAX)
    desk.begin(_person(desk, "auditor"))
    assert desk.caller(many[0]) is None
    assert desk.caller(many[1]) is not None


def test_the_token_of_a_form_is_its_sessions_alone() -> None:
    """Goal: forms cannot be forged across sessions. Method: another session's token, none, cut, other characters."""
    desk, _ = _desk()
    mine, other = (desk.begin(_person(desk, who)) for who in ("operator", "auditor"))
    token = desk.form_token(mine)
    assert desk.is_form_token(mine, token)
    for wrong in (desk.form_token(other), "", token[:-1], token + "0", "香港"):
        assert not desk.is_form_token(mine, wrong)
    assert not desk.is_form_token("", desk.form_token(""))
    assert not Sessions(people_of(), FixedClock(0)).is_form_token(mine, token)  # a restart ends forms too
