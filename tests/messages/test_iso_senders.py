"""Whose a file is: its sender, its headers, BICs; nobody takes another's place by what he sends.

Goal: a participant can neither act for another, nor keep another's file from being taken, nor learn what became of it.
Method: the same bytes from two senders, by each of three ways in; headers of others; directories that say two things.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

sys.path.append(str(Path(__file__).resolve().parents[1] / "settlement" / "stories"))

from story import SHARE, Story

from tsingma.app.instructions import send_file
from tsingma.app.iso_files import directory_of, send_in, send_messages
from tsingma.app.payments import send_payments
from tsingma.app.session import Session
from tsingma.basics.rejection import Rejected, RejectionReason
from tsingma.messages.iso20022 import requests
from tsingma.messages.iso20022.header import Header, read_header, write_file, write_one
from tsingma.messages.iso20022.instruction import MESSAGE, Instruction, write_instruction
from tsingma.messages.iso20022.leaves import leaves_of
from tsingma.messages.iso20022.parties import Directory
from tsingma.messages.iso20022.schema import read_messages
from tsingma.messages.iso20022.status import read_cancellation_status
from tsingma.reference.book import ResolvedBook

MOMENT = datetime(2026, 1, 5, 9, tzinfo=UTC)
ORDER = Instruction(
    reference="1", account="A/HOUSE", side="deliver", counterparty="B", kind="dvp", quantity="100", isin=SHARE,
    trade_date="2026-01-02", intended_date="2026-01-05", currency="HKD", amount="30000.00",
)  # fmt: skip
ORDERS = "reference,account,side,counterparty,kind,isin,quantity,currency,amount,trade_date,intended_date\n"
PAYMENTS = (
    "reference,payer,payee,currency,amount,priority,due,on_behalf,pair,mainland\n"
    "1,A/HOUSE,B/HOUSE,HKD,5.00,normal,,,,\n"
)


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A house that settles: A has shares and money."""
    told = Story()
    told.give("A", SHARE, 1_000)
    told.give("A", "HKD", 10_000_000)
    told.run("continuous-settlement")
    with Session.open(tmp_path / "house") as session:
        for place, command in enumerate(told.told):
            session.once(f"setup/{place}", lambda command=command: command)
    return tmp_path / "house"


@pytest.fixture
def session(house: Path) -> Iterator[Session]:
    """The same, open."""
    with Session.open(house) as opened:
        yield opened


def message_file(directory: Directory, *headers: Header, reference: str = "1") -> bytes:
    """Return A's order as many times as there are headers, or once without."""
    orders = [
        write_instruction(msgspec.structs.replace(ORDER, reference=str(int(reference) + place)), directory)
        for place in range(max(len(headers), 1))
    ]
    return write_file(orders, "F", MOMENT, headers)


def header(sender: str, receiver: str = "HKSCC") -> Header:
    """Return a header of an order."""
    return Header(sender, receiver, f"H-{sender}", MESSAGE, MOMENT)


def test_another_cannot_take_a_message_files_place(session: Session) -> None:
    """Goal: B has A's bytes first and A is taken all the same, B learns nothing. Method: B, A, B again, A again."""
    directory, path = directory_of(session.house), Path("f.xml")
    data = message_file(directory)
    told = {}
    for place, who in enumerate(("B", "A", "B", "A")):
        told[place], replies = send_in(session, path, data, who, None, directory)
        assert bool(replies) == (who == "B"), "refused, and told so"
    assert [(told[place].waiting, told[place].refused) for place in range(4)] == [(0, 1), (1, 0), (0, 1), (1, 0)]
    assert len(session.house.settlement.orders) == 1, "each of A's two is one"


def test_another_cannot_take_a_csv_files_place(house: Path, tmp_path: Path) -> None:
    """Goal: the same of instruction and payment files. Method: B first, then A, then A again."""
    orders, payments = tmp_path / "orders.csv", tmp_path / "payments.csv"
    orders.write_text(f"{ORDERS}1,A/HOUSE,deliver,B,dvp,{SHARE},100,HKD,30000.00,2026-01-02,2026-01-05\n", "utf-8")
    payments.write_text(PAYMENTS, encoding="utf-8")
    assert send_file(house, orders, "B").refused == 1
    with pytest.raises(Rejected):
        send_payments(house, payments, "B")
    for _ in range(2):
        assert (send_file(house, orders, "A").waiting, send_payments(house, payments, "A").payments) == (1, 1)
    with Session.open(house, read_only=True) as session:
        assert (len(session.house.settlement.orders), len(session.house.money.payments)) == (1, 1)


