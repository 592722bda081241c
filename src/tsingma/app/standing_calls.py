"""The margin calls that stand in a house, call by call, each with the name that every message about it carries.

A call is one for a business day, a source, a taker and an account: a later run of the day states the same call anew,
under the same name. Two sources call: the margin of the books (``M``; HKSCC calls it, and money is pledged for it as
far as there is) and the pool of collateral (``P``). Names rest on nothing else, so every replay gives the same.
"""

from __future__ import annotations

import hashlib
from datetime import date

import msgspec
import numpy as np

from tsingma.basics.dates import to_date
from tsingma.engine.house import House
from tsingma.engine.pooling import valuation
from tsingma.margin.pool.terms import BANK

CALLER = "HKSCC"  # who calls margin of the house's own continuous net settlement
MARGIN, POOL = "M", "P"
NAME_MAX = 35  # Max35Text, the identifiers of ISO 20022
_DIGEST = 10


class StandingCall(msgspec.Struct, frozen=True, kw_only=True):
    """One call of a taker on an account: required and lodged (after haircut), HKD cents."""

    source: str
    taker: str
    account: str
    day: date
    required: int
    lodged: int

    @property
    def due(self) -> int:
        """Return what is not covered, HKD cents."""
        return max(self.required - self.lodged, 0)

    @property
    def name(self) -> str:
        """Return the name of the call, as ``20260105M-HKSCC-B00001/HOUSE``."""
        return fitted(f"{self.day:%Y%m%d}{self.source}-{self.taker}-{self.account}")


def fitted(name: str) -> str:
    """Return a name of at most 35 characters: a longer one ends in a point and 10 hex digits of its SHA-256."""
    if len(name) <= NAME_MAX:
        return name
    return f"{name[: NAME_MAX - _DIGEST - 1]}.{hashlib.sha256(name.encode()).hexdigest()[:_DIGEST]}"


def standing_calls(house: House, account: int) -> list[StandingCall]:
    """Return the calls on an account: of the books' margin, then of the pool in order of taker.

    What the pool has allotted to HKSCC above its call there counts for the books' margin. Raises Rejected (missing)
    where something allotted has no price.
    """
    margin, pool, moment = house.margin, house.pool, valuation(house)
    own, day = house.resolved.account_name(account), to_date(house.position.day)
    found = []
    for place in np.flatnonzero(margin.account == account).tolist():
        required, money = int(margin.requirement_cents[place]), int(margin.pledged_cents[place])
        asked = pool.call(account, CALLER)
        spare = max(pool.covered(account, CALLER, moment, asked + required - money) - asked, 0)
        lodged = money + min(spare, required - money)
        found.append(StandingCall(source=MARGIN, taker=CALLER, account=own, day=day, required=required, lodged=lodged))
    takers = {taker for owner, taker in pool.required if owner == account}
    takers |= {BANK for loan in pool.loans.values() if loan.account == account}
    for taker in sorted(takers):
        required, lodged = pool.call(account, taker), pool.covered(account, taker, moment)
        found.append(StandingCall(source=POOL, taker=taker, account=own, day=day, required=required, lodged=lodged))
    return found
