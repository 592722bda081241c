"""Draws of orders of one side: fresh ones, and the other side of one that waits, often several commands in a row."""

from __future__ import annotations

import numpy as np

from tsingma.basics.columns import pack
from tsingma.basics.money import CURRENCIES
from tsingma.journal.commands import SubmitInstructions
from tsingma.simulate.plain_house import PlainHouse
from tsingma.simulate.plain_orders import TYPES, PlainOrder

LAST_SECOND = 86_399  # of the day: all orders of a day come in one second, so that any may go together
NAMES = {"q": "i8", "i": "i4", "b": "i1"}
APART_CENTS = (0, 0, 100, 5_000)  # of amounts: none, within the tolerance and beyond it


class OrderDraws:
    """Draws commands of orders as the books stand."""

    def __init__(self, chance: np.random.Generator, accounts: range) -> None:
        """Keep generator and the accounts of members."""
        self._chance = chance
        self._accounts = accounts
        self.left = 0  # commands of orders that follow the last one

    def begin(self, house: PlainHouse) -> SubmitInstructions:
        """Return the first of a few commands in a row."""
        self.left = self._number(0, 5)
        return self.more(house)

    def more(self, house: PlainHouse) -> SubmitInstructions:
        """Return one command with a few orders of one participant."""
        owners = house.known.account_owner
        waiting = [one for one in house.orders if one.instruction < 0]
        first = self._order(house, waiting, None, 0)
        orders = [
            first,
            *(self._order(house, waiting, first.participant, place) for place in range(1, self._number(1, 4))),
        ]
        columns = {name: pack([getattr(one, name) for one in orders], NAMES[kind]) for name, kind in TYPES.items()}
        code = house.known.participants[owners[first.account]] if self._chance.random() < 0.8 else ""
        second = LAST_SECOND + int(self._chance.random() < 0.02)
        return SubmitInstructions("simulated", code, second, columns)

    def _number(self, low: int, high: int) -> int:
        return int(self._chance.integers(low, high))

    def _order(self, house: PlainHouse, waiting: list[PlainOrder], participant: int | None, place: int) -> PlainOrder:
        """Return a new order of a participant (None: of any), or the other side of one that waits for it."""
        owners = house.known.account_owner
        counts_on = self._chance.random() < 0.97
        reference = 4 * len(house.orders) + place + 1 if counts_on else self._number(1, 40)
        hold = int(self._chance.random() < 0.1)
        asked = [one for one in waiting if participant in (None, one.counterparty)]
        if asked and self._chance.random() < 0.6:
            one = asked[self._number(0, len(asked))]
            own = [account for account in self._accounts if owners[account] == one.counterparty]
            apart = APART_CENTS[self._number(0, len(APART_CENTS))]
            return PlainOrder(
                one.counterparty, reference, own[self._number(0, len(own))], one.participant, 1 - one.delivers,
                one.trade_day, one.intended_day, one.security, one.currency, one.quantity, one.amount_cents + apart,
                0, hold,
            )  # fmt: skip
        own = [account for account in self._accounts if participant in (None, owners[account])]
        account = own[self._number(0, len(own))]
        other = owners[self._accounts[self._number(0, len(self._accounts))]]
        return PlainOrder(
            owners[account], reference, account, other, self._number(0, 2), house.day,
            house.day + self._number(0, 8) // 6, self._number(0, house.known.assets - len(CURRENCIES)),
            self._number(0, 2), self._number(0, 20) * 100, self._number(0, 10**6), 0, hold,
        )  # fmt: skip
