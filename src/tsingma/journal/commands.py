"""Every command the house takes, as one tagged union; the encoded command is the body of a journal record.

Bulk commands carry packed little-endian columns (``tsingma.basics.columns``): all columns of one command have
the same number of items. Accounts, assets and counters are indices into the loaded reference book.
"""

from __future__ import annotations

import msgspec

from tsingma.journal.act_commands import ActCommand
from tsingma.journal.corporate_action_commands import CorporateActionCommand
from tsingma.journal.custody_commands import CustodyCommand
from tsingma.journal.default_commands import DefaultCommand
from tsingma.journal.link_commands import LinkCommand
from tsingma.journal.link_order_commands import LinkOrderCommand
from tsingma.journal.origin import Origin, command_bytes, with_origin
from tsingma.journal.payment_commands import PaymentCommand
from tsingma.journal.pool_commands import PoolCommand
from tsingma.journal.swap_commands import SwapCommand
from tsingma.journal.token_commands import TokenCommand
from tsingma.reference.book import ReferenceBook


class LoadReference(msgspec.Struct, frozen=True, tag="load-reference", forbid_unknown_fields=True):
    """Install the instruments, participants and accounts; allowed once, before the first day is opened."""

    book: ReferenceBook


class OpenDay(msgspec.Struct, frozen=True, tag="open-day", forbid_unknown_fields=True):
    """Open a business day: the business clock moves to it. ``day`` counts from 1970-01-01."""

    day: int


class DepositAssets(msgspec.Struct, frozen=True, tag="deposit-assets", forbid_unknown_fields=True):
    """Bring securities or money into the house: from the issuer or the settlement bank to accounts.

    Columns: ``owner`` i4 (account), ``asset`` i4, ``amount`` i8 (shares, or cents), all positive.
    """

    owner: bytes
    asset: bytes
    amount: bytes


class PostTransfers(msgspec.Struct, frozen=True, tag="post-transfers", forbid_unknown_fields=True):
    """Move assets between accounts free of payment, or against payment where ``linked`` joins neighbours.

    Columns: ``debit`` i4 and ``credit`` i4 (accounts), ``asset`` i4, ``amount`` i8, ``linked`` i1 (1 joins the
    transfer to the next one: the chain is all or nothing).
    """

    debit: bytes
    credit: bytes
    asset: bytes
    amount: bytes
    linked: bytes


class CaptureTrades(msgspec.Struct, frozen=True, tag="capture-trades", forbid_unknown_fields=True):
    """Register executed trades of the open day for novation and netting; refused whole when one is bad.

    Columns: ``trade_id`` i8, ``time_s`` i4 (seconds after midnight), ``counter`` i4, ``buyer`` i4 and ``seller`` i4
    (accounts), ``quantity`` i8, ``price_e4`` i8, ``mode`` i1 (0 CNS, 1 isolated, 2 real-time DvP), ``maker`` i1
    (bit 0: the buyer is an exempt market maker, bit 1: the seller is).
    """

    source: str  # file name and content digest, for the audit trail
    trade_day: int
    trade_id: bytes
    time_s: bytes
    counter: bytes
    buyer: bytes
    seller: bytes
    quantity: bytes
    price_e4: bytes
    mode: bytes
    maker: bytes


class SetClosingPrices(msgspec.Struct, frozen=True, tag="set-closing-prices", forbid_unknown_fields=True):
    """Fix the closing prices of counters and the day's conversion rates to HKD.

    Columns: ``counter`` i4, ``price_e4`` i8; ``fx_e6`` is one rate per house currency, HKD per unit x 1,000,000.
    """

    counter: bytes
    price_e4: bytes
    fx_e6: tuple[int, ...]


class RunStep(msgspec.Struct, frozen=True, tag="run-step", forbid_unknown_fields=True):
    """Run one step of the day's timetable, for example ``batch-settlement-run-1`` or ``money-settlement``."""

    step: str


class ChangeInstruction(msgspec.Struct, frozen=True, tag="change-instruction", forbid_unknown_fields=True):
    """Hold, release, cancel, prioritise ... one gross instruction on behalf of a participant (settlement, ``life``).

    ``value`` is the priority of ``prioritise`` (0 reserved to 3 normal) or the quantity of ``release-part``.
    """

    instruction: int
    action: str
    participant: str
    value: int = 0


