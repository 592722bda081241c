"""Accounts of value added against published test tables.

Goal: vectors V4, V5, V6 and V8 of the reference, every exporter and method that exvatools' own tests print. Method: the
test data of decompr and exvatools and WIOD 2011, read from the shared folder; identities on made-up tables.
"""

from __future__ import annotations

import csv
import gzip
import warnings
from pathlib import Path

import numpy as np
import pytest

from chain_tables import made_up_table
from tsingma.basics.rejection import Rejected
from tsingma.economy.chain.accounting import (
    chain_dividends,
    foreign_value_added,
    gross_exports,
    leontief_inverse,
    upstreamness,
    value_added_in,
    value_added_origin,
)
from tsingma.economy.chain.export_terms import nine_terms, sixteen_terms
from tsingma.economy.chain.exports import export_content
from tsingma.economy.chain.published import PublishedExports, decompr_cells, exvatools_rows
from tsingma.economy.chain.table import Table, checked_table
from tsingma.messages.chain_tables import SPLIT_COUNTRIES, read_decompr, read_icio, wiod_table


@pytest.fixture(scope="module")
def leather(shared: Path) -> Table:
    """The 3 x 3 table of decompr."""
    return read_decompr(shared / "data/econ/gvc_tests/leather.csv")


def test_v4_value_added_in_exports_output_and_demand(leather: Table) -> None:
    """Goal: V4 to 1e-6. Method: every cell that decompr's tests state."""
    flows = {
        "exports": value_added_in(leather, gross_exports(leather)),
        "output": value_added_in(leather, leather.output),
        "final demand": chain_dividends(leather, leather.final),
    }
    for cell in decompr_cells():
        assert flows[cell.flow][cell.origin, cell.use] == pytest.approx(cell.value, abs=1e-5), cell


def test_v5_upstreamness(leather: Table) -> None:
    """Goal: V5 to 1e-4. Method: the pinned nine figures."""
    expected = [2.0984, 2.1769, 1.6311, 2.1071, 2.1802, 1.8393, 1.9896, 2.1018, 1.7588]
    assert upstreamness(leather) == pytest.approx(expected, abs=5e-5)


@pytest.mark.parametrize("case", exvatools_rows(), ids=lambda case: case.name)
def test_v6_exports_by_four_methods(shared: Path, case: PublishedExports) -> None:
    """Goal: V6 to 0.01, every figure of exvatools' tests. Method: its 10 x 3 test table; China and Mexico are split."""
    table = read_icio(shared / "data/econ/gvc_tests/iciotest_data.csv")
    found = [export_content(table, group, SPLIT_COUNTRIES) for group in case.members or (case.exporter,)]
    for name, figure in case.figures.items():
        assert sum(getattr(one, name) for one in found) == pytest.approx(figure, abs=0.01), name


@pytest.mark.parametrize("case", exvatools_rows()[:3], ids=lambda case: case.name)
def test_nine_terms_add_up_to_published_totals(shared: Path, case: PublishedExports) -> None:
    """Goal: Koopman-Wang-Wei's terms sum to exports, value added exports, reflection, double counting. Method: V6."""
    table = read_icio(shared / "data/econ/gvc_tests/iciotest_data.csv")
    terms = nine_terms(table, case.exporter, SPLIT_COUNTRIES)
    sums = {
        "gross_exports": terms.sum(), "value_added_exports": terms[:3].sum(), "reflection": terms[3:5].sum(),
        "domestic_double_counting": terms[5], "foreign_content": terms[6:].sum(),
        "foreign_value_added_used_by_importer": terms[6:8].sum(),
        "foreign_double_counting_wang_wei_zhu": terms[8],
    }  # fmt: skip
    for name, total in sums.items():
        assert total == pytest.approx(case.figures[name], abs=0.01), name
    with pytest.raises(Rejected, match="whole world"):
        nine_terms(made_up_table(), ["CHN", "JPN", "KOR"])


@pytest.mark.parametrize("case", exvatools_rows()[:3], ids=lambda case: case.name)
def test_sixteen_terms_add_up_to_published_totals(shared: Path, case: PublishedExports) -> None:
    """Goal: Wang-Wei-Zhu's terms sum to V6's totals, and to exports to each importer. Method: its test table."""
    table = read_icio(shared / "data/econ/gvc_tests/iciotest_data.csv")
    found = sixteen_terms(table, case.exporter, SPLIT_COUNTRIES)
    terms = np.sum(list(found.values()), axis=0)
    sums = {
        "gross_exports": terms.sum(), "value_added_exports": terms[:5].sum(), "reflection": terms[5:8].sum(),
        "domestic_double_counting": terms[8:10].sum(),
        "foreign_value_added_used_by_importer": terms[[10, 11, 13, 14]].sum(),
        "foreign_double_counting_wang_wei_zhu": terms[[12, 15]].sum(),
    }  # fmt: skip
    for name, total in sums.items():
        assert total == pytest.approx(case.figures[name], abs=0.01), name
    rows = np.isin(np.repeat(table.regions, 3), case.exporter)
    for importer, parts in found.items():
        theirs, users = np.isin(np.repeat(table.regions, 3), importer), np.isin(table.regions, importer)
        sold = table.intermediate[np.ix_(rows, theirs)].sum() + table.final[np.ix_(rows, users)].sum()
        assert parts.sum() == pytest.approx(sold, rel=1e-9), importer
    with pytest.raises(Rejected, match="whole world"):
        sixteen_terms(made_up_table(), ["CHN", "JPN", "KOR"])


