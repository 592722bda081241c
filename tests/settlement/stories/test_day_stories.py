"""Stories of the day: night sequences, batch runs, continuous settlement, cut-offs, and net positions beside.

Goal: what settles when, from one timetable. Method: whole days on the production engine.
"""

from __future__ import annotations

from story import FUND, MONDAY, SHARE, Story

from tsingma.journal import commands as do
from tsingma.settlement.timetable import timetable


def test_the_night_settles_free_of_payment_first(story: Story) -> None:
    """Shares that come free of payment settle in the first sequence and are sold in the second.

    Source: T2S UDFS R2026.JUN, 1.4.4: night cycles in sequences; their content is the timetable's, marked assumed.
    """
    story.give("C", SHARE, 100)
    story.give("B", "HKD", 3_000_000)
    sale = story.agree("A", "B")
    gift = story.agree("C", "A", kind="fop", amount_cents=0)
    assert story.run("night-1-free-of-payment")["settled"] == 1
    assert (story.status(gift), story.status(sale)) == ("settled", "matched")
    assert story.run("night-1-everything")["settled"] == 1


def test_what_arrives_between_cycles_settles_in_the_last(story: Story) -> None:
    """An order matched after the first cycle settles in the second.

    Source: T2S non-functional tests: 10 % of instructions arrive during the cycle (posttrade.md A5).
    """
    story.give("A", SHARE, 100)
    story.give("B", "HKD", 3_000_000)
    story.run("night-1-everything")
    number = story.agree("A", "B")
    assert story.run("night-2-everything")["settled"] == 1
    assert story.status(number) == "settled"


def test_nothing_settles_before_its_day(story: Story) -> None:
    """Intended for Tuesday, it does not settle on Monday though everything is there.

    Source: T2S UDFS R2026.JUN, 1.6.1.8.2: submitted at the intended settlement date.
    """
    story.give("A", SHARE, 100)
    story.give("B", "HKD", 3_000_000)
    number = story.agree("A", "B", intended_day=MONDAY + 1)
    story.next_day()
    assert story.status(number) == "matched"
    story.run("night-1-everything")
    assert story.status(number) == "settled"


def test_by_day_a_match_settles_at_once(story: Story) -> None:
    """Continuous settlement: the answer to the second order says that it has settled.

    Source: 2018/1229, article 11(4): real-time gross settlement throughout the day.
    """
    story.give("A", SHARE, 100)
    story.give("B", "HKD", 3_000_000)
    story.run("continuous-settlement")
    story.send("A", "delivers", "B")
    event, figures = story.submit("B", story.order("B", "receives", "A"))
    assert (event.matched, figures["settled"], story.has("B", SHARE)) == (1, 1, 100)


def test_by_day_what_comes_in_wakes_what_waits(story: Story) -> None:
    """Shares arrive for A; A's sale settles, and with its proceeds A's own purchase.

    Source: recycling when something is credited (posttrade.md C2, 2); T2S, recycling and optimisation by day.
    """
    story.give("B", "HKD", 3_000_000)
    story.give("C", FUND, 1_000)
    story.run("continuous-settlement")
    numbers = [story.agree("A", "B"), story.agree("C", "A", isin=FUND, quantity=1_000, amount_cents=3_000_000)]
    assert [story.status(number) for number in numbers] == ["matched"] * 2
    story.give("A", SHARE, 100)
    assert [story.status(number) for number in numbers] == ["settled"] * 2


def test_by_day_an_earlier_link_wakes_the_later_one(story: Story) -> None:
    """The later one was ready long ago; it settles with the event that settles the earlier.

    Source: T2S UDFS R2026.JUN, 1.6.1.11.2 (AFTE).
    """
    story.give("C", SHARE, 100)
    first, second = story.agree("A", "B"), story.agree("C", "D", kind="fop", amount_cents=0)
    story.link("HKSCC", "before", first, second)
    story.give("B", "HKD", 3_000_000)
    story.run("continuous-settlement")
    story.give("A", SHARE, 100)
    assert [story.status(number) for number in (first, second)] == ["settled"] * 2


def test_after_the_payment_cut_off_only_free_of_payment_settles(story: Story) -> None:
    """At four in the afternoon a delivery against payment waits for tomorrow, one free of payment settles.

    Source: CCASS: same-day cut 15:45 (hk-markets 1.1); T2S UDFS R2026.JUN, 1.4.2: the FOP cut-off is the later one.
    """
    story.give("A", SHARE, 200)
    story.give("B", "HKD", 3_000_000)
    story.run("payment-cut-off")
    paid, free = story.agree("A", "B"), story.agree("A", "B", kind="fop", amount_cents=0)
    assert (story.status(paid), story.status(free)) == ("matched", "settled")
    story.next_day()
    assert story.status(paid) == "failing"
    story.run("night-1-everything")
    assert story.status(paid) == "settled"


