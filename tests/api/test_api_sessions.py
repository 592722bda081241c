"""Sessions: they end when idle, when old, when the person's row changes; bounded; a cookie is good for nothing else."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
from api_house import SECOND, START_S, people_of

from tsingma.api.people import People, Person
from tsingma.api.permissions import Role
from tsingma.api.sessions import Sessions
from tsingma.app.serve_settings import LimitsSection
from tsingma.basics.clock import FixedClock

LIMITS = LimitsSection()


def _desk(people: People | None = None, limits: LimitsSection = LIMITS) -> tuple[Sessions, FixedClock]:
    clock = FixedClock(START_S * SECOND)
    return Sessions(people or people_of(), clock, limits), clock


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
    assert caller.expires_s == START_S + LIMITS.session_seconds
    for strange in ("", "x", "\udcff", caller.token):
        assert desk.caller(strange) is None


def test_it_ends_when_idle_and_when_old() -> None:
    """Goal: both ends. Method: look in just before the idle end until the absolute one; and one left alone."""
    desk, clock = _desk()
    cookie, left = desk.begin(_person(desk, "operator")), desk.begin(_person(desk, "auditor"))
    seen = 0
    while desk.caller(cookie) is not None:
        clock.advance((LIMITS.session_idle_seconds - 1) * SECOND)
        seen += LIMITS.session_idle_seconds - 1
    assert seen - LIMITS.session_idle_seconds < LIMITS.session_seconds <= seen
    assert desk.caller(left) is None
    fresh = desk.begin(_person(desk, "auditor"))
    clock.advance(LIMITS.session_idle_seconds * SECOND)
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
        caller = desk.caller(cookie)
        assert caller is not None
        desk.replace(People(person=(first,)))
        assert desk.caller(cookie) is not None  # the file was written again with the same row
        assert desk.stands(caller)
        desk.replace(changed)
        assert not desk.stands(caller)
        assert desk.caller(cookie) is None


def test_whoever_follows_stands_as_long_as_the_session() -> None:
    """Goal: a stream ends with its session. Method: sign-out; idle, which following is not being there; no session."""
    desk, clock = _desk()
    cookie = desk.begin(_person(desk, "operator"))
    caller = desk.caller(cookie)
    assert caller is not None
    for _ in range(LIMITS.session_idle_seconds - 1):
        clock.advance(SECOND)
        assert desk.stands(caller)
    clock.advance(SECOND)
    assert not desk.stands(caller)
    cookie = desk.begin(_person(desk, "operator"))
    caller = desk.caller(cookie)
    assert caller is not None
    assert desk.stands(caller)
    desk.end(cookie)
    assert not desk.stands(caller)


def test_signing_in_again_ends_the_session_before() -> None:
    """Goal: rotation and bounds. Method: a new session over an old cookie; many of one; many of all."""
    desk, _ = _desk()
    operator = _person(desk, "operator")
    before = desk.begin(operator)
    after = desk.begin(operator, before)
    assert (desk.caller(before), desk.caller(after) is not None) == (None, True)
    many = [desk.begin(operator) for _ in range(LIMITS.sessions_of_a_person)]
    assert desk.caller(after) is None
    assert all(desk.caller(one) is not None for one in many)
    desk, _ = _desk(limits=LimitsSection(sessions=5))
    many = [desk.begin(operator) for _ in range(5)]
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
