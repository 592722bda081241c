"""Forms work as a browser without scripts sends them: once each, for oneself only, and a refusal changes nothing."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from console_house import Served, served

from tsingma.api.permissions import Role
from tsingma.console.routes import ROUTES
from tsingma.journal.commands import RunStep
from tsingma.settlement.timetable import timetable


@pytest.fixture
def changing(written_console: Path, tmp_path: Path) -> Iterator[Served]:
    """A served copy that a test changes."""
    with served(Path(shutil.copytree(written_console, tmp_path / "house")), more_routes=ROUTES) as running:
        yield running


def forms_of(text: str) -> list[dict[str, str]]:
    """Return the fields that each form of a page that posts would send, with its address as "to"."""
    found = []
    for to, inner in re.findall(r'<form[^>]*method="post"[^>]*action="([^"]+)"[^>]*>(.*?)</form>', text, re.S):
        fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', inner))
        fields.update(re.findall(r'<button[^>]*name="([^"]+)" value="([^"]+)"', inner))
        found += [{**fields, "to": to}] if to != "/console/sign-out" else []
    return found


def csrf_of(console: Served, who: str) -> str:
    """Return the token that forms of somebody's session carry."""
    found = re.search(r'name="csrf" value="([^"]+)"', console.get(who, "/console").text)
    return found[1] if found else ""


def send(console: Served, who: str, form: dict[str, str], **more: Any) -> Any:
    """Send a form as a browser does and return the first answer."""
    data = {name: value for name, value in {"csrf": csrf_of(console, who), **form, **more}.items() if name != "to"}
    return console.call(who, "POST", form["to"], data=data, follow_redirects=False)


def test_hold_and_release_by_forms_alone(changing: Served) -> None:
    """Goal: parties act without a script. Method: send the forms that the page itself has, follow where they lead."""
    path = "/console/instructions/0"
    for action, status, then in (("hold", "on hold", "release"), ("release", "matched", "hold")):
        forms = {form["action"]: form for form in forms_of(changing.get(Role.PARTICIPANT, path).text)}
        answer = send(changing, Role.PARTICIPANT, forms[action])
        assert (answer.status_code, answer.headers["location"]) == (303, path)
        text = changing.get(Role.PARTICIPANT, answer.headers["location"]).text
        assert status in text
        assert then in {form["action"] for form in forms_of(text)}
        assert action not in {form["action"] for form in forms_of(text)}


def test_a_form_sent_twice_is_carried_out_once(changing: Served) -> None:
    """Goal: an impatient click does nothing more. Method: the same form twice, then its key for another act."""
    form = next(one for one in forms_of(changing.get("participant", "/console/instructions/0").text)
                if one["action"] == "hold")  # fmt: skip
    before = changing.service.length()
    for _ in range(2):
        assert send(changing, "participant", form).status_code == 303
    assert changing.service.length() == before + 1
    other = send(changing, "participant", form, action="cancel")
    assert other.status_code == 409
    assert changing.service.length() == before + 1


def test_refusals_come_back_on_the_page(changing: Served) -> None:
    """Goal: what is refused is told where it was asked, with what to do; nothing changed. Method: wrong acts."""
    form = {"to": "/console/instructions/0/actions", "key": "k-1", "action": "release"}
    before = changing.service.length()
    for more, status in (
        ({}, 409), ({"action": "explode"}, 400), ({"action": "release-part", "value": "x"}, 400), ({"key": ""}, 400),
        ({"key": "ä"}, 400), ({"action": "hold", "value": "9" * 17}, 400),
    ):  # fmt: skip
        answer = send(changing, "participant", form, **more)
        assert answer.status_code == status, more
        assert 'id="refused"' in answer.text
    doubled = f"key=a&key=b&action=hold&csrf={csrf_of(changing, 'participant')}"
    as_form = {"Content-Type": "application/x-www-form-urlencoded"}
    twice = changing.call("participant", "POST", form["to"], content=doubled, headers=as_form)
    assert twice.status_code == 400
    token = {"X-CSRF-Token": csrf_of(changing, "participant")}
    assert changing.call("participant", "POST", form["to"], json={"action": "hold"}, headers=token).status_code == 400
    stale = send(changing, "participant", {**form, "csrf": "x"})
    assert stale.status_code == 403
    assert changing.service.length() == before


@pytest.mark.parametrize("who", ["operator", "regulator", "auditor", "custodian", "other"])
def test_nobody_acts_on_what_is_not_theirs(changing: Served, who: str) -> None:
    """Goal: as over HTTP. Method: an instruction between A and B by everybody else; B, who is party, may."""
    before = changing.service.length()
    form = {"to": "/console/instructions/0/actions", "key": "k-2", "action": "hold"}
    expected = {"custodian": 404, "other": 303}.get(who, 403)
    assert send(changing, who, form).status_code == expected
    assert changing.service.length() == before + (expected == 303)
    assert send(changing, who, {"to": "/console/orders/6/actions", "key": "k-3", "action": "cancel"}).status_code in (
        403, 404,
    )  # fmt: skip


def test_an_order_is_cancelled_from_the_list(changing: Served) -> None:
    """Goal: what waits can be taken back. Method: the form of the list; afterwards it has none."""
    forms = forms_of(changing.get("participant", "/console/orders").text)
    assert [form["to"] for form in forms] == ["/console/orders/6/actions"]
    answer = send(changing, "participant", forms[0])
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/orders")
    assert forms_of(changing.get("participant", "/console/orders").text) == []


def test_the_story_tells_every_attempt_and_why_not(changing: Served) -> None:
    """Goal: one page says why an instruction has not settled. Method: C holds; runs pass over it; then it settles."""
    forms = {one["action"]: one for one in forms_of(changing.get("custodian", "/console/instructions/1").text)}
    assert send(changing, "custodian", forms["hold"]).status_code == 303
    for place, step in enumerate(timetable()[:3]):
        assert changing.service.submit(f"run-{place}", RunStep(step.name)).result()
    text = unescape(changing.get("operator", "/console/instructions/1").text)
    assert "On hold:" in text
    assert "Who holds it releases it." in text
    assert text.count("did not settle") == 2  # night 1 is for free of payment only at first
    assert "act of a party: Hold" in text
    assert changing.get("custodian", "/console/instructions/1?lang=zh-Hant").status_code == 200
    assert changing.get("participant", "/console/instructions/1").status_code == 404
    settled = unescape(changing.get("operator", "/console/instructions/0?lang=en").text)
    assert "settled on 5 Jan 2026" in settled
    changing.client.cookies.clear()
