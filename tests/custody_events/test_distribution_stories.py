"""Stories of distributions: dividends, scrip, bonus shares, rights, spin-off, return of capital.

Goal: who is entitled is decided by the trade date alone, on settled and on pending positions, and nothing is lost in
rounding. Method: trades around the ex-date on the production engine, books before and after each step. The ex-date is
Thursday 8 January 2026, the record date Friday 9 January, payment on Friday 16 January.
"""

from __future__ import annotations

import pytest
from event_story import DEADLINE, EX, MONDAY, OTHER, PAY, RECORD, RIGHT, SHARE, EventStory, cash

from tsingma.journal.corporate_action_commands import EventKind, EventOption, FractionRule

DIVIDEND = EventOption("CASH", cash=(cash(780),))


def paid(story: EventStory, *who: str, what: str = "HKD") -> dict[str, int]:
    """Carry out what is due and return what each account got (units or cents)."""
    before = {one: story.has(one, what) for one in who}
    story.run_events()
    return {one: story.has(one, what) - before[one] for one in who}


def test_the_last_cum_day_decides_who_gets_the_dividend(story: EventStory) -> None:
    """A sells 400 to B on Wednesday (cum) and 100 on Thursday (ex): B is paid on 900, A on 600, 78 cents a share.

    Source: hkex-margin.md 1.14 (only positions traded before the ex-date are adjusted; 0.78 a share); CCASS: entitled
    by holdings on the record date, T+2 (hk-markets.md 1.1).
    """
    story.give("A", SHARE, 1_000)
    story.give("B", SHARE, 500)
    story.give("ISSUER/ISSUANCE", "HKD", 117_000)
    story.announce(EventKind.CASH_DIVIDEND, DIVIDEND)
    story.until(EX - 1)
    story.buys("B", "A", 400)
    story.until(EX)
    story.buys("B", "A", 100)
    story.until(RECORD)
    entitled = story.evening()["entitled"]
    assert (entitled["settled"], entitled["pending_long"]) == (1_500, 0)
    assert {row.account: row.settled for row in story.action().entitled} == {
        story.account("A"): 600, story.account("B"): 900,
    }  # fmt: skip
    story.night()
    story.until(PAY)
    assert (story.has("A", SHARE), story.has("B", SHARE)) == (500, 1_000)
    assert paid(story, "A", "B") == {"A": 46_800, "B": 70_200}
    assert story.has("ISSUER/ISSUANCE", "HKD") == 0
    assert story.action().status == "paid"


def test_a_short_that_fails_over_the_record_date_owes_the_dividend(story: EventStory) -> None:
    """A sells 400 cum and delivers 100: C waits for 300 at the record date and is paid on them by A, through CNS.

    Source: NSCC, continuous net settlement (dividends are debited and credited on open fail positions);
    hkex-margin.md 1.14 (positions of HKSCC carry the benefit); design, invariant 5: the central counterparty is flat.
    """
    story.give("A", SHARE, 100)
    story.give("B", SHARE, 900)
    story.give("ISSUER/ISSUANCE", "HKD", 78_000)
    story.announce(EventKind.CASH_DIVIDEND, DIVIDEND)
    story.buys("C", "A", 400)
    story.until(RECORD)
    story.evening()
    assert (story.pending("A"), story.pending("C")) == (-300, 300)
    story.night()
    story.give("A", SHARE, 300)  # delivered on Monday: too late to change who is entitled
    story.until(PAY)
    assert story.pending("C") == 0
    assert paid(story, "A", "B", "C") == {"A": -23_400, "B": 70_200, "C": 7_800 + 23_400}
    assert story.house.corporate_actions.owed == {}


