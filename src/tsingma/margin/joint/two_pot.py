"""Two pots by other rules than a shared saving: spread by spread between houses, and netted scenario by scenario.

min-leg          for each underlying held the opposite way at two houses, credit rate x the smaller leg's margin, given
                 by both houses (CME-NYMEX)
scenario-netted  the shortfall of all positions together, each at its own holding period, in scenarios that begin on
                 the same days; a fifth of the stand-alone sum at least

A leg is what an account has in one underlying at one house: delta value (of contracts on a curve: HKD a basis point)
and the house's own figure for it alone. The basket of all counters and the index are one underlying. A house's credit
is cut to what leaves it covered on its own positions, as everywhere in two pots.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tsingma.margin.house.historical import Kind
from tsingma.margin.house.holdings import BASKET, CONTRACTS, INDEX, OPTIONS, Book, Holding, House, Product
from tsingma.margin.house.past import MarketPast
from tsingma.margin.house.standalone import house_figure
from tsingma.margin.joint.allocation import tail_loss
from tsingma.margin.joint.requirement import E4, HouseRisk, JointSettings, coverage_margin
from tsingma.margin.joint.spreads import Leg, RecognisedSpread, min_leg_credits, reductions_by_house
from tsingma.margin.measures import tail_count
from tsingma.pricing.options import greeks

CREDIT_RATE_E4 = 7_500  # as SEBI's benefit for an index against its constituents; no rate of CME and NYMEX is public
DAYS_A_YEAR = 365.0


class TwoPots(msgspec.Struct, frozen=True, kw_only=True):
    """What the houses would call by each rule, whole HKD; ``min_leg_by_house`` adds up to ``min_leg``."""

    credit_rate_e4: int
    spreads: tuple[RecognisedSpread, ...]
    min_leg: int
    min_leg_by_house: dict[str, int]
    scenario_netted: int


def two_pots(
    book: Book,
    risks: Sequence[HouseRisk],
    past: MarketPast,
    row: int,
    settings: JointSettings | None = None,
    credit_rate_e4: int = CREDIT_RATE_E4,
) -> TwoPots:
    """Return a book's figures by both rules at the close of a row; ``risks`` are those of its houses.

    Raises Rejected for a credit rate outside 0 to 1.
    """
    settings = settings or JointSettings()
    spreads = min_leg_credits(legs_of(book, past, row), credit_rate_e4)
    reductions = reductions_by_house(spreads)
    called = {}
    for risk in risks:
        room = max(risk.standalone - coverage_margin(risk, settings.coverage_level), 0)
        called[risk.house] = risk.standalone - min(reductions.get(risk.house, 0), room)
    alone = sum(risk.standalone for risk in risks)
    netted = past.own_profits(book.holdings, row, Kind.FILTERED)
    count = tail_count(settings.level, netted.size)
    floor = alone - alone * settings.saving_cap_e4 // E4
    return TwoPots(
        credit_rate_e4=credit_rate_e4,
        spreads=spreads,
        min_leg=sum(called.values()),
        min_leg_by_house=called,
        scenario_netted=min(max(-(-tail_loss(netted, count) // count), floor), alone),
    )


def legs_of(book: Book, past: MarketPast, row: int) -> list[Leg]:
    """Return a book's legs by house and underlying, houses in order."""
    legs = []
    for house in book.houses:
        held: dict[str, list[Holding]] = {}
        for one in book.holdings:
            if one.house is house:
                held.setdefault(_underlying(one, past), []).append(one)
        legs += [_leg(house, name, own, past, row) for name, own in sorted(held.items())]
    return legs


def _underlying(holding: Holding, past: MarketPast) -> str:
    if holding.product in CONTRACTS and past.rates is not None:
        return past.rates.contracts[holding.factor].curve
    return INDEX if holding.factor == BASKET else holding.factor


def _leg(house: House, name: str, holdings: Sequence[Holding], past: MarketPast, row: int) -> Leg:
    delta = sum(round(_delta(one, past, row)) for one in holdings)
    return Leg(str(house), name, delta, house_figure(house, holdings, past, row).total)


def _delta(holding: Holding, past: MarketPast, row: int) -> float:
    if holding.product in CONTRACTS and past.rates is not None:
        return holding.notional * past.rates.profits_of_a_basis_point([holding.factor], row)[holding.factor]
    if holding.product not in OPTIONS:
        return float(holding.notional)
    strike, years = holding.strike_e4 / 10_000, holding.days / DAYS_A_YEAR
    volatility = past.volatility(row, holding.factor)
    found = greeks(1.0, strike, years, volatility, 0.0, holding.product is Product.CALL)
    return holding.notional * float(found.delta.ravel()[0])