def test_after_the_last_cut_off_nothing_settles(story: Story) -> None:
    """Free of payment, a quarter of an hour later: tomorrow.

    Source: T2S UDFS R2026.JUN, 1.4.2: the end of the cut-off phase is that of free of payment.
    """
    story.give("A", SHARE, 100)
    story.run("free-of-payment-cut-off")
    assert story.status(story.agree("A", "B", kind="fop", amount_cents=0)) == "matched"


def test_what_fails_is_recycled_day_after_day(story: Story) -> None:
    """Short on Monday and Tuesday, covered on Wednesday: it settles then, without being sent again.

    Source: 2018/1229, article 9: recycled until settled or bilaterally cancelled.
    """
    number = story.agree("A", "B")
    story.give("B", "HKD", 3_000_000)
    story.next_day(2)
    assert story.status(number) == "failing"
    story.give("A", SHARE, 100)
    story.run("night-1-everything")
    assert story.status(number) == "settled"


def test_isolated_trades_settle_gross_between_the_parties(story: Story) -> None:
    """An isolated trade moves stock and money directly, and nothing is on hold afterwards.

    Source: HKEX and Clearstream, Hong Kong (hk-markets 1.1): isolated trades settle gross, without guarantee.
    """
    story.trade(mode=1)
    story.next_day(2)
    story.give("A", SHARE, 100)
    story.give("B", "HKD", 3_000_000)
    story.run("batch-settlement-run-1")
    assert (story.has("B", SHARE), story.free("B", SHARE), story.status(0)) == (100, 100, "settled")


def test_net_positions_wait_on_hold_for_the_money_of_the_day(story: Story) -> None:
    """Netted stock is delivered in the first batch run and is on hold until money is confirmed at the end of the day.

    Source: HKEX, Risk Management of CNS Trades in All Markets (hk-markets 1.1, S5).
    """
    story.trade(mode=0)
    story.next_day(2)
    story.give("A", SHARE, 100)
    story.give("B", "HKD", 4_000_000)
    story.run("batch-settlement-run-1")
    assert (story.has("B", SHARE), story.free("B", SHARE)) == (100, 0)
    story.run("money-settlement")
    assert story.free("B", SHARE) == 100


def test_stock_on_hold_cannot_be_delivered_on(story: Story) -> None:
    """B sells on what it has received and not yet paid for: its instruction waits until the money is confirmed.

    Source: HKEX, Risk Management of CNS Trades: not allowed to use or withdraw securities on hold.
    """
    story.trade(mode=0)
    story.next_day(2)
    story.give("A", SHARE, 100)
    story.give("B", "HKD", 4_000_000)
    onward = story.agree("B", "C", kind="fop", amount_cents=0)
    story.run("batch-settlement-run-4")
    assert story.status(onward) == "matched"
    story.next_day()
    story.run("night-1-free-of-payment")
    assert story.status(onward) == "settled"


def test_reserved_stock_is_reconciled_beside_stock_on_hold(story: Story) -> None:
    """Some shares are reserved, others on hold for money; the close of the day knows both apart.

    Source: design, invariant 3; posttrade.md D1, 2.
    """
    story.trade(mode=0)
    story.next_day(2)
    story.give("A", SHARE, 150)
    story.tell(do.ReserveAssets("A", story.account("A"), story.asset(SHARE), 50, MONDAY + 30))
    proof = story.next_day()  # B has no money: its stock stays on hold overnight
    assert proof["stock_settled"] == 200
    assert (story.free("B", SHARE), story.free("A", SHARE)) == (0, 0)


def test_the_time_of_day_never_goes_back(story: Story) -> None:
    """An order stamped earlier than what has run is refused, and so is one after midnight.

    Source: posttrade.md D1, 8 (order of time); design, section 2: the business clock is a command.
    """
    story.run("partial-settlement-1")
    for second in (35_999, 86_400):
        assert "second" in story.refuse(do.SubmitInstructions("late", "A", second, {}))
    assert timetable()[0].second == 3_600


def test_malformed_columns_are_refused_whole(story: Story) -> None:
    """Unknown, missing and uneven columns.

    Source: design, error rules: bad input is refused whole, naming the field.
    """
    eight, four = bytes(8), bytes(4)
    needed = {"reference": eight, "account": four, "counterparty": four, "delivers": bytes(1), "trade_day": four,
              "intended_day": four}  # fmt: skip
    for columns, text in (
        ({**needed, "colour": eight}, "colour: no such column"),
        ({"reference": eight}, "account: the column is not given"),
        ({**needed, "quantity": bytes(16)}, "the columns differ in length"),
        ({**needed, "quantity": bytes(5)}, "no whole column"),
    ):
        assert text in story.refuse(do.SubmitInstructions("bad", "A", 0, columns))
    assert "no participant 'X'" in story.refuse(do.SubmitInstructions("bad", "X", 0, needed))
