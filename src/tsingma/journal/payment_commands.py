"""Commands on money in real time: payments and pairs of them, repo, the mainland link, small payments, wallets."""

from __future__ import annotations

import msgspec


class SubmitPayments(msgspec.Struct, frozen=True, tag="submit-payments", forbid_unknown_fields=True):
    """Take payments in, in order: each settles at once, with others, or waits; refused whole when one is bad.

    ``columns`` are packed columns by name, with the types and defaults of ``engine.payments.COLUMNS``: reference,
    payer, payee, asset, amount, priority (0 urgent, 1 high, 2 normal), due_s (-1: none), on_behalf, pair (a number that
    two neighbours share: both settle at one instant or neither; 0: none), mainland (1: leaves over the link).
    ``participant`` is who sends them ("" for the house's intake, which alone takes pairs), ``time_s`` the time of day.
    """

    source: str
    participant: str
    time_s: int
    columns: dict[str, bytes]


class ChangePayment(msgspec.Struct, frozen=True, tag="change-payment", forbid_unknown_fields=True):
    """Cancel a queued payment, or put it first or last of the queue of priority ``value``; by its payer only.

    ``action`` is "cancel", "first" or "last". Cancelling one leg of a pair cancels both; a leg moves by itself.
    """

    payment: int
    action: str
    participant: str
    time_s: int
    value: int = 2


class SetPaymentLimit(msgspec.Struct, frozen=True, tag="set-payment-limit", forbid_unknown_fields=True):
    """Bound what an account sends net in a currency (an index), by normal payments that are no leg of a pair.

    ``payee`` is an account, or -1 for all without a limit of their own; ``cents`` below zero takes the limit away.
    """

    participant: str
    account: int
    currency: int
    payee: int
    cents: int
    time_s: int


class RunPayments(msgspec.Struct, frozen=True, tag="run-payments", forbid_unknown_fields=True):
    """Move the time of day on: systems open and close. ``algorithm`` "multilateral" then offsets all queues."""

    time_s: int
    algorithm: str = ""


class SettlePayments(msgspec.Struct, frozen=True, tag="settle-payments", forbid_unknown_fields=True):
    """Settle these queued payments at one instant: only the balances after all of them count; all or none.

    ``payment`` is an i4 column of rising numbers. ``basis`` says how the set was found; nothing rests on it.
    """

    basis: str
    time_s: int
    payment: bytes


class DrawIntradayRepo(msgspec.Struct, frozen=True, tag="draw-intraday-repo", forbid_unknown_fields=True):
    """Borrow ``cents`` of a currency (an index) within the day against a quantity of eligible paper."""

    participant: str
    account: int
    currency: int
    security: int
    quantity: int
    cents: int
    time_s: int


class RepayIntradayRepo(msgspec.Struct, frozen=True, tag="repay-intraday-repo", forbid_unknown_fields=True):
    """Pay a repo back and take its paper."""

    participant: str
    repo: int
    time_s: int


class EarmarkPaper(msgspec.Struct, frozen=True, tag="earmark-paper", forbid_unknown_fields=True):
    """Pledge eligible paper, so that payments of the account draw what they lack by themselves, within its worth."""

    participant: str
    account: int
    currency: int
    security: int
    quantity: int
    time_s: int


class WithdrawPaper(msgspec.Struct, frozen=True, tag="withdraw-paper", forbid_unknown_fields=True):
    """Take earmarked paper back that nothing drawn stands against."""

    participant: str
    line: int
    time_s: int


class ReceiveFromMainland(msgspec.Struct, frozen=True, tag="receive-from-mainland", forbid_unknown_fields=True):
    """Renminbi has arrived on the other side for accounts here.

    Columns: ``reference`` i8, ``account`` i4, ``cents`` i8.
    """

    time_s: int
    reference: bytes
    account: bytes
    cents: bytes


class AnswerFromMainland(msgspec.Struct, frozen=True, tag="answer-from-mainland", forbid_unknown_fields=True):
    """The other side confirms or returns transfers that were sent.

    Columns: ``transfer`` i4, ``confirmed`` i1 (0: returned).
    """

    time_s: int
    transfer: bytes
    confirmed: bytes


class SendSmallPayments(msgspec.Struct, frozen=True, tag="send-small-payments", forbid_unknown_fields=True):
    """Fast payments of persons, at any hour of any ``day``: each is paid at once or answers why not.

    Columns: ``person`` i8, ``payer`` and ``payee`` i4 (accounts; what goes across needs no payee), ``currency``
    i1, ``purpose`` i1 (0 domestic, 1 Payment Connect, 2 same name), ``cents`` i8.
    """

    day: int
    person: bytes
    payer: bytes
    payee: bytes
    currency: bytes
    purpose: bytes
    cents: bytes


class OpenWallet(msgspec.Struct, frozen=True, tag="open-wallet", forbid_unknown_fields=True):
    """Open a person's e-CNY wallet of a tier at an operator (an account), or change its tier."""

    person: int
    operator: int
    tier: int
    day: int


class MoveWallet(msgspec.Struct, frozen=True, tag="move-wallet", forbid_unknown_fields=True):
    """Top up a wallet from an account, pay a merchant's account, or cash to an account; refused beyond its tier."""

    wallet: int
    move: str
    account: int
    cents: int
    day: int


class PayReserved(msgspec.Struct, frozen=True, tag="pay-reserved", forbid_unknown_fields=True):
    """Commit a reservation: pay all it holds to an account. It ends once: paid, given back, or expired at day end."""

    reservation: int
    participant: str
    payee: int


PaymentCommand = (
    SubmitPayments
    | ChangePayment
    | SetPaymentLimit
    | RunPayments
    | SettlePayments
    | DrawIntradayRepo
    | RepayIntradayRepo
    | EarmarkPaper
    | WithdrawPaper
    | ReceiveFromMainland
    | AnswerFromMainland
    | SendSmallPayments
    | OpenWallet
    | MoveWallet
    | PayReserved
)
