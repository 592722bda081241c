"""Liquidity saving on the cash legs of the settlement instances whose generator and fingerprints are published.

Goal: what netting could save, what gridlock resolution and proposals do save, and that none is below first come first
served. Method: the instances by fingerprint; netting against the figures measured with the generator (69.9, 83.4 and
92.5 % at 10^3, 10^4 and 10^5); gridlock must resolve whole; the linear bound from HiGHS above every result.
"""

from __future__ import annotations

import time

import numpy as np
import pytest

from tsingma.kernels.payments import SETTLED
from tsingma.ledger.ledger import NO_FLOOR, Ledger
from tsingma.settlement.gross_money.queue import PaymentBook
from tsingma.settlement.instance import Problem
from tsingma.settlement.optimise import optimise, quick
from tsingma.settlement.proposal import Objective
from tsingma.simulate.payments import CashOnly, cash_only
from tsingma.simulate.settlement import fingerprint, settlement_instance

NETTING = [(1_000, 69.9), (10_000, 83.4), (100_000, 92.5)]


def queued(case: CashOnly, *, bilateral: bool) -> tuple[Ledger, PaymentBook]:
    """Return a book in which every payment was entered in order, all of one priority."""
    ledger, parties, size = Ledger(), case.balance.size, case.amount.size
    rows = ledger.rows(np.arange(parties, dtype=np.int32), np.zeros(parties, np.int32))
    issuer = ledger.rows(np.array([parties], np.int32), np.zeros(1, np.int32), floor=NO_FLOOR)
    rich = case.balance > 0
    ledger.post(np.repeat(issuer, int(rich.sum())), rows[rich], case.balance[rich])
    book, zero = PaymentBook(), np.zeros(size, np.int64)
    columns = {
        "reference": zero, "debit": rows[case.payer], "credit": rows[case.payee], "amount": case.amount,
        "priority": zero + 2, "needs": zero + 1, "pair": zero - 1, "submitted_s": zero, "due_s": zero - 1,
        "on_behalf": zero,
    }  # fmt: skip
    book.enter(ledger, columns, 1, offset=bilateral)
    return ledger, book


def shares(book: PaymentBook) -> tuple[float, float]:
    """Return what settled, in per cent of number and of value."""
    done, amount = book.table["status"] == SETTLED, book.table["amount"]
    return round(100 * float(done.mean()), 2), round(100 * int(amount[done].sum()) / int(amount.sum()), 2)


def problem_of(book: PaymentBook, ledger: Ledger) -> Problem:
    """Return what waits as a problem of an optimiser."""
    table = book.table
    left = np.flatnonzero(table["status"] != SETTLED)
    debit, credit, amount = (table[name][left].astype(np.int64) for name in ("debit", "credit", "amount"))
    none, rows = np.full(left.size, -1), np.arange(ledger.count)
    balance = np.minimum(ledger.available(rows), 2**53)
    names = tuple(("c", row) for row in rows.tolist())
    return Problem(debit, credit, none, none, amount, np.zeros_like(amount), none, balance, amount, names)


@pytest.mark.parametrize(("count", "saved"), NETTING)
def test_netting_of_money_is_as_measured(count: int, saved: float) -> None:
    """Goal: the instances are the published ones. Method: fingerprints; one less net over gross of the legs."""
    instance = settlement_instance(count, beta=0.5, short=0.1)
    assert fingerprint(instance) == {1_000: "4ec4572a8eddbbad", 10_000: "4ea1ac6c069bb3e4"}.get(
        count, "2e611b6d68d7b149"
    )
    case = cash_only(instance)
    net = np.zeros(case.balance.size, np.int64)
    np.add.at(net, case.payee, case.amount)
    np.subtract.at(net, case.payer, case.amount)
    assert round(100 * (1 - int(net[net > 0].sum()) / int(case.amount.sum())), 1) == saved


@pytest.mark.parametrize(
    ("count", "in_turn"), [(1_000, (86.8, 78.74)), (10_000, (98.04, 96.0)), (100_000, (99.99, 99.99))]
)
def test_gridlock_is_resolved_whole(count: int, in_turn: tuple[float, float]) -> None:
    """Goal: where all can settle together, all does. Method: the gridlock case (net need alone), in turn and offset."""
    case = cash_only(settlement_instance(count, short=0.0))
    ledger, book = queued(case, bilateral=False)
    assert shares(book) == in_turn
    book.offset(ledger, 1, np.ones(ledger.count, np.int64), 1, 0)
    assert shares(book) == (100.0, 100.0)
    ledger.check()


@pytest.mark.parametrize(
    ("count", "beta", "alpha", "in_turn", "offset", "proposal"),
    [
        (1_000, 0.5, 0.0, 79.43, 99.48, 99.87),
        (1_000, 0.0, 0.0, 79.3, 99.48, 99.74),
        (1_000, 0.5, 0.25, 99.61, 99.61, 99.87),
        (10_000, 0.5, 0.0, 97.62, 97.62, 99.95),
        (10_000, 0.0, 0.0, 97.59, 97.59, 99.95),
    ],
)
def test_each_algorithm_adds_to_the_one_before(
    count: int, beta: float, alpha: float, in_turn: float, offset: float, proposal: float
) -> None:
    """Goal: in turn <= offset in order <= a proposal out of order <= the linear bound. Method: shares by number."""
    case = cash_only(settlement_instance(count, beta=beta, alpha=alpha, short=0.1))
    ledger, book = queued(case, bilateral=True)
    first = shares(book)[0]
    book.offset(ledger, 1, np.ones(ledger.count, np.int64), 1, 0)
    second = shares(book)[0]
    problem = problem_of(book, ledger)
    chosen, _ = quick(problem, Objective.NUMBER, lambda: 0.0)
    left = np.flatnonzero(book.table["status"] != SETTLED)
    if chosen.any():
        book.take(ledger, left[chosen].astype(np.int64), 1, 0)
    third = shares(book)[0]
    ledger.check()
    book.check()
    assert (first, second) == (in_turn, offset)
    assert first <= second <= third
    assert third >= proposal - 0.3  # of the optimum, found with HiGHS from all payments at once


def test_the_bound_is_above_every_result() -> None:
    """Goal: results are honest. Method: HiGHS's relaxation of the whole instance against what the queue settled."""
    pytest.importorskip("highspy")
    case = cash_only(settlement_instance(1_000, beta=0.5, short=0.1))
    none, size = np.full(case.amount.size, -1), case.amount.size
    names = tuple(("c", party) for party in range(case.balance.size))
    whole = Problem(
        case.payer,
        case.payee,
        none,
        none,
        case.amount,
        np.zeros(size, np.int64),
        none,
        case.balance,
        case.amount,
        names,
    )
    best = optimise(whole, Objective.NUMBER, 1.0, time.process_time)
    ledger, book = queued(case, bilateral=True)
    book.offset(ledger, 1, np.ones(ledger.count, np.int64), 1, 0)
    settled = int((book.table["status"] == SETTLED).sum())
    assert best.lp_bound is not None
    assert settled <= best.settled <= best.lp_bound + 1e-6
