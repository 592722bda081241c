"""Stress runs from a house kept in a folder, or from a simulated one in memory, on prices for betas."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.app.economy_chain import read_scenario, run_chain
from tsingma.app.economy_run import find_scenario
from tsingma.app.economy_run import run_scenario as run_economy
from tsingma.app.house_derivatives import CrossHouse, DerivativeMargin, cross_house
from tsingma.app.house_margin import HouseMargin, house_margin, instrument_id
from tsingma.app.house_swaps import house_rates
from tsingma.app.market_week import run_market
from tsingma.app.parameter_file import build_parameters
from tsingma.app.progress import Progress
from tsingma.app.session import Session
from tsingma.app.stress_book import closes_of, factor_model, stress_book
from tsingma.app.stress_rates import RatesBook, hkd_rates, simulated_rates, with_rates
from tsingma.basics.clock import Clock
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.economy.chain.as_path import chain_path
from tsingma.economy.path import Path as EconomyPath
from tsingma.economy.path import from_json, from_toml
from tsingma.engine.house import House as TheHouse
from tsingma.margin.hkscc.history_settings import FilterSettings
from tsingma.margin.hkscc.parameters import Parameters
from tsingma.margin.house.holdings import INDEX, House
from tsingma.market.curve_history import CurveSeries
from tsingma.market.history import PriceHistory
from tsingma.messages.curve_file import read_curves
from tsingma.messages.index_file import read_closes, with_series
from tsingma.messages.prices import read_prices
from tsingma.messages.rpf01 import read_parameters
from tsingma.simulate.layers import invented_layers
from tsingma.simulate.market import SimulatedMarket, market_on_closes, simulate_market
from tsingma.store.postgres import without_password
from tsingma.stress.book import HOUSES, StressBook, profits, with_liquidity
from tsingma.stress.defaults import run_defaults
from tsingma.stress.history import factor_past, shock_of_point
from tsingma.stress.plausibility import Plausibility, plausibility
from tsingma.stress.reverse import ReverseResult, ReverseSettings, smallest_path
from tsingma.stress.run import StressRun, StressWorld, run_scenario, sized_funds
from tsingma.stress.scenario import (
    Scenario,
    assumptions,
    fund_rules,
    fund_shocks,
    layer_parts,
    parse_scenarios,
    scenario_named,
    worst_on_record,
)
from tsingma.stress.shocks import LayerPart, MarketShock, path_shock, shock_moves

DEFAULT_START = date(2026, 1, 5)
ECONOMY_REPLICATIONS = 1_000


LIQUID_MULTIPLE = 2.0  # simulated firms are richer than real ones (docs/stress.md)


class StressSource(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """A book to stress, the prices behind it and how it is named."""

    book: StressBook
    house: TheHouse
    history: PriceHistory
    parts: tuple[LayerPart, ...]
    label: str


class Reverse(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """The smallest path that empties a house's fund, and the run of it."""

    house: House
    found: ReverseResult
    plausibility: Plausibility
    run: StressRun


def history_of_files(prices: Path, index: Path | None) -> PriceHistory:
    """Return closes, with those of the index beside them; raises Rejected naming file and line."""
    history = read_prices(prices)
    return history if index is None else with_series(history, INDEX, read_closes(index))


def curves_of_file(path: Path | None) -> tuple[CurveSeries, ...]:
    """Return the zero curves of a file, none without one; raises Rejected naming file and line."""
    return () if path is None else read_curves(path.read_bytes(), file=str(path))


def source_of_house(
    folder: Path | str, parameters: Path, history: PriceHistory, curves: Sequence[CurveSeries] = ()
) -> StressSource:
    """Return the book of a house (folder or URL), its swaps on curves.

    Raises Rejected when there is none, its prices are missing, or its swaps have no curves.
    """
    with Session.open(folder, read_only=True) as session:
        house = session.house
        return _source(
            house,
            read_parameters(parameters.read_bytes(), file=str(parameters)),
            history,
            without_password(str(folder)),
            curves=curves,
        )


