"""Stories of matching: which two orders are one instruction, what moves, who is told.

Goal: the matching rules of T2S and of Regulation 2018/1229. Method: orders of two parties on the production engine.
"""

from __future__ import annotations

import numpy as np
import pytest
from story import MONDAY, SHARE, Story

from tsingma.settlement.orders import ALLEGED, ALLEGEMENT_REMOVED


def test_delivery_and_receipt_that_agree_are_one_instruction(story: Story) -> None:
    """Two orders with the same details are matched when the second comes.

    Source: T2S UDFS R2026.JUN, 1.6.1.2.3, diagram 55 (mandatory fields); 2018/1229, article 5(3).
    """
    result, order = story.send("A", "delivers", "B")
    assert (result, story.order_status(order)) == ("waits", "waiting")
    result, number = story.send("B", "receives", "A")
    assert (result, story.status(number), story.order_status(order)) == ("matched", "matched", "matched")


@pytest.mark.parametrize(
    "difference",
    [
        {"quantity": 101},
        {"trade_day": MONDAY - 5},
        {"intended_day": MONDAY + 1},
        {"money": "CNY"},
        {"kind": "dwp"},
        {"isin": "HK2800008867"},
    ],
    ids=lambda difference: next(iter(difference)),
)
def test_a_mandatory_field_that_differs_keeps_orders_apart(story: Story, difference: dict[str, object]) -> None:
    """Quantity, trade day, intended day, currency, kind and ISIN must be the same on both sides.

    Source: 2018/1229, article 5(3)(a) to (h); T2S UDFS R2026.JUN, diagram 55.
    """
    story.send("A", "delivers", "B")
    assert story.send("B", "receives", "A", **difference)[0] == "waits"


def test_two_deliveries_do_not_match(story: Story) -> None:
    """Delivery meets receipt, never delivery.

    Source: T2S UDFS R2026.JUN, 1.6.1.2.3: securities movement types match opposite.
    """
    story.send("A", "delivers", "B")
    assert story.send("B", "delivers", "A")[0] == "waits"


def test_the_party_named_must_be_the_one_that_answers(story: Story) -> None:
    """An order against B is not matched by C.

    Source: 2018/1229, article 5(3)(i) and (j): identifiers of both participants.
    """
    story.send("A", "delivers", "B")
    assert story.send("C", "receives", "A")[0] == "waits"


@pytest.mark.parametrize(
    ("amount", "other", "result"),
    [
        (100_000_00, 100_002_00, "matched"),
        (100_000_00, 100_002_01, "waits"),
        (100_000_01, 100_025_01, "matched"),
        (100_000_01, 99_974_99, "waits"),
    ],
)
def test_tolerance_in_euro_is_2_up_to_100_000_and_25_above(story: Story, amount: int, other: int, result: str) -> None:
    """Amounts may differ by EUR 2 up to EUR 100,000 and by EUR 25 above it.

    Source: 2018/1229, article 6; T2S UDFS R2026.JUN, table 57.
    """
    story.send("A", "delivers", "B", money="EUR", amount_cents=amount)
    assert story.send("B", "receives", "A", money="EUR", amount_cents=other)[0] == result


def test_what_moves_is_the_deliverers_amount(story: Story) -> None:
    """Matched within the tolerance, the receiver pays what the deliverer asked.

    Source: T2S UDFS R2026.JUN, 1.6.1.2.3 (matched settlement amount: the deliverer's).
    """
    story.give("A", SHARE, 100)
    story.give("B", "HKD", 10_000_000)
    story.send("B", "receives", "A", amount_cents=3_000_900)
    story.send("A", "delivers", "B", amount_cents=3_000_000)
    story.run("night-1-everything")
    assert (story.has("A", "HKD"), story.has("B", "HKD"), story.has("B", SHARE)) == (3_000_000, 7_000_000, 100)


def test_the_smallest_difference_is_the_best_match(story: Story) -> None:
    """Of three receipts within the tolerance, the one nearest in amount is taken.

    Source: T2S UDFS R2026.JUN, 1.6.1.2.3: the smallest settlement amount difference.
    """
    near = [story.send("B", "receives", "A", amount_cents=3_000_000 + cents)[1] for cents in (900, 100, 500)]
    story.send("A", "delivers", "B")
    assert [story.order_status(order) for order in near] == ["waiting", "matched", "waiting"]


