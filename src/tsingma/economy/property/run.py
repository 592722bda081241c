"""Run a scenario of stocks and homes: prices, rents, index, rate, agreements, flows, by month and day of a shock."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from tsingma.economy.draws import replication_seeds
from tsingma.economy.ensemble import Ensemble
from tsingma.economy.path import HSI, Provenance, Unit
from tsingma.economy.property.duty_response import retimed_volume
from tsingma.economy.property.model import INDICATORS, MonthInputs, simulate
from tsingma.economy.property.parameters import (
    Coefficients,
    Number,
    Start,
    coefficients,
    require_levers,
    start_on,
)
from tsingma.economy.scenario import Scenario
from tsingma.economy.shock_days import with_shock_days

Floats = npt.NDArray[np.float64]
MODEL = "property"
SHOCKS = {
    "equity.HSI": "percent",
    "home_price.RVD": "percent",
    "rate.HIBOR_1M": "points a year",
    "flow.southbound": "points of turnover",
    "flow.share_supply": "points of turnover",
    "flow.mainland_buying": "points of agreements",
    "housing.households": "homes a month",
    "housing.completions": "homes a month",
}
UNITS = (
    Unit.INDEX, Unit.INDEX, Unit.INDEX, Unit.PERCENT_A_YEAR, Unit.COUNT, Unit.COUNT, Unit.SHARE, Unit.PERCENT,
    Unit.PERCENT, Unit.LOG_CHANGE,
)  # fmt: skip


def run(scenario: Scenario, given: Coefficients | None = None) -> Ensemble:
    """Return the ensemble of a scenario at the start, each month end and the day of each shock to the index.

    Raises Rejected: another model's scenario, an unknown shock, lever or start, a lever outside its range.
    """
    scenario.require(MODEL, SHOCKS)
    chosen = given or coefficients()
    start = start_on(scenario.start)
    seeds = replication_seeds(scenario.seed, scenario.replications)
    values = in_units(simulate(start, chosen, month_inputs(scenario, chosen), seeds), start)
    provenance = Provenance(
        model=MODEL,
        scenario=scenario.name,
        calibration="least squares on public series to June 2026; flows and supply assumed (property_model.toml)",
        uncertainty=f"{scenario.replications:,} replications; noise of prices, index, rents, rate and agreements",
        data=("reference/data/property_model.toml", start.source),
        seed=scenario.seed,
    )
    shocks = tuple(shock.recorded() for shock in scenario.shock)
    ensemble = Ensemble(scenario.name, scenario.month_ends(), INDICATORS, UNITS, values, seeds, provenance, shocks)
    return with_shock_days(ensemble, scenario, HSI)


def month_inputs(scenario: Scenario, given: Coefficients) -> list[MonthInputs]:
    """Return what the scenario does in each month of the run, shocks and levers together."""
    settings = [require_levers(scenario.levers_in(month)) for month in range(1, scenario.months + 1)]
    factors = _duty_factors(settings, given)
    found = []
    for month, (levers, factor) in enumerate(zip(settings, factors, strict=True), 1):
        shocks = scenario.shocks_in(month)
        found.append(
            MonthInputs(
                stocks=_log_of_percents(scenario, month, HSI),
                price=_log_of_percents(scenario, month, "home_price.RVD"),
                rate_points=shocks.get("rate.HIBOR_1M", 0.0),
                southbound=shocks.get("flow.southbound", 0.0),
                share_supply=shocks.get("flow.share_supply", 0.0),
                mainland_buying=shocks.get("flow.mainland_buying", 0.0),
                households=shocks.get("housing.households", 0.0),
                completions=shocks.get("housing.completions", 0.0),
                supply=levers["supply"],
                mortgage_points=levers["mortgage_points"],
                sales_factor=factor,
            )
        )
    return found


def _mean(value: Number) -> float:
    return float(np.mean(value))


def _duty_factors(settings: list[dict[str, float]], given: Coefficients) -> list[float]:
    """Return agreements of each month as a part of what they were without the duty, re-timed around each change.

    A change is known a month ahead: deals are pulled into the month before it and missing in the month it comes.
    """
    elasticity, turned = _mean(given.sales_of_duty), _mean(given.jump_reversed)
    points = [levers["duty_points"] for levers in settings]
    found = []
    for place, levers in enumerate(settings):
        now, before = points[place], points[place - 1] if place else points[0]
        after = points[place + 1] if place + 1 < len(points) else now
        band = math.exp(elasticity * before)
        if now != before:
            band *= float(retimed_volume(now - before, reversed_part=turned, semi_elasticity=elasticity)[1])
        if after != now:
            band *= float(retimed_volume(after - now, reversed_part=turned, semi_elasticity=elasticity)[0])
        found.append(1.0 + levers["duty_part"] * (band - 1.0))
    return found


def _log_of_percents(scenario: Scenario, month: int, name: str) -> float:
    acting = [one for one in scenario.shock if 0 <= month - scenario.month_of(one.day) < one.months]
    return math.fsum(math.log1p(one.size / 100.0) for one in acting if one.name == name)


def in_units(logs: Floats, start: Start) -> Floats:
    """Return the array, its logs turned in place into index levels and counts."""
    levels = {0: start.home_price, 1: start.home_rent, 2: start.hsi, 4: 1.0}
    for place, level in levels.items():
        row = logs[:, place]
        np.exp(row, out=row)
        row *= level
    return logs
