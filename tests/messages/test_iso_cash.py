"""pacs.008, pacs.002, camt.050, camt.053, camt.056 and camt.029 both ways, and against the money of a house.

Goal: what is written comes back from another's classes unchanged, and what the house is sent moves its books as the
same command would. Method: drawn contents through schema and oracle (canonical XML equal); days of payments by message
with the queue, the balances and the answers looked at beside.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from iso_oracle import canonical, through_oracle

sys.path.append(str(Path(__file__).resolve().parents[1] / "clearing"))
sys.path.append(str(Path(__file__).resolve().parents[1] / "settlement" / "stories"))

from clearing_book import MONDAY, resolved
from story import Story

from tsingma.app.iso_files import account_statement_file, payment_status_file, send_messages
from tsingma.app.session import Session
from tsingma.basics.dates import to_date
from tsingma.basics.rejection import Rejected, Rejection, RejectionReason
from tsingma.cli.main import main
from tsingma.messages.iso20022 import account_statement, payment_status, recall
from tsingma.messages.iso20022.account_statement import AccountStatement
from tsingma.messages.iso20022.codes import Code, State, code_table, meaning_of, refusal
from tsingma.messages.iso20022.header import write_file, write_one
from tsingma.messages.iso20022.leaves import Leaves, leaves_of
from tsingma.messages.iso20022.notice import Entry
from tsingma.messages.iso20022.parties import Directory
from tsingma.messages.iso20022.payment import (
    CUSTOMER_MESSAGE,
    LIQUIDITY_MESSAGE,
    Payment,
    payment_columns,
    read_liquidity_transfer,
    read_payment_message,
    write_liquidity_transfer,
    write_payment_message,
)
from tsingma.messages.iso20022.payment_status import PaymentStatus, StatusReport
from tsingma.messages.iso20022.schema import read_messages

T = TypeVar("T")
MOMENT = datetime(2026, 1, 5, 9, tzinfo=UTC)
DAY = to_date(MONDAY)
PLAIN = Directory(resolved())
NAMED = Directory(resolved(), bics={"A": "ALPHHKHH"})
TEXT = st.text(st.characters(codec="ascii", categories=("L", "N", "P", "S")), min_size=1, max_size=35)
DIRECTORIES = st.sampled_from([PLAIN, NAMED])
CASH = [row for row in code_table() if row.message in ("pacs.002", "camt.029")]

CUSTOMER_PAYMENTS = st.builds(
    lambda reference, cents, due, date, debtor, creditor: Payment(
        reference=reference, payer="A/CLIENT", payee="B/HOUSE", currency="CNY",
        amount=f"{cents // 100}.{cents % 100:02d}", due=due, date=date, on_behalf="yes", debtor=debtor,
        creditor=creditor,
    ),
    TEXT, st.integers(1, 10**14), st.just("") | st.just("09:30:00"), st.just("") | st.dates().map(str), TEXT, TEXT,
)  # fmt: skip


def same(text: str, message: str, read: Callable[[Leaves], T]) -> T:
    """Return what is read back of a document after the oracle wrote it; its canonical XML is ours."""
    ours = text.encode()
    read_messages(ours)
    theirs = through_oracle(ours, message)
    assert canonical(theirs) == canonical(ours)
    return read(leaves_of(read_messages(theirs)[0]))


@given(st.lists(CUSTOMER_PAYMENTS, min_size=1, max_size=3), DIRECTORIES)
@settings(max_examples=40, deadline=None)
def test_customers_payments_go_out_and_come_back(several: list[Payment], directory: Directory) -> None:
    """Goal: pacs.008 both ways, and paid on behalf of others. Method: schema, oracle, read back, columns."""
    text = write_payment_message(several, directory, "M1", MOMENT)
    back = same(text, CUSTOMER_MESSAGE, lambda leaves: read_payment_message(leaves, directory, CUSTOMER_MESSAGE))
    assert back == tuple(several)
    columns = payment_columns(back, [1] * len(back), directory.book, file="F")
    assert columns["on_behalf"].tolist() == [1] * len(several)


@given(TEXT, st.integers(1, 10**14), st.just("") | st.dates().map(str), DIRECTORIES)
@settings(max_examples=40, deadline=None)
def test_liquidity_transfers_go_out_and_come_back(reference: str, cents: int, date: str, directory: Directory) -> None:
    """Goal: camt.050 both ways. Method: schema, oracle, canonical XML, read back."""
    one = Payment(
        reference=reference, payer="A/HOUSE", payee="A/CLIENT", currency="HKD",
        amount=f"{cents // 100}.{cents % 100:02d}", date=date,
    )  # fmt: skip
    text = write_liquidity_transfer(one, directory, MOMENT)
    assert same(text, LIQUIDITY_MESSAGE, lambda leaves: read_liquidity_transfer(leaves, directory)) == one


STATES = st.sampled_from([row for row in CASH if row.message == "pacs.002" and row.at.startswith("TxSts")])
TOLD = st.text(st.characters(codec="utf-8", categories=("L", "N", "P")), max_size=210)


@given(st.lists(st.tuples(TEXT, STATES, TOLD), max_size=4), TOLD)
@settings(max_examples=60, deadline=None)
def test_reports_go_out_and_come_back(payments: list[tuple[str, Code, str]], why: str) -> None:
    """Goal: pacs.002 both ways, texts in lines of 105. Method: schema, oracle, canonical XML, read back."""
    told = tuple(
        PaymentStatus(name, f"P{place}", State(row.at, row.code, words))
        for place, (name, row, words) in enumerate(payments)
    )
    whole = None if told else State("GrpSts/RJCT", "NARR", why)
    one = StatusReport(identifier="S1", created=MOMENT, original="M1", message="pacs.009.001.11", whole=whole,
                       payments=told)  # fmt: skip
    back = same(payment_status.write_status_report(one), payment_status.MESSAGE, payment_status.read_status_report)
    assert back == one


RECALLED = st.builds(
    lambda reference, number, cents: recall.Recalled(
        reference=reference, number=number, cents=cents, currency="HKD" if cents else ""
    ),
    TEXT, st.just("") | st.integers(0, 9**9).map("P{}".format), st.integers(0, 10**14),
)  # fmt: skip


@given(st.lists(RECALLED, min_size=1, max_size=3), DIRECTORIES)
@settings(max_examples=40, deadline=None)
def test_recalls_go_out_and_come_back(payments: list[recall.Recalled], directory: Directory) -> None:
    """Goal: camt.056 both ways. Method: schema, oracle, canonical XML, read back."""
    one = recall.RecallRequest(identifier="C1", created=MOMENT, assigner="A", payments=tuple(payments))
    assert (
        same(recall.write_recall(one, directory), recall.REQUEST, lambda leaves: recall.read_recall(leaves, directory))
        == one
    )


RESOLVED = st.sampled_from([row for row in CASH if row.at.startswith("TxCxlSts")])


@given(st.lists(st.tuples(TEXT, RESOLVED, TOLD), min_size=1, max_size=3), DIRECTORIES)
@settings(max_examples=40, deadline=None)
def test_resolutions_go_out_and_come_back(told: list[tuple[str, Code, str]], directory: Directory) -> None:
    """Goal: camt.029 both ways. Method: schema, oracle, canonical XML, read back."""
    payments = tuple(recall.Resolved(name, "P1", State(row.at, row.code, words)) for name, row, words in told)
    one = recall.Resolution(identifier="R1", created=MOMENT, assignee="B", request="C1",
                            state=recall.whole_state(payments, DAY), payments=payments)  # fmt: skip
    text = recall.write_resolution(one, directory)
    assert same(text, recall.RESOLUTION, lambda leaves: recall.read_resolution(leaves, directory)) == one


ENTRIES = st.lists(st.builds(Entry, st.integers(0, 10**6).map("P{}".format), st.integers(0, 10**14), st.booleans(),
                             st.dates().map(str), st.just("") | st.just("B/HOUSE"), st.just("") | TEXT),
                   max_size=4)  # fmt: skip


@given(ENTRIES, st.integers(-(10**14), 10**14), st.integers(-(10**14), 10**14))
@settings(max_examples=40, deadline=None)
def test_statements_go_out_and_come_back(entries: list[Entry], opening: int, available: int) -> None:
    """Goal: camt.053 both ways, and no sum is taken on trust. Method: schema, oracle, read back; a cent more."""
    closing = opening + sum(one.cents if one.credited else -one.cents for one in entries)
    one = AccountStatement(
        identifier="S1", created=MOMENT, account="A/HOUSE", currency="CNY", date="2026-01-05", opening=opening,
        closing=closing, available=available, entries=tuple(entries),
    )  # fmt: skip
    text = account_statement.write_statement(one)
    assert same(text, account_statement.MESSAGE, account_statement.read_statement) == one
    with pytest.raises(Rejected, match="do not add up"):
        account_statement.write_statement(
            AccountStatement(**{**{name: getattr(one, name) for name in one.__struct_fields__}, "closing": closing + 1})
        )


@pytest.mark.parametrize("row", CASH, ids=lambda row: f"{row.message} {row.our}")
def test_every_row_of_the_table_can_be_said(row: Code) -> None:
    """Goal: no code that its message does not have. Method: each row in a document of its message, by the schema."""
    state = State(row.at, row.code)
    line = (PaymentStatus("1", "P1", state),) if row.at.startswith("TxSts") else ()
    if row.message == "pacs.002":
        report = StatusReport(identifier="1", created=MOMENT, original="1", message="pacs.009.001.11",
                              whole=None if line else state, payments=line)  # fmt: skip
        text = payment_status.write_status_report(report)
    else:
        one = state if row.at.startswith("TxCxlSts") else State("TxCxlSts/ACCR", "")
        both = recall.Resolution(
            identifier="1", created=MOMENT, assignee="A", request="1", payments=(recall.Resolved("1", "P1", one),),
            state=state if row.at.startswith("Conf") else State("Conf/CNCL", ""),
        )  # fmt: skip
        text = recall.write_resolution(both, PLAIN)
    read_messages(text.encode())
    assert meaning_of(row.message, state)


def test_every_refusal_has_a_code() -> None:
    """Goal: nothing is refused in silence. Method: every reason in both messages."""
    for message in ("pacs.002", "camt.029"):
        for reason in RejectionReason:
            assert refusal(message, Rejection(reason=reason, message="x" * 300), DAY).code


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("<Nm>Ms Chan</Nm>", "<PstlAdr><TwnNm>Central</TwnNm></PstlAdr>", "CdtTrfTxInf/Dbtr"),
        ("<Id>B</Id>", "<Id>Z</Id>", "CdtTrfTxInf/CdtrAgt/FinInstnId"),
        ("<Id>B/HOUSE</Id>", "<Id>A/HOUSE</Id>", "CdtTrfTxInf/CdtrAgtAcct/Id/Othr/Id"),
        ("<ChrgBr>SHAR</ChrgBr>", "<ChrgBr>SHAR</ChrgBr><ChrgsInf><Amt Ccy='HKD'>1.00</Amt><Agt><FinInstnId><BICFI>"
         "ALPHHKHH</BICFI></FinInstnId></Agt></ChrgsInf>", "CdtTrfTxInf/ChrgsInf/Amt"),
        ("Ccy=\"HKD\"", "Ccy=\"GBP\"", "IntrBkSttlmAmt"),
    ],
)  # fmt: skip
def test_usage_rules_of_customers_payments(old: str, new: str, field: str) -> None:
    """Goal: what is not acted on or contradicts itself is refused. Method: one breach a message."""
    one = Payment(reference="1", payer="A/HOUSE", payee="B/HOUSE", currency="HKD", amount="7.00", on_behalf="yes",
                  debtor="Ms Chan", creditor="Mr Lee")  # fmt: skip
    text = write_payment_message([one], PLAIN, "M1", MOMENT)
    assert old in text
    (received,) = read_messages(text.replace(old, new).encode())
    with pytest.raises(Rejected) as caught:
        read_payment_message(leaves_of(received), PLAIN, CUSTOMER_MESSAGE)
    assert caught.value.rejections[0].field == field


def payment(reference: int, payer: str, payee: str, cents: int, **more: str) -> Payment:
    """Return a payment between house accounts in HKD."""
    return Payment(reference=str(reference), payer=f"{payer}/HOUSE", payee=f"{payee}/HOUSE", currency="HKD",
                   amount=f"{cents // 100}.{cents % 100:02d}", **more)  # fmt: skip


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A house on disk: A and B have HKD 1,000 each."""
    told = Story()
    for who in "AB":
        told.give(who, "HKD", 100_000)
    with Session.open(tmp_path / "house") as session:
        for place, command in enumerate(told.told):
            session.once(f"setup/{place}", lambda command=command: command)
    return tmp_path / "house"


