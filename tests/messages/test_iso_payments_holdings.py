"""pacs.009 and semt.002 both ways, and against the house: payments sent as messages, holdings as the ledger has them.

Goal: payments come in by message as by CSV, statements say what the books say. Method: drawn contents through schema
and oracle; two houses, one fed CSV and one pacs.009, compared by state hash; statements beside the ledger.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from iso_oracle import canonical, through_oracle

sys.path.append(str(Path(__file__).resolve().parents[1] / "clearing"))
sys.path.append(str(Path(__file__).resolve().parents[1] / "custody"))
sys.path.append(str(Path(__file__).resolve().parents[1] / "settlement" / "stories"))

from clearing_book import resolved
from custody_story import ISIN, CustodyStory
from story import SHARE, Story

from tsingma.app.iso_files import directory_of, notice_file, send_messages
from tsingma.app.payments import send_payments
from tsingma.app.session import Session
from tsingma.basics.rejection import Rejected
from tsingma.messages.iso20022.header import write_one
from tsingma.messages.iso20022.holdings import Holding, HoldingStatement, read_holdings, statement_of, write_holdings
from tsingma.messages.iso20022.leaves import leaves_of
from tsingma.messages.iso20022.notice import Entry, Notice, read_notice, write_notice
from tsingma.messages.iso20022.parties import Directory
from tsingma.messages.iso20022.payment import Payment, payment_columns, read_payment_message, write_payment_message
from tsingma.messages.iso20022.schema import read_messages
from tsingma.messages.payment_file import COLUMNS, read_payments

MOMENT = datetime(2026, 1, 5, 9, tzinfo=UTC)
BOND = "HK0000096088"
PLAIN = Directory(resolved())
NAMED = Directory(resolved(), bics={"A": "ALPHHKHH"}, face_cents={BOND: 100_000})
TEXT = st.text(st.characters(codec="ascii", categories=("L", "N", "P", "S")), min_size=1, max_size=35)

PAYMENTS = st.builds(
    lambda reference, payer, payee, currency, cents, priority, due: Payment(
        reference=reference, payer=payer, payee=payee, currency=currency, amount=f"{cents // 100}.{cents % 100:02d}",
        priority=priority, due=due,
    ),
    TEXT, st.sampled_from(["A/HOUSE", "A/CLIENT"]), st.sampled_from(["B/HOUSE", "B/OMNIBUS"]),
    st.sampled_from(["HKD", "CNY", "USD", "EUR"]), st.integers(1, 10**14),
    st.sampled_from(["urgent", "high", "normal"]),
    st.times().map(lambda time: time.strftime("%H:%M:%S")) | st.just(""),
)  # fmt: skip


@given(st.lists(PAYMENTS, min_size=1, max_size=4), st.sampled_from([PLAIN, NAMED]))
@settings(max_examples=60, deadline=None)
def test_payments_go_out_and_come_back(several: list[Payment], directory: Directory) -> None:
    """Goal: pacs.009 both ways. Method: schema, oracle, canonical XML, read back; columns as of a payment file."""
    ours = write_payment_message(several, directory, "M1", MOMENT).encode()
    read_messages(ours)
    theirs = through_oracle(ours, "pacs.009.001.11")
    assert canonical(theirs) == canonical(ours)
    back = read_payment_message(leaves_of(read_messages(theirs)[0]), directory)
    assert back == tuple(several)
    columns = payment_columns(back, [1] * len(back), directory.book, file="F")
    assert columns["amount"].tolist() == [int(one.amount.replace(".", "")) for one in several]


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("<NbOfTxs>1<", "<NbOfTxs>2<", "GrpHdr/NbOfTxs"),
        ("<SttlmInf>", '<TtlIntrBkSttlmAmt Ccy="HKD">5.00</TtlIntrBkSttlmAmt><SttlmInf>', "GrpHdr/TtlIntrBkSttlmAmt"),
        ("<Id>B</Id>", "<Id>Z</Id>", "CdtTrfTxInf/Cdtr/FinInstnId"),
        ("<Id>B/HOUSE</Id>", "<Id>A/HOUSE</Id>", "CdtTrfTxInf/CdtrAcct/Id/Othr/Id"),
        ("09:30:00+08:00", "09:30:00Z", "CdtTrfTxInf/SttlmTmReq/TillTm"),
        ("TillTm>", "FrTm>", "CdtTrfTxInf/SttlmTmReq/FrTm"),
        ("7.00</", "7.001</", "IntrBkSttlmAmt"),
    ],
)
def test_usage_rules_of_payments(old: str, new: str, field: str) -> None:
    """Goal: what is not acted on or contradicts itself is refused. Method: one breach a message."""
    one = Payment(reference="1", payer="A/HOUSE", payee="B/HOUSE", currency="HKD", amount="7.00", due="09:30:00")
    text = write_payment_message([one], PLAIN, "M1", MOMENT)
    assert old in text
    (received,) = read_messages(text.replace(old, new).encode())
    with pytest.raises(Rejected) as caught:
        read_payment_message(leaves_of(received), PLAIN)
    assert caught.value.rejections[0].field == field


def test_a_payment_day_by_messages_is_one_by_csv(tmp_path: Path) -> None:
    """Goal: one state. Method: 60 payments, some that wait, as CSV to one house and as pacs.009 to another."""
    chance = np.random.default_rng(5)
    several = [
        Payment(
            reference=f"P{number}", payer=f"{payer}/HOUSE", payee=f"{payee}/HOUSE", currency="HKD",
            amount=f"{chance.integers(1, 90_000)}.{chance.integers(0, 100):02d}",
            priority=str(chance.choice(["urgent", "high", "normal"])),
        )
        for number in range(60)
        for payer, payee in [chance.choice(list("ABCD"), 2, replace=False)]
    ]  # fmt: skip
    digests = []
    for name in ("csv", "iso"):
        told = Story()
        for who in "ABCD":
            told.give(who, "HKD", 10_000_000)
        with Session.open(tmp_path / name) as session:
            for place, command in enumerate(told.told):
                session.once(f"setup/{place}", lambda command=command: command)
            directory = Directory(session.house.resolved)
        if name == "csv":
            path = tmp_path / "day.csv"
            lines = [",".join(getattr(one, field, "") for field in COLUMNS) for one in several]
            path.write_text("\n".join([",".join(COLUMNS), *lines]) + "\n", encoding="utf-8")
            assert read_payments(path.read_bytes(), directory.book)["payer"].size == 60
            sent = send_payments(tmp_path / name, path, second=36_000)
            assert (sent.payments, sent.waiting > 0) == (60, True)
        else:
            path = tmp_path / "day.xml"
            path.write_bytes(write_one(write_payment_message(several, directory, "M1", MOMENT)))
            answered, _ = send_messages(tmp_path / name, path, second=36_000)
            assert (answered.messages, answered.payments) == ({"pacs.009.001.11": 1}, 60)
        with Session.open(tmp_path / name, read_only=True) as session:
            digests.append(session.house.digest())
    assert digests[0] == digests[1]
    check_notices(tmp_path / "iso")
    answered, _ = send_messages(tmp_path / "iso", path, second=36_001)
    assert answered.payments == 60, "the same file of the same sender is sent only once"
    path.write_bytes(write_one(write_payment_message(several[:1], directory, "M2", MOMENT)))
    other = next(who for who in "ABCD" if not several[0].payer.startswith(who))
    answered, _ = send_messages(tmp_path / "iso", path, other, second=36_001)
    assert (answered.payments, answered.not_done) == (0, 1), "nobody pays from another's account"


def check_notices(house: Path) -> None:
    """Compare what participants are told with what their balances are: opening 100,000 and the entries."""
    told = 0
    with Session.open(house, read_only=True) as session:
        ledger, book = session.house.ledger, session.house.resolved
        balances = {who: int(ledger.balance[ledger.find(book.account_index[who, "HOUSE"], 0)]) for who in "ABCD"}
    for who, balance in balances.items():
        count, data = notice_file(house, who)
        assert count == 1
        notice = read_notice(leaves_of(read_messages(data)[0]))
        assert (notice.account, notice.currency) == (f"{who}/HOUSE", "HKD")
        assert 10_000_000 + sum(one.cents if one.credited else -one.cents for one in notice.entries) == balance
        told += len(notice.entries)
    assert told > 60


@given(st.lists(st.builds(Entry, st.integers(0, 10**6).map("P{}".format), st.integers(0, 10**14), st.booleans(),
                          st.dates().map(str), st.sampled_from(["B/HOUSE", "C/CLIENT"])), max_size=4))  # fmt: skip
@settings(max_examples=40, deadline=None)
def test_notices_go_out_and_come_back(entries: list[Entry]) -> None:
    """Goal: camt.054 both ways. Method: schema, oracle, canonical XML, read back."""
    one = Notice("N1", MOMENT, "A/HOUSE", "CNY", tuple(entries))
    ours = write_notice(one).encode()
    read_messages(ours)
    theirs = through_oracle(ours, "camt.054.001.12")
    assert canonical(theirs) == canonical(ours)
    assert read_notice(leaves_of(read_messages(theirs)[0])) == one
    if entries:
        wrong = ours.replace(b"<Cd>BOOK</Cd></Sts>", b"<Cd>PDNG</Cd></Sts>", 1)
        with pytest.raises(Rejected, match="is not booked"):
            read_notice(leaves_of(read_messages(wrong)[0]))


@st.composite
def holdings(draw: st.DrawFn) -> HoldingStatement:
    """Return a statement whose parts add up."""
    lines = []
    for isin in draw(st.lists(st.sampled_from(["KYG875721634", BOND, "CNE0000018R8"]), unique=True)):
        held, pledged, free = (draw(st.integers(0, 10**9)) for _ in range(3))
        lines.append(Holding(isin, held + pledged + free, held, pledged))
    return HoldingStatement("S1", "A/HOUSE", "2026-01-05", draw(st.booleans()), tuple(lines))


@given(holdings(), st.sampled_from([PLAIN, NAMED]))
@settings(max_examples=60, deadline=None)
def test_statements_go_out_and_come_back(one: HoldingStatement, directory: Directory) -> None:
    """Goal: semt.002 both ways. Method: schema, oracle, canonical XML, read back."""
    ours = write_holdings(one, directory).encode()
    read_messages(ours)
    theirs = through_oracle(ours, "semt.002.001.11")
    assert canonical(theirs) == canonical(ours)
    assert read_holdings(leaves_of(read_messages(theirs)[0]), directory) == one


def test_registered_debt_is_told_in_face() -> None:
    """Goal: the register gives the face. Method: a registered bond of CNY 100 a unit and a share, on one statement."""
    told = CustodyStory()
    told.register("BOND")
    told.issue("BOND", A=7)
    told.give("A", "SHARE", 3)
    directory = directory_of(told.house)
    assert directory.face_cents == {ISIN["BOND"]: 10_000}
    found = statement_of(told.house, told.account("A"), "S1")
    text = write_holdings(found, directory)
    assert "<FaceAmt>700.00</FaceAmt>" in text
    assert "<Unit>3</Unit>" in text
    assert read_holdings(leaves_of(read_messages(text.encode())[0]), directory) == found


def test_a_statement_says_what_the_ledger_has() -> None:
    """Goal: no line more or less. Method: a house with two holdings and one sold out; a part that does not add up."""
    told = Story()
    told.give("A", SHARE, 700)
    told.give("A", BOND, 5)
    directory = Directory(told.house.resolved)
    found = statement_of(told.house, told.account("A"), "S1")
    assert found.holdings == (Holding(BOND, 5), Holding(SHARE, 700))
    assert statement_of(told.house, told.account("B"), "S1").holdings == ()
    text = write_holdings(found, directory).replace("<Unit>700</Unit>", "<Unit>701</Unit>", 1)
    with pytest.raises(Rejected, match="do not add up"):
        read_holdings(leaves_of(read_messages(text.encode())[0]), directory)
