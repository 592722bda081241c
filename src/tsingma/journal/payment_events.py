"""Events of money in real time."""

from __future__ import annotations

import msgspec


class PaymentsSubmitted(msgspec.Struct, frozen=True, tag="payments-submitted"):
    """Payments are in, numbered from ``first``; so many settled by it (also earlier ones), so many wait now."""

    first: int
    count: int
    settled: int
    waiting: int


class PaymentChanged(msgspec.Struct, frozen=True, tag="payment-changed"):
    """A queued payment was cancelled (with its pair) or moved."""

    payment: int
    action: str


class PaymentLimitSet(msgspec.Struct, frozen=True, tag="payment-limit-set"):
    """A limit stands (or was taken away, ``cents`` below zero); ``used_cents`` is what it has let out net today."""

    account: int
    payee: int
    cents: int
    used_cents: int


class PaymentsRun(msgspec.Struct, frozen=True, tag="payments-run"):
    """The time of day moved on; ``figures`` are numbers of payments and cents."""

    time_s: int
    figures: dict[str, int]


class PaymentsSettled(msgspec.Struct, frozen=True, tag="payments-settled"):
    """Queued payments settled: money they waited for had come, or a proposal was carried out."""

    settled: int
    waiting: int


class IntradayRepoDrawn(msgspec.Struct, frozen=True, tag="intraday-repo-drawn"):
    """Money was lent against paper."""

    repo: int


class IntradayRepoRepaid(msgspec.Struct, frozen=True, tag="intraday-repo-repaid"):
    """A repo was paid back."""

    repo: int
    cents: int
    interest_cents: int


class PaperEarmarked(msgspec.Struct, frozen=True, tag="paper-earmarked"):
    """Paper stands ready for repo, up to its worth in cents."""

    line: int
    worth_cents: int


class PaperWithdrawn(msgspec.Struct, frozen=True, tag="paper-withdrawn"):
    """Paper is free again."""

    line: int


class MainlandReceived(msgspec.Struct, frozen=True, tag="mainland-received"):
    """Transfers from the mainland are noted, numbered from ``first``; so many of all that waited were credited."""

    first: int
    count: int
    credited: int


class MainlandAnswered(msgspec.Struct, frozen=True, tag="mainland-answered"):
    """Transfers to the mainland were confirmed or returned."""

    confirmed: int
    returned: int


class SmallPaymentsSent(msgspec.Struct, frozen=True, tag="small-payments-sent"):
    """What became of each: a code of ``small_payments.RESULTS`` (i1 column; 0 is paid)."""

    paid: int
    results: bytes


class WalletOpened(msgspec.Struct, frozen=True, tag="wallet-opened"):
    """A wallet is open, in this tier."""

    wallet: int
    tier: int


class WalletMoved(msgspec.Struct, frozen=True, tag="wallet-moved"):
    """A wallet has a new balance."""

    wallet: int
    balance_cents: int


class ReservedPaid(msgspec.Struct, frozen=True, tag="reserved-paid"):
    """A reservation was committed."""

    reservation: int
    amount: int


PaymentEvent = (
    PaymentsSubmitted
    | PaymentChanged
    | PaymentLimitSet
    | PaymentsRun
    | PaymentsSettled
    | IntradayRepoDrawn
    | IntradayRepoRepaid
    | PaperEarmarked
    | PaperWithdrawn
    | MainlandReceived
    | MainlandAnswered
    | SmallPaymentsSent
    | WalletOpened
    | WalletMoved
    | ReservedPaid
)
