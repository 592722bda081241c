"""Novation and continuous net settlement: two legs a trade against the central counterparty, summed per account.

Source: CCASS General Rules on CNS (hk-market facts: trades novate to HKSCC and net per participant, security and
settlement day). Amounts are the contract amounts; nothing is ever re-priced.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tsingma.basics.rejection import InvariantBroken
from tsingma.clearing.trades import Trades
from tsingma.kernels.netting import net_legs

Int64 = npt.NDArray[np.int64]
Int32 = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class NetLegs:
    """Net per (account, counter): quantity bought +, sold -; amount_cents payable +, receivable -; legs counted."""

    account: Int32
    counter: Int32
    quantity: Int64
    amount_cents: Int64
    legs: Int64


def net(trades: Trades, accounts: int, counters: int) -> NetLegs:
    """Return the net legs of trades, sorted by account and counter.

    Raises InvariantBroken unless the central counterparty is flat in every counter, in quantity and in money.
    """
    amount = trades.amount_cents()
    account = np.concatenate([trades.buyer, trades.seller])
    counter = np.concatenate([trades.counter, trades.counter])
    quantity = np.concatenate([trades.quantity, -trades.quantity])
    legs = NetLegs(*net_legs(account, counter, quantity, np.concatenate([amount, -amount]), accounts, counters))
    require_flat(legs, counters)
    return legs


def require_flat(legs: NetLegs, counters: int) -> None:
    """Raise InvariantBroken when the legs of a counter do not cancel (design, invariant 5)."""
    for name, column in (("quantity", legs.quantity), ("amount", legs.amount_cents)):
        total = np.zeros(counters, np.int64)
        np.add.at(total, legs.counter, column)
        broken = np.flatnonzero(total)
        if broken.size:
            raise InvariantBroken(f"novation left {name} {int(total[broken[0]])} open in counter {int(broken[0])}")