class SubmitInstructions(msgspec.Struct, frozen=True, tag="submit-instructions", forbid_unknown_fields=True):
    """Take in orders of one side, match them, and take in what is matched already; each answers for itself.

    ``columns`` are packed columns by name, with the types and defaults of ``settlement.orders.ORDER_COLUMNS``.
    ``participant`` is who sends them ("" for the house's own intake), ``time_s`` the time of day in seconds.
    """

    source: str
    participant: str
    time_s: int
    columns: dict[str, bytes]


class ChangeOrder(msgspec.Struct, frozen=True, tag="change-order", forbid_unknown_fields=True):
    """Cancel, hold, release, prioritise ... an order that has no match yet, on behalf of its participant."""

    order: int
    action: str
    participant: str
    value: int = 0


class LinkInstructions(msgspec.Struct, frozen=True, tag="link-instructions", forbid_unknown_fields=True):
    """Link instructions that a participant is party to: "together", or each "before" ("after") the next."""

    kind: str
    instructions: tuple[int, ...]
    participant: str


class SetCreditLine(msgspec.Struct, frozen=True, tag="set-credit-line", forbid_unknown_fields=True):
    """Set an account's intraday credit in a currency (an index): unsecured, net debit cap (-1: none), against stock."""

    account: int
    currency: int
    credit_cents: int
    cap_cents: int
    collateral_cents: int


class ReserveAssets(msgspec.Struct, frozen=True, tag="reserve-assets", forbid_unknown_fields=True):
    """Set an amount of an account's asset aside to the end of ``last_day``, for an instruction or (-1) for none."""

    participant: str
    account: int
    asset: int
    amount: int
    last_day: int
    instruction: int = -1


class EndReservation(msgspec.Struct, frozen=True, tag="end-reservation", forbid_unknown_fields=True):
    """Give back what a reservation still holds."""

    reservation: int
    participant: str


class CollectClaims(msgspec.Struct, frozen=True, tag="collect-claims", forbid_unknown_fields=True):
    """Pay penalties, price differences and compensation that are owed, as far as the payers have the money."""


class StartBuyIn(msgspec.Struct, frozen=True, tag="start-buy-in", forbid_unknown_fields=True):
    """Have an agent (an account) buy what a failing instruction does not deliver, for its receiver."""

    instruction: int
    agent: int
    participant: str


class ReportBuyIn(msgspec.Struct, frozen=True, tag="report-buy-in", forbid_unknown_fields=True):
    """Book what the agent bought and its costs; ``compensate`` settles the rest in money."""

    instruction: int
    quantity: int
    price_e4: int
    costs_cents: int
    compensate: bool
    participant: str


class BuyInShort(msgspec.Struct, frozen=True, tag="buy-in-short", forbid_unknown_fields=True):
    """Buy stock of an agent (an account) for a failing short position of continuous net settlement, for its account."""

    account: int
    security: int
    agent: int
    quantity: int
    price_e4: int


class CaptureInstructions(msgspec.Struct, frozen=True, tag="capture-instructions", forbid_unknown_fields=True):
    """Take matched gross instructions into the books; refused whole when one is bad.

    Columns: ``reference`` i8, ``deliverer`` and ``receiver`` i4 (accounts), ``security`` i4 (-1: money only, which
    then the deliverer pays), ``quantity`` i8, ``currency`` i1, ``amount_cents`` i8 (0: free of payment), ``priority``
    i1 (0 settles first, 3 last).
    """

    source: str
    intended_day: int
    reference: bytes
    deliverer: bytes
    receiver: bytes
    security: bytes
    quantity: bytes
    currency: bytes
    amount_cents: bytes
    priority: bytes


class SettleTogether(
    msgspec.Struct, frozen=True, tag="settle-together", forbid_unknown_fields=True, omit_defaults=True
):
    """Settle these instructions at one instant: only the balances after all of them count; all of them or none.

    ``instruction`` is an i4 column of rising numbers that settle whole, ``part`` one of rising numbers of which
    ``part_units`` (i8) settle. ``basis`` says how the set was found; nothing rests on it.
    """

    basis: str
    instruction: bytes
    part: bytes = b""
    part_units: bytes = b""


