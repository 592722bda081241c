"""Acts of the operator on their page: two people, each with a browser; what the page shows and refuses."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from console_house import LANGUAGES, Served, served

from tsingma.console.language import Language, words_in
from tsingma.console.routes import ROUTES
from tsingma.journal.origin import origin_of


@pytest.fixture
def operated(written_console: Path, tmp_path: Path) -> Iterator[Served]:
    """A served copy to change."""
    with served(Path(shutil.copytree(written_console, tmp_path / "house")), more_routes=ROUTES) as running:
        yield running


def send(house: Served, who: str, path: str, **fields: str) -> Any:
    """Send a form as a person, with the token and key that the page gave."""
    text = house.get(who, "/console/approvals").text
    csrf = re.search(r'name="csrf" value="(\w+)"', text)
    key = re.search(r'name="key" value="([\w-]+)"', text)
    assert csrf is not None
    told = {"csrf": csrf.group(1), "key": key.group(1) if key else "k", **fields}
    return house.call(who, "POST", path, data=told, follow_redirects=False)


def test_two_people_carry_an_act_out_on_the_page(operated: Served) -> None:
    """Goal: the story in both languages. Method: propose, try it alone, approve as another; the journal says who."""
    proposed = send(operated, "operator", "/console/approvals", act="collect-claims")
    assert (proposed.status_code, proposed.headers["location"]) == (303, "/console/approvals")
    for language in LANGUAGES:
        words = words_in(Language(language))
        for who, button in (("operator", "withdraw"), ("second", "approve")):
            page = operated.get(who, f"/console/approvals?lang={language}").text
            assert words("approvals.act.collect-claims") in page
            assert f'action="/console/approvals/1/{button}"' in page
        assert 'action="/console/approvals/1/approve"' not in operated.get("operator", "/console/approvals").text
        seen = operated.get("auditor", f"/console/approvals?lang={language}").text
        assert words("approvals.act.collect-claims") in seen
        assert "<form" not in seen.partition("<main")[2]
    alone = send(operated, "operator", "/console/approvals/1/approve")
    assert alone.status_code == 409
    assert "who proposed it cannot decide it" in alone.text
    done = send(operated, "second", "/console/approvals/1/approve")
    assert done.status_code == 303
    page = operated.get("regulator", "/console/approvals").text
    assert words_in(Language.EN)("approvals.status.approved") in page
    last = operated.service.records(operated.service.length() - 1, 1)[0]
    origin = origin_of(last.body)
    assert origin is not None
    assert (origin.actor, origin.key) == ("second", "person/second")


@pytest.mark.parametrize("kind", ["urlencoded", "multipart"])
def test_the_hash_of_a_form_is_of_the_whole_form(operated: Served, kind: str) -> None:
    """Goal: what was sent is proved, however it was encoded. Method: propose; the journal's hash against the bytes."""
    text = operated.get("operator", "/console/approvals").text
    csrf = re.search(r'name="csrf" value="(\w+)"', text)
    assert csrf is not None
    told = {"csrf": csrf.group(1), "key": f"k-{kind}", "act": "collect-claims"}
    more = {"data": told} if kind == "urlencoded" else {"files": {name: (None, one) for name, one in told.items()}}
    sent = httpx.Request("POST", "http://testserver.local/console/approvals", **more)
    headers = {"Content-Type": sent.headers["content-type"]}
    body = sent.read()
    answer = operated.call("operator", "POST", "/console/approvals", content=body, headers=headers,
                           follow_redirects=False)  # fmt: skip
    assert answer.status_code == 303, answer.text
    origin = origin_of(operated.service.records(operated.service.length() - 1, 1)[0].body)
    assert origin is not None
    assert origin.request == hashlib.sha256(b"POST /console/approvals\n" + body).digest()


def test_a_key_and_a_session_of_one_person_are_one_person(operated: Served) -> None:
    """Goal: no way around. Method: propose by token, approve on the page as the same person."""
    answer = operated.post("operator", "/acts", {"act": "collect-claims"}, "p")
    assert answer.status_code == 201
    assert send(operated, "operator", "/console/approvals/1/approve").status_code == 409
    assert send(operated, "second", "/console/approvals/1/reject").status_code == 303


def test_who_may_not_and_what_is_no_act(operated: Served) -> None:
    """Goal: the table holds for forms. Method: other roles; a wrong act, date, decision; no key; no token."""
    for who in ("auditor", "regulator", "participant"):
        cookie = {"Cookie": f"tsingma={operated.cookie(who)}"}
        assert operated.client.post("/console/approvals", data={"act": "close-day"}, headers=cookie).status_code == 403
    before = operated.service.length()
    assert send(operated, "operator", "/console/approvals", act="post-transfers").status_code == 400
    assert send(operated, "operator", "/console/approvals", act="open-day", date="soon").status_code == 400
    assert send(operated, "operator", "/console/approvals", act="close-day", key="").status_code == 400
    assert send(operated, "operator", "/console/approvals/1/undo").status_code in (400, 404)
    assert send(operated, "operator", "/console/approvals/7/approve").status_code == 404
    assert send(operated, "operator", "/console/approvals", act="close-day", csrf="0" * 64).status_code == 403
    assert operated.service.length() == before


def test_everything_of_an_act_is_shown(operated: Served) -> None:
    """Goal: nobody approves what was not seen. Method: deposits of three lines, escaped; each is on the page."""
    deposits = [{"account": f"{who}/HOUSE", "asset": "HKD", "amount": 100 + place} for place, who in enumerate("ABD")]
    assert operated.post("operator", "/acts", {"act": "deposit-assets", "deposits": deposits}, "p").status_code == 201
    odd = {"act": "change-instruction", "instruction": 1, "action": "<script>alert(1)</script>"}
    assert operated.post("operator", "/acts", odd, "q").status_code == 201
    page = operated.get("second", "/console/approvals").text
    for one in deposits:
        assert f"account {one['account']}, asset HKD, amount {one['amount']}" in page
    assert "<script>alert" not in page


def test_a_step_is_told_in_words(operated: Served) -> None:
    """Goal: no code where the page has words. Method: the step the page offers, proposed; both languages."""
    offered = re.search(r'name="step" value="([\w-]+)"', operated.get("operator", "/console/approvals").text)
    assert offered is not None
    step = offered.group(1)
    assert send(operated, "operator", "/console/approvals", act="run-step", step=step).status_code == 303
    for language in LANGUAGES:
        pending = operated.get("auditor", f"/console/approvals?lang={language}").text.partition('id="pending"')[2]
        assert words_in(Language(language))(f"step.{step}") in pending
        assert step not in pending
