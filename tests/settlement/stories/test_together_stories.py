"""Stories of what settles at one instant: linked, with credit, in part, as an optimiser proposes and the books decide.

Goal: proposals of the day keep every rule of the instructions in them. Method: cases that no run settles one by one, on
the production engine; proposals by the day's own optimiser.
"""

from __future__ import annotations

import numpy as np
from story import BOND, FUND, SHARE, Story

from tsingma.app.explain import explain_number
from tsingma.app.proposals import propose
from tsingma.basics.clock import FixedClock
from tsingma.basics.columns import pack, unpack
from tsingma.journal import commands as do
from tsingma.journal.events import SettledTogether
from tsingma.reference.markets import EVERY_MARKET
from tsingma.settlement.proposal import Objective

WHOLE = {"quantity": 1_000, "amount_cents": 30_000_000}  # the threshold of a part is HKD 80,000


def propose_and_settle(story: Story) -> SettledTogether:
    """Let the optimiser propose and the books settle; nothing is refused."""
    command = propose(story.house, Objective.NUMBER, FixedClock(), EVERY_MARKET)
    event = story.tell(command)
    assert isinstance(event, SettledTogether)
    return event


def whole(*numbers: int) -> do.SettleTogether:
    """Return a proposal of whole instructions."""
    return do.SettleTogether("story", pack(numbers, "i4"))


def circle(story: Story) -> list[int]:
    """A, B and C each sell on what they buy from the last; nobody has money, A has the shares."""
    story.give("A", SHARE, 100)
    return [story.agree("A", "B"), story.agree("B", "C"), story.agree("C", "A")]


def test_a_circle_of_links_and_money_settles_at_one_instant(story: Story) -> None:
    """Three sales in a circle of money, the first two together, the third after them.

    Source: T2S UDFS R2026.JUN, 1.6.1.11: WITH is all or none, AFTE after the linked one or at the same time.
    """
    first, second, third = circle(story)
    story.link("HKSCC", "together", first, second)
    story.link("HKSCC", "before", second, third)
    story.run("night-1-everything")
    assert [story.status(number) for number in (first, second, third)] == ["matched"] * 3
    for part in ((first,), (first, second), (third,)):
        story.refuse(whole(*part))
    assert propose_and_settle(story).settled == 3
    assert (story.has("A", SHARE), story.has("A", "HKD")) == (100, 0)


def test_what_waits_for_a_held_instruction_is_not_proposed(story: Story) -> None:
    """The third is on hold; the second must settle with it, the first only after the second: none is proposed.

    Source: T2S UDFS R2026.JUN, 1.6.1.11 (all or none) and 1.6.1.6 (hold).
    """
    first, second, third = circle(story)
    story.link("HKSCC", "together", second, third)
    story.link("HKSCC", "after", first, second)
    story.act("C", third, "hold")
    story.give("B", "HKD", 3_000_000)
    story.run("night-1-everything")
    assert propose_and_settle(story).settled == 0
    story.act("C", third, "release")
    assert propose_and_settle(story).settled + sum(story.status(n) == "settled" for n in (first, second, third)) >= 3


def test_linked_purchases_draw_credit_at_one_instant(story: Story) -> None:
    """Bonds of CNY 1,000,000 for two linked purchases, B with 60,000 of its own: lent against both.

    Source: ECB, T2S Special Series 2 (October 2012), on flow; haircut of 6 % assumed (instruction_rules.toml).
    """
    numbers = [story.agree("A", "B", isin=BOND, money="CNY", quantity=5_000, amount_cents=50_000_000) for _ in range(2)]
    story.link("B", "together", *numbers)
    story.give("A", BOND, 10_000)
    story.give("B", "CNY", 6_000_000)
    story.line("B", "CNY", collateral=200_000_000)
    assert story.run("night-1-everything")["with_credit"] == 0
    done = propose_and_settle(story)
    assert (done.settled, done.loans, done.lent_cents[1]) == (2, 1, 94_000_000)
    assert (story.has("B", BOND), story.free("B", BOND), story.has("A", "CNY")) == (10_000, 0, 100_000_000)
    assert story.house.settlement.loans.drawn(story.account("B"), 1) == 94_000_000
    story.give("B", "CNY", 94_000_000)
    assert story.run("credit-repayment")["loans_repaid"] == 1
    assert story.free("B", BOND) == 10_000


def test_credit_of_a_set_is_bounded_by_line_and_collateral(story: Story) -> None:
    """A cent less of own money, or of the line, and the books refuse the same set; with it they lend.

    Source: Bundesbank, fact sheet on auto-collateralisation (valued after haircuts); posttrade.md D1, 9.
    """
    numbers = [story.agree("A", "B", isin=BOND, money="CNY", quantity=5_000, amount_cents=50_000_000) for _ in range(2)]
    story.link("B", "together", *numbers)
    story.give("A", BOND, 10_000)
    story.give("B", "CNY", 5_999_999)
    story.line("B", "CNY", collateral=200_000_000)
    story.run("night-1-everything")
    assert "below its floor" in story.refuse(whole(*numbers))
    assert propose_and_settle(story).settled == 0
    story.give("B", "CNY", 1)
    story.line("B", "CNY", collateral=93_999_999)
    assert "below its floor" in story.refuse(whole(*numbers))
    story.line("B", "CNY", collateral=94_000_000)
    assert propose_and_settle(story).settled == 2


