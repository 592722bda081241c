"""Who uses the renminbi at all, and how much: a panel of counterpart countries and what a swap line does to it.

P(use) = logistic(base + trade + swap line + clearing bank + neighbours' use); payments given use are log-normal. The
two effects of a swap line, 12 points of probability and payments fourfold, are those of Bahaj and Reis ("Jumpstarting
an international currency"); the estimator must give them back within sampling error.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import RejectionReason, refuse
from tsingma.economy.draws import normals, replication_seeds, uniforms
from tsingma.economy.renminbi.parameters import AdoptionParameters

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Panel:
    """One simulated panel: use and log payments (0 where none) by month and country, and who has a line when."""

    uses: Bools
    log_payments: Floats
    line: Bools


@dataclass(frozen=True, slots=True)
class Treatment:
    """What the estimator finds: change of the probability of use and factor on payments, with standard errors."""

    use: float
    use_error: float
    log_payments: float
    log_payments_error: float


def line_logit(index: Floats, effect: float) -> float:
    """Return the logit a line adds so that the mean probability over countries at ``index`` rises by ``effect``."""
    base = _logistic(index)
    if not 0.0 < effect < 1.0 - base.mean():
        message = f"an effect of {effect} cannot come on top of {base.mean():.3f}"
        raise refuse(RejectionReason.OUT_OF_RANGE, message, field="use_effect")
    low, high = 0.0, 40.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if (_logistic(index + middle) - base).mean() < effect else (low, middle)
    return low


def line_effect_on_payments(given: AdoptionParameters) -> float:
    """Return the relative rise of all payments from one more line, countries being alike: ((p + e) v / p - 1) / n."""
    after = given.use_before + given.use_effect
    return (after * given.value_effect / given.use_before - 1.0) / given.countries


def _logistic(index: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-index)))


def simulate_panel(given: AdoptionParameters, seed: int) -> Panel:
    """Return a panel of ``countries`` x ``months``; treated countries get their line in the middle third, in turn.

    Countries stand on a ring; a country's neighbours are the two beside it, whose use a month ago counts. Raises
    Rejected when not fewer countries are treated than there are.
    """
    if not 0 < given.treated < given.countries:
        message = f"{given.treated} treated of {given.countries} countries"
        raise refuse(RejectionReason.OUT_OF_RANGE, message, field="treated")
    seeds = replication_seeds(seed, given.countries)
    trade = normals(seeds, 0, 1)[:, 0]
    bank = uniforms(seeds, 1, 1)[:, 0] < 0.25
    chance = uniforms(seeds, 2, given.months).T
    noise = normals(seeds, 3, given.months).T * given.value_noise
    third, spacing = given.months // 3, given.countries // given.treated
    turn = np.arange(given.countries) // spacing  # treated countries stand apart on the ring
    has_line = (np.arange(given.countries) % spacing == 0) & (turn < given.treated)
    line = has_line & (np.arange(given.months)[:, None] >= third + turn * third // given.treated)
    fixed = (
        np.log(given.use_before / (1 - given.use_before)) + given.trade * trade + given.clearing_bank * (bank - 0.25)
    )
    added = line_logit(fixed[has_line], given.use_effect)
    uses = np.zeros((given.months, given.countries), bool)
    before = np.full(given.countries, given.use_before)
    for now in range(given.months):
        beside = 0.5 * (np.roll(before, 1) + np.roll(before, -1)) - given.use_before
        index = fixed + given.neighbours * beside + added * line[now]
        uses[now] = chance[now] < _logistic(index)
        before = uses[now].astype(float)
    payments = np.where(uses, trade + np.log(given.value_effect) * line + noise, 0.0)
    return Panel(uses, payments, line)


def treatment(panel: Panel) -> Treatment:
    """Return the effect of a line by two-way fixed effects (country and month), errors clustered by country.

    The regression of use on the line takes every country-month; that of log payments those with any.
    """
    use, use_error = _two_way(panel.uses.astype(float), panel.line, np.ones_like(panel.uses))
    value, value_error = _two_way(panel.log_payments, panel.line, panel.uses)
    return Treatment(use, use_error, value, value_error)


def _two_way(outcome: Floats, line: Bools, kept: Bools) -> tuple[float, float]:
    weight = kept.astype(float)
    treated = _within(line.astype(float), weight)
    rest = _within(outcome, weight)
    power = float((weight * treated**2).sum())
    if power < 1e-9:
        raise refuse(RejectionReason.INSUFFICIENT, "no country changes its line within the panel", field="panel")
    effect = float((weight * treated * rest).sum()) / power
    score = (weight * treated * (rest - effect * treated)).sum(0)
    countries = len(score)
    return effect, float(np.sqrt((score**2).sum() * countries / (countries - 1)) / power)


def _within(values: Floats, weight: Floats) -> Floats:
    """Return values less the means of country and month among kept cells (alternating projections)."""
    rest = values.copy()
    for _ in range(200):
        before = rest
        for axis in (0, 1):
            count = weight.sum(axis, keepdims=True)
            rest = rest - (weight * rest).sum(axis, keepdims=True) / np.where(count > 0, count, 1.0)
        if np.abs((rest - before) * weight).max() < 1e-10:
            return rest
    gap = np.abs((rest - before) * weight).max()
    raise refuse(RejectionReason.OUT_OF_RANGE, f"means do not settle: {gap:.3g} after 200 rounds", field="panel")
