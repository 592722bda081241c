"""The payment queues once more, in plain lists and dictionaries: what the kernel is compared with, and timed against.

Nothing here shares code with the kernel: no arrays, no linked columns. Rows are visited in the same documented order,
the one credited last first, so that both settle the same payments at the same instants.
"""

from __future__ import annotations

from dataclasses import dataclass, field

QUEUED, SETTLED, CANCELLED = 0, 1, 2
LEVELS, PREFIX_MAX = 3, 64


@dataclass(slots=True)
class PlainPayment:
    """One payment, or one leg of a pair; ``pair`` is the other leg's number."""

    debit: int
    credit: int
    amount: int
    priority: int = 2
    needs: int = 0
    pair: int | None = None
    status: int = QUEUED
    turn: int = 0


@dataclass(slots=True)
class PlainPayments:
    """Money by row, three queues a row, and every payment of the day."""

    money: dict[int, int]
    payments: list[PlainPayment] = field(default_factory=list)
    queues: dict[int, list[list[int]]] = field(default_factory=dict)
    turn: int = 0
    opened: int = -1
    bilateral: bool = True
    limits: dict[tuple[int, int | None], int] = field(default_factory=dict)  # (payer, payee or None for all others)
    _stack: list[int] = field(default_factory=list)

    def enter(self, *legs: PlainPayment) -> None:
        """Take one payment or both legs of a pair, and settle what that makes possible."""
        first = len(self.payments)
        for place, leg in enumerate(legs):
            if len(legs) == 2:
                leg.pair = first + 1 - place
            self.payments.append(leg)
            self._queues(leg.debit)[leg.priority].append(first + place)
        self.wake([legs[-1].debit])

    def wake(self, rows: list[int]) -> None:
        """Settle from these rows on, the first of them first."""
        for row in reversed(rows):
            self._list(row)
        while self._stack:
            self._settle_row(self._stack.pop())

    def wake_all(self) -> None:
        """Settle from every row that has something queued, in order of rows."""
        self.wake([row for row in sorted(self.queues) if any(self.queues[row])])

    def limit_of(self, payment: PlainPayment) -> tuple[int, int | None] | None:
        """Return the limit that a payment counts against: its payee's, else the one for all others, else none."""
        if payment.pair is not None or payment.priority != LEVELS - 1:
            return None
        for key in ((payment.debit, payment.credit), (payment.debit, None)):
            if key in self.limits:
                return key
        return None

    def let_out(self, key: tuple[int, int | None], more: set[int]) -> int:
        """Return what a limit has let out net, with ``more`` payments as if they had settled."""
        total = 0
        for number, payment in enumerate(self.payments):
            if payment.status != SETTLED and number not in more:
                continue
            back = PlainPayment(payment.credit, payment.debit, payment.amount, payment.priority, pair=payment.pair)
            total += payment.amount * ((self.limit_of(payment) == key) - (self.limit_of(back) == key))
        return total

    def _within(self, more: set[int]) -> bool:
        """Return whether every limit against which some of these count is kept when they settle at one instant."""
        keys = {self.limit_of(self.payments[number]) for number in more} - {None}
        return all(self.let_out(key, more) <= self.limits[key] for key in keys if key is not None)

    def _held(self, number: int) -> bool:
        return bool(self.limits) and not self._within({number})

    def cancel(self, number: int) -> None:
        """Cancel a payment and the other leg of its pair."""
        pair = self.payments[number].pair
        for leg in (number,) if pair is None else (number, pair):
            payment = self.payments[leg]
            self._queues(payment.debit)[payment.priority].remove(leg)
            payment.status = CANCELLED

    def move(self, number: int, priority: int, *, first: bool) -> None:
        """Put a payment first or last of another priority's queue."""
        payment = self.payments[number]
        self._queues(payment.debit)[payment.priority].remove(number)
        payment.priority = priority
        queue = self._queues(payment.debit)[priority]
        queue.insert(0 if first else len(queue), number)

    def offset(self) -> None:
        """Settle the largest sets on their net until there is none."""
        while True:
            chosen = self._largest()
            if not chosen:
                return
            self.turn += 1
            for number in sorted(chosen):
                self._move_money(number)
                self._list(self.payments[number].debit)
            while self._stack:
                self._settle_row(self._stack.pop())

    def _largest(self) -> set[int]:
        inside = {
            number
            for levels in self.queues.values()
            for level in levels
            for number in level
            if not self.payments[number].needs & ~self.opened
        }
        pairs = {number: self.payments[number].pair for number in inside}
        inside = {number for number in inside if pairs[number] is None or pairs[number] in inside}
        end = dict(self.money)
        for number in inside:
            self._shift(end, number, 1)
        stack = sorted(row for row, cents in end.items() if cents < 0)
        while True:
            while stack:
                row = stack.pop()
                while end[row] < 0:
                    last = [number for number in self._order(row) if number in inside][-1]
                    pair = self.payments[last].pair
                    for leg in (last,) if pair is None else (last, pair):
                        self._leave(leg, inside, end, stack)
            if not self._leave_by_limits(inside, end, stack):
                return inside

    def _leave(self, leg: int, inside: set[int], end: dict[int, int], stack: list[int]) -> None:
        inside.discard(leg)
        self._shift(end, leg, -1)
        credit = self.payments[leg].credit
        if end[credit] < 0 and credit not in stack:
            stack.append(credit)

    def _leave_by_limits(self, inside: set[int], end: dict[int, int], stack: list[int]) -> bool:
        """Take out the last payments by which limits are passed, limit by limit in order; return whether any was."""
        found = False
        for key in sorted(self.limits, key=lambda one: (one[0], -1 if one[1] is None else one[1])):
            while self.let_out(key, inside) > self.limits[key]:
                mine = [k for k in self._order(key[0]) if k in inside and self.limit_of(self.payments[k]) == key]
                if not mine:
                    break
                self._leave(mine[-1], inside, end, stack)
                found = True
        return found

    def _shift(self, end: dict[int, int], number: int, sign: int) -> None:
        payment = self.payments[number]
        end[payment.debit] = end.get(payment.debit, 0) - sign * payment.amount
        end[payment.credit] = end.get(payment.credit, 0) + sign * payment.amount

    def _settle_row(self, row: int) -> None:
        for number in self._order(row):
            payment = self.payments[number]
            if payment.status != QUEUED or payment.needs & ~self.opened:
                continue
            held = self._held(number)
            if held or self.money.get(row, 0) < payment.amount:
                if self.bilateral and payment.pair is None and self._bilateral(number):
                    self._settle_row(row)
                    return
                if held:
                    continue
                return
            if payment.pair is None:
                self.turn += 1
                self._move_money(number)
            elif self._ready(payment.pair):
                self.turn += 1
                self._move_money(number)
                self._move_money(payment.pair)
                self._list(self.payments[payment.pair].debit)

    def _ready(self, leg: int) -> bool:
        row = self.payments[leg].debit
        if row in self._stack or self.payments[leg].needs & ~self.opened:
            return False
        for number in self._order(row):
            payment = self.payments[number]
            if payment.needs & ~self.opened or self._held(number):
                continue
            if self.money.get(row, 0) < payment.amount:
                return False
            if number == leg:
                return True
            if payment.pair is None:
                return False
        return False

    def _bilateral(self, number: int) -> bool:
        payment = self.payments[number]
        taken: list[int] = []
        owed = 0
        for other in self._order(payment.credit):
            back = self.payments[other]
            if back.needs & ~self.opened or (back.credit != payment.debit and self._held(other)):
                continue
            if back.pair is not None or back.credit != payment.debit or len(taken) == PREFIX_MAX:
                return False
            taken.append(other)
            owed += back.amount
            if self.money.get(payment.credit, 0) + payment.amount < owed:
                return False
            covered = self.money.get(payment.debit, 0) + owed >= payment.amount
            if covered and (not self.limits or self._within({number, *taken})):
                self.turn += 1
                for leg in (number, *taken):
                    self._move_money(leg)
                self._list(payment.debit)
                self._list(payment.credit)
                return True
        return False

    def _move_money(self, number: int) -> None:
        payment = self.payments[number]
        self._queues(payment.debit)[payment.priority].remove(number)
        payment.status, payment.turn = SETTLED, self.turn
        self.money[payment.debit] = self.money.get(payment.debit, 0) - payment.amount
        self.money[payment.credit] = self.money.get(payment.credit, 0) + payment.amount
        self._list(payment.credit)

    def _list(self, row: int) -> None:
        if row not in self._stack:
            self._stack.append(row)

    def _order(self, row: int) -> list[int]:
        return [number for level in self._queues(row) for number in level]

    def _queues(self, row: int) -> list[list[int]]:
        return self.queues.setdefault(row, [[] for _ in range(LEVELS)])
