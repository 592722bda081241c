"""Stories of a matched instruction's life: hold and release, priority, cancellation, amendment.

Goal: parties and the house do to an instruction what the rules allow, and nothing else. Method: one instruction or two
on the production engine.
"""

from __future__ import annotations

from story import MONDAY, SHARE, Story

from tsingma.journal import commands as do


def _ready(story: Story, shares: int = 100) -> int:
    """Give A the shares and B the money of one instruction, agreed."""
    story.give("A", SHARE, shares)
    story.give("B", "HKD", 3_000_000)
    return story.agree("A", "B")


def test_a_held_instruction_does_not_settle_until_released(story: Story) -> None:
    """A holds; the night passes it by; A releases, and it settles.

    Source: 2018/1229, article 8; T2S UDFS R2026.JUN, 1.6.1.6.1 and table 62, row 9.
    """
    number = _ready(story)
    assert story.act("A", number, "hold") == "on-hold"
    assert story.run("night-2-everything")["settled"] == 0
    assert story.act("A", number, "release") == "matched"
    assert story.run("night-2-parts")["settled"] == 1


def test_either_side_may_hold_a_batch_settlement_out(story: Story) -> None:
    """The receiver holds as the deliverer does, and the batch settlement run leaves it out.

    Source: CCASS General Rule 1003(ii): excluded from runs by either or both; Hold / Release ISI (section 8.1.3a).
    """
    number = _ready(story)
    story.act("B", number, "hold")
    assert story.run("batch-settlement-run-1")["gross_settled"] == 0
    story.act("B", number, "release")
    assert story.run("batch-settlement-run-2")["gross_settled"] == 0  # it settled at once, when it was released
    assert story.status(number) == "settled"


def test_holds_of_both_sides_and_the_house_are_independent(story: Story) -> None:
    """Three hold; each takes its own off; only the last release makes it ready.

    Source: T2S UDFS R2026.JUN, 1.6.1.6.2: hold statuses are independent; table 62.
    """
    number = _ready(story)
    for who in ("A", "B", "HKSCC"):
        story.act(who, number, "hold")
    assert [story.act(who, number, "release") for who in ("B", "HKSCC", "A")] == ["on-hold", "on-hold", "matched"]


def test_nobody_releases_what_another_holds(story: Story) -> None:
    """B cannot release A's hold, nor hold twice; C has no say at all.

    Source: T2S UDFS R2026.JUN, 1.6.1.6.2 (released by who put it on hold) and 1.6.1.6.3 (not held already).
    """
    number = _ready(story)
    story.act("A", number, "hold")
    assert "who holds it releases it" in story.refuse_act("B", number, "release")
    assert "you hold it already" in story.refuse_act("A", number, "hold")
    assert "belongs to others" in story.refuse_act("C", number, "hold")


def test_what_is_held_may_be_cancelled_and_reprioritised(story: Story) -> None:
    """On hold it can still be amended and cancelled.

    Source: T2S UDFS R2026.JUN, 1.6.1.6.1: instructions on hold can be matched, amended or cancelled.
    """
    number = _ready(story)
    story.act("B", number, "hold")
    assert story.act("A", number, "prioritise", 2) == "on-hold"
    story.act("A", number, "cancel")
    assert story.act("B", number, "cancel") == "cancelled"


def test_held_over_its_day_it_is_failing_once_released(story: Story) -> None:
    """Held at the end of its intended day, it is recycled, and counts as late when it is released.

    Source: T2S UDFS R2026.JUN, 1.6.1.6.2: on hold at the end of its day, it follows the recycling rules.
    """
    number = _ready(story)
    story.act("A", number, "hold")
    story.next_day()
    assert story.act("A", number, "release") == "failing"
    story.run("night-1-everything")
    assert story.status(number) == "settled"


def test_a_matched_instruction_is_cancelled_by_both(story: Story) -> None:
    """One request does nothing; the second cancels.

    Source: 2018/1229, article 7 (bilateral cancellation).
    """
    number = _ready(story)
    assert story.act("A", number, "cancel") == "matched"
    assert story.act("B", number, "cancel") == "cancelled"
    assert story.run("night-1-everything")["settled"] == 0


def test_a_cancellation_may_be_taken_back(story: Story) -> None:
    """A asks, thinks again, and B's request alone cancels nothing.

    Source: the house's own rule; 2018/1229, article 7, asks for both.
    """
    number = _ready(story)
    story.act("A", number, "cancel")
    story.act("A", number, "keep")
    assert story.act("B", number, "cancel") == "matched"
    assert "you have not asked to cancel it" in story.refuse_act("A", number, "keep")


def test_asked_by_one_side_only_it_still_settles(story: Story) -> None:
    """A one-sided request does not stop settlement.

    Source: LuxCSD, 5 October 2020: both remain pending until both have sent their requests; 2018/1229, article 9.
    """
    number = _ready(story)
    story.act("B", number, "cancel")
    story.run("night-1-everything")
    assert story.status(number) == "settled"


def test_what_is_settled_or_cancelled_is_final(story: Story) -> None:
    """Neither side can hold, cancel or amend it any more.

    Source: T2S UDFS R2026.JUN, 1.6.1.4.2 and 1.6.1.6.3: denied for settled and cancelled.
    """
    number = _ready(story)
    story.run("night-1-everything")
    for action in ("hold", "release", "cancel", "prioritise", "refuse-parts"):
        assert f"cannot {action} an instruction that is settled" in story.refuse_act("A", number, action)


