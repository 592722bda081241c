"""Evidence from the public series: what stocks and homes did together, and how the renminbi's shares moved."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import msgspec
import numpy as np

from tsingma.app.economy_data import read_economic_data
from tsingma.economy.property.coverage import Coverage, fan_coverage
from tsingma.economy.property.error_correction import ErrorCorrection, OutOfSample, estimate, out_of_sample
from tsingma.economy.property.evidence import (
    Causality,
    Divergence,
    LeadLag,
    divergence,
    granger,
    lead_lag,
    monthly_pair,
)
from tsingma.economy.property.tails import Cycle, Tail, cycle, tail
from tsingma.economy.renminbi.adoption import simulate_panel, treatment
from tsingma.economy.renminbi.parameters import parameters
from tsingma.economy.renminbi.shares import estimate_inertia, half_life_years, network_fixed_points

LAST = date(2026, 6, 30)
WINDOWS = (
    (date(1994, 2, 1), date(2003, 12, 1)),
    (date(2004, 1, 1), date(2014, 12, 1)),
    (date(2015, 1, 1), date(2024, 12, 1)),
    (date(2025, 1, 1), date(2026, 6, 1)),
)
CYCLES = (
    (date(1997, 1, 1), date(2003, 12, 31)),
    (date(2008, 1, 1), date(2009, 6, 30)),
    (date(2021, 1, 1), date(2025, 12, 31)),
)
ORIGINS = (date(2016, 3, 31), date(2025, 6, 30))  # HIBOR begins in November 2015; a year must follow the last
STRENGTHS = (1.0, 2.0, 2.5, 4.0)
PANELS = 40


class PropertyEvidence(msgspec.Struct, frozen=True, kw_only=True):
    """Who leads, how they moved together, partings, error correction, tails, cycles, and how fans covered."""

    causality: tuple[Causality, ...]
    windows: tuple[LeadLag, ...]
    divergence: Divergence
    error_correction: ErrorCorrection
    out_of_sample: OutOfSample
    tail: Tail
    cycles: tuple[Cycle, ...]
    fans: tuple[Coverage, ...]


class Inertia(msgspec.Struct, frozen=True, kw_only=True):
    """The logit of the reserves share on its own last quarter."""

    slope: float
    standard_error: float
    constant: float
    long_run_percent: float
    quarters: int


class RenminbiEvidence(msgspec.Struct, frozen=True, kw_only=True):
    """Inertia of reserves, half-lives in years of the published columns, fixed points, and swap lines recovered."""

    reserves: Inertia
    half_lives: dict[str, float]
    fixed_points: dict[float, tuple[float, ...]]
    swap_line_use: float
    swap_line_use_error: float
    swap_line_factor: float
    panels: int


def property_evidence(folder: Path) -> PropertyEvidence:
    """Return the evidence on stocks and homes to June 2026; tails to the last close. Raises Rejected as the reader."""
    data = read_economic_data(folder)
    hsi = data.hsi.between(date(1900, 1, 1), LAST)
    _, logs = monthly_pair(hsi, data.ccl)
    stocks, homes = np.diff(logs, axis=0).T
    prices = data.home_price.between(date(1979, 1, 1), date(2026, 3, 1))
    pairs = ((homes, stocks, ("HSI", "CCL")), (stocks, homes, ("CCL", "HSI")))
    return PropertyEvidence(
        causality=tuple(granger(effect, cause, lags, names=names) for effect, cause, names in pairs for lags in (1, 2)),
        windows=tuple(lead_lag(hsi, data.ccl, first, last) for first, last in WINDOWS),
        divergence=divergence(hsi, data.ccl),
        error_correction=estimate(prices, data.home_rent, hsi),
        out_of_sample=out_of_sample(prices, data.home_rent, hsi, date(2020, 3, 1)),
        tail=tail(data.hsi),
        cycles=tuple(cycle(data.home_price, first, last) for first, last in CYCLES),
        fans=fan_coverage(data, *ORIGINS),
    )


def renminbi_evidence(folder: Path) -> RenminbiEvidence:
    """Return the evidence on the renminbi's shares; the adoption margin is simulated and estimated in 40 panels."""
    shares = read_economic_data(folder).reserves.values / 100.0
    slope, error, constant, long_run = estimate_inertia(shares)
    found = [treatment(simulate_panel(parameters().adoption, seed)) for seed in range(PANELS)]
    use = np.array([one.use for one in found])
    return RenminbiEvidence(
        reserves=Inertia(
            slope=slope,
            standard_error=error,
            constant=constant,
            long_run_percent=100.0 * long_run,
            quarters=len(shares),
        ),
        half_lives={one.name: half_life_years(one.lagged.value) for one in parameters().inertia},
        fixed_points={strength: network_fixed_points(strength) for strength in STRENGTHS},
        swap_line_use=float(use.mean()),
        swap_line_use_error=float(use.std(ddof=1)),
        swap_line_factor=float(np.exp(np.mean([one.log_payments for one in found]))),
        panels=PANELS,
    )