def test_the_house_pays_a_claim_that_the_short_cannot_and_collects_it_later(story: EventStory) -> None:
    """D sells 100 it never had and has no money: C is paid all the same, D owes HKD 78 and pays two days later.

    Source: design, invariant 5; HKEX, risk management of CNS trades (receivers are paid from the house's own line).
    """
    story.give("A", SHARE, 1_000)
    story.give("ISSUER/ISSUANCE", "HKD", 78_000)
    story.announce(EventKind.CASH_DIVIDEND, DIVIDEND)
    story.buys("C", "D", 100)
    story.until(PAY)
    everything = story.free("D", "HKD")
    story.tell(transfer(story, "D", "B", "HKD", everything))
    assert paid(story, "A", "C", "D") == {"A": 78_000, "C": 7_800, "D": 0}
    assert story.house.corporate_actions.owed == {(story.account("D"), 0): 7_800}
    story.evening()
    story.night()  # the close proves: what the central counterparty paid out is what it is owed
    story.give("D", "HKD", 10_000)
    assert paid(story, "D") == {"D": -7_800}
    assert story.house.corporate_actions.owed == {}


def test_an_issuer_without_money_is_paid_for_by_nobody(story: EventStory) -> None:
    """The issuer has not provided the money on the payment date: nothing moves, the day closes, it is paid once it has.

    Source: HKEX, common nominee services (entitlements are collected, then distributed); design, invariant 3.
    """
    story.give("A", SHARE, 1_000)
    story.announce(EventKind.CASH_DIVIDEND, DIVIDEND)
    story.until(PAY)
    assert story.evening()["unfunded"] == {"missing_HKD_cents": 78_000}
    story.night()
    story.give("ISSUER/ISSUANCE", "HKD", 78_000)
    assert paid(story, "A") == {"A": 78_000}


def test_stock_on_hold_pledged_and_reserved_is_entitled(story: EventStory) -> None:
    """B received 400 and has not paid; A has reserved 200 and 300 are pledged: both are entitled on all of it.

    Source: HKEX, common nominee services (entitled by shareholding on the record date); hk-markets.md 1.1 (received
    stock is on hold until its money is confirmed: it is the buyer's).
    """
    import numpy as np

    from tsingma.journal.commands import ReserveAssets

    story.give("A", SHARE, 1_000)
    story.give("ISSUER/ISSUANCE", "HKD", 78_000)
    story.announce(EventKind.CASH_DIVIDEND, DIVIDEND)
    story.buys("B", "A", 400, price=600)
    story.tell(transfer(story, "B", "C", "HKD", story.free("B", "HKD")))
    asset = story.asset(SHARE)
    story.tell(ReserveAssets("A", story.account("A"), asset, 200, MONDAY + 30))
    story.until(RECORD)
    row = np.array([story.house.ledger.find(story.account("B"), asset)])
    assert int(story.house.ledger.held[row][0]) == 400
    story.evening()
    story.night()
    story.until(PAY)
    story.give("B", "HKD", 30_000_000)
    assert paid(story, "A", "B") == {"A": 46_800, "B": 31_200}


def test_a_holder_elects_the_currency(story: EventStory) -> None:
    """CNY 0.30 a share, HKD at 1.08 by default: B takes CNY on 400 of 500, more than it is entitled to is refused.

    Source: hk-markets.md 4 (dual counters: the same class, the same holders' rights); ISO 20022 seev.033 (elections
    per option), the announced rate is a term of the event.
    """
    hkd = EventOption("CASH", cash=(cash(300, "HKD", 1_080_000_000),), is_default=True)
    cny = EventOption("CASH", cash=(cash(300, "CNY"),))
    story.give("A", SHARE, 1_000)
    story.give("B", SHARE, 500)
    story.give("ISSUER/ISSUANCE", "HKD", 35_640)
    story.give("ISSUER/ISSUANCE", "CNY", 12_000)
    story.announce(EventKind.CASH_DIVIDEND, hkd, cny)
    assert "no choice is open" in story.cannot_elect("B", 1, 100)
    story.until(RECORD + 3)
    assert "500 entitled" in story.cannot_elect("B", 1, 501)
    assert story.elect("B", 1, 450) == 50
    assert story.elect("B", 1, 400) == 100
    assert "0 entitled" in story.cannot_elect("C", 1, 1)
    steps = story.until(DEADLINE + 1)
    assert steps["closed"] == {"elected": 400, "by_default": 1_100}
    assert "no choice is open" in story.cannot_elect("B", 1, 100)
    story.until(PAY)
    before = story.has("B", "CNY")
    assert paid(story, "A", "B") == {"A": 32_400, "B": 3_240}
    assert story.has("B", "CNY") - before == 12_000


