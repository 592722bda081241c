"""What an amount of an asset counts for with a taker: price, exchange rate and haircut, in HKD cents, rounded down."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import cache

import msgspec

from tsingma.margin.resources.collateral import E4, HouseRules, house_rules
from tsingma.reference.tables import read_table, row_on

BANK = "BANK"  # the settlement bank as a taker: intraday credit from the pool
FX_UNIT_E6 = 1_000_000


@cache
def takers() -> tuple[str, ...]:
    """Return who takes collateral from the pool, by the table ``collateral.toml``, in order of name."""
    return tuple(sorted({row["house"] for row in read_table("collateral.toml")["row"]}))


@cache
def kinds() -> tuple[str, ...]:
    """Return the kinds of collateral that some taker takes on some day, in order of name."""
    names = {row["name"] for row in read_table("collateral.toml")["row"]}
    return tuple(sorted(name.removeprefix("haircut.") for name in names if name.startswith("haircut.")))


@cache
def rules_of(taker: str, day: date) -> HouseRules:
    """Return the rules of a taker on a day; raises Rejected (unknown, beyond-horizon)."""
    return house_rules(taker, day)


def reuses_max(day: date) -> int:
    """Return how often a pledge may be lodged onwards on a day; raises Rejected: beyond-horizon."""
    return int(row_on(read_table("collateral.toml")["reuse"], day, table="collateral.reuse")["times"])


@cache
def reuses_ever() -> int:
    """Return the most that the rules of any day allow: what no chain may exceed, whenever it was made."""
    return max(int(row["times"]) for row in read_table("collateral.toml")["reuse"])


class Listing(msgspec.Struct, frozen=True):
    """What an asset is as collateral, and which depository or bank holds it."""

    kind: str
    custodian: str


class Valuation(msgspec.Struct, frozen=True):
    """Prices of a moment: ``market_cents`` gives the HKD cents of an amount of an asset, rounded down."""

    day: date
    market_cents: Callable[[int, int], int]  # (asset, amount)

    def lendable_cents(self, taker: str, asset: int, listing: Listing, amount: int) -> int:
        """Return what an amount counts for with a taker, HKD cents; 0 where the taker does not take its kind."""
        haircut = rules_of(taker, self.day).haircut_e4.get(listing.kind)
        if haircut is None:
            return 0
        return self.market_cents(asset, amount) * (E4 - haircut) // E4
