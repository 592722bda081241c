"""What hostile clients send: depth, size, NUL, traversal, compression. Each answer is a described problem, or 404."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest
from api_house import Served

from tsingma.api.patience import AnswerNotTaken, patient
from tsingma.api.permissions import Role

DESCRIPTION = json.loads(Path(__file__).with_name("openapi.json").read_text(encoding="utf-8"))["paths"]
POSTS = sorted(path for path, methods in DESCRIPTION.items() if "post" in methods)
GETS = sorted(path for path, methods in DESCRIPTION.items() if "get" in methods)
FILLED = {"participant": "A", "account_class": "HOUSE", "instruction": "0", "order": "6", "payment": "0", "job": "1",
          "act": "1"}  # fmt: skip
JSON = {"Content-Type": "application/json"}


def filled(path: str, **changes: str) -> str:
    return path.format(**{**FILLED, **changes})


def who_may(house: Served, path: str) -> str:
    """Return a role that the table lets do this."""
    for role in (Role.PARTICIPANT, Role.OPERATOR):
        answer = house.call(str(role), "POST", filled(path), content=b"", headers={"Idempotency-Key": "who"})
        if answer.status_code != 403:
            return str(role)
    raise AssertionError(path)


def described(answer: Any, path: str, method: str) -> None:
    """Fail unless an answer is a problem that the description of its route knows."""
    assert str(answer.status_code) in DESCRIPTION[path][method]["responses"], answer.text
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", POSTS)
def test_bodies_that_are_meant_to_hurt(house_of_cases: Served, path: str) -> None:
    """Goal: every POST. Method: brackets, 40 MiB, a gzip bomb, NUL, another charset; nothing is kept."""
    who, before = who_may(house_of_cases, path), house_of_cases.service.length()
    forms = DESCRIPTION[path]["post"].get("requestBody", {}).get("content", {"application/json": {}})
    for place, (body, more) in enumerate([
        (b"[" * 1_000_000, {}), (b'{"a":' * 100_000, {}), (b'"' + b"x" * (40 * 1024 * 1024) + b'"', {}),
        (gzip.compress(b"[]" * 1_000_000), {"Content-Encoding": "gzip"}), (b'{"\x00": "\x00"}', {}),
        ('{"a": 1}'.encode("utf-16"), {}), (b'{"a": 1' + b"0" * 100_000 + b"}", {}),
    ]):  # fmt: skip
        headers = {"Content-Type": next(iter(forms)), "Idempotency-Key": f"hurt-{place}", **more}
        answer = house_of_cases.call(who, "POST", filled(path), content=body, headers=headers)
        if "requestBody" not in DESCRIPTION[path]["post"] and answer.status_code in (200, 404):
            continue  # a route without a body does not read one
        assert answer.status_code in (400, 404, 413, 415, 422), (place, answer.text[:200])
        described(answer, path, "post")
    assert house_of_cases.service.length() == before


TRAVERSALS = ("..", "../../etc/passwd", "..%2f..%2fetc%2fpasswd", "%2e%2e%2f", "..%5c..", "%00", "0%00", "A%00B", "0;0",
              "\u202e", "%ff", "1e3", "0x1", "-1", "9" * 400, "A" * 5_000)  # fmt: skip


@pytest.mark.parametrize("path", [path for path in GETS if "{" in path])
def test_no_id_leads_anywhere_else(shown: Served, path: str) -> None:
    """Goal: ids are ids. Method: ways up, NUL, other numerals in each place of a path: refused, no file told."""
    for name in re.findall(r"{(\w+)}", path):
        for text in TRAVERSALS:
            answer = shown.get("operator", filled(path, **{name: text}))
            assert answer.status_code in (400, 404, 422), (name, text, answer.status_code)
            assert "root:" not in answer.text


MANY = "&".join(f"x{n}=1" for n in range(2_000))
QUERIES = ("participant=%00", "participant=" + "A" * 50_000, "cursor=%00", "limit=1&limit=1000000", "at=%00", MANY,
           "status=%0d%0aX-Evil:1", "participant=..%2f..", "on=0000-00-00")  # fmt: skip


@pytest.mark.parametrize("query", QUERIES, ids=[str(place) for place in range(len(QUERIES))])
def test_no_query_reaches_further(shown: Served, query: str) -> None:
    """Goal: parameters. Method: NUL, line feeds, a parameter twice, thousands; one's own at most."""
    for path in ("/instructions", "/orders", "/holdings", "/trades", "/payments", "/collateral", "/jobs", "/days"):
        answer = shown.get("participant", f"{path}?{query}")
        assert answer.status_code in (200, 400, 403, 422), (path, answer.text[:200])
        assert "x-evil" not in answer.headers
        assert '"D/HOUSE"' not in answer.text


@pytest.mark.parametrize("key", ["\x00", "a\nb", "../k", "k" * 101, "k\u00e9"])
def test_no_key_gets_into_the_journal_unchecked(shown: Served, key: str) -> None:
    """Goal: idempotency keys become ids of commands. Method: NUL, line feed, a way up, too long: refused."""
    for path, body in (("/economy-runs", {"model": "property", "scenario": "replay-1997"}), ("/instructions", [])):
        headers = [(b"Idempotency-Key", key.encode("latin-1"))]
        answer = shown.client.post(
            path, json=body, headers=[*headers, (b"Authorization", f"Bearer {shown.token('participant')}".encode())]
        )
        assert answer.status_code == 400, answer.text


def test_an_answer_that_nobody_takes_is_given_up() -> None:
    """Goal: slow readers. Method: a connection that takes the head of an answer and then nothing."""

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start"})
        await send({"type": "http.response.body", "body": b"x", "more_body": True})

    async def send(message: Any) -> None:
        if message["type"] == "http.response.body":
            await asyncio.Event().wait()

    async def run() -> None:
        with pytest.raises(AnswerNotTaken):
            await patient(app, answer_seconds=0.2)({"type": "http"}, None, send)  # type: ignore[arg-type]

    asyncio.run(run())


def test_forms_of_answers_do_not_smuggle(shown: Served) -> None:
    """Goal: Accept is read, nothing else. Method: long and broken headers: an answer or 406, never a defect."""
    for accept in ("*/*;q=x", "," * 5_000, "text/csv;q=0", "application/json;" + "a=b;" * 1_000, "\x00", "text/html"):
        told = [(b"Accept", accept.encode()), (b"Authorization", b"Bearer " + shown.token("auditor").encode())]
        answer = shown.client.get("/positions", headers=told)
        assert answer.status_code in (200, 400, 406), answer.text
