"""What the interface shows, as of the last durable record: the same as the state says, page by page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from api_house import SHARE, Served

from tsingma.app.explain import explain_number

GOLDEN = Path(__file__).with_name("openapi.json")


def test_alive_and_ready_need_no_token_and_tell_nothing(shown: Served) -> None:
    """Goal: probes. Method: both without a token; their whole answers."""
    assert shown.get(None, "/health").json() == {"status": "alive"}
    assert shown.get(None, "/ready").json() == {"status": "ready"}


def test_a_stopped_house_is_alive_and_not_ready(house: Served) -> None:
    """Goal: a broken writer is seen. Method: a command that no house can encode stops the writer."""
    receipt = house.service.submit("broken", object())  # type: ignore[arg-type]
    with pytest.raises(Exception):  # noqa: B017 - whatever it is
        receipt.result(10)
    answer = house.get(None, "/ready")
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert house.get(None, "/health").status_code == 200


def test_the_day_stands_where_the_house_does(shown: Served) -> None:
    """Goal: GET /day. Method: against the state."""
    day = shown.get("auditor", "/day").json()
    assert (day["date"], day["is_open"], day["steps_run"]) == ("2026-01-05", True, [])
    assert day["at"] == shown.service.length()


def test_balances_are_the_ledgers(shown: Served) -> None:
    """Goal: GET balances. Method: the participant's own view and the auditor's are the ledger's line."""
    for who in ("participant", "auditor"):
        found = shown.get(who, "/accounts/A/HOUSE/balances").json()
        assert {row["asset"]: (row["balance"], row["pledged"]) for row in found["items"]} == {
            "HKD": (50_000, 10_000), SHARE: (1_000, 0),
        }  # fmt: skip
    assert shown.get("participant", "/accounts/A/CLIENT/balances").json()["items"] == []
    assert shown.get("participant", "/accounts/A/OMNIBUS/balances").status_code == 404


@pytest.mark.parametrize("path", ["/participants", "/instructions", "/orders", "/margin/calls",
                                  "/accounts/A/HOUSE/balances"])  # fmt: skip
def test_pages_join_to_the_whole(shown: Served, path: str) -> None:
    """Goal: cursor paging. Method: pages of one item give what a page of a thousand gives, in order, and end."""
    whole = shown.get("operator", f"{path}?limit=1000").json()
    assert whole["next"] is None
    assert len(whole["items"]) > 1
    items, cursor = [], 0
    while cursor is not None:
        page = shown.get("operator", f"{path}?limit=1&cursor={cursor}").json()
        items += page["items"]
        cursor = page["next"]
    assert items == whole["items"]


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "cursor=-1", "cursor=99999999999999999999",
                                   "participant=a", "participant=../etc"])  # fmt: skip
def test_parameters_beyond_their_limits_are_refused(shown: Served, query: str) -> None:
    """Goal: limits on everything. Method: each parameter beyond its bound gives 400 that names it."""
    answer = shown.get("operator", f"/instructions?{query}")
    assert answer.status_code == 400
    assert query.partition("=")[0] in answer.json()["detail"]


def test_instructions_are_chosen_by_participant_and_status(shown: Served) -> None:
    """Goal: filters. Method: numbers seen by a party, by the operator, of one status, of none."""

    def numbers(who: str, query: str) -> list[int]:
        return [row["instruction"] for row in shown.get(who, f"/instructions?{query}").json()["items"]]

    assert (numbers("participant", ""), numbers("other", ""), numbers("operator", "")) == ([0], [0, 1, 2], [0, 1, 2])
    assert (numbers("operator", "participant=C"), numbers("operator", "status=settled")) == ([1], [])
    assert numbers("other", "status=matched") == [0, 1, 2]
    refused = shown.get("other", "/instructions?status=lost")
    assert (refused.status_code, refused.json()["reason"], refused.json()["field"]) == (422, "unknown", "status")
    assert "matched" in refused.json()["remedy"]


def test_an_explanation_is_the_houses(shown: Served) -> None:
    """Goal: GET explanation. Method: against the use case that the command line has."""
    told = shown.service.read(lambda house, _at: explain_number(house, 0))
    assert shown.get("participant", "/instructions/0/explanation").json()["sentence"] == told.sentence


def test_calls_say_what_is_lacking(shown: Served) -> None:
    """Goal: GET /margin/calls. Method: C owes 300.00 and has no money; its own key may not look (a custodian)."""
    rows = {row["account"]: row for row in shown.get("regulator", "/margin/calls").json()["items"]}
    assert (rows["C/HOUSE"]["requirement_cents"], rows["C/HOUSE"]["lacks_cents"]) == (30_000, 30_000)
    assert rows["A/HOUSE"]["lacks_cents"] == 0
    assert [row["account"] for row in shown.get("participant", "/margin/calls").json()["items"]] == ["A/HOUSE"]


def test_links_are_the_rule_files(shown: Served) -> None:
    """Goal: GET /links. Method: the links that ship, none with a day in this house."""
    found = shown.get("custodian", "/links").json()["items"]
    assert {"stock-connect-shanghai", "bond-connect"} <= {one["link"] for one in found}
    assert all(one["quotas"] == [] for one in found)


def test_the_description_of_the_interface_is_the_one_kept(shown: Served) -> None:
    """Goal: no change of the interface goes unseen. Method: OpenAPI 3.1 as generated, against the file kept here.

    After a change that is meant, write ``/openapi/openapi.json`` into ``tests/api/openapi.json``, keys sorted.
    """
    found = shown.get(None, "/openapi/openapi.json").json()
    assert found["openapi"] == "3.1.0"
    assert json.dumps(found, indent=1, sort_keys=True) + "\n" == GOLDEN.read_text(encoding="utf-8")


def test_every_route_is_described_with_its_security(shown: Served) -> None:
    """Goal: the description is whole. Method: every path of the application is in it, and tokens are asked for."""
    found = shown.get(None, "/openapi/openapi.json").json()
    assert found["security"] == [{"token": []}]
    ours = {route.path_format for route in shown.client.app.routes if not route.path.startswith("/openapi")}
    assert set(found["paths"]) == ours
