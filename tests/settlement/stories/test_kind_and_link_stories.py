"""Stories of kinds and links: what moves against what, and which instruction waits for which.

Goal: both legs or neither in every kind, and links that hold. Method: short and covered accounts on the production
engine.
"""

from __future__ import annotations

import pytest
from story import BOND, FUND, SHARE, Story


def test_delivery_against_payment_moves_both_or_neither(story: Story) -> None:
    """B is one cent short: nothing moves; with the cent, both legs do.

    Source: posttrade.md D1, 3 (a settled DvP has both legs, at one instant); T2S, DvP model 1.
    """
    number = story.agree("A", "B")
    story.give("A", SHARE, 100)
    story.give("B", "HKD", 2_999_999)
    story.run("night-1-everything")
    assert (story.status(number), story.has("A", SHARE), story.has("B", "HKD")) == ("matched", 100, 2_999_999)
    story.give("B", "HKD", 1)
    story.run("night-2-everything")
    assert (story.has("B", SHARE), story.has("A", "HKD")) == (100, 3_000_000)


def test_free_of_payment_moves_securities_alone(story: Story) -> None:
    """Shares go over without money; it settles in the night's first sequence.

    Source: T2S UDFS R2026.JUN, 1.6.1.2.3 (FOP has no amount); ECB, matching fields, instruction types.
    """
    story.give("A", SHARE, 100)
    story.agree("A", "B", kind="fop", amount_cents=0)
    assert story.run("night-1-free-of-payment")["settled"] == 1
    assert story.has("B", SHARE) == 100


def test_delivery_with_payment_moves_both_the_same_way(story: Story) -> None:
    """The deliverer gives shares and money; without the money it keeps both.

    Source: ECB, Insights on matching fields (January 2015): DWP, delivery with payment.
    """
    story.agree("A", "B", kind="dwp", amount_cents=700)
    story.give("A", SHARE, 100)
    assert story.run("night-1-everything")["settled"] == 0
    story.give("A", "HKD", 700)
    story.run("night-2-everything")
    assert (story.has("B", SHARE), story.has("B", "HKD"), story.has("A", "HKD")) == (100, 700, 0)


def test_payment_free_of_delivery_moves_money_alone(story: Story) -> None:
    """The deliverer pays; no securities move.

    Source: ECB, Insights on matching fields (January 2015): PFOD.
    """
    story.give("A", "CNY", 900)
    story.agree("A", "B", kind="pfod", money="CNY", amount_cents=900)
    story.run("night-1-free-of-payment")
    assert (story.has("A", "CNY"), story.has("B", "CNY")) == (0, 900)


def test_payment_against_payment_moves_two_moneys_or_none(story: Story) -> None:
    """Renminbi against dollars: B is short, nothing moves; then both do.

    Source: PvP across CHATS systems (hk-markets 1.5, P1 to P3); posttrade.md, table b.
    """
    number = story.agree("A", "B", kind="pvp", paid_currency=1, quantity=1_000, money="USD", amount_cents=140)
    story.give("A", "CNY", 1_000)
    story.run("night-1-everything")
    assert (story.status(number), story.has("A", "CNY")) == ("matched", 1_000)
    story.give("B", "USD", 140)
    figures = story.run("night-2-everything")
    assert (story.has("B", "CNY"), story.has("A", "USD")) == (1_000, 140)
    assert (figures["settled_CNY_cents"], figures["settled_USD_cents"], figures["shares"]) == (1_000, 140, 0)


def test_delivery_against_delivery_moves_two_securities_or_none(story: Story) -> None:
    """Shares against fund units, at one instant.

    Source: posttrade.md, table b (DvD); design, invariant 4.
    """
    against = story.book.securities.index(FUND)
    number = story.agree("A", "B", kind="dvd", against_security=against, against_quantity=500, amount_cents=0)
    story.give("A", SHARE, 100)
    assert story.run("night-1-everything")["settled"] == 0
    story.give("B", FUND, 500)
    figures = story.run("night-2-everything")
    assert (story.status(number), figures["shares"]) == ("settled", 600)
    assert (story.has("B", SHARE), story.has("A", FUND)) == (100, 500)


def test_a_match_of_two_kinds_is_exact_where_no_money_is_paid_for_securities(story: Story) -> None:
    """No tolerance in payment against payment.

    Source: T2S UDFS R2026.JUN, 1.6.1.2.3: the tolerance is for amounts of deliveries against payment and of payments.
    """
    fields = {"kind": "pvp", "paid_currency": 1, "quantity": 1_000, "money": "USD"}
    story.send("A", "delivers", "B", amount_cents=140, **fields)
    assert story.send("B", "receives", "A", amount_cents=141, **fields)[0] == "waits"
    assert story.send("B", "receives", "A", amount_cents=140, **fields)[0] == "matched"


def test_linked_together_all_settle_or_none(story: Story) -> None:
    """Two linked deliveries: one lacks shares, so both wait; then both settle.

    Source: T2S UDFS R2026.JUN, 1.6.1.11.2: WITH, all or none.
    """
    first = story.agree("A", "B")
    second = story.agree("B", "C", isin=BOND, money="CNY", quantity=1_000, amount_cents=100)
    story.link("B", "together", first, second)
    story.give("A", SHARE, 100)
    story.give("B", "HKD", 3_000_000)
    story.give("C", "CNY", 100)
    assert story.run("night-1-everything")["settled"] == 0
    story.give("B", BOND, 1_000)
    assert story.run("night-2-everything")["settled"] == 2


