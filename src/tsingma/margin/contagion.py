"""Who can pay whom: the clearing vector of a network of obligations, with costs of default.

L. Eisenberg and T. Noe, "Systemic risk in financial systems", Management Science 47(2), 2001; with costs of default
L. C. G. Rogers and L. Veraart, "Failure and rescue in an interbank network", Management Science 59(4), 2013. Debts to
outsiders rank with debts inside. The answer is the greatest clearing vector, found by letting participants default in
rounds: who falls in which round is part of the answer.
"""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import RejectionReason, refuse

Float64 = npt.NDArray[np.float64]

DENSE_MAX = 2_000  # a larger set of defaulters is solved by iteration
ITERATIONS_MAX = 100_000
TOLERANCE = 1e-13


class Clearing(msgspec.Struct, frozen=True, eq=False):
    """What everyone pays in total (float64 [n]), the round in which each defaults (0: never), and the residual."""

    payment: Float64
    default_round: npt.NDArray[np.int64]
    residual: float

    @property
    def defaulted(self) -> npt.NDArray[np.bool_]:
        """Return who does not pay in full."""
        return np.asarray(self.default_round > 0)


def clearing_vector(
    owed: npt.ArrayLike,
    external_assets: npt.ArrayLike,
    external_debts: npt.ArrayLike,
    *,
    recovery_assets: float = 1.0,
    recovery_claims: float = 1.0,
) -> Clearing:
    """Return the greatest clearing vector of ``owed`` [n, n] (row owes column) in any one unit of money.

    ``recovery_assets`` and ``recovery_claims`` in (0, 1] are the parts of external assets and of claims inside the
    network that a defaulter realises (1, 1: no costs). Raises Rejected naming row and field: an amount that is negative
    or no number, a debt to oneself, shapes that differ.
    """
    debts, assets, outside = _checked(owed, external_assets, external_debts)
    for name, part in (("recovery_assets", recovery_assets), ("recovery_claims", recovery_claims)):
        if not 0 < part <= 1:
            raise refuse(RejectionReason.OUT_OF_RANGE, f"{part} is not in (0, 1]", field=name)
    total = debts.sum(axis=1) + outside
    received = (debts / np.where(total > 0, total, 1.0)[:, None]).T  # row i: the parts of others' payments i receives
    payment = total.copy()
    fallen = np.zeros(total.size, np.int64)
    for step in range(1, total.size + 2):
        short = (assets + received @ payment < total * (1.0 - 1e-12)) & (fallen == 0)
        if not short.any():
            break
        fallen[short] = step
        payment = _solve(received, assets, total, fallen > 0, recovery_assets, recovery_claims)
    wanted = np.where(fallen > 0, recovery_assets * assets + recovery_claims * (received @ payment), total)
    scale = max(float(total.max(initial=0.0)), 1e-300)
    return Clearing(payment, fallen, float(np.abs(wanted - payment).max(initial=0.0)) / scale)


def _solve(
    received: Float64, assets: Float64, total: Float64, down: npt.NDArray[np.bool_], alpha: float, beta: float
) -> Float64:
    """Return payments when exactly these have defaulted: a linear system over the defaulters."""
    payment = np.where(down, 0.0, total)
    rows = np.flatnonzero(down)
    fixed = alpha * assets[rows] + beta * (received[rows] @ payment)
    inside = beta * received[np.ix_(rows, rows)]
    if rows.size <= DENSE_MAX:
        payment[rows] = np.linalg.solve(np.eye(rows.size) - inside, fixed)
        return payment
    guess = fixed.copy()
    for _ in range(ITERATIONS_MAX):
        better = fixed + inside @ guess
        if np.abs(better - guess).max() <= TOLERANCE * total.max():
            break
        guess = better
    payment[rows] = guess
    return payment


def _checked(
    owed: npt.ArrayLike, external_assets: npt.ArrayLike, external_debts: npt.ArrayLike
) -> tuple[Float64, Float64, Float64]:
    debts = np.asarray(owed, np.float64)
    assets, outside = np.asarray(external_assets, np.float64), np.asarray(external_debts, np.float64)
    if debts.ndim != 2 or debts.shape[0] != debts.shape[1]:
        raise refuse(RejectionReason.MALFORMED, f"shape {debts.shape} is not square", field="owed")
    for name, column in (("external_assets", assets), ("external_debts", outside)):
        if column.shape != debts.shape[:1]:
            message = f"shape {column.shape}, {debts.shape[:1]} expected"
            raise refuse(RejectionReason.MALFORMED, message, field=name)
    for name, values in (("owed", debts), ("external_assets", assets), ("external_debts", outside)):
        bad = np.argwhere(~(np.isfinite(values) & (values >= 0)))
        if bad.size:
            place = ", ".join(str(int(number) + 1) for number in bad[0])
            raise refuse(RejectionReason.OUT_OF_RANGE, f"entry {place} is negative or no number", field=name)
    own = np.flatnonzero(np.diag(debts))
    if own.size:
        raise refuse(RejectionReason.OUT_OF_RANGE, f"entry {int(own[0]) + 1} owes itself", field="owed")
    return debts, assets, outside