def test_imported_inputs_of_chinese_electronics(shared: Path) -> None:
    """Goal: the anchor of the claim on leakage: 27.8 % of output in 2020. Method: the 42-sector table, read plainly."""
    with gzip.open(shared / "data/econ/oecd_iot/china_2020_42.csv.gz", "rt", encoding="utf-8") as lines:
        header, *rows = csv.reader(lines)
    column = header.index("20")
    bought = {
        origin: sum(float(row[column]) for row in rows if row[3] == origin and row[0].isdigit())
        for origin in ("Domestic", "Imports")
    }
    output = next(float(row[column]) for row in rows if row[0] == "TI")
    assert (bought["Domestic"] / 1e5, bought["Imports"] / 1e5) == pytest.approx((6221, 3029), abs=1)
    assert bought["Imports"] / output == pytest.approx(0.278, abs=5e-4)


def test_v8_electronics_in_wiod(shared: Path) -> None:
    """Goal: V8 to 1e-4. Method: the full 41 x 35 table of 2011, sector c14."""
    rdata = pytest.importorskip("rdata")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        held = rdata.read_rda(shared / "data/econ/wiod2013/wiot_2011.RData")["wiot_2011"]
    names = [[str(name) for name in held[part]] for part in ("countries", "industries")]
    table = wiod_table(*names, held["inter"], held["final"], held["output"], 2011)
    inverse, chips = leontief_inverse(table), table.sector("c14")
    foreign = foreign_value_added(table, inverse)
    stages = upstreamness(table).reshape(table.shape)
    for region, share, position in (("CHN", 0.2890, 2.8005), ("JPN", 0.1602, 2.6202), ("KOR", 0.3679, 3.0901)):
        place = table.region(region)
        assert (foreign[place, chips], stages[place, chips]) == pytest.approx((share, position), abs=5e-5)
    assert table.value_added.sum() == pytest.approx(table.final.sum(), rel=1e-9)


def test_dividends_add_up_to_world_value_added() -> None:
    """Goal: v (.) B f is value added cell by cell (V11). Method: made-up table, all final demand."""
    table = made_up_table(7)
    assert chain_dividends(table, table.final.sum(axis=1)) == pytest.approx(table.value_added, rel=1e-9)
    assert value_added_origin(table).sum(axis=0) == pytest.approx(np.ones(12), rel=1e-9)


def test_parts_of_exports_add_up() -> None:
    """Goal: identities to 1e-9 for every exporter. Method: content, value added, double counting, both FVA methods."""
    table = made_up_table(3)
    for exporter in (["CHN"], ["JPN"], ["KOR"], ["JPN", "KOR"]):
        found = export_content(table, exporter)
        gross = found.gross_exports
        assert found.domestic_content + found.foreign_content == pytest.approx(gross, rel=1e-9)
        assert found.domestic_value_added == pytest.approx(found.value_added_exports + found.reflection, rel=1e-9)
        assert found.domestic_value_added + found.domestic_double_counting == pytest.approx(
            found.domestic_content, rel=1e-9
        )
        assert found.foreign_one_border + found.foreign_more_borders == pytest.approx(found.foreign_content, rel=1e-9)
        assert 0 < found.foreign_value_added_used_by_importer < found.foreign_value_added < found.foreign_content
    with pytest.raises(Rejected, match="whole world"):
        export_content(table, ["CHN", "JPN", "KOR"])


def test_a_table_that_uses_more_than_it_makes_has_no_inverse() -> None:
    """Goal: named cell, no figure. Method: a sector that buys 1.2 of its own output per unit."""
    flows = np.array([[120.0, 1.0], [1.0, 1.0]])
    table = checked_table(
        ["A"], ["x", "y"], flows, np.array([[-21.0], [50.0]]), np.array([100.0, 52.0]), unit="unit", year=1, source="t"
    )
    with pytest.raises(Rejected, match="A x uses more than it makes"):
        leontief_inverse(table)
