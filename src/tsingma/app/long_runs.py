"""Long runs of a served house as tasks of jobs: stress of its books, and scenarios of the economic models.

Each task reads its request and nothing else but the house's journal and the market folder; the answer names the model,
its parameters and the data it rests on, and the same request on the same record gives the same answer.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from tsingma.app.house_market import HouseMarket, MarketData
from tsingma.app.progress import Progress
from tsingma.basics.patterns import whole
from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.economy.attribution import Attribution
from tsingma.economy.chain.scenario import ScenarioResult
from tsingma.economy.ensemble import Fan
from tsingma.economy.path import Path as EconomyPath
from tsingma.reports.stress_figures import StressFigures
from tsingma.stress.rates import CurveShock
from tsingma.stress.scenario import Scenario, scenario_named

STRESS_TASK = "tsingma.app.long_runs:stress_task"
ECONOMY_TASK = "tsingma.app.long_runs:economy_task"
OWN_SHOCK = "own-shock"
CHAIN = "chain"
CHAIN_START = date(2026, 1, 5)

Name = Annotated[str, msgspec.Meta(pattern=whole("[A-Za-z0-9][A-Za-z0-9._-]{0,63}"))]
Seed = Annotated[int, msgspec.Meta(ge=0, le=2**31)]
Return = Annotated[float, msgspec.Meta(ge=-0.99, le=5.0)]


BasisPoints = Annotated[float, msgspec.Meta(ge=-2_000.0, le=2_000.0)]
CurveName = Annotated[str, msgspec.Meta(pattern=whole("[A-Z]{3}([.][A-Za-z0-9]{1,20})?"))]


class OwnCurveShock(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A move of zero curves: a shape of the standard ``times`` its dated size, and basis points beside it."""

    shape: Annotated[str, msgspec.Meta(pattern=whole("[a-z-]{0,32}"))] = ""
    times: Annotated[float, msgspec.Meta(ge=0.0, le=10.0)] = 1.0
    parallel: BasisPoints = 0.0
    short: BasisPoints = 0.0
    long: BasisPoints = 0.0