def scrip(story: EventStory) -> tuple[EventOption, EventOption]:
    """Return 78 cents (the default), or 3 shares for every 200."""
    return EventOption("CASH", cash=(cash(780),), is_default=True), EventOption(
        "SECU", shares=(story.shares(SHARE, 3, 200),)
    )


def test_scrip_is_chosen_by_holders_and_by_buyers_who_wait(story: EventStory) -> None:
    """B holds 1,000 and waits for 500 of A's: it takes shares on all; A, short, owes what B has chosen.

    1,500 x 3 / 200 = 22.5 shares: 22 and half a share at HKD 52. C's 9,500 take cash by default.
    Source: T2S corporate actions standards, buyer protection; HKEX, common nominee services (consolidated elections).
    """
    story.give("A", SHARE, 4_000)
    story.give("B", SHARE, 1_000)
    story.give("C", SHARE, 5_500)
    story.give("ISSUER/ISSUANCE", "HKD", 10**8)
    cents, shares = scrip(story)
    story.announce(
        EventKind.SCRIP_DIVIDEND, cents, shares, fractions=FractionRule.CASH_IN_LIEU, fraction_price=cash(52_000)
    )
    story.tell(transfer(story, "A", "C", SHARE, 4_000))
    story.buys("B", "A", 500)
    story.until(RECORD + 3)
    story.elect("B", 1, 1_500)
    issued = story.issued()
    story.until(PAY)
    # B: 22 shares and half a one in money. A, on minus 500: minus 8 and half a share's money. The issuer gives 14 + 2 x
    # half a share on the thousand that are settled: 15 in all.
    assert paid(story, "A", "B", "C") == {"A": 2_600, "B": 2_600, "C": 741_000}
    assert story.issued() - issued == 14
    assert story.has("B", SHARE) == 1_014
    assert (story.pending("A"), story.pending("B")) == (-508, 508)
    story.give("A", SHARE, 600)
    story.until(PAY + 3)
    assert (story.pending("A"), story.pending("B")) == (0, 0)
    assert story.has("B", SHARE) == 1_522


@pytest.mark.parametrize(
    ("rule", "a", "b", "in_lieu"),
    [
        (FractionRule.DROPPED, 33, 16, 0),
        (FractionRule.ROUNDED_UP, 34, 17, 0),
        (FractionRule.LARGEST_REMAINDER, 33, 17, 0),
        (FractionRule.CASH_IN_LIEU, 33, 16, 6_000),
    ],
)
def test_fractions_of_bonus_shares(story: EventStory, rule: FractionRule, a: int, b: int, in_lieu: int) -> None:
    """One for ten of 333 and 167: 33.3 and 16.7 shares; at HKD 60 a share the fractions are worth HKD 18 and 42.

    Source: hk-markets.md 4 and HKEX, common nominee services: the nominee receives 50 on 500; what becomes of parts is
    a term of the event.
    """
    price = cash(60_000) if rule is FractionRule.CASH_IN_LIEU else None
    story.give("A", SHARE, 333)
    story.give("B", SHARE, 167)
    story.give("ISSUER/ISSUANCE", "HKD", 6_000)
    option = EventOption("SECU", shares=(story.shares(SHARE, 1, 10),))
    story.announce(EventKind.BONUS_ISSUE, option, fractions=rule, fraction_price=price)
    story.until(PAY)
    before = story.has("A", "HKD") + story.has("B", "HKD")
    assert paid(story, "A", "B", what=SHARE) == {"A": a, "B": b}
    assert story.has("A", "HKD") + story.has("B", "HKD") - before == in_lieu
    assert story.issued() == 500 + a + b


