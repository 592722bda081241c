"""One amount between two ledger rows, at once or not at all."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import InvariantBroken
from tsingma.ledger.ledger import Ledger


def one(number: int) -> npt.NDArray[np.int64]:
    """Return a column of one number."""
    return np.array([number], np.int64)


def pay_at_once(ledger: Ledger, debit: int, credit: int, amount: int) -> bool:
    """Move an amount (cents or shares, positive) if it is there; returns whether it was, and changes nothing if not.

    Raises InvariantBroken when the ledger does not book what is available.
    """
    if int(ledger.available(one(debit))[0]) < amount:
        return False
    if ledger.post(one(debit), one(credit), one(amount)).any():
        raise InvariantBroken("what is available could not be moved")
    return True
