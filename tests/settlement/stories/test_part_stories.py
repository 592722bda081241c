"""Stories of parts: how much settles when there is not enough, and when.

Goal: partial settlement and partial release as T2S has them. Method: a deliverer with some of the shares.
"""

from __future__ import annotations

from story import BOND, MONDAY, SHARE, Story

WHOLE = {"quantity": 1_000, "amount_cents": 30_000_000}  # 1,000 shares against HKD 300,000; the threshold is 80,000


def _short(story: Story, shares: int, **fields: object) -> int:
    """B has the money of the whole, A has some shares."""
    number = story.agree("A", "B", **{**WHOLE, **fields})
    if shares:
        story.give("A", SHARE, shares)
    story.give("B", "HKD", 30_000_000)
    return number


def test_parts_settle_in_a_window_only(story: Story) -> None:
    """400 of 1,000 shares are there: the ordinary run leaves them, the window takes them.

    Source: T2S UDFS R2026.JUN, 1.6.1.9.3: provided that the partial settlement window is running.
    """
    number = _short(story, 400)
    assert story.run("night-2-everything")["parts"] == 0
    figures = story.run("night-2-parts")
    assert (figures["parts"], figures["shares"], figures["settled_HKD_cents"]) == (1, 400, 12_000_000)
    assert (story.cell(number, "open_quantity"), story.has("B", SHARE), story.has("A", "HKD")) == (600, 400, 12_000_000)


def test_the_windows_of_the_day_are_those_of_the_timetable(story: Story) -> None:
    """Shares arrive hour by hour, and each window takes what has come.

    Source: T2S UDFS R2026.JUN, 1.4.4.4 and Clearstream, partial settlement windows (08:00, 10:00, 12:00, 14:00, 15:30).
    """
    number = _short(story, 0)
    for window in (1, 2, 3):
        story.give("A", SHARE, 300)
        story.run(f"partial-settlement-{window}")
    assert story.cell(number, "open_quantity") == 100
    story.give("A", SHARE, 100)  # the rest is whole: it needs no window
    assert story.status(number) == "settled"


def test_money_of_parts_adds_up_to_the_cent(story: Story) -> None:
    """HKD 300,000.01 in three parts: rounded down, the last takes the remainder.

    Source: posttrade.md D1, 5: cash is proportional with a stated rounding side; the last part takes the remainder.
    """
    number = _short(story, 300, quantity=900, amount_cents=30_000_001)
    story.give("B", "HKD", 1)
    paid = []
    for window in (1, 2):
        story.run(f"partial-settlement-{window}")
        paid.append(story.has("A", "HKD"))
        story.give("A", SHARE, 300)
    assert paid == [10_000_000, 20_000_000]
    assert (story.status(number), story.has("A", "HKD")) == ("settled", 30_000_001)


def test_a_part_is_worth_the_threshold_or_nothing_moves(story: Story) -> None:
    """200 shares are HKD 60,000, below 80,000: nothing; 300 are 90,000: they settle.

    Source: T2S data model R2024.JUN, T2S.08.290 and 11.730 (EUR 10,000 for units; here its HKD row, marked assumed).
    """
    _short(story, 200)
    assert story.run("partial-settlement-1")["parts"] == 0
    story.give("A", SHARE, 100)
    assert story.run("partial-settlement-2")["parts"] == 1


def test_bonds_have_the_higher_threshold(story: Story) -> None:
    """CNY 600,000 of a bond is too little for a part, CNY 700,000 is enough.

    Source: T2S data model R2024.JUN, T2S.11.730 (EUR 100,000 for nominal; here its CNY row, marked assumed).
    """
    story.agree("A", "B", isin=BOND, money="CNY", quantity=10_000, amount_cents=100_000_000)
    story.give("B", "CNY", 100_000_000)
    story.give("A", BOND, 6_000)
    assert story.run("partial-settlement-1")["parts"] == 0
    story.give("A", BOND, 1_000)
    assert story.run("partial-settlement-2")["parts"] == 1


def test_free_of_payment_needs_whole_lots_only(story: Story) -> None:
    """Free of payment the threshold is a quantity: 150 shares are one board lot of 100.

    Source: T2S UDFS R2026.JUN, 1.6.1.9.3, table 68 and footnote 228.
    """
    number = story.agree("A", "B", kind="fop", quantity=1_000, amount_cents=0)
    story.give("A", SHARE, 150)
    story.run("partial-settlement-1")
    assert (story.cell(number, "open_quantity"), story.has("B", SHARE)) == (900, 100)