def replies_of(data: bytes) -> list[tuple[str, Leaves]]:
    """Return the kinds and leaves of replies; all follow their schemas."""
    return [(one.message[:8], leaves_of(one)) for one in read_messages(data)]


def test_a_day_of_payments_recalls_and_statements(house: Path, tmp_path: Path) -> None:
    """Goal: the whole way. Method: a payment that settles, one that waits, one of a customer, a liquidity transfer, a
    wrong day; recall of what waits, of what has settled, of what is another's; the statement adds up to the ledger.
    """
    path = tmp_path / "day.xml"
    customers = payment(3, "A", "B", 20_000, on_behalf="yes", debtor="Ms Chan", creditor="Mr Lee")
    documents = [
        write_payment_message([payment(1, "A", "B", 30_000), payment(2, "A", "B", 90_000)], PLAIN, "M1", MOMENT),
        write_payment_message([customers], PLAIN, "M2", MOMENT),
        write_liquidity_transfer(payment(4, "B", "A", 1_000, date=str(DAY)), PLAIN, MOMENT),
        write_payment_message([payment(5, "B", "A", 500, date="2026-01-06")], PLAIN, "M3", MOMENT),
    ]
    path.write_bytes(write_file(documents, "F1", MOMENT))
    sent, replies = send_messages(house, path, second=36_000)
    assert (sent.payments, sent.not_done) == (4, 1)
    reports = [payment_status.read_status_report(leaves) for _, leaves in replies_of(replies)]
    assert [[each.state.at for each in one.payments] for one in reports] == [
        ["TxSts/ACSC", "TxSts/PDNG"], ["TxSts/PDNG"], ["TxSts/ACSC"], [],
    ]  # fmt: skip
    assert [one.original for one in reports] == ["M1", "M2", "4", "M3"]
    assert reports[3].whole is not None
    assert "is to settle on 2026-01-06" in reports[3].whole.text

    asked = recall.RecallRequest(identifier="C1", created=MOMENT, assigner="A", payments=(
        recall.Recalled(reference="2", cents=90_000, currency="HKD"), recall.Recalled(reference="1"),
        recall.Recalled(reference="", number="P3"), recall.Recalled(reference="3", cents=1, currency="HKD"),
        recall.Recalled(reference="X"),
    ))  # fmt: skip
    path.write_bytes(write_one(recall.write_recall(asked, PLAIN)))
    sent, replies = send_messages(house, path, "A", second=36_060)
    assert (sent.done, sent.not_done) == (1, 4), sent.rejections
    ((kind, leaves),) = replies_of(replies)
    answer = recall.read_resolution(leaves, PLAIN)
    assert (kind, answer.state.at, answer.request) == ("camt.029", "Conf/PECR", "C1")
    assert [(one.state.at[-4:], one.state.code) for one in answer.payments] == [
        ("ACCR", ""), ("RJCR", "AGNT"), ("RJCR", "NOOR"), ("RJCR", "NARR"), ("RJCR", "NOOR"),
    ]  # fmt: skip
    sent, replies = send_messages(house, path, "B", second=36_120)
    assert recall.read_resolution(replies_of(replies)[0][1], PLAIN).state.at == "Conf/RJCR", "A's payments are not B's"

    count, data = payment_status_file(house, "A")
    assert count == 1
    stand = payment_status.read_status_report(replies_of(data)[0][1])
    # the customer's payment settled when the larger one before it was cancelled
    assert [each.state.at[-4:] for each in stand.payments] == ["ACSC", "CANC", "ACSC"]
    told = {}
    for who in "AB":
        count, data = account_statement_file(house, who)
        one = account_statement.read_statement(replies_of(data)[0][1])
        told[who] = (one.opening, one.closing, len(one.entries))
        with Session.open(house, read_only=True) as session:
            ledger, book = session.house.ledger, session.house.resolved
            assert int(ledger.balance[ledger.find(book.account_index[who, "HOUSE"], 0)]) == one.closing
    assert told == {"A": (100_000, 51_000, 3), "B": (100_000, 149_000, 3)}


