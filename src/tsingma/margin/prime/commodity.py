"""Combined commodities and their contracts: what the parameter file says about each.

Deltas, ratios and credit rates are integers in ten-thousandths (``_e4``); charges and arrays are whole units of the
commodity's currency, already scaled by its risk exponent.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum, StrEnum

import msgspec

from tsingma.basics.rejection import Rejected, Rejection, RejectionReason
from tsingma.margin.prime.arrays import SCENARIOS

E4 = 10_000


class Kind(StrEnum):
    """Contract types of the parameter file."""

    FUTURE = "FUT"
    OPTION_ON_PHYSICAL = "OOP"
    OPTION_ON_FUTURE = "OOF"
    PHYSICAL = "PHY"


class Side(StrEnum):
    """The side of a spread leg: legs of one letter are long together while those of the other are short."""

    A = "A"
    B = "B"


class ShortOptionMethod(IntEnum):
    """How short options are counted for their minimum."""

    LARGER_SIDE = 1  # the larger of short calls and short puts
    CALLS_AND_PUTS = 2


class Tier(msgspec.Struct, frozen=True):
    """A run of contract months (CCYYMM, both ends included) that spread rules treat alike."""

    number: int
    first_month: int
    last_month: int


class TierLeg(msgspec.Struct, frozen=True):
    """One leg of an intermonth spread: deltas of a tier per spread."""

    tier: int
    ratio_e4: int
    side: Side


class IntermonthSpread(msgspec.Struct, frozen=True):
    """A rule of the type C record: spreads are formed in order of priority at a charge each."""

    priority: int
    charge: int
    legs: tuple[TierLeg, ...]


class SpotCharge(msgspec.Struct, frozen=True):
    """Charges on the delta of a month near delivery: per delta used in spreads, and per delta left outright."""

    month: int
    per_spread_delta: int
    per_outright_delta: int


class CommodityLeg(msgspec.Struct, frozen=True):
    """One leg of an intercommodity spread."""

    commodity: str
    ratio_e4: int
    side: Side


class IntercommoditySpread(msgspec.Struct, frozen=True):
    """A rule of the type 6 record: opposite deltas of commodities earn a credit, in order of priority."""

    priority: int
    credit_rate_e4: int
    legs: tuple[CommodityLeg, ...]


class Commodity(msgspec.Struct, frozen=True, kw_only=True):
    """A combined commodity: the unit in which scan risk is netted."""

    code: str
    currency: str = "HKD"
    tiers: tuple[Tier, ...] = ()
    intermonth: tuple[IntermonthSpread, ...] = ()
    spot: tuple[SpotCharge, ...] = ()
    short_option_minimum: int = 0
    short_option_method: ShortOptionMethod = ShortOptionMethod.CALLS_AND_PUTS
    premium_style: bool = False  # SEOCH stock options: premium is paid, so the position is marked to market


class Contract(msgspec.Struct, frozen=True, kw_only=True):
    """One series: the loss of one long contract in each scenario, its delta and its price.

    ``settlement_price_e4`` in points x 10**4; ``multiplier`` currency units a point; ``delta_e4`` the composite delta;
    ``scaling_e4`` the delta scaling factor.
    """

    id: str
    commodity: str
    kind: Kind
    month: int
    array: tuple[int, ...]
    delta_e4: int
    scaling_e4: int = E4
    right: str = ""
    strike_e4: int = 0
    settlement_price_e4: int = 0
    multiplier: int = 0

    @property
    def is_option(self) -> bool:
        """Return whether the contract is an option."""
        return self.kind in (Kind.OPTION_ON_PHYSICAL, Kind.OPTION_ON_FUTURE)

    def premium(self) -> int:
        """Return the closing value of one contract in currency units, to the nearest, halves up."""
        return (self.settlement_price_e4 * self.multiplier + E4 // 2) // E4


class PrimeParameters(msgspec.Struct, frozen=True, kw_only=True):
    """A day's parameters: commodities by code, contracts by id, credits between commodities."""

    name: str
    business_date: str
    commodities: dict[str, Commodity]
    contracts: dict[str, Contract]
    intercommodity: tuple[IntercommoditySpread, ...] = ()


def check_parameters(parameters: PrimeParameters) -> PrimeParameters:
    """Return the parameters; raises Rejected with everything that contradicts itself."""
    faults = [
        *(fault for one in parameters.contracts.values() for fault in _contract_faults(one, parameters)),
        *(fault for one in parameters.commodities.values() for fault in _commodity_faults(one)),
        *(
            _fault(f"intercommodity spread {rule.priority}", "commodity", f"'{leg.commodity}' is unknown")
            for rule in parameters.intercommodity
            for leg in rule.legs
            if leg.commodity not in parameters.commodities
        ),
        *(fault for rule in parameters.intercommodity for fault in _leg_faults("intercommodity", rule)),
    ]
    if faults:
        raise Rejected(*faults)
    return parameters


def _contract_faults(one: Contract, parameters: PrimeParameters) -> list[Rejection]:
    rules: Sequence[tuple[bool, str, str]] = (
        (one.commodity in parameters.commodities, "commodity", f"'{one.commodity}' is unknown"),
        (len(one.array) == SCENARIOS, "array", f"{len(one.array)} values, {SCENARIOS} expected"),
        (not one.is_option or one.right in ("C", "P"), "right", f"'{one.right}' is neither C nor P"),
        (one.scaling_e4 > 0, "scaling_e4", "is not positive"),
        (one.multiplier >= 0, "multiplier", "is negative"),
        (one.settlement_price_e4 >= 0 or not one.is_option, "settlement_price_e4", "is negative"),
    )
    return [_fault(f"contract {one.id}", field, message) for holds, field, message in rules if not holds]


def _commodity_faults(one: Commodity) -> list[Rejection]:
    tiers = {tier.number for tier in one.tiers}
    faults = [
        _fault(f"commodity {one.code}", "tier", f"spread {rule.priority} uses tier {leg.tier}, which is not defined")
        for rule in one.intermonth
        for leg in rule.legs
        if leg.tier not in tiers
    ]
    faults += [fault for rule in one.intermonth for fault in _leg_faults(f"commodity {one.code}", rule)]
    if one.short_option_minimum < 0:
        faults.append(_fault(f"commodity {one.code}", "short_option_minimum", "is negative"))
    return faults


def _leg_faults(subject: str, rule: IntermonthSpread | IntercommoditySpread) -> list[Rejection]:
    sides = {leg.side for leg in rule.legs}
    rules = (
        (len(sides) == 2, "legs", f"spread {rule.priority} has no leg on one of the sides"),
        (
            all(leg.ratio_e4 > 0 for leg in rule.legs),
            "ratio",
            f"spread {rule.priority} has a ratio that is not positive",
        ),
    )
    return [_fault(subject, field, message) for holds, field, message in rules if not holds]


def _fault(subject: str, field: str, message: str) -> Rejection:
    return Rejection(reason=RejectionReason.OUT_OF_RANGE, subject=subject, field=field, message=message)
