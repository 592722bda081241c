"""A million payments, durable on SQLite, beside a plain Python loop over the same payments; offsetting and figures.

    python benchmarks/payments.py [--payments 1000000] [--rounds 1]

A payment is durable when its command was validated, carried out, chained, written and flushed. Commands of columns go
through the one writer; they are built beforehand, and a first command warms the compiled kernel up. The peer is the
plain twin of the queues (``simulate/plain_payments.py``): the same rules over lists and dictionaries, in memory,
nothing durable; both must settle the same payments at the same instants. Processor seconds are of one core; the time of
the wall is that of a machine whose load is printed first.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import numpy as np

from machine import describe, verdict
from tsingma.app.session import Session
from tsingma.basics.money import CURRENCIES
from tsingma.journal.payment_commands import RunPayments
from tsingma.kernels.payments import SETTLED
from tsingma.simulate.payments import FIRST_BANK, PaymentDay, payment_day
from tsingma.simulate.plain_payments import PlainPayment, PlainPayments

GOAL_SECONDS = 10.0
COMMANDS_A_COMMIT = 8
DAY = date(2026, 1, 5)


def durable(day: PaymentDay, folder: Path) -> tuple[Session, float, float]:
    """Run the day into a house in a folder; returns it, and the seconds of the wall and of the processor."""
    session = Session.open(folder)
    for name, command in day.opening:
        session.once(name, lambda command=command: command)
    warm, rest = day.traffic[:2], day.traffic[2:]
    session.submit(warm)
    wall, processor = time.perf_counter(), time.process_time()
    for start in range(0, len(rest), COMMANDS_A_COMMIT):
        session.submit(rest[start : start + COMMANDS_A_COMMIT])
    return session, time.perf_counter() - wall, time.process_time() - processor


def plain(day: PaymentDay, start: dict[int, int], count: int) -> tuple[PlainPayments, float]:
    """Run the first payments of the day through the plain twin; returns it and its processor seconds."""
    columns = {name: column[:count].tolist() for name, column in day.columns.items()}
    twin = PlainPayments(dict(start))
    began, place = time.process_time(), 0
    while place < count:
        legs = 2 if columns["pair"][place] else 1
        twin.enter(
            *(
                PlainPayment(
                    columns["payer"][k] * len(CURRENCIES) + columns["asset"][k],
                    columns["payee"][k] * len(CURRENCIES) + columns["asset"][k],
                    columns["amount"][k], columns["priority"][k],
                )
                for k in range(place, min(place + legs, count))
            )
        )  # fmt: skip
        place += legs
    return twin, time.process_time() - began


def main() -> int:
    """Print each figure with its goal, and the ratio to the twin."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--payments", type=int, default=1_000_000)
    parser.add_argument("--banks", type=int, default=50)
    parser.add_argument("--alpha", type=float, default=0.25)
    parser.add_argument("--twin", type=int, default=50_000, help="payments the plain twin is timed on")
    options = parser.parse_args()
    print(describe("numpy", "numba"))
    day = payment_day(1, DAY, options.payments, banks=options.banks, alpha=options.alpha)
    with tempfile.TemporaryDirectory() as folder:
        session, wall, processor = durable(day, Path(folder) / "house")
        with session:
            report(session, day, wall, processor, options.twin)
    return 0


def report(session: Session, day: PaymentDay, wall: float, processor: float, twin: int) -> None:
    """Print the figures of a day that ran, and of the twin beside it."""
    money, ledger = session.house.money, session.house.ledger
    table = money.payments.table
    size, done = len(money.payments), table["status"] == SETTLED
    pairs, offset = int((table["pair"][done] >= 0).sum()) // 2, int((table["how"] == 3).sum())
    print(f"{size:,} payments, {int(done.sum()):,} settled ({pairs:,} pairs, {offset:,} in multilateral offsetting)")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rate = size / processor
    print(f"  durable on SQLite: {wall:.2f} s, {processor:.2f} s of one core, {rate:,.0f} a second and core")
    print(verdict(f"{size:,} in {GOAL_SECONDS:g} s", wall <= GOAL_SECONDS))
    print(f"  peak memory {peak:,.0f} MB, with the commands built beforehand")
    began = time.process_time()
    session.sequencer.submit([("last", RunPayments(money.clock_s, "multilateral"))])
    print(f"  offsetting what waits: {time.process_time() - began:.3f} s; {money.payments.waiting:,} wait")
    began = time.process_time()
    figures = money.liquidity(ledger)
    print(f"  liquidity figures of {figures.account.size:,} accounts: {time.process_time() - began:.3f} s")
    start = dict.fromkeys(range((FIRST_BANK + 5_000) * len(CURRENCIES)), 0)
    for row in np.flatnonzero(ledger.floor == 0).tolist():
        opening = int(money.opening[row]) if row < money.opening.size else 0
        start[int(ledger.owner[row]) * len(CURRENCIES) + int(ledger.asset[row])] = opening
    count = min(twin, size)
    count -= bool(
        day.columns["pair"][count - 1] and count < size and day.columns["pair"][count] == day.columns["pair"][count - 1]
    )
    peer, spent = plain(day, start, count)
    settled = sum(payment.status == SETTLED for payment in peer.payments)
    print(f"  plain loop: {count:,} in {spent:.2f} s of one core, {count / spent:,.0f} a second, {settled:,} settled, "
          "in memory")  # fmt: skip
    print(f"  ratio, durable to plain: {rate / (count / spent):.1f}")
    same = _same_without_runs(day, start, peer, count)
    print(f"  the same payments settled at the same instants by the kernel: {'yes' if same else 'NO'}")
    if not same:
        sys.exit(1)


def _same_without_runs(day: PaymentDay, start: dict[int, int], peer: PlainPayments, count: int) -> bool:
    """Enter the same payments into the kernel's book in one go, without runs of offsetting, and compare."""
    from tsingma.ledger.ledger import NO_FLOOR, Ledger
    from tsingma.settlement.gross_money.queue import PaymentBook

    ledger, units = Ledger(), len(CURRENCIES)
    keys = np.array(sorted(start), np.int64)
    rows = ledger.rows((keys // units).astype(np.int32), (keys % units).astype(np.int32))
    issuer = ledger.rows(np.full(units, 2**20, np.int32), np.arange(units, dtype=np.int32), floor=NO_FLOOR)
    money = np.array([start[key] for key in keys.tolist()], np.int64)
    rich = money > 0
    ledger.post(issuer[keys[rich] % units], rows[rich], money[rich])
    columns = {name: column[:count] for name, column in day.columns.items()}
    legs = np.flatnonzero(columns["pair"])
    partner = np.full(count, -1, np.int64)
    partner[legs[::2]], partner[legs[1::2]] = legs[1::2], legs[::2]
    zero = np.zeros(count, np.int64)
    place = {key: n for n, key in enumerate(keys.tolist())}
    of = [
        np.array([place[key] for key in (columns[side] * units + columns["asset"]).tolist()])
        for side in ("payer", "payee")
    ]
    book = PaymentBook()
    book.enter(
        ledger,
        {
            "reference": zero, "debit": rows[of[0]], "credit": rows[of[1]], "amount": columns["amount"],
            "priority": columns["priority"], "needs": zero, "pair": partner, "submitted_s": zero, "due_s": zero,
            "on_behalf": zero,
        },
        -1, offset=True,
    )  # fmt: skip
    turns = [payment.turn for payment in peer.payments]
    return bool(book.table["turn"].tolist() == turns)


if __name__ == "__main__":
    sys.exit(main())
