"""The name of a margin call: one for a day, a source, a taker and an account, in every message of its story.

Goal: who gets a call can answer it hours and records later, and knows one call of a taker from another. Method: the
same state told again after other records and after a replay; a house that calls margin and a pool that calls beside it.
"""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[1] / "margin_pool"))

from pool_house import BILL, CNY, HKD, PoolHouse

from tsingma.app.iso_files import call_file, proposal_file, send_messages
from tsingma.app.session import Session
from tsingma.app.standing_calls import NAME_MAX, StandingCall, fitted, standing_calls
from tsingma.basics.columns import pack
from tsingma.basics.rejection import RejectionReason
from tsingma.journal import commands as do
from tsingma.journal.pool_commands import DrawPoolCredit, SetPoolCalls
from tsingma.messages.iso20022 import collateral
from tsingma.messages.iso20022.header import write_one
from tsingma.messages.iso20022.leaves import leaves_of
from tsingma.messages.iso20022.parties import Directory
from tsingma.messages.iso20022.schema import read_messages

MARGIN, POOL = "20260105M-HKSCC-A/HOUSE", "20260105P-HKSCC-A/HOUSE"


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A house whose books call margin of A as HKSCC does on the pool: HKD for a part of it, CNY for the rest."""
    told = PoolHouse()
    told.give("A", HKD, 2_000_000)
    told.give("A", CNY, 5_000_000)
    a = pack([told.account("A")], "i4")
    told.do(do.CallMargin("test", a, pack([3_000_000], "i8")))
    told.do(SetPoolCalls("test", "HKSCC", a, pack([500_000], "i8")))
    with Session.open(tmp_path / "house") as session:
        for place, command in enumerate(told.told):
            session.once(f"setup/{place}", lambda command=command: command)
    return tmp_path / "house"


def directory_of(house: Path) -> Directory:
    """Return what codes mean in the house."""
    with Session.open(house, read_only=True) as session:
        return Directory(session.house.resolved)


def calls(house: Path) -> list[collateral.MarginCall]:
    """Return the calls that A is told."""
    count, data = call_file(house, "A")
    directory = directory_of(house)
    found = [collateral.read_call(leaves_of(one), directory) for one in (read_messages(data) if count else ())]
    assert len(found) == count
    return found


def proposals(house: Path) -> list[collateral.Proposal]:
    """Return what covers them cheapest."""
    directory = directory_of(house)
    return [collateral.read_proposal(leaves_of(one), directory) for one in read_messages(proposal_file(house, "A")[1])]


def told_later(house: Path, *commands: do.Command) -> None:
    """Carry out commands after the calls were told."""
    with Session.open(house) as session:
        for command in commands:
            session.once(f"later/{session.sequencer.sequence}", lambda command=command: command)


def test_two_calls_of_one_taker_have_two_names(house: Path) -> None:
    """Goal: margin of the books and the pool's call by HKSCC are two calls. Method: both told, each with its sum."""
    first, second = calls(house)
    assert (first.identifier, first.required, first.lodged, first.due) == (MARGIN, 3_000_000, 2_000_000, 1_000_000)
    assert (second.identifier, second.required, second.lodged, second.due) == (POOL, 500_000, 0, 500_000)
    one, other = proposals(house)
    assert (one.call, one.agreed, other.call, other.agreed) == (MARGIN, 1_000_000, POOL, 500_000)
    assert one.identifier.startswith(f"{MARGIN}-")
    assert other.identifier.startswith(f"{POOL}-")


def test_a_name_outlives_records_and_replays(house: Path) -> None:
    """Goal: a call told is the call answered later. Method: other records in between, and the journal from zero."""
    before, proposed = calls(house), proposals(house)
    told_later(house, do.DepositAssets(pack([1], "i4"), pack([HKD], "i4"), pack([5], "i8")))
    assert calls(house) == before
    assert proposals(house) == proposed
    with Session.open(house, read_only=True) as session:
        again = session.sequencer.replay()
        account = again.resolved.account_index["A", "HOUSE"]
        assert [one.name for one in standing_calls(again, account)] == [one.identifier for one in before]
    a = pack([account], "i4")
    told_later(house, SetPoolCalls("test", "HKSCC", a, pack([700_000], "i8")))
    stated = calls(house)
    assert [one.identifier for one in stated] == [MARGIN, POOL], "a later run of the day states the call anew"
    assert [one.due for one in stated] == [1_000_000, 700_000]


