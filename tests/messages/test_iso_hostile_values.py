"""Drawn nonsense in every value of the cash and collateral messages that the house takes in.

Goal: what comes in is understood or refused; no content is a traceback. Method: good documents, one or more values
replaced by drawn text, through schema, usage rules and the columns of a command.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

sys.path.append(str(Path(__file__).resolve().parents[1] / "clearing"))

from clearing_book import resolved

from tsingma.app.iso_cash import read_cash
from tsingma.app.iso_collateral import read_collateral
from tsingma.basics.rejection import Rejected
from tsingma.messages.iso20022 import account_statement, collateral, payment_status, recall
from tsingma.messages.iso20022.leaves import leaves_of
from tsingma.messages.iso20022.notice import Entry
from tsingma.messages.iso20022.parties import Directory
from tsingma.messages.iso20022.payment import Payment, write_liquidity_transfer, write_payment_message
from tsingma.messages.iso20022.schema import read_messages

MOMENT = datetime(2026, 1, 5, 9, tzinfo=UTC)
BOOK = Directory(resolved())
ABOUT = collateral.Obligation("OTC Clear", "A", "A/HOUSE", "2026-01-05")
PAID = Payment(reference="1", payer="A/HOUSE", payee="B/HOUSE", currency="HKD", amount="7.00", due="09:30:00",
               date="2026-01-05")  # fmt: skip
OTHERS = Payment(reference="1", payer="A/HOUSE", payee="B/HOUSE", currency="HKD", amount="7.00", on_behalf="yes",
                 debtor="Ms Chan", creditor="Mr Lee")  # fmt: skip
STATE = payment_status.State("TxSts/ACSC", "", "words")
DOCUMENTS = (
    write_payment_message([PAID], BOOK, "M1", MOMENT),
    write_payment_message([OTHERS], BOOK, "M1", MOMENT),
    write_liquidity_transfer(PAID, BOOK, MOMENT),
    recall.write_recall(
        recall.RecallRequest(identifier="C1", created=MOMENT, assigner="A", payments=(
            recall.Recalled(reference="1", number="P1", cents=700, currency="HKD"),)), BOOK),
    collateral.write_response(
        collateral.CallResponse(identifier="1", about=ABOUT, call="C1", agreed=5, note="n"), BOOK),
    collateral.write_proposal(
        collateral.Proposal(identifier="1", about=ABOUT, call="C1", agreed=5, pieces=(
            collateral.Piece(identifier="a", asset="HK0000096088", amount=1, counts=1),
            collateral.Piece(identifier="b", asset="HKD", amount=1, counts=1))), BOOK),
    payment_status.write_status_report(
        payment_status.StatusReport(identifier="1", created=MOMENT, original="M1", message="pacs.009.001.11", payments=(
            payment_status.PaymentStatus("1", "P1", STATE),))),
    account_statement.write_statement(
        account_statement.AccountStatement(
            identifier="1", created=MOMENT, account="A/HOUSE", currency="HKD", date="2026-01-05", opening=1, closing=2,
            available=2, entries=(Entry("P1", 1, True, "2026-01-05", "B/HOUSE"),))),
    collateral.write_call(
        collateral.MarginCall(identifier="1", about=ABOUT, required=5, lodged=1, due=4), BOOK),
)  # fmt: skip
READERS = {
    payment_status.MESSAGE: lambda one: payment_status.read_status_report(leaves_of(one)),
    account_statement.MESSAGE: lambda one: account_statement.read_statement(leaves_of(one)),
    collateral.CALL: lambda one: collateral.read_call(leaves_of(one), BOOK),
    collateral.RESPONSE: lambda one: read_collateral(one, BOOK, "F"),
    collateral.PROPOSAL: lambda one: read_collateral(one, BOOK, "F"),
}
VALUES = st.one_of(
    st.text(max_size=20), st.integers().map(str), st.decimals(allow_nan=False, allow_infinity=False).map(str),
    st.dates().map(str), st.sampled_from(["", "-0", "0.000", "1E400", "9" * 18, "NaN", "2026-01-05Z", " 7.00 ", "+1"]),
)  # fmt: skip


def read_or_refuse(place: int, edits: list[tuple[int, str, bool]]) -> None:
    """Replace values of a document, or take elements out, and read it."""
    root = etree.fromstring(DOCUMENTS[place].encode())
    for number, value, gone in edits:
        leaves = [element for element in root.iter() if len(element) == 0]
        chosen = leaves[number % len(leaves)]
        if gone and chosen.getparent() is not None:
            chosen.getparent().remove(chosen)
        else:
            chosen.text = "".join(letter for letter in value if letter in "\t\n\r" or letter.isprintable())
    try:
        (received,) = read_messages(etree.tostring(root, encoding="utf-8"), file="F")
        found = READERS.get(received.message, lambda one: read_cash(one, BOOK, "F"))(received)
    except Rejected as rejected:
        found = str(rejected)
    assert found


EDITS = st.lists(st.tuples(st.integers(0, 60), VALUES, st.booleans()), min_size=1, max_size=3)


@given(st.integers(0, len(DOCUMENTS) - 1), EDITS)
@settings(max_examples=400, deadline=None)
def test_no_value_is_a_traceback(place: int, edits: list[tuple[int, str, bool]]) -> None:
    """Goal: only messages or refusals. Method: values of good documents replaced or taken out."""
    read_or_refuse(place, edits)


@pytest.mark.soak
@given(st.integers(0, len(DOCUMENTS) - 1), EDITS)
@settings(max_examples=200_000, deadline=None)
def test_no_value_is_a_traceback_for_long(place: int, edits: list[tuple[int, str, bool]]) -> None:
    """Goal: only messages or refusals in ten minutes. Method: the same, 200,000 documents."""
    read_or_refuse(place, edits)


def test_untouched_documents_are_read() -> None:
    """Goal: the test above changes what would be read. Method: every document as it stands."""
    for place in range(len(DOCUMENTS)):
        (received,) = read_messages(DOCUMENTS[place].encode())
        assert READERS.get(received.message, lambda one: read_cash(one, BOOK, "F"))(received) is not None
