"""Stories of fails: who pays how much for failing, and how what is missing is bought or made good.

Goal: penalties and buy-ins of Regulation 2018/1229 and of CCASS, to the cent. Method: instructions that fail on the
production engine; shares close at 300 dollars, so that 100 are worth HKD 30,000.
"""

from __future__ import annotations

import pytest
from story import BOND, FUND, MONDAY, SHARE, Story

from tsingma.engine.cycle import settlement_days_after
from tsingma.journal import commands as do

FAIL, LATE = "settlement fail penalty", "late matching fail penalty"


def test_lack_of_shares_costs_the_deliverer_a_basis_point_a_day(story: Story) -> None:
    """HKD 30,000 of shares not delivered for two days: HKD 3 each day, owed to the receiver.

    Source: 2017/389, annex, row 1 (1.0 basis point); ECSDA penalties framework 4.2 (each business day).
    """
    story.agree("A", "B")
    story.give("B", "HKD", 3_000_000)
    story.next_day(2)
    assert story.claims() == [(FAIL, "A", "B", 300)] * 2


@pytest.mark.parametrize(
    ("isin", "money", "quantity", "cents"), [(BOND, "CNY", 100_000, 10_000), (FUND, "HKD", 50_000, 5_000)]
)
def test_each_kind_of_instrument_has_its_rate(story: Story, isin: str, money: str, quantity: int, cents: int) -> None:
    """CNY 10 million of a government bond: 0.10 basis point, CNY 100; HKD 1 million of a fund: 0.5, HKD 50.

    Source: 2017/389, annex, rows 4 and 7.
    """
    story.agree("A", "B", isin=isin, money=money, quantity=quantity, amount_cents=100)
    story.give("B", money, 100)
    story.next_day()
    assert story.claims() == [(FAIL, "A", "B", cents)]


def test_lack_of_cash_costs_the_receiver_the_overnight_rate(story: Story) -> None:
    """HKD 30,000 at 4 % a year of 360 days: HKD 3.33 a day, owed to the deliverer.

    Source: 2017/389, annex, row 8; ECSDA 5.7 (annual rate / 360); the level of the rate is marked assumed.
    """
    story.agree("A", "B")
    story.give("A", SHARE, 100)
    story.next_day()
    assert story.claims() == [(FAIL, "B", "A", 333)]


def test_both_short_the_deliverer_alone_pays(story: Story) -> None:
    """Neither shares nor money: lack of securities goes first.

    Source: ECSDA 4.2: when lack of securities is found, lack of cash of the counterparty is not checked.
    """
    story.agree("A", "B")
    story.next_day()
    assert story.claims() == [(FAIL, "A", "B", 300)]


def test_who_holds_pays_whatever_is_there(story: Story) -> None:
    """Shares and money are there, B holds: B pays as for lack of cash.

    Source: ECSDA 4.2: on hold at the cut-off; no check of the other side's cover.
    """
    number = story.agree("A", "B")
    story.give("A", SHARE, 100)
    story.give("B", "HKD", 3_000_000)
    story.act("B", number, "hold")
    story.next_day()
    assert story.claims() == [(FAIL, "B", "A", 333)]


def test_both_hold_both_pay(story: Story) -> None:
    """Held by both to the cut-off, each pays its own penalty.

    Source: ECSDA 4.2: both counterparts may be charged when both legs are on hold.
    """
    number = story.agree("A", "B")
    for who in ("A", "B"):
        story.act(who, number, "hold")
    story.next_day()
    assert story.claims() == [(FAIL, "A", "B", 300), (FAIL, "B", "A", 333)]


def test_the_houses_own_hold_costs_nobody(story: Story) -> None:
    """The house holds: nobody fails.

    Source: ECSDA 3.1 and 4.2: only what a party's hold or lack causes.
    """
    number = story.agree("A", "B")
    story.act("HKSCC", number, "hold")
    story.next_day()
    assert story.claims() == []


def test_a_part_that_settled_costs_nothing_more(story: Story) -> None:
    """Of 1,000 shares 400 settle in a window: the penalty is on 600.

    Source: ECSDA 4.2: remaining to be settled, fully or partially.
    """
    story.agree("A", "B", quantity=1_000, amount_cents=30_000_000)
    story.give("A", SHARE, 400)
    story.give("B", "HKD", 30_000_000)
    story.next_day()
    assert story.claims() == [(FAIL, "A", "B", 1_800)]


def test_matched_late_the_last_to_enter_pays_for_every_day_missed(story: Story) -> None:
    """Due on Monday, B answers on Thursday: three days of late matching, and it settles with no other penalty.

    Source: ECSDA 4.1: charged to the participant who was last to enter, from the intended day to the match.
    """
    story.give("A", SHARE, 100)
    story.give("B", "HKD", 3_000_000)
    story.send("A", "delivers", "B")
    story.next_day(3)
    story.run("continuous-settlement")
    assert story.claims() == []  # not matched: nobody fails yet
    event, settled = story.submit("B", story.order("B", "receives", "A", intended_day=MONDAY))
    assert (event.late_matching_penalties, settled["settled"]) == (1, 1)
    assert story.claims() == [(LATE, "B", "A", 3 * 333)]


