"""Stories of market claims: who claims from whom on deliveries that do not settle when they should.

Goal: the detection rules of T2S on instructions between two parties. Method: one instruction of each kind around the
dates, claims as instructions with their parties, amounts and days.
"""

from __future__ import annotations

import numpy as np
import pytest
from event_story import EX, MONDAY, PAY, RECORD, SHARE, EventStory, cash

from tsingma.custody.events.claims import CUM, OPT_OUT, direction
from tsingma.custody.events.claims import EX as SAID_EX
from tsingma.journal.corporate_action_commands import EventKind, EventOption
from tsingma.settlement.instruction import FROM_HOUSE, KINDS

DIVIDEND = EventOption("CASH", cash=(cash(780),))


def claims(story: EventStory) -> list[tuple[str, int, int, int, int]]:
    """Return instructions of the house: kind, payer, payee, units or cents, intended day."""
    table = story.house.settlement.instructions.table
    return [
        (KINDS[table["kind"][i]], int(table["deliverer"][i]), int(table["receiver"][i]),
         int(table["quantity"][i] or table["amount_cents"][i]), int(table["intended_day"][i]))
        for i in np.flatnonzero(table["origin"] == FROM_HOUSE).tolist()
    ]  # fmt: skip


def orders(story: EventStory, giver: str, taker: str, trade_day: int, intended: int, conditions: int = 0) -> int:
    """Let both sides send an order of 100 shares against HKD 6,000; returns the instruction's number."""
    story.send(giver, "delivers", taker, isin=SHARE, amount_cents=600_000, trade_day=trade_day, intended_day=intended,
               conditions=conditions)  # fmt: skip
    result, number = story.send(taker, "receives", giver, isin=SHARE, amount_cents=600_000, trade_day=trade_day,
                                intended_day=intended, conditions=conditions)  # fmt: skip
    assert result == "matched"
    return number


@pytest.mark.parametrize(
    ("before_ex", "settled", "conditions", "expected"),
    [
        (True, False, 0, 1),
        (True, False, CUM, 1),
        (False, False, CUM, 1),
        (False, True, 0, -1),
        (False, True, SAID_EX, -1),
        (True, True, SAID_EX, -1),
        (True, True, 0, 0),
        (False, False, 0, 0),
        (True, False, SAID_EX, 0),
        (False, True, CUM, 0),
        (True, False, OPT_OUT, 0),
        (False, True, OPT_OUT, 0),
    ],
)
def test_scenarios_of_detection(before_ex: bool, settled: bool, conditions: int, expected: int) -> None:
    """Goal: the published table. Method: its rows and their opposites, one by one.

    Source: Clearstream, transaction management rules - international, 4 July 2022: securities in units.
    """
    assert direction(traded_cum=before_ex, settled=settled, conditions=conditions) == expected


def test_a_buyer_who_waits_claims_from_the_seller(story: EventStory) -> None:
    """A delivery traded cum is open at the end of the record date: A owes B HKD 78 on the payment date, and pays.

    Source: T2S corporate actions standards, market claims 4 and 8; payment date as settlement date, money not in parts.
    """
    story.give("A", SHARE, 1_000)
    story.give("ISSUER/ISSUANCE", "HKD", 78_000)
    number = orders(story, "A", "B", MONDAY, MONDAY + 2)
    story.act("A", number, "hold")
    story.announce(EventKind.CASH_DIVIDEND, DIVIDEND)
    steps = story.until(RECORD + 3)
    assert steps["entitled"]["market_claims"] == 1
    assert claims(story) == [("pfod", story.account("A"), story.account("B"), 7_800, PAY)]
    story.act("A", number, "release")
    story.until(PAY)
    before = story.has("B", "HKD")
    story.evening()
    assert story.has("B", "HKD") - before == 7_800


def test_lent_shares_bring_the_lender_its_dividend(story: EventStory) -> None:
    """A lends 100 to B and waits for their return over the record date: B is paid by the issuer and owes A as much.

    Who does not want it says so: the same loan with the opt-out brings no claim.
    Source: T2S corporate actions standards, market claims 6 (for all transactions, unless the parties opt out).
    """
    story.give("A", SHARE, 1_000)
    story.give("ISSUER/ISSUANCE", "HKD", 78_000)
    for day, conditions in ((MONDAY, 0), (MONDAY, OPT_OUT)):
        orders(story, "A", "B", day, day, OPT_OUT)
        orders(story, "B", "A", day, MONDAY + 28, conditions)
    story.announce(EventKind.CASH_DIVIDEND, DIVIDEND)
    story.until(RECORD + 3)
    assert (story.has("A", SHARE), story.has("B", SHARE)) == (800, 200)
    assert claims(story) == [("pfod", story.account("B"), story.account("A"), 7_800, PAY)]


