"""Acts of the operator over HTTP: two people, two keys, once; told as they would be done; kept over a restart."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest
from api_house import SECOND, Served, keys_of, served
from hypothesis import given, settings
from hypothesis import strategies as st

from tsingma.api.acts import EXPIRY_MINUTES
from tsingma.api.guard import Reach
from tsingma.api.permissions import Role, Scope
from tsingma.api.tokens import Caller
from tsingma.app.operator_acts import (
    DEPOSITS_MAX,
    LINES_MAX,
    ClosingPricesAct,
    CollectClaimsAct,
    CorporateActionsAct,
    CreditLineAct,
    DepositAct,
    DepositOf,
    InstructionAct,
    OperatorAct,
    PriceOf,
    act_of_command,
    command_of_act,
)
from tsingma.journal.origin import origin_of

LINE = {
    "act": "set-credit-line", "account": "A/HOUSE", "currency": "HKD", "credit_cents": 1, "collateral_cents": 0,
}  # fmt: skip


def _propose(house: Served, who: str = "operator", key: str = "p-1", act: Any = None) -> int:
    answer = house.post(who, "/acts", act or {"act": "collect-claims"}, key)
    assert answer.status_code == 201, answer.text
    return int(answer.json()["number"])


def _decide(house: Served, who: str, number: int, decision: str, key: str) -> Any:
    return house.call(who, "POST", f"/acts/{number}/{decision}", headers={"Idempotency-Key": key})


def test_one_proposes_another_approves_and_it_is_done_once(house: Served) -> None:
    """Goal: four-eyes on the wire. Method: hold an instruction; own approval; another's; repeats; the journal."""
    act = {"act": "change-instruction", "instruction": 2, "action": "hold"}
    number = _propose(house, act=act)
    assert _propose(house, act=act) == number  # the same key
    other = house.post("operator", "/acts", {"act": "close-day"}, "p-1")
    assert (other.status_code, other.json()["reason"]) == (409, "conflict")
    status = house.get("operator", "/instructions/2").json()["status"]
    own = _decide(house, "operator", number, "approve", "d-1")
    assert own.status_code == 409
    assert "another person" in own.json()["remedy"]
    assert house.get("operator", "/instructions/2").json()["status"] == status
    done = _decide(house, "second", number, "approve", "d-1")
    assert (done.status_code, done.json()) == (200, {"number": number, "status": "approved"})
    assert house.get("operator", "/instructions/2").json()["status"] != status
    length = house.service.length()
    house.clock.advance(5 * SECOND)
    assert _decide(house, "second", number, "approve", "d-1").json() == done.json()
    assert _decide(house, "second", number, "approve", "d-2").status_code == 409
    assert house.service.length() == length
    told = house.get("auditor", "/acts").json()["items"][0]
    assert told["act"] == {**act, "value": 0}
    assert (told["proposer"], told["decider"], told["status"]) == ("operator", "second", "approved")
    proposal, decision = (origin_of(record.body) for record in house.service.records(length - 2, 2))
    assert proposal is not None
    assert decision is not None
    assert (proposal.actor, decision.actor) == ("operator", "second")
    feed = house.get("operator", f"/events?follow=false&from={length - 1}").text
    assert '"command":"change-instruction"' in feed


def test_reject_withdraw_and_lapse(house: Served) -> None:
    """Goal: the other ends. Method: each by the right and the wrong person; the clock over the expiry."""
    rejected, withdrawn, lapsed = (_propose(house, key=f"p-{place}") for place in range(3))
    assert _decide(house, "operator", rejected, "reject", "a").status_code == 409
    assert _decide(house, "second", rejected, "reject", "a").json()["status"] == "rejected"
    assert _decide(house, "second", withdrawn, "withdraw", "b").status_code == 409
    assert _decide(house, "operator", withdrawn, "withdraw", "b").json()["status"] == "withdrawn"
    house.clock.advance(EXPIRY_MINUTES * 60 * SECOND)
    late = _decide(house, "second", lapsed, "approve", "c")
    assert late.status_code == 409
    assert "lapsed" in late.json()["detail"]
    assert [one["status"] for one in house.get("regulator", "/acts").json()["items"]] == [
        "lapsed", "withdrawn", "rejected",
    ]  # fmt: skip
    assert _decide(house, "second", 99, "approve", "d").status_code == 404
    assert house.call("second", "POST", f"/acts/{lapsed}/undo", headers={"Idempotency-Key": "x"}).status_code == 404


