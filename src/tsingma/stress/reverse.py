"""The smallest path that empties a default fund: searched outward in every direction of a few factors.

A point is a move of index, renminbi, (log) volatility and layers; its size is its Mahalanobis distance under the
covariance of the same factors over windows of the past. From the origin each direction is followed outward until the
fund's use reaches one, then directions near the best are tried. All is seeded; what is found is an upper bound of the
smallest, and the search says how much it still moved in its last round.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import RejectionReason, refuse

Float64 = npt.NDArray[np.float64]

RADIUS_STEPS = 24
BISECTIONS = 20


class ReverseSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``radius_max`` in standard deviations; ``directions`` tried first, ``near`` in each of ``rounds`` after."""

    radius_max: float = 40.0
    directions: int = 128
    near: int = 48
    rounds: int = 8
    seed: int = 1


class ReverseResult(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """The point found (float64 [factors]), its distance, the use of the fund there and just inside, and the search."""

    factors: tuple[str, ...]
    point: Float64
    distance: float
    use: float
    use_inside: float
    evaluations: int
    last_gain: float  # how much the distance still fell in the last round, as a part of it


def smallest_path(
    factors: tuple[str, ...],
    covariance: Float64,
    use: Callable[[Float64], float],
    settings: ReverseSettings | None = None,
) -> ReverseResult | None:
    """Return the nearest point at which ``use`` reaches 1, or None when no direction reaches it within the radius.

    ``covariance`` float64 [k, k] positive definite; ``use`` takes a point [k]. Raises Rejected for a covariance that is
    not positive definite.
    """
    settings = settings or ReverseSettings()
    try:
        root: Float64 = np.linalg.cholesky(covariance).astype(np.float64)
    except np.linalg.LinAlgError:
        raise refuse(RejectionReason.OUT_OF_RANGE, "is not positive definite", field="covariance") from None
    search = _Search(root, use, settings.radius_max)
    chance = np.random.Generator(np.random.PCG64(settings.seed))
    axes = np.concatenate([np.eye(len(factors)), -np.eye(len(factors))])
    for direction in (*axes, *chance.standard_normal((settings.directions, len(factors)))):
        search.follow(direction)
    if search.direction is None:
        return None
    gain, width = 1.0, 0.5
    for _ in range(settings.rounds):
        before = search.radius
        for step in chance.standard_normal((settings.near, len(factors))):
            search.follow(search.direction + width * step / len(factors) ** 0.5)
        gain, width = (before - search.radius) / before, width * 0.6
    inside = search.use(search.point(0.999 * search.radius))
    point = search.point(search.radius)
    return ReverseResult(
        factors=factors, point=point, distance=search.radius, use=search.use(point), use_inside=inside,
        evaluations=search.evaluations, last_gain=gain,
    )  # fmt: skip


class _Search:
    """The best direction so far and the radius at which the fund is empty in it."""

    def __init__(self, root: Float64, use: Callable[[Float64], float], radius_max: float) -> None:
        self._root, self._use = root, use
        self.radius = radius_max
        self.direction: Float64 | None = None
        self.evaluations = 0

    def use(self, point: Float64) -> float:
        self.evaluations += 1
        return self._use(point)

    def point(self, radius: float, direction: Float64 | None = None) -> Float64:
        unit = self.direction if direction is None else direction
        if unit is None:
            raise refuse(RejectionReason.MISSING, "no direction empties the fund", field="direction")
        return np.asarray(self._root @ (radius * unit))

    def follow(self, direction: Float64) -> None:
        """Keep the direction when it reaches 1 nearer than the best: outward in steps, then between two of them."""
        unit = direction / np.linalg.norm(direction)
        edge = self.radius if self.direction is None else self.radius * (1 - 1e-4)
        if self.use(self.point(edge, unit)) < 1.0:
            return  # does not reach it nearer than what there is; use is taken to rise outward from the origin
        low, high = 0.0, None
        for step in range(1, RADIUS_STEPS + 1):
            radius = self.radius * step / RADIUS_STEPS
            if self.use(self.point(radius, unit)) >= 1.0:
                high = radius
                break
            low = radius
        if high is None:
            return
        for _ in range(BISECTIONS):
            middle = (low + high) / 2
            low, high = (low, middle) if self.use(self.point(middle, unit)) >= 1.0 else (middle, high)
        if high < self.radius or self.direction is None:
            self.radius, self.direction = high, unit
