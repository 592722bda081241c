"""What a run of an economic model says, as plain rows for its illustrated brief; names in place of numbers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path as FilePath

import msgspec

from tsingma.app.economy_data import read_economic_data
from tsingma.app.economy_replicate import Replication
from tsingma.app.economy_run import ScenarioRun
from tsingma.economy.attribution import Attribution
from tsingma.economy.chain.dividends import Divergence
from tsingma.economy.chain.levers import LEVERS, Setting
from tsingma.economy.chain.scenario import Scenario as ChainScenario
from tsingma.economy.chain.scenario import ScenarioResult
from tsingma.economy.observations import EconomicData
from tsingma.economy.path import HIBOR, HOME_PRICE, HOME_RENT, HOME_SALES, HSI
from tsingma.economy.property.claims import duty_findings, property_findings
from tsingma.economy.register import register
from tsingma.economy.renminbi.claims import renminbi_findings
from tsingma.economy.scenario import month_end
from tsingma.economy.series import Series
from tsingma.reports.economy_figures import (
    CauseRow,
    ChainFigures,
    ClaimRow,
    CountryRow,
    DaysRows,
    DividendRow,
    FanRow,
    FlowRow,
    Grounds,
    LayerRow,
    LeakRow,
    LeverRow,
    ReasonRow,
    RunFigures,
    ShockRow,
    SpilloverFigures,
    SpreadRow,
)

CHAIN_MODEL = "exact-hat equilibrium with wedges"
_MEASURES = ("theil", "theil_within", "theil_between", "palma", "wolfson", "esteban_ray")
_DAILY: dict[str, Callable[[EconomicData], Series]] = {HSI: lambda data: data.hsi, HIBOR: lambda data: data.hibor}
_MONTHLY: dict[str, tuple[Callable[[EconomicData], Series], float]] = {  # by first day of the month, and the scale
    HOME_PRICE: (lambda data: data.home_price, 1.0),
    HOME_RENT: (lambda data: data.home_rent, 1.0),
    HOME_SALES: (lambda data: data.home_sales, 1.0),
    "share.payments": (lambda data: data.payments, 0.01),
    "share.trade_finance": (lambda data: data.trade_finance, 0.01),
}


def chain_figures(scenario: ChainScenario, found: ScenarioResult) -> ChainFigures:
    """Return a scenario of the chain and what came of it as rows."""
    drawn = f"{found.draws} draws of the elasticities" if found.draws else "none drawn"
    return ChainFigures(
        name=found.name, title=found.english, title_zh=found.chinese, unit=found.unit, notes=found.notes,
        description=scenario.description, levers=tuple(map(_lever, scenario.lever)),
        draws=found.draws,
        grounds=Grounds(model=CHAIN_MODEL, calibration=found.notes[-1] if found.notes else "",
                        data=(_table_name(found.table),), uncertainty=drawn, seed=found.seed if found.draws else None),
        countries=tuple(
            CountryRow(country=row.country, real_income=row.real_income, real_wage=row.real_wage,
                       chain_dividends=row.chain_dividends,
                       **dict(zip(("low", "median", "high"), row.quantiles, strict=False)))
            for row in found.countries
        ),
        flows=tuple(FlowRow(**msgspec.structs.asdict(row)) for row in found.flows),
        dividends=tuple(
            DividendRow(country=row.country, layer=row.layer, zone=row.zone, tier=row.tier, before=row.base,
                        after=row.after)
            for row in found.dividends
        ),
        leaks=tuple(LeakRow(**msgspec.structs.asdict(row)) for row in found.leakage),
        rent_leakage=dict(found.rent_leakage),
        reasons=tuple(ReasonRow(**msgspec.structs.asdict(row)) for row in found.regions),
        spread=tuple(map(_spread, found.divergence_before, found.divergence)),
        concentration=tuple(
            LayerRow(layer=row.layer, hhi_before=row.hhi_before, hhi_after=row.hhi_after)
            for row in found.concentration
        ),
        days=None if found.days is None else DaysRows(
            world_lost_days=found.days.world_lost_days, unmet_final_days=found.days.unmet_final_days,
            lost_days=found.days.country_lost_days, worst=found.days.worst,
        ),
    )  # fmt: skip


def _lever(setting: Setting) -> LeverRow:
    lever = LEVERS[setting.lever]
    sellers = setting.sellers or ((setting.country,) if setting.country else ())
    return LeverRow(english=lever.english, chinese=lever.chinese, value=setting.value, unit=lever.unit,
                    sector=setting.sector, sellers=sellers, buyers=setting.buyers)  # fmt: skip


def _table_name(table: str) -> str:
    """Return the name of a table without its year twice."""
    name, _, year = table.rpartition(", ")
    return name if name.endswith(year) else table


def _spread(before: Divergence, after: Divergence) -> SpreadRow:
    measures = {name: (float(getattr(before, name)), float(getattr(after, name))) for name in _MEASURES}
    return SpreadRow(country=after.country, measures=measures, upper=after.upper, lower=after.lower, k=after.k)


def run_figures(found: ScenarioRun, causes: Attribution, data: FilePath | None = None) -> RunFigures:
    """Return a run in time as rows; with a folder of public series, what came after its start and their claims.

    Raises Rejected as the reader of the series does.
    """
    scenario, path = found.scenario, found.path
    series = read_economic_data(data) if data is not None else None
    fans = tuple(
        FanRow(indicator=fan.indicator, unit=str(fan.unit), dates=fan.dates, levels=fan.levels, values=fan.values,
               path=path.indicator(fan.indicator).values,
               observed=_observed(series, fan.indicator, fan.dates[0], fan.dates[-1]))
        for fan in found.fans
    )  # fmt: skip
    given = path.provenance
    return RunFigures(
        name=scenario.name, model=scenario.model, title=scenario.english, title_zh=scenario.chinese,
        grounds=Grounds(model=given.model, calibration=given.calibration, data=given.data,
                        uncertainty=given.uncertainty, seed=scenario.seed),
        replications=scenario.replications, rank=path.likelihood.value, indicator=causes.indicator,
        unit=next(fan.unit for fan in fans if fan.indicator == causes.indicator), fans=fans,
        shocks=tuple(ShockRow(**msgspec.structs.asdict(shock)) for shock in path.shocks),
        causes=tuple(_cause(one.cause, one.effect) for one in causes.causes),
        without=causes.without, with_all=causes.with_all, together=causes.together,
        claims=_claims(scenario.model, series),
    )  # fmt: skip


def _cause(label: str, effect: float) -> CauseRow:
    """Return one cause from its label: a name, then the value of a lever or the size and day of a shock."""
    name, _, rest = label.partition(" ")
    size, _, day = rest.partition(" on ")
    return CauseRow(name=name, size=size, day=date.fromisoformat(day) if day else None, effect=effect)


def _observed(data: EconomicData | None, indicator: str, start: date, end: date) -> tuple[tuple[date, float], ...]:
    """Return what came after the start: the last of each month of daily series, monthly ones at the month's end."""
    if data is None:
        return ()
    if indicator in _DAILY:
        last = {(day.year, day.month): (day, value) for day, value in _dated(_DAILY[indicator](data))}
        pairs = list(last.values())
    elif indicator in _MONTHLY:
        read, scale = _MONTHLY[indicator]
        pairs = [(month_end(day, 0), scale * value) for day, value in _dated(read(data))]
    else:
        return ()
    return tuple((day, value) for day, value in pairs if start < day <= end)


def _dated(series: Series) -> list[tuple[date, float]]:
    return list(zip(series.days.tolist(), series.values.tolist(), strict=True))


def _claims(model: str, data: EconomicData | None) -> tuple[ClaimRow, ...]:
    """Return the claims that a model tests: without the public series only those that need none."""
    if model == "renminbi":
        findings = renminbi_findings()
    else:
        findings = duty_findings() | (property_findings(data) if data is not None else {})
    return tuple(
        ClaimRow(id=one.id, english=one.english, chinese=one.chinese, result=str(one.result), figure=one.figure)
        for one in register(findings)
        if one.id in findings
    )


def spillover_figures(found: Replication) -> SpilloverFigures:
    """Return a spillover table beside the paper's as rows."""
    return msgspec.convert(msgspec.structs.asdict(found), SpilloverFigures)
