"""Events of the pool of collateral."""

from __future__ import annotations

import msgspec


class CollateralListed(msgspec.Struct, frozen=True, tag="collateral-listed"):
    """These many assets are collateral now."""

    count: int


class PoolChanged(msgspec.Struct, frozen=True, tag="pool-changed"):
    """What the account has pledged of an asset after the command, and what of it is free."""

    account: int
    asset: int
    pledged: int
    free: int


class PoolCalled(msgspec.Struct, frozen=True, tag="pool-called"):
    """Calls of a taker are set; HKD cents. ``short`` counts accounts that do not cover theirs yet."""

    taker: str
    accounts: int
    required_cents: int
    short: int
    shortfall_cents: int


class PoolArranged(msgspec.Struct, frozen=True, tag="pool-arranged"):
    """The account's allotments are these many, covering so much of its calls and leaving so much open; HKD cents."""

    account: int
    allotments: int
    covered_cents: int
    shortfall_cents: int


class SubstitutionChanged(msgspec.Struct, frozen=True, tag="substitution-changed"):
    """A substitution is proposed, delivered, released or cancelled; ``covered_cents`` is the taker's cover after it."""

    substitution: int
    status: str
    covered_cents: int


class LodgementSet(msgspec.Struct, frozen=True, tag="lodgement-set"):
    """What a house must lodge with another and has lodged; HKD cents."""

    house: str
    other: str
    required_cents: int
    lodged_cents: int


class CollateralReused(msgspec.Struct, frozen=True, tag="collateral-reused"):
    """A chain holds so much of the asset now; HKD cents of what the house has lodged with the last of it."""

    chain: tuple[str, ...]
    amount: int
    lodged_cents: int


class PoolCreditChanged(msgspec.Struct, frozen=True, tag="pool-credit-changed"):
    """A loan against the pool was drawn or repaid; cents of its currency."""

    loan: int
    status: str
    cents: int


PoolEvent = (
    CollateralListed
    | PoolChanged
    | PoolCalled
    | PoolArranged
    | SubstitutionChanged
    | LodgementSet
    | CollateralReused
    | PoolCreditChanged
)