def test_other_bookings_are_one_entry(house: Path, tmp_path: Path) -> None:
    """Goal: opening and entries lead to what stands. Method: a payment, then a deposit that no payment explains."""
    with pytest.raises(Rejected, match="day of money has not begun"):
        account_statement_file(house, "A")
    path = tmp_path / "day.xml"
    path.write_bytes(write_one(write_payment_message([payment(1, "A", "B", 30_000)], PLAIN, "M1", MOMENT)))
    send_messages(house, path, second=36_000)
    told = Story()
    told.give("A", "HKD", 777)
    with Session.open(house) as session:
        session.once("more", lambda: told.told[-1])
    _, data = account_statement_file(house, "A")
    one = account_statement.read_statement(replies_of(data)[0][1])
    assert [(entry.cents, entry.credited, entry.note) for entry in one.entries] == [
        (30_000, False, ""), (777, True, account_statement.OTHER),
    ]  # fmt: skip
    assert one.closing == 70_777


def test_from_the_command_line(house: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: reachable by hand. Method: send with replies, payments, statement; a nobody is refused in one line."""
    path, replies, out = tmp_path / "day.xml", tmp_path / "replies.xml", tmp_path / "out.xml"
    path.write_bytes(write_one(write_payment_message([payment(1, "A", "B", 30_000)], PLAIN, "M1", MOMENT)))
    own = ("--house", str(house), "--json")
    assert main(["messages", "send", "--file", str(path), "--at", "10:00", "--replies", str(replies), *own]) == 0
    assert json.loads(capsys.readouterr().out)["payments"] == 1
    for verb, figure in (("payments", "reports"), ("statement", "statements")):
        assert main(["messages", verb, "--participant", "A", "--out", str(out), *own]) == 0
        assert json.loads(capsys.readouterr().out)[figure] == 1
        assert main(["messages", "check", "--file", str(out)]) == 0
        capsys.readouterr()
        assert main(["messages", verb, "--participant", "Z", "--out", str(out), *own]) == 2
        assert "no participant 'Z'" in capsys.readouterr().err
    assert main(["messages", "check", "--file", str(replies)]) == 0
