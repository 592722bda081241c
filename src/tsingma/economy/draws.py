"""Random numbers by counting: every replication has a seed of its own and can be drawn again alone, bit for bit.

SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014) turns seed and counter
into 64 bits; there is no state, so ten thousand replications are drawn as one array.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import RejectionReason, refuse

Floats = npt.NDArray[np.float64]
Seeds = npt.NDArray[np.uint64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_LOW = np.uint64(0xFFFFFFFF)
REPLICATIONS_MAX = 10_000_000


def _mix(state: Seeds) -> Seeds:
    """Return the output function of SplitMix64, in place."""
    state ^= state >> np.uint64(30)
    state *= _FIRST
    state ^= state >> np.uint64(27)
    state *= _SECOND
    state ^= state >> np.uint64(31)
    return state


def replication_seeds(seed: int, replications: int) -> Seeds:
    """Return one seed for each replication, uint64 [replications]: the outputs of SplitMix64 started at ``seed``.

    Raises Rejected for a seed outside 0 to 2^64 - 1 or a count outside 1 to ten million.
    """
    if not 0 <= seed < 2**64:
        raise refuse(RejectionReason.OUT_OF_RANGE, f"seed {seed} is not a 64-bit count", field="seed")
    if not 1 <= replications <= REPLICATIONS_MAX:
        message = f"{replications} replications, 1 to {REPLICATIONS_MAX} are possible"
        raise refuse(RejectionReason.LIMIT, message, field="replications")
    with np.errstate(over="ignore"):
        return _mix(np.uint64(seed) + _GOLDEN * np.arange(1, replications + 1, dtype=np.uint64))


def uniforms(seeds: Seeds, step: int, count: int) -> Floats:
    """Return ``count`` numbers above 0 and below 1 for each seed at a step, float64 [seeds, count]."""
    return ((_bits(seeds, step, count) >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53


def normals(seeds: Seeds, step: int, count: int) -> Floats:
    """Return ``count`` standard normal numbers for each seed at a step, float64 [seeds, count].

    Box-Muller; the halves of one 64-bit word give radius and angle, so that no number is beyond 6.8 deviations.
    """
    pairs = (count + 1) // 2
    bits = _bits(seeds, step, pairs)
    radius = ((bits >> np.uint64(32)).astype(np.float64) + 0.5) * 2.0**-32
    turn = ((bits & _LOW).astype(np.float64) + 0.5) * 2.0**-32
    np.log(radius, out=radius)
    radius *= -2.0
    np.sqrt(radius, out=radius)
    cosine = np.cos(2.0 * np.pi * turn)
    found = np.empty((len(seeds), 2 * pairs))
    np.multiply(radius, cosine, out=found[:, :pairs])
    sine = np.copysign(np.sqrt(1.0 - cosine * cosine), 0.5 - turn)
    np.multiply(radius, sine, out=found[:, pairs:])
    return found[:, :count]


def _bits(seeds: Seeds, step: int, count: int) -> Seeds:
    """Return 64 bits for each seed and place, uint64 [seeds, count]; steps follow each other without overlap."""
    place = np.arange(1, count + 1, dtype=np.uint64) + np.uint64(step * count)
    with np.errstate(over="ignore"):
        return _mix(seeds[:, None] + _GOLDEN * place)
