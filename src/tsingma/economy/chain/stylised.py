"""The stylised table of the AI value chain that ships: cited sizes and shares, assumed links, balanced by RAS.

Everything it is made of stands in ``chain_table.toml`` with its source. Order: margins from the figures, a prior from
the links and a home bias, RAS, choke points carved out of their parents, China, Japan and Korea cut into core and
periphery.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import msgspec
import numpy as np

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.economy.chain.balance import balanced
from tsingma.economy.chain.carve import Carving, carve, split_region
from tsingma.economy.chain.table import Float64, Table, checked_table
from tsingma.economy.chain.tiers import Adopters, Market
from tsingma.economy.chain.world import World, world_of
from tsingma.reference.tables import read_table

TABLE = "chain_table.toml"


class Adoption(msgspec.Struct, frozen=True, kw_only=True):
    """What AI brings and costs firms a year, in one unit; ``periphery_cost`` is what the interior pays on top."""

    benefit: float
    leaders_cost: float
    small_cost: float
    periphery_cost: float

    def group(self, zone: str, tier: str, *, extra_benefit: float = 0.0, extra_cost: float = 0.0) -> Adopters:
        """Return the firms of a zone and tier as adopters."""
        cost = self.leaders_cost if tier == "leaders" else self.small_cost
        cost += self.periphery_cost if zone == "periphery" else 0.0
        return Adopters(benefit=self.benefit + extra_benefit, cost=cost + extra_cost)


class Chain(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A table with what the chain models need beside it, by sector, region and layer.

    ``layer_of`` a sector's layer; ``country_of`` and ``zone_of`` ("core", "periphery" or "whole") of a region;
    ``theta`` [J], ``epsilon`` [J], ``sigma`` and ``markup`` [N, J]; ``leaders`` and ``leaders_people`` by layer;
    ``people`` [N] share of the country's people; ``assumptions`` how many of the ``figures`` are assumed.
    """

    table: Table
    layer_of: dict[str, str]
    country_of: dict[str, str]
    zone_of: dict[str, str]
    theta: Float64
    sigma: float
    epsilon: Float64
    markup: Float64
    leaders: dict[str, float]
    leaders_people: dict[str, float]
    people: Float64
    markets: dict[str, Market]
    adoption: Adoption
    figures: int
    assumptions: int

    def world(self) -> World:
        """Return the world of the table with its elasticities and markups."""
        return world_of(self.table, self.theta, sigma=self.sigma, epsilon=self.epsilon, markup=self.markup)

    def sectors_of(self, layer: str) -> list[int]:
        """Return the places of a layer's sectors; raises Rejected for an unknown layer."""
        found = [k for k, name in enumerate(self.table.sectors) if self.layer_of[name] == layer]
        if not found:
            known = ", ".join(dict.fromkeys(self.layer_of.values()))
            raise refuse(RejectionReason.UNKNOWN, f"no layer '{layer}'", field="layer", remedy=f"one of {known}")
        return found

    def regions_of(self, country: str) -> list[int]:
        """Return the places of a country's regions; raises Rejected for an unknown country."""
        found = [n for n, name in enumerate(self.table.regions) if self.country_of[name] == country]
        if not found:
            known = ", ".join(dict.fromkeys(self.country_of.values()))
            raise refuse(RejectionReason.UNKNOWN, f"no country '{country}'", field="country", remedy=f"one of {known}")
        return found


@cache
def stylised_chain() -> Chain:
    """Return the stylised chain; the same object each time."""
    figures = _plain(read_table(TABLE))
    table = _national(figures)
    carvings = [_carving(row) for row in figures["carving"]]
    for carving in carvings:
        table = carve(table, carving)
    country_of, zone_of, people = {}, {}, {}
    for row in figures["region"]:
        name = row["name"]
        if "core" not in row:
            country_of[name], zone_of[name], people[name] = name, "whole", 1.0
            continue
        core, rim = row["core"], row["periphery"]
        own = _with_carved(row["core_shares"] | {"*": row["core_share"]}, carvings)
        table = split_region(table, name, {core: own, rim: {sector: 1.0 - part for sector, part in own.items()}})
        country_of |= {core: name, rim: name}
        zone_of |= {core: "core", rim: "periphery"}
        people |= {core: row["core_people"], rim: 1.0 - row["core_people"]}
    rows = figures["sector"] + figures["carving"]
    sources = _sources(figures)
    return Chain(
        table=table,
        layer_of={row["name"]: row["layer"] for row in rows},
        country_of=country_of,
        zone_of=zone_of,
        theta=np.array([row["theta"] for row in rows]),
        sigma=figures["elasticities"]["sigma"],
        epsilon=_epsilon(table, carvings, figures["elasticities"]["epsilon"]),
        markup=np.tile([row.get("markup", 1.0) for row in rows], (len(table.regions), 1)),
        leaders={row["layer"]: row["leaders"] for row in figures["tier"]},
        leaders_people={row["layer"]: row["leaders_people"] for row in figures["tier"]},
        people=np.array([people[name] for name in table.regions]),
        markets={row["layer"]: _market(row) for row in figures["market"]},
        adoption=msgspec.convert(
            {key: value for key, value in figures["adoption"].items() if key != "source"}, Adoption, strict=False
        ),
        figures=len(sources),
        assumptions=sum(source.startswith("assumption") for source in sources),
    )