def test_one_name_from_the_call_to_the_answer(house: Path, tmp_path: Path) -> None:
    """Goal: call, agreement, proposal and answer are one story, told apart by the call. Method: the whole of it, for
    both calls; what is pledged for HKSCC beyond its call on the pool counts for margin.
    """
    path, directory = tmp_path / "sent.xml", directory_of(house)
    told, proposed_first = calls(house), proposals(house)
    for one in told:
        agreed = collateral.CallResponse(identifier="1", about=one.about, call=one.identifier, agreed=one.due)
        path.write_bytes(write_one(collateral.write_response(agreed, directory)))
        assert send_messages(house, path, "A")[0].done == 1
    for one in told:
        (proposed,) = (each for each in proposed_first if each.call == one.identifier)
        path.write_bytes(write_one(collateral.write_proposal(proposed, directory)))
        sent, replies = send_messages(house, path, "A")
        assert sent.not_done == 0, sent.rejections
        (answer,) = (collateral.read_answer(leaves_of(each), directory) for each in read_messages(replies))
        assert (answer.identifier, answer.proposal) == (one.identifier, proposed.identifier)
        assert send_messages(house, path, "A")[1] == replies, "sent again, it is answered the same"
    assert calls(house) == []
    with Session.open(house, read_only=True) as session:
        state = session.house
        found = standing_calls(state, state.resolved.account_index["A", "HOUSE"])
        assert all(one.lodged >= one.required for one in found)


def test_an_agreement_names_its_call(house: Path, tmp_path: Path) -> None:
    """Goal: nothing is agreed to by chance. Method: another's sum, a call there is not, another taker, another day."""
    directory, path = directory_of(house), tmp_path / "sent.xml"
    about, due = calls(house)[0].about, 1_000_000
    wrong = [
        (about, POOL, due, RejectionReason.CONFLICT),
        (about, "C1", due, RejectionReason.UNKNOWN),
        (collateral.Obligation("OTC Clear", "A", "A/HOUSE", about.date), MARGIN, due, RejectionReason.CONFLICT),
        (collateral.Obligation("HKSCC", "A", "A/HOUSE", "2026-01-02"), MARGIN, due, RejectionReason.CONFLICT),
    ]
    for number, (of, call, agreed, reason) in enumerate(wrong):
        one = collateral.CallResponse(identifier=f"{number}", about=of, call=call, agreed=agreed)
        path.write_bytes(write_one(collateral.write_response(one, directory)))
        sent, _ = send_messages(house, path, "A")
        assert [each.reason for each in sent.rejections] == [reason], call


def test_a_loan_is_called_by_the_bank() -> None:
    """Goal: what the pool says is missing is called. Method: credit drawn on bills."""
    told = PoolHouse()
    told.pledge("A", BILL, 2_000_000)
    account = told.account("A")
    assert standing_calls(told.house, account) == []
    told.do(DrawPoolCredit(account, HKD, 1_000_000))
    (one,) = standing_calls(told.house, account)
    assert (one.taker, one.required, one.source) == ("BANK", 1_000_000, "P")


def test_long_names_fit_and_stay_apart() -> None:
    """Goal: at most 35 characters, and no two calls of one name. Method: accounts that differ in their end only."""
    names = [
        StandingCall(source="P", taker="CHINACLEAR", account=f"PARTICIPANT{n}/SEGREGATED", day=date(2026, 1, 5),
                     required=1, lodged=0).name
        for n in range(50)
    ]  # fmt: skip
    assert len(set(names)) == 50
    assert {len(name) for name in names} == {NAME_MAX}
    assert fitted("x" * NAME_MAX) == "x" * NAME_MAX
