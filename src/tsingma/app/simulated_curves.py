"""Use case: a file of simulated zero curves."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TypedDict

from tsingma.messages.curve_file import write_curves
from tsingma.simulate.curves import TENORS, simulate_curves


class CurveLabel(TypedDict):
    """What was written: SIMULATED curves by name, their days and seed."""

    label: str
    curves: list[str]
    days: int
    seed: int
    file: str


def make_curves(out: Path, seed: int, start: date, days: int) -> CurveLabel:
    """Write simulated curves and return what they are."""
    found = simulate_curves(seed, start, days)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(write_curves(found, TENORS))
    names = [curve.name for curve in found]
    return CurveLabel(label="SIMULATED", curves=names, days=days, seed=seed, file=str(out))
