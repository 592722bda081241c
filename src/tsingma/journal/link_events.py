"""What the house answers to commands on links."""

from __future__ import annotations

import msgspec


class LinkOpened(msgspec.Struct, frozen=True, tag="link-opened"):
    """A direction is open under a number."""

    direction: int
    holders: int


class HoldersNamed(msgspec.Struct, frozen=True, tag="holders-named"):
    """So many trades have a holder."""

    trades: int


class MarginLodged(msgspec.Struct, frozen=True, tag="margin-lodged"):
    """What stands lodged now, and what moved for it (+ to the holder, - back), in cents."""

    lodger: str
    holder: str
    lodged_cents: int
    moved_cents: int


class MoneyConverted(msgspec.Struct, frozen=True, tag="money-converted"):
    """What accounts sold and bought in all, in cents."""

    accounts: int
    sold_cents: int
    bought_cents: int


LinkEvent = LinkOpened | HoldersNamed | MarginLodged | MoneyConverted
