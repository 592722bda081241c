"""Scenarios of the value chain from files: the ones that ship by name, or one's own; the stylised table or a real
one.
"""

from __future__ import annotations

from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import TypeVar

import msgspec

from tsingma.basics.documents import parse_toml
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.economy.chain.accounting import downstreamness, foreign_value_added, upstreamness
from tsingma.economy.chain.as_path import chain_path
from tsingma.economy.chain.export_terms import nine_terms
from tsingma.economy.chain.exports import ExportContent, export_content
from tsingma.economy.chain.real_table import LayerFile, chain_of_table, standard_layers
from tsingma.economy.chain.scenario import Scenario, ScenarioResult, run_scenario
from tsingma.economy.chain.stylised import Chain, stylised_chain
from tsingma.economy.chain.table import Table, aggregate
from tsingma.economy.path import Path as EconomyPath
from tsingma.messages.chain_tables import read_icio, read_wiod_aggregate

T = TypeVar("T")
SUFFIX = ".toml"
FILE_BYTES_MAX = 1_000_000


def scenario_names() -> tuple[str, ...]:
    """Return the names of the scenarios that ship."""
    folder = files("tsingma.economy.chain").joinpath("scenarios")
    return tuple(sorted(one.name.removesuffix(SUFFIX) for one in folder.iterdir() if one.name.endswith(SUFFIX)))


def read_scenario(name: str) -> tuple[str, Scenario]:
    """Return a scenario by the name of one that ships, or from a file.

    Raises Rejected: no such name or file, no TOML, or a field that is wrong (its path is named).
    """
    if name in scenario_names():
        text = files("tsingma.economy.chain").joinpath("scenarios", name + SUFFIX).read_text(encoding="utf-8")
        return name, _decode(text, Scenario, name + SUFFIX)
    path = Path(name)
    if not path.is_file():
        remedy = f"a TOML file, or one of {', '.join(scenario_names())}"
        raise refuse(RejectionReason.UNKNOWN, f"no scenario '{name}'", field="scenario", remedy=remedy)
    return path.stem, _decode(_text(path), Scenario, name)


def read_chain(table: Path | None, *, year: int | None = None, layers: Path | None = None) -> Chain:
    """Return the stylised chain, or one of a real table (ICIO layout as CSV, WIOD aggregate as NPZ with its year).

    ``layers`` is a TOML file that says what is upstream; without it the one for WIOD 2013 codes serves. Raises
    Rejected as the readers do.
    """
    if table is None:
        return stylised_chain()
    read = _table(table, year)
    spec = standard_layers() if layers is None else _decode(_text(layers), LayerFile, str(layers))
    return chain_of_table(read, spec)


def _table(path: Path, year: int | None) -> Table:
    if path.suffix != ".npz":
        return read_icio(path, year=year or 0)
    if year is None:
        raise refuse(RejectionReason.MISSING, "a WIOD aggregate holds many years", field="year", remedy="--year")
    return read_wiod_aggregate(path, year)


def run_chain(
    scenario: str, table: Path | None, *, year: int | None, layers: Path | None, draws: int, seed: int
) -> ScenarioResult:
    """Return a scenario by name or file on a table; raises Rejected as the readers, levers and solver do."""
    return run_with_path(scenario, table, year=year, layers=layers, draws=draws, seed=seed, start=date.min)[0]


def run_with_path(
    scenario: str, table: Path | None, *, year: int | None, layers: Path | None, draws: int, seed: int, start: date
) -> tuple[ScenarioResult, EconomyPath]:
    """Return what :func:`run_chain` does, and the path from a day that the stress side reads."""
    name, read = read_scenario(scenario)
    found = run_scenario(read_chain(table, year=year, layers=layers), name, read, draws=draws, seed=seed)
    return found, chain_path(read, found, start)


class Accounts(msgspec.Struct, frozen=True, kw_only=True):
    """What is in a group's exports, and its sectors: foreign share of value, stages to final use and from the start."""

    exporter: tuple[str, ...]
    table: str
    unit: str
    content: ExportContent
    nine_terms: tuple[float, ...]
    sectors: tuple[tuple[str, float, float, float], ...]


def chain_accounts(table: Path | None, exporter: tuple[str, ...], *, year: int | None = None) -> Accounts:
    """Return the accounts of a group of regions in a table; the stylised one is merged to whole countries first.

    Raises Rejected as the readers do, and for an unknown region.
    """
    read = aggregate(stylised_chain().table, stylised_chain().country_of) if table is None else _table(table, year)
    foreign = foreign_value_added(read)
    up, down = (stages(read).reshape(read.shape) for stages in (upstreamness, downstreamness))
    places = [(read.region(name), k) for name in exporter for k in range(len(read.sectors))]
    return Accounts(
        exporter=exporter,
        table=f"{read.source}, {read.year}",
        unit=read.unit,
        content=export_content(read, exporter),
        nine_terms=tuple(map(float, nine_terms(read, exporter))),
        sectors=tuple(
            (read.cell(n * len(read.sectors) + k), float(foreign[n, k]), float(up[n, k]), float(down[n, k]))
            for n, k in places
        ),
    )


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise refuse(RejectionReason.LIMIT, f"larger than {FILE_BYTES_MAX} bytes", file=str(path))
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise refuse(RejectionReason.MALFORMED, f"cannot be read: {error}", file=str(path)) from None


def _decode(text: str, kind: type[T], file: str) -> T:
    try:
        return msgspec.convert(parse_toml(text, file=file), kind, strict=False)
    except msgspec.ValidationError as error:
        raise refuse(RejectionReason.MALFORMED, str(error), file=file) from None
