"""What a renminbi day is shown with: flows both ways, a coupon, a substitution, a token trade; amounts in cents."""

from __future__ import annotations

import msgspec


class Flow(msgspec.Struct, frozen=True, kw_only=True):
    """One direction of a link on the day; ``quota_left_cents`` is the quota balance when trading stopped.

    The quota is in renminbi; the balance is in the currency of the orders, at the day's rate.
    """

    direction: str
    currency: str
    orders: int
    trades: int
    bought_cents: int
    sold_cents: int
    net_buy_cents: int
    quota_left_cents: int
    charges_cents: dict[str, int]
    converted_cents: dict[str, int]


class Coupon(msgspec.Struct, frozen=True, kw_only=True):
    """A coupon in renminbi: what each holder was paid, and how many of the bonds were pledged meanwhile."""

    name: str
    day: str
    paid_cents: dict[str, int]
    pledged_units: int


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """A substitution: HKD cents that covered the call before, while both assets were there, and after."""

    taker: str
    called_cents: int
    covered_cents: tuple[int, int, int]
    gone: str
    come: str


class RenminbiFigures(msgspec.Struct, frozen=True, kw_only=True):
    """The day; ``proved`` are records proved over all its houses, ``faults`` what the proofs found."""

    link: str
    day: str
    flows: tuple[Flow, ...]
    lodged_hkd_cents: dict[str, int]
    coupon: Coupon
    exchange: Exchange
    token_lines: tuple[str, ...]
    token_days_compared: int
    token_breaks: int
    proved: int
    faults: tuple[str, ...]
