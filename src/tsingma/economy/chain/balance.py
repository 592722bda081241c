"""Making a table add up: the nearest one to a prior, in the sense of least information gained.

Biproportional scaling (RAS; Stone 1961, Bacharach 1970): its limit minimises the Kullback-Leibler distance to the
prior among all tables with the given totals, zeros of the prior stay zero.
"""

from __future__ import annotations

import numpy as np

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.economy.chain.table import Float64

TOLERANCE = 1e-12  # of the grand total
ROUNDS_MAX = 20_000


def balanced(prior: Float64, rows: Float64, columns: Float64, *, tolerance: float = TOLERANCE) -> Float64:
    """Return the table nearest to ``prior`` [R, C] with row sums ``rows`` and column sums ``columns``.

    Raises Rejected: negative numbers, totals that differ, or totals that no table with the prior's zeros has (the row
    and what it lacks are named).
    """
    if (prior < 0).any() or (rows < 0).any() or (columns < 0).any():
        raise refuse(RejectionReason.OUT_OF_RANGE, "a prior or a total is negative", field="prior")
    total = float(rows.sum())
    if abs(total - columns.sum()) > 1e-9 * total:
        message = f"totals differ: rows {total:g}, columns {columns.sum():g}"
        raise refuse(RejectionReason.CONFLICT, message, field="totals")
    columns = columns * (total / columns.sum())
    table = np.array(prior, np.float64)
    gap = rows - table.sum(axis=1)
    for _ in range(ROUNDS_MAX):
        made = table.sum(axis=1)
        table *= np.divide(rows, made, out=np.zeros_like(made), where=made > 0)[:, None]
        used = table.sum(axis=0)
        table *= np.divide(columns, used, out=np.zeros_like(used), where=used > 0)
        gap = rows - table.sum(axis=1)
        if np.abs(gap).max() <= tolerance * total and np.abs(table.sum(axis=0) - columns).max() <= tolerance * total:
            return table
    worst = int(np.abs(gap).argmax())
    message = f"row {worst} lacks {gap[worst]:g} of {rows[worst]:g}: its zeros contradict the totals"
    raise refuse(RejectionReason.CONFLICT, message, field="prior", remedy="a prior with fewer zeros, or other totals")
