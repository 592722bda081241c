"""A world input-output table: regions x sectors, checked when it is made.

Rows and columns are region-major: cell ``n * J + j`` is sector ``j`` of region ``n``. Row balance: intermediate sales
plus final sales are output; column balance: intermediate purchases plus value added are output (Leontief's
identities; vector V11 of the reference: sum of value added = sum of final demand).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import RejectionReason, refuse

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

REGIONS_MAX, SECTORS_MAX, CELLS_MAX = 200, 500, 10_000  # cells: flows of 800 MB
BALANCE_TOLERANCE = 1e-9  # of world output: what rounding in float64 leaves


class Table(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A balanced table of N regions and J sectors; make it with :func:`checked_table`.

    ``intermediate`` [NJ, NJ] sales from row to column, ``final`` [NJ, N] sales to the final users of a region
    (changes in stocks may be negative), ``output`` [NJ], ``value_added`` [NJ]; all in ``unit``. ``notes`` says what
    was adjusted.
    """

    regions: tuple[str, ...]
    sectors: tuple[str, ...]
    intermediate: Float64
    final: Float64
    output: Float64
    value_added: Float64
    unit: str
    year: int
    source: str
    notes: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, int]:
        """Return (regions, sectors)."""
        return len(self.regions), len(self.sectors)

    def cell(self, place: int) -> str:
        """Return the name of a row: 'region sector'."""
        return f"{self.regions[place // len(self.sectors)]} {self.sectors[place % len(self.sectors)]}"

    def region(self, name: str) -> int:
        """Return the place of a region; raises Rejected (unknown)."""
        return place_of(name, self.regions, "region")

    def sector(self, name: str) -> int:
        """Return the place of a sector; raises Rejected (unknown)."""
        return place_of(name, self.sectors, "sector")

    def row(self, region: str, sector: str) -> int:
        """Return the row of a region's sector; raises Rejected (unknown)."""
        return self.region(region) * len(self.sectors) + self.sector(sector)


def place_of(name: str, names: Sequence[str], field: str) -> int:
    """Return where a name stands; raises Rejected (unknown) that lists some of what is known."""
    try:
        return names.index(name)
    except ValueError:
        shown = ", ".join(names[:12]) + (" ..." if len(names) > 12 else "")
        raise refuse(
            RejectionReason.UNKNOWN, f"'{name}' is not in the table", field=field, remedy=f"one of {shown}"
        ) from None


def checked_table(
    regions: Sequence[str],
    sectors: Sequence[str],
    intermediate: Float64,
    final: Float64,
    output: Float64,
    value_added: Float64 | None = None,
    *,
    unit: str,
    year: int,
    source: str,
    notes: Sequence[str] = (),
    tolerance: float = BALANCE_TOLERANCE,
) -> Table:
    """Return a table whose rows and columns balance within ``tolerance`` of world output.

    Without ``value_added`` it is output less purchases. Raises Rejected: names twice, wrong shapes, a number that is
    not finite, a negative sale between sectors, or a row or column that does not balance (residual and cell in the
    message).
    """
    _check_names(regions, sectors)
    size = len(regions) * len(sectors)
    arrays = {
        "intermediate": (np.asarray(intermediate, np.float64), (size, size)),
        "final": (np.asarray(final, np.float64), (size, len(regions))),
        "output": (np.asarray(output, np.float64), (size,)),
    }
    if value_added is None:
        value_added = arrays["output"][0] - arrays["intermediate"][0].sum(axis=0)
    arrays["value_added"] = (np.asarray(value_added, np.float64), (size,))
    for field, (values, shape) in arrays.items():
        if values.shape != shape:
            raise refuse(RejectionReason.MALFORMED, f"shape is {values.shape}, {shape} expected", field=field)
        if not np.isfinite(values).all():
            raise refuse(RejectionReason.MALFORMED, "holds a number that is not finite", field=field)
    table = Table(
        regions=tuple(regions),
        sectors=tuple(sectors),
        unit=unit,
        year=year,
        source=source,
        notes=tuple(notes),
        **{field: values for field, (values, _) in arrays.items()},
    )
    _check_signs(table)
    _check_balance(table, tolerance)
    return table


