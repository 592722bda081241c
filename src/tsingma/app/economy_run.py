"""Run a scenario of an economic model, shipped or from a file; deliver its ensemble and the path that stands for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path as FilePath

import msgspec

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.economy.attribution import Attribution, attribute
from tsingma.economy.ensemble import Ensemble, Fan
from tsingma.economy.path import Path, to_json, to_toml
from tsingma.economy.property.run import run as run_property
from tsingma.economy.renminbi.run import run as run_renminbi
from tsingma.economy.scenario import Scenario, parse_scenario, shipped_scenarios

MODELS: dict[str, Callable[[Scenario], Ensemble]] = {"property": run_property, "renminbi": run_renminbi}


class ScenarioRun(msgspec.Struct, frozen=True, kw_only=True):
    """A scenario, the path that stands for it, and a fan chart of every indicator."""

    scenario: Scenario
    path: Path
    fans: tuple[Fan, ...]


def find_scenario(name: str, model: str) -> Scenario:
    """Return a shipped scenario by name, or that of a TOML file; raises Rejected naming those there are."""
    _require(model)
    shipped = shipped_scenarios(model)
    if name in shipped:
        return shipped[name]
    file = FilePath(name)
    if not file.is_file():
        remedy = f"a file, or one of {', '.join(shipped)}"
        raise refuse(RejectionReason.UNKNOWN, f"no scenario '{name}'", field="scenario", remedy=remedy)
    return parse_scenario(file.read_text(encoding="utf-8"), file=name)


def _require(model: str) -> None:
    if model not in MODELS:
        raise refuse(RejectionReason.UNKNOWN, f"no model '{model}'", remedy=f"one of {', '.join(MODELS)}")


def run_scenario(
    scenario: Scenario, model: str, *, replications: int | None = None, seed: int | None = None,
    level: float | None = None,
) -> ScenarioRun:  # fmt: skip
    """Return the run of a scenario; replications, seed and level replace those of the scenario where given.

    Raises Rejected for what the model refuses, and for a scenario that names no indicator to rank by.
    """
    changes = {"replications": replications, "seed": seed, "level": level}
    chosen = msgspec.structs.replace(scenario, **{key: value for key, value in changes.items() if value is not None})
    _require(model)
    ensemble = MODELS[model](chosen)
    by = chosen.by or ensemble.names[0]
    fans = tuple(ensemble.fan(name) for name in ensemble.names)
    return ScenarioRun(scenario=chosen, path=ensemble.path_at(chosen.level, by=by), fans=fans)


def causes_of(scenario: Scenario, model: str) -> Attribution:
    """Return what each lever and shock of a scenario does alone."""
    return attribute(scenario, MODELS[model])


def write_path(path: Path, file: FilePath) -> None:
    """Write a path as TOML or JSON, by the suffix of the file; raises Rejected for another suffix."""
    writers = {".toml": to_toml, ".json": to_json}
    if file.suffix not in writers:
        message = f"'{file.suffix}' is neither .toml nor .json"
        raise refuse(RejectionReason.MALFORMED, message, file=str(file))
    file.write_text(writers[file.suffix](path), encoding="utf-8")
