"""How plausible a shock is: its index move against history, and its distance from the ordinary.

A fall is ranked among all windows of the same length in the history at hand; beyond the worst of it, and beyond October
1987, is said so. The distance is Mahalanobis: how many standard deviations out, correlations counted.
"""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import RejectionReason, refuse

Float64 = npt.NDArray[np.float64]


class WorstOnRecord(msgspec.Struct, frozen=True):
    """The worst fall of the Hang Seng Index over some trading days: see ``data/assumptions.toml``."""

    days: int
    fall: float
    name: str
    name_zh: str


class Plausibility(msgspec.Struct, frozen=True, kw_only=True):
    """``rank`` is the part of windows at least as bad (0: none); ``windows`` how many there are."""

    rank: float
    windows: int
    worst: float
    distance: float
    label: str
    label_zh: str


def plausibility(
    index_return: float, history: Float64, distance: float, record: tuple[WorstOnRecord, ...], horizon_days: int
) -> Plausibility:
    """Return how an index move compares with ``history``, float64 [windows] of returns over the same days.

    Raises Rejected (missing) without windows.
    """
    known = history[np.isfinite(history)]
    if not known.size:
        raise refuse(RejectionReason.MISSING, "there is no history to compare with", field="history")
    rank = float((known <= index_return).mean() if index_return < 0 else (known >= index_return).mean())
    worst = float(known.min() if index_return < 0 else known.max())
    label, label_zh = _labels(index_return, rank, worst, record, horizon_days)
    return Plausibility(
        rank=rank, windows=int(known.size), worst=worst, distance=distance, label=label, label_zh=label_zh
    )


def _labels(
    index_return: float, rank: float, worst: float, record: tuple[WorstOnRecord, ...], horizon_days: int
) -> tuple[str, str]:
    """Return the label in English and in Traditional Chinese."""
    longest = max((one for one in record if one.days <= horizon_days), key=lambda one: one.days, default=None)
    if index_return < 0 and longest is not None and index_return < longest.fall:
        english = f"beyond {longest.name} ({longest.fall:.1%} in {longest.days} days): never seen"
        return english, f"超過{longest.name_zh}（{longest.days}日{longest.fall:.1%}）：從未發生"
    if rank == 0.0:
        return f"beyond this history (worst {worst:.1%})", f"超出本歷史（最差{worst:.1%}）"
    for limit, english, chinese in _RANKS:
        if rank < limit:
            return english, chinese
    return "ordinary", "尋常"


_RANKS = (
    (0.001, "less than once in a thousand windows", "千次不足一次"),
    (0.01, "between once in a hundred and once in a thousand windows", "千次至百次一遇"),
    (0.1, "less than once in ten windows", "十次不足一次"),
)


def mahalanobis(point: Float64, covariance: Float64) -> float:
    """Return the distance of ``point`` [k] from the origin under ``covariance`` [k, k].

    Raises Rejected (out-of-range) for a covariance that is not positive definite.
    """
    try:
        factor = np.linalg.cholesky(covariance)
    except np.linalg.LinAlgError:
        message = "is not positive definite"
        raise refuse(RejectionReason.OUT_OF_RANGE, message, field="covariance") from None
    return float(np.linalg.norm(np.linalg.solve(factor, point)))
