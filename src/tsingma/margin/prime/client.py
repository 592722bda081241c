"""Client margin of futures and options: what a participant must collect at least."""

from __future__ import annotations

from datetime import date

import msgspec

from tsingma.reference.tables import read_table, row_on


class ClientMargin(msgspec.Struct, frozen=True):
    """Initial and maintenance margin of a client in whole currency units."""

    initial: int
    maintenance: int


def client_margin(clearing_house_margin: int, day: date) -> ClientMargin:
    """Return initial = floor(multiplier x clearing house margin) and maintenance = floor(ratio x initial).

    Raises Rejected (beyond-horizon) for a day before the rule is known. Source: reference table prime_margin.toml, from
    the HKCC circulars of 2017 to 2019; the rule gives 41 of 42 published rows.
    """
    initial = clearing_house_margin * _percent("client_multiplier", day) // 100
    return ClientMargin(initial, initial * _percent("maintenance_ratio", day) // 100)


def _percent(name: str, day: date) -> int:
    rows = [row for row in read_table("prime_margin.toml")["row"] if row["name"] == name]
    return int(row_on(rows, day, table=f"prime_margin.toml: {name}")["value"] * 100)
