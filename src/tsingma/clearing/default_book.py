"""Defaults as a state of the house: who is suspended or has defaulted since when and why, what it owes, who bore it.

A case begins with a suspension or a declaration and is numbered. What a close-out loses is owed to the central
counterparty by (fund, account, currency), a gain below zero; the central counterparty has paid it out, so its own money
and what is owed here always make good for each other. What nobody bore stays owed by nobody: written off.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

import msgspec

from tsingma.basics.rejection import InvariantBroken, RejectionReason, refuse

FUNDS = ("HKSCC", "HKCC", "SEOCH", "OTC Clear")
Owed = tuple[int, str, int, int]  # case, fund, account, currency


class DefaultStatus(StrEnum):
    """How a case stands."""

    SUSPENDED = "suspended"
    REINSTATED = "reinstated"
    DECLARED = "declared"
    CLOSED = "closed"


BARRED = (DefaultStatus.SUSPENDED, DefaultStatus.DECLARED, DefaultStatus.CLOSED)


class Turn(msgspec.Struct, frozen=True):
    """When a case came to a status, and why: the business day, seconds since 1970, a ground and people's reason."""

    status: DefaultStatus
    day: int
    at_s: int
    reason: str
    ground: str = ""


class Case(msgspec.Struct, frozen=True):
    """One case: the participant (an index), its turns so far, instructions its suspension holds, funds booked."""

    number: int
    participant: int
    turns: tuple[Turn, ...]
    held: tuple[int, ...] = ()
    booked: tuple[str, ...] = ()

    @property
    def status(self) -> DefaultStatus:
        """Return how it stands."""
        return self.turns[-1].status


class Borne(msgspec.Struct, frozen=True):
    """What one layer of a fund had and bore of a case, and who bore it (participant codes), HKD cents."""

    case: int
    fund: str
    kind: str
    available: int
    used: int
    borne_by: dict[str, int]


class DefaultBook:
    """All cases, what they owe, what was assessed and borne; and contributions to the funds."""

    def __init__(self) -> None:
        """Start with nobody in default and no fund."""
        self.cases: dict[int, Case] = {}
        self.owed: dict[Owed, int] = {}
        self.traded: dict[tuple[int, str], int] = {}  # what closing out series cost, HKD cents by (case, fund)
        self.assessed: dict[tuple[int, str, int], int] = {}  # HKD cents still to be paid by (case, fund, account)
        self.borne: list[Borne] = []
        self.required: dict[tuple[str, int], int] = {}  # HKD cents by (fund, account)
        self.pledged: dict[tuple[str, int], int] = {}
        self.written_off: dict[int, int] = {}  # cents by currency
        self.barred: dict[int, int] = {}  # participant to the number of its case

    def case(self, number: int, *statuses: DefaultStatus) -> Case:
        """Return a case; raises Rejected: unknown, or not-allowed when it stands otherwise than ``statuses``."""
        found = self.cases.get(number)
        if found is None:
            raise refuse(RejectionReason.UNKNOWN, f"there is no default {number}", field="default")
        if statuses and found.status not in statuses:
            said = " or ".join(statuses)
            raise refuse(
                RejectionReason.NOT_ALLOWED, f"it is {found.status}, not {said}", field="default", subject=str(number)
            )
        return found

    def case_of(self, participant: int) -> Case | None:
        """Return the case by which a participant is barred, or None."""
        number = self.barred.get(participant)
        return None if number is None else self.cases[number]

    def put(self, case: Case) -> Case:
        """Keep a case under its number."""
        self.cases[case.number] = case
        if case.status in BARRED:
            self.barred[case.participant] = case.number
        else:
            self.barred.pop(case.participant, None)
        return case

    def owe(self, case: int, fund: str, account: int, currency: int, cents: int) -> None:
        """Add to what a case owes, or take from it."""
        key = (case, fund, account, currency)
        after = self.owed.get(key, 0) + cents
        if after:
            self.owed[key] = after
        else:
            self.owed.pop(key, None)

    def owed_by(self, case: int, fund: str = "") -> Iterator[tuple[Owed, int]]:
        """Yield what a case owes to a fund ("" to all), in order."""
        return ((key, self.owed[key]) for key in sorted(self.owed) if key[0] == case and fund in ("", key[1]))

    def owed_in(self, currency: int) -> int:
        """Return what the central counterparty has paid for defaulters and nobody has borne, cents of a currency."""
        owed = sum(cents for key, cents in self.owed.items() if key[3] == currency)
        return owed + self.written_off.get(currency, 0)

    def contributed(self, fund: str) -> dict[int, int]:
        """Return what accounts have pledged to a fund, HKD cents, in order of account."""
        return {account: cents for (name, account), cents in sorted(self.pledged.items()) if name == fund and cents}

    def contributors(self, fund: str) -> list[int]:
        """Return the accounts that have contributed to a fund, in order, whatever is left of it."""
        return sorted(account for name, account in self.pledged if name == fund)

    def take_contribution(self, fund: str, account: int, cents: int) -> None:
        """Take from what an account has pledged to a fund; raises InvariantBroken below zero."""
        after = self.pledged.get((fund, account), 0) - cents
        if after < 0:
            raise InvariantBroken(f"account {account} has {after} cents in the fund of {fund}")
        self.pledged[fund, account] = after

    def check(self) -> None:
        """Raise InvariantBroken when layers of a case do not add up, or something is assessed or pledged below zero."""
        for layer in self.borne:
            if layer.used != sum(layer.borne_by.values()) or not 0 <= layer.used <= layer.available:
                raise InvariantBroken(f"default {layer.case}: {layer.kind} bore {layer.used} of {layer.available}")
        if any(cents <= 0 for cents in self.assessed.values()) or any(cents < 0 for cents in self.pledged.values()):
            raise InvariantBroken("an assessment or a contribution below zero")

    def dump(self) -> dict[str, bytes]:
        """Return the state; nothing at all before the first case and the first fund."""
        if not self.cases and not self.required:
            return {}
        encode = msgspec.msgpack.encode
        tables = {name: encode(sorted(getattr(self, name).items())) for name in _TABLES}
        return {
            **tables,
            "cases": encode([self.cases[number] for number in sorted(self.cases)]),
            "borne": msgspec.msgpack.Encoder(order="sorted").encode(self.borne),
        }

    def load(self, parts: dict[str, bytes]) -> None:
        """Take back a dump, or none."""
        if not parts:
            return
        for name, kind in _TABLES.items():
            setattr(self, name, dict(msgspec.msgpack.decode(parts[name], type=list[tuple[kind, int]])))  # type: ignore[valid-type]
        self.borne = msgspec.msgpack.decode(parts["borne"], type=list[Borne])
        for case in msgspec.msgpack.decode(parts["cases"], type=list[Case]):
            self.put(case)


_TABLES: dict[str, object] = {
    "owed": Owed,
    "traded": tuple[int, str],
    "assessed": tuple[int, str, int],
    "required": tuple[str, int],
    "pledged": tuple[str, int],
    "written_off": int,
}
