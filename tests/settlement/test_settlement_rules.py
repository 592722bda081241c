"""Rule stories of settlement: given accounts, when a step runs, then the books; each names its source."""

from __future__ import annotations

import time
from datetime import date

import numpy as np
import pytest
from settlement_books import CNS, ISSUER, SSE, Books, i4, i8

from tsingma.basics.dates import to_day
from tsingma.basics.rejection import InvariantBroken, Rejected
from tsingma.ledger.ledger import NO_FLOOR, Ledger
from tsingma.settlement.cns import batch_run
from tsingma.settlement.fails import failed_deliveries, late_delivery_fee_cents
from tsingma.settlement.instruction import CANCELLED, FAILING, LEGAL, MATCHED, ON_HOLD, SETTLED, STATUSES, Instructions
from tsingma.settlement.links import Links
from tsingma.settlement.money import settle_money
from tsingma.settlement.recycling import Attempt, ready, recycle
from tsingma.settlement.state import SettlementState
from tsingma.settlement.timetable import step_named, timetable

HKD, CNY, STOCK = 0, 1, 4
A, B, C = 1, 2, 3


def test_received_stock_is_on_hold_until_money_is_confirmed(books: Books) -> None:
    """Goal: HKEX, risk management of CNS trades: on hold until payment. Method: one sale, run, then money."""
    books.give(A, STOCK, 100)
    books.give(B, HKD, 5_000)
    books.due(10, (A, 0, HKD, -100, -5_000), (B, 0, HKD, 100, 5_000))
    run = batch_run(books.positions, books.ledger, CNS, (0,))
    assert (run.deliveries, run.receipts, run.shares, run.open_deliveries) == (1, 1, 100, 0)
    assert (books.balance(B, STOCK), books.held(B, STOCK), books.balance(CNS, STOCK)) == (100, 100, 0)
    money = settle_money(books.positions, books.ledger, CNS, (0,))
    assert (books.held(B, STOCK), books.balance(A, HKD), books.balance(B, HKD), books.balance(CNS, HKD)) == (
        0,
        5_000,
        0,
        0,
    )
    assert (money.failures, money.released_shares, money.figures()["paid_in_HKD_cents"]) == ((), 100, 5_000)


def test_payer_short_of_money_keeps_stock_on_hold_and_pays_in_the_next_run(books: Books) -> None:
    """Goal: a payment failure is the payer's, not the seller's. Method: pay on the second day only."""
    books.give(A, STOCK, 10)
    books.due(10, (A, 0, HKD, -10, -700), (B, 0, HKD, 10, 700))
    batch_run(books.positions, books.ledger, CNS, (0,))
    first = settle_money(books.positions, books.ledger, CNS, (0,))
    assert (first.failures, books.held(B, STOCK), books.balance(CNS, HKD)) == (((B, HKD, 700),), 10, -700)
    books.give(B, HKD, 700)
    books.due(11)
    second = settle_money(books.positions, books.ledger, CNS, (0,))
    assert (second.failures, books.held(B, STOCK), books.balance(CNS, HKD)) == ((), 0, 0)


def test_partial_delivery_fills_the_oldest_then_by_account(books: Books) -> None:
    """Goal: the stated order of receipts. Method: an old receipt of C meets newer ones of A and B."""
    books.due(10, (5, 0, HKD, -10, -100), (C, 0, HKD, 10, 100))
    books.due(11, (5, 0, HKD, -20, -200), (A, 0, HKD, 10, 100), (B, 0, HKD, 10, 100))
    books.give(5, STOCK, 15)
    batch_run(books.positions, books.ledger, CNS, (0,))
    assert [books.balance(account, STOCK) for account in (A, B, C)] == [5, 0, 10]


def test_money_of_parts_is_cumulative_and_the_last_takes_the_remainder(books: Books) -> None:
    """Goal: 100 cents for 3 shares in three parts: 33, 66, 100. Method: move one share at a time."""
    books.due(10, (A, 0, HKD, -3, -100), (B, 0, HKD, 3, 100))
    seen = []
    for _ in range(3):
        books.positions.move(i8(0, 1), i8(-1, 1))
        seen.append(books.positions.moved_cents.tolist())
    assert seen == [[-33, 33], [-66, 66], [-100, 100]]


