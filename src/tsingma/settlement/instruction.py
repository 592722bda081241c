"""Gross instructions: isolated trades and bonds, delivered against payment one by one, both legs or neither.

What cannot settle waits on the ledger row that was short; it is tried again when something is credited to that row
(recycling by wake-up index). The global optimiser will propose sets of instructions at the seam of ``attempt``:
whatever is proposed, only the ledger books.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import InvariantBroken, RejectionReason, refuse
from tsingma.kernels.postings import INSUFFICIENT
from tsingma.ledger.ledger import Ledger

Int64 = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

STATUSES: tuple[str, ...] = ("matched", "on-hold", "settled", "failing", "cancelled")
MATCHED, ON_HOLD, SETTLED, FAILING, CANCELLED = range(len(STATUSES))

# from -> to; a trade of the exchange arrives matched. Settled and cancelled are final (design, invariant 8).
LEGAL: frozenset[tuple[int, int]] = frozenset(
    {
        (MATCHED, ON_HOLD),
        (MATCHED, SETTLED),
        (MATCHED, FAILING),
        (MATCHED, CANCELLED),
        (ON_HOLD, MATCHED),
        (ON_HOLD, CANCELLED),
        (FAILING, SETTLED),
        (FAILING, ON_HOLD),
        (FAILING, CANCELLED),
    }
)
COLUMNS = (
    "reference",
    "deliverer",
    "receiver",
    "security",
    "market",
    "currency",
    "quantity",
    "amount_cents",
    "intended_day",
    "status",
)


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one attempt did: instructions settled, their shares and cents per currency, passes, still open."""

    settled: int
    shares: int
    amount_cents: tuple[int, ...]
    passes: int
    open: int

    def figures(self) -> dict[str, int]:
        """Return the figures by name, for the event."""
        figures = {"settled": self.settled, "shares": self.shares, "passes": self.passes, "open": self.open}
        for currency, cents in zip(CURRENCIES, self.amount_cents, strict=True):
            figures[f"settled_{currency}_cents"] = cents
        return figures


@dataclass(slots=True)
class Instructions:
    """Instructions as columns i8; an instruction's number is its place. ``reference`` is the trade id."""

    table: dict[str, Int64] = field(default_factory=lambda: {name: np.zeros(0, np.int64) for name in COLUMNS})

    def __len__(self) -> int:
        """Return the number of instructions."""
        return int(self.table["status"].size)

    def add(self, **columns: npt.NDArray[np.signedinteger]) -> None:
        """Append matched instructions; one array per column except ``status``."""
        count = columns["quantity"].size
        fresh = {**columns, "status": np.full(count, MATCHED, np.int64)}
        self.table = {name: np.concatenate([self.table[name], fresh[name].astype(np.int64)]) for name in COLUMNS}

    def change(self, chosen: Int64, status: int) -> None:
        """Move instructions to a status; raises InvariantBroken for a transition that is not legal."""
        now = self.table["status"][chosen]
        for before in np.unique(now).tolist():
            if (before, status) not in LEGAL:
                raise InvariantBroken(f"an instruction cannot go from {STATUSES[before]} to {STATUSES[status]}")
        self.table["status"][chosen] = status

    def act(self, number: int, action: str, accounts: Int64) -> str:
        """Hold, release or cancel on behalf of the owner of ``accounts``; returns the new status.

        Raises Rejected: unknown number or action, not-allowed when the instruction is not the caller's or its status
        does not permit the action.
        """
        targets = {"hold": ON_HOLD, "release": MATCHED, "cancel": CANCELLED}
        if action not in targets:
            raise refuse(
                RejectionReason.UNKNOWN, f"no action '{action}'", field="action", remedy="hold, release or cancel"
            )
        if not 0 <= number < len(self):
            raise refuse(RejectionReason.UNKNOWN, f"there is no instruction {number}", field="instruction")
        parties = (self.table["deliverer"][number], self.table["receiver"][number])
        if not np.isin(parties, accounts).any():
            raise refuse(RejectionReason.NOT_ALLOWED, "the instruction belongs to others", subject=str(number))
        before = int(self.table["status"][number])
        if (before, targets[action]) not in LEGAL:
            raise refuse(
                RejectionReason.NOT_ALLOWED,
                f"cannot {action} an instruction that is {STATUSES[before]}",
                subject=str(number),
            )
        self.change(np.array([number], np.int64), targets[action])
        return STATUSES[targets[action]]

    def attempt(self, ledger: Ledger, day: int, markets: tuple[int, ...]) -> Attempt:
        """Settle what can be settled of the markets' instructions intended for ``day`` or before, in order of entry."""
        table = self.table
        waiting = np.isin(table["status"], (MATCHED, FAILING)) & (table["intended_day"] <= day)
        ready = np.flatnonzero(waiting & np.isin(table["market"], markets))
        legs = _Legs.of(self, ledger, ready)
        trying = np.ones(ready.size, np.bool_)
        settled = np.zeros(ready.size, np.bool_)
        passes = 0
        while trying.any():
            passes += 1
            booked, blocking = legs.book(ledger, np.flatnonzero(trying))
            settled[np.flatnonzero(trying)[booked]] = True
            legs.blocked_on[np.flatnonzero(trying)[~booked]] = blocking[~booked]
            credited = legs.credited(np.flatnonzero(trying)[booked])
            trying = ~settled & np.isin(legs.blocked_on, credited)
        self.change(ready[settled], SETTLED)
        done = ready[settled]
        return Attempt(
            settled=int(settled.sum()),
            shares=int(table["quantity"][done].sum()),
            amount_cents=tuple(
                int(table["amount_cents"][done][table["currency"][done] == unit].sum())
                for unit in range(len(CURRENCIES))
            ),
            passes=passes,
            open=int((~settled).sum()),
        )

    def mark_failing(self, day: int) -> int:
        """Mark what was intended for ``day`` or before and is not settled as failing; returns how many are new."""
        late = (self.table["status"] == MATCHED) & (self.table["intended_day"] <= day)
        self.change(np.flatnonzero(late), FAILING)
        return int(late.sum())

    def counts(self) -> dict[str, int]:
        """Return the number of instructions per status."""
        numbers = np.bincount(self.table["status"], minlength=len(STATUSES))
        return dict(zip(STATUSES, numbers.tolist(), strict=True))

    def dump(self) -> dict[str, bytes]:
        """Return the columns as named byte strings."""
        return {name: np.ascontiguousarray(column).tobytes() for name, column in self.table.items()}

    def load(self, parts: dict[str, bytes]) -> None:
        """Take back a dump."""
        self.table = {name: np.frombuffer(parts[name], np.int64).copy() for name in COLUMNS}


