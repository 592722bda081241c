"""Days to months after an outage or embargo: inventories, rationing and overproduction at fixed prices.

The adaptive regional input-output model of Hallegatte (2008; 2014, doi 10.1111/risa.12090) and Henriet, Hallegatte
and Tabourier (2012), equations as in reference A1.4. Money is per day, inventories are in days of use. Each day:

    produce     x = min(capacity, demand), cut by the scarcest stocked input
    deliver     to users and final demand in proportion to their orders
    stock       inventories take what arrives less what was used; orders replace use and close the gap in ``tau`` days
    adapt       overproduction capacity moves towards its maximum while demand is not met, and back afterwards
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.economy.chain.table import Bool, Float64, Table

DAYS_MAX = 10_000
YEAR_DAYS = 365
NO_STOCK = 1e-10  # an input used less than this part of output is not looked at


class ArioSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How firms behave; defaults as published for BoARIO 0.7.2, which the pins use."""

    psi: float = 0.8  # part of the wanted stock below which an input slows production
    inventory_days: float = 90.0
    restock_days: float = 60.0  # tau of inventories
    overproduction_base: float = 1.0
    overproduction_max: float = 1.25
    overproduction_days: float = 365.0
    final_first: bool = False  # final demand is served before producers; else all orders in proportion
    order_by_capacity: bool = True  # orders go to suppliers in proportion to share x capacity (BoARIO's "alt")


