"""Offers of securities: bids taken, allotted, and settled against payment; a tap adds accrued interest.

Each allotment settles by itself, units against money or neither. One that is not paid on its day lapses or waits, and
the day does not close before somebody has said which.
"""

from __future__ import annotations

import msgspec

from tsingma.basics.dates import to_date
from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.custody.accrual import accrued_cents, clean_cents, outstanding_cents, period_at, period_of
from tsingma.custody.issuance import COUPON_MAX_E9, Issue, Register
from tsingma.custody.legs import Leg
from tsingma.custody.limits import PRICE_MAX_E4, require_days
from tsingma.custody.numbered import Numbered
from tsingma.custody.tender import BOOK, COUPON, METHODS, PAR_E4, Bid, Result, allot
from tsingma.reference.terms import DEBT

TAKING, ALLOTTED, CANCELLED = "taking bids", "allotted", "cancelled"
WAITING, SETTLED, LAPSED = "waiting", "settled", "lapsed"
BIDS_MAX = 100_000


class Allotment(msgspec.Struct, frozen=True):
    """Units allotted to a bid (its place), and what its account pays: clean price and accrued interest, cents."""

    bid: int
    account: int
    units: int
    clean_cents: int
    accrued_cents: int
    status: str = WAITING


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """One sale of a security by its issuer; ``settlement_day`` is the issue day, or a later one for a tap."""

    asset: int
    method: str
    units: int
    lot: int
    settlement_day: int
    noncompetitive_units: int = 0
    status: str = TAKING
    bids: tuple[Bid, ...] = ()
    allotments: tuple[Allotment, ...] = ()
    cut_off: int = 0
    average: int = 0
    ratio_e9: int = 0


class Offers(Numbered[Offer]):
    """All offers, in the order in which they were opened."""

    def __init__(self) -> None:
        """Start without offers."""
        super().__init__(Offer, subject="offer")

    def open(self, register: Register, offer: Offer, day: int) -> int:
        """Open an offer; raises Rejected (unknown, out-of-range, not-allowed) and keeps nothing then."""
        issue = register.require_room(offer.asset, offer.units)
        _require_sellable(offer, issue, day)
        return self.add(offer)

    def bid(self, number: int, bid: Bid) -> int:
        """Take a bid in whole lots and return its place; raises Rejected (not-allowed, out-of-range, limit)."""
        offer = self.taking(number)
        most = COUPON_MAX_E9 - 1 if offer.method == COUPON else PRICE_MAX_E4
        whole = 0 < bid.units <= offer.units and not bid.units % offer.lot
        if not whole or not int(offer.method == BOOK) <= bid.at <= most:
            raise refuse(
                RejectionReason.OUT_OF_RANGE,
                f"{bid.units} units at {bid.at}",
                field="units, at",
                remedy=f"multiples of {offer.lot} up to {offer.units}, at a price up to {most}",
            )
        if len(offer.bids) >= BIDS_MAX:
            raise refuse(RejectionReason.LIMIT, f"{BIDS_MAX} bids at most", subject=f"offer {number}")
        self.change(number, bids=(*offer.bids, bid))
        return len(offer.bids)

    def withdraw(self, number: int, place: int, account: int) -> None:
        """Withdraw a bid of an account; raises Rejected (unknown, not-allowed)."""
        offer = self.taking(number)
        if not 0 <= place < len(offer.bids) or offer.bids[place].account != account:
            raise refuse(RejectionReason.UNKNOWN, f"the account has no bid {place}", field="bid")
        bids = list(offer.bids)
        bids[place] = msgspec.structs.replace(bids[place], withdrawn=True)
        self.change(number, bids=tuple(bids))

    def allot_by_tender(self, number: int, register: Register) -> Offer:
        """Allot by the rule of the tender; a coupon tender fixes the coupon of the security. Raises Rejected."""
        offer = self.taking(number)
        if offer.method == BOOK:
            raise refuse(RejectionReason.MISSING, "the issuer allocates a book", field="units")
        result = allot(offer.bids, offer.units, offer.lot, offer.method, offer.noncompetitive_units)
        issue = register.of(offer.asset)
        if offer.method == COUPON:
            terms = msgspec.structs.replace(issue.terms, coupon_e9=result.cut_off)
            issue = msgspec.structs.replace(issue, terms=terms)
            register.change(offer.asset, terms=terms)
        return self._allot(number, issue, result)

    def allot_book(self, number: int, register: Register, price_e4: int, units: tuple[int, ...]) -> Offer:
        """Allot what the issuer allocates to each bid, at one price; raises Rejected (out-of-range, not-allowed).

        Nobody gets more than ordered, nothing above a bid's limit, nothing beyond what is offered.
        """
        offer = self.taking(number)
        if offer.method != BOOK or len(units) != len(offer.bids) or not 0 < price_e4 <= PRICE_MAX_E4:
            raise refuse(
                RejectionReason.OUT_OF_RANGE, "a price and an allocation for every bid of a book", field="units"
            )
        for place, (bid, part) in enumerate(zip(offer.bids, units, strict=True)):
            if part < 0 or part % offer.lot or part > (0 if bid.withdrawn or bid.at < price_e4 else bid.units):
                raise refuse(
                    RejectionReason.OUT_OF_RANGE,
                    f"bid {place}: {part} of {bid.units} units, limit {bid.at}",
                    field="units",
                    remedy="whole lots, at most what was ordered at the price or above",
                )
        if not 0 < sum(units) <= offer.units:
            raise refuse(RejectionReason.OUT_OF_RANGE, f"{sum(units)} of {offer.units} units", field="units")
        return self._allot(
            number, register.of(offer.asset), Result(units, (price_e4,) * len(units), price_e4, price_e4, 0)
        )

    def taking(self, number: int) -> Offer:
        """Return an offer that takes bids; raises Rejected (unknown, not-allowed)."""
        offer = self[number]
        if offer.status != TAKING:
            raise refuse(RejectionReason.NOT_ALLOWED, f"it is {offer.status}", subject=f"offer {number}")
        return offer

    def waiting(self, day: int) -> list[int]:
        """Return the offers whose bids or allotments should have come to an end by a day."""
        return [
            number
            for number, offer in enumerate(self.rows)
            if offer.settlement_day <= day
            and (offer.status == TAKING or any(one.status == WAITING for one in offer.allotments))
        ]

    def _allot(self, number: int, issue: Issue, result: Result) -> Offer:
        offer, allotments = self[number], []
        for place, (bid, units, at) in enumerate(zip(offer.bids, result.units, result.at, strict=True)):
            if not units:
                continue
            price_e4 = PAR_E4 if offer.method == COUPON else at
            face, accrued = issue.terms.face_cents, 0
            if issue.terms.coupon_e9:
                face = outstanding_cents(issue.terms, period_at(issue.terms, offer.settlement_day))
                accrued = accrued_cents(issue.terms, units, offer.settlement_day)
            allotments.append(Allotment(place, bid.account, units, clean_cents(units, face, price_e4), accrued))
        return self.change(
            number,
            status=ALLOTTED,
            allotments=tuple(allotments),
            cut_off=result.cut_off,
            average=result.average,
            ratio_e9=result.ratio_e9,
        )


