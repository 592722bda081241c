"""The levers of the value chain as named policies: unit, range, and what each changes in the model.

Reference A1.3. A lever is set on a chain with a value in its range (outside it is refused) and, where it needs them, a
sector, sellers, buyers or a country. What it changes is a shock of the equilibrium, a change of the tiers, or both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import numpy as np

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.economy.chain.dividends import CHAIN_LAYERS, TRIO
from tsingma.economy.chain.equilibrium import Shock
from tsingma.economy.chain.stylised import Chain
from tsingma.economy.chain.tiers import Market, bertrand_markup, leader_share, output_under_orders, provider_shares


class Lever(msgspec.Struct, frozen=True, kw_only=True):
    """A policy: what its value means and may be, and what else must be given (``needs``)."""

    name: str
    english: str
    chinese: str
    unit: str
    low: float
    high: float
    needs: tuple[str, ...] = ()


class Setting(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A lever set to a value. ``sellers`` and ``buyers`` are countries (none: all others); ``orders`` for subsidies."""

    lever: str
    value: float
    sector: str = ""
    sellers: tuple[str, ...] = ()
    buyers: tuple[str, ...] = ()
    country: str = ""
    suppliers_before: int = 3
    orders: float = 1.0


class Plan(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What settings change together: a shock, the leaders' shares by layer or "country layer", and notes."""

    shock: Shock
    leaders: dict[str, float]
    notes: tuple[str, ...] = ()


class _Draft:
    """The arrays of a plan while levers are laid on it; effects of several levers multiply."""

    def __init__(self, chain: Chain) -> None:
        regions, sectors = chain.table.shape
        self.chain = chain
        self.trade_cost = np.ones((sectors, regions, regions))
        self.productivity = np.ones((regions, sectors))
        self.markup = np.ones((regions, sectors))
        self.taste = np.ones((regions, sectors))
        self.leaders: dict[str, float] = {}
        self.notes: list[str] = []

    def plan(self) -> Plan:
        """Return the plan; what no lever touched stays None."""
        parts = {name: getattr(self, name) for name in ("trade_cost", "productivity", "markup", "taste")}
        changed = {name: values for name, values in parts.items() if (values != 1.0).any()}
        return Plan(shock=Shock(**changed), leaders=self.leaders, notes=tuple(self.notes))

    def leader(self, country: str, layer: str) -> float:
        """Return the leaders' share as it stands."""
        chain = self.chain
        usual = chain.leaders.get(f"{country} {layer}", chain.leaders[layer])
        return self.leaders.get(f"{country} {layer}", self.leaders.get(layer, usual))


Apply = Callable[[_Draft, Setting], None]


def _places(chain: Chain, countries: Sequence[str], but: Sequence[str] = ()) -> list[int]:
    names = countries or [name for name in dict.fromkeys(chain.country_of.values()) if name not in but]
    return [place for name in names for place in chain.regions_of(name)]


def _control(draft: _Draft, setting: Setting) -> None:
    chain = draft.chain
    sellers = _places(chain, setting.sellers)
    buyers = _places(chain, setting.buyers, setting.sellers)
    sector = chain.table.sector(setting.sector)
    for seller in sellers:
        for buyer in buyers:
            if chain.country_of[chain.table.regions[seller]] != chain.country_of[chain.table.regions[buyer]]:
                draft.trade_cost[sector, buyer, seller] *= setting.value


def _outage(draft: _Draft, setting: Setting) -> None:
    places = draft.chain.regions_of(setting.country)
    draft.productivity[places, draft.chain.table.sector(setting.sector)] *= setting.value


def _interior(draft: _Draft, setting: Setting) -> None:
    chain = draft.chain
    rim = [place for place in chain.regions_of("CHN") if chain.zone_of[chain.table.regions[place]] == "periphery"]
    draft.productivity[rim, chain.table.sector("data_centres")] *= 1.0 + setting.value


def _home_chips(draft: _Draft, setting: Setting) -> None:
    """Raise the skill of Chinese chip makers until, at old prices, the home share is the target."""
    chain, sector = draft.chain, draft.chain.table.sector("chips")
    share = home_share(chain, "CHN", "chips")
    odds = setting.value / (1.0 - setting.value) / (share / (1.0 - share))
    draft.productivity[chain.regions_of("CHN"), sector] *= odds ** (1.0 / chain.theta[sector])
    draft.notes.append(f"home share of chips {share:.3f} before, aimed at {setting.value:.3f} at old prices")


def home_share(chain: Chain, country: str, sector: str) -> float:
    """Return the part of a country's purchases of a sector that it makes itself."""
    table, places = chain.table, chain.regions_of(country)
    regions, sectors = table.shape
    rows = (np.arange(regions) * sectors + table.sector(sector)).tolist()
    columns = [place * sectors + k for place in places for k in range(sectors)]
    bought = table.intermediate[np.ix_(rows, columns)].sum(axis=1) + table.final[np.ix_(rows, places)].sum(axis=1)
    return float(bought[places].sum() / bought.sum())


def _plural(draft: _Draft, setting: Setting) -> None:
    chain, sector = draft.chain, draft.chain.table.sector(setting.sector)
    layer = chain.layer_of[setting.sector]
    elasticity = chain.markets[layer].elasticity
    before, after = (
        bertrand_markup(elasticity, count) - 1.0 for count in (setting.suppliers_before, int(setting.value))
    )
    old = chain.markup[:, sector]
    draft.markup[:, sector] *= (1.0 + (old - 1.0) * after / before) / old
    draft.notes.append(f"HHI of {setting.sector} {1 / setting.suppliers_before:.3f} to {1 / int(setting.value):.3f}")


def _open_source(draft: _Draft, setting: Setting) -> None:
    chain = draft.chain
    market = chain.markets["midstream"]
    opened = msgspec.structs.replace(market, openness=setting.value)
    draft.leaders["midstream"] = leader_share(chain.leaders["midstream"], market, opened)
    _adopt(draft, tuple(dict.fromkeys(chain.country_of.values())), small_cost=-0.5 * setting.value * _setup(chain))


def _setup(chain: Chain) -> float:
    """Return what small firms pay more than leaders: the set-up cost that open models can spare them."""
    return chain.adoption.small_cost - chain.adoption.leaders_cost


def _filing(draft: _Draft, setting: Setting) -> None:
    _adopt(draft, (setting.country,), small_cost=setting.value, leaders_cost=0.25 * setting.value)


def _adoption(draft: _Draft, setting: Setting) -> None:
    countries = (setting.country,) if setting.country else tuple(dict.fromkeys(draft.chain.country_of.values()))
    _adopt(draft, countries, benefit=setting.value)


def _adopt(
    draft: _Draft, countries: Sequence[str], *, benefit: float = 0.0, small_cost: float = 0.0, leaders_cost: float = 0.0
) -> None:
    """Move ceilings of adoption: each tier's part of the downstream layer, and demand for it, move with them."""
    chain, costs = draft.chain, {"leaders": leaders_cost, "small": small_cost}
    chosen = chain.sectors_of("downstream")
    for country in countries:
        growth: dict[str, float] = {}
        for tier, cost in costs.items():
            ceilings = []
            for place in chain.regions_of(country):
                zone = chain.zone_of[chain.table.regions[place]]
                before = chain.adoption.group(zone, tier).ceiling
                after = chain.adoption.group(zone, tier, extra_benefit=benefit, extra_cost=cost).ceiling
                ceilings.append((before, after, float(chain.people[place])))
            growth[tier] = sum(b * w for _, b, w in ceilings) / sum(a * w for a, _, w in ceilings)
        share = draft.leader(country, "downstream")
        demand = share * growth["leaders"] + (1.0 - share) * growth["small"]
        draft.leaders[f"{country} downstream"] = share * growth["leaders"] / demand
        draft.taste[np.ix_(chain.regions_of(country), chosen)] *= demand


def _subsidy(draft: _Draft, setting: Setting) -> None:
    share = draft.leader(setting.country, "upstream")
    factor = output_under_orders(setting.value, 1.0, setting.orders)
    draft.leaders[f"{setting.country} upstream"] = share / (share + (1.0 - share) * factor)
    draft.notes.append(f"start-ups of {setting.country} make {factor:.3f} of base, orders are {setting.orders:.3f}")


def _opening(draft: _Draft, setting: Setting) -> None:
    market = draft.chain.markets["midstream"]
    entrants = 1.0 / (1.0 - setting.value)
    lead = -float(np.log(entrants)) / (market.elasticity - 1.0)
    share = draft.leader(setting.country, "midstream")
    draft.leaders[f"{setting.country} midstream"] = leader_share(share, market, market, lead)
    draft.notes.append(f"{entrants:.2f} times as many small providers may enter in {setting.country}")


def share_after_entry(market: Market, incumbents: float, entrants: float) -> float:
    """Return the share of incumbents (``incumbents`` before) when ``entrants`` times as many others enter."""
    start = np.array([incumbents, 1.0 - incumbents])
    return float(provider_shares(market, np.array([1.0, entrants ** (1.0 / (market.elasticity - 1.0))]), start)[0])


def _trilateral(draft: _Draft, setting: Setting) -> None:
    chain = draft.chain
    named = (setting.sector,) if setting.sector else tuple(
        chain.table.sectors[k] for layer in CHAIN_LAYERS for k in chain.sectors_of(layer)
    )  # fmt: skip
    for one in TRIO:
        others = tuple(name for name in TRIO if name != one)
        for sector in named:
            part = Setting(lever="", value=setting.value, sector=sector, sellers=(one,), buyers=others)
            _control(draft, part)


def _demand(draft: _Draft, setting: Setting) -> None:
    draft.taste[:, draft.chain.table.sector(setting.sector)] *= setting.value


def _lever(name: str, words: tuple[str, str, str], low: float, high: float, needs: tuple[str, ...] = ()) -> Lever:
    english, chinese, unit = words
    return Lever(name=name, english=english, chinese=chinese, unit=unit, low=low, high=high, needs=needs)


_COST = "cost a year of a small firm, in the unit of the benefit"
_CENTRES = "productivity of data centres, part added"
_LEVERS: tuple[tuple[Lever, Apply], ...] = (
    (
        _lever("export_control", ("Export control", "出口管制", "trade cost, times"), 1.0, 1e5, ("sector", "sellers")),
        _control,
    ),
    (_lever("outage", ("Outage of makers", "停產", "productivity, times"), 1e-3, 1.0, ("sector", "country")), _outage),
    (_lever("interior_compute", ("Compute in the interior", "中西部智算集群", _CENTRES), 0.0, 2.0), _interior),
    (
        _lever("home_chips", ("Home inference chips", "推理晶片本土市佔率", "share of purchases"), 0.01, 0.6),
        _home_chips,
    ),
    (_lever("plural_suppliers", ("Plural suppliers", "多元供給", "firms"), 2, 100, ("sector",)), _plural),
    (_lever("open_source", ("Open-source models", "開源大模型", "part of use effect shared"), 0.0, 1.0), _open_source),
    (_lever("filing_cost", ("Filing and approval rules", "備案與審批", _COST), -0.5, 2.0, ("country",)), _filing),
    (
        _lever("chip_subsidy", ("Subsidy for compute chips", "算力晶片補貼", "part of cost"), 0.0, 1.0, ("country",)),
        _subsidy,
    ),
    (
        _lever("entry_opening", ("Opening of entry", "放開準入", "part of entry cost cut"), 0.0, 0.9, ("country",)),
        _opening,
    ),
    (_lever("full_adoption", ("Adoption downstream", "下游全行業滲透", "benefit added"), -0.5, 2.0), _adoption),
    (_lever("trilateral_opening", ("Trilateral opening", "中日韓互補", "trade cost, times"), 0.5, 1.0), _trilateral),
    (
        _lever("final_demand", ("Final demand for a sector", "最終需求", "weight, times"), 0.05, 5.0, ("sector",)),
        _demand,
    ),
)
LEVERS: dict[str, Lever] = {lever.name: lever for lever, _ in _LEVERS}
_APPLY = {lever.name: apply for lever, apply in _LEVERS}


def plan_of(chain: Chain, settings: Sequence[Setting]) -> Plan:
    """Return what the settings change together, in their order.

    Raises Rejected: an unknown lever, a value outside its range, something it needs that is missing, or an unknown
    name.
    """
    draft = _Draft(chain)
    for line, setting in enumerate(settings, 1):
        if setting.lever not in LEVERS:
            known = ", ".join(LEVERS)
            message = f"no lever '{setting.lever}'"
            raise refuse(
                RejectionReason.UNKNOWN, message, field="lever", subject=f"lever {line}", remedy=f"one of {known}"
            )
        lever = LEVERS[setting.lever]
        if not lever.low <= setting.value <= lever.high:
            message = f"{lever.name} of {setting.value:g} ({lever.unit}) is outside {lever.low:g} to {lever.high:g}"
            raise refuse(RejectionReason.OUT_OF_RANGE, message, field="value", subject=f"lever {line}")
        missing = [name for name in lever.needs if not getattr(setting, name)]
        if missing:
            message = f"{lever.name} needs {', '.join(missing)}"
            raise refuse(RejectionReason.MISSING, message, field=missing[0], subject=f"lever {line}")
        _APPLY[lever.name](draft, setting)
    return draft.plan()
