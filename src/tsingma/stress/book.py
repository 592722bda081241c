"""The house as a stress sees it: who holds what at which house, what covers it, what each can pay. Read only.

Amounts are whole HKD. A line is one thing to revalue (a counter, a series) for a notional of one; a position is a
notional of a line on an account. The book is a snapshot: nothing here leads back to the books it was taken from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import InvariantBroken, RejectionReason, refuse
from tsingma.margin.house.holdings import CONTRACTS, Holding, House
from tsingma.margin.house.revaluation import Moves, unit_profit
from tsingma.stress.rates import RatesNow

Int64 = npt.NDArray[np.int64]
Int32 = npt.NDArray[np.int32]
Float64 = npt.NDArray[np.float64]

HOUSES: tuple[House, ...] = tuple(House)
NOTIONAL_MAX = 2**50  # so that sums of rounded profits are exact in double precision
CELLS_MAX = 40_000_000  # of one block of positions x scenarios


class DueMoney(msgspec.Struct, frozen=True):
    """What participants owe the house for securities: ``amount`` minor units to pay (+) by participant number."""

    day: date
    currency: str
    amount: dict[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class StressBook:
    """Accounts n, houses h, participants p, lines l, positions k.

    ``notional`` int64 [k] is signed whole HKD of a line on an account. ``marked`` int64 [n, h] is what positions have
    gained (+) since they were last paid for: the house owes or is owed it before anything moves. ``margin`` int64 [n,
    h] is what each house has called alone, ``credit`` what one portfolio would give back. ``liquid`` int64 [n] is the
    money free on each account, in HKD after conversion; ``own`` bool [n] marks participants' own accounts, the others
    are their clients'. ``rates`` are the contracts on curves among the lines.
    """

    day: date
    participants: tuple[str, ...]
    accounts: tuple[str, ...]
    account_participant: Int32
    lines: tuple[Holding, ...]
    position_account: Int32
    position_line: Int32
    notional: Int64
    marked: Int64
    margin: Int64
    credit: Int64
    liquid: Int64
    own: npt.NDArray[np.bool_]
    due: tuple[DueMoney, ...] = ()
    rates: RatesNow | None = None

    def __post_init__(self) -> None:
        """Check shapes and ranges; raises Rejected naming the field."""
        n, h, p = len(self.accounts), len(HOUSES), len(self.participants)
        shapes: list[tuple[str, npt.NDArray[np.signedinteger], tuple[int, ...]]] = [
            ("account_participant", self.account_participant, (n,)),
            ("position_line", self.position_line, self.position_account.shape),
            ("notional", self.notional, self.position_account.shape),
            ("marked", self.marked, (n, h)),
            ("margin", self.margin, (n, h)),
            ("credit", self.credit, (n, h)),
            ("liquid", self.liquid, (n,)),
        ]
        for name, values, shape in shapes:
            if values.shape != shape:
                raise refuse(RejectionReason.MALFORMED, f"shape {values.shape}, {shape} expected", field=name)
        for name, values, size in (
            ("account_participant", self.account_participant, p),
            ("position_account", self.position_account, n),
            ("position_line", self.position_line, len(self.lines)),
        ):
            if values.size and not 0 <= int(values.min()) <= int(values.max()) < size:
                raise refuse(RejectionReason.UNKNOWN, f"a number outside 0 to {size - 1}", field=name)
        if self.notional.size and int(np.abs(self.notional).max()) >= NOTIONAL_MAX:
            raise refuse(RejectionReason.OUT_OF_RANGE, "a notional does not fit", field="notional")
        if self.own.shape != (n,):
            raise refuse(RejectionReason.MALFORMED, f"shape {self.own.shape}, {(n,)} expected", field="own")
        if (self.margin < 0).any() or (self.credit < 0).any() or (self.credit > self.margin).any():
            raise refuse(RejectionReason.OUT_OF_RANGE, "margin or credit is negative, or credit above margin")

    @property
    def factors(self) -> tuple[str, ...]:
        """Return the factors that lines depend on, in order of name, without contracts on curves."""
        return tuple(sorted({line.factor for line in self.lines if line.product not in CONTRACTS}))


def with_liquidity(book: StressBook, multiple_e4: int) -> StressBook:
    """Return the book with free money cut to a multiple of margin, in ten-thousandths.

    A client account keeps at most the multiple of its own margin, a participant's own account that of the margin on all
    its accounts: what stands on the books is mostly for purchases, and a simulated house is richer than a real one.
    Raises Rejected (out-of-range) for a negative multiple.
    """
    if multiple_e4 < 0:
        raise refuse(RejectionReason.OUT_OF_RANGE, f"{multiple_e4} is negative", field="multiple_e4")
    margin = book.margin.sum(axis=1)
    total = np.zeros(len(book.participants), np.int64)
    np.add.at(total, book.account_participant, margin)
    ceiling = np.where(book.own, total[book.account_participant], margin) * multiple_e4 // 10_000
    return replace(book, liquid=np.minimum(book.liquid, ceiling))


def profits(book: StressBook, moves: Moves) -> Int64:
    """Return what every account gains (+) at every house, int64 [accounts, houses, scenarios], without ``marked``.

    Each position is rounded to a dollar before it is summed. Raises Rejected (missing) for a factor without moves.
    """
    unit = unit_profits(book.lines, moves)
    n, h, s = len(book.accounts), len(HOUSES), unit.shape[1]
    house = np.array([HOUSES.index(line.house) for line in book.lines], np.int64)
    cell = book.position_account.astype(np.int64) * h + house[book.position_line]
    found = np.zeros((n * h, s), np.int64)
    block = max(CELLS_MAX // max(s, 1), 1)
    for first in range(0, book.notional.size, block):
        part = slice(first, first + block)
        notional, line = book.notional[part].astype(np.float64), book.position_line[part]
        for place in range(s):
            each = np.rint(notional * unit[line, place])
            found[:, place] += np.bincount(cell[part], each, n * h).astype(np.int64)
    return found.reshape(n, h, s)


def profits_by_currency(book: StressBook, moves: Moves) -> dict[str, Int64]:
    """Return what contracts in another money than HKD gain in scenario 0, int64 [accounts, houses] whole HKD by money.

    It is part of :func:`profits`; rounding is the same.
    """
    found: dict[str, Int64] = {}
    for place, line in enumerate(book.lines):
        if line.product not in CONTRACTS or book.rates is None:
            continue
        currency = book.rates.currency(line.factor)
        if currency == "HKD":
            continue
        rows = book.position_line == place
        each = np.rint(book.notional[rows].astype(np.float64) * unit_profits((line,), moves)[0, 0]).astype(np.int64)
        sums = found.setdefault(currency, np.zeros(book.margin.shape, np.int64))
        np.add.at(sums[:, HOUSES.index(line.house)], book.position_account[rows], each)
    return found


def unit_profits(lines: Sequence[Holding], moves: Moves) -> Float64:
    """Return the profit of a notional of one of every line, float64 [lines, scenarios].

    Raises Rejected (missing) for a line without moves.
    """
    scenarios = len(next(iter((*moves.returns.values(), *moves.contracts.values())), ()))
    found = np.zeros((len(lines), scenarios))
    for place, line in enumerate(lines):
        if line.factor not in (moves.contracts if line.product in CONTRACTS else moves.returns):
            message = f"there is no move for '{line.factor}'"
            raise refuse(RejectionReason.MISSING, message, field="factor", subject=f"{line.house} {line.product}")
        found[place] = unit_profit(line, moves)
    if not np.isfinite(found).all():
        raise InvariantBroken("a line has no finite profit")
    return found
