"""The world of Caliendo and Parro (2015): 31 countries, 40 sectors, 1993, and what NAFTA's tariffs changed.

Source: L. Caliendo and F. Parro, "Estimates of the Trade and Welfare Effects of NAFTA", REStud 82(1), 2015, and its
public supplement, whose file layout the arrays follow.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.economy.chain.equilibrium import Equilibrium, Shock, base_flows, rebased, solve
from tsingma.economy.chain.table import Float64
from tsingma.economy.chain.welfare import Welfare, welfare
from tsingma.economy.chain.world import World, checked_world, shares

REGIONS = (
    "Argentina", "Australia", "Austria", "Brazil", "Canada", "Chile", "China", "Denmark", "Finland", "France",
    "Germany",     "Greece", "Hungary",
    "India", "Indonesia", "Ireland", "Italy", "Japan", "Korea", "Mexico", "Netherlands",
    "New Zealand", "Norway", "Portugal", "South Africa", "Spain", "Sweden", "Turkey", "UK", "USA", "Rest of world",
)  # fmt: skip
SECTORS = (
    "Agriculture", "Mining", "Food", "Textile", "Wood", "Paper", "Petroleum", "Chemicals", "Plastic", "Minerals",
    "Basic metals", "Metal products", "Machinery", "Office", "Electrical", "Communication", "Medical", "Auto",
    "Other transport", "Other", "Electricity", "Construction", "Retail", "Hotels", "Land transport", "Water transport",
    "Air transport", "Auxiliary transport", "Post", "Finance", "Real estate", "Renting of machinery", "Computer", "R&D",
    "Other business", "Public", "Education", "Health", "Other services", "Private households",
)  # fmt: skip
TRADABLES = 20
THETA_SERVICES = 8.22  # the paper's mean elasticity, used where nothing is traded
NAFTA = ("Canada", "Mexico", "USA")


class Supplement(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """The supplement's files as arrays, N countries, J sectors, T tradables.

    ``value_added_share`` [J, N] and ``output`` [J, N]; ``inputs`` [N, J, J] share of input k in the inputs of j;
    ``theta`` [T]; ``tariff_before`` and ``tariff_after`` [T, N, N] in percent, importer then exporter; ``trade`` [T,
    N, N] without tariff, in the unit of ``output``.
    """

    value_added_share: Float64
    output: Float64
    inputs: Float64
    theta: Float64
    tariff_before: Float64
    tariff_after: Float64
    trade: Float64


class NaftaEffects(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Welfare of every country after NAFTA's tariffs, the two equilibria behind it, and the world between them."""

    welfare: tuple[Welfare, ...]
    imports_from_bloc: dict[str, float]  # growth of each member's imports from the others, percent, without tariff
    baseline: World
    counterfactual: Equilibrium
    residual: float
    steps: tuple[int, int]


def world_of_supplement(data: Supplement) -> World:
    """Return the 1993 world; raises Rejected when the arrays have other shapes.

    As in the supplement: output is at least exports; home sales are output less exports; final shares are what inputs
    leave of spending, a negative rest set to 0. Deficits are those of the data (the paper then solves without them).
    """
    n, j = len(REGIONS), len(SECTORS)
    if data.output.shape != (j, n) or data.trade.shape != (TRADABLES, n, n) or data.inputs.shape != (n, j, j):
        shapes = f"{data.output.shape}, {data.trade.shape}, {data.inputs.shape}"
        raise refuse(RejectionReason.MALFORMED, f"{shapes}: not the supplement's shapes", field="cp2015")
    tariff, trade = np.zeros((j, n, n)), np.zeros((j, n, n))
    tariff[:TRADABLES], trade[:TRADABLES] = data.tariff_before / 100.0, data.trade
    exports = trade.sum(axis=1)  # sector, exporter
    home = np.maximum(data.output, exports) - exports
    spent = trade * (1.0 + tariff)
    places = np.arange(n)
    spent[:, places, places] = home
    spending = spent.sum(axis=2)
    net = spent / (1.0 + tariff)
    sold, added = net.sum(axis=1), np.maximum(data.output, exports) * data.value_added_share
    inputs = (data.inputs * ((1.0 - data.value_added_share) * sold).T[:, None, :]).sum(axis=2).T
    factor_income = added.sum(axis=0)
    deficit = net.sum(axis=(0, 2)) - sold.sum(axis=0)
    revenue = (net * tariff).sum(axis=(0, 2))
    rest = (spending - inputs) / (factor_income + revenue + deficit)
    rest = np.maximum(rest, 0.0)
    return checked_world(
        World(
            regions=REGIONS,
            sectors=SECTORS,
            trade_share=spent / spending[:, :, None],
            input_share=shares(np.maximum(data.inputs, 0.0), 1),
            value_added_share=data.value_added_share.T.copy(),
            final_share=(rest / rest.sum(axis=0)).T,
            tariff=tariff,
            markup=np.ones((n, j)),
            factor_income=factor_income,
            deficit=deficit,
            theta=np.concatenate([data.theta, np.full(j - TRADABLES, THETA_SERVICES)]),
            sigma=np.ones(j),
            epsilon=np.ones(j),
            unit="USD",
            source="Caliendo and Parro 2015, supplement: 1993",
        )
    )


def nafta(data: Supplement) -> NaftaEffects:
    """Return what NAFTA's tariffs of 2005 among its members changed, from 1993 without aggregate deficits (Table 2)."""
    world = world_of_supplement(data)
    baseline = solve(world, Shock(deficit=np.zeros(len(REGIONS))))
    middle = rebased(world, baseline)
    tariff = middle.tariff.copy()
    members = [REGIONS.index(name) for name in NAFTA]
    chosen = np.ix_(range(TRADABLES), members, members)
    tariff[chosen] = data.tariff_after[chosen] / 100.0
    after = solve(middle, Shock(tariff=tariff))
    return NaftaEffects(
        welfare=welfare(middle, after),
        imports_from_bloc=_bloc_imports(middle, after, members),
        baseline=middle,
        counterfactual=after,
        residual=float(max(baseline.residual.max(), after.residual.max())),
        steps=(baseline.steps, after.steps),
    )


def _bloc_imports(before: World, after: Equilibrium, members: Sequence[int]) -> dict[str, float]:
    old = base_flows(before)[0].T[:, :, None] * before.trade_share / (1.0 + before.tariff)
    new = after.spending[0].T[:, :, None] * after.trade_share[0] / (1.0 + after.tariff[0])
    growth = {}
    for buyer in members:
        others = [member for member in members if member != buyer]
        ratio = new[:, buyer, others].sum() / old[:, buyer, others].sum()
        growth[before.regions[buyer]] = 100.0 * float(ratio - 1.0)
    return growth
