"""Commands on custody: the register, depositories, offers, what falls due, repo, funds, gold, delivery of futures.

Accounts are indices of the reference book, securities ISINs, days day numbers; money is cents, rates are x 10**9.
"""

from __future__ import annotations

import msgspec

from tsingma.reference.terms import SecurityTerms


class RegisterSecurity(msgspec.Struct, frozen=True, tag="register-security", forbid_unknown_fields=True):
    """Enter a security of the reference book, with its terms, in the register.

    What accounts hold of it already counts as issued; from now on it comes into the house by issue alone.
    """

    terms: SecurityTerms


class OpenDepository(msgspec.Struct, frozen=True, tag="open-depository", forbid_unknown_fields=True):
    """Add a depository; ``upper`` is the one at which its nominee holds ("" for a home of registers)."""

    code: str
    name: str
    upper: str = ""


class PlaceHolding(msgspec.Struct, frozen=True, tag="place-holding", forbid_unknown_fields=True):
    """Keep what an account (index) holds of a security at a depository."""

    account: int
    isin: str
    depository: str


class ReportNominee(msgspec.Struct, frozen=True, tag="report-nominee", forbid_unknown_fields=True):
    """Take in what the depository above says the nominee of ``depository`` holds there."""

    depository: str
    isin: str
    units: int


class IssueUnits(msgspec.Struct, frozen=True, tag="issue-units", forbid_unknown_fields=True):
    """Issue units to accounts free of payment; account indices and units side by side."""

    isin: str
    accounts: tuple[int, ...]
    units: tuple[int, ...]


class CancelUnits(msgspec.Struct, frozen=True, tag="cancel-units", forbid_unknown_fields=True):
    """Take units of an account back and cancel them, free of payment."""

    isin: str
    account: int
    units: int


class AnnounceDistribution(msgspec.Struct, frozen=True, tag="announce-distribution", forbid_unknown_fields=True):
    """Announce money on each unit of a fund or ETF: ``amount_e9`` of a currency unit x 10**9, to holders on record."""

    isin: str
    amount_e9: int
    record_day: int
    payment_day: int


class CallBonds(msgspec.Struct, frozen=True, tag="call-bonds", forbid_unknown_fields=True):
    """Announce the early redemption of units, pro rata to holders on record, at ``price_e4`` per 100 of face."""

    isin: str
    units: int
    price_e4: int
    record_day: int
    payment_day: int


class PayDue(msgspec.Struct, frozen=True, tag="pay-due", forbid_unknown_fields=True):
    """Pay a recorded due out of the payer's account: every holder or none."""

    due: int


class RecordNonPayment(msgspec.Struct, frozen=True, tag="record-non-payment", forbid_unknown_fields=True):
    """Write down that the payer failed on a due; it may still be paid later."""

    due: int
    reason: str


class OpenOffer(msgspec.Struct, frozen=True, tag="open-offer", forbid_unknown_fields=True):
    """Offer units of a registered security in whole lots: ``method`` is one of ``custody.tender.METHODS``."""

    isin: str
    method: str
    units: int
    lot: int
    settlement_day: int
    noncompetitive_units: int = 0


class PlaceBid(msgspec.Struct, frozen=True, tag="place-bid", forbid_unknown_fields=True):
    """Bid for units at a price (e4 per 100 of face), or at a rate (e9) in a coupon tender; 0 takes what comes."""

    offer: int
    account: int
    units: int
    at: int


class WithdrawBid(msgspec.Struct, frozen=True, tag="withdraw-bid", forbid_unknown_fields=True):
    """Withdraw a bid before the allotment."""

    offer: int
    bid: int
    account: int


class AllotOffer(msgspec.Struct, frozen=True, tag="allot-offer", forbid_unknown_fields=True):
    """Allot a tender by its rule; for a book, ``price_e4`` and units per bid are what the issuer decides."""

    offer: int
    price_e4: int = 0
    units: tuple[int, ...] = ()


class SettleOffer(msgspec.Struct, frozen=True, tag="settle-offer", forbid_unknown_fields=True):
    """Settle allotments against payment, each by itself; with ``lapse``, those that cannot be paid end."""

    offer: int
    lapse: bool = False


class CancelOffer(msgspec.Struct, frozen=True, tag="cancel-offer", forbid_unknown_fields=True):
    """End an offer before its allotment."""

    offer: int


class AllocateProceeds(msgspec.Struct, frozen=True, tag="allocate-proceeds", forbid_unknown_fields=True):
    """Write down on which project proceeds of a green security were spent, cents."""

    isin: str
    project: str
    cents: int