def test_lack_of_money_alone_makes_no_part(story: Story) -> None:
    """A has all the shares, B half the money: no part.

    Source: T2S UDFS R2026.JUN, 1.6.1.9.3, footnote 224: only for lack of securities.
    """
    story.agree("A", "B", **WHOLE)
    story.give("A", SHARE, 1_000)
    story.give("B", "HKD", 15_000_000)
    assert story.run("night-2-parts")["parts"] == 0
    assert story.has("B", SHARE) == 0


def test_either_side_opts_out(story: Story) -> None:
    """B's order permits no parts: none. When B changes its mind, the next window settles one.

    Source: T2S UDFS R2026.JUN, 1.6.1.9.3: the indicator is "No" in none of the two; 2018/1229, article 10.
    """
    story.give("A", SHARE, 400)
    story.give("B", "HKD", 30_000_000)
    story.send("A", "delivers", "B", **WHOLE)
    _, number = story.send("B", "receives", "A", partial=0, **WHOLE)
    assert story.run("partial-settlement-1")["parts"] == 0
    story.act("B", number, "permit-parts")
    assert story.run("partial-settlement-2")["parts"] == 1


def test_linked_instructions_settle_whole(story: Story) -> None:
    """Linked to another, it settles in no parts.

    Source: T2S UDFS R2026.JUN, 1.6.1.9.3: not linked by before, after, with or a pool.
    """
    number = _short(story, 400)
    other = story.agree("C", "D", kind="fop", amount_cents=0)
    story.link("HKSCC", "before", number, other)
    assert story.run("night-2-parts")["parts"] == 0


def test_part_of_a_held_instruction_is_released(story: Story) -> None:
    """A holds 1,000 for many clients and releases the 500 of one; they settle at once, the rest stays on hold.

    Source: T2S-0653-URD (partial release, delivering side); T2S-0827-URD (tried at once from 24 November 2025).
    """
    number = _short(story, 500)
    story.act("A", number, "hold")
    story.run("continuous-settlement")
    assert story.act("A", number, "release-part", 500) == "on-hold"
    assert (story.has("B", SHARE), story.cell(number, "open_quantity"), story.status(number)) == (500, 500, "on-hold")


def test_outside_a_window_a_released_part_settles_whole(story: Story) -> None:
    """500 are released and 400 there: only the window takes the 400.

    Source: T2S UDFS R2026.JUN, 1.6.1.9.3: outside a window for the total released, in it for the total or part.
    """
    number = _short(story, 400)
    story.act("A", number, "hold")
    story.run("continuous-settlement")
    story.act("A", number, "release-part", 500)
    assert story.has("B", SHARE) == 0
    story.run("partial-settlement-1")
    assert (story.has("B", SHARE), story.cell(number, "released_quantity")) == (400, 100)


def test_a_partial_release_is_for_the_day(story: Story) -> None:
    """What was released and did not settle is on hold again the next day.

    Source: T2S UDFS R2026.JUN, 1.6.1.9.3: partial release is valid only for the current business day.
    """
    number = _short(story, 0)
    story.act("A", number, "hold")
    story.act("A", number, "release-part", 500)
    story.next_day()
    story.give("A", SHARE, 500)
    story.run("partial-settlement-1")
    assert (story.house.position.day, story.has("B", SHARE)) == (MONDAY + 1, 0)


def test_only_the_deliverer_releases_a_part_and_only_of_its_own_hold(story: Story) -> None:
    """The receiver cannot; nor the deliverer when the receiver holds as well, nor more than is open.

    Source: T2S-0653-URD: limited to the delivery side; T2S UDFS R2026.JUN, 1.6.1.9.3, footnote 227 (party hold).
    """
    number = _short(story, 0)
    assert "what it alone holds" in story.refuse_act("A", number, "release-part", 5)
    story.act("A", number, "hold")
    assert "what it alone holds" in story.refuse_act("B", number, "release-part", 5)
    assert "1000 of 1000 open" in story.refuse_act("A", number, "release-part", 1_000)
    story.act("B", number, "hold")
    assert "what it alone holds" in story.refuse_act("A", number, "release-part", 5)
