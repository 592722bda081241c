"""What a change of duty does to the number of deals: a semi-elasticity in the taxed band, and re-timing around the day.

Source of the size: Best and Kleven 2018, and the Hong Kong studies named in ``reference/data/property_model.toml``:
-0.20 in logs for each point of duty, 30 to 50 % of a jump taken back; no fall of prices is built in, because the extra
duties of 2010 to 2013 lowered volume by a quarter and raised prices a little.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import RejectionReason, refuse

Floats = npt.NDArray[np.float64]


def band_volume_change(points: float, semi_elasticity: float = -0.20) -> float:
    """Return the relative change of deals in a band whose duty rises by ``points``: exp(-0.20 x 2.25) - 1 = -36 %."""
    return float(np.expm1(semi_elasticity * points))


def total_volume_change(points: float, part: float, semi_elasticity: float = -0.20) -> float:
    """Return the relative change of all deals when ``part`` of them are in the band, a part from 0 to 1."""
    if not 0.0 <= part <= 1.0:
        raise refuse(RejectionReason.OUT_OF_RANGE, f"part {part} is not between 0 and 1", field="part")
    return part * band_volume_change(points, semi_elasticity)


def retimed_volume(points: float, *, reversed_part: float = 0.4, semi_elasticity: float = -0.20) -> Floats:
    """Return deals in the band, 1 before: the month before the change, the month after, and for good [3].

    A rise announced ahead pulls deals forward: ``reversed_part`` of the lasting change's mirror image comes in the
    month before and is missing in the month after.
    """
    if not 0.0 <= reversed_part <= 1.0:
        message = f"reversed part {reversed_part} is not between 0 and 1"
        raise refuse(RejectionReason.OUT_OF_RANGE, message, field="reversed_part")
    lasting = 1.0 + band_volume_change(points, semi_elasticity)
    pulled = reversed_part * (1.0 - lasting)
    return np.array([1.0 + pulled, max(lasting - pulled, 0.0), lasting])
