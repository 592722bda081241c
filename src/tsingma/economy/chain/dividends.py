"""Who earns the chain: value added by country, layer, zone and tier, what leaks abroad, and how uneven it is.

Dividends are ``share_f [v Y / mu (labour and capital) + (1 - 1/mu) Y (rent)]`` and add up to world value added
exactly (reference A1.2). The measures look at the chain alone (upstream, midstream, downstream), by head of each
group of people.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import numpy as np

from tsingma.economy.chain.equilibrium import Equilibrium
from tsingma.economy.chain.stylised import Chain
from tsingma.economy.chain.table import Float64
from tsingma.economy.measures import esteban_ray, herfindahl, k_shape, palma, theil, wolfson

CHAIN_LAYERS = ("upstream", "midstream", "downstream")
TIERS = ("leaders", "small")
TRIO = ("CHN", "JPN", "KOR")


class Dividends(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Value added [N, J, 2] by region, sector and tier: labour and capital, and rent, in the table's unit."""

    factors: Float64
    rent: Float64

    @property
    def total(self) -> Float64:
        """Return factors and rent together [N, J, 2]."""
        return self.factors + self.rent


class Divergence(msgspec.Struct, frozen=True, kw_only=True):
    """How uneven the chain's dividends are inside one country, by head, over zones and tiers."""

    country: str
    theil: float
    theil_within: float
    theil_between: float  # between zones
    palma: float
    wolfson: float
    esteban_ray: float
    upper: float  # log change of the mean of leaders in the core (all leaders where a country is whole)
    lower: float  # and of everyone else
    k: float


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One cell of the dividend table: base, after, and the change in percent."""

    country: str
    layer: str
    zone: str
    tier: str
    base: float
    after: float


def base_dividends(chain: Chain, leaders: Mapping[str, float] | None = None) -> Dividends:
    """Return the dividends of the table itself."""
    table = chain.table
    output, added = table.output.reshape(table.shape), table.value_added.reshape(table.shape)
    rent = (1.0 - 1.0 / chain.markup) * output
    return _by_tier(chain, added - rent, rent, leaders)


def dividends(chain: Chain, found: Equilibrium, case: int = 0, leaders: Mapping[str, float] | None = None) -> Dividends:
    """Return the dividends of an equilibrium; ``leaders`` replaces the leaders' share, by layer or "country layer"."""
    factors = found.value_added_share[case] * found.output[case] / found.markup[case]
    return _by_tier(chain, factors, found.profit[case], leaders)


def _by_tier(chain: Chain, factors: Float64, rent: Float64, leaders: Mapping[str, float] | None) -> Dividends:
    known = {**chain.leaders, **(leaders or {})}
    layers = [chain.layer_of[sector] for sector in chain.table.sectors]
    countries = [chain.country_of[region] for region in chain.table.regions]
    share = np.array(
        [[known.get(f"{country} {layer}", known[layer]) for layer in layers] for country in countries], np.float64
    )
    tiers = np.stack([share, 1.0 - share], axis=2)
    return Dividends(factors=factors[:, :, None] * tiers, rent=rent[:, :, None] * tiers)


def dividend_rows(chain: Chain, base: Dividends, after: Dividends) -> tuple[Row, ...]:
    """Return the table country x layer x zone x tier; its sums are world value added before and after."""
    rows, layers = [], list(dict.fromkeys(chain.layer_of.values()))
    for place, region in enumerate(chain.table.regions):
        for layer in layers:
            chosen = chain.sectors_of(layer)
            for tier, name in enumerate(TIERS):
                rows.append(
                    Row(country=chain.country_of[region], layer=layer, zone=chain.zone_of[region], tier=name,
                        base=float(base.total[place, chosen, tier].sum()),
                        after=float(after.total[place, chosen, tier].sum()))
                )  # fmt: skip
    return tuple(rows)


def by_layer(chain: Chain, values: Dividends, country: str | None = None) -> dict[str, float]:
    """Return total dividends by layer, of one country or the world."""
    places = range(len(chain.table.regions)) if country is None else chain.regions_of(country)
    return {
        layer: float(values.total[np.ix_(list(places), chain.sectors_of(layer))].sum())
        for layer in dict.fromkeys(chain.layer_of.values())
    }


def layer_concentration(chain: Chain, values: Dividends, layer: str) -> float:
    """Return the HHI over countries and tiers of a layer's dividends."""
    cells = values.total[:, chain.sectors_of(layer)].sum(axis=1)  # region, tier
    countries = list(dict.fromkeys(chain.country_of.values()))
    shares = [[cells[chain.regions_of(name), tier].sum() for tier in range(len(TIERS))] for name in countries]
    return herfindahl(np.array(shares).reshape(-1))


def rent_leakage(chain: Chain, values: Dividends, foreign_owned: Mapping[str, float]) -> dict[str, float]:
    """Return rent that goes to foreign owners, by country; a country without a known share leaks none."""
    return {
        country: share * float(values.rent[chain.regions_of(country)].sum()) for country, share in foreign_owned.items()
    }


def divergence(chain: Chain, country: str, base: Dividends, after: Dividends) -> Divergence:
    """Return the measures of one country after a change, and both arms of its K against the base.

    Groups are zones times tiers, of the chain's layers alone, by head. Raises Rejected for an unknown country.
    """
    places = chain.regions_of(country)
    chosen = [k for layer in CHAIN_LAYERS for k in chain.sectors_of(layer)]
    incomes, people, zones, upper = [], [], [], []
    before = []
    for place in places:
        for tier in range(len(TIERS)):
            head = _people(chain, place, tier)
            people.append(head)
            incomes.append(float(after.total[place, chosen, tier].sum()) / head)
            before.append(float(base.total[place, chosen, tier].sum()) / head)
            zones.append(chain.zone_of[chain.table.regions[place]])
            upper.append(tier == 0 and zones[-1] != "periphery")
    y, w = np.array(incomes), np.array(people)
    parts, arms = theil(y, w, zones), k_shape(np.array(before), y, upper, w)
    return Divergence(
        country=country,
        theil=parts.total,
        theil_within=parts.within,
        theil_between=parts.between,
        palma=palma(y, w),
        wolfson=wolfson(y, w),
        esteban_ray=esteban_ray(y, w),
        upper=arms.upper,
        lower=arms.lower,
        k=arms.gap,
    )


def _people(chain: Chain, place: int, tier: int) -> float:
    """Return the share of a country's people in a zone and tier: the tiers of the rest of the economy."""
    leaders = chain.leaders_people["rest"]
    return float(chain.people[place]) * (leaders if tier == 0 else 1.0 - leaders)
