"""The queues against a plain model, and what must hold at every instant of any interleaving.

Goal: the kernel, compiled and plain, settles the same payments at the same instants as an independent model; nobody is
below nothing; one leg of a pair never settles without the other (Herstatt). Method: hypothesis draws entries, pairs,
money, cancellations, re-ordering, closing and opening systems, offsetting; every state is compared, every instant
replayed.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsingma.kernels import payments as kernel
from tsingma.kernels.payments import CANCELLED, QUEUED, SETTLED
from tsingma.ledger.ledger import NO_FLOOR, Ledger
from tsingma.settlement.gross_money.queue import BY_PAYER, PaymentBook
from tsingma.simulate.plain_payments import PlainPayment, PlainPayments

BANKS, ASSETS = 4, 2
ISSUER = BANKS
ROWS = BANKS * ASSETS
BITS = (1, 2)
EVERY = 3
Action = tuple[str, int, int, int, int, int]

_bank = st.integers(0, BANKS - 1)
_action = st.tuples(
    st.sampled_from(["pay", "pay", "pay", "pair", "pair", "money", "cancel", "first", "last", "open", "offset"]),
    _bank, st.integers(1, BANKS - 1), st.integers(1, 20), st.integers(1, 20), st.integers(0, 11),
)  # fmt: skip


class Both:
    """The book with its ledger and the plain model, moved side by side."""

    def __init__(self, money: list[int]) -> None:
        """Give every row its money; row = asset x BANKS + bank."""
        owner = np.tile(np.arange(BANKS, dtype=np.int32), ASSETS)
        asset = np.repeat(np.arange(ASSETS, dtype=np.int32), BANKS)
        self.ledger = Ledger()
        self.rows = self.ledger.rows(owner, asset)
        self.issuer = self.ledger.rows(
            np.full(ASSETS, ISSUER, np.int32), np.arange(ASSETS, dtype=np.int32), floor=NO_FLOOR
        )
        self.book, self.opened = PaymentBook(), EVERY
        self.start: dict[int, int] = dict.fromkeys(self.rows.tolist(), 0)
        self.plain = PlainPayments(dict(self.start), opened=EVERY)
        self.came: list[tuple[int, int, int]] = []  # money that came: after which instant, row, amount
        for place, amount in enumerate(money):
            self.give(place, amount)

    def give(self, place: int, amount: int) -> None:
        """Bring money to a row, and let what waits for it settle."""
        row = int(self.rows[place])
        if amount:
            one = np.array([amount], np.int64)
            assert not self.ledger.post(self.issuer[[place // BANKS]], self.rows[[place]], one).any()
            self.plain.money[row] += amount
            self.came.append((self.book.turn, row, amount))
        self.wake()

    def wake(self) -> None:
        """Settle from every row that waits, on both sides."""
        self.book.wake(self.ledger, self.book.waiting_rows(), self.opened, 0, offset=True)
        self.plain.wake_all()

    def enter(self, *legs: tuple[int, int, int, int, int]) -> None:
        """Take in one payment or a pair of (asset, payer, payee, amount, priority)."""
        asset, payer, payee, amount, priority = (np.array(column, np.int64) for column in zip(*legs, strict=True))
        first, size = len(self.book), len(legs)
        debit, credit = self.rows[asset * BANKS + payer], self.rows[asset * BANKS + payee]
        needs = np.array(BITS)[asset]
        pair = np.array([first + 1, first]) if size == 2 else np.array([-1])
        zero = np.zeros(size, np.int64)
        columns = {
            "reference": zero, "debit": debit, "credit": credit, "amount": amount, "priority": priority, "needs": needs,
            "pair": pair, "submitted_s": zero, "due_s": zero - 1, "on_behalf": zero,
        }  # fmt: skip
        self.book.enter(self.ledger, columns, self.opened, offset=True)
        columns_of = (debit, credit, amount, priority, needs)
        self.plain.enter(*(PlainPayment(*(int(column[place]) for column in columns_of)) for place in range(size)))

    def act(self, action: Action) -> None:
        """Do one action on both sides."""
        what, payer, step, amount, other, number = action
        payee, priority, asset = (payer + step) % BANKS, number % 3, number % ASSETS
        if what == "pay":
            self.enter((asset, payer, payee, amount, priority))
        elif what == "pair":
            self.enter((0, payer, payee, amount, priority), (1, payee, payer, other, (priority + step) % 3))
        elif what == "money":
            self.give(asset * BANKS + payer, amount)
        elif what == "open":
            self.opened = self.plain.opened = number % (EVERY + 1)
            self.wake()
        elif what == "offset":
            of_row = np.concatenate([np.repeat(np.array(BITS, np.int64), BANKS), np.array(BITS, np.int64)])
            self.book.offset(self.ledger, EVERY, of_row, self.opened, 0)
            self.plain.offset()
        else:
            self.change(what, number, priority)

    def change(self, what: str, number: int, priority: int) -> None:
        """Cancel or move one of the queued payments."""
        queued = np.flatnonzero(self.book.table["status"] == QUEUED).tolist()
        if not queued:
            return
        chosen = queued[number % len(queued)]
        if what == "cancel":
            self.book.cancel(chosen, BY_PAYER, 0)
            self.plain.cancel(chosen)
        else:
            self.book.move(chosen, priority=priority, first=what == "first")
            self.plain.move(chosen, priority, first=what == "first")
        self.wake()

    def check(self) -> None:
        """Compare everything, then replay every instant."""
        self.book.check()
        self.ledger.check()
        table = self.book.table
        assert table["status"].tolist() == [payment.status for payment in self.plain.payments]
        assert table["turn"].tolist() == [payment.turn for payment in self.plain.payments]
        rows = self.rows.tolist()
        assert self.ledger.balance[self.rows].tolist() == [self.plain.money[row] for row in rows]
        for row in rows:
            levels = self.plain.queues.get(row, [])
            assert self.book.queue_of(row) == [number for level in levels for number in level]
        self.replay()

    def replay(self) -> None:
        """Apply the instants one after the other: no row below nothing, no pair parted, and the books at the end."""
        table = self.book.table
        money = dict(self.start)
        came = list(self.came)
        for turn in range(self.book.turn + 1):
            while came and came[0][0] < turn:
                _, row, amount = came.pop(0)
                money[row] += amount
            legs = np.flatnonzero((table["status"] == SETTLED) & (table["turn"] == turn)).tolist()
            for leg in legs:
                assert int(table["pair"][leg]) in (-1, *legs), "one leg settled without the other"
                money[int(table["debit"][leg])] -= int(table["amount"][leg])
                money[int(table["credit"][leg])] += int(table["amount"][leg])
            assert min(money.values()) >= 0
        for _, row, amount in came:
            money[row] += amount
        assert [money[row] for row in self.rows.tolist()] == self.ledger.balance[self.rows].tolist()


def _run(money: list[int], actions: list[Action]) -> Both:
    both = Both(money)
    for action in actions:
        both.act(action)
        both.check()
    return both


_money = st.lists(st.integers(0, 15), min_size=ROWS, max_size=ROWS)


@settings(max_examples=250)
@given(money=_money, actions=st.lists(_action, max_size=40))
def test_compiled_queues_are_the_model(money: list[int], actions: list[Action]) -> None:
    """Goal and method: see the module; the functions the house uses."""
    _run(money, actions)


@settings(max_examples=60)
@given(money=_money, actions=st.lists(_action, max_size=30))
def test_plain_queues_are_the_model(money: list[int], actions: list[Action]) -> None:
    """Goal: without numba the same. Method: the functions uncompiled."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernel, "functions", lambda: kernel)
        _run(money, actions)


