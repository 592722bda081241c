"""Reports and answers with pieces missing or changed: read, or refused with a reason, never a traceback.

Goal: whatever a schema lets through, readers take it or say why not. Method: one good document of each message; an
element left out, said twice, moved from its choice or given another value; what is still valid is read.
"""

from __future__ import annotations

import sys
from copy import deepcopy
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

sys.path.append(str(Path(__file__).resolve().parents[1] / "clearing"))
sys.path.append(str(Path(__file__).resolve().parents[1] / "settlement" / "stories"))

from clearing_book import resolved
from story import Story

from tsingma.app.iso_files import send_messages
from tsingma.app.iso_reading import READERS, read_report_file
from tsingma.app.session import Session
from tsingma.basics.rejection import Rejected
from tsingma.messages.iso20022 import (
    buy_in,
    event_election,
    event_movements,
    event_notice,
    fund_report,
    margin_report,
    net_position,
    pending_report,
    posting_report,
    static_data,
    trade_legs,
)
from tsingma.messages.iso20022.codes import State
from tsingma.messages.iso20022.header import write_one
from tsingma.messages.iso20022.leaves import leaves_of
from tsingma.messages.iso20022.parties import Directory
from tsingma.messages.iso20022.payment import Payment, write_payment_message
from tsingma.messages.iso20022.schema import read_messages
from tsingma.reference.book import Account, AccountClass, Counter, InstrumentKind, Participant, ParticipantKind

STOCK = "KYG875721634"
PLAIN = Directory(resolved())
DAY = "2026-01-05"
WHEN = datetime(2026, 1, 5, 10, tzinfo=timezone(timedelta(hours=8)))
LEG = trade_legs.TradeLeg(
    execution="7", account="A/HOUSE", bought=True, traded=WHEN, settles=DAY, isin=STOCK, market="XHKG", units=100,
    price_e4=3_000_000, cents=3_000_000, currency="HKD", netted=True,
)  # fmt: skip
NET = net_position.NetPosition(
    account="A/HOUSE", isin=STOCK, market="XHKG", settles=DAY, units=-100, currency="HKD", cents=-3_000_000
)
FAILED = buy_in.Failed(
    instruction="I4", account="A/HOUSE", intended_date=DAY, isin=STOCK, units=100, left=40, currency="HKD", cents=100
)
WAITS = pending_report.Pending(
    reference="1", number="I1", delivers=True, counterparty="B", intended_date=DAY, trade_date=DAY, isin=STOCK,
    units=7, currency="HKD", cents=7, credited=True, states=(State("SttlmSts/Pdg", "LACK"),),
)  # fmt: skip
POSTED = posting_report.Posting(
    reference="1", number="I1", activity="SETT", date=DAY, units=7, currency="HKD", cents=-7, counterparty="B"
)
NOTICE = event_notice.EventNotice(
    identifier="N1", reference="CA1", kind="DVOP", choice="CHOS", isin=STOCK, announced=DAY,
    accounts=(("A/HOUSE", 100),), ex=DAY, record=DAY, deadline=DAY, payment=DAY,
    options=(
        event_notice.NoticeOption(code="CASH", is_default=True, cash=(event_notice.CashGiven("HKD", "0.78"),)),
        event_notice.NoticeOption(code="SECU", is_default=False, shares=(event_notice.SharesGiven(STOCK, 1, 50),)),
    ),
)  # fmt: skip
MOVED = event_movements.Movements(
    identifier="M1", reference="CA1", kind="DVOP", choice="CHOS", isin=STOCK, account="A/HOUSE", units=100, option=0,
    code="CASH", date=DAY, shares=(event_movements.SharesMoved(STOCK, 2),),
    cash=(event_movements.CashMoved("HKD", 7_800, 100),),
)  # fmt: skip
CHOICE = event_election.Election(reference="CA1", kind="DVOP", account="A/HOUSE", option=1, code="SECU", units=60)
COUNTER = Counter(
    code="700", isin=STOCK, currency="HKD", kind=InstrumentKind.EQUITY, market="XHKG", lot=100, tick_e4=100,
    settlement_counter=True, name="a share", conversion_ratio=3,
)  # fmt: skip
PARTY = Participant(code="A", name="Alpha", kind=ParticipantKind.CUSTODIAN, lei="529900T8BM49AURSDO55")
SAMPLES = {
    trade_legs.NOTIFICATION: trade_legs.write_leg(LEG, PLAIN),
    trade_legs.STATEMENT: trade_legs.write_legs(trade_legs.LegStatement("S1", DAY, "A", (LEG,)), PLAIN),
    net_position.MESSAGE: net_position.write_net_positions(
        net_position.NetPositionReport("R1", DAY, "A", (NET,)), PLAIN
    ),
    margin_report.MESSAGE: margin_report.write_margin(
        margin_report.MarginReport("R1", WHEN, "A", (margin_report.AccountMargin("A/HOUSE", 300, 200),))
    ),
    fund_report.MESSAGE: fund_report.write_contribution(fund_report.FundContribution("R1", DAY, "A", "F", 500, 100)),
    buy_in.NOTIFICATION: buy_in.write_notice(
        buy_in.BuyInNotice(number="B1", member="A", last_date=DAY, failed=FAILED), PLAIN
    ),
    buy_in.RESPONSE: buy_in.write_answer(buy_in.BuyInAnswer("B1", 2, 100, 40), STOCK, PLAIN),
    buy_in.CONFIRMATION: buy_in.write_result(
        buy_in.BuyInResult(
            number="B1", member="A", date=DAY, failed=FAILED, bought=40, difference_cents=1, costs_cents=2,
            compensation_cents=3,
        ), PLAIN,
    ),
    pending_report.MESSAGE: pending_report.write_pending(
        pending_report.PendingReport("R1", DAY, "A/HOUSE", (WAITS,)), PLAIN
    ),
    posting_report.MESSAGE: posting_report.write_postings(
        posting_report.PostingReport(
            "R1", DAY, DAY, "A/HOUSE", (posting_report.SecurityPostings(STOCK, 1, 8, (POSTED,)),)
        ), PLAIN,
    ),
    event_notice.MESSAGE: event_notice.write_notice(NOTICE, PLAIN),
    event_movements.ADVICE: event_movements.write_advice(MOVED, PLAIN),
    event_movements.CONFIRMATION: event_movements.write_confirmation(MOVED, PLAIN),
    event_election.INSTRUCTION: event_election.write_election(CHOICE, STOCK, PLAIN),
    event_election.STATUS: event_election.write_status(
        event_election.ElectionStatus("M1", CHOICE, State("InstrPrcgSts/Rjctd", "LACK", "too many")), STOCK, PLAIN
    ),
    static_data.PARTIES: static_data.write_parties((PARTY,), "S1", {"A": "ALPHHKHH"}),
    static_data.SECURITIES: static_data.write_securities((COUNTER,), "S1"),
    static_data.ACCOUNTS: static_data.write_accounts(
        (Account(participant="A", account_class=AccountClass.HOUSE, name="own"),), "S1"
    ),
}  # fmt: skip
ALL_READERS = {
    **READERS,
    buy_in.RESPONSE: lambda leaves, directory: buy_in.read_answer(leaves, STOCK, directory),
    event_election.INSTRUCTION: lambda leaves, directory: event_election.read_election(leaves, STOCK, directory),
    event_election.STATUS: lambda leaves, directory: event_election.read_status(leaves, STOCK, directory),
}
VALUES = st.sampled_from(
    ["0", "1", "-1", "100", "0.5", "999999999999999999", "", "A", "HKD", "true", "2026-01-06", "LACK", "DELI", "CRDT",
     "2026-01-05T24:00:00", "00000", "001", "KYG875721635", "１００", "OTHR"]
)  # fmt: skip
EDITS = st.lists(st.tuples(st.sampled_from(["drop", "twice", "value", "swap"]), st.integers(0, 200), VALUES),
                 min_size=1, max_size=3)  # fmt: skip