def test_linked_together_the_net_must_be_covered(story: Story) -> None:
    """A to B and B back to A of one share nobody has: together they need nothing.

    Source: T2S UDFS R2026.JUN, 1.6.1.11.2 (at the same time); technical netting, feasibility annex (posttrade.md A5).
    """
    there, back = story.agree("A", "B", amount_cents=500), story.agree("B", "A", amount_cents=500)
    assert story.run("night-1-everything")["settled"] == 0
    story.link("A", "together", there, back)
    assert story.run("night-2-everything")["settled"] == 2
    assert (story.has("A", SHARE), story.has("B", "HKD")) == (0, 0)


def test_linked_before_the_first_comes_first(story: Story) -> None:
    """The second could settle alone and waits; it follows in the same run once the first can.

    Source: T2S UDFS R2026.JUN, 1.6.1.11.2: BEFO, before or at the same time.
    """
    first, second = story.agree("A", "B"), story.agree("C", "D", kind="fop", amount_cents=0)
    story.link("HKSCC", "before", first, second)
    story.give("C", SHARE, 100)
    assert story.run("night-1-everything")["settled"] == 0
    assert story.cell(second, "reason") == 3
    story.give("A", SHARE, 100)
    story.give("B", "HKD", 3_000_000)
    assert story.run("night-2-everything")["settled"] == 2


def test_linked_after_is_before_the_other_way_round(story: Story) -> None:
    """Named after the other, it waits for it.

    Source: T2S UDFS R2026.JUN, 1.6.1.11.2: AFTE, after or at the same time.
    """
    late, early = story.agree("C", "D", kind="fop", amount_cents=0), story.agree("A", "B")
    story.link("HKSCC", "after", late, early)
    story.give("C", SHARE, 100)
    assert story.run("night-1-everything")["settled"] == 0


def test_links_in_a_circle_are_refused(story: Story) -> None:
    """First before second before third before first could never settle.

    Source: T2S UDFS R2026.JUN, 1.6.1.11.2: links may not contradict each other.
    """
    numbers = [story.agree("A", "B") for _ in range(3)]
    story.link("A", "before", *numbers)
    with pytest.raises(AssertionError, match="circle"):
        story.link("A", "before", numbers[2], numbers[0])


def test_unlinking_frees_what_waited(story: Story) -> None:
    """Taken out of its links, it settles for itself.

    Source: T2S UDFS R2026.JUN, 1.6.1.11.2: an amendment with UNLK; 1.6.1.4.3: links may be amended.
    """
    first, second = story.agree("A", "B"), story.agree("C", "D", kind="fop", amount_cents=0)
    story.link("HKSCC", "before", first, second)
    story.give("C", SHARE, 100)
    assert story.run("night-1-everything")["settled"] == 0
    story.act("D", second, "unlink")
    assert story.run("night-2-everything")["settled"] == 1


def test_a_pool_waits_until_it_is_complete(story: Story) -> None:
    """A pool of three: two have come and could settle; they wait for the third.

    Source: T2S UDFS R2026.JUN, 1.6.1.11.2: pool reference.
    """
    story.give("A", SHARE, 300)
    for who in ("B", "C", "D"):
        story.give(who, "HKD", 3_000_000)
    for who in ("B", "C"):
        story.agree("A", who, pool=77, pool_size=3)
    assert story.run("night-1-everything")["settled"] == 0
    story.agree("A", "D", pool=77, pool_size=3)
    assert story.run("night-2-everything")["settled"] == 3


def test_pools_of_both_sides_become_one_group(story: Story) -> None:
    """A pools two sales, B pools one of them with a purchase: all three settle together.

    Source: T2S UDFS R2026.JUN, 1.6.1.11.2: links do not contradict each other; the union is the house's own.
    """
    story.send("A", "delivers", "B", pool=1, pool_size=2)
    _, shared = story.send("B", "receives", "A", pool=5, pool_size=2)
    other = story.agree("A", "C", pool=1, pool_size=2)
    story.send("D", "delivers", "B", quantity=300)
    _, bought = story.send("B", "receives", "D", quantity=300, pool=5, pool_size=2)
    groups = {story.cell(number, "together") for number in (shared, other, bought)}
    assert len(groups) == 1
    story.give("A", SHARE, 200)
    story.give("B", "HKD", 6_000_000)
    story.give("C", "HKD", 3_000_000)
    assert story.run("night-1-everything")["settled"] == 0
    story.give("D", SHARE, 300)
    assert story.run("night-2-everything")["settled"] == 3


def test_only_parties_link_their_own(story: Story) -> None:
    """C cannot link what is between A and B.

    Source: T2S UDFS R2026.JUN, 1.6.1.11.2: actors link instructions they may refer to; design, error rules.
    """
    numbers = [story.agree("A", "B") for _ in range(2)]
    with pytest.raises(AssertionError, match="belongs to others"):
        story.link("C", "together", *numbers)
    with pytest.raises(AssertionError, match="no link 'beside'"):
        story.link("A", "beside", *numbers)
