"""Commands on offers: bids, allotment, settlement against payment, and what green proceeds are spent on."""

from __future__ import annotations

import msgspec

from tsingma.basics.rejection import Rejected, RejectionReason, refuse
from tsingma.basics.rounding import divide_half_away
from tsingma.custody.offering import ALLOTTED, CANCELLED, LAPSED, SETTLED, WAITING, Offer, settlement_legs
from tsingma.custody.proceeds import Use
from tsingma.custody.tender import BOOK, RATIO_ONE_E9, Bid
from tsingma.engine.custody import issue_of, post, require_account, require_open
from tsingma.engine.house import Handlers, House
from tsingma.journal.custody_commands import (
    AllocateProceeds,
    AllotOffer,
    CancelOffer,
    OpenOffer,
    PlaceBid,
    SettleOffer,
    WithdrawBid,
)
from tsingma.journal.custody_events import OfferAllotted, OfferChanged, OfferSettled, ProceedsAllocated


def open_offer(house: House, command: OpenOffer) -> OfferChanged:
    """Offer units for sale; refused when the terms do not allow it or the books are closed on the settlement day."""
    day = require_open(house)
    asset, _ = issue_of(house, command.isin)
    offer = Offer(
        asset=asset,
        method=command.method,
        units=command.units,
        lot=command.lot,
        settlement_day=command.settlement_day,
        noncompetitive_units=command.noncompetitive_units,
    )
    number = house.custody.offers.open(house.custody.register, offer, day)
    return _changed(house, number)


def place_bid(house: House, command: PlaceBid) -> OfferChanged:
    """Take a bid in whole lots."""
    require_open(house)
    require_account(house, command.account)
    house.custody.offers.bid(command.offer, Bid(command.account, command.units, command.at))
    return _changed(house, command.offer)


def withdraw_bid(house: House, command: WithdrawBid) -> OfferChanged:
    """Withdraw a bid of the account."""
    require_open(house)
    house.custody.offers.withdraw(command.offer, command.bid, command.account)
    return _changed(house, command.offer)


def allot_offer(house: House, command: AllotOffer) -> OfferAllotted:
    """Allot by the rule of the tender, or as the issuer allocates its book."""
    require_open(house)
    offers, register = house.custody.offers, house.custody.register
    bids = [bid for bid in offers.taking(command.offer).bids if not bid.withdrawn]
    if offers[command.offer].method == BOOK:
        offer = offers.allot_book(command.offer, register, command.price_e4, command.units)
    else:
        offer = offers.allot_by_tender(command.offer, register)
    wanted = sum(bid.units for bid in bids)
    given = {one.bid: one.units for one in offer.allotments}
    return OfferAllotted(
        command.offer,
        offer.cut_off,
        offer.average,
        offer.ratio_e9,
        divide_half_away(wanted * RATIO_ONE_E9, offer.units),
        tuple(given.get(place, 0) for place in range(len(offer.bids))),
    )


def settle_offer(house: House, command: SettleOffer) -> OfferSettled:
    """Settle what can be paid, allotment by allotment in order; the rest waits, or lapses when told so."""
    day = require_open(house)
    custody = house.custody
    offer = custody.offers[command.offer]
    if offer.status != ALLOTTED or offer.settlement_day > day:
        raise refuse(
            RejectionReason.NOT_ALLOWED, f"it is {offer.status} and settles later", subject=f"offer {command.offer}"
        )
    issue = custody.register.of(offer.asset)
    allotments, units, raised, accrued = [], 0, 0, 0
    for one in offer.allotments:
        status = one.status
        if status == WAITING:
            try:
                post(house, settlement_legs(one, issue, offer.asset, house.internal.issuer))
            except Rejected:
                status = LAPSED if command.lapse else WAITING
            else:
                status, units = SETTLED, units + one.units
                raised, accrued = raised + one.clean_cents, accrued + one.accrued_cents
        allotments.append(msgspec.structs.replace(one, status=status))
    custody.offers.change(command.offer, allotments=tuple(allotments))
    custody.register.add(offer.asset, units)
    custody.proceeds.raise_(custody.register, offer.asset, raised)
    settled, waiting, lapsed = (
        sum(one.status == status for one in allotments) for status in (SETTLED, WAITING, LAPSED)
    )
    return OfferSettled(command.offer, settled, waiting, lapsed, units, raised, accrued)


def cancel_offer(house: House, command: CancelOffer) -> OfferChanged:
    """End an offer that has not been allotted."""
    require_open(house)
    house.custody.offers.taking(command.offer)
    house.custody.offers.change(command.offer, status=CANCELLED)
    return _changed(house, command.offer)


def allocate_proceeds(house: House, command: AllocateProceeds) -> ProceedsAllocated:
    """Write down what proceeds were spent on."""
    day = require_open(house)
    asset, _ = issue_of(house, command.isin)
    left = house.custody.proceeds.use(house.custody.register, asset, Use(command.project, command.cents, day))
    return ProceedsAllocated(command.isin, command.project, command.cents, left)


def _changed(house: House, number: int) -> OfferChanged:
    offer = house.custody.offers[number]
    return OfferChanged(number, offer.status, sum(not bid.withdrawn for bid in offer.bids))


HANDLERS: Handlers = {
    OpenOffer: open_offer,
    PlaceBid: place_bid,
    WithdrawBid: withdraw_bid,
    AllotOffer: allot_offer,
    SettleOffer: settle_offer,
    CancelOffer: cancel_offer,
    AllocateProceeds: allocate_proceeds,
}
