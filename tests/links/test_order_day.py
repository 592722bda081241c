"""A link's orders of one day: the published example, rules at zero, checks, and proof against dictionaries."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from link_orders_help import BUY, CANCEL, EXECUTION, REJECTION, SELL, messages, plain_word, session_at, terms, words

from tsingma.basics.rejection import Rejected, RejectionReason
from tsingma.kernels import link_orders as kernel
from tsingma.links.order_day import OrderDay
from tsingma.links.pretrade import ClientIds, SegregatedAccounts
from tsingma.links.results import word
from tsingma.simulate.plain_link_orders import PlainOrderDay

BILLION_E4 = 10**13


def test_the_published_example() -> None:
    """Goal: 13 - 2.548 + 2.824 = 13.276 bn (service.boom.com). Method: buy orders and sell trades of those sums."""
    day = OrderDay(terms(13 * 10**11))
    buy = {"kind": BUY, "order": 0, "time_s": 310, "quantity": 2_548_000, "price_e4": 10_000_000}
    sell = {"kind": SELL, "order": 1, "time_s": 310, "quantity": 2_824_000, "price_e4": 9_000_000}
    trade = {"kind": EXECUTION, "order": 1, "time_s": 311, "quantity": 2_824_000, "price_e4": 10_000_000}
    assert words(day, buy, sell, trade) == ["accepted"] * 3
    assert day.balance_e4 == 13_276 * BILLION_E4 // 1_000


def test_better_prices_cancels_and_rejections_are_adjustments() -> None:
    """Goal: the formula's last term. Method: a buy of 100 at 5.00 trades 40 at 4.90, then the rest is cancelled."""
    day = OrderDay(terms(100_000))
    rows: list[dict[str, int]] = [
        {"kind": BUY, "order": 0, "time_s": 110, "quantity": 100, "price_e4": 50_000},
        {"kind": EXECUTION, "order": 0, "time_s": 120, "quantity": 40, "price_e4": 49_000},
        {"kind": CANCEL, "order": 0, "time_s": 130},
        {"kind": BUY, "order": 1, "time_s": 130, "quantity": 7, "price_e4": 10_000},
        {"kind": REJECTION, "order": 1, "time_s": 140},
    ]
    assert words(day, *rows) == ["accepted"] * 5
    figures = day.figures()
    assert figures["adjustments_e4"] == 40 * 1_000 + 60 * 50_000 + 7 * 10_000
    assert figures["balance_e4"] == 10_000_000 - 40 * 49_000
    assert (figures["orders_cancelled"], figures["orders_rejected"]) == (1, 1)


def test_at_zero_the_auction_waits_and_the_continuous_session_closes() -> None:
    """Goal: both rules at zero (HKEX, restated by service.boom.com). Method: use the quota up in either session."""
    big = {"kind": BUY, "quantity": 1_000, "price_e4": 20_000}
    small = {"kind": BUY, "quantity": 1, "price_e4": 10_000}
    day = OrderDay(terms(100_000))  # RMB 1,000.00; the first order takes the balance below zero and stands
    auction = [
        {**big, "order": 0, "time_s": 110},
        {**small, "order": 1, "time_s": 120},
        {"kind": CANCEL, "order": 0, "time_s": 130},
        {**small, "order": 2, "time_s": 140},
    ]
    assert words(day, *auction) == ["accepted", "quota-used", "accepted", "accepted"]
    continuous = [
        {**big, "order": 3, "time_s": 310},
        {**small, "order": 4, "time_s": 320},
        {"kind": CANCEL, "order": 3, "time_s": 330},
        {**small, "order": 5, "time_s": 340},
        {"kind": SELL, "order": 6, "time_s": 350, "quantity": 5, "price_e4": 10_000},
        {**small, "order": 7, "time_s": 410},
    ]
    expected = ["accepted", "quota-closed", "accepted", "quota-closed", "accepted", "quota-closed"]
    assert words(day, *continuous) == expected
    assert day.balance_e4 > 0
    assert day.closed


@pytest.mark.parametrize(
    ("second", "third", "expected"),
    [
        (110, 120, "quota-used"),  # the auction refuses at zero itself, not only below it
        (410, 420, "quota-used"),
        (310, 320, "quota-closed"),
    ],
)
def test_zero_itself_is_used_up(second: int, third: int, expected: str) -> None:
    """Goal: "drops to zero". Method: use it to the last ten-thousandth in each kind of session, then more."""
    day = OrderDay(terms(1_000))
    exact = {"kind": BUY, "order": 0, "time_s": second, "quantity": 10, "price_e4": 10_000}
    assert words(day, exact) == ["accepted"]
    assert day.balance_e4 == 0
    assert words(day, {**exact, "order": 1, "time_s": third, "quantity": 1}) == [expected]


