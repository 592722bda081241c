"""Why a country gains or loses: terms of trade, volume of trade and trade costs, adding up to first order.

Caliendo and Parro 2015, section 3.3: dW = 1/I sum (E dc_n - M dc_i) + 1/I sum tau M (dM - dc_i), with base weights
and changes as hat less 1; trade costs add -1/I sum (1 + tau) M dd, productivity the Domar-weighted dA. Their
published welfare is this sum. The exact change of real income stands beside it: for large tariff cuts the two differ
(Mexico under NAFTA), because the volume term values new trade at the old tariff.
"""

from __future__ import annotations

import msgspec
import numpy as np

from tsingma.economy.chain.equilibrium import Equilibrium, Shock, base_flows
from tsingma.economy.chain.table import Float64
from tsingma.economy.chain.world import World


class Welfare(msgspec.Struct, frozen=True, kw_only=True):
    """The gain of one region in percent of base income: the published first-order sum, its parts, and exact figures."""

    region: str
    welfare: float  # sum of the four parts, as published
    terms_of_trade: float
    volume_of_trade: float
    trade_costs: float
    productivity: float
    real_income: float  # exact
    real_wage: float  # exact


def welfare(world: World, found: Equilibrium, shock: Shock | None = None, case: int = 0) -> tuple[Welfare, ...]:
    """Return the welfare change of every region and its parts; ``shock`` is what ``found`` was solved with."""
    spending, income = base_flows(world)
    before = spending.T[:, :, None] * world.trade_share / (1.0 + world.tariff)  # sector, buyer, seller, net of tariff
    after = found.spending[case].T[:, :, None] * found.trade_share[case] / (1.0 + found.tariff[case])
    price = found.cost[case].T - 1.0  # sector, seller
    terms = np.einsum("kin,kn->n", before, price) - np.einsum("kni,ki->n", before, price)
    growth = np.divide(after, before, out=np.ones_like(after), where=before > 0) - 1.0
    volume = (world.tariff * before * (growth - price[:, None, :])).sum(axis=(0, 2))
    costs = _growth(None if shock is None else shock.trade_cost, before.shape, case)
    frictions = -((1.0 + world.tariff) * before * costs).sum(axis=(0, 2))
    better = _growth(None if shock is None else shock.productivity, found.output[case].shape, case)
    gains = (before.sum(axis=1).T * better).sum(axis=1)
    parts = 100.0 * np.stack([terms, volume, frictions, gains]) / income
    return tuple(
        Welfare(
            region=name,
            welfare=float(parts[:, n].sum()),
            terms_of_trade=float(parts[0, n]),
            volume_of_trade=float(parts[1, n]),
            trade_costs=float(parts[2, n]),
            productivity=float(parts[3, n]),
            real_income=100.0 * float(found.real_income[case, n] - 1.0),
            real_wage=100.0 * float(found.real_wage[case, n] - 1.0),
        )
        for n, name in enumerate(world.regions)
    )


def _growth(hats: Float64 | None, shape: tuple[int, ...], case: int) -> Float64:
    if hats is None:
        return np.zeros(shape)
    chosen = hats[min(case, hats.shape[0] - 1)] if hats.ndim > len(shape) else hats
    return np.broadcast_to(chosen, shape) - 1.0
