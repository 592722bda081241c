"""What a member with a good key may try against others: their room, their secrets, their feeds, their requests.

Each test is an attack that must fail: what it would have got, and what it gets.
"""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path

import msgspec
import pytest
from api_house import SECOND, SHARE, Served, served
from litestar.exceptions import TooManyRequestsException
from story import Story
from test_api_budget import Sender, budget_of
from test_api_writes import ORDER

from tsingma.api import budget as budgets
from tsingma.api.bench import Bench
from tsingma.api.budget import NOBODY_BYTES_MAX, Budget, Hold
from tsingma.api.keys import Keys
from tsingma.api.listing import Listing, TooLong
from tsingma.api.moments import Look
from tsingma.app.explain import explain_number
from tsingma.app.row_formats import NDJSON
from tsingma.console.routes import ROUTES
from tsingma.journal import commands as do


def test_an_explanation_does_not_tell_what_others_have() -> None:
    """Goal: no member computes another's balance. Method: both sides short; each reader's sentence and needs."""
    told = Story()
    told.give("A", SHARE, 60)
    told.give("B", "HKD", 1_234_567)
    first = told.agree("A", "B")
    found = {who: explain_number(told.house, first, who) for who in ("", "A", "B")}
    assert found[""].needs == (("A/HOUSE " + SHARE, 40), ("B/HOUSE HKD", 1_765_433))
    assert found["A"].needs == (("A/HOUSE " + SHARE, 40),)
    assert found["B"].needs == (("B/HOUSE HKD", 1_765_433),)
    assert "waits for money" in found["A"].sentence
    assert "waits for stock" in found["B"].sentence
    for who, secret in (("A", "1,765,433"), ("B", " 40")):
        assert secret not in found[who].sentence
        assert secret in found[""].sentence


def test_over_http_each_member_is_told_its_own(house: Served) -> None:
    """Goal: the route passes the reader on. Method: an instruction whose sides both lack; a member and an overseer."""
    order = {**ORDER, "reference": 4_001, "quantity": 900_000, "amount": "9000000.00"}
    assert house.post("participant", "/instructions", order, "d").status_code == 201
    theirs = {**order, "side": "receive", "counterparty": "A"}
    number = house.post("other", "/instructions", theirs, "r").json()["items"][0]["instruction"]
    told = {
        who: house.get(who, f"/instructions/{number}/explanation").json() for who in ("participant", "other", "auditor")
    }
    names = {who: {name.partition("/")[0] for name, _ in found["needs"]} for who, found in told.items()}
    assert names["participant"] <= {"A"}
    assert names["other"] <= {"B"}
    assert names["auditor"] == {"A", "B"}
    assert "B/HOUSE" not in told["participant"]["sentence"]


def test_a_feed_from_what_has_not_happened_moves_nobodys_end(house: Served) -> None:
    """Goal: one feed cannot put the end of the journal out of others' reach. Method: from 2**53, then another's feed.

    The other's feed must sit at the end, not look for it over and over, and hear of what comes.
    """
    feeds = house.client.app.dependencies["feeds"].dependency()
    looks = []
    records = house.service.records
    house.service.records = lambda after, limit: looks.append(after) or records(after, limit)  # type: ignore[method-assign, func-returns-value]

    async def scene() -> None:
        from test_api_feed_ends import Follower

        far = Follower(house, "/events", _headers(house, "other"), f"from={2**53}")
        while not far.heard:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        near = Follower(house, "/events", _headers(house, "participant"), f"from={house.service.length()}")
        while not near.heard:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
        before = len(looks)
        await asyncio.sleep(0.5)
        assert len(looks) - before < 5  # it sits
        assert feeds.tail._at == house.service.length()
        await asyncio.to_thread(house.service.submit("x", do.ChangeInstruction(0, "hold", "A")).result)
        async with asyncio.timeout(10):
            while not all(any(b"change-instruction" in one for one in client.heard) for client in (near, far)):
                await asyncio.sleep(0.01)
        for one in (near, far):
            one.task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await one.task

    asyncio.run(scene())


def _headers(house: Served, who: str) -> dict[str, str]:
    return {"authorization": f"Bearer {house.token(who)}"}


