"""Commands of the token ledger, and of the book where it settles against it.

Two ledgers keep two journals. What settles between them is an :class:`Agreement`, which both are told word for word;
amounts are cents of money or of face, times are whole seconds since 1970-01-01 00:00, Hong Kong time.
"""

from __future__ import annotations

import msgspec


class Leg(msgspec.Struct, frozen=True, array_like=True):
    """An amount of one asset from one account (on the book) or wallet (on the token ledger) to another."""

    debit: int
    credit: int
    asset: int
    amount: int


class Agreement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What happens on both ledgers or on neither: committed from ``settle_from`` to before ``decide_by``, or let go."""

    settlement: str
    book_legs: tuple[Leg, ...]
    token_legs: tuple[Leg, ...]
    decide_by: int
    settle_from: int = 0


class Receipt(msgspec.Struct, frozen=True, array_like=True):
    """Where a ledger recorded what it says: number and hash of the record in its journal."""

    sequence: int
    hash: bytes


class CouponPeriod(msgspec.Struct, frozen=True, array_like=True):
    """One interest period, as day numbers: who holds at the end of ``record_day`` is paid from ``pay_day`` on."""

    start: int
    end: int
    record_day: int
    pay_day: int


class TokenTerms(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The contract of a bond, or of tokenised money (no periods, maturity 0, size 0: as much as is deposited).

    ``book_asset`` is what the token stands for on the book and ``book_account`` the account that mirrors it: a bond's
    custodial mirror, or where money that was tokenised lies. ``denomination_cents`` is also the calculation amount.
    ``money_token`` pays holders who elect it (-1: none).
    """

    code: str
    currency: str
    denomination_cents: int
    book_asset: int
    book_account: int
    size_cents: int = 0
    coupon_e9: int = 0
    day_count: str = "ACT/365F"
    issue_day: int = 0
    maturity_day: int = 0
    periods: tuple[CouponPeriod, ...] = ()
    money_token: int = -1
    is_money: bool = False


class Wallet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A wallet, its holder's account on the book, and whether coupons come as tokenised money where there is some."""

    name: str
    book_account: int
    elects_tokens: bool = False


class TellTime(msgspec.Struct, frozen=True, tag="tell-time", forbid_unknown_fields=True):
    """Move a ledger's settlement clock: never back. What is due by then happens in this command."""

    at: int


class ReserveLegs(msgspec.Struct, frozen=True, tag="reserve-legs", forbid_unknown_fields=True):
    """Set a ledger's own legs of an agreement aside; on the token ledger this is the promise to deliver."""

    agreement: Agreement


class DecideSettlement(msgspec.Struct, frozen=True, tag="decide-settlement", forbid_unknown_fields=True):
    """Ask the book, which alone decides, to commit (with the token ledger's receipt) or to let go.

    The answer is what was decided, now or before. ``agreement`` is the digest of the agreement.
    """

    settlement: str
    agreement: bytes
    commit: bool
    token_receipt: Receipt | None = None


class CompleteLegs(msgspec.Struct, frozen=True, tag="complete-legs", forbid_unknown_fields=True):
    """Tell the token ledger what the book decided, when, and where that is recorded."""

    settlement: str
    agreement: bytes
    committed: bool
    decided_at: int
    book_receipt: Receipt


class OpenWallets(msgspec.Struct, frozen=True, tag="open-wallets", forbid_unknown_fields=True):
    """Open wallets; they are numbered in order, after those there are."""

    wallets: tuple[Wallet, ...]


class IssueToken(msgspec.Struct, frozen=True, tag="issue-token", forbid_unknown_fields=True):
    """Put a contract on the token ledger, with the wallets its issuer uses and permits."""

    terms: TokenTerms
    issuer_wallet: int
    permitted: tuple[int, ...]


class PermitWallets(msgspec.Struct, frozen=True, tag="permit-wallets", forbid_unknown_fields=True):
    """Permit wallets to receive a token, or no longer; what they hold stays theirs."""

    token: int
    wallets: tuple[int, ...]
    permitted: bool


class TransferTokens(msgspec.Struct, frozen=True, tag="transfer-tokens", forbid_unknown_fields=True):
    """Move tokens between wallets, all legs or none: free, or against tokenised money on this ledger alone."""

    legs: tuple[Leg, ...]


class FreezeWallet(msgspec.Struct, frozen=True, tag="freeze-wallet", forbid_unknown_fields=True):
    """Freeze or free a wallet in one token on the issuer's behalf; what was reserved before is still delivered."""

    token: int
    wallet: int
    frozen: bool
    reason: str


class ForceTransfer(msgspec.Struct, frozen=True, tag="force-transfer", forbid_unknown_fields=True):
    """Move a token on the issuer's behalf, also out of a frozen wallet, for a reason that is recorded."""

    leg: Leg
    reason: str


class PayCoupon(msgspec.Struct, frozen=True, tag="pay-coupon", forbid_unknown_fields=True):
    """Let the contract pay a coupon (its number from 0) in tokenised money to the holders who elect it."""

    token: int
    period: int


class KeepMoneyHours(msgspec.Struct, frozen=True, tag="keep-money-hours", forbid_unknown_fields=True):
    """Hold the book's money legs to the hours of their gross systems from now on, or (``kept`` false) to none.

    A book that was never told settles money at any hour.
    """

    kept: bool


SettlementCommand = TellTime | ReserveLegs | DecideSettlement | KeepMoneyHours
TokenLedgerCommand = (
    CompleteLegs | OpenWallets | IssueToken | PermitWallets | TransferTokens | FreezeWallet | ForceTransfer | PayCoupon
)
TokenCommand = SettlementCommand | TokenLedgerCommand
