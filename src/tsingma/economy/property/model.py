"""Stocks and homes by month, all replications at once: prices by error correction, rents by vacancy, stock and flow.

Logs of price, rent and index move by the coefficients of ``parameters``; the long run is ln P* = k + b1 ln R + b2 ln H
less a weight on the user cost; homes take 36 to 60 months from start to completion; flows go to what is expected to
return more. Every replication has its own seed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tsingma.economy.draws import Seeds, normals
from tsingma.economy.property.parameters import Coefficients, Start

Floats = npt.NDArray[np.float64]

INDICATORS = (
    "home_price.RVD",
    "home_rent.RVD",
    "equity.HSI",
    "rate.HIBOR_1M",
    "volume.home_sales",
    "housing.stock",
    "housing.vacancy",
    "flow.southbound",
    "flow.mainland_buying",
    "gap.six_months",
)
BUILD_FIRST, BUILD_LAST = 36, 60  # months from start to completion, evenly spread
HALF_YEAR = 6
VACANCY_MIN, RATE_MIN, USER_COST_MIN = 0.001, 0.05, 0.005
_DRAWS = 6


@dataclass(frozen=True, slots=True)
class MonthInputs:
    """What is done to the market in one month: shocks and levers, in the units of the model."""

    stocks: float = 0.0  # log
    price: float = 0.0  # log
    rate_points: float = 0.0
    southbound: float = 0.0  # points of turnover
    share_supply: float = 0.0  # points of turnover that new shares take up
    mainland_buying: float = 0.0  # points of sales
    households: float = 0.0  # homes occupied
    completions: float = 0.0  # homes
    supply: float = 0.0  # log of starts
    mortgage_points: float = 0.0
    sales_factor: float = 1.0  # of a duty change; leaves what drives sales as it is


@dataclass(slots=True)
class _State:
    """The moving parts of all replications, each float64 [replications]."""

    price: Floats
    rent: Floats
    stocks: Floats
    rate: Floats
    sales: Floats
    price_change: Floats
    price_change_before: Floats
    stocks_change: Floats
    stocks_change_before: Floats
    homes: Floats
    occupied: Floats
    growth: Floats
    stocks_growth: Floats
    started: Floats  # [months + BUILD_LAST, replications]
    building: Floats
    user_cost: Floats


def simulate(start: Start, given: Coefficients, inputs: list[MonthInputs], seeds: Seeds) -> Floats:
    """Return float64 [replications, indicators, months + 1]; the first month is the start.

    ``inputs`` has one entry a month. The six-month gap of the first months takes the start as its base.
    """
    months, batch = len(inputs), len(seeds)
    values = np.empty((len(INDICATORS), months + 1, batch))
    state = _open(start, given, months, batch)
    flows = (np.zeros(batch), np.zeros(batch))
    _record(values, 0, state, flows)
    for month, done in enumerate(inputs, 1):
        noise = normals(seeds, month, _DRAWS)
        flows = _advance(state, start, given, done, noise, month)
        _record(values, month, state, flows)
        values[4, month] += np.log(done.sales_factor)
    return values.transpose(2, 0, 1)


def _open(start: Start, given: Coefficients, months: int, batch: int) -> _State:
    def full(value: object) -> Floats:
        return np.full(batch, value, np.float64)

    monthly = start.completions_a_year / 12.0
    homes = full(given.stock_of_homes)
    state = _State(
        price=full(0.0),
        rent=full(0.0),
        stocks=full(0.0),
        rate=full(start.hibor),
        sales=full(np.log(start.home_sales)),
        price_change=full(start.price_change),
        price_change_before=full(start.price_change_before),
        stocks_change=full(start.stocks_change),
        stocks_change_before=full(start.stocks_change_before),
        homes=homes,
        occupied=homes * (1.0 - start.vacancy),
        growth=full(start.expected_growth),
        stocks_growth=full(start.expected_stocks_growth),
        started=np.full((months + BUILD_LAST + 1, batch), monthly),
        building=full(monthly * (BUILD_LAST - BUILD_FIRST + 1)),
        user_cost=full(0.0),
    )
    state.user_cost = _user_cost(state, given, 0.0)
    return state


def _user_cost(state: _State, given: Coefficients, mortgage_points: float) -> Floats:
    """Return the yearly cost of holding a home as a part of its price; duty is spread over the years it is held."""
    interest = (state.rate + mortgage_points) / 100.0 * (1.0 - given.rate_rebate)
    cost = interest + given.depreciation_maintenance + given.duty_rate / given.holding_years
    return np.asarray(np.maximum(cost - given.growth_weight * state.growth, USER_COST_MIN))


def _advance(
    state: _State, start: Start, given: Coefficients, done: MonthInputs, noise: Floats, month: int
) -> tuple[Floats, Floats]:
    """Move the state one month; return southbound and Mainland flows in points."""
    better = given.flow_of_returns / 12.0 * (state.growth - state.stocks_growth)
    southbound, buying = done.southbound - better, done.mainland_buying + better
    stocks_change = _stocks_change(given, done, southbound - done.share_supply, noise)
    rent_change = _rent_change(state, given, noise)
    gap = _gap(start, state, given, done)
    price_change = (
        given.price_drift
        + given.price_momentum_1 * state.price_change
        + given.price_momentum_2 * state.price_change_before
        + given.price_of_rent * rent_change
        + given.price_of_stocks_0 * stocks_change
        + given.price_of_stocks_1 * state.stocks_change
        + given.price_of_stocks_2 * state.stocks_change_before
        + given.correction * gap
        + given.price_of_buyers * buying
        + given.price_noise * noise[:, 2]
        + done.price
    )
    _sales(state, given, done, noise)
    _supply(state, given, done, month)
    state.price = state.price + price_change
    state.rent = state.rent + rent_change
    state.stocks = state.stocks + stocks_change
    kept = given.rate_kept
    moved = kept * state.rate + (1.0 - kept) * given.rate_mean + given.rate_noise * noise[:, 4] + done.rate_points
    state.rate = np.maximum(moved, RATE_MIN)
    speed = given.expectation_speed
    state.growth = state.growth + speed * (12.0 * price_change - state.growth)
    state.stocks_growth = state.stocks_growth + speed * (12.0 * stocks_change - state.stocks_growth)
    state.price_change_before, state.price_change = state.price_change, price_change
    state.stocks_change_before, state.stocks_change = state.stocks_change, stocks_change
    return southbound, buying


def _stocks_change(given: Coefficients, done: MonthInputs, net_flow: Floats, noise: Floats) -> Floats:
    """Return the log change of the index: drift, flow, a shock, and noise whose size itself moves (fat tails)."""
    size = np.exp(given.stocks_tail * noise[:, 1] - np.square(given.stocks_tail))
    shaken = given.stocks_noise * size * noise[:, 0]
    return np.asarray(given.stocks_drift + given.stocks_of_southbound * net_flow + shaken + done.stocks)


def _rent_change(state: _State, given: Coefficients, noise: Floats) -> Floats:
    vacancy = 1.0 - state.occupied / state.homes
    pull = given.rent_of_vacancy * (given.natural_vacancy - vacancy) / 12.0
    return np.asarray(pull + given.rent_noise * noise[:, 3])


def _gap(start: Start, state: _State, given: Coefficients, done: MonthInputs) -> Floats:
    """Return ln P - ln P* at the end of last month: the gap of the start moved on by price, rent, index, user cost."""
    base = given.long_run_rent * state.rent + given.long_run_stocks * state.stocks
    dearer = np.log(_user_cost(state, given, done.mortgage_points) / state.user_cost)
    return np.asarray(start.gap + state.price - base + given.user_cost_weight * dearer)


def _sales(state: _State, given: Coefficients, done: MonthInputs, noise: Floats) -> None:
    """Move log agreements by their own past, prices, stocks, the mortgage rate and noise."""
    kept = given.sales_kept
    state.sales = np.asarray(
        kept * state.sales
        + (1.0 - kept) * np.log(given.sales_normal)
        + given.sales_of_price * state.price_change
        + given.sales_of_stocks * state.stocks_change
        + given.sales_of_rate * (state.rate + done.mortgage_points - given.rate_mean)
        + given.sales_noise * noise[:, 5]
    )


def _supply(state: _State, given: Coefficients, done: MonthInputs, month: int) -> None:
    """Start, complete and pull down homes; households fill them, and vacancy never falls below a tenth of a percent."""
    completions = state.building / (BUILD_LAST - BUILD_FIRST + 1) + done.completions
    now = month + BUILD_LAST
    state.started[now] = state.started[0] * np.exp(
        np.clip(given.starts_of_price * state.price, -2.0, 2.0) + done.supply
    )
    state.building = state.building + state.started[now - BUILD_FIRST] - state.started[now - BUILD_LAST - 1]
    state.homes = state.homes * (1.0 - given.demolition / 12.0) + completions
    wanted = state.occupied * (1.0 + given.household_growth / 12.0) + done.households
    state.occupied = np.minimum(wanted, state.homes * (1.0 - VACANCY_MIN))


def _record(values: Floats, month: int, state: _State, flows: tuple[Floats, Floats]) -> None:
    row = values[:, month]
    row[0], row[1], row[2], row[3] = state.price, state.rent, state.stocks, state.rate
    row[4], row[5], row[6] = state.sales, state.homes, 1.0 - state.occupied / state.homes
    row[7], row[8] = flows
    base = values[:, max(month - HALF_YEAR, 0)]
    row[9] = (row[0] - row[2]) - (base[0] - base[2])
