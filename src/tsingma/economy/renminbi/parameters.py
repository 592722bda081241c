"""The rows the renminbi models run on, read once from ``reference/data/renminbi.toml`` and checked."""

from __future__ import annotations

from enum import StrEnum
from functools import cache

import msgspec

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.reference.tables import read_table


class Estimate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A published coefficient and its standard error."""

    value: float
    error: float


class InertiaSet(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One column of the published regression of reserve shares on their own past, credibility and GDP share."""

    name: str
    lagged: Estimate
    credibility: Estimate
    gdp_share: Estimate
    credibility_dollar: Estimate | None = None
    gdp_share_dollar: Estimate | None = None
    observations: int


class Function(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one use of money starts from and how fast it moves; ``inertia`` names a published column."""

    name: str
    share: float
    inertia: str
    network: float
    network_range: tuple[float, float]
    noise: float
    funding_gap: float
    source: str


class LeverGroup(StrEnum):
    """What a lever works through; restriction is the opposite of the other three."""

    USE = "use"
    PRODUCTS = "products"
    LINKS = "links"
    RESTRICTION = "restriction"


class Lever(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One policy: its unit and range, and the change of the long-run logit of each share over the whole range."""

    name: str
    unit: str
    low: float
    high: float
    group: LeverGroup
    effects: dict[str, float]
    source: str


class PoolParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Start and monthly behaviour of the offshore pool, CNY bn and parts of one (see the table)."""

    deposits: float
    loan_to_deposit: float
    bonds_to_deposit: float
    liquid_part: float
    liquid_least: float
    facility_quota: float
    trade_settlement: float
    trade_balance: float
    lending: float
    repaid: float
    lending_response: float
    remitted: float
    southbound: float
    northbound: float
    bond_purchases: float
    proceeds_kept: float
    deposit_rate: float
    cnh_rate: float
    dollar_rate: float
    rate_noise: float
    scarcity: float
    run_off: float
    usdcnh: float
    fx_noise: float


class AdoptionParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The panel of counterpart countries and the two published effects of a swap line."""

    countries: int
    treated: int
    observations: int
    months: int
    use_before: float
    use_effect: float
    value_effect: float
    trade: float
    clearing_bank: float
    neighbours: float
    value_noise: float
    source: str


class Parameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything the table holds."""

    inertia: tuple[InertiaSet, ...]
    function: tuple[Function, ...]
    lever: tuple[Lever, ...]
    pool: PoolParameters
    adoption: AdoptionParameters


@cache
def parameters() -> Parameters:
    """Return the table."""
    return msgspec.convert(read_table("renminbi.toml"), Parameters, strict=False)


def inertia_set(name: str) -> InertiaSet:
    """Return one published column by name; raises Rejected (unknown) naming all."""
    for one in parameters().inertia:
        if one.name == name:
            return one
    names = "; ".join(one.name for one in parameters().inertia)
    raise refuse(RejectionReason.UNKNOWN, f"no set of coefficients '{name}'", remedy=f"there are: {names}")


def lever(name: str) -> Lever:
    """Return one lever by name; raises Rejected (unknown) naming all."""
    for one in parameters().lever:
        if one.name == name:
            return one
    names = ", ".join(one.name for one in parameters().lever)
    raise refuse(RejectionReason.UNKNOWN, f"no lever '{name}'", field="lever", remedy=f"there are: {names}")


def lever_effects(settings: dict[str, float]) -> dict[str, float]:
    """Return the change of each function's long-run logit under levers set in their units.

    Raises Rejected for an unknown lever, or a value outside its range.
    """
    total = {function.name: 0.0 for function in parameters().function}
    for name, value in settings.items():
        one = lever(name)
        if not one.low <= value <= one.high:
            message = f"{value} is outside {one.low} to {one.high} ({one.unit})"
            raise refuse(RejectionReason.OUT_OF_RANGE, message, field="lever", subject=name)
        for function, effect in one.effects.items():
            total[function] += effect * (value - one.low) / (one.high - one.low)
    return total
