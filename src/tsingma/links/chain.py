"""The nominee chain: who holds for whom at which depository, level by level, and that every level adds up.

The house's ledger keeps one level of a chain (Hong Kong participants at HKSCC, or ChinaClear's omnibus account there).
The levels below it (investors at their participant) and above it (the omnibus account at the depository at home) are
kept here, and every movement of the ledger is carried along the whole chain: to those whose trades were due, and to the
nominees above. What no trade explains is the first holder's under its account: a deposit, or a transfer.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import InvariantBroken, RejectionReason, refuse
from tsingma.journal.link_commands import ChainHolder, ChainLevel, OpenLink

Int64 = npt.NDArray[np.int64]

HOLDERS_MAX = 100_000
_WAITING = ("holder", "security", "quantity", "due_day")


class Chain:
    """The chain of one direction: holdings as i8[holders, securities], and what trades will still bring."""

    def __init__(self, terms: OpenLink, securities: int) -> None:
        """Start with nothing held; raises Rejected (malformed) unless the holders form trees across the ledger."""
        _check(terms)
        self.terms = terms
        self.held: Int64 = np.zeros((len(terms.holders), securities), np.int64)
        self.waiting: dict[str, Int64] = {name: np.zeros(0, np.int64) for name in _WAITING}
        self.accounts = np.array([one.account for one in terms.holders], np.int64)
        self._parent = [one.parent for one in terms.holders]
        children: dict[int, list[int]] = {}
        for place, one in enumerate(terms.holders):
            children.setdefault(one.parent, []).append(place)
        self._leaves = {place: _leaves(place, children) for place in np.flatnonzero(self.accounts >= 0).tolist()}

    @property
    def lowest(self) -> tuple[int, ...]:
        """Places of the lowest holders, for whom trades are made."""
        return tuple(leaf for leaves in self._leaves.values() for leaf in leaves)

    def expect(self, holder: Int64, security: Int64, quantity: Int64, due_day: Int64) -> None:
        """Remember trades (columns i8[n]) until they settle; raises Rejected (unknown) for what is no lowest holder."""
        bad = np.flatnonzero(~np.isin(holder, self.lowest) | (security < 0) | (security >= self.held.shape[1]))
        if bad.size:
            place = int(bad[0])
            message = f"item {place + 1}: holder {int(holder[place])}, security {int(security[place])}"
            raise refuse(RejectionReason.UNKNOWN, message, field="holder", remedy="name one of the lowest level")
        for name, column in zip(_WAITING, (holder, security, quantity, due_day), strict=True):
            self.waiting[name] = np.concatenate([self.waiting[name], column])

    def follow(self, balance: Callable[[Int64], Int64], day: int) -> int:
        """Carry what moved in the ledger along the chain and return how many holdings changed.

        ``balance`` gives i8[accounts, securities] of ledger accounts; trades due after ``day`` do not explain it.
        """
        places = np.flatnonzero(self.accounts >= 0)
        change = balance(self.accounts[places]) - self.held[places]
        affected = change != 0
        row_of = {leaf: row for row, place in enumerate(places.tolist()) for leaf in self._leaves[place]}
        due = self.waiting["due_day"] <= day
        for leaf, security in zip(
            self.waiting["holder"][due].tolist(), self.waiting["security"][due].tolist(), strict=True
        ):
            affected[row_of[leaf], security] = True  # holders under one account may deliver to each other
        moved = 0
        for row, security in zip(*(axis.tolist() for axis in np.nonzero(affected)), strict=True):
            moved += self._carry(int(places[row]), security, int(change[row, security]), day)
        open_ = self.waiting["quantity"] != 0
        self.waiting = {name: column[open_] for name, column in self.waiting.items()}
        return moved

    def check(self, balance: Callable[[Int64], Int64], issued: Int64, outside: Int64) -> None:
        """Raise InvariantBroken unless every level adds up to the one above and the chain to what is issued.

        ``issued`` and ``outside`` are units i8[securities]: in issue, and held by accounts outside the chain. Only
        securities of the chain's market are given; others are 0 in both.
        """
        places = np.flatnonzero(self.accounts >= 0)
        if (balance(self.accounts[places]) != self.held[places]).any():
            raise InvariantBroken(f"{self._name()}: the chain does not hold what the ledger does")
        for place in range(len(self._parent)):
            below = [child for child, parent in enumerate(self._parent) if parent == place]
            if below and (self.held[below].sum(axis=0) != self.held[place]).any():
                name = self.terms.holders[place].name
                raise InvariantBroken(f"{self._name()}: {name} holds something else than those for whom it holds")
        top = self.held[[place for place, parent in enumerate(self._parent) if parent < 0]].sum(axis=0)
        if (top + outside != issued).any():
            raise InvariantBroken(f"{self._name()}: what is held along the chain and beside it is not what is issued")

    def dump(self) -> dict[str, bytes]:
        """Return terms, holdings and expected trades as named byte strings."""
        parts = {"terms": msgspec.msgpack.encode(self.terms), "held": self.held.astype("<i8").tobytes()}
        return {**parts, **{f"waiting.{name}": column.astype("<i8").tobytes() for name, column in self.waiting.items()}}

    @classmethod
    def load(cls, parts: dict[str, bytes]) -> Chain:
        """Return the chain of a dump."""
        terms = msgspec.msgpack.decode(parts["terms"], type=OpenLink)
        held = np.frombuffer(parts["held"], "<i8").astype(np.int64).reshape(len(terms.holders), -1)
        chain = cls(terms, held.shape[1])
        chain.held = held
        chain.waiting = {name: np.frombuffer(parts[f"waiting.{name}"], "<i8").astype(np.int64) for name in _WAITING}
        return chain

    def _carry(self, place: int, security: int, change: int, day: int) -> int:
        """Give a change of one ledger account to its lowest holders, and to every nominee above them."""
        left = change
        moved = 0
        for leaf, quantity in self._shares(place, security, change, day):
            left -= quantity
            moved += self._post(leaf, security, quantity)
        return moved + (self._post(self._leaves[place][0], security, left) if left else 0)

    def _shares(self, place: int, security: int, change: int, day: int) -> list[tuple[int, int]]:
        """Return what each lowest holder takes of a change, by trades due: givers first, takers in order of entry."""
        wait = self.waiting
        mine = np.isin(wait["holder"], self._leaves[place]) & (wait["security"] == security) & (wait["due_day"] <= day)
        giving = np.flatnonzero(mine & (wait["quantity"] < 0))
        taking = np.flatnonzero(mine & (wait["quantity"] > 0))
        sold, bought = -int(wait["quantity"][giving].sum()), int(wait["quantity"][taking].sum())
        given = min(sold, max(bought - change, 0))
        taken = min(bought, max(given + change, 0))
        shares = []
        for rows, total, sign in ((giving, given, -1), (taking, taken, 1)):
            for row in rows.tolist():
                part = min(total, abs(int(wait["quantity"][row])))
                if part:
                    wait["quantity"][row] -= sign * part
                    shares.append((int(wait["holder"][row]), sign * part))
                total -= part
        return shares

    def _post(self, leaf: int, security: int, quantity: int) -> int:
        steps, place = 0, leaf
        while place >= 0:
            self.held[place, security] += quantity
            place, steps = self._parent[place], steps + 1
        return steps

    def _name(self) -> str:
        return f"{self.terms.link} {self.terms.direction}"


class Chains:
    """The chains of every direction that is open, by number, and what stands lodged between houses."""

    def __init__(self) -> None:
        """Start without links."""
        self.chains: list[Chain] = []
        self.lodged: dict[tuple[int, int], int] = {}  # cents by (direction, arrangement)

    def chain(self, number: int) -> Chain:
        """Return the chain of a direction; raises Rejected (unknown)."""
        if not 0 <= number < len(self.chains):
            raise refuse(RejectionReason.UNKNOWN, f"no direction {number} is open", field="direction")
        return self.chains[number]

    def dump(self) -> dict[str, bytes]:
        """Return the state as named byte strings; nothing when no link was ever opened."""
        if not self.chains:
            return {}
        parts = {
            f"{number}.{name}": data for number, one in enumerate(self.chains) for name, data in one.dump().items()
        }
        lodged = sorted((*key, cents) for key, cents in self.lodged.items())
        return {**parts, "count": msgspec.msgpack.encode(len(self.chains)), "lodged": msgspec.msgpack.encode(lodged)}

    def load(self, parts: dict[str, bytes]) -> None:
        """Take back a dump; a missing one is a house without links."""
        self.__init__()  # type: ignore[misc]
        for number in range(msgspec.msgpack.decode(parts["count"], type=int) if parts else 0):
            prefix = f"{number}."
            mine = {name[len(prefix) :]: data for name, data in parts.items() if name.startswith(prefix)}
            self.chains.append(Chain.load(mine))
        if parts:
            rows = msgspec.msgpack.decode(parts["lodged"], type=list[tuple[int, int, int]])
            self.lodged = {(direction, place): cents for direction, place, cents in rows}


def _leaves(place: int, children: dict[int, list[int]]) -> list[int]:
    below = children.get(place, [])
    return [leaf for child in below for leaf in _leaves(child, children)] if below else [place]


def _check(terms: OpenLink) -> None:
    """Refuse holders that are no trees from the lowest level up, or a path that does not cross the ledger just once."""
    holders = terms.holders
    if not holders or len(holders) > HOLDERS_MAX:
        message = f"{len(holders)} holders, 1 to {HOLDERS_MAX}"
        raise refuse(RejectionReason.LIMIT, message, field="holders", subject=terms.link)
    parents = {one.parent for one in holders}
    for place, one in enumerate(holders):
        top = one.parent == -1
        outside = not 0 <= one.level < len(terms.levels) or not -1 <= one.parent < len(holders)
        ends = one.level == len(terms.levels) - 1
        if outside or top != ends or (not top and holders[one.parent].level != one.level + 1):
            message = "is not held for by one of the next level"
            raise refuse(RejectionReason.MALFORMED, message, field="holders", subject=one.name)
        if place not in parents and _crossings(holders, place) != 1:
            message = "the ledger keeps none of its nominees, or several"
            raise refuse(RejectionReason.MALFORMED, message, field="holders.account", subject=one.name)
    accounts = [one.account for one in holders if one.account >= 0]
    if len(set(accounts)) != len(accounts):
        raise refuse(RejectionReason.CONFLICT, "two holders have one account", field="holders.account")


def _crossings(holders: tuple[ChainHolder, ...], place: int) -> int:
    """Return how many holders from here to the top have a ledger account."""
    found = 0
    while place >= 0:
        found += holders[place].account >= 0
        place = holders[place].parent
    return found


__all__ = ["Chain", "ChainHolder", "ChainLevel", "Chains"]
