"""The event feed: from any sequence, without gaps, and nothing of others."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from api_house import Served
from test_api_writes import ORDER


def _events(house: Served, who: str, query: str = "", **headers: str) -> list[dict[str, Any]]:
    answer = house.get(who, f"/events?follow=false{query}", headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/event-stream")
    found = []
    for block in answer.text.replace("\r\n", "\n").split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        if "data" in fields:
            data = json.loads(fields["data"])
            assert (int(fields["id"]), fields["event"]) == (data["sequence"], data["command"])
            found.append(data)
    return found


def test_an_overseer_sees_every_record(shown: Served) -> None:
    """Goal: the whole journal. Method: the auditor's sequences are 1 to the end, commands by name."""
    found = _events(shown, "auditor")
    assert [one["sequence"] for one in found] == list(range(1, shown.service.length() + 1))
    assert found[0]["command"] == "load-reference"


def test_a_feed_resumes_from_any_sequence(shown: Served) -> None:
    """Goal: no gap, no repeat. Method: from every sequence, by query and by header, the tail of the whole."""
    for who in ("auditor", "participant"):
        whole = _events(shown, who)
        for start in range(shown.service.length() + 2):
            tail = [one for one in whole if one["sequence"] > start]
            assert _events(shown, who, f"&from={start}") == tail
            assert _events(shown, who, **{"Last-Event-ID": str(start)}) == tail


def test_a_participant_sees_its_own_and_the_day(house: Served) -> None:
    """Goal: nothing of others. Method: against whom the house's table says each instruction and order belongs to."""
    house.post("participant", "/instructions", ORDER, "e-1")
    house.post("custodian", "/instructions/1/actions", {"action": "hold"}, "e-2")
    parties = {row["instruction"]: {row["deliverer"][0], row["receiver"][0]}
               for row in house.get("auditor", "/instructions").json()["items"]}  # fmt: skip
    owner = {row["order"]: row["account"][0] for row in house.get("auditor", "/orders").json()["items"]}
    whole = {one["sequence"]: one for one in _events(house, "auditor")}
    for who, code in (("participant", "A"), ("custodian", "C"), ("other", "B")):
        seen = {one["sequence"]: one for one in _events(house, who)}
        for sequence, one in whole.items():
            mine = [number for number in one["instructions"] if code in parties[number]]
            own = [number for number in one["orders"] if owner[number] == code]
            told = seen.get(sequence)
            if told is None:
                assert not mine
                assert not own
                assert one["command"] != "open-day"
            else:
                assert (told["instructions"], told["orders"]) == (mine, own)
                assert mine or own or one["command"] in ("open-day", "run-step", "close-day")
    assert whole[house.service.length()]["instructions"] == [1]
    assert house.service.length() not in {one["sequence"] for one in _events(house, "participant")}


def test_who_may_not_read_has_no_feed_of_others(shown: Served) -> None:
    """Goal: object rule of the feed. Method: another's feed by query."""
    assert shown.get("participant", "/events?follow=false&participant=D").status_code == 403
    assert [one["sequence"] for one in _events(shown, "auditor", "&participant=A")] == [
        one["sequence"] for one in _events(shown, "participant")
    ]


def test_feeds_are_counted(shown: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Goal: a bound on open feeds. Method: no room at all for one key."""
    feeds = shown.client.app.dependencies["feeds"].dependency()
    monkeypatch.setattr(feeds, "_limits", msgspec.structs.replace(feeds._limits, feeds_of_a_key=0))
    assert shown.get("auditor", "/events?follow=false").status_code == 429
    monkeypatch.undo()
    assert shown.get("auditor", "/events?follow=false").status_code == 200
