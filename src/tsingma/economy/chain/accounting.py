"""Accounts of a table: Leontief inverse, foreign content, position on the chain, who earns from whose demand.

Sources: Leontief; Antras, Chor, Fally and Hillberry 2012 (upstreamness); Koopman, Wang and Wei 2014 (content). All of
it is exact and linear: no behaviour, no prices.
"""

from __future__ import annotations

import numpy as np

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.economy.chain.table import Float64, Table


def coefficients(table: Table) -> Float64:
    """Return inputs per unit of output [NJ, NJ]; a sector without output uses nothing."""
    scale = np.divide(1.0, table.output, out=np.zeros_like(table.output), where=table.output > 0)
    return table.intermediate * scale


def value_added_share(table: Table) -> Float64:
    """Return value added per unit of output [NJ], 0 where there is no output."""
    return np.divide(table.value_added, table.output, out=np.zeros_like(table.output), where=table.output > 0)


def leontief_inverse(table: Table) -> Float64:
    """Return (I - A)^-1 [NJ, NJ]; raises Rejected where a table is not productive (a sector that uses up itself)."""
    inputs = coefficients(table)
    used = np.flatnonzero(inputs.sum(axis=0) > 1.0 + 1e-9)
    try:
        inverse: Float64 = np.asarray(np.linalg.inv(np.eye(inputs.shape[0]) - inputs), np.float64)
    except np.linalg.LinAlgError:
        inverse = np.full((1, 1), -1.0)
    if (inverse < -1e-9).any():
        worst = table.cell(int(used[0])) if used.size else "the table as a whole"
        message = f"{worst} uses more than it makes: no Leontief inverse"
        raise refuse(RejectionReason.OUT_OF_RANGE, message, field="intermediate")
    return inverse


def value_added_origin(table: Table, inverse: Float64 | None = None) -> Float64:
    """Return v B [N, NJ]: the share of each region's value added in a unit of output of each cell; columns sum to 1."""
    inverse = leontief_inverse(table) if inverse is None else inverse
    regions, sectors = table.shape
    origin: Float64 = (value_added_share(table)[:, None] * inverse).reshape(regions, sectors, -1).sum(axis=1)
    return origin


def foreign_value_added(table: Table, inverse: Float64 | None = None) -> Float64:
    """Return the foreign share of the value of output [N, J]: sum over m != n of v_m B_m,(n,j) (vector V8)."""
    regions, sectors = table.shape
    origin = value_added_origin(table, inverse).reshape(regions, regions, sectors)
    own = origin[np.arange(regions), np.arange(regions)]
    foreign: Float64 = origin.sum(axis=0) - own
    return foreign


def chain_dividends(table: Table, demand: Float64, inverse: Float64 | None = None) -> Float64:
    """Return v (.) B f [NJ, ...]: the value added that a final demand ``demand`` [NJ, ...] earns in each cell."""
    inverse = leontief_inverse(table) if inverse is None else inverse
    share = value_added_share(table)
    earned = inverse @ demand
    return share.reshape((-1,) + (1,) * (earned.ndim - 1)) * earned


def upstreamness(table: Table) -> Float64:
    """Return the mean number of stages from a cell's output to final use [NJ], 1 at the end (vector V5)."""
    return _position(table.intermediate, table.output)


def downstreamness(table: Table) -> Float64:
    """Return the mean number of stages from primary factors to a cell's output [NJ], 1 at the start.

    Weighted by output over the world it equals upstreamness (vector V11).
    """
    return _position(table.intermediate.T, table.output)


def _position(flows: Float64, output: Float64) -> Float64:
    scale = np.divide(1.0, output, out=np.zeros_like(output), where=output > 0)
    system = np.eye(output.size) - flows * scale[:, None]
    return np.asarray(np.linalg.solve(system, np.ones(output.size)), np.float64)


def gross_exports(table: Table) -> Float64:
    """Return what each cell sells to other regions [NJ], to producers and to final users."""
    regions, sectors = table.shape
    total = (table.intermediate.sum(axis=1) + table.final.sum(axis=1)).reshape(regions, sectors)
    home = np.einsum("njnk->nj", table.intermediate.reshape(regions, sectors, regions, sectors))
    home = home + np.einsum("njn->nj", table.final.reshape(regions, sectors, regions))
    abroad: Float64 = (total - home).reshape(-1)
    return abroad


def value_added_in(table: Table, flows: Float64) -> Float64:
    """Return V B diag(flows) [NJ, NJ]: value added of each cell in a flow of each cell (decompr's Leontief table,
    V4).
    """
    return value_added_share(table)[:, None] * leontief_inverse(table) * flows