def test_what_is_delivered_on_is_no_collateral(story: Story) -> None:
    """B buys shares with credit and delivers them on free of payment in the same set: nothing is left to pledge.

    Source: ECB, T2S Special Series 2 (October 2012): credit is secured by securities the buyer then holds.
    """
    bought = story.agree("A", "B", **WHOLE)
    onward = story.agree("B", "C", kind="fop", quantity=1_000)
    story.link("B", "together", bought, onward)
    story.give("A", SHARE, 1_000)
    story.line("B", collateral=50_000_000)
    story.run("night-1-everything")
    assert "below its floor" in story.refuse(whole(bought, onward))
    assert propose_and_settle(story).settled == 0
    story.give("B", SHARE, 1_500)  # 1,500 at 300, less 30 %, is HKD 315,000
    assert propose_and_settle(story).loans == 1
    assert (story.has("B", SHARE), story.free("B", SHARE)) == (1_500, 0)


def test_a_payment_draws_no_credit(story: Story) -> None:
    """A payment free of delivery, linked to another so that only a set settles it, is not lent for.

    Source: posttrade.md A5: auto-collateral is for deliveries versus payment that lack money.
    """
    numbers = [story.agree("B", "C", kind="pfod", amount_cents=1_000_000) for _ in range(2)]
    story.link("B", "together", *numbers)
    story.give("B", BOND, 1_000_000)
    story.line("B", collateral=50_000_000)
    story.run("night-1-everything")
    assert "below its floor" in story.refuse(whole(*numbers))
    assert propose_and_settle(story).settled == 0


def test_parts_and_whole_ones_settle_at_one_instant(story: Story) -> None:
    """A has 400 of 1,000 shares for B, who sells 400 to A: the part pays for the whole and the whole for the part.

    Source: T2S UDFS R2026.JUN, 1.6.1.9.3 (parts for lack of securities in a window); technical netting.
    """
    part = story.agree("A", "B", **WHOLE)
    back = story.agree("B", "C", quantity=400, amount_cents=12_000_000)
    story.give("A", SHARE, 400)
    story.give("B", "HKD", 12_000_000)
    story.give("C", "HKD", 11_999_999)
    story.run("night-2-everything")
    assert propose_and_settle(story).parts == 0  # no window is open
    early = do.SettleTogether("story", b"", pack([part], "i4"), pack([400], "i8"))
    assert "no window" in story.refuse(early)
    story.act("B", part, "refuse-parts")  # the window's own run leaves it alone
    story.run("night-2-parts")
    story.act("B", part, "permit-parts")
    story.give("C", "HKD", 1)
    for units, message in ((450, "may not settle as a part"), (0, "may not"), (1_000, "may not"), (200, "may not")):
        command = do.SettleTogether("story", b"", pack([part], "i4"), pack([units], "i8"))
        assert message in story.refuse(command)  # no lot, nothing, all, below the threshold
    done = propose_and_settle(story)
    assert (done.settled, done.parts, done.shares, done.amount_cents[0]) == (1, 1, 800, 24_000_000)
    assert (story.status(back), story.cell(part, "open_quantity")) == ("settled", 600)


def test_who_opted_out_settles_whole_only(story: Story) -> None:
    """Neither a party that forbids parts nor a linked instruction settles in part, also at one instant.

    Source: T2S UDFS R2026.JUN, 1.6.1.9.3, footnotes 224 to 229: opt-out of either side; linked ones are excluded.
    """
    first, second, third = (story.agree("A", "B", **WHOLE) for _ in range(3))
    story.act("B", first, "refuse-parts")
    story.link("HKSCC", "before", second, third)
    story.give("A", SHARE, 400)
    story.give("B", "HKD", 90_000_000)
    story.run("night-2-parts")
    assert (propose_and_settle(story).settled, story.has("A", SHARE)) == (0, 400)
    for number in (first, second, third):
        command = do.SettleTogether("story", b"", pack([number], "i4"), pack([400], "i8"))
        assert "may not settle as a part" in story.refuse(command)


def test_an_explanation_counts_credit_and_links(story: Story) -> None:
    """Two linked purchases on credit lack CNY 60,000 in all; told so, and with that they settle.

    Source: design, an explanation is checked by doing what it names; haircut of 6 % assumed.
    """
    numbers = [story.agree("A", "B", isin=BOND, money="CNY", quantity=5_000, amount_cents=50_000_000) for _ in range(2)]
    story.link("B", "together", *numbers)
    story.give("A", BOND, 10_000)
    story.line("B", "CNY", collateral=200_000_000)
    story.run("night-1-everything")
    remedy = explain_number(story.house, numbers[0])
    assert [lack for _, lack in remedy.needs] == [6_000_000]
    assert "with the 1 it is linked to" in remedy.sentence
    story.give("B", "CNY", 5_999_999)
    assert propose_and_settle(story).settled == 0
    assert [lack for _, lack in explain_number(story.house, numbers[1]).needs] == [1]
    story.give("B", "CNY", 1)
    assert explain_number(story.house, numbers[0]).needs == ()
    assert propose_and_settle(story).settled == 2


def test_a_set_of_an_older_journal_is_read_as_it_was(story: Story) -> None:
    """A proposal without parts has the bytes it always had, and comes back from them.

    Source: design, invariant 6: replay from zero gives the same state.
    """
    command = whole(1, 2)
    body = do.encode(command)
    assert b"part" not in body
    assert do.decode(body) == command
    assert unpack(do.decode(body).part, "i4").size == 0
    assert np.array_equal(unpack(command.instruction, "i4"), [1, 2])
    assert story.has("A", FUND) == 0
