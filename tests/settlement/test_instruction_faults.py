"""What instructions refuse and what counts as a defect, beside the stories.

Goal: every refusal names what was wrong, and books that contradict themselves are never passed over. Method: odd input
to the production engine, and states that were spoilt by hand.
"""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

import numpy as np
import pytest

sys.path.append(str(Path(__file__).resolve().parent / "stories"))

from story import BOND, FX_E6, MONDAY, SHARE, Story

from tsingma.basics.columns import pack
from tsingma.basics.rejection import InvariantBroken, Rejected
from tsingma.engine import settling
from tsingma.journal import commands as do
from tsingma.ledger.ledger import NO_FLOOR, Ledger
from tsingma.settlement import growing
from tsingma.settlement.auto_collateral import Loans
from tsingma.settlement.claims import Claims
from tsingma.settlement.credit import CreditLines
from tsingma.settlement.growing import Growing
from tsingma.settlement.instruction import CANCELLED, SETTLED, Instructions
from tsingma.settlement.links import Links
from tsingma.settlement.orders import Orders
from tsingma.settlement.reservation import EXPIRED, Reservations
from tsingma.settlement.rules import NOT_TAKEN_E6, RATE_SCALE_E6, rules_on
from tsingma.settlement.state import SettlementState
from tsingma.settlement.values import Values


@pytest.fixture
def story() -> Story:
    """An open house on Monday."""
    return Story()


@pytest.mark.parametrize(
    ("column", "value", "text"),
    [
        ("open_quantity", 101, "more is open than was instructed"),
        ("open_quantity", 0, "nothing is open, and it is not settled"),
        ("holds", 1, "its status and its holds differ"),
        ("status", SETTLED, "settled, and something is open"),
    ],
)
def test_rows_that_contradict_themselves_are_a_defect(story: Story, column: str, value: int, text: str) -> None:
    """Goal: the proof of the day sees it. Method: one number of one row is spoilt."""
    story.agree("A", "B")
    story.house.settlement.instructions.table[column][0] = value
    with pytest.raises(InvariantBroken, match=text):
        story.house.settlement.check_day()


def test_an_order_without_its_instruction_is_a_defect(story: Story) -> None:
    """Goal: orders and instructions agree. Method: mark an order as matched; end one twice."""
    story.send("A", "delivers", "B")
    orders = story.house.settlement.orders
    orders.withdraw(np.array([0]))
    with pytest.raises(InvariantBroken, match="an order ends only once"):
        orders.withdraw(np.array([0]))
    orders.table["status"][0] = 1
    with pytest.raises(InvariantBroken, match="its status and its instruction differ"):
        story.house.settlement.check_day()


def test_odd_numbers_of_matched_orders_are_a_defect() -> None:
    """Goal: orders match in pairs. Method: one order alone with an instruction."""
    state = SettlementState()
    state.orders.append(1, {"status": 1, "instruction": 0})
    with pytest.raises(InvariantBroken, match="in pairs"):
        state.check_day()


def test_reservations_that_are_not_in_the_books_are_a_defect() -> None:
    """Goal: held is what is reserved. Method: a reservation without a hold; one that ends twice."""
    ledger, reservations = Ledger(), Reservations()
    bank, owner = ledger.row(1, 0, floor=NO_FLOOR), ledger.row(2, 0)
    ledger.post(np.array([bank]), np.array([owner]), np.array([50]))
    number = reservations.reserve(ledger, 2, 0, 50, last_day=9)
    one = np.array([number])
    reservations.end(one, EXPIRED, 9)
    with pytest.raises(InvariantBroken, match="ends only once"):
        reservations.end(one, EXPIRED, 9)
    ledger.release(np.array([owner]), np.array([50]))
    with pytest.raises(InvariantBroken, match="not on hold in the books"):
        reservations.free(ledger, one)
    ledger.post(np.array([owner]), np.array([bank]), np.array([50]))
    with pytest.raises(InvariantBroken, match="could not be put back"):
        reservations.put_back(ledger, one)


