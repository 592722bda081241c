"""A real table as a chain: what is upstream, midstream, downstream, with choke points carved and countries split.

A layer file (TOML) says which sectors make which layer, trade elasticities, goods to carve as a share of their
parent's world output, and how countries are cut. The one that ships is for the sector codes of WIOD 2013.
"""

from __future__ import annotations

import msgspec
import numpy as np

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.economy.chain.carve import Carving, carve, split_region
from tsingma.economy.chain.stylised import Chain, stylised_chain
from tsingma.economy.chain.table import Table, without_negatives
from tsingma.reference.tables import read_table

TABLE = "chain_layers_wiod2013.toml"


class CarvedGood(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A good to carve: ``size_share`` of its parent's world output; else as a carving, with its markup and layer."""

    name: str
    parent: str
    size_share: float
    suppliers: dict[str, float]
    users: dict[str, float]
    theta: float
    user_epsilon: float
    markup: float
    layer: str
    source: str = ""


class Cut(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A country cut in two: the core's share of output and of people."""

    country: str
    core_share: float
    core_people: float
    source: str = ""


class LayerFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A layer file. Sectors that it does not name are the rest of the economy with the usual theta."""

    label: str
    layers: dict[str, str]
    theta: dict[str, float]
    theta_usual: float
    sigma: float
    epsilon: float
    carving: tuple[CarvedGood, ...] = ()
    cut: tuple[Cut, ...] = ()
    source: str = ""


def standard_layers() -> LayerFile:
    """Return the layer file for WIOD 2013 that ships."""
    return msgspec.convert(read_table(TABLE), LayerFile, strict=False)


def chain_of_table(table: Table, spec: LayerFile) -> Chain:
    """Return a real table as a chain; tiers, markets and adoption are those of the stylised chain (assumptions).

    Negative final sales are set to 0. Raises Rejected: a layer file for other sectors, or a carving or cut that the
    table has no room for.
    """
    unknown = sorted(set(spec.layers) - set(table.sectors))
    if unknown:
        remedy = f"--layers FILE for the table's own sectors: {', '.join(table.sectors[:8])} ..."
        message = f"'{unknown[0]}' of '{spec.label}' is no sector of this table"
        raise refuse(RejectionReason.UNKNOWN, message, field="layers", remedy=remedy)
    table = without_negatives(table)
    layer_of = {name: spec.layers.get(name, "rest") for name in table.sectors}
    theta = [spec.theta.get(name, spec.theta_usual) for name in table.sectors]
    epsilon = dict.fromkeys(table.sectors, spec.epsilon)
    markup = dict.fromkeys(table.sectors, 1.0)
    for good in spec.carving:
        size = good.size_share * table.output.reshape(table.shape)[:, table.sector(good.parent)].sum()
        carving = Carving(
            name=good.name, parent=good.parent, size=float(size), suppliers=good.suppliers, users=good.users,
            theta=good.theta, user_epsilon=good.user_epsilon, sources={"all": good.source},
        )  # fmt: skip
        table = carve(table, carving)
        theta.append(good.theta)
        layer_of[good.name], markup[good.name] = good.layer, good.markup
        for user in (*good.users, good.name):
            epsilon[user] = min(epsilon.get(user, spec.epsilon), good.user_epsilon)
    country_of = {name: name for name in table.regions}
    zone_of = dict.fromkeys(table.regions, "whole")
    people = dict.fromkeys(table.regions, 1.0)
    for cut in spec.cut:
        core, rim = f"{cut.country} core", f"{cut.country} periphery"
        table = split_region(table, cut.country, {core: {"*": cut.core_share}, rim: {"*": 1.0 - cut.core_share}})
        country_of |= {core: cut.country, rim: cut.country}
        zone_of |= {core: "core", rim: "periphery"}
        people |= {core: cut.core_people, rim: 1.0 - cut.core_people}
        del country_of[cut.country], zone_of[cut.country], people[cut.country]
    usual = stylised_chain()
    return Chain(
        table=table,
        layer_of=layer_of,
        country_of={name: country_of[name] for name in table.regions},
        zone_of=zone_of,
        theta=np.array(theta),
        sigma=spec.sigma,
        epsilon=np.array([epsilon[name] for name in table.sectors]),
        markup=np.tile([markup[name] for name in table.sectors], (len(table.regions), 1)),
        leaders=usual.leaders,
        leaders_people=usual.leaders_people,
        people=np.array([people[name] for name in table.regions]),
        markets=usual.markets,
        adoption=usual.adoption,
        figures=0,
        assumptions=0,
    )
