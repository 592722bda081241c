"""Stories of credit and reservations: what else there is to settle with, and what there is not.

Goal: credit never above its limits or its collateral, gone at night; what is reserved serves its purpose only. Method:
buyers short of money on the production engine.
"""

from __future__ import annotations

import numpy as np
import pytest
from story import BOND, FUND, MONDAY, SHARE, Story

from tsingma.app.explain import explain_number
from tsingma.basics.rejection import InvariantBroken
from tsingma.journal import commands as do
from tsingma.settlement import remedy


def _sale(story: Story) -> int:
    """A sells B 100 shares (worth 30,000) for HKD 30,000; B has nothing."""
    story.give("A", SHARE, 100)
    return story.agree("A", "B")


def test_an_account_goes_below_nothing_as_far_as_its_credit(story: Story) -> None:
    """With a line of HKD 30,000 B buys without money; one cent less and it cannot.

    Source: intraday credit limits (posttrade.md, table b; C1: b(a) + c(a) >= 0).
    """
    number = _sale(story)
    assert story.line("B", credit=2_999_999) == -2_999_999
    story.run("night-1-everything")
    assert story.status(number) == "matched"
    story.line("B", credit=3_000_000)
    story.run("night-2-everything")
    assert (story.status(number), story.has("B", "HKD")) == ("settled", -3_000_000)


def test_credit_is_for_the_day(story: Story) -> None:
    """What is not back when credit is repaid is reported, and goes no lower.

    Source: DTC, risk management controls; intraday credit only (T2S Special Series 2, October 2012).
    """
    _sale(story)
    story.line("B", credit=5_000_000)
    story.run("night-1-everything")
    figures = story.run("credit-repayment")
    assert (figures["accounts_overdrawn"], figures["overdrawn_cents"], story.free("B", "HKD")) == (1, 3_000_000, 0)


def test_the_next_morning_the_line_is_there_again(story: Story) -> None:
    """Repaid overnight, the whole line is open the next day.

    Source: the house's own reading of intraday credit; DTC recalculates the cap every day.
    """
    _sale(story)
    story.line("B", credit=5_000_000)
    story.run("night-1-everything")
    story.give("B", "HKD", 3_000_000)
    assert story.run("credit-repayment")["accounts_overdrawn"] == 0
    assert story.free("B", "HKD") == 0
    story.next_day()
    assert story.free("B", "HKD") == 5_000_000


def test_a_net_debit_cap_holds_back_what_would_exceed_it(story: Story) -> None:
    """B has HKD 100,000 and a cap of 40,000: one purchase of 30,000 settles, the second waits.

    Source: DTC, net debit caps: a transaction that would exceed the cap is placed on a pending (recycling) queue.
    """
    story.give("B", "HKD", 10_000_000)
    story.line("B", cap=4_000_000)
    story.give("A", SHARE, 200)
    first, second = story.agree("A", "B"), story.agree("A", "B")
    story.run("night-1-everything")
    assert [story.status(number) for number in (first, second)] == ["settled", "matched"]


def test_a_credit_of_the_day_lifts_what_the_cap_held(story: Story) -> None:
    """B sells something else; its net debit falls, and the waiting purchase settles in the same run.

    Source: DTC, net debit caps: until another transaction creates credits in the account.
    """
    story.give("B", "HKD", 10_000_000)
    story.line("B", cap=4_000_000)
    story.give("A", SHARE, 200)
    story.give("C", "HKD", 2_000_000)
    story.give("B", FUND, 1_000)
    numbers = [story.agree("A", "B"), story.agree("A", "B")]
    numbers.append(story.agree("B", "C", isin=FUND, quantity=1_000, amount_cents=2_000_000))
    story.run("night-1-everything")
    assert [story.status(number) for number in numbers] == ["settled"] * 3


def test_what_is_bought_secures_the_money_to_buy_it(story: Story) -> None:
    """On flow: bonds of CNY 1,000,000 are bought with CNY 60,000 of own money, the rest lent against the bonds.

    Source: ECB, T2S Special Series 2 (October 2012), on flow; haircut of 6 % assumed (instruction_rules.toml).
    """
    number = story.agree("A", "B", isin=BOND, money="CNY", quantity=10_000, amount_cents=100_000_000)
    story.give("A", BOND, 10_000)
    story.give("B", "CNY", 6_000_000)
    story.line("B", "CNY", collateral=200_000_000)
    assert story.run("night-1-everything")["with_credit"] == 1
    assert (story.status(number), story.has("A", "CNY"), story.has("B", "CNY")) == ("settled", 100_000_000, 0)
    assert (story.has("B", BOND), story.free("B", BOND)) == (10_000, 0)
    assert story.house.settlement.loans.drawn(story.account("B"), 1) == 94_000_000