def settlement_legs(allotment: Allotment, issue: Issue, asset: int, issuer: int) -> list[Leg]:
    """Return the two legs of an allotment: money to the issuer of the security, units out of its register."""
    currency = CURRENCIES.index(issue.terms.currency)
    money = allotment.clean_cents + allotment.accrued_cents
    return [
        Leg(allotment.account, issue.terms.payer, currency, money),
        Leg(issuer, allotment.account, asset, allotment.units),
    ]


def _require_sellable(offer: Offer, issue: Issue, day: int) -> None:
    terms = issue.terms
    require_days(settlement_day=offer.settlement_day)
    if offer.method not in METHODS:
        raise refuse(RejectionReason.UNKNOWN, f"'{offer.method}' is none of {', '.join(METHODS)}", field="method")
    if terms.product not in DEBT:
        raise refuse(RejectionReason.NOT_ALLOWED, f"a {terms.product} is not sold by offer", subject=terms.isin)
    if offer.method == COUPON and (terms.coupon_e9 or issue.issued or not terms.months):
        raise refuse(
            RejectionReason.NOT_ALLOWED,
            "a coupon tender fixes the coupon of a new security",
            field="method",
            subject=terms.isin,
            remedy="register it with coupon 0, or tender by price",
        )
    if offer.lot <= 0 or offer.units % offer.lot or not 0 <= offer.noncompetitive_units <= offer.units:
        raise refuse(RejectionReason.OUT_OF_RANGE, "units are multiples of the lot", field="units, lot")
    first = max(day, terms.issue_day)
    if not first <= offer.settlement_day < terms.maturity_day:
        raise refuse(
            RejectionReason.OUT_OF_RANGE,
            f"settlement on {to_date(offer.settlement_day)} is not from {to_date(first)} to before maturity",
            field="settlement_day",
        )
    period = period_of(terms, period_at(terms, offer.settlement_day))
    if period and period.record_day < offer.settlement_day < period.payment_day:
        raise refuse(
            RejectionReason.NOT_ALLOWED,
            f"the books are closed from {to_date(period.record_day)} to {to_date(period.payment_day)}",
            field="settlement_day",
            remedy="settle on the payment day",
        )
