"""Acts of default management in words, to commands and back: who is suspended, declared, closed out, ported.

Accounts are ``PARTICIPANT/CLASS``, securities ISINs (or codes of counters, when they are asked for), money cents. An
act tells no time: it is done when it is approved.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from tsingma.app.book_names import account_of, asset_of, security_of
from tsingma.basics.columns import pack, unpack
from tsingma.journal import default_commands as do
from tsingma.reference.book import ResolvedBook

LINES_MAX = 5_000
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
Number = Annotated[int, msgspec.Meta(ge=0, le=2**40)]
Amount = Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class _Act(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="act"):
    """An act by its name, the field ``act``."""


class SuspendAct(_Act, frozen=True, tag="suspend-participant"):
    """Take nothing new from a participant."""

    participant: Name
    reason: Reason


class ReinstateAct(_Act, frozen=True, tag="reinstate-participant"):
    """End a suspension."""

    participant: Name
    reason: Reason


class DeclareAct(_Act, frozen=True, tag="declare-default"):
    """Declare a default on a ground: failure-to-pay, failure-of-margin, insolvency or decision."""

    participant: Name
    ground: Name
    reason: Reason


class ContributionOf(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an account contributes to a fund, HKD cents."""

    account: Name
    cents: Amount


class CallFundAct(_Act, frozen=True, tag="call-fund"):
    """Set contributions to the default fund of a house; ``basis`` says how it was sized."""

    fund: Name
    basis: Name
    contributions: Annotated[tuple[ContributionOf, ...], msgspec.Meta(min_length=1, max_length=LINES_MAX)]


class CloseOutAct(_Act, frozen=True, tag="close-out-position"):
    """Give a taker what a defaulter's account has open in a security, at a price in ten-thousandths."""

    default: Number
    account: Name
    security: Name
    taker: Name
    price_e4: Amount


class CloseOutSeriesAct(_Act, frozen=True, tag="close-out-series"):
    """Give a taker what a defaulter's account holds of a series (its number), at a price in ten-thousandths."""

    default: Number
    account: Name
    series: Number
    taker: Name
    price_e4: Amount


class CloseOutSwapAct(_Act, frozen=True, tag="close-out-swap"):
    """Give a taker a defaulter's position in a series of swaps (its number) for what it pays, or asks below zero."""

    default: Number
    account: Name
    series: Number
    taker: Name
    amount_cents: Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)]


class SellCollateralAct(_Act, frozen=True, tag="sell-collateral"):
    """Sell securities of a defaulter for what it owes to the fund of a house."""

    default: Number
    fund: Name
    account: Name
    asset: Name
    amount: Amount
    buyer: Name
    price_e4: Amount


class PortAct(_Act, frozen=True, tag="port-account"):
    """Move a client account of a defaulter to a survivor's, whole."""

    default: Number
    account: Name
    to: Name


class WaterfallAct(_Act, frozen=True, tag="book-waterfall"):
    """Let the layers of a house's fund bear what a default lost there."""

    default: Number
    fund: Name


class CollectAct(_Act, frozen=True, tag="collect-assessments"):
    """Take assessments that are not paid yet."""

    default: Number


class CloseDefaultAct(_Act, frozen=True, tag="close-default"):
    """Close a default; ``write_off`` lets the house bear what nobody bore."""

    default: Number
    reason: Reason
    write_off: bool = False


DefaultAct = (
    SuspendAct
    | ReinstateAct
    | DeclareAct
    | CallFundAct
    | CloseOutAct
    | CloseOutSeriesAct
    | CloseOutSwapAct
    | SellCollateralAct
    | PortAct
    | WaterfallAct
    | CollectAct
    | CloseDefaultAct
)


def command_of_default_act(act: DefaultAct, book: ResolvedBook, at_s: int = 0) -> do.DefaultCommand:
    """Return the command of an act, told at ``at_s`` (0: when it is approved); raises Rejected (unknown) for a name."""
    match act:
        case SuspendAct():
            return do.SuspendParticipant(act.participant, act.reason, at_s)
        case ReinstateAct():
            return do.ReinstateParticipant(act.participant, act.reason, at_s)
        case DeclareAct():
            return do.DeclareDefault(act.participant, act.ground, act.reason, at_s)
        case CallFundAct():
            accounts = [account_of(one.account, book) for one in act.contributions]
            cents = [one.cents for one in act.contributions]
            return do.CallFund(act.basis, act.fund, pack(accounts, "i4"), pack(cents, "i8"))
        case CloseOutAct():
            account, taker = account_of(act.account, book), account_of(act.taker, book, "taker")
            return do.CloseOutPosition(act.default, account, security_of(act.security, book), taker, act.price_e4)
        case CloseOutSeriesAct():
            account, taker = account_of(act.account, book), account_of(act.taker, book, "taker")
            return do.CloseOutSeries(act.default, account, act.series, taker, act.price_e4)
        case CloseOutSwapAct():
            account, taker = account_of(act.account, book), account_of(act.taker, book, "taker")
            return do.CloseOutSwap(act.default, account, act.series, taker, act.amount_cents)
        case SellCollateralAct():
            account, buyer = account_of(act.account, book), account_of(act.buyer, book, "buyer")
            asset = asset_of(act.asset, book)
            return do.SellCollateral(act.default, act.fund, account, asset, act.amount, buyer, act.price_e4)
        case PortAct():
            return do.PortAccount(act.default, account_of(act.account, book), account_of(act.to, book, "to"))
        case WaterfallAct():
            return do.BookWaterfall(act.default, act.fund)
        case CollectAct():
            return do.CollectAssessments(act.default)
        case CloseDefaultAct():
            return do.CloseDefault(act.default, act.reason, at_s, act.write_off)


def default_act_of(command: do.DefaultCommand, book: ResolvedBook) -> DefaultAct:
    """Return a command of default management in words."""
    name, securities = book.account_name, book.securities
    match command:
        case do.SuspendParticipant():
            return SuspendAct(command.participant, command.reason)
        case do.ReinstateParticipant():
            return ReinstateAct(command.participant, command.reason)
        case do.DeclareDefault():
            return DeclareAct(command.participant, command.ground, command.reason)
        case do.CallFund():
            columns = (unpack(command.account, "i4").tolist(), unpack(command.required_cents, "i8").tolist())
            parts = tuple(ContributionOf(name(account), cents) for account, cents in zip(*columns, strict=True))
            return CallFundAct(command.fund, command.basis, parts)
        case do.CloseOutPosition():
            account, security, taker = name(command.account), securities[command.security], name(command.taker)
            return CloseOutAct(command.default, account, security, taker, command.price_e4)
        case do.CloseOutSeries():
            account, taker = name(command.account), name(command.taker)
            return CloseOutSeriesAct(command.default, account, command.series, taker, command.price_e4)
        case do.CloseOutSwap():
            account, taker = name(command.account), name(command.taker)
            return CloseOutSwapAct(command.default, account, command.series, taker, command.amount_cents)
        case do.SellCollateral():
            account, asset, buyer = name(command.account), book.asset_name(command.asset), name(command.buyer)
            lot = (account, asset, command.amount, buyer, command.price_e4)
            return SellCollateralAct(command.default, command.fund, *lot)
        case do.PortAccount():
            return PortAct(command.default, name(command.account), name(command.to))
        case do.BookWaterfall():
            return WaterfallAct(command.default, command.fund)
        case do.CollectAssessments():
            return CollectAct(command.default)
        case do.CloseDefault():
            return CloseDefaultAct(command.default, command.reason, command.write_off)
