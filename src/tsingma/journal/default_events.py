"""Events of default management; money is in cents."""

from __future__ import annotations

import msgspec


class ParticipantSuspended(msgspec.Struct, frozen=True, tag="participant-suspended"):
    """A participant is suspended under the number of a case; instructions held and payments cancelled with it."""

    default: int
    participant: str
    instructions_held: int
    payments_cancelled: int


class ParticipantReinstated(msgspec.Struct, frozen=True, tag="participant-reinstated"):
    """A suspension ended; ``released`` is an i8 column of the instructions it had held."""

    default: int
    participant: str
    released: bytes


class DefaultDeclared(msgspec.Struct, frozen=True, tag="default-declared"):
    """A participant is a defaulter; what is open with it, and what was taken out because nobody guarantees it."""

    default: int
    participant: str
    ground: str
    positions: int
    series: int
    instructions_cancelled: int
    orders_withdrawn: int


class FundCalled(msgspec.Struct, frozen=True, tag="fund-called"):
    """Contributions to a default fund were set: accounts, required and pledged in all."""

    fund: str
    accounts: int
    required_cents: int
    pledged_cents: int


class PositionClosedOut(msgspec.Struct, frozen=True, tag="position-closed-out"):
    """A position went to a taker: units (to receive +), their value at its price, and what it lost by currency."""

    default: int
    account: int
    units: int
    value_cents: int
    lost_cents: dict[str, int]


class CollateralSold(msgspec.Struct, frozen=True, tag="collateral-sold"):
    """Securities of a defaulter were sold for what it owes to a house."""

    default: int
    account: int
    asset: int
    amount: int
    proceeds_cents: int


class AccountPorted(msgspec.Struct, frozen=True, tag="account-ported"):
    """A client account went over whole: lines of the house, positions in series, and assets."""

    default: int
    account: int
    to: int
    positions: int
    series: int
    assets: int


class WaterfallBooked(msgspec.Struct, frozen=True, tag="waterfall-booked"):
    """A loss ran through the layers: of each its kind, what it had and what it bore; what nobody has borne yet."""

    default: int
    fund: str
    loss_cents: int
    layers: tuple[tuple[str, int, int], ...]
    assessed_open_cents: int
    uncovered_cents: int


class AssessmentsCollected(msgspec.Struct, frozen=True, tag="assessments-collected"):
    """Assessments were paid, and are still owed."""

    default: int
    paid_cents: int
    open_cents: int


class DefaultClosed(msgspec.Struct, frozen=True, tag="default-closed"):
    """A default is closed; what went back to the defaulter's accounts, and what the house bears for good, HKD."""

    default: int
    participant: str
    returned_cents: int
    written_off_cents: int


DefaultEvent = (
    ParticipantSuspended
    | ParticipantReinstated
    | DefaultDeclared
    | FundCalled
    | PositionClosedOut
    | CollateralSold
    | AccountPorted
    | WaterfallBooked
    | AssessmentsCollected
    | DefaultClosed
)
