"""What every draw of the whole workload needs: chance, the book, and a look at what accounts have free."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import numpy as np

from tsingma.basics.money import CURRENCIES
from tsingma.engine.cycle import settlement_days_after
from tsingma.engine.house import House
from tsingma.journal.commands import Command
from tsingma.simulate.whole.book import COUNTERS, WholeBook, isin_of

T = TypeVar("T")
HKD, CNY, USD, EUR = range(len(CURRENCIES))
Make = Callable[[House], Command | None]  # None: nothing of the kind can be drawn as the books stand


class Draws(ABC):
    """Draws from one generator; a house given to a draw is only read."""

    def __init__(self, chance: np.random.Generator, whole: WholeBook, wealth: float) -> None:
        """Keep generator, book and how rich accounts are (a factor)."""
        self.chance, self.whole, self.wealth = chance, whole, wealth
        self.taken = 0  # numbers handed out for references and names

    @abstractmethod
    def makers(self) -> Sequence[Make]:
        """Return the draws of this room."""

    def number(self, low: int, high: int) -> int:
        """Return a number from ``low`` to before ``high``."""
        return int(self.chance.integers(low, high))

    def happens(self, share: float) -> bool:
        """Return True in about this share of calls."""
        return bool(self.chance.random() < share)

    def pick(self, among: Sequence[T]) -> T:
        """Return one of them."""
        return among[self.number(0, len(among))]

    def some(self, among: Iterable[T], share: float = 0.5) -> list[T]:
        """Return a part of them, in order."""
        return [one for one in among if self.happens(share)]

    def fresh(self) -> int:
        """Return a number that was not drawn before in this run."""
        self.taken += 1
        return self.taken

    def firm(self) -> int:
        """Return an account of a firm."""
        return self.pick(self.whole.firms)

    def two_firms(self) -> tuple[int, int]:
        """Return two accounts of firms."""
        first = self.firm()
        return first, self.pick([one for one in self.whole.firms if one != first])

    def other(self, code: str) -> int:
        """Return the account of an issuer, trustee, vault or link."""
        return self.whole.others[code]

    def amount(self, most: int) -> int:
        """Return 1 to ``most``, small ones as likely as large ones."""
        return max(1, int(most ** self.chance.random())) if most > 1 else 1

    def asset(self, house: House, code: str) -> int:
        """Return the asset number of a counter's security."""
        return len(CURRENCIES) + house.resolved.securities.index(isin_of(code))

    def security(self, house: House, code: str) -> int:
        """Return the security number of a counter."""
        return self.asset(house, code) - len(CURRENCIES)

    def free(self, house: House, account: int, asset: int) -> int:
        """Return what an account has of an asset beyond holds, pledges and floor."""
        row = house.ledger.find(account, asset)
        return max(int(house.ledger.available(np.array([row], np.int64))[0]), 0) if row >= 0 else 0

    def rich(self, house: House, assets: Iterable[int] | None = None) -> list[tuple[int, int, int]]:
        """Return (account, asset, free) of firms that have something free of these assets (None: of any)."""
        ledger = house.ledger
        free = ledger.balance - ledger.held - ledger.pledged
        mine = (free > 0) & (ledger.owner >= self.whole.firms.start) & (ledger.owner < self.whole.firms.stop)
        if assets is not None:
            mine &= np.isin(ledger.asset, list(assets))
        rows = np.flatnonzero(mine)
        columns = (ledger.owner[rows].tolist(), ledger.asset[rows].tolist(), free[rows].tolist())
        return list(zip(*columns, strict=True))

    def participant(self, house: House, account: int) -> str:
        """Return the participant of an account by code."""
        return self.whole.book.participants[int(house.resolved.account_participant[account])].code

    def later(self, house: House, days: int = 1) -> int:
        """Return the settlement day so many after the house's."""
        return settlement_days_after(house.position.day, days)


def code_of(counter: int) -> str:
    """Return the code of a counter of the book."""
    return COUNTERS[counter][0]