def test_what_does_not_fit_is_refused_where_the_session_says_so() -> None:
    """Goal: the third rule at zero. Method: one more than what is left, then just that."""
    day = OrderDay(terms(1_000))
    row = {"kind": BUY, "time_s": 410, "quantity": 1}
    assert words(day, {**row, "order": 0, "price_e4": 100_001}, {**row, "order": 1, "price_e4": 100_000}) == [
        "quota-used", "accepted",
    ]  # fmt: skip


def test_a_balance_at_zero_when_the_continuous_session_begins_closes_the_day() -> None:
    """Goal: zero carried out of the auction. Method: nothing is given back before the first message at 09:30."""
    day = OrderDay(terms(1_000))
    buy = {"kind": BUY, "quantity": 10, "price_e4": 20_000}
    assert words(day, {**buy, "order": 0, "time_s": 110}) == ["accepted"]
    assert words(day, {"kind": REJECTION, "order": 0, "time_s": 310}, {**buy, "order": 1, "time_s": 311}) == [
        "accepted", "quota-closed",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"kind": BUY, "order": 0, "time_s": 50, "quantity": 1, "price_e4": 1}, "outside-session"),
        ({"kind": SELL, "order": 0, "time_s": 260, "quantity": 1, "price_e4": 1}, "outside-session"),
        ({"kind": BUY, "order": 0, "time_s": 500, "quantity": 1, "price_e4": 1}, "outside-session"),
        ({"kind": BUY, "order": 0, "time_s": 110, "quantity": 0, "price_e4": 1}, "bad-figure"),
        ({"kind": BUY, "order": 0, "time_s": 110, "quantity": 10**9, "price_e4": 10**9}, "bad-figure"),
        ({"kind": SELL, "order": 0, "time_s": 110, "quantity": 2**62, "price_e4": 2**62}, "bad-figure"),
        ({"kind": BUY, "order": 3, "time_s": 110, "quantity": 1, "price_e4": 1}, "not-in-turn"),
        ({"kind": EXECUTION, "order": 0, "time_s": 110, "quantity": 1, "price_e4": 1}, "not-open"),
        ({"kind": CANCEL, "order": -1, "time_s": 110}, "not-open"),
    ],
)
def test_what_is_refused(row: dict[str, int], expected: str) -> None:
    """Goal: each fault has its word and changes nothing. Method: one message on a fresh day."""
    day = OrderDay(terms())
    assert words(day, row) == [expected]
    assert day.balance_e4 == 1_000 * 100


def test_no_cancels_before_the_auction_matches() -> None:
    """Goal: 09:20-09:25 and 14:57-15:00 take no cancellations. Method: cancel before, within and after such minutes."""
    day = OrderDay(terms())
    order = {"kind": BUY, "order": 0, "time_s": 110, "quantity": 1, "price_e4": 10_000}
    cancels = [{"kind": CANCEL, "order": 0, "time_s": second} for second in (200, 249, 260, 310)]
    assert words(day, order, *cancels) == ["accepted", "no-cancel", "no-cancel", "no-cancel", "accepted"]


def test_time_that_runs_backwards_is_refused_whole() -> None:
    """Goal: a batch out of order changes nothing. Method: the second message is earlier than the first."""
    day = OrderDay(terms())
    order = {"kind": BUY, "order": 0, "time_s": 110, "quantity": 1, "price_e4": 10_000}
    with pytest.raises(Rejected) as refused:
        words(day, order, {**order, "order": 1, "time_s": 109})
    assert refused.value.rejections[0].reason is RejectionReason.MALFORMED
    assert day.figures()["orders"] == 0


rows = st.fixed_dictionaries(
    {
        "kind": st.integers(BUY, REJECTION),
        "order": st.integers(-1, 25),
        "step": st.integers(0, 9),
        "participant": st.integers(0, 1),
        "counter": st.integers(0, 1),
        "quantity": st.integers(1, 40),
        "price_e4": st.integers(1, 12).map(lambda price: price * 2_500),
        "in_turn": st.sampled_from([True, True, True, False]),
    }
)


