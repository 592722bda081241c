"""What each lever and shock of a scenario does alone, so that a sign that surprises is explained."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import numpy as np

from tsingma.economy.ensemble import Ensemble
from tsingma.economy.scenario import LeverSetting, Scenario, ScenarioShock

REPLICATIONS_MAX = 2_000


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """One lever or shock alone: what it does to the median of an indicator at the end of the run."""

    cause: str
    effect: float


class Attribution(msgspec.Struct, frozen=True, kw_only=True):
    """The effect of a scenario on one indicator's end by cause; ``together`` is what only their combination does."""

    indicator: str
    without: float
    with_all: float
    causes: tuple[Cause, ...]
    together: float


def attribute(scenario: Scenario, run: Callable[[Scenario], Ensemble]) -> Attribution:
    """Return what each lever and shock alone does to the end of the indicator the scenario is ranked by.

    Every run has the same seeds, at most 2,000 replications; effects and ``together`` add up to the whole exactly.
    """
    few = msgspec.structs.replace(scenario, replications=min(scenario.replications, REPLICATIONS_MAX))

    def end(part: Scenario) -> tuple[str, float]:
        ensemble = run(part)
        by = scenario.by or ensemble.names[0]
        return by, float(np.median(ensemble.of(by)[:, -1]))

    by, without = end(msgspec.structs.replace(few, lever=(), shock=()))
    whole = end(few)[1]
    causes = [
        Cause(cause=label, effect=end(msgspec.structs.replace(few, lever=lever, shock=shock))[1] - without)
        for label, lever, shock in _parts(few)
    ]
    rest = whole - without - sum(one.effect for one in causes)
    return Attribution(indicator=by, without=without, with_all=whole, causes=tuple(causes), together=rest)


def _parts(scenario: Scenario) -> list[tuple[str, tuple[LeverSetting, ...], tuple[ScenarioShock, ...]]]:
    """Return each shock alone, and the levers of duty together, for a rate means nothing without its part."""
    found: list[tuple[str, tuple[LeverSetting, ...], tuple[ScenarioShock, ...]]] = []
    duty = tuple(one for one in scenario.lever if one.name.startswith("duty_p"))
    if duty:
        found.append(("duty", duty, ()))
    found += [(f"{one.name} {one.value:g}", (one,), ()) for one in scenario.lever if one not in duty]
    found += [(f"{one.name} {one.size:+g} on {one.day}", (), (one,)) for one in scenario.shock]
    return found