class OwnShock(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What happens to the market within ``horizon_days`` trading days; parts of one (-0.2 is a fall of a fifth).

    ``rates`` are moves of zero curves by currency (``CNY``) or curve (``CNY.FR007``), basis points.
    """

    horizon_days: Annotated[int, msgspec.Meta(ge=1, le=20)] = 2
    index_return: Return = 0.0
    volatility_ratio: Annotated[float, msgspec.Meta(ge=0.1, le=10.0)] = 1.0
    renminbi_return: Return = 0.0
    correlation: Annotated[float, msgspec.Meta(ge=0.0, le=1.0)] = 0.0
    rates: Annotated[dict[CurveName, OwnCurveShock], msgspec.Meta(max_length=20)] = {}


class StressAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A stress run: shipped scenarios by id, an own shock beside them, draws, their seed; for neither all that ship."""

    scenarios: Annotated[tuple[Name, ...], msgspec.Meta(max_length=50)] = ()
    shock: OwnShock | None = None
    draws: Annotated[int, msgspec.Meta(ge=1, le=200)] = 20
    seed: Seed = 1


class EconomyAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A run of a shipped scenario; ``replications`` are draws of elasticities in the chain. None: the scenario's own.

    ``level`` says which replication stands for the run, as the quantile of the indicator it is ranked by.
    """

    model: Literal["renminbi", "property", "chain"]
    scenario: Name
    replications: Annotated[int, msgspec.Meta(ge=1, le=20_000)] | None = None
    seed: Seed | None = None
    level: Annotated[float, msgspec.Meta(ge=0.0, le=1.0)] | None = None


class StressTask(msgspec.Struct, frozen=True, kw_only=True):
    """What the task of a stress run is given: the house, the market's folder and what was asked."""

    house: str
    market: str
    asked: StressAsked


class StressRunResult(msgspec.Struct, frozen=True, kw_only=True, tag="stress-run", tag_field="kind"):
    """Scenarios through a house as of record ``at``; nothing of it is booked. Whole HKD."""

    model: str
    at: int
    asked: StressAsked
    market: MarketData
    label: str
    runs: tuple[StressFigures, ...]


class EconomyRunResult(msgspec.Struct, frozen=True, kw_only=True, tag="economy-run", tag_field="kind"):
    """A scenario of an economic model: the path that stands for it (with data, calibration, uncertainty), fans, causes.

    ``chain`` has the countries, flows and dividends of a scenario of the chain.
    """

    model: str
    scenario: str
    asked: EconomyAsked
    replications: int
    seed: int
    path: EconomyPath
    fans: tuple[Fan, ...] = ()
    causes: Attribution | None = None
    chain: ScenarioResult | None = None


RunResult = StressRunResult | EconomyRunResult


def stress_request(asked: StressAsked, house: Path | str, market: HouseMarket) -> bytes:
    """Return the request of a stress run's task; raises Rejected (unknown) for a scenario or shape there is not."""
    for name in asked.scenarios:
        scenario_named(name)
    if asked.shock is not None:
        _own_scenario(asked.shock).shock()
    return msgspec.json.encode(StressTask(house=str(house), market=str(market.folder), asked=asked))


def economy_request(asked: EconomyAsked) -> bytes:
    """Return the request of an economy run's task; raises Rejected (unknown) for a scenario that does not ship."""
    from tsingma.app.economy_chain import scenario_names
    from tsingma.economy.scenario import shipped_scenarios

    names = scenario_names() if asked.model == CHAIN else tuple(shipped_scenarios(asked.model))
    if asked.scenario not in names:  # never taken for a file
        message = f"no scenario '{asked.scenario}'"
        raise refuse(RejectionReason.UNKNOWN, message, field="scenario", remedy=f"one of {', '.join(names)}")
    return msgspec.json.encode(asked)


def stress_task(request: bytes, progress: Progress) -> bytes:
    """Run the scenarios of a request through the house as it stands now; nothing is booked."""
    from tsingma.app import stress_run
    from tsingma.app.house_derivatives import DerivativeMargin, cross_house
    from tsingma.app.house_margin import house_margin
    from tsingma.app.session import Session
    from tsingma.app.stress_figures import stress_figures
    from tsingma.stress.scenario import shipped_scenarios

    task = msgspec.json.decode(request, type=StressTask)
    asked, market = task.asked, HouseMarket(Path(task.market))
    progress.stage("margins", 0, 1)
    parameters = market.parameters()
    with Session.open(task.house, read_only=True) as session:
        house, at = session.house, session.sequencer.sequence
        margin, derivatives = house_margin(house, parameters), DerivativeMargin(house, parameters)
        crossed = cross_house(house, margin, derivatives)
        label = f"house at record {at}, closing prices of its last day"
        source = stress_run.source_of_margins(
            house, margin, derivatives, crossed, market.history, label, market.curves()
        )
        chosen = stress_run.scenarios_of(asked.scenarios)
        if asked.shock is not None:
            chosen = (*chosen, _own_scenario(asked.shock))
        runs = stress_run.stress(
            source, chosen or shipped_scenarios(), draws=asked.draws, seed=asked.seed, progress=progress
        )
        figures = tuple(stress_figures(source.book, run) for run in runs)
    model = "betas of factors, margins as each house calls them, default waterfall (docs/stress.md)"
    found = StressRunResult(model=model, at=at, asked=asked, market=market.data(), label=source.label, runs=figures)
    return msgspec.json.encode(found)


def _own_scenario(shock: OwnShock) -> Scenario:
    return Scenario(
        id=OWN_SHOCK, title="Own shock", title_zh="自訂衝擊", story="As asked.", story_zh="按查詢所設。",
        source="the asker", source_zh="查詢人", assumed=True, horizon_days=shock.horizon_days,
        index_return=shock.index_return, volatility_ratio=shock.volatility_ratio,
        renminbi_return=shock.renminbi_return, correlation=shock.correlation,
        rates={name: CurveShock(**msgspec.structs.asdict(one)) for name, one in shock.rates.items()},
    )  # fmt: skip


def economy_task(request: bytes, progress: Progress) -> bytes:
    """Run the scenario of a request."""
    from tsingma.app import economy_run
    from tsingma.app.economy_chain import run_with_path

    asked = msgspec.json.decode(request, type=EconomyAsked)
    progress.stage(f"{asked.model} {asked.scenario}", 0, 2)
    if asked.model == CHAIN:
        draws, seed = (100 if asked.replications is None else asked.replications), asked.seed or 1
        result, path = run_with_path(
            asked.scenario, None, year=None, layers=None, draws=draws, seed=seed, start=CHAIN_START
        )
        found = EconomyRunResult(model=asked.model, scenario=asked.scenario, asked=asked, replications=draws,
                                 seed=seed, path=path, chain=result)  # fmt: skip
        return msgspec.json.encode(found)
    scenario = economy_run.find_scenario(asked.scenario, asked.model)
    run = economy_run.run_scenario(
        scenario, asked.model, replications=asked.replications, seed=asked.seed, level=asked.level
    )
    progress.stage("causes", 1, 2)
    found = EconomyRunResult(
        model=asked.model, scenario=asked.scenario, asked=asked, replications=run.scenario.replications,
        seed=run.scenario.seed, path=run.path, fans=run.fans, causes=economy_run.causes_of(run.scenario, asked.model),
    )  # fmt: skip
    return msgspec.json.encode(found)
