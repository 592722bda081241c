"""One settlement of gross instructions, from cheap to dear: one by one, with credit, in parts.

Whole first; then credit for who is short of money; then, in a window, parts for who is short of securities (T2S UDFS
R2026.JUN, 1.6.1.9.3: a part is tried only when the whole has failed). Whatever a stage settles wakes what waited on it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tsingma.basics.money import CURRENCIES
from tsingma.ledger.ledger import Ledger
from tsingma.settlement.auto_collateral import Lender, Lent
from tsingma.settlement.instruction import FAILING, MATCHED, ON_HOLD
from tsingma.settlement.parts import Parts, settle_parts, settle_released
from tsingma.settlement.recycling import Attempt, ready, recycle
from tsingma.settlement.rules import Rules
from tsingma.settlement.state import SettlementState
from tsingma.settlement.values import Values

Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Now:
    """What settling decides with besides the state: ledger, day, values, rules, the settlement bank's account."""

    ledger: Ledger
    day: int
    values: Values
    rules: Rules
    bank: int

    def lender(self, state: SettlementState) -> Lender:
        """Return who lends against securities."""
        return Lender(state.credit_lines, state.loans, self.values, self.rules, self.bank, self.day)


@dataclass(slots=True)
class Outcome:
    """Sums over the stages of one settlement."""

    settled: int = 0
    units: int = 0
    cents: tuple[int, ...] = (0,) * len(CURRENCIES)
    passes: int = 0
    open: int = 0
    with_credit: int = 0
    parts: int = 0

    def figures(self) -> dict[str, int]:
        """Return the figures by name, for the event."""
        figures = {
            "settled": self.settled,
            "shares": self.units,
            "passes": self.passes,
            "open": self.open,
            "with_credit": self.with_credit,
            "parts": self.parts,
        }
        for currency, cents in zip(CURRENCIES, self.cents, strict=True):
            figures[f"settled_{currency}_cents"] = cents
        return figures

    def take(self, attempt: Attempt) -> None:
        """Add an attempt."""
        self.settled += attempt.settled
        self.units += attempt.shares
        self.passes += attempt.passes
        self.cents = _sum(self.cents, attempt.amount_cents)

    def take_lent(self, lent: Lent) -> None:
        """Add what settled with credit."""
        self.settled += lent.settled
        self.with_credit += lent.settled
        self.units += lent.units
        self.cents = _sum(self.cents, lent.cents)

    def take_parts(self, parts: Parts) -> None:
        """Add what settled in parts; an instruction whose last part it was is settled."""
        self.settled += parts.completed
        self.parts += parts.parts
        self.units += parts.units
        self.cents = _sum(self.cents, parts.amount_cents)


def settle(
    state: SettlementState, now: Now, markets: tuple[int, ...], kinds: tuple[int, ...] = (), *, window: bool = False
) -> Outcome:
    """Settle whatever is ready of the markets and (if any) kinds; with ``window``, in parts as well."""
    outcome = Outcome()

    def candidates() -> Int64:
        return ready(state.instructions, now.day, markets, kinds)

    outcome.take(_recycle(state, now, candidates()))
    _with_credit(state, now, candidates, outcome)
    if window:
        numbers = candidates()
        outcome.take_parts(
            settle_parts(state.instructions, state.links, now.ledger, now.values, now.rules, now.day, numbers)
        )
        _released(state, now, np.flatnonzero(_of(state, markets, kinds)).astype(np.int64), outcome, window=True)
        if outcome.parts:
            outcome.take(_recycle(state, now, candidates()))
            _with_credit(state, now, candidates, outcome)
    outcome.open = int(candidates().size)
    return outcome


def settle_woken(
    state: SettlementState, now: Now, kinds: tuple[int, ...], numbers: Int64, credited: Int64, markets: tuple[int, ...]
) -> Outcome:
    """Settle at once what has just become ready (``numbers``) or waited on ledger rows that were just credited.

    Only these and what they wake are tried, so that a day of single events does not go through the whole queue.
    """
    outcome, lender = Outcome(), now.lender(state)
    chosen = numbers
    while True:
        may = ready(state.instructions, now.day, markets, kinds)
        woken = may[np.isin(state.instructions.table["blocked_on"][may], credited) | np.isin(may, chosen)]
        if not woken.size:
            break
        attempt = _recycle(state, now, _with_groups(state, woken, may))
        lent = lender.lend(state.instructions, state.links, now.ledger, woken[_waits(state, woken)])
        outcome.take(attempt)
        outcome.take_lent(lent)
        if not attempt.settled and not lent.settled:
            break
        credited = np.concatenate([attempt.credited, np.array(lent.credited, np.int64)])
        chosen = state.links.later[np.isin(state.links.earlier, woken)]
    _released(state, now, numbers, outcome, window=False)
    return outcome


def _waits(state: SettlementState, numbers: Int64) -> npt.NDArray[np.bool_]:
    return np.isin(state.instructions.table["status"][numbers], (MATCHED, FAILING))


def _recycle(state: SettlementState, now: Now, numbers: Int64) -> Attempt:
    return recycle(state.instructions, state.links, now.ledger, now.day, numbers, state.reservations)


def _with_groups(state: SettlementState, woken: Int64, may: Int64) -> Int64:
    """Return the woken instructions with all others of their groups that are ready."""
    together = state.instructions.table["together"]
    groups = np.unique(together[woken])
    return may[np.isin(may, woken) | ((together[may] > 0) & np.isin(together[may], groups))]


def _with_credit(state: SettlementState, now: Now, candidates: Callable[[], Int64], outcome: Outcome) -> None:
    """Lend, settle, and recycle what that woke, until nothing more settles."""
    lender = now.lender(state)
    while True:
        lent = lender.lend(state.instructions, state.links, now.ledger, candidates())
        if not lent.settled:
            return
        outcome.take_lent(lent)
        outcome.take(_recycle(state, now, candidates()))


def _released(state: SettlementState, now: Now, numbers: Int64, outcome: Outcome, *, window: bool) -> None:
    outcome.take_parts(
        settle_released(
            state.instructions, state.links, now.ledger, now.values, now.rules, now.day, numbers, window=window
        )
    )


def _of(state: SettlementState, markets: tuple[int, ...], kinds: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    table = state.instructions.table
    held: npt.NDArray[np.bool_] = (table["status"] == ON_HOLD) & np.isin(table["market"], markets)
    return held & np.isin(table["kind"], kinds) if kinds else held


def _sum(left: tuple[int, ...], right: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(a + b for a, b in zip(left, right, strict=True))
