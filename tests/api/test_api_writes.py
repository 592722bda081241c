"""Changes over the wire: orders and actions, once each, for whom the token says, with the house's own refusals."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest
from api_house import SHARE, Served

from tsingma.api.problems import STATUS_OF
from tsingma.app.order_intake import Order
from tsingma.basics.rejection import RejectionReason
from tsingma.journal.commands import SubmitInstructions, decode
from tsingma.messages.instruction_file import OPTIONAL, REQUIRED

ORDER: dict[str, Any] = {
    "reference": 1_001, "account_class": "HOUSE", "side": "deliver", "counterparty": "B", "kind": "dvp", "isin": SHARE,
    "quantity": 100, "currency": "HKD", "amount": "30000.00", "trade_date": "2026-01-02", "intended_date": "2026-01-05",
}  # fmt: skip
MIRROR = {**ORDER, "side": "receive", "counterparty": "A"}


def test_an_order_waits_and_the_other_side_matches_it(house: Served) -> None:
    """Goal: the main way. Method: both sides of one trade by two keys; what is then read is what was told."""
    first = house.post("participant", "/instructions", ORDER, "a-1")
    assert first.status_code == 201, first.text
    assert (first.json()["waiting"], first.json()["items"][0]["outcome"]) == (1, "waits")
    number = first.json()["items"][0]["order"]
    assert house.get("participant", f"/orders/{number}").json()["status"] == "waiting"
    second = house.post("other", "/instructions", MIRROR, "b-1").json()
    assert (second["matched"], second["items"][0]["outcome"]) == (1, "matched")
    seen = house.get("participant", f"/instructions/{second['items'][0]['instruction']}").json()
    assert (seen["deliverer"], seen["receiver"], seen["against_amount"]) == ("A/HOUSE", "B/HOUSE", 3_000_000)
    assert house.get("participant", f"/orders/{number}").json()["status"] == "matched"


def test_the_same_key_is_carried_out_once(house: Served) -> None:
    """Goal: idempotency. Method: the same request three times with new tokens, then another body under its key."""
    answers = [house.post("participant", "/instructions", ORDER, "once") for _ in range(3)]
    assert [one.status_code for one in answers] == [201] * 3
    assert answers[0].json() == answers[1].json() == answers[2].json()
    length = house.service.length()
    other = house.post("participant", "/instructions", {**ORDER, "reference": 1_002}, "once")
    assert (other.status_code, other.json()["reason"], other.json()["field"]) == (409, "conflict", "Idempotency-Key")
    act = house.post("participant", "/instructions/0/actions", {"action": "hold"}, "once")
    assert act.status_code == 409
    assert house.service.length() == length
    theirs = house.post("other", "/instructions", MIRROR, "once")  # another participant's key of that name
    assert theirs.status_code == 201


def test_a_repeat_after_the_clock_moved_is_the_same_request(house: Served) -> None:
    """Goal: a client repeats after a restart. Method: the day's clock is moved by another command in between."""
    first = house.post("participant", "/instructions", ORDER, "late")
    columns = decode(house.service.find("api/A/late").body)  # type: ignore[union-attr]
    assert isinstance(columns, SubmitInstructions)
    moved = msgspec.structs.replace(
        columns, time_s=30_000, columns={**columns.columns, "reference": (9_999).to_bytes(8, "little")}
    )
    house.service.submit("clock", moved).result(10)
    assert house.service.second() == 30_000
    assert house.post("participant", "/instructions", ORDER, "late").json() == first.json()
    changed = house.post("participant", "/instructions", {**ORDER, "quantity": 101}, "late")
    assert changed.status_code == 409


def test_a_token_changes_one_thing(house: Served) -> None:
    """Goal: replay over the wire. Method: the same token for a change and again, also with another key; a read."""
    token = house.token("participant")
    assert house.post("participant", "/instructions", ORDER, "r-1", token=token).status_code == 201
    for key in ("r-1", "r-2"):
        again = house.post("participant", "/instructions", {**ORDER, "reference": 1_003}, key, token=token)
        assert again.status_code == 401
        assert "used before" in again.json()["detail"]
    assert house.get("participant", "/orders", token=token).status_code == 200


def test_the_participant_is_the_tokens(house: Served) -> None:
    """Goal: nobody speaks for others. Method: bodies that name a sender, an account of others, both sides at once."""
    length = house.service.length()
    for more in ({"participant": "B"}, {"account": "B/HOUSE"}, {"matched": True}, {"sender": "HKSCC"}):
        answer = house.post("participant", "/instructions", {**ORDER, **more}, "p-1")
        assert answer.status_code == 400, answer.text
        assert next(iter(more)) in answer.json()["detail"]
    assert house.service.length() == length
    house.post("participant", "/instructions", ORDER, "p-2")
    command = decode(house.service.find("api/A/p-2").body)  # type: ignore[union-attr]
    assert isinstance(command, SubmitInstructions)
    assert (command.participant, command.source) == ("A", "api/participant")


