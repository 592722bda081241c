"""Books on the published rows of HKEX's file of March 2019, for every test of PRiME."""

from __future__ import annotations

from prime_rows import row
from tsingma.margin.prime.commodity import (
    Commodity,
    CommodityLeg,
    Contract,
    IntercommoditySpread,
    IntermonthSpread,
    Kind,
    PrimeParameters,
    Side,
    Tier,
    TierLeg,
    check_parameters,
)
from tsingma.margin.prime.requirement import Position

MARCH, APRIL = 201903, 201904
ALL_MONTHS = (Tier(1, 190001, 299912),)
ONE_TO_ONE = (TierLeg(1, 10_000, Side.A), TierLeg(1, 10_000, Side.B))
DELTAS = {"HSI Mar 28000 C": 7400, "HSI Mar 28000 P": -2600, "HSI Mar 28200 P": -3100, "HSI Mar 29000 C": 4700,
          "HSI Mar 29000 P": -5300, "HSI Mar 30000 C": 2100, "HSI Apr 28000 C": 6900}  # fmt: skip
HSI = Commodity(
    code="HSI", tiers=ALL_MONTHS, intermonth=(IntermonthSpread(1, 19_800, ONE_TO_ONE),), short_option_minimum=8600
)


def future(name: str, month: int, psr: int = 86_000, extreme: int = 77_400, commodity: str = "HSI") -> Contract:
    """Return a future whose array has the moves of its scan range."""
    one, two = round(psr / 3, -1), round(2 * psr / 3, -1)
    array = (0, 0, -one, -one, one, one, -two, -two, two, two, -psr, -psr, psr, psr, -extreme, extreme)
    return Contract(id=name, commodity=commodity, kind=Kind.FUTURE, month=month, array=array, delta_e4=10_000)


def hsi_parameters(commodity: Commodity = HSI) -> PrimeParameters:
    """Return the published HSI rows as a parameter set."""
    contracts = {"HSI Mar": future("HSI Mar", MARCH), "HSI Apr": future("HSI Apr", APRIL)}
    for index, name in enumerate(DELTAS):
        fields, array = row(index)
        contracts[name] = Contract(
            id=name, commodity="HSI", kind=Kind.OPTION_ON_PHYSICAL, month=APRIL if "Apr" in name else MARCH,
            array=tuple(array), delta_e4=DELTAS[name], right=fields["right"], strike_e4=fields["strike"] * 10_000,
            settlement_price_e4=fields["settlement_price"] * 10_000, multiplier=50,
        )  # fmt: skip
    return check_parameters(
        PrimeParameters(name="test", business_date="20190304", commodities={"HSI": commodity}, contracts=contracts)
    )


def held(**quantity: int) -> list[Position]:
    """Return positions by contract: plus is long."""
    return [
        Position(name.replace("_", " "), max(count, 0), max(-count, 0), line)
        for line, (name, count) in enumerate(quantity.items(), 2)
    ]


def two_commodities(rate_e4: int = 5000) -> PrimeParameters:
    """Return HSI and HHI futures with a credit between one HSI and two HHI."""
    rule = IntercommoditySpread(1, rate_e4, (CommodityLeg("HSI", 10_000, Side.A), CommodityLeg("HHI", 20_000, Side.B)))
    return check_parameters(
        PrimeParameters(
            name="two", business_date="20190304", intercommodity=(rule,),
            commodities={code: Commodity(code=code) for code in ("HSI", "HHI")},
            contracts={"HSI": future("HSI", MARCH), "HHI": future("HHI", MARCH, 33_950, 30_555, "HHI")},
        )
    )  # fmt: skip