class QuotaNeverGoesWrong(RuleBasedStateMachine):
    """Any order of buys, sells, executions, better prices, cancels and rejections, beside dictionaries."""

    def __init__(self) -> None:
        """Start before the day."""
        super().__init__()
        self.time_s = 100

    @initialize(
        quota=st.one_of(st.none(), st.integers(1, 40)), held=st.lists(st.integers(0, 60), min_size=4, max_size=4)
    )
    def opens(self, quota: int | None, held: list[int]) -> None:
        """Open both days with the same quota and holdings of two participants in two securities."""
        self.real = OrderDay(terms(None if quota is None else quota * 100, "snapshot-of-holdings"))
        holders = [(participant, counter) for participant in (0, 1) for counter in (0, 1)]
        columns = (np.array(column, np.int64) for column in zip(*holders, strict=True))
        participant, security = columns
        self.real.snapshot.take(participant, np.zeros(4, np.int64), security, np.array(held, np.int64))
        self.plain = PlainOrderDay(None if quota is None else quota * 10_000, dict(zip(holders, held, strict=True)))

    @rule(batch=st.lists(rows, min_size=1, max_size=8))
    @precondition(lambda self: self.time_s < 480)
    def messages_arrive(self, batch: list[dict[str, Any]]) -> None:
        """Route a batch and judge each row plainly; the answers are the same."""
        sent, expected = [], []
        for row in batch:
            self.time_s = min(self.time_s + row["step"], 499)
            entered = len(self.plain.orders)
            number = row["order"] if row["kind"] > SELL or not row["in_turn"] else entered
            message = {**row, "order": number, "time_s": self.time_s}
            session = session_at(self.time_s)
            if session.kind == "none" and row["kind"] <= SELL and number == entered:
                self.plain.orders[number] = _refused(self.plain)
                expected.append("outside-session")
            else:
                expected.append(plain_word(self.plain, message, session))
            sent.append(message)
        assert words(self.real, *sent) == expected

    @rule()
    def is_restored(self) -> None:
        """A dump and a load change nothing."""
        before = self.real.dump()
        self.real = OrderDay.load(before)
        assert self.real.dump() == before

    @invariant()
    def sums_agree(self) -> None:
        """Balance, its parts and what is sellable are those of the dictionaries, and the day proves itself."""
        if not hasattr(self, "real"):
            return
        self.real.check()
        figures = self.real.figures()
        assert figures["balance_e4"] == self.plain.balance_e4
        assert figures["buy_orders_e4"] == sum(self.plain.taken_e4)
        assert figures["sell_trades_e4"] == sum(self.plain.sold_e4)
        assert figures["adjustments_e4"] == sum(self.plain.returned_e4)
        assert self.real.closed == self.plain.closed
        assert self.plain.holdings is not None
        lines = [self.plain.holdings[participant, counter] for participant in (1, 0) for counter in (0, 1)]
        assert self.real.snapshot.sellable.tolist() == lines

    def teardown(self) -> None:
        """At the end of the day everything bought and sold is all that is left of the quota."""
        if hasattr(self, "real"):
            figures = self.real.close()
            self.plain.lapse()
            assert figures["balance_e4"] == (self.plain.quota_e4 or 0) - sum(self.plain.bought_e4) + sum(
                self.plain.sold_e4
            )
            stands = [order.stands for order in self.plain.orders.values()]
            assert all(figures[f"orders_{name}"] == stands.count(name) for name in ("filled", "refused", "lapsed"))


def _refused(plain: PlainOrderDay) -> Any:
    plain.enter(len(plain.orders), buys=False, quantity=10**9, limit_e4=1, holding=(9, 9), at_zero="none")
    return plain.orders[len(plain.orders) - 1]


TestQuotaNeverGoesWrong = QuotaNeverGoesWrong.TestCase
TestQuotaNeverGoesWrong.settings = settings(max_examples=60, stateful_step_count=12, deadline=None)


class LongDays(QuotaNeverGoesWrong):
    """The same over many more and longer days."""


TestLongDays = pytest.mark.soak(LongDays.TestCase)
TestLongDays.settings = settings(max_examples=500, stateful_step_count=40, deadline=None)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_compiled_and_plain_kernel_agree(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Goal: sequential meaning is exact in the compiled kernel. Method: 3,000 random messages through both."""
    chance = np.random.default_rng(seed)
    size = 3_000
    kind = chance.choice(5, size, p=[0.3, 0.2, 0.3, 0.15, 0.05])
    entered = np.cumsum(kind <= SELL)
    order = np.where(kind <= SELL, entered - 1, chance.integers(0, np.maximum(entered, 1)))
    table = {
        "kind": kind, "order": order, "time_s": np.sort(chance.integers(100, 500, size)),
        "participant": chance.integers(0, 3, size), "investor": np.zeros(size), "client": np.zeros(size),
        "counter": chance.integers(0, 5, size), "quantity": chance.integers(1, 50, size),
        "price_e4": chance.integers(1, 20, size) * 1_000,
    }  # fmt: skip
    sent = messages(*({name: int(column[i]) for name, column in table.items()} for i in range(size)))
    days = []
    for least in (1, 10**9):
        monkeypatch.setattr(kernel, "COMPILED_FROM_MESSAGES", least)
        day = OrderDay(terms(6_000, "snapshot-of-holdings"))
        who, what = (part.ravel() for part in np.meshgrid(np.arange(3), np.arange(5)))
        day.snapshot.take(who, np.zeros(15, np.int64), what, np.full(15, 200, np.int64))
        codes = day.route(sent, ClientIds(), SegregatedAccounts())
        days.append((codes.tolist(), day.close(), day.dump()))
    assert days[0] == days[1]
    seen = {word(code) for code in days[0][0]}
    assert seen >= {
        "accepted",
        "quota-used",
        "quota-closed",
        "above-snapshot",
        "not-open",
        "no-cancel",
        "outside-session",
    }