@settings(max_examples=150)
@given(money=_money, actions=st.lists(_action, max_size=40))
def test_nothing_that_could_settle_waits_and_nobody_overtakes(money: list[int], actions: list[Action]) -> None:
    """Goal: priority and first come first served among what could settle. Method: look at every queue at rest.

    The first payment of a row that waits for nothing but its payer's money is not covered; a leg before it waits for
    its other leg or for an hour.
    """
    both = _run(money, actions)
    table, slack = both.book.table, both.ledger.balance
    for row in both.rows.tolist():
        queue = [number for number in both.book.queue_of(row) if not table["needs"][number] & ~both.opened]
        alone = [number for number in queue if table["pair"][number] < 0]
        if alone:
            ahead = queue[: queue.index(alone[0]) + 1]
            assert slack[row] < max(int(table["amount"][number]) for number in ahead)


@settings(max_examples=150)
@given(money=_money, actions=st.lists(_action.filter(lambda one: one[0] == "pay"), min_size=2, max_size=12))
def test_offsetting_finds_the_largest_set(money: list[int], actions: list[Action]) -> None:
    """Goal: the set that settles together is the largest that keeps every queue in order. Method: try all prefixes.

    Every combination of queue prefixes that leaves each row covered is contained in what settled (Bech and Soramaki:
    the largest set is unique, so number and value are both the most).
    """
    both = _run(money, actions)
    table = both.book.table
    queues = {row: both.book.queue_of(row) for row in both.rows.tolist()}
    before = both.ledger.balance.copy()
    queued = [number for queue in queues.values() for number in queue]
    of_row = np.concatenate([np.repeat(np.array(BITS, np.int64), BANKS), np.array(BITS, np.int64)])
    both.book.offset(both.ledger, EVERY, of_row, EVERY, 0)
    done = {number for number in queued if table["status"][number] == SETTLED}
    for row in queues:
        assert [number in done for number in queues[row]] == sorted((n in done for n in queues[row]), reverse=True)
    best = _most_by_search(queues, before, table)
    assert len(done) >= best


def _most_by_search(queues: dict[int, list[int]], slack: np.ndarray, table: dict[str, np.ndarray]) -> int:
    """Return the most payments of any choice of one prefix a row that leaves every row covered."""
    rows = [row for row in queues if queues[row]]
    best = 0

    def search(place: int, end: dict[int, int], count: int) -> None:
        nonlocal best
        if place == len(rows):
            if min(end.values()) >= 0:
                best = max(best, count)
            return
        row = rows[place]
        end = dict(end)
        search(place + 1, end, count)
        for taken, number in enumerate(queues[row], 1):
            end[row] -= int(table["amount"][number])
            end[int(table["credit"][number])] += int(table["amount"][number])
            search(place + 1, end, count + taken)

    search(0, {int(row): int(slack[row]) for row in range(slack.size) if slack[row] >= 0}, 0)
    return best


@settings(max_examples=60)
@given(money=_money, actions=st.lists(_action, max_size=25))
def test_a_dump_taken_back_goes_on_alike(money: list[int], actions: list[Action]) -> None:
    """Goal: snapshots. Method: dump in the middle of a day, load into a new book, go on with both."""
    both = _run(money, actions)
    again = PaymentBook()
    again.load(both.book.dump())
    assert again.turn == both.book.turn
    assert again.dump() == both.book.dump()
    again.check()
    assert [again.queue_of(row) for row in both.rows.tolist()] == [both.book.queue_of(r) for r in both.rows.tolist()]
    both.book = again
    for place in range(ROWS):
        both.give(place, 9)
    both.check()
    assert set(np.unique(both.book.table["status"]).tolist()) <= {QUEUED, SETTLED, CANCELLED}