def test_a_buyer_ex_who_is_early_gives_back(story: EventStory) -> None:
    """Traded ex on Thursday and settled on Friday, the record date: B was paid what belongs to A and owes it.

    Source: T2S corporate actions standards; Clearstream table, reverse market claims.
    """
    story.give("A", SHARE, 1_000)
    story.announce(EventKind.CASH_DIVIDEND, DIVIDEND)
    story.until(EX)
    orders(story, "A", "B", EX, EX)
    story.until(RECORD + 3)
    assert claims(story) == [("pfod", story.account("B"), story.account("A"), 7_800, PAY)]


def test_what_is_matched_late_is_claimed_late_and_only_for_twenty_days(story: EventStory) -> None:
    """Matched on Monday after the record date with a trade date before the ex-date: a claim, once; not after 20 days.

    Source: T2S corporate actions standards, market claims 3 (20 opening days) and 5 (at the end of each day).
    """
    story.give("A", SHARE, 1_000)
    story.give("ISSUER/ISSUANCE", "HKD", 78_000)
    story.announce(EventKind.CASH_DIVIDEND, DIVIDEND)
    story.until(RECORD + 3)
    orders(story, "A", "B", MONDAY, RECORD + 3)
    steps = story.until(RECORD + 5)
    assert steps["claimed"] == {"market_claims": 1, "too_large_claims": 0}
    assert claims(story) == [("pfod", story.account("A"), story.account("B"), 7_800, PAY)]
    story.until(MONDAY + 32)  # Friday 6 February, the twentieth settlement day
    orders(story, "A", "C", MONDAY, MONDAY + 32)
    story.until(MONDAY + 35)
    assert len(claims(story)) == 2
    orders(story, "A", "C", MONDAY, MONDAY + 35)
    story.until(MONDAY + 37)
    assert len(claims(story)) == 2


def test_claims_in_shares_are_rounded_down_and_settle_free_of_payment(story: EventStory) -> None:
    """One for 30 on 100 pending: 3 shares of A's for B, free of payment, on the payment date.

    Source: T2S corporate actions standards (fractions of claims rounded down); FOP as the claim's kind.
    """
    story.give("A", SHARE, 1_000)
    number = orders(story, "A", "B", MONDAY, MONDAY + 2)
    story.act("A", number, "hold")
    story.announce(EventKind.BONUS_ISSUE, EventOption("SECU", shares=(story.shares(SHARE, 1, 30),)))
    story.until(RECORD + 3)
    assert claims(story) == [("fop", story.account("A"), story.account("B"), 3, PAY)]
    story.until(PAY)
    assert story.run_events()["paid"]["paid_HK0005000002"] == 33
    story.evening()
    assert (story.has("A", SHARE), story.has("B", SHARE)) == (1_030, 3)


def test_part_settled_part_claimed(story: EventStory) -> None:
    """4,000 of 10,000 arrive before the record date, in a partial settlement window: the claim is on the other 6,000.

    Source: T2S corporate actions standards: claims are made on what is pending.
    """
    story.give("A", SHARE, 4_000)
    story.give("C", SHARE, 6_000)
    number = story.agree("A", "B", isin=SHARE, quantity=10_000, amount_cents=60_000_000)
    story.announce(EventKind.CASH_DIVIDEND, DIVIDEND)
    story.until(RECORD + 3)
    assert story.cell(number, "open_quantity") == 6_000
    assert claims(story) == [("pfod", story.account("A"), story.account("B"), 6_000 * 78, PAY)]


def test_an_instruction_matched_after_a_split_is_transformed_once(story: EventStory) -> None:
    """Traded before and matched after a split: 100 become 200, once; traded after it, or opted out: left alone.

    Source: T2S corporate actions standards, transformations (detection for 20 days, opt-out).
    """
    story.give("A", SHARE, 1_000)
    kept = orders(story, "A", "B", MONDAY, PAY, OPT_OUT)
    story.announce(EventKind.SPLIT, EventOption("SECU", shares=(story.shares(SHARE, 2, 1),)))
    story.until(EX)
    late = orders(story, "A", "B", MONDAY, PAY)
    after = orders(story, "A", "B", EX, PAY)
    assert story.evening() == {"transformed": {"instructions_cancelled": 1, "instructions_replaced": 1}}
    story.night()
    assert [story.status(number) for number in (kept, late, after, after + 1)] == [
        "matched", "cancelled", "matched", "matched",
    ]  # fmt: skip
    assert [story.cell(number, "quantity") for number in (kept, after, after + 1)] == [100, 100, 200]
    assert story.cell(after + 1, "amount_cents") == 600_000
    assert story.evening() == {}
