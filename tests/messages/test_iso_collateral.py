"""colr.003, colr.004, colr.007 and colr.008 both ways, and against the pool of collateral.

Goal: a call, what is agreed, proposed and taken comes back from another's classes unchanged, and a proposal pledges in
the books what the engine's own commands would. Method: drawn contents through schema and oracle; a house that calls.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from iso_oracle import canonical, through_oracle

sys.path.append(str(Path(__file__).resolve().parents[1] / "clearing"))
sys.path.append(str(Path(__file__).resolve().parents[1] / "margin_pool"))

from clearing_book import MONDAY, resolved
from pool_house import BILL, CGB, HKD, SHARE, PoolHouse

from tsingma.app.iso_files import call_file, proposal_file, send_messages
from tsingma.app.session import Session
from tsingma.basics.columns import pack
from tsingma.basics.dates import to_date
from tsingma.basics.rejection import Rejected, Rejection, RejectionReason
from tsingma.cli.main import main
from tsingma.engine.pooling import valuation
from tsingma.journal.commands import DepositAssets
from tsingma.journal.pool_commands import SetPoolCalls
from tsingma.messages.iso20022 import collateral
from tsingma.messages.iso20022.codes import Code, State, code_table, meaning_of, refusal
from tsingma.messages.iso20022.collateral import (
    CallResponse,
    MarginCall,
    Obligation,
    Piece,
    PieceAnswer,
    Proposal,
    ProposalAnswer,
)
from tsingma.messages.iso20022.header import write_file, write_one
from tsingma.messages.iso20022.leaves import Leaves, leaves_of
from tsingma.messages.iso20022.parties import Directory
from tsingma.messages.iso20022.schema import read_messages
from tsingma.reference.book import ResolvedBook

T = TypeVar("T")
DAY = to_date(MONDAY)
MOMENT = datetime(2026, 1, 5, 9, tzinfo=UTC)
BOND = "HK0000096088"
PLAIN = Directory(resolved())
NAMED = Directory(resolved(), bics={"A": "ALPHHKHH"}, face_cents={BOND: 100_000})
DIRECTORIES = st.sampled_from([PLAIN, NAMED])
ABOUT = Obligation("OTC Clear", "A", "A/CLIENT", "2026-01-05")
TEXT = st.text(st.characters(codec="ascii", categories=("L", "N", "P", "S")), min_size=1, max_size=35)
CENTS = st.integers(0, 10**14)
ROWS = [row for row in code_table() if row.message == "colr.008"]


def same(text: str, message: str, read: Callable[[Leaves], T]) -> T:
    """Return what is read back of a document after the oracle wrote it; its canonical XML is ours."""
    ours = text.encode()
    read_messages(ours)
    theirs = through_oracle(ours, message)
    assert canonical(theirs) == canonical(ours)
    return read(leaves_of(read_messages(theirs)[0]))


@given(TEXT, CENTS, CENTS, DIRECTORIES)
@settings(max_examples=40, deadline=None)
def test_calls_go_out_and_come_back(name: str, required: int, lodged: int, directory: Directory) -> None:
    """Goal: colr.003 both ways, and no sum on trust. Method: schema, oracle, read back; a cent more is due."""
    due = max(required - lodged, 0)
    one = MarginCall(identifier=name, about=ABOUT, required=required, lodged=lodged, due=due)
    text = collateral.write_call(one, directory)
    assert same(text, collateral.CALL, lambda leaves: collateral.read_call(leaves, directory)) == one
    with pytest.raises(Rejected, match="not what is required"):
        collateral.write_call(msgspec.structs.replace(one, due=due + 1), directory)


@given(TEXT, TEXT, CENTS, st.just("") | TEXT, DIRECTORIES)
@settings(max_examples=40, deadline=None)
def test_responses_go_out_and_come_back(name: str, call: str, agreed: int, note: str, directory: Directory) -> None:
    """Goal: colr.004 both ways. Method: schema, oracle, canonical XML, read back."""
    one = CallResponse(identifier=name, about=ABOUT, call=call, agreed=agreed, note=note)
    text = collateral.write_response(one, directory)
    assert same(text, collateral.RESPONSE, lambda leaves: collateral.read_response(leaves, directory)) == one


PIECES = st.lists(
    st.tuples(TEXT, st.sampled_from(["KYG875721634", BOND, "HKD", "CNY"]), st.integers(1, 10**12), CENTS),
    min_size=1, max_size=4, unique_by=lambda piece: piece[0],
).map(lambda rows: sorted(rows, key=lambda row: row[1] in ("HKD", "CNY")))  # fmt: skip


@given(PIECES, CENTS, DIRECTORIES)
@settings(max_examples=40, deadline=None)
def test_proposals_go_out_and_come_back(
    rows: list[tuple[str, str, int, int]], agreed: int, directory: Directory
) -> None:  # fmt: skip
    """Goal: colr.007 both ways, debt by its face. Method: schema, oracle, canonical XML, read back."""
    pieces = tuple(
        Piece(identifier=name, asset=asset, amount=amount, counts=counts) for name, asset, amount, counts in rows
    )
    one = Proposal(identifier="P1", about=ABOUT, call="C1", agreed=agreed, pieces=pieces)
    text = collateral.write_proposal(one, directory)
    assert same(text, collateral.PROPOSAL, lambda leaves: collateral.read_proposal(leaves, directory)) == one


@given(st.lists(st.tuples(TEXT, st.booleans(), st.sampled_from(ROWS)), min_size=1, max_size=4), DIRECTORIES)
@settings(max_examples=40, deadline=None)
def test_answers_go_out_and_come_back(rows: list[tuple[str, bool, Code]], directory: Directory) -> None:
    """Goal: colr.008 both ways. Method: schema, oracle, canonical XML, read back; every row of the table."""
    told = tuple(PieceAnswer(name, is_cash, State(row.at, row.code)) for name, is_cash, row in rows)
    one = ProposalAnswer(identifier="R1", about=ABOUT, proposal="P1",
                         pieces=tuple(sorted(told, key=lambda piece: piece.is_cash)))  # fmt: skip
    text = collateral.write_answer(one, directory)
    assert same(text, collateral.ANSWER, lambda leaves: collateral.read_answer(leaves, directory)) == one


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.our)
def test_every_row_of_the_table_can_be_said(row: Code) -> None:
    """Goal: no code that its message does not have. Method: each row in a document of its message, by the schema."""
    state = State(row.at, row.code)
    one = ProposalAnswer(identifier="1", about=ABOUT, proposal="1", pieces=(PieceAnswer("1", False, state),))
    read_messages(collateral.write_answer(one, PLAIN).encode())
    assert meaning_of("colr.008", state)


def test_every_refusal_has_a_code() -> None:
    """Goal: nothing is refused in silence. Method: every reason."""
    for reason in RejectionReason:
        assert refusal("colr.008", Rejection(reason=reason, message="x"), DAY).code


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("<Id>A</Id>", "<Id>Z</Id>", "Oblgtn/PtyB"),
        ("<CollAcctId><Id>A/HOUSE", "<CollAcctId><Id>B/HOUSE", "Oblgtn/CollAcctId/Id"),
        ('<AgrdAmt Ccy="HKD">', '<AgrdAmt Ccy="USD">', "TpAndDtls/CollPrpsl/SgrtdIndpdntAmt/AgrdAmt"),
        ("<CollId>1</CollId>", "", "TpAndDtls/CollPrpsl/SgrtdIndpdntAmt/MvmntDrctn/CollMvmntDrctn/Dlvr/CshColl"),
        ("<SfkpgAcct><Id>A/HOUSE", "<SfkpgAcct><Id>A/CLIENT",
         "TpAndDtls/CollPrpsl/SgrtdIndpdntAmt/MvmntDrctn/CollMvmntDrctn/Dlvr/SctiesColl/SfkpgAcct/Id"),
        ("<ISIN>HK0000096088", "<ISIN>HK0000096089",
         "TpAndDtls/CollPrpsl/SgrtdIndpdntAmt/MvmntDrctn/CollMvmntDrctn/Dlvr/SctiesColl/SctyId/ISIN"),
    ],
)  # fmt: skip
def test_usage_rules_of_proposals(old: str, new: str, field: str) -> None:
    """Goal: what contradicts itself or names nobody is refused. Method: one breach a message."""
    pieces = (
        Piece(identifier="0", asset=BOND, amount=3, counts=1),
        Piece(identifier="1", asset="HKD", amount=1, counts=1),
    )
    about = Obligation("HKSCC", "A", "A/HOUSE", "2026-01-05")
    one = Proposal(identifier="P1", about=about, call="C1", agreed=2, pieces=pieces)
    text = collateral.write_proposal(one, PLAIN)
    assert old in text
    (received,) = read_messages(text.replace(old, new).encode())
    with pytest.raises(Rejected) as caught:
        collateral.read_proposal(leaves_of(received), PLAIN)
    assert caught.value.rejections[0].field == field


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A house on disk: A has money, bills and shares, and is called by OTC Clear and HKSCC; B has nothing."""
    told = PoolHouse()
    a = told.account("A")
    for what, amount in ((HKD, 50_000_000), (told.asset(BILL), 2_000_000), (told.asset(SHARE), 5_000)):
        told.do(DepositAssets(pack([a], "i4"), pack([what], "i4"), pack([amount], "i8")))
    for taker, cents in (("OTC Clear", 100_000_000), ("HKSCC", 30_000_000)):
        told.do(SetPoolCalls("test", taker, pack([a], "i4"), pack([cents], "i8")))
    with Session.open(tmp_path / "house") as session:
        for place, command in enumerate(told.told):
            session.once(f"setup/{place}", lambda command=command: command)
    return tmp_path / "house"


