"""The room of custody on the engine: register, holdings at depositories, dues.

Goal: issued = held, statements add up, what is due is paid to who held on record, refusals leave no trace. Method:
small stories on the production step; every command is followed by a dump, a load and the proof of the room.
"""

from __future__ import annotations

from custody_story import ISIN, CustodyStory, day

from tsingma.basics.columns import pack
from tsingma.engine.batch import step_all
from tsingma.engine.house import House
from tsingma.journal import commands as do
from tsingma.journal import custody_commands as custody
from tsingma.reference.terms import Product


def test_an_unused_room_leaves_the_state_hash_alone() -> None:
    """Goal: old snapshots stay valid. Method: an empty house dumps nothing of custody; a dump without it loads."""
    house = House()
    parts = house.dump()
    assert not [name for name in parts if name.startswith("custody")]
    assert House.load(parts).digest() == house.digest()


def test_a_registered_security_comes_in_by_issue_alone(story: CustodyStory) -> None:
    """Goal: issued = held. Method: what was deposited before counts as issued; a deposit afterwards is refused."""
    story.give("A", "SHARE", 1_000)
    story.register("SHARE", Product.EQUITY, payer="CORP", depository="CCASS")
    assert story.issued("SHARE") == 1_000
    before = story.told[-2]
    assert isinstance(before, do.DepositAssets)
    assert "registered here" in story.refuse(before)
    story.issue("SHARE", B=50)
    story.tell(custody.CancelUnits(ISIN["SHARE"], story.account("A"), 200))
    assert (story.issued("SHARE"), story.books("SHARE", "A", "B")) == (850, (800, 50))
    assert "insufficient" in story.refuse(custody.CancelUnits(ISIN["SHARE"], story.account("B"), 51))


def test_units_reach_and_leave_the_issuer_through_the_register_alone(story: CustodyStory) -> None:
    """Goal: nothing outside the register makes or ends units. Method: transfers to the issuer, one and two at once."""
    story.register("SHARE", Product.EQUITY, payer="CORP", depository="CCASS")
    story.issue("SHARE", A=10)
    one = [pack([number], "i4") for number in (story.account("A"), story.house.internal.issuer, story.asset("SHARE"))]
    give = do.PostTransfers(*one, pack([4], "i8"), pack([0], "i1"))
    take = do.PostTransfers(one[1], one[0], one[2], pack([4], "i8"), pack([0], "i1"))
    for command in (give, take):
        assert "goes back to its register" in story.refuse(command)
    before = story.house.digest()
    assert [type(answer).__name__ for answer in step_all(story.house, [give, take])] == ["Refused", "Refused"]
    assert story.house.digest() == before


def test_terms_are_refused_with_every_fault(story: CustodyStory) -> None:
    """Goal: nothing half registered. Method: terms with four faults, a security twice, one that is no security."""
    bad = story.terms(coupon_e9=-1, months=5, day_count="ACT/364", record_days=0)
    reasons = story.refuse(custody.RegisterSecurity(bad))
    assert all(field in reasons for field in ("coupon_e9", "months", "day_count", "record_days"))
    story.register()
    assert "already" in story.refuse(custody.RegisterSecurity(story.terms()))
    assert "no security" in story.refuse(custody.RegisterSecurity(story.terms(isin="HK0000000000")))


