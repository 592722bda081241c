"""A budget of bytes for the bodies of requests: taken before they are read, given back when the requests have ended.

Commands are counted at the door; what fills memory is bodies, of which one may be as long as 32 MiB. All bodies that
are being read, worked on or wait for the writer have one budget together. An owner may have as much of it as stays free
when he has it: alone half, two a third each, and so on, so that whoever comes always finds some (the rule of dynamic
thresholds: A. K. Choudhury, E. L. Hahne, IEEE/ACM Transactions on Networking 6(2), 1998, with a factor of 1).
"""

from __future__ import annotations

from collections import Counter
from contextvars import ContextVar

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

BYTES_MAX = 256 * 1024 * 1024
RETRY_SECONDS = "2"
NOBODY_BYTES_MAX = 16 * 1024  # of who has not said who it is: the form of the sign-in, and room to spare


class NoRoom(Exception):
    """A body has no place now: its owner has too much already (``own``), or others have."""

    def __init__(self, *, own: bool) -> None:
        """Keep whose doing it is."""
        self.own = own
        super().__init__("bodies of yours take too much" if own else "bodies of others take too much")


class Budget:
    """How many bytes bodies have, of all and of each owner; used from the one event loop."""

    def __init__(self, bytes_max: int = BYTES_MAX) -> None:
        """Start with all of it free."""
        self._max, self._taken = bytes_max, 0
        self._of: Counter[str] = Counter()

    @property
    def taken(self) -> int:
        """How many bytes are taken now; from any thread."""
        return self._taken

    def take(self, owner: str, count: int) -> None:
        """Take bytes for an owner; raises NoRoom unless at least as much stays free as he has then."""
        his = self._of[owner]
        if his + count > self._max - self._taken - count:
            raise NoRoom(own=his > 0)
        self._of[owner] = his + count
        self._taken += count

    def give_back(self, owner: str, count: int) -> None:
        """Give back what was taken."""
        self._taken -= count
        self._of[owner] -= count
        if not self._of[owner]:
            del self._of[owner]


class TooLongForNobody(Exception):
    """A body is longer than one of somebody who has not said who it is may be."""


class Hold:
    """What one request has of the budget, until it has ended and its commands are answered."""

    __slots__ = ("_budget", "_count", "_known", "_users", "owner")

    def __init__(self, budget: Budget, address: str) -> None:
        """Start without any, for whoever asks from an address."""
        self._budget, self._count, self._users = budget, 0, 1
        self.owner, self._known = f"address/{address}", False  # until it is known who asks

    def belong_to(self, owner: str) -> None:
        """Be an owner's who has said who it is, unless something was taken before."""
        if not self._count:
            self.owner, self._known = owner, True

    def cover(self, total: int) -> None:
        """Have so many bytes in all; raises NoRoom or TooLongForNobody, and then has what it had."""
        if not self._known and total > NOBODY_BYTES_MAX:
            raise TooLongForNobody
        if total > self._count:
            self._budget.take(self.owner, total - self._count)
            self._count = total

    def share(self) -> None:
        """Go on until one more has ended."""
        self._users += 1

    def end(self) -> None:
        """End for one of those who use it; with the last one everything is given back."""
        self._users -= 1
        if not self._users and self._count:
            self._budget.give_back(self.owner, self._count)
            self._count = 0


_HELD: ContextVar[Hold | None] = ContextVar("held", default=None)


def held() -> Hold | None:
    """Return what the request that is being answered has of the budget; None outside of one."""
    return _HELD.get()


class Budgeted:
    """An application around another whose requests have their bodies from a budget."""

    def __init__(self, app: ASGIApp, budget: Budget) -> None:
        """Stand before ``app``."""
        self._app, self._budget = app, budget

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; whatever becomes of it, what it has is given back."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        client = scope.get("client")
        hold = Hold(self._budget, client[0] if client else "")
        mark = _HELD.set(hold)
        try:
            await self._app(scope, receive, send)
        finally:
            _HELD.reset(mark)
            hold.end()