def test_the_haircut_is_not_lent(story: Story) -> None:
    """Without own money, what is bought is worth less than it costs after the haircut: nothing settles.

    Source: Bundesbank, fact sheet on auto-collateralisation (valued after haircuts); posttrade.md D1, 9.
    """
    number = story.agree("A", "B", isin=BOND, money="CNY", quantity=10_000, amount_cents=100_000_000)
    story.give("A", BOND, 10_000)
    story.give("B", "CNY", 5_999_999)
    story.line("B", "CNY", collateral=200_000_000)
    story.run("night-1-everything")
    assert (story.status(number), story.has("B", "CNY")) == ("matched", 5_999_999)


def test_securities_in_stock_make_up_what_flow_does_not(story: Story) -> None:
    """On stock: bonds B holds already cover the gap the haircut leaves.

    Source: ECB, T2S Special Series 2 (October 2012), on stock; flow first (posttrade.md A5).
    """
    story.agree("A", "B", isin=BOND, money="CNY", quantity=10_000, amount_cents=100_000_000)
    story.give("A", BOND, 10_000)
    story.give("B", SHARE, 1_000)
    story.line("B", "CNY", collateral=200_000_000)
    assert story.run("night-1-everything")["with_credit"] == 1
    assert story.free("B", BOND) == 0
    pledged = story.house.settlement.loans.pledged()
    assert pledged[story.account("B"), story.book.securities.index(SHARE)] == 400  # 6 % of 1,000,000 in lots of 100


def test_credit_against_collateral_has_a_limit(story: Story) -> None:
    """The second loan would pass the line: it is not given.

    Source: T2S limits central-bank auto-collateralisation (limit headroom: UDFS R2026.JUN, 1.6.1.8.1).
    """
    for _ in range(2):
        story.agree("A", "B", isin=BOND, money="CNY", quantity=10_000, amount_cents=90_000_000)
    story.give("A", BOND, 20_000)
    story.line("B", "CNY", collateral=100_000_000)
    assert story.run("night-1-everything")["with_credit"] == 1


def test_at_the_end_of_the_day_credit_is_repaid_and_collateral_free(story: Story) -> None:
    """B sells the bonds on for money; the loan is repaid and the pledge is gone.

    Source: ECB, T2S Special Series 2: reimbursed at the end of the day, automatically.
    """
    story.agree("A", "B", isin=BOND, money="CNY", quantity=10_000, amount_cents=90_000_000)
    story.give("A", BOND, 10_000)
    story.line("B", "CNY", collateral=200_000_000)
    story.run("night-1-everything")
    story.give("B", "CNY", 95_000_000)
    figures = story.run("credit-repayment")
    assert (figures["loans_repaid"], figures["loans_repaid_cents"], figures["loans_left"]) == (1, 90_000_000, 0)
    assert (story.has("B", "CNY"), story.free("B", BOND)) == (5_000_000, 10_000)


def test_a_loan_that_cannot_be_repaid_keeps_its_pledge(story: Story) -> None:
    """No money comes: the loan stands overnight, and so does the pledge; it is repaid the next day.

    Source: auto-collateralisation's third transaction relocates collateral (lawinsider, ECB guideline); the pledge
    that stays in place is the house's own.
    """
    story.agree("A", "B", isin=BOND, money="CNY", quantity=10_000, amount_cents=90_000_000)
    story.give("A", BOND, 10_000)
    story.line("B", "CNY", collateral=200_000_000)
    story.run("night-1-everything")
    assert story.run("credit-repayment")["loans_left_cents"] == 90_000_000
    assert story.free("B", BOND) == 0
    story.next_day()
    story.give("B", "CNY", 90_000_000)
    assert story.run("credit-repayment")["loans_repaid"] == 1
    assert story.free("B", BOND) == 10_000


def test_what_is_reserved_is_not_available_to_others(story: Story) -> None:
    """A reserves its shares: the sale does not get them; given back, it does.

    Source: posttrade.md D1, 2 (available = posted - reserved - blocked >= 0) and D1, 6.
    """
    number = _sale(story)
    story.give("B", "HKD", 3_000_000)
    kept = story.tell(do.ReserveAssets("A", story.account("A"), story.asset(SHARE), 50, MONDAY + 3)).reservation
    story.run("night-1-everything")
    assert story.status(number) == "matched"
    story.run("continuous-settlement")
    story.tell(do.EndReservation(kept, "A"))
    assert story.status(number) == "settled"  # at once: continuous settlement runs


