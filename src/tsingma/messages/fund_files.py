"""Files of default-fund sizing and disclosure: stress losses, allocation keys, lodged collateral, fields (CSV)."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from tsingma.margin.disclosure import Field, Lodged
from tsingma.margin.resources.default_fund import Exposure, Key
from tsingma.messages.rows import read_rows

EXPOSURE_COLUMNS = ("day", "scenario", "participant", "group", "loss", "collateral")
KEY_COLUMNS = ("day", "participant", "key")
LODGED_COLUMNS = ("account", "house", "kind", "value")
FIELD_COLUMNS = ("field", "house", "name", "value", "unit")


def read_exposures(data: bytes, *, file: str = "exposures.csv") -> tuple[Exposure, ...]:
    """Return stress losses (whole HKD, a loss is positive); raises Rejected with file, line and field."""
    return tuple(
        Exposure(
            day=row["day"], scenario=row["scenario"], participant=row["participant"], group=row["group"],
            loss=int(row["loss"]), collateral=int(row["collateral"]), line=line,
        )
        for line, row in read_rows(data, file, EXPOSURE_COLUMNS, numbers=("loss", "collateral"))
    )  # fmt: skip


def read_keys(data: bytes, *, file: str = "keys.csv") -> tuple[Key, ...]:
    """Return allocation keys (whole HKD); raises Rejected with file, line and field."""
    rows = read_rows(data, file, KEY_COLUMNS, numbers=("key",))
    return tuple(Key(row["day"], row["participant"], int(row["key"])) for _, row in rows)


def read_lodged(data: bytes, *, file: str = "collateral.csv") -> tuple[Lodged, ...]:
    """Return what accounts have lodged (whole HKD at market value); raises Rejected with file, line and field."""
    return tuple(
        Lodged(account=row["account"], house=row["house"], kind=row["kind"], value=int(row["value"]), line=line)
        for line, row in read_rows(data, file, LODGED_COLUMNS, numbers=("value",))
    )


def write_fields(fields: Sequence[Field]) -> str:
    """Return disclosed fields as a file."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(FIELD_COLUMNS)
    rows.writerows((one.number, one.house, one.name, one.value, one.unit) for one in fields)
    return text.getvalue()
