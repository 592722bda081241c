"""A file is carried out with its replies, or not at all, whatever stands in the identifiers and texts of its messages.

Goal: nothing is booked by a file that ends in a refusal, and no reply is invalid. Method: after a good order, each
message that the house takes in, with every value replaced by texts that hide, break lines, look like markup or run
long; journal before and after, replies by the schema.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import msgspec
import pytest
from lxml import etree

sys.path.append(str(Path(__file__).resolve().parents[1] / "settlement" / "stories"))

from story import SHARE, Story

from tsingma.app.iso_files import TAKEN, directory_of, send_in
from tsingma.app.session import Session
from tsingma.basics.dates import to_day
from tsingma.basics.rejection import Rejected, RejectionReason
from tsingma.journal import commands as do
from tsingma.messages.iso20022 import buy_in, collateral, event_election, recall, requests
from tsingma.messages.iso20022.header import Header, write_file, write_one
from tsingma.messages.iso20022.instruction import Instruction, write_instruction
from tsingma.messages.iso20022.parties import Directory
from tsingma.messages.iso20022.payment import Payment, write_liquidity_transfer, write_payment_message
from tsingma.messages.iso20022.schema import read_messages

MOMENT = datetime(2026, 1, 5, 9, tzinfo=UTC)
NASTY = ("a\tb", "a\u202eb", "\u3000", "=1+1", "x" * 35, " x ", "]]>&<\"'", "\u0085x", "\u9a30" * 35)
ORDER = Instruction(
    reference="1", account="A/HOUSE", side="deliver", counterparty="B", kind="dvp", quantity="1", isin=SHARE,
    trade_date="2026-01-02", intended_date="2026-01-05", currency="HKD", amount="1.00", common_reference="CR",
)  # fmt: skip
PAID = Payment(reference="7", payer="A/HOUSE", payee="B/HOUSE", currency="HKD", amount="7.00", due="09:30:00",
               date="2026-01-05")  # fmt: skip
OTHERS = msgspec.structs.replace(PAID, reference="8", on_behalf="yes", debtor="Ms Chan", creditor="Mr Lee")
ABOUT = collateral.Obligation("OTC Clear", "A", "A/HOUSE", "2026-01-05")


def documents(directory: Directory) -> dict[str, str]:
    """Return one of each message that is taken in, by its identifier."""
    pieces = (collateral.Piece(identifier="a", asset=SHARE, amount=1, counts=1),
              collateral.Piece(identifier="b", asset="HKD", amount=1, counts=1))  # fmt: skip
    named = recall.Recalled(reference="1", number="P1", cents=700, currency="HKD")
    written = (
        write_instruction(ORDER, directory),
        requests.write_cancellation(
            requests.Cancellation(reference="1", delivers=True, free=False, account="A/HOUSE", number="O1")),
        requests.write_modification(
            requests.Modification(reference="1", account="A/HOUSE", hold=True, priority="high", link="together",
                                  linked=("2",))),
        write_payment_message([PAID], directory, "M1", MOMENT),
        write_payment_message([OTHERS], directory, "M1", MOMENT),
        write_liquidity_transfer(PAID, directory, MOMENT),
        recall.write_recall(
            recall.RecallRequest(identifier="C1", created=MOMENT, assigner="A", payments=(named,)), directory),
        collateral.write_response(
            collateral.CallResponse(identifier="1", about=ABOUT, call="C1", agreed=5, note="n"), directory),
        collateral.write_proposal(
            collateral.Proposal(identifier="1", about=ABOUT, call="C1", agreed=5, pieces=pieces), directory),
        buy_in.write_answer(buy_in.BuyInAnswer("B1", 0, 5, 0), SHARE, directory),
        event_election.write_election(
            event_election.Election(reference="CA1", kind="DVOP", account="A/HOUSE", option=1, code="CASH", units=5),
            SHARE, directory),
    )  # fmt: skip
    return {read_messages(one.encode())[0].message: one for one in written}


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """A house that settles, kept open."""
    told = Story()
    for who, what, amount in (("A", SHARE, 10**6), ("A", "HKD", 10**9), ("B", "HKD", 10**9)):
        told.give(who, what, amount)
    told.run("continuous-settlement")
    with Session.open(tmp_path_factory.mktemp("half") / "house") as opened:
        for place, command in enumerate(told.told):
            opened.once(f"setup/{place}", lambda command=command: command)
        yield opened


def spoilt(document: str, place: int, value: str) -> str:
    """Return a document with its value at a place replaced."""
    root = etree.fromstring(document.encode())
    [element for element in root.iter() if len(element) == 0][place].text = value
    return str(etree.tostring(root, encoding="unicode"))


def values_of(document: str) -> int:
    """Return how many values a document has."""
    return sum(len(element) == 0 for element in etree.fromstring(document.encode()).iter())


@pytest.mark.parametrize("message", TAKEN)
def test_a_file_is_whole_or_not_at_all(session: Session, message: str) -> None:
    """Goal: as the module says. Method: every value of one message, with and without headers, after a good order."""
    directory = directory_of(session.house)
    document, sent, refused = documents(directory)[message], 0, 0
    for place in range(values_of(document)):
        for number, value in enumerate(NASTY):
            reference = str(1 + sent + 10_000 * (1 + TAKEN.index(message)))
            order = write_instruction(msgspec.structs.replace(ORDER, reference=reference), directory)
            headed = [Header("A", "HKSCC", "h", kind, MOMENT) for kind in (TAKEN[0], message)] if number % 2 else []
            data = write_file([order, spoilt(document, place, value)], f"F{sent}", MOMENT, headed)
            before = session.sequencer.sequence
            try:
                _, replies = send_in(session, Path("f.xml"), data, "A", None, directory)
            except Rejected:
                refused += 1
                assert session.sequencer.sequence == before, (message, place, value)
            else:
                assert b"f.xml" not in replies, "where the house keeps files is its own affair"
                assert not replies or read_messages(replies)
            sent += 1
    assert 0 < refused < sent


@pytest.mark.parametrize("value", ["a\u202eb", "\u0085x", "\u200bx"])
def test_what_does_not_print_is_named_by_its_place(session: Session, value: str) -> None:
    """Goal: a sender finds it. Method: the reference of a cancellation; nothing raw goes to the terminal."""
    directory = directory_of(session.house)
    document = documents(directory)[requests.CANCELLATION]
    with pytest.raises(Rejected, match="do not print") as caught:
        send_in(session, Path("f.xml"), spoilt(document, 0, value).encode(), "A", None, directory)
    assert caught.value.rejections[0].field == "AcctOwnrTxId/SctiesSttlmTxId/TxId"
    assert str(caught.value).isprintable()


def test_breaks_and_spaces_of_a_name_are_no_fault(session: Session) -> None:
    """Goal: a long name on two lines is paid to. Method: the creditor of a pacs.008, with a Chinese space."""
    directory = directory_of(session.house)
    payment = msgspec.structs.replace(OTHERS, reference="99", creditor="Chan\u3000Tai Man")
    document = write_payment_message([payment], directory, "M9", MOMENT).replace("Ms Chan", "Ms\n  Chan")
    sent, _ = send_in(session, Path("f.xml"), document.encode(), "A", None, directory)
    assert (sent.payments, sent.rejections) == (1, ())


def test_a_day_without_codes_takes_no_file(tmp_path: Path) -> None:
    """Goal: what cannot be answered is not carried out. Method: a house on a day before the table of codes begins."""
    told = Story()
    first = [command for command in told.told if isinstance(command, do.LoadReference)]
    with Session.open(tmp_path / "house") as opened:
        for place, command in enumerate([*first, do.OpenDay(to_day(date(2025, 12, 29)))]):
            opened.once(f"setup/{place}", lambda command=command: command)
        before, directory = opened.sequencer.sequence, directory_of(opened.house)
        data = write_one(write_instruction(ORDER, directory))
        with pytest.raises(Rejected) as caught:
            send_in(opened, Path("f.xml"), data, "A", None, directory)
        assert caught.value.rejections[0].reason is RejectionReason.BEYOND_HORIZON
        assert opened.sequencer.sequence == before
