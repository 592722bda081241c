"""Money settlement: net payers pay the central counterparty, it pays net receivers, and paid stock is released.

Source: Hong Kong money is confirmed at day end of T+2, China Connect money at noon of T+1 (HKEX, risk management
of CNS trades). A payer short of money fails for that currency: its stock stays on hold and the money stays pending;
receivers are paid all the same, from the house's own line, which is what a central counterparty is for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tsingma.basics.money import CURRENCIES
from tsingma.basics.rejection import InvariantBroken
from tsingma.ledger.ledger import Ledger
from tsingma.settlement.positions import CnsPositions

Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class MoneyResult:
    """What one money run did: cents paid in and out per house currency, payment failures, shares released."""

    paid_in_cents: tuple[int, ...]
    paid_out_cents: tuple[int, ...]
    failures: tuple[tuple[int, int, int], ...]  # (account, currency, cents not paid)
    released_shares: int

    def figures(self) -> dict[str, int]:
        """Return the figures by name, for the event."""
        figures = {"payment_failures": len(self.failures), "released_shares": self.released_shares}
        for currency, paid_in, paid_out in zip(CURRENCIES, self.paid_in_cents, self.paid_out_cents, strict=True):
            figures[f"paid_in_{currency}_cents"] = paid_in
            figures[f"paid_out_{currency}_cents"] = paid_out
            missing = sum(cents for _, unit, cents in self.failures if CURRENCIES[unit] == currency)
            figures[f"unpaid_{currency}_cents"] = missing
        return figures


def settle_money(positions: CnsPositions, ledger: Ledger, cns: int, markets: tuple[int, ...]) -> MoneyResult:
    """Confirm the pending money of the given markets, per account and currency, and release paid stock."""
    chosen = np.isin(positions.market[positions.money_line], markets)
    line = np.flatnonzero(chosen & (positions.pending_cents != 0))
    group = positions.money_account[line].astype(np.int64) * len(CURRENCIES) + positions.money_currency[line]
    groups, place = np.unique(group, return_inverse=True)
    net = np.zeros(groups.size, np.int64)
    np.add.at(net, place, positions.pending_cents[line])
    owner, currency = np.divmod(groups, len(CURRENCIES))
    own = ledger.rows(owner.astype(np.int32), currency.astype(np.int32))
    house = ledger.rows(np.full(groups.size, cns, np.int32), currency.astype(np.int32))
    payer, receiver = net > 0, net < 0
    result = ledger.post(own[payer], house[payer], net[payer])
    paid = np.ones(groups.size, np.bool_)
    paid[np.flatnonzero(payer)[result != 0]] = False
    if ledger.post(house[receiver], own[receiver], -net[receiver]).any():
        raise InvariantBroken("the central counterparty could not pay out: its own money row has a floor")
    done = line[paid[place]]
    positions.settled_cents[done] += positions.pending_cents[done]
    failed = np.flatnonzero(~paid)
    return MoneyResult(
        paid_in_cents=_per_currency(currency, net, payer & paid),
        paid_out_cents=_per_currency(currency, -net, receiver),
        failures=tuple((int(owner[i]), int(currency[i]), int(net[i])) for i in failed),
        released_shares=_release(positions, ledger, markets),
    )


def _release(positions: CnsPositions, ledger: Ledger, markets: tuple[int, ...]) -> int:
    """Take paid stock off hold: lines on hold without pending money in any currency."""
    unpaid = np.zeros(positions.key.size, np.bool_)
    unpaid[positions.money_line[positions.pending_cents != 0]] = True
    line = np.flatnonzero((positions.on_hold > 0) & ~unpaid & np.isin(positions.market, markets))
    shares = positions.on_hold[line]
    rows = ledger.rows(positions.account[line], positions.security[line] + len(CURRENCIES))
    if ledger.release(rows, shares).any():
        raise InvariantBroken("stock on hold could not be released")
    positions.on_hold[line] = 0
    return int(shares.sum())


def _per_currency(currency: Int64, cents: Int64, chosen: npt.NDArray[np.bool_]) -> tuple[int, ...]:
    return tuple(int(cents[chosen & (currency == unit)].sum()) for unit in range(len(CURRENCIES)))
