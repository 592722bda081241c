"""What an economist asks of the models at a desk: a scenario with its levers moved, answered at once, within limits.

A question names a scenario that ships and what is different from it. It is refused as the models refuse: an unknown
name, a value outside its range. Runs are short (``REPLICATIONS``, ``DRAWS``) so that an answer takes about a second.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache

import msgspec
import numpy as np

from tsingma.app.economy_briefs import chain_figures, run_figures
from tsingma.app.economy_chain import read_scenario, scenario_names
from tsingma.app.economy_claims import ClaimReport, claim_report
from tsingma.app.economy_run import MODELS, ScenarioRun
from tsingma.basics.money import MINOR_SCALE
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.economy.attribution import attribute
from tsingma.economy.chain.levers import Setting
from tsingma.economy.chain.scenario import DaysSetting, run_scenario
from tsingma.economy.chain.scenario import Scenario as ChainScenario
from tsingma.economy.chain.stylised import stylised_chain
from tsingma.economy.ensemble import Ensemble
from tsingma.economy.path import HSI
from tsingma.economy.property.duty import Duty, PropertyKind
from tsingma.economy.property.duty import duty as duty_on
from tsingma.economy.property.parameters import levers as property_levers
from tsingma.economy.renminbi.parameters import parameters as renminbi_parameters
from tsingma.economy.renminbi.run import run as run_renminbi
from tsingma.economy.scenario import LeverSetting, Scenario, ScenarioShock, month_end, shipped_scenarios
from tsingma.reports.economy_figures import ChainFigures, RunFigures

REPLICATIONS = 1_000
DRAWS = 20
SEED = 1
ANSWERS_KEPT = 64  # an answer depends on its question alone, so it is kept
CHOKE = "choke"  # the question that is no shipped scenario: one maker of one sector stops
MAKES_LEAST = 0.02  # part of the world's output below which a country is not offered as a maker
MONTHS_MAX = 24
PRODUCTIVITY_LEAST = 0.05  # what is left of a maker that stops whole, as in the scenarios that ship
_DAYS_A_MONTH = 30
_FIRST_DAY, _RECOVERY_DAYS, _AFTER_DAYS = 5, 60, 180
POOL_TIMES = (0.25, 4.0)  # the offshore pool at the start, times what it is
STOCKS_PERCENT = (-60.0, 60.0)


class LeverRange(msgspec.Struct, frozen=True, kw_only=True):
    """A lever that a question may move: its name, unit, range and source as the model's table has them."""

    name: str
    unit: str
    low: float
    high: float
    source: str


class ChokePoint(msgspec.Struct, frozen=True, kw_only=True):
    """A sector of the chain and the countries that make it, with their parts of the world's output (0 to 1)."""

    sector: str
    layer: str
    makers: tuple[tuple[str, float], ...]


class ChainQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """A shipped scenario by name; or, with ``scenario`` "choke", a sector's makers in a country that stop for months.

    ``part`` (0.05 to 1) is how much of their capacity is gone.
    """

    scenario: str = "hbm-stop"
    sector: str = "hbm"
    country: str = "KOR"
    months: int = 3
    part: float = 1.0


class RunQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """A shipped scenario of a model in time; ``levers``, where given, replace all of its own, each from month one.

    ``pool_times`` multiplies the offshore pool at the start (renminbi), ``stocks_percent`` moves the Hang Seng Index in
    the first month (property).
    """

    scenario: str
    levers: tuple[tuple[str, float], ...] | None = None
    pool_times: float = 1.0
    stocks_percent: float = 0.0


@lru_cache(maxsize=1)
def choke_points() -> tuple[ChokePoint, ...]:
    """Return the sectors of the stylised chain that can be stopped, and who makes them, the largest first."""
    chain = stylised_chain()
    table = chain.table
    output = (table.intermediate.sum(axis=1) + table.final.sum(axis=1)).reshape(table.shape)
    found = []
    for place, sector in enumerate(table.sectors):
        layer, whole = chain.layer_of[sector], float(output[:, place].sum())
        if layer == "rest" or whole <= 0.0:
            continue
        by_country: dict[str, float] = {}
        for row, region in enumerate(table.regions):
            country = chain.country_of[region]
            by_country[country] = by_country.get(country, 0.0) + float(output[row, place]) / whole
        makers = sorted(((name, part) for name, part in by_country.items() if part >= MAKES_LEAST),
                        key=lambda one: -one[1])  # fmt: skip
        found.append(ChokePoint(sector=sector, layer=layer, makers=tuple(makers)))
    return tuple(found)


@lru_cache(maxsize=ANSWERS_KEPT)
def ask_chain(question: ChainQuestion) -> ChainFigures:
    """Return what a scenario of the stylised chain does, with the spread over ``DRAWS`` draws of the elasticities.

    Raises Rejected: a scenario, sector or country that is not there, a country that does not make the sector, months or
    a part out of range.
    """
    if question.scenario == CHOKE:
        name, scenario = CHOKE, _choke(question)
    else:
        name, scenario = read_scenario(_known(question.scenario, (*scenario_names(), CHOKE)))
    return chain_figures(scenario, run_scenario(stylised_chain(), name, scenario, draws=DRAWS, seed=SEED))


def _known(name: str, names: tuple[str, ...]) -> str:
    """Return a shipped name: a question never names a file."""
    if name not in names:
        raise refuse(
            RejectionReason.UNKNOWN, f"no scenario '{name}'", field="scenario", remedy="one of " + ", ".join(names)
        )
    return name


