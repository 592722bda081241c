"""Published tables of the value chain computed again from their own files, every figure beside what was printed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.economy.chain.accounting import chain_dividends, gross_exports, upstreamness, value_added_in
from tsingma.economy.chain.caliendo_parro import nafta
from tsingma.economy.chain.exports import export_content
from tsingma.economy.chain.published import cp2015_rows, decompr_cells, exvatools_rows, published
from tsingma.messages.chain_tables import SPLIT_COUNTRIES, read_decompr, read_icio
from tsingma.messages.cp2015_files import read_cp2015


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One figure: of what (a country, or a cell), which variable, ours, and what was printed (None: nothing was)."""

    of: str
    variable: str
    value: float
    printed: float | None = None
    tolerance: float = 0.0

    @property
    def agrees(self) -> bool:
        """Say whether the figure is within the tolerance of what was printed; one without is not against it."""
        return self.printed is None or abs(self.value - self.printed) <= self.tolerance


class ChainReplication(msgspec.Struct, frozen=True, kw_only=True):
    """A paper's figures beside ours; ``checked`` counts those that it prints, each with its own tolerance."""

    paper: str
    source: str
    figures: tuple[Figure, ...]
    checked: int
    largest_gap_over_tolerance: float
    agrees: bool
    notes: tuple[str, ...] = ()


def replicate_chain(paper: str, data: Path) -> ChainReplication:
    """Return the figures of cp2015, decompr or exvatools from ``data``/cp2015 or ``data``/gvc_tests.

    Raises Rejected for an unknown paper, a missing file or a broken one.
    """
    papers = {"cp2015": _cp2015, "decompr": _decompr, "exvatools": _exvatools}
    if paper not in papers:
        raise refuse(RejectionReason.UNKNOWN, f"no paper '{paper}'", remedy=f"one of {', '.join(papers)}")
    figures, notes = papers[paper](data)
    printed = [one for one in figures if one.printed is not None]
    return ChainReplication(
        paper=paper,
        source=published(paper)["source"],
        figures=tuple(figures),
        checked=len(printed),
        largest_gap_over_tolerance=max(abs(one.value - (one.printed or 0.0)) / one.tolerance for one in printed),
        agrees=all(one.agrees for one in figures),
        notes=tuple(notes),
    )


Found = tuple[list[Figure], Iterable[str]]


def _cp2015(data: Path) -> Found:
    section, found = published("cp2015"), nafta(read_cp2015(data / "cp2015"))
    printed = {row.region: row for row in cp2015_rows()}
    figures = []
    for row in found.welfare:
        for name in ("welfare", "terms_of_trade", "volume_of_trade", "real_wage", "real_income"):
            known = getattr(printed.get(row.region), name, None)
            figures.append(
                Figure(of=row.region, variable=name, value=getattr(row, name), printed=known,
                       tolerance=float(section["tolerance"]))
            )  # fmt: skip
        if row.region in printed:
            figures.append(
                Figure(of=row.region, variable="imports_from_bloc", value=found.imports_from_bloc[row.region],
                       printed=printed[row.region].imports_from_bloc, tolerance=float(section["tolerance_imports"]))
            )  # fmt: skip
    for place, row in enumerate(found.welfare):
        for sector, name in enumerate(found.baseline.sectors):
            price = 100.0 * float(found.counterfactual.price[0, place, sector] - 1.0)
            figures.append(Figure(of=f"{row.region} {name}", variable="price", value=price))
    notes = (
        f"residual {found.residual:.1e} of factor income; {found.steps[0]} and {found.steps[1]} steps",
        "welfare is the paper's first-order sum; real_income is the exact change, which the paper does not print",
        "one negative input share of the data (Canada, 'Other' in 'Basic metals', -0.00085) is set to 0",
    )
    return figures, notes


def _decompr(data: Path) -> Found:
    section, table = published("decompr"), read_decompr(data / "gvc_tests" / "leather.csv")
    flows = {
        "exports": value_added_in(table, gross_exports(table)),
        "output": value_added_in(table, table.output),
        "final demand": chain_dividends(table, table.final),
    }
    known = {(cell.flow, cell.origin, cell.use): cell.value for cell in decompr_cells()}
    figures = []
    for flow, cells in flows.items():
        for origin in range(cells.shape[0]):
            for use in range(cells.shape[1]):
                user = table.regions[use] if flow == "final demand" else table.cell(use)
                figures.append(
                    Figure(of=f"{table.cell(origin)} in {user}", variable=f"value added in {flow}",
                           value=float(cells[origin, use]), printed=known.get((flow, origin, use)),
                           tolerance=float(section["tolerance"]))
                )  # fmt: skip
    stages = upstreamness(table)
    figures += [Figure(of=table.cell(k), variable="upstreamness", value=float(one)) for k, one in enumerate(stages)]
    return figures, ()


def _exvatools(data: Path) -> Found:
    section, table = published("exvatools"), read_icio(data / "gvc_tests" / "iciotest_data.csv")
    figures = []
    for row in exvatools_rows():
        found = [export_content(table, group, SPLIT_COUNTRIES) for group in row.members or (row.exporter,)]
        figures += [
            Figure(of=row.name, variable=name, value=sum(getattr(one, name) for one in found),
                   printed=row.figures.get(name), tolerance=float(section["tolerance"]))
            for name in found[0].__struct_fields__
        ]  # fmt: skip
    return figures, ("MEX + USA adds up two exporters; NAFTA is one exporter without trade inside",)
