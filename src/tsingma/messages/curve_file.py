"""Zero curves by day as a file (``date,curve,tenor,rate``), both ways."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from tsingma.basics.dates import parse_date, to_date, to_day
from tsingma.basics.documents import is_whole
from tsingma.basics.rejection import Rejected, Rejection, RejectionReason, refuse
from tsingma.market.curve_history import CurveSeries
from tsingma.messages.rows import read_cells

COLUMNS = ("date", "curve", "tenor", "rate")
ROWS_MAX = 5_000_000
_UNIT_YEARS = {"D": 1.0 / 365.0, "W": 7.0 / 365.0, "M": 1.0 / 12.0, "Y": 1.0}
_NUMBER_MAX = {"D": 36_500, "W": 5_200, "M": 1_200, "Y": 100}


def tenor_years(tenor: str) -> float:
    """Return the years of a tenor such as ``7D``, ``3M`` or ``10Y``; raises Rejected (malformed) for anything else."""
    number, unit = tenor[:-1], tenor[-1:]
    known = unit in _UNIT_YEARS and is_whole(number)
    if not known or not 0 < int(number) <= _NUMBER_MAX[unit]:
        raise refuse(
            RejectionReason.MALFORMED, f"'{tenor}' is no tenor", field="tenor", remedy="write 1D, 2W, 3M or 10Y"
        )
    return int(number) * _UNIT_YEARS[unit]


def read_curves(data: bytes, *, file: str = "curves.csv") -> tuple[CurveSeries, ...]:
    """Return the curves of a file in order of name; rows may stand in any order.

    Rates are zero rates as decimals, compounded continuously. A curve has the same tenors on every day on which it has
    any. Raises Rejected with file, line and field: a cell that cannot be read, a point twice, a point that is missing.
    """
    points = _points(read_cells(data, file, COLUMNS, rows_max=ROWS_MAX, rows="rates"), file)
    if not points:
        raise refuse(RejectionReason.MISSING, "there is no rate in the file", file=file, line=2)
    return tuple(_series(name, points[name], file) for name in sorted(points))


Points = dict[tuple[int, float], tuple[float, int]]  # (day, years) -> rate and line


def _points(rows: Iterable[tuple[int, list[str]]], file: str) -> dict[str, Points]:
    found: dict[str, Points] = {}
    faults: list[Rejection] = []
    for line, row in rows:
        if len(row) != len(COLUMNS):
            message = f"{len(row)} columns, {len(COLUMNS)} expected"
            faults.append(Rejection(reason=RejectionReason.MALFORMED, file=file, line=line, message=message))
            continue
        day, name, tenor, rate = (cell.strip() for cell in row)
        try:
            key, value = (to_day(parse_date(day, field="date")), tenor_years(tenor)), _rate(rate)
        except Rejected as wrong:
            one = wrong.rejections[0]
            faults.append(Rejection(reason=one.reason, file=file, line=line, field=one.field, message=one.message))
            continue
        curve = found.setdefault(name, {})
        if key in curve:
            message = f"{name} {tenor} of {day} stands on line {curve[key][1]} as well"
            faults.append(Rejection(reason=RejectionReason.DUPLICATE, file=file, line=line, message=message))
            continue
        curve[key] = value, line
    if faults:
        raise Rejected(*faults[:100])
    return found


def _rate(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise refuse(RejectionReason.MALFORMED, f"'{text}' is no rate", field="rate")
    return value


def _series(name: str, points: Points, file: str) -> CurveSeries:
    days, years = sorted({day for day, _ in points}), sorted({tenor for _, tenor in points})
    rates = np.empty((len(days), len(years)))
    for i, day in enumerate(days):
        for j, tenor in enumerate(years):
            if (day, tenor) not in points:
                line = min(line for (other, _), (_, line) in points.items() if other == day)
                message = f"{name} has no rate at {tenor:g} years on {to_date(day)}, which it has on other days"
                raise refuse(RejectionReason.MISSING, message, file=file, line=line, field="tenor")
            rates[i, j] = points[day, tenor][0]
    try:
        return CurveSeries(name, np.array(days, np.int32), np.array(years), rates)
    except Rejected as wrong:
        line = min(line for _, line in points.values())
        one = wrong.rejections[0]
        raise refuse(one.reason, one.message, file=file, line=line, subject=one.subject, remedy=one.remedy) from None


def write_curves(curves: Sequence[CurveSeries], tenors: Sequence[str]) -> bytes:
    """Return the file of curves that all have these tenors, rates to eight decimals; what :func:`read_curves` reads."""
    lines = [",".join(COLUMNS)]
    for curve in curves:
        for row, day in enumerate(curve.dates.tolist()):
            lines += [
                f"{to_date(day)},{curve.name},{tenor},{rate:.8f}"
                for tenor, rate in zip(tenors, curve.rates[row].tolist(), strict=True)
            ]
    return ("\n".join(lines) + "\n").encode("ascii")
