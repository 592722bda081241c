"""Risk arrays and PRiME margin of files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tsingma.margin.prime.arrays import Series, risk_arrays
from tsingma.margin.prime.requirement import Basis, PrimeMargin, PrimeSettings, prime_margin
from tsingma.messages.series_file import read_series
from tsingma.messages.series_positions import read_series_positions
from tsingma.messages.span_file import prime_parameters, read_records


def arrays_of_file(path: Path) -> list[tuple[Series, list[int]]]:
    """Return every series of a file with its sixteen values; raises Rejected naming file, line and field."""
    series = read_series(path.read_bytes(), file=str(path))
    return list(zip(series, risk_arrays(series, file=str(path)).tolist(), strict=True))


def margin_of_span(
    span: Path, positions: Path, multipliers: Mapping[str, int], basis: Basis, settings: PrimeSettings
) -> PrimeMargin:
    """Return the PRiME margin of a positions file under a SPAN file; raises Rejected naming file, line and field."""
    parameters = prime_parameters(read_records(span.read_bytes(), file=str(span)), multipliers, file=str(span))
    held = read_series_positions(positions.read_bytes(), file=str(positions))
    return prime_margin(parameters, held, basis, settings, file=str(positions))
