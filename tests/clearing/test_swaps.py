"""Swaps in the books: novation, compression, evening money, against a plain twin that keeps every trade.

Goal: a position's two integers are worth what its trades are, flows cancel to the cent, bad trades and marks change
nothing. Method: hypothesis draws trades and evenings; a twin of fractions values each trade by itself.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import Rejected, RejectionReason
from tsingma.clearing.swaps import SERIES_MAX, SUM_MAX, SwapBook, SwapMark, SwapTrades
from tsingma.journal.swap_commands import SwapTerms

CNY = CURRENCIES.index("CNY")
E12, E6 = 10**12, 10**6
TERMS = (
    SwapTerms("A", "OTC", "CNY.FR007", "CNY", 101, 466, 3, 3),
    SwapTerms("B", "OTC", "CNY.FR007", "CNY", 101, 104, 3, 3),
)

trade = st.tuples(
    st.integers(0, 1), st.integers(0, 4), st.integers(1, 4), st.integers(1, 10**12), st.integers(-50_000, 200_000)
)
evening = st.tuples(
    st.lists(trade, max_size=6),
    st.integers(-E12, 2 * E12), st.integers(0, 10 * E12), st.integers(-E12 // 50, E12 // 50), st.integers(0, E12 // 4),
)  # fmt: skip


def trades_of(rows: list[tuple[int, int, int, int, int]]) -> SwapTrades:
    """Return trades of (series, payer, distance to the receiver, notional, rate); five accounts."""
    columns = np.array(
        [[n + 1, series, payer, (payer + step) % 5, notional, rate]
         for n, (series, payer, step, notional, rate) in enumerate(rows)], np.int64,
    ).reshape(-1, 6)  # fmt: skip
    return SwapTrades(*(columns[:, place] for place in range(6)))


def book_of(rows: list[tuple[int, int, int, int, int]]) -> SwapBook:
    """Return a book of day 100 with these trades."""
    book = SwapBook()
    book.add_series(TERMS, 100)
    assert book.check(trades_of(rows), 5, 100) == []
    book.register(trades_of(rows))
    return book


@settings(max_examples=150)
@given(st.lists(evening, min_size=1, max_size=5))
def test_evenings_pay_what_every_trade_gained(evenings: list[tuple[list[tuple[int, ...]], int, int, int, int]]) -> None:
    """Goal: compression loses nothing. Method: after each evening what an account was paid in all is the value of its
    trades and their coupons, as fractions, to a cent an evening and series; all accounts cancel exactly; loading a dump
    goes on the same.
    """
    book = SwapBook()
    book.add_series(TERMS, 100)
    kept: list[tuple[int, int, int, int, int]] = []
    paid, coupons = dict.fromkeys(range(5), 0), dict.fromkeys(range(5), Fraction(0))
    for day, (rows, floating, annuity, floating_paid, fixed_paid) in enumerate(evenings, 101):
        fresh = [row for row in rows if TERMS[row[0]].end_day > day]
        assert book.check(trades_of(fresh), 5, day) == []
        book.register(trades_of(fresh))
        kept += [tuple(row) for row in fresh]
        marks = {}
        for place, terms in enumerate(TERMS):
            over = terms.end_day <= day
            marks[place] = SwapMark(0 if over else floating, 0 if over else annuity, floating_paid, fixed_paid)
        before = {place: [row for row in kept if row[0] == place] for place in range(2)}
        held = book.held()
        assert book.mark_fault(marks, day) is None
        again = SwapBook()
        again.load(book.dump())
        flows = book.mark(marks, day).get(CNY, {})
        assert again.mark(marks, day).get(CNY, {}) == flows
        assert again.dump() == book.dump()
        assert sum(flows.values()) == 0
        book.check_flat()
        for account, cents in flows.items():
            paid[account] += cents
        worth = dict.fromkeys(range(5), Fraction(0))
        for place, mine in before.items():
            mark = marks[place]
            for _, payer, step, notional, rate in mine if place in held else ():
                value = notional * (Fraction(mark.floating_e12, E12) - Fraction(rate * mark.annuity_e12, E6 * E12))
                coupon = notional * (
                    Fraction(mark.floating_paid_e12, E12) - Fraction(rate * mark.fixed_paid_e12, E6 * E12)
                )
                for account, sign in ((payer, 1), ((payer + step) % 5, -1)):
                    worth[account] += sign * value
                    coupons[account] += sign * coupon
        kept = [row for row in kept if TERMS[row[0]].end_day > day]
        for account in range(5):
            assert abs(paid[account] - worth[account] - coupons[account]) <= 2 * (day - 99)


def test_positions_compress_to_two_integers() -> None:
    """Goal: trades of a series net by themselves. Method: two trades and their exact reverse leave only money."""
    book = book_of([(0, 1, 1, 500, 21_000), (0, 1, 1, 300, 25_000)])
    one = book.positions[1 * SERIES_MAX]
    assert (one.notional_cents, one.weighted_e6) == (800, 500 * 21_000 + 300 * 25_000)
    book.mark({0: SwapMark(E12 // 10, E12)}, 101)
    book.register(trades_of([(0, 2, 4, 500, 21_000), (0, 2, 4, 300, 25_000)]))
    flows = book.mark({0: SwapMark(E12 // 20, E12)}, 102)
    assert book.positions == {}
    assert sum(flows[CNY].values()) == 0


def test_cents_of_rounding_go_to_the_largest_fractions() -> None:
    """Goal: whole cents that cancel. Method: three receivers of a third of a cent each against one payer of a cent."""
    book = book_of([(0, 0, 1, 1, 0), (0, 0, 2, 1, 0), (0, 0, 3, 1, 0)])
    flows = book.mark({0: SwapMark(E12 // 3 + 1, 0)}, 101)[CNY]
    assert flows[0] == 1
    assert sorted(flows.values()) == [-1, 1]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ((2, 0, 1, 10, 0), RejectionReason.UNKNOWN),
        ((0, 7, 1, 10, 0), RejectionReason.UNKNOWN),
        ((0, 0, 5, 10, 0), RejectionReason.NOT_ALLOWED),
        ((0, 0, 1, 0, 0), RejectionReason.OUT_OF_RANGE),
        ((0, 0, 1, 10**13 + 1, 0), RejectionReason.OUT_OF_RANGE),
        ((0, 0, 1, 10, 10**6 + 1), RejectionReason.OUT_OF_RANGE),
    ],
)
def test_bad_trades_are_named(row: tuple[int, int, int, int, int], reason: RejectionReason) -> None:
    """Goal: refused with the reason, nothing changed. Method: one fault beside a good trade."""
    book = book_of([(0, 0, 1, 10, 20_000)])
    before = book.dump()
    found = book.check(trades_of([(1, 1, 1, 5, 0), row]), 5, 100)
    assert [one.reason for one in found if one.subject == "swap trade 2"] == [reason]
    assert book.dump() == before


def test_what_would_not_fit_is_refused_before_it_is_counted() -> None:
    """Goal: no overflow. Method: trades at the largest size and rate until the sum of a position passes 2**60."""
    book = SwapBook()
    book.add_series(TERMS, 100)
    most = 10**13
    rows = [(0, 0, 1, most, 10**6)] * (SUM_MAX // (most * 10**6) + 2)
    faults = book.check(trades_of(rows), 5, 100)
    assert faults
    assert {one.reason for one in faults} == {RejectionReason.LIMIT}
    assert book.dump() == book_of([]).dump()


def test_duplicates_series_and_marks_that_cannot_be() -> None:
    """Goal: every other refusal. Method: a trade twice; series twice, over, in no money; marks missing, unknown, too
    large, and of a swap that is over.
    """
    book = book_of([(0, 0, 1, 10, 20_000)])
    assert book.check(trades_of([(0, 0, 1, 10, 0)]), 5, 100)[0].reason is RejectionReason.DUPLICATE
    for terms in (
        TERMS[0], SwapTerms("C", "OTC", "CNY.FR007", "HKD", 1, 200, 3, 3),
        SwapTerms("D", "OTC", "CNY.FR007", "CNY", 1, 99, 3, 3), SwapTerms("E", "OTC", "CNY.FR007", "CNY", 1, 200, 0, 3),
    ):  # fmt: skip
        with pytest.raises(Rejected):
            book.add_series((terms,), 100)
    assert len(book.series) == 2
    reasons = {
        RejectionReason.MISSING: {},
        RejectionReason.UNKNOWN: {0: SwapMark(1, 1), 5: SwapMark(1, 1)},
        RejectionReason.OUT_OF_RANGE: {0: SwapMark(10**18, 1)},
    }
    for reason, marks in reasons.items():
        wrong = book.mark_fault(marks, 101)
        assert wrong is not None
        assert wrong.reason is reason
    over = book.mark_fault({0: SwapMark(1, 1), 1: SwapMark(1, 1)}, 104)
    assert over is not None
    assert over.subject == "swap B"