class Outage(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Capacity lost: ``loss`` [NJ] part of capacity gone on ``first_day``, coming back in a line over
    ``recovery_days``.

    ``held_days`` is how long the whole loss lasts before recovery begins.
    """

    loss: Float64
    first_day: int = 0
    held_days: int = 0
    recovery_days: int = 60


class Blockade(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Deliveries stopped: ``sellers`` [NJ] to the producers ``buyers`` [NJ], from ``first_day`` for ``held_days``."""

    sellers: Bool
    buyers: Bool
    first_day: int = 0
    held_days: int = 60


class ArioPath(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Day by day: ``output`` [days, NJ] per day, ``unmet_final`` [days, NJ] final demand not met; ``base`` [NJ] per
    day.
    """

    output: Float64
    unmet_final: Float64
    base: Float64

    @property
    def lowest(self) -> Float64:
        """Return the largest fall of each cell's output against base [NJ], as a part (negative)."""
        found: Float64 = self._ratio().min(axis=0) - 1.0
        return found

    @property
    def lost_days(self) -> Float64:
        """Return output lost by each cell over the path [NJ], in days of its own base output."""
        found: Float64 = (1.0 - self._ratio()).sum(axis=0)
        return found

    @property
    def world_lost_days(self) -> float:
        """Return output lost by the world over the path, in days of world output."""
        return float((self.base - self.output).sum() / self.base.sum())

    def _ratio(self) -> Float64:
        return np.divide(self.output, self.base, out=np.ones_like(self.output), where=self.base > 0)


def run_ario(
    table: Table,
    outages: Sequence[Outage] = (),
    days: int = YEAR_DAYS,
    settings: ArioSettings | None = None,
    blockades: Sequence[Blockade] = (),
) -> ArioPath:
    """Return output and unmet final demand day by day after outages and blockades.

    Inputs of a sector from all regions are one stock, as firms hold goods and not origins; orders that a blockade stops
    go to the other suppliers the buyer had. Raises Rejected: days out of range, or an outage or blockade of the wrong
    length or with a part outside 0 to 1.
    """
    settings = settings or ArioSettings()
    if not 1 <= days <= DAYS_MAX:
        raise refuse(RejectionReason.OUT_OF_RANGE, f"{days} days, 1 to {DAYS_MAX} allowed", field="days")
    for outage in outages:
        _check_outage(table, outage)
    for blockade in blockades:
        if blockade.sellers.shape != table.output.shape or blockade.buyers.shape != table.output.shape:
            raise refuse(RejectionReason.MALFORMED, "sellers or buyers are not one for each cell", field="blockade")
    firms = _Firms(table, settings)
    output, unmet = np.empty((days, firms.size)), np.empty((days, firms.size))
    for day in range(days):
        lost = np.zeros(firms.size)
        for outage in outages:
            lost = np.maximum(lost, outage.loss * _left(outage, day))
        firms.block([one for one in blockades if 0 <= day - one.first_day < one.held_days])
        output[day], unmet[day] = firms.step(lost)
    return ArioPath(output=output, unmet_final=unmet, base=firms.base)


def _check_outage(table: Table, outage: Outage) -> None:
    if outage.loss.shape != table.output.shape:
        message = f"{outage.loss.shape} parts lost, {table.output.shape} cells in the table"
        raise refuse(RejectionReason.MALFORMED, message, field="loss")
    if not ((outage.loss >= 0) & (outage.loss <= 1)).all():
        raise refuse(RejectionReason.OUT_OF_RANGE, "a part of capacity outside 0 to 1", field="loss")
    if outage.recovery_days < 1 or outage.first_day < 0 or outage.held_days < 0:
        raise refuse(RejectionReason.OUT_OF_RANGE, "days are negative, or recovery takes none", field="recovery_days")


def _left(outage: Outage, day: int) -> float:
    """Return the part of a loss still there on a day: whole from its first day, then down in a line."""
    since = day - outage.first_day
    if since < 0:
        return 0.0
    return float(min(max(1.0 - (since - outage.held_days) / outage.recovery_days, 0.0), 1.0))


class _Firms:
    """Stocks, orders and overproduction of all cells; one day at a time. K sectors, M = N K cells."""

    def __init__(self, table: Table, settings: ArioSettings) -> None:
        regions, self._sectors = table.shape
        self.size, self._settings = table.output.size, settings
        self.base = table.output / YEAR_DAYS
        flows, self._final = table.intermediate / YEAR_DAYS, np.maximum(table.final, 0.0).sum(axis=1) / YEAR_DAYS
        self._regions = regions
        goods = flows.reshape(regions, self._sectors, self.size).sum(axis=0)  # good k, user
        self._use = np.divide(goods, self.base, out=np.zeros_like(goods), where=self.base > 0)
        self._stocked = self._use > NO_STOCK
        wide = np.tile(goods, (regions, 1))
        self._origin = np.divide(flows, wide, out=np.zeros_like(flows), where=wide > 0)
        self._stock = settings.inventory_days * self._use * self.base
        self._over = np.full(self.size, settings.overproduction_base)
        self._orders = flows
        self._capacity = self.base
        self._open: Float64 | None = None  # 0 where a delivery is stopped, None where none is

    def block(self, blockades: Sequence[Blockade]) -> None:
        """Stop the deliveries of the blockades in force; orders already placed are cancelled."""
        if not blockades:
            self._open = None
            return
        free = np.ones((self.size, self.size))
        for one in blockades:
            free[np.ix_(one.sellers, one.buyers)] = 0.0
        if self._open is None or not np.array_equal(free, self._open):
            self._orders = self._orders * free
        self._open = free

    def step(self, lost: Float64) -> tuple[Float64, Float64]:
        """Return output and unmet final demand of one day with a part of capacity lost."""
        settings = self._settings
        self._capacity = self.base * (1.0 - lost) * self._over
        demand = self._orders.sum(axis=1) + self._final
        wanted = np.minimum(self._capacity, demand)
        needed = settings.psi * settings.inventory_days * self._use * wanted
        held = np.divide(self._stock, needed, out=np.ones_like(needed), where=(needed > 0) & self._stocked)
        made = wanted * np.minimum(held.min(axis=0), 1.0)
        served, final = self._ration(demand, made)
        arrived = (self._orders * served[:, None]).reshape(self._regions, self._sectors, self.size).sum(axis=0)
        self._stock = np.maximum(self._stock + arrived - self._use * made, 0.0)
        self._order(made, wanted)
        self._adapt(demand, made)
        return made, self._final * (1.0 - final)

    def _ration(self, demand: Float64, made: Float64) -> tuple[Float64, Float64]:
        """Return the parts of producers' orders and of final demand that are served [M] each."""
        if not self._settings.final_first:
            served = np.divide(made, demand, out=np.ones_like(made), where=demand > 0)
            return served, served
        final = np.minimum(made, self._final)
        orders = demand - self._final
        served = np.divide(made - final, orders, out=np.ones_like(made), where=orders > 0)
        return served, np.divide(final, self._final, out=np.ones_like(made), where=self._final > 0)

    def _order(self, made: Float64, wanted: Float64) -> None:
        """Replace what was used and close the gap to the wanted stock; split over suppliers."""
        settings = self._settings
        goal = settings.inventory_days * self._use * wanted
        gap = np.maximum(goal - self._stock, 0.0) / settings.restock_days
        orders = self._use * made + gap
        able = np.ones_like(self.base)
        if settings.order_by_capacity:
            able = np.divide(self._capacity, self.base, out=np.zeros_like(self.base), where=self.base > 0)
        weight = self._origin * able[:, None]
        if self._open is not None:
            weight *= self._open
        total = np.tile(weight.reshape(self._regions, self._sectors, self.size).sum(axis=0), (self._regions, 1))
        shares = np.divide(weight, total, out=np.zeros_like(weight), where=total > 0)
        self._orders = shares * np.tile(orders, (self._regions, 1))

    def _adapt(self, demand: Float64, made: Float64) -> None:
        settings = self._settings
        scarcity = np.divide(demand - made, demand, out=np.zeros_like(demand), where=demand > 0)
        short = scarcity > 1e-6
        up = (settings.overproduction_max - self._over) * scarcity / settings.overproduction_days
        down = (settings.overproduction_base - self._over) / settings.overproduction_days
        self._over = self._over + np.where(short, up, down)
