"""Intraday repo: money against eligible paper, up to its value after the haircut, given back by the close.

No daylight overdraft is allowed; a bank gets intraday money by repo of eligible paper, and a repo that is not reversed
before the close becomes overnight borrowing (HKICL, HKD clearing system). The paper is pledged while the repo stands,
the money comes from the settlement institution. Intraday repo is free of interest (HKMA). Paper may also be earmarked:
then a payment that lacks money draws what it lacks by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import InvariantBroken, RejectionReason, refuse
from tsingma.basics.rounding import divide_half_away
from tsingma.ledger.ledger import NO_FLOOR, Ledger
from tsingma.settlement.gross_money.moves import one, pay_at_once
from tsingma.settlement.gross_money.systems import RepoTerms
from tsingma.settlement.growing import Growing
from tsingma.settlement.values import Values

Int64 = npt.NDArray[np.int64]

DAYS_A_YEAR = 365
SCALE_E6 = 1_000_000


@dataclass(frozen=True, slots=True)
class Paper:
    """What repo is judged by on a day: values of securities, haircuts by kind, terms by currency."""

    values: Values
    haircut_e6: Int64
    terms: tuple[RepoTerms, ...]

    def worth(self, security: int, quantity: int, currency: int) -> int:
        """Return the cents a quantity may be lent against, rounded down; 0 for paper that is not eligible."""
        kind = int(self.values.kind[security])
        cents = self.values.cents(security, quantity, currency)
        if cents is None or kind not in self.terms[currency].kinds:
            return 0
        return cents * (SCALE_E6 - int(self.haircut_e6[kind])) // SCALE_E6


EARMARKED = -1  # the security of a repo against whatever its account has earmarked


class Repos(Growing):
    """Repos as columns; ``repaid_day`` is 0 while one stands. ``lines`` is earmarked paper (``ended_day`` likewise)."""

    def __init__(self) -> None:
        """Start without repos."""
        types = {"account": "i4", "currency": "i1", "security": "i4", "quantity": "i8", "cents": "i8", "day": "i4",
                 "repaid_day": "i4", "interest_cents": "i8"}  # fmt: skip
        super().__init__(types, subject="repos")
        self.lines = Growing(
            {"account": "i4", "currency": "i1", "security": "i4", "quantity": "i8", "worth": "i8", "ended_day": "i4"},
            subject="earmarks of paper",
        )

    def draw(
        self, ledger: Ledger, bank: int, paper: Paper, account: int, currency: int, security: int, quantity: int,
        cents: int, day: int,
    ) -> int:  # fmt: skip
        """Pledge paper and lend money against it; returns the repo's number.

        Raises Rejected: out-of-range (amounts), not-allowed (more than the paper is worth), insufficient (no paper).
        """
        if quantity <= 0 or cents <= 0:
            raise refuse(RejectionReason.OUT_OF_RANGE, f"{quantity} against {cents} cents", field="quantity, cents")
        worth = paper.worth(security, quantity, currency)
        if cents > worth:
            raise refuse(
                RejectionReason.NOT_ALLOWED, f"{cents} cents against paper worth {worth} after its haircut",
                field="cents", remedy="eligible paper with a price, and no more than it is worth",
            )  # fmt: skip
        _pledge(ledger, account, security, quantity)
        source = ledger.row(bank, currency, floor=NO_FLOOR)
        if not pay_at_once(ledger, source, ledger.row(account, currency), cents):
            raise InvariantBroken("the settlement institution could not lend")
        values = {"account": account, "currency": currency, "security": security, "quantity": quantity, "cents": cents,
                  "day": day}  # fmt: skip
        return int(self.append(1, values)[0])

    def due(self, number: int, day: int, terms: tuple[RepoTerms, ...]) -> tuple[int, int]:
        """Return the cents of a repo and its interest on a day: none within its own day."""
        cents, nights = int(self.table["cents"][number]), day - int(self.table["day"][number])
        rate = terms[int(self.table["currency"][number])].overnight_a_year_e6
        return cents, divide_half_away(cents * rate * nights, DAYS_A_YEAR * SCALE_E6)

    def repay(self, ledger: Ledger, bank: int, number: int, day: int, terms: tuple[RepoTerms, ...]) -> bool:
        """Pay a repo back and free its paper; returns False, with nothing changed, when the money is not there."""
        account, currency = int(self.table["account"][number]), int(self.table["currency"][number])
        cents, interest = self.due(number, day, terms)
        debit, credit = ledger.row(account, currency), ledger.row(bank, currency, floor=NO_FLOOR)
        if not pay_at_once(ledger, debit, credit, cents + interest):
            return False
        security, quantity = (int(self.table[name][number]) for name in ("security", "quantity"))
        if security != EARMARKED:
            _unpledge(ledger, account, security, quantity)
        self.table["repaid_day"][number], self.table["interest_cents"][number] = day, interest
        return True

    def close(self, ledger: Ledger, bank: int, closed: int, day: int, terms: tuple[RepoTerms, ...]) -> tuple[int, int]:
        """Pay back every repo of the closed currencies (bits) that can be; returns how many were and how many stay."""
        standing = np.flatnonzero((self.table["repaid_day"] == 0) & ((closed >> self.table["currency"]) & 1 == 1))
        paid = sum(self.repay(ledger, bank, number, day, terms) for number in standing.tolist())
        return paid, standing.size - paid

    def earmark(self, ledger: Ledger, paper: Paper, account: int, currency: int, security: int, quantity: int) -> int:
        """Pledge paper for repo that comes by itself; returns the number of the earmark.

        Raises Rejected: out-of-range (quantity), not-allowed (worth nothing here), insufficient (no paper).
        """
        if quantity <= 0:
            raise refuse(RejectionReason.OUT_OF_RANGE, f"{quantity} of paper", field="quantity")
        worth = paper.worth(security, quantity, currency)
        if not worth:
            raise refuse(RejectionReason.NOT_ALLOWED, "the paper is not eligible or has no price", field="security")
        _pledge(ledger, account, security, quantity)
        values = {"account": account, "currency": currency, "security": security, "quantity": quantity, "worth": worth}
        return int(self.lines.append(1, values)[0])

    def withdraw(self, ledger: Ledger, line: int, day: int) -> None:
        """Free earmarked paper; raises Rejected (not-allowed) when what is drawn needs it, or it has ended."""
        cell = {name: int(column[line]) for name, column in self.lines.table.items()}
        if cell["ended_day"]:
            raise refuse(RejectionReason.NOT_ALLOWED, "it has ended", field="line", subject=str(line))
        if self.line_left(cell["account"], cell["currency"]) < cell["worth"]:
            raise refuse(
                RejectionReason.NOT_ALLOWED, "what is drawn stands against it", field="line", remedy="pay back first"
            )
        _unpledge(ledger, cell["account"], cell["security"], cell["quantity"])
        self.lines.table["ended_day"][line] = day

    def line_left(self, account: int, currency: int) -> int:
        """Return the cents that an account could still draw against what it has earmarked."""
        lines, table = self.lines.table, self.table
        mine = (lines["account"] == account) & (lines["currency"] == currency) & (lines["ended_day"] == 0)
        drawn = (table["account"] == account) & (table["currency"] == currency) & (table["security"] == EARMARKED)
        return int(lines["worth"][mine].sum()) - int(table["cents"][drawn & (table["repaid_day"] == 0)].sum())

    def end_lines(self, ledger: Ledger, closed: int, day: int) -> None:
        """Free what is earmarked in the closed currencies (bits), but where something drawn against it stands."""
        lines = self.lines.table
        for line in np.flatnonzero((lines["ended_day"] == 0) & ((closed >> lines["currency"]) & 1 == 1)).tolist():
            account, currency = int(lines["account"][line]), int(lines["currency"][line])
            if self.line_left(account, currency) >= int(lines["worth"][line]):
                self.withdraw(ledger, line, day)

    def dump(self) -> dict[str, bytes]:
        """Return the columns as named byte strings."""
        return {**super().dump(), **{f"line_{name}": column for name, column in self.lines.dump().items()}}

    def load(self, parts: Mapping[str, bytes]) -> None:
        """Take back a dump."""
        super().load(parts)
        self.lines.load({name.removeprefix("line_"): column for name, column in parts.items() if name[:5] == "line_"})

    def net(self, ledger: Ledger, day: int) -> Int64:
        """Return what a day's repos brought each ledger row, less what was paid back on it with interest."""
        total, table = np.zeros(ledger.count, np.int64), self.table
        for chosen, sign in ((table["day"] == day, 1), (table["repaid_day"] == day, -1)):
            rows = ledger.find_all(table["account"][chosen], table["currency"][chosen].astype(np.int32))
            interest = table["interest_cents"][chosen] if sign < 0 else 0
            np.add.at(total, rows, sign * (table["cents"][chosen] + interest))
        return total

    def drawn(self, account: int, currency: int) -> int:
        """Return the cents an account has drawn and not paid back."""
        mine = (self.table["account"] == account) & (self.table["currency"] == currency)
        return int(self.table["cents"][mine & (self.table["repaid_day"] == 0)].sum())


