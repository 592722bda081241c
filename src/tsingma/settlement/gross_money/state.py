"""All state of money in real time, and the part of the day's end that proves it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
import numpy.typing as npt

from tsingma.basics.columns import by_room
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import InvariantBroken
from tsingma.ledger.ledger import Ledger
from tsingma.settlement.gross_money.liquidity import Liquidity, LiquidityDays, OtherMoves, liquidity
from tsingma.settlement.gross_money.mainland import MainlandLink
from tsingma.settlement.gross_money.queue import STATUSES, PaymentBook
from tsingma.settlement.gross_money.repo import Repos
from tsingma.settlement.gross_money.small_payments import SmallPayments
from tsingma.settlement.gross_money.wallets import Wallets

Int64 = npt.NDArray[np.int64]

_CLOCK = ("used", "day", "clock_s", "opened", "closed")


class _Room(Protocol):
    def dump(self) -> dict[str, bytes]: ...

    def load(self, parts: dict[str, bytes]) -> None: ...


class MoneyState:
    """What payments, repos, the link, small payments and wallets stand at; empty in a house that uses none of them.

    ``clock_s`` is the time of day, ``opened`` and ``closed`` the systems that are open or have closed for the day (bits
    of ``needs``), ``opening`` what stood on every ledger row when the day began.
    """

    def __init__(self) -> None:
        """Start unused."""
        self.payments = PaymentBook()
        self.repos = Repos()
        self.mainland = MainlandLink()
        self.small = SmallPayments()
        self.wallets = Wallets()
        self.days = LiquidityDays()
        self.others = OtherMoves()
        self.opening: Int64 = np.zeros(0, np.int64)
        self._noted: Int64 = np.zeros(0, np.int64)  # by ledger row: the sum of ``others``
        self.used = self.day = self.clock_s = self.opened = self.closed = 0

    def begin_day(self, ledger: Ledger, day: int) -> None:
        """Begin a day: no payments yet, every system closed, balances noted."""
        self.payments.clear()
        self.used, self.day, self.clock_s, self.opened, self.closed = 1, day, 0, 0, 0
        self.opening = ledger.balance.copy()
        self.others, self._noted = OtherMoves(), np.zeros(0, np.int64)

    def note_others(self, ledger: Ledger) -> None:
        """Note what moved money rows beside payments and repo since it was last noted, after the instant of now."""
        rows = ledger.count
        moved = ledger.balance - _longer(self.opening, rows) - _longer(self.payments.net, rows)
        moved -= self.repos.net(ledger, self.day)
        change = moved - _longer(self._noted, rows)
        changed = np.flatnonzero((change != 0) & (ledger.asset < len(CURRENCIES)) & (ledger.floor == 0))
        if changed.size:
            turn = np.full(changed.size, self.payments.turn)
            self.others.append(changed.size, {"turn": turn, "row": changed, "cents": change[changed]})
            self._noted = _longer(self._noted, rows)
            self._noted[changed] = moved[changed]

    def liquidity(self, ledger: Ledger) -> Liquidity:
        """Return the intraday liquidity figures of the day so far."""
        return liquidity(self.payments, ledger, self.opening, self.others)

    def check(self, ledger: Ledger) -> None:
        """Raise InvariantBroken where the rooms contradict themselves or the ledger."""
        self.payments.check()
        self.mainland.check()
        self.wallets.check(ledger)

    def end_day(self, ledger: Ledger) -> dict[str, int]:
        """Prove the day and keep its liquidity figures; returns payments in number and amount, by status."""
        self.check(ledger)
        if self.payments.waiting:
            raise InvariantBroken("payments are queued after every system closed")
        table = self.payments.table
        self.note_others(ledger)
        self.days.keep(self.day, self.liquidity(ledger))
        asset = ledger.asset[table["debit"]]
        figures = {"payments_submitted": len(self.payments)}
        for status, name in enumerate(STATUSES):
            chosen = table["status"] == status
            figures[f"payments_{name}"] = int(chosen.sum())
            for unit, currency in enumerate(CURRENCIES):
                cents = int(table["amount"][chosen & (asset == unit)].sum())
                figures[f"payments_{name}_{currency}_cents"] = cents
        figures["repos_overnight"] = int((self.repos.table["repaid_day"] == 0).sum())
        return figures

    def dump(self) -> dict[str, bytes]:
        """Return the state as named byte strings; nothing while it is unused, so that older hashes stand."""
        if not self.used:
            return {}
        parts = {f"{name}.{key}": value for name, room in self._rooms().items() for key, value in room.dump().items()}
        clock = np.array([getattr(self, name) for name in _CLOCK], "<i8").tobytes()
        return {**parts, "clock": clock, "opening": self.opening.astype("<i8").tobytes()}

    def load(self, parts: Mapping[str, bytes]) -> None:
        """Take back a dump; one without these parts is of a house that has not used them."""
        if "clock" not in parts:
            return
        mine = by_room(parts)
        for name, room in self._rooms().items():
            room.load(mine.get(name, {}))
        for name, value in zip(_CLOCK, np.frombuffer(parts["clock"], "<i8").tolist(), strict=True):
            setattr(self, name, value)
        self.opening = np.frombuffer(parts["opening"], "<i8").astype(np.int64)
        table = self.others.table
        self._noted = np.zeros(int(table["row"].max(initial=-1)) + 1, np.int64)
        np.add.at(self._noted, table["row"], table["cents"])

    def _rooms(self) -> dict[str, _Room]:
        return {
            "payments": self.payments,
            "repos": self.repos,
            "mainland": self.mainland,
            "small": self.small,
            "wallets": self.wallets,
            "days": self.days,
            "others": self.others,
            "limits": self.payments.limits,
        }


def _longer(column: Int64, rows: int) -> Int64:
    """Return a column by ledger row with nothing for the rows opened since."""
    return np.concatenate([column, np.zeros(rows - column.size, np.int64)]) if column.size < rows else column[:rows]
