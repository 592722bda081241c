"""Statuses, confirmations, requests and allegements both ways, and the one table of codes behind them.

Goal: each message says the same to us, to the schema and to the oracle's classes, and every code has a meaning. Method:
drawn contents written, validated, parsed and written by the oracle, canonical XML compared, read back.
"""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from iso_oracle import same
from iso_samples import SPACE

sys.path.append(str(Path(__file__).resolve().parents[1] / "clearing"))

from clearing_book import resolved

from tsingma.basics.rejection import Rejected, Rejection, RejectionReason
from tsingma.messages.iso20022 import requests, status
from tsingma.messages.iso20022.allegement import (
    Allegement,
    AllegementRemoval,
    read_allegement,
    read_removal,
    write_allegement,
    write_removal,
)
from tsingma.messages.iso20022.codes import State, code_table, meaning_of, refusal, state_of
from tsingma.messages.iso20022.confirmation import Confirmation, read_confirmation, write_confirmation
from tsingma.messages.iso20022.leaves import leaves_of
from tsingma.messages.iso20022.parties import Directory
from tsingma.messages.iso20022.schema import read_messages
from tsingma.settlement.submission import FAULTS

DAY = date(2026, 1, 5)
PLAIN = Directory(resolved(), face_cents={"HK0000096088": 100_000})
STOCK, BOND = "KYG875721634", "HK0000096088"
TEXT = st.text(st.characters(codec="ascii", categories=("L", "N", "P", "S")), min_size=1, max_size=35)
REFERENCES = st.integers(1, 2**40 - 1).map(str)
NUMBERS = st.integers(0, 10**9).map("I{}".format)
DATES = st.dates(date(2026, 1, 1), date(2027, 12, 31)).map(str)
UNITS, CENTS = st.integers(0, 10**9), st.integers(0, 10**14)


def states(message: str) -> st.SearchStrategy[State]:
    """Return states of the table, with a text where a reason may have one."""
    rows = [State(row.at, row.code) for row in code_table() if row.message == message]
    drawn = st.builds(lambda state, text: State(state.at, state.code, text), st.sampled_from(rows), TEXT | st.just(""))
    return drawn.map(lambda state: State(state.at, state.code) if state.code == "NORE" else state)


@given(REFERENCES, NUMBERS | st.just(""), st.lists(states("sese.024"), unique_by=lambda one: one.at[:5], max_size=3))
@settings(max_examples=60, deadline=None)
def test_status_advices(reference: str, number: str, several: list[State]) -> None:
    """Goal: sese.024 both ways. Method: as the module says."""
    order = [state for group in status.GROUPS for state in several if state.at.startswith(group)]
    advice = status.StatusAdvice(reference, number, tuple(order))
    assert same(status.write_advice(advice), "sese.024.001.12", status.read_advice) == advice


@given(REFERENCES, REFERENCES, NUMBERS, st.data())
@settings(max_examples=60, deadline=None)
def test_statuses_of_requests(request: str, reference: str, number: str, data: st.DataObject) -> None:
    """Goal: sese.027 and sese.031 both ways. Method: as the module says."""
    for message, write, read in (
        ("sese.027.001.07", status.write_cancellation_status, status.read_cancellation_status),
        ("sese.031.001.09", status.write_modification_status, status.read_modification_status),
    ):
        said = status.RequestStatus(
            request=request, reference=reference, number=number, state=data.draw(states(message[:8]))
        )
        assert same(write(said), message, read) == said


@given(REFERENCES, st.booleans(), st.booleans(), NUMBERS | st.just(""), st.sampled_from(["", "A/HOUSE"]))
@settings(max_examples=40, deadline=None)
def test_cancellations(reference: str, delivers: bool, free: bool, number: str, account: str) -> None:
    """Goal: sese.020 both ways. Method: as the module says."""
    asked = requests.Cancellation(reference=reference, delivers=delivers, free=free, number=number, account=account)
    assert same(requests.write_cancellation(asked), "sese.020.001.07", requests.read_cancellation) == asked


MODIFICATIONS = st.builds(
    lambda reference, hold, priority, partial, link, linked: requests.Modification(
        reference=reference, account="A/HOUSE", hold=hold, priority=priority, partial=partial, link=link,
        linked=tuple(linked) if link not in ("", "unlink") else (),
    ),
    REFERENCES, st.sampled_from([None, True, False]), st.sampled_from(["", "reserved", "top", "high", "normal"]),
    st.sampled_from([None, True, False]), st.sampled_from(["", "unlink", "together", "before", "after"]),
    st.lists(REFERENCES, min_size=1, max_size=3),
)  # fmt: skip


@given(st.lists(MODIFICATIONS, min_size=1, max_size=3))
@settings(max_examples=60, deadline=None)
def test_modifications(asked: list[requests.Modification]) -> None:
    """Goal: sese.030 both ways, several in one. Method: as the module says."""
    text = requests.write_modification(*asked)
    assert same(text, "sese.030.001.09", requests.read_modification) == tuple(asked)