def test_a_pledge_that_is_not_in_the_books_is_a_defect() -> None:
    """Goal: what is freed was pledged. Method: a loan with a pledge the ledger does not know."""
    ledger, loans = Ledger(), Loans()
    bank, owner = ledger.row(1, 0, floor=NO_FLOOR), ledger.row(2, 0)
    ledger.post(np.array([bank]), np.array([owner]), np.array([50]))
    loans.append(1, {"account": 2, "cents": 50})
    loans.pledges.append(1, {"security": 0, "quantity": 3})
    assert loans.pledged() == {(2, 0): 3}
    with pytest.raises(InvariantBroken, match="not pledged in the books"):
        loans.repay(ledger, 1, 5)
    again = Loans()
    again.load(loans.dump())
    assert again.dump() == loans.dump()


def test_links_refuse_what_cannot_be_linked(story: Story) -> None:
    """Goal: links name open instructions, few and different. Method: unknown, repeated, settled, one alone."""
    first, second = story.agree("A", "B"), story.agree("A", "B")
    for who in ("A", "B"):
        story.act(who, second, "cancel")
    for numbers, text in (
        ((first, 9), "no instruction 9"),
        ((first, first), "2 instructions to link"),
        ((first,), "1 instructions to link"),
        ((first, second), "it is settled or cancelled"),
    ):
        assert text in story.refuse(do.LinkInstructions("together", numbers, "HKSCC"))
    third = story.agree("A", "B")
    story.link("A", "together", first, third)
    assert "settles together with others already" in story.refuse(
        do.LinkInstructions("together", (first, story.agree("A", "B")), "A")
    )


def test_links_have_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Goal: everything has a limit. Method: a limit of one pair."""
    monkeypatch.setattr("tsingma.settlement.links.PAIRS_MAX", 1)
    instructions, links = _instructions(3), Links()
    with pytest.raises(Rejected, match="2 links, 1 at most"):
        links.join(instructions, "before", (0, 1, 2))


def test_two_pools_that_share_an_instruction_become_one(story: Story) -> None:
    """Goal: groups merge also when both have members. Method: two pools of two, joined by a third instruction."""
    first = story.agree("A", "C", pool=1, pool_size=2)
    second = story.agree("D", "B", quantity=300)
    story.send("D", "delivers", "C")
    story.send("B", "delivers", "C", pool=5, pool_size=2)
    _, third = story.send("C", "receives", "B")
    assert story.cell(third, "together") != story.cell(first, "together")
    story.send("A", "delivers", "B", pool=1, pool_size=2, quantity=700)
    _, shared = story.send("B", "receives", "A", pool=5, pool_size=2, quantity=700)
    groups = {story.cell(number, "together") for number in (first, third, shared)}
    assert (len(groups), story.cell(second, "together")) == (1, 0)
    story.act("C", third, "unlink")
    assert story.house.settlement.links.incomplete().size == 1


def _instructions(count: int) -> Instructions:
    table, zero = Instructions(), np.zeros(count, np.int64)
    table.add(
        reference=np.arange(count), deliverer=zero + 1, receiver=zero + 2, security=zero, market=zero, currency=zero,
        quantity=zero + 10, amount_cents=zero + 100, intended_day=zero + 10,
    )  # fmt: skip
    return table


def test_rows_have_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Goal: past the bound a clear error, nothing half done. Method: a bound of two rows."""
    monkeypatch.setattr(growing, "ROWS_MAX", 2)
    rows = Growing({"a": "i4"}, subject="rows")
    rows.append(2, {"a": [1, 2]})
    with pytest.raises(Rejected, match="3 rows, 2 at most"):
        rows.append(1, {"a": 3})
    assert rows.table["a"].tolist() == [1, 2]