def test_a_reservation_serves_its_instruction_alone(story: Story) -> None:
    """100 shares reserved for the second of two sales: the first, entered before it, does not get them.

    Source: T2S settlement restrictions (reservation); posttrade.md, table b: reservation, earmark.
    """
    first = _sale(story)
    second = story.agree("A", "C")
    for who in ("B", "C"):
        story.give(who, "HKD", 3_000_000)
    story.tell(do.ReserveAssets("A", story.account("A"), story.asset(SHARE), 100, MONDAY, second))
    story.run("night-1-everything")
    assert [story.status(number) for number in (first, second)] == ["matched", "settled"]
    assert story.house.settlement.reservations.table["status"].tolist() == [1]


def test_a_reservation_ends_with_its_day(story: Story) -> None:
    """At the close of its last day what was reserved is free again, and it ends only once.

    Source: posttrade.md D1, 6: a reservation ends exactly once (post, void, expire).
    """
    story.give("A", SHARE, 100)
    kept = story.tell(do.ReserveAssets("A", story.account("A"), story.asset(SHARE), 60, MONDAY + 1)).reservation
    story.next_day()
    assert story.free("A", SHARE) == 40
    story.next_day()
    assert story.free("A", SHARE) == 100
    assert "expired already" in story.refuse(do.EndReservation(kept, "A"))


def test_a_reservation_for_an_instruction_ends_with_it(story: Story) -> None:
    """The instruction is cancelled by both; at the close what was reserved for it is given back.

    Source: posttrade.md D1, 6: a reservation ends exactly once; the moment is the house's own.
    """
    number = _sale(story)
    story.tell(do.ReserveAssets("A", story.account("A"), story.asset(SHARE), 100, MONDAY + 30, number))
    for who in ("A", "B"):
        story.act(who, number, "cancel")
    assert story.free("A", SHARE) == 0
    assert story.run("fails-and-fees")["reservations_given_back"] == 1
    assert story.free("A", SHARE) == 100


def test_more_than_is_there_cannot_be_reserved(story: Story) -> None:
    """Six holds of 30 on 100 shares: three pass; holds count.

    Source: posttrade.md A9 (Blnk issue 181: six holds of 1,000 passed on 5,000) and D1, 2.
    """
    story.give("A", SHARE, 100)
    command = do.ReserveAssets("A", story.account("A"), story.asset(SHARE), 30, MONDAY)
    for _ in range(3):
        story.tell(command)
    assert "30 to reserve, 10 available" in story.refuse(command)
    assert np.array_equal(story.house.settlement.reservations.table["amount"], [30, 30, 30])


def test_reservations_and_lines_are_refused_with_a_reason(story: Story) -> None:
    """Others' accounts, unknown assets, days that are over, odd amounts.

    Source: design, error rules (what was wrong, where, what to do).
    """
    account, asset = story.account("A"), story.asset(SHARE)
    for command, text in (
        (do.ReserveAssets("B", account, asset, 1, MONDAY), "belongs to others"),
        (do.ReserveAssets("A", account, 99, 1, MONDAY), "no asset 99"),
        (do.ReserveAssets("A", account, asset, 1, MONDAY - 1), "is over"),
        (do.ReserveAssets("A", account, asset, 0, MONDAY), "above 0"),
        (do.ReserveAssets("A", account, asset, 1, MONDAY, 5), "no instruction 5"),
        (do.EndReservation(0, "A"), "no reservation 0"),
        (do.SetCreditLine(0, 0, 1, -1, 0), "no account of a participant"),
        (do.SetCreditLine(account, 9, 1, -1, 0), "no currency 9"),
        (do.SetCreditLine(account, 0, -1, -1, 0), "amounts from 0"),
    ):
        assert text in story.refuse(command)


def test_an_answer_that_fails_leaves_what_is_reserved_where_it_was(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever asks what frees an instruction changes nothing, though the answer breaks off half way.

    Source: posttrade.md D1, 6: a reservation ends exactly once; a question is no end.
    """
    number = _sale(story)
    story.tell(do.ReserveAssets("A", story.account("A"), story.asset(SHARE), 100, MONDAY + 30, number))
    before = story.house.digest()

    def broken(*_more: object) -> object:
        raise InvariantBroken("half way")

    monkeypatch.setattr(remedy, "legs_of", broken)
    with pytest.raises(InvariantBroken, match="half way"):
        explain_number(story.house, number)
    assert story.free("A", SHARE) == 0
    assert story.house.digest() == before
    monkeypatch.undo()
    assert explain_number(story.house, number).needs == (("B/HOUSE HKD", 3_000_000),)
    assert story.house.digest() == before
