"""What an optimiser is given of a house: the instructions that may settle, as columns beside what every row can spare.

A snapshot: nothing is booked here, and what comes back is a proposal.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tsingma.ledger.ledger import Ledger
from tsingma.settlement.instance import Problem
from tsingma.settlement.instruction import Instructions
from tsingma.settlement.recycling import legs_of

Int64 = npt.NDArray[np.int64]

SPARE_MAX = 2**61  # a row without a floor spares this much, so that sums stay within 64 bits


def waiting_problem(instructions: Instructions, ledger: Ledger, numbers: Int64, rate_e6: tuple[int, ...]) -> Problem:
    """Return the instructions ``numbers`` as a problem over ledger rows, whole and unlinked.

    ``rate_e6`` gives HKD per unit of each currency: the value of an instruction is its money in HKD cents. The account
    after the last row takes legs that move nothing. Rows that do not exist yet are numbered and left unopened.
    """
    known = ledger.count
    legs = legs_of(instructions, ledger, numbers)
    rows = ledger.count
    spare = np.minimum(ledger.available(np.arange(rows)), SPARE_MAX)
    assets = ledger.asset.astype(np.int64)
    owners = ledger.owner.astype(np.int64)
    ledger.close_rows(known)
    stock, money = legs.moves[:, 0], legs.moves[:, 1]
    quantity, cash = np.where(stock, legs.amount[:, 0], 0), np.where(money, legs.amount[:, 1], 0)
    rates = np.array(rate_e6, np.int64)
    paid_in = assets[np.where(money, legs.debit[:, 1], 0)]
    in_money = money & (paid_in < rates.size)
    rate = np.where(in_money, rates[np.minimum(paid_in, rates.size - 1)], 0)
    accounts = [("row", owner, asset) for owner, asset in zip(owners.tolist(), assets.tolist(), strict=True)]
    return Problem(
        out_stock=np.where(stock, legs.debit[:, 0], rows), in_stock=np.where(stock, legs.credit[:, 0], rows),
        out_cash=np.where(money, legs.debit[:, 1], -1), in_cash=np.where(money, legs.credit[:, 1], -1),
        quantity=quantity, cash=cash, priority=instructions.table["priority"][numbers].astype(np.int64),
        balance=np.append(spare, 0), value=_value(cash, rate),
        accounts=(*accounts, ("none", 0, 0)),
    )  # fmt: skip


def _value(cents: Int64, rate_e6: Int64) -> Int64:
    """Return cents x rate / 1,000,000, parts of a million apart so that the product stays within 64 bits."""
    million = 1_000_000
    return cents // million * rate_e6 + cents % million * rate_e6 // million
