"""Published figures that the chain's accounts and equilibria are held against, from ``chain_published.toml``."""

from __future__ import annotations

from typing import Any

import msgspec

from tsingma.reference.tables import read_table

TABLE = "chain_published.toml"


class PublishedExports(msgspec.Struct, frozen=True, kw_only=True):
    """What is in the exports of a group of regions; with ``members`` the figures are sums over them, one by one."""

    name: str
    exporter: tuple[str, ...]
    figures: dict[str, float]
    members: tuple[tuple[str, ...], ...] = ()


class PublishedWelfare(msgspec.Struct, frozen=True, kw_only=True):
    """One row of Caliendo and Parro's Table 2 and abstract, percent."""

    region: str
    welfare: float
    terms_of_trade: float
    volume_of_trade: float
    real_wage: float
    imports_from_bloc: float


class PublishedCell(msgspec.Struct, frozen=True, kw_only=True):
    """A cell of value added by origin: rows of origin and use counted from 0."""

    flow: str
    origin: int
    use: int
    value: float


def published(paper: str) -> dict[str, Any]:
    """Return the section of a paper: its source, tolerance and rows."""
    section: dict[str, Any] = read_table(TABLE)[paper]
    return section


def exvatools_rows() -> tuple[PublishedExports, ...]:
    """Return every exporter of exvatools' tests."""
    return tuple(msgspec.convert(row, PublishedExports, strict=False) for row in published("exvatools")["row"])


def cp2015_rows() -> tuple[PublishedWelfare, ...]:
    """Return the rows of Table 2."""
    return tuple(msgspec.convert(row, PublishedWelfare, strict=False) for row in published("cp2015")["row"])


def decompr_cells() -> tuple[PublishedCell, ...]:
    """Return the cells that decompr's tests state."""
    return tuple(msgspec.convert(row, PublishedCell, strict=False) for row in published("decompr")["cell"])