def test_a_batch_answers_for_each_and_a_single_order_is_a_problem(house: Served) -> None:
    """Goal: refusals by item. Method: a batch with one bad order of three; that order alone."""
    bad = {**ORDER, "reference": 1_005, "quantity": 0}
    batch = house.post("participant", "/instructions", [ORDER, bad, {**ORDER, "reference": 1_006}], "m-1").json()
    assert (batch["waiting"], batch["refused"]) == (2, 1)
    assert [one["outcome"] for one in batch["items"]] == ["waits", "refused", "waits"]
    assert batch["items"][1]["rejection"]["field"] == "quantity"
    alone = house.post("participant", "/instructions", bad, "m-2")
    assert alone.status_code == 422
    assert alone.headers["content-type"] == "application/problem+json"
    problem = alone.json()
    assert (problem["reason"], problem["field"], problem["value"]) == ("out-of-range", "quantity", "0")
    assert problem["remedy"]
    twice = house.post("participant", "/instructions", ORDER, "m-3")
    assert (twice.status_code, twice.json()["reason"]) == (409, "duplicate")


def test_unknown_codes_refuse_the_whole_request_with_every_fault(house: Served) -> None:
    """Goal: nothing half sent. Method: two unknown codes in two orders of three; the journal stays as it was."""
    length = house.service.length()
    orders = [ORDER, {**ORDER, "counterparty": "NOBODY"}, {**ORDER, "isin": "US0378331005"}]
    answer = house.post("participant", "/instructions", orders, "u-1")
    assert answer.status_code == 422
    found = [(one["item"], one["field"], one["value"]) for one in answer.json()["faults"]]
    assert found == [(1, "counterparty", "NOBODY"), (2, "isin", "US0378331005")]
    assert house.service.length() == length


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b"{}", b"{", b'"x"', b"1", b"[" * 100_000, b'{"a":' * 100_000, b"[[]]", b"\xff\xfe",
     b"[" + b"{}," * 2_000 + b"{}]"],
    ids=["empty", "null", "no orders", "no fields", "cut off", "text", "number", "deep lists", "deep objects",
         "list in list", "not text", "too many"],
)  # fmt: skip
def test_bodies_that_are_no_orders_are_refused(house: Served, body: bytes) -> None:
    """Goal: shape, depth and number. Method: bodies that are none; each 400, the house stands."""
    headers = {"Idempotency-Key": "x", "Content-Type": "application/json"}
    answer = house.call("participant", "POST", "/instructions", content=body, headers=headers)
    assert answer.status_code == (422 if body == b"[]" else 400), answer.text
    assert len(answer.text) < 5_000
    assert house.get(None, "/ready").status_code == 200


def test_a_body_beyond_its_size_is_refused(house: Served) -> None:
    """Goal: body size. Method: a little more than 1 MiB, with its length told and in parts without."""
    big = b'[{"common_reference":"' + b"x" * (1024 * 1024) + b'"}]'
    headers = {"Idempotency-Key": "x", "Content-Type": "application/json"}
    assert house.call("participant", "POST", "/instructions", content=big, headers=headers).status_code == 413
    parts = (big[start : start + 65_536] for start in range(0, len(big), 65_536))
    assert house.call("participant", "POST", "/instructions", content=parts, headers=headers).status_code == 413


def test_a_batch_has_its_bound(house: Served) -> None:
    """Goal: orders in a request. Method: a thousand and one good ones."""
    orders = [{**ORDER, "reference": 10_000 + number} for number in range(1_001)]
    answer = house.post("participant", "/instructions", orders, "big")
    assert (answer.status_code, answer.json()["reason"]) == (413, "limit")
    assert house.post("participant", "/instructions", orders[:1_000], "big").json()["waiting"] == 1_000


@pytest.mark.parametrize("key", [None, "", "a b", "x" * 101, "../x", "a\tb"])
def test_a_change_needs_a_key_of_its_own(house: Served, key: str | None) -> None:
    """Goal: no change without its name. Method: no key, and keys beyond what is allowed."""
    headers = {} if key is None else {"Idempotency-Key": key}
    answer = house.call("participant", "POST", "/instructions", json=ORDER, headers=headers)
    assert answer.status_code == 400, answer.text


@pytest.mark.parametrize(
    ("field", "value"),
    [("reference", 0), ("reference", 2**40), ("reference", "1"), ("quantity", -1), ("quantity", 1.5),
     ("quantity", 2**53 + 1), ("amount", 30_000), ("amount", "1e9"), ("amount", "1.005"), ("amount", "-1"),
     ("account_class", "CNS"), ("side", "give"), ("kind", "free"), ("currency", "hkd"), ("isin", "X"),
     ("trade_date", "2026-13-01"), ("priority", "top"), ("client", "x" * 36), ("partial", "yes"),
     ("conditions", ["all"])],
)  # fmt: skip
def test_every_field_has_its_bounds(house: Served, field: str, value: object) -> None:
    """Goal: validation. Method: one field of a good order beyond its bounds: 400 that names it."""
    answer = house.post("participant", "/instructions", {**ORDER, field: value}, "f-1")
    assert answer.status_code == 400, answer.text
    assert field in answer.json()["detail"]