def test_pending_acts_survive_a_restart(folder: Path) -> None:
    """Goal: the journal has them. Method: propose, end the process, approve in the next; and once only."""
    with served(folder) as first:
        number = _propose(first)
    with served(folder) as second:
        (told,) = second.get("operator", "/acts").json()["items"]
        assert (told["number"], told["status"]) == (number, "pending")
        assert _decide(second, "operator", number, "approve", "d").status_code == 409
        assert _decide(second, "second", number, "approve", "d").status_code == 200
    with served(folder) as third:
        assert _decide(third, "second", number, "approve", "e").status_code == 409


def test_one_person_with_two_keys_and_a_key_of_nobody(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Goal: keys are not people. Method: a second key that names the first person; one that names none."""

    def two_of_one(private: dict[str, dict[str, str]], owner: str = "A") -> Any:
        keys = keys_of(private, owner)
        people = {"second": "operator"}
        changed = [msgspec.structs.replace(key, person=people.get(key.id, key.person)) for key in keys.key]
        return msgspec.structs.replace(keys, key=tuple(changed))

    def nobody(private: dict[str, dict[str, str]], owner: str = "A") -> Any:
        keys = keys_of(private, owner)
        return msgspec.structs.replace(keys, key=tuple(msgspec.structs.replace(key, person="") for key in keys.key))

    monkeypatch.setattr("api_house.keys_of", two_of_one)
    with served(folder) as house:
        number = _propose(house)
        assert _decide(house, "second", number, "approve", "d").status_code == 409
        assert _decide(house, "second", number, "withdraw", "d").status_code == 200
    monkeypatch.setattr("api_house.keys_of", nobody)
    with served(folder) as house:
        assert house.post("operator", "/acts", {"act": "collect-claims"}, "p").status_code == 403


def test_a_refused_act_waits_and_says_why(house: Served) -> None:
    """Goal: the house's reason reaches the second person. Method: approve a day that is over; it goes on waiting."""
    number = _propose(house, act={"act": "open-day", "date": "2025-12-01"})
    refused = _decide(house, "second", number, "approve", "d")
    assert refused.status_code == 409
    assert refused.json()["reason"] == "not-allowed"
    assert house.get("operator", "/acts").json()["items"][0]["status"] == "pending"


@pytest.mark.parametrize(
    ("act", "status"),
    [
        ({"act": "post-transfers"}, 400),
        ({"act": "open-day"}, 400),
        ({"act": "open-day", "date": "2026-01-06", "more": 1}, 400),
        ({**LINE, "currency": "XXX"}, 400),
        ({**LINE, "account": "Z/HOUSE"}, 422),
        ({"act": "deposit-assets", "deposits": [{"account": "A/NONE", "asset": "HKD", "amount": 1}]}, 422),
        ({"act": "deposit-assets", "deposits": [{"account": "A/HOUSE", "asset": "GOLD", "amount": 1}]}, 422),
        ({"act": "deposit-assets", "deposits": [{"account": "A/HOUSE", "asset": "HKD", "amount": 0}]}, 400),
        ({"act": "deposit-assets", "deposits": []}, 400),
        ({"act": "set-closing-prices", "prices": [{"counter": "nope", "price_e4": 1}], "rates_e6": {}}, 422),
        ([], 400),
    ],
    ids=["no-act", "no-date", "unknown-field", "no-currency", "no-account", "no-class", "no-asset", "nothing", "empty",
         "no-counter", "list"],
)  # fmt: skip
def test_what_is_no_act_is_refused(shown: Served, act: Any, status: int) -> None:
    """Goal: a bounded typed form. Method: wrong acts; nothing is proposed."""
    before = shown.service.length()
    assert shown.post("operator", "/acts", act, "w").status_code == status
    assert shown.service.length() == before


def test_both_forms_of_every_act_say_the_same(shown: Served) -> None:
    """Goal: what the second sees is what is carried out. Method: acts drawn, to a command and back."""
    book = shown.service.book
    accounts = st.sampled_from([book.account_name(place) for place in range(len(book.book.accounts))])
    assets = st.sampled_from([book.asset_name(place) for place in range(book.asset_count)])
    counters = [counter.code for counter in book.book.counters]
    amounts, currencies = st.integers(0, 2**53), st.sampled_from(["HKD", "CNY", "USD", "EUR"])
    acts = st.one_of(
        st.just(CollectClaimsAct()), st.just(CorporateActionsAct()),
        st.builds(CreditLineAct, accounts, currencies, amounts, amounts, st.integers(-1, 2**53)),
        st.builds(DepositAct, st.lists(st.builds(DepositOf, accounts, assets, amounts), min_size=1).map(tuple)),
        st.builds(InstructionAct, amounts, st.text(min_size=1), amounts),
        st.builds(
            ClosingPricesAct, st.lists(st.builds(PriceOf, st.sampled_from(counters), amounts)).map(tuple),
            st.fixed_dictionaries(dict.fromkeys(("HKD", "CNY", "USD", "EUR"), amounts)),
        ),
    )  # fmt: skip

    @settings(max_examples=100, deadline=None)
    @given(acts)
    def both(act: OperatorAct) -> None:
        assert act_of_command(command_of_act(act, book), book) == act

    both()


def test_acts_come_in_pages_that_stay_as_they_were(house: Served) -> None:
    """Goal: pages by cursor. Method: seven acts in pages of three; one more is proposed between two pages."""
    numbers = [_propose(house, key=f"p-{place}") for place in range(7)]
    whole = [one["number"] for one in house.get("auditor", "/acts").json()["items"]]
    assert whole == numbers[::-1]
    assert house.get("auditor", "/acts").json()["next"] is None
    seen, cursor = [], 0
    for turn in range(3):
        page = house.get("auditor", f"/acts?cursor={cursor}&limit=3").json()
        seen += [one["number"] for one in page["items"]]
        cursor = page["next"]
        if not turn:
            _propose(house, key="between")
    assert (seen, cursor) == (whole, None)
    for wrong in ("cursor=-1", "limit=0", "limit=1001", "cursor=x"):
        assert house.get("auditor", f"/acts?{wrong}").status_code == 400, wrong


def test_a_clock_that_was_far_ahead_blocks_no_act(house: Served) -> None:
    """Goal: the whole way. Method: an act proposed years ahead, the clock set right, the next proposed and approved."""
    years = 3 * 365 * 24 * 3_600 * SECOND
    late = _propose(house, key="late")
    house.clock.advance(years)
    ahead = _propose_ahead(house)
    house.clock.advance(10 * SECOND - years)
    number = _propose(house, key="now")
    assert _decide(house, "second", number, "approve", "d-1").status_code == 200
    for lapsed in (late, ahead):
        assert _decide(house, "second", lapsed, "approve", f"d-{lapsed}").status_code == 409
    told = {one["number"]: one["status"] for one in house.get("auditor", "/acts").json()["items"]}
    assert told == {late: "lapsed", ahead: "lapsed", number: "approved"}


def _propose_ahead(house: Served) -> int:
    """Propose as somebody signed in does, for whom no other clock vouches: keys of the tests end in 2027."""
    desk = house.client.app.dependencies["act_desk"].dependency()
    caller = Caller("person/operator", "console/operator", Role.OPERATOR, "", "t", 0, 2**40, "operator")
    told = asyncio.run(desk.propose(Reach(caller, Scope.ANY), "ahead", CollectClaimsAct()))
    return int(told.number)


def test_the_largest_act_of_the_border_is_one_of_the_house(house: Served) -> None:
    """Goal: two limits that fit. Method: as many deposits and prices as a body may have; one more is no such body."""
    line = {"account": "A/HOUSE", "asset": "HKD", "amount": 2**53}
    for count, status in ((DEPOSITS_MAX, 201), (DEPOSITS_MAX + 1, 400)):
        act = {"act": "deposit-assets", "deposits": [line] * count}
        assert house.post("operator", "/acts", act, f"d-{count}").status_code == status
    counter = house.service.book.book.counters[0].code
    for count, status in ((LINES_MAX, 201), (LINES_MAX + 1, 400)):
        act = {"act": "set-closing-prices", "prices": [{"counter": counter, "price_e4": 2**53}] * count, "rates_e6": {}}
        assert house.post("operator", "/acts", act, f"p-{count}").status_code == status