def test_bonus_shares_of_a_pending_buyer_come_through_the_central_counterparty(story: EventStory) -> None:
    """C waits for 300 of A's over the record date: 1 for 2 gives C 150 more to receive and A 150 more to deliver.

    Contract money is what it was. Source: hkex-margin.md 1.14 (bonus: quantity x ratio, contract value unchanged).
    """
    story.give("A", SHARE, 700)
    story.give("B", SHARE, 1_300)
    story.announce(EventKind.BONUS_ISSUE, EventOption("SECU", shares=(story.shares(SHARE, 1, 2),)))
    story.buys("C", "A", 1_000)
    story.until(PAY)
    positions = story.house.settlement.positions
    owed = int((positions.due_cents - positions.settled_cents)[positions.money_account == story.account("C")].sum())
    assert paid(story, "B", "C", what=SHARE) == {"B": 650, "C": 350}
    assert (story.pending("A"), story.pending("C")) == (-450, 450)
    after = int((positions.due_cents - positions.settled_cents)[positions.money_account == story.account("C")].sum())
    assert after == owed == 300 * 6_000
    story.give("A", SHARE, 450)
    story.until(PAY + 3)
    assert story.has("C", SHARE) == 1_500
    assert story.issued() == 2_000 + 1_000 + 450


def test_rights_are_distributed_traded_exercised_and_lapse(story: EventStory) -> None:
    """Three rights for two shares, sold nil-paid, exercised at HKD 5; what is not exercised is cancelled for nothing.

    Source: hkex-margin.md 1.14 (rights line: quantity x 1.5, contract value 0); HKEX, common nominee services (rights
    issue: instructions are consolidated); ISO 20022 RHDI and EXRI.
    """
    story.give("A", SHARE, 400)
    story.announce(EventKind.RIGHTS_ISSUE, EventOption("SECU", shares=(story.shares(RIGHT, 3, 2),)), pay_day=RECORD + 3)
    story.until(RECORD + 3)
    assert paid(story, "A", what=RIGHT) == {"A": 600}
    story.announce(
        EventKind.RIGHTS_EXERCISE, EventOption("EXER", cash=(cash(-5_000),), shares=(story.shares(SHARE, 1, 1),)),
        isin=RIGHT, reference="CA2", deadline_day=PAY, pay_day=PAY + 3,
    )  # fmt: skip
    story.buys("B", "A", 250, counter="2951", price=1)
    story.until(PAY)
    assert (story.has("A", RIGHT), story.has("B", RIGHT)) == (350, 250)
    money = story.free("B", "HKD")
    assert "250 available" in story.cannot_elect("B", 0, 251, "CA2")
    story.elect("B", 0, 250, "CA2")
    story.elect("B", 0, 200, "CA2")
    assert (story.free("B", RIGHT), story.free("B", "HKD")) == (50, money - 200 * 500)
    story.elect("A", 0, 100, "CA2")
    story.until(PAY + 3)
    assert story.run_events()["paid"]["taken"] == 300
    assert (story.has("A", SHARE), story.has("B", SHARE)) == (500, 200)
    assert story.has("ISSUER/ISSUANCE", "HKD") == 300 * 500
    assert (story.issued(RIGHT), story.has("A", RIGHT), story.has("B", RIGHT)) == (0, 0, 0)
    assert story.issued() == 700


def test_rights_bought_and_not_received_lapse_with_their_money_due(story: EventStory) -> None:
    """B has bought 100 rights of A, who never delivers them: they lapse pending, and B still pays what it agreed.

    Source: hk-markets.md 1.1 (open net positions roll); design, invariant 5: contracts are never re-priced.
    """
    story.give("A", RIGHT, 100)
    story.announce(
        EventKind.RIGHTS_EXERCISE, EventOption("EXER", cash=(cash(-5_000),), shares=(story.shares(SHARE, 1, 1),)),
        isin=RIGHT, deadline_day=MONDAY + 3, pay_day=MONDAY + 4,
    )  # fmt: skip
    story.buys("B", "A", 100, counter="2951", price=1)
    story.elect("A", 0, 100)  # what is set aside for the exercise is not there to deliver
    story.until(MONDAY + 4)
    assert story.pending("B", RIGHT) == 100
    before = story.has("B", "HKD")
    story.run_events()
    assert (story.pending("B", RIGHT), story.issued(RIGHT), story.has("A", SHARE)) == (0, 0, 100)
    story.until(MONDAY + 7)
    assert before - story.has("B", "HKD") >= 10_000


