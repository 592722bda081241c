"""Forms work as a browser without scripts sends them: once each, for oneself only, and a refusal changes nothing."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from api_house import SHARE
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


def test_a_member_sees_its_own_order_of_an_instruction(changing: Served) -> None:
    """Goal: pages reach no further than the interface. Method: orders 0 of A and 1 of B; overseers see both."""

    def shown(who: str) -> list[str]:
        text = changing.get(who, "/console/instructions/0").text
        part = text[text.index('<caption id="orders">') : text.index('<caption id="past">')]
        return re.findall(r'<th scope="row">(\d+)</th>', part)

    assert shown("participant") == ["0"]
    assert shown("other") == ["1"]
    assert shown("auditor") == ["0", "1"]
    assert changing.get("participant", "/orders/1").status_code == 404


ORDER = {
    "to": "/console/send", "key": "order-1", "reference": "77", "account_class": "HOUSE", "side": "receive",
    "counterparty": "C", "kind": "dvp", "isin": SHARE, "quantity": "1,000", "currency": "HKD", "amount": "12,500.50",
    "trade_date": "2026-01-05", "intended_date": "2026-01-06", "partial": "yes", "priority": "normal",
}  # fmt: skip


def test_the_form_of_an_order_is_filled_in_as_far_as_the_house_knows(changing: Served) -> None:
    """Goal: the form is right before one types. Method: reference behind the last, the day, one's own accounts."""
    text = changing.get("participant", "/console/send").text
    assert 'name="reference" required value="8"' in text  # A has sent 1 and 7
    assert 'type="date" id="trade_date" name="trade_date" required value="2026-01-05"' in text
    assert '<option value="CLIENT">CLIENT</option>' in text
    for who, status in (("operator", 403), ("regulator", 403), ("auditor", 403), ("custodian", 200)):
        assert changing.get(who, "/console/send").status_code == status


def test_two_sides_sent_by_forms_are_one_instruction(changing: Served) -> None:
    """Goal: orders without a script, from both sides to the story. Method: A's form, C's form, where they lead."""
    first = send(changing, "participant", ORDER)
    assert (first.status_code, first.headers["location"].partition("=")[0]) == (303, "/console/orders?cursor")
    assert "12,500.50" in changing.get("participant", first.headers["location"]).text
    again = send(changing, "participant", ORDER)
    assert again.headers["location"] == first.headers["location"]  # sent twice, carried out once
    other = {**ORDER, "side": "deliver", "counterparty": "A", "key": "order-2"}
    second = send(changing, "custodian", other)
    assert second.headers["location"] == "/console/instructions/3"
    for who in ("participant", "custodian"):
        assert "HK$12,500.50" in changing.get(who, "/console/instructions/3").text
    assert changing.get("other", "/console/instructions/3").status_code == 404


@pytest.mark.parametrize(
    ("more", "status", "field"),
    [
        ({"reference": ""}, 422, "reference"), ({"reference": "-1"}, 400, "reference"),
        ({"reference": "7"}, 409, "reference"), ({"counterparty": "NOBODY"}, 422, "counterparty"),
        ({"counterparty": "<b>"}, 400, "counterparty"), ({"amount": "1.234"}, 400, "amount"),
        ({"intended_date": "tomorrow"}, 400, "intended_date"), ({"kind": "gift"}, 400, "kind"),
        ({"isin": "KYG875721635"}, 422, "isin"), ({"quantity": "1e5"}, 400, "quantity"),
        ({"account_class": "CNS"}, 400, "account_class"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_told_beside_it_and_the_rest_is_kept(
    changing: Served, more: dict[str, str], status: int, field: str
) -> None:
    """Goal: one error costs one correction. Method: one wrong field each; nothing is sent, nothing typed is lost."""
    before = changing.service.length()
    answer = send(changing, "participant", ORDER, **more)
    assert answer.status_code == status, answer.text
    assert changing.service.length() == before + (more.get("reference") == "7")  # judged by the house itself
    assert not changing.get("operator", "/console/orders?participant=A&cursor=9").text.count('<th scope="row">')
    assert 'aria-invalid="true"' in answer.text
    assert f'id="{field}-wrong"' in answer.text
    assert "<b>" not in answer.text.replace("<b>participant</b>", "")
    assert 'value="12,500.50"' in answer.text or field == "amount"


def test_an_order_speaks_for_its_sender_alone(changing: Served) -> None:
    """Goal: no field of a form names another sender, or both sides. Method: send such fields; they are not taken."""
    told = send(changing, "participant", ORDER, participant="B", matched="1", account="B/HOUSE")
    assert told.status_code == 303
    text = changing.get("operator", told.headers["location"]).text
    assert "A/HOUSE" in text
    assert text.count('<th scope="row">') == 1