def simulated_source(
    seed: int, trades: int, days: int, clock: Clock, progress: Progress, history: PriceHistory | None = None
) -> StressSource:
    """Return the book after a few days of a simulated market, on given closes when there are some; nothing is kept.

    Some firms hold invented swaps, bonds and bond futures beside what was traded.
    """
    if history is None:
        market = simulate_market(seed, DEFAULT_START, days, trades)
        source = _source_of_market(market, market.history, clock, progress)
    else:
        market = market_on_closes(seed, _without_index(history), days, trades)
        source = _source_of_market(market, history, clock, progress)
    return source_with_rates(source, simulated_rates(seed, source.book))


def _without_index(history: PriceHistory) -> PriceHistory:
    """Return the history of the names alone: nobody trades the index itself."""
    kept = [place for place, code in enumerate(history.instruments) if code != INDEX]
    return PriceHistory(
        history.dates,
        tuple(history.instruments[place] for place in kept),
        np.ascontiguousarray(history.close_e4[:, kept]),
        np.ascontiguousarray(history.missing[:, kept]),
    )


def _source_of_market(market: SimulatedMarket, history: PriceHistory, clock: Clock, progress: Progress) -> StressSource:
    """Return the book after the market's days in a house in memory."""
    parameters = build_parameters(market.history, FilterSettings())
    margin: HouseMargin | None = None
    with Session.in_memory() as session:
        for _, _, found in run_market(session, market, parameters, clock, progress):
            margin = found
        if margin is None:
            raise refuse(RejectionReason.MISSING, "the market has no day", field="days")
        return _source(session.house, parameters, history, market.label, margin)


def _source(
    house: TheHouse, parameters: Parameters, history: PriceHistory, label: str, margin: HouseMargin | None = None,
    curves: Sequence[CurveSeries] = (),
) -> StressSource:  # fmt: skip
    called, derivatives = margin or house_margin(house, parameters), DerivativeMargin(house, parameters)
    crossed = cross_house(house, called, derivatives)
    return source_of_margins(house, called, derivatives, crossed, history, label, curves)


def source_of_margins(
    house: TheHouse,
    margin: HouseMargin,
    derivatives: DerivativeMargin,
    crossed: Sequence[CrossHouse],
    history: PriceHistory,
    label: str,
    curves: Sequence[CurveSeries] = (),
) -> StressSource:
    """Return the source of a house whose margins are known, its swaps on curves.

    Raises Rejected (missing) when it holds swaps and there are no curves.
    """
    book = stress_book(house, margin, derivatives, crossed)
    swaps = house_rates(house, curves)
    if swaps is not None:
        book = with_rates(book, swaps, hkd_rates(house))
    return StressSource(book=book, house=house, history=history, parts=_parts(house, book), label=label)


def _parts(house: TheHouse, book: StressBook) -> tuple[LayerPart, ...]:
    """Return the layers of listed names; where none is listed the market is invented, and so are they."""
    factors = set(book.factors)
    named = [(instrument_id(part.counter), part.layer, part.part) for part in layer_parts()]
    if not any(code in factors for code, _, _ in named):
        named = [(instrument_id(code), layer, part) for code, layer, part in invented_layers(house.resolved.book)]
    return tuple(LayerPart(code, layer, part) for code, layer, part in named if code in factors)


def source_with_rates(source: StressSource, rates: RatesBook) -> StressSource:
    """Return the source with positions on curves; raises Rejected as :func:`tsingma.app.stress_rates.with_rates`."""
    return msgspec.structs.replace(source, book=with_rates(source.book, rates, hkd_rates(source.house)))


def stress_world(source: StressSource, horizon_days: int) -> StressWorld:
    """Return what scenarios over a horizon are run on: betas and funds are made once."""
    assumed = assumptions()
    model = factor_model(source.house, source.book, source.history, horizon_days)
    _, index, _ = closes_of(source.history)
    return StressWorld(
        book=source.book,
        model=model,
        index_returns=index[horizon_days:] / index[:-horizon_days] - 1.0,
        parts=source.parts,
        assumptions=assumed,
        funds=sized_funds(source.book, model, source.parts, assumed, fund_shocks(), fund_rules()),
        record=worst_on_record(),
    )


def scenarios_of(names: Sequence[str]) -> tuple[Scenario, ...]:
    """Return scenarios by shipped name or file; raises Rejected for what is neither."""
    found: list[Scenario] = []
    for name in names:
        path = Path(name)
        if path.suffix == ".toml":
            if not path.is_file():
                raise refuse(RejectionReason.MISSING, "there is no such file", file=name, field="scenario")
            found.extend(parse_scenarios(path.read_text(encoding="utf-8"), file=name))
        else:
            found.append(scenario_named(name))
    return tuple(found)