def test_a_nominee_holds_what_its_depository_shares_out(story: CustodyStory) -> None:
    """Goal: issued = held at every depository, every day. Method: the CMU under the CCDC, a difference, its report.

    Source: Northbound Bond Connect, the CMU's nominee account at the CCDC (cmu.org.hk; hk-markets 1.4).
    """
    story.tell(custody.OpenDepository("CCDC", "China Central Depository & Clearing"))
    opened = story.tell(custody.OpenDepository("CMU", "Central Moneymarkets Unit", "CCDC"))
    assert opened.chain == ("CMU", "CCDC")
    story.register(depository="CCDC")
    story.issue("BOND", A=600, B=300, C=100)
    for who in ("A", "B"):
        story.tell(custody.PlaceHolding(story.account(who), ISIN["BOND"], "CMU"))
    story.run_timetable()
    assert "CMU holds 900" in story.refuse(do.CloseDay())
    assert story.tell(custody.ReportNominee("CMU", ISIN["BOND"], 800)).difference == 100
    assert "its nominee 800" in story.refuse(do.CloseDay())
    assert story.tell(custody.ReportNominee("CMU", ISIN["BOND"], 900)).difference == 0
    story.next_day()
    story.move("C", "A", "BOND", 40)  # across depositories: the nominee's account must follow
    story.run_timetable()
    assert "CMU holds 940" in story.refuse(do.CloseDay())
    story.tell(custody.ReportNominee("CMU", ISIN["BOND"], 940))
    lines = story.house.custody.holdings.statement(story.house.custody.register, story.house.ledger, "CMU")
    assert [(line.account, line.units) for line in lines] == [(story.account("A"), 640), (story.account("B"), 300)]
    story.end_day()


def test_a_depository_is_home_to_one_security_and_nominee_for_another(story: CustodyStory) -> None:
    """Goal: the chain ends at each security's own home. Method: three depositories in a row, homes at each of them."""
    for code, upper in (("CCDC", ""), ("CMU", "CCDC"), ("CUSTODIAN", "CMU")):
        story.tell(custody.OpenDepository(code, code, upper))
    story.register("BOND", depository="CCDC")
    story.register("BOND2", depository="CMU")
    story.issue("BOND", A=100, B=20)
    story.issue("BOND2", A=70, B=30)
    assert "under CMU" in story.refuse(custody.ReportNominee("CMU", ISIN["BOND2"], 100))  # it is the home itself
    story.tell(custody.PlaceHolding(story.account("A"), ISIN["BOND2"], "CUSTODIAN"))
    story.tell(custody.ReportNominee("CUSTODIAN", ISIN["BOND2"], 70))
    story.tell(custody.PlaceHolding(story.account("A"), ISIN["BOND"], "CUSTODIAN"))
    story.tell(custody.PlaceHolding(story.account("B"), ISIN["BOND"], "CMU"))
    story.tell(custody.ReportNominee("CUSTODIAN", ISIN["BOND"], 100))
    story.run_timetable()
    assert "CMU holds 120" in story.refuse(do.CloseDay())  # its own account and the nominee of the one below
    story.tell(custody.ReportNominee("CMU", ISIN["BOND"], 120))
    story.end_day()


def test_a_missed_coupon_is_on_record_before_the_day_closes(story: CustodyStory) -> None:
    """Goal: a day does not close over an unpaid due. Method: no money, no close; non-payment recorded; paid late.

    3 % of CNY 100 from 7 January to 7 July 2026 is 181/365 of 3: 1.48767 a unit, 148.77 for a hundred.
    """
    story.register()
    story.issue("BOND", A=100)
    story.go_to(2026, 7, 3)
    story.next_day()  # Monday the 6th: the record day
    story.next_day()
    due = custody.PayDue(0)
    assert "insufficient" in story.refuse(due)
    story.run_timetable()
    assert "coupon 0" in story.refuse(do.CloseDay())
    event = story.tell(custody.RecordNonPayment(0, "no money at noon"))
    assert event.due_cents == 14_877
    story.next_day()
    story.give("MOF", "CNY", 20_000)
    paid = story.tell(due)
    assert paid.figures == {
        "holders": 1,
        "units_redeemed": 0,
        "paid_cents": 14_877,
        "passed_on_cents": 0,
        "owed_cents": 0,
    }
    assert story.books("CNY", "A", "MOF") == (14_877, 5_123)
    assert "paid" in story.refuse(due)


def test_days_that_were_not_opened_lose_no_record_day(story: CustodyStory) -> None:
    """Goal: who held on record is who held at the close of the last open day. Method: skip over the record day."""
    story.register()
    story.issue("BOND", A=100)
    story.give("MOF", "CNY", 20_000)
    story.go_to(2026, 7, 8)
    story.move("A", "B", "BOND", 100)
    story.tell(custody.PayDue(0))
    assert story.books("CNY", "A", "B") == (14_877, 0)
    assert story.house.custody.dues[0].record_day == day(2026, 7, 6)
