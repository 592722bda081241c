"""All state of custody: the register, holdings, dues and the products around them; what is not done by day end."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from tsingma.basics.columns import by_room
from tsingma.basics.rejection import InvariantBroken
from tsingma.custody.dues import OWED, Dues
from tsingma.custody.funds import Funds
from tsingma.custody.gold import Bars
from tsingma.custody.holdings import Holdings
from tsingma.custody.issuance import Register
from tsingma.custody.offering import Offers
from tsingma.custody.proceeds import Proceeds
from tsingma.custody.repo import Repos
from tsingma.ledger.ledger import Ledger


class _Room(Protocol):
    def dump(self) -> dict[str, bytes]: ...
    def load(self, parts: dict[str, bytes]) -> None: ...


class CustodyState:
    """The rooms of custody; an unused one dumps nothing, so that a house without custody has the hash it always had."""

    def __init__(self) -> None:
        """Start empty."""
        self.register = Register()
        self.holdings = Holdings()
        self.dues = Dues()
        self.offers = Offers()
        self.proceeds = Proceeds()
        self.repos = Repos()
        self.funds = Funds()
        self.bars = Bars()

    @property
    def in_use(self) -> bool:
        """Whether any security is registered."""
        return bool(self.register.issues)

    def check(self, ledger: Ledger, issuer: int) -> None:
        """Prove issued = held per security: the register, the issuer's account and the sum of everybody's holdings.

        Raises InvariantBroken. Statements of holdings list the same rows one by one.
        """
        self.register.check(ledger, issuer)
        held = (ledger.balance > 0) & (ledger.owner != issuer)
        total = np.zeros(max(self.register.issues, default=0) + 1, np.int64)
        asset = ledger.asset[held]
        known = asset < total.size
        np.add.at(total, asset[known], ledger.balance[held][known])
        for number, issue in self.register.issues.items():
            if int(total[number]) != issue.issued:
                raise InvariantBroken(f"{issue.terms.isin}: {issue.issued} units issued, {total[number]} held")

    def unfinished(self, ledger: Ledger, day: int) -> list[str]:
        """Return what has to be done before a day can close, one line each."""
        left = []
        for number in self.dues.overdue(day):
            due = self.dues[number]
            what = "not passed on to who is entitled" if due.status == OWED else "not paid"
            left.append(f"{due.kind} {number} of {self.register.of(due.asset).terms.isin} is {what}")
        for one in self.holdings.differences(self.register, ledger):
            name = self.register.of(one.asset).terms.isin
            left.append(f"{one.depository} holds {one.held} of {name}, its nominee {one.reported}")
        left += [f"offer {number} is not allotted and settled" for number in self.offers.waiting(day)]
        left += [f"repo {number} is to be closed or rolled" for number in self.repos.matured(day)]
        lines = self.holdings.statement(self.register, ledger) if len(self.bars) else []
        for asset, account, units, bars in self.bars.differences(lines):
            name = self.register.of(asset).terms.isin
            left.append(f"account {account} has {units} units of {name} and {bars} bars: say which bars moved")
        return left

    def dump(self) -> dict[str, bytes]:
        """Return the state as named byte strings, nothing when custody is unused."""
        return {f"{name}.{key}": value for name, room in self._rooms().items() for key, value in room.dump().items()}

    def load(self, parts: dict[str, bytes]) -> None:
        """Take back a dump; what is missing is empty."""
        mine = by_room(parts)
        for name, room in self._rooms().items():
            room.load(mine.get(name, {}))

    def _rooms(self) -> dict[str, _Room]:
        return {
            "register": self.register,
            "holdings": self.holdings,
            "dues": self.dues,
            "offers": self.offers,
            "proceeds": self.proceeds,
            "repos": self.repos,
            "funds": self.funds,
            "bars": self.bars,
        }