def test_already_matched_and_late_the_sender_pays(story: Story) -> None:
    """A sends a matched instruction a day after its day: A is charged for late matching.

    Source: ECSDA 4.1.1: already matched instructions, the instructing party.
    """
    story.next_day()
    story.agree("A", "B", intended_day=MONDAY)
    assert story.claims() == [(LATE, "A", "B", 300)]


def test_what_is_not_due_yet_costs_nothing(story: Story) -> None:
    """Intended for Tuesday, open on Monday: no penalty on Monday.

    Source: ECSDA 4.2(ii): has reached its intended settlement date.
    """
    story.agree("A", "B", intended_day=MONDAY + 1)
    story.next_day()
    assert story.claims() == []


def test_penalties_are_collected_from_who_failed_for_who_suffered(story: Story) -> None:
    """A has HKD 4 of the 6 it owes: one claim of 3 is paid, the other stays owed.

    Source: 2018/1229, articles 16 and 17 (collected and distributed); whole claims only, as charges of the house.
    """
    story.agree("A", "B")
    story.give("B", "HKD", 3_000_000)
    story.next_day(2)
    story.give("A", "HKD", 400)
    figures = story.tell(do.CollectClaims()).figures
    assert (figures["claims_paid_HKD_cents"], figures["claims_open_HKD_cents"]) == (300, 300)
    assert (story.has("B", "HKD"), story.has("A", "HKD")) == (3_000_300, 100)


def test_trades_of_the_exchange_carry_no_such_penalty(story: Story) -> None:
    """An isolated trade that fails pays the clearing house's fees, not the penalty between parties.

    Source: CCASS: default fee on failed positions (hk-markets 1.1, S10); 2018/1229 is not Hong Kong's.
    """
    story.trade(mode=1)
    story.next_day(3)
    assert story.claims() == []
    assert story.status(0) == "failing"


def test_a_buy_in_waits_for_the_extension_period(story: Story) -> None:
    """Shares: four settlement days of grace; on the fourth it is refused, on the fifth an agent is appointed.

    Source: 2018/1229, articles 31(1) and 36 (four business days for liquid shares).
    """
    number = story.agree("A", "B")
    command = do.StartBuyIn(number, story.account("AGENT"), "B")
    story.next_day(4)
    assert "the extension period runs" in story.refuse(command)
    story.next_day()
    event = story.tell(command)
    assert event.last_day == settlement_days_after(MONDAY, 8)  # articles 36 and 37(a): 4 + 4
    assert story.status(number) == "on-hold"  # article 31(2)


def _failed(story: Story, **fields: object) -> int:
    """Have A fail B for five days, with an agent that has shares and B with money."""
    number = story.agree("A", "B", **fields)
    story.next_day(5)
    story.give("AGENT", SHARE, 1_000)
    story.give("B", "HKD", 100_000_000)
    story.tell(do.StartBuyIn(number, story.account("AGENT"), "B"))
    return number


def _report(story: Story, number: int, quantity: int, price: int, costs: int = 0, compensate: bool = False) -> dict:
    return story.tell(do.ReportBuyIn(number, quantity, price * 10_000, costs, compensate, "B")).figures


def test_the_failing_party_pays_what_the_buy_in_costs_more(story: Story) -> None:
    """Bought in at 320: B pays the agent 32,000, A owes B the 2,000 more and the agent its costs.

    Source: 2018/1229, articles 31(10), 34 and 35(1).
    """
    number = _failed(story)
    figures = _report(story, number, 100, 320, costs=5_000)
    assert (figures["bought"], figures["price_difference_cents"], figures["costs_cents"]) == (100, 200_000, 5_000)
    assert (story.has("B", SHARE), story.has("AGENT", "HKD"), story.status(number)) == (100, 3_200_000, "cancelled")
    assert story.claims()[-2:] == [
        ("buy-in price difference", "A", "B", 200_000),
        ("buy-in costs", "A", "AGENT", 5_000),
    ]


def test_a_cheaper_buy_in_is_deemed_paid(story: Story) -> None:
    """Bought in at 290: the difference stays with the receiver, nothing is owed.

    Source: 2018/1229, article 35(2).
    """
    number = _failed(story)
    assert _report(story, number, 100, 290)["price_difference_cents"] == 0


