"""Stories of reorganisations and offers: split, consolidation, merger, take-over.

Goal: everything that stands at the end of the last cum day is converted, settled or pending, and contract money stays
what it was. Method: positions of every kind on the production engine, books before and after.
"""

from __future__ import annotations

import numpy as np
import pytest
from event_story import DEADLINE, EX, MONDAY, OTHER, PAY, SHARE, EventStory, cash

from tsingma.journal.commands import ReserveAssets
from tsingma.journal.corporate_action_commands import EventKind, EventOption, FractionRule


def split(story: EventStory, new: int, old: int) -> EventOption:
    """Return the option of a split or consolidation."""
    return EventOption("SECU", shares=(story.shares(SHARE, new, old),))


def test_a_split_converts_balances_positions_and_instructions(story: EventStory) -> None:
    """Two for one: 600 failed, 400 due on Thursday, an instruction of 100 and its reserve; prices halve, money stays.

    Source: hkex-margin.md 1.14 (split, ratio 2: quantity x ratio, contract value unchanged); T2S corporate actions
    standards, transformations (the pending instruction is cancelled and replaced).
    """
    story.give("A", SHARE, 1_000)
    story.give("B", SHARE, 700)
    number = story.agree("B", "C", isin=SHARE, quantity=100, amount_cents=600_000, intended_day=PAY)
    story.tell(ReserveAssets("B", story.account("B"), story.asset(SHARE), 100, PAY, number))
    story.announce(EventKind.SPLIT, split(story, 2, 1))
    story.buys("C", "A", 1_600)
    story.until(EX - 1)
    story.buys("C", "A", 400)
    assert story.evening()["converted"]["instructions_replaced"] == 1
    assert (story.pending("A"), story.pending("C")) == (-1_200, 1_200)
    assert (story.coming("A"), story.coming("C")) == (-800, 800)
    assert (story.has("A", SHARE), story.has("B", SHARE), story.has("C", SHARE)) == (0, 1_400, 2_000)
    assert story.free("B", SHARE) == 1_400
    assert story.status(number) == "cancelled"
    assert [story.cell(number + 1, name) for name in ("quantity", "amount_cents", "intended_day")] == [
        200,
        600_000,
        PAY,
    ]
    assert story.owes("C") == 1_000 * 6_000
    assert int(story.house.price_e4[story.book.counter_index["5"]]) == 300_000
    assert story.issued() == 3_400
    story.night()
    story.buys("C", "B", 100, price=30)  # the first trade in new shares
    story.give("A", SHARE, 2_000)
    story.until(EX + 5)
    assert (story.has("C", SHARE), story.pending("C"), story.owes("C")) == (2_000 + 1_200 + 800 + 100, 0, 0)


def test_unpaid_shares_stay_on_hold_through_a_split(story: EventStory) -> None:
    """B has received 400 and not paid: 800 are on hold after the split and free when the money is there.

    Source: hk-markets.md 1.1 (received stock is on hold until its money is confirmed).
    """
    story.give("A", SHARE, 1_000)
    story.announce(EventKind.SPLIT, split(story, 2, 1))
    story.buys("B", "A", 400)
    story.buys("B", "A", 200_000, counter="6", price=60)  # never delivered: of no consequence here
    story.tell(_drain(story, "B"))
    story.until(EX)
    row = np.array([story.house.ledger.find(story.account("B"), story.asset(SHARE))])
    assert (int(story.house.ledger.held[row][0]), story.has("B", SHARE)) == (800, 800)
    story.give("B", "HKD", 3_000_000)
    story.until(EX + 1)
    assert story.free("B", SHARE) == 800


def test_split_then_consolidation_restores_the_books(story: EventStory) -> None:
    """Five for one, then one for five: balances, positions, obligations, contract money and prices as before.

    Source: hkex-margin.md 1.14 (ratio and its inverse); no event makes or destroys value beyond its terms.
    """
    story.give("A", SHARE, 1_003)
    story.give("B", SHARE, 77)
    story.buys("C", "A", 1_501)
    story.until(EX - 1)
    story.buys("B", "C", 13)
    story.announce(EventKind.SPLIT, split(story, 5, 1))

    story.run("fails-and-fees")
    before = story.end_books()
    story.run_events()
    assert story.end_books() != before
    story.announce(EventKind.CONSOLIDATION, split(story, 1, 5), reference="CA2")
    story.run_events()
    assert story.end_books() == before