def test_parts_of_a_product_beyond_64_bits_are_exact() -> None:
    """Goal: no overflow in the money of parts. Method: 2^53 units against 2^53 cents, half of it."""
    table = _instructions(1)
    for name in ("quantity", "open_quantity", "amount_cents"):
        table.table[name][0] = 2**53 - 1
    part = 2**52 + 5
    assert table.second_leg_of_part(np.array([0]), np.array([part])).tolist() == [part]
    table.table["open_quantity"][0] -= part
    assert table.settled_amount(np.array([0])).tolist() == [part]


def test_without_a_price_there_is_no_penalty_and_no_credit(story: Story) -> None:
    """Goal: a missing price is counted, never taken as zero. Method: an instrument that was never priced."""
    story.agree("A", "B", isin=BOND, money="CNY", quantity=10_000, amount_cents=90_000_000)
    story.agree("A", "B", isin=BOND, money="CNY", quantity=10_000, amount_cents=90_000_000, intended_day=MONDAY - 3)
    assert len(story.claims()) == 1  # late matching, at Monday's price
    story.line("B", "CNY", collateral=200_000_000)
    story.house.price_e4[story.book.settlement_counter[story.book.securities.index(BOND)]] = 0
    story.give("A", BOND, 10_000)
    assert story.run("night-1-everything")["with_credit"] == 0
    event, _ = story.submit(
        "A",
        story.order("A", "delivers", "B", isin=BOND, money="CNY", intended_day=MONDAY - 3, matched=1,
                    counterparty_account=story.account("B")),
    )  # fmt: skip
    assert event.late_matching_penalties == 0
    figures = story.run("fails-and-fees")
    assert (figures["penalties"], figures["penalties_without_price"]) == (0, 3)


def test_money_that_fails_is_charged_on_itself(story: Story) -> None:
    """Goal: without securities the base is the money (ESMA, cash penalties, question f). Method: an unpaid payment."""
    story.agree("A", "B", kind="pfod", amount_cents=36_000_000)
    story.next_day()
    assert story.claims() == [("settlement fail penalty", "A", "B", 4_000)]  # 360,000 x 4 % / 360


def test_what_waits_for_a_link_costs_nothing(story: Story) -> None:
    """Goal: only lack and holds are blamed (ECSDA 4.2). Method: one that is covered waits for one that is not."""
    first, second = story.agree("A", "B"), story.agree("C", "D", kind="fop", amount_cents=0)
    story.give("C", SHARE, 100)
    story.link("HKSCC", "before", first, second)
    story.next_day()
    assert [payer for _, payer, _, _ in story.claims()] == ["A"]


def test_values_answer_none_without_price_or_rate() -> None:
    """Goal: no silent zero. Method: each of price, rate and share missing in turn."""
    one = np.array([1])
    values = Values(one * 100, one * 0, one * 0, one * 100, FX_E6)
    assert (values.cents(0, 50, 1), values.quantity_worth(0, 1, 1, RATE_SCALE_E6)) == (46, 100)
    assert values.quantity_worth(0, 1, 1, RATE_SCALE_E6 - NOT_TAKEN_E6) is None
    for broken in (Values(one * 0, one * 0, one, one, FX_E6), Values(one, one * 0, one, one, (0, 0, 0, 0))):
        assert (broken.cents(0, 50, 1), broken.quantity_worth(0, 1, 1, 1)) == (None, None)


def test_rules_have_a_first_day() -> None:
    """Goal: a dated table answers for its days only. Method: the day before the first rules."""
    with pytest.raises(Rejected, match="allegement"):
        rules_on(date(2018, 9, 12))


def test_an_order_that_waits_may_be_changed_by_its_side(story: Story) -> None:
    """Goal: process indicators of one side before the match. Method: each in turn, then what is not permitted."""
    _, order = story.send("A", "delivers", "B")
    for action, value in (("hold", 0), ("release", 0), ("refuse-parts", 0), ("permit-parts", 0), ("prioritise", 2)):
        assert story.act_on_order("A", order, action, value) == "waiting"
    for command, text in (
        (do.ChangeOrder(order, "prioritise", "A", 0), "not a party's to give"),
        (do.ChangeOrder(9, "hold", "A"), "no order 9"),
        (do.ChangeOrder(order, "hold", "X"), "no participant 'X'"),
    ):
        assert text in story.refuse(command)
    _, number = story.send("B", "receives", "A")
    assert story.priority(number) == "high"
    assert "changes as an instruction" in story.refuse(do.ChangeOrder(order, "cancel", "A"))