class OpenRepo(msgspec.Struct, frozen=True, tag="open-repo", forbid_unknown_fields=True):
    """Sell securities (ISINs and units, side by side) and buy them back: on ``end_day``, or 0 for an open repo.

    ``currency`` by its code; rate and margin ratio are x 10**9.
    """

    seller: int
    buyer: int
    currency: str
    cash_cents: int
    rate_e9: int
    day_count: str
    end_day: int
    margin_e9: int
    isins: tuple[str, ...]
    units: tuple[int, ...]


class ChangeCollateral(msgspec.Struct, frozen=True, tag="change-collateral", forbid_unknown_fields=True):
    """Give collateral to the buyer and take other back, at one instant: substitution, margin, return of excess."""

    repo: int
    give_isins: tuple[str, ...] = ()
    give_units: tuple[int, ...] = ()
    take_isins: tuple[str, ...] = ()
    take_units: tuple[int, ...] = ()


class RollRepo(msgspec.Struct, frozen=True, tag="roll-repo", forbid_unknown_fields=True):
    """Change rate and end of a repo from today on; interest so far stays as it was earned."""

    repo: int
    rate_e9: int
    end_day: int


class CloseRepo(msgspec.Struct, frozen=True, tag="close-repo", forbid_unknown_fields=True):
    """Repurchase: money with interest against the collateral, on the end day or later; an open repo on any day."""

    repo: int


class PublishComposition(msgspec.Struct, frozen=True, tag="publish-composition", forbid_unknown_fields=True):
    """Publish what one application (``size`` units) of a fund is made of today, and the net asset value of a unit."""

    isin: str
    size: int
    isins: tuple[str, ...]
    units: tuple[int, ...]
    nav_e4: int


class DealUnits(msgspec.Struct, frozen=True, tag="deal-units", forbid_unknown_fields=True):
    """Create (plus) or redeem (minus) units of a fund in whole applications, in kind or in money."""

    isin: str
    dealer: int
    applications: int
    in_cash: bool = False


class DepositBar(msgspec.Struct, frozen=True, tag="deposit-bar", forbid_unknown_fields=True):
    """Bring a bar of gold into the vault, allocated to an account."""

    isin: str
    account: int
    serial: str
    refiner: str
    gross_mg: int
    fineness_e4: int


class WithdrawBars(msgspec.Struct, frozen=True, tag="withdraw-bars", forbid_unknown_fields=True):
    """Take an account's bars out of the vault."""

    isin: str
    account: int
    serials: tuple[str, ...]


class MoveBars(msgspec.Struct, frozen=True, tag="move-bars", forbid_unknown_fields=True):
    """Give bars to another account by serial; with ``booked``, the units moved before and the bars follow."""

    isin: str
    giver: int
    taker: int
    serials: tuple[str, ...]
    booked: bool = False


class AllocateMetal(msgspec.Struct, frozen=True, tag="allocate-metal", forbid_unknown_fields=True):
    """Exchange unallocated metal for bars of the vault (``back``: bars for metal), milligram for milligram."""

    bars: str
    metal: str
    account: int
    serials: tuple[str, ...]
    back: bool = False


class DeliverBonds(msgspec.Struct, frozen=True, tag="deliver-bonds", forbid_unknown_fields=True):
    """Deliver bonds into a treasury bond future against its invoice; the day is in the delivery month."""

    contract: str
    isin: str
    seller: int
    buyer: int
    contracts: int
    settlement_e4: int


class SettleCurrencyFuture(msgspec.Struct, frozen=True, tag="settle-currency-future", forbid_unknown_fields=True):
    """Settle a future on USD against renminbi: dollars against renminbi, or the difference to the last settlement."""

    contract: str
    seller: int
    buyer: int
    contracts: int
    final_e4: int
    last_e4: int = 0


CustodyCommand = (
    RegisterSecurity
    | OpenDepository
    | PlaceHolding
    | ReportNominee
    | IssueUnits
    | CancelUnits
    | AnnounceDistribution
    | CallBonds
    | PayDue
    | RecordNonPayment
    | OpenOffer
    | PlaceBid
    | WithdrawBid
    | AllotOffer
    | SettleOffer
    | CancelOffer
    | AllocateProceeds
    | OpenRepo
    | ChangeCollateral
    | RollRepo
    | CloseRepo
    | PublishComposition
    | DealUnits
    | DepositBar
    | WithdrawBars
    | MoveBars
    | AllocateMetal
    | DeliverBonds
    | SettleCurrencyFuture
)
