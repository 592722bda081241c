"""A default over HTTP, end to end: two people suspend, declare, close out, book and close it in a served house.

The refusals its participant then gets, what others see of it (own or nothing), lists in every form, and that a restart
forgets none of it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from api_house import SHARE, Served, served, write_house

ORDER = {
    "reference": 900, "account_class": "HOUSE", "side": "deliver", "counterparty": "B", "kind": "dvp", "isin": SHARE,
    "quantity": 1, "currency": "HKD", "amount": "1", "trade_date": "2026-01-02", "intended_date": "2026-01-05",
}  # fmt: skip


def carry_out(house: Served, act: dict[str, Any], key: str, *, accepted: bool = True) -> Any:
    """Have one person propose an act and another approve it; returns the answer of the approval."""
    proposed = house.post("operator", "/acts", act, key)
    assert proposed.status_code == 201, proposed.text
    number = proposed.json()["number"]
    alone = house.post("operator", f"/acts/{number}/approve", None, f"{key}-alone")
    assert alone.status_code == 409
    answer = house.post("second", f"/acts/{number}/approve", None, f"{key}-2")
    assert (answer.status_code == 200) == accepted, answer.text
    return answer


def lines(house: Served, who: str, **query: str) -> list[dict[str, Any]]:
    """Return what somebody sees of defaults."""
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    answer = house.get(who, f"/defaults?{asked}")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


def test_a_default_from_the_suspension_to_its_end(tmp_path: Path) -> None:
    """Goal: the whole way by people. Method: D sold 100 shares to A at 300; D defaults; C takes its place at 310."""
    folder = write_house(tmp_path / "house")
    with served(folder) as house:
        fund = [{"account": "B/HOUSE", "cents": 5_000_000}, {"account": "D/HOUSE", "cents": 1}]
        carry_out(house, {"act": "call-fund", "fund": "HKSCC", "basis": "test", "contributions": fund}, "f")
        before = house.post("participant", "/instructions", ORDER, "before")
        assert before.status_code == 201, before.text
        carry_out(house, {"act": "suspend-participant", "participant": "D", "reason": "a late call"}, "s")
        assert [line["status"] for line in lines(house, "operator")] == ["suspended"]
        refused = house.post("participant", "/instructions", {**ORDER, "counterparty": "D", "reference": 901}, "to-D")
        assert refused.status_code == 409, refused.text
        fault = refused.json()["faults"][0]
        assert (fault["reason"], fault["field"]) == ("suspended", "counterparty")
        assert fault["remedy"].startswith("deal with another")
        declared = {"act": "declare-default", "participant": "D", "ground": "decision", "reason": "no money came"}
        carry_out(house, {**declared, "ground": "failure-of-margin"}, "g", accepted=False)
        carry_out(house, declared, "d")
        line = lines(house, "regulator")[0]
        assert (line["participant"], line["status"], line["ground"]) == ("D", "declared", "decision")
        assert (line["open_positions"], line["reason"]) == (1, "no money came")
        close_out = {"act": "close-out-position", "default": 1, "account": "D/HOUSE", "security": SHARE,
                     "taker": "C/HOUSE", "price_e4": 3_100_000}  # fmt: skip
        carry_out(house, close_out, "c")
        assert lines(house, "auditor")[0]["owed_cents"] == 100_000
        carry_out(house, {"act": "close-default", "default": 1, "reason": "early"}, "e", accepted=False)
        carry_out(house, {"act": "book-waterfall", "default": 1, "fund": "HKSCC"}, "w")
        line = lines(house, "operator", participant="D")[0]
        assert (line["owed_cents"], line["open_positions"], line["funds_booked"]) == (0, 0, "HKSCC")
        borne = ("collateral_cents", "contribution_cents", "house_cents", "survivors_cents", "assessments_cents")
        assert sum(line[name] for name in borne) == 100_000
        carry_out(house, {"act": "close-default", "default": 1, "reason": "all is borne"}, "z")
        seen = lines(house, "operator")
        state = house.service.read(lambda state, _at: state.digest())
    with served(folder) as again:
        assert again.service.read(lambda state, _at: state.digest()) == state
        assert lines(again, "operator") == seen
        assert seen[0]["status"] == "closed"
        assert seen[0]["closed_at"].endswith("Z")


def test_a_suspended_participants_own_orders_are_refused_and_it_sees_its_own_case(house: Served) -> None:
    """Goal: its door, its view. Method: A is suspended; A sends, acts on, reads; B reads; then A is reinstated."""
    carry_out(house, {"act": "suspend-participant", "participant": "A", "reason": "a late call"}, "s")
    sent = house.post("participant", "/instructions", ORDER, "mine")
    assert (sent.status_code, sent.json()["reason"]) == (409, "suspended")
    assert "suspended or in default" in sent.json()["detail"]
    acted = house.post("participant", "/instructions/0/actions", {"action": "hold"}, "hold")
    assert (acted.status_code, acted.json()["reason"]) == (409, "suspended")
    assert [line["participant"] for line in lines(house, "participant")] == ["A"]
    assert lines(house, "other") == []
    assert house.get("other", "/defaults?participant=A").status_code == 403
    assert house.get("custodian", "/defaults?participant=A").status_code == 403
    carry_out(house, {"act": "reinstate-participant", "participant": "A", "reason": "it paid"}, "r")
    assert lines(house, "participant")[0]["status"] == "reinstated"
    assert house.post("participant", "/instructions", {**ORDER, "reference": 902}, "again").status_code == 201


@pytest.mark.parametrize("media_type", ["text/csv", "application/x-ndjson"])
def test_defaults_are_a_list_like_others(house: Served, media_type: str) -> None:
    """Goal: the list's own forms. Method: one case as CSV and NDJSON."""
    carry_out(house, {"act": "suspend-participant", "participant": "B", "reason": "a, late, call"}, "s")
    answer = house.get("auditor", "/defaults", headers={"Accept": media_type})
    assert answer.status_code == 200
    assert "suspended" in answer.text
    if media_type == "application/x-ndjson":
        assert msgspec.json.decode(answer.text.splitlines()[0])["participant"] == "B"
