"""Events of custody."""

from __future__ import annotations

import msgspec


class SecurityRegistered(msgspec.Struct, frozen=True, tag="security-registered"):
    """The security is in the register with so many units outstanding."""

    isin: str
    issued: int


class DepositoryOpened(msgspec.Struct, frozen=True, tag="depository-opened"):
    """The depository is known; ``chain`` leads to the home of registers."""

    code: str
    chain: tuple[str, ...]


class HoldingPlaced(msgspec.Struct, frozen=True, tag="holding-placed"):
    """The account keeps the security there from now on."""

    account: int
    isin: str
    depository: str


class NomineeReported(msgspec.Struct, frozen=True, tag="nominee-reported"):
    """What the nominee holds by report, and what its depository shares out."""

    depository: str
    isin: str
    units: int
    difference: int


class UnitsIssued(msgspec.Struct, frozen=True, tag="units-issued"):
    """Units came into being (plus) or ended (minus); ``issued`` is what is outstanding now."""

    isin: str
    units: int
    issued: int


class DueAnnounced(msgspec.Struct, frozen=True, tag="due-announced"):
    """Something will be paid on a security."""

    due: int
    kind: str
    isin: str
    record_day: int
    payment_day: int


class DuePaid(msgspec.Struct, frozen=True, tag="due-paid"):
    """Holders were paid; ``figures`` count holders, units taken back and cents."""

    due: int
    kind: str
    isin: str
    figures: dict[str, int]


class NonPaymentRecorded(msgspec.Struct, frozen=True, tag="non-payment-recorded"):
    """The payer failed; so many cents were due."""

    due: int
    isin: str
    due_cents: int


CustodyEvent = (
    SecurityRegistered
    | DepositoryOpened
    | HoldingPlaced
    | NomineeReported
    | UnitsIssued
    | DueAnnounced
    | DuePaid
    | NonPaymentRecorded
)
