"""A scenario of the chain as a path: value added of every country and layer before and after, for the stress side."""

from __future__ import annotations

from datetime import date

from tsingma.economy.chain.scenario import ScenarioResult
from tsingma.economy.path import Indicator, Likelihood, LikelihoodKind, Path, Provenance, Unit


def scenario_path(result: ScenarioResult, start: date, end: date) -> Path:
    """Return the path from the base to the new equilibrium; nobody has counted how often such a thing happens.

    Indicators: ``value_added.COUNTRY.LAYER`` and ``real_income.COUNTRY`` as ratios to the base. Raises Rejected for
    dates that do not increase.
    """
    sums: dict[str, list[float]] = {}
    for row in result.dividends:
        pair = sums.setdefault(f"value_added.{row.country}.{row.layer}", [0.0, 0.0])
        pair[0] += row.base
        pair[1] += row.after
    indicators = [
        Indicator(name, Unit.RATIO, (1.0, max(after / base, 1e-9))) for name, (base, after) in sums.items() if base > 0
    ]
    indicators += [
        Indicator(f"real_income.{one.country}", Unit.RATIO, (1.0, 1.0 + one.real_income / 100.0))
        for one in result.countries
    ]
    return Path(
        name=result.name,
        dates=(start, end),
        indicators=tuple(indicators),
        likelihood=Likelihood(
            kind=LikelihoodKind.PLAUSIBILITY, value=0.0, basis="no history of such a stop", label="not ranked"
        ),
        provenance=Provenance(
            model="value chain, nested CES in exact hats",
            scenario=result.english,
            calibration=result.table,
            uncertainty=f"{result.draws} draws of elasticities, seed {result.seed}",
            seed=result.seed,
        ),
    )
