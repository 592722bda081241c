"""Which inputs an answer hangs on: Sobol indices of any batched model (SALib, extra ``sensitivity``)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import RejectionReason, refuse

Floats = npt.NDArray[np.float64]
SAMPLES_MAX = 2**20


class SobolIndex(msgspec.Struct, frozen=True, kw_only=True):
    """The part of an answer's variance due to one input alone and with all it touches; half-widths are 95 %."""

    name: str
    first: float
    first_half_width: float
    total: float
    total_half_width: float


def sobol(
    model: Callable[[Floats], Floats],
    names: Sequence[str],
    bounds: Sequence[tuple[float, float]],
    *,
    samples: int = 1024,
    seed: int = 0,
) -> tuple[SobolIndex, ...]:
    """Return the Sobol indices of ``model`` ([batch, inputs] -> [batch]) over uniform inputs, in the order of names.

    ``samples`` is a power of two; the model is called once with samples x (inputs + 2) rows. Raises Rejected when
    SALib is not installed, a bound is empty, or the answer is the same everywhere.
    """
    try:
        from SALib.analyze import sobol as analysis
        from SALib.sample import sobol as sample
    except ImportError:
        message, remedy = "SALib is not installed", "pip install 'tsingma[sensitivity]'"
        raise refuse(RejectionReason.MISSING, message, remedy=remedy) from None
    if samples < 2 or samples > SAMPLES_MAX or samples & (samples - 1):
        message = f"{samples} samples are no power of two up to {SAMPLES_MAX}"
        raise refuse(RejectionReason.OUT_OF_RANGE, message, field="samples")
    for name, (low, high) in zip(names, bounds, strict=True):
        if not low < high:
            message = f"{low} to {high} is an empty range"
            raise refuse(RejectionReason.OUT_OF_RANGE, message, field="bounds", subject=name)
    problem = {"num_vars": len(names), "names": list(names), "bounds": [list(bound) for bound in bounds]}
    points = sample.sample(problem, samples, calc_second_order=False, seed=seed)
    answers = np.asarray(model(points), np.float64)
    if answers.shape != (len(points),) or not np.isfinite(answers).all():
        message = f"the model gives {answers.shape} numbers, not all finite"
        raise refuse(RejectionReason.MALFORMED, message, field="model")
    if np.ptp(answers) == 0.0:
        raise refuse(RejectionReason.CONFLICT, "the answer is the same everywhere, nothing drives it", field="model")
    found = analysis.analyze(problem, answers, calc_second_order=False, seed=seed)
    return tuple(
        SobolIndex(
            name=name,
            first=float(found["S1"][place]),
            first_half_width=float(found["S1_conf"][place]),
            total=float(found["ST"][place]),
            total_half_width=float(found["ST_conf"][place]),
        )
        for place, name in enumerate(names)
    )
