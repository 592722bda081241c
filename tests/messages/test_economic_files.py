"""Series files: the date forms, what is kept, and every way a file can be wrong."""

from __future__ import annotations

import gzip
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from tsingma.basics.rejection import Rejected
from tsingma.economy.series import Series, align, require_months
from tsingma.messages.economic_files import Dates, read_columns


def _write(folder: Path, text: str) -> Path:
    path = folder / "series.csv"
    path.write_text(text, encoding="utf-8-sig")
    return path


@pytest.mark.parametrize(
    ("dates", "text", "day"),
    [
        (Dates.DAY, "2026-06-30", "2026-06-30"),
        (Dates.AMERICAN, "06/30/26", "2026-06-30"),
        (Dates.MONTH, "2026-06", "2026-06-01"),
        (Dates.YEAR_MONTH, "202606", "2026-06-01"),
        (Dates.QUARTER, "2026-Q2", "2026-06-01"),
        (Dates.YEAR, "2026", "2026-12-01"),
    ],
)
def test_every_form_of_date(tmp_path: Path, dates: Dates, text: str, day: str) -> None:
    """Goal: six layouts. Method: one row each, the day as the series keeps it."""
    (found,) = read_columns(_write(tmp_path, f"t,v\n{text},1.5\n"), dates, "t")
    assert (str(found.days[0]), found.values[0]) == (day, 1.5)


def test_rows_columns_and_empty_cells(tmp_path: Path) -> None:
    """Goal: what is kept. Method: chosen rows by a cell, empty cells left out, days sorted, gzip read alike."""
    text = "t,class,v,w\n2026-02-01,A,2,\n2026-01-01,A,1,5\n2026-01-01,B,9,9\n"
    path = _write(tmp_path, text)
    v, w = read_columns(path, Dates.DAY, "t", ("v", "w"), where={"class": "A"})
    assert v.values.tolist() == [1.0, 2.0]
    assert w.values.tolist() == [5.0]
    packed = tmp_path / "series.csv.gz"
    packed.write_bytes(gzip.compress(text.encode()))
    assert read_columns(packed, Dates.DAY, "t", ("v",), where={"class": "B"})[0].values.tolist() == [9.0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("t,w\n2026-01-01,1\n", "no column 'v'"),
        ("t,v\n2026-01-01\n", "1 columns, 2 expected"),
        ("t,v\nJanuary,1\n", "'January' is not a date"),
        ("t,v\n2026-01-01,dear\n", "'dear' is no finite number"),
        ("t,v\n2026-01-01,nan\n", "no finite number"),
        ("t,v\n2026-01-01,1\n2026-01-01,2\n", "2026-01-01 twice"),
        ("t,v\n2026-01-01,\n", "is empty"),
    ],
)
def test_broken_files_are_refused(tmp_path: Path, text: str, words: str) -> None:
    """Goal: file, line and column of the fault. Method: one fault a file."""
    with pytest.raises(Rejected, match=words) as refused:
        read_columns(_write(tmp_path, text), Dates.DAY, "t", ("v",))
    assert refused.value.rejections[0].file.endswith("series.csv")


def test_missing_and_cut_files_are_refused(tmp_path: Path) -> None:
    """Goal: a readable refusal. Method: no file, and a gzip cut in half."""
    with pytest.raises(Rejected, match="cannot be read"):
        read_columns(tmp_path / "absent.csv", Dates.DAY, "t")
    cut = tmp_path / "cut.csv.gz"
    cut.write_bytes(gzip.compress(b"t,v\n2026-01-01,1\n" * 100)[:-20])
    with pytest.raises(Rejected, match="cut short"):
        read_columns(cut, Dates.DAY, "t")


def _series(*days: str) -> Series:
    return Series("x", np.array(days, "datetime64[D]"), np.arange(1.0, len(days) + 1))


def test_months_quarters_and_windows() -> None:
    """Goal: last of the period. Method: five days over two quarters, by hand."""
    series = _series("2026-01-05", "2026-01-30", "2026-03-02", "2026-03-31", "2026-04-01")
    assert series.monthly().values.tolist() == [2.0, 4.0, 5.0]
    assert series.quarterly().values.tolist() == [4.0, 5.0]
    assert [str(day) for day in series.quarterly().days] == ["2026-03-01", "2026-06-01"]
    assert series.at(date(2026, 2, 1)) == 2.0
    assert len(series.between(date(2026, 1, 30), date(2026, 3, 31)).values) == 3
    _days, values = align((series, _series("2026-03-02", "2026-04-01")))
    assert values.tolist() == [[3.0, 1.0], [5.0, 2.0]]
    with pytest.raises(Rejected, match="month 2026-02 is missing"):
        require_months(series.monthly().days, name="x")


def test_wrong_series_are_refused() -> None:
    """Goal: no silent gap. Method: days out of order, no days in common, before the first, an empty window."""
    with pytest.raises(Rejected, match="follows"):
        _series("2026-01-02", "2026-01-01")
    with pytest.raises(Rejected, match="no day in common"):
        align((_series("2026-01-01"), _series("2026-01-02")))
    with pytest.raises(Rejected, match="begins after"):
        _series("2026-01-02").at(date(2026, 1, 1))
    with pytest.raises(Rejected, match="nothing from"):
        _series("2026-01-02").between(date(2025, 1, 1), date(2025, 1, 2))
    with pytest.raises(Rejected, match="no number on 2026-01-01"):
        Series("x", np.array(["2026-01-01"], "datetime64[D]"), np.array([np.nan]))