def test_a_consolidation_pays_for_fractions(story: EventStory) -> None:
    """One for ten of 105 and 216, 50 pending: 10 and 21 shares, HKD 300 and 360 for the halves, 5 pending.

    Source: T2S corporate actions standards (fractions of transformations rounded down); the price is a term.
    """
    story.give("A", SHARE, 105)
    story.give("B", SHARE, 216)
    story.give("ISSUER/ISSUANCE", "HKD", 66_000)
    story.buys("C", "D", 50)
    story.announce(EventKind.CONSOLIDATION, split(story, 1, 10), fractions=FractionRule.CASH_IN_LIEU,
                   fraction_price=cash(600_000))  # fmt: skip
    story.until(EX - 1)
    story.run("fails-and-fees")
    before = {who: story.has(who, "HKD") for who in "ABCD"}
    story.run_events()
    assert {who: story.has(who, "HKD") - before[who] for who in "ABCD"} == {"A": 30_000, "B": 36_000, "C": 0, "D": 0}
    assert (story.has("A", SHARE), story.has("B", SHARE), story.pending("C"), story.pending("D")) == (10, 21, 5, -5)
    assert story.issued() == 31


def test_a_merger_exchanges_settled_and_pending_shares_and_pays_money(story: EventStory) -> None:
    """Three shares of the other company for two, and HKD 4: pending trades of both counters are exchanged alike.

    The money of the merger for 300 pending shares goes from the short to the long; contract money follows the trades.
    Source: ISO 20022 MRGR; T2S corporate actions standards, transformations; hk-markets.md 4 (money never nets across
    counters).
    """
    story.give("A", SHARE, 1_000)
    story.give("B", SHARE, 500)
    story.give("ISSUER/ISSUANCE", "HKD", 600_000)
    option = EventOption("SECU", cash=(cash(4_000),), shares=(story.shares(OTHER, 3, 2),))
    assert "has no counter in" in story.refuse(story.terms(
        EventKind.MERGER, EventOption("SECU", shares=(story.shares("HK0007000000", 1, 1),)),
    ))  # fmt: skip
    story.announce(EventKind.MERGER, option)
    story.buys("C", "A", 1_200)
    story.buys("C", "D", 100, counter="80005", price=55)
    story.until(EX - 1)
    story.buys("B", "A", 100)
    story.run("fails-and-fees")
    before = {who: story.has(who, "HKD") for who in "ABCD"}
    owed = {who: story.owes(who) for who in "ABCD"}
    assert (story.pending("A"), story.pending("D"), story.pending("C")) == (-200, -100, 300)
    story.run_events()
    assert {who: story.has(who, SHARE) for who in "ABCD"} == dict.fromkeys("ABCD", 0)
    assert (story.has("B", OTHER), story.has("C", OTHER), story.issued(OTHER)) == (750, 1_500, 2_250)
    assert (story.pending("A"), story.pending("C"), story.pending("D")) == (0, 0, 0)
    assert [story.pending(who, OTHER) for who in "ACD"] == [-300, 450, -150]
    assert (story.coming("A", OTHER), story.coming("B", OTHER), story.coming("B")) == (-150, 150, 0)
    assert {who: story.owes(who) for who in "ABCD"} == owed
    moved = {who: story.has(who, "HKD") - before[who] for who in "ABCD"}
    assert moved == {"A": -300 * 400, "B": 600 * 400, "C": 1_300 * 400, "D": -100 * 400}
    story.night()
    story.give("A", OTHER, 450)
    story.give("D", OTHER, 150)
    story.until(EX + 5)
    assert (story.has("C", OTHER), story.has("B", OTHER)) == (1_950, 900)


def test_a_conversion_waits_until_pledged_shares_are_free(story: EventStory) -> None:
    """Pledged shares are not converted behind the pledgee's back: the step says so, and the day stays open.

    Source: house rule; design, invariant 3 (what is pledged is not available).
    """
    story.give("A", SHARE, 100)
    story.announce(EventKind.SPLIT, split(story, 2, 1), ex_day=MONDAY + 1)
    row = np.array([story.house.ledger.find(story.account("A"), story.asset(SHARE))])
    story.run("fails-and-fees")
    story.house.ledger.pledge(row, np.array([60]))
    from tsingma.engine.step import step
    from tsingma.journal.commands import CloseDay
    from tsingma.journal.corporate_action_commands import RunCorporateActions

    answer = step(story.house, RunCorporateActions())
    assert answer.events[0].steps[0].figures == {"pledged_shares": 60}  # type: ignore[union-attr]
    assert "conversion of a split is due today" in story.refuse(CloseDay())
    story.house.ledger.unpledge(row, np.array([60]))
    assert story.run_events()["converted"]["balances"] == 2


