"""Calibration with a stated loss, hold-outs that are never fitted, and their score beside no change at all.

The loss is the sum over fitted targets of weight x (model - observed)^2; it is brought down by Levenberg-Marquardt with
derivatives from one batched call of the model.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import RejectionReason, refuse

Floats = npt.NDArray[np.float64]
Model = Callable[[Floats], Floats]  # parameters [batch, parameters] -> targets [batch, targets]
STEPS_MAX = 200
STEP = 1e-6  # of a parameter's range, for differences
CONVERGED = 1e-10  # relative fall of the loss


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """One number to meet; a held-out target carries the last value known before it, and is never fitted."""

    id: str
    observed: float
    weight: float = 1.0
    held_out: bool = False
    last_known: float | None = None


class HoldOut(msgspec.Struct, frozen=True, kw_only=True):
    """One forecast beside what came: the model's error, that of no change, and which was smaller."""

    id: str
    observed: float
    forecast: float
    no_change: float
    error: float
    error_of_no_change: float
    better_than_no_change: bool


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """Fitted parameters with the loss before and after, the residual of each fitted target, and the hold-outs."""

    loss: str
    parameters: dict[str, float]
    at_bound: tuple[str, ...]
    loss_before: float
    loss_after: float
    steps: int
    residuals: dict[str, float]
    hold_outs: tuple[HoldOut, ...]


def score(identity: str, *, observed: float, forecast: float, last_known: float) -> HoldOut:
    """Return a forecast's score beside the benchmark that nothing changes from the last known value."""
    error, still = forecast - observed, last_known - observed
    return HoldOut(
        id=identity,
        observed=observed,
        forecast=forecast,
        no_change=last_known,
        error=error,
        error_of_no_change=still,
        better_than_no_change=abs(error) < abs(still),
    )


def calibrate(
    model: Model, names: Sequence[str], start: Sequence[float], bounds: Sequence[tuple[float, float]],
    targets: Sequence[Target],
) -> Calibration:  # fmt: skip
    """Return the parameters within ``bounds`` that lower the loss most from ``start``, and the score of hold-outs.

    Raises Rejected: bounds that do not hold the start, nothing to fit, a model that gives no number, no convergence
    within 200 steps (with loss and largest residual).
    """
    low, high = np.array(bounds, np.float64).T
    point = np.array(start, np.float64)
    if not len(names) == len(point) == len(low) or (low >= high).any() or (point < low).any() or (point > high).any():
        message = f"bounds {list(bounds)} do not hold {list(start)}"
        raise refuse(RejectionReason.OUT_OF_RANGE, message, field="start")
    fitted = np.array([not target.held_out for target in targets])
    if not fitted.any():
        raise refuse(RejectionReason.MISSING, "every target is held out, nothing can be fitted", field="targets")
    observed = np.array([target.observed for target in targets])
    root = np.sqrt([target.weight for target in targets])[fitted]

    def residual(points: Floats) -> Floats:
        values = model(points)
        if values.shape != (len(points), len(targets)) or not np.isfinite(values).all():
            message = f"the model gives {values.shape} numbers, not all finite"
            raise refuse(RejectionReason.MALFORMED, message, field="model")
        return np.asarray((values - observed)[:, fitted] * root)

    before = float(np.sum(residual(point[None])[0] ** 2))
    point, loss, steps = _descend(residual, point, low, high, before)
    values = model(point[None])[0]
    edge = [
        name for name, at, a, b in zip(names, point, low, high, strict=True) if min(at - a, b - at) < STEP * (b - a)
    ]
    return Calibration(
        loss="sum of weight x (model - observed)^2 over fitted targets",
        parameters=dict(zip(names, map(float, point), strict=True)),
        at_bound=tuple(edge),
        loss_before=before,
        loss_after=loss,
        steps=steps,
        residuals={
            target.id: float(value - target.observed)
            for target, value in zip(targets, values, strict=True)
            if not target.held_out
        },
        hold_outs=tuple(_held(target, float(value)) for target, value in zip(targets, values, strict=True)
                        if target.held_out),
    )  # fmt: skip


def _held(target: Target, forecast: float) -> HoldOut:
    if target.last_known is None:
        message = "a held-out target needs the last value known before it"
        raise refuse(RejectionReason.MISSING, message, field="last_known", subject=target.id)
    return score(target.id, observed=target.observed, forecast=forecast, last_known=target.last_known)


def _descend(
    residual: Callable[[Floats], Floats], point: Floats, low: Floats, high: Floats, loss: float
) -> tuple[Floats, float, int]:
    """Return the point, loss and steps of Levenberg-Marquardt with steps clipped to the bounds."""
    damping, span = 1e-3, high - low
    for step in range(1, STEPS_MAX + 1):
        side = np.where(point + STEP * span > high, -1.0, 1.0)
        probes = point + np.diag(side * STEP * span)
        here, *there = residual(np.vstack([point, probes]))
        slope = ((np.array(there) - here) / (side * STEP)[:, None]).T  # by parameter as a part of its range
        free = ~(((point <= low) & (slope.T @ here > 0)) | ((point >= high) & (slope.T @ here < 0)))
        if not free.any():
            return point, loss, step
        slope = slope[:, free]
        normal = slope.T @ slope
        for _ in range(30):
            move = np.zeros_like(point)
            move[free] = np.linalg.lstsq(
                normal + damping * np.diag(np.diag(normal) + 1e-12), -slope.T @ here, rcond=None
            )[0]
            trial = np.clip(point + move * span, low, high)
            reached = float(np.sum(residual(trial[None])[0] ** 2))
            if reached <= loss:
                break
            damping *= 4.0
        else:
            return point, loss, step  # no direction lowers the loss: this is the bottom
        gained, point, loss, damping = loss - reached, trial, reached, damping / 3.0
        if gained <= CONVERGED * (loss + 1e-30):
            return point, loss, step
    message = f"no convergence in {STEPS_MAX} steps: loss {loss:.6g}, largest residual {np.abs(here).max():.6g}"
    raise refuse(RejectionReason.OUT_OF_RANGE, message, field="calibration", remedy="narrow the bounds")
