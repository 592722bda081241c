"""Published tables of the economy rooms computed again from their own data files."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.economy.property.spillover import Decomposition, Spillovers, spillovers
from tsingma.economy.series import align
from tsingma.messages.economic_files import Dates, read_columns
from tsingma.reference.tables import read_table

_LAYOUT = {
    "dy2009": ("dy2009.csv.gz", Dates.AMERICAN, "date"),
    "dy2012": ("dy2012.csv.gz", Dates.DAY, "Date"),
}


class Replication(msgspec.Struct, frozen=True, kw_only=True):
    """One published table beside ours, in percent; ``largest_gap`` is over every cell the paper prints."""

    paper: str
    source: str
    names: tuple[str, ...]
    table: tuple[tuple[float, ...], ...]
    from_others: tuple[float, ...]
    to_others: tuple[float, ...]
    net: tuple[float, ...]
    total: float
    published_total: float
    published_table: tuple[tuple[float, ...], ...]
    largest_gap: float
    tolerance: float
    agrees: bool
    lags: int
    horizon: int
    decomposition: str
    observations: int


def replicate_spillovers(paper: str, data: Path) -> Replication:
    """Return the spillover table of dy2009 or dy2012 from ``data``/spillover beside what the paper prints.

    Raises Rejected for an unknown paper, a missing file or a broken one.
    """
    if paper not in _LAYOUT:
        raise refuse(RejectionReason.UNKNOWN, f"no paper '{paper}'", remedy=f"one of {', '.join(_LAYOUT)}")
    file, dates, column = _LAYOUT[paper]
    printed = read_table("spillover_tables.toml")[paper]
    _, values = align(series := read_columns(data / "spillover" / file, dates, column))
    found = spillovers(
        values,
        tuple(one.name for one in series),
        lags=printed["lags"],
        horizon=printed["horizon"],
        decomposition=Decomposition(printed["decomposition"]),
    )
    return _beside(paper, found, len(values))


def _beside(paper: str, found: Spillovers, observations: int) -> Replication:
    printed = read_table("spillover_tables.toml")[paper]
    published = tuple(tuple(float(cell) for cell in row) for row in printed.get("table", ()))
    gap = abs(found.total - float(printed["total"]))
    if published:
        gap = float(np.abs(found.table - np.array(published)).max())
    return Replication(
        paper=paper,
        source=printed["source"],
        names=found.names,
        table=tuple(tuple(map(float, row)) for row in found.table),
        from_others=tuple(map(float, found.from_others)),
        to_others=tuple(map(float, found.to_others)),
        net=tuple(map(float, found.net)),
        total=found.total,
        published_total=float(printed["total"]),
        published_table=published,
        largest_gap=gap,
        tolerance=float(printed["tolerance"]),
        agrees=gap <= float(printed["tolerance"]),
        lags=found.lags,
        horizon=found.horizon,
        decomposition=found.decomposition,
        observations=observations,
    )
