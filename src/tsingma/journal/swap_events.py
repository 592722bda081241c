"""Events on cleared interest rate swaps."""

from __future__ import annotations

import msgspec


class SwapsListed(msgspec.Struct, frozen=True, tag="swaps-listed", forbid_unknown_fields=True):
    """Series are listed: how many with this command, how many in all."""

    listed: int
    total: int


class SwapsRegistered(msgspec.Struct, frozen=True, tag="swaps-registered", forbid_unknown_fields=True):
    """Trades are novated: how many, their notional, and how many positions stand open."""

    trades: int
    notional_cents: int
    positions: int


class SwapsMarked(msgspec.Struct, frozen=True, tag="swaps-marked", forbid_unknown_fields=True):
    """The evening's money: collected, paid and still owed in cents by name, such as ``collected_CNY``."""

    positions: int
    moved_cents: dict[str, int]


SwapEvent = SwapsListed | SwapsRegistered | SwapsMarked