def shortfalls(house: Path) -> dict[str, int]:
    """Return what calls of A are not covered, by taker."""
    with Session.open(house, read_only=True) as session:
        return {key[1]: cents for key, cents in session.house.pool.shortfalls(valuation(session.house)).items()}


def test_from_the_call_to_the_pledge(house: Path, tmp_path: Path) -> None:
    """Goal: call, agreement, proposal, pledge, all by message. Method: what is told beside what the pool says."""
    before = shortfalls(house)
    assert set(before) == {"OTC Clear", "HKSCC"}
    count, data = call_file(house, "A")
    calls = [collateral.read_call(leaves_of(one), Directory(book_of(house))) for one in read_messages(data)]
    assert count == 2
    assert {one.about.taker: one.due for one in calls} == before
    path = tmp_path / "answer.xml"
    agreed = [CallResponse(identifier=f"{n}", about=one.about, call=one.identifier, agreed=one.due - n)
              for n, one in enumerate(calls)]  # fmt: skip
    directory = Directory(book_of(house))
    path.write_bytes(write_file([collateral.write_response(one, directory) for one in agreed], "F", MOMENT))
    sent, _ = send_messages(house, path, "A")
    assert (sent.done, sent.not_done) == (1, 1), "the second agrees to a cent less than is called"

    count, data = proposal_file(house, "A")
    assert count == 2
    proposed = [collateral.read_proposal(leaves_of(one), directory) for one in read_messages(data)]
    assert {one.about.taker: one.call for one in proposed} == {one.about.taker: one.identifier for one in calls}
    path.write_bytes(data)
    with pytest.raises(Rejected, match="the header is of A, B sends it"):
        send_messages(house, path, "B", second=36_000)
    sent, replies = send_messages(house, path, "A", second=36_000)
    assert sent.not_done == 0, sent.rejections
    answers = [collateral.read_answer(leaves_of(one), directory) for one in read_messages(replies)]
    assert {piece.state.at for one in answers for piece in one.pieces} == {"RspnTp/PACK"}
    assert shortfalls(house) == {}
    with Session.open(house, read_only=True) as session:
        after = session.house.digest()
    send_messages(house, path, "A", second=36_000)
    with Session.open(house, read_only=True) as session:
        assert session.house.digest() == after, "the same file is sent only once"
    assert call_file(house, "A")[0] == proposal_file(house, "A")[0] == 0


