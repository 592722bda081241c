"""Commands on the pool of collateral."""

from __future__ import annotations

import msgspec


class ListCollateral(msgspec.Struct, frozen=True, tag="list-collateral", forbid_unknown_fields=True):
    """Say of assets what they are as collateral and who holds them: (asset, kind, custodian) each."""

    listings: tuple[tuple[int, str, str], ...]


class PledgeCollateral(msgspec.Struct, frozen=True, tag="pledge-collateral", forbid_unknown_fields=True):
    """Pledge an amount of an account's asset to the pool."""

    account: int
    asset: int
    amount: int


class ReturnCollateral(msgspec.Struct, frozen=True, tag="return-collateral", forbid_unknown_fields=True):
    """Give back what is pledged and allotted to nobody."""

    account: int
    asset: int
    amount: int


class SetPoolCalls(msgspec.Struct, frozen=True, tag="set-pool-calls", forbid_unknown_fields=True):
    """Set what accounts must cover with a taker, HKD cents: columns ``account`` i4, ``required_cents`` i8.

    ``basis`` names the models the figures come from.
    """

    basis: str
    taker: str
    account: bytes
    required_cents: bytes


class ArrangePool(msgspec.Struct, frozen=True, tag="arrange-pool", forbid_unknown_fields=True):
    """Set an account's allotments anew, all at one instant: (taker, asset, amount) each.

    What was reused stays where it is and must be part of the new allotments.
    """

    basis: str
    account: int
    allotments: tuple[tuple[str, int, int], ...]


class ProposeSubstitution(msgspec.Struct, frozen=True, tag="propose-substitution", forbid_unknown_fields=True):
    """Ask to have one asset back from a taker against another, until the end of ``last_day``."""

    account: int
    taker: str
    out_asset: int
    out_amount: int
    in_asset: int
    in_amount: int
    last_day: int


class DeliverSubstitute(msgspec.Struct, frozen=True, tag="deliver-substitute", forbid_unknown_fields=True):
    """The incoming asset is there: pledge it and allot it; from now on it counts."""

    substitution: int


class ReleaseSubstituted(msgspec.Struct, frozen=True, tag="release-substituted", forbid_unknown_fields=True):
    """Give the outgoing asset back, if what is left still covers the call."""

    substitution: int


class CancelSubstitution(msgspec.Struct, frozen=True, tag="cancel-substitution", forbid_unknown_fields=True):
    """Undo a substitution: what came in goes back, if the call stays covered."""

    substitution: int


class SetLodgement(msgspec.Struct, frozen=True, tag="set-lodgement", forbid_unknown_fields=True):
    """Set what a house must lodge with another house, HKD cents, for what it clears there."""

    house: str
    other: str
    required_cents: int


class ReuseCollateral(msgspec.Struct, frozen=True, tag="reuse-collateral", forbid_unknown_fields=True):
    """Lodge an account's asset onwards: the last of ``chain`` gives it to ``other``."""

    account: int
    asset: int
    chain: tuple[str, ...]
    other: str
    amount: int


class RecallCollateral(msgspec.Struct, frozen=True, tag="recall-collateral", forbid_unknown_fields=True):
    """Take back what the last but one of ``chain`` has lodged with the last."""

    account: int
    asset: int
    chain: tuple[str, ...]
    amount: int


class DrawPoolCredit(msgspec.Struct, frozen=True, tag="draw-pool-credit", forbid_unknown_fields=True):
    """Lend an account money of the settlement bank until the end of the day, against what is free in the pool."""

    account: int
    currency: int
    cents: int


class RepayPoolCredit(msgspec.Struct, frozen=True, tag="repay-pool-credit", forbid_unknown_fields=True):
    """Repay a loan whole; what covered it is free again."""

    loan: int


PoolCommand = (
    ListCollateral
    | PledgeCollateral
    | ReturnCollateral
    | SetPoolCalls
    | ArrangePool
    | ProposeSubstitution
    | DeliverSubstitute
    | ReleaseSubstituted
    | CancelSubstitution
    | SetLodgement
    | ReuseCollateral
    | RecallCollateral
    | DrawPoolCredit
    | RepayPoolCredit
)