def test_shares_of_a_subsidiary_are_spun_off(story: EventStory) -> None:
    """One share of the other company for every four: 250 and 125; the shares themselves stay.

    Source: ISO 20022 SOFF; hkex-margin.md 1.14 (stock dividend line: quantity x ratio, contract value 0).
    """
    story.give("A", SHARE, 1_000)
    story.give("B", SHARE, 500)
    story.announce(EventKind.SPIN_OFF, EventOption("SECU", shares=(story.shares(OTHER, 1, 4),)))
    story.until(PAY)
    assert paid(story, "A", "B", what=OTHER) == {"A": 250, "B": 125}
    assert (story.has("A", SHARE), story.issued(OTHER)) == (1_000, 375)


def test_capital_is_returned(story: EventStory) -> None:
    """One third of a cent on 100 and on 200 shares: a cent in all, which goes to the larger fraction.

    Source: ISO 20022 CAPD; the nominee receives a whole number of cents and hands out all of it.
    """
    story.give("A", SHARE, 100)
    story.give("B", SHARE, 200)
    story.give("ISSUER/ISSUANCE", "HKD", 100)
    third = EventOption("CASH", cash=(cash(10, rate=333_333_333),))
    story.announce(EventKind.CAPITAL_RETURN, third)
    story.until(PAY)
    got = paid(story, "A", "B")
    assert got == {"A": 33, "B": 66}


def test_china_withholds_by_holder(story: EventStory) -> None:
    """HKD 1 on 1,000 each of an H share: 10 % of the nominee's, 20 % of individuals' held through ChinaClear.

    Source: dividend_tax.toml (State Administration of Taxation 2011; Caishui [2014] 81 as restated, marked assumed).
    """
    from tsingma.journal.corporate_action_commands import DeclareTaxStatus

    story.give("A", SHARE, 1_000)
    story.give("CHINACLEAR/OMNIBUS", SHARE, 1_000)
    story.give("ISSUER/ISSUANCE", "HKD", 170_000)
    story.announce(EventKind.CASH_DIVIDEND, EventOption("CASH", cash=(cash(1_000),)), tax_regime="h-share")
    story.tell(DeclareTaxStatus(story.account("CHINACLEAR/OMNIBUS"), "southbound-individual"))
    assert "no holder" in story.refuse(DeclareTaxStatus(story.account("A"), "pauper"))
    story.until(PAY)
    before = story.has("CHINACLEAR/OMNIBUS", "HKD")
    figures = story.run_events()["paid"]
    assert story.has("CHINACLEAR/OMNIBUS", "HKD") - before == 80_000
    assert (figures["paid_HKD_cents"], figures["tax_HKD_cents"]) == (170_000, 30_000)


def test_a_shares_go_ex_the_day_after_the_record_date(story: EventStory) -> None:
    """Delivered on the trade date: who buys on Thursday is entitled, who buys on Friday is not.

    Source: hk-markets.md 0 (A-shares: stock on T, money on T+1).
    """
    from event_story import A_SHARE

    story.give("A", A_SHARE, 1_000)
    story.give("ISSUER/ISSUANCE", "CNY", 100_000)
    dividend = EventOption("CASH", cash=(cash(1_000, "CNY"),))
    assert "would settle by the record date" in story.refuse(
        story.terms(EventKind.CASH_DIVIDEND, dividend, isin=A_SHARE, record_day=EX)
    )
    story.announce(EventKind.CASH_DIVIDEND, dividend, isin=A_SHARE, ex_day=RECORD, record_day=EX)
    story.until(EX)
    story.buys("B", "A", 400, counter="600519", price=1_500)
    story.until(RECORD)
    story.buys("B", "A", 100, counter="600519", price=1_500)
    story.until(PAY)
    assert paid(story, "A", "B", what="CNY") == {"A": 60_000, "B": 40_000}


def transfer(story: EventStory, giver: str, taker: str, what: str, amount: int) -> object:
    """Return a command that moves something free of payment."""
    from tsingma.basics.columns import pack
    from tsingma.journal.commands import PostTransfers

    return PostTransfers(
        pack([story.account(giver)], "i4"), pack([story.account(taker)], "i4"), pack([story.asset(what)], "i4"),
        pack([amount], "i8"), pack([0], "i1"),
    )  # fmt: skip
