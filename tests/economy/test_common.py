"""Draws, ensembles, calibration and sensitivity: published vectors, closed forms, recovery of known parameters."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from tsingma.basics.rejection import Rejected
from tsingma.economy.calibration import Target, calibrate, score
from tsingma.economy.draws import normals, replication_seeds, uniforms
from tsingma.economy.ensemble import Ensemble
from tsingma.economy.path import HSI, Provenance, Unit
from tsingma.economy.sensitivity import sobol


def test_splitmix_gives_the_published_numbers() -> None:
    """Goal: the generator is the published one. Method: the first five outputs for seed 1234567."""
    assert [int(seed) for seed in replication_seeds(1234567, 5)] == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]


def test_a_replication_is_the_same_alone() -> None:
    """Goal: seed per replication. Method: replication 777 of a thousand, drawn alone, has the same bits."""
    seeds = replication_seeds(7, 1000)
    assert np.array_equal(normals(seeds, 3, 5)[777], normals(seeds[777:778], 3, 5)[0])
    assert not np.array_equal(uniforms(seeds, 0, 4), uniforms(seeds, 1, 4))


def test_normals_are_normal_and_independent() -> None:
    """Goal: usable noise. Method: moments of 400,000 numbers, correlation between columns and steps."""
    seeds = replication_seeds(1, 100_000)
    first, second = normals(seeds, 0, 2), normals(seeds, 1, 2)
    flat = np.concatenate([first, second]).ravel()
    assert flat.mean() == pytest.approx(0.0, abs=0.006)
    assert flat.std() == pytest.approx(1.0, abs=0.005)
    assert (flat**4).mean() == pytest.approx(3.0, abs=0.06)
    assert np.abs(np.corrcoef(np.hstack([first, second]).T) - np.eye(4)).max() < 0.012
    assert 0.0 < uniforms(seeds, 5, 3).min() < 1e-4


def _ensemble(values: np.ndarray) -> Ensemble:
    days = (date(2026, 6, 30), date(2026, 7, 31))
    provenance = Provenance(model="m", scenario="s", calibration="c", uncertainty="u")
    return Ensemble("e", days, (HSI,), (Unit.INDEX,), values, replication_seeds(1, len(values)), provenance)


def test_fans_and_paths_of_an_ensemble() -> None:
    """Goal: quantiles and ranks. Method: replications that end at 1 to 101, by hand."""
    ensemble = _ensemble(np.stack([np.full(101, 50.0), np.arange(1.0, 102.0)], axis=1)[:, None, :])
    fan = ensemble.fan(HSI, (0.1, 0.5))
    assert [row[1] for row in fan.values] == pytest.approx([11.0, 51.0])
    worst = ensemble.path_at(0.01, by=HSI)
    assert worst.values(HSI)[1] == 2.0
    assert worst.likelihood.value == pytest.approx(2 / 101)
    assert worst.provenance.seed == int(ensemble.seeds[1])


@pytest.mark.parametrize(
    ("values", "words"),
    [(np.ones((3, 1, 3)), "values are"), (np.full((3, 1, 2), np.nan), "no number for equity.HSI on 2026-06-30")],
)
def test_wrong_ensembles_are_refused(values: np.ndarray, words: str) -> None:
    """Goal: never a silent half result. Method: a wrong shape, and numbers that are none."""
    with pytest.raises(Rejected, match=words):
        _ensemble(values)
    with pytest.raises(Rejected, match="do not rise"):
        _ensemble(np.ones((2, 1, 2))).fan(HSI, (0.5, 0.1))
    with pytest.raises(Rejected, match="no indicator"):
        _ensemble(np.ones((2, 1, 2))).of("equity.N225")


def _curve(points: np.ndarray) -> np.ndarray:
    return points[:, :1] * np.exp(-points[:, 1:] * np.arange(6.0))


def test_calibration_recovers_what_made_the_data() -> None:
    """Goal: the loss goes to zero, hold-outs are not fitted. Method: a decay with known parameters; one point held."""
    truth = _curve(np.array([[3.0, 0.4]]))[0]
    targets = [Target(id=str(n), observed=float(value)) for n, value in enumerate(truth[:5])]
    held = Target(id="5", observed=float(truth[5]), held_out=True, last_known=float(truth[4]))
    found = calibrate(_curve, ("a", "b"), (1.0, 1.0), ((0.1, 10.0), (0.0, 2.0)), [*targets, held])
    assert found.parameters == pytest.approx({"a": 3.0, "b": 0.4}, abs=1e-6)
    assert found.loss_after < 1e-12 < found.loss_before
    assert found.hold_outs[0].better_than_no_change
    wrong = Target(id="5", observed=100.0, held_out=True, last_known=99.0)
    again = calibrate(_curve, ("a", "b"), (1.0, 1.0), ((0.1, 10.0), (0.0, 2.0)), [*targets, wrong])
    assert again.parameters == found.parameters
    assert not again.hold_outs[0].better_than_no_change


def test_a_bound_that_binds_is_named() -> None:
    """Goal: a fit at its limit says so. Method: the amplitude may not pass 2."""
    targets = [Target(id=str(n), observed=float(value)) for n, value in enumerate(_curve(np.array([[3.0, 0.4]]))[0])]
    assert calibrate(_curve, ("a", "b"), (1.0, 1.0), ((0.1, 2.0), (0.0, 2.0)), targets).at_bound == ("a",)


@pytest.mark.parametrize(
    ("start", "targets", "words"),
    [
        ((20.0, 1.0), [Target(id="0", observed=1.0)] * 6, "do not hold"),
        ((1.0, 1.0), [Target(id="0", observed=1.0, held_out=True, last_known=1.0)] * 6, "every target is held out"),
        ((1.0, 1.0), [Target(id="0", observed=1.0)] * 5, "the model gives"),
        ((1.0, 1.0), [Target(id="0", observed=1.0)] * 5 + [Target(id="h", observed=1.0, held_out=True)], "last value"),
    ],
)
def test_wrong_calibrations_are_refused(start: tuple[float, float], targets: list[Target], words: str) -> None:
    """Goal: clear refusals. Method: one fault each."""
    with pytest.raises(Rejected, match=words):
        calibrate(_curve, ("a", "b"), start, ((0.1, 10.0), (0.0, 2.0)), targets)


def test_no_change_wins_when_it_is_nearer() -> None:
    """Goal: the benchmark decides. Method: two forecasts of the same number."""
    assert not score("x", observed=10.0, forecast=12.0, last_known=9.0).better_than_no_change
    assert score("x", observed=10.0, forecast=10.5, last_known=9.0).better_than_no_change


def test_sobol_indices_of_the_ishigami_function() -> None:
    """Goal: indices are right. Method: the closed form of sin x + 7 sin^2 y + 0.1 z^4 sin x (Ishigami-Homma 1990)."""
    a, b = 7.0, 0.1

    def ishigami(x: np.ndarray) -> np.ndarray:
        return np.sin(x[:, 0]) + a * np.sin(x[:, 1]) ** 2 + b * x[:, 2] ** 4 * np.sin(x[:, 0])

    found = sobol(ishigami, ("x", "y", "z"), [(-np.pi, np.pi)] * 3, samples=4096, seed=1)
    first = 0.5 * (1 + b * np.pi**4 / 5) ** 2
    whole = a**2 / 8 + b * np.pi**4 / 5 + b**2 * np.pi**8 / 18 + 0.5
    mixed = b**2 * np.pi**8 * (1 / 18 - 1 / 50)
    assert [index.first for index in found] == pytest.approx([first / whole, a**2 / 8 / whole, 0.0], abs=0.02)
    assert found[2].total == pytest.approx(mixed / whole, abs=0.02)


@pytest.mark.parametrize(
    ("bounds", "samples", "words"),
    [([(0.0, 1.0)], 100, "power of two"), ([(1.0, 1.0)], 8, "empty range"), ([(0.0, 1.0)], 8, "the same everywhere")],
)
def test_wrong_sensitivity_questions_are_refused(bounds: list[tuple[float, float]], samples: int, words: str) -> None:
    """Goal: clear refusals. Method: one fault each."""
    with pytest.raises(Rejected, match=words):
        sobol(lambda x: np.zeros(len(x)), ("x",), bounds, samples=samples)


def test_a_fit_that_does_not_settle_is_refused() -> None:
    """Goal: never a half-converged fit. Method: a model that shrinks with every call, so that each step still gains."""
    calls = [0]

    def shrinking(points: np.ndarray) -> np.ndarray:
        calls[0] += 1
        return np.hstack([np.full((len(points), 1), 0.98 ** calls[0]), 10.0 * (points - 0.3)])

    targets = [Target(id="shrinks", observed=0.0), Target(id="settles", observed=0.0)]
    with pytest.raises(Rejected, match=r"no convergence in 200 steps: loss .*, largest residual"):
        calibrate(shrinking, ("a",), (0.5,), ((0.0, 1.0),), targets)
