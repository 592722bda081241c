"""The payments of a day: what is queued, what settled at which instant, what was cancelled, and the queues of each row.

No overdraft: a payment settles when its payer has the money above the floor of its row, else it waits in its priority's
queue, which the payer may re-order and cancel from; nobody else may (HKICL, HKD clearing system). The kernel decides,
the ledger books what it decided at one instant and checks sums and floors again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import InvariantBroken, RejectionReason, refuse
from tsingma.kernels import payments as kernel
from tsingma.kernels.payment_limits import Queues, held
from tsingma.kernels.payments import CANCELLED, COUNT, DEPTH, LEVELS, QUEUED, SETTLED, TURN
from tsingma.ledger.ledger import Ledger
from tsingma.settlement.gross_money.limits import PaymentLimits
from tsingma.settlement.growing import Growing

Int64 = npt.NDArray[np.int64]

STATUSES: tuple[str, ...] = ("queued", "settled", "cancelled")
PRIORITIES: tuple[str, ...] = ("urgent", "high", "normal")
SETTLED_HOW: tuple[str, ...] = ("", "in turn", "bilateral offset", "multilateral offset", "proposal")
PROPOSAL = 4
CANCELLED_BY: tuple[str, ...] = ("", "the payer", "the close of its system", "the house: its payer is suspended")
BY_PAYER, BY_CLOSE, BY_HOUSE = 1, 2, 3
NO_PAIR = -1
WAITING_CENTS_MAX = 2**61
COLUMN_TYPES = {
    "reference": "i8", "debit": "i4", "credit": "i4", "amount": "i8", "priority": "i1", "needs": "i1", "pair": "i4",
    "status": "i1", "how": "i1", "turn": "i4", "after": "i4", "before": "i4", "submitted_s": "i4", "due_s": "i4",
    "ended_s": "i4", "on_behalf": "i1",
}  # fmt: skip


class Lines(Protocol):
    """Money that comes by itself when a payer is short: see ``gross_money.repo``."""

    def left(self, ledger: Ledger) -> Int64:
        """Return the cents that each ledger row could still draw."""
        ...

    def draw(self, ledger: Ledger, rows: Int64, cents: Int64) -> None:
        """Bring money to rows, within what they had left."""
        ...


@dataclass(slots=True)
class _Run:
    """The working arrays of one run of the kernel; ``slack`` includes what is ``left`` on lines."""

    lines: Lines | None
    left: Int64
    slack: Int64
    stack: Int64
    listed: npt.NDArray[np.bool_]
    settled: Int64
    mark: Int64


class PaymentBook(Growing):
    """Payments as columns; ``debit`` and ``credit`` are ledger rows, ``turn`` counts instants of settlement."""

    def __init__(self) -> None:
        """Start a day without payments."""
        super().__init__(COLUMN_TYPES, subject="payments")
        self.limits = PaymentLimits()
        self.turn = 0
        self.waiting = 0
        self.waiting_amount = 0
        self.net: Int64 = np.zeros(0, np.int64)  # by ledger row: what settled payments brought less what they took
        self._low: Int64 = np.zeros(0, np.int64)
        self._head: npt.NDArray[np.int32] = np.zeros(0, np.int32)
        self._tail: npt.NDArray[np.int32] = np.zeros(0, np.int32)

    def enter(
        self, ledger: Ledger, columns: Mapping[str, npt.NDArray[np.signedinteger]], opened: int, *, offset: bool,
        lines: Lines | None = None,
    ) -> Int64:  # fmt: skip
        """Take payments in, in order, and settle what each makes possible; returns the numbers that settled, in order.

        ``columns`` has reference, debit, credit, amount, priority, needs, pair (as payment numbers), submitted_s, due_s
        and on_behalf; they were checked. Raises Rejected (limit) when what waits could overflow.
        """
        amount, first = columns["amount"], len(self)
        total = self.waiting_amount + int(amount.sum())
        if total > WAITING_CENTS_MAX:
            raise refuse(RejectionReason.LIMIT, f"{total} would wait at once, {WAITING_CENTS_MAX} at most")
        self.append(amount.size, {**columns, "after": -1, "before": -1, "ended_s": -1})
        self.waiting, self.waiting_amount = self.waiting + amount.size, total
        run = self._begin(ledger, lines)
        stop = len(self)
        kernel.functions().enter(
            self._queues(), first, stop, run.slack, opened, offset, run.stack, run.listed, run.settled, run.mark
        )
        return self._book(ledger, run, int(columns["submitted_s"][0]) if amount.size else 0)

    def wake(
        self, ledger: Ledger, rows: Int64, opened: int, now_s: int, *, offset: bool, lines: Lines | None = None
    ) -> Int64:
        """Settle what can from these rows on, for example after they were credited; returns what settled."""
        run = self._begin(ledger, lines)
        rows = rows[self._any_queued()[rows]] if rows.size else rows
        run.stack[: rows.size], run.listed[rows], run.mark[DEPTH] = rows[::-1], True, rows.size
        self._settle_rows(run, opened, offset=offset)
        return self._book(ledger, run, now_s)

    def waiting_rows(self) -> Int64:
        """Return the rows that have a payment in a queue, in order."""
        return np.flatnonzero(self._any_queued()).astype(np.int64)

    def offset(
        self, ledger: Ledger, assets: int, of_row: Int64, opened: int, now_s: int, lines: Lines | None = None
    ) -> Int64:
        """Settle the largest sets that settle on their net, until none is left; returns what settled.

        ``assets`` has the bits of the assets taken part in, ``of_row`` the bit of each ledger row.
        """
        run = self._begin(ledger, lines)
        while kernel.functions().offset_all(
            self._queues(), len(self), run.slack, opened, assets, of_row, run.stack, run.listed, run.settled, run.mark
        ):
            self._settle_rows(run, opened, offset=True)
        return self._book(ledger, run, now_s)

    def take(self, ledger: Ledger, chosen: Int64, opened: int, now_s: int) -> Int64:
        """Settle a proposed set of queued payments at one instant, all of it or nothing; returns it.

        Raises Rejected: unknown number, not-allowed (settled or cancelled, closed, a pair parted, something more urgent
        of the same payer left behind), insufficient.
        """
        table = self.table
        _require(chosen.size > 0 and bool((np.diff(chosen) > 0).all()), "the numbers must rise", chosen)
        _require(int(chosen[0]) >= 0 and int(chosen[-1]) < len(self), "there is no such payment", chosen)
        _require(not (table["status"][chosen] != QUEUED).any(), "one is settled or cancelled", chosen)
        _require(not (table["needs"][chosen] & ~opened).any(), "a system it needs is closed", chosen)
        pair = table["pair"][chosen]
        _require(bool(np.isin(pair[pair >= 0], chosen).all()), "a pair would be parted", chosen)
        self._require_urgent_first(chosen, opened)
        self._fit(ledger.count)
        debit, credit, amount = self._legs(chosen)
        self.limits.follow(table)
        over = self.limits.passed(chosen, amount)
        _require(not over.size, "a payer's limit would be passed", chosen)
        short = ledger.post_together(debit, credit, amount)
        if short is not None:
            raise refuse(
                RejectionReason.INSUFFICIENT, f"account {int(ledger.owner[short])} would be below its floor",
                field="payment", remedy="propose fewer of its payments",
            )  # fmt: skip
        self._add_up(debit, credit, amount)
        self.limits.count(chosen, amount)
        self.turn += 1
        for number in chosen.tolist():
            kernel.unlink(self._queues(), number)
        table["status"][chosen], table["how"][chosen], table["turn"][chosen] = SETTLED, PROPOSAL, self.turn
        self._ended(chosen, now_s)
        return chosen

    def cancel(self, number: int, cause: int, now_s: int) -> Int64:
        """Cancel a queued payment, with the other leg of its pair; returns the rows that may move now."""
        pair = int(self.table["pair"][number])
        legs = np.array([number] if pair < 0 else sorted((number, pair)), np.int64)
        if (self.table["status"][legs] != QUEUED).any():
            raise InvariantBroken(f"payment {number} is not queued and was to be cancelled")
        for leg in legs.tolist():
            kernel.unlink(self._queues(), leg)
        self.table["status"][legs], self.table["how"][legs] = CANCELLED, cause
        self._ended(legs, now_s)
        return np.unique(self.table["debit"][legs]).astype(np.int64)

    def move(self, number: int, *, priority: int, first: bool) -> Int64:
        """Put a queued payment first or last of a priority's queue; returns the row that may move now."""
        queues = self._queues()
        kernel.unlink(queues, number)
        self.table["priority"][number] = priority
        self.limits.forget()
        (kernel.link_first if first else kernel.link)(queues, number)
        return self.table["debit"][number : number + 1].astype(np.int64)

    def queue_of(self, row: int) -> list[int]:
        """Return the queued payments of a ledger row in the order in which they settle."""
        found: list[int] = []
        for level in range(LEVELS):
            place = row * LEVELS + level
            number = int(self._head[place]) if place < self._head.size else -1
            while number >= 0:
                found.append(number)
                number = int(self.table["after"][number])
        return found

    def held(self, number: int) -> bool:
        """Return whether a limit of its payer holds a queued payment back by itself."""
        self.limits.follow(self.table)
        return held(self._queues(), number)

    def check(self) -> None:
        """Raise InvariantBroken unless queues hold what is queued, pairs stand alike, and no amount is lost."""
        table = self.table
        queued = np.flatnonzero(table["status"] == QUEUED)
        listed = [number for row in self.waiting_rows().tolist() for number in self.queue_of(row)]
        if sorted(listed) != queued.tolist() or self.waiting != queued.size:
            raise InvariantBroken("the queues do not hold what is queued")
        if self.waiting_amount != int(table["amount"][queued].sum()):
            raise InvariantBroken("what waits is not the sum of what is queued")
        legs = np.flatnonzero(table["pair"] >= 0)
        other = table["pair"][legs]
        for name in ("status", "turn", "ended_s"):
            if (table[name][legs] != table[name][other]).any():
                raise InvariantBroken(f"the legs of a pair differ in their {name}: one settled without the other")
        settled = table["status"] == SETTLED
        if ((table["turn"] > 0) != settled).any():
            raise InvariantBroken("a payment has an instant of settlement and is not settled, or the reverse")

    def clear(self) -> None:
        """Begin a day: yesterday's payments are settled or cancelled, and stay in the journal."""
        if self.waiting:
            raise InvariantBroken(f"{self.waiting} payments are still queued at the end of their day")
        limits = self.limits
        PaymentBook.__init__(self)
        self.limits = limits
        limits.forget()

    def load(self, parts: Mapping[str, bytes]) -> None:
        """Take back a dump; the ends of the queues follow from their links."""
        super().load(parts)
        table = self.table
        queued = np.flatnonzero(table["status"] == QUEUED)
        self.turn = int(table["turn"].max(initial=0))
        self.waiting, self.waiting_amount = queued.size, int(table["amount"][queued].sum())
        self._head = self._tail = np.zeros(0, np.int32)
        self.net = np.zeros(0, np.int64)
        self._fit(int(max(table["debit"].max(initial=-1), table["credit"].max(initial=-1))) + 1)
        self._add_up(*self._legs(np.flatnonzero(table["status"] == SETTLED)))
        place = table["debit"][queued].astype(np.int64) * LEVELS + table["priority"][queued]
        for ends, side in ((self._head, "before"), (self._tail, "after")):
            end = table[side][queued] < 0
            ends[place[end]] = queued[end]

    def _require_urgent_first(self, chosen: Int64, opened: int) -> None:
        """Refuse a set that leaves something more urgent of the same payer behind, open and not waiting for a pair."""
        table = self.table
        left = np.setdiff1d(np.flatnonzero((table["status"] == QUEUED) & (table["pair"] < 0)), chosen)
        left = left[(table["needs"][left] & ~opened) == 0]
        least = np.full(self._head.size // LEVELS, LEVELS, np.int64)
        np.minimum.at(least, table["debit"][left], table["priority"][left].astype(np.int64))
        behind = least[table["debit"][chosen]] < table["priority"][chosen]
        _require(not behind.any(), "something more urgent of the same payer would be left behind", chosen)

    def _settle_rows(self, run: _Run, opened: int, *, offset: bool) -> None:
        queues, arrays = self._queues(), (run.stack, run.listed, run.settled, run.mark)
        kernel.functions().settle_rows(queues, run.slack, opened, offset, *arrays)

    def _begin(self, ledger: Ledger, lines: Lines | None) -> _Run:
        rows = ledger.count
        self._fit(rows)
        self.limits.follow(self.table)
        mark = np.array([0, 0, self.turn], np.int64)
        left = np.zeros(rows, np.int64) if lines is None else lines.left(ledger)
        slack = ledger.available(np.arange(rows, dtype=np.int64)) + left
        self._low = slack.copy()
        empty = np.zeros(rows + 1, np.int64)
        return _Run(lines, left, slack, empty, np.zeros(rows, np.bool_), np.zeros(self.waiting, np.int64), mark)

    def _book(self, ledger: Ledger, run: _Run, now_s: int) -> Int64:
        """Draw what payers went below their own money at any instant, then book what the kernel settled at once.

        Raises InvariantBroken for a set that the kernel should not have chosen.
        """
        settled = run.settled[: int(run.mark[COUNT])]
        if run.lines is not None:
            short = np.maximum(run.left - self._low, 0)
            drawn = np.flatnonzero((short > 0) & (run.left > 0)).astype(np.int64)
            run.lines.draw(ledger, drawn, short[drawn])
        legs = self._legs(settled)
        if settled.size and ledger.post_together(*legs) is not None:
            raise InvariantBroken("the queue settled what the ledger does not cover")
        self._add_up(*legs)
        self.turn = int(run.mark[TURN])
        self._ended(settled, now_s)
        return settled

    def _add_up(self, debit: Int64, credit: Int64, amount: Int64) -> None:
        np.add.at(self.net, credit, amount)
        np.subtract.at(self.net, debit, amount)

    def _ended(self, numbers: Int64, now_s: int) -> None:
        self.table["ended_s"][numbers] = now_s
        self.waiting -= numbers.size
        self.waiting_amount -= int(self.table["amount"][numbers].sum())

    def _legs(self, numbers: Int64) -> tuple[Int64, Int64, Int64]:
        debit, credit, amount = (self.table[name][numbers].astype(np.int64) for name in ("debit", "credit", "amount"))
        return debit, credit, amount

    def _queues(self) -> Queues:
        names = ("debit", "credit", "amount", "priority", "needs", "pair", "status", "how", "turn", "after", "before")
        limits = self.limits
        return Queues(
            **{name: self.table[name] for name in names}, head=self._head, tail=self._tail, low=self._low,
            sends=limits.sends, returns=limits.returns, used=limits.used, cap=limits.cap, owner=limits.owner,
        )  # fmt: skip

    def _any_queued(self) -> npt.NDArray[np.bool_]:
        found: npt.NDArray[np.bool_] = np.any(self._head.reshape(-1, LEVELS) >= 0, axis=1)
        return found

    def _fit(self, rows: int) -> None:
        """Have queues for every ledger row."""
        more = rows * LEVELS - self._head.size
        if more > 0:
            self.net = np.concatenate([self.net, np.zeros(rows - self.net.size, np.int64)])
            self._head, self._tail = (
                np.concatenate([ends, np.full(more, -1, np.int32)]) for ends in (self._head, self._tail)
            )


def _require(condition: bool, message: str, chosen: Int64) -> None:
    if not condition:
        subject = str(int(chosen[0])) if chosen.size else ""
        raise refuse(RejectionReason.NOT_ALLOWED, message, field="payment", subject=subject)