def changed(text: str, edits: list[tuple[str, int, str]]) -> bytes:
    """Return a document with elements left out, said twice, given another value, or changed with their neighbour."""
    root = etree.fromstring(text.encode())
    for kind, place, value in edits:
        elements = [one for one in root.iter() if one is not root and one.getparent() is not root]
        if not elements:
            break
        chosen = elements[place % len(elements)]
        parent = chosen.getparent()
        if kind == "drop":
            parent.remove(chosen)
        elif kind == "twice":
            chosen.addnext(deepcopy(chosen))
        elif kind == "swap" and chosen.getnext() is not None:
            chosen.getnext().addnext(chosen)
        elif not len(chosen):
            chosen.text = value
    return etree.tostring(root)


@pytest.mark.parametrize("message", sorted(SAMPLES))
def test_every_element_left_out_or_said_twice(message: str) -> None:
    """Goal: no element of ours is counted on where a schema does not ask for it. Method: each, one at a time."""
    assert ALL_READERS[message](leaves_of(read_messages(SAMPLES[message].encode())[0]), PLAIN) is not None
    count = sum(1 for _ in etree.fromstring(SAMPLES[message].encode()).iter()) - 2
    read = 0
    for kind in ("drop", "twice"):
        for place in range(count):
            data = changed(SAMPLES[message], [(kind, place, "")])
            try:
                found = ALL_READERS[message](leaves_of(read_messages(data)[0]), PLAIN)
            except Rejected as rejected:
                found = str(rejected)
            read += bool(found)
    assert read == 2 * count


def read_or_refuse(message: str, edits: list[tuple[str, int, str]]) -> None:
    """Read a changed message: content or refusals come out."""
    try:
        found = ALL_READERS[message](leaves_of(read_messages(changed(SAMPLES[message], edits))[0]), PLAIN)
    except Rejected as rejected:
        found = str(rejected)
    assert found


@given(st.sampled_from(sorted(SAMPLES)), EDITS)
@settings(max_examples=400, deadline=None)
def test_no_change_is_a_traceback(message: str, edits: list[tuple[str, int, str]]) -> None:
    """Goal: content or refusals, nothing else. Method: drawn changes of a drawn message."""
    read_or_refuse(message, edits)


@pytest.mark.soak
@given(st.sampled_from(sorted(SAMPLES)), EDITS)
@settings(max_examples=100_000, deadline=None)
def test_no_change_is_a_traceback_for_long(message: str, edits: list[tuple[str, int, str]]) -> None:
    """Goal: the same, for long. Method: 100,000 of them."""
    read_or_refuse(message, edits)


def test_a_status_report_is_shown_as_what_it_is(tmp_path: Path) -> None:
    """Goal: what a payer is told can be read by hand. Method: a payment refused whole; its pacs.002."""
    told = Story()
    with Session.open(tmp_path / "house") as session:
        session.submit([(f"setup/{place}", command) for place, command in enumerate(told.told)])
    one = Payment(reference="1", payer="A/HOUSE", payee="B/HOUSE", currency="HKD", amount="7.00")
    path, out = tmp_path / "pay.xml", tmp_path / "replies.xml"
    path.write_bytes(write_one(write_payment_message([one], Directory(told.house.resolved), "M1", WHEN)))
    sent, replies = send_messages(tmp_path / "house", path, "C")
    assert sent.not_done == 1
    out.write_bytes(replies)
    (shown,) = read_report_file(tmp_path / "house", out)
    assert (shown["definition"], shown["original"]) == ("pacs.002.001.14", "M1")
