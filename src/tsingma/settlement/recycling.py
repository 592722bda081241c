"""Settling gross instructions one by one in order of priority and entry, and again when something is credited.

Both legs or neither, and a group that settles together as one: each is a chain of ledger transfers. What cannot settle
waits on the ledger row that was short, and is tried again when something arrives there (recycling by wake-up index,
posttrade.md C2, 2).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from tsingma.basics.money import CURRENCIES
from tsingma.kernels.postings import INSUFFICIENT
from tsingma.ledger.ledger import Ledger
from tsingma.settlement.instruction import (
    DWP,
    FAILING,
    LACK_OF_CASH,
    LACK_OF_SECURITIES,
    MATCHED,
    NOT_TRIED,
    PFOD,
    SETTLED,
    WAITS_FOR_LINK,
    Instructions,
)
from tsingma.settlement.links import Links
from tsingma.settlement.reservation import ACTIVE, USED, Reservations

Int64 = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one attempt did: instructions settled, units of securities and cents per currency, passes, still open."""

    settled: int
    shares: int
    amount_cents: tuple[int, ...]
    passes: int
    open: int
    credited: Int64 = field(default_factory=lambda: np.zeros(0, np.int64), compare=False)  # ledger rows

    def figures(self) -> dict[str, int]:
        """Return the figures by name, for the event."""
        figures = {"settled": self.settled, "shares": self.shares, "passes": self.passes, "open": self.open}
        for currency, cents in zip(CURRENCIES, self.amount_cents, strict=True):
            figures[f"settled_{currency}_cents"] = cents
        return figures


@dataclass(frozen=True, slots=True)
class Legs:
    """The ledger transfers of instructions, as arrays [n, 2]: first and second leg; ``moves`` says which there are.

    A leg within one account (a cross trade) or without an amount moves nothing.
    """

    debit: Int64
    credit: Int64
    amount: Int64
    moves: Bools

    def chosen(self, places: Int64) -> tuple[Int64, Int64, Int64]:
        """Return debit, credit and amount of the legs that move, of these instructions in order."""
        moves = self.moves[places]
        return self.debit[places][moves], self.credit[places][moves], self.amount[places][moves]


def legs_of(instructions: Instructions, ledger: Ledger, numbers: Int64, part: Int64 | None = None) -> Legs:
    """Return the legs of what is open of instructions, or of a ``part`` of it; opens missing ledger rows."""
    table = instructions.table
    quantity = table["open_quantity"][numbers].astype(np.int64) if part is None else part
    whole = table["quantity"][numbers] == 0
    second = np.where(
        whole, instructions.second_leg(numbers), instructions.second_leg_of_part(numbers, quantity)
    ).astype(np.int64)
    deliverer, receiver = table["deliverer"][numbers].astype(np.int32), table["receiver"][numbers].astype(np.int32)
    asset, against = table["asset"][numbers], table["against"][numbers]
    paid_with = np.isin(table["kind"][numbers], (DWP, PFOD))
    payer, payee = np.where(paid_with, deliverer, receiver), np.where(paid_with, receiver, deliverer)
    amount = np.stack([np.where(asset >= 0, quantity, 0), np.where(against >= 0, second, 0)], axis=1)
    assets = np.stack([np.maximum(asset, 0), np.maximum(against, 0)], axis=1).astype(np.int32)
    moves = (amount > 0) & (deliverer != receiver)[:, np.newaxis]
    debit, credit = np.full(amount.shape, -1, np.int64), np.full(amount.shape, -1, np.int64)
    debit[moves] = ledger.rows(np.stack([deliverer, payer], axis=1)[moves], assets[moves])
    credit[moves] = ledger.rows(np.stack([receiver, payee], axis=1)[moves], assets[moves])
    return Legs(debit, credit, amount, moves)


def ready(instructions: Instructions, day: int, markets: tuple[int, ...], kinds: tuple[int, ...] = ()) -> Int64:
    """Return what may be tried: open, not held, intended for ``day`` or before, of the markets and (if any) kinds."""
    table = instructions.table
    may = np.isin(table["status"], (MATCHED, FAILING)) & (table["intended_day"] <= day)
    may &= np.isin(table["market"], markets)
    if kinds:
        may &= np.isin(table["kind"], kinds)
    return np.flatnonzero(may).astype(np.int64)


def recycle(
    instructions: Instructions,
    links: Links,
    ledger: Ledger,
    day: int,
    numbers: Int64,
    reservations: Reservations | None = None,
) -> Attempt:
    """Settle what can be settled of the ``numbers`` (from ``ready``) and note for the others why they did not.

    What is reserved for an instruction is available to it, and used up with it.
    """
    run = _Run(instructions, links, ledger, numbers, reservations or Reservations(), day)
    run.until_quiet()
    run.note_reasons()
    done = numbers[run.settled]
    attempt = Attempt(
        settled=int(run.settled.sum()),
        shares=run.units_of_securities(),
        amount_cents=run.cents(),
        passes=run.passes,
        open=int((~run.settled).sum()),
        credited=np.unique(run.legs.credit[run.settled][run.legs.moves[run.settled]]),
    )
    instructions.table["settled_day"][done] = day
    instructions.change(done, SETTLED)
    return attempt


