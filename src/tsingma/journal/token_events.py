"""What the token ledger answers, and the book where it settles against it."""

from __future__ import annotations

import msgspec


class TimeTold(msgspec.Struct, frozen=True, tag="time-told"):
    """The settlement clock stands at ``at``; ``ended`` agreements were let go, ``overdue`` wait for the decision."""

    at: int
    ended: int
    overdue: int
    snapshots: int


class LegsReserved(msgspec.Struct, frozen=True, tag="legs-reserved"):
    """The ledger's own legs of an agreement (its digest) are set aside."""

    settlement: str
    agreement: bytes


class SettlementDecided(msgspec.Struct, frozen=True, tag="settlement-decided"):
    """What the book decided, and when by its settlement clock; final."""

    settlement: str
    agreement: bytes
    committed: bool
    decided_at: int


class LegsCompleted(msgspec.Struct, frozen=True, tag="legs-completed"):
    """The token ledger has done what the book decided."""

    settlement: str
    committed: bool


class WalletsOpened(msgspec.Struct, frozen=True, tag="wallets-opened"):
    """Wallets are numbered from ``first``."""

    first: int
    count: int


class TokenIssued(msgspec.Struct, frozen=True, tag="token-issued"):
    """The contract is on the ledger."""

    token: int


class WalletsPermitted(msgspec.Struct, frozen=True, tag="wallets-permitted"):
    """So many wallets may receive the token now."""

    token: int
    count: int


class TokensTransferred(msgspec.Struct, frozen=True, tag="tokens-transferred"):
    """Every leg was booked."""

    legs: int


class WalletFrozen(msgspec.Struct, frozen=True, tag="wallet-frozen"):
    """The wallet is frozen in the token, or free."""

    token: int
    wallet: int
    frozen: bool


class CouponPaid(msgspec.Struct, frozen=True, tag="coupon-paid"):
    """The contract paid so many holders, in cents of tokenised money."""

    token: int
    period: int
    holders: int
    amount_cents: int


class MoneyHoursKept(msgspec.Struct, frozen=True, tag="money-hours-kept"):
    """The book's money legs are held to the hours of their systems, or no longer."""

    kept: bool


TokenEvent = (
    TimeTold
    | MoneyHoursKept
    | LegsReserved
    | SettlementDecided
    | LegsCompleted
    | WalletsOpened
    | TokenIssued
    | WalletsPermitted
    | TokensTransferred
    | WalletFrozen
    | CouponPaid
)
