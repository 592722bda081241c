"""Payers' limits: what leaves net to a payee, or to all others, in turn, against each other and in offsetting.

Goal: the kernel, compiled and plain, holds what an independent model holds; no instant passes a limit; what none does
hold is not held. Method: hypothesis draws limits beside payments, pairs, money and offsetting; a plain twin that
adds up all payments anew for each question; stories by hand; a simulated day with and without limits.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from payment_book import B1, B2, B3, CNY, HKD, NOON_S, accept, balance, exchange, opened, pay, refused, statuses
from test_payment_model import BANKS, ROWS, Both

from tsingma.app.payment_limits import limit_effects
from tsingma.app.payments import payments_queue, queue_problem
from tsingma.app.session import Session
from tsingma.basics.columns import pack
from tsingma.cli.main import main
from tsingma.engine.house import House
from tsingma.journal.commands import CloseDay, OpenDay, RunStep
from tsingma.journal.payment_commands import ChangePayment, RunPayments, SetPaymentLimit, SettlePayments, SubmitPayments
from tsingma.journal.payment_events import PaymentLimitSet
from tsingma.kernels import payments as kernel
from tsingma.kernels.payments import QUEUED, SETTLED
from tsingma.settlement.gross_money.limits import ALL_OTHERS
from tsingma.settlement.timetable import timetable

Action = tuple[str, int, int, int, int, int]
_bank = st.integers(0, BANKS - 1)
_action = st.tuples(
    st.sampled_from(["pay"] * 4 + ["pair", "money", "cancel", "first", "last", "open", "offset", "limit", "limit"]),
    _bank, st.integers(1, BANKS - 1), st.integers(1, 20), st.integers(1, 20), st.integers(0, 11),
)  # fmt: skip
_actions = st.lists(_action, min_size=12, max_size=30)
_caps = st.lists(st.tuples(_bank, _bank, st.integers(0, 15)), min_size=2, max_size=8)
_money = st.lists(st.integers(0, 25), min_size=ROWS, max_size=ROWS)


class Limited(Both):
    """The book and the plain model with limits on both sides."""

    def act(self, action: Action) -> None:
        """Set or take away a limit, or do what the model without limits does."""
        what, payer, step, cents, other, number = action
        asset, payee = number % 2, (payer + step) % BANKS
        if what == "pay":  # most are normal: others no limit holds
            self.enter((asset, payer, payee, cents, 2 if other > 4 else other % 3))
            return
        if what != "limit":
            super().act(action)
            return
        row, to = int(self.rows[asset * BANKS + payer]), int(self.rows[asset * BANKS + payee])
        everyone, away = other % 3 == 0, number == 11
        self.book.limits.set(row, ALL_OTHERS if everyone else to, -1 if away else cents)
        key = (row, None if everyone else to)
        if away:
            self.plain.limits.pop(key, None)
        else:
            self.plain.limits[key] = cents
        self.wake()

    def bound(self, caps: list[tuple[int, int, int]]) -> None:
        """Set limits of (payer, payee, cents) in both assets; a payee that is the payer stands for all others."""
        for payer, payee, cents in caps:
            for asset in range(2):
                other = 3 if payer == payee else 1
                self.act(("limit", payer, (payee - payer) % BANKS, cents, other, asset))

    def check(self) -> None:
        """Compare everything, and what each limit has let out."""
        super().check()
        limits = self.book.limits
        limits.follow(self.book.table)
        for (row, payee), cap in limits.caps.items():
            key = (row, None if payee == ALL_OTHERS else payee)
            assert cap == self.plain.limits[key]
            assert limits.used[limits.place(row, payee)] == self.plain.let_out(key, set())


def _run(money: list[int], caps: list[tuple[int, int, int]], actions: list[Action]) -> Limited:
    both = Limited(money)
    both.bound(caps)
    for action in actions:
        both.act(action)
        both.check()
    return both


@settings(max_examples=250)
@given(money=_money, caps=_caps, actions=_actions)
def test_compiled_limits_are_the_model(
    money: list[int], caps: list[tuple[int, int, int]], actions: list[Action]
) -> None:
    """Goal and method: see the module; the functions the house uses."""
    _run(money, caps, actions)


@settings(max_examples=60)
@given(money=_money, caps=_caps, actions=_actions)
def test_plain_limits_are_the_model(money: list[int], caps: list[tuple[int, int, int]], actions: list[Action]) -> None:
    """Goal: without numba the same. Method: the functions uncompiled."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernel, "functions", lambda: kernel)
        _run(money, caps, actions)


