"""One batch settlement run: every short position delivers what it can, receipts are filled in a stated order.

Source: CCASS batch settlement runs; stock received stays on hold until its money is confirmed (HKEX, risk
management of CNS trades). Long positions are filled oldest first, then by account number: the published rules
leave the order to the clearing house, so this one is the house's own.
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
class RunResult:
    """What one run did: lines that delivered, shares moved, money that fell due with them, lines still open."""

    deliveries: int
    receipts: int
    shares: int
    payable_cents: tuple[int, ...]  # per house currency: what receivers now owe
    open_deliveries: int

    def figures(self) -> dict[str, int]:
        """Return the figures by name, for the event."""
        return {
            "deliveries": self.deliveries,
            "receipts": self.receipts,
            "shares": self.shares,
            "open_deliveries": self.open_deliveries,
            **{
                f"payable_{currency}_cents": cents
                for currency, cents in zip(CURRENCIES, self.payable_cents, strict=True)
            },
        }


def batch_run(positions: CnsPositions, ledger: Ledger, cns: int, markets: tuple[int, ...]) -> RunResult:
    """Run once for the given markets (numbers); ``cns`` is the central counterparty's account.

    Raises InvariantBroken when the central counterparty would not end flat in a security.
    """
    here = np.isin(positions.market, markets)
    opened = positions.open
    short = np.flatnonzero(here & (opened < 0))
    delivered = _deliverable(positions, ledger, short)
    line, quantity = short[delivered > 0], delivered[delivered > 0]
    supply = np.zeros(int(positions.security.max()) + 1 if positions.key.size else 0, np.int64)
    np.add.at(supply, positions.security[line], quantity)
    receiver, received = _allocate(positions, np.flatnonzero(here & (opened > 0)), supply)
    if int(quantity.sum()) != int(received.sum()):
        raise InvariantBroken(f"{int(quantity.sum())} shares delivered, {int(received.sum())} allocated")
    _book(positions, ledger, cns, line, quantity, receiver, received)
    before = positions.moved_cents.copy()
    positions.move(np.concatenate([line, receiver]), np.concatenate([-quantity, received]))
    positions.on_hold[receiver] += received
    owed = np.maximum(positions.moved_cents - before, 0)
    return RunResult(
        deliveries=int(line.size),
        receipts=int(receiver.size),
        shares=int(quantity.sum()),
        payable_cents=tuple(int(owed[positions.money_currency == unit].sum()) for unit in range(len(CURRENCIES))),
        open_deliveries=int((positions.open[short] < 0).sum()),
    )


def _rows(positions: CnsPositions, ledger: Ledger, line: Int64) -> Int64:
    return ledger.rows(positions.account[line], positions.security[line] + len(CURRENCIES))


def _deliverable(positions: CnsPositions, ledger: Ledger, line: Int64) -> Int64:
    available = ledger.available(_rows(positions, ledger, line))
    quantity: Int64 = np.clip(available, 0, -positions.open[line])
    return quantity


def _allocate(positions: CnsPositions, line: Int64, supply: Int64) -> tuple[Int64, Int64]:
    """Fill receipts per security, oldest first, then by account, until the supply is used."""
    order = np.lexsort((positions.account[line], positions.since_day[line], positions.security[line]))
    line = line[order]
    security, wanted = positions.security[line], positions.open[line]
    running = np.cumsum(wanted)
    first = np.searchsorted(security, security, side="left")
    before = running - wanted - (running - wanted)[first]
    received = np.clip(supply[security] - before, 0, wanted)
    filled = received > 0
    return line[filled], received[filled]


def _book(
    positions: CnsPositions,
    ledger: Ledger,
    cns: int,
    line: Int64,
    quantity: Int64,
    receiver: Int64,
    received: Int64,
) -> None:
    own = np.full(line.size + receiver.size, cns, np.int32)
    security = np.concatenate([positions.security[line], positions.security[receiver]])
    house = ledger.rows(own, (security + len(CURRENCIES)).astype(np.int32))
    debit = np.concatenate([_rows(positions, ledger, line), house[line.size :]])
    credit = np.concatenate([house[: line.size], _rows(positions, ledger, receiver)])
    failed = ledger.post_all(debit, credit, np.concatenate([quantity, received]))
    if failed is not None:
        raise InvariantBroken(f"a checked delivery could not be booked (transfer {failed} of the run)")
    if (ledger.balance[house] != 0).any():
        raise InvariantBroken("the central counterparty is left with stock after a batch settlement run")
    if ledger.hold(_rows(positions, ledger, receiver), received).any():
        raise InvariantBroken("received stock could not be put on hold")
