"""The coefficients, starts and levers of stocks and homes, read once from ``reference/data/property_model.toml``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from functools import cache

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.reference.tables import read_table

Floats = npt.NDArray[np.float64]
Number = float | Floats  # a number, or one for each replication


class Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One coefficient: its value, its range for sensitivity and its source."""

    name: str
    value: float
    low: float
    high: float
    source: str


class Start(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the market stands on a day (see the head of the table for units)."""

    day: date
    home_price: float
    home_rent: float
    hsi: float
    hibor: float
    home_sales: float
    price_change: float
    price_change_before: float
    stocks_change: float
    stocks_change_before: float
    gap: float
    vacancy: float
    completions_a_year: float
    expected_growth: float
    expected_stocks_growth: float
    source: str


class PropertyLever(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One policy with its unit and range."""

    name: str
    unit: str
    low: float
    high: float
    source: str


class Shifters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Flow shifters sized to one episode: points of southbound buying and of Mainland home buying for some months."""

    southbound: float
    mainland_buying: float
    months: int
    source: str


@dataclass(frozen=True, slots=True)
class Coefficients:
    """Every coefficient of the model by name; each a number or an array with one for each replication."""

    price_drift: Number
    price_momentum_1: Number
    price_momentum_2: Number
    price_of_rent: Number
    price_of_stocks_0: Number
    price_of_stocks_1: Number
    price_of_stocks_2: Number
    correction: Number
    long_run_rent: Number
    long_run_stocks: Number
    user_cost_weight: Number
    price_of_buyers: Number
    price_noise: Number
    depreciation_maintenance: Number
    holding_years: Number
    duty_rate: Number
    growth_weight: Number
    rate_rebate: Number
    expectation_speed: Number
    rent_of_vacancy: Number
    natural_vacancy: Number
    rent_noise: Number
    stock_of_homes: Number
    demolition: Number
    household_growth: Number
    starts_of_price: Number
    sales_kept: Number
    sales_normal: Number
    sales_of_price: Number
    sales_of_stocks: Number
    sales_of_rate: Number
    sales_of_duty: Number
    jump_reversed: Number
    sales_noise: Number
    stocks_drift: Number
    stocks_noise: Number
    stocks_tail: Number
    stocks_of_southbound: Number
    flow_of_returns: Number
    rate_kept: Number
    rate_mean: Number
    rate_noise: Number


@cache
def rows() -> tuple[Row, ...]:
    """Return every coefficient's row, in table order."""
    table = read_table("property_model.toml")["coefficient"]
    return tuple(msgspec.convert(row, Row, strict=False) for row in table)


@cache
def coefficients() -> Coefficients:
    """Return the coefficients at their values; the table and the model must name the same ones."""
    known = {one.name for one in fields(Coefficients)}
    given = {row.name: row.value for row in rows()}
    if known != set(given):
        odd = ", ".join(sorted(known ^ set(given)))
        raise refuse(RejectionReason.CONFLICT, f"table and model differ in {odd}", file="property_model.toml")
    return Coefficients(**given)


def with_columns(base: Coefficients, names: Sequence[str], points: Floats) -> Coefficients:
    """Return the coefficients with ``names`` taken from the columns of ``points`` [replications, names]."""
    unknown = [name for name in names if name not in {one.name for one in fields(Coefficients)}]
    if unknown:
        raise refuse(RejectionReason.UNKNOWN, f"no coefficient '{unknown[0]}'", field="names")
    return replace(base, **{name: points[:, place] for place, name in enumerate(names)})


def start_on(day: date) -> Start:
    """Return the start of a day; raises Rejected (unknown) naming the days there are."""
    found = [msgspec.convert(row, Start, strict=False) for row in read_table("property_model.toml")["start"]]
    for one in found:
        if one.day == day:
            return one
    days = ", ".join(str(one.day) for one in found)
    raise refuse(RejectionReason.UNKNOWN, f"no start on {day}", field="start", remedy=f"there are: {days}")


@cache
def levers() -> dict[str, PropertyLever]:
    """Return the levers by name."""
    table = read_table("property_model.toml")["lever"]
    return {row["name"]: msgspec.convert(row, PropertyLever, strict=False) for row in table}


def shifters_of_2026() -> Shifters:
    """Return the flow shifters that reproduce the first half of 2026."""
    return msgspec.convert(read_table("property_model.toml")["shifters_2026"], Shifters, strict=False)


def require_levers(settings: dict[str, float]) -> dict[str, float]:
    """Return the settings with those not set at zero; raises Rejected for an unknown lever or one out of range."""
    for name, value in settings.items():
        if name not in levers():
            remedy = f"there are: {', '.join(levers())}"
            raise refuse(RejectionReason.UNKNOWN, f"no lever '{name}'", field="lever", remedy=remedy)
        one = levers()[name]
        if not one.low <= value <= one.high:
            message = f"{value} is outside {one.low} to {one.high} ({one.unit})"
            raise refuse(RejectionReason.OUT_OF_RANGE, message, field="lever", subject=name)
    return {name: settings.get(name, 0.0) for name in levers()}