def test_what_cannot_be_bought_is_compensated_in_money(story: Story) -> None:
    """60 are bought at 300; 40 are worth 310 each now and were agreed at 300: A owes B 400 dollars.

    Source: 2018/1229, articles 31(6) and 32(1)(a): market value less the settlement amount.
    """
    number = _failed(story)
    story.price({SHARE: 3_100_000})
    figures = _report(story, number, 60, 300, compensate=True)
    assert (figures["bought"], figures["compensation_cents"], figures["left"]) == (60, 40_000, 0)
    assert story.claims()[-1] == ("cash compensation", "A", "B", 40_000)


def test_no_compensation_when_the_market_has_fallen(story: Story) -> None:
    """Worth less than agreed: nothing is owed, and the instruction is gone.

    Source: 2018/1229, article 32(1)(a): where the settlement amount is lower than the market value.
    """
    number = _failed(story)
    story.price({SHARE: 2_000_000})
    assert _report(story, number, 0, 0, compensate=True)["compensation_cents"] == 0
    assert story.status(number) == "cancelled"


def test_what_is_neither_bought_nor_compensated_is_instructed_anew(story: Story) -> None:
    """60 of 100 are bought and the rest is deferred: a new instruction for 40 stands for the old day.

    Source: 2018/1229, article 31(11)(b): new settlement instructions for any non-delivered instruments.
    """
    number = _failed(story)
    assert _report(story, number, 60, 300)["left"] == 40
    rest = len(story.house.settlement.instructions) - 1
    assert (story.cell(rest, "quantity"), story.cell(rest, "amount_cents")) == (40, 1_200_000)
    assert (story.cell(rest, "intended_day"), story.status(rest)) == (MONDAY, "matched")
    story.next_day()


def test_the_agents_time_ends(story: Story) -> None:
    """After its days the agent may not buy any more; money remains.

    Source: 2018/1229, article 37(a): four business days after the extension period.
    """
    number = _failed(story)
    story.next_day(5)
    late = do.ReportBuyIn(number, 100, 3_000_000, 0, False, "B")
    assert "the agent's time is over" in story.refuse(late)
    assert _report(story, number, 0, 0, compensate=True)["left"] == 0


def test_buy_ins_are_refused_with_a_reason(story: Story) -> None:
    """Not by the failing party, not by one side's own account, not free of payment, not twice, not more than open.

    Source: 2018/1229, article 31 (the receiving party appoints an agent); design, error rules.
    """
    agent = story.account("AGENT")
    number = _failed(story)
    free = story.agree("A", "B", kind="fop", amount_cents=0, intended_day=MONDAY)
    for command, text in (
        (do.StartBuyIn(number, agent, "A"), "the receiver buys in"),
        (do.StartBuyIn(number, agent, "B"), "a buy-in is running already"),
        (do.StartBuyIn(free, agent, "B"), "only deliveries against payment"),
        (do.StartBuyIn(99, agent, "B"), "no instruction 99"),
        (do.ReportBuyIn(free, 1, 1, 0, False, "B"), "no buy-in runs"),
        (do.ReportBuyIn(number, 101, 3_000_000, 0, False, "B"), "101 bought"),
        (do.ReportBuyIn(number, 100, 0, 0, False, "B"), "100 bought at 0"),
        (do.ReportBuyIn(number, 100, 30_000_000_000, 0, False, "B"), "cannot be delivered"),
    ):
        assert text in story.refuse(command)


def test_a_failed_short_position_is_bought_in_a_day_after_it_was_due(story: Story) -> None:
    """Due on T+2 and not delivered: on T+3 the house buys in at the failing member's expense, and the run delivers.

    Source: CCASS compulsory buy-in on T+3 (hk-markets 1.1; table ``buy_in`` says it is not confirmed).
    """
    story.trade(mode=0)
    story.next_day(2)
    story.give("AGENT", SHARE, 100)
    story.give("A", "HKD", 3_300_000)
    story.give("B", "HKD", 5_000_000)
    account, security = story.account("A"), story.book.securities.index(SHARE)
    command = do.BuyInShort(account, security, story.account("AGENT"), 100, 3_100_000)
    assert "no short position is old enough" in story.refuse(command)
    story.next_day()
    fees = 3_300_000 - story.has("A", "HKD")
    assert story.tell(command).figures == {"bought": 100, "paid_cents": 3_100_000}
    assert story.run("batch-settlement-run-1")["shares"] == 100
    assert (story.has("B", SHARE), story.has("A", "HKD")) == (100, 200_000 - fees)


def test_a_compulsory_buy_in_needs_stock_and_money(story: Story) -> None:
    """Without the agent's stock or the member's money it is refused whole.

    Source: CCASS compulsory buy-in at the participant's expense (hk-markets 1.1); design, invariant 4.
    """
    story.trade(mode=0)
    story.next_day(3)
    account, security = story.account("A"), story.book.securities.index(SHARE)
    command = do.BuyInShort(account, security, story.account("AGENT"), 100, 3_100_000)
    assert "cannot be delivered" in story.refuse(command)
    assert "are missing" in story.refuse(do.BuyInShort(account, security, story.account("AGENT"), 101, 3_100_000))