@settings(max_examples=150)
@given(
    money=_money, caps=_caps,
    actions=st.lists(_action.filter(lambda one: one[0] not in ("limit", "first", "last")), min_size=12, max_size=30),
)  # fmt: skip
def test_no_instant_passes_a_limit(money: list[int], caps: list[tuple[int, int, int]], actions: list[Action]) -> None:
    """Goal: a limit is kept at every instant, and holds nothing else. Method: limits of the day's start; the settled
    payments replayed instant by instant; at rest the first free payment of a row is short, or held.
    """
    both = Limited(money)
    both.bound(caps)
    for action in actions:
        both.act(action)
    both.check()
    table, limits = both.book.table, both.book.limits
    used = np.zeros(limits.cap.size, np.int64)
    for turn in range(1, both.book.turn + 1):
        for number in np.flatnonzero((table["status"] == SETTLED) & (table["turn"] == turn)).tolist():
            for side, sign in ((limits.sends, 1), (limits.returns, -1)):
                if side[number] >= 0:
                    used[side[number]] += sign * int(table["amount"][number])
        assert (used <= limits.cap).all()
    for row in both.rows.tolist():
        free = [n for n in both.book.queue_of(row) if not table["needs"][n] & ~both.opened and table["pair"][n] < 0]
        held = [n for n in free if limits.sends[n] >= 0
                and used[limits.sends[n]] + table["amount"][n] > limits.cap[limits.sends[n]]]  # fmt: skip
        loose = [n for n in free if n not in held]
        if loose:
            ahead = [n for n in both.book.queue_of(row) if n not in held and not table["needs"][n] & ~both.opened]
            ahead = ahead[: ahead.index(loose[0]) + 1]
            assert both.ledger.balance[row] < max(int(table["amount"][n]) for n in ahead)


def limit(payer: int, payee: int, cents: int, *, participant: str = "BANK1", second: int = NOON_S) -> SetPaymentLimit:
    """Return a limit in HKD."""
    return SetPaymentLimit(participant, payer, HKD, payee, cents, second)


def test_a_limit_holds_normal_payments_to_one_payee_until_money_comes_back() -> None:
    """Goal: the rule in words. Method: 100 to B2 at most: 80 goes, 50 waits and is overtaken by 30 to B3 and an urgent
    40 to B2; when B2 pays 30 back, the 50 goes.
    """
    house = opened((B1, HKD, 1_000), (B2, HKD, 1_000))
    accept(house, limit(B1, B2, 100))
    accept(house, pay((B1, B2, HKD, 80), (B1, B2, HKD, 50), (B1, B3, HKD, 30), (B1, B2, HKD, 40),
                      priority=[2, 2, 2, 0]))  # fmt: skip
    assert statuses(house) == [SETTLED, QUEUED, SETTLED, SETTLED]
    accept(house, pay((B2, B1, HKD, 30)))
    assert statuses(house)[1] == SETTLED
    assert balance(house, B1, HKD) == 1_000 - 80 - 30 - 40 + 30 - 50


def test_two_payers_with_limits_settle_against_each_other() -> None:
    """Goal: only the net counts at one instant. Method: limits of 10 both ways, 500 against 495: both settle; then a
    third payment of 6 is held, since 5 of the 10 are used.
    """
    house = opened((B1, HKD, 1_000), (B2, HKD, 1_000))
    accept(house, limit(B1, B2, 10))
    accept(house, limit(B2, B1, 10, participant="BANK2"))
    accept(house, pay((B1, B2, HKD, 500)))
    assert statuses(house) == [QUEUED]
    accept(house, pay((B2, B1, HKD, 495)))
    assert statuses(house) == [SETTLED, SETTLED]
    accept(house, pay((B1, B2, HKD, 6)))
    assert statuses(house)[2] == QUEUED


def test_gridlock_within_limits_is_offset_and_beyond_them_it_is_not() -> None:
    """Goal: offsetting keeps limits. Method: a ring of 500, 400 and 400 with no money but 100, bounded for all others:
    at 100 the ring settles on its net, at 99 nothing does.
    """
    for cents, after in ((100, [SETTLED] * 3), (99, [QUEUED] * 3)):
        house = opened((B1, HKD, 100))
        accept(house, limit(B1, ALL_OTHERS, cents))
        accept(house, pay((B1, B2, HKD, 500), (B2, B3, HKD, 400), (B3, B1, HKD, 400)))
        assert statuses(house) == [QUEUED] * 3
        accept(house, RunPayments(NOON_S, "multilateral"))
        assert statuses(house) == after


def test_pairs_are_not_held_and_a_limit_of_a_payee_goes_before_that_of_all() -> None:
    """Goal: what a limit is on. Method: nothing may leave to others, 70 to B2: a pair and 70 go, 1 to B3 waits."""
    house = opened((B1, HKD, 1_000), (B2, CNY, 1_000))
    accept(house, limit(B1, ALL_OTHERS, 0))
    accept(house, limit(B1, B2, 70))
    accept(house, exchange((B1, HKD, 300), (B2, CNY, 270)))
    accept(house, pay((B1, B2, HKD, 70), (B1, B3, HKD, 1)))
    assert statuses(house) == [SETTLED, SETTLED, SETTLED, QUEUED]