def _choke(question: ChainQuestion) -> ChainScenario:
    points = {one.sector: one for one in choke_points()}
    if question.sector not in points:
        remedy = f"one of {', '.join(points)}"
        raise refuse(RejectionReason.UNKNOWN, f"no sector '{question.sector}'", field="sector", remedy=remedy)
    makers = [name for name, _ in points[question.sector].makers]
    if question.country not in makers:
        message = f"'{question.country}' makes no {question.sector} to speak of"
        raise refuse(RejectionReason.UNKNOWN, message, field="country", remedy=f"one of {', '.join(makers)}")
    if not 1 <= question.months <= MONTHS_MAX:
        raise refuse(RejectionReason.OUT_OF_RANGE, f"{question.months} is not 1 to {MONTHS_MAX}", field="months")
    if not PRODUCTIVITY_LEAST <= question.part <= 1.0:
        message = f"{question.part:g} is not {PRODUCTIVITY_LEAST:g} to 1"
        raise refuse(RejectionReason.OUT_OF_RANGE, message, field="part")
    held = question.months * _DAYS_A_MONTH
    left = max(1.0 - question.part, PRODUCTIVITY_LEAST)
    return ChainScenario(
        english="A maker stops", chinese="停產",
        description=f"Makers keep {100 * left:g} % of their productivity for good; in days, {100 * question.part:g} % "
        f"of capacity is gone for {held} days and comes back over {_RECOVERY_DAYS}.",
        lever=(Setting(lever="outage", value=left, sector=question.sector, country=question.country),),
        days=DaysSetting(
            sector=question.sector, country=question.country, part=question.part, first_day=_FIRST_DAY, held_days=held,
            recovery_days=_RECOVERY_DAYS, days=max(held + _RECOVERY_DAYS + _AFTER_DAYS, 365),
        ),
    )  # fmt: skip


def lever_ranges(model: str) -> tuple[LeverRange, ...]:
    """Return the levers of ``renminbi`` or ``property``; raises Rejected (unknown) for another model."""
    _require(model)
    rows = renminbi_parameters().lever if model == "renminbi" else tuple(property_levers().values())
    return tuple(
        LeverRange(name=one.name, unit=one.unit, low=one.low, high=one.high, source=one.source) for one in rows
    )


def levers_of(model: str, name: str) -> dict[str, float]:
    """Return the levers a shipped scenario sets, the last value of each; raises Rejected for an unknown name."""
    return {one.name: one.value for one in _shipped(model, name).lever}


@lru_cache(maxsize=ANSWERS_KEPT)
def ask_run(model: str, question: RunQuestion) -> RunFigures:
    """Return what a scenario of ``renminbi`` or ``property`` does, by month, with what each cause does alone.

    Raises Rejected: an unknown model, scenario or lever, a value out of range, or one the model does not have.
    """
    scenario = _moved(model, question)
    solve = MODELS[model]
    if model == "renminbi" and question.pool_times != 1.0:
        _within(question.pool_times, POOL_TIMES, "pool_times")
        pool = renminbi_parameters().pool
        larger = msgspec.structs.replace(pool, deposits=pool.deposits * question.pool_times)
        given = msgspec.structs.replace(renminbi_parameters(), pool=larger)

        def solve(one: Scenario) -> Ensemble:
            return run_renminbi(one, given)

    ensemble = solve(scenario)
    by = scenario.by or ensemble.names[0]
    fans = tuple(ensemble.fan(name) for name in ensemble.names)
    run = ScenarioRun(scenario=scenario, path=ensemble.path_at(scenario.level, by=by), fans=fans)
    return run_figures(run, attribute(scenario, solve))


def _moved(model: str, question: RunQuestion) -> Scenario:
    """Return the scenario with the question's levers and shock in it."""
    scenario = _shipped(model, question.scenario)
    changes: dict[str, object] = {"replications": REPLICATIONS}
    if question.levers is not None:
        changes["lever"] = tuple(LeverSetting(name=name, value=value) for name, value in question.levers if value)
    if question.stocks_percent:
        _within(question.stocks_percent, STOCKS_PERCENT, "stocks_percent")
        if model != "property":
            raise refuse(RejectionReason.CONFLICT, "this model has no stocks", field="stocks_percent")
        day = month_end(scenario.start, 1)
        moved = ScenarioShock(name=HSI, day=day, size=question.stocks_percent, unit="percent", why="asked at the desk",
                              source="the question")  # fmt: skip
        changes["shock"] = (*scenario.shock, moved)
    if question.pool_times != 1.0 and model != "renminbi":
        raise refuse(RejectionReason.CONFLICT, "this model has no offshore pool", field="pool_times")
    return msgspec.structs.replace(scenario, **changes)


def _shipped(model: str, name: str) -> Scenario:
    _require(model)
    shipped = shipped_scenarios(model)
    return shipped[_known(name, tuple(shipped))]


def _require(model: str) -> None:
    if model not in MODELS:
        raise refuse(
            RejectionReason.UNKNOWN, f"no model '{model}'", field="model", remedy=f"one of {', '.join(MODELS)}"
        )


def _within(value: float, limits: tuple[float, float], field: str) -> None:
    if not (np.isfinite(value) and limits[0] <= value <= limits[1]):
        message = f"{value:g} is not {limits[0]:g} to {limits[1]:g}"
        raise refuse(RejectionReason.OUT_OF_RANGE, message, field=field)


@lru_cache(maxsize=1)
def claims_of_models() -> ClaimReport:
    """Return the claim register as far as the models and the tables that ship can test it."""
    return claim_report(None)


def duty_of_home(price_hkd: int, day: date) -> Duty:
    """Return the duty on a home of a whole-dollar price; raises Rejected as the schedule does."""
    return duty_on(price_hkd * MINOR_SCALE, day, PropertyKind.RESIDENTIAL)
