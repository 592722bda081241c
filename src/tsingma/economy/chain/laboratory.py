"""A chain with its base year solved once, to lay levers and shocks on and compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from tsingma.economy.chain.dividends import (
    CHAIN_LAYERS,
    Divergence,
    Dividends,
    base_dividends,
    by_layer,
    divergence,
    dividends,
)
from tsingma.economy.chain.equilibrium import Equilibrium, Shock, base_flows, solve
from tsingma.economy.chain.levers import Setting, plan_of
from tsingma.economy.chain.stylised import Chain
from tsingma.economy.chain.table import Float64


class Outcome:
    """One change and what it does, beside the base."""

    def __init__(self, bench: Laboratory, found: Equilibrium, leaders: Mapping[str, float]) -> None:
        """Keep the equilibrium and its dividends."""
        self._bench, self.found = bench, found
        self.dividends: Dividends = dividends(bench.chain, found, leaders=leaders)

    def real_income(self, country: str) -> float:
        """Return the change of a country's real income in percent."""
        places = self._bench.chain.regions_of(country)
        weight = self._bench.income[places] / self._bench.income[places].sum()
        return 100.0 * float(self.found.real_income[0, places] @ weight - 1.0)

    def real_income_without(self, country: str) -> float:
        """Return the change of the real income of the world but a country, in percent."""
        away = np.ones(len(self._bench.income), np.bool_)
        away[self._bench.chain.regions_of(country)] = False
        weight = self._bench.income[away] / self._bench.income[away].sum()
        return 100.0 * float(self.found.real_income[0, away] @ weight - 1.0)

    def divergence(self, country: str) -> Divergence:
        """Return the measures of a country after the change."""
        return divergence(self._bench.chain, country, self._bench.base, self.dividends)

    def theil_change(self, country: str) -> float:
        """Return the change of a country's Theil."""
        return self.divergence(country).theil - self._bench.divergence(country).theil

    def growth(self, parts: Float64) -> float:
        """Return the growth in percent of the dividends where ``parts`` [N, J, 2] is 1."""
        before, after = (float((one.total * parts).sum()) for one in (self._bench.base, self.dividends))
        return 100.0 * (after / before - 1.0)


class Laboratory:
    """A chain, its world, base dividends and base income [N]."""

    def __init__(self, chain: Chain) -> None:
        """Solve nothing yet: the base year is the table."""
        self.chain, self.world, self.base = chain, chain.world(), base_dividends(chain)
        self.income = base_flows(self.world)[1]

    def run(self, *settings: Setting) -> Outcome:
        """Return the outcome of levers; raises Rejected as they and the solver do."""
        plan = plan_of(self.chain, settings)
        return Outcome(self, solve(self.world, plan.shock), plan.leaders)

    def shock(self, shock: Shock) -> Outcome:
        """Return the outcome of a shock of the equilibrium alone."""
        return Outcome(self, solve(self.world, shock), {})

    def better(self, sectors: Sequence[int], factor: float) -> Outcome:
        """Return the outcome of a productivity factor of these sectors everywhere."""
        productivity = np.ones(self.chain.table.shape)
        productivity[:, list(sectors)] = factor
        return self.shock(Shock(productivity=productivity))

    def demand(self, sectors: Sequence[int], amount: float) -> Outcome:
        """Return the outcome of the world's final use turning by an amount (unit of the table) to these sectors."""
        use = self.world.final_share * self.income[:, None]
        held = use[:, list(sectors)].sum()
        taste = np.ones(self.chain.table.shape)
        taste[:, list(sectors)] = (held + amount) / held
        return self.shock(Shock(taste=taste))

    def divergence(self, country: str) -> Divergence:
        """Return the measures of a country in the base year."""
        return divergence(self.chain, country, self.base, self.base)

    def parts(
        self, *, layer: str = "", zone: str = "", tier: int | None = None, countries: Sequence[str] = ()
    ) -> Float64:
        """Return 1 for the chain's dividends in a layer, zone, tier and countries [N, J, 2], else 0."""
        chain, (regions, sectors) = self.chain, self.chain.table.shape
        chosen = np.zeros((regions, sectors, 2))
        rows = [n for n, name in enumerate(chain.table.regions) if not zone or chain.zone_of[name] == zone]
        rows = [n for n in rows if not countries or chain.country_of[chain.table.regions[n]] in countries]
        columns = [k for one in ((layer,) if layer else CHAIN_LAYERS) for k in chain.sectors_of(one)]
        tiers = [0, 1] if tier is None else [tier]
        chosen[np.ix_(np.array(rows), np.array(columns), np.array(tiers))] = 1.0
        return chosen

    def rent_share(self, layer: str) -> float:
        """Return rent over dividends of a layer in the base year."""
        chosen = self.chain.sectors_of(layer)
        return float(self.base.rent[:, chosen].sum()) / by_layer(self.chain, self.base)[layer]