@given(st.booleans(), st.booleans(), st.sampled_from([STOCK, BOND, ""]), UNITS, UNITS, UNITS, CENTS, CENTS, CENTS,
       st.sampled_from(["", "HKD", "CNY"]), DATES)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_confirmations(
    delivers: bool, credited: bool, isin: str, now: int, before: int, left: int, cents: int, cents_before: int,
    cents_left: int, currency: str, day: str,
) -> None:  # fmt: skip
    """Goal: sese.025 both ways, whole and part. Method: as the module says."""
    currency = currency or ("" if isin else "HKD")
    part = bool(isin) and bool(before or left)
    one = Confirmation(
        reference="7", number="I3", delivers=delivers, account="A/HOUSE", counterparty="B",
        counterparty_account="B/HOUSE", settled_date=day, intended_date=day, trade_date=day, isin=isin,
        quantity=now if isin else 0, quantity_before=before if isin else 0, quantity_left=left if isin else 0,
        currency=currency, cents=cents if currency else 0, cents_before=cents_before if currency and part else 0,
        cents_left=cents_left if currency and part else 0, credited=credited and bool(currency),
    )  # fmt: skip
    text = write_confirmation(one, PLAIN)
    assert same(text, "sese.025.001.11", lambda leaves: read_confirmation(leaves, PLAIN)) == one
    assert ("<PrtlSttlm>" in text) == part


@given(st.booleans(), st.booleans(), st.sampled_from([STOCK, BOND]), UNITS, CENTS, st.sampled_from(["", "HKD"]), DATES)
@settings(max_examples=40, deadline=None)
def test_allegements(
    delivers: bool, credited: bool, isin: str, units: int, cents: int, currency: str, day: str
) -> None:
    """Goal: sese.028 and sese.029 both ways. Method: as the module says."""
    one = Allegement(
        number="O5", delivers=delivers, alleging="B", alleging_account="B/HOUSE", trade_date=day, intended_date=day,
        isin=isin, quantity=units, currency=currency, cents=cents if currency else 0,
        credited=credited and bool(currency), account="A/HOUSE",
    )  # fmt: skip
    text = write_allegement(one, PLAIN)
    assert same(text, "sese.028.001.10", lambda leaves: read_allegement(leaves, PLAIN)) == one
    gone = AllegementRemoval(number="O5", delivers=delivers, free=not currency, account="A/HOUSE" if credited else "")
    assert same(write_removal(gone), "sese.029.001.06", read_removal) == gone


@pytest.mark.parametrize(
    "row", [row for row in code_table() if row.message.startswith("sese")], ids=lambda row: f"{row.message} {row.our}"
)
def test_every_row_of_the_table_can_be_said(row: object) -> None:
    """Goal: no code that its message does not have. Method: each row in a document of its message, by the schema."""
    state = State(row.at, row.code)  # type: ignore[attr-defined]
    said = status.RequestStatus(request="1", reference="1", number="I1", state=state)
    text = {
        "sese.024": lambda: status.write_advice(status.StatusAdvice("1", "I1", (state,))),
        "sese.027": lambda: status.write_cancellation_status(said),
        "sese.031": lambda: status.write_modification_status(said),
    }[row.message]()  # type: ignore[attr-defined]
    read_messages(text.encode())
    assert meaning_of(row.message, state)  # type: ignore[attr-defined]
    assert row.source  # type: ignore[attr-defined]


def test_every_refusal_has_a_code() -> None:
    """Goal: nothing is refused in silence. Method: every fault of an order, and every reason in every message."""
    for field, reason, text, _ in FAULTS:
        found = refusal("sese.024", Rejection(reason=reason, field=field, message=text), DAY)
        assert found.at == "PrcgSts/Rjctd"
        no_code = field in ("priority", "conditions", "matched") or (field, reason.value) == (
            "reference",
            "out-of-range",
        )
        no_code = no_code or reason is RejectionReason.SUSPENDED
        assert (found.code == "OTHR") == no_code
    for message in ("sese.024", "sese.027", "sese.031"):
        for reason in RejectionReason:
            assert refusal(message, Rejection(reason=reason, message="x" * 300), DAY).text == "x" * 210
    with pytest.raises(Rejected):
        state_of("sese.024", "order.waiting", date(2025, 12, 31))
    with pytest.raises(Rejected):
        meaning_of("sese.024", State("PrcgSts/Canc", "CORP"))


def test_a_request_says_only_what_is_acted_on() -> None:
    """Goal: nothing is passed over. Method: an automatic borrowing, contradicting links, a cancelled position move."""
    text = requests.write_modification(requests.Modification(reference="1", account="A/HOUSE", hold=True))
    for old, new in (
        ("<HldInd>", "<SctiesRTGS><Ind>true</Ind></SctiesRTGS><HldInd>"),
        ("</HldInd>", "</HldInd><Lnkgs><Ref><SctiesSttlmTxId>2</SctiesSttlmTxId></Ref></Lnkgs>"),
        ("<HldInd>", "<Lkg><Cd>LINK</Cd></Lkg><HldInd>"),
        ("<HldInd>", "<Prty><Nmrc>0009</Nmrc></Prty><HldInd>"),
        ("<AcctOwnrTxId>1</AcctOwnrTxId>", "<MktInfrstrctrTxId>I1</MktInfrstrctrTxId>"),
    ):
        (received,) = read_messages(text.replace(old, new, 1).encode())
        with pytest.raises(Rejected):
            requests.read_modification(leaves_of(received))
    moved = "<AcctOwnrTxId><IntraPosMvmntId>1</IntraPosMvmntId></AcctOwnrTxId>"
    body = f"<Document xmlns='{SPACE}sese.020.001.07'><SctiesTxCxlReq>{moved}</SctiesTxCxlReq></Document>"
    with pytest.raises(Rejected, match="no settlement instruction"):
        requests.read_cancellation(leaves_of(read_messages(body.encode())[0]))