def test_actions_change_and_are_refused_by_the_houses_rules(house: Served) -> None:
    """Goal: actions of both kinds. Method: hold twice, release, cancel by both sides, an order's cancellation."""

    def act(who: str, path: str, action: str, key: str, value: int = 0) -> tuple[int, dict[str, Any]]:
        answer = house.post(who, f"{path}/actions", {"action": action, "value": value}, key)
        return answer.status_code, answer.json()

    assert act("participant", "/instructions/0", "hold", "1") == (200, {"instruction": 0, "status": "on-hold"})
    code, problem = act("participant", "/instructions/0", "hold", "2")
    assert (code, problem["reason"]) == (409, "not-allowed")
    assert act("participant", "/instructions/0", "release", "3")[1]["status"] == "matched"
    assert act("participant", "/instructions/0", "cancel", "4")[1]["status"] == "matched"
    assert act("other", "/instructions/0", "cancel", "4")[1]["status"] == "cancelled"
    code, problem = act("participant", "/instructions/1", "hold", "5")  # C's and B's
    assert code == 404
    code, problem = act("participant", "/instructions/0", "prioritise", "6", 0)
    assert code == 409
    assert act("participant", "/orders/6", "cancel", "7") == (200, {"order": 6, "status": "cancelled"})
    assert act("participant", "/orders/8", "cancel", "8")[0] == 404
    assert house.post("participant", "/instructions/0/actions", {"action": "settle"}, "9").status_code == 400


def test_what_is_refused_is_not_remembered(house: Served) -> None:
    """Goal: a refusal by the rules may be tried again under its key. Method: release before and after a hold."""
    body = {"action": "release"}
    assert house.post("participant", "/instructions/0/actions", body, "later").status_code == 409
    house.post("participant", "/instructions/0/actions", {"action": "hold"}, "h")
    assert house.post("participant", "/instructions/0/actions", body, "later").status_code == 200


def test_many_clients_at_once_lose_and_double_nothing(house: Served) -> None:
    """Goal: many commit together. Method: 8 threads x 25 orders, each key sent twice at once; each order is there once.

    Fewer commits than changes is what group commit is for; it is not claimed here, only that answers are right.
    """
    start = threading.Barrier(8)

    def send(thread: int) -> list[Any]:
        start.wait()
        found = []
        for number in range(25):
            body = {**ORDER, "reference": 5_000 + number + 25 * (thread // 2)}
            found.append(house.post("participant", "/instructions", body, f"t-{thread // 2}-{number}"))
        return found

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, range(8)))
    assert all(one.status_code == 201 for row in answers for one in row)
    for thread in (0, 2, 4, 6):
        assert [a.json() for a in answers[thread]] == [b.json() for b in answers[thread + 1]]
    orders = house.get("participant", "/orders?limit=1000").json()["items"]
    references = [one["reference"] for one in orders if one["reference"] >= 5_000]
    assert sorted(references) == list(range(5_000, 5_100))


def test_a_door_that_is_full_says_when_to_come_back(house: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Goal: overload is 429, not a queue without end. Method: the bound of one participant set to none."""
    monkeypatch.setattr(house.client.app.dependencies["entry"].dependency(), "_max_of_one", 0)
    answer = house.post("participant", "/instructions", ORDER, "full")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
    monkeypatch.undo()
    assert house.post("participant", "/instructions", ORDER, "full").status_code == 201


def test_a_late_answer_is_503_and_the_same_key_finds_it(house: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Goal: time-out of an answer. Method: no patience at all; then the same key: the stored answer."""
    monkeypatch.setattr("tsingma.api.door.ANSWER_SECONDS_MAX", 0.0)
    answer = house.post("participant", "/instructions", ORDER, "slow")
    assert answer.status_code == 503
    assert "same Idempotency-Key" in answer.json()["detail"]
    monkeypatch.undo()
    assert house.post("participant", "/instructions", ORDER, "slow").json()["waiting"] == 1


def test_a_stopped_house_is_503(house: Served) -> None:
    """Goal: after a failure nothing is acknowledged. Method: the writer is stopped by what it cannot encode."""
    receipt = house.service.submit("broken", object())  # type: ignore[arg-type]
    with pytest.raises(Exception):  # noqa: B017 - whatever it is
        receipt.result(10)
    answer = house.post("participant", "/instructions/0/actions", {"action": "hold"}, "s-1")
    assert answer.status_code == 503
    assert house.post("participant", "/instructions", ORDER, "s-2").status_code == 503


def test_every_reason_has_a_status() -> None:
    """Goal: one table. Method: every reason of the house is in it, with a status of the client's making."""
    assert set(STATUS_OF) == set(RejectionReason)
    assert all(400 <= status < 500 for status in STATUS_OF.values())


def test_an_order_has_the_fields_of_the_file(house: Served) -> None:
    """Goal: one vocabulary. Method: fields of the wire against the columns of the instruction file."""
    renamed = {"account": "account_class", "counterparty_account": "counterparty_account_class"}
    columns = {renamed.get(name, name) for name in (*REQUIRED, *OPTIONAL)} - {"matched"}
    assert set(Order.__struct_fields__) == columns
