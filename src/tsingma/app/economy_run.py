"""Run a scenario of an economic model, shipped or from a file; deliver its ensemble and the path that stands for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path as FilePath

import msgspec
import numpy as np

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.economy.ensemble import Ensemble, Fan
from tsingma.economy.path import Path, to_json, to_toml
from tsingma.economy.property.run import run as run_property
from tsingma.economy.renminbi.run import run as run_renminbi
from tsingma.economy.scenario import LeverSetting, Scenario, ScenarioShock, parse_scenario, shipped_scenarios

ATTRIBUTED_MAX = 2_000
MODELS: dict[str, Callable[[Scenario], Ensemble]] = {"property": run_property, "renminbi": run_renminbi}


class ScenarioRun(msgspec.Struct, frozen=True, kw_only=True):
    """A scenario, the path that stands for it, and a fan chart of every indicator."""

    scenario: Scenario
    path: Path
    fans: tuple[Fan, ...]


def find_scenario(name: str, model: str) -> Scenario:
    """Return a shipped scenario by name, or that of a TOML file; raises Rejected naming those there are."""
    shipped = shipped_scenarios(model)
    if name in shipped:
        return shipped[name]
    file = FilePath(name)
    if not file.is_file():
        remedy = f"a file, or one of {', '.join(shipped)}"
        raise refuse(RejectionReason.UNKNOWN, f"no scenario '{name}'", field="scenario", remedy=remedy)
    return parse_scenario(file.read_text(encoding="utf-8"), file=name)


def run_scenario(
    scenario: Scenario, model: str, *, replications: int | None = None, seed: int | None = None,
    level: float | None = None,
) -> ScenarioRun:  # fmt: skip
    """Return the run of a scenario; replications, seed and level replace those of the scenario where given.

    Raises Rejected for what the model refuses, and for a scenario that names no indicator to rank by.
    """
    changes = {"replications": replications, "seed": seed, "level": level}
    chosen = msgspec.structs.replace(scenario, **{key: value for key, value in changes.items() if value is not None})
    if model not in MODELS:
        raise refuse(RejectionReason.UNKNOWN, f"no model '{model}'", remedy=f"one of {', '.join(MODELS)}")
    ensemble = MODELS[model](chosen)
    by = chosen.by or ensemble.names[0]
    fans = tuple(ensemble.fan(name) for name in ensemble.names)
    return ScenarioRun(scenario=chosen, path=ensemble.path_at(chosen.level, by=by), fans=fans)


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


def attribute(scenario: Scenario, model: str) -> Attribution:
    """Return what each lever and shock alone does to the end of the indicator the scenario is ranked by.

    Every run has the same seeds, at most 2,000 replications; effects and ``together`` add up to the whole exactly.
    """
    few = msgspec.structs.replace(scenario, replications=min(scenario.replications, ATTRIBUTED_MAX))

    def end(part: Scenario) -> tuple[str, float]:
        ensemble = MODELS[model](part)
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


def write_path(path: Path, file: FilePath) -> None:
    """Write a path as TOML or JSON, by the suffix of the file; raises Rejected for another suffix."""
    writers = {".toml": to_toml, ".json": to_json}
    if file.suffix not in writers:
        message = f"'{file.suffix}' is neither .toml nor .json"
        raise refuse(RejectionReason.MALFORMED, message, file=str(file))
    file.write_text(writers[file.suffix](path), encoding="utf-8")
