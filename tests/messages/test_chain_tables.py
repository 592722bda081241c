"""World input-output tables from files, and files that are none.

Goal: each layout is read as published, every fault is refused with file and place. Method: a mock table in each real
layout, written and read back; one fault at a time; real files in tests of the room that uses them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from chain_tables import made_up_table
from tsingma.basics.rejection import Rejected
from tsingma.economy.chain.table import Table
from tsingma.messages.chain_tables import read_decompr, read_icio, read_wiod_aggregate, wiod_table
from tsingma.messages.cp2015_files import read_cp2015

USES = ("HFCE", "GFCF", "INVNT")


def _icio_lines(table: Table) -> list[list[str]]:
    """Return the table in the layout of OECD's ICIO: three final uses a region, taxes, value added and output."""
    codes = [f"{region}_{sector}" for region in table.regions for sector in table.sectors]
    uses = [f"{region}_{use}" for region in table.regions for use in USES]
    parts = np.array([0.7, 0.4, -0.1])
    rows = [["V1", *codes, *uses, "TOTAL"]]
    for k, code in enumerate(codes):
        final = [float(table.final[k, n] * part) for n in range(len(table.regions)) for part in parts]
        rows.append(
            [code, *map(repr, map(float, table.intermediate[k])), *map(repr, final), repr(float(table.output[k]))]
        )
    blank = ["0"] * (len(uses) + 1)
    rows.append(["TLS", *(repr(float(0.1 * value)) for value in table.value_added), *blank])
    rows.append(["VALU", *(repr(float(0.9 * value)) for value in table.value_added), *blank])
    rows.append(["OUTPUT", *(repr(float(value)) for value in table.output), *blank])
    return rows


def _write(path: Path, rows: list[list[str]]) -> Path:
    path.write_text("\n".join(",".join(row) for row in rows) + "\n", encoding="utf-8")
    return path


def test_icio_layout_is_read_back(tmp_path: Path) -> None:
    """Goal: flows, final use by region, value added with taxes. Method: mock table, written and read."""
    table = made_up_table()
    found = read_icio(_write(tmp_path / "icio.csv", _icio_lines(table)), year=2018)
    assert (found.regions, found.sectors, found.year) == (table.regions, table.sectors, 2018)
    for part in ("intermediate", "final", "output", "value_added"):
        assert getattr(found, part) == pytest.approx(getattr(table, part), rel=1e-12), part


@pytest.mark.parametrize(("fault", "message"), [
    (lambda rows: rows[3].__setitem__(2, "n.a."), r"icio.csv:4: CHN_models: 'n.a.' is no number"),
    (lambda rows: rows[3].pop(), r"icio.csv:4: 25 cells? *|icio.csv:4: \d+ cells, \d+ expected"),
    (lambda rows: rows[1].__setitem__(0, "CHN_memory"), "row CHN_chips|out of order|has no column"),
    (lambda rows: rows[13].__setitem__(0, "TAXES"), "'TAXES' is no REGION_SECTOR code"),
    (lambda rows: rows[2].__setitem__(0, "CHN_chips"), "row CHN_chips stands twice"),
    (lambda rows: rows[0].__setitem__(13, "USA_HFCE"), "column USA_HFCE belongs to no region"),
    (lambda rows: rows[14].__setitem__(1, "9999"), "column: CHN chips does not balance: residual 9"),
    (lambda rows: rows[5].__setitem__(1, "-4"), "-4 sold by JPN chips to CHN chips is negative"),
])  # fmt: skip
def test_icio_faults_are_refused(tmp_path: Path, fault: object, message: str) -> None:
    """Goal: file, line, field. Method: one fault in a mock table."""
    rows = _icio_lines(made_up_table())
    fault(rows)
    with pytest.raises(Rejected, match=message):
        read_icio(_write(tmp_path / "icio.csv", rows))


def test_icio_that_is_not_there(tmp_path: Path) -> None:
    """Goal: a missing, empty or binary file is refused. Method: each."""
    with pytest.raises(Rejected, match="cannot be read"):
        read_icio(tmp_path / "none.csv")
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(Rejected, match="0 lines"):
        read_icio(tmp_path / "empty.csv")
    (tmp_path / "odd.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(Rejected, match="no UTF-8"):
        read_icio(tmp_path / "odd.csv")


def test_wiod_rounding_goes_to_stocks_and_gaps_are_refused(tmp_path: Path) -> None:
    """Goal: rounded millions balance exactly, more is refused. Method: a mock aggregate, rounded, then spoiled."""
    table = made_up_table()
    flows, final = np.rint(table.intermediate * 1e4), np.rint(table.final * 1e4)
    output = np.rint(table.output * 1e4)
    path = tmp_path / "wiod.npz"
    np.savez(
        path, regions=np.array(table.regions), sectors=np.array(table.sectors), Z2011=flows, Y2011=final, x2011=output
    )
    found = read_wiod_aggregate(path, 2011)
    assert found.output == pytest.approx(output)
    assert (found.intermediate.sum(axis=1) + found.final.sum(axis=1)) == pytest.approx(output, rel=1e-12)
    assert "posted to final use at home" in found.notes[0]
    with pytest.raises(Rejected, match=r"has no Z2012 \(years 2011 to 2011\)"):
        read_wiod_aggregate(path, 2012)
    uses = np.repeat(final, 5, axis=1) / 5
    assert wiod_table(table.regions, table.sectors, flows, uses, output, 2011).final == pytest.approx(found.final)
    output[5] += 5e3
    with pytest.raises(Rejected, match="JPN models does not balance"):
        wiod_table(table.regions, table.sectors, flows, final, output, 2011)
    (tmp_path / "text.npz").write_text("not a table")
    with pytest.raises(Rejected, match="is no NPZ file"):
        read_wiod_aggregate(tmp_path / "text.npz", 2011)


def test_decompr_layout(tmp_path: Path) -> None:
    """Goal: decompr's own layout. Method: mock table, then another header."""
    table = made_up_table()
    names = [f"{region}.{sector}" for region in table.regions for sector in table.sectors]
    rows = [["", *names, *(f"FD.{region}" for region in table.regions), "output"]]
    for k, name in enumerate(names):
        cells = [*table.intermediate[k], *table.final[k], table.output[k]]
        rows.append([name, *(repr(float(cell)) for cell in cells)])
    assert read_decompr(_write(tmp_path / "l.csv", rows)).output == pytest.approx(table.output)
    rows[0][-1] = "total"
    with pytest.raises(Rejected, match="decompr's layout"):
        read_decompr(_write(tmp_path / "l.csv", rows))


def test_cp2015_files_of_another_size_are_refused(tmp_path: Path) -> None:
    """Goal: the file and its size are named. Method: a folder without files, then a short file, then words."""
    with pytest.raises(Rejected, match=r"B\.txt: cannot be read"):
        read_cp2015(tmp_path)
    (tmp_path / "B.txt").write_text("0.5\t0.6\n")
    with pytest.raises(Rejected, match=r"is \(2,\) numbers, \(40, 31\) expected"):
        read_cp2015(tmp_path)
    (tmp_path / "B.txt").write_text("half\n")
    with pytest.raises(Rejected, match="holds no plain numbers"):
        read_cp2015(tmp_path)