def test_of_equal_differences_the_closest_entry_is_taken(story: Story) -> None:
    """Of receipts with the same amount, the one that came last before the delivery is taken.

    Source: T2S UDFS R2026.JUN, 1.6.1.2.3: the closest entry time.
    """
    same = [story.send("B", "receives", "A")[1] for _ in range(3)]
    story.send("A", "delivers", "B")
    assert [story.order_status(order) for order in same] == ["waiting", "waiting", "matched"]


def test_an_additional_field_filled_by_one_side_keeps_orders_apart(story: Story) -> None:
    """Ex coupon on one side only does not match; on both sides it does.

    Source: T2S UDFS R2026.JUN, 1.6.1.2.3, diagram 56: a filled additional field does not match an empty one.
    """
    story.send("A", "delivers", "B", conditions=4)
    assert story.send("B", "receives", "A")[0] == "waits"
    assert story.send("B", "receives", "A", conditions=4)[0] == "matched"


def test_an_optional_field_filled_by_one_side_matches(story: Story) -> None:
    """A common trade reference on one side matches none on the other, and not another one.

    Source: T2S UDFS R2026.JUN, 1.6.1.2.3, diagram 57.
    """
    story.send("A", "delivers", "B", common_reference=7)
    assert story.send("B", "receives", "A", common_reference=8)[0] == "waits"
    assert story.send("B", "receives", "A")[0] == "matched"


def test_the_other_sides_account_and_client_are_optional_fields(story: Story) -> None:
    """B's client account is asked for: its house account does not match, its client account does.

    Source: T2S UDFS R2026.JUN, diagram 57: securities account and client of the other party.
    """
    story.send("A", "delivers", "B", counterparty_account=story.account("B/CLIENT"), counterparty_client=5)
    assert story.send("B", "receives", "A", client=5)[0] == "waits"
    assert story.send("B", "receives", "A", account="B/CLIENT", client=6)[0] == "waits"
    result, number = story.send("B", "receives", "A", account="B/CLIENT", client=5)
    assert (result, story.cell(number, "receiver")) == ("matched", story.account("B/CLIENT"))


def test_already_matched_needs_no_second_order(story: Story) -> None:
    """What was matched elsewhere is an instruction at once; it must name the other account.

    Source: 2018/1229, article 5(2)(a); T2S UDFS R2026.JUN, 1.6.1.2.2.
    """
    number = story.agree("A", "B")
    assert story.status(number) == "matched"
    assert "counterparty's account" in story.send("A", "delivers", "B", matched=1)[0]


def test_the_other_side_is_told_within_an_hour(story: Story) -> None:
    """An order for a later day that finds no match is alleged to the other side an hour after it came, not before.

    Source: 2018/1229, article 11(1).
    """
    story.run("continuous-settlement")
    _, order = story.send("A", "delivers", "B", at="08:30", intended_day=MONDAY + 2)
    story.send("C", "delivers", "D", at="09:29", intended_day=MONDAY + 2)
    assert story.house.settlement.orders.table["alleged"][order] == 0
    assert story.run("partial-settlement-1")["allegements"] == 1
    assert story.house.settlement.orders.table["alleged"][order] == ALLEGED


def test_late_orders_are_alleged_at_once(story: Story) -> None:
    """In the last five hours before the cut-off of the intended day the other side is told at once.

    Source: 2018/1229, article 11(1).
    """
    story.run("partial-settlement-2")
    story.send("A", "delivers", "B", at="12:05")
    assert story.run("batch-settlement-run-2")["allegements"] == 1


def test_an_allegement_ends_with_the_match_or_the_cancellation(story: Story) -> None:
    """The other side is told again when there is nothing to answer any more.

    Source: ISO 20022 sese.029, allegement removal (hk-markets 7); 2018/1229, article 11.
    """
    story.run("partial-settlement-2")
    first, second = (story.send("A", "delivers", "B", quantity=units)[1] for units in (100, 200))
    story.run("batch-settlement-run-2")
    event, _ = story.submit("B", story.order("B", "receives", "A"))
    assert (event.matched, event.allegements_removed) == (1, 1)
    assert story.act_on_order("A", second, "cancel") == "cancelled"
    assert story.house.settlement.orders.table["alleged"][[first, second]].tolist() == [ALLEGEMENT_REMOVED] * 2


