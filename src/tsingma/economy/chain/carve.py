"""Taking a sector out of its parent, a region out of a country: tables that add up to what they were.

A carved good is given its world size, who makes it, who buys it and what it is made of; all of it is taken out of the
parent sector, so that rows and columns keep their totals and :func:`~tsingma.economy.chain.table.aggregate` gives the
table back exactly (reference A1.2).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from tsingma.basics.rejection import Rejected, RejectionReason, refuse
from tsingma.economy.chain.table import Float64, Int64, Table, checked_table, place_of

SHARE_TOLERANCE = 1e-9


class Carving(msgspec.Struct, frozen=True, kw_only=True):
    """A new sector ``name`` inside ``parent``.

    ``size`` is its world output in the table's unit; ``suppliers`` its output by region and ``users`` its sales by
    buying sector ('final' for final use), both shares that sum to 1; ``buyers`` its sales by buying region where they
    are known (else in proportion to what the users buy of the parent). ``value_added_share`` is of its output (None:
    the parent's). ``theta`` is how easily buyers change supplier, ``user_epsilon`` how easily its users do without
    it. ``sources`` says where each figure comes from.
    """

    name: str
    parent: str
    size: float
    suppliers: dict[str, float]
    users: dict[str, float]
    buyers: dict[str, float] = {}
    value_added_share: float | None = None
    theta: float
    user_epsilon: float
    sources: dict[str, str] = {}


def carve(table: Table, carving: Carving) -> Table:
    """Return the table with a sector carved out of its parent.

    Raises Rejected: unknown names, shares that do not sum to 1, or a good larger than what the parent makes, sells or
    buys in a cell (the cell is named).
    """
    regions, sectors = table.shape
    parent = table.sector(carving.parent)
    if carving.name in table.sectors:
        raise refuse(RejectionReason.DUPLICATE, f"'{carving.name}' is a sector already", field="name")
    rows = np.arange(regions) * sectors + parent
    made = carving.size * _by_name(carving.suppliers, table.regions, "suppliers")
    if (made > table.output[rows] * (1 + SHARE_TOLERANCE)).any():
        worst = int((made - table.output[rows]).argmax())
        raise _short(carving, table.cell(int(rows[worst])), "makes", table.output[rows[worst]], made[worst])
    sold, final = _sales(table, carving, made, rows)
    inputs, added = _costs(table, carving, made, rows)
    wide = _widened(table, parent, (sold, final, made, inputs, added))
    _require_room(carving, wide, table)
    return checked_table(
        table.regions, (*table.sectors, carving.name), *(np.maximum(part, 0.0) if k != 1 else part
                                                         for k, part in enumerate(wide)),
        unit=table.unit, year=table.year, source=table.source,
        notes=(*table.notes, f"{carving.name} carved out of {carving.parent}: {carving.size:g} {table.unit}"),
    )  # fmt: skip


def _short(carving: Carving, cell: str, verb: str, held: float, wanted: float) -> Rejected:
    message = f"{cell} {verb} {held:g}, less than {wanted:g} of {carving.name}"
    return refuse(
        RejectionReason.INSUFFICIENT, message, field=carving.name, remedy="a smaller size, or other suppliers and users"
    )


def _by_name(shares: Mapping[str, float], names: Sequence[str], field: str) -> Float64:
    values = np.zeros(len(names))
    for name, share in shares.items():
        if not 0 <= share <= 1:
            raise refuse(RejectionReason.OUT_OF_RANGE, f"a share of {share:g} for {name}", field=field)
        values[place_of(name, names, field)] += share
    if abs(values.sum() - 1.0) > SHARE_TOLERANCE:
        raise refuse(RejectionReason.CONFLICT, f"shares sum to {values.sum():.9f}, not 1", field=field)
    return values


def _sales(table: Table, carving: Carving, made: Float64, rows: Int64) -> tuple[Float64, Float64]:
    """Return sales of the good by supplier to cells [N, NJ] and to final users [N, N].

    Each supplier sells to the regions of a user as its parent does, or as ``buyers`` says.
    """
    regions, sectors = table.shape
    use = _by_name(carving.users, (*table.sectors, "final"), "users")
    flows = table.intermediate[rows].reshape(regions, regions, sectors)
    flows = np.concatenate([flows, np.maximum(table.final[rows], 0.0)[:, :, None]], axis=2)
    if carving.buyers:
        flows = np.broadcast_to(_by_name(carving.buyers, table.regions, "buyers")[None, :, None], flows.shape)
    where = flows / np.maximum(flows.sum(axis=1, keepdims=True), 1e-300)
    sold = made[:, None, None] * use * where
    short = np.argwhere((made[:, None] * use > 0) & (flows.sum(axis=1) <= 0))
    if short.size:
        place, user = (int(one) for one in short[0])
        name = (*table.sectors, "final use")[user]
        raise _short(carving, table.cell(int(rows[place])), f"sells to {name}", 0.0, made[place] * use[user])
    return sold[:, :, :-1].reshape(regions, -1), sold[:, :, -1]


def _costs(table: Table, carving: Carving, made: Float64, rows: Int64) -> tuple[Float64, Float64]:
    """Return what the good buys [NJ, N] and its value added [N]: the parent's structure at the good's own share."""
    output = table.output[rows]
    scale = np.divide(made, output, out=np.zeros_like(made), where=output > 0)
    inputs, added = table.intermediate[:, rows] * scale, table.value_added[rows] * scale
    share = carving.value_added_share
    if share is None:
        return inputs, added
    if not 0 < share <= 1:
        raise refuse(RejectionReason.OUT_OF_RANGE, f"{share:g} is outside 0 to 1", field="value_added_share")
    bought = made - added
    return inputs * np.divide((1.0 - share) * made, bought, out=np.zeros_like(made), where=bought > 0), share * made


def _widened(table: Table, parent: int, good: tuple[Float64, ...]) -> tuple[Float64, Float64, Float64, Float64]:
    """Return flows, final sales, output and value added with one more sector, taken out of the parent."""
    sold, final, made, inputs, added = good
    regions, sectors = table.shape
    size = regions * (sectors + 1)
    old = (np.arange(regions)[:, None] * (sectors + 1) + np.arange(sectors)).reshape(-1)
    new = np.arange(regions) * (sectors + 1) + sectors
    out = np.arange(regions) * (sectors + 1) + parent
    flows, use = np.zeros((size, size)), np.zeros((size, regions))
    output, value = np.zeros(size), np.zeros(size)
    flows[np.ix_(old, old)], use[old] = table.intermediate, table.final
    output[old], value[old] = table.output, table.value_added
    flows[np.ix_(out, old)] -= sold
    flows[np.ix_(old, out)] -= inputs
    flows[np.ix_(new, old)], flows[np.ix_(old, new)] = sold, inputs
    use[out] -= final
    use[new] = final
    output[out] -= made
    output[new] = made
    value[out] -= added
    value[new] = added
    return flows, use, output, value


def _require_room(carving: Carving, wide: tuple[Float64, ...], table: Table) -> None:
    """Refuse a carving that leaves the parent less than nothing somewhere; rounding is none."""
    flows, use, _, value = wide
    names = (*table.sectors, carving.name)
    least = -SHARE_TOLERANCE * max(carving.size, 1.0)
    if flows.min() < least:
        row, column = (int(place) for place in np.unravel_index(int(flows.argmin()), flows.shape))
        seller, buyer = (
            f"{table.regions[k // len(names)]} {names[k % len(names)]}" for k in (row, column)
        )  # fmt: skip
        message = f"{carving.name} leaves {flows[row, column]:g} for {seller} to sell to {buyer}"
    elif value.min() < least:
        row = int(value.argmin())
        message = f"{carving.name} leaves {value[row]:g} of value added in {table.regions[row // len(names)]} "
        message += names[row % len(names)]
    elif use.min() < least + min(float(table.final.min()), 0.0):
        row = int(use.min(axis=1).argmin())
        message = (
            f"{carving.name} leaves {use[row].min():g} for {table.regions[row // len(names)]} to sell to final use"
        )
    else:
        return
    raise refuse(
        RejectionReason.INSUFFICIENT, message, field=carving.name, remedy="a smaller size, or other suppliers and users"
    )


def split_region(table: Table, region: str, parts: Mapping[str, Mapping[str, float]]) -> Table:
    """Return the table with a region cut into parts: ``parts[name]`` is its share of each sector's output.

    A sector that a part leaves out has the share under ``"*"``. Flows are split in proportion on both sides (nothing is
    assumed about trade between the parts), final use in proportion to value added; aggregation gives the table back.
    Raises Rejected: shares of a sector that do not sum to 1, unknown names.
    """
    place = table.region(region)
    shares = np.zeros((len(parts), len(table.sectors)))
    for row, (name, given) in enumerate(parts.items()):
        if name in table.regions:
            raise refuse(RejectionReason.DUPLICATE, f"'{name}' is a region already", field="parts")
        for sector in given:
            if sector != "*":
                table.sector(sector)
        shares[row] = [given.get(sector, given.get("*", 0.0)) for sector in table.sectors]
    gap = np.abs(shares.sum(axis=0) - 1.0)
    if gap.max() > SHARE_TOLERANCE or shares.min() < 0:
        sector = table.sectors[int(gap.argmax())]
        message = f"shares of {sector} sum to {shares[:, int(gap.argmax())].sum():.9f}, not 1, or one is negative"
        raise refuse(RejectionReason.CONFLICT, message, field="parts")
    regions, sectors = table.shape
    names = (*table.regions[:place], *parts, *table.regions[place + 1 :])
    spread = np.zeros((len(names) * sectors, regions * sectors))  # of old cells over new cells
    users = np.zeros((regions, len(names)))
    earned = shares @ table.value_added.reshape(regions, sectors)[place]
    for new, name in enumerate(names):
        if name in parts:
            row = list(parts).index(name)
            old, weight, part = place, shares[row], earned[row] / earned.sum()
        else:
            old, weight, part = table.region(name), np.ones(sectors), 1.0
        cells = np.arange(sectors)
        spread[new * sectors + cells, old * sectors + cells] = weight
        users[old, new] = part
    return checked_table(
        names, table.sectors, spread @ table.intermediate @ spread.T, spread @ table.final @ users,
        spread @ table.output, spread @ table.value_added, unit=table.unit, year=table.year, source=table.source,
        notes=(*table.notes, f"{region} split into {', '.join(parts)} in proportion"),
    )  # fmt: skip