def _plain(value: Any) -> Any:
    """Return TOML's decimals as floats: shares and sizes are no money that is booked."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value if isinstance(value, str | bool | int) else float(value)


def _sources(value: Any) -> list[str]:
    """Return every source named in the table."""
    if isinstance(value, list):
        return [source for one in value for source in _sources(one)]
    found = []
    for key, one in value.items():
        if isinstance(one, str) and (key.endswith("source")):
            found.append(one)
        elif key == "sources":
            found += list(one.values())
        elif isinstance(one, list | dict):
            found += _sources(one) if not isinstance(one, list) or (one and isinstance(one[0], dict)) else []
    return found


def _carving(row: Mapping[str, Any]) -> Carving:
    return msgspec.convert({name: row[name] for name in row if name not in ("markup", "layer")}, Carving, strict=False)


def _market(row: Mapping[str, Any]) -> Market:
    return Market(elasticity=row["elasticity"], feedback=row["feedback"])


def _with_carved(shares: dict[str, float], carvings: list[Carving]) -> dict[str, float]:
    """Return the shares with each carved sector at its parent's."""
    return shares | {one.name: shares.get(one.parent, shares["*"]) for one in carvings}


def _epsilon(table: Table, carvings: list[Carving], usual: float) -> Float64:
    epsilon = np.full(len(table.sectors), usual)
    for carving in carvings:
        for user in (*carving.users, carving.name):
            epsilon[table.sector(user)] = min(epsilon[table.sector(user)], carving.user_epsilon)
    return epsilon


def _national(figures: Mapping[str, Any]) -> Table:
    """Return the balanced table of whole countries, before carving and splitting."""
    regions = [row["name"] for row in figures["region"]]
    sectors = [row["name"] for row in figures["sector"]]
    earned = np.array([float(row["value_added"]) for row in figures["region"]])
    output, added = _margins(figures, regions, earned)
    prior = _prior(figures, regions, sectors, output, earned)
    size = output.size
    totals = np.concatenate([(output - added).reshape(-1), earned])
    flows = balanced(prior, output.reshape(-1), totals)
    return checked_table(
        regions, sectors, flows[:, :size], flows[:, size:], output.reshape(-1), added.reshape(-1), unit=figures["unit"],
        year=figures["year"], source=figures["label"], notes=("stylised, balanced by RAS from cited figures",),
    )  # fmt: skip


def _margins(figures: Mapping[str, Any], regions: list[str], earned: Float64) -> tuple[Float64, Float64]:
    """Return output and value added [N, J]; the last sector is what is left of each region's value added."""
    rows = figures["sector"]
    output, added = np.zeros((len(regions), len(rows))), np.zeros((len(regions), len(rows)))
    for k, row in enumerate(rows):
        share = np.array([row.get("value_added_shares", {}).get(name, row["value_added_share"]) for name in regions])
        if "size" in row:
            output[:, k] = row["size"] * _suppliers(row, regions, earned)
            added[:, k] = share * output[:, k]
        else:
            added[:, k] = earned - added.sum(axis=1)
            output[:, k] = added[:, k] / share
    return output, added


def _suppliers(row: Mapping[str, Any], regions: list[str], earned: Float64) -> Float64:
    shares = np.array([row["suppliers"].get(name, 0.0) for name in regions])
    listed = row["rest_by"]
    if listed == "value_added":
        weight = np.where([name in row["suppliers"] for name in regions], 0.0, earned)
    else:
        weight = np.array([float(listed.get(name, 0.0)) for name in regions])
    left = 1.0 - shares.sum()
    found: Float64 = shares + left * weight / weight.sum()
    return found


def _prior(
    figures: Mapping[str, Any], regions: list[str], sectors: list[str], output: Float64, earned: Float64
) -> Float64:
    """Return the prior [NJ, NJ + N]: links x who makes x who uses x home bias."""
    count, wide = len(regions), len(sectors)
    links = np.array([[row["use"].get(name, 0.0) for name in sectors] for row in figures["sector"]])
    links[-1, :-1] = np.maximum(links[-1, :-1], 1e-3)  # every sector may buy from the rest
    bias = np.array([figures["home_bias"]["home" if row.get("home") else "traded"] for row in figures["sector"]])
    bias_to = np.repeat(bias[:, None], wide + 1, axis=1)  # sector, buying sector or final use
    for k, row in enumerate(figures["sector"]):
        bias_to[k, [sectors.index(name) for name in row.get("traded_to", ())]] = figures["home_bias"]["traded"]
    users = np.concatenate([output / output.sum(axis=0), (earned / earned.sum())[:, None]], axis=1)  # region, use
    near = np.where(np.eye(count)[:, None, :, None] > 0, bias_to[None, :, None, :], 1.0) * users
    near /= near.sum(axis=2, keepdims=True)  # seller, sector, buyer, use: where each seller's sales to a use go
    final = np.array([row["use"].get("final", 0.0) for row in figures["sector"]])
    sold = output[:, :, None, None] * np.concatenate([links, final[:, None]], axis=1)[None, :, None, :] * near
    flows, bought = sold[..., :-1], sold[..., -1]
    flat = flows.reshape(count * wide, count * wide)
    return np.concatenate([flat, bought.reshape(count * wide, count)], axis=1)
