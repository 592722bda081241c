"""The state of the pool: what is pledged, to whom it is allotted, who reuses it, what is being substituted.

Everything an account pledges is pledged in the ledger too, so it is not available for anything else. Part of it is
allotted to takers; a taker may reuse what is allotted to it with another taker, which counts there for the taker's own
call, as often as the rules of the day allow. Nothing here moves prices: coverage is asked with a valuation.
"""

from __future__ import annotations

from typing import NamedTuple, TypeVar

import msgspec

from tsingma.basics.rejection import InvariantBroken, RejectionReason, refuse
from tsingma.margin.pool.terms import BANK, Listing, Valuation, reuses_ever, rules_of
from tsingma.margin.resources.collateral import E4


class Held(NamedTuple):
    """An account's asset, as allotted to a taker at the end of a chain of reuse (the chain starts with the house)."""

    account: int
    asset: int
    chain: tuple[str, ...]  # ("HKSCC",) is allotted; ("HKSCC", "CHINACLEAR") is reused once


class Substitution(msgspec.Struct, frozen=True, kw_only=True):
    """One exchange under way: ``delivered`` says whether the incoming asset counts already."""

    number: int
    account: int
    taker: str
    out_asset: int
    out_amount: int
    in_asset: int
    in_amount: int
    last_day: int
    delivered: bool = False


class PoolLoan(msgspec.Struct, frozen=True, kw_only=True):
    """Intraday credit against the pool: cents of a currency (an index), owed by an account to the settlement bank."""

    number: int
    account: int
    currency: int
    cents: int
    hkd_cents: int  # at the rate of the moment it was drawn: what the pool covers


Key = TypeVar("Key")


def _set(table: dict[Key, int], key: Key, value: int) -> None:
    """Keep a number that is not zero, and no other."""
    if value:
        table[key] = value
    else:
        table.pop(key, None)


