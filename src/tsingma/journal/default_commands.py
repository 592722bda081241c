"""Commands of default management: suspend, declare, close out, port, run the waterfall, close; and the default fund.

Accounts, securities, assets and series are indices; ``at_s`` are seconds since 1970. ``default`` is the number under
which the house keeps the case, from the suspension on.
"""

from __future__ import annotations

import msgspec


class SuspendParticipant(msgspec.Struct, frozen=True, tag="suspend-participant", forbid_unknown_fields=True):
    """Take nothing new from a participant: what is open is held, what is due with the house goes on."""

    participant: str
    reason: str
    at_s: int


class ReinstateParticipant(msgspec.Struct, frozen=True, tag="reinstate-participant", forbid_unknown_fields=True):
    """End a suspension: what it held is released."""

    participant: str
    reason: str
    at_s: int


class DeclareDefault(msgspec.Struct, frozen=True, tag="declare-default", forbid_unknown_fields=True):
    """Declare a participant a defaulter, on a ground of ``default_rules.toml``, with the reason people give."""

    participant: str
    ground: str
    reason: str
    at_s: int


class CallFund(msgspec.Struct, frozen=True, tag="call-fund", forbid_unknown_fields=True):
    """Set what accounts contribute to a house's default fund; money is pledged up to it, as for margin.

    Columns: ``account`` i4, ``required_cents`` i8 (HKD). The account of the house holds the house's own part.
    ``basis`` names how it was sized. Earlier requirements of accounts not named stay.
    """

    basis: str
    fund: str
    account: bytes
    required_cents: bytes


class CloseOutPosition(msgspec.Struct, frozen=True, tag="close-out-position", forbid_unknown_fields=True):
    """Close all that a defaulter's account has open in a security with the house: a taker trades it at a price."""

    default: int
    account: int
    security: int
    taker: int
    price_e4: int


class CloseOutSeries(msgspec.Struct, frozen=True, tag="close-out-series", forbid_unknown_fields=True):
    """Close what a defaulter's account holds of a futures or options series: a taker trades it at a price."""

    default: int
    account: int
    series: int
    taker: int
    price_e4: int


class CloseOutSwap(msgspec.Struct, frozen=True, tag="close-out-swap", forbid_unknown_fields=True):
    """Give a taker what a defaulter's account has in a series of swaps, as it stands, for an amount of money.

    ``amount_cents`` is what the taker pays (plus) or asks (minus), in the currency of the series, as in an auction.
    """

    default: int
    account: int
    series: int
    taker: int
    amount_cents: int


class SellCollateral(msgspec.Struct, frozen=True, tag="sell-collateral", forbid_unknown_fields=True):
    """Sell a defaulter's securities for what it owes to a house: pledged in the pool first, then what is free."""

    default: int
    fund: str
    account: int
    asset: int
    amount: int
    buyer: int
    price_e4: int


class PortAccount(msgspec.Struct, frozen=True, tag="port-account", forbid_unknown_fields=True):
    """Move a client account of a defaulter to a survivor's: positions, margin, collateral and holdings, or nothing."""

    default: int
    account: int
    to: int


class BookWaterfall(msgspec.Struct, frozen=True, tag="book-waterfall", forbid_unknown_fields=True):
    """Let the layers of a house bear what its close-out lost, in the order of its rules."""

    default: int
    fund: str


class CollectAssessments(msgspec.Struct, frozen=True, tag="collect-assessments", forbid_unknown_fields=True):
    """Take what survivors were assessed and have not paid, as far as they have the money now."""

    default: int


class CloseDefault(msgspec.Struct, frozen=True, tag="close-default", forbid_unknown_fields=True):
    """Close a default: what is left over goes back; ``write_off`` lets the house bear what nobody bore."""

    default: int
    reason: str
    at_s: int
    write_off: bool = False


DefaultCommand = (
    SuspendParticipant
    | ReinstateParticipant
    | DeclareDefault
    | CallFund
    | CloseOutPosition
    | CloseOutSeries
    | CloseOutSwap
    | SellCollateral
    | PortAccount
    | BookWaterfall
    | CollectAssessments
    | CloseDefault
)