def economy_path(name: str, day: date) -> EconomyPath:
    """Return the path that stands for a shipped run of the economy, ``room/run`` (chain, renminbi, property).

    Raises Rejected (unknown) for a room or run that is not there.
    """
    room, _, run = name.partition("/")
    if room == "chain":
        _, scenario = read_scenario(run)
        return chain_path(scenario, run_chain(run, None, year=None, layers=None, draws=0, seed=1), day)
    return run_economy(find_scenario(run, room), room, replications=ECONOMY_REPLICATIONS).path


def path_of_file(path: Path) -> EconomyPath:
    """Return an economy path of a JSON or TOML file; raises Rejected naming the fault."""
    text = path.read_text(encoding="utf-8")
    return from_toml(text, file=str(path)) if path.suffix == ".toml" else from_json(text, file=str(path))


def stress(
    source: StressSource,
    scenarios: Sequence[Scenario],
    *,
    draws: int,
    seed: int,
    path: EconomyPath | None = None,
    progress: Progress | None = None,
) -> tuple[StressRun, ...]:
    """Return every scenario through the house, in order: the economy's run behind it first, then a given path."""
    worlds: dict[int, StressWorld] = {}
    runs = []
    for place, scenario in enumerate(scenarios):
        if progress is not None:
            progress.stage(f"stress {scenario.id}", place, len(scenarios))
        world = worlds.setdefault(scenario.horizon_days, stress_world(source, scenario.horizon_days))
        shock = scenario.shock(source.book.day)
        behind = economy_path(scenario.economy, source.book.day) if scenario.economy else None
        for each in (behind, path):
            if each is not None:
                shock = path_shock(each, shock, world.assumptions)
        runs.append(run_scenario(world, scenario, shock, draws=draws, seed=seed))
    return tuple(runs)


def reverse_stress(
    source: StressSource, house: House, horizon_days: int, settings: ReverseSettings, *, draws: int
) -> Reverse | None:
    """Return the smallest path that empties a house's fund, None when none within reach does.

    Raises Rejected (missing) when the house has no fund.
    """
    world = stress_world(source, horizon_days)
    if house not in world.funds:
        raise refuse(RejectionReason.MISSING, "nobody has margin there, so it has no fund", subject=str(house))
    _, index, _ = closes_of(source.history)
    past = factor_past(index, world.model, world.parts, world.assumptions)
    place = HOUSES.index(house)

    def use(point: npt.NDArray[np.float64]) -> float:
        shock = shock_of_point(past.factors, point, horizon_days)
        found = profits(
            world.book, shock_moves(world.model, shock, world.parts, world.assumptions, rates=world.book.rates)
        )[:, :, 0]
        ratio = shock.volatility_ratio
        result = run_defaults(world.book, found, world.funds, world.rules, ratio, contagion=False)
        return result.houses[place].fund_use

    found = smallest_path(past.factors, past.covariance, use, settings)
    if found is None:
        return None
    shock = shock_of_point(past.factors, found.point, horizon_days)
    likely = plausibility(shock.index_return, world.index_returns, found.distance, world.record, horizon_days)
    run = run_scenario(world, _reverse_scenario(house, shock), shock, draws=draws, seed=settings.seed)
    return Reverse(house=house, found=found, plausibility=likely, run=run)


def _reverse_scenario(house: House, shock: MarketShock) -> Scenario:
    return Scenario(
        id=f"reverse-{house}", title=f"What empties the fund of {house}", title_zh=f"令{house}違約基金耗盡的最小路徑",
        story="The nearest point, in standard deviations of the past, at which the fund is used up.",
        story_zh="以歷史標準差計，令基金耗盡的最近一點。", horizon_days=shock.horizon_days, source="found by search",
        source_zh="由搜尋得出",
        index_return=shock.index_return, volatility_ratio=shock.volatility_ratio, layers=shock.layers,
    )  # fmt: skip


def less_liquid(source: StressSource, multiple: float) -> StressSource:
    """Return the source with free money cut to a multiple of margin (see ``stress.book.with_liquidity``)."""
    return msgspec.structs.replace(source, book=with_liquidity(source.book, round(multiple * 10_000)))