def book_of(house: Path) -> ResolvedBook:
    """Return the book of a house."""
    with Session.open(house, read_only=True) as session:
        return session.house.resolved


def test_pieces_are_taken_and_refused_one_by_one(house: Path, tmp_path: Path) -> None:
    """Goal: a piece the taker does not take goes back, the others stay. Method: too much, not eligible, not there, of
    another sender; books beside.
    """
    directory, path = Directory(book_of(house)), tmp_path / "proposal.xml"
    pieces = (
        Piece(identifier="bills", asset=BILL, amount=1_000, counts=1),
        Piece(identifier="shares", asset=SHARE, amount=10, counts=1),
        Piece(identifier="none", asset=CGB, amount=10, counts=1),
        Piece(identifier="much", asset="HKD", amount=10**12, counts=1),
    )
    about = Obligation("OTC Clear", "A", "A/HOUSE", "2026-01-05")
    one = Proposal(identifier="P1", about=about, call="20260105P-OTC Clear-A/HOUSE", agreed=1, pieces=pieces)
    path.write_bytes(write_one(collateral.write_proposal(one, directory)))
    sent, _ = send_messages(house, path, "B")
    assert (sent.done, sent.not_done) == (0, 4), "A's collateral is not B's to propose"
    sent, replies = send_messages(house, path, "A")
    (answer,) = (collateral.read_answer(leaves_of(each), directory) for each in read_messages(replies))
    told = {piece.identifier: (piece.state.at[-4:], piece.state.code) for piece in answer.pieces}
    assert told == {
        "bills": ("PACK", ""), "shares": ("REJT", "ELIG"), "none": ("REJT", "ICOL"), "much": ("REJT", "ICOL"),
    }  # fmt: skip
    with Session.open(house, read_only=True) as session:
        pool = session.house.pool
        assert [amount for _, amount in sorted(pool.pledged.items())] == [1_000]
        assert [amount for _, amount in sorted(pool.allotted.items())] == [1_000]
    change = msgspec.structs.replace
    for wrong in (change(one, about=change(about, taker="Nobody")), change(one, call="20260104P-OTC Clear-A/HOUSE")):
        path.write_bytes(write_one(collateral.write_proposal(wrong, directory)))
        sent, replies = send_messages(house, path, "A")
        assert (sent.done, replies.count(b"<RjctnRsn>INID</RjctnRsn>")) == (0, 4)
    for wrong in (change(one, about=change(about, taker="HKSCC")), change(one, about=change(about, date="2026-01-02"))):
        path.write_bytes(write_one(collateral.write_proposal(wrong, directory)))
        sent, _ = send_messages(house, path, "A")
        assert (sent.done, {each.reason for each in sent.rejections}) == (0, {RejectionReason.CONFLICT})


def test_from_the_command_line(house: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: reachable by hand. Method: calls, propose, send; what does not cover is refused in one line."""
    out, own = tmp_path / "out.xml", ["--house", str(house), "--json"]
    assert main(["messages", "calls", "--participant", "A", "--out", str(out), *own]) == 0
    assert json.loads(capsys.readouterr().out)["calls"] == 2
    assert main(["messages", "propose", "--participant", "A", "--out", str(out), *own]) == 0
    assert json.loads(capsys.readouterr().out)["proposals"] == 2
    assert main(["messages", "send", "--file", str(out), "--participant", "A", *own]) == 0
    assert json.loads(capsys.readouterr().out)["not_done"] == 0
    with Session.open(house) as session:
        account = session.house.resolved.account_index["A", "HOUSE"]
        more = SetPoolCalls("test", "HKSCC", pack([account], "i4"), pack([10**13], "i8"))
        session.once("more", lambda: more)
    assert main(["messages", "propose", "--participant", "A", "--out", str(out), *own]) == 2
    assert "A/HOUSE" in capsys.readouterr().err
