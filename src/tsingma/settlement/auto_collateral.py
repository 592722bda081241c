"""Credit that comes by itself when a buyer is short of money, against what it buys or has, and goes by itself at night.

The lender is the settlement bank. Securities bought in the same transaction are taken first (on flow), then those in
stock; all are valued after a haircut and pledged while the credit stands. At the end of the day credit is repaid from
the money that is there and what was pledged is free again; a loan that cannot be repaid stays, with its pledge.
Sources: ECB, T2S Special Series 2 (October 2012: on flow, on stock, free of interest, reimbursed at the end of day);
Bundesbank, fact sheet on auto-collateralisation; posttrade.md A5 and D1, 9 (credit never above the pledged value).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import InvariantBroken
from tsingma.ledger.ledger import Ledger
from tsingma.settlement.credit import CreditLines
from tsingma.settlement.growing import Growing
from tsingma.settlement.instruction import DVP, LACK_OF_CASH, SETTLED, Instructions
from tsingma.settlement.links import Links
from tsingma.settlement.recycling import Legs, legs_of
from tsingma.settlement.rules import RATE_SCALE_E6, Rules
from tsingma.settlement.values import Values

Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Repaid:
    """What the end of a day did to loans: repaid and left, in number and cents (over currencies)."""

    loans: int
    cents: int
    left: int
    left_cents: int


class Loans(Growing):
    """Loans as columns; ``repaid_day`` is 0 while a loan stands. ``pledges`` are its securities, one a row."""

    def __init__(self) -> None:
        """Start without loans."""
        types = {"account": "i4", "currency": "i4", "cents": "i8", "day": "i4", "repaid_day": "i4", "instruction": "i4"}
        super().__init__(types, subject="loans")
        self.pledges = Growing({"loan": "i4", "security": "i4", "quantity": "i8"}, subject="pledges")

    def drawn(self, account: int, currency: int) -> int:
        """Return the cents an account has drawn and not repaid."""
        mine = (self.table["account"] == account) & (self.table["currency"] == currency)
        return int(self.table["cents"][mine & (self.table["repaid_day"] == 0)].sum())

    def repay(self, ledger: Ledger, bank: int, day: int) -> Repaid:
        """Repay every loan its account has the money for, oldest first, and free what was pledged for it."""
        table = self.table
        due = np.flatnonzero(table["repaid_day"] == 0)
        debit = ledger.rows(table["account"][due], table["currency"][due])
        credit = ledger.rows(np.full(due.size, bank, np.int32), table["currency"][due])
        paid = ledger.post(debit, credit, table["cents"][due].astype(np.int64)) == 0
        done = due[paid]
        pledges = np.flatnonzero(np.isin(self.pledges.table["loan"], done))
        self._unpledge(ledger, pledges)
        table["repaid_day"][done] = day
        left = table["cents"][due[~paid]]
        return Repaid(int(paid.sum()), int(table["cents"][done].sum()), int(left.size), int(left.sum()))

    def pledged(self) -> dict[tuple[int, int], int]:
        """Return what stands pledged for loans, by (account, security)."""
        total: dict[tuple[int, int], int] = {}
        open_loans = self.table["repaid_day"] == 0
        rows = self.pledges.table
        for loan, security, quantity in zip(*(rows[name].tolist() for name in rows), strict=True):
            if open_loans[loan]:
                key = (int(self.table["account"][loan]), security)
                total[key] = total.get(key, 0) + quantity
        return total

    def dump(self) -> dict[str, bytes]:
        """Return the columns as named byte strings."""
        return {**super().dump(), **{f"pledges_{name}": part for name, part in self.pledges.dump().items()}}

    def load(self, parts: dict[str, bytes]) -> None:  # type: ignore[override]  # one dictionary type for all rooms
        """Take back a dump."""
        super().load(parts)
        self.pledges.load({name.removeprefix("pledges_"): part for name, part in parts.items()})

    def _unpledge(self, ledger: Ledger, pledges: Int64) -> None:
        rows = self.pledges.table
        owner = self.table["account"][rows["loan"][pledges]]
        place = ledger.rows(owner, (rows["security"][pledges] + len(CURRENCIES)).astype(np.int32))
        if ledger.unpledge(place, rows["quantity"][pledges].astype(np.int64)).any():
            raise InvariantBroken("what was pledged for a loan is not pledged in the books")


@dataclass(slots=True)
class Lent:
    """What settled with credit: instructions, units of securities, cents per currency, ledger rows credited."""

    settled: int = 0
    units: int = 0
    cents: tuple[int, ...] = (0,) * len(CURRENCIES)
    credited: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Loan:
    """Credit for what settles at one instant: who draws it, cents, the row it goes to, what is pledged for it."""

    account: int
    currency: int
    cents: int
    row: int
    instruction: int  # the first it pays for
    pledges: tuple[tuple[int, int], ...]  # (security, quantity)


def end_of(ledger: Ledger, legs: Legs) -> Int64:
    """Return what every row would have available if these legs were booked at one instant.

    Nothing, and not less, where a row that does not fall is below its floor already: that holds no booking up.
    """
    change = np.zeros(ledger.count, np.int64)
    np.subtract.at(change, legs.debit[legs.moves], legs.amount[legs.moves])
    np.add.at(change, legs.credit[legs.moves], legs.amount[legs.moves])
    end = ledger.available(np.arange(ledger.count)) + change
    return np.where(change < 0, end, np.maximum(end, 0))


@dataclass(slots=True)
class Lender:
    """Everything auto-collateral decides with: lines, loans so far, what securities are worth, the lender's account."""

    lines: CreditLines
    loans: Loans
    values: Values
    rules: Rules
    bank: int
    day: int

    def lend(self, instructions: Instructions, links: Links, ledger: Ledger, numbers: Int64) -> Lent:
        """Settle with credit what only lacks money and whose buyer has a line."""
        lent = Lent()
        if not self.lines.table["collateral_cents"].any():
            return lent
        table = instructions.table
        alone = numbers[(table["reason"][numbers] == LACK_OF_CASH) & (table["together"][numbers] == 0)]
        alone = alone[(table["kind"][alone] == DVP) & ~np.isin(alone, links.waiting(instructions))]
        alone = alone[np.isin(table["receiver"][alone], self.lines.table["account"])]
        order = np.lexsort((alone, table["priority"][alone]))
        for number in alone[order].tolist():
            legs = self._lend_for(instructions, ledger, number)
            if legs is None:
                continue
            currency = int(table["currency"][number])
            lent.settled += 1
            lent.units += int(legs.amount[0, 0])
            lent.cents = tuple(
                cents + int(legs.amount[0, 1]) * (unit == currency) for unit, cents in enumerate(lent.cents)
            )
            lent.credited += legs.credit[0].tolist()
        return lent

    def loans_for(self, instructions: Instructions, ledger: Ledger, numbers: Int64, legs: Legs) -> list[Loan]:
        """Return the credit that covers what accounts would lack if these legs were booked at one instant.

        Only the balances after all of them count, also of what is pledged: what an account buys against payment first,
        then what else it has then. Credit is no more than what is bought with it; an account whose lack is not covered
        gets none. ``legs`` are those of ``numbers``. Nothing is booked.
        """
        if not self.lines.table["collateral_cents"].any():
            return []
        end = end_of(ledger, legs)
        used: dict[int, int] = {}  # of what an account will have: pledged for its loan in another currency
        found: list[Loan] = []
        for line, row in self._short_lines(ledger, end):
            loan = self._loan(instructions, ledger, numbers, legs, end, line, row, used)
            if loan is not None:
                found.append(loan)
        return found

    def lacks(self, instructions: Instructions, ledger: Ledger, numbers: Int64, legs: Legs) -> dict[int, int]:
        """Return what each row lacks, credit drawn, if these legs were booked at one instant, by row; none of nothing.

        With that much more on every row the books lend the rest, and the legs can be booked.
        """
        end = end_of(ledger, legs)
        lack = {row: -int(end[row]) for row in np.flatnonzero(end < 0).tolist()}
        used: dict[int, int] = {}
        for line, row in self._short_lines(ledger, end):
            low, high, short = -1, lack[row], int(end[row])  # more by ``high`` is enough, by ``low`` is not
            while high - low > 1:
                middle = (low + high) // 2
                end[row] = short + middle
                lent = self._loan(instructions, ledger, numbers, legs, end, line, row, dict(used))
                low, high = (low, middle) if lent is not None else (middle, high)
            end[row] = short + high
            if end[row] < 0:
                self._loan(instructions, ledger, numbers, legs, end, line, row, used)
            lack[row] = high
        return {row: amount for row, amount in lack.items() if amount}

    def _short_lines(self, ledger: Ledger, end: Int64) -> list[tuple[int, int]]:
        """Return (line, row) of the lines whose money would end below what is available."""
        table = self.lines.table
        rows = ledger.find_all(table["account"], table["currency"]).tolist()
        lines = np.flatnonzero(table["collateral_cents"]).tolist()
        return [(line, rows[line]) for line in lines if rows[line] >= 0 and end[rows[line]] < 0]

    def grant(self, ledger: Ledger, loans: list[Loan]) -> None:
        """Note loans whose money is booked, and pledge for them; raises InvariantBroken when that is not there."""
        for loan in loans:
            self._pledge(ledger, loan.instruction, loan.account, loan.currency, loan.cents, list(loan.pledges))

    def _loan(
        self, instructions: Instructions, ledger: Ledger, numbers: Int64, legs: Legs, end: Int64, line: int, row: int,
        used: dict[int, int],
    ) -> Loan | None:  # fmt: skip
        table = instructions.table
        account, currency = int(self.lines.table["account"][line]), int(self.lines.table["currency"][line])
        mine = (table["kind"][numbers] == DVP) & (table["receiver"][numbers] == account) & legs.moves[:, 1]
        mine &= table["currency"][numbers] == currency
        needed = -int(end[row])
        if needed > int(legs.amount[mine, 1].sum()):
            return None
        if self.loans.drawn(account, currency) + needed > int(self.lines.table["collateral_cents"][line]):
            return None
        stock = np.flatnonzero((ledger.owner == account) & (ledger.asset >= len(CURRENCIES)))
        stock = stock[np.argsort(ledger.asset[stock], kind="stable")].tolist()
        free = {place: max(int(end[place]) - used.get(place, 0), 0) for place in stock}
        bought = dict.fromkeys(stock, 0)
        for place, quantity in zip(legs.credit[mine, 0].tolist(), legs.amount[mine, 0].tolist(), strict=True):
            if place in bought:
                bought[place] += quantity
        on_flow = [(place, min(bought[place], free[place])) for place in stock if bought[place]]
        on_stock = [(place, free[place] - min(bought[place], free[place])) for place in stock]
        there = [(place, quantity) for place, quantity in (*on_flow, *on_stock) if quantity]
        securities = [(int(ledger.asset[place]) - len(CURRENCIES), quantity) for place, quantity in there]
        pledges = self._cover(currency, needed, securities)
        if pledges is None:
            return None
        for security, quantity in pledges:
            place = ledger.find(account, security + len(CURRENCIES))
            used[place] = used.get(place, 0) + quantity
        return Loan(account, currency, needed, row, int(numbers[np.flatnonzero(mine)[0]]), tuple(pledges))

    def _lend_for(self, instructions: Instructions, ledger: Ledger, number: int) -> Legs | None:
        one = np.array([number], np.int64)
        legs = legs_of(instructions, ledger, one)
        table = instructions.table
        buyer, currency = int(table["receiver"][number]), int(table["currency"][number])
        money = int(legs.debit[0, 1])
        needed = int(legs.amount[0, 1]) - int(ledger.available(legs.debit[0, 1:])[0])
        line = self.lines.find(buyer, currency)
        if line < 0 or not legs.moves[0].all() or needed <= 0:
            return None
        if self.loans.drawn(buyer, currency) + needed > int(self.lines.table["collateral_cents"][line]):
            return None
        bought = (int(table["security"][number]), int(legs.amount[0, 0]))
        pledges = self._collateral(ledger, buyer, currency, needed, bought)
        if pledges is None:
            return None
        bank = ledger.row(self.bank, currency)
        debit = np.array([bank, legs.debit[0, 0], money], np.int64)
        credit = np.array([money, legs.credit[0, 0], legs.credit[0, 1]], np.int64)
        amount = np.array([needed, legs.amount[0, 0], legs.amount[0, 1]], np.int64)
        if ledger.post_all(debit, credit, amount) is not None:
            return None
        self._pledge(ledger, number, buyer, currency, needed, pledges)
        table["settled_day"][number] = self.day
        instructions.change(one, SETTLED)
        return legs

    def _collateral(
        self, ledger: Ledger, buyer: int, currency: int, needed: int, bought: tuple[int, int]
    ) -> list[tuple[int, int]] | None:
        """Return the securities that cover ``needed`` cents, what is bought first; None when there is not enough."""
        stock = [(asset - len(CURRENCIES), free) for asset, free in self._free(ledger, buyer)]
        return self._cover(currency, needed, [bought, *stock])

    def share_e6(self, security: int) -> int:
        """Return what is left of a security's value after its haircut."""
        return RATE_SCALE_E6 - int(self.rules.haircut_e6[int(self.values.kind[security])])

    def _cover(self, currency: int, needed: int, securities: list[tuple[int, int]]) -> list[tuple[int, int]] | None:
        """Return what of the securities, in their order, covers ``needed`` cents; None when there is not enough."""
        chosen: list[tuple[int, int]] = []
        for security, there in securities:
            share = self.share_e6(security)
            wanted = self.values.quantity_worth(security, needed, currency, share)
            if wanted is None or not there:
                continue
            quantity = min(wanted, there)
            worth = self.values.cents(security, quantity, currency) or 0
            needed -= worth * share // RATE_SCALE_E6
            chosen.append((security, quantity))
            if needed <= 0:
                return chosen
        return None

    def _free(self, ledger: Ledger, account: int) -> list[tuple[int, int]]:
        rows = np.flatnonzero((ledger.owner == account) & (ledger.asset >= len(CURRENCIES))).astype(np.int64)
        rows = rows[np.argsort(ledger.asset[rows], kind="stable")]
        return list(zip(ledger.asset[rows].tolist(), ledger.available(rows).tolist(), strict=True))

    def _pledge(
        self, ledger: Ledger, number: int, buyer: int, currency: int, cents: int, pledges: list[tuple[int, int]]
    ) -> None:
        values = {"account": buyer, "currency": currency, "cents": cents, "day": self.day, "instruction": number}
        loan = int(self.loans.append(1, values)[0])
        for security, quantity in pledges:
            self.loans.pledges.append(1, {"loan": loan, "security": security, "quantity": quantity})
            row = np.array([ledger.row(buyer, security + len(CURRENCIES))], np.int64)
            if ledger.pledge(row, np.array([quantity], np.int64))[0]:
                raise InvariantBroken("securities counted as collateral could not be pledged")