def test_raising_taking_away_and_moving_let_go() -> None:
    """Goal: a change works at once, and moving to high too. Method: three payments held by 10; each is let go another
    way; what was let out is told.
    """
    house = opened((B1, HKD, 1_000))
    accept(house, limit(B1, B2, 10))
    accept(house, pay((B1, B2, HKD, 15), (B1, B2, HKD, 40), (B1, B2, HKD, 60)))
    assert statuses(house) == [QUEUED] * 3
    event = accept(house, limit(B1, B2, 20))[0]
    assert event == PaymentLimitSet(B1, B2, 20, 0)
    assert statuses(house) == [SETTLED, QUEUED, QUEUED]
    accept(house, ChangePayment(1, "last", "BANK1", NOON_S, 1))
    assert statuses(house) == [SETTLED, SETTLED, QUEUED]
    assert accept(house, limit(B1, B2, 21))[0] == PaymentLimitSet(B1, B2, 21, 15), "what went as high does not count"
    accept(house, limit(B1, B2, -1))
    assert statuses(house) == [SETTLED] * 3


def test_limits_outlast_the_day_and_a_copy_and_a_proposal_keeps_them() -> None:
    """Goal: standing, counted anew each day, in the state. Method: the next day 100 goes again; the state loaded
    settles the same; a proposal that would pass a limit is refused, one within it is taken.
    """
    house = opened((B1, HKD, 1_000))
    accept(house, limit(B1, B2, 100))
    accept(house, pay((B1, B2, HKD, 100), (B1, B2, HKD, 1)))
    assert statuses(house) == [SETTLED, QUEUED]
    other = House.load(house.dump())
    assert other.digest() == house.digest()
    said = refused(house, SettlePayments("mine", NOON_S, pack([1], "i4")))
    assert "limit would be passed" in said
    for one in (house, other):
        for each in timetable(one.resolved.markets):
            accept(one, RunStep(each.name))
        accept(one, CloseDay())
        accept(one, OpenDay(one.position.day + 1))
        accept(one, RunPayments(NOON_S))
        accept(one, pay((B1, B2, HKD, 100), (B1, B2, HKD, 1)))
        assert statuses(one) == [SETTLED, QUEUED]
    assert other.digest() == house.digest()


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (limit(B1, B2, 5, participant="BANK2"), "only its payer"),
        (limit(B1, B1, 5), "on another's account"),
        (limit(B1, 99, 5), "no such account"),
        (limit(B1, B2, 2**60), "cents"),
        (SetPaymentLimit("BANK1", B1, 9, B2, 5, NOON_S), "a limit is of a money"),
        (limit(B1, B2, 5, second=1), "no time of day"),
    ],
)
def test_limits_that_cannot_be_are_refused(command: SetPaymentLimit, words: str) -> None:
    """Goal: refused, nothing changed. Method: one thing wrong at a time."""
    assert words in refused(opened((B1, HKD, 10)), command)


def test_a_simulated_day_uses_less_money_the_tighter_the_limits() -> None:
    """Goal: the effect, measured. Method: one seeded day: limits beyond reach save nothing; tighter ones use less
    money and settle less.
    """
    found = limit_effects(date(2026, 1, 5), 1_500, (1e6, 1.0, 0.25), seed=3, banks=8, alpha=0.25)
    free, loose, one, quarter = found
    for name in ("payments", "settled_e4", "settled_value_e4", "usage_cents"):  # who opens with nothing waits longer
        assert getattr(loose, name) == getattr(free, name)
    assert free.usage_cents >= one.usage_cents > quarter.usage_cents > 0
    assert free.settled_value_e4 >= one.settled_value_e4 > quarter.settled_value_e4


def test_the_desk_sets_a_limit_and_sees_what_it_holds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: set, shown, left out of proposals, taken away. Method: a kept day, the commands, the queue's reasons."""
    house = str(tmp_path / "money")
    make = ["money", "day", "--payments", "200", "--banks", "3", "--alpha", "0", "--seed", "2", "--house", house]
    assert main(make) == 0
    for unit in ("HKD", "CNY", "USD", "EUR"):
        assert main(["money", "limit", "BANK001/HOUSE", unit, "0", "--participant", "BANK001", "--house", house]) == 0
    capsys.readouterr()
    assert main(["money", "limit", "BANK001/HOUSE", "HKD", "5", "--participant", "BANK002", "--house", house]) != 0
    assert "only its payer" in capsys.readouterr().err
    assert main(["money", "limit", "BANK009/HOUSE", "HKD", "5", "--participant", "BANK001", "--house", house]) != 0
    assert "no account" in capsys.readouterr().err
    with Session.open(house) as session:
        state = session.house
        second, row = state.money.clock_s, state.money.payments
        left = int(state.ledger.available(np.array([state.ledger.find(4, 0)]))[0])
        columns = {"payer": ([4], "i4"), "payee": ([5], "i4"), "asset": ([0], "i4"), "amount": ([max(left, 1)], "i8")}
        more = SubmitPayments("desk", "", second, {name: pack(*column) for name, column in columns.items()})
        used = row.limits.used[row.limits.place(state.ledger.find(4, 0), ALL_OTHERS)]
        session.submit([("one-more", more)])
        held = bool(used + max(left, 1) > 0)
        number = len(row) - 1
        assert (int(row.table["status"][number]) == QUEUED) == held
        numbers, _ = queue_problem(state)
        assert number not in numbers.ravel().tolist()
    waiting, lines = payments_queue(house, "BANK001")
    assert held
    assert waiting == len(lines) > 0
    assert next(line.reason for line in lines if line.number == number) == "a limit of its payer"