class CallMargin(msgspec.Struct, frozen=True, tag="call-margin", forbid_unknown_fields=True):
    """Set each account's margin requirement in HKD cents; the house pledges money up to it.

    Columns: ``account`` i4, ``requirement_cents`` i8. ``basis`` names model and parameters.
    """

    basis: str
    account: bytes
    requirement_cents: bytes


class ListSeries(msgspec.Struct, frozen=True, tag="list-series", forbid_unknown_fields=True, omit_defaults=True):
    """List futures and options series: id, house, kind, underlying, multiplier, strike e4, expiry day of each.

    ``currencies`` gives the money of each, when they are not all HKD.
    """

    series: tuple[tuple[str, str, str, str, int, int, int], ...]
    currencies: tuple[str, ...] = ()


class CaptureDerivatives(msgspec.Struct, frozen=True, tag="capture-derivatives", forbid_unknown_fields=True):
    """Register executed trades in futures and options for novation; refused whole when one is bad.

    Columns: ``trade_id`` i8, ``series`` i4 (in the order listed), ``buyer`` and ``seller`` i4 (accounts),
    ``quantity`` i8 (contracts), ``price_e4`` i8.
    """

    source: str
    trade_id: bytes
    series: bytes
    buyer: bytes
    seller: bytes
    quantity: bytes
    price_e4: bytes


class MarkDerivatives(msgspec.Struct, frozen=True, tag="mark-derivatives", forbid_unknown_fields=True):
    """Fix settlement prices and move the day's money: variation margin, premium, exercise.

    Columns: ``series`` i4, ``price_e4`` i8. ``index_e4`` is the index on which expiring index options are exercised.
    """

    series: bytes
    price_e4: bytes
    index_e4: int


class CloseDay(msgspec.Struct, frozen=True, tag="close-day", forbid_unknown_fields=True):
    """Close the business day: every invariant is checked, fails roll into the next netting."""


Command = (
    LoadReference
    | OpenDay
    | DepositAssets
    | PostTransfers
    | CaptureTrades
    | SetClosingPrices
    | RunStep
    | ChangeInstruction
    | SubmitInstructions
    | ChangeOrder
    | LinkInstructions
    | SetCreditLine
    | ReserveAssets
    | EndReservation
    | CollectClaims
    | StartBuyIn
    | ReportBuyIn
    | BuyInShort
    | CaptureInstructions
    | SettleTogether
    | CallMargin
    | ListSeries
    | CaptureDerivatives
    | MarkDerivatives
    | CloseDay
    | CustodyCommand
    | LinkOrderCommand
    | CorporateActionCommand
    | TokenCommand
    | PoolCommand
    | SwapCommand
    | PaymentCommand
    | LinkCommand
    | ActCommand
    | DefaultCommand
)


class Signed(msgspec.Struct, frozen=True):
    """A command and who told it; it is carried out as the command alone."""

    command: Command
    origin: Origin


Submitted = Command | Signed

_ENCODER = msgspec.msgpack.Encoder()
_DECODER: msgspec.msgpack.Decoder[Command] = msgspec.msgpack.Decoder(Command)


def encode(submitted: Submitted) -> bytes:
    """Return the journal body of a command (msgpack, one fixed field order), with who told it where that is known."""
    if isinstance(submitted, Signed):
        return with_origin(_ENCODER.encode(submitted.command), submitted.origin)
    return _ENCODER.encode(submitted)


def command_of(submitted: Submitted) -> Command:
    """Return the command itself, whoever told it."""
    return submitted.command if isinstance(submitted, Signed) else submitted


def decode(body: bytes) -> Command:
    """Return the command of a journal body, whoever told it; raises msgspec.DecodeError when it is none."""
    try:
        return _DECODER.decode(command_bytes(body))
    except UnicodeDecodeError as error:  # what msgspec raises for text that is none
        raise msgspec.DecodeError(str(error)) from None