class _Run:
    """One attempt: which of the instructions have settled, and what blocks each of the others."""

    def __init__(
        self,
        instructions: Instructions,
        links: Links,
        ledger: Ledger,
        numbers: Int64,
        reservations: Reservations,
        day: int,
    ) -> None:
        self.instructions, self.links, self.ledger, self.numbers = instructions, links, ledger, numbers
        self._reservations, self._day = reservations, day
        self._reserved = np.isin(numbers, reservations.table["instruction"][reservations.table["status"] == ACTIVE])
        self.legs = legs_of(instructions, ledger, numbers)
        self.settled = np.zeros(numbers.size, np.bool_)
        self.blocked_on = np.full(numbers.size, -1, np.int64)
        self.passes = 0
        table = instructions.table
        self._group = table["together"][numbers].astype(np.int64)
        self._order = np.lexsort((numbers, table["priority"][numbers]))
        self._short_groups = self._incomplete_groups()

    def until_quiet(self) -> None:
        """Pass over everything once, then over what an arrival or a settled link has freed."""
        trying = ~self._waits()
        while trying.any():
            self.passes += 1
            before = self.settled.copy()
            waited = self._waits()
            self._pass(trying)
            fresh = np.flatnonzero(self.settled & ~before)
            credited = self.legs.credit[fresh][self.legs.moves[fresh]]
            trying = ~self.settled & np.isin(self.blocked_on, credited)
            trying |= waited & ~self._waits() & ~self.settled

    def note_reasons(self) -> None:
        """Write why each instruction that is left did not settle, and on which ledger row."""
        left = ~self.settled
        numbers, row = self.numbers[left], self.blocked_on[left]
        table = self.instructions.table
        reason = np.where(self._waits()[left], WAITS_FOR_LINK, NOT_TRIED)
        short = row >= 0
        money = self.ledger.asset[row[short]] < len(CURRENCIES)
        reason[short] = np.where(money, LACK_OF_CASH, LACK_OF_SECURITIES)
        table["reason"][numbers] = reason
        table["blocked_on"][numbers] = row

    def units_of_securities(self) -> int:
        """Return the units of securities that moved, of both legs."""
        return int(self.legs.amount[self.settled][self._assets()[self.settled] >= len(CURRENCIES)].sum())

    def cents(self) -> tuple[int, ...]:
        """Return the money that moved, per currency."""
        assets, amount = self._assets()[self.settled], self.legs.amount[self.settled]
        return tuple(int(amount[assets == unit].sum()) for unit in range(len(CURRENCIES)))

    def _assets(self) -> Int64:
        table = self.instructions.table
        return np.stack([table["asset"][self.numbers], table["against"][self.numbers]], axis=1).astype(np.int64)

    def _waits(self) -> Bools:
        """Return which instructions wait for an earlier one, or for a member of their group that is not ready."""
        blocked = np.zeros(self.numbers.size, np.bool_)
        if self._short_groups.size:
            blocked |= np.isin(self._group, self._short_groups)
        if self.links.later.size:
            later = self.links.later
            done = self.instructions.table["status"][self.links.earlier] == SETTLED
            done |= np.isin(self.links.earlier, self.numbers[self.settled])
            blocked |= np.isin(self.numbers, later[~done])
        if blocked.any() and self._group.any():  # a group waits when one of it waits
            blocked |= (self._group > 0) & np.isin(self._group, np.unique(self._group[blocked]))
        return blocked

    def _incomplete_groups(self) -> Int64:
        if not self._group.any():
            return np.zeros(0, np.int64)
        groups, here = np.unique(self._group[self._group > 0], return_counts=True)
        everywhere = np.bincount(self.instructions.table["together"], minlength=int(groups.max()) + 1)[groups]
        incomplete: Int64 = groups[(here != everywhere) | np.isin(groups, self.links.incomplete())]
        return incomplete

    def _pass(self, trying: Bools) -> None:
        """Try each in order; instructions that settle alone go to the ledger in stretches, the others one by one."""
        order = self._order[trying[self._order]]
        start = 0
        for place in np.flatnonzero((self._group[order] > 0) | self._reserved[order]).tolist():
            self._book_alone(order[start:place])
            group = int(self._group[order[place]])
            self._book_together(np.flatnonzero(self._group == group) if group else order[place : place + 1])
            start = place + 1
        self._book_alone(order[start:])

    def _book_alone(self, places: Int64) -> None:
        if not places.size:
            return
        moves = self.legs.moves[places]
        linked = np.stack([moves[:, 1], np.zeros(places.size, np.bool_)], axis=1)[moves]
        debit, credit, amount = self.legs.chosen(places)
        result = self.ledger.post(debit, credit, amount, linked)
        owner = np.stack([np.arange(places.size)] * 2, axis=1)[moves]
        booked = np.ones(places.size, np.bool_)
        booked[owner[result != 0]] = False
        self.settled[places[booked]] = True
        blocking = np.full(places.size, -1, np.int64)
        short = result == INSUFFICIENT
        blocking[owner[short]] = debit[short]
        self.blocked_on[places[~booked]] = blocking[~booked]

    def _book_together(self, places: Int64) -> None:
        """Book a group, or one with reservations, at one instant; what is reserved for it counts as available."""
        if self.settled[places].any():
            return
        reserved = self._reservations.of(self.numbers[places])
        self._reservations.free(self.ledger, reserved)
        short = self.ledger.post_together(*self.legs.chosen(places))
        if short is None:
            self.settled[places] = True
            self._reservations.end(reserved, USED, self._day)
        else:
            self._reservations.put_back(self.ledger, reserved)
            self.blocked_on[places] = short