def test_a_take_over_takes_pro_rata_and_lets_go(story: EventStory) -> None:
    """HKD 66 for 600 shares at most: A tenders 500, B 700 of which it withdraws 200, C 200: half of each is taken.

    Source: ISO 20022 TEND (acceptance, withdrawal, proration); HKEX, common nominee services (take-over offer).
    """
    for who, shares in (("A", 500), ("B", 700), ("C", 300)):
        story.give(who, SHARE, shares)
    story.give("BIDDER", "HKD", 10**7)
    option = EventOption("CASH", cash=(cash(66_000),))
    story.announce(EventKind.TAKE_OVER, option, counterparty=story.account("BIDDER"), minimum=400, limit=600)
    assert "500 available" in story.cannot_elect("A", 0, 501)
    for who, shares in (("A", 500), ("B", 700), ("B", 500), ("C", 200)):
        story.elect(who, 0, shares)
    assert [story.free(who, SHARE) for who in "ABC"] == [0, 200, 100]
    story.buys("C", "A", 100)  # A has tendered everything: it fails to deliver, and cannot accept and sell
    assert story.until(DEADLINE + 1)["closed"] == {"elected": 1_200}
    assert story.pending("A") == -100
    assert "no choice is open" in story.cannot_elect("A", 0, 0)
    story.until(PAY)
    before = {who: story.has(who, "HKD") for who in ("A", "B", "C", "BIDDER")}
    assert story.run_events()["paid"] == {"taken": 600, "returned": 600}
    assert {who: story.has(who, "HKD") - before[who] for who in before} == {
        "A": 250 * 6_600, "B": 250 * 6_600, "C": 100 * 6_600, "BIDDER": -600 * 6_600,
    }  # fmt: skip
    assert [story.free(who, SHARE) for who in ("A", "B", "C", "BIDDER")] == [250, 450, 200, 600]
    assert story.issued() == 1_500


@pytest.mark.parametrize("outcome", ["too few", "withdrawn"])
def test_an_offer_that_comes_to_nothing_frees_what_it_held(story: EventStory, outcome: str) -> None:
    """Too few accept, or the offeror withdraws: every share is free, nothing was paid.

    Source: ISO 20022 TEND (minimum to be tendered), WITH.
    """
    from tsingma.journal.corporate_action_commands import WithdrawCorporateAction

    story.give("A", SHARE, 500)
    story.announce(EventKind.TAKE_OVER, EventOption("CASH", cash=(cash(66_000),)), minimum=400)
    story.elect("A", 0, 399)
    if outcome == "withdrawn":
        story.tell(WithdrawCorporateAction("CA1"))
        assert "is withdrawn" in story.refuse(WithdrawCorporateAction("CA1"))
    else:
        assert story.until(DEADLINE + 1)["lapsed"] == {"elected": 399}
    assert story.free("A", SHARE) == story.has("A", SHARE) == 500
    story.until(PAY + 3)
    assert story.run_events() == {}


def test_shares_for_shares(story: EventStory) -> None:
    """The offeror gives 2 new shares of its own for 5: the tendered shares are its own afterwards.

    Source: ISO 20022 TEND with a securities option.
    """
    story.give("A", SHARE, 503)
    option = EventOption("SECU", shares=(story.shares(OTHER, 2, 5),))
    story.announce(EventKind.TAKE_OVER, option, counterparty=story.account("BIDDER"))
    story.elect("A", 0, 503)
    story.until(PAY)
    story.run_events()
    assert (story.has("A", OTHER), story.has("A", SHARE), story.has("BIDDER", SHARE)) == (201, 0, 503)
    assert story.issued(OTHER) == 201


def _drain(story: EventStory, who: str) -> object:
    from tsingma.basics.columns import pack
    from tsingma.journal.commands import PostTransfers

    return PostTransfers(
        pack([story.account(who)], "i4"), pack([story.account("D")], "i4"), pack([0], "i4"),
        pack([story.free(who, "HKD")], "i8"), pack([0], "i1"),
    )  # fmt: skip
