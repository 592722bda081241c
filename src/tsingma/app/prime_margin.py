"""Risk arrays and PRiME margin of files."""

from __future__ import annotations

from pathlib import Path

from tsingma.margin.prime.arrays import Series, risk_arrays
from tsingma.messages.series_file import read_series


def arrays_of_file(path: Path) -> list[tuple[Series, list[int]]]:
    """Return every series of a file with its sixteen values; raises Rejected naming file, line and field."""
    series = read_series(path.read_bytes(), file=str(path))
    return list(zip(series, risk_arrays(series, file=str(path)).tolist(), strict=True))