def test_a_header_binds_its_message(session: Session) -> None:
    """Goal: who a header names has only its own rights, also in the house's intake. Method: A's order under headers of
    A, of B and of the house, in one file.
    """
    directory = directory_of(session.house)
    data = message_file(directory, header("A"), header("B"), header("HKSCC"), reference="7")
    sent, replies = send_in(session, Path("f.xml"), data, "", None, directory)
    assert (sent.waiting, sent.refused) == (2, 1)
    assert [one.subject for one in sent.rejections] == ["order 8"]
    (reply,) = read_messages(replies)
    told = read_header(reply)
    assert told is not None
    assert (told.sender, told.receiver, told.message) == ("HKSCC", "B", "sese.024.001.12")
    assert leaves_of(reply)["TxId/AcctOwnrTxId"] == "8"


def test_headers_to_others_and_of_others_are_refused(house: Path, tmp_path: Path) -> None:
    """Goal: whole or not at all. Method: a good header first, then one to another receiver, or of another sender."""
    path = tmp_path / "f.xml"
    with Session.open(house, read_only=True) as session:
        directory, before = directory_of(session.house), session.sequencer.sequence
    for wrong, says in ((header("A", "B"), "is to B, this is HKSCC"), (header("B"), "is of B, A sends it")):
        path.write_bytes(message_file(directory, header("A"), wrong))
        with pytest.raises(Rejected, match=says) as caught:
            send_messages(house, path, "A")
        assert len(caught.value.rejections) == 1
    with Session.open(house, read_only=True) as session:
        assert session.sequencer.sequence == before


def test_a_bic_is_of_one_office(session: Session, tmp_path: Path) -> None:
    """Goal: ISO 9362: eight letters are the head office, XXX. Method: both spellings found; both of two participants,
    a branch beside, and a participant on two lines.
    """
    book: ResolvedBook = session.house.resolved
    for known in ("ALPHHKHH", "ALPHHKHHXXX"):
        directory = Directory(book, {"A": known, "B": "ALPHHKHH123"})
        for said, who in (("ALPHHKHH", "A"), ("ALPHHKHHXXX", "A"), ("ALPHHKHH123", "B")):
            assert directory.participant({"p/Id/AnyBIC": said}, "p") == who
    with pytest.raises(Rejected, match="stands for two participants"):
        Directory(book, {"A": "ALPHHKHH", "B": "ALPHHKHHXXX"})
    with pytest.raises(Rejected, match="no participant has the BIC"):
        Directory(book, {"A": "ALPHHKHH"}).participant({"p/Id/AnyBIC": "ALPHHKHH123"}, "p")
    bics = tmp_path / "bics.csv"
    bics.write_text("participant,bic\nA,ALPHHKHH\nA,BETAHKHH\n", encoding="utf-8")
    with pytest.raises(Rejected, match="stands twice") as caught:
        directory_of(session.house, bics)
    assert (caught.value.rejections[0].line, caught.value.rejections[0].reason) == (3, RejectionReason.DUPLICATE)


def test_a_cancellation_that_contradicts_its_instruction_is_refused(session: Session) -> None:
    """Goal: nothing is cancelled by mistake. Method: A's order by its reference, with one thing of it said wrong each;
    then as it is, of an order and of an instruction that it has become.
    """
    directory, path = directory_of(session.house), Path("f.xml")
    both = (ORDER, msgspec.structs.replace(ORDER, account="B/HOUSE", side="receive", counterparty="A"))
    for number, one in enumerate((*both, msgspec.structs.replace(ORDER, reference="2"))):
        data = write_one(write_instruction(one, directory))
        send_in(session, path, data, one.account[0], None, directory)
        assert len(session.house.settlement.orders) == number + 1
    right = requests.Cancellation(reference="2", delivers=True, free=False, account="A/HOUSE", number="O2")
    wrong = {"delivers": False, "free": True, "account": "A/CLIENT", "number": "O0"}
    for reference, number in (("2", "O2"), ("1", "I0")):
        known = msgspec.structs.replace(right, reference=reference, number=number)
        for field, value in wrong.items():
            asked = requests.write_cancellation(msgspec.structs.replace(known, **{field: value}))
            sent, replies = send_in(session, path, write_one(asked), "A", None, directory)
            if (reference, field) == ("1", "number"):
                assert sent.done == 1, "it was order 0 before it found its match"
                continue
            assert [one.reason for one in sent.rejections] == [RejectionReason.CONFLICT], field
            said = read_cancellation_status(leaves_of(read_messages(replies)[0]))
            assert (said.reference, said.state.at) == (reference, "PrcgSts/Rjctd")
    sent, _ = send_in(session, path, write_one(requests.write_cancellation(right)), "A", None, directory)
    assert (sent.done, sent.rejections) == (1, ())