def test_nobody_takes_the_whole_bench() -> None:
    """Goal: questions of one do not keep others away. Method: a bench of two and six; one owner, then another."""
    bench = Bench(at_once=2, waiting_max=6)
    mine, other = (Hold(Budget(), "x") for _ in range(2))
    mine.belong_to("participant/A")
    other.belong_to("participant/B")
    answers: list[str] = []
    go_on = threading.Event()

    def ask(hold: Hold) -> None:
        budgets._HELD.set(hold)
        try:
            with bench.place():
                go_on.wait(30)
                answers.append("done")
        except TooManyRequestsException:
            answers.append("refused")

    threads = [threading.Thread(target=ask, args=(mine,)) for _ in range(10)]
    for one in threads:
        one.start()
    until = time.monotonic() + 30
    while answers.count("refused") < 6 and time.monotonic() < until:
        time.sleep(0.01)
    assert answers == ["refused"] * 6  # half of eight places are one's own
    threads.append(threading.Thread(target=ask, args=(other,)))
    threads[-1].start()
    go_on.set()
    for one in threads:
        one.join(30)
    assert (answers.count("done"), answers.count("refused"), dict(bench._of)) == (5, 6, {})


def test_bulk_orders_that_wait_hold_no_threads_of_others(house: Served) -> None:
    """Goal: what is quick stays quick. Method: all places taken, nine bulk requests wait; a read meanwhile."""
    bench = house.client.app.dependencies["bench"].dependency()
    line = msgspec.json.encode(ORDER)

    async def scene() -> None:
        with bench.place(), bench.place():
            waiting = []
            for who in ("participant", "other", "custodian"):
                waiting += [Sender(house, who, len(line), form=NDJSON) for _ in range(3)]
            for one in waiting:
                one.part(line, more=False)
            while bench._waiting < 9:
                await asyncio.sleep(0.01)
            async with asyncio.timeout(5):
                assert await asyncio.to_thread(house.service.length)
        for one in waiting:
            assert await one.status() in (201, 409, 422)
        assert budget_of(house).taken == 0

    asyncio.run(scene())


def test_who_says_not_who_it_is_has_no_room_to_take(folder: Path) -> None:
    """Goal: no budget for nobody. Method: the form of the sign-in: a long length, long chunks, a good one; a token."""
    with served(folder, more_routes=ROUTES) as house:
        taken = budget_of(house)

        async def scene() -> None:
            form = "application/x-www-form-urlencoded"
            told = Sender(
                house, "participant", NOBODY_BYTES_MAX + 1, "/console/sign-in", form, more={"x-csrf-token": "no"}
            )
            assert await told.status() in (403, 413)
            told = Sender(house, "participant", NOBODY_BYTES_MAX + 1, "/console/sign-in", form)
            assert await told.status() == 413
            chunks = Sender(house, "participant", None, "/console/sign-in", form)
            for _ in range(3):
                chunks.part(b"a=" + b"b" * NOBODY_BYTES_MAX)
            assert await chunks.status() == 413
            assert taken.taken == 0

        asyncio.run(scene())
        assert house.client.post("/console/sign-in", data={"csrf": "x"}).status_code == 403


class _Page(msgspec.Struct):
    items: list[int]
    next: int | None


def test_a_withdrawn_key_reads_no_list_to_its_end(house: Served) -> None:
    """Goal: within a second, lists too. Method: a list without end, read in parts; the key is withdrawn after three."""
    entrance = house.client.app.dependencies["entrance"].dependency()
    streams = house.client.app.dependencies["streams"].dependency()
    caller = entrance.tokens.check(house.token("auditor"))
    look = Look(house.service, None, None, None, None, None)  # type: ignore[arg-type]
    listing = Listing(NDJSON, look, streams, "k", 0, 1, lambda: entrance.may_go_on(caller))
    parts = listing._parts(lambda *_more: _Page([1], 1), _Page([1], 1))
    assert [next(parts) for _ in range(3)] == [[1]] * 3
    house.clock.advance(61 * SECOND)  # the token ends: it was good when it was shown
    assert next(parts) == [1]
    entrance.tokens.replace(Keys(audience="x"))
    with pytest.raises(TooLong, match="no more"):
        next(parts)


def test_a_key_of_another_opens_no_answer(house: Served) -> None:
    """Goal: an idempotency key is one participant's. Method: the same key and body from two; then of jobs and acts."""
    first = house.post("participant", "/instructions", ORDER, "same").json()
    second = house.post("other", "/instructions", {**ORDER, "counterparty": "A"}, "same").json()
    assert first["items"][0]["order"] != second["items"][0]["order"]
    again = house.post("other", "/instructions", ORDER, "same")
    assert again.status_code == 409
    for who in ("operator", "second"):
        assert house.post(who, "/acts", {"act": "collect-claims"}, "same").status_code == 201
    numbers = [one["number"] for one in house.get("auditor", "/acts").json()["items"]]
    assert len(set(numbers)) == 2


