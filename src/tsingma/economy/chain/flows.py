"""Who sells to whom along the chain: sales by country and layer to countries and layers, before and after."""

from __future__ import annotations

import msgspec
import numpy as np

from tsingma.economy.chain.dividends import CHAIN_LAYERS
from tsingma.economy.chain.stylised import Chain
from tsingma.economy.chain.table import Float64, Table

FINAL = "final"


class Flow(msgspec.Struct, frozen=True, kw_only=True):
    """Sales of a layer of a country to a use in a country: a layer that takes them as inputs, or ``final``; in the
    unit of the table.
    """

    seller: str
    layer: str
    buyer: str
    use: str
    before: float
    after: float


def chain_flows(chain: Chain, before: Table, after: Table) -> tuple[Flow, ...]:
    """Return every sale of the chain's layers that is not nil in both tables; zones of one country are one.

    Sales of a country's layer add up to its output. Changes in stocks may make a final sale negative.
    """
    uses = (*dict.fromkeys(chain.layer_of.values()), FINAL)
    countries = tuple(dict.fromkeys(chain.country_of.values()))
    old, new = (_sales(chain, table, countries, uses) for table in (before, after))
    return tuple(
        Flow(seller=countries[i], layer=layer, buyer=countries[n], use=use,
             before=float(old[i, k, n, u]), after=float(new[i, k, n, u]))
        for k, layer in enumerate(CHAIN_LAYERS)
        for i in range(len(countries))
        for u, use in enumerate(uses)
        for n in range(len(countries))
        if old[i, k, n, u] or new[i, k, n, u]
    )  # fmt: skip


def _sales(chain: Chain, table: Table, countries: tuple[str, ...], uses: tuple[str, ...]) -> Float64:
    """Return sales [country, chain layer, country, use]."""
    regions, sectors = table.shape
    of = np.array([[chain.country_of[name] == country for name in table.regions] for country in countries], np.float64)
    made = _members(chain, table, CHAIN_LAYERS)
    used = _members(chain, table, uses[:-1])
    inputs = table.intermediate.reshape(regions, sectors, regions, sectors)
    bought = np.einsum("ai,kj,ijnm,bn,um->akbu", of, made, inputs, of, used, optimize=True)
    final = np.einsum("ai,kj,ijn,bn->akb", of, made, table.final.reshape(regions, sectors, regions), of, optimize=True)
    found: Float64 = np.concatenate([bought, final[..., None]], axis=3)
    return found


def _members(chain: Chain, table: Table, layers: tuple[str, ...]) -> Float64:
    return np.array([[chain.layer_of[name] == layer for name in table.sectors] for layer in layers], np.float64)
