"""Checks before an order leaves Hong Kong: client ids, special segregated accounts, what is held before the open.

Sources: HKEX, Special Segregated Account Services (an investor id for each account, at most 20 designated brokers,
holdings of participants and of segregated accounts taken before the open, sells above them refused); Northbound
investor id model of 17 September 2018 (the mapping of client ids is sent by the day before).
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.columns import narrow, widen
from tsingma.basics.rejection import RejectionReason, refuse

Int64 = npt.NDArray[np.int64]

CLIENT_MAX = 10**10 - 1  # a client id has at most ten digits
INVESTOR_MAX = 10**12
SECURITY_BITS, CLIENT_BITS = 31, 34


class ClientIds:
    """Client ids that participants have mapped, each with the day (number) on which it came."""

    def __init__(self) -> None:
        """Start without ids."""
        self._key: Int64 = np.zeros(0, np.int64)
        self._day: Int64 = np.zeros(0, np.int64)

    def __len__(self) -> int:
        """Return the number of ids known."""
        return int(self._key.size)

    def map(self, participant: Int64, client: Int64, day: int) -> int:
        """Add ids (columns of n items) and return how many are new; a known id keeps its first day.

        Raises Rejected (out-of-range) naming the first id that is not 1 to 9,999,999,999; nothing is added then.
        """
        bad = np.flatnonzero((client <= 0) | (client > CLIENT_MAX))
        if bad.size:
            place = int(bad[0])
            message = f"item {place + 1}: client id {int(client[place])}"
            raise refuse(RejectionReason.OUT_OF_RANGE, message, field="client", remedy="1 to 10 digits, not 0")
        key = np.unique(participant << CLIENT_BITS | client)
        fresh = key[~_contains(self._key, key)]
        merged = np.concatenate([self._key, fresh])
        order = np.argsort(merged, kind="stable")
        days = np.concatenate([self._day, np.full(fresh.size, day, np.int64)])
        self._key, self._day = merged[order], days[order]
        return int(fresh.size)

    def mapped(self, participant: Int64, client: Int64, last_day: int) -> npt.NDArray[np.bool_]:
        """Return for each item whether the id was mapped on ``last_day`` or before."""
        possible = (client > 0) & (client <= CLIENT_MAX)
        place, found = _find(self._key, participant << CLIENT_BITS | np.where(possible, client, 0))
        found &= possible
        if not found.any():
            return found
        return found & (self._day[place] <= last_day)

    def dump(self) -> dict[str, bytes]:
        """Return the ids as named byte strings; nothing when there are none."""
        return {"key": narrow(self._key), "day": narrow(self._day)} if self._key.size else {}

    def load(self, parts: Mapping[str, bytes]) -> None:
        """Take back a dump."""
        self._key, self._day = (widen(parts[name]) if parts else np.zeros(0, np.int64) for name in ("key", "day"))


class SegregatedAccounts:
    """Special segregated accounts by investor id: custodian (account) and designated brokers (participants)."""

    def __init__(self) -> None:
        """Start without accounts."""
        self._accounts: dict[int, tuple[int, tuple[int, ...]]] = {}
        self._investor: Int64 = np.zeros(0, np.int64)
        self._pair: Int64 = np.zeros(0, np.int64)

    def register(self, investor: int, custodian: int, brokers: tuple[int, ...]) -> None:
        """Open an account or name its brokers anew.

        Raises Rejected: out-of-range id, a broker named twice, or an account that is another custodian's.
        """
        if not 0 < investor <= INVESTOR_MAX:
            raise refuse(RejectionReason.OUT_OF_RANGE, f"investor id {investor}", field="investor")
        if len(set(brokers)) != len(brokers):
            message = "a broker is named twice"
            raise refuse(RejectionReason.DUPLICATE, message, field="brokers", subject=f"investor {investor}")
        known = self._accounts.get(investor)
        if known is not None and known[0] != custodian:
            message = "the account is at another custodian"
            raise refuse(RejectionReason.CONFLICT, message, field="custodian", subject=f"investor {investor}")
        self._accounts[investor] = (custodian, tuple(sorted(brokers)))
        self._index()

    def most_brokers(self) -> int:
        """Return the largest number of brokers any account names."""
        return max((len(brokers) for _, brokers in self._accounts.values()), default=0)

    def known(self, investor: Int64) -> npt.NDArray[np.bool_]:
        """Return for each item whether there is such an account."""
        return _contains(self._investor, investor)

    def designated(self, investor: Int64, participant: Int64) -> npt.NDArray[np.bool_]:
        """Return for each item whether the participant is a designated broker of the account."""
        place, found = _find(self._investor, investor)
        return found & _contains(self._pair, place << SECURITY_BITS | participant)

    def dump(self) -> dict[str, bytes]:
        """Return the accounts as named byte strings; nothing when there are none."""
        return {"accounts": msgspec.msgpack.encode(sorted(self._accounts.items()))} if self._accounts else {}

    def load(self, parts: Mapping[str, bytes]) -> None:
        """Take back a dump."""
        rows = msgspec.msgpack.decode(
            parts.get("accounts", b"\x90"), type=list[tuple[int, tuple[int, tuple[int, ...]]]]
        )
        self._accounts = dict(rows)
        self._index()

    def _index(self) -> None:
        investors = sorted(self._accounts)
        self._investor = np.array(investors, np.int64)
        pairs = [
            place << SECURITY_BITS | broker for place, one in enumerate(investors) for broker in self._accounts[one][1]
        ]
        self._pair = np.array(sorted(pairs), np.int64)


class Snapshot:
    """What may be sold: one line for each holder and security, holders being participants or segregated accounts."""

    def __init__(self) -> None:
        """Start empty: nothing may be sold."""
        self._holder: Int64 = np.zeros(0, np.int64)
        self._security: Int64 = np.zeros(0, np.int64)
        self.taken: Int64 = np.zeros(0, np.int64)
        self.sellable: Int64 = np.zeros(0, np.int64)
        self._names: Int64 = np.zeros(0, np.int64)
        self._key: Int64 = np.zeros(0, np.int64)

    def take(self, participant: Int64, investor: Int64, security: Int64, quantity: Int64) -> None:
        """Fix the holdings (columns of n lines; of a segregated account the participant is -1).

        Raises Rejected: a negative quantity (out-of-range), or a holder and security twice (duplicate).
        """
        if quantity.size and int(quantity.min()) < 0:
            raise refuse(RejectionReason.OUT_OF_RANGE, "a quantity is negative", field="quantity")
        holder = _holder(participant, investor)
        order = np.lexsort((security, holder))
        holder, security, quantity = holder[order], security[order], quantity[order]
        if ((holder[1:] == holder[:-1]) & (security[1:] == security[:-1])).any():
            raise refuse(RejectionReason.DUPLICATE, "a holder's security is there twice", field="security")
        self._holder, self._security = holder, security
        self.taken, self.sellable = quantity.copy(), quantity.copy()
        self._index()

    def places(self, participant: Int64, investor: Int64, security: Int64) -> Int64:
        """Return the line of each item, or -1; with an investor id it is the segregated account's."""
        holder = _holder(participant, investor)
        who, known = _find(self._names, holder)
        place, found = _find(self._key, who << SECURITY_BITS | security)
        return np.where(known & found, place, -1).astype(np.int64)

    def dump(self) -> dict[str, bytes]:
        """Return the lines as named byte strings; nothing when there are none."""
        if not self._holder.size:
            return {}
        columns = {"holder": self._holder, "security": self._security, "taken": self.taken, "sellable": self.sellable}
        return {name: narrow(column) for name, column in columns.items()}

    def load(self, parts: Mapping[str, bytes]) -> None:
        """Take back a dump."""
        empty = narrow(np.zeros(0, np.int64))
        self._holder, self._security, self.taken, self.sellable = (
            widen(parts.get(name, empty)) for name in ("holder", "security", "taken", "sellable")
        )
        self._index()

    def _index(self) -> None:
        """Number the holders, so that a holder and a security are one sorted key."""
        self._names, number = np.unique(self._holder, return_inverse=True)
        self._key = number.astype(np.int64) << SECURITY_BITS | self._security


def _holder(participant: Int64, investor: Int64) -> Int64:
    """Return one number a holder: investor ids above zero, participants at and below it."""
    return np.where(investor > 0, investor, -participant).astype(np.int64)


def _find(keys: Int64, wanted: Int64) -> tuple[Int64, npt.NDArray[np.bool_]]:
    """Return for each item its place in sorted keys (0 where it is not there), and whether it is there."""
    if not keys.size:
        return np.zeros(wanted.size, np.int64), np.zeros(wanted.size, np.bool_)
    place = np.minimum(np.searchsorted(keys, wanted), keys.size - 1).astype(np.int64)
    found = keys[place] == wanted
    return np.where(found, place, 0), found


def _contains(keys: Int64, wanted: Int64) -> npt.NDArray[np.bool_]:
    return _find(keys, wanted)[1]
