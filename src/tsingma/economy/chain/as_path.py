"""A scenario of the chain as the path that the stress side reads: value added by country and layer, base to after."""

from __future__ import annotations

from datetime import date, timedelta

from tsingma.economy.chain.levers import LEVERS
from tsingma.economy.chain.scenario import Scenario, ScenarioResult
from tsingma.economy.path import Indicator, Likelihood, LikelihoodKind, Path, Provenance, Shock, Unit

YEAR_DAYS = 365
LEAST = 1e-9  # a ratio of a path is above zero


def chain_path(scenario: Scenario, found: ScenarioResult, start: date) -> Path:
    """Return a path of two dates, ``start`` and a year later, when the new equilibrium is reached.

    Indicators are ratios to base: ``value_added.COUNTRY.LAYER`` for what the base year makes, ``real_income.COUNTRY``.
    An equilibrium has no calendar: the year is how long the path takes, not an estimate.
    """
    base: dict[tuple[str, str], float] = {}
    after: dict[tuple[str, str], float] = {}
    for row in found.dividends:
        key = row.country, row.layer
        base[key] = base.get(key, 0.0) + row.base
        after[key] = after.get(key, 0.0) + row.after
    indicators = [
        Indicator(f"value_added.{country}.{layer}", Unit.RATIO, (1.0, max(after[country, layer] / made, LEAST)))
        for (country, layer), made in base.items()
        if made > 0
    ]
    indicators += [
        Indicator(f"real_income.{row.country}", Unit.RATIO, (1.0, 1.0 + row.real_income / 100.0))
        for row in found.countries
    ]
    basis = "no such event is in the tables held; nothing to rank it against"
    return Path(
        name=found.name,
        dates=(start, start + timedelta(days=YEAR_DAYS)),
        indicators=tuple(indicators),
        likelihood=Likelihood(kind=LikelihoodKind.PLAUSIBILITY, value=0.0, basis=basis, label="what if"),
        provenance=Provenance(
            model="exact-hat equilibrium with wedges",
            scenario=found.english,
            calibration="; ".join(found.notes),
            uncertainty=f"{found.draws} draws of the elasticities" if found.draws else "none drawn",
            data=(found.table,),
            seed=found.seed if found.draws else None,
        ),
        shocks=tuple(
            Shock(name=one.lever, day=start, size=one.value, unit=LEVERS[one.lever].unit, why=scenario.english,
                  source=scenario.description)
            for one in scenario.lever
        ),
    )  # fmt: skip
