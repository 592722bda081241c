"""Put the day of a blow between the month ends of a run: a clearing house meets the day, not the month."""

from __future__ import annotations

import numpy as np

from tsingma.economy.ensemble import Ensemble
from tsingma.economy.scenario import Scenario


def with_shock_days(ensemble: Ensemble, scenario: Scenario, name: str) -> Ensemble:
    """Return the ensemble with a date for each day on which the scenario hits ``name`` by a percentage.

    On that day everything else is as at the date before; blows of one month add up in the order of their days. A blow
    on a date the ensemble has already needs no date of its own.
    """
    place_of = ensemble.names.index(name)
    dates, columns = list(ensemble.dates), [ensemble.values[:, :, place] for place in range(len(ensemble.dates))]
    for day, size in sorted((shock.day, shock.size) for shock in scenario.shock if shock.name == name):
        if day in dates:
            continue
        place = next(place for place, known in enumerate(dates) if known > day)
        column = columns[place - 1].copy()
        column[:, place_of] *= 1.0 + size / 100.0
        dates.insert(place, day)
        columns.insert(place, column)
    if len(dates) == len(ensemble.dates):
        return ensemble
    return Ensemble(
        ensemble.name,
        tuple(dates),
        ensemble.names,
        ensemble.units,
        np.stack(columns, axis=2),
        ensemble.seeds,
        ensemble.provenance,
        ensemble.shocks,
    )