def test_ways_into_others_names_are_refused(house: Served) -> None:
    """Goal: ids of commands are paths of participant and key. Method: keys with slashes, empty, of another's path."""
    before = house.service.length()
    for key in (
        "../B/same",
        "B/same",
        "",
        " ",
        "a/b",
        "act/operator/x",
        "same\r\nX-Evil: 1",
        "sa\tme",
        "2026-01-05/open",
    ):
        headers = [
            (b"Idempotency-Key", key.encode()),
            *[(k.encode(), v.encode()) for k, v in _headers(house, "other").items()],
        ]
        assert house.client.post("/instructions", json=ORDER, headers=headers).status_code == 400, key
    assert house.service.length() == before


def test_a_header_twice_is_no_request(house: Served) -> None:
    """Goal: whoever logs in front of the house sees what it reads. Method: two keys, tokens, media types, lengths."""
    before = house.service.length()
    token = [(b"Authorization", f"Bearer {house.token('participant')}".encode())]
    keys = [(b"Idempotency-Key", b"k-1"), (b"Idempotency-Key", b"k-2")]
    assert house.client.post("/instructions", json=ORDER, headers=[*token, *keys]).status_code == 400
    assert house.client.get("/orders", headers=[*token, *token]).status_code == 401
    assert house.service.length() == before


@pytest.mark.parametrize("cursor", ["-1", str(2**31 + 1), "0x10", "1;2", "%00", "null", "9" * 30])
def test_no_cursor_leads_beyond_ones_own(shown: Served, cursor: str) -> None:
    """Goal: a cursor is a place, never a right. Method: strange ones are refused."""
    for path in (
        "/orders",
        "/instructions",
        "/positions",
        "/holdings",
        "/trades",
        "/payments",
        "/collateral",
        "/jobs",
        "/acts",
    ):
        who = "operator" if path == "/acts" else "participant"
        assert shown.get(who, f"{path}?cursor={cursor}").status_code == 400, path


def test_every_cursor_shows_ones_own_alone(shown: Served) -> None:
    """Goal: as above. Method: every cursor up to the end of the rows, now and as of a record."""
    for cursor in range(12):
        for path, name in (("/orders", "participant"), ("/positions", "account"), ("/holdings", "account")):
            for at in ("", "&at=14"):
                answer = shown.get("participant", f"{path}?cursor={cursor}&limit=1{at}")
                assert answer.status_code == 200, answer.text
                owners = {str(one.get(name, "A")).partition("/")[0] for one in answer.json()["items"]}
                assert owners <= {"A"}


def test_what_was_anothers_then_is_not_told_now(shown: Served) -> None:
    """Goal: as-of reads judge as of then, and never open others'. Method: all numbers, as of all records, for A."""
    for number in range(3):
        parties = shown.service.read(lambda house, _at, number=number: (  # type: ignore[misc]
            house.resolved.account_name(int(house.settlement.instructions.table["deliverer"][number]))[0],
            house.resolved.account_name(int(house.settlement.instructions.table["receiver"][number]))[0]))  # fmt: skip
        for at in range(1, shown.service.length() + 1):
            status = shown.get("participant", f"/instructions/{number}?at={at}").status_code
            assert status in ((200, 404) if "A" in parties else (404, 403, 422)), (number, at)


def test_no_header_of_an_answer_is_split(shown: Served) -> None:
    """Goal: nothing that was sent ends a line of an answer. Method: line feeds in ids, forms, places, paths."""
    evil = "x\r\nX-Evil: 1"
    headers = [(b"X-Request-Id", evil.encode()), (b"Accept", evil.encode()), (b"hx-request", b"true"),
               (b"hx-current-url", evil.encode()), (b"Origin", evil.encode())]  # fmt: skip
    for path in (
        "/orders",
        "/console/day",
        "/console/sign-in?next=%0d%0aX-Evil:1",
        "/jobs/%0d%0aX-Evil:1",
        "/%0d%0aX-Evil:%201",
    ):
        answer = shown.client.get(path, headers=headers, follow_redirects=False)
        assert "x-evil" not in answer.headers
        for value in answer.headers.values():
            assert "\r" not in value
            assert "\n" not in value
