"""What a suspended participant's messages are answered: the reason in the codes of ISO 20022, nothing taken.

Method: the messages of ``test_iso_half_done`` that ask for something new, sent by A while it is suspended, and by B for
a delivery to A; the replies by the schema.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from test_iso_half_done import ORDER, documents

sys.path.append(str(Path(__file__).resolve().parents[1] / "settlement" / "stories"))

from story import SHARE, Story

from tsingma.app.iso_files import directory_of, send_in
from tsingma.app.session import Session
from tsingma.journal.default_commands import SuspendParticipant
from tsingma.messages.iso20022.instruction import write_instruction
from tsingma.messages.iso20022.schema import read_messages

EIGHT_S = 1_767_571_200


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """A house that settles, in which A is suspended."""
    told = Story()
    for who, what in (("A", SHARE), ("A", "HKD"), ("B", "HKD"), ("B", SHARE)):
        told.give(who, what, 10**6)
    told.run("continuous-settlement")
    with Session.open(tmp_path_factory.mktemp("suspended") / "house") as opened:
        for place, command in enumerate([*told.told, SuspendParticipant("A", "a late call", EIGHT_S)]):
            opened.once(f"setup/{place}", lambda command=command: command)
        yield opened


@pytest.mark.parametrize(
    ("message", "said", "code"),
    [
        ("sese.023.001.11", "sese.024", "OTHR"), ("pacs.009.001.11", "pacs.002", "NARR"),
        ("pacs.008.001.12", "pacs.002", "NARR"), ("camt.050.001.07", "pacs.002", "NARR"),
    ],
)  # fmt: skip
def test_it_is_answered_that_it_is_suspended(session: Session, message: str, said: str, code: str) -> None:
    """Goal: a reply that says why. Method: one message each; the state of the house is the same afterwards."""
    directory = directory_of(session.house)
    before = session.house.settlement.instructions.counts(), session.house.money.payments.waiting
    sent, replies = send_in(session, Path("f.xml"), documents(directory)[message].encode(), "A", None, directory)
    assert [one.reason.value for one in sent.rejections] == ["suspended"]
    assert {one.message[:8] for one in read_messages(replies)} == {said}
    text = replies.decode()
    assert f"<Cd>{code}</Cd>" in text
    assert "suspended" in text
    assert (session.house.settlement.instructions.counts(), session.house.money.payments.waiting) == before


def test_who_delivers_to_it_is_told_too(session: Session) -> None:
    """Goal: nobody waits for a match that cannot come. Method: an order of B that names A."""
    directory = directory_of(session.house)
    order = msgspec.structs.replace(ORDER, reference="9", account="B/HOUSE", counterparty="A")
    document = write_instruction(order, directory)
    sent, replies = send_in(session, Path("f.xml"), document.encode(), "B", None, directory)
    assert [(one.reason.value, one.field) for one in sent.rejections] == [("suspended", "counterparty")]
    assert b"suspended or in default" in replies