class PoolBook:
    """Pledges, allotments, calls, substitutions and loans; amounts are shares or cents, calls HKD cents."""

    def __init__(self) -> None:
        """Start with nothing pledged."""
        self.listed: dict[int, Listing] = {}
        self.pledged: dict[tuple[int, int], int] = {}
        self.allotted: dict[Held, int] = {}
        self.required: dict[tuple[int, str], int] = {}  # (account, taker)
        self.lodged: dict[tuple[str, str], int] = {}  # what one house must lodge with another, HKD cents
        self.substitutions: dict[int, Substitution] = {}
        self.loans: dict[int, PoolLoan] = {}
        self.numbered = 0

    def next_number(self) -> int:
        """Return the number of the next substitution or loan."""
        self.numbered += 1
        return self.numbered

    def listing(self, asset: int) -> Listing:
        """Return what an asset is as collateral; raises Rejected (not-allowed) for one that is not listed."""
        found = self.listed.get(asset)
        if found is None:
            remedy = "list it first"
            raise refuse(RejectionReason.NOT_ALLOWED, f"asset {asset} is no collateral", field="asset", remedy=remedy)
        return found

    def free(self, account: int, asset: int) -> int:
        """Return what an account has pledged of an asset and no taker was allotted."""
        mine = (
            amount for held, amount in self.allotted.items() if held[:2] == (account, asset) and len(held.chain) == 1
        )
        return self.pledged.get((account, asset), 0) - sum(mine)

    def unreused(self, held: Held) -> int:
        """Return what the last of a chain holds of an asset and has not reused itself."""
        onward = sum(
            amount for other, amount in self.allotted.items()
            if other[:2] == held[:2] and len(other.chain) == len(held.chain) + 1 and other.chain[:-1] == held.chain
        )  # fmt: skip
        return self.allotted.get(held, 0) - onward

    def allot(self, held: Held, amount: int) -> None:
        """Add to (or, below zero, take from) what a chain holds; raises InvariantBroken below zero."""
        after = self.allotted.get(held, 0) + amount
        if after < 0:
            raise InvariantBroken(f"{held} holds {after} in the pool")
        _set(self.allotted, held, after)

    def pledge(self, account: int, asset: int, amount: int) -> None:
        """Add to what an account has pledged, or take from it; raises InvariantBroken below zero."""
        after = self.pledged.get((account, asset), 0) + amount
        if after < 0:
            raise InvariantBroken(f"account {account} has {after} of asset {asset} in the pool")
        _set(self.pledged, (account, asset), after)

    def covered(self, account: int, taker: str, valuation: Valuation, call: int | None = None) -> int:
        """Return what an account's allotments count for with a taker, HKD cents.

        What is above the taker's ceiling on a kind does not count, and without its minimum in cash of the settlement
        currency the whole counts only as far as that cash carries it. ``call`` is what they are to cover, when that is
        not the taker's call on the pool.
        """
        rules = rules_of(taker, valuation.day)
        call = self.call(account, taker) if call is None else call
        by_kind: dict[str, int] = {}
        for held, amount in self.allotted.items():
            if held.account == account and held.chain == (taker,):
                listing = self.listed[held.asset]
                worth = valuation.lendable_cents(taker, held.asset, listing, amount)
                by_kind[listing.kind] = by_kind.get(listing.kind, 0) + worth
        if call:
            for kind, ceiling in rules.kind_ceiling_e4.items():
                by_kind[kind] = min(by_kind.get(kind, 0), call * ceiling // E4)
        total = sum(by_kind.values())
        if call and rules.cash_minimum_e4:
            total = min(total, by_kind.get(rules.settlement_cash, 0) * E4 // rules.cash_minimum_e4)
        return total

    def lodged_value(self, house: str, other: str, valuation: Valuation) -> int:
        """Return what a house has lodged with another by reuse counts for there, HKD cents."""
        return sum(
            valuation.lendable_cents(other, held.asset, self.listed[held.asset], amount)
            for held, amount in self.allotted.items()
            if held.chain[-2:] == (house, other)
        )

    def call(self, account: int, taker: str) -> int:
        """Return what an account must cover with a taker, HKD cents; loans stand for the bank's call."""
        owed = sum(loan.hkd_cents for loan in self.loans.values() if loan.account == account) if taker == BANK else 0
        return self.required.get((account, taker), 0) + owed

    def shortfalls(self, valuation: Valuation) -> dict[tuple[int, str], int]:
        """Return by (account, taker) what calls are not covered, HKD cents; empty when all are."""
        keys = {*self.required, *((loan.account, BANK) for loan in self.loans.values())}
        found = {}
        for account, taker in sorted(keys):
            missing = self.call(account, taker) - self.covered(account, taker, valuation)
            if missing > 0:
                found[account, taker] = missing
        return found

    def check(self) -> None:
        """Raise InvariantBroken when more is allotted than pledged, reused than held, or a chain is too long."""
        for account, asset in {held[:2] for held in self.allotted}:
            if self.free(account, asset) < 0:
                raise InvariantBroken(f"account {account}, asset {asset}: more allotted than pledged")
        for held in self.allotted:
            if self.unreused(held) < 0:
                raise InvariantBroken(f"{held}: more reused than held")
            if len(held.chain) > reuses_ever() + 1:
                raise InvariantBroken(f"{held}: reused more than {reuses_ever()} times")
            if len(held.chain) > 1 and held._replace(chain=held.chain[:-1]) not in self.allotted:
                raise InvariantBroken(f"{held}: reused by who does not hold it")

    def dump(self) -> dict[str, bytes]:
        """Return the state as named byte strings, in a defined order."""
        if not self.numbered and not self.listed and not self.required and not self.lodged:
            return {}
        encode = msgspec.msgpack.encode
        return {
            "listed": encode(sorted(self.listed.items())),
            "pledged": encode(sorted(self.pledged.items())),
            "allotted": encode(sorted(self.allotted.items())),
            "required": encode(sorted(self.required.items())),
            "lodged": encode(sorted(self.lodged.items())),
            "substitutions": encode([self.substitutions[number] for number in sorted(self.substitutions)]),
            "loans": encode([self.loans[number] for number in sorted(self.loans)]),
            "numbered": encode(self.numbered),
        }

    def load(self, parts: dict[str, bytes]) -> None:
        """Take back a dump; an older house has none."""
        if not parts:
            return
        decode = msgspec.msgpack.decode
        self.listed = dict(decode(parts["listed"], type=list[tuple[int, Listing]]))
        self.pledged = dict(decode(parts["pledged"], type=list[tuple[tuple[int, int], int]]))
        raw = decode(parts["allotted"], type=list[tuple[tuple[int, int, tuple[str, ...]], int]])
        self.allotted = {Held(*key): amount for key, amount in raw}
        self.required = dict(decode(parts["required"], type=list[tuple[tuple[int, str], int]]))
        self.lodged = dict(decode(parts["lodged"], type=list[tuple[tuple[str, str], int]]))
        self.substitutions = {one.number: one for one in decode(parts["substitutions"], type=list[Substitution])}
        self.loans = {one.number: one for one in decode(parts["loans"], type=list[PoolLoan])}
        self.numbered = decode(parts["numbered"], type=int)
