"""What an equilibrium starts from: base-year shares, elasticities and wedges of N regions and J sectors."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.economy.chain.table import Float64, Table

SHARE_TOLERANCE = 1e-9


class World(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Base-year shares (reference A1.2); make it with :func:`checked_world` or :func:`world_of`.

    ``trade_share`` [J, N, N] by sector, buyer, seller, of spending with tariff; ``input_share`` [N, J, J] of input k
    in the inputs of j, sums to 1 over k; ``value_added_share`` [N, J] of cost; ``final_share`` [N, J]; ``tariff`` [J,
    N, N] as a rate; ``markup`` [N, J] price over cost; ``factor_income`` [N] and ``deficit`` [N] in the unit of the
    table. ``theta`` [J] trade elasticities, ``sigma`` [J] between value added and inputs, ``epsilon`` [J] among the
    inputs of j.
    """

    regions: tuple[str, ...]
    sectors: tuple[str, ...]
    trade_share: Float64
    input_share: Float64
    value_added_share: Float64
    final_share: Float64
    tariff: Float64
    markup: Float64
    factor_income: Float64
    deficit: Float64
    theta: Float64
    sigma: Float64
    epsilon: Float64
    unit: str
    source: str

    @property
    def shape(self) -> tuple[int, int]:
        """Return (regions, sectors)."""
        return len(self.regions), len(self.sectors)

    def cell(self, region: int, sector: int) -> str:
        """Return the name of a cell."""
        return f"{self.regions[region]} {self.sectors[sector]}"


def checked_world(world: World) -> World:
    """Return the world when every share is between 0 and 1 and sums to 1 where it must.

    Raises Rejected naming the cell: a negative share, shares that do not add up, a theta, sigma or epsilon that is not
    positive, a markup below 1, factor income that is not positive, or deficits that do not sum to 0.
    """
    _check_shapes(world)
    for field in ("trade_share", "input_share", "value_added_share", "final_share"):
        values = getattr(world, field)
        if not np.isfinite(values).all() or values.min() < 0 or values.max() > 1 + SHARE_TOLERANCE:
            bad = np.argwhere(~(np.isfinite(values) & (values >= 0) & (values <= 1 + SHARE_TOLERANCE)))[0]
            raise refuse(
                RejectionReason.OUT_OF_RANGE,
                f"a share of {values[tuple(bad)]:g} at {_place(world, field, bad)}",
                field=field,
            )
    for field, axis in (("trade_share", 2), ("input_share", 1), ("final_share", 1)):
        total = getattr(world, field).sum(axis=axis)
        gap = np.abs(total - 1.0)
        if gap.max() > SHARE_TOLERANCE:
            bad = tuple(int(place) for place in np.unravel_index(int(gap.argmax()), gap.shape))
            message = f"shares of {_names(world, field, bad)} sum to {total[bad]:.9f}, not 1"
            raise refuse(RejectionReason.CONFLICT, message, field=field)
    for field in ("theta", "sigma", "epsilon", "factor_income"):
        if not (getattr(world, field) > 0).all():
            raise refuse(RejectionReason.OUT_OF_RANGE, f"{getattr(world, field).min():g} is not positive", field=field)
    if (world.markup < 1).any():
        raise refuse(RejectionReason.OUT_OF_RANGE, f"a markup of {world.markup.min():g} is below 1", field="markup")
    if (world.tariff <= -1).any():
        raise refuse(RejectionReason.OUT_OF_RANGE, f"a tariff of {world.tariff.min():g}", field="tariff")
    if abs(world.deficit.sum()) > 1e-6 * world.factor_income.sum():
        message = f"deficits sum to {world.deficit.sum():g}, not 0"
        raise refuse(RejectionReason.CONFLICT, message, field="deficit")
    return world


def _check_shapes(world: World) -> None:
    n, j = world.shape
    expected = {
        "trade_share": (j, n, n), "input_share": (n, j, j), "value_added_share": (n, j), "final_share": (n, j),
        "tariff": (j, n, n), "markup": (n, j), "factor_income": (n,), "deficit": (n,), "theta": (j,), "sigma": (j,),
        "epsilon": (j,),
    }  # fmt: skip
    for field, shape in expected.items():
        if getattr(world, field).shape != shape:
            message = f"shape is {getattr(world, field).shape}, {shape} expected"
            raise refuse(RejectionReason.MALFORMED, message, field=field)


