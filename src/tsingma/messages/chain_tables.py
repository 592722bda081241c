"""World input-output tables from files: OECD ICIO's CSV layout, WIOD aggregates, decompr's test table.

The ICIO layout is also the layout for a table of one's own: a header of column codes, then one line a row. Codes are
``REGION_SECTOR``; a column ``REGION_USE`` whose use is no sector is final demand of that region; rows and columns
named in ``VALUE_ADDED_ROWS``, ``TAX_ROWS`` and ``TOTALS`` are what their names say. A provider that renames a row is
refused, not guessed at.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from zipfile import BadZipFile

import msgspec
import numpy as np

from tsingma.basics.rejection import Rejected, RejectionReason, refuse
from tsingma.economy.chain.table import Float64, Table, checked_table

VALUE_ADDED_ROWS = ("VALU", "VA")
TAX_ROWS = ("TLS", "TAXSUB")
TOTALS = ("OUT", "OUTPUT", "TOTAL")
SPLIT_COUNTRIES = (("CHN", "CN1", "CN2"), ("MEX", "MX1", "MX2"))  # OECD: export processing apart; see its ReadMe
ROWS_MAX = 20_000
ROUNDED_BALANCE = 2e-5  # WIOD: whole millions
FILE_BALANCE = 1e-6  # of world output: what rounding in published files leaves


def read_icio(path: Path, *, year: int = 0, unit: str = "million USD") -> Table:
    """Return a table in the ICIO layout; a split country without final demand of its own keeps none.

    Raises Rejected with file and line: no such file, a cell that is no number, codes twice, a row without its column,
    or a table that does not balance within ``FILE_BALANCE`` of world output.
    """
    header, rows = _read_rows(path)
    codes = [code for code, _ in rows if code not in (*VALUE_ADDED_ROWS, *TAX_ROWS, *TOTALS)]
    twice = sorted({code for code in codes if codes.count(code) > 1})
    if twice:
        raise refuse(RejectionReason.DUPLICATE, f"row {twice[0]} stands twice", file=str(path), field="row")
    regions, sectors = _codes(codes, path)
    missing = [code for code in codes if code not in header]
    if missing:
        message = f"row {missing[0]} has no column"
        raise refuse(RejectionReason.MISSING, message, file=str(path), line=1, field="header")
    place = {code: k for k, code in enumerate(header)}
    values = dict(rows)
    body = np.array([values[code] for code in codes])
    final = np.zeros((len(codes), len(regions)))
    for code, column in place.items():
        if code in values or code in TOTALS:
            continue
        region = code.split("_", 1)[0]
        if region not in regions:
            message = f"column {code} belongs to no region of the rows"
            raise refuse(RejectionReason.UNKNOWN, message, file=str(path), line=1, field=code)
        final[:, regions.index(region)] += body[:, column]
    intermediate = body[:, [place[code] for code in codes]]
    return _checked(path, regions, sectors, intermediate, final, _added(values, place, codes), year=year, unit=unit)


def _added(values: dict[str, Float64], place: dict[str, int], codes: Sequence[str]) -> Float64 | None:
    """Return value added with taxes less subsidies on inputs, or None where the file has no such row."""
    chosen = [values[name] for name in (*VALUE_ADDED_ROWS, *TAX_ROWS) if name in values]
    if not any(name in values for name in VALUE_ADDED_ROWS):
        return None
    added: Float64 = np.sum(chosen, axis=0)[[place[code] for code in codes]]
    return added


def _codes(codes: Sequence[str], path: Path) -> tuple[list[str], list[str]]:
    pairs = [code.split("_", 1) for code in codes]
    bad = [code for code, pair in zip(codes, pairs, strict=True) if len(pair) != 2]
    if bad or not codes:
        message = f"row '{bad[0] if bad else ''}' is no REGION_SECTOR code"
        remedy = f"or one of {', '.join((*VALUE_ADDED_ROWS, *TAX_ROWS, *TOTALS))}"
        raise refuse(RejectionReason.UNKNOWN, message, file=str(path), field="row", remedy=remedy)
    regions = list(dict.fromkeys(pair[0] for pair in pairs))
    sectors = list(dict.fromkeys(pair[1] for pair in pairs))
    expected = [f"{region}_{sector}" for region in regions for sector in sectors]
    if list(codes) != expected:
        odd = next((a for a, b in zip(codes, expected, strict=False) if a != b), codes[-1])
        message = f"row {odd} is out of order: every region must list the same sectors"
        raise refuse(RejectionReason.MALFORMED, message, file=str(path), field="row")
    return regions, sectors


def _read_rows(path: Path) -> tuple[list[str], list[tuple[str, Float64]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            table = list(csv.reader(lines))
    except OSError as error:
        raise refuse(RejectionReason.MISSING, f"cannot be read: {error.strerror}", file=str(path)) from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise refuse(RejectionReason.MALFORMED, f"is no UTF-8 text, or no CSV: {error}", file=str(path)) from None
    if not 2 <= len(table) <= ROWS_MAX:
        raise refuse(RejectionReason.LIMIT, f"{len(table)} lines, 2 to {ROWS_MAX} allowed", file=str(path))
    header = [code.strip() for code in table[0][1:]]
    if len(set(header)) != len(header):
        twice = next(code for code in header if header.count(code) > 1)
        raise refuse(RejectionReason.DUPLICATE, f"column {twice} stands twice", file=str(path), line=1, field="header")
    rows = []
    for line, cells in enumerate(table[1:], 2):
        if len(cells) != len(header) + 1:
            message = f"{len(cells)} cells, {len(header) + 1} expected"
            raise refuse(RejectionReason.MALFORMED, message, file=str(path), line=line)
        rows.append((cells[0].strip(), _numbers(cells[1:], header, path, line)))
    return header, rows


def _numbers(cells: Sequence[str], header: Sequence[str], path: Path, line: int) -> Float64:
    try:
        return np.array(cells, np.float64)
    except ValueError:
        for code, cell in zip(header, cells, strict=True):
            try:
                float(cell)
            except ValueError:
                message = f"'{cell}' is no number"
                raise refuse(RejectionReason.MALFORMED, message, file=str(path), line=line, field=code) from None
        raise


def _checked(
    path: Path,
    regions: Sequence[str],
    sectors: Sequence[str],
    intermediate: Float64,
    final: Float64,
    added: Float64 | None,
    *,
    year: int,
    unit: str,
    output: Float64 | None = None,
    tolerance: float = FILE_BALANCE,
) -> Table:
    made = intermediate.sum(axis=1) + final.sum(axis=1) if output is None else output
    try:
        return checked_table(
            regions, sectors, intermediate, final, made, added, unit=unit, year=year, source=path.name,
            tolerance=tolerance,
        )  # fmt: skip
    except Rejected as rejected:
        first = rejected.rejections[0]
        raise refuse(first.reason, first.message, file=str(path), field=first.field, remedy=first.remedy) from None


def read_wiod_aggregate(path: Path, year: int) -> Table:
    """Return one year of an aggregate of WIOD kept as NPZ: ``regions``, ``sectors``, ``Z{year}``, ``Y{year}``,
    ``x{year}``.

    Raises Rejected: no such file or year, or a table that does not balance. Changes in stocks stay negative.
    """
    try:
        with np.load(path, allow_pickle=False) as held:
            names = set(held.files)
            wanted = ("regions", "sectors", f"Z{year}", f"Y{year}", f"x{year}")
            missing = [name for name in wanted if name not in names]
            if missing:
                years = sorted(name[1:] for name in names if name.startswith("Z"))
                raise refuse(
                    RejectionReason.MISSING, f"has no {missing[0]}", file=str(path), field="year",
                    remedy=f"years {years[0]} to {years[-1]}" if years else "another file",
                )  # fmt: skip
            regions, sectors, flows, final, output = (held[name] for name in wanted)
    except (OSError, BadZipFile, ValueError) as error:
        raise refuse(RejectionReason.MALFORMED, f"is no NPZ file: {error}", file=str(path)) from None
    return wiod_table(
        [str(name) for name in regions], [str(name) for name in sectors], flows, final, output, year, path.name
    )


def wiod_table(
    regions: Sequence[str],
    sectors: Sequence[str],
    flows: Float64,
    final: Float64,
    output: Float64,
    year: int,
    source: str = "WIOD",
) -> Table:
    """Return WIOD's arrays as a table: ``flows`` [NJ, NJ], ``final`` [NJ, N x uses] (added up by region), ``output``
    [NJ].

    WIOD's cells are rounded to whole millions, so its output is off the sum of its row by some thousands: within
    ``ROUNDED_BALANCE`` the difference goes to final use at home, as a change in stocks (a note says how much), beyond
    it the table is refused. Value added is output less purchases.
    """
    final = np.asarray(final, np.float64)
    if final.ndim != 2 or final.shape[1] % len(regions):
        message = f"shape is {final.shape}, a multiple of {len(regions)} columns expected"
        raise refuse(RejectionReason.MALFORMED, message, field="final", file=source)
    by_region = final.reshape(final.shape[0], len(regions), -1).sum(axis=2)
    flows, output = np.asarray(flows, np.float64), np.asarray(output, np.float64)
    table = _checked(
        Path(source), regions, sectors, flows, by_region, None, year=year, unit="million USD", output=output,
        tolerance=ROUNDED_BALANCE,
    )  # fmt: skip
    gap = output - table.intermediate.sum(axis=1) - table.final.sum(axis=1)
    by_region[np.arange(gap.size), np.arange(gap.size) // len(sectors)] += gap
    note = f"rounding of at most {np.abs(gap).max():g} million USD a row is posted to final use at home"
    return msgspec.structs.replace(table, final=by_region, notes=(note,))


def read_decompr(path: Path) -> Table:
    """Return a table in the layout of decompr's leather data: ``Region.Sector`` rows, ``FD.Region`` and ``output``
    columns.

    Raises Rejected with file and line for another layout or a table that does not balance.
    """
    header, rows = _read_rows(path)
    uses = [code.removeprefix("FD.") for code in header if code.startswith("FD.")]
    pairs = [code.split(".", 1) for code, _ in rows]
    if not uses or any(len(pair) != 2 for pair in pairs) or header[-1] != "output":
        raise refuse(RejectionReason.MALFORMED, "is not in decompr's layout", file=str(path), line=1, field="header")
    sectors = list(dict.fromkeys(pair[1] for pair in pairs))
    body, size = np.array([numbers for _, numbers in rows]), len(rows)
    if body.shape[1] != size + len(uses) + 1:
        message = f"{body.shape[1]} columns, {size + len(uses) + 1} expected"
        raise refuse(RejectionReason.MALFORMED, message, file=str(path), line=1, field="header")
    return _checked(
        path, uses, sectors, body[:, :size], body[:, size:-1], None, year=0, unit="unit", output=body[:, -1]
    )