def _check_names(regions: Sequence[str], sectors: Sequence[str]) -> None:
    for field, names, most in (("regions", regions, REGIONS_MAX), ("sectors", sectors, SECTORS_MAX)):
        if not 0 < len(names) <= most:
            raise refuse(RejectionReason.LIMIT, f"{len(names)} names, between 1 and {most} allowed", field=field)
        twice = sorted({name for name in names if list(names).count(name) > 1})
        if twice:
            raise refuse(RejectionReason.DUPLICATE, f"{', '.join(twice)} stands twice", field=field)
    cells = len(regions) * len(sectors)
    if cells > CELLS_MAX:
        message = f"{len(regions)} regions of {len(sectors)} sectors are {cells} cells, at most {CELLS_MAX}"
        raise refuse(RejectionReason.LIMIT, message, field="table", remedy="merge regions or sectors first")


def _check_signs(table: Table) -> None:
    negative = np.argwhere(table.intermediate < 0)
    if negative.size:
        row, column = (int(place) for place in negative[0])
        message = f"{table.intermediate[row, column]:g} sold by {table.cell(row)} to {table.cell(column)} is negative"
        raise refuse(RejectionReason.OUT_OF_RANGE, message, field="intermediate")
    below = np.flatnonzero(table.output < 0)
    if below.size:
        message = f"{table.output[below[0]]:g} made by {table.cell(int(below[0]))} is negative"
        raise refuse(RejectionReason.OUT_OF_RANGE, message, field="output")


def _check_balance(table: Table, tolerance: float) -> None:
    world = float(table.output.sum())
    rows = table.intermediate.sum(axis=1) + table.final.sum(axis=1) - table.output
    columns = table.intermediate.sum(axis=0) + table.value_added - table.output
    for field, residual in (("row", rows), ("column", columns)):
        worst = int(np.abs(residual).argmax())
        if abs(residual[worst]) > tolerance * world:
            message = (
                f"{table.cell(worst)} does not balance: residual {residual[worst]:.6g} {table.unit} of output "
                f"{table.output[worst]:.6g}, {tolerance * world:.3g} allowed"
            )
            remedy = "give output and value added as the sums of the table, or a wider tolerance"
            raise refuse(RejectionReason.CONFLICT, message, field=field, remedy=remedy)


def without_negatives(table: Table) -> Table:
    """Return the table with negative final sales set to 0, output as row sums and value added as what is left.

    Models need shares, and shares are not negative. Raises Rejected where value added would be negative.
    """
    final = np.maximum(table.final, 0.0)
    output = table.intermediate.sum(axis=1) + final.sum(axis=1)
    moved = float((final - table.final).sum())
    note = f"negative final sales of {moved:g} {table.unit} set to 0, output and value added follow"
    notes = (*table.notes, note) if moved else table.notes
    return msgspec.structs.replace(
        table, final=final, output=output, value_added=output - table.intermediate.sum(axis=0), notes=notes
    )


def aggregate(
    table: Table, regions: Mapping[str, str] | None = None, sectors: Mapping[str, str] | None = None
) -> Table:
    """Return the table with regions and sectors added up; a name that a mapping leaves out stays itself.

    Sums are exact: world totals do not change. Raises Rejected for a name that is not in the table.
    """
    for names, mapping, field in ((table.regions, regions, "region"), (table.sectors, sectors, "sector")):
        for name in mapping or {}:
            place_of(name, names, field)
    new_regions, region_of = _merged(table.regions, regions or {})
    new_sectors, sector_of = _merged(table.sectors, sectors or {})
    place = (region_of[:, None] * len(new_sectors) + sector_of[None, :]).reshape(-1)
    gather = np.zeros((len(new_regions) * len(new_sectors), place.size))
    gather[place, np.arange(place.size)] = 1.0
    users = np.zeros((len(table.regions), len(new_regions)))
    users[np.arange(len(table.regions)), region_of] = 1.0
    return msgspec.structs.replace(
        table,
        regions=new_regions,
        sectors=new_sectors,
        intermediate=gather @ table.intermediate @ gather.T,
        final=gather @ table.final @ users,
        output=gather @ table.output,
        value_added=gather @ table.value_added,
    )


def _merged(names: Sequence[str], mapping: Mapping[str, str]) -> tuple[tuple[str, ...], Int64]:
    merged = [mapping.get(name, name) for name in names]
    order = tuple(dict.fromkeys(merged))
    return order, np.array([order.index(name) for name in merged], np.int64)
