"""Settling many gross instructions at one instant: what an optimiser proposed, verified in integers and booked or not.

Only the balances after all of them count (technical netting over gross bookings: T2S, delivery versus payment model 1
with continuous optimisation, feasibility annex on the settlement engine). Holds and pledges stay untouchable, no row
ends below its floor, and the set settles whole or not at all, whoever proposed it. A buyer short of money draws credit
against what it then has where it has a line; in a window some of the set may settle in part, by the rules of parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import Rejected, RejectionReason, refuse
from tsingma.ledger.ledger import Ledger
from tsingma.reference.markets import EVERY_MARKET
from tsingma.settlement.auto_collateral import Lender, Loan, end_of
from tsingma.settlement.instruction import LACK_OF_SECURITIES, SETTLED, STATUSES, Instructions
from tsingma.settlement.links import Links
from tsingma.settlement.parts import divisible, is_worth_it, take_off
from tsingma.settlement.recycling import Legs, legs_of, ready
from tsingma.settlement.reservation import USED
from tsingma.settlement.settling import Now
from tsingma.settlement.state import SettlementState

Int64 = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def _nobody() -> Int64:
    return np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """What is to settle at one instant: numbers that rise, whole; numbers that rise and units of them, in part."""

    whole: Int64
    part: Int64 = field(default_factory=_nobody)
    units: Int64 = field(default_factory=_nobody)

    @property
    def numbers(self) -> Int64:
        """Return the whole ones, then those in part."""
        return np.concatenate([self.whole, self.part])

    def legs(self, instructions: Instructions, ledger: Ledger) -> Legs:
        """Return the legs of ``numbers``; opens missing ledger rows."""
        legs = legs_of(instructions, ledger, self.whole)
        if not self.part.size:
            return legs
        more = legs_of(instructions, ledger, self.part, self.units)
        return Legs(*(np.concatenate([getattr(legs, name), getattr(more, name)])
                      for name in ("debit", "credit", "amount", "moves")))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Together:
    """What settled at one instant: instructions whole, shares, cents per currency; parts, loans, cents lent."""

    settled: int
    shares: int
    amount_cents: tuple[int, ...]
    parts: int
    loans: int
    lent_cents: tuple[int, ...]


def settle_together(
    state: SettlementState, now: Now, kinds: tuple[int, ...], chosen: Chosen, *, window: bool
) -> Together:
    """Settle what is chosen at one instant; all of it, or Rejected and nothing.

    What is reserved for one of them is available to it, and used up when it settles whole. Raises Rejected: malformed
    (not rising), unknown (no such instruction), not-allowed (not to be settled now, being none of the ``kinds`` or
    parted from what it is linked to; in part outside a ``window``, or where the rules of parts forbid it), insufficient
    (naming the row that would end below its floor).
    """
    instructions = state.instructions
    for numbers in (chosen.whole, chosen.part):
        if numbers.size and (np.diff(numbers) <= 0).any():
            raise refuse(RejectionReason.MALFORMED, "the numbers of the instructions do not rise", field="instruction")
        if numbers.size and not 0 <= int(numbers[0]) <= int(numbers[-1]) < len(instructions):
            raise refuse(RejectionReason.UNKNOWN, f"there are {len(instructions)} instructions", field="instruction")
    picked = np.zeros(len(instructions), np.bool_)
    picked[chosen.numbers] = True
    _require_ready(instructions, now.day, kinds, picked)
    _require_parts(state, now, chosen, window=window)
    picked[chosen.part] = False
    _require_links(instructions, state.links, picked)
    legs, loans = _book(state, now, chosen)
    instructions.table["settled_day"][chosen.whole] = now.day
    instructions.change(chosen.whole, SETTLED)
    for number, part in zip(chosen.part.tolist(), chosen.units.tolist(), strict=True):
        take_off(instructions, number, part, now.day)
    assets = np.stack([instructions.table[name][chosen.numbers] for name in ("asset", "against")], axis=1)
    return Together(
        settled=int(chosen.whole.size),
        shares=int(legs.amount[assets >= len(CURRENCIES)].sum()),
        amount_cents=tuple(int(legs.amount[assets == unit].sum()) for unit in range(len(CURRENCIES))),
        parts=int(chosen.part.size),
        loans=len(loans),
        lent_cents=tuple(sum(one.cents for one in loans if one.currency == unit) for unit in range(len(CURRENCIES))),
    )


def uncovered_lines(state: SettlementState, now: Now, chosen: Chosen) -> frozenset[int]:
    """Return the credit lines of accounts that would be short of money after all, by the rule that books.

    An optimiser reckons collateral in parts of cents, the books pledge whole units for whole cents: rarely, at the
    edge, the books do not lend what was proposed. Nothing is booked here.
    """
    rows, ledger, table = now.ledger.count, now.ledger, state.credit_lines.table
    if not table["collateral_cents"].any():
        return frozenset()
    legs = chosen.legs(state.instructions, ledger)
    lent = {loan.row for loan in now.lender(state).loans_for(state.instructions, ledger, chosen.numbers, legs)}
    end = end_of(ledger, legs)
    money = ledger.find_all(table["account"], table["currency"]).tolist()
    ledger.close_rows(rows)
    return frozenset(line for line, row in enumerate(money) if row >= 0 and end[row] < 0 and row not in lent)


def _book(state: SettlementState, now: Now, chosen: Chosen) -> tuple[Legs, list[Loan]]:
    """Book the legs of what is chosen and the credit for it, or raise Rejected and leave no trace."""
    ledger, reservations = now.ledger, state.reservations
    rows, reserved = ledger.count, reservations.of(chosen.whole)
    lender = now.lender(state)
    reservations.free(ledger, reserved)
    legs = chosen.legs(state.instructions, ledger)
    try:
        loans = lender.loans_for(state.instructions, ledger, chosen.numbers, legs)
        short = ledger.post_together(*_with_loans(lender, ledger, legs, loans))
        if short is not None:
            owner, asset = int(ledger.owner[short]), int(ledger.asset[short])
            message = f"account {owner} would end below its floor in asset {asset}"
            raise refuse(RejectionReason.INSUFFICIENT, message, field="instruction", remedy="propose again")
    except Rejected:
        reservations.put_back(ledger, reserved)
        ledger.close_rows(rows)
        raise
    reservations.end(reserved, USED, now.day)
    lender.grant(ledger, loans)
    return legs, loans


def _with_loans(lender: Lender, ledger: Ledger, legs: Legs, loans: Sequence[Loan]) -> tuple[Int64, Int64, Int64]:
    """Return debit, credit and amount of all that is booked, loans from the lender's account among it."""
    debit, credit, amount = legs.debit[legs.moves], legs.credit[legs.moves], legs.amount[legs.moves]
    if not loans:
        return debit, credit, amount
    bank = [ledger.row(lender.bank, loan.currency) for loan in loans]
    return (
        np.concatenate([debit, np.array(bank, np.int64)]),
        np.concatenate([credit, np.array([loan.row for loan in loans], np.int64)]),
        np.concatenate([amount, np.array([loan.cents for loan in loans], np.int64)]),
    )