def _place(world: World, field: str, index: Sequence[int]) -> str:
    return _names(world, field, [int(place) for place in index])


def _names(world: World, field: str, index: Sequence[int]) -> str:
    first = world.sectors if field == "trade_share" else world.regions
    kinds = [first, world.regions if field == "trade_share" else world.sectors]
    kinds.append(kinds[1])
    return " ".join(names[place] for names, place in zip(kinds, index, strict=False))


def world_of(
    table: Table,
    theta: Float64,
    *,
    sigma: Float64 | float = 1.0,
    epsilon: Float64 | float = 1.0,
    markup: Float64 | None = None,
) -> World:
    """Return the shares of a table, without tariffs; deficits are final purchases less value added.

    ``markup`` [N, J] is price over cost: the part ``1 - 1/markup`` of output is profit and the rest of value added is
    paid to factors. Raises Rejected: negative final sales (see
    :func:`~tsingma.economy.chain.table.without_negatives`), or a markup whose profit exceeds the value added of a
    cell.
    """
    regions, sectors = table.shape
    if (table.final < 0).any():
        row = int(np.argwhere(table.final < 0)[0][0])
        remedy = "set negatives to 0 first (without_negatives)"
        message = f"final sales of {table.cell(row)} are negative: a negative share"
        raise refuse(RejectionReason.OUT_OF_RANGE, message, field="final", remedy=remedy)
    flows = table.intermediate.reshape(regions, sectors, regions, sectors)  # seller, k, buyer, j
    final = table.final.reshape(regions, sectors, regions)
    bought = (flows.sum(axis=3) + final).transpose(1, 2, 0)  # k, buyer, seller
    inputs = flows.sum(axis=0).transpose(1, 0, 2)  # buyer, k, j
    output, added = table.output.reshape(regions, sectors), table.value_added.reshape(regions, sectors)
    markup = np.ones((regions, sectors)) if markup is None else np.asarray(markup, np.float64)
    paid = added - (1.0 - 1.0 / markup) * output
    _check_paid(table, paid)
    use = final.sum(axis=0).T  # buyer, k
    return checked_world(
        World(
            regions=table.regions,
            sectors=table.sectors,
            trade_share=shares(bought, 2),
            input_share=shares(inputs, 1),
            value_added_share=np.divide(paid * markup, output, out=np.ones_like(paid), where=output > 0),
            final_share=shares(use, 1),
            tariff=np.zeros((sectors, regions, regions)),
            markup=markup,
            factor_income=paid.sum(axis=1),
            deficit=use.sum(axis=1) - added.sum(axis=1),
            theta=np.asarray(theta, np.float64),
            sigma=np.broadcast_to(np.asarray(sigma, np.float64), (sectors,)).copy(),
            epsilon=np.broadcast_to(np.asarray(epsilon, np.float64), (sectors,)).copy(),
            unit=table.unit,
            source=table.source,
        )
    )


def _check_paid(table: Table, paid: Float64) -> None:
    if paid.min() < -SHARE_TOLERANCE * table.output.sum():
        row = int(paid.argmin())
        message = f"{table.cell(row)} pays its factors {paid.reshape(-1)[row]:g}: a negative share of value added"
        remedy = "a smaller markup, or check the column of the table"
        raise refuse(RejectionReason.OUT_OF_RANGE, message, field="value_added", remedy=remedy)
    np.maximum(paid, 0.0, out=paid)


def shares(values: Float64, axis: int) -> Float64:
    """Return values over their sum; where there are none, all on the first entry of the axis (never used)."""
    total = values.sum(axis=axis, keepdims=True)
    found: Float64 = np.divide(values, total, out=np.zeros_like(values), where=total > 0)
    empty = np.broadcast_to(total <= 0, values.shape) & (np.arange(values.shape[axis]) == 0).reshape(
        [-1 if k == axis % values.ndim else 1 for k in range(values.ndim)]
    )
    found[empty] = 1.0
    return found
