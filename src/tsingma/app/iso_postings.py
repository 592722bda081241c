"""What was posted on the accounts of a participant since a record: every change of a balance, from the journal."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from tsingma.app.iso_journal import walk
from tsingma.app.session import Session
from tsingma.basics.dates import to_date
from tsingma.basics.money import CURRENCIES
from tsingma.engine.house import House
from tsingma.journal.commands import Command
from tsingma.journal.corporate_action_commands import RunCorporateActions
from tsingma.journal.custody_commands import PayDue
from tsingma.messages.iso20022.answers import reference_of
from tsingma.messages.iso20022.posting_report import NO_REFERENCE, Posting, PostingReport, SecurityPostings
from tsingma.settlement.instruction import DVP, SETTLED

Int64 = npt.NDArray[np.int64]
Balances = dict[tuple[int, int], int]  # (account, asset) -> units


class _State:
    """What is compared from one command to the next: balances of securities, and how far instructions are."""

    def __init__(self, house: House, accounts: list[int]) -> None:
        ledger, table = house.ledger, house.settlement.instructions.table
        rows = np.flatnonzero(np.isin(ledger.owner, accounts) & (ledger.asset >= len(CURRENCIES)))
        keys = zip(ledger.owner[rows].tolist(), ledger.asset[rows].tolist(), strict=True)
        self.balances: Balances = dict(zip(keys, ledger.balance[rows].tolist(), strict=True))
        self.open: Int64 = table["open_quantity"].astype(np.int64)
        self.settled: Int64 = house.settlement.instructions.settled_amount(np.arange(self.open.size))
        self.day = house.position.day


def postings_since(session: Session, accounts: list[int], since: int, identifier: str) -> Iterator[PostingReport]:
    """Return a report for each account of what was posted on it after a record of the journal.

    Raises Rejected (unknown) when there is no such record.
    """
    first: _State | None = None
    last: _State | None = None
    began = 0  # the day at which the first command left the house: an opening belongs to the day it opens
    made: tuple[int, Command] | None = None
    found: dict[tuple[int, int], list[Posting]] = {}
    for before in walk(session, since):
        state = _State(before.house, accounts)
        if last is not None and made is not None:
            _compare(before.house, accounts, last, state, made, found)
            began = began or state.day
        first, last, made = first or state, state, (before.sequence, before.command)
    end = _State(session.house, accounts)
    if last is not None and made is not None:
        _compare(session.house, accounts, last, end, made, found)
    opening, began = first or end, began or end.day
    book = session.house.resolved
    for account in accounts:
        securities = tuple(
            SecurityPostings(book.asset_name(asset), opening.balances.get((account, asset), 0),
                             end.balances.get((account, asset), 0), tuple(several))
            for (owner, asset), several in sorted(found.items())
            if owner == account
        )  # fmt: skip
        yield PostingReport(
            f"{identifier}-{account}", str(to_date(began)), str(to_date(end.day)),
            book.account_name(account), securities,
        )  # fmt: skip


def _compare(
    house: House, accounts: list[int], before: _State, after: _State, made: tuple[int, Command],
    found: dict[tuple[int, int], list[Posting]],
) -> None:  # fmt: skip
    """Tell what one command changed: by instruction first, the rest of each balance by the record."""
    rest = {
        key: after.balances.get(key, 0) - before.balances.get(key, 0) for key in {*before.balances, *after.balances}
    }
    sequence, command = made
    if not any(rest.values()):
        return
    for key, posting in _settled(house, accounts, before, after):
        rest[key] = rest.get(key, 0) - posting.units
        found.setdefault(key, []).append(posting)
    activity = "CORP" if isinstance(command, RunCorporateActions | PayDue) else "SETT"
    for key, units in sorted(rest.items()):
        if units:
            posting = Posting(
                reference=NO_REFERENCE, number=f"J{sequence}", activity=activity, date=str(to_date(after.day)),
                units=units,
            )  # fmt: skip
            found.setdefault(key, []).append(posting)


def _settled(
    house: House, accounts: list[int], before: _State, after: _State
) -> Iterator[tuple[tuple[int, int], Posting]]:
    """Yield what instructions settled between two states, each side that is one of the accounts."""
    table, book = house.settlement.instructions.table, house.resolved
    known = before.open.size
    units = table["quantity"].astype(np.int64)
    units[:known] = before.open
    units -= after.open
    paid = after.settled.copy()
    paid[:known] -= before.settled
    is_stock = table["asset"] >= len(CURRENCIES)
    moved = (units > 0) & is_stock & ((table["status"] == SETTLED) | (after.open > 0))
    mine = np.isin(table["deliverer"], accounts) | np.isin(table["receiver"], accounts)
    for number in np.flatnonzero(moved & mine).tolist():
        cell = {name: int(column[number]) for name, column in table.items()}
        money = 0 <= cell["against"] < len(CURRENCIES)
        for own, other, sign in (("deliverer", "receiver", -1), ("receiver", "deliverer", 1)):
            if cell[own] not in accounts:
                continue
            credited = (cell["kind"] == DVP) == (sign < 0)  # in dvp the deliverer is paid, in dwp it pays too
            cents = int(paid[number]) if money else 0
            yield (cell[own], cell["asset"]), Posting(
                reference=reference_of(house, number, sign < 0), number=f"I{number}", activity="SETT",
                date=str(to_date(after.day)), units=sign * int(units[number]),
                currency=CURRENCIES[cell["against"]] if money else "", cents=cents if credited else -cents,
                counterparty=book.book.accounts[cell[other]].participant,
            )  # fmt: skip