def test_actions_out_of_place_are_refused(story: Story) -> None:
    """Goal: every action says when it may not be. Method: odd values and states."""
    number = story.agree("A", "B", partial=0)
    story.act("A", number, "hold")
    assert "does not settle in parts" in story.refuse_act("A", number, "release-part", 5)
    assert "no priority 4" in story.refuse_act("A", number, "prioritise", 4)
    assert "it is not linked" in story.refuse_act("A", number, "unlink")


def test_a_buy_in_needs_an_open_instruction_a_third_party_and_a_price(story: Story) -> None:
    """Goal: refusals of buy-ins beside the stories. Method: final, agent among the parties, no price."""
    number, gone = story.agree("A", "B"), story.agree("A", "B")
    for who in ("A", "B"):
        story.act(who, gone, "cancel")
    story.next_day(5)
    assert "it is settled or cancelled" in story.refuse(do.StartBuyIn(gone, story.account("AGENT"), "B"))
    assert "the agent is a party" in story.refuse(do.StartBuyIn(number, story.account("A"), "B"))
    story.act("B", number, "hold")  # a hold does not stand in the way
    story.tell(do.StartBuyIn(number, story.account("AGENT"), "B"))
    story.house.price_e4[:] = 0
    assert "no closing price" in story.refuse(do.ReportBuyIn(number, 0, 0, 0, True, "B"))


def test_orders_of_a_closed_house_wait_for_the_day() -> None:
    """Goal: nothing comes in before the day is open. Method: a house whose day is closed; reservations too."""
    story = Story()
    story.run("fails-and-fees")
    story.tell(do.CloseDay())
    packed = {"reference": pack([1], "i8"), "account": pack([4], "i4")}
    assert "no day is open" in story.refuse(do.SubmitInstructions("s", "A", 86_000, packed))
    assert "no asset 99" in story.refuse(do.ReserveAssets("A", story.account("A"), 99, 1, MONDAY))
    assert "the account is no party to it" in _foreign_reservation()


def _foreign_reservation() -> str:
    story = Story()
    number = story.agree("A", "B")
    story.give("C", "HKD", 5)
    return story.refuse(do.ReserveAssets("C", story.account("C"), 0, 5, MONDAY, number))


def test_short_deliverers_get_no_credit(story: Story) -> None:
    """Goal: credit pays for what is delivered only. Method: a buyer with a line, a seller without shares."""
    story.agree("A", "B", isin=BOND, money="CNY", quantity=10_000, amount_cents=90_000_000)
    story.line("B", "CNY", collateral=200_000_000)
    table = story.house.settlement.instructions.table
    story.run("night-1-everything")
    table["reason"][0] = 2  # as if only money had been missing
    state, now = story.house.settlement, settling.now(story.house)
    assert now.lender(state).lend(state.instructions, state.links, story.house.ledger, np.array([0])).settled == 0
    assert story.house.settlement.loans.drawn(story.account("B"), 1) == 0


def test_floors_below_what_is_there_are_a_defect() -> None:
    """Goal: nobody is put below a floor. Method: a floor above the balance; a claim on oneself is none."""
    ledger = Ledger()
    row = ledger.row(1, 0)
    with pytest.raises(InvariantBroken, match="a floor above"):
        ledger.set_floor(np.array([row]), np.array([1]))
    assert Claims().owe(0, 5, 5, 0, 100, instruction=0, day=1) == 0
    assert CreditLines().find(1, 0) == -1
    assert (len(Orders()), CANCELLED) == (0, 4)
