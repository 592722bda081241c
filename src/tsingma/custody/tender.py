"""Allotment of an issue: tenders by price or by coupon rate, and books that the issuer allocates.

Sources: Ministry of Finance, tender of RMB sovereign bonds on CMU BID, 9 August 2011 (coupon bids: all are issued at
par and bear the highest accepted rate; multiples of CNY 500,000); HKMA, result of tenders of RMB sovereign bonds of 10
December 2025 (price bids: average, lowest and highest accepted price, allocation ratio at the lowest); HKMA, Exchange
Fund Notes tender of 20 August 2021 (what is left is shared pro rata at the lowest accepted price; non-competitive
applications have their own allotment price). That accepted price bids pay what they bid, that non-competitive ones come
first and pay the average accepted price, and how pro-rata shares are rounded, is assumed.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.basics.rounding import divide_half_away

COUPON, SINGLE, MULTIPLE, BOOK = "coupon-tender", "single-price", "multiple-price", "book-build"
METHODS: tuple[str, ...] = (COUPON, SINGLE, MULTIPLE, BOOK)
PAR_E4 = 1_000_000
RATIO_ONE_E9 = 1_000_000_000


class Bid(msgspec.Struct, frozen=True):
    """Units wanted at a price (e4 per 100 of face; in a coupon tender a rate, e9); 0 takes the price that comes."""

    account: int
    units: int
    at: int
    withdrawn: bool = False


class Result(msgspec.Struct, frozen=True):
    """Units allotted to each bid, and at which price (or rate) each takes them; 0 units where nothing was left.

    ``cut_off`` is the last price (rate) accepted, ``average`` the accepted competitive bids' mean weighted by units,
    half a unit away from zero, ``ratio_e9`` what part of the bids at the cut-off was accepted.
    """

    units: tuple[int, ...]
    at: tuple[int, ...]
    cut_off: int
    average: int
    ratio_e9: int


def allot(bids: Sequence[Bid], units: int, lot: int, method: str, noncompetitive_units: int = 0) -> Result:
    """Return the allotment of ``units`` in multiples of ``lot`` by a tender.

    Non-competitive bids are met first, up to their own amount; then the best bids (highest price, lowest rate) in full,
    and those at the cut-off pro rata: whole lots rounded down, the rest lot by lot to the largest remainder, then to
    who came first. Raises Rejected (missing) when there is no competitive bid to set a price.
    """
    standing = [place for place, bid in enumerate(bids) if not bid.withdrawn]
    open_at = [place for place in standing if not bids[place].at]
    priced = sorted((place for place in standing if bids[place].at), key=lambda place: _rank(bids[place], method))
    if not priced:
        raise refuse(RejectionReason.MISSING, "no bid names a price", field="bids", remedy="cancel the offer")
    given = dict.fromkeys(range(len(bids)), 0)
    _share(given, bids, open_at, min(units, noncompetitive_units), lot)
    left = units - sum(given.values())
    cut_off, ratio_e9 = bids[priced[0]].at, 0
    while priced and left >= lot:
        cut_off = bids[priced[0]].at
        level = [place for place in priced if bids[place].at == cut_off]
        priced = priced[len(level) :]
        wanted = sum(bids[place].units for place in level)
        taken = _share(given, bids, level, left, lot)
        ratio_e9 = divide_half_away(taken * RATIO_ONE_E9, wanted)
        left -= taken
    accepted = [(given[place], bids[place].at) for place in standing if bids[place].at and given[place]]
    total = sum(part for part, _ in accepted)
    average = divide_half_away(sum(part * at for part, at in accepted), total) if total else cut_off
    at = tuple(_pays(bid, method, cut_off, average) for bid in bids)
    return Result(tuple(given.values()), at, cut_off, average, ratio_e9)


def _rank(bid: Bid, method: str) -> int:
    return bid.at if method == COUPON else -bid.at


def _pays(bid: Bid, method: str, cut_off: int, average: int) -> int:
    if method != MULTIPLE:
        return cut_off
    return bid.at or average


def _share(given: dict[int, int], bids: Sequence[Bid], places: Sequence[int], units: int, lot: int) -> int:
    """Give bids their units, or their share of fewer; returns how many were given."""
    wanted = sum(bids[place].units for place in places)
    if wanted <= units:
        for place in places:
            given[place] = bids[place].units
        return wanted
    lots = units // lot
    for place in places:
        given[place] = lots * bids[place].units // wanted * lot
    rest = lots - sum(given[place] for place in places) // lot
    for place in sorted(places, key=lambda place: (-(lots * bids[place].units % wanted), place))[:rest]:
        given[place] += lot
    return lots * lot