def test_parties_choose_between_high_and_normal(story: Story) -> None:
    """The house gives reserved and top; a party can neither take nor undo them.

    Source: four levels, of which parties set the last two (posttrade.md A5, table b: priority queue, reprioritise).
    """
    number = story.agree("A", "B")
    assert story.priority(number) == "normal"
    story.act("A", number, "prioritise", 2)
    assert story.priority(number) == "high"
    assert "the house's to give" in story.refuse_act("A", number, "prioritise", 1)
    story.act("HKSCC", number, "prioritise", 0)
    assert "the house's to give" in story.refuse_act("B", number, "prioritise", 3)
    assert story.priority(number) == "reserved"


def test_scarce_shares_go_by_priority_then_by_entry(story: Story) -> None:
    """A has shares for two of four: the top one and the first of the high ones settle.

    Source: T2S, settlement by priority (posttrade.md A5); the order within a priority is that of entry (C2, 1).
    """
    for who in ("B", "C", "D", "AGENT"):
        story.give(who, "HKD", 3_000_000)
    normal, first_high, second_high, top = (story.agree("A", who) for who in ("B", "C", "D", "AGENT"))
    for number in (first_high, second_high):
        story.act("A", number, "prioritise", 2)
    story.act("HKSCC", top, "prioritise", 1)
    story.give("A", SHARE, 200)
    story.run("night-1-everything")
    assert [story.status(number) for number in (normal, first_high, second_high, top)] == [
        "matched", "settled", "matched", "settled",
    ]  # fmt: skip


def test_the_higher_priority_of_both_orders_counts(story: Story) -> None:
    """B's order is high, A's is normal: the instruction is high.

    Source: T2S keeps a matched priority of the transaction (T2S GUI, settlement instruction details); which of two it
    is, is the house's own.
    """
    story.send("A", "delivers", "B")
    _, number = story.send("B", "receives", "A", priority=2)
    assert story.priority(number) == "high"


def test_what_moves_is_never_amended(story: Story) -> None:
    """There is no action for quantity, amount or day: cancel, and instruct anew.

    Source: T2S UDFS R2026.JUN, 1.6.1.4.2: other fields are changed by cancelling and instructing again.
    """
    number = _ready(story)
    assert "no action 'quantity'" in story.refuse_act("A", number, "quantity", 50)
    _, order = story.send("C", "delivers", "D")
    text = story.refuse(do.ChangeOrder(order, "amount", "C", 1))
    assert "cancel it and send a new one" in text


def test_once_part_has_settled_only_the_priority_changes(story: Story) -> None:
    """After a part, parts and links are fixed; the priority is not.

    Source: T2S UDFS R2026.JUN, table 59, partially settled instruction.
    """
    number = story.agree("A", "B", quantity=1_000, amount_cents=30_000_000)
    story.give("A", SHARE, 400)
    story.give("B", "HKD", 30_000_000)
    story.run("night-2-parts")
    assert story.cell(number, "open_quantity") == 600
    assert "only its priority may change" in story.refuse_act("A", number, "refuse-parts")
    assert "only its priority may change" in story.refuse_act("A", number, "unlink")
    story.act("A", number, "prioritise", 2)
    assert story.priority(number) == "high"


def test_the_pending_part_may_be_held(story: Story) -> None:
    """What is left of a partly settled instruction is put on hold like a whole one.

    Source: T2S UDFS R2026.JUN, 1.6.1.6.1: it is possible to hold the pending part.
    """
    number = story.agree("A", "B", quantity=1_000, amount_cents=30_000_000)
    story.give("A", SHARE, 400)
    story.give("B", "HKD", 30_000_000)
    story.run("night-2-parts")
    assert story.act("B", number, "hold") == "on-hold"


def test_matched_and_never_settled_it_is_cancelled_after_sixty_settlement_days(story: Story) -> None:
    """Nothing is ever delivered: sixty settlement days after its day the house cancels it.

    Source: T2S UDFS R2026.JUN, 1.6.1.7, footnote 200.
    """
    number = story.agree("A", "B")
    story.next_day(61)
    assert story.status(number) == "failing"
    proof = story.next_day()
    assert (story.status(number), proof["instructions_cancelled"]) == ("cancelled", 1)


def test_a_change_starts_the_sixty_days_anew(story: Story) -> None:
    """A hold and a release on a later day keep the instruction alive for longer.

    Source: T2S UDFS R2026.JUN, 1.6.1.7: the intended day or the last change of status, the later of the two.
    """
    number = story.agree("A", "B")
    story.next_day(5)
    story.act("A", number, "hold")
    story.act("A", number, "release")
    story.next_day(57)
    assert story.status(number) == "failing"


def test_the_day_closes_with_open_settled_and_cancelled_equal_to_submitted(story: Story) -> None:
    """One settles, one is cancelled, one fails: the proof of the day has all three, in number and money.

    Source: posttrade.md D1, 11; 2018/1229, article 11(2) (pending, failed, settled, cancelled).
    """
    _ready(story)
    gone, left = (story.agree("C", "D", amount_cents=cents) for cents in (500, 700))
    for who in ("C", "D"):
        story.act(who, gone, "cancel")
    proof = story.next_day()
    names = ("settled", "cancelled", "failing", "matched", "on_hold")
    assert [proof[f"instructions_{name}"] for name in names] == [1, 1, 1, 0, 0]
    money = [proof[f"instructions_{name}_HKD_cents"] for name in ("settled", "cancelled", "open")]
    assert money == [3_000_000, 500, 700]
    assert story.status(left) == "failing"
    assert story.house.position.day == MONDAY + 1
