"""A scenario on a chain: levers, an equilibrium, who gains, why, how sure, and the days after.

Every result carries its decomposition, so that a surprising sign is explained, and the spread of the answer over drawn
elasticities with the seed that drew them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.economy.chain.accounting import foreign_value_added
from tsingma.economy.chain.ario import DAYS_MAX, ArioPath, Blockade, Outage, run_ario
from tsingma.economy.chain.dividends import (
    CHAIN_LAYERS,
    Divergence,
    Dividends,
    Row,
    base_dividends,
    by_layer,
    divergence,
    dividend_rows,
    dividends,
    layer_concentration,
    rent_leakage,
)
from tsingma.economy.chain.equilibrium import Equilibrium, Shock, base_flows, solve
from tsingma.economy.chain.flows import Flow, chain_flows
from tsingma.economy.chain.levers import Setting, plan_of
from tsingma.economy.chain.stylised import Chain
from tsingma.economy.chain.table import Bool, Float64, Table, aggregate, checked_table
from tsingma.economy.chain.world import World
from tsingma.economy.draws import replication_seeds, uniforms

DRAWS_MAX = 10_000
BATCH = 250  # draws solved together: what fits in memory
QUANTILES = (0.05, 0.5, 0.95)
SIGMA_RANGE, EPSILON_RANGE, THETA_RANGE = (0.3, 0.9), (0.2, 0.9), (0.6, 1.5)


class DaysSetting(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The short run: makers of a sector in a country lose ``part`` of capacity, or, with ``buyer``, stop selling to
    it.
    """

    sector: str
    country: str
    days: int = 365
    part: float = 1.0
    buyer: str = ""
    first_day: int = 0
    held_days: int = 30
    recovery_days: int = 60


