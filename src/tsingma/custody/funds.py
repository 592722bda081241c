"""Funds and exchange-traded funds: units created and redeemed against baskets or money, at the day's net asset value.

Source: TWSE and HKEX descriptions of ETF creation and redemption: a participating dealer delivers whole baskets of the
portfolio composition file, or money, and receives units in the fixed size of an application; SFC Code on Unit Trusts,
chapter 8.6. The cash component is what the net asset value of one application exceeds the value of its basket by.
"""

from __future__ import annotations

import msgspec

from tsingma.basics.money import consideration_cents
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.custody.legs import Leg
from tsingma.custody.limits import UNITS_MAX, VALUE_MAX_CENTS, require_between
from tsingma.custody.repo import Basket

APPLICATIONS_MAX = 1_000_000
NAV_MAX_E4 = 10**9  # 100,000 a unit


class Composition(msgspec.Struct, frozen=True):
    """The portfolio composition file of a day: what one application (``size`` units of the fund) is made of.

    ``cash_cents`` goes to the fund with the basket at creation (to the dealer when negative); ``nav_e4`` is the net
    asset value of one unit.
    """

    day: int
    size: int
    basket: Basket
    nav_e4: int
    cash_cents: int


class Funds:
    """The composition in force by asset of the fund."""

    def __init__(self) -> None:
        """Start without funds."""
        self.compositions: dict[int, Composition] = {}

    def on(self, asset: int, day: int) -> Composition:
        """Return the composition of a day; raises Rejected (missing) when it was not published."""
        found = self.compositions.get(asset)
        if found is None or found.day != day:
            raise refuse(
                RejectionReason.MISSING,
                "no composition was published today",
                field="isin",
                remedy="publish basket and net asset value first",
            )
        return found

    def dump(self) -> dict[str, bytes]:
        """Return the compositions, nothing when there are none."""
        return {"compositions": msgspec.msgpack.encode(sorted(self.compositions.items()))} if self.compositions else {}

    def load(self, parts: dict[str, bytes]) -> None:
        """Take back a dump; a missing one is empty."""
        rows = msgspec.msgpack.decode(parts["compositions"], type=list[tuple[int, Composition]]) if parts else []
        self.compositions = dict(rows)


def composition(day: int, size: int, basket: Basket, nav_e4: int, basket_cents: int) -> Composition:
    """Return a composition with its cash component; raises Rejected (out-of-range)."""
    require_between("size", size, 1, UNITS_MAX)
    require_between("nav_e4", nav_e4, 1, NAV_MAX_E4)
    require_between("units", basket_cents, 0, VALUE_MAX_CENTS)
    return Composition(day, size, basket, nav_e4, consideration_cents(size, nav_e4) - basket_cents)


def dealing_legs(
    one: Composition,
    fund: int,
    dealer: int,
    trustee: int,
    issuer: int,
    currency: int,
    applications: int,
    *,
    in_cash: bool,
) -> list[Leg]:
    """Return the legs of so many applications: creations (plus) bring assets in before units come out; minus redeems.

    In cash, the whole net asset value moves; in kind, the basket and the cash component. Raises Rejected
    (out-of-range) beyond APPLICATIONS_MAX.
    """
    count = abs(applications)
    if not 0 < count <= APPLICATIONS_MAX:
        raise refuse(RejectionReason.OUT_OF_RANGE, f"{applications} applications", field="applications")
    units = Leg(issuer, dealer, fund, count * one.size)
    if in_cash:
        assets = [Leg(dealer, trustee, currency, consideration_cents(count * one.size, one.nav_e4))]
    else:
        assets = [Leg(dealer, trustee, asset, count * part) for asset, part in one.basket]
        cash = count * one.cash_cents
        assets.append(Leg(dealer, trustee, currency, cash) if cash >= 0 else Leg(trustee, dealer, currency, -cash))
    if applications > 0:
        return [*assets, units]
    return [_back(units), *map(_back, assets)]


def _back(leg: Leg) -> Leg:
    return leg._replace(giver=leg.taker, taker=leg.giver)