def test_product_beyond_64_bits_is_exact(books: Books) -> None:
    """Goal: no overflow in pro rata. Method: amounts near 2**60 against Python's integers."""
    quantity, cents = 2**40 + 7, 2**60 + 3
    books.due(10, (A, 0, HKD, -quantity, -cents), (B, 0, HKD, quantity, cents))
    books.positions.move(i8(0, 1), i8(-(2**39), 2**39))
    assert books.positions.moved_cents.tolist() == [-(cents * 2**39 // quantity), cents * 2**39 // quantity]


def test_stock_nets_across_counters_and_money_does_not(books: Books) -> None:
    """Goal: dual counter, 30 May 2025 (hk-markets 4, D4). Method: HKD and CNY counters of one security offset."""
    books.due(
        10, (A, 0, HKD, 100, 5_000), (A, 0, CNY, -100, -4_500), (B, 0, HKD, -100, -5_000), (B, 0, CNY, 100, 4_500)
    )
    assert books.positions.open.tolist() == [0, 0]
    assert books.positions.pending_cents.tolist() == [5_000, -4_500, -5_000, 4_500]


def test_age_starts_anew_when_only_money_was_open_or_the_line_turned(books: Books) -> None:
    """Goal: no early buy-in. Method: a paid-late receipt sells next day; a receiver turns into a deliverer."""
    books.give(A, STOCK, 100)
    books.due(10, (A, 0, HKD, -100, -1_000), (B, 0, HKD, 100, 1_000))
    batch_run(books.positions, books.ledger, CNS, (0,))
    books.due(11, (A, 0, HKD, 50, 500), (B, 0, HKD, -50, -500))
    assert books.positions.since_day.tolist() == [11, 11]
    books.due(12, (A, 0, HKD, -90, -900), (B, 0, HKD, 90, 900))
    assert books.positions.since_day.tolist() == [12, 12]
    books.due(13, (A, 0, HKD, -1, -9), (B, 0, HKD, 1, 9))
    assert books.positions.since_day.tolist() == [12, 12]


def test_china_connect_positions_join_the_day_without_rolling(books: Books) -> None:
    """Goal: A-share stock is due on T (hk-markets 1.4). Method: add after a Hong Kong run; its figures stay."""
    books.give(A, STOCK, 5)
    books.due(10, (A, 0, HKD, -5, -50), (B, 0, HKD, 5, 50))
    batch_run(books.positions, books.ledger, CNS, (0,))
    books.due(10, (A, 1, CNY, -5, -50), (B, 1, CNY, 5, 50), market=SSE, roll=False)
    assert books.positions.moved.tolist() == [-5, 0, 5, 0]
    assert batch_run(books.positions, books.ledger, CNS, (0,)).shares == 0


def test_more_than_open_never_moves(books: Books) -> None:
    """Goal: settled + open = due. Method: move too much, and against the sign."""
    books.due(10, (A, 0, HKD, -3, -100), (B, 0, HKD, 3, 100))
    for quantity in (4, -1):
        with pytest.raises(InvariantBroken, match="more stock moved"):
            books.positions.move(i8(1), i8(quantity))


@pytest.mark.parametrize(
    ("value_cents", "fee_cents"), [(0, 0), (100_000_00, 500_00), (20_000_000_00, 100_000_00), (10**12, 100_000_00)]
)
def test_late_delivery_fee_is_half_a_percent_up_to_100_000_dollars(value_cents: int, fee_cents: int) -> None:
    """Goal: finextra 23648: 0.50 %, cap HKD 100,000 a position. Method: below, at and above the cap."""
    assert late_delivery_fee_cents(value_cents, date(2026, 11, 24)) == fee_cents


def test_late_delivery_fee_has_a_first_day() -> None:
    """Goal: a dated table answers only for its days. Method: ask for the day before 2 October 2008."""
    with pytest.raises(Rejected, match="late_delivery_fee"):
        late_delivery_fee_cents(1, date(2008, 10, 1))


def test_failed_short_pays_and_is_bought_in_a_settlement_day_later(books: Books) -> None:
    """Goal: fee each day, buy-in request one settlement day after due. Method: a naked short over two days."""
    day = to_day(date(2026, 11, 24))
    books.due(day, (A, 0, HKD, -100, -5_000), (B, 0, HKD, 100, 5_000))
    prices, rates = i8(500_000), i8(1_000_000)
    (fail,) = failed_deliveries(books.positions, day, (0,), prices, rates, day - 1)
    assert (fail.account, fail.market_value_cents, fail.fee_cents, fail.buy_in) == (A, 500_000, 2_500, False)
    books.due(day + 1)
    (fail,) = failed_deliveries(books.positions, day + 1, (0,), prices, rates, day)
    assert fail.buy_in
    with pytest.raises(Rejected, match="no closing price"):
        failed_deliveries(books.positions, day, (0,), i8(0), rates, day - 1)


def _instruct(*rows: tuple[int, int, int, int]) -> Instructions:
    """Return instructions from rows (deliverer, receiver, quantity, amount_cents) of security 0 due on day 10."""
    table = Instructions()
    deliverer, receiver, quantity, cents = (i8(*column) for column in zip(*rows, strict=True))
    zero = np.zeros(len(rows), np.int64)
    table.add(
        reference=np.arange(len(rows)),
        deliverer=deliverer,
        receiver=receiver,
        security=zero,
        market=zero,
        currency=zero,
        quantity=quantity,
        amount_cents=cents,
        intended_day=zero + 10,
    )
    return table


def _attempt(table: Instructions, ledger: Ledger, day: int, markets: tuple[int, ...]) -> Attempt:
    """Settle what can be settled of instructions without links."""
    return recycle(table, Links(), ledger, day, ready(table, day, markets))


def test_both_legs_or_neither(books: Books) -> None:
    """Goal: design invariant 4. Method: stock is there, money is one cent short; then it comes."""
    books.give(A, STOCK, 10)
    books.give(B, HKD, 99)
    table = _instruct((A, B, 10, 100))
    assert _attempt(table, books.ledger, 10, (0,)).settled == 0
    assert (books.balance(A, STOCK), books.balance(B, HKD)) == (10, 99)
    books.give(B, HKD, 1)
    assert _attempt(table, books.ledger, 10, (0,)).figures()["settled_HKD_cents"] == 100
    assert (books.balance(B, STOCK), books.balance(A, HKD)) == (10, 100)


def test_recycling_settles_a_chain_in_any_order(books: Books) -> None:
    """Goal: what waits on a credited row is tried again. Method: C to D to E entered backwards, one share."""
    books.give(A, STOCK, 1)
    table = _instruct((C, 5, 1, 0), (B, C, 1, 0), (A, B, 1, 0))
    attempt = _attempt(table, books.ledger, 10, (0,))
    assert (attempt.settled, attempt.passes, attempt.open, books.balance(5, STOCK)) == (3, 3, 0, 1)


def test_not_before_its_day_and_not_in_another_market(books: Books) -> None:
    """Goal: only what is intended and of the step's markets is tried. Method: a day early, another market."""
    books.give(A, STOCK, 1)
    table = _instruct((A, B, 1, 0))
    assert _attempt(table, books.ledger, 9, (0,)).open == 0
    assert _attempt(table, books.ledger, 10, (1,)).settled == 0
    assert _attempt(table, books.ledger, 10, (0,)).settled == 1


def test_illegal_transitions_are_refused_exhaustively() -> None:
    """Goal: design invariant 8. Method: every pair of statuses; settled and cancelled are final."""
    assert not any(before in (SETTLED, CANCELLED) for before, _ in LEGAL)
    for before in range(len(STATUSES)):
        for after in (MATCHED, ON_HOLD, SETTLED, FAILING, CANCELLED):
            table = _instruct((A, B, 1, 0))
            table.table["status"][0] = before
            if (before, after) in LEGAL:
                table.change(i8(0), after)
                assert int(table.table["status"][0]) == after
            else:
                with pytest.raises(InvariantBroken):
                    table.change(i8(0), after)


def test_state_comes_back_from_its_dump(books: Books) -> None:
    """Goal: snapshot gives the same state. Method: dump, load, compare digests; a change shows."""
    state, other = SettlementState(), SettlementState()
    books.due(10, (A, 0, HKD, -3, -100), (B, 0, HKD, 3, 100))
    state.positions, state.instructions = books.positions, _instruct((A, B, 1, 0))
    other.load(state.dump())
    assert other.digest() == state.digest()
    totals = other.check_day()
    assert (totals["stock_due"], totals["stock_open"], totals["instructions_matched"]) == (6, 6, 1)
    other.positions.move(i8(0, 1), i8(-1, 1))
    assert other.digest() != state.digest()


def test_unbalanced_positions_are_a_defect(books: Books) -> None:
    """Goal: novation leaves the house flat. Method: a delivery without its receipt."""
    with pytest.raises(InvariantBroken, match="differ"):
        books.due(10, (A, 0, HKD, -3, -100))


def test_timetable_is_ordered_and_says_what_is_assumed() -> None:
    """Goal: only sourced hours pass as sourced (hk-markets 1.1). Method: compare with the list of sourced ones."""
    steps = timetable()
    assert [step.time for step in steps] == sorted(step.time for step in steps)
    assert len({step.name for step in steps}) == len(steps)
    assert {(step.name, step.time) for step in steps if not step.assumed} == {
        ("batch-settlement-run-1", "10:30"),
        ("china-connect-money", "12:00"),
    }
    assert all(step.source for step in steps)
    with pytest.raises(Rejected, match="batch-settlement-run-9"):
        step_named("batch-settlement-run-9")
    assert step_named("money-settlement").markets == (0,)


def test_columns_are_of_the_stated_types(books: Books) -> None:
    """Goal: arrays keep their types. Method: look at the views of the keys."""
    books.due(10, (A, 0, HKD, -3, -100), (B, 0, HKD, 3, 100))
    assert books.positions.account.tolist() == i4(A, B).tolist()
    assert books.positions.money_account.dtype == np.int32


def test_a_broken_chain_of_rows_is_reported_not_booked(books: Books) -> None:
    """Goal: the house never ends a run with stock. Method: put stock on its row first; the run must refuse."""
    books.give(CNS, STOCK, 1)
    books.give(A, STOCK, 3)
    books.due(10, (A, 0, HKD, -3, -100), (B, 0, HKD, 3, 100))
    with pytest.raises(InvariantBroken, match="left with stock"):
        batch_run(books.positions, books.ledger, CNS, (0,))


def test_pay_out_needs_the_house_line() -> None:
    """Goal: a missing house line is a defect, not a failed payment. Method: a house row with floor zero."""
    books = Books(house_line=False)
    books.give(A, STOCK, 3)
    books.due(10, (A, 0, HKD, -3, -100), (B, 0, HKD, 3, 100))
    batch_run(books.positions, books.ledger, CNS, (0,))
    with pytest.raises(InvariantBroken, match="could not pay out"):
        settle_money(books.positions, books.ledger, CNS, (0,))


@pytest.mark.slow
def test_a_full_market_runs_in_a_fraction_of_a_second(books: Books) -> None:
    """Goal: no step is quadratic. Method: 200 accounts x 500 securities, half delivered in part; CPU below 2 s."""
    accounts, securities = 200, 500
    chance = np.random.default_rng(5)
    quantity = chance.integers(-10_000, 10_000, (accounts, securities))
    quantity[-1] -= quantity.sum(axis=0)
    owner = np.repeat(np.arange(100, 100 + accounts, dtype=np.int32), securities)  # clear of the house's own
    asset = np.tile(np.arange(securities, dtype=np.int32), accounts)
    zero, due = np.zeros(owner.size, np.int32), quantity.ravel()
    for security in range(securities):
        books.ledger.row(ISSUER, 4 + security, floor=NO_FLOOR)
    debit = books.ledger.rows(np.full(owner.size, ISSUER, np.int32), asset + 4)
    credit = books.ledger.rows(owner, asset + 4)
    books.ledger.post(debit, credit, np.maximum(1, -due // 2))
    books.positions.begin_day(10, owner, asset, zero, zero, due, due * 100)
    start = time.process_time()
    assert batch_run(books.positions, books.ledger, CNS, (0,)).shares > 0
    assert time.process_time() - start < 2
    books.positions.check()
    books.ledger.check()