def _require_ready(instructions: Instructions, day: int, kinds: tuple[int, ...], picked: Bools) -> None:
    allowed = np.zeros(picked.size, np.bool_)
    if kinds:
        allowed[ready(instructions, day, EVERY_MARKET, kinds)] = True
    refused = np.flatnonzero(picked & ~allowed)
    if refused.size:
        number = int(refused[0])
        status = STATUSES[int(instructions.table["status"][number])]
        message = (
            f"it is {status}, intended for day {int(instructions.table['intended_day'][number])}, or past its cut-off"
        )
        raise refuse(RejectionReason.NOT_ALLOWED, message, field="instruction", subject=str(number))


def _require_parts(state: SettlementState, now: Now, chosen: Chosen, *, window: bool) -> None:
    """Refuse parts outside a window, and what the rules of parts leave whole or find too small (see ``parts``)."""
    part, units = chosen.part, chosen.units
    if part.size != units.size or np.isin(part, chosen.whole).any():
        message = "every part needs its units, and settles in part or whole"
        raise refuse(RejectionReason.MALFORMED, message, field="part, part_units")
    if not part.size:
        return
    if not window:
        raise refuse(
            RejectionReason.NOT_ALLOWED, "no window for parts is open", field="part", remedy="propose whole ones"
        )
    instructions, table = state.instructions, state.instructions.table
    unit = now.values.unit[np.maximum(table["security"][part], 0)]
    bad = ~divisible(instructions, state.links, part) | (table["reason"][part] != LACK_OF_SECURITIES)
    bad |= (units <= 0) | (units >= table["open_quantity"][part]) | (units % np.maximum(unit, 1) != 0)
    for place in range(part.size):
        if bad[place] or not is_worth_it(instructions, now.values, now.rules, part[[place]], int(units[place])):
            message = f"{int(units[place])} units of it may not settle as a part"
            raise refuse(RejectionReason.NOT_ALLOWED, message, field="part", subject=str(int(part[place])))


def _require_links(instructions: Instructions, links: Links, picked: Bools) -> None:
    """Refuse a set that settles a part of a group, or what comes after something that does not settle."""
    table = instructions.table
    parted = np.zeros(0, np.int64)
    if links.later.size:
        done = picked[links.earlier] | (table["status"][links.earlier] == SETTLED)
        parted = links.later[picked[links.later] & ~done]
    group = table["together"]
    if group.any():
        here = np.zeros(int(group.max()) + 1, np.bool_)
        here[group[picked]] = True
        here[0] = False
        alone = picked & np.isin(group, links.incomplete())  # a pool that still misses a member
        parted = np.concatenate([parted, np.flatnonzero((here[group] & ~picked) | alone)])
    if parted.size:
        message = "it would be parted from an instruction it is linked to"
        raise refuse(RejectionReason.NOT_ALLOWED, message, field="instruction", subject=str(int(parted[0])))