def test_one_side_alone_cancels_what_is_not_matched(story: Story) -> None:
    """Before the match each side takes its own order back; the other cannot.

    Source: 2018/1229, article 7, asks both sides only once matched; Clearstream, fails management services.
    """
    _, order = story.send("A", "delivers", "B")
    with pytest.raises(AssertionError, match="belongs to others"):
        story.act_on_order("B", order, "cancel")
    assert story.act_on_order("A", order, "cancel") == "cancelled"
    assert story.send("B", "receives", "A")[0] == "waits"


def test_an_order_may_be_sent_on_hold_and_still_match(story: Story) -> None:
    """Held before it is matched: it matches, and stays on hold.

    Source: T2S UDFS R2026.JUN, 1.6.1.6.1: sent initially on hold; on hold it can be matched.
    """
    story.send("A", "delivers", "B", hold=1)
    _, number = story.send("B", "receives", "A")
    assert story.status(number) == "on-hold"
    assert story.act("A", number, "release") == "matched"


def test_unmatched_orders_are_cancelled_after_twenty_settlement_days(story: Story) -> None:
    """Twenty settlement days after its intended day an order that found no match is cancelled, not a day before.

    Source: T2S UDFS R2026.JUN, 1.6.1.7, footnote 199.
    """
    _, order = story.send("A", "delivers", "B")
    story.next_day(21)
    assert story.order_status(order) == "waiting"
    story.next_day()
    assert story.order_status(order) == "cancelled"


def test_one_bad_order_never_hides_the_next(story: Story) -> None:
    """Of three orders the second names no account; the others are taken, and the answer says which and why.

    Source: 2018/1229, article 4(1): instructions are processed on an automated basis, each for itself.
    """
    rows = [story.order("A", "delivers", "B", quantity=units) for units in (100, 200, 300)]
    rows[1]["account"] = 99
    event, _ = story.submit("A", *rows)
    assert (event.waiting, event.refused) == (2, 1)
    assert np.frombuffer(event.numbers, np.int64).tolist() == [0, -1, 1]
    assert "story:3: order 2: account: 99 names no account of a participant" in str(event.rejections[0])


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"quantity": 0}, "quantity is not what the kind moves"),
        ({"amount_cents": -1}, "amount_cents is not what the kind moves"),
        ({"kind": "fop", "amount_cents": 5}, "amount_cents is not what the kind moves"),
        ({"trade_day": MONDAY + 1}, "intended_day is before the trade day"),
        ({"priority": 0}, "priority is not a party's to give"),
        ({"conditions": 6}, "conditions contradict each other"),
        ({"pool": 3, "pool_size": 1}, "pool_size does not suit the pool"),
        ({"security": 99}, "security does not suit the kind"),
        ({"currency": 9}, "currency does not suit the kind"),
        ({"counterparty": 99}, "counterparty names no participant"),
        ({"counterparty_account": 4}, "counterparty_account is no account of the counterparty"),
        ({"reference": 0}, "reference is no number"),
        ({"kind": "fop", "amount_cents": 0, "currency": 0}, "currency does not suit the kind"),
    ],
)
def test_impossible_orders_are_refused_by_name(story: Story, fields: dict[str, object], text: str) -> None:
    """Each impossible field is refused with its name and what to do.

    Source: 2018/1229, article 5(3): the fields every instruction has, by kind.
    """
    assert text in story.send("A", "delivers", "B", **fields)[0]


def test_a_reference_is_used_once_and_only_for_own_accounts(story: Story) -> None:
    """The same reference again is refused, and an order for another's account.

    Source: the house's own rule for idempotent submission (posttrade.md, table b and D1, 7).
    """
    story.send("A", "delivers", "B", reference=9)
    assert "was used by this participant before" in story.send("A", "delivers", "B", reference=9)[0]
    assert story.send("B", "delivers", "A", reference=9)[0] == "waits"
    assert "belongs to another participant" in story.send("C", "delivers", "B", account="A")[0]
