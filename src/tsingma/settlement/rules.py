"""The dated rules of instructions, looked up once for a day and handed on as numbers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from tsingma.basics.money import CURRENCIES
from tsingma.reference.book import KINDS
from tsingma.reference.tables import read_table, row_on

Int64 = npt.NDArray[np.int64]

FILE = "instruction_rules.toml"
RATE_SCALE_E6 = 1_000_000
DAYS_A_YEAR = 360
NOT_TAKEN_E6 = RATE_SCALE_E6  # a haircut of everything: the kind is no collateral


@dataclass(frozen=True, slots=True, eq=False)
class Rules:
    """Rules in force on a day. By currency: ``tolerance_*``, ``least_part_*``, ``cash_penalty_e6`` (a day's rate).

    By kind of instrument: ``penalty_e6``, ``haircut_e6``, ``extension_days``, ``delivery_days``.
    """

    tolerance_band_cents: Int64
    tolerance_up_to_cents: Int64
    tolerance_above_cents: Int64
    least_part_units_cents: Int64
    least_part_nominal_cents: Int64
    cash_penalty_a_year_e6: Int64
    penalty_e6: Int64
    haircut_e6: Int64
    extension_days: Int64
    delivery_days: Int64
    allegement_delay_s: int
    allegement_at_once_s: int
    unmatched_days: int
    matched_days: int


@cache
def rules_on(day: date) -> Rules:
    """Return the rules in force; raises Rejected (beyond-horizon) when a table has no row for the day."""
    allegement = row_on(_rows("allegement"), day, table="allegement")
    recycling = row_on(_rows("recycling"), day, table="recycling")
    return Rules(
        tolerance_band_cents=_by_currency("tolerance", "band_cents", day),
        tolerance_up_to_cents=_by_currency("tolerance", "up_to_band_cents", day),
        tolerance_above_cents=_by_currency("tolerance", "above_band_cents", day),
        least_part_units_cents=_by_currency("partial_threshold", "units_cents", day),
        least_part_nominal_cents=_by_currency("partial_threshold", "nominal_cents", day),
        cash_penalty_a_year_e6=_by_currency("cash_penalty", "rate_a_year_e6", day),
        penalty_e6=_by_kind("penalty", "rate_e6", day, 0),
        haircut_e6=_by_kind("collateral_haircut", "haircut_e6", day, NOT_TAKEN_E6),
        extension_days=_by_kind("instruction_buy_in", "extension_days", day, 0),
        delivery_days=_by_kind("instruction_buy_in", "delivery_days", day, 0),
        allegement_delay_s=int(allegement["delay_s"]),
        allegement_at_once_s=int(allegement["at_once_before_cut_off_s"]),
        unmatched_days=int(recycling["unmatched_days"]),
        matched_days=int(recycling["matched_days"]),
    )


def _rows(table: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = read_table(FILE)[table]
    return rows


def _by_currency(table: str, column: str, day: date) -> Int64:
    """Return a number for every currency of the house; a currency without a row in force is refused."""
    found = [
        row_on([row for row in _rows(table) if row["currency"] == currency], day, table=f"{table} {currency}")[column]
        for currency in CURRENCIES
    ]
    return np.array(found, np.int64)


def _by_kind(table: str, column: str, day: date, missing: int) -> Int64:
    """Return a number for every kind of instrument, ``missing`` for a kind that no row in force names."""
    found = np.full(len(KINDS), missing, np.int64)
    for row in _rows(table):
        if row["valid_from"] <= day <= row.get("valid_to", date.max):
            found[[place for place, kind in enumerate(KINDS) if kind in row["kinds"]]] = row[column]
    return found