@dataclass(frozen=True, slots=True)
class RepoLines:
    """Repo against earmarked paper as the queues draw on it: the settlement institution lends, at once."""

    repos: Repos
    bank: int
    day: int

    def left(self, ledger: Ledger) -> Int64:
        """Return the cents that each ledger row could still draw."""
        found = np.zeros(ledger.count, np.int64)
        lines = self.repos.lines.table
        standing = lines["ended_day"] == 0
        owners, units = (lines[name][standing].tolist() for name in ("account", "currency"))
        for account, currency in sorted(set(zip(owners, units, strict=True))):
            row = ledger.find(account, currency)
            if row >= 0:
                found[row] = self.repos.line_left(account, currency)
        return found

    def draw(self, ledger: Ledger, rows: Int64, cents: Int64) -> None:
        """Lend to rows what they lack, within what they had left."""
        for row, lent in zip(rows.tolist(), cents.tolist(), strict=True):
            account, currency = int(ledger.owner[row]), int(ledger.asset[row])
            if not pay_at_once(ledger, ledger.row(self.bank, currency, floor=NO_FLOOR), row, lent):
                raise InvariantBroken("the settlement institution could not lend")
            values = {"account": account, "currency": currency, "security": EARMARKED, "cents": lent, "day": self.day}
            self.repos.append(1, values)


def _pledge(ledger: Ledger, account: int, security: int, quantity: int) -> None:
    row = one(ledger.find(account, len(CURRENCIES) + security))
    there = int(ledger.available(row)[0]) if row[0] >= 0 else 0
    if there < quantity or ledger.pledge(row, one(quantity))[0]:
        raise refuse(RejectionReason.INSUFFICIENT, f"{quantity} to give, {there} available", field="quantity")


def _unpledge(ledger: Ledger, account: int, security: int, quantity: int) -> None:
    if ledger.unpledge(one(ledger.find(account, len(CURRENCIES) + security)), one(quantity)).any():
        raise InvariantBroken("the paper of a repo is not pledged in the books")