@dataclass(slots=True)
class _Legs:
    """The two ledger transfers of each ready instruction, and the row that blocked it last."""

    stock_from: Int64
    stock_to: Int64
    money_from: Int64
    money_to: Int64
    quantity: Int64
    amount: Int64
    blocked_on: Int64

    @classmethod
    def of(cls, instructions: Instructions, ledger: Ledger, ready: Int64) -> _Legs:
        column = {name: values[ready] for name, values in instructions.table.items()}
        stock = (column["security"] + len(CURRENCIES)).astype(np.int32)
        money = column["currency"].astype(np.int32)
        deliverer, receiver = column["deliverer"].astype(np.int32), column["receiver"].astype(np.int32)
        return cls(
            ledger.rows(deliverer, stock),
            ledger.rows(receiver, stock),
            ledger.rows(receiver, money),
            ledger.rows(deliverer, money),
            column["quantity"],
            column["amount_cents"],
            np.full(ready.size, -1, np.int64),
        )

    def book(self, ledger: Ledger, chosen: Int64) -> tuple[Bools, Int64]:
        """Try each chosen instruction; returns which were booked and, for the others, the row that was short.

        A leg within one account (a cross trade) or without an amount moves nothing and is left out.
        """
        stock = self.stock_from[chosen] != self.stock_to[chosen]
        money = (self.money_from[chosen] != self.money_to[chosen]) & (self.amount[chosen] > 0)
        both = np.stack([stock, money], axis=1)
        debit = np.stack([self.stock_from[chosen], self.money_from[chosen]], axis=1)[both]
        credit = np.stack([self.stock_to[chosen], self.money_to[chosen]], axis=1)[both]
        amount = np.stack([self.quantity[chosen], self.amount[chosen]], axis=1)[both]
        linked = np.stack([money, np.zeros_like(money)], axis=1)[both]
        result = ledger.post(debit, credit, amount, linked)
        owner = np.stack([np.arange(chosen.size)] * 2, axis=1)[both]
        booked = np.ones(chosen.size, np.bool_)
        booked[owner[result != 0]] = False
        blocking = np.full(chosen.size, -1, np.int64)
        short = result == INSUFFICIENT
        blocking[owner[short]] = debit[short]
        return booked, blocking

    def credited(self, chosen: Int64) -> Int64:
        """Return the rows that the chosen instructions brought something to."""
        return np.concatenate([self.stock_to[chosen], self.money_to[chosen]])