class Scenario(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A named scenario as its file has it; ``foreign_owned`` is the part of a country's rent that foreigners own."""

    english: str
    chinese: str
    description: str
    lever: tuple[Setting, ...]
    days: DaysSetting | None = None
    foreign_owned: dict[str, float] = {}


class CountryResult(msgspec.Struct, frozen=True, kw_only=True):
    """What happens to one country, percent of base; quantiles of real income over drawn elasticities."""

    country: str
    real_income: float
    real_wage: float
    chain_dividends: float
    quantiles: tuple[float, ...]  # at QUANTILES


class RegionResult(msgspec.Struct, frozen=True, kw_only=True):
    """Why a region's real income moves, in log points x 100: the parts add up to ``real_income`` exactly.

    Everything is against the region's own factor price, so that no numeraire shows: ``factor_income`` is what income
    moves less or more than wages, ``rent`` (by layer) what it gains from profit, ``prices`` (by layer) what goods that
    grow dearer than own labour take away from final use.
    """

    region: str
    real_income: float
    factor_income: float
    rent: dict[str, float]
    prices: dict[str, float]


class Leak(msgspec.Struct, frozen=True, kw_only=True):
    """The foreign share of value in a country's output of a layer, before and after, and rent that leaves (unit)."""

    country: str
    layer: str
    before: float
    after: float


class Concentration(msgspec.Struct, frozen=True, kw_only=True):
    """HHI of a layer's dividends over countries and tiers, and its world dividends, before and after."""

    layer: str
    hhi_before: float
    hhi_after: float
    dividends_before: float
    dividends_after: float


class DaysResult(msgspec.Struct, frozen=True, kw_only=True):
    """The short run: days of world output lost, and the cells that fall furthest (percent, day of the low)."""

    world_lost_days: float
    unmet_final_days: float
    worst: tuple[tuple[str, float, int], ...]
    country_lost_days: dict[str, float]


class ScenarioResult(msgspec.Struct, frozen=True, kw_only=True):
    """All of a scenario; amounts in ``unit``. ``table`` and ``notes`` say what it stands on."""

    name: str
    english: str
    chinese: str
    table: str
    unit: str
    notes: tuple[str, ...]
    residual: float
    countries: tuple[CountryResult, ...]
    regions: tuple[RegionResult, ...]
    dividends: tuple[Row, ...]
    flows: tuple[Flow, ...]
    leakage: tuple[Leak, ...]
    rent_leakage: dict[str, tuple[float, float]]
    concentration: tuple[Concentration, ...]
    divergence: tuple[Divergence, ...]
    divergence_before: tuple[Divergence, ...]
    draws: int
    seed: int
    days: DaysResult | None = None


def run_scenario(chain: Chain, name: str, scenario: Scenario, *, draws: int = 100, seed: int = 1) -> ScenarioResult:
    """Return the scenario on a chain, with ``draws`` draws of the elasticities (0: none).

    Raises Rejected as the levers and the solver do, or for more draws than ``DRAWS_MAX``.
    """
    if not 0 <= draws <= DRAWS_MAX:
        raise refuse(RejectionReason.LIMIT, f"{draws} draws, 0 to {DRAWS_MAX} allowed", field="draws")
    world, plan = chain.world(), plan_of(chain, scenario.lever)
    found = solve(world, plan.shock)
    before, after = base_dividends(chain), dividends(chain, found, leaders=plan.leaders)
    table = table_after(chain, world, found)
    countries = tuple(dict.fromkeys(chain.country_of.values()))
    split = [one for one in countries if len(chain.regions_of(one)) > 1]
    measured = split or [one for one in countries if by_layer(chain, before, one)["upstream"] > 0]
    return ScenarioResult(
        name=name,
        english=scenario.english,
        chinese=scenario.chinese,
        table=f"{chain.table.source}, {chain.table.year}",
        unit=chain.table.unit,
        notes=(*chain.table.notes, *plan.notes, _grounds(chain)),
        residual=float(found.residual.max()),
        countries=_countries(chain, world, plan.shock, found, (before, after), (draws, seed)),
        regions=_regions(chain, world, found, before, after),
        dividends=dividend_rows(chain, before, after),
        flows=chain_flows(chain, chain.table, table),
        leakage=_leakage(chain, table),
        rent_leakage={
            country: (lost, rent_leakage(chain, after, scenario.foreign_owned)[country])
            for country, lost in rent_leakage(chain, before, scenario.foreign_owned).items()
        },
        concentration=tuple(_concentration(chain, layer, before, after) for layer in CHAIN_LAYERS),
        divergence=tuple(divergence(chain, one, before, after) for one in measured),
        divergence_before=tuple(divergence(chain, one, before, before) for one in measured),
        draws=draws,
        seed=seed,
        days=None if scenario.days is None else _days(chain, scenario.days),
    )


def _grounds(chain: Chain) -> str:
    if not chain.figures:
        return "elasticities, tiers and layers as the layer file says"
    return f"{chain.assumptions} of {chain.figures} sources of the table are assumptions"


def _countries(
    chain: Chain,
    world: World,
    shock: Shock,
    found: Equilibrium,
    cash: tuple[Dividends, Dividends],
    chance: tuple[int, int],
) -> tuple[CountryResult, ...]:
    income = base_flows(world)[1]
    drawn = _drawn_real_income(world, shock, *chance)
    chosen = [k for layer in CHAIN_LAYERS for k in chain.sectors_of(layer)]
    rows = []
    for country in dict.fromkeys(chain.country_of.values()):
        places = chain.regions_of(country)
        weight = income[places] / income[places].sum()
        earned = [float(one.total[np.ix_(places, chosen)].sum()) for one in cash]
        spread = 100.0 * (drawn[:, places] @ weight - 1.0)
        rows.append(
            CountryResult(
                country=country,
                real_income=100.0 * float(found.real_income[0, places] @ weight - 1.0),
                real_wage=100.0 * float(found.real_wage[0, places] @ weight - 1.0),
                chain_dividends=100.0 * (earned[1] / earned[0] - 1.0) if earned[0] > 0 else 0.0,
                quantiles=tuple(float(np.quantile(spread, part)) for part in QUANTILES) if spread.size else (),
            )
        )
    return tuple(rows)


def _regions(
    chain: Chain, world: World, found: Equilibrium, before: Dividends, after: Dividends
) -> tuple[RegionResult, ...]:
    """Return the exact parts: income by logarithmic means (Vartia 1976), prices by final shares."""
    income, layers = base_flows(world)[1], tuple(dict.fromkeys(chain.layer_of.values()))
    wage = np.log(found.wage[0])
    price = found.final_share[0] * (np.log(found.price[0]) - wage[:, None])
    rows = []
    for place, region in enumerate(world.regions):
        old, new = float(income[place]), float(found.income[0, place])
        mean = old if abs(new - old) < 1e-12 * old else (new - old) / float(np.log(new / old))
        gain = {
            layer: float((after.rent - before.rent)[place, chain.sectors_of(layer)].sum()) / mean for layer in layers
        }
        paid = float(found.factor_income[0, place] - world.factor_income[place]) / mean - float(wage[place])
        rows.append(
            RegionResult(
                region=region,
                real_income=100.0 * float(np.log(found.real_income[0, place])),
                factor_income=100.0 * paid,
                rent={layer: 100.0 * gain[layer] for layer in layers},
                prices={layer: -100.0 * float(price[place, chain.sectors_of(layer)].sum()) for layer in layers},
            )
        )
    return tuple(rows)


def _drawn_real_income(world: World, shock: Shock, draws: int, seed: int) -> Float64:
    """Return real income hats [draws, N] with elasticities drawn uniformly, one factor for all sectors of a draw."""
    if not draws:
        return np.empty((0, len(world.regions)))
    chance = uniforms(replication_seeds(seed, draws), 0, 3)
    low, high = np.array([THETA_RANGE, SIGMA_RANGE, EPSILON_RANGE]).T
    theta, sigma, epsilon = (low + (high - low) * chance).T
    usual = float(np.max(world.epsilon))
    found = np.empty((draws, len(world.regions)))
    for start in range(0, draws, BATCH):
        part = slice(start, start + BATCH)
        drawn = msgspec.structs.replace(
            shock,
            theta=world.theta * theta[part, None],
            sigma=np.tile(sigma[part, None], (1, world.sigma.size)),
            epsilon=np.clip(world.epsilon / usual * epsilon[part, None], 0.02, None),
        )
        found[part] = solve(world, drawn).real_income
    return found


def table_after(chain: Chain, world: World, found: Equilibrium, case: int = 0) -> Table:
    """Return the table of an equilibrium, for the accounts; tariffs on inputs are part of value added."""
    regions, sectors = chain.table.shape
    sold = found.trade_share[case] / (1.0 + found.tariff[case])  # sector, buyer, seller
    cost = found.output[case] / found.markup[case] * (1.0 - found.value_added_share[case])
    inputs = found.input_share[case] * cost[:, None, :]  # buyer, k, j
    flows = np.einsum("kni,nkj->iknj", sold, inputs).reshape(regions * sectors, regions * sectors)
    final = np.einsum("kni,nk->ikn", sold, found.final_share[case] * found.income[case][:, None])
    final = final.reshape(regions * sectors, regions)
    return checked_table(
        world.regions, world.sectors, flows, final, flows.sum(axis=1) + final.sum(axis=1), unit=world.unit,
        year=chain.table.year, source=world.source,
    )  # fmt: skip


def _leakage(chain: Chain, after: Table) -> tuple[Leak, ...]:
    shares = [foreign_shares(chain, table) for table in (chain.table, after)]
    return tuple(
        Leak(country=country, layer=layer, before=shares[0][country, layer], after=shares[1][country, layer])
        for country, layer in shares[0]
    )


def foreign_shares(chain: Chain, table: Table) -> dict[tuple[str, str], float]:
    """Return the foreign share of value by country and layer: zones of one country are no foreigners to each other."""
    whole = aggregate(table, chain.country_of)
    share, output = foreign_value_added(whole), whole.output.reshape(whole.shape)
    found = {}
    for place, country in enumerate(whole.regions):
        for layer in CHAIN_LAYERS:
            chosen = chain.sectors_of(layer)
            made = output[place, chosen]
            if made.sum() > 0:
                found[country, layer] = float(share[place, chosen] @ made / made.sum())
    return found


def _concentration(chain: Chain, layer: str, before: Dividends, after: Dividends) -> Concentration:
    return Concentration(
        layer=layer,
        hhi_before=layer_concentration(chain, before, layer),
        hhi_after=layer_concentration(chain, after, layer),
        dividends_before=by_layer(chain, before)[layer],
        dividends_after=by_layer(chain, after)[layer],
    )


def _days(chain: Chain, setting: DaysSetting) -> DaysResult:
    table = chain.table
    if not 1 <= setting.days <= DAYS_MAX:
        raise refuse(RejectionReason.OUT_OF_RANGE, f"{setting.days} days", field="days")
    made = _cells(chain, setting.country, [table.sector(setting.sector)])
    if setting.buyer:
        users = _cells(chain, setting.buyer, range(len(table.sectors)))
        stop = Blockade(sellers=made, buyers=users, first_day=setting.first_day, held_days=setting.held_days)
        path = run_ario(table, (), setting.days, blockades=(stop,))
    else:
        lost = Outage(
            loss=np.where(made, setting.part, 0.0), first_day=setting.first_day, held_days=setting.held_days,
            recovery_days=setting.recovery_days,
        )  # fmt: skip
        path = run_ario(table, (lost,), setting.days)
    return _days_result(chain, path)


def _cells(chain: Chain, country: str, sectors: Sequence[int]) -> Bool:
    chosen = np.zeros(chain.table.shape, np.bool_)
    chosen[np.ix_(chain.regions_of(country), list(sectors))] = True
    return chosen.reshape(-1)


def _days_result(chain: Chain, path: ArioPath) -> DaysResult:
    made = path.base > 1e-9 * path.base.sum()
    lowest = np.where(made, path.lowest, 0.0)
    lost = (path.base - path.output).sum(axis=0)
    worst = [
        (chain.table.cell(int(place)), 100.0 * float(lowest[place]), int(path.output[:, place].argmin()))
        for place in np.argsort(lowest)[:8]
        if lowest[place] < -1e-6
    ]
    shape, wanted = chain.table.shape, float(np.maximum(chain.table.final, 0.0).sum()) / 365
    by_country: Mapping[str, float] = {
        country: float(lost.reshape(shape)[chain.regions_of(country)].sum()
                       / path.base.reshape(shape)[chain.regions_of(country)].sum())
        for country in dict.fromkeys(chain.country_of.values())
    }  # fmt: skip
    return DaysResult(
        world_lost_days=path.world_lost_days,
        unmet_final_days=float(path.unmet_final.sum() / wanted),
        worst=tuple(worst),
        country_lost_days=dict(by_country),
    )
