"""Run a renminbi scenario: shares by function, the offshore pool, its funding rate and the exchange rate, by month."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tsingma.economy.draws import Seeds, normals, replication_seeds
from tsingma.economy.ensemble import Ensemble
from tsingma.economy.path import CNH_RATE, POOL, USDCNH, Provenance, Unit
from tsingma.economy.renminbi import pool
from tsingma.economy.renminbi.parameters import (
    Function,
    Parameters,
    PoolParameters,
    inertia_set,
    lever_effects,
    parameters,
)
from tsingma.economy.renminbi.shares import ShareModel, share_model, step
from tsingma.economy.scenario import Scenario
from tsingma.economy.shock_days import with_shock_days

Floats = npt.NDArray[np.float64]
MODEL = "renminbi"
MONTH = 1.0 / 12.0
SHOCKS = {
    "economy.gdp_share": "points of world output that China's share rises by",
    "rate.CNH": "points a year",
    "rate.dollar": "points a year",
    "fx.USDCNH": "percent, up is a weaker renminbi",
    "fx.expected_fall": "points a month the market expects",
    "pool.facility_quota": "CNY bn",
    "pool.southbound": "CNY bn a month",
    "pool.northbound": "CNY bn a month",
}
_DRAWS = 2  # noise of the rate and of the exchange rate, beside one for each function


def run(scenario: Scenario, given: Parameters | None = None) -> Ensemble:
    """Return the ensemble of a scenario: shares, pool, rate and exchange rate at the start and each month end.

    The day of a blow to the exchange rate has a date of its own.

    Raises Rejected: another model's scenario, an unknown shock or lever, a lever outside its range.
    """
    scenario.require(MODEL, SHOCKS)
    chosen = given or parameters()
    seeds = replication_seeds(scenario.seed, scenario.replications)
    model = _share_model(chosen)
    values = _simulate(scenario, chosen, model, seeds)
    functions = [one.name for one in chosen.function]
    names = (*(f"share.{name}" for name in functions), POOL, "pool.loans", "pool.facility_drawn", "pool.refused",
             CNH_RATE, USDCNH)  # fmt: skip
    money = (Unit.CNY_BN,) * 4
    units = (*(Unit.SHARE,) * len(functions), *money, Unit.PERCENT_A_YEAR, Unit.QUOTE)
    provenance = Provenance(
        model=MODEL,
        scenario=scenario.name,
        calibration="inertia from published regressions, starts from SWIFT, COFER and HKMA; sizes of levers assumed",
        uncertainty=f"{scenario.replications:,} replications; noise by function, of the CNH rate and of USD/CNH",
        data=("reference/data/renminbi.toml",),
        seed=scenario.seed,
    )
    shocks = tuple(shock.recorded() for shock in scenario.shock)
    found = Ensemble(scenario.name, scenario.month_ends(), names, units, values, seeds, provenance, shocks)
    return with_shock_days(found, scenario, USDCNH)


def _share_model(given: Parameters) -> ShareModel:
    start = np.array([[one.share, 1.0 - one.share] for one in given.function])
    inertia = np.array([inertia_set(one.inertia).lagged.value for one in given.function])
    return share_model(inertia, np.array([one.network for one in given.function]), start)


def _simulate(scenario: Scenario, given: Parameters, model: ShareModel, seeds: Seeds) -> Floats:
    """Return float64 [replications, indicators, dates]."""
    batch, functions = len(seeds), len(given.function)
    values = np.empty((batch, functions + 6, scenario.months + 1))
    shares = np.broadcast_to(model.start, (batch, functions, 2))
    balances = pool.opening(given.pool, batch)
    rate, fx = np.full(batch, given.pool.cnh_rate), np.full(batch, given.pool.usdcnh)
    refused = np.zeros(batch, np.int64)
    noise_size = np.array([one.noise for one in given.function])
    gap_pull = np.array([one.funding_gap for one in given.function])
    base_gap = given.pool.cnh_rate - given.pool.dollar_rate
    _record(values, 0, shares, balances, refused, rate, fx)
    for month in range(1, scenario.months + 1):
        shocks = scenario.shocks_in(month)
        noise = normals(seeds, month, functions + _DRAWS)
        effects = lever_effects(scenario.levers_in(month))
        done = _pool_month(balances, given.pool, rate, shocks)
        balances, refused = done.balances, done.refused
        drift = given.pool.rate_noise * noise[:, functions] + shocks.get("rate.CNH", 0.0)
        rate = np.maximum(given.pool.cnh_rate + given.pool.scarcity * done.unfunded + drift, 0.01)
        fx = fx * np.exp(given.pool.fx_noise * noise[:, functions + 1]) * (1.0 + shocks.get("fx.USDCNH", 0.0) / 100.0)
        gap = rate - given.pool.dollar_rate - shocks.get("rate.dollar", 0.0) - base_gap
        larger = np.array([_gdp_pull(one, shocks.get("economy.gdp_share", 0.0)) for one in given.function])
        pull = np.array([effects[one.name] for one in given.function]) + larger + gap[:, None] * gap_pull
        shock = noise[:, :functions] * noise_size
        shares = step(model, shares, years=MONTH, pull=_both(pull), noise=_both(shock))
        _record(values, month, shares, balances, refused, rate, fx)
    return values


def _gdp_pull(function: Function, points: float) -> float:
    """Return the change of the long-run logit of reserves when China's share of world output rises by ``points``.

    The published coefficient over one less the inertia is the long-run change of the share; other uses have none.
    """
    if function.name != "reserves" or not points:
        return 0.0
    published = inertia_set(function.inertia)
    long_run = published.gdp_share.value / (1.0 - published.lagged.value) * points / 100.0
    return long_run / (function.share * (1.0 - function.share))


def _both(pull: Floats) -> Floats:
    """Return what moves the renminbi's logit up and the rest's down by the same, [batch, functions, currencies]."""
    return np.stack([pull, -pull], axis=-1)


def _pool_month(
    balances: npt.NDArray[np.int64], given: PoolParameters, rate: Floats, shocks: dict[str, float]
) -> pool.Month:
    """Return the pool after a month; a dear CNH rate slows lending, an expected fall of the renminbi runs off money."""
    one = np.ones(len(balances))
    deposits = -pool.of(balances, "banks", "deposits") / pool.MILLIONS
    loans = pool.of(balances, "banks", "loans") / pool.MILLIONS
    lending = given.lending * np.clip(1.0 - given.lending_response * (rate - given.cnh_rate), 0.0, 2.0)
    run_off = given.run_off * shocks.get("fx.expected_fall", 0.0) * deposits
    flows = {
        "trade_in": one * given.trade_settlement * given.trade_balance,
        "trade_out": one * given.trade_settlement * (1.0 - given.trade_balance),
        "lending": lending,
        "repayment": given.repaid * loans,
        "remittance": given.remitted * lending,
        "southbound": one * max(given.southbound + shocks.get("pool.southbound", 0.0), 0.0),
        "northbound": one * max(given.northbound + shocks.get("pool.northbound", 0.0), 0.0),
        "bond_purchase": one * given.bond_purchases,
        "proceeds_kept": one * given.proceeds_kept,
        "interest": deposits * given.deposit_rate / 1_200.0,
        "conversion_out": np.maximum(run_off, 0.0),
        "conversion_in": np.maximum(-run_off, 0.0),
    }
    quota = max(given.facility_quota + shocks.get("pool.facility_quota", 0.0), 0.0)
    return pool.month(balances, flows, quota=quota, liquid_least=given.liquid_least)


def _record(
    values: Floats, month: int, shares: Floats, balances: npt.NDArray[np.int64], refused: npt.NDArray[np.int64],
    rate: Floats, fx: Floats,
) -> None:  # fmt: skip
    functions = shares.shape[1]
    values[:, :functions, month] = shares[:, :, 0]
    values[:, functions, month] = -pool.of(balances, "banks", "deposits") / pool.MILLIONS
    values[:, functions + 1, month] = pool.of(balances, "banks", "loans") / pool.MILLIONS
    values[:, functions + 2, month] = pool.of(balances, "hkma", "facility") / pool.MILLIONS
    values[:, functions + 3, month] = refused / pool.MILLIONS
    values[:, functions + 4, month] = rate
    values[:, functions + 5, month] = fx
